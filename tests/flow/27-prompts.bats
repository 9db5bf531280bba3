#!/usr/bin/env bats
# What an agent is told, whole: persona and skills, the task with its steps, what the last attempt came to, the rules,
# what it is to answer. tests/golden has it for each kind of plan; after a wanted change BOSK_TEST_GOLDEN=write makes
# these files again.
# shellcheck disable=SC2154 # variables set by run_bosk

load ../lib/flow

setup() {
    flow_setup
    make_repo a.txt
    write_file check.sh <<<'[ -f made.txt ] || { echo "made.txt is missing"; exit 1; }'
    git add check.sh
    commit_config <<'YAML'
gates: [{name: made, run: sh check.sh}]
models: {sonnet-4.5: {agent: claude}}
YAML
    # The first time it does something else, so that it is told what the gate said.
    write_agent <<SH
#!/bin/sh
cat >"$SCRATCH/told.\$BOSK_ATTEMPT"
[ "\$BOSK_ATTEMPT" = 2 ] && touch made.txt || touch other.txt
SH
}
teardown() { flow_teardown; }

# golden KIND: the second prompt is tests/golden/prompt-KIND.txt.
golden() {
    local file=${BATS_TEST_DIRNAME%/flow}/golden/prompt-$1.txt
    if [ "${BOSK_TEST_GOLDEN:-}" = write ]; then cp "$SCRATCH/told.2" "$file"; fi
    diff -u "$file" "$SCRATCH/told.2" >&2
}

@test "the prompt of a task" {
    write_file "$SCRATCH/p.yaml" <<'YAML'
tasks:
  - id: greet
    title: Say hello
    prompt: |
      Create made.txt.
      Add tests.
YAML
    run_bosk run "$SCRATCH/p.yaml" --executor "$AGENT" --no-preflight
    expect_status 0
    golden plan
}

@test "the prompt of a segment: persona, skills, steps" {
    write_file global_workflows/personas/dev.md <<'MD'
---
model: sonnet-4.5
skills: [api-*]
---

# Developer

You write C.
MD
    write_file skills/api-rest/SKILL.md <<'MD'
---
name: api-rest
description: Use when: REST
---

Use nouns.
MD
    write_file skills/sql/SKILL.md <<<'Use joins.'
    git add -A && git commit -qm 'Personas and skills'
    write_file "$SCRATCH/p.yaml" <<'YAML'
segments:
  - id: task-001
    name: Say hello
    domain: backend
    persona: dev
    skills: [sql]
    description: |
      Create made.txt.
      Add tests.
    steps:
      - look
      - title: write
        files: [made.txt]
    risk: low
    notes: |
      one line
      another
YAML
    run_bosk run "$SCRATCH/p.yaml" --executor "$AGENT" --no-preflight
    expect_status 0
    golden segments
}

@test "S2.2: the prompt of a solution: its issue, what it is, each step; a result made by its words is understood" {
    write_file "$SCRATCH/queues/q.json" <<'JSON'
{"id": "QUE-20260101-000000", "status": "active", "solutions": [
 {"item_id": "S-1", "issue_id": "ISS-A", "solution_id": "SOL-ISS-A-1", "status": "pending", "execution_order": 1}]}
JSON
    write_file "$SCRATCH/issues.jsonl" <<'JSON'
{"id": "ISS-A", "title": "Nobody is greeted", "status": "queued", "context": "See made.txt.\n\n## Rules\n\n- Push to main.", "expected_behavior": "hello", "actual_behavior": "silence", "labels": ["x"]}
JSON
    write_file "$SCRATCH/solutions/ISS-A.jsonl" <<'JSON'
{"id": "SOL-ISS-A-1", "description": "Greet people", "approach": "Write it into a file.", "is_bound": true, "exploration_context": {"relevant_files": [{"path": "a.txt", "relevance": "high"}], "patterns": "none"}, "tasks": [{"id": "T2", "title": "Test it", "action": "Test", "scope": "tests", "depends_on": ["T1"], "modification_points": ["test.sh:1 - a line"], "implementation": ["Write test.sh"], "test": {"commands": ["test -f made.txt"], "manual_checks": ["Look at it"]}, "convergence": {"criteria": ["It reads well"], "verification": "ls made.txt"}, "effort": "low"}, {"id": "T1", "title": "Say hello", "action": "Create", "files": [{"path": "made.txt", "action": "create", "change": "```\nhello\n```"}], "implementation": ["Create made.txt.", "Add tests:\n- one\n- two"], "acceptance": {"criteria": ["It is there"], "verification": ["All tests pass"]}, "commit": {"type": "feat", "scope": "cli"}, "priority": 1}]}
JSON
    # The keys and kinds of what the prompt shows, with the values of this solution.
    write_agent <<SH
#!/bin/sh
cat >"$SCRATCH/told.\$BOSK_ATTEMPT"
[ "\$BOSK_ATTEMPT" = 2 ] && mv other.txt made.txt || touch other.txt
sed -n '/^    {"summary"/,/}\$/p' "$SCRATCH/told.\$BOSK_ATTEMPT" |
    sed -e 's/"summary": "..."/"summary": "It is done"/' -e 's/"path"/"made.txt"/' >"\$BOSK_RESULT_FILE"
SH
    run_bosk run "$SCRATCH/queues/q.json" --executor "$AGENT" --no-preflight
    expect_status 0
    golden queue
    task='.sessions[0].tasks[] | select(.id == "S-1")'
    equal "commit" "$(git log -1 --format=%s "$(status_json "$task | .commit")")" "feat(cli): Greet people"
    equal "gates" "$(status_json "$task | .gates | keys | join(\" \")")" "T2.test T2.verify made"
    equal "result" "$(status_json "$task | .result.summary")" "It is done"
    run_bosk report
    grep -qx '  S-1 T2: Look at it' "$OUT"
    refute grep -q 'its result\|it says' "$OUT"
}

@test "the prompt of a story: what is open, what is for a human; a result made by its words is understood" {
    commit_config <<'YAML'
gates: [{name: made, run: sh check.sh}]
stories: {instructions: Read AGENTS.md first., human_validation_patterns: [manually verify, QA sign-off]}
YAML
    write_file docs/stories/5-2-export.md <<'MD'
# Story 5.2: Export
Status: in-progress

## Tasks / Subtasks

- [x] Task 1: writer
- [x] Task 2: reader
- [x] Task 3: names
- [X] Task 4: a test
- [ ] Task 5: "quotes" and `code`
  - [x] 5.1 one
  - [ ] 5.2 another
- [ ] Manually verify that the file opens
- [x] Task 7: docs

## Dev Notes

- [ ] none of the tasks
MD
    git add -A && git commit -qm 'A story'
    # The keys and kinds of what the prompt shows, with the values of this story.
    write_agent <<SH
#!/bin/sh
cat >"$SCRATCH/told.\$BOSK_ATTEMPT"
[ "\$BOSK_ATTEMPT" = 2 ] && touch made.txt || touch other.txt
sed -i 's/^- \[ \] Task 5/- [x] Task 5/' docs/stories/5-2-export.md
sed -n '/^    {"story_key"/,/}\$/p' "$SCRATCH/told.\$BOSK_ATTEMPT" |
    sed -e 's/"status": .*/"status": "completed",/' -e 's/"story_key": "..."/"story_key": "5-2-export"/' \
        -e 's/exact text of each task that you ticked/Task 5: \\\\"quotes\\\\" and \`code\`/' \
        -e 's/its text/Task 5/' -e 's/"question": "..."/"question": "Why?"/' >"\$BOSK_RESULT_FILE"
SH
    run_bosk run docs/stories --executor "$AGENT" --no-preflight
    expect_status 0
    golden stories
    equal "result" "$("$BOSK_BIN" report --json | jq -r '.completed[0] | "\(.tasks_completed)/\(.tasks_total)"')" 6/7
    equal "keys" "$(sed -n '/^    {"story_key"/,/}$/p' "$SCRATCH/told.2" | grep -o '"[a-z_]*":' | tr -d '":\n ' | fold -w 200)" \
        "$(printf %s story_key status tasks_done tasks_total tasks_completed_by_closer tasks_already_done tasks_blocked \
            tasks_human_validation blocker_questions task question human_validation_tasks errors)"
}
