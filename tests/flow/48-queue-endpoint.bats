#!/usr/bin/env bats
# The endpoint contract for executors outside of bosk: next, detail, done, and retry of a queue without a session;
# claims, their owners and their ends.
# shellcheck disable=SC2154,SC2016,SC2030,SC2031,SC2034,SC1010,SC2086 # variables of run_bosk; subshells; bosk done; words

load ../lib/flow
load ../lib/issues

: "${BOSK_PLAIN_BIN:?names a bosk built without sanitizers}"

setup() {
    local plain=$BOSK_PLAIN_BIN
    flow_setup
    export PLAIN=$plain
    make_repo
    issues_folder "$SCRATCH/issues"
    run_bosk queue add "$SCRATCH/issues/queues/QUE-1.json"
    expect_status 0
}
teardown() { flow_teardown; }

item() { "$BOSK_BIN" queue dag QUE-1 | jq -r ".nodes[] | select(.id == \"$1\") | .status"; }
items() { "$BOSK_BIN" queue dag QUE-1 | jq -r '[.nodes[] | .id + "=" + .status] | join(" ")'; }
exported() { "$BOSK_BIN" queue export QUE-1 | jq -r ".solutions[] | select(.item_id == \"$1\") | $2"; }

@test "S2.1: detail gives the whole solution with the keys of the contract, and changes nothing" {
    before=$(sha256sum .git/bosk/store/data.mdb)
    for name in S-1 QUE-1:S-1; do
        run_bosk detail "$name"
        expect_status 0
        jq -e '.queue_id == "QUE-1" and .item_id == "S-1" and .issue_id == "ISS-A" and .solution_id == "SOL-A-1" and
            .status == "pending" and .solution.id == "SOL-A-1" and .solution.approach == "do it" and
            (.solution.tasks | map(.id) == ["T1", "T2"]) and .solution.exploration_context == {} and
            (.execution_hints | .executor == "gemini" and .task_count == 2 and (.estimated_minutes | type == "number"))' "$OUT"
        equal keys "$(command jq -rc 'keys_unsorted' "$OUT")" \
            '["queue_id","item_id","issue_id","solution_id","status","solution","execution_hints"]'
        # Value for value, also what no number of a computer holds.
        expect_text '"n": 98765432109876543210' "$OUT"
        expect_text '"odd": 1.0,' "$OUT"
    done
    run_bosk detail S-3
    jq -e '.execution_hints.executor == "codex" and .solution.exploration_context.relevant_files == ["d.c"]' "$OUT"
    run_bosk detail S-9
    expect_status 2
    jq -e '.status == "error" and (.message | test("S-9"))' "$OUT"
    run_bosk detail QUE-9:S-1
    expect_status 2
    run_bosk detail S-1 --queue QUE-1
    expect_status 0
    equal "the store" "$(sha256sum .git/bosk/store/data.mdb)" "$before"
    equal S-1 "$(item S-1)" pending
    # From a folder of a linked worktree, too (S2.13).
    git worktree add -q "$SCRATCH/linked"
    run_bosk -C "$SCRATCH/linked" detail S-1
    expect_status 0
    git worktree remove "$SCRATCH/linked"
}

@test "S2.1: an item without its solution is an error of detail and next, and says what is missing" {
    rm "$SCRATCH/issues/solutions/ISS-A.jsonl"
    run_bosk queue add "$SCRATCH/issues/queues/QUE-1.json" --as QUE-2
    expect_status 0
    run_bosk detail QUE-2:S-1
    expect_status 1
    jq -e '.status == "error" and (.message | test("ISS-A"))' "$OUT"
    ask next QUE-2:S-1
    expect_status 1
    jq -e '.status == "error"' "$OUT"
}

@test "S2.3: next gives the first ready item in order, with claim and progress; again to who has it and says so" {
    ask next
    expect_status 0
    jq -e '.item_id == "S-1" and .status == "executing" and .resumed == false and (has("resume_note") | not) and
        (.claim | test("^[0-9a-f]{16}$")) and .claims == 1 and (.solution.tasks | length) == 2 and
        .queue_progress == {"completed": 0, "remaining": 4, "total": 4, "progress": "0/4"} and
        .execution_hints.task_count == 2' "$OUT"
    claim=$(jq -r .claim "$OUT")
    ask next S-1
    jq -e --arg c "$claim" '.item_id == "S-1" and .resumed and (.resume_note | length > 0) and .claim == $c and .claims == 2' "$OUT"
    # A shell and what it makes for $( ) and ( ) are one.
    equal again "$("$BOSK_BIN" next S-1 3>&- 2>/dev/null | jq -r .item_id)" S-1
    equal again "$("$BOSK_BIN" next --claim "$claim" 3>&- 2>/dev/null | jq -c '[.item_id, .resumed]')" '["S-1",true]'
    equal "issue" "$(exported S-1 '.started_at | length')" 20
    # Another process gets another item; S-4 shares a file with S-1, S-2 needs it.
    somebody next
    equal "of somebody" "$(jq -r .item_id "$SCRATCH/other.json")" S-3
    run_bosk next
    expect_status 1
    jq -e '.status == "empty" and (.message | length > 0)' "$OUT"
    expect_text 'S-2 waits for S-1'
    expect_text 'S-4 waits for S-1'
    ask next S-4
    expect_status 1
    jq -e '.status == "error"' "$OUT"
    expect_text 'S-4 waits for S-1'
    ask next S-3
    expect_status 5
    expect_text 'claimed by process'
    ask next S-9
    expect_status 2
    ask done S-1
    expect_status 0
    ask next S-4
    expect_status 0
    stop_somebody
}

@test "S2.3: next without a queue, with all completed, with failures: status, text and exit code" {
    for id in S-1 S-2 S-3; do ask done "$id"; expect_status 0; done
    ask done S-4 --fail
    expect_status 0
    ask next
    expect_status 1
    jq -e '.status == "failed"' "$OUT"
    ask retry
    expect_status 0
    ask next
    expect_status 0
    ask done S-4
    expect_status 0
    expect_text 'queue QUE-1 is completed' "$OUT"
    ask next
    expect_status 0
    jq -e '.status == "completed" and (.message | length > 0)' "$OUT"
    ask next --queue QUE-1
    expect_status 0
    ask next --queue QUE-9
    expect_status 2
    jq -e '.status == "empty"' "$OUT"
    git init -q "$SCRATCH/bare" && git -C "$SCRATCH/bare" commit -q --allow-empty -m x --author 'a <a@b>' || true
    ask -C "$SCRATCH/bare" next
    expect_status 2
    jq -e '.status == "empty"' "$OUT"
    [ ! -e "$SCRATCH/bare/.git/bosk" ]
}

@test "S2.14: the first active queue by priority that has something ready; qualified ids" {
    sed 's/"QUE-1"/"QUE-2"/; s/"S-\([0-9]\)"/"S-\1"/g' "$SCRATCH/issues/queues/QUE-1.json" >"$SCRATCH/issues/queues/QUE-2.json"
    sed -i 's/{"id": "QUE-0"/{"id": "QUE-2", "priority": 1, "status": "active"}, &/' "$SCRATCH/issues/queues/index.json"
    run_bosk queue add "$SCRATCH/issues/queues/QUE-2.json"
    expect_status 0
    run_bosk next
    jq -e '.queue_id == "QUE-2" and .item_id == "S-1"' "$OUT"
    token=$(jq -r .claim "$OUT")
    run_bosk next
    jq -e '.queue_id == "QUE-2" and .item_id == "S-3"' "$OUT"
    # Nothing more is ready there: the next queue.
    run_bosk next
    jq -e '.queue_id == "QUE-1" and .item_id == "S-1"' "$OUT"
    run_bosk next QUE-1:S-3
    jq -e '.queue_id == "QUE-1" and .item_id == "S-3"' "$OUT"
    run_bosk done S-1 --claim "$token"
    expect_status 0
    expect_text '^QUE-2:S-1 is completed' "$OUT"
    equal "of QUE-1" "$(item S-1)" executing
    run_bosk done S-3 --queue QUE-1
    expect_status 5
}

@test "done by a bare id: the item of the token, or of the caller's claim, never one of another queue by chance" {
    sed 's/"QUE-1"/"QUE-2"/' "$SCRATCH/issues/queues/QUE-1.json" >"$SCRATCH/issues/queues/QUE-2.json"
    run_bosk queue add "$SCRATCH/issues/queues/QUE-2.json"
    expect_status 0
    status_of() { "$BOSK_BIN" queue dag "$1" | jq -r ".nodes[] | select(.id == \"$2\") | .status"; }
    somebody next QUE-2:S-1
    token=$(jq -r .claim "$SCRATCH/other.json")
    ask next --claim "$token" # of whatever queue, though QUE-1 has something ready
    jq -e '.queue_id == "QUE-2" and .item_id == "S-1" and .resumed' "$OUT"
    stop_somebody
    somebody next QUE-2:S-3
    # Nobody's, in several queues; a token of nothing.
    run_bosk done S-4
    expect_status 2
    expect_text 'QUE-1:S-4, QUE-2:S-4'
    for words in 'QUE-1:S-4 --claim bogus' 'QUE-1:S-1 --claim '"$token" 'QUE-2:S-3 --claim '"$token"; do
        run_bosk done $words
        expect_status 5
    done
    BOSK_CLAIM=bogus run_bosk done QUE-1:S-4
    expect_status 5
    equal items "$(items)" 'S-1=pending S-2=pending S-3=pending S-4=pending'
    run_bosk done S-1 --claim "$token"
    expect_status 0
    equal "of QUE-2" "$(status_of QUE-2 S-1)" completed
    # The caller's own.
    ask next QUE-2:S-2
    expect_status 0
    ask done S-2
    expect_status 0
    equal "of QUE-2" "$(status_of QUE-2 S-2)" completed
    equal items "$(items)" 'S-1=pending S-2=pending S-3=pending S-4=pending'
    stop_somebody
}

@test "done: the seed's flow is detail and done; the result is kept as it was given" {
    ask done S-1 --result '{"summary": "it'\''s done", "files_modified": ["a.c"], "commit": {"hash": "0123456789", "type": "feat"}, "tasks_completed": 2, "n": 12345678901234567890}'
    expect_status 0
    expect_text '^QUE-1:S-1 is completed; 1 of 4' "$OUT"
    expect_text 'commit 0123456789, which is not in this repository'
    equal result "$(exported S-1 .result.summary)" "it's done"
    "$BOSK_BIN" queue export | grep -qF '"n": 12345678901234567890'
    # The issue has another item.
    refute grep -q 'issue ISS-A' "$OUT"
    short=$(git rev-parse --short HEAD)
    ask done S-3 --result-file - <<<''
    printf '{"commit": {"hash": "%s"}}' "$short" >"$SCRATCH/r.json"
    ask done S-2 --result-file "$SCRATCH/r.json"
    expect_status 0
    expect_text "commit $short is $(git rev-parse HEAD)"
    ask done S-4 --result "no JSON: it's {"
    expect_status 0
    expect_text 'kept as text'
    equal text "$(exported S-4 .result)" "no JSON: it's {"
    equal queue "$("$BOSK_BIN" queue export | jq -r .status)" completed
    head -c $((1048577)) /dev/zero | tr '\0' x >"$SCRATCH/large"
    ask done S-4 --result-file "$SCRATCH/large"
    expect_status 2
    expect_text '1 MiB'
    ask done S-4 --reason x
    expect_status 2
}

@test "S2.11, S2.12: failures plain and structured, with the step; dependents skipped; retry revives both and keeps the history" {
    ask next
    ask done S-1 --fail --reason '{"task_id": "T2", "message": "it'\''s red", "extra": 12345678901234567890}'
    expect_status 0
    expect_text 'skipped because of it: S-2' "$OUT"
    equal items "$(items)" 'S-1=failed S-2=skipped S-3=pending S-4=pending'
    "$BOSK_BIN" queue export >"$OUT"
    jq -e '.solutions[] | select(.item_id == "S-1") | .status == "failed" and .failure_reason == "it'\''s red" and
        (.failure_details | .task_id == "T2" and .error_type == "unknown" and (.timestamp | length) > 0)' "$OUT"
    grep -qF '"extra": 12345678901234567890' "$OUT"
    ask done S-1
    expect_status 1
    expect_text "S-1 is failed already \(T2: it's red\)"
    ask retry S-2
    expect_status 2
    expect_text 'name the one it was skipped for'
    ask retry S-3
    expect_status 2
    ask retry QUE-1:S-1
    expect_status 0
    expect_text '^pending again in queue QUE-1: S-1 S-2$' "$OUT"
    equal history "$(exported S-1 '[.status, (.failure_history | length), has("failure_details"), has("started_at")] | map(tostring) | join(" ")')" \
        'pending 1 false false'
    ask done S-1 --fail --reason 'plain text'
    expect_status 0
    ask retry ISS-A
    expect_status 0
    equal history "$(exported S-1 '[.failure_history[].error_type] | join(" ")')" 'unknown execution_error'
    # Of the issue: each failure, until it is completed; ISS-A has two items.
    "$BOSK_BIN" queue export --to "$SCRATCH/issues" >/dev/null
    jq -R 'fromjson? | select(.id == "ISS-A") | .status == "queued" and (.feedback | length) == 2 and
        (.feedback[0] | .type == "failure" and .stage == "execute" and (.content | fromjson | .task_id == "T2" and .item_id == "S-1"))' \
        "$SCRATCH/issues/issues.jsonl" | grep -qx true
    ask done S-1
    ask done S-3 --fail
    expect_text 'issue ISS-A is failed' "$OUT"
    ask retry ISS-A
    ask done S-3
    expect_text 'issue ISS-A is completed' "$OUT"
}

@test "a failed queue is active again; also with --queue, and what was executing when it was added" {
    sed 's/"QUE-1"/"QUE-3"/; s/"status":"pending","execution_order":4/"status":"executing","execution_order":4/' \
        "$SCRATCH/issues/queues/QUE-1.json" >"$SCRATCH/issues/queues/QUE-3.json"
    run_bosk queue add "$SCRATCH/issues/queues/QUE-3.json"
    expect_status 0
    # It stays so; nobody gets it, nor what shares its file.
    ask next QUE-3:S-4
    expect_status 5
    expect_text 'bosk retry'
    ask next QUE-3:S-1
    expect_status 1
    ask retry --queue QUE-3
    expect_status 0
    expect_text 'QUE-3: S-4$' "$OUT"
    ask next QUE-3:S-1
    expect_status 0
    for id in S-1 S-3 S-4; do ask done "QUE-1:$id" --fail; expect_status 0; done
    ask queue list
    expect_text 'QUE-1 +failed' "$OUT"
    ask retry S-1 S-4
    expect_status 0
    ask queue list
    expect_text 'QUE-1 +active' "$OUT"
    equal items "$(items)" 'S-1=pending S-2=pending S-3=failed S-4=pending'
    ask retry --queue QUE-9
    expect_status 2
    ask retry --queue QUE-3 QUE-1:S-3
    expect_status 2
    ask retry --queue QUE-1 --run
    expect_status 2
}

@test "what was added as failed or cancelled skips what depends on it; a queue that is over when it is added is not active" {
    with_states QUE-3 '.status = if .item_id == "S-1" then "failed" else "pending" end'
    with_states QUE-4 '.status = "completed"'
    with_states QUE-5 '.status = ({"S-1": "cancelled", "S-2": "pending"}[.item_id] // "completed")'
    for id in QUE-3 QUE-4 QUE-5; do
        run_bosk queue add "$SCRATCH/issues/queues/$id.json"
        expect_status 0
    done
    states_of() { "$BOSK_BIN" queue dag "$1" | jq -r '[.nodes[] | .id + "=" + .status] | join(" ")'; }
    ask next --queue QUE-3
    jq -e '.item_id == "S-3"' "$OUT"
    for id in S-3 S-4; do ask done "QUE-3:$id"; expect_status 0; done
    equal QUE-3 "$(states_of QUE-3)" 'S-1=failed S-2=skipped S-3=completed S-4=completed'
    ask next --queue QUE-5
    expect_status 1
    jq -e '.status == "failed"' "$OUT"
    equal QUE-5 "$(states_of QUE-5)" 'S-1=skipped S-2=skipped S-3=completed S-4=completed'
    ask queue list
    expect_text 'QUE-3 +failed' "$OUT"
    expect_text 'QUE-4 +completed' "$OUT"
    expect_text 'QUE-5 +failed' "$OUT"
    ask retry --queue QUE-3
    expect_text 'QUE-3: S-1 S-2$' "$OUT"
}

@test "a session whose queue has a claim is not taken back by retry until that has ended" {
    with_states QUE-3 '.status = if .item_id == "S-1" then "executing" else "pending" end'
    run_bosk queue add "$SCRATCH/issues/queues/QUE-3.json"
    expect_status 0
    # S-3 fails; S-2 and S-4 wait for S-1, which somebody else had.
    run_bosk run --queue QUE-3 --executor false
    expect_status 1
    ask done QUE-3:S-1
    expect_status 0
    somebody next QUE-3:S-4
    token=$(jq -r .claim "$SCRATCH/other.json")
    for words in 'retry S-3' 'retry S-3 --run'; do
        ask $words
        expect_status 5
        expect_text 'queue QUE-3: somebody works on item S-4'
    done
    run_bosk done QUE-3:S-4 --claim "$token"
    expect_status 0
    stop_somebody
    ask retry S-3
    expect_status 0
}

@test "done may: the token, BOSK_CLAIM, the owner and what it starts; nobody else, and nobody twice" {
    somebody next
    equal item "$(jq -r .item_id "$SCRATCH/other.json")" S-1
    token=$(jq -r .claim "$SCRATCH/other.json")
    for words in 'done S-1' 'done S-1 --claim 0123456789abcdef' 'done S-1 --fail'; do
        # shellcheck disable=SC2086 # words
        ask $words
        expect_status 5
        expect_text 'S-1 is claimed by process'
    done
    equal S-1 "$(item S-1)" executing
    BOSK_CLAIM=$token ask done S-1
    expect_status 0
    ask done S-1 --claim "$token"
    expect_status 1
    expect_text 'completed already'
    ask done S-9
    expect_status 2
    # Another process is resumed by the token.
    stop_somebody
    somebody next
    token=$(jq -r .claim "$SCRATCH/other.json") id=$(jq -r .item_id "$SCRATCH/other.json")
    BOSK_CLAIM=$token ask next
    jq -e --arg id "$id" '.item_id == $id and .resumed' "$OUT"
    # It is this test's now: a process that it starts, two deep, may end it.
    sh -c 'sh -c "\"\$BOSK_BIN\" done \"\$1\"; :" sh "$1"; :' sh "$id" >"$OUT" 2>"$ERR" 3>&-
    equal "$id" "$(item "$id")" completed
    stop_somebody
}

@test "a claim of a dead owner is kept while it is young, then released and given to others; no jump of the clock ages it" {
    BOSK_BIN=$PLAIN
    export CLOCK_SHIFT=$SCRATCH/shift BOOT_SHIFT=$SCRATCH/boot LD_PRELOAD=$BOSK_TEST_CLOCK_SHIFT
    somebody next
    token=$(jq -r .claim "$SCRATCH/other.json")
    echo 15000 >"$BOOT_SHIFT"
    ask next S-1 # older than 4 hours, but it lives
    expect_status 5
    stop_somebody
    rm "$BOOT_SHIFT"
    echo 100000 >"$CLOCK_SHIFT"
    ask next S-1
    expect_status 5
    expect_text 'QUE-1:S-1 stays claimed'
    expect_text 'which is gone'
    rm "$CLOCK_SHIFT"
    echo 15000 >"$BOOT_SHIFT"
    ask gc --dry-run
    expect_status 0
    expect_text 'QUE-1:S-1 (is|would be) pending again' "$OUT"
    equal S-1 "$(item S-1)" executing
    ask next
    expect_status 0
    expect_text 'QUE-1:S-1 is pending again: it was claimed by process'
    jq -e '.item_id == "S-1" and .resumed == false and .claims == 2' "$OUT"
    # Who had it before has it no more.
    ask done S-1 --claim "$token"
    expect_status 5
    expect_text 'the token given is another one'
    ask done S-1 # this process has it now
    expect_status 0
    ask next S-3
    rm "$BOOT_SHIFT"
    ask done S-3
    # And by gc, without anybody asking.
    somebody next S-4
    stop_somebody
    echo 15000 >"$BOOT_SHIFT"
    ask gc
    expect_status 0
    expect_text 'QUE-1:S-4 is pending again' "$OUT"
    equal S-4 "$(item S-4)" pending
}

@test "status and doctor show claims" {
    somebody next
    run_bosk status
    expect_status 0
    expect_text 'QUE-1:S-1 .*claimed by process' "$OUT"
    status_json '.claims[0] | .queue == "QUE-1" and .item == "S-1" and (.pid | type == "number")'
    stop_somebody
    run_bosk doctor
    expect_text 'QUE-1:S-1 .*claimed by process [0-9]+, which is gone' "$OUT"
}

@test "names that nothing can have are unknown ones" {
    BOSK_BIN=$PLAIN
    long=$(printf '%0600d' 0)
    for name in :S-1 "$long:S-1" "QUE-1:" "QUE-1:$long" "QUE-1:a b" ":" "" "$long"; do
        for command in detail next done; do
            run_bosk $command "$name"
            expect_status 2
        done
    done
    for id in '' "$long" ../x; do
        for words in 'detail S-1 --queue' 'next S-1 --queue' 'next --queue' 'done S-1 --queue' 'queue dag' 'queue show' \
            'queue show --json' 'queue dag --queue' 'queue export' 'queue remove' 'retry --queue'; do
            run_bosk $words "$id"
            expect_status 2
        done
    done
    equal items "$(items)" 'S-1=pending S-2=pending S-3=pending S-4=pending'
}

@test "64 done at the same time: none is lost, the queue ends once" {
    {
        printf '{"id": "QUE-64", "status": "active", "solutions": ['
        for i in $(seq 64); do
            printf '%s\n {"item_id": "S-%s", "issue_id": "ISS-A", "solution_id": "SOL-A-1", "status": "pending", "execution_order": %s, "depends_on": [], "files_touched": ["f%s"]}' \
                "$([ "$i" = 1 ] || echo ,)" "$i" "$i" "$i"
        done
        printf ']}\n'
    } >"$SCRATCH/issues/queues/QUE-64.json"
    run_bosk queue add "$SCRATCH/issues/queues/QUE-64.json"
    expect_status 0
    for i in $(seq 64); do
        "$BOSK_BIN" done "QUE-64:S-$i" --result "{\"i\": $i}" >"$SCRATCH/done.$i" 2>&1 3>&- &
    done
    wait
    "$BOSK_BIN" queue export QUE-64 >"$OUT"
    jq -e '.status == "completed" and ([.solutions[] | select(.status == "completed" and .result.i == .execution_order)] | length) == 64' "$OUT"
    equal "ends of the queue" "$(grep -l 'queue QUE-64 is completed' "$SCRATCH"/done.* | wc -l)" 1
    equal "ends of the issue" "$(grep -l 'issue ISS-A is completed' "$SCRATCH"/done.* | wc -l)" 1
}

@test "a death at done: all of it, or nothing" {
    BOSK_FAILPOINT_AT=queue.done.before:1 run_bosk done S-1 --fail
    equal status "$status" 137
    equal items "$(items)" 'S-1=pending S-2=pending S-3=pending S-4=pending'
    BOSK_FAILPOINT_AT=queue.done.after:1 run_bosk done S-1 --fail
    equal status "$status" 137
    equal items "$(items)" 'S-1=failed S-2=skipped S-3=pending S-4=pending'
    run_bosk done S-1
    expect_status 1
}

@test "8 next at the same time get 8 items or are told that nothing is ready, never the same" {
    for i in 1 2 3 4 5 6 7 8; do
        sh -c '"$BOSK_BIN" next; :' >"$SCRATCH/next.$i" 2>/dev/null 3>&- &
    done
    wait
    equal items "$(jq -r 'select(.item_id) | .item_id' "$SCRATCH"/next.* | sort)" $'S-1\nS-3'
    equal empty "$(jq -r 'select(.status == "empty") | .status' "$SCRATCH"/next.* | wc -l)" 6
}

@test "next from one process several times at once: each call gets an item of its own" {
    for i in 1 2 3; do "$BOSK_BIN" next >"$SCRATCH/next.$i" 2>/dev/null 3>&- & done
    wait
    equal items "$(jq -r 'select(.item_id) | .item_id' "$SCRATCH"/next.* | sort)" $'S-1\nS-3'
    equal tokens "$(jq -r 'select(.claim) | .claim' "$SCRATCH"/next.* | sort -u | wc -l)" 2
    equal empty "$(jq -r 'select(.status == "empty") | .status' "$SCRATCH"/next.* | wc -l)" 1
}

@test "inside a task done writes the result file only; next is refused there" {
    BOSK_TASK=S-1 BOSK_RESULT_FILE=$SCRATCH/result ask done S-1 --result '{"summary": "x"}'
    expect_status 0
    equal result "$(jq -r .summary "$SCRATCH/result")" x
    equal S-1 "$(item S-1)" pending
    BOSK_TASK=S-1 BOSK_RESULT_FILE=$SCRATCH/result ask done S-1 --fail --reason '{"task_id": "T2", "message": "red"}'
    expect_status 0
    jq -e '.status == "failed" and .failure_details.task_id == "T2"' "$SCRATCH/result"
    cp "$SCRATCH/result" "$SCRATCH/before"
    for name in S-3 QUE-1:S-3 QUE-1: T1; do
        BOSK_TASK=S-1 BOSK_RESULT_FILE=$SCRATCH/result ask done "$name" --result '{"summary": "of another"}'
        expect_status 2
        expect_text 'inside task S-1'
    done
    cmp "$SCRATCH/result" "$SCRATCH/before"
    BOSK_TASK=S-1 BOSK_RESULT_FILE=$SCRATCH/result ask done QUE-1:S-1
    expect_status 0
    BOSK_TASK=S-1 ask done S-1
    expect_status 4
    BOSK_TASK=S-1 ask next
    expect_status 2
}

@test "E7: secrets in results and reasons stay out of the store; texts do not drive the terminal" {
    export MY_TOKEN=verysecretvalue
    planted_secret "$MY_TOKEN"
    ask done S-1 --result "{\"summary\": \"$MY_TOKEN\", \"more\": \"\\u0076erysecretvalue\"}"
    ask done S-3 --fail --reason "with $MY_TOKEN"
    expect_status 0
    equal "hidden behind an escape" "$(exported S-1 .result.more)" '[redacted:MY_TOKEN]'
    equal hidden "$(exported S-1 .result.summary)" '[redacted:MY_TOKEN]'
    ask done S-4 --fail --reason $'\e[31mred\u202e'
    ask queue show QUE-1
    refute grep -q $'\e\\|\u202e' "$OUT"
    ask done S-4
    refute grep -q $'\e' "$ERR"
}
