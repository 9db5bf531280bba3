#!/usr/bin/env bats
# A red base starts nothing and leaves no trace. Killed while the trace is removed, what is left is
# either nothing, or an interrupted session that resume can go on with.
# shellcheck disable=SC2154,SC2030,SC2031 # variables set by run_bosk; tests are subshells

load ../lib/flow

setup() {
    flow_setup
    make_repo a.txt
    commit_config <<YAML
gates: [{name: base, run: 'test -e "$SCRATCH/green"'}]
YAML
    printf 'tasks:\n  - {id: one, run: "echo one > one.txt"}\n' >"$SCRATCH/p.yaml"
}
teardown() { flow_teardown; }

# died_at POINT: bosk run, killed at that point; it must have got there.
died_at() {
    BOSK_FAILPOINT_IN=supervisor BOSK_FAILPOINT_AT=$1:1 run_bosk run "$SCRATCH/p.yaml"
    expect_status 137
}

# goes_on_after POINT: interrupted, and resume ends it.
goes_on_after() {
    died_at "$1"
    equal "state" "$(status_json '.sessions[0].state')" interrupted
    sid=$(last_sid)
    touch "$SCRATCH/green"
    run_bosk resume "$sid"
    expect_status 0
    equal "one" "$(git show "integration-$sid:one.txt")" one
}

@test "killed before refs and rows are removed: interrupted, and resume ends it once the base is green" {
    goes_on_after forget.refs.before
}

@test "killed between refs and rows: interrupted, and resume ends it once the base is green" {
    goes_on_after forget.refs.after
}

# begins_after POINT: no session is left, and the next run is a new one.
begins_after() {
    died_at "$1"
    equal "sessions" "$(status_json '.sessions | length')" 0
    touch "$SCRATCH/green"
    run_bosk run "$SCRATCH/p.yaml"
    expect_status 0
    equal "files" "$(ls "$REPO/.git/bosk/sessions" | grep -c lock)" 1
    assert_no_worktrees "$REPO"
}

@test "killed after the rows: no session, and the next run is a new one" {
    begins_after forget.rows.after
}

@test "killed when all is removed: no session, and the next run is a new one" {
    begins_after forget.files.after
}
