#!/usr/bin/env bats
# Dead sessions in odd surroundings: what the clean-up meets in worktrees, branches and objects that others changed.
# shellcheck disable=SC2154,SC2030,SC2031 # variables set by run_bosk and setup; each test is a subshell

load ../lib/flow
load ../lib/orphan

: "${BOSK_TEST_STORE_EDIT:?names the program store_edit}"

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

# gc_at WORDS: gc is stopped when it is about to run its first git command with these words, until the file go_on is
# made. PATH is as before after it.
gc_at() {
    write_file "$SCRATCH/bin/git" <<SH
#!$BASH
case " \$* " in
*" $1 "*)
    if mkdir '$SCRATCH/stopped' 2>/dev/null; then
        until [ -e '$SCRATCH/go_on' ]; do sleep 0.05; done
    fi
    ;;
esac
exec '$(command -v git)' "\$@"
SH
    chmod +x "$SCRATCH/bin/git"
    PATH=$SCRATCH/bin:$PATH "$BOSK_BIN" gc --max-age 0s >"$SCRATCH/gc.out" 2>&1 </dev/null 3>&- &
    gc_pid=$!
    wait_until "[ -d '$SCRATCH/stopped' ]" 60
}

@test "while a clean-up is at a dead session it is not said to run, and a resume waits for the clean-up" {
    orphan
    gc_at add
    equal "state" "$(status_json ".sessions[] | select(.id == \"$sid\") | .state")" interrupted
    run_bosk stop "$sid"
    expect_status 2
    expect_text "session $sid is not running"
    run_bosk run "$SCRATCH/p.yaml"
    expect_status 2
    expect_text "bosk resume $sid"
    gc # another one passes it over
    expect_status 0
    touch "$SCRATCH/second"
    start_bosk resume "$sid"
    wait_until "grep -q 'waiting: session $sid is cleaned up by process $gc_pid' '$ERR'" 60
    touch "$SCRATCH/go_on"
    wait_bosk
    expect_status 0
    wait "$gc_pid"
    rescued_whole "refs/bosk/rescue/$sid/work/1"
    equal "files" "$(git diff --name-only "$base" "integration-$sid" | tr '\n' ' ')" "done.txt good.txt "
}

last_event() { "$BOSK_TEST_STORE_EDIT" .git/bosk/store get manifest "$sid" last_event_boot_ms; }
@test "what gc could not remove is not younger because gc was there" {
    orphan
    git worktree unlock "$tree"
    git worktree lock --reason 'do not touch' "$tree"
    local before
    before=$(last_event)
    gc
    expect_status 0
    equal "last event" "$(last_event)" "$before"
    git worktree unlock "$tree"
    BOSK_FAILPOINT_IN=supervisor BOSK_FAILPOINT_AT=clean.worktree.saved:1 gc
    equal "status" "$status" 137
    git rev-parse -q --verify "refs/bosk/rescue/$sid/work/1" >/dev/null
    equal "last event" "$(last_event)" "$before"
}

@test "a checkout of the user's that a dead session has stays lent: gc says so, and has not failed" {
    unchecked 'the checkout is lent' B1
    start_bosk run "$SCRATCH/p.yaml" --no-worktree
    wait_until "[ -e '$SCRATCH/started' ]" 60
    sid=$(last_sid)
    kill -KILL "$bosk_pid"
    wait_bosk
    wait_until '[ -z "$(processes_of_test)" ]' 30
    for _ in 1 2; do
        gc
        expect_status 0
        expect_text "branch bosk/$sid/work stays: $REPO is lent to it: bosk resume $sid gives it back" "$OUT"
    done
    equal "new.txt" "$(cat new.txt)" new
    touch "$SCRATCH/second"
    run_bosk resume "$sid"
    expect_status 0
    equal "branch" "$(git symbolic-ref HEAD)" refs/heads/main
    gc
    expect_status 0
    refute grep -q stays "$OUT"
}
