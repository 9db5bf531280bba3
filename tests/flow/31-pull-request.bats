#!/usr/bin/env bats
# Landing by a pull request: the branch pushed once, the command run once, whatever the remote does and whenever bosk is
# killed. The remotes are bare repositories, gh is a stand-in that writes down what it is called with.
# shellcheck disable=SC2154,SC2016 # variables set by run_bosk; what is expanded later

load ../lib/flow

# A batch of two tasks, integrated and kept, is what most of them begin with; the one that has no session yet is $BARE.
setup_file() {
    flow_setup
    BARE=$SCRATCH/bare
    make_repo a.txt
    make_remote
    printf '#!/bin/sh\ncat >>"%s/received"\n' "$SCRATCH" >"$REMOTE/hooks/post-receive"
    chmod +x "$REMOTE/hooks/post-receive"
    cp -a "$REMOTE" "$SCRATCH/remote.template"
    printf 'tasks:\n  - {id: one, run: "echo one > one.txt"}\n  - {id: two, title: Second, run: "echo two > two.txt"}\n' >"$SCRATCH/p.yaml"
    cp -a "$REPO" "$BARE"
    run_bosk run "$SCRATCH/p.yaml"
    expect_status 0
    flow_template REMOTE BARE
}
teardown_file() { UNCHECKED=all flow_teardown; }

setup() {
    restored
    program gh <<SH
case "\$1 \$2" in
'pr list')
    printf '%s\n' "\$*" >>'$SCRATCH/asked'
    [ ! -s '$SCRATCH/created' ] || echo https://example.invalid/pull/7
    exit 0 ;;
esac
for word; do printf '%s\0' "\$word"; done >'$SCRATCH/words'
pwd >'$SCRATCH/cwd'
cat >'$SCRATCH/stdin'
echo \$((\$(wc -l <'$SCRATCH/created') + 1)) >>'$SCRATCH/created'
while [ \$# -gt 1 ]; do [ "\$1" != --body-file ] || cp "\$2" '$SCRATCH/body'; shift; done
echo 'Creating pull request for integration into main'
echo 'see http://example.invalid/help'
echo https://example.invalid/pull/7
SH
}
teardown() {
    [ -z "${BATS_TEST_COMPLETED:-}" ] || flow_check
}

# restored: the repository and the remote as they were before any pull request.
restored() {
    flow_fresh
    rm -rf "$REMOTE"
    cp -a "$SCRATCH/remote.template" "$REMOTE"
    : >"$SCRATCH/received"
    : >"$SCRATCH/created"
    named
}
# unrun: as they were before any session.
unrun() {
    restored
    cd "$SCRATCH"
    rm -rf "$REPO"
    cp -a "$BARE" "$REPO"
    cd "$REPO"
}

# program NAME: standard input is a shell script of this name, found first.
program() {
    { echo '#!/bin/sh' && cat; } >"$SCRATCH/stdin.script"
    mkdir -p "$SCRATCH/bin"
    mv "$SCRATCH/stdin.script" "$SCRATCH/bin/$1"
    chmod +x "$SCRATCH/bin/$1"
    PATH=$SCRATCH/bin:${PATH#"$SCRATCH/bin:"}
}
remote_hook() {
    { echo '#!/bin/sh' && cat; } >"$REMOTE/hooks/$1"
    chmod +x "$REMOTE/hooks/$1"
}
# batch WORDS...: a run to its end; $sid, $TIP and $BRANCH are its.
batch() {
    run_bosk run "$SCRATCH/p.yaml" "$@"
    named
}
named() {
    sid=$(last_sid)
    BRANCH=integration-$sid TIP=$(git rev-parse "integration-$sid")
}
remote() { git --git-dir="$REMOTE" rev-parse --verify -q "refs/heads/$1"; }
pull_request() { status_json ".sessions[] | select(.id == \"$sid\") | .pull_request | if . == null then \"null\" else (.$1 // \"null\") end"; }
# What must be so when all went well: one push of the branch, one pull request.
once() {
    equal remote "$(remote "$BRANCH")" "$TIP" || return
    equal pushes "$(grep -c "refs/heads/$BRANCH\$" "$SCRATCH/received")" 1 || return
    equal 'pull requests' "$(wc -l <"$SCRATCH/created")" 1 || return
    equal told "$(status_json ".sessions[] | select(.id == \"$sid\") | .pull_request | [.url, .opened, .reason // \"\"] | join(\" \")")" \
        "https://example.invalid/pull/7 $TIP "
}
words() { tr '\0\n' '\n ' <"$SCRATCH/words"; }

@test "run --land pr: the branch is pushed, the command run once, its address recorded and told" {
    unrun
    batch --land pr
    expect_status 0
    expect_text "pull request opened: https://example.invalid/pull/7: $BRANCH at "
    once
    equal words "$(words)" "$(printf '%s\n' pr create --title 'bosk: 2 tasks of p.yaml' --body-file \
        "$REPO/.git/bosk/logs/$sid/.pull-request/session/body.md" --base main --head "$BRANCH")"
    equal cwd "$(cat "$SCRATCH/cwd")" "$REPO"
    equal stdin "$(cat "$SCRATCH/stdin")" ''
    grep -qx 'two: Second' "$SCRATCH/body"
    grep -qF 'Gates on the final tip: not run.' "$SCRATCH/body"
    equal state "$(task_field "$sid" one state)" integrated
    equal session "$(status_json '.sessions[0].state')" 'done'
    equal 'pushed refs' "$(git --git-dir="$REMOTE" for-each-ref --format='%(refname)' | xargs)" "refs/heads/$BRANCH refs/heads/main"
    run_bosk report
    expect_text "^pushed to origin as $BRANCH at ${TIP:0:12}\$" "$OUT"
    expect_text '^pull request: https://example.invalid/pull/7$' "$OUT"
    run_bosk report --json
    equal report "$(jq -r '.pull_request | [.url, .branch, .remote] | join(" ")' "$OUT")" "https://example.invalid/pull/7 $BRANCH origin"
    run_bosk status
    expect_text '^  pull request: https://example.invalid/pull/7$' "$OUT"
    # Called again nothing is done twice.
    run_bosk land --pr
    expect_status 0
    expect_text 'was opened before: https://example.invalid/pull/7' "$OUT"
    once
}

@test "options: --draft and pr.draft, {draft}, red tips, one way only; settings are as they are now" {
    local options last
    unrun
    commit_config <<'YAML'
gates: [{name: no, run: 'test ! -e two.txt'}]
verify: task
YAML
    sed 's/, run: "echo two > two.txt"/, gates: [], run: "echo two > two.txt"/' "$SCRATCH/p.yaml" >"$SCRATCH/red.yaml"
    run_bosk run "$SCRATCH/red.yaml" --land pr
    expect_status 1
    expect_text 'not landed: the gates are red on the final tip'
    named
    for options in '--pr 1' '--merge --pr 2' '--merge --draft 2'; do
        # shellcheck disable=SC2086 # words
        run_bosk land "$sid" ${options% *}
        expect_status "${options##* }"
    done
    equal 'pull requests' "$(wc -l <"$SCRATCH/created")" 0
    run_bosk land "$sid" --pr --draft --force-red -c pr.command='false'
    expect_status 1
    expect_text "then: bosk land $sid --pr --draft --force-red"
    run_bosk land "$sid" --pr --draft --force-red
    expect_status 0
    once
    equal last "$(words | tail -n 1)" --draft
    expect_text 'Gates on the final tip: fail' "$SCRATCH/body"
    restored
    printf 'pr: {draft: true, command: "gh {draft} x | cat; true {body}"}\n' >bosk.yaml
    run_bosk land --pr
    expect_status 0
    equal words "$(words | xargs)" '--draft x'
}

@test "a title is never read by the shell, wherever the command has it" {
    local title command
    title='-x '\''a'\'' "b" $(touch pwned) `touch pwned`; touch pwned #<!-- @all closes #1 ``` \'
    unrun
    jq -n --arg t "$title" '{tasks: [{id: "one", title: $t, run: "echo one > one.txt"}]}' >"$SCRATCH/title.yaml"
    run_bosk run "$SCRATCH/title.yaml" --land pr -c pr.command='gh --title {title} x; cp {body} ../body; false'
    expect_status 1
    sid=$(last_sid)
    # In the body it is code.
    grep -qxF -- "one: $title" "$SCRATCH/body"
    equal fence "$(grep -c '^````$' "$SCRATCH/body")" 2
    for command in 'gh --title {title} x' 'gh --title "{title}" x' "gh --title '{title}' x" 'gh --title "$(cat {title_file})" x'; do
        equal "title of $command" "$(words | sed -n 2p)" "bosk: $title"
        equal "words of $command" "$(words | wc -l)" 3
        run_bosk land "$sid" --pr -c pr.find= -c pr.command="$command; false"
        expect_status 1
    done
    equal "title of $command" "$(words | sed -n 2p)" "bosk: $title"
    refute ls pwned
}

@test "a remote that refuses, hangs, dies half way or is not there: everything is kept, and repeated" {
    # tries PATTERN [WORDS...]: no pull request for that reason; the report says so, and what to type.
    tries() {
        local pattern=$1
        shift
        run_bosk land "$sid" --pr "$@"
        expect_status 1
        expect_text "$pattern"
        expect_text "^  then: bosk land $sid --pr\$"
        equal 'pull requests' "$(wc -l <"$SCRATCH/created")" 0
        refute remote "$BRANCH"
        run_bosk report
        expect_text '^no pull request: ' "$OUT"
        expect_text "^  again: bosk land $sid --pr" "$OUT"
        equal state "$(task_field "$sid" one state)" integrated
    }
    tries 'there is no remote none \(git remote add none URL, or set pr.remote\)' -c pr.remote=none
    remote_hook pre-receive <<<$'echo "not on a Sunday" >&2\nexit 1'
    tries 'could not be pushed to origin: \[remote rejected\] \(pre-receive hook declined\).*not on a Sunday'
    mkfifo "$SCRATCH/fifo"
    remote_hook pre-receive <<<"read line <'$SCRATCH/fifo'"
    tries 'could not be pushed to origin: it took longer than push_timeout' -c push_timeout=1s
    wait_until '[ -z "$(processes_of_test)" ]'
    remote_hook pre-receive <<<'kill -9 $PPID; sleep 1'
    tries 'could not be pushed to origin: '
    rm "$REMOTE/hooks/pre-receive"
    mv "$REMOTE" "$REMOTE.away"
    tries 'origin cannot be asked what it has: .*remote.git'
    mv "$REMOTE.away" "$REMOTE"
    run_bosk land "$sid" --pr
    expect_status 0
    once
    run_bosk report
    refute grep -q 'no pull request' "$OUT"
}

@test "a branch of others there is never replaced; one of ours goes on" {
    local theirs
    theirs=$(git commit-tree -m 'of others' 'main^{tree}')
    git push -q origin "$theirs:refs/heads/$BRANCH"
    : >"$SCRATCH/received"
    run_bosk land "$sid" --pr
    expect_status 1
    expect_text "branch $BRANCH of origin is at ${theirs:0:12}, which is not ours"
    equal theirs "$(remote "$BRANCH")" "$theirs"
    equal 'pull requests' "$(wc -l <"$SCRATCH/created")" 0
    # What is typed then replaces it.
    sed -n 's/.*By hand: \(.*\)$/\1/p' "$ERR" >"$SCRATCH/by-hand"
    bash -ec "$(sed 's/; if those commits may go: /; /' "$SCRATCH/by-hand")" >"$OUT"
    expect_text 'of others' "$OUT"
    run_bosk land "$sid" --pr
    expect_status 0
    once
    # What comes later goes to the same one.
    git worktree add -q "$SCRATCH/more" "$BRANCH"
    echo more >"$SCRATCH/more/more.txt"
    git -C "$SCRATCH/more" add more.txt
    git -C "$SCRATCH/more" commit -qm 'By hand'
    git worktree remove "$SCRATCH/more"
    : >"$SCRATCH/received"
    run_bosk land "$sid" --pr --force-red
    expect_status 0
    expect_text 'was opened before' "$OUT"
    TIP=$(git rev-parse "$BRANCH")
    once
}

@test "killed at each step, and again: pushed once, one pull request" {
    local point
    for point in pr.push.before pr.push.after pr.pushed.after pr.open.before pr.open.after pr.record.before pr.record.after; do
        restored
        BOSK_FAILPOINT_AT=$point:1 run_bosk land --pr
        equal "killed at $point" "$status" 137
        run_bosk land --pr
        expect_status 0
        once || { echo "killed at $point" >&2 && false; }
    done
    # The same at the end of a run, which a resume goes on with.
    for point in pr.push.after pr.open.after; do
        unrun
        BOSK_FAILPOINT_AT=$point:1 batch --land pr
        equal "killed at $point" "$status" 137
        run_bosk verify
        expect_status 0
        run_bosk resume "$sid"
        expect_status 0
        once || { echo "killed at $point" >&2 && false; }
        equal session "$(status_json '.sessions[0].state')" 'done'
    done
}

@test "a command that fails, hangs or was cut off: asked whether it opened one; what cannot be asked is said, once" {
    run_bosk land "$sid" --pr -c pr.command='echo "no such base" >&2; exit 3'
    expect_status 1
    expect_text "branch $BRANCH is pushed to origin, but the command failed with exit code 3: no such base"
    equal remote "$(remote "$BRANCH")" "$TIP"
    equal url "$(pull_request url)" null
    # It opened one, and then hung.
    run_bosk land "$sid" --pr -c pr.timeout=1s -c pr.command='gh; exec sleep 100'
    expect_status 1
    expect_text 'but the command took longer than pr.timeout \(1 s\)'
    wait_until '[ -z "$(processes_of_test)" ]'
    run_bosk land "$sid" --pr
    expect_status 0
    expect_text 'was opened before: https://example.invalid/pull/7' "$OUT"
    once
    # Nobody can be asked: not opened again before it was said.
    unrun
    BOSK_FAILPOINT_AT=pr.open.after:1 batch --land pr -c pr.command='gh {branch}'
    equal killed "$status" 137
    run_bosk resume "$sid"
    expect_status 1
    expect_text 'was cut off, and may have opened it\. Look there first'
    equal 'pull requests' "$(wc -l <"$SCRATCH/created")" 1
    equal session "$(status_json '.sessions[0].state')" 'done'
    run_bosk land "$sid" --pr -c pr.command='gh {branch}'
    expect_status 0
    equal 'pull requests' "$(wc -l <"$SCRATCH/created")" 2
}

@test "over ssh: the user's command, else one that asks nobody; nothing planted runs" {
    program transport <<SH
printf '%s\n' "\$*" >>'$SCRATCH/ssh'
[ "\$1" != -G ] || exit 1
for last; do :; done
eval "exec \$last"
SH
    cp "$SCRATCH/bin/transport" "$SCRATCH/bin/ssh"
    for name in transport ssh; do
        restored
        git remote set-url origin "ssh://host.invalid$REMOTE"
        write_file .git/hooks/pre-push <<<$'#!/bin/sh\ntouch "$HOME/hook"\nexit 1'
        chmod +x .git/hooks/pre-push
        if [ $name = ssh ]; then
            git config core.sshCommand "touch $HOME/planted; false"
            run_bosk land "$sid" --pr
            expect_status 1
            refute ls "$HOME/planted"
            git config --unset core.sshCommand
            run_bosk land "$sid" --pr
        else
            GIT_SSH_COMMAND=$SCRATCH/bin/transport run_bosk land "$sid" --pr
            refute grep BatchMode "$SCRATCH/ssh"
        fi
        expect_status 0
        once
    done
    expect_text '^-o BatchMode=yes .*git-receive-pack' "$SCRATCH/ssh"
    refute ls "$HOME/hook"
    # Somebody else is there first, after it was asked.
    restored
    theirs=$(git commit-tree -m 'of others' 'main^{tree}')
    git push -q origin "$theirs:refs/heads/theirs"
    git remote set-url origin "ssh://host.invalid$REMOTE"
    program transport <<SH
[ "\$1" != -G ] || exit 1
for last; do :; done
case \$last in *receive-pack*) git --git-dir='$REMOTE' update-ref 'refs/heads/$BRANCH' refs/heads/theirs ;; esac
eval "exec \$last"
SH
    GIT_SSH_COMMAND=$SCRATCH/bin/transport run_bosk land "$sid" --pr
    expect_status 1
    expect_text 'could not be pushed to origin: \[rejected\]'
    equal theirs "$(remote "$BRANCH")" "$theirs"
    # An address to push to that is another than the one to fetch from is what is asked.
    restored
    git remote set-url origin "$SCRATCH/nothing"
    git remote set-url --push origin "$REMOTE"
    run_bosk land --pr
    expect_status 0
    once
}

@test "gh itself, up to its first request" {
    rm "$SCRATCH/bin/gh"
    git remote set-url origin https://github.invalid/owner/name
    git remote set-url --push origin "$REMOTE"
    # Nothing listens there.
    GH_TOKEN=x GH_HOST=github.invalid HTTPS_PROXY=http://127.0.0.1:1 run_bosk land "$sid" --pr --draft
    expect_status 1
    expect_text 'the command failed with exit code 1: .*github\.invalid/api/graphql'
    refute grep -qi 'usage\|unknown flag' "$ERR"
    equal remote "$(remote "$BRANCH")" "$TIP"
}
