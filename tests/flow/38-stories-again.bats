#!/usr/bin/env bats
# What is told of a batch of stories, and stories done again with answers (formats.md S3.2, S3.12, S3.19, S3.23).
load ../lib/flow
load ../lib/stories

setup() {
    stories_setup
    story_file 1-1 <<<$'# S\n## Tasks\n- [x] zero\n- [ ] one\n- [ ] two\n- [ ] QA sign-off'
    story_file 1-2 <<<$'# S\n## Tasks\n- [x] zero\n- [ ] one'
    story_file 1-3 <<<$'# S\n## Tasks\n- [ ] one'
    does 1-1 <<'DO'
if grep -q 'Answer: with the new key' "$BOSK_PROMPT_FILE"; then
    tick two; result completed '"tasks_done": ["two"]'
else
    tick one; result partial '"tasks_done": ["one"]' '"blocker_questions": [{"task": "two", "question": "With which \"key\"?"}]'
fi
DO
    does 1-2 <<<"tick one; result completed '\"tasks_completed_by_closer\": 1'"
    does 1-3 <<<"exit 3"
    plan "$(story 1-1 '"human": ["QA sign-off"]')" "$(story 1-2)" "$(story 1-3)" "$(story big "$(routed)")" \
        "$(story clean '"category": "CLEAN", "total": 2, "checked": 2')"
}
teardown() { flow_teardown; }

# batch FILTER: of batch_results, without what differs between two runs.
batch() {
    "$BOSK_BIN" report "$1" --json | command jq -S '{completed, blocked, routed_to_pipeline, blocker_questions,
        human_validation_tasks, errors} | walk(if type == "object" then del(.commit_hash, .kept) else . end)'
}

@test "S3.2 one after the other and side by side come to the same batch_results, with the original's keys" {
    run_bosk run "$PLAN" --executor "$AGENT" --sequential -c retries=0
    expect_status 1
    batch "$(last_sid)" >"$SCRATCH/one"
    git worktree prune
    run_bosk run "$PLAN" --executor "$AGENT" --jobs 3 --fresh -c retries=0
    expect_status 1
    diff "$SCRATCH/one" <(batch "$(last_sid)")
    run_bosk report "$(last_sid)" --json
    jq -e '.completed | map(select(.story_key == "1-2" and .tasks_completed == 2 and .tasks_total == 2 and (.commit_hash | length) == 40)) | length == 1' "$OUT"
    jq -e '.completed | map(select(.story_key == "clean" and .tasks_completed == 2 and .commit_hash == null)) | length == 1' "$OUT"
    jq -e '.blocked | length == 1 and (.[0] | .story_key == "1-1" and .tasks_completed == 2 and .tasks_total == 4 and .blocked_tasks == 1)' "$OUT"
    jq -e '.routed_to_pipeline == [{story_key: "big", unchecked_count: 8, pct_unchecked: 80, reason: "8 of 10 boxes are not ticked"}]' "$OUT"
    jq -e '.blocker_questions == [{story_key: "1-1", task: "two", question: "With which \"key\"?"}]' "$OUT"
    jq -e '.human_validation_tasks == [{story_key: "1-1", task_text: "QA sign-off"}]' "$OUT"
    jq -e '.errors | length == 1 and .[0].story_key == "1-3" and (.[0].error_message | startswith("exit 3"))' "$OUT"
}

@test "S3.12 S3.23 a line for each story as it ends, the box of counts, and the debrief with all questions" {
    run_bosk run "$PLAN" --executor "$AGENT" -c retries=0
    expect_status 1
    expect_text '^-- +1-1 +partial .*2/4 tasks done, 1 blocked, 1 for a human'
    expect_text '^ok +1-2 +integrated .*2/2 tasks done'
    expect_text '^FAIL 1-3 +failed .*exit 3'
    expect_text '^bosk: batch execution complete|batch execution complete$'
    expect_text 'Completed: +2$'
    expect_text 'Partially blocked: +1$'
    expect_text 'Routed to pipeline: +1$'
    expect_text 'Errors: +1$'
    expect_text 'Blocker questions: +1 \(see bosk report\)'
    expect_text 'Human validation: +1 \(see bosk report\)'
    run_bosk report
    expect_text '^completed stories' "$OUT"
    expect_text '^  1-2 +2/2 +[0-9a-f]{12}' "$OUT"
    expect_text '^  1-1 +2/4 +1 +see the questions' "$OUT"
    expect_text '^  big +10 +8 +80 %' "$OUT"
    expect_text '^    Q1: two' "$OUT"
    expect_text '^        With which "key"\?' "$OUT"
    expect_text '^    - \[ \] QA sign-off' "$OUT"
    expect_text '^  1-3 +0/1 +exit 3' "$OUT"
    expect_text '^  Selected: +5$' "$OUT"
}

@test "S3.23 how each batch went is told when its last story has ended" {
    plan "$(story 1-2)" "$(story old '"category": "CLEAN", "total": 1, "checked": 1')" "$(story big "$(routed)")" \
        "$(story 1-3 '"needs": ["1-2"]')"
    run_bosk run "$PLAN" --executor "$AGENT" -c retries=0
    expect_status 1
    equal batches "$(grep -oE 'batch [0-9] is over: .*' "$ERR")" \
        $'batch 1 is over: 2 of 2 integrated, 1 routed\nbatch 2 is over: 0 of 1 integrated'
    plan "$(story 1-2)"
    run_bosk run "$PLAN" --executor "$AGENT" --fresh
    expect_status 0
    refute grep -q 'is over' "$ERR"
}

@test "S3.12 every line of a question is shown; of stories that are closed or failed too, and that answers are not for them" {
    does 1-1 <<'DO'
tick one
result partial '"tasks_done": ["one"]' '"blocker_questions": [{"task": "two", "question": "With which key?\r\n  - old\n  - n\u001bew"}]'
DO
    does 1-2 <<<"tick one; result completed '\"tasks_completed_by_closer\": 1' '\"blocker_questions\": [{\"task\": \"one\", \"question\": \"Is it fine?\"}]'"
    does 1-3 <<<"result error '\"errors\": [\"no disk\"]' '\"blocker_questions\": [{\"task\": \"one\", \"question\": \"Which disk?\"}]'"
    run_bosk run "$PLAN" --executor "$AGENT" -c retries=0
    expect_status 1
    run_bosk report
    expect_text '^blocker questions \(3\)' "$OUT"
    equal "lines" "$(grep -A3 'Q1: two' "$OUT")" '    Q1: two
        With which key?
          - old
          - n\x1bew'
    expect_text '^        Which disk\?$' "$OUT"
    run_bosk questions
    expect_text '^# Asked by stories that are neither blocked nor partial' "$OUT"
    expect_text '^#   1-2, integrated: "?one"?: "?Is it fine\?"?$' "$OUT"
    expect_text '^#   1-3, failed: "?one"?: "?Which disk\?"?$' "$OUT"
    sed 's/answer: ""/answer: with the new key/' "$OUT" >"$SCRATCH/answers.yaml"
    run_bosk retry --answers "$SCRATCH/answers.yaml"
    expect_status 0
    expect_text '^pending again: 1-1$' "$OUT"
    # What waits to be done again is no error.
    run_bosk report --json
    equal "pending" "$(jq -c '[.pending[] | .story_key, .state], [.errors[].story_key]' "$OUT")" $'["1-1","pending"]\n["1-3"]'
    run_bosk report
    expect_text '^  1-1 +.* +pending$' "$OUT"
    expect_text '^  Errors: +1$' "$OUT"
    expect_text '^  Pending: +1$' "$OUT"
}

@test "S3.19 questions, answered: only blocked and partial stories again, with the answers, each with a commit of its own" {
    run_bosk run "$PLAN" --executor "$AGENT" -c retries=0
    expect_status 1
    sid=$(last_sid)
    first=$(task_field "$sid" 1-1 merge)
    run_bosk questions
    expect_status 0
    cp "$OUT" "$SCRATCH/answers.yaml"
    expect_text '^  - story: "1-1"' "$OUT"
    expect_text 'question: "With which \\"key\\"\?"' "$OUT"
    expect_text '^#   1-1: "QA sign-off"' "$OUT"
    refute grep -q '1-2' "$OUT"
    run_bosk retry --answers "$SCRATCH/answers.yaml"
    expect_status 2
    expect_text 'there is no answer in it'
    sed -i 's/answer: ""/answer: with the new key/' "$SCRATCH/answers.yaml"
    run_bosk retry --answers "$SCRATCH/answers.yaml"
    expect_status 0
    expect_text '^pending again: 1-1$' "$OUT"
    assert_verified
    run_bosk resume "$sid"
    expect_status 1 # 1-3
    equal "1-1" "$(status_json '.sessions[0].tasks[0] | "\(.state) \(.partial) \(.tasks_completed)/\(.tasks_total) \(.earlier[0])"')" "integrated false 3/4 $first"
    came_out 1-1 | grep -qF -- '- [x] two'
    equal "commits" "$(git log --no-merges --format=%s "main..integration-$sid" | grep -c 'chore(1-1)')" 2
    equal "attempts of 1-2" "$(task_field "$sid" 1-2 attempts)" 1
    grep -qF 'The user has answered questions' "$SCRATCH/prompt.1-1.2"
    run_bosk land --merge
    expect_status 0
}

# stands: 1-1 is what its first attempt made of it: integrated, in part.
stands() {
    assert_verified
    equal "1-1" "$(status_json '.sessions[0].tasks[0] | "\(.state) \(.partial) \(.tasks_completed)/\(.tasks_total) \(.earlier | length) \(.merge) \(.commit)"')" \
        "integrated true 2/4 0 $first $(git rev-parse "$first^2")"
    batch "$sid" | jq -e '(.blocked[] | select(.story_key == "1-1") | .blocked_tasks == 1 and .blocked == ["two"]) and .errors == []' >/dev/null
    equal "reason" "$(task_field "$sid" 1-1 reason)" "its attempt $1 came to nothing: $2"
}

@test "S3.19 a partial story that is done again and fails is what it was: integrated, in part; and why is told" {
    commit_config <<<'gates: [{name: good, run: "[ ! -e bad ]"}]'
    plan "$(story 1-1 '"human": ["QA sign-off"]')" "$(story 1-2)"
    run_bosk run "$PLAN" --executor "$AGENT" -c retries=0 -c fix_attempts=0
    expect_status 1
    sid=$(last_sid)
    first=$(task_field "$sid" 1-1 merge)
    batch "$sid" | jq 'del(.blocked[].reason)' >"$SCRATCH/before"

    does 1-1 <<<'exit 3'
    run_bosk retry "$sid/1-1" --run
    expect_status 1
    stands 2 'exit 3'
    diff "$SCRATCH/before" <(batch "$sid" | jq 'del(.blocked[].reason)')
    run_bosk report
    expect_text '1-1: its attempt 2 came to nothing: exit 3.* What was integrated of it before stays' "$OUT"
    run_bosk status "$sid"
    expect_text '1-1 +integrated .*partial: 2/4 tasks done, .*; its attempt 2 came to nothing: exit 3' "$OUT"

    does 1-1 <<<"tick two; touch bad; result completed '\"tasks_done\": [\"two\"]'"
    run_bosk retry "$sid/1-1"
    expect_status 0
    for n in 2 4 5; do # killed on its way, the resume comes to the same
        BOSK_FAILPOINT_IN=supervisor BOSK_FAILPOINT_AT=turn.commit.after:$n BOSK_FAILPOINT_ONCE=$SCRATCH/once-$n run_bosk resume "$sid"
        expect_status 137
    done
    run_bosk resume "$sid"
    expect_status 1
    n=$(task_field "$sid" 1-1 attempts)
    stands "$n" "$(task_field "$sid" 1-1 reason | sed 's/.*nothing: //')"
    git show "$(task_field "$sid" 1-1 kept):docs/1-1.md" | grep -qF -- '- [x] two' # what failed is kept

    rm -rf .git/bosk/store
    run_bosk verify --repair
    assert_verified
    diff <(jq 'del(.blocker_questions)' "$SCRATCH/before") <(batch "$sid" | jq 'del(.blocked[].reason, .blocker_questions)')
    does 1-1 <<<"tick two; result completed '\"tasks_done\": [\"two\"]'"
    run_bosk retry "$sid/1-1"
    run_bosk resume "$sid" --executor "$AGENT"
    expect_status 0
    equal "1-1" "$(status_json '.sessions[0].tasks[0] | "\(.state) \(.partial) \(.tasks_completed)/\(.tasks_total) \(.earlier[0])"')" "integrated false 3/4 $first"
}

@test "S3.19 a partial story that is done again and cannot be merged is what it was; repaired, it is there once more" {
    does 1-3 <<<'exit 3'
    plan "$(story 1-1 '"human": ["QA sign-off"]')" "$(story 1-3)"
    for how in park repair; do
        run_bosk run "$PLAN" --executor "$AGENT" --jobs 2 --on-conflict "$how" --fresh -c retries=0
        expect_status 1
        sid=$(last_sid)
        first=$(task_field "$sid" 1-1 merge)
        cp "$SCRATCH/do/1-1" "$SCRATCH/first"
        does 1-1 <<DO
touch "$SCRATCH/$how-1"; until [ -e "$SCRATCH/$how-3" ] && git cat-file -e "integration-$sid:shared"; do sleep 0.05; done
echo a >shared; tick two; result completed '"tasks_done": ["two"]'
DO
        does 1-3 <<DO
touch "$SCRATCH/$how-3"; until [ -e "$SCRATCH/$how-1" ]; do sleep 0.05; done
echo b >shared; tick one; result completed '"tasks_done": ["one"]'
DO
        run_bosk retry "$sid/1-1" "$sid/1-3" --run
        if [ "$how" = park ]; then
            expect_status 1
            stands 2 'conflict in shared'
        else
            expect_status 0
            equal "1-1" "$(status_json ".sessions[] | select(.id == \"$sid\").tasks[0] | \"\\(.state) \\(.partial) \\(.tasks_completed)/\\(.tasks_total) \\(.earlier[0])\"")" "integrated false 3/4 $first"
        fi
        does 1-3 <<<'exit 3'
        cp "$SCRATCH/first" "$SCRATCH/do/1-1"
    done
}

@test "S3.19 killed at the merge of a story that is done again: resumed, it is there once" {
    run_bosk run "$PLAN" --executor "$AGENT" -c retries=0
    sid=$(last_sid)
    run_bosk questions "$sid"
    sed 's/answer: ""/answer: with the new key/' "$OUT" >"$SCRATCH/answers.yaml"
    for point in integrate.refs.before integrate.refs.after; do
        run_bosk retry --answers "$SCRATCH/answers.yaml"
        [ "$status" = 0 ] || break
        BOSK_FAILPOINT_AT=$point run_bosk resume "$sid"
        run_bosk resume "$sid"
    done
    equal "1-1" "$(task_field "$sid" 1-1 state)" integrated
    rm -rf .git/bosk/store
    run_bosk verify --repair
    assert_verified
}

@test "a store made again from git knows what the stories came to: report, exit code and retry are as before" {
    plan "$(story 1-1 '"human": ["QA sign-off"]')" "$(story 1-2)" "$(story big "$(routed)")" \
        "$(story clean '"category": "CLEAN", "total": 2, "checked": 2')"
    run_bosk run "$PLAN" --executor "$AGENT"
    expect_status 1
    sid=$(last_sid)
    equal "trailers" "$(git log --merges --format='%(trailers:key=Bosk-Boxes,separator=)' "main..integration-$sid" | sort)" \
        $'Bosk-Boxes: 2/2\nBosk-Boxes: 2/4, partial'
    # What agents ask is nowhere in git.
    batch "$sid" | jq 'del(.blocker_questions)' >"$SCRATCH/before"
    state=$(status_json '.sessions[0].state')
    run_bosk resume "$sid"
    before=$status
    rm -rf .git/bosk/store
    run_bosk verify --repair
    assert_verified
    diff "$SCRATCH/before" <(batch "$sid" | jq 'del(.blocker_questions)')
    equal "state" "$(status_json '.sessions[0].state')" "$state"
    run_bosk status "$sid"
    expect_text '^  1-1 +integrated +partial: 2/4 tasks done, 1 blocked, 1 for a human$' "$OUT"
    expect_text '^  1-2 +integrated +2/2 tasks done$' "$OUT"
    expect_text '^  big +routed +8 of 10 boxes are not ticked$' "$OUT"
    run_bosk resume "$sid"
    expect_status "$before"
    run_bosk questions "$sid"
    expect_text '^      - task: "?two"?$' "$OUT"
    sed 's/answer: ""/answer: with the new key/' "$OUT" >"$SCRATCH/answers.yaml"
    run_bosk retry --answers "$SCRATCH/answers.yaml"
    expect_status 0
    run_bosk resume "$sid" --executor "$AGENT"
    expect_status 0
    equal "1-1" "$(status_json '.sessions[0].tasks[0] | "\(.state) \(.partial) \(.tasks_completed)/\(.tasks_total)"')" 'integrated false 3/4'
}

@test "what is noted of a story is what its last attempt did, and each note is there once" {
    commit_config <<<'gates: [{name: tests, run: "[ -e good ]"}]'
    does 1-2 <<'DO'
tick one
[ -e second ] && touch good
touch second
result completed '"tasks_done": ["one"]' "\"errors\": [\"the linter is missing\", \"try $(date +%N)\"]"
DO
    does 1-3 <<<"tick one; result completed '\"tasks_done\": [\"one\"]' '\"errors\": [\"no linter\"]'"
    plan "$(story 1-3)" "$(story 1-2)"
    run_bosk run "$PLAN" --executor "$AGENT" --jobs 1 --no-preflight -c fix_attempts=1
    expect_status 1
    sid=$(last_sid)
    run_bosk retry "$sid/1-3" --run
    expect_status 0
    equal "attempts of 1-3" "$(task_field "$sid" 1-3 attempts)" 3
    equal "notes" "$(status_json '[.sessions[0].notes[] | sub("[0-9]+$"; "N")] | join("; ")')" \
        '1-3: the agent says: no linter; 1-2: the agent says: the linter is missing; 1-2: the agent says: try N'
}

@test "an answers file that is none says where and what is wrong, and nothing is put back" {
    run_bosk run "$PLAN" --executor "$AGENT" -c retries=0
    sid=$(last_sid)
    wrong() { # TEXT PATTERN
        printf '%s\n' "$1" >"$SCRATCH/answers.yaml"
        run_bosk retry --answers "$SCRATCH/answers.yaml" "$sid/1-1"
        expect_status 2
        expect_text "$2"
    }
    wrong 'just text' 'an answers file must be a mapping'
    wrong "session: aaaaaa
stories: []" 'answers.yaml:1:10: session: it is of session aaaaaa'
    wrong "session: $sid" 'stories: must be a list'
    wrong "session: $sid
stories: [{story: nope}]" 'answers.yaml:2:19: story: session [0-9a-f]{6} has no story nope'
    wrong "session: $sid
stories: [{story: 1-1, questoins: []}]" 'questoins: is no key of a story'
    wrong "session: $sid
stories: [{story: 1-2, questions: [{task: one, answer: yes}]}]" '1-2 is integrated: only blocked and partial'
    wrong "session: $sid
stories: [{story: 1-1, questions: [{answer: yes}]}]" 'task: is missing'
    wrong "session: $sid
stories: [{story: 1-1, questions: [{task: two, answer: ghp_abcdefghijklmnopqrstuvwxyz0123456789}]}]" 'holds '
    wrong 'a: [' 'answers.yaml:[0-9]'
    equal "state" "$(task_field "$sid" 1-1 state)" integrated
    run_bosk retry --answers "$SCRATCH/none"
    expect_status 2
}
