# shellcheck shell=bash
# queue.bash: for the tests of queues of solutions: small queues and agents that work on them.

# solution_plan FILE: a queue in the normal form of a plan: S-1 with steps T1 and T2, S-2 after it with one step.
solution_plan() {
    cat >"$1" <<'JSON'
{"kind": "queue", "tasks": [
 {"id": "S-1", "title": "Greet", "issue": "ISS-A", "solution": "SOL-A", "subject": "feat(cli): greet people",
  "files": ["one.txt", "two.txt"], "prompt": "About greeting.\n\nDo one.\n\nDo two.\n",
  "step_ids": ["T1", "T2"], "step_titles": ["First: add", "Second: extend"], "step_texts": ["Do one.", "Do two."],
  "step_gates": ["T1", "T1.test", "grep -q one one.txt", "T2", "T2.test", "grep -q two two.txt", "T2", "T2.verify", "test -s two.txt"],
  "claims": ["T2", "It reads well"]},
 {"id": "S-2", "prompt": "Do three.\n", "after": ["S-1"], "step_ids": ["T1"], "step_titles": ["Third: add"],
  "step_texts": ["Do three."], "step_gates": ["T1", "T1.test", "grep -q three three.txt"]}]}
JSON
}

# solution_agent: $AGENT does what its task says: step by step, or all of it; notes in $SCRATCH/runs what it was asked.
solution_agent() {
    write_agent <<'SH'
#!/bin/bash
step=$(jq -r '.step // "all"' "$BOSK_TASK_FILE")
echo "$BOSK_TASK $step $BOSK_ATTEMPT" >>"$RUNS"
cp "$BOSK_PROMPT_FILE" "$RUNS.$BOSK_TASK.$BOSK_ATTEMPT"
case $BOSK_TASK.$step in
S-1.all) echo one >one.txt; echo two >two.txt ;;
S-1.T1) echo one >one.txt ;;
S-1.T2) test -s one.txt && echo two >two.txt ;;
S-2.*) echo three >three.txt ;;
esac
[ ! -e "$RUNS.then" ] || . "$RUNS.then"
SH
    export RUNS=$SCRATCH/runs
}

# small_queue FILE ID[:AFTER[:FILES[:NEEDS]]]...: a queue in the normal form of a plan; lists with commas.
small_queue() {
    local file=$1
    shift
    printf '%s\n' "$@" | jq -R 'def list: (. // "") | split(",") | map(select(. != ""));
        split(":") | {id: .[0], prompt: "Do \(.[0]).", after: (.[1] | list), files: (.[2] | list), needs: (.[3] | list),
                      step_ids: ["T1"], step_titles: ["Do: add"], step_texts: ["Do it."]}' |
        jq -s '{kind: "queue", tasks: .}' >"$file"
}

# queue_file DIR ID:STATUS[:DEPENDS_ON[:FILES]]...: DIR/queues/q.json as other tools write it, with an issue and a solution
# of one step for each item. The step's gate wants a file of the item's name.
queue_file() {
    local dir=$1
    shift
    mkdir -p "$dir/queues" "$dir/solutions"
    printf '%s\n' "$@" | jq -R 'split(":")' | jq -s 'def list: (. // "") | split(",") | map(select(. != ""));
        {id: "QUE-20260101-000000", status: "active", solutions: [to_entries[] | .key as $n | .value |
            {item_id: .[0], issue_id: "ISS-\(.[0])", solution_id: "SOL-\(.[0])", status: .[1], execution_order: ($n + 1),
             depends_on: (.[2] | list), files_touched: (.[3] | list), task_count: 1, semantic_priority: 0.5}]}' \
        >"$dir/queues/q.json"
    jq -c '.solutions[] | {id: .issue_id, title: "Issue of \(.item_id)", status: "queued", bound_solution_id: .solution_id}' \
        "$dir/queues/q.json" >"$dir/issues.jsonl"
    jq -r '.solutions[].item_id' "$dir/queues/q.json" | while read -r id; do
        jq -nc --arg id "$id" '{id: "SOL-\($id)", description: "Solve \($id)", is_bound: true, tasks: [{id: "T1", title: "Do \($id)",
            action: "Create", implementation: ["make it"], test: {commands: ["test -e \($id).txt"]}}]}' \
            >"$dir/solutions/ISS-$id.jsonl"
    done
}
