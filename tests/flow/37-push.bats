#!/usr/bin/env bats
# Branches pushed to the remote once their work is integrated.
# shellcheck disable=SC2154,SC2016 # variables set by run_bosk and start_bosk; what is expanded later

load ../lib/flow
load ../lib/stories

setup() {
    stories_setup
    git init -q --bare "$SCRATCH/remote"
    git remote add origin "$SCRATCH/remote"
    printf '{"kind": "segments", "tasks": [%s, %s]}\n' '{"id": "one", "branch": "feat/one", "prompt": "p"}' \
        '{"id": "two", "branch": "feat/two", "prompt": "p"}' >"$SCRATCH/p.json"
}
teardown() { flow_teardown; }

remote() { git --git-dir="$SCRATCH/remote" rev-parse --verify -q "refs/heads/$1"; }

@test "push: on pushes each integrated branch, without hooks and only when it is asked for" {
    write_file .git/hooks/pre-push <<<$'#!/bin/sh\ntouch "$HOME/hook"\nexit 1'
    chmod +x .git/hooks/pre-push
    run_bosk run "$SCRATCH/p.json" --executor 'echo $BOSK_TASK > $BOSK_TASK'
    expect_status 0
    refute remote feat/one
    run_bosk run "$SCRATCH/p.json" --fresh --executor 'echo $BOSK_TASK > $BOSK_TASK' -c push=on
    expect_status 0
    equal one "$(remote feat/one)" "$(task_field "$(last_sid)" one commit)"
    equal two "$(remote feat/two)" "$(task_field "$(last_sid)" two commit)"
    refute ls "$HOME/hook"
}

@test "a push that is refused is never forced: told with what to type, exit 1, the work is integrated" {
    git push -q origin "$(git commit-tree -m 'of others' 'main^{tree}'):refs/heads/feat/one"
    local theirs
    theirs=$(remote feat/one)
    run_bosk run "$SCRATCH/p.json" --executor 'echo $BOSK_TASK > $BOSK_TASK' -c push=on
    expect_status 1
    equal theirs "$(remote feat/one)" "$theirs"
    equal two "$(remote feat/two)" "$(task_field "$(last_sid)" two commit)"
    equal states "$(status_json '[.sessions[0].tasks[].state] | join(" ")')" 'integrated integrated'
    run_bosk report
    # What to type replaces it.
    sed -n 's/.*By hand: \(.*\)$/\1/p' "$OUT" >"$SCRATCH/words"
    expect_text '^git fetch origin feat/one && git log [0-9a-f]{40}\.\.FETCH_HEAD; if those commits may go: git push --force-with' "$SCRATCH/words"
    bash -ec "$(sed 's/; if those commits may go: /; /' "$SCRATCH/words")" >"$OUT"
    expect_text 'of others' "$OUT"
    equal one "$(remote feat/one)" "$(task_field "$(last_sid)" one commit)"
    # pr.remote names the remote.
    run_bosk run "$SCRATCH/p.json" --fresh --executor 'echo $BOSK_TASK > $BOSK_TASK' -c push=on -c pr.remote=none
    expect_status 1
    expect_text "could not be pushed: .*none"
}

@test "killed around a push: a resume pushes the rest" {
    local point
    for point in push.before:1 push.before:2 push.after:1; do
        BOSK_FAILPOINT_AT=$point run_bosk run "$SCRATCH/p.json" --fresh --executor 'echo $BOSK_TASK > $BOSK_TASK' -c push=on
        [ "$status" -gt 128 ] || { echo "not killed at $point" >&2 && false; }
        git --git-dir="$SCRATCH/remote" update-ref -d refs/heads/feat/one
        [ "$point" = push.before:2 ] || git --git-dir="$SCRATCH/remote" update-ref -d refs/heads/feat/two
        run_bosk resume "$(last_sid)"
        expect_status 0
        [ "$point" = push.before:2 ] || equal one "$(remote feat/one)" "$(task_field "$(last_sid)" one commit)"
        equal two "$(remote feat/two)" "$(task_field "$(last_sid)" two commit)"
        git --git-dir="$SCRATCH/remote" update-ref -d refs/heads/feat/one
        git --git-dir="$SCRATCH/remote" update-ref -d refs/heads/feat/two
    done
}

# remote_hook: standard input is what the remote does before it takes a push.
remote_hook() {
    write_file "$SCRATCH/remote/hooks/pre-receive"
    chmod +x "$SCRATCH/remote/hooks/pre-receive"
}
nothing_runs() { wait_until '[ -z "$(processes_of_test)" ]'; }

@test "a push that hangs is ended after push_timeout, with all that it started, and told" {
    mkfifo "$SCRATCH/fifo"
    remote_hook <<<"#!/bin/sh
read line <'$SCRATCH/fifo'"
    printf '{"kind": "segments", "tasks": [{"id": "one", "branch": "feat/one", "prompt": "p"}]}\n' >"$SCRATCH/p.json"
    run_bosk run "$SCRATCH/p.json" --executor 'echo x > x' -c push=on -c push_timeout=1s
    expect_status 1
    nothing_runs
    refute remote feat/one
    equal state "$(task_field "$(last_sid)" one state)" integrated
    run_bosk report
    expect_text 'feat/one of one could not be pushed to origin: it took longer than push_timeout\. By hand: git push origin' "$OUT"
}

@test "stop --now ends a push that hangs; a resume pushes" {
    mkfifo "$SCRATCH/fifo"
    remote_hook <<<"#!/bin/sh
touch '$SCRATCH/begun'
read line <'$SCRATCH/fifo'"
    start_bosk run "$SCRATCH/p.json" --executor 'echo $BOSK_TASK > $BOSK_TASK' -c push=on
    wait_until '[ -e "$SCRATCH/begun" ]'
    wait_until '[ "$(status_json ".sessions[0].counts.integrated")" = 2 ]'
    "$BOSK_BIN" stop --now 3>&-
    wait_bosk
    expect_status 1
    equal session "$(status_json '.sessions[0].state')" stopped
    nothing_runs
    refute remote feat/one
    refute remote feat/two
    rm "$SCRATCH/remote/hooks/pre-receive"
    run_bosk resume "$(last_sid)"
    expect_status 0
    equal one "$(remote feat/one)" "$(task_field "$(last_sid)" one commit)"
    equal two "$(remote feat/two)" "$(task_field "$(last_sid)" two commit)"
}

@test "what is done again is pushed again: on top of what was pushed, and also when that was refused" {
    local sid first branch
    story_file 1-1 <<<$'# S\n## Tasks\n- [ ] one\n- [ ] two'
    does 1-1 <<'DO'
if grep -q 'Answer: this way' "$BOSK_PROMPT_FILE"; then
    tick two; result completed '"tasks_done": ["two"]'
else
    tick one; result partial '"tasks_done": ["one"]' '"blocker_questions": [{"task": "two", "question": "How?"}]'
fi
DO
    plan "$(story 1-1)"
    for refused in '' yes; do
        [ -z "$refused" ] || remote_hook <<<$'#!/bin/sh\nexit 1'
        run_bosk run "$PLAN" --fresh --executor "$AGENT" -c push=on
        expect_status 1
        sid=$(last_sid)
        first=$(task_field "$sid" 1-1 commit) branch=$(task_field "$sid" 1-1 branch)
        if [ -z "$refused" ]; then equal first "$(remote "$branch")" "$first"; else refute remote "$branch"; fi
        rm -f "$SCRATCH/remote/hooks/pre-receive"
        run_bosk questions
        sed "s/answer: .*/answer: 'this way'/" "$OUT" >"$SCRATCH/answers.yaml"
        run_bosk retry --answers "$SCRATCH/answers.yaml" --run
        expect_status 0
        equal second "$(remote "$branch")" "$(task_field "$sid" 1-1 commit)"
        git merge-base --is-ancestor "$first" "$(remote "$branch")"
    done
}
