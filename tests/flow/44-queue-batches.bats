#!/usr/bin/env bats
# Queues of solutions over time: who runs beside whom, what comes after what, and what an interruption leaves.
# shellcheck disable=SC2154,SC2030,SC2031 # variables set by run_bosk; tests are subshells

load ../lib/flow
load ../lib/issues
load ../lib/queue

setup() {
    flow_setup
    make_repo
    LINES_OF=$SCRATCH/lines
    export LINES_OF SCRATCH
}
teardown() { flow_teardown; }

# An agent that notes when it begins and ends, and makes a file of the item's name.
noting_agent() {
    write_agent <<'SH'
#!/bin/bash
echo "begin $BOSK_TASK" >>"$LINES_OF"
[ ! -e "$SCRATCH/$BOSK_TASK.does" ] || . "$SCRATCH/$BOSK_TASK.does"
ls >"$BOSK_TASK.txt"
echo "end $BOSK_TASK" >>"$LINES_OF"
SH
}

# most_at_once: by the notes.
most_at_once() { awk '/^begin/ { if (++n > most) most = n } /^end/ { n-- } END { print most }' "$LINES_OF"; }

@test "S2.3: items run side by side as the graph allows, but never more than --jobs" {
    noting_agent
    small_queue "$SCRATCH/q.json" S-1 S-2 S-3 S-4
    # Both wait for each other: only side by side can they end.
    for id in 1 2; do
        echo "touch \"\$SCRATCH/here-$id\"; for i in {1..600}; do [ -e \"\$SCRATCH/here-$((3 - id))\" ] && break; sleep 0.05; done; [ \$i -lt 600 ]" \
            >"$SCRATCH/S-$id.does"
    done
    run_bosk run "$SCRATCH/q.json" --executor "$AGENT" --jobs 2
    expect_status 0
    equal "at once" "$(most_at_once)" 2
}

@test "S2.4: items that share files never run at once, in their order; a failed one lets the next begin" {
    noting_agent
    small_queue "$SCRATCH/q.json" S-1::src/a.c S-2:S-1:src/ S-3::other S-3b:::S-3
    # It ends when one that waits for another has begun: whatever may run beside it has by then.
    echo 'for i in {1..600}; do grep -q "begin S-3b" "$LINES_OF" && break; sleep 0.05; done; [ $i -lt 600 ] || echo late >>"$LINES_OF"
        cp "$LINES_OF" "$SCRATCH/at-its-end"; exit 1' >"$SCRATCH/S-1.does"
    run_bosk run "$SCRATCH/q.json" --executor "$AGENT" --jobs 3 -c retries=0
    expect_status 1
    equal "S-1" "$(status_json '.sessions[0].tasks[0].state')" failed
    equal "S-2" "$(status_json '.sessions[0].tasks[1].state')" integrated
    equal order "$(grep -v S-3 "$LINES_OF" | xargs)" 'begin S-1 begin S-2 end S-2'
    equal "when the first ended" "$(grep -v S-3 "$SCRATCH/at-its-end")" 'begin S-1'
}

@test "S2.5: a batch ends and the next begins without a human, on what was integrated" {
    noting_agent
    small_queue "$SCRATCH/q.json" S-1 S-2 S-3:::S-1,S-2 S-4:S-3
    run_bosk plan "$SCRATCH/q.json"
    grep -qx 'Batch 1: S-1, S-2' "$OUT"
    grep -qx 'Batch 2: S-3' "$OUT"
    grep -qx 'Batch 3: S-4' "$OUT"
    run_bosk run "$SCRATCH/q.json" --executor "$AGENT" --jobs 2
    expect_status 0
    equal ends "$(grep -c '^end' "$LINES_OF")" 4
    equal "the third after both" "$(grep -n 'begin S-3' "$LINES_OF" | cut -d: -f1)" 5
    equal "the last after the third" "$(grep -n 'begin S-4' "$LINES_OF" | cut -d: -f1)" 7
    expect_text 'batch 1 is over: 2 of 2 integrated'
    equal "what it found" "$(git show "integration-$(last_sid):S-3.txt" | xargs)" 'README.md S-1.txt S-2.txt S-3.txt'
}

@test "S2.6: a dry run prints the batches and changes nothing" {
    small_queue "$SCRATCH/q.json" S-1 S-2 S-3:::S-1
    before=$(checkout_stamp) refs=$(git for-each-ref)
    run_bosk run --dry-run "$SCRATCH/q.json"
    expect_status 0
    grep -qx 'Batch 1: S-1, S-2' "$OUT"
    grep -qx 'Batch 2: S-3' "$OUT"
    equal checkout "$(checkout_stamp)" "$before"
    equal refs "$(git for-each-ref)" "$refs"
    [ ! -e .git/bosk ]
}

@test "S2.7: a new worktree: its branch has the item's id and the session's; two runs never meet" {
    noting_agent
    small_queue "$SCRATCH/q.json" S-1
    echo 'git branch --show-current >>"$SCRATCH/branches"; pwd >>"$SCRATCH/paths"' >"$SCRATCH/S-1.does"
    for run in 1 2; do
        run_bosk run "$SCRATCH/q.json" --fresh --executor "$AGENT" -c "branch=bosk/{session}/{task}"
        expect_status 0
    done
    grep -qE '^bosk/[0-9a-f]{6}/S-1$' "$SCRATCH/branches"
    equal branches "$(sort -u "$SCRATCH/branches" | wc -l)" 2
    equal paths "$(sort -u "$SCRATCH/paths" | wc -l)" 2
}

@test "S2.7: --worktree PATH: an existing worktree of this repository, for one item, looked at first and never removed" {
    noting_agent
    small_queue "$SCRATCH/q.json" S-1
    git worktree add -q "$SCRATCH/mine" -b mine
    git init -q "$SCRATCH/foreign"
    for wrong in "$SCRATCH/foreign" "$SCRATCH/nothing" "$REPO"; do
        run_bosk run "$SCRATCH/q.json" --executor "$AGENT" --worktree "$wrong"
        expect_status 2
    done
    [ ! -e "$LINES_OF" ]
    run_bosk run "$SCRATCH/q.json" --executor "$AGENT" --worktree "$SCRATCH/mine"
    expect_status 0
    [ -d "$SCRATCH/mine" ]
    equal HEAD "$(git -C "$SCRATCH/mine" branch --show-current)" mine
    small_queue "$SCRATCH/two.json" S-1 S-2
    run_bosk run "$SCRATCH/two.json" --executor "$AGENT" --worktree "$SCRATCH/mine"
    expect_status 2
    expect_text 'for one task, and this plan has 2'
}

@test "S2.7: --worktree PATH for a queue of the store: of which one item is left" {
    noting_agent
    queue_file "$SCRATCH/issues" S-1:completed S-2:pending S-3:pending:S-2
    git worktree add -q "$SCRATCH/mine" -b mine
    run_bosk queue add "$SCRATCH/issues"
    expect_status 0
    run_bosk run --queue QUE-20260101-000000 --executor "$AGENT" --worktree "$SCRATCH/mine"
    expect_status 2
    expect_text 'for one task, and this plan has 2'
    [ ! -e "$LINES_OF" ]
    run_bosk next
    run_bosk done S-2 --claim "$(jq -r .claim "$OUT")"
    expect_status 0
    echo 'pwd >"$SCRATCH/where"; exit "$(cat "$SCRATCH/exit")"' >"$SCRATCH/S-3.does"
    echo 1 >"$SCRATCH/exit"
    run_bosk run --queue QUE-20260101-000000 --executor "$AGENT" --worktree "$SCRATCH/mine" -c retries=0
    expect_status 1
    equal where "$(cat "$SCRATCH/where")" "$SCRATCH/mine"
    echo 'pwd >"$SCRATCH/where"' >"$SCRATCH/S-3.does"
    rm "$SCRATCH/where"
    run_bosk run --executor "$AGENT" --queue QUE-20260101-000000 --worktree "$SCRATCH/mine"
    expect_status 0
    equal where "$(cat "$SCRATCH/where")" "$SCRATCH/mine"
}

@test "S2.9: an interrupted worker: its worktree may go, its branch stays with what it did" {
    noting_agent
    small_queue "$SCRATCH/q.json" S-1
    echo 'echo half >half.txt; [ -e "$SCRATCH/go" ] || { touch "$SCRATCH/began"; sleep 600; }' >"$SCRATCH/S-1.does"
    start_bosk run "$SCRATCH/q.json" --executor "$AGENT"
    wait_until "[ -e '$SCRATCH/began' ]"
    run_bosk stop --now
    wait_bosk
    sid=$(last_sid)
    branch=$(status_json '.sessions[0].tasks[0].kept')
    equal branch "$branch" "bosk/$sid/S-1"
    equal work "$(git show "$branch:half.txt")" half
    touch "$SCRATCH/go"
    run_bosk resume --agent cloude
    expect_status 2
    run_bosk resume --agent gemini
    expect_status 0
    equal agent "$(status_json '.sessions[0].tasks[0].agent')" gemini
    equal S-1 "$(status_json '.sessions[0].tasks[0].state')" integrated
}

@test "what somebody else works on is left alone, with what needs it and what shares its files; the rest is done" {
    noting_agent
    queue_file "$SCRATCH/issues" S-1:executing::src/a.c S-2:pending:S-1 S-3:pending::src/ S-4:pending::other
    run_bosk plan "$SCRATCH/issues/queues/q.json"
    expect_status 0
    grep -qx 'Batch 1: S-3, S-4' "$OUT"
    run_bosk run "$SCRATCH/issues/queues/q.json" --executor "$AGENT"
    expect_status 1
    equal notes "$(xargs <"$LINES_OF")" 'begin S-4 end S-4'
    expect_text 'S-3 .*pending.*it comes after S-1, which somebody else works on'
    equal states "$(status_json '[.sessions[0].tasks[].state] | join(" ")')" 'running pending pending integrated'
    equal session "$(status_json '.sessions[0].state')" failed
    equal S-2 "$(status_json '.sessions[0].tasks[1].reason')" 'it needs S-1, which somebody else works on'
    run_bosk status "$(last_sid)"
    expect_text 'S-1 .*running .*somebody else works on it' "$OUT"
    run_bosk report
    expect_text '^      it comes after S-1, which somebody else works on$' "$OUT"
    expect_text '^      somebody else works on it$' "$OUT"
    run_bosk resume "$(last_sid)"
    expect_status 1
    expect_text 'nothing to resume'
    # Once the others have done it, what needs it is next.
    ask "done" S-1
    expect_status 0
    ask next
    expect_status 0
    equal next "$(jq -r .item_id "$OUT")" S-2
}

@test "S2.5: what needs an item that is executing elsewhere runs once that one is done again" {
    noting_agent
    queue_file "$SCRATCH/issues" S-1:executing S-2:pending:S-1 S-3:pending:S-2 S-4:pending
    run_bosk plan "$SCRATCH/issues/queues/q.json" --json
    equal states "$(jq -c '[.tasks[].state]' "$OUT")" '["running","pending","pending","pending"]'
    equal batches "$(jq -c .waves "$OUT")" '[["S-4"]]'
    run_bosk run "$SCRATCH/issues/queues/q.json" --executor "$AGENT"
    expect_status 1
    equal states "$(status_json '[.sessions[0].tasks[].state] | join(" ")')" 'running pending pending integrated'
    run_bosk retry S-1
    expect_status 0
    run_bosk run --queue QUE-20260101-000000 --executor "$AGENT"
    expect_status 0
    equal began "$(grep ^begin "$LINES_OF" | xargs)" 'begin S-4 begin S-1 begin S-2 begin S-3'
}

@test "nothing is ready: each waiting item and what is in its way are named, and nothing is started" {
    noting_agent
    queue_file "$SCRATCH/issues" S-1:executing::src/a.c S-2:pending:S-1 S-3:pending::src/ S-4:failed S-5:pending:S-4
    run_bosk run "$SCRATCH/issues/queues/q.json" --executor "$AGENT"
    expect_status 1
    expect_text 'S-2 waits: it needs S-1, which somebody else works on'
    expect_text 'S-3 waits: it comes after S-1, which somebody else works on'
    expect_text 'S-5 waits: it needs S-4, which is failed'
    [ ! -e "$LINES_OF" ]
    equal sessions "$(status_json '.sessions | length')" 0
}

@test "S2.6: batches are those of what is left" {
    queue_file "$SCRATCH/issues" S-1:completed S-2:pending:S-1 S-3:failed S-4:pending:S-3 S-5:pending:S-2 S-6:pending::S-6.txt
    run_bosk plan "$SCRATCH/issues/queues/q.json"
    expect_status 0
    grep -qx 'Batch 1: S-2, S-6' "$OUT"
    grep -qx 'Batch 2: S-5' "$OUT"
    equal states "$(sed -n 's/^  state   //p' "$OUT" | xargs)" 'completed failed skipped'
    refute grep -q '^Batch 3' "$OUT"
    run_bosk plan "$SCRATCH/issues/queues/q.json" --json
    jq -e '.waves == [["S-2", "S-6"], ["S-5"]]' "$OUT"
    jq -e '[.tasks[].state] == ["integrated", "pending", "failed", "skipped", "pending", "pending"]' "$OUT"
}

@test "an item that cannot be run: it stays pending with the reason, what needs it is skipped, the others are done" {
    noting_agent
    # S-4 and S-5 are in a conflict that nobody has decided; S-6 only comes after S-2.
    queue_file "$SCRATCH/issues" S-1:pending S-2:pending::src/a.c S-3:pending:S-2 S-4:pending S-5:pending S-6:pending::src/
    rm "$SCRATCH/issues/solutions/ISS-S-2.jsonl"
    file=$SCRATCH/issues/queues/q.json
    jq '.conflicts = [{id: "CFT-1", severity: "high", solutions: ["S-4", "S-5"], resolved: false}]' "$file" >"$file.new"
    mv "$file.new" "$file"
    run_bosk plan "$file"
    expect_status 0
    expect_text '^Batch 1: S-1, S-6$' "$OUT"
    refute grep -q '^Batch 2' "$OUT"
    equal missing "$(grep -c '^  missing' "$OUT")" 3
    run_bosk queue add "$file"
    expect_status 0
    expect_text 'S-2 cannot be run: '
    expect_text 'S-4 cannot be run: conflict CFT-1'
    run_bosk run "$file" --executor "$AGENT" --jobs 1
    expect_status 1
    equal notes "$(xargs <"$LINES_OF")" 'begin S-1 end S-1 begin S-6 end S-6'
    expect_text 'S-2 .*pending.*it cannot be run: '
    sid=$(last_sid)
    equal states "$(status_json '[.sessions[0].tasks[].state] | join(" ")')" 'integrated pending skipped pending pending integrated'
    equal S-3 "$(status_json '.sessions[0].tasks[2].reason')" 'it needs S-2, which cannot be run'
    equal session "$(status_json '.sessions[0].state')" failed
    # Nothing else can be run now: said, and no session begins.
    run_bosk run --queue QUE-20260101-000000 --executor "$AGENT"
    expect_status 1
    expect_text 'S-2 waits: it cannot be run: '
    expect_text 'S-5 waits: it cannot be run: conflict CFT-1'
    equal newest "$(last_sid)" "$sid"
}

@test "only items that cannot be run: named before anything is started" {
    noting_agent
    queue_file "$SCRATCH/issues" S-1:pending S-2:pending:S-1
    rm "$SCRATCH/issues/solutions/ISS-S-1.jsonl"
    run_bosk run "$SCRATCH/issues/queues/q.json" --executor "$AGENT"
    expect_status 1
    expect_text 'S-1 waits: it cannot be run: '
    expect_text 'S-2 waits: it needs S-1'
    equal sessions "$(status_json '.sessions | length')" 0
}

@test "S2.6: a stored queue, too, is shown before it is run, in the states that its items are in" {
    noting_agent
    queue_file "$SCRATCH/issues" S-1:pending S-2:pending:S-1 S-3:pending
    run_bosk plan
    expect_status 2
    run_bosk plan --queue QUE-20260101-000000
    expect_status 2
    expect_text 'there is no queue QUE-20260101-000000'
    run_bosk queue add "$SCRATCH/issues"
    echo 'exit 1' >"$SCRATCH/S-3.does"
    for how in "plan --queue QUE-20260101-000000" "run --queue QUE-20260101-000000 --dry-run" "run --dry-run"; do
        # shellcheck disable=SC2086 # words
        run_bosk $how
        expect_status 0
        expect_text '^Batch 1: S-1, S-3$' "$OUT"
        expect_text '^Batch 2: S-2$' "$OUT"
    done
    equal sessions "$(status_json '.sessions | length')" 0
    run_bosk run --queue QUE-20260101-000000 --executor "$AGENT" -c retries=0
    expect_status 1
    run_bosk plan --queue QUE-20260101-000000 --json
    expect_status 0
    equal states "$(jq -c '[.tasks[].state]' "$OUT")" '["integrated","integrated","pending"]'
    equal batches "$(jq -c .waves "$OUT")" '[["S-3"]]'
}

@test "a run where somebody else works on everything names the items" {
    noting_agent
    queue_file "$SCRATCH/issues" S-1:executing S-2:executing
    run_bosk run "$SCRATCH/issues/queues/q.json" --executor "$AGENT"
    expect_status 1
    expect_text 'S-1: somebody else works on it'
    expect_text 'S-2: somebody else works on it'
    # Without a plan its queue is named.
    run_bosk run --executor "$AGENT"
    expect_status 2
    expect_text 'queue QUE-20260101-000000 has 2 items left, of which none is ready'
}

@test "--fresh starts a known queue over, under a new id" {
    noting_agent
    queue_file "$SCRATCH/issues" S-1:pending
    for run in 1 2 3; do
        run_bosk run --fresh "$SCRATCH/issues/queues/q.json" --executor "$AGENT"
        expect_status 0
    done
    equal runs "$(grep -c '^begin S-1' "$LINES_OF")" 3
    run_bosk queue list
    equal ids "$(cut -d' ' -f1 "$OUT" | xargs)" 'QUE-20260101-000000 QUE-20260101-000000-2 QUE-20260101-000000-3'
}

@test "S2.8: at the end: the branch is kept or merged, into a clean checkout only; else it is kept, and nothing is forced" {
    noting_agent
    small_queue "$SCRATCH/q.json" S-1 S-2:S-1
    base=$(git rev-parse HEAD)
    run_bosk run "$SCRATCH/q.json" --executor "$AGENT" --land keep
    expect_status 0
    equal "kept: main" "$(git rev-parse main)" "$base"
    git cat-file -e "integration-$(last_sid):S-2.txt"

    echo mine >README.md
    snapshot_checkout "$REPO" >"$SCRATCH/before"
    run_bosk run "$SCRATCH/q.json" --fresh --executor "$AGENT" --land merge
    expect_status 1
    snapshot_checkout "$REPO" >"$SCRATCH/after"
    assert_same_snapshot "$SCRATCH/before" "$SCRATCH/after"
    grep -q 'not landed: .* has uncommitted changes' "$ERR"
    sid=$(last_sid)
    git cat-file -e "refs/bosk/int/$sid:S-2.txt"
    equal "items" "$(status_json '[.sessions[] | select(.id == "'"$sid"'") | .tasks[].state] | unique | join(" ")')" integrated

    git checkout -q README.md
    run_bosk land --merge "$sid"
    expect_status 0
    equal "landed" "$(git ls-tree --name-only main | grep -c '^S-[12].txt$')" 2
    equal "status" "$(git status --porcelain)" ''
}

@test "the report tells what others did of the queue, and claims nothing for them" {
    noting_agent
    queue_file "$SCRATCH/issues" S-1:pending S-2:pending
    for id in 1 2; do
        jq -c '.tasks[0].convergence = {criteria: ["It reads well"]}' "$SCRATCH/issues/solutions/ISS-S-$id.jsonl" >"$SCRATCH/line"
        mv "$SCRATCH/line" "$SCRATCH/issues/solutions/ISS-S-$id.jsonl"
    done
    run_bosk queue add "$SCRATCH/issues/queues/q.json"
    expect_status 0
    run_bosk "done" S-1
    expect_status 0
    run_bosk run --queue QUE-20260101-000000 --executor "$AGENT"
    expect_status 0
    run_bosk report
    grep -A1 -x elsewhere "$OUT" | grep -qx '  S-1  completed, but not by bosk'
    grep -qx '  S-2 T1: It reads well' "$OUT"
    refute grep -q '^  S-1 T' "$OUT"
}
