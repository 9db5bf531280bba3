#!/usr/bin/env bats
# Queues of solutions in the store: added, listed, their graph, run, removed, verified and made again from git.
# shellcheck disable=SC2154,SC2030,SC2031 # variables set by run_bosk; tests are subshells

load ../lib/flow
load ../lib/queue

setup() {
    flow_setup
    make_repo
    write_agent <<'SH'
#!/bin/bash
echo "$BOSK_TASK" >>"$RUNS"
echo "$BOSK_TASK" >"$BOSK_TASK.txt"
SH
    export RUNS=$SCRATCH/runs ISSUES=$SCRATCH/issues
}
teardown() { flow_teardown; }

# queue_file ID PRIORITY ITEM...: a queue in $ISSUES, with its issues and solutions; ITEM as "S-1 needs=S-2 files=a,b status=failed".
queue_file() {
    local id=$1 priority=$2 item
    shift 2
    mkdir -p "$ISSUES/queues" "$ISSUES/solutions"
    for item; do
        jq -n --arg item "$item" '$item | split(" ") | (.[1:] | map(split("=") | {(.[0]): .[1]}) | add // {}) as $o | .[0] as $id |
            def list: (. // "") | split(",") | map(select(. != ""));
            {item_id: $id, issue_id: "ISS-\($id)", solution_id: "SOL-\($id)", status: ($o.status // "pending"),
             execution_order: ($id | ltrimstr("S-") | tonumber), depends_on: ($o.needs | list), semantic_priority: 0.5,
             task_count: 1, files_touched: ($o.files | list)}'
        jq -cn --arg id "${item%% *}" '{id: "SOL-\($id)", description: "Make \($id)", approach: "As usual", is_bound: true,
            tasks: [{id: "T1", title: "Write it", action: "Create", implementation: ["Write it"]}]}' \
            >"$ISSUES/solutions/ISS-${item%% *}.jsonl"
        jq -cn --arg id "${item%% *}" '{id: "ISS-\($id)", title: "About \($id)", status: "queued"}' >>"$ISSUES/issues.jsonl"
    done | jq -s --arg id "$id" '{id: $id, status: "active", issue_ids: map(.issue_id), solutions: .}' \
        >"$ISSUES/queues/$id.json"
    [ -e "$ISSUES/queues/index.json" ] || echo '{"active_queue_id": null, "queues": []}' >"$ISSUES/queues/index.json"
    jq --arg id "$id" --argjson priority "$priority" '.active_queue_id = $id |
        .queues += [{id: $id, status: "active"} + (if $priority then {priority: $priority} else {} end)]' \
        "$ISSUES/queues/index.json" >"$ISSUES/index.new"
    mv "$ISSUES/index.new" "$ISSUES/queues/index.json"
}
dag() { "$BOSK_BIN" queue dag "$@" | jq -c "${FILTER:-.}"; }
states() { "$BOSK_BIN" queue show "$1" --json | jq -r '.solutions | map("\(.item_id)=\(.status)") | join(" ")'; }

@test "a queue is added once, with its issues and solutions; what it was is kept in git" {
    queue_file QUE-1 null 'S-1 files=a.c' 'S-2 files=a.c' 'S-3 needs=S-1'
    run_bosk queue add "$ISSUES/queues/QUE-1.json"
    expect_status 0
    equal said "$out" 'queue QUE-1: 3 items, 1 ready'
    before=$(git rev-parse refs/bosk/plan/QUE-1)
    run_bosk queue add "$ISSUES"
    expect_status 0
    equal said "$out" 'queue QUE-1 is there already, and is as it was: 3 items, 1 ready'
    equal 'the copy in git' "$(git rev-parse refs/bosk/plan/QUE-1)" "$before"
    # another one of this id is not, but under another
    queue_file QUE-1 null 'S-1 files=a.c' 'S-2 files=b.c'
    run_bosk queue add "$ISSUES/queues/QUE-1.json"
    expect_status 2
    expect_text 'queue QUE-1 already, with other content.*--as ID.*bosk queue remove QUE-1'
    run_bosk queue add "$ISSUES/queues/QUE-1.json" --as QUE-other
    expect_status 0
    equal said "$out" 'queue QUE-other: 2 items, 2 ready'
    run_bosk queue list
    equal ids "$(cut -d' ' -f1 "$OUT" | tr '\n' ' ')" 'QUE-1 QUE-other '
    run_bosk queue list --json
    equal list "$(jq -c '[.active_queue_id, (.queues[] | [.id, .status, .total_solutions, .completed_solutions, .pending])]' "$OUT")" \
        '["QUE-1",["QUE-1","active",3,0,3],["QUE-other","active",2,0,2]]'
    run_bosk queue list --brief
    equal keys "$(jq -c '.queues[0] | keys' "$OUT")" '["completed_solutions","id","issue_ids","status","total_solutions"]'
    run_bosk queue show QUE-1 --brief
    equal brief "$(jq -c '[.id, .total, .pending, .executing, .completed, (.items[0] | keys | length)]' "$OUT")" '["QUE-1",3,3,0,0,5]'
}

@test "a queue without an id is known by its content, however often it is added" {
    queue_file QUE-1 null 'S-1 files=a.c'
    file=$ISSUES/queues/QUE-1.json
    jq 'del(.id)' "$file" >"$file.new"
    mv "$file.new" "$file"
    run_bosk queue add "$file"
    expect_status 0
    first=$(cut -d: -f1 <<<"$out") said=${out#*:}
    for _ in 1 2; do
        run_bosk queue add "$file"
        expect_status 0
        equal said "$out" "$first is there already, and is as it was:$said"
    done
    run_bosk queue list
    equal queues "$(wc -l <"$OUT")" 1
}

@test "what is no queue, or has faults, is not added; there is no queue: said as the original says it" {
    run_bosk queue dag
    expect_status 2
    equal line "$out" '{"error": "No active queue", "nodes": [], "edges": [], "groups": []}'
    run_bosk queue show --json
    expect_status 2
    equal empty "$(command jq -c 'del(.message)' "$OUT")" '{"status":"empty","id":null,"issue_ids":[],"total":0,"items":[]}'
    echo '{"tasks": [{"id": "a", "run": "true"}]}' >"$SCRATCH/plan.json"
    run_bosk queue add "$SCRATCH/plan.json"
    expect_status 2
    expect_text 'no queue of issues but a plan of the kind "plan"'
    queue_file QUE-1 null 'S-1 needs=S-2' 'S-2 needs=S-1'
    run_bosk queue add "$ISSUES/queues/QUE-1.json"
    expect_status 2
    expect_text 'nothing was added'
    run_bosk queue list
    equal list "$out" ''
    run_bosk queue remove QUE-1
    expect_status 2
    expect_text 'there is no queue QUE-1'
}

@test "S2.3: the graph: edges by needs and by files, what is ready, batch by batch what comes then" {
    queue_file QUE-1 null 'S-1 files=src/a.c' 'S-2 files=./src/' 'S-3 needs=S-1' 'S-4'
    run_bosk queue add "$ISSUES/queues/QUE-1.json"
    run_bosk queue dag
    expect_status 0
    equal edges "$(jq -c '.edges | map([.from, .to, .reason])' "$OUT")" '[["S-1","S-2","files"],["S-1","S-3","depends_on"]]'
    equal batches "$(jq -c .parallel_batches "$OUT")" '[["S-1","S-4"],["S-2","S-3"]]'
    equal ready "$(jq -c '[.ready, .ready_count, .total, ._summary.batches_needed]' "$OUT")" '[["S-1","S-4"],2,4,2]'
    equal "blocked by" "$(jq -c '.nodes | map([.blocked_by, .depends_on])' "$OUT")" '[[[],[]],[["S-1"],[]],[["S-1"],["S-1"]],[[],[]]]'
    equal 'the same by name' "$("$BOSK_BIN" queue dag QUE-1)" "$out"
    equal 'the same by option' "$("$BOSK_BIN" queue dag --queue QUE-1)" "$out"
}

@test "S2.6: to look at a queue changes nothing" {
    queue_file QUE-1 null 'S-1' 'S-2 needs=S-1'
    run_bosk queue add "$ISSUES/queues/QUE-1.json"
    before=$(sha256sum .git/bosk/store/data.mdb; git for-each-ref)
    for words in 'queue dag' 'queue list' 'queue show' 'queue show --json' 'queue list --json' 'run --queue QUE-1 --dry-run'; do
        # shellcheck disable=SC2086 # several words
        run_bosk $words
        expect_status 0
    done
    equal store "$(sha256sum .git/bosk/store/data.mdb; git for-each-ref)" "$before"
}

@test "S2.14: several queues, by priority; a run without a plan takes the first with something to do" {
    queue_file QUE-a 2 'S-1'
    queue_file QUE-b 1 'S-1' 'S-2'
    run_bosk queue add "$ISSUES" --queue QUE-a
    expect_status 0
    run_bosk queue add "$ISSUES" --queue QUE-b
    expect_status 0
    equal 'first by priority' "$(FILTER=.queue_id dag)" '"QUE-b"'
    run_bosk run --executor "$AGENT"
    expect_status 0
    equal runs "$(sort "$RUNS" | tr '\n' ' ')" 'S-1 S-2 '
    equal 'the other is next' "$(FILTER=.queue_id dag)" '"QUE-a"'
    run_bosk run --executor "$AGENT"
    expect_status 0
    run_bosk queue list --json
    equal done "$(jq -c '.queues | map([.id, .status, .completed_solutions])' "$OUT")" '[["QUE-b","completed",2],["QUE-a","completed",1]]'
    run_bosk run --executor "$AGENT"
    expect_status 2
}

@test "S2.14: a queue all of whose ready items are held is not in the way of the next; a damaged one is said" {
    queue_file QUE-a 1 'S-1' 'S-2 needs=S-1'
    queue_file QUE-b 2 'S-3'
    rm "$ISSUES/solutions/ISS-S-1.jsonl"
    for queue in QUE-a QUE-b; do
        run_bosk queue add "$ISSUES" --queue "$queue"
        expect_status 0
    done
    run_bosk run --executor "$AGENT"
    expect_status 0
    equal runs "$(cat "$RUNS")" S-3
    cp .git/bosk/store/data.mdb "$SCRATCH/data.mdb"
    "$BOSK_TEST_STORE_EDIT" .git/bosk/store raw queues QUE-a damaged
    for words in 'run' 'run --queue QUE-a' 'plan' 'plan --queue QUE-a'; do
        # shellcheck disable=SC2086 # several words
        run_bosk $words
        expect_status 4
        expect_text 'QUE-a'
    done
    cp "$SCRATCH/data.mdb" .git/bosk/store/data.mdb
}

@test "a session begins with the items as they are: completed ones stay, failed ones and what needs them are not run" {
    queue_file QUE-1 null 'S-1 status=completed' 'S-2 needs=S-1' 'S-3 status=failed' 'S-4 needs=S-3' 'S-5'
    run_bosk run "$ISSUES/queues/QUE-1.json" --executor "$AGENT"
    expect_status 1
    equal runs "$(sort "$RUNS" | tr '\n' ' ')" 'S-2 S-5 '
    equal states "$(states QUE-1)" 'S-1=completed S-2=completed S-3=failed S-4=skipped S-5=completed'
    run_bosk queue list --json
    equal status "$(jq -r '.queues[0].status' "$OUT")" failed
    run_bosk verify
    expect_status 0
    # again: nothing of it is to be done without a retry
    run_bosk run "$ISSUES/queues/QUE-1.json" --executor "$AGENT"
    equal 'runs, again' "$(sort "$RUNS" | tr '\n' ' ')" 'S-2 S-5 '
}

@test "a run with nothing ready names what waits, and for what" {
    queue_file QUE-1 null 'S-1 status=failed' 'S-2 needs=S-1' 'S-3 needs=S-2'
    run_bosk queue add "$ISSUES"
    run_bosk run --queue QUE-1 --executor "$AGENT"
    expect_status 1
    expect_text 'nothing of queue QUE-1 is ready'
    expect_text 'S-2 waits: it needs S-1, which is failed'
    expect_text 'S-3 waits: it needs S-2'
    run_bosk run --executor "$AGENT"
    expect_status 2
    run_bosk run --queue QUE-2 --executor "$AGENT"
    expect_status 2
    expect_text 'there is no queue QUE-2'
}

@test "S2.13: from inside of a linked worktree the store is that of the repository" {
    queue_file QUE-1 null 'S-1'
    git worktree add -q "$SCRATCH/linked"
    cd "$SCRATCH/linked"
    run_bosk queue add "$ISSUES"
    expect_status 0
    cd "$REPO"
    equal dag "$(FILTER=.ready dag)" '["S-1"]'
    cd "$SCRATCH/linked"
    run_bosk run --queue QUE-1 --executor "$AGENT" --target main
    expect_status 0
    equal states "$(states QUE-1)" 'S-1=completed'
    cd "$REPO"
}

@test "sessions on different queues run side by side" {
    queue_file QUE-a null 'S-1' 'S-2'
    queue_file QUE-b null 'S-1'
    run_bosk queue add "$ISSUES/queues/QUE-a.json" "$ISSUES/queues/QUE-b.json"
    expect_status 0
    write_agent <<'SH'
#!/bin/bash
echo x >>"$RUNS"
read -r _ <"$GO"
echo "$BOSK_TASK" >"$BOSK_TASK.txt"
SH
    export GO=$SCRATCH/go
    mkfifo "$GO"
    start_bosk run --queue QUE-a --executor "$AGENT"
    first=$bosk_pid
    wait_until '[ "$(wc -l <"$RUNS" 2>/dev/null)" = 2 ]'
    OUT=$SCRATCH/out2 ERR=$SCRATCH/err2 start_bosk run --queue QUE-b --executor "$AGENT"
    second=$bosk_pid
    wait_until '[ "$(wc -l <"$RUNS")" = 3 ]'
    # a third one on a queue that a session has
    OUT=$SCRATCH/out3 ERR=$SCRATCH/err3 run_bosk run --queue QUE-a --executor "$AGENT"
    expect_status 2
    grep -q 'works on this plan now' "$SCRATCH/err3"
    run_bosk queue remove QUE-b
    expect_status 5
    exec 9<>"$GO"
    printf '\n\n\n' >&9
    bosk_pid=$first wait_bosk
    expect_status 0
    bosk_pid=$second wait_bosk
    expect_status 0
    exec 9>&-
    equal states "$(states QUE-a) $(states QUE-b)" 'S-1=completed S-2=completed S-1=completed'
    # both have an S-1
    run_bosk diff S-1 --stat
    expect_status 2
    for queue in QUE-a QUE-b; do
        run_bosk diff "$queue:S-1" --stat
        expect_status 0
        grep -q 'S-1.txt' "$OUT"
    done
    run_bosk diff QUE-b:S-2 --stat
    expect_status 2
}

@test "A3: killed while it is added, a queue is all there or not at all, and adding it again ends it" {
    queue_file QUE-1 null 'S-1' 'S-2 needs=S-1'
    for point in queue.add.before queue.add.after queue.copy.ref queue.copy.after; do
        BOSK_FAILPOINT_AT=$point:1 run_bosk queue add "$ISSUES/queues/QUE-1.json"
        expect_status 137
        run_bosk verify
        expect_status 0
        run_bosk queue add "$ISSUES/queues/QUE-1.json"
        expect_status 0
        git rev-parse -q --verify refs/bosk/plan/QUE-1
        run_bosk queue remove QUE-1
        expect_status 0
        refute git rev-parse -q --verify refs/bosk/plan/QUE-1
        equal 'rows that are left' "$("$BOSK_TEST_STORE_EDIT" .git/bosk/store keys items; "$BOSK_TEST_STORE_EDIT" .git/bosk/store keys tasks)" ''
    done
    run_bosk queue add "$ISSUES/queues/QUE-1.json"
    for point in queue.remove.before queue.remove.ref queue.remove.after; do
        BOSK_FAILPOINT_AT=$point:1 run_bosk queue remove QUE-1
        expect_status 137
        run_bosk verify
        expect_status 0
    done
    run_bosk queue list
    equal list "$out" ''
}

@test "D4: a store that was lost is made again from git: items as they were added, and what was merged since" {
    queue_file QUE-1 null 'S-1 status=completed' 'S-2' 'S-3 status=failed' 'S-4 files=a.c'
    run_bosk run "$ISSUES" --executor "$AGENT"
    expect_status 1
    before=$("$BOSK_BIN" queue dag QUE-1)
    rm .git/bosk/store/data.mdb
    # Killed once its rows are back, and again: the rest follows.
    BOSK_FAILPOINT_AT=mend.queue.restored:1 run_bosk verify --repair
    expect_status 137
    run_bosk verify --repair
    expect_status 0
    equal graph "$("$BOSK_BIN" queue dag QUE-1)" "$before"
    equal states "$(states QUE-1)" 'S-1=completed S-2=completed S-3=failed S-4=completed'
    run_bosk verify
    expect_status 0
}

@test "D4: rows of a queue that are missing, wrong or too many are found and put right" {
    queue_file QUE-1 null 'S-1' 'S-2 needs=S-1'
    run_bosk queue add "$ISSUES"
    before=$("$BOSK_BIN" queue show QUE-1 --json; "$BOSK_BIN" queue dag QUE-1)
    edit() { "$BOSK_TEST_STORE_EDIT" .git/bosk/store "$@"; }
    for change in 'del items QUE-1/000001/d' 'del items QUE-1/000002/s' 'raw items QUE-1/000001/s x' 'del items QUE-1+000001' \
        'raw items QUE-1=S-1 2' 'del items QUE-1=S-2' 'raw items QUE-1=S-9 1' 'raw items QUE-1/000003/d x' 'raw items QUE-9/000001/d x' \
        'del tasks QUE-1/000002/d' 'raw tasks QUE-1/000001/s x' 'del issues QUE-1/000001' 'raw issues QUE-1/000001 x' 'del queues QUE-1' \
        'set queues QUE-1 content 00' 'set items QUE-1+000002 needs -'; do
        # shellcheck disable=SC2086 # several words
        edit $change
        run_bosk verify
        [ "$status" = 1 ] || { echo "not found: $change" >&2 && false; }
        run_bosk verify --repair
        [ "$status" = 0 ] || { echo "not repaired: $change: $out $err" >&2 && false; }
        equal "after $change" "$("$BOSK_BIN" queue show QUE-1 --json; "$BOSK_BIN" queue dag QUE-1)" "$before"
    done
}

@test "a store of an earlier version, without the tables for items, goes on, and gets them with the next write" {
    echo '{"tasks": [{"id": "a", "run": "echo a >a"}]}' >"$SCRATCH/plan.json"
    run_bosk run "$SCRATCH/plan.json"
    expect_status 0
    "$BOSK_TEST_STORE_EDIT" .git/bosk/store drop items
    "$BOSK_TEST_STORE_EDIT" .git/bosk/store drop issues
    for words in status verify 'queue list' 'queue list --json'; do
        # shellcheck disable=SC2086 # several words
        run_bosk $words
        expect_status 0
    done
    run_bosk run "$SCRATCH/plan.json" --fresh
    expect_status 0
    queue_file QUE-1 null 'S-1'
    run_bosk queue add "$ISSUES"
    expect_status 0
    equal dag "$(FILTER=.ready dag)" '["S-1"]'
}

@test "D5: gc forgets the session that worked on a queue, and not the queue" {
    queue_file QUE-1 null 'S-1' 'S-2 status=completed'
    run_bosk run "$ISSUES" --executor "$AGENT" --land merge
    expect_status 0
    run_bosk queue remove QUE-1
    expect_status 5
    run_bosk gc --sessions --max-age 0s
    expect_status 0
    equal sessions "$(status_json '.sessions | length')" 0
    equal states "$(states QUE-1)" 'S-1=completed S-2=completed'
    run_bosk verify
    expect_status 0
    run_bosk queue remove QUE-1
    expect_status 0
    run_bosk verify
    expect_status 0
}
