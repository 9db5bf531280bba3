#!/usr/bin/env bats
# Branches pushed to the remote once their work is integrated.
# shellcheck disable=SC2154,SC2016 # variables set by run_bosk and start_bosk; what is expanded later

load ../lib/flow

setup() {
    flow_setup
    make_repo a.txt
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
    expect_text 'feat/one of one could not be pushed to origin: .*By hand: git push origin [0-9a-f]{40}:refs/heads/feat/one' "$OUT"
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
