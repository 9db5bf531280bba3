#!/usr/bin/env bats
# Recovery after kill -9 in situations that the counted crash points (tests/crash) do not produce.
# shellcheck disable=SC2154,SC2030,SC2031 # variables set by run_bosk and setup; each test is a subshell

load ../lib/flow

setup() {
    flow_setup
    make_repo a.txt b.txt c.txt d.txt e.txt
}
teardown() { flow_teardown; }

# kill_bosk: the supervisor, at once; wait until its workers are gone too.
kill_bosk() {
    kill -KILL "$bosk_pid"
    wait "$bosk_pid" || true
    wait_until '[ -z "$(processes_of_test)" ]'
}
# kept ID: some ref keeps it.
kept() {
    [ -n "$(git for-each-ref --contains "$1")" ] && return 0
    printf 'no ref keeps %s\n' "$1" >&2
    return 1
}

@test "what a killed attempt committed and wrote is kept when its task goes to another slot" {
    write_file "$SCRATCH/p.yaml" <<YAML
tasks:
  - {id: one, run: 'echo one > one.txt'}
  - id: two
    run: |
      echo two > two.txt
      test ! -e '$SCRATCH/own' || exit 0
      git add two.txt && git commit -qm 'Its own commit'
      echo unfinished > notes.txt
      git rev-parse HEAD > '$SCRATCH/own'
      exec sleep 1000
YAML
    start_bosk run "$SCRATCH/p.yaml" --jobs 2
    wait_until '[ -s "$SCRATCH/own" ]'
    sid=$(last_sid)
    wait_until '[ "$(task_field "$sid" one state)" = integrated ]'
    kill_bosk
    run_bosk resume "$sid" --jobs 1
    expect_status 0
    equal "worktree" "$(task_field "$sid" two worktree)" 1
    kept "$(cat "$SCRATCH/own")"
    local ref found=''
    for ref in $(git for-each-ref --format='%(refname)' "refs/bosk/keep/$sid/two"); do
        if git cat-file -e "$ref:notes.txt" 2>/dev/null; then found=$ref; fi
    done
    [ -n "$found" ]
    assert_no_worktrees "$REPO"
    equal "branches" "$(git for-each-ref --format='%(refname)' refs/heads/bosk)" ""
}
