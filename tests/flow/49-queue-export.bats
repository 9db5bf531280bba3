#!/usr/bin/env bats
# bosk queue export: a queue back into the files of the tool that made it; what has not changed stays byte for byte.
# shellcheck disable=SC2154,SC2016,SC2030,SC2031,SC2034,SC1010,SC2086 # variables of run_bosk; subshells; bosk done; words

load ../lib/flow
load ../lib/issues

setup() {
    flow_setup
    make_repo
    ISSUES=$SCRATCH/issues
    issues_folder "$ISSUES"
    cp -a "$ISSUES" "$SCRATCH/before"
    QUEUE=$ISSUES/queues/QUE-1.json
}
teardown() { flow_teardown; }

add() {
    run_bosk queue add "${1:-$QUEUE}"
    expect_status 0
}
# dialect: standard input becomes a queue that is added; its export is in $OUT.
dialect() {
    cat >"$ISSUES/queues/other.json"
    add "$ISSUES/queues/other.json"
    run_bosk queue export
    expect_status 0
}

@test "S2.17: the export of a queue that nobody has worked on is the file that was added, byte for byte" {
    add
    run_bosk queue export QUE-1
    expect_status 0
    cmp "$OUT" "$QUEUE"
    run_bosk queue export --out "$SCRATCH/copy.json"
    expect_status 0
    cmp "$SCRATCH/copy.json" "$QUEUE"
    run_bosk queue export --to "$ISSUES"
    expect_status 0
    expect_text 'nothing was written'
    diff -r "$SCRATCH/before" "$ISSUES"
    # Blanks, one line, a list of nothing, keys of all kinds.
    for text in '{"id":"QUE-7","status":"active","solutions":[{"item_id":"S-1","issue_id":"I"}]}' \
        $'\n{ "solutions" : [ {"item_id":"S-2","n":123456789012345678901234567890,"x":-0.0,"d":[[]],"item\\u005fx":null} ,\n\n\t{"item_id":"S-1"}\r\n ] , "id":"QUE-8","status":"active", "solution\\u0073x":[]}  \n'; do
        printf '%s' "$text" >"$ISSUES/queues/x.json"
        add "$ISSUES/queues/x.json"
        run_bosk queue export "$(jq -r .id "$ISSUES/queues/x.json")"
        cmp "$OUT" "$ISSUES/queues/x.json"
    done
}

@test "S2.17: statuses, results and times change in their place; numbers, escapes and order stay" {
    add
    run_bosk done S-1 --result '{"summary":"ok","n":98765432109876543210}'
    run_bosk done S-3 --fail --reason '{"task_id": "T1", "message": "no", "big": 12345678901234567890}'
    run_bosk retry S-3
    run_bosk next
    expect_status 0
    run_bosk queue export
    expect_status 0
    # What stayed: every line of before but those that changed.
    equal "lines lost" "$(diff <(sed 's/,$//' "$QUEUE") <(sed 's/,$//' "$OUT") | grep -c '^<')" 4
    grep -qF '"big": 9007199254740993, "esc": "caf\u00e9 \/ \ud83d\ude00", "empty": {}' "$OUT"
    expect_text '"semantic_priority": 0.50, "task_count": 2' "$OUT"
    expect_text '"n": 98765432109876543210' "$OUT"
    expect_text '"big": 12345678901234567890' "$OUT"
    equal order "$(jq -r '[.solutions[].item_id] | join(" ")' "$OUT")" 'S-1 S-4 S-2 S-3'
    jq -e '(.solutions | map({key: .item_id, value: .}) | from_entries) as $i | .status == "active" and
        $i["S-1"].status == "completed" and ($i["S-1"].completed_at | length) == 20 and $i["S-1"].result.summary == "ok" and
        $i["S-2"].status == "executing" and ($i["S-2"].started_at | length) == 20 and ($i["S-2"] | has("completed_at") | not) and
        $i["S-3"].status == "pending" and ($i["S-3"].failure_history | length) == 1 and
        ($i["S-3"] | has("failure_details") or has("result") or has("started_at") | not) and
        $i["S-4"] == {"item_id":"S-4","issue_id":"ISS-C","solution_id":"SOL-C-1","status":"pending","execution_order":4,
            "depends_on":[],"files_touched":["./a.c"],"execution_group":"P1"} and
        (._metadata | .pending_count == 2 and .completed_count == 1 and .version == "2.1" and .total_tasks == 4 and has("updated_at"))' "$OUT"
    # The dialect has no word for skipped: pending, behind one that failed.
    run_bosk queue add "$QUEUE" --as QUE-5
    run_bosk done QUE-5:S-1 --fail
    run_bosk queue export QUE-5
    equal S-2 "$(jq -r '.solutions[] | select(.item_id == "S-2") | .status' "$OUT")" pending
    equal id "$(jq -r .id "$OUT")" QUE-5
}

@test "S2.12, S2.17: into the folder: lines of other issues and bad ones stay, completed ones go to the history, the index keeps its own" {
    add
    run_bosk done S-2
    run_bosk done S-1 --fail --reason 'it broke'
    run_bosk queue export --to "$ISSUES"
    expect_status 0
    equal "issues" "$(jq -R -r 'fromjson? | .id + "=" + .status' "$ISSUES/issues.jsonl" | tr '\n' ' ')" 'ISS-A=queued ISS-X=registered ISS-C=queued '
    for line in 'this line is bad' '{"id":"ISS-X","title":"of nobody","status":"registered","odd":1.50}' '{"id":"ISS-C","title":"c","status":"queued"}'; do
        grep -qxF "$line" "$ISSUES/issues.jsonl"
    done
    equal "first line of the history" "$(head -n 1 "$ISSUES/issue-history.jsonl")" '{"id":"ISS-OLD","status":"completed","odd": 1e2}'
    grep -qE '^\{"id":"ISS-B", "title":"b","status":"completed","updated_at":"[0-9TZ:-]*","completed_at":"[0-9TZ:-]*"\}$' "$ISSUES/issue-history.jsonl"
    grep -F '"n":12345678901234567890' "$ISSUES/issues.jsonl" | jq -e '.feedback[0].content | fromjson | .message == "it broke" and .error_type == "execution_error"'
    jq -e '.active_queue_id == "QUE-1" and .active_queue_ids == ["QUE-0", "QUE-1"] and .active_queue_group == "g" and
        .queues[0] == {"id": "QUE-0", "status": "active", "priority": 5} and
        (.queues[1] | .priority == 3 and .queue_group == "g" and .completed_solutions == 1 and .total_solutions == 4 and
            .created_at == "20260127-030000" and .status == "active")' "$ISSUES/queues/index.json"
    expect_text '"note": 1.0' "$ISSUES/queues/index.json"
    expect_text '^    \{"id": "QUE-0", "status": "active", "priority": 5\},$' "$ISSUES/queues/index.json"
    cmp "$ISSUES/solutions/ISS-A.jsonl" "$SCRATCH/before/solutions/ISS-A.jsonl"
    # Again: nothing is doubled. To its end: no longer active, and the other one is.
    run_bosk queue export --to "$ISSUES"
    expect_text 'nothing was written'
    run_bosk retry S-1
    for id in S-1 S-3 S-4; do run_bosk done "$id"; expect_status 0; done
    run_bosk queue export --to "$ISSUES"
    expect_status 0
    equal "issues" "$(jq -R -r 'fromjson? | .id' "$ISSUES/issues.jsonl" | tr '\n' ' ')" 'ISS-X '
    equal "history" "$(jq -r .id "$ISSUES/issue-history.jsonl" | sort | tr '\n' ' ')" 'ISS-A ISS-B ISS-C ISS-OLD '
    jq -e '.active_queue_id == "QUE-0" and .active_queue_ids == ["QUE-0"] and
        (.queues[1] | .status == "completed" and .completed_solutions == 4 and (.completed_at | length) > 0)' "$ISSUES/queues/index.json"
    equal status "$(jq -r .status "$QUEUE")" completed
}

@test "S2.17: a file that somebody else changed is refused, links are not followed, and a new folder gets all of it" {
    add
    run_bosk done S-1
    sed -i 's/"name": "first"/"name": "mine"/' "$QUEUE"
    cp "$QUEUE" "$SCRATCH/mine"
    run_bosk queue export --to "$ISSUES"
    expect_status 1
    expect_text 'QUE-1.json was changed since queue QUE-1 was added'
    cmp "$QUEUE" "$SCRATCH/mine"
    cp "$SCRATCH/before/queues/QUE-1.json" "$QUEUE"
    mv "$ISSUES/issues.jsonl" "$SCRATCH/elsewhere"
    ln -s "$SCRATCH/elsewhere" "$ISSUES/issues.jsonl"
    cp "$SCRATCH/elsewhere" "$SCRATCH/elsewhere.before"
    run_bosk queue export --to "$ISSUES"
    expect_status 2
    cmp "$SCRATCH/elsewhere" "$SCRATCH/elsewhere.before"
    # What was exported may be written over, what ccw made of that may not.
    run_bosk done S-3
    rm "$ISSUES/issues.jsonl"
    run_bosk queue export --to "$ISSUES"
    expect_status 0
    equal S-3 "$(jq -r '.solutions[] | select(.item_id == "S-3") | .status' "$QUEUE")" completed
    run_bosk queue export --to "$SCRATCH/new"
    expect_status 0
    equal "issues" "$(jq -r .id "$SCRATCH/new/issues.jsonl" | sort | tr '\n' ' ')" 'ISS-B ISS-C '
    equal "history" "$(jq -r .id "$SCRATCH/new/issue-history.jsonl")" ISS-A
    equal "solutions" "$(jq -r .id "$SCRATCH"/new/solutions/*.jsonl | sort | tr '\n' ' ')" 'SOL-A-1 SOL-A-2 SOL-B-1 SOL-C-1 '
    jq -e '.active_queue_id == "QUE-1" and (.queues | length) == 1' "$SCRATCH/new/queues/index.json"
    equal "left over" "$(find "$SCRATCH/new" "$ISSUES" -name '*.bosk*')" ''
    # It can be added from there, and is the same.
    mkdir "$SCRATCH/again" && git -C "$SCRATCH/again" init -q
    run_bosk -C "$SCRATCH/again" queue add "$SCRATCH/new/queues/QUE-1.json"
    expect_status 0
    equal items "$("$BOSK_BIN" -C "$SCRATCH/again" queue dag | jq -c '[.nodes[] | [.id, .status, .ready]]')" \
        "$("$BOSK_BIN" queue dag | jq -c '[.nodes[] | [.id, .status, .ready]]')"
}

@test "S2.17: a line with a NUL byte stays as it is, and what is refused is before anything is written" {
    add
    printf 'a\0b \300\n{"id":"ISS-C","x":"\0"}\n' >>"$ISSUES/issues.jsonl"
    printf '{"id":"SOL-C-1","x":"\0"}\n' >"$ISSUES/solutions/ISS-C.jsonl"
    printf 'z\0' >>"$ISSUES/issue-history.jsonl"
    run_bosk done S-2
    # The last of all that is written cannot be.
    cp -a "$ISSUES" "$SCRATCH/now"
    echo no >"$ISSUES/queues/index.json"
    run_bosk queue export --to "$ISSUES"
    expect_status 2
    cp "$SCRATCH/now/queues/index.json" "$ISSUES/queues/index.json"
    diff -r "$SCRATCH/now" "$ISSUES"
    run_bosk queue export --to "$ISSUES"
    expect_status 0
    printf 'a\0b \300\n{"id":"ISS-C","x":"\0"}\n' >"$SCRATCH/tail"
    tail -n 2 "$ISSUES/issues.jsonl" | cmp - "$SCRATCH/tail"
    equal ids "$(grep -a -o '"ISS-[A-Z]*"' "$ISSUES/issues.jsonl" | tr '\n' ' ')" '"ISS-A" "ISS-X" "ISS-C" "ISS-C" '
    sed -n 2p "$ISSUES/issue-history.jsonl" | cmp - <(printf 'z\0\n')
    equal lines "$(wc -l <"$ISSUES/issue-history.jsonl")" 3
    # The bad line is no solution: the queue's own is behind it.
    head -n 1 "$ISSUES/solutions/ISS-C.jsonl" | cmp - <(printf '{"id":"SOL-C-1","x":"\0"}\n')
    equal lines "$(wc -l <"$ISSUES/solutions/ISS-C.jsonl")" 2
    equal status "$(jq -r '.solutions[] | select(.item_id == "S-2") | .status' "$QUEUE")" completed
    run_bosk queue export --to "$ISSUES"
    expect_text 'nothing was written'
}

@test "S2.17: a death at any moment of an export leaves whole files, and the next one ends it; one export at a time" {
    add
    run_bosk done S-2
    run_bosk done S-1 --fail
    cp -a "$ISSUES" "$SCRATCH/old"
    "$BOSK_BIN" queue export --to "$SCRATCH/new" >/dev/null
    # The queue's file, the history, the issues, the index: each time what is left.
    for point in queue.export.before:1 queue.export.after:1 queue.export.before:2 queue.export.before:2; do
        BOSK_FAILPOINT_AT=$point run_bosk queue export --to "$ISSUES"
        equal "status at $point" "$status" 137
        jq -e . "$ISSUES/queues/QUE-1.json" "$ISSUES/queues/index.json" >/dev/null
        for id in ISS-A ISS-B ISS-C ISS-X; do # in one of them, or in both
            cat "$ISSUES/issues.jsonl" "$ISSUES/issue-history.jsonl" | grep -qF "\"$id\""
        done
        grep -qxF 'this line is bad' "$ISSUES/issues.jsonl"
    done
    [ -e "$ISSUES/queues/index.json.bosk" ]
    exec {lock}>"$ISSUES/queues/index.json.bosk"
    flock "$lock"
    run_bosk queue export --to "$ISSUES"
    expect_status 5
    exec {lock}>&-
    run_bosk queue export --to "$ISSUES"
    expect_status 0
    equal "left over" "$(find "$ISSUES" -name '*.bosk*')" ''
    equal "history" "$(jq -r .id "$ISSUES/issue-history.jsonl" | tr '\n' ' ')" 'ISS-OLD ISS-B '
    equal "queue" "$(command jq -cS .solutions "$ISSUES/queues/QUE-1.json")" "$(command jq -cS .solutions "$SCRATCH/new/queues/QUE-1.json")"
}

@test "S2.17: what an export was cut off from writing, or began to write, is known to the next one, whatever was done between" {
    add
    for point in before after; do
        run_bosk done "$([ $point = before ] && echo S-1 || echo S-3)"
        BOSK_FAILPOINT_AT=queue.export.$point:1 run_bosk queue export --to "$ISSUES"
        equal "status at $point" "$status" 137
        run_bosk done "$([ $point = before ] && echo S-2 || echo S-4)"
        run_bosk queue export --to "$ISSUES"
        expect_status 0
    done
    equal status "$(jq -r .status "$QUEUE")" completed
    # A folder that was not exported to for a while.
    run_bosk queue remove QUE-1
    rm -r "$ISSUES" && cp -a "$SCRATCH/before" "$ISSUES"
    add
    for id in S-1 S-3; do
        run_bosk done $id
        for folder in "$ISSUES" "$SCRATCH/new"; do
            run_bosk queue export --to "$folder"
            expect_status 0
        done
    done
    # Beside the beginning of a session.
    run_bosk queue remove QUE-1
    cp "$SCRATCH/before/queues/QUE-1.json" "$QUEUE"
    add
    run_bosk done S-1 --fail
    run_bosk retry S-1
    write_agent <<<$'#!/bin/bash\ncat >/dev/null\necho x >$BOSK_TASK.txt'
    BOSK_FAILPOINT_AT=create.rows.before:1 BOSK_FAILPOINT_STOP=1 start_bosk run --queue QUE-1 --executor "$AGENT"
    wait_until 'grep -q "^State:.*stopped" "/proc/$bosk_pid/status"'
    OUT=$SCRATCH/out2 ERR=$SCRATCH/err2 run_bosk queue export --to "$ISSUES"
    expect_status 0
    cp "$QUEUE" "$SCRATCH/exported"
    kill -CONT "$bosk_pid"
    wait_bosk
    expect_status 0
    run_bosk queue export --to "$ISSUES"
    expect_status 0
    # One of before, and one that somebody else has changed.
    cp "$SCRATCH/exported" "$QUEUE"
    run_bosk queue export --to "$ISSUES"
    expect_status 0
    sed -i 's/"name": "first"/"name": "mine"/' "$QUEUE"
    run_bosk queue export --to "$ISSUES"
    expect_status 1
}

@test "S2.17: a line of an issue that was completed before stays in the history beside the new one" {
    add
    echo '{"id":"ISS-B","status":"completed","note":"the first time"}' >>"$ISSUES/issue-history.jsonl"
    run_bosk done S-1
    run_bosk done S-2
    # The history, and not yet the issues: it is not there twice.
    BOSK_FAILPOINT_AT=queue.export.after:2 run_bosk queue export --to "$ISSUES"
    equal status "$status" 137
    for _ in 1 2; do
        run_bosk queue export --to "$ISSUES"
        expect_status 0
        equal history "$(jq -c '[.id, .note, .title]' "$ISSUES/issue-history.jsonl" | tr '\n' ' ')" \
            '["ISS-OLD",null,null] ["ISS-B","the first time",null] ["ISS-B",null,"b"] '
        equal "left in issues" "$(grep -c ISS-B "$ISSUES/issues.jsonl")" 0
    done
}

@test "S2.17: links in the folder lead nowhere, and files that only have the name of a temporary one stay" {
    add
    run_bosk done S-1
    run_bosk done S-2
    for name in queues solutions; do
        mv "$ISSUES/$name" "$SCRATCH/elsewhere"
        cp -a "$SCRATCH/elsewhere" "$SCRATCH/elsewhere.before"
        ln -s "$SCRATCH/elsewhere" "$ISSUES/$name"
        run_bosk queue export --to "$ISSUES"
        expect_status 2
        expect_text "$ISSUES/$name is no folder, or a link to one"
        diff -r "$SCRATCH/elsewhere.before" "$SCRATCH/elsewhere"
        rm -r "$ISSUES/$name" "$SCRATCH/elsewhere.before" && mv "$SCRATCH/elsewhere" "$ISSUES/$name"
    done
    for name in queues/QUE-1.json.bosk issues.jsonl.bosk; do
        echo mine >"$ISSUES/$name"
        run_bosk queue export --to "$ISSUES"
        expect_status 2
        expect_text "$ISSUES/$name is in the way, and is not bosk's"
        equal "$name" "$(cat "$ISSUES/$name")" mine
        rm "$ISSUES/$name" && mkfifo "$ISSUES/$name"
        run_bosk queue export --to "$ISSUES"
        expect_status 2
        [ -p "$ISSUES/$name" ]
        rm "$ISSUES/$name"
    done
    mv "$ISSUES/issues.jsonl" "$SCRATCH/issues.jsonl" && mkfifo "$ISSUES/issues.jsonl"
    run_bosk queue export --to "$ISSUES"
    expect_status 2
    rm "$ISSUES/issues.jsonl" && mv "$SCRATCH/issues.jsonl" "$ISSUES/issues.jsonl"
    # The folder itself is whatever was named; the rights of its files stay, new ones are as the user has them.
    chmod 640 "$QUEUE"
    ln -s "$ISSUES" "$SCRATCH/link"
    (umask 027 && rm "$ISSUES/queues/index.json" && "$BOSK_BIN" queue export --to "$SCRATCH/link" 3>&-)
    equal rights "$(stat -c %a "$QUEUE" "$ISSUES/queues/index.json" | tr '\n' ' ')" '640 640 '
    equal S-1 "$(jq -r '.solutions[0].status' "$QUEUE")" completed
}

@test "S2.17: the files of a folder are of one moment, whatever is done while they are written" {
    add
    run_bosk done S-1
    BOSK_FAILPOINT_AT=queue.export.before:1 BOSK_FAILPOINT_STOP=1 start_bosk queue export --to "$ISSUES"
    wait_until 'grep -q "^State:.*stopped" "/proc/$bosk_pid/status"'
    for id in S-2 S-3 S-4; do
        OUT=$SCRATCH/out2 ERR=$SCRATCH/err2 run_bosk done $id
        expect_status 0
    done
    kill -CONT "$bosk_pid"
    wait_bosk
    expect_status 0
    equal queue "$(jq -r .status "$QUEUE")" active
    equal "ISS-B" "$(grep -c '"ISS-B".*"queued"' "$ISSUES/issues.jsonl")" 1
    jq -e '.queues[1] | .status == "active" and .completed_solutions == 1' "$ISSUES/queues/index.json"
    run_bosk queue export --to "$ISSUES"
    expect_status 0
    equal queue "$(jq -r .status "$QUEUE")" completed
    equal "ISS-B" "$(grep -c '"ISS-B".*"completed"' "$ISSUES/issue-history.jsonl")" 1
}

@test "S2.17: marks of byte order stay in front; what is no list in an index or among conflicts is not lost" {
    { printf '\xef\xbb\xbf' && sed 's/"title":"b"/&,"feedback":"by hand"/' "$SCRATCH/before/issues.jsonl"; } >"$ISSUES/issues.jsonl"
    sed -i '/"item_id": "S-3"/s/$/ "failure_history": {"n": 7},/' "$QUEUE"
    add
    run_bosk done S-1 --fail --reason no
    run_bosk queue export --to "$ISSUES"
    expect_status 0
    equal mark "$(head -c 3 "$ISSUES/issues.jsonl" | od -An -tx1)" ' ef bb bf'
    equal ISS-A "$(head -n 1 "$ISSUES/issues.jsonl" | tail -c +4 | jq -r '.id + " " + (.feedback[0].content | fromjson | .message)')" 'ISS-A no'
    run_bosk retry S-1
    run_bosk done S-3 --fail
    run_bosk retry S-3
    for id in S-1 S-3; do run_bosk done $id; done
    run_bosk queue export --to "$ISSUES"
    equal S-3 "$(jq -c '.solutions[3].failure_history | [.[0], (.[1] | keys)]' "$QUEUE")" '[{"n":7},["error_type","message","timestamp"]]'
    equal "two lines of the history" "$(jq -r .id "$ISSUES/issue-history.jsonl" | tr '\n' ' ')" 'ISS-OLD ISS-A '
    equal mark "$(head -c 3 "$ISSUES/issues.jsonl" | od -An -tx1)" ' ef bb bf'
    jq '.queues = {"QUE-1": "mine"}' "$SCRATCH/before/queues/index.json" >"$ISSUES/queues/index.json"
    cp "$ISSUES/queues/index.json" "$SCRATCH/index.json"
    run_bosk done S-2 --fail --reason no
    run_bosk queue export --to "$ISSUES"
    expect_status 2
    expect_text '"queues" of .*/index.json is no list'
    cmp "$ISSUES/queues/index.json" "$SCRATCH/index.json"
    cp "$SCRATCH/before/queues/index.json" "$ISSUES/queues/index.json"
    run_bosk queue export --to "$ISSUES"
    expect_status 0
    equal ISS-B "$(grep ISS-B "$ISSUES/issues.jsonl" | jq -c '[.feedback[0], (.feedback[1].content | fromjson | .message)]')" '["by hand","no"]'
    run_bosk queue remove QUE-1
    dialect <<'JSON'
{"id": "QUE-B", "status": "active", "solutions": [{"item_id": "S-1", "issue_id": "I", "solution_id": "SOL-1"}],
 "conflicts": {"total": 1.0, "file_conflicts": [{"file": "a", "solutions": ["SOL-1"]}], "why": {"n": 1e2}}}
JSON
    expect_text '"conflicts_other": \{"total":1.0,"why":\{"n":1e2\}\}' "$OUT"
    jq -e '.conflicts == [{"type": "file_conflict", "file": "a", "solutions": ["SOL-1"]}]' "$OUT"
    # An index that names the queue as the active one, and has no entry of it.
    sed 's/"active"/"completed"/; s/QUE-1/QUE-C/' "$SCRATCH/before/queues/QUE-1.json" >"$ISSUES/queues/QUE-C.json"
    add "$ISSUES/queues/QUE-C.json"
    echo '{"active_queue_id": "QUE-C", "active_queue_ids": "QUE-C", "queues": []}' >"$ISSUES/queues/index.json"
    run_bosk queue export QUE-C --to "$ISSUES"
    jq -e '.active_queue_id == "QUE-C" and .active_queue_ids == "QUE-C" and .queues[0].id == "QUE-C"' "$ISSUES/queues/index.json"
}

@test "S2.17: on a terminal an export drives nothing" {
    dialect <<<$'{"id": "QUE-T", "status": "active", "odd": "a\u202eb\xc2\x9b31m", "solutions": [{"item_id": "S-1", "issue_id": "I"}]}'
    grep -q $'\xc2\x9b31m' "$OUT"
    SHELL=/bin/sh timeout 60 script -qec "'$BOSK_BIN' queue export QUE-T" /dev/null >"$OUT" 2>"$ERR" </dev/null 3>&-
    expect_text 'QUE-T' "$OUT"
    ! grep -q $'\xc2\x9b' "$OUT"
}

@test "S2.17: the other dialects are exported as the newest one, with all they had" {
    dialect <<'JSON'
{"queue_id": "QUE-A", "status": "pending", "odd": 1.10, "items": [
  {"id": "S-1", "issue_id": "I", "dependencies": [], "priority": 0.90, "status": "pending"},
  {"id": "S-2", "issue_id": "I", "dependencies": ["S-1"], "priority": 0.5}]}
JSON
    command jq -e 'keys_unsorted == ["id", "queue_id", "status", "odd", "solutions"] and .id == "QUE-A" and .status == "active" and
        .solutions == [{"item_id": "S-1", "issue_id": "I", "depends_on": [], "priority": 0.9, "status": "pending"},
            {"item_id": "S-2", "issue_id": "I", "depends_on": ["S-1"], "priority": 0.5}]' "$OUT"
    expect_text '"odd": 1.10' "$OUT"
    run_bosk queue remove QUE-A
    dialect <<<'{"id": "QUE-A", "status": "active", "queue": [{"queue_id": "S-1", "issue_id": "I", "x": 1.50}], "solutions": []}'
    equal legacy "$out" '{"id": "QUE-A", "status": "active", "solutions": [{"item_id": "S-1", "issue_id": "I", "x": 1.50}]}'
    run_bosk queue remove QUE-A
    dialect <<'JSON'
{"id": "QUE-B", "status": "active", "solutions": [
  {"item_id": "S-1", "issue_id": "I", "solution_id": "SOL-1", "files_touched": ["a"], "depends_on": []},
  {"item_id": "S-2", "issue_id": "J", "solution_id": "SOL-2", "files_touched": ["a"], "depends_on": ["P1"]}],
 "execution_groups": [{"id": "P1", "type": "parallel", "items": ["S-1"], "x": 1.0}, {"id": "S1", "type": "sequential", "items": ["S-2"]}],
 "conflicts": {"file_conflicts": [{"file": "a", "solutions": ["SOL-1", "SOL-2"], "rationale": "r"}], "notes": []}}
JSON
    jq -e '.execution_groups[0] == {"id": "P1", "type": "parallel", "solutions": ["S-1"], "x": 1} and
        .solutions[1].depends_on == ["S-1"] and
        .conflicts == [{"type": "file_conflict", "file": "a", "solutions": ["SOL-1", "SOL-2"], "rationale": "r"}]' "$OUT"
}

@test "S2.17: an export of many groups and conflicts comes to its end" {
    jq -n '{id: "QUE-M", status: "active", solutions: [{item_id: "S-1", issue_id: "I", solution_id: "SOL-1"}],
        conflicts: {file_conflicts: [range(9000) | {file: "f\(.)", solutions: ["SOL-1"]}]},
        execution_groups: [range(9000) | {id: "P\(.)", type: "parallel", items: ["S-1"]}]}' \
        >"$ISSUES/queues/many.json"
    add "$ISSUES/queues/many.json"
    timeout 30 "$BOSK_BIN" queue export QUE-M >"$OUT" 3>&- # one by one it would take many times that
    equal many "$(jq -c '[(.conflicts | length), .conflicts[8999].type, .execution_groups[8999].solutions]' "$OUT")" \
        '[9000,"file_conflict",["S-1"]]'
}

@test "S2.17: what a session of bosk's did is told in the words of the dialect" {
    add
    write_agent <<'SH'
#!/bin/bash
cat >/dev/null
case $BOSK_TASK in
S-1) echo a >a.c; echo '{"summary": "made a", "tests_passed": true, "verification": {"n": 1.50, "by": ["hand"]}}' >"$BOSK_RESULT_FILE" ;;
S-2) exit 1 ;;
*) echo x >"$BOSK_TASK.txt" ;;
esac
SH
    before=$(date -u +%Y-%m-%dT%H:%M:%SZ)
    run_bosk run --queue QUE-1 --executor "$AGENT" -c retries=0
    expect_status 1
    run_bosk queue export QUE-1
    expect_status 0
    commit=$(status_json '.sessions[0].tasks[] | select(.id == "S-1") | .commit')
    jq -e --arg c "$commit" '(.solutions | map({key: .item_id, value: .}) | from_entries) as $i |
        ($i["S-1"] | .status == "completed" and (.completed_at | length) == 20 and .result.commit.hash == $c and
            .result.files_modified == ["a.c"] and .result.summary == "made a" and
            (.result.tasks_completed | map(.id)) == ["T1", "T2"] and .result.verification == {"n": 1.5, "by": ["hand"]} and
            (.result | has("tests_passed") | not)) and
        ($i["S-2"] | .status == "failed" and (.failure_details.message | length) > 0)' "$OUT"
    run_bosk queue export QUE-1 --format seed
    jq -e '[.solutions[] | select(.item_id == "S-1") | .result.tasks_completed] == [2]' "$OUT"
    run_bosk queue export QUE-1 --format nosuch
    expect_status 2
    # When that was: not before the run.
    run_bosk queue export QUE-1 --to "$SCRATCH/new"
    jq -e --arg t "$before" '._metadata.updated_at >= $t' "$SCRATCH/new/queues/QUE-1.json"
    run_bosk retry
    write_agent <<<$'#!/bin/bash\ncat >/dev/null\necho x >>$BOSK_TASK.txt'
    run_bosk resume
    expect_status 0
    run_bosk queue export QUE-1 --to "$SCRATCH/new"
    jq -e --arg t "$before" '.queues[0] | .status == "completed" and .completed_at >= $t' "$SCRATCH/new/queues/index.json"
}

@test "S2.17: the result of a session has the keys of the contract, with and without a description; numbers and time-outs stay" {
    cat >"$ISSUES/solutions/ISS-A.jsonl" <<'JSON'
{"id":"SOL-A-1","description":"Do A","tasks":[{"id":"T2","title":"two","scope":"ui","action":"Update","depends_on":["T 1"],"commit":{"type":"fix","scope":"core","breaking":true}},{"id":"T 1","title":"one","action":"Create"}]}
{"id":"SOL-A-2","tasks":[{"id":"T1"}]}
JSON
    sed -i 's/,"title":"c"//' "$ISSUES/issues.jsonl"
    sed -i 's/,"title":"one"//' "$ISSUES/solutions/ISS-C.jsonl"
    add
    commit_config <<<$'gates:\n  - {name: t, run: "[ ! -e S-3.txt ] || exec sleep 100", timeout: 300ms}'
    write_agent <<'SH'
#!/bin/bash
cat >/dev/null
[ $BOSK_TASK != S-1 ] || echo '{"n": [98765432109876543210, "98765432109876543210"]}' >"$BOSK_RESULT_FILE"
echo x >"$BOSK_TASK.txt"
SH
    run_bosk run --queue QUE-1 --executor "$AGENT" --jobs 3 -c retries=0
    expect_status 1
    run_bosk queue export QUE-1
    expect_status 0
    expect_text '98765432109876543210, *$|\[98765432109876543210,' "$OUT"
    jq -e '(.solutions | map({key: .item_id, value: .}) | from_entries) as $i |
        ($i["S-1"].result | .n[1] == "98765432109876543210" and (.n[0] | type) == "number" and .summary == "fix(core)!: Do A" and
            (.commit | .type == "fix" and .scope == "core" and .message == "fix(core)!: Do A") and
            .tasks_completed[1] == {"id": "T2", "title": "two", "action": "Update", "scope": "ui"} and
            .tasks_completed[0] == {"id": "T2-2", "title": "one", "action": "Create", "scope": ""}) and
        ($i["S-4"].result | (.summary | length) > 0 and .commit.message == .summary) and
        ($i["S-3"] | .failure_details.error_type == "timeout" and .failure_reason == .failure_details.message)' "$OUT"
    # Of who says why in an object, the words of that.
    run_bosk queue add "$QUEUE" --as QUE-2
    run_bosk done QUE-2:S-1 --fail --reason '{"message": {"a": 1}}'
    run_bosk queue export QUE-2
    jq -e '.solutions[0] | .failure_reason == "{\"a\":1}" and .failure_details.message == {"a": 1}' "$OUT"
}

@test "names of nothing are refused by queue export; a queue was made when its index says" {
    add
    sed 's/"QUE-1"/"QUE-2"/' "$QUEUE" >"$ISSUES/queues/other.json"
    add "$ISSUES/queues/other.json"
    run_bosk queue list --json
    jq -e '(.queues | map({key: .id, value: .created_at}) | from_entries) as $at |
        $at["QUE-1"] == "20260127-030000" and ($at["QUE-2"] | test("^20.*T.*Z$"))' "$OUT"
    run_bosk queue export --out ''
    expect_status 2
    expect_text '--out .*empty'
    run_bosk queue export --to ''
    expect_status 2
    expect_text '--to .*empty'
}

@test "S2.12, S2.17: failures of a session, in the words of who failed, stay known when they are done again" {
    add
    commit_config <<<$'gates:\n  - {name: t, run: "[ ! -e S-1.txt ]"}'
    write_agent <<'SH'
#!/bin/bash
cat >/dev/null
case $BOSK_TASK in
S-1) echo '{"task_id": "T2", "error_type": "build_error", "message": "no compiler", "files_attempted": ["a.c"], "n": 1.50}' >"$BOSK_RESULT_FILE" ;;
S-3) exec sleep 100 ;;
S-4) echo '{"status": "failed", "reason": "too hard"}' >"$BOSK_RESULT_FILE" ;;
esac
echo x >"$BOSK_TASK.txt"
SH
    run_bosk run --queue QUE-1 --executor "$AGENT" --jobs 3 -c retries=0 -c silence=1s
    expect_status 1
    run_bosk queue export QUE-1
    expect_status 0
    jq -e '(.solutions | map({key: .item_id, value: .failure_details}) | from_entries) as $i |
        ($i["S-1"] | del(.timestamp)) == {"task_id": "T2", "error_type": "build_error", "message": "no compiler",
            "files_attempted": ["a.c"], "n": 1.5} and
        ($i["S-3"] | .error_type == "timeout" and (.message | length) > 0) and
        ($i["S-4"] | .error_type == "execution_error" and .message == "too hard") and
        ([.solutions[].failure_details | select(.).timestamp | length] | unique) == [20]' "$OUT"
    run_bosk queue export QUE-1 --to "$SCRATCH/new"
    run_bosk retry
    expect_status 0
    expect_text 'S-2' "$OUT" # it was skipped
    run_bosk queue export QUE-1
    jq -e '[.solutions[] | [.item_id, .status, (.failure_history | length), .failure_history[0].message]] as $i |
        $i[0] == ["S-1", "pending", 1, "no compiler"] and $i[1] == ["S-4", "pending", 1, "too hard"] and
        $i[2] == ["S-2", "pending", 0, null] and $i[3][:3] == ["S-3", "pending", 1]' "$OUT"
    # A red gate the second time; what was known stays.
    write_agent <<<$'#!/bin/bash\ncat >/dev/null\necho x >$BOSK_TASK.txt'
    run_bosk resume
    expect_status 1
    run_bosk queue export QUE-1
    jq -e '.solutions[0] | .status == "failed" and .failure_details.error_type == "test_failure" and
        [.failure_history[].error_type] == ["build_error"]' "$OUT"
    jq -e '.solutions[3].result.tests_passed' "$OUT"
    run_bosk retry
    run_bosk queue export QUE-1
    jq -e '[.solutions[0].failure_history[].error_type] == ["build_error", "test_failure"]' "$OUT"
    # So do the issues, each once, also those that were exported between.
    for _ in 1 2; do
        run_bosk queue export QUE-1 --to "$SCRATCH/new"
        expect_status 0
    done
    equal feedback "$(jq -c 'select(.id == "ISS-A") | [.status, (.feedback[].content | fromjson | .item_id + " " + .error_type)]' \
        "$SCRATCH/new/issues.jsonl")" '["queued","S-1 build_error","S-3 timeout","S-1 test_failure"]'
    # A new session of the queue does again what the last one has failed with.
    run_bosk resume
    expect_status 1
    run_bosk run --queue QUE-1 --executor "$AGENT" -c retries=0
    expect_status 1
    run_bosk queue export QUE-1
    jq -e '[.solutions[0] | .failure_history[].error_type, .failure_details.error_type] ==
        ["build_error", "test_failure", "test_failure", "test_failure"]' "$OUT"
}

@test "S2.17: an export while a session works on the queue does not stand in the way of the next one" {
    add
    write_agent <<SH
#!/bin/bash
cat >/dev/null
"$BOSK_BIN" -C "$REPO" queue export QUE-1 --to "$ISSUES" >"$SCRATCH/said" 2>&1 || touch "$SCRATCH/refused"
echo x >\$BOSK_TASK.txt
SH
    run_bosk run --queue QUE-1 --executor "$AGENT" --jobs 1
    expect_status 0
    [ -s "$SCRATCH/said" ]
    [ ! -e "$SCRATCH/refused" ]
    run_bosk queue export QUE-1 --to "$ISSUES"
    expect_status 0
    equal status "$(jq -r .status "$QUEUE")" completed
}

@test "S2.17: an export of a queue that nobody has worked on leaves the index as it is, whatever its status" {
    for is in active completed failed archived pending; do
        sed "0,/\"active\"/s//\"$is\"/; s/QUE-1/Q-$is/" "$SCRATCH/before/queues/QUE-1.json" >"$ISSUES/queues/Q-$is.json"
        for said in active completed; do # as the index has it
            jq --arg id "Q-$is" --arg s "$said" '.active_queue_id = $id | .active_queue_ids = [$id] |
                .queues = [{id: $id, status: $s}]' "$SCRATCH/before/queues/index.json" >"$ISSUES/queues/index.json"
            add "$ISSUES/queues/Q-$is.json"
            cp "$ISSUES/queues/index.json" "$SCRATCH/index"
            run_bosk queue export "Q-$is" --to "$ISSUES"
            expect_status 0
            cmp "$ISSUES/queues/index.json" "$SCRATCH/index"
        done
    done
}

@test "a name is one line of queue list and queue show, whatever is in it" {
    sed 's/"name": "first"/"name": "first\\nQUE-9  active \\u202eb\\u200b\\u200d"/' "$QUEUE" >"$ISSUES/queues/odd"$'\n'"name.json"
    add "$ISSUES/queues/odd"$'\n'"name.json"
    run_bosk queue list
    equal lines "$(wc -l <"$OUT")" 1
    grep -qF 'first\x0aQUE-9  active \u202eb\u200b\u200d' "$OUT"
    run_bosk queue show
    grep -qF 'odd\x0aname.json' "$OUT"
}

@test "a session on the queue holds off next, done and retry while it lives or can go on; a claim holds off the run" {
    add
    write_agent <<SH
#!/bin/bash
touch "$SCRATCH/at-\$BOSK_TASK"
until [ -e "$SCRATCH/go" ]; do sleep 0.05; done
echo x >\$BOSK_TASK.txt
SH
    start_bosk run --queue QUE-1 --executor "$AGENT" --jobs 1
    wait_until '[ -e "$SCRATCH/at-S-1" ]'
    for words in next 'next QUE-1:S-3' 'done S-3' 'retry --queue QUE-1'; do
        OUT=$SCRATCH/out2 ERR=$SCRATCH/err2 run_bosk $words
        equal "status of $words" "$status" 5
        expect_text "session $(last_sid) works on queue QUE-1" "$SCRATCH/err2"
    done
    kill -KILL "$bosk_pid"
    wait_bosk
    wait_until '[ -z "$(processes_of_test)" ]'
    run_bosk next
    expect_status 5
    expect_text 'can go on: bosk resume'
    touch "$SCRATCH/go"
    run_bosk resume
    expect_status 0
    # The other way round.
    sed 's/"QUE-1"/"QUE-2"/' "$SCRATCH/before/queues/QUE-1.json" >"$ISSUES/queues/QUE-2.json"
    add "$ISSUES/queues/QUE-2.json"
    "$BOSK_BIN" next --queue QUE-2 >/dev/null 2>&1 3>&-
    run_bosk run --queue QUE-2 --executor "$AGENT"
    expect_status 5
    expect_text 'somebody works on item S-1 \(process [0-9]+'
}
