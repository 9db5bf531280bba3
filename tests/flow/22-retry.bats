#!/usr/bin/env bats
# bosk retry: what failed goes back to pending with its history, and resume does it.
# shellcheck disable=SC2154,SC2016,SC2030,SC2031 # variables set by run_bosk; tests are subshells

load ../lib/flow

setup() {
    flow_setup
    make_repo a.txt
    PLAN=$SCRATCH/p.yaml
    commit_config <<<'retries: 0'
    cat >"$PLAN" <<YAML
tasks:
  - {id: good, run: 'echo good > good.txt'}
  - {id: late, run: 'echo try >> late.txt; test -e "$SCRATCH/go"'}
  - {id: after, needs: [late], run: 'echo after > after.txt'}
  - {id: last, needs: [after], run: 'echo last > last.txt'}
  - {id: bad, run: 'exit 1'}
  - {id: both, needs: [late, bad], run: 'echo both > both.txt'}
YAML
}
teardown() { flow_teardown; }

@test "a failed task and what was skipped for it come back; the resume command is printed" {
    run_bosk run "$PLAN"
    expect_status 1
    sid=$(last_sid)
    tip=$(git rev-parse "integration-$sid")
    run_bosk retry late
    expect_status 0
    expect_text '^pending again: late after last$' "$OUT"
    expect_text "^bosk resume $sid\$" "$OUT"
    equal "state" "$(status_json '.sessions[0].state')" stopped
    equal "late" "$(task_field "$sid" late state)" pending
    equal "last" "$(task_field "$sid" last state)" pending
    equal "bad" "$(task_field "$sid" bad state)" failed
    equal "both" "$(task_field "$sid" both state)" skipped
    equal "attempts" "$(task_field "$sid" late attempts)" 1
    # The work of the failed attempt stays.
    git show "refs/bosk/keep/$sid/late/1-work:late.txt" | grep -qx try
    touch "$SCRATCH/go"
    run_bosk resume "$sid"
    expect_status 1 # bad is still failed
    equal "late" "$(task_field "$sid" late state)" integrated
    equal "attempts" "$(task_field "$sid" late attempts)" 2
    equal "first attempt" "$(git show "refs/bosk/keep/$sid/late/1-work:late.txt")" try
    assert_once "$REPO" "$sid" main good late after last
    git merge-base --is-ancestor "$tip" "integration-$sid"
    equal "logs" "$("$BOSK_BIN" logs --attempt 1 late 2>&1; echo $?)" 0
    assert_no_worktrees "$REPO"
    assert_no_strays "$sid"
}

@test "retry --run does it at once; without a name everything that failed" {
    run_bosk run "$PLAN"
    expect_status 1
    sid=$(last_sid)
    touch "$SCRATCH/go"
    run_bosk retry --run
    expect_status 1
    expect_text '^pending again: late after last bad both$' "$OUT"
    equal "late" "$(task_field "$sid" late state)" integrated
    equal "bad" "$(task_field "$sid" bad attempts)" 2
    equal "both" "$(task_field "$sid" both state)" skipped
}

@test "what cannot be done again is refused, a living session is left alone, a landed one too" {
    run_bosk retry
    expect_status 2
    run_bosk run "$PLAN"
    expect_status 1
    sid=$(last_sid)
    run_bosk retry good
    expect_status 2
    expect_text 'task good is integrated: only failed'
    run_bosk retry "$sid/after"
    expect_status 2
    expect_text 'name the one it was skipped for'
    run_bosk retry --answers f.yaml
    expect_status 2
    expect_text 'answers f.yaml cannot be read'
    equal "state" "$(status_json '.sessions[0].state')" failed
    run_bosk land --merge
    expect_status 0
    run_bosk retry late
    expect_status 2
    expect_text "bosk run --queue"
    # One that is at work.
    printf 'tasks:\n  - {id: wrong, run: "exit 1"}\n  - {id: slow, run: "touch %s; sleep 100"}\n' \
        "$SCRATCH/began" >"$SCRATCH/q.yaml"
    start_bosk run "$SCRATCH/q.yaml"
    wait_until "[ -e '$SCRATCH/began' ]"
    wait_until "'$BOSK_BIN' status --json | jq -e '.sessions[].tasks[] | select(.id == \"wrong\" and .state == \"failed\")' >/dev/null"
    run_bosk retry wrong
    expect_status 5
    "$BOSK_BIN" stop --now "$(last_sid)"
    wait_bosk
}

@test "a task whose session was killed is said to be interrupted" {
    mkfifo "$SCRATCH/never"
    write_file "$SCRATCH/cut.yaml" <<<"tasks: [{id: cut, run: 'touch $SCRATCH/there; read x <$SCRATCH/never'}]"
    start_bosk run "$SCRATCH/cut.yaml"
    wait_until "[ -e $SCRATCH/there ]"
    kill -KILL "$bosk_pid"
    wait_bosk
    run_bosk retry cut
    expect_status 2
    expect_text 'task cut was interrupted: bosk resume [0-9a-f]{6} does it again'
}
