#!/usr/bin/env bats
# Items of queues that are done again, are given back, or come to nothing in other ways: what follows from it, and only
# that; and what others do between two looks at a queue.
# shellcheck disable=SC2154,SC2034,SC2016,SC2030,SC2031,SC1010 # variables of run_bosk; text for others; subshells; bosk done

load ../lib/flow
load ../lib/issues
load ../lib/queue

setup() {
    flow_setup
    make_repo
    Q=QUE-20260101-000000
    ISSUES=$SCRATCH/issues
}
teardown() { flow_teardown; }

# queue_of ID:STATUS[:DEPENDS_ON[:FILES]]...: added as $Q; `filter` changes its file before.
queue_of() {
    queue_file "$ISSUES" "$@"
    if [ -n "${filter:-}" ]; then
        jq "$filter" "$ISSUES/queues/q.json" >"$SCRATCH/changed" && mv "$SCRATCH/changed" "$ISSUES/queues/q.json"
    fi
    run_bosk queue add "$ISSUES/queues/q.json"
    expect_status 0
}
states() { "$BOSK_BIN" queue dag "$Q" | jq -r '[.nodes[] | .id + "=" + .status] | join(" ")'; }
shown() { "$BOSK_BIN" queue show "$Q" --json | jq -r ".solutions[] | select(.item_id == \"$1\") | $2"; }
issue_is() {
    "$BOSK_BIN" queue export "$Q" --to "$ISSUES" >/dev/null
    jq -r "select(.id == \"$1\") | .status" "$ISSUES/issues.jsonl"
}
# stopped POINT WORDS...: a bosk in the background, until it stops at this point; go_on: to its end, as after run_bosk.
stopped() {
    local at=$1
    shift
    BOSK_FAILPOINT_STOP=1 BOSK_FAILPOINT_AT=$at:1 "$BOSK_BIN" "$@" >"$SCRATCH/stopped.out" 2>"$SCRATCH/stopped.err" </dev/null 3>&- &
    stopped=$!
    wait_until 'grep -q "^State:.T" "/proc/$stopped/status"'
}
go_on() {
    kill -CONT "$stopped"
    status=0
    wait "$stopped" || status=$?
    OUT=$SCRATCH/stopped.out ERR=$SCRATCH/stopped.err
    out=$(cat "$OUT") err=$(cat "$ERR")
}

@test "retry brings back what was skipped because of it, and nothing that was skipped or cancelled for itself" {
    queue_of S-1:pending S-2:skipped S-3:cancelled S-4:pending:S-1 S-5:pending:S-4 S-6:cancelled:S-1 S-7:pending S-8:pending:S-7
    ask "done" S-1 --fail
    expect_text 'skipped because of it: S-4 S-5$' "$OUT"
    ask retry S-1
    expect_status 0
    expect_text "in queue $Q: S-1 S-4 S-5\$" "$OUT"
    equal states "$(states)" 'S-1=pending S-2=skipped S-3=skipped S-4=pending S-5=pending S-6=skipped S-7=pending S-8=pending'
    # Done before what it needs, which failed then: nothing waits for ever.
    ask "done" S-8 --fail
    ask "done" S-7 --fail
    ask retry S-8
    expect_status 0
    expect_text 'something else that they need failed in queue .*: S-8$' "$OUT"
    refute grep -q 'pending again' "$OUT"
    equal S-8 "$(shown S-8 '"\(.status): \(.reason), \(.failure_history | length)"')" 'skipped: depends on S-7, which failed, 1'
    ask retry S-7
    expect_text "in queue $Q: S-7 S-8\$" "$OUT"
}

@test "what was cancelled or skipped for itself comes back by its name, with what was skipped because of it" {
    queue_of S-1:completed S-2:cancelled S-3:pending:S-2 S-4:skipped:S-1 S-5:pending:S-3
    ask next
    expect_status 1
    expect_text 'bosk retry ITEM what was skipped' "$OUT"
    ask retry
    expect_status 2
    expect_text "S-2 was skipped: bosk retry $Q:S-2 brings it back"
    ask retry S-2 --run
    expect_status 2
    expect_text "of queue $Q: --run and --answers are for tasks of sessions"
    ask "done" S-5
    expect_status 1
    expect_text 'S-5 is skipped already .*; bosk retry S-2 S-5 makes it pending again'
    ask retry S-5
    expect_status 2
    expect_text 'S-5 is skipped because of S-2, which is skipped; name the one it was skipped for: bosk retry S-2 S-5'
    ask retry S-4
    expect_status 0
    ask next S-2
    expect_text '; bosk retry S-2 makes it pending again'
    ask retry S-5 S-2
    expect_status 0
    expect_text "in queue $Q: S-2 S-3 S-5\$" "$OUT"
    equal states "$(states)" 'S-1=completed S-2=pending S-3=pending S-4=pending S-5=pending'
}

@test "an item that was cancelled in its file is named after a session has worked on the queue, too" {
    queue_of S-1:pending S-2:cancelled S-3:pending:S-2
    run_bosk run --queue "$Q" --executor 'touch "$BOSK_TASK.txt"'
    expect_status 1
    run_bosk retry S-3
    expect_status 2
    expect_text 'name the one it was skipped for: bosk retry S-2 S-3'
    run_bosk retry S-2
    expect_status 0
    expect_text '^pending again: S-2 S-3$' "$OUT"
    run_bosk resume
    expect_status 0
    equal states "$(states)" 'S-1=completed S-2=completed S-3=completed'
}

@test "a queue that is there already: what its file says otherwise by now is told, and not taken" {
    queue_of S-1:pending S-2:pending
    run_bosk queue add "$ISSUES/queues/q.json"
    expect_status 0
    expect_text 'is as it was' "$OUT"
    command jq -S . "$ISSUES/queues/q.json" >"$SCRATCH/as-it-was"
    jq '.solutions[0].status = "completed" | .solutions[1].notes = 1 | .notes = 2' "$SCRATCH/as-it-was" >"$ISSUES/queues/q.json"
    for words in "queue add $ISSUES/queues/q.json" "run $ISSUES/queues/q.json --executor false -c retries=0"; do
        # shellcheck disable=SC2086 # words
        run_bosk $words
        expect_text 'S-1 is completed in the file, but pending in the store'
        expect_text 'S-2 has other fields in the file'
        expect_text 'the queue itself has other fields in the file'
        expect_text "To take it: bosk queue remove $Q first"
        refute grep -q 'is as it was' "$OUT"
    done
    # What bosk has written itself says nothing else.
    run_bosk queue export "$Q" --out "$ISSUES/queues/q.json"
    expect_status 0
    run_bosk queue add "$ISSUES/queues/q.json"
    expect_status 0
    expect_text 'is as it was' "$OUT"
}

@test "a token that fits nothing gets no other item; a claim whose owner is gone is said where nothing is handed out" {
    queue_of S-1:pending S-2:pending
    somebody next S-1
    stop_somebody
    for words in 'next --claim bogus' "next --claim bogus --queue $Q"; do
        # shellcheck disable=SC2086 # words
        ask $words
        expect_status 5
        expect_text 'the token given .* is of no claim that still holds.*: without it bosk next claims another item'
    done
    equal states "$(states)" 'S-1=executing S-2=pending'
    # In the environment it is of the item that was done before.
    BOSK_CLAIM=bogus ask next
    expect_status 0
    refute grep -q 'stays claimed' "$ERR"
    ask next
    expect_status 1
    expect_text "$Q:S-1 stays claimed for 4 h 00 m \(orphans.max_age\): it was claimed by process [0-9]+, which is gone, .* ago\$"
}

@test "somebody has an item: run names who, in the same words whether anything else is ready or not" {
    queue_of S-1:pending S-2:pending:S-1 S-3:pending
    somebody next S-1
    for pass in 1 2; do
        run_bosk run --queue "$Q" --executor true
        expect_status 5
        expect_text "queue $Q: somebody works on item S-1 \(process [0-9]+, .* ago\); a session begins when that is done \(bosk done\)"
        [ $pass = 2 ] || ask next
        [ $pass = 2 ] || ask "done" S-3
    done
    stop_somebody
    # Of a dead one it is taken back, first.
    run_bosk run --queue "$Q" -c orphans.max_age=1ms --executor 'touch "$BOSK_TASK.txt"'
    expect_status 0
    equal states "$(states)" 'S-1=completed S-2=completed S-3=completed'
}

@test "a queue of which all has landed: run says that it is over" {
    queue_of S-1:pending
    run_bosk run --queue "$Q" --executor 'touch "$BOSK_TASK.txt"' --land merge
    expect_status 0
    for path in "$ISSUES" "$ISSUES/queues/q.json"; do
        run_bosk run "$path" --executor true
        expect_status 0
        expect_text "queue $Q is over: all of it has landed; bosk run --fresh FILE starts it over, under a new id"
    done
    run_bosk run --queue "$Q" --executor true
    expect_status 2
    expect_text "queue $Q has landed: bosk run --fresh FILE starts it over"
}

@test "results and reasons are JSON in all that is printed, however they were written; no member of them is replaced" {
    filter='del(.solutions[2].issue_id)' queue_of S-1:pending S-2:pending S-3:pending
    printf '\xef\xbb\xbf{"summary": "x",\r\n "n": 12345678901234567890}\r\n' >"$SCRATCH/result"
    ask "done" S-1 --result-file "$SCRATCH/result"
    expect_status 0
    refute grep -q 'kept as text' "$ERR"
    ask "done" S-2 --fail --reason $'{"message": {"text": "red"},\r\n "error_type": 7, "task_id": "T1"}'
    expect_status 0
    equal result "$(shown S-1 .result.summary)" x
    equal failure "$(shown S-2 '.failure_details | del(.timestamp) | tojson')" '{"error_type":7,"message":{"text":"red"},"task_id":"T1"}'
    run_bosk queue show "$Q" --json
    refute grep -q '\\x' "$OUT"
    run_bosk queue export "$Q"
    jq -e '.solutions[0].result.summary == "x"' "$OUT"
    # Of no issue: nothing is said of one.
    ask "done" S-3
    expect_status 0
    refute grep -q '^issue' "$OUT"
}

@test "a queue that was put aside, or is over by its file alone, is not completed while items of it are pending" {
    for state in archived completed; do
        filter=".id = \"QUE-$state\" | .status = \"$state\"" queue_of S-1:completed S-2:pending
    done
    ask next
    expect_status 1
    jq -e '.status == "empty"' "$OUT"
    expect_text 'queue QUE-archived is not active, but 1 of its items .*bosk next --queue QUE-archived'
    expect_text 'queue QUE-completed is not active'
    for state in archived completed; do
        ask next --queue "QUE-$state"
        expect_status 0
        ask "done" "QUE-$state:S-2"
    done
    ask next
    expect_status 0
    jq -e '.status == "completed"' "$OUT"
}

@test "a claim that is taken back: its issue waits again, too; claims in queues that are not active are seen and end" {
    queue_of S-1:pending
    filter='.id = "QUE-aside" | .status = "archived"' queue_of S-1:pending
    somebody next "$Q:S-1"
    equal issue "$(issue_is ISS-S-1)" executing
    stop_somebody
    run_bosk -c orphans.max_age=1ms gc
    expect_text "$Q:S-1 is pending again" "$OUT"
    equal issue "$(issue_is ISS-S-1)" queued
    # The token finds the item where it is, and nobody gets another one for it.
    somebody next --queue QUE-aside
    token=$(jq -r .claim "$SCRATCH/other.json")
    run_bosk next --claim "$token"
    expect_status 0
    jq -e '.queue_id == "QUE-aside" and .resumed' "$OUT"
    run_bosk status
    expect_text 'QUE-aside:S-1 .*claimed by process' "$OUT"
    stop_somebody
    run_bosk -c orphans.max_age=1ms gc
    expect_text 'QUE-aside:S-1 is pending again' "$OUT"
    status_json '.claims == []'
}

@test "an item that was executing when its queue was added may be ended by anybody, and done says so" {
    queue_of S-1:executing S-2:pending:S-1
    run_bosk help "done"
    expect_text 'executing when its queue was added' "$OUT"
    run_bosk "done" S-1 --claim 0123456789abcdef
    expect_status 5
    run_bosk "done" S-1
    expect_status 0
    equal states "$(states)" 'S-1=completed S-2=pending'
}

@test "a queue that is not removed, as somebody has begun to work on it, keeps its copy in git" {
    queue_of S-1:pending
    at=$(git rev-parse "refs/bosk/plan/$Q")
    stopped queue.remove.ref queue remove "$Q"
    somebody next
    go_on
    expect_status 5
    expect_text 'somebody works on item S-1'
    equal copy "$(git rev-parse "refs/bosk/plan/$Q")" "$at"
    run_bosk verify
    expect_status 0
    stop_somebody
}

@test "what a queue was before is looked at again when something is written" {
    queue_of S-1:pending S-2:pending:S-1
    stopped queue.done.before "done" "$Q:S-1"
    run_bosk "done" "$Q:S-1" --fail
    expect_status 0
    go_on
    expect_status 1
    expect_text 'S-1 is failed already'
    equal states "$(states)" 'S-1=failed S-2=skipped'
    # Another queue of this id.
    stopped queue.done.before "done" "$Q:S-2"
    run_bosk queue remove "$Q"
    queue_of S-0:pending S-1:pending S-2:pending S-3:pending:S-2
    go_on
    expect_status 0
    equal states "$(states)" 'S-0=pending S-1=pending S-2=completed S-3=pending'
    for id in S-0 S-1; do run_bosk "done" "$Q:$id"; done
    stopped queue.next.before next
    run_bosk queue remove "$Q"
    queue_of S-4:pending S-3:pending
    go_on
    expect_status 0
    jq -e '.item_id == "S-4" and .queue_progress.total == 2' "$OUT"
}

@test "what failed in no session comes back also once one has worked on the queue and landed" {
    queue_of S-1:failed S-2:executing S-3:pending S-4:pending:S-1
    export DOES='touch "$BOSK_TASK.txt"'
    run_bosk run --queue "$Q" --executor "sh -c \"\$DOES\"" --land merge
    equal states "$(states)" 'S-1=failed S-2=executing S-3=completed S-4=skipped'
    ask retry S-1
    expect_status 0
    expect_text "in queue $Q: S-1 S-4\$" "$OUT"
    ask retry "$Q:S-2"
    expect_status 0
    expect_text "in queue $Q: S-2\$" "$OUT"
    ask retry
    expect_status 2
    run_bosk run --queue "$Q" --executor "sh -c \"\$DOES\""
    expect_status 0
    equal states "$(states)" 'S-1=completed S-2=completed S-3=completed S-4=completed'
}

@test "a session that goes on with a queue does what was skipped because of what it does again" {
    queue_of S-1:pending S-2:pending:S-1 S-3:pending:S-2 S-4:cancelled:S-1
    run_bosk run --queue "$Q" --executor false
    expect_status 1
    equal states "$(states)" 'S-1=failed S-2=skipped S-3=skipped S-4=skipped'
    export DOES='touch "$BOSK_TASK.txt"'
    run_bosk run --queue "$Q" --executor "sh -c \"\$DOES\""
    equal states "$(states)" 'S-1=completed S-2=completed S-3=completed S-4=skipped'
}

@test "what waits is said of each queue, also where another one is a session's; tasks leave queues alone" {
    filter='.id = "QUE-a"' queue_of S-1:executing S-2:pending:S-1
    queue_of S-1:pending
    BOSK_FAILPOINT_AT=create.rows.after:1 run_bosk run --queue "$Q" --executor true
    ask next
    expect_status 5
    expect_text 'QUE-a:S-2 waits for S-1'
    for words in "queue add $ISSUES/queues/q.json" "queue remove $Q"; do
        # shellcheck disable=SC2086 # words
        BOSK_TASK=S-1 run_bosk $words
        expect_status 2
        expect_text 'inside a task'
    done
    BOSK_TASK=S-1 run_bosk queue show QUE-a
    expect_status 0
}
