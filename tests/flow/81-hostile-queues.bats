#!/usr/bin/env bats
# Queues of solutions that are broken, huge or malicious: case -> what is said -> exit code. After each nothing has been
# started: not one byte of the repository, of its git folder or beside it has changed.
# shellcheck disable=SC2154,SC2016 # variables set by run_bosk; texts that only look like code

load ../lib/flow
load ../lib/hostile

setup() {
    flow_setup
    make_repo a.txt
}
teardown() { flow_teardown; }

fresh() {
    rm -rf "$SCRATCH/store" && mkdir -p "$SCRATCH/store/solutions"
    PLAN=$SCRATCH/store/bad.json && remember
}
nothing_started() {
    no_session
    [ ! -e "$SCRATCH/pwned" ] && [ ! -e "$REPO/pwned" ]
}

# A queue of these items, JSON texts without their id and braces; and more members of the queue.
items() {
    local i=0 item
    {
        printf '{"id":"QUE-1",%s"solutions":[' "${more:-}"
        for item in "$@"; do
            i=$((i + 1))
            [ "$i" = 1 ] || printf ',\n'
            printf '{"item_id":"S-%d","solution":{"id":"SOL-%d","tasks":[{"id":"T1","title":"x"}]}%s}' "$i" "$i" "${item:+,$item}"
        done
        printf ']}\n'
    } >"$PLAN"
}
make_item() { items '' "$1"; }
make_items() { items "$@"; }
make_with() { more=$1 items '' ''; }
make_text() { printf '%b' "$1" >"$PLAN"; }
make_no_solution() {
    items ''
    jq -c --arg issue "$1" '.solutions[0] |= (del(.solution) | .issue_id = $issue)' "$PLAN" >"$PLAN.new"
    mv "$PLAN.new" "$PLAN"
}
make_id() {
    items ''
    jq -c --arg id "$1" '.solutions[0].item_id = $id' "$PLAN" >"$PLAN.new"
    mv "$PLAN.new" "$PLAN"
}
make_queue_id() { items '' && sed -i "s|QUE-1|$1|" "$PLAN"; }
make_nested_100000_deep() { items "\"x\":$(repeat '[' 100000)$(repeat ']' 100000)"; }
make_nested_first() { { printf '{"x":' && repeat '[' 100000 && repeat ']' 100000 && printf ',"solutions":[]}'; } >"$PLAN"; }
make_200_MB_line() { { printf '{"solutions":[\n{"item_id":"S-1","x":"' && repeat a 200M && printf '"}]}'; } >"$PLAN"; }
make_300_MB_file() { printf '{"solutions":[' >"$PLAN" && truncate -s 300M "$PLAN"; }
make_100001_items() {
    awk 'BEGIN { print "{\"solutions\":["; for (i = 0; i <= 100000; i++) print (i ? "," : "") "{\"item_id\":\"S-" i "\"}"; print "]}" }' >"$PLAN"
}
make_2000_keys() { awk 'BEGIN { printf "{\"queue_id\":\"Q\""; for (i = 0; i < 2000; i++) printf ",\"k%d\":1", i; print "}" }' >"$PLAN"; }
make_groups_of_all() { # 300 items that all depend on all of 300 groups of all items
    awk 'BEGIN {
        n = 300; ids = "\"S-0\""; groups = "\"P0\""
        for (i = 1; i < n; i++) { ids = ids ",\"S-" i "\""; groups = groups ",\"P" i "\"" }
        print "{\"execution_groups\":["
        for (i = 0; i < n; i++) print (i ? "," : "") "{\"id\":\"P" i "\",\"solutions\":[" ids "]}"
        print "],\"solutions\":["
        for (i = 0; i < n; i++) print (i ? "," : "") "{\"item_id\":\"S-" i "\",\"depends_on\":[" groups "]}"
        print "]}"
    }' >"$PLAN"
}
make_index() { printf '{"active_queue_id":null,"queues":[]}' >"$PLAN"; }
make_issues() { printf '{"id":"ISS-1","title":"t","bound_solution_id":null}\n{"id":"ISS-2"}\n' >"$PLAN"; }
make_solutions() { printf '{"id":"SOL-1","approach":"a","tasks":[{"id":"T1"}],"is_bound":true}\n' >"$PLAN"; }

@test "what a queue may not be" {
    hostile_table fresh nothing_started <<'TABLE'
    # case                                       | what is said                                              | exit
    nested_100000_deep                           | bad.json:1:[0-9]+: nested more than 100 deep              | 2
    nested_first                                 | bad.json:1:[0-9]+: nested deeper than 64                  | 2
    200_MB_line                                  | bad.json:2:1: a value of 200 MiB: at most 16 MiB          | 2
    300_MB_file                                  | bad.json: is larger than 256 MiB                          | 2
    100001_items                                 | bad.json:1: .*more than 100000 items                      | 2
    2000_keys                                    | bad.json:1:[0-9]+: more than 1000 keys                    | 2
    text '{"solutions":[{"item_id":"S-1"},'      | bad.json:1:33: .*the text ends .*cut off                  | 2
    text '{"solutions":[{"item_id":"S-1"}]'      | bad.json:1:33: the text ends .*cut off                    | 2
    text '{"solutions":[]} x'                    | bad.json:1:18: there is more text behind the end          | 2
    text '{"solutions":[{"item_id":"\\u0000"}]}' | bad.json:1:[0-9]+: a text with .u0000 \(NUL\)             | 2
    text '{"solutions":[{"item_id":"\0000"}]}'   | bad.json:1:[0-9]+: a NUL byte: this is not text           | 2
    text '{"solutions":[{"item_id":"\0377"}]}'   | bad.json:1:[0-9]+: not JSON: unable to decode byte 0xff   | 2
    text '{"solutions":[7]}'                     | bad.json:1: solutions: an item must be a mapping          | 2
    text '{"solutions":{"S-1":{}}}'              | bad.json:1: solutions: a queue must have a list of items  | 2
    text '{"queue_id":"Q"}'                      | bad.json:1: solutions: a queue must have a list of items  | 2
    with '"id":"QUE-2",'                         | bad.json:1:[0-9]+: the key "id" is there twice            | 2
    with '"status":"odd",'                       | bad.json:1: status: "odd" is no status of a queue         | 2
    with '"status":7,'                           | bad.json:1: status: .*is no status of a queue             | 2
    queue_id ../../x                             | bad.json:1: id: the id of the queue: .*"/"                | 2
    queue_id 'a;touch pwned'                     | bad.json:1: id: the id of the queue: .*may only hold         | 2
    index                                        | this is the list of the queues: name one of them          | 2
    issues                                       | this is an issue or a solution: name the queue            | 2
    solutions                                    | this is an issue or a solution: name the queue            | 2
TABLE
}

@test "what an item may not be" {
    hostile_table fresh nothing_started <<'TABLE'
    # case                                       | what is said                                              | exit
    item '"item_id":"S-2"'                       | bad.json:2:[0-9]+: not JSON: duplicate object key         | 2
    item '"x":1e999'                             | bad.json:2:[0-9]+: not JSON: real number overflow         | 2
    item '"execution_order":1.5'                 | bad.json:2: task S-2: execution_order: must be a whole    | 2
    item '"execution_order":98765432109876543210' | bad.json:2: task S-2: execution_order: must be a whole   | 2
    item '"status":"PENDING"'                    | bad.json:2: task S-2: status: "PENDING" is no status      | 2
    item '"depends_on":["S-3"]'                  | bad.json:2: task S-2: depends_on: there is no item.* "S-3" | 2
    item '"depends_on":["S-2"]'                  | bad.json:2: task S-2: depends_on: .*depend on itself      | 2
    item '"depends_on":[["S-1"]]'                | bad.json:2: task S-2: depends_on: entry 1 must be a text  | 2
    item '"depends_on":{"S-1":1}'                | bad.json:2: task S-2: depends_on: must be a list of ids   | 2
    item '"issue_id":"\u001b[2J"'                | task S-2: issue_id: must not hold control characters      | 2
    item '"issue_id":7'                          | bad.json:2: task S-2: issue_id: must be a text            | 2
    item '"issue_id":"'"$(repeat x 201)"'"'      | task S-2: issue_id: must not be longer than 200 bytes     | 2
    items '"depends_on":["S-2"]' '"depends_on":["S-1"]' | wait for each other: S-1 -> S-2 -> S-1             | 2
    items '"depends_on":["SOL-2"]' '"depends_on":["P9"],"execution_group":"P1"' '"execution_group":"P9","depends_on":["P1"]' | wait for each other | 2
    groups_of_all                                | wait for each other                                       | 2
    id ../../x                                   | task ../../x: item_id: .*"/"                              | 2
    id '$(touch pwned)'                          | item_id: .*letter or digit                                | 2
    id 'a`touch pwned`'                          | item_id: .*may only hold                                  | 2
    id "x'; touch pwned; '"                      | item_id: .*may only hold                                  | 2
    id -rf                                       | item_id: .*letter or digit                                | 2
    id a.lock                                    | item_id: .*".lock"                                        | 2
    id ''                                        | item_id: .*must not be empty                               | 2
    no_solution ../../../etc/passwd              | S-1 cannot be run: .*"../../../etc/passwd" cannot be the name of a file | 1
    no_solution 'a/b'                            | S-1 cannot be run: .*"a/b" cannot be the name of a file                 | 1
    no_solution '..'                             | S-1 cannot be run: .*"\.\." cannot be the name of a file                | 1
    no_solution '$(touch pwned)'                 | S-1 cannot be run: .*there is no file solutions/\$\(touch pwned\).jsonl                     | 1
TABLE
}

@test "S2.18: ids that are there twice, also but for case" {
    printf '{"solutions":[{"item_id":"S-1"},\n{"item_id":"S-2"},\n{"item_id":"s-2"},\n{"item_id":"S-1"}]}' >"$SCRATCH/q.json"
    run_bosk plan "$SCRATCH/q.json"
    expect_status 2
    expect_text 'q.json:3: task s-2: item_id: differs only in case .* line 2, S-2'
    expect_text 'q.json:4: task S-1: item_id: this id is taken by the item in line 1'
}

@test "two queues in one run, and one on standard input" {
    PLAN=$SCRATCH/one.json
    items ''
    cp "$PLAN" "$SCRATCH/two.json"
    remember
    run_bosk plan "$SCRATCH/one.json" "$SCRATCH/two.json"
    expect_status 2
    expect_text 'two.json: one run takes one queue'
    unchanged
    "$BOSK_BIN" plan - --json --executor true <"$PLAN" >"$OUT" 3>&-
    equal "tasks" "$(jq -r '[.kind, .tasks[].id] | join(" ")' "$OUT")" "queue S-1"
}

@test "bad lines beside a queue are told of with their places, and the others count" {
    mkdir -p "$SCRATCH/store/queues" "$SCRATCH/store/solutions"
    PLAN=$SCRATCH/store/queues/QUE-1.json
    items '' ''
    jq -c '.solutions[] |= (del(.solution) | .issue_id = "ISS-1")' "$PLAN" >"$PLAN.new" && mv "$PLAN.new" "$PLAN"
    {
        repeat '[' 100000 && echo
        repeat a 17M && echo
        printf '{"id":"SOL-9","x":"\0"}\n{"id":"SOL-9","id":"SOL-8"}\n{"id":7}\n\n'
        printf '{"id":"SOL-1","is_bound":true,"tasks":[{"id":"T1","title":"it'"'"'s"}]}\r\n{"id":"SOL-2"'
    } >"$SCRATCH/store/solutions/ISS-1.jsonl"
    remember
    run_bosk plan "$SCRATCH/store" --json --executor true
    expect_status 0
    equal "tasks" "$(jq -r '[.tasks[].id] | join(" ")' "$OUT")" "S-1 S-2"
    run_bosk plan "$SCRATCH/store" --executor true
    for at in '1:101: nested' '2:1: ' '3:[0-9]+: a NUL byte' '4:[0-9]+: not JSON' '5:1: it has no "id"' '8:1: .*no end'; do
        expect_text "warning: .*ISS-1.jsonl:$at.*this line is left out" "$OUT"
    done
    unchanged
}

@test "a number that is too large leaves the others of its item as they are" {
    PLAN=$SCRATCH/q.json
    items '"execution_order":2.0,"solution":{"id":"SOL-1","tasks":[{"id":"T1","estimated_minutes":45}]}' \
        '"execution_order":1,"task_count":3,"semantic_priority":2,"x":98765432109876543210'
    sed -i 's/"solution":{"id":"SOL-1","tasks":\[{"id":"T1","title":"x"}\]},//' "$PLAN"
    run_bosk plan "$PLAN" --json --executor true
    expect_status 0
    equal "order" "$(jq -r '[.tasks[].id] | join(" ")' "$OUT")" "S-2 S-1"
    run_bosk queue add "$PLAN"
    expect_status 0
    run_bosk queue dag
    equal "numbers" "$(jq -c '[.nodes[] | select(.id == "S-2") | .priority, .task_count]' "$OUT")" "[2,3]"
}

@test "a named pipe is no queue, whoever names it" {
    mkdir -p "$SCRATCH/store/queues"
    mkfifo "$SCRATCH/pipe" "$SCRATCH/store/queues/QUE-2.json" "$SCRATCH/store/queues/index.json"
    PLAN=$SCRATCH/store/queues/QUE-1.json
    items ''
    remember
    for words in plan 'queue add'; do
        # shellcheck disable=SC2086 # two words
        timeout 20 "$BOSK_BIN" $words "$SCRATCH/pipe" >"$OUT" 2>&1 3>&- && status=0 || status=$?
        equal "exit of $words" "$status" 2
        expect_text 'pipe: is a named pipe: give a file' "$OUT"
    done
    timeout 20 "$BOSK_BIN" plan "$SCRATCH/store" --json --executor true >"$OUT" 2>&1 3>&-
    equal "tasks" "$(jq -r '[.tasks[].id] | join(" ")' "$OUT")" S-1
    timeout 20 "$BOSK_BIN" plan <(cat "$PLAN") --executor true >"$OUT" 2>&1 3>&- # this one has a writer
    expect_text 'S-1' "$OUT"
}

@test "the gate of a step has the time that its task has, and bosk plan says so" {
    PLAN=$SCRATCH/q.json
    printf '{"solutions":[{"item_id":"S-1","solution":{"id":"SOL-1","tasks":[{"id":"T1","title":"x","test":{"commands":["sleep 1000"]}}]}}]}' >"$PLAN"
    printf 'timeout: 3s\nfix_attempts: 0\n' | commit_config
    run_bosk plan "$PLAN" --executor true
    expect_text 'gate T1[^ ]* \(at most 3.0 s\): sleep 1000' "$OUT"
    run_bosk plan "$PLAN" --executor true --json
    equal "limit" "$(jq -c '[.tasks[].step_gates[].limit]' "$OUT")" "[3]"
    run_bosk run "$PLAN" --executor 'echo x >x.txt'
    expect_status 1
    run_bosk report --json && expect_text 'no end after 3.0 s' "$OUT"
}
