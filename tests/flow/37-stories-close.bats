#!/usr/bin/env bats
# What an agent leaves of a story, and what is taken of it (formats.md S3.12 - S3.18, S3.26).
load ../lib/flow
load ../lib/stories

setup() {
    stories_setup
    story_file 1-1 <<'STORY'
# Story 1.1: Import

Status: review

## Acceptance Criteria
- [ ] it imports

## Tasks / Subtasks
- [x] read the file
- [ ] write the rows
  - [ ] open the store
- [ ] test it
- [ ] Manually verify the count

## Dev Notes
none
STORY
    HUMAN='"human": ["Manually verify the count"]'
}
teardown() { flow_teardown; }

@test "S3.14 S3.18 a story is closed: ticks with evidence, one commit of the original's form" {
    does 1-1 <<'DO'
echo rows >rows.c
tick 'write the rows' 'open the store' 'test it'
result completed '"tasks_completed_by_closer": 2' '"tasks_done": ["write the rows", "test it"]'
DO
    plan "$(story 1-1 "$HUMAN")"
    run_bosk run "$PLAN" --executor "$AGENT"
    expect_status 0
    sid=$(last_sid)
    diff <(came_out 1-1) <(sed -E 's/\[ \] (write the rows|open the store|test it)/[x] \1/' "$REPO/docs/1-1.md")
    equal "subject" "$(git log -1 --format=%s "integration-$sid^2")" 'chore(1-1): close remaining tasks via story-closer'
    assert_once "$REPO" "$sid" main 1-1
    equal "task" "$(status_json '.sessions[0].tasks[0] | "\(.state) \(.partial) \(.tasks_completed)/\(.tasks_total)"')" 'integrated false 3/4'
}

@test "S3.13 a box of a human that the agent ticked is set back before the commit, and gates see that" {
    commit_config <<<'gates: [{name: human, run: "! grep -q \"x] Manually\" docs/1-1.md"}]'
    does 1-1 <<'DO'
tick 'write the rows' 'test it' 'Manually verify the count'
result completed '"tasks_completed_by_closer": 2'
DO
    plan "$(story 1-1 "$HUMAN")"
    run_bosk run "$PLAN" --executor "$AGENT" -c fix_attempts=0
    expect_status 0
    came_out 1-1 | grep -qF -- '- [ ] Manually verify the count'
    came_out 1-1 | grep -qF -- '- [x] test it'
}

@test "S3.13 a box of a human among the steps, or in another section, is listed, set back, and keeps the story from done" {
    story_file 5-2 <<'STORY'
# Story 5.2: Export
## Tasks
- [x] a
- [x] b
- [x] c
- [ ] Task 4
  - [ ] 4.1 write it
  - [ ] 4.2 Manually verify the file opens
## QA
- [ ] Export the table and
  manually verify the print
STORY
    write_file docs/sprint-status.yaml <<<'development_status: {5-2: review}'
    git add docs && git commit -qm sprint
    does 5-2 <<'DO'
sed -i 's/\[ \]/[x]/' docs/5-2.md
result completed '"tasks_done": ["Task 4"]'
DO
    run_bosk plan docs/5-2.md --json
    equal "human" "$(jq -c '.tasks[0].human' "$OUT")" '["4.2 Manually verify the file opens","Export the table and manually verify the print"]'
    run_bosk run docs/5-2.md --executor "$AGENT"
    expect_status 0
    diff <(came_out 5-2) <(sed -E 's/\[ \] (Task 4|4.1)/[x] \1/' docs/5-2.md)
    equal "sprint" "$(git show "integration-$(last_sid):docs/sprint-status.yaml")" 'development_status: {5-2: review}'
    equal "task" "$(status_json '.sessions[0].tasks[0] | "\(.partial) \(.tasks_completed)/\(.tasks_total)"')" 'false 4/4'
    run_bosk report --json
    equal "told" "$(jq -c '[.human_validation_tasks[].task_text]' "$OUT")" '["4.2 Manually verify the file opens","Export the table and manually verify the print"]'
}

@test "S3.13 what the agent says is for a human is in report and questions beside the boxes, and keeps the story from done" {
    story_file 5-3 <<<$'# S\n## Tasks\n- [x] a\n- [ ] b'
    write_file docs/sprint-status.yaml <<<'development_status: {1-1: backlog, 5-3: backlog}'
    git add docs && git commit -qm sprint
    does 1-1 <<'DO'
tick 'write the rows' 'test it'
result completed '"tasks_completed_by_closer": 2' '"human_validation_tasks": ["Manually verify the count", "Look at\nthe \u001b[2Jcolours", "Look at the \u001b[2Jcolours"]'
DO
    does 5-3 <<'DO'
tick b
result completed '"tasks_completed_by_closer": 1' '"human_validation_tasks": ["Ask the users"]'
DO
    plan "$(story 1-1 "$HUMAN")" "$(story 5-3)"
    run_bosk run "$PLAN" --executor "$AGENT"
    expect_status 0
    expect_text 'Human validation: +3 '
    equal "sprint" "$(git show "integration-$(last_sid):docs/sprint-status.yaml")" 'development_status: {1-1: in-progress, 5-3: review}'
    run_bosk report --json
    equal "told" "$(jq -c '[.human_validation_tasks[].task_text]' "$OUT")" \
        '["Manually verify the count","Look at the \u001b[2Jcolours","Ask the users"]'
    run_bosk report
    expect_text '^human validation tasks \(3\)' "$OUT"
    expect_text '^    - \[ \] Look at the \\x1[bB]\[2Jcolours$' "$OUT"
    run_bosk questions
    expect_text '^#   5-3: "?Ask the users"?$' "$OUT"
}

@test "S3.14 a tick that the result does not name is set back: the story is partial, integrated, exit 1" {
    does 1-1 <<'DO'
tick 'write the rows' 'test it'
result completed '"tasks_done": ["write the rows"]'
DO
    plan "$(story 1-1 "$HUMAN")"
    run_bosk run "$PLAN" --executor "$AGENT"
    expect_status 1
    came_out 1-1 | grep -qF -- '- [x] write the rows'
    came_out 1-1 | grep -qF -- '- [ ] test it'
    equal "task" "$(status_json '.sessions[0].tasks[0] | "\(.state) \(.partial) \(.tasks_completed)/\(.tasks_total)"')" 'integrated true 2/4'
    run_bosk report
    expect_text '1 ticks that its result does not name were set back' "$OUT"
    run_bosk resume "$(last_sid)"
    expect_status 1
}

@test "S3.14 a number that does not fit the ticks sets all of them back; what else was done stays" {
    does 1-1 <<'DO'
echo rows >rows.c
tick 'write the rows' 'test it'
result completed '"tasks_completed_by_closer": 3'
DO
    plan "$(story 1-1 "$HUMAN")"
    run_bosk run "$PLAN" --executor "$AGENT"
    expect_status 1
    diff <(came_out 1-1) "$REPO/docs/1-1.md"
    git cat-file -e "integration-$(last_sid):rows.c"
    run_bosk report
    expect_text 'it says that it closed 3 of its tasks, but ticked 2' "$OUT"
}

@test "S3.14 line ends, blanks and the Tasks sections are as they were; other sections may be written" {
    sed -i 's/$/\r/; s/test it/test it  /' "$REPO/docs/1-1.md"
    git commit -qam 'CRLF'
    does 1-1 <<'DO'
tick 'write the rows'
sed -i 's/ *\r$//; s/^none$/all done/; s/^- .x. read the file/- [ ] read the FILE/' docs/1-1.md
chmod +x docs/1-1.md
result partial '"tasks_done": ["write the rows"]'
DO
    plan "$(story 1-1 "$HUMAN")"
    run_bosk run "$PLAN" --executor "$AGENT"
    expect_status 1
    diff <(came_out 1-1) <(sed 's/\[ \] write/[x] write/; s/^none\r$/all done/' "$REPO/docs/1-1.md")
    equal "mode" "$(git ls-tree "integration-$(last_sid)" docs/1-1.md | cut -d ' ' -f 1)" 100644
}

@test "a story that the agent removed, or made a link, is there again" {
    story_file 1-2 <<<$'# S\n## Tasks\n- [ ] one'
    echo keep >"$SCRATCH/outside"
    does 1-1 <<'DO'
rm docs/1-1.md; echo x >x
result completed '"tasks_done": ["test it"]'
DO
    does 1-2 <<DO
rm docs/1-2.md; ln -s "$SCRATCH/outside" docs/1-2.md
result completed '"tasks_completed_by_closer": 0'
echo y >y
DO
    plan "$(story 1-1 "$HUMAN")" "$(story 1-2)"
    run_bosk run "$PLAN" --executor "$AGENT"
    expect_status 1
    diff <(came_out 1-1) "$REPO/docs/1-1.md"
    diff <(came_out 1-2) "$REPO/docs/1-2.md"
    equal "mode" "$(git ls-tree "integration-$(last_sid)" docs/1-2.md | cut -d ' ' -f 1)" 100644
    equal "outside" "$(cat "$SCRATCH/outside")" keep
}

@test "sprint-status.yaml that the agent changed or made is set back" {
    write_file docs/sprint-status.yaml <<<'development_status: {1-1: review}'
    git add docs && git commit -qm sprint
    does 1-1 <<'DO'
tick 'write the rows' 'test it'
echo 'development_status: {1-1: done}' >docs/sprint-status.yaml
echo new >sprint-status.yaml
result completed '"tasks_completed_by_closer": 2'
DO
    plan "$(story 1-1 "$HUMAN")"
    run_bosk run "$PLAN" --executor "$AGENT"
    expect_status 0
    equal "the agent's" "$(git show "integration-$(last_sid)~1:docs/sprint-status.yaml")" 'development_status: {1-1: review}'
    equal "bosk's" "$(git show "integration-$(last_sid):docs/sprint-status.yaml")" 'development_status: {1-1: in-progress}'
    refute git cat-file -e "integration-$(last_sid):sprint-status.yaml"
    run_bosk report
    expect_text 'it changed docs/sprint-status.yaml, which bosk does itself: set back' "$OUT"
}

@test "S3.2 S3.14 other stories are never an agent's: what it ticks, changes, removes or renames of them is set back" {
    commit_config <<<'gates: [{name: second, run: "[ -e again ]"}]'
    for key in 1-2 1-3; do story_file "$key" <<<$'# S\n## Tasks\n- [ ] one\n- [ ] QA sign-off by Ann'; done
    write_file docs/notes.md <<<'no boxes'
    git add docs && git commit -qm notes
    does 1-1 <<'DO'
if [ -e once ]; then touch again; result completed '"tasks_completed_by_closer": 0'; return; fi
touch once
sed -i 's/\[ \]/[x]/' docs/*.md
rm docs/1-3.md
echo more >>docs/notes.md; echo '- [x] mine' >docs/new.md
result completed '"tasks_completed_by_closer": 2'
DO
    does 1-2 <<'DO'
git mv docs Docs
result completed '"tasks_completed_by_closer": 0'
touch again
DO
    plan "$(story 1-1 "$HUMAN")"
    run_bosk run "$PLAN" --executor "$AGENT" --no-preflight
    expect_status 0
    sid=$(last_sid)
    for key in 1-2 1-3; do diff <(came_out "$key") "docs/$key.md"; done
    came_out 1-1 | grep -qF -- '- [x] test it'
    came_out new | grep -qF mine
    came_out notes | grep -qF more
    run_bosk report
    for key in 1-2 1-3; do expect_text "1-1: it changed docs/$key.md, another story: set back" "$OUT"; done

    plan "$(story 1-2 '"human": ["QA sign-off by Ann"]')" "$(story 1-3 '"human": ["QA sign-off by Ann"]' '"needs": ["1-2"]')"
    does 1-3 <<'DO'
rm -r docs; ln -s Docs docs
result completed '"tasks_completed_by_closer": 0'
DO
    run_bosk run "$PLAN" --executor "$AGENT" --no-preflight --fresh
    sid=$(last_sid)
    for key in 1-1 1-2 1-3; do diff <(came_out "$key") "docs/$key.md"; done
    equal "1-2" "$(task_field "$sid" 1-2 state) $(task_field "$sid" 1-2 partial)" 'integrated true'
    equal "1-3" "$(task_field "$sid" 1-3 reason)" 'none of its 1 open tasks could be closed'
}

@test "S3.9 a result that is missing, cut, prose or of another story is an error with its reason; the work is kept" {
    for key in 2-1 2-2 2-3 2-4 2-5; do story_file "$key" <<<$'# S\n## Tasks\n- [ ] one'; done
    does 2-1 <<<"tick one"
    does 2-2 <<<"tick one; printf '{\"status\": \"completed\"' >\"\$BOSK_RESULT_FILE\""
    does 2-3 <<<"tick one; echo 'I did {everything}'"
    does 2-4 <<<"tick one; BOSK_TASK=2-3 result completed '\"tasks_completed_by_closer\": 1'"
    does 2-5 <<<"tick one; result error '\"errors\": [\"no network\"]'"
    plan "$(story 2-1)" "$(story 2-2)" "$(story 2-3)" "$(story 2-4)" "$(story 2-5)"
    run_bosk run "$PLAN" --executor "$AGENT" -c retries=0 -c halt_after_failures=0
    expect_status 1
    sid=$(last_sid)
    expect_text '^FAIL 2-1 .*it left no result' "$ERR"
    equal "2-2" "$(task_field "$sid" 2-2 reason | cut -d : -f 1)" 'its result cannot be used'
    expect_text '^FAIL 2-3 .*it left no result' "$ERR"
    equal "2-4" "$(task_field "$sid" 2-4 reason)" 'its result cannot be used: it is of the story 2-3'
    equal "2-5" "$(task_field "$sid" 2-5 reason)" 'the agent says: no network'
    for key in 2-1 2-5; do git show "$(task_field "$sid" "$key" kept):docs/$key.md" | grep -qF '[x] one'; done
    equal "state" "$(task_field "$sid" 2-3 state)" failed
}

@test "S3.9 a result that is too large is told so, whatever the output ends with" {
    does 1-1 <<'DO'
tick 'write the rows'
head -c 1048577 /dev/zero | tr '\0' ' ' >"$BOSK_RESULT_FILE"
echo '{"status": "completed", "tasks_completed_by_closer": 1}'
DO
    plan "$(story 1-1 "$HUMAN")"
    run_bosk run "$PLAN" --executor "$AGENT" -c retries=0
    expect_status 1
    expect_text '^FAIL 1-1 .*its result cannot be used: the file BOSK_RESULT_FILE is larger than 1024 KiB'
}

@test "the JSON object that ends the output is as good as the file" {
    does 1-1 <<'DO'
tick 'write the rows' 'test it'
printf 'All {done}:\n```json\n{\n  "story_key": "1-1",\n  "status": "completed",\n  "tasks_completed_by_closer": 2\n}\n```\n'
DO
    plan "$(story 1-1 "$HUMAN")"
    run_bosk run "$PLAN" --executor "$AGENT"
    expect_status 0
    equal "done" "$(came_out 1-1 | grep -c '^- \[x\]')" 3
}

@test "a red gate: what was ticked before it stays, and both ways to count are right" {
    commit_config <<<'gates: [{name: fixed, run: "test ! -e broken"}]'
    does 1-1 <<'DO'
if [ "$BOSK_ATTEMPT" = 1 ]; then
    touch broken; tick 'write the rows'; result completed '"tasks_done": ["write the rows"]'
else
    rm broken; tick 'test it'; result completed '"tasks_completed_by_closer": 1'
fi
DO
    plan "$(story 1-1 "$HUMAN")"
    run_bosk run "$PLAN" --executor "$AGENT"
    expect_status 0
    equal "done" "$(came_out 1-1 | grep -c '^- \[x\]')" 3
}

@test "S3.12 nothing could be closed: blocked, with the questions; only human boxes left: that is completed" {
    story_file 1-2 <<<$'# S\n## Tasks\n- [x] one\n- [ ] QA sign-off'
    does 1-1 <<<"result partial '\"blocker_questions\": [{\"task\": \"test it\", \"question\": \"with what?\"}]'"
    does 1-2 <<<"result completed '\"tasks_completed_by_closer\": 0'"
    plan "$(story 1-1 "$HUMAN")" "$(story 1-2 '"human": ["QA sign-off"]')"
    run_bosk run "$PLAN" --executor "$AGENT"
    expect_status 1
    sid=$(last_sid)
    equal "states" "$(status_json '[.sessions[0].tasks[].state] | join(" ")')" 'blocked integrated'
    equal "reason" "$(task_field "$sid" 1-1 reason)" 'none of its 2 open tasks could be closed'
    equal "partial" "$(task_field "$sid" 1-2 partial)" null
}

@test "S3.26 a story that another task changed since it was planned is not closed: blocked, and said" {
    story_file 1-2 <<<$'# S\n## Tasks\n- [ ] one'
    does other <<<"echo '- [ ] more' >>docs/1-2.md" # a task that is no story
    does 1-2 <<<"tick one; result completed '\"tasks_completed_by_closer\": 1'"
    plan "$(story other)" "$(story 1-2 '"needs": ["other"]')"
    run_bosk run "$PLAN" --executor "$AGENT"
    expect_status 1
    sid=$(last_sid)
    equal "state" "$(task_field "$sid" 1-2 state)" blocked
    expect_text 'its story docs/1-2.md was changed since it was planned'
    equal "attempts" "$(task_field "$sid" 1-2 attempts)" 0
}

@test "S3.26 what a story says is never a command or an option" {
    story_file 1-2 <<'STORY'
# Story $(touch "$HOME/owned") `touch ~/owned`
## Tasks
- [ ] --upload-pack=touch $HOME/owned; $(touch ~/owned)
- [ ] "quotes" 'and' more
STORY
    does 1-2 <<'DO'
sed -i 's/\[ \]/[x]/' docs/1-2.md; result completed '"tasks_completed_by_closer": 2'
DO
    plan "$(story 1-2)"
    run_bosk run "$PLAN" --executor "$AGENT"
    expect_status 0
    [ ! -e "$HOME/owned" ]
    equal "done" "$(came_out 1-2 | grep -c '^- \[x\]')" 2
}
