# shellcheck shell=bash
# pages.bash: README.md, the manual pages and the examples of the help as a newcomer reads them: from the top to the bottom,
# every block that is a file is written, every command is typed. What the test does not know what to do with fails it, so
# that nothing that is printed is forgotten. After flow.bash and queue.bash.

# ---- what is printed ------------------------------------------------------------------------------

# blocks_of PAGE: what it sets off as code, one file for each in $SCRATCH/blocks/N, its heading in N.at. A blank line ends one.
blocks_of() {
    rm -rf "$SCRATCH/blocks"
    mkdir "$SCRATCH/blocks"
    case $1 in
    *.md) sed -n '/^## */{s//\x01/p;d}; /^# */{s//\x01/p;d}; /^    /{s//\x02/p;d}; s/.*//p' "$1" ;;
    # In mdoc: literal displays, escapes taken out.
    *) sed -n '/^\.S[hs] /{s/^\.S[hs] /\x01/p;d}; s/^Examples:/\x03/p; /^\.Bd -literal/,/^\.Ed/{/^\.[BE]d/s/.*//; s/\\-/-/g; s/\\e/\\/g; s/\\(dq/"/g; s/\\&//g; s/^..*/\x02&/; p}' "$1" ;;
    esac | awk -v dir="$SCRATCH/blocks" '
        /^\001/ { at = substr($0, 2); on = 0; next }
        /^\003/ { at = at ": examples"; next }
        /^\002/ { if (!on) { on = 1; file = sprintf("%s/%03d", dir, ++n); print at >(file ".at"); close(file ".at") } print substr($0, 2) >file; next }
        { on = 0 }'
}

# is_typed BLOCK: are these commands?
is_typed() {
    case $(<"$1.at"): in *': examples:') return 0 ;; esac
    case $(head -n 1 "$1") in
    bosk\ * | git\ * | cat\ * | cd\ * | sudo\ * | cmake\ * | '(cd '* | tools/*' # '* | tests/*' # '*) return 0 ;;
    esac
    return 1
}

# lines_of BLOCK: commands into the array lines, what is said of them into said: a line that goes on by a backslash, or a
# here-document, is one.
lines_of() {
    local line end=''
    lines=() said=()
    while IFS= read -r line; do
        if [ -n "$end" ] || [[ ${#lines[@]} != 0 && ${lines[-1]} == *\\ ]]; then
            [ -n "$end" ] || line=${line#"${line%%[! ]*}"}
            if [[ ${lines[-1]} == *\\ ]]; then lines[-1]=${lines[-1]%\\}$line; else lines[-1]+=$'\n'$line; fi
            [ "$line" != "$end" ] || end=''
            continue
        fi
        said+=('')
        if [[ $line =~ ^(.*[^ ])\ +#\ (.*)$ ]]; then
            line=${BASH_REMATCH[1]}
            said[-1]=${BASH_REMATCH[2]}
        fi
        lines+=("$line")
        [[ ! $line =~ \<\<\'([A-Z]+)\'$ ]] || end=${BASH_REMATCH[1]}
    done <"$1"
}

# ---- what is typed --------------------------------------------------------------------------------

# keep, back: the repository as it is now; as it was then.
keep() {
    [ -d "$REPO" ] || return 0
    rm -rf "$SCRATCH/kept"
    cp -a "$REPO" "$SCRATCH/kept"
}
back() {
    [ -d "$SCRATCH/kept" ] || return 0
    cd "$SCRATCH" || return
    rm -rf "$REPO" "$REPO.worktrees"
    cp -a "$SCRATCH/kept" "$REPO"
    cd "$REPO" || return
}

# is_instead N: is line N done instead of the one above it?
is_instead() { [[ ${said[$1]-} == 'or '* || ($1 -gt 0 && ${said[$1 - 1]} == *', or') ]]; }

# state_now: all that a command that changes nothing leaves alone.
state_now() {
    git for-each-ref
    git status --porcelain
    git worktree list
    bosk status --json | jq -c .sessions
}

# walk_page PAGE [N]: at least so many commands are in it (3). "at HEADING" makes the place that it speaks of, "text HEADING FILE" puts a block that is a file where it
# belongs, "typed HEADING LINE" says what a line comes to: wanted (exit codes, 0), line (with what is only a placeholder
# filled in) and after (a command), or exempt (why it is not run). All are the test's. What is said to be an "or" is done
# instead of the line above it.
walk_page() {
    local block heading='' i line typed_line exempt wanted after before typed_at=0 code
    blocks_of "$1"
    for block in "$SCRATCH/blocks"/???; do
        [ "$(<"$block.at")" = "$heading" ] || {
            heading=$(<"$block.at")
            at "$heading" || fault "${1##*/}, $heading: this test does not know the place" || return
        }
        if ! is_typed "$block"; then
            text "$heading" "$block" || fault "${1##*/}, $heading: what is this text?" "$block" || return
            continue
        fi
        lines_of "$block"
        for i in "${!lines[@]}"; do
            line=${lines[i]} exempt='' wanted=0 after='' before=''
            typed_line=$line
            if is_instead "$i"; then
                back
            elif is_instead $((i + 1)) || [[ ${said[i]} == 'when '* ]]; then
                keep
            fi
            typed "$heading" "$line" || fault "${1##*/}, $heading: this test does not know the command: $line" || return
            [ -z "$exempt" ] || continue
            [[ ${said[i]} != *'changes nothing'* ]] || before=$(state_now)
            code=0
            # In this very shell, which is the one that the newcomer sits at: who calls `bosk next` owns what it gives.
            set -o pipefail
            eval "$line" >"$OUT" 2>"$ERR" </dev/null 3>&- || code=$?
            set +o pipefail
            cd "$REPO" 2>/dev/null || cd "$SCRATCH" || return
            case " $wanted " in *" $code "*) ;; *) fault "${1##*/}, $heading: exit status $code, not $wanted, of: $line" "$OUT" "$ERR" || return ;; esac
            [ -z "$before" ] || [ "$before" = "$(state_now)" ] || fault "${1##*/}, $heading: it does change something: $line" || return
            cp "$OUT" "$SCRATCH/out of ${typed_line%% *} $(cut -d' ' -f2 <<<"$typed_line")"
            [ -z "$after" ] || $after || fault "${1##*/}, $heading: not as it says: $line" "$OUT" "$ERR" || return
            typed_at=$((typed_at + 1))
        done
    done
    [ "$typed_at" -ge "${2:-3}" ] || fault "${1##*/}: $typed_at commands were found in it"
}

# fault TEXT [FILE...]
fault() {
    printf '%s\n' "$1" >&2
    shift
    [ $# = 0 ] || tail -n 40 "$@" >&2
    return 1
}

# shown_as BLOCK FILE: the text is part of what the command printed, but for what is another in every run.
stable() {
    sed -E 's/\b[0-9a-f]{12,64}\b/OID/g; s/\b[0-9a-f]{6}\b/SID/g; s/[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z/TIME/g; s/ +[0-9]+(\.[0-9]+)? (ms|s|min|h)\b/ SPAN/g; s/ +$//' "$1"
}
shown_as() { [[ $(stable "$2") == *"$(stable "$1")"* ]] || fault 'what was printed is not as shown:' "$1" "$2"; }

# ---- the newcomer ---------------------------------------------------------------------------------

# newcomer: the program, an agent of their own, and those of others. What the agent does is told by files in $HOME.
newcomer() {
    mkdir -p "$SCRATCH/bin"
    ln -s "$BOSK_BIN" "$SCRATCH/bin/bosk"
    write_file "$SCRATCH/bin/my-agent" <<'SH'
#!/bin/sh
prompt=$(cat)
case $BOSK_TASK in
5-2-*)
    case $prompt in
    *'By doubling them'*)
        sed -i 's/\[ \] Escape/[x] Escape/' docs/stories/5-2-export.md
        echo '{"status": "completed", "tasks_done": ["Escape quotes"]}'
        ;;
    *) echo '{"status": "partial", "tasks_done": [], "blocker_questions": [{"task": "Escape quotes", "question": "How?"}]}' ;;
    esac >"$BOSK_RESULT_FILE"
    ;;
esac
[ ! -e "$HOME/fails-$BOSK_TASK" ] || exit 1
echo "$BOSK_TASK" >"$BOSK_TASK.txt"
if [ -e "$HOME/waits" ]; then
    echo >"$HOME/waiting"
    read -r go <"$HOME/go"
fi
SH
    printf '#!/bin/sh\nexit 0\n' >"$SCRATCH/bin/npm"
    # shellcheck disable=SC2016 # of that shell
    printf '#!/bin/sh\n[ "$2" != create ] || echo https://example.invalid/pull/1\n' >"$SCRATCH/bin/gh"
    chmod +x "$SCRATCH/bin/my-agent" "$SCRATCH/bin/npm" "$SCRATCH/bin/gh"
    export PATH=$SCRATCH/bin:$PATH
}

# place [FILE...]: a repository to begin in.
place() {
    cd "$SCRATCH" || return
    rm -rf "$REPO" "$REPO.worktrees" "$HOME"/fails-* "$HOME/waits"
    make_repo "$@"
}
# commit_all: the way that the page says it: "committed".
commit_all() { git add -A && git commit -qm "${1:-More}"; }

# with_origin: a remote to push to.
with_origin() {
    rm -rf "$SCRATCH/origin.git"
    git init -q --bare "$SCRATCH/origin.git"
    git remote remove origin 2>"$ERR" || true
    git remote add origin "$SCRATCH/origin.git"
    git push -q origin main
}
# pushed: there is one branch more than main in it.
pushed() { [ "$(git ls-remote --heads "$SCRATCH/origin.git" | grep -c .)" = 2 ]; }

# issues_place: .workflow/issues with the queue that the pages name: S-1, and S-2 after it.
issues_place() {
    place
    queue_file .workflow/issues S-1:pending S-2:pending:S-1 S-7:pending
    sed 's/QUE-20260101-000000/QUE-20260101000000/' .workflow/issues/queues/q.json >.workflow/issues/queues/QUE-20260101000000.json
    rm .workflow/issues/queues/q.json
    commit_all 'Issues'
}

# stories_place: the story of the pages, committed.
stories_place() {
    place
    write_file docs/stories/5-2-export.md <<<$'# Story 5.2: Export\n## Tasks\n- [x] Write\n- [x] Name\n- [x] Say\n- [ ] Escape quotes'
    commit_all 'Stories'
}

# dates_place [STATE]: plan.yaml with the tasks that the pages name, as new, or after a run: done, failed, interrupted (its
# agent was at work), running (with its pid in $bosk_pid; it ends with dates_go).
dates_place() {
    local state=${1:-new}
    cd "$SCRATCH" || return
    if [ -d "$SCRATCH/place.$state" ]; then
        rm -rf "$REPO" "$REPO.worktrees"
        cp -a "$SCRATCH/place.$state" "$REPO"
        [ ! -d "$SCRATCH/place.$state.worktrees" ] || cp -a "$SCRATCH/place.$state.worktrees" "$REPO.worktrees"
        cd "$REPO" || return
        return 0
    fi
    place src/import/dates.c
    printf 'test:\n\ttrue\n' >Makefile
    write_file bosk.yaml <<<'gates: [{name: tests, run: make test}]'
    commit_all 'Settings'
    write_file plan.yaml <<'YAML'
tasks:
  - {id: parse-dates, title: Accept ISO dates, prompt: Let the importer accept ISO 8601 dates., files: [src/import/]}
  - {id: changelog, run: echo "* ISO dates are accepted" >>CHANGES}
YAML
    case $state in
    done) bosk run plan.yaml --executor my-agent --quiet ;;
    failed)
        touch "$HOME/fails-parse-dates"
        bosk run plan.yaml --executor my-agent --quiet -c retries=0 2>"$ERR" || true
        rm "$HOME/fails-parse-dates"
        ;;
    interrupted | running)
        rm -f "$HOME/go" "$HOME/waiting"
        mkfifo "$HOME/go"
        touch "$HOME/waits"
        start_bosk run plan.yaml --executor my-agent
        wait_until "[ -e '$HOME/waiting' ]" 60
        rm "$HOME/waits"
        [ "$state" = interrupted ] || return 0
        # shellcheck disable=SC2154 # start_bosk's
        kill -KILL "$bosk_pid"
        wait "$bosk_pid" || true
        wait_until "[ -z \"\$(processes_of $(last_sid))\" ]"
        ;;
    esac
    [ "$state" != running ] || return 0
    cp -a "$REPO" "$SCRATCH/place.$state"
    [ ! -d "$REPO.worktrees" ] || cp -a "$REPO.worktrees" "$SCRATCH/place.$state.worktrees"
}
# dates_go: what waits goes on, to its end.
dates_go() {
    echo 1<>"$HOME/go" # whether it is read or not
    wait "$bosk_pid" || true
}
