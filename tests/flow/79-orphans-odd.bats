#!/usr/bin/env bats
# Dead sessions in odd surroundings: what the clean-up meets in worktrees, branches and objects that others changed.
# shellcheck disable=SC2154,SC2030,SC2031 # variables set by run_bosk and setup; each test is a subshell

load ../lib/flow
load ../lib/orphan

setup() { orphan_setup; }
teardown() { flow_teardown; }

@test "a commit that a power cut left cut off: what reads it says so, and comes to an end" {
    orphan
    local tip file
    tip=$(git rev-parse "refs/bosk/int/$sid")
    file=.git/objects/${tip:0:2}/${tip:2}
    cp "$file" "$SCRATCH/whole"
    chmod u+w "$file"
    truncate -s 80 "$file"
    run_bosk status
    expect_status 0
    run_bosk report
    expect_status 0
    run_bosk verify
    expect_status 1
    expect_text "$sid: commit ${tip:0:12} on its branch cannot be read" "$OUT"
    run_bosk gc --dry-run
    expect_status 0
    touch "$SCRATCH/second"
    run_bosk resume "$sid"
    expect_status 1
    expect_text "$file is damaged"
    cp -f "$SCRATCH/whole" "$file"
    run_bosk verify
    expect_status 0
}
