# shellcheck shell=bash
# issues.bash: a folder of issues as ccw has it, with all that must survive: odd numbers, escapes, a bad line.

# issues_folder DIR: .workflow/issues of ccw with a queue QUE-1: S-1 and S-3 of issue ISS-A, S-2 of ISS-B after S-1, S-4 of
# ISS-C, which has the file of S-1.
issues_folder() {
    mkdir -p "$1/queues" "$1/solutions"
    cat >"$1/issues.jsonl" <<'JSON'
{"id":"ISS-A","title":"Größe","status":"queued","priority":2,"context":"c","n":12345678901234567890,"feedback":[]}
this line is bad
{"id":"ISS-B", "title":"b","status":"queued"}
{"id":"ISS-X","title":"of nobody","status":"registered","odd":1.50}
{"id":"ISS-C","title":"c","status":"queued"}
JSON
    echo '{"id":"ISS-OLD","status":"completed","odd": 1e2}' >"$1/issue-history.jsonl"
    cat >"$1/solutions/ISS-A.jsonl" <<'JSON'
{"id":"SOL-A-1","approach":"do it","odd":1.0,"tasks":[{"id":"T1","title":"one","n":98765432109876543210,"estimated_minutes":20},{"id":"T2","title":"two","depends_on":["T1"],"estimated_minutes":25}],"is_bound":true}
{"id":"SOL-A-2","approach":"more","tasks":[{"id":"T1","title":"it's"}],"exploration_context":{"relevant_files":["d.c"]}}
JSON
    echo '{"id":"SOL-B-1","approach":"b","tasks":[{"id":"T1","title":"one"}]}' >"$1/solutions/ISS-B.jsonl"
    echo '{"id":"SOL-C-1","approach":"c","tasks":[{"id":"T1","title":"one"}]}' >"$1/solutions/ISS-C.jsonl"
    cat >"$1/queues/QUE-1.json" <<'JSON'
{
  "id": "QUE-1",
  "name": "first",
  "status": "active",
  "issue_ids": ["ISS-A", "ISS-B", "ISS-C"],
  "tasks": [],
  "solutions": [
    {
      "item_id": "S-1", "issue_id": "ISS-A", "solution_id": "SOL-A-1",
      "status": "pending", "execution_order": 1, "execution_group": "P1", "depends_on": [],
      "semantic_priority": 0.50, "task_count": 2, "files_touched": ["a.c"],
      "execution_hints": {"executor": "gemini"},
      "big": 9007199254740993, "esc": "caf\u00e9 \/ \ud83d\ude00", "empty": {}
    },
    {"item_id":"S-4","issue_id":"ISS-C","solution_id":"SOL-C-1","status":"pending","execution_order":4,"depends_on":[],"files_touched":["./a.c"],"execution_group":"P1"} ,
    {"item_id":"S-2","issue_id":"ISS-B","solution_id":"SOL-B-1","status":"pending","execution_order":2,"execution_group":"S1","depends_on":["S-1"],"files_touched":["b.c"]},
    {
      "item_id": "S-3",
      "issue_id": "ISS-A",
      "solution_id": "SOL-A-2",
      "status": "pending",
      "execution_order": 3,
      "execution_group": "S1",
      "depends_on": [],
      "files_touched": ["d.c"]
    }
  ],
  "execution_groups": [{"id":"P1","type":"parallel","solutions":["S-1"]}, {"id":"S1","type":"parallel","solutions":["S-2","S-3"],"x":[1,2.50]}],
  "conflicts": [],
  "_metadata": {
    "version": "2.1",
    "total_tasks": 4,
    "pending_count": 4,
    "completed_count": 0
  }
}
JSON
    cat >"$1/queues/index.json" <<'JSON'
{
  "active_queue_id": "QUE-1",
  "active_queue_ids": ["QUE-0", "QUE-1"],
  "active_queue_group": "g",
  "queues": [
    {"id": "QUE-0", "status": "active", "priority": 5},
    {
      "id": "QUE-1",
      "status": "active",
      "priority": 3,
      "queue_group": "g",
      "total_solutions": 4,
      "completed_solutions": 0,
      "created_at": "20260127-030000"
    }
  ],
  "note": 1.0
}
JSON
}

# ask WORDS...: as run_bosk, called by this very process: what it claims is this test's.
# shellcheck disable=SC2034 # as of run_bosk
ask() {
    status=0
    "$BOSK_BIN" "$@" >"$OUT" 2>"$ERR" </dev/null 3>&- || status=$?
    out=$(cat "$OUT") err=$(cat "$ERR")
}
# somebody WORDS...: another process asks; it lives until stop_somebody.
# shellcheck disable=SC2016 # for that shell, and for wait_until
somebody() {
    set -- "$SCRATCH/fifo.$RANDOM" "$@"
    rm -f "$1" "$SCRATCH/other"
    mkfifo "$1"
    env FIFO="$1" OTHER="$SCRATCH/other" sh -c '"$BOSK_BIN" "$@" >"$OTHER.json" 2>"$OTHER.err"; echo $? >"$OTHER"; read -r _ <"$FIFO"' \
        sh "${@:2}" </dev/null 3>&- &
    somebody=$!
    wait_until '[ -s "$SCRATCH/other" ]'
}
stop_somebody() {
    kill -KILL "$somebody"
    wait "$somebody" 2>/dev/null || true
}

# with_states ID FILTER: a queue like QUE-1, of this id, each item changed by FILTER.
with_states() { jq --arg id "$1" ".id = \$id | .solutions[] |= ($2)" "$SCRATCH/issues/queues/QUE-1.json" >"$SCRATCH/issues/queues/$1.json"; }
