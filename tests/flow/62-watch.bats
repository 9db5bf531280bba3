#!/usr/bin/env bats
# bosk status --watch: shows again what has changed, from before the first run on; sleeps between.
# shellcheck disable=SC2154,SC2016,SC2030,SC2031 # variables set by run_bosk; tests are subshells

load ../lib/flow

setup() {
    flow_setup
    make_repo
    PLAN=$SCRATCH/p.yaml SEEN=$SCRATCH/seen
    cat >"$PLAN" <<YAML
tasks:
  - {id: one, run: 'touch "$SCRATCH/began"; while ! test -e "$SCRATCH/go"; do sleep 0.05; done; echo 1 > one.txt'}
YAML
}
teardown() { flow_teardown; }

# watch WORDS...: in the background, its output in $SEEN, its pid in $watcher.
watch() {
    "$BOSK_BIN" status --watch "$@" >"$SEEN" 2>"$SCRATCH/watch.err" </dev/null 3>&- &
    watcher=$!
}

@test "--watch --json: one JSON a line for each change, from before the first session on" {
    watch --json
    wait_until "[ -s '$SEEN' ]"
    start_bosk run "$PLAN"
    wait_until "grep -q '\"state\":\"running\"' '$SEEN'" 20
    wait_until "[ -e '$SCRATCH/began' ]"
    # Nothing changes: nothing is read, nothing is written.
    lines=$(wc -l <"$SEEN")
    before=$(grep -E 'ctxt' "/proc/$watcher/status")
    # shellcheck disable=SC2034 # only its time counts
    for i in 1 2 3; do "$BOSK_BIN" version >/dev/null; done
    equal "lines" "$(wc -l <"$SEEN")" "$lines"
    equal "wake-ups" "$(grep -E 'ctxt' "/proc/$watcher/status")" "$before"
    touch "$SCRATCH/go"
    wait_bosk
    expect_status 0
    wait_until "tail -n 1 '$SEEN' | jq -e '.sessions[0].state == \"done\"' >/dev/null" 20
    jq -e '.schema == 1' "$SEEN" >/dev/null
    equal "no line twice" "$(uniq -d "$SEEN")" ""
    kill "$watcher"
}

@test "--watch as text; the death of the supervisor shows; it ends with its reader" {
    start_bosk run "$PLAN"
    wait_until "[ -e '$SCRATCH/began' ]"
    watch "$(last_sid)"
    wait_until "grep -q 'running (process $bosk_pid)' '$SEEN'"
    kill -KILL "$bosk_pid"
    wait_until "grep -q ' interrupted ' '$SEEN'" 20
    kill "$watcher"
    refute grep -q "$(printf '\033')" "$SEEN"
    "$BOSK_BIN" status --watch 2>/dev/null </dev/null 3>&- | head -n 1 >"$SEEN"
    grep -q '^session ' "$SEEN"
    wait_bosk
}
