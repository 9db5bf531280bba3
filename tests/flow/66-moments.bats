#!/usr/bin/env bats
# Two calls at the same session, one of them stopped at the moment that matters (tests/lib/pause.c): what it has
# looked at is looked at again once it holds the session.
# shellcheck disable=SC2154,SC2030,SC2031 # variables set by run_bosk; tests are subshells

load ../lib/flow

setup() {
    flow_setup
    make_repo
    commit_config <<<'{retries: 0, halt_after_failures: 0}'
    cat >"$SCRATCH/p.yaml" <<YAML
tasks:
  - {id: one, run: 'echo one > one.txt'}
  - {id: two, run: 'test -e "$SCRATCH/healed" && echo two > two.txt'}
  - {id: three, needs: [two], run: 'echo three > three.txt'}
YAML
}
teardown() { flow_teardown; }

# paused AT WORDS...: a bosk in the background, until it stops at AT.
paused() {
    local at=$1
    shift
    mkfifo "$SCRATCH/pause.go"
    LD_PRELOAD=$BOSK_TEST_PAUSE BOSK_PAUSE_AT=$at BOSK_PAUSE=$SCRATCH/pause \
        "$BOSK_BIN" "$@" >"$SCRATCH/paused.out" 2>"$SCRATCH/paused.err" </dev/null 3>&- &
    paused_pid=$!
    wait_until '[ -e "$SCRATCH/pause.here" ]'
}
# go_on: to its end; as after run_bosk.
go_on() {
    : >"$SCRATCH/pause.go"
    status=0
    wait "$paused_pid" || status=$?
    OUT=$SCRATCH/paused.out ERR=$SCRATCH/paused.err
    out=$(cat "$OUT") err=$(cat "$ERR")
}
# A session with one task integrated and one failed.
half() {
    run_bosk run "$SCRATCH/p.yaml"
    expect_status 1
    sid=$(last_sid)
}

@test "a landing that was asked for before another one ended does not land again" {
    half
    paused "lock sessions/$sid.lock" land "$sid" --merge
    run_bosk land "$sid" --merge
    expect_status 0
    tip=$(git rev-parse main)
    go_on
    expect_status 0
    equal "main" "$(git rev-parse main)" "$tip"
}

@test "a landing that was asked for while a run ended takes what that run left" {
    write_file "$SCRATCH/p.yaml" <<YAML
tasks: [{id: one, run: 'echo one > one.txt; until [ -e "$SCRATCH/end" ]; do sleep 0.05; done'}]
YAML
    start_bosk run "$SCRATCH/p.yaml"
    wait_until '[ "$(status_json ".sessions[0].counts.running // 0")" = 1 ]'
    sid=$(last_sid)
    paused "lock sessions/$sid.lock" land "$sid" --merge
    touch "$SCRATCH/end"
    wait_bosk
    expect_status 0
    go_on
    expect_status 0
    equal "one" "$(git show main:one.txt)" one
}

@test "a task retried while a run of its plan begins is done by one session only" {
    half
    paused "lock sessions/" run "$SCRATCH/p.yaml"
    touch "$SCRATCH/healed"
    run_bosk retry "$sid/two" --run
    expect_status 0
    go_on
    equal "sessions" "$(status_json '.sessions | length')" 1
    equal "two" "$(git log --merges --format=%s --all | grep -c 'Merge task two')" 1
    expect_status 0
    expect_text 'has integrated everything in this plan'
}

@test "a stop that was accepted while its session takes over is obeyed" {
    half
    touch "$SCRATCH/healed"
    run_bosk retry "$sid/two"
    expect_status 0
    paused "open $sid.wake" resume "$sid"
    run_bosk stop "$sid"
    expect_status 0
    go_on
    expect_status 1
    equal "state" "$(status_json '.sessions[0].state')" stopped
}

@test "a stop before anything was started leaves nothing" {
    commit_config <<<'gates: [{name: whole, run: "true"}]'
    paused 'open .wake' run "$SCRATCH/p.yaml"
    run_bosk stop
    expect_status 0
    go_on
    expect_status 1
    equal "sessions" "$(status_json '.sessions | length')" 0
    equal "refs" "$(git for-each-ref refs/bosk)" ""
}

# A run whose gates on the base go on until "$SCRATCH/end" is there; its session in $sid.
in_preflight() {
    commit_config <<<"gates: [{name: whole, run: 'touch $SCRATCH/there; until test -e $SCRATCH/end; do sleep 0.05; done'}]"
    start_bosk run "$SCRATCH/p.yaml"
    wait_until '[ -e "$SCRATCH/there" ]'
    sid=$(last_sid)
}
# stopped: told to stop, and at its end.
stopped() {
    "$BOSK_BIN" stop "$sid" 3>&-
    wait_bosk
    expect_status 1
}

@test "a stop that ends git in its middle leaves no worktree" {
    in_preflight
    touch "$REPO/.git/worktrees/$sid-1/index.lock"
    stopped
    equal "sessions" "$(status_json '.sessions | length')" 0
    assert_no_worktrees "$REPO"
}

@test "a session is not forgotten while a worktree of it cannot be removed" {
    in_preflight
    # git cannot do anything in it.
    local head=$REPO/.git/worktrees/$sid-1/HEAD
    mv "$head" "$head.aside"
    mkdir "$head"
    stopped
    equal "state" "$(status_json '.sessions[0].state')" stopped
    rmdir "$head"
    mv "$head.aside" "$head"
    touch "$SCRATCH/end" "$SCRATCH/healed"
    run_bosk resume "$sid"
    expect_status 0
    assert_no_worktrees "$REPO"
}

@test "a stop asked of a session that is just being forgotten leaves nothing in the store" {
    export BOSK_FAILPOINT_STOP=1 BOSK_FAILPOINT_IN=supervisor BOSK_FAILPOINT_AT=forget.refs.after:1
    in_preflight
    unset "${!BOSK_FAILPOINT_@}"
    "$BOSK_BIN" stop "$sid" 3>&-
    wait_until 'grep -q "^State:.T" "/proc/$bosk_pid/status"'
    "$BOSK_BIN" stop "$sid" 3>&- || true
    kill -CONT "$bosk_pid"
    wait_bosk
    equal "sessions" "$(status_json '.sessions | length')" 0
}

@test "a session that is just being made is no disagreement" {
    paused "open refs/bosk/" run "$SCRATCH/p.yaml"
    equal "refs" "$(git for-each-ref refs/bosk)" ""
    run_bosk verify
    expect_status 0
    expect_text 'all agree' "$OUT"
    go_on
    expect_status 1
}

@test "what reads the store first is killed by somebody: it is read again, and is not called damaged" {
    half
    paused 'open store/lock.mdb' land "$sid" --merge
    pkill -KILL -P "$paused_pid"
    wait "$paused_pid"
    equal "one" "$(git show main:one.txt)" one
    # Each time.
    local i status=0
    rm "$SCRATCH"/pause.*
    paused 'open store/lock.mdb' verify --repair
    for i in 1 2 3; do
        wait_until '[ -e "$SCRATCH/pause.here" ]'
        rm "$SCRATCH/pause.here"
        pkill -KILL -P "$paused_pid"
    done
    wait "$paused_pid" || status=$?
    equal "status" "$status" 4
    grep -q 'cannot look at .*data.mdb: the process that reads it was killed 3 times (signal 9)' "$SCRATCH/paused.err"
    equal "stores" "$(ls .git/bosk)" "$(ls -I 'store.*' .git/bosk)"
    assert_verified
}
