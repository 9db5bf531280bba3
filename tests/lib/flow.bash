# shellcheck shell=bash
# flow.bash: for the bats tests in tests/flow, and for tests/crash. A scratch folder with its own
# HOME and git settings, repositories, running bosk, waiting for a condition. Every test ends with all
# that lib/invariants checks, unless it says why not (unchecked).
#
#   setup()    { flow_setup; make_repo; }
#   teardown() { flow_teardown; }
#
# The program is $BOSK_BIN. After run_bosk: $status, $out and $err (texts), $OUT and $ERR (files).

# shellcheck source=tests/lib/invariants
. "$(dirname "${BASH_SOURCE[0]}")/invariants"

# jq 1.6 takes 30 ms to start, this one 2: a tenth of the time of all tests. It sorts keys; where their order matters,
# `command jq`.
jq() { gojq "$@"; }

# How long a single bosk may take before it is killed: a hang fails its test, with its output.
: "${FLOW_LIMIT:=120}"

# ---- the scratch folder --------------------------------------------------------------------------

# bats notes where it is before each command of each function, for long a third of the time of a test. From here on
# only functions of the test file are traced: of what fails in a helper the line that called it is named.
flow_trace() {
    local name file
    set +T
    while read -r name _ file; do
        [ "$file" != "$BATS_TEST_SOURCE" ] || declare -ft "$name"
    done < <(shopt -s extdebug && mapfile -t names < <(compgen -A function) && declare -F "${names[@]}")
}

# SCRATCH, HOME in it, no settings of the user, machine or caller. The repository is $REPO.
flow_setup() {
    local name
    [ -z "${BATS_TEST_NAME:-}" ] || flow_trace
    if ! [ -x "${BOSK_BIN:-}" ]; then
        printf 'BOSK_BIN must name the program to test (now: %s)\n' "${BOSK_BIN:-not set}" >&2
        return 1
    fi
    BOSK_BIN=$(readlink -f "$BOSK_BIN")
    for name in "${!GIT_@}" "${!BOSK_@}" "${!XDG_@}"; do
        case $name in
        BOSK_BIN | BOSK_TEST_*) ;;
        *) unset "$name" ;;
        esac
    done
    SCRATCH=$(mktemp -d "${TMPDIR:-/tmp}/bosk-flow.XXXXXX")
    SCRATCH=$(cd "$SCRATCH" && pwd -P)
    REPO=$SCRATCH/repo OUT=$SCRATCH/out ERR=$SCRATCH/err
    mkdir "$SCRATCH/home" "$SCRATCH/run"
    export HOME=$SCRATCH/home XDG_RUNTIME_DIR=$SCRATCH/run GIT_CONFIG_NOSYSTEM=1
    export GIT_CONFIG_GLOBAL=/dev/null LC_ALL=C NO_COLOR=1
    # Freed memory that is kept for finding its use is little: no process of a flow lives long, and its pages cost a tenth
    # of the time of all tests. Eight callers of what was allocated are enough to find it.
    export ASAN_OPTIONS=malloc_context_size=8:quarantine_size_mb=4:thread_local_quarantine_size_kb=64
    # Nor is there time to look for leaks at the end of each process: in each fourth test, and in those that are no flows.
    [ -n "${BOSK_TEST_FULL:-}" ] || [ $((${BATS_TEST_NUMBER:-1} % 4)) = 1 ] || ASAN_OPTIONS+=:detect_leaks=0
    # What a library leaks is not bosk's.
    export LSAN_OPTIONS=suppressions=${BASH_SOURCE[0]%/*}/lsan.supp:print_suppressions=0
    chmod 700 "$SCRATCH/run"
    # A small or full machine is not what these tests are about.
    write_file "$HOME/.config/bosk/config.yaml" <<<'limits: {free_disk: 0, free_memory: 0}'
}

# unchecked REASON PROMISE...: this test breaks them on purpose, or shows that something does; "all".
# shellcheck disable=SC2034 # the reason is for readers
unchecked() {
    local reason=$1
    shift
    UNCHECKED+=" $*"
}
# planted_secret TEXT...: is to be in nothing that bosk keeps.
planted_secret() {
    local text
    for text in "$@"; do INVARIANTS+=(--secret "$text"); done
}

# What every repository of a test that passed must keep (lib/invariants).
flow_check() {
    local store wrong=0
    case " ${UNCHECKED:-} " in *' all '*) return 0 ;; esac
    if [ -n "${touched:-}" ]; then
        case " ${UNCHECKED:-} " in *' B1 '*) ;; *) printf 'B1: %s\n' "$touched" >&2 && wrong=1 ;; esac
    fi
    for store in "$SCRATCH"/*/.git/bosk; do
        [ -d "$store" ] || continue
        invariants_check --skip "${UNCHECKED:-}" ${INVARIANTS[@]+"${INVARIANTS[@]}"} "${store%/.git/bosk}" || wrong=1
    done
    return $wrong
}

# Checks, ends what this test started (found by its scratch folder, so nobody else's), removes the folder.
flow_teardown() {
    local pid wrong=0
    [ -n "${SCRATCH:-}" ] || return 0
    # Of a test that failed bats shows where; what else it broke would hide that.
    [ -z "${BATS_TEST_COMPLETED:-}" ] || flow_check || wrong=1
    for pid in $(processes_of_test); do kill -KILL "$pid" 2>/dev/null || true; done
    cd /
    chmod -R u+rwX "$SCRATCH" 2>/dev/null || true
    rm -rf "$SCRATCH"
    return $wrong
}

# make_repo [FILE...]: $REPO with branch main and one commit: a README, and each FILE with its own
# name as content. The current folder is then the repository.
make_repo() {
    local file
    git init -q -b main "$REPO"
    cd "$REPO" || return
    git config user.name 'Test User'
    git config user.email 'test@example.invalid'
    git config gc.auto 0
    echo '# a test repository' >README.md
    for file in "$@"; do
        mkdir -p "$(dirname "$file")"
        echo "$file" >"$file"
    done
    git add -A
    git commit -qm 'Start'
}
# make_remote: $REMOTE, a bare repository that is origin and has main.
make_remote() {
    REMOTE=$SCRATCH/remote.git
    git init -q --bare "$REMOTE"
    git remote add origin "$REMOTE"
    git push -q origin main
}

# flow_template: at the end of setup_file: the repository as it is now is what flow_fresh brings back. What
# the tests of the file need is exported, with the variables NAME...
flow_template() {
    cp -a "$REPO" "$SCRATCH/template"
    export SCRATCH HOME XDG_RUNTIME_DIR GIT_CONFIG_NOSYSTEM GIT_CONFIG_GLOBAL LC_ALL NO_COLOR BOSK_BIN REPO OUT ERR
    export "${@?}"
    cd "$SCRATCH" || return
}
flow_fresh() {
    [ -z "${BATS_TEST_NAME:-}" ] || flow_trace
    cd "$SCRATCH" || return
    rm -rf "$REPO" "$REPO".*
    cp -a "$SCRATCH/template" "$REPO"
    cd "$REPO" || return
}

# dirty_checkout: give $REPO everything a user may have lying about: staged, unstaged, staged and
# changed again, deleted, untracked, ignored, executable, a link, and two stashes.
dirty_checkout() {
    local name
    cd "$REPO" || return
    printf '*.ignored\n/ignored-dir/\n' >.gitignore
    for name in staged unstaged both deleted stashed; do echo "$name" >"mine-$name"; done
    git add -A
    git commit -qm 'What the user works on'
    echo one >mine-stashed && git stash push -qm 'first stash'
    echo two >mine-stashed && echo new >mine-stashed-new && git stash push -qum 'second stash'
    echo changed >mine-staged && git add mine-staged
    echo changed >mine-unstaged
    echo changed >mine-both && git add mine-both && echo again >mine-both
    rm mine-deleted
    echo untracked >mine-untracked
    mkdir -p ignored-dir mine-dir
    echo secret >a.ignored
    echo built >ignored-dir/object
    echo '#!/bin/sh' >mine-dir/script && chmod 755 mine-dir/script
    ln -s ../mine-staged mine-dir/link
    echo staged-new >mine-new && git add mine-new
}

# write_file PATH: standard input becomes the file, folders are made.
write_file() {
    mkdir -p "$(dirname "$1")"
    cat >"$1"
}

# write_agent: standard input becomes the program $AGENT, for --executor.
write_agent() {
    AGENT=$SCRATCH/agent
    cat >"$AGENT"
    chmod +x "$AGENT"
}

# commit_config: standard input becomes the repository's bosk.yaml, committed.
commit_config() {
    cat >"$REPO/bosk.yaml"
    git -C "$REPO" add bosk.yaml
    git -C "$REPO" commit -qm 'Settings for bosk'
}

# ---- running bosk --------------------------------------------------------------------------------

# Everything of the checkout, with the times of change that nobody can set back.
checkout_stamp() {
    cd "$REPO" 2>/dev/null || return 0
    find . .git/HEAD .git/index .git/config .git/hooks .git/info -path ./.git -prune -o \
        -printf '%y %m %s %C@ %p %l\n' 2>/dev/null || true # there may be no repository
}

# run_bosk WORDS...: to its end, without a terminal. Never fails itself: look at $status. What must not
# touch the checkout, and did, is noted for flow_check.
run_bosk() {
    local before=''
    status=0
    case " $* " in
    *' land '* | *' merge '* | *land=* | *worktree* | *' init '*) ;;
    *' run '* | *' resume '* | *' verify '*) before=$(checkout_stamp) ;;
    esac
    timeout --foreground -k 5 "$FLOW_LIMIT" "$BOSK_BIN" "$@" >"$OUT" 2>"$ERR" </dev/null 3>&- || status=$?
    # shellcheck disable=SC2034 # for the tests
    out=$(cat "$OUT") err=$(cat "$ERR")
    [ "$status" != 124 ] || printf 'bosk %s: still running after %s s, killed\n' "$*" "$FLOW_LIMIT" >&2
    if [ -n "$before" ] && [ -z "${touched:-}" ]; then
        touched=$(diff <(printf '%s\n' "$before") <(checkout_stamp)) || touched="bosk $* changed the checkout:"$'\n'"$touched"
    fi
}

# start_bosk WORDS...: in the background; its pid in $bosk_pid. Output as with run_bosk. (A shell lets
# what it starts in the background ignore Ctrl-C: that is undone.)
start_bosk() {
    env --default-signal=INT,QUIT "$BOSK_BIN" "$@" >"$OUT" 2>"$ERR" </dev/null 3>&- &
    bosk_pid=$!
}
# wait_bosk: for the one started last; $status as from run_bosk. Killed when it takes too long.
wait_bosk() {
    status=0
    if ! wait_until "! alive $bosk_pid" "$FLOW_LIMIT"; then kill -KILL "$bosk_pid"; fi
    wait "$bosk_pid" || status=$?
    # shellcheck disable=SC2034 # for the tests
    out=$(cat "$OUT") err=$(cat "$ERR")
}

# expect_status WANTED: shows what bosk said when it is another.
expect_status() {
    [ "$status" = "$1" ] && return 0
    {
        printf 'exit status %s, wanted %s\n--- stdout\n' "$status" "$1"
        tail -c 4000 <<<"$out"
        printf '%s\n' '--- stderr'
        tail -c 4000 <<<"$err"
    } >&2
    return 1
}

# expect_text PATTERN [FILE]: some line of FILE (default: stderr of the last run) matches (grep -E).
expect_text() {
    grep -qE -e "$1" "${2:-$ERR}" && return 0
    {
        printf 'no line matches: %s\n' "$1"
        tail -c 4000 "${2:-$ERR}"
    } >&2
    return 1
}

# refute COMMAND...: it fails. (bats does not look at a command after "!".)
refute() {
    if "$@" 2>/dev/null; then
        printf 'should have failed: %s\n' "$*" >&2
        return 1
    fi
}

# equal WHAT GOT WANTED
equal() {
    [ "$2" = "$3" ] && return 0
    printf '%s:\n  got:    %s\n  wanted: %s\n' "$1" "$2" "$3" >&2
    return 1
}

# status_json FILTER [WORDS...]: jq -r FILTER of `bosk status --json WORDS...`.
status_json() {
    local filter=$1
    shift
    "$BOSK_BIN" status --json "$@" 2>>"$ERR" 3>&- | jq -er "$filter"
}
# The newest session's id.
last_sid() {
    local found
    found=$(status_json '.sessions | sort_by(.started_at) | last | .id') || return
    case $found in
    [0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f]) printf '%s\n' "$found" ;;
    *)
        printf 'not a session id: %s\n' "$found" >&2
        return 1
        ;;
    esac
}
# task_field SID TASK FIELD
task_field() {
    status_json ".sessions[] | select(.id == \"$1\") | .tasks[] | select(.id == \"$2\") | .$3 // \"null\""
}

# ---- processes -----------------------------------------------------------------------------------

# processes_of_test: pids of living processes that work in the scratch folder or were started with a
# HOME in it: everything this test started, marked or not, but the test itself.
processes_of_test() {
    local found pid own
    own=$(tr '\0' ' ' <"/proc/$$/cmdline")
    found=$({
        find /proc/[0-9]*/cwd -maxdepth 0 \( -lname "$SCRATCH" -o -lname "$SCRATCH/*" \)
        grep -lzxF "HOME=$SCRATCH/home" /proc/[0-9]*/environ
    } 2>/dev/null | cut -d/ -f3 | sort -nu) || true
    for pid in $found; do
        case " $$ $BASHPID $PPID " in *" $pid "*) continue ;; esac
        alive "$pid" || continue
        # Shells of the test and of bats (their folder is the scratch folder too) are no strays.
        case $({ tr '\0' ' ' <"/proc/$pid/cmdline"; } 2>/dev/null) in
        *bats-exec-* | *libexec/bats* | "$own") ;;
        *) printf '%s\n' "$pid" ;;
        esac
    done
}

# assert_no_strays SID: nothing of the session runs any more, and no bosk of this test either.
assert_no_strays() {
    local found pid
    found=$(processes_of "$1")
    for pid in $(processes_of_test); do
        if [ "$(readlink "/proc/$pid/exe" 2>/dev/null)" = "$BOSK_BIN" ]; then
            found+="${found:+$'\n'}$pid $(tr '\0' ' ' <"/proc/$pid/cmdline")"
        fi
    done
    [ -z "$found" ] && return 0
    printf 'left running by session %s:\n%s\n' "$1" "$found" >&2
    return 1
}

# ---- the user's checkout -------------------------------------------------------------------------

# assert_same_snapshot BEFORE AFTER: two files made by snapshot_checkout.
assert_same_snapshot() {
    diff -u "$1" "$2" >&2 && return 0
    printf 'the checkout was changed (above)\n' >&2
    return 1
}

# ---- what came out -------------------------------------------------------------------------------

# trailer COMMIT NAME
trailer() {
    git -C "$REPO" log -1 --format="%(trailers:key=$2,valueonly,separator=%x2C)" "$1"
}

# assert_once REPO SID BASE TASK...: in BASE..integration-SID each task has exactly one commit of its
# own with one parent and exactly one merge commit, each with its trailers, and there is nothing else.
assert_once() {
    local repo=$1 sid=$2 base=$3 task log
    shift 3
    log=$(git -C "$repo" log --format="%P%x1f%(trailers:key=Bosk-Session,valueonly,separator=)/%(trailers:key=Bosk-Task,valueonly,separator=)%x1f%(trailers:key=Bosk-Result,valueonly,separator=)" \
        "$base..refs/bosk/int/$sid")
    for task in "$@"; do
        equal "commits of $task, merges of it, merges with a result's hash" "$(awk -F '\037' -v mine="$sid/$task" '
            $2 == mine && split($1, parents, " ") < 2 { own++ }
            $2 == mine && split($1, parents, " ") > 1 { merges++; hashes += length($3) == 64 && $3 !~ /[^0-9a-f]/ }
            END { printf "%d %d %d", own, merges, hashes }' <<<"$log")" '1 1 1' || return
    done
    equal "commits in $base..refs/bosk/int/$sid" "$(grep -c . <<<"$log")" $((2 * $#)) || return
    # Once it has landed the branch goes.
    git -C "$repo" rev-parse -q --verify "refs/heads/integration-$sid" >/dev/null || return 0
    equal "the two integration refs" "$(git -C "$repo" rev-parse "refs/bosk/int/$sid")" \
        "$(git -C "$repo" rev-parse "refs/heads/integration-$sid")"
}

# assert_verified: the store agrees with itself and with git now; for tests of several runs, flow_teardown looks too.
assert_verified() {
    local inv_repo=$REPO inv_skip='' inv_wrong=0
    [ ! -d "$REPO/.git/bosk/store" ] || D4_verified
    [ $inv_wrong = 0 ]
}

# assert_no_worktrees REPO: only the user's own is left.
assert_no_worktrees() {
    equal "worktrees" "$(git -C "$1" worktree list --porcelain | grep -c '^worktree ')" 1
}
