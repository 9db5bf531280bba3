#!/usr/bin/env bats
# Plans of segments in waves: what bosk plan says of them, how waves wait for each other, personas, skills and models.
# shellcheck disable=SC2154,SC2016 # variables set by run_bosk; texts that only look like code

load ../lib/flow

setup() {
    flow_setup
    make_repo a.txt
    mkdir -p global_workflows/personas skills/api-rest
    printf -- '---\nname: Dev\nmodel: sonnet-4.5\nskills: [api-*]\n---\nYou are Dev.\n' >global_workflows/personas/dev.md
    printf -- '---\nname: api-rest\ndescription: Use when: REST\n---\nUse nouns.\n' >skills/api-rest/SKILL.md
    git add -A && git commit -qm 'Personas and skills'
    commit_config <<<'models: {sonnet-4.5: {agent: claude, model: claude-sonnet}}'
    PLAN=$SCRATCH/plan.yaml
    # Each segment needs what the waves before it left, and leaves a file.
    write_agent <<'SH'
#!/bin/sh
[ "$BOSK_TASK" != red ] || exit 1
case $BOSK_TASK in second*) [ -f first-a.txt ] && [ -f first-b.txt ] || exit 1 ;; esac
ls *.txt >"$BOSK_TASK.txt"
SH
}
teardown() { flow_teardown; }

two_waves() {
    cat >"$PLAN" <<'YAML'
decomposition_result:
  total_segments: 4
  waves: 2
  segments:
    - {id: first-a, name: The first, persona: dev, branch: feat/first-a, domain: api}
    - {id: first-b, name: Beside it}
    - {id: second-a, name: After both, dependencies: [first-a], estimated_time: 30min}
    - {id: second-b, name: After them too}
  execution_plan:
    wave_2: [second-a, second-b]
    wave_1: [first-a-the-first, first-b]
YAML
}

@test "bosk plan shows waves, branches, personas, skills and models of segments, and changes nothing" {
    two_waves
    run_bosk plan "$PLAN" --executor true
    expect_status 0
    expect_text '^Wave 1: first-a, first-b$' "$OUT"
    expect_text '^Wave 2: second-a, second-b$' "$OUT"
    expect_text '^barrier   each wave waits' "$OUT"
    expect_text '^  branch  feat/first-a$' "$OUT"
    expect_text '^  persona dev$' "$OUT"
    expect_text '^  skills  api-rest$' "$OUT"
    expect_text '^  model   sonnet-4.5 \(claude, claude-sonnet\)$' "$OUT"
    run_bosk plan "$PLAN" --executor true --json
    expect_status 0
    equal "kind" "$(jq -r .kind "$OUT")" segments
    equal "barrier" "$(jq -r .barrier "$OUT")" wave
    equal "waves" "$(jq -c .waves "$OUT")" '[["first-a","first-b"],["second-a","second-b"]]'
    equal "task" "$(jq -c '.tasks[0] | [.wave, .branch, .model, .persona, .skills, .path]' "$OUT")" \
        '[1,"feat/first-a","sonnet-4.5","dev",["api-rest"],null]'
    run_bosk plan "$PLAN" --executor true --json --barrier none
    equal "barrier" "$(jq -r .barrier "$OUT")" none
    run_bosk plan "$PLAN" --executor true --barrier both
    expect_status 2
    expect_text "takes wave\|none, not 'both'"
    [ ! -d .git/bosk ]
}

@test "S0.7 the next wave starts when all of the one before is integrated, and sees its files" {
    two_waves
    run_bosk run "$PLAN" --executor "$AGENT" --jobs 2
    expect_status 0
    sid=$(last_sid)
    equal "workflow" "$(status_json '.sessions[0].workflow')" segments
    equal "model" "$(task_field "$sid" first-a model)" sonnet-4.5
    equal "files" "$(git show "integration-$sid:second-b.txt" | tr '\n' ' ')" 'a.txt first-a.txt first-b.txt '
    run_bosk verify
    expect_status 0
    run_bosk report --json
    expect_status 0
    equal "model" "$(jq -r '.completed[] | select(.story_key == "first-a").model' "$OUT")" sonnet-4.5
    run_bosk report
    expect_text '^  first-a +[0-9a-f]{12}  .*The first  +model sonnet-4\.5$' "$OUT"
}

@test "S0.8 without a barrier a segment waits for its dependencies only" {
    mkfifo "$SCRATCH/go"
    write_agent <<SH
#!/bin/sh
# The slow one ends when the second wave is at work.
[ "\$BOSK_TASK" != slow ] || read -r line <"$SCRATCH/go"
[ "\$BOSK_TASK" != second ] || echo go >"$SCRATCH/go"
echo x >"\$BOSK_TASK.txt"
SH
    cat >"$PLAN" <<'YAML'
segments: [{id: slow, name: x}, {id: quick, name: x}, {id: second, name: x, dependencies: [quick]}, {id: last, name: x}]
execution_plan: {wave_1: [slow, quick], wave_2: [second], wave_3: [last]}
YAML
    run_bosk run "$PLAN" --executor "$AGENT" --jobs 2 --barrier none
    expect_status 0
    equal "integrated" "$(status_json '.sessions[0].counts.integrated')" 4
}

@test "the barrier is kept with the session: what a failed wave held back goes on after a retry" {
    cat >"$PLAN" <<'YAML'
segments: [{id: red, name: x, model: sonnet-4.5}, {id: beside, name: x}, {id: later, name: x}]
execution_plan: {wave_1: [red, beside], wave_2: [later]}
YAML
    run_bosk run "$PLAN" --executor "$AGENT" --jobs 2 -c retries=0
    expect_status 1
    sid=$(last_sid)
    run_bosk report
    expect_text '^  red  failed  agent claude  model sonnet-4\.5$' "$OUT"
    equal "beside" "$(task_field "$sid" beside state)" integrated
    equal "later" "$(task_field "$sid" later state)" skipped
    sed -i '/red/d' "$AGENT"
    run_bosk retry --run red
    expect_status 0
    equal "integrated" "$(status_json '.sessions[0].counts.integrated')" 3
}

@test "--barrier wave is for other plans too" {
    cat >"$PLAN" <<'YAML'
tasks:
  - {id: a, run: echo a >a1.txt}
  - {id: b, run: echo b >b1.txt}
  - {id: c, needs: [a], run: cat a1.txt b1.txt >c1.txt}
YAML
    run_bosk run "$PLAN" --jobs 2 --barrier wave
    expect_status 0
    sid=$(last_sid)
    equal "c" "$(git show "integration-$sid:c1.txt" | tr '\n' ' ')" 'a b '
}

@test "S0.2 a missing persona, skill or model is a plan error, before anything exists" {
    cat >"$PLAN" <<'YAML'
segments:
  - {id: a, name: x, persona: nobody}
  - {id: b, name: x, skills: [nothing]}
  - {id: c, name: x, model: opus}
YAML
    run_bosk run "$PLAN" --executor true
    expect_status 2
    expect_text "plan.yaml:2:31: task a: persona: there is no persona \"nobody\": no file nobody.md in $REPO/global_workflows/personas"
    expect_text "plan.yaml:3:31: task b: skills: there is no skill \"nothing\": .* $REPO/skills and $HOME/skills"
    expect_text 'plan.yaml:4:29: task c: model: .*add to bosk.yaml  models: \{"opus": '
    expect_text 'has 3 faults'
    [ ! -d .git/bosk ]
    [ ! -e "$REPO.worktrees" ]
    # Elsewhere by the configuration.
    write_file "$HOME/people/nobody.md" <<<'I am nobody.'
    write_file "$SCRATCH/abilities/nothing/SKILL.md" <<<'Do nothing.'
    run_bosk plan "$PLAN" --executor true -c 'personas=[~/people]' -c "skills=[$SCRATCH/abilities]" -c 'models={opus: {}}'
    expect_status 0
}

@test "S0.1 a branch that exists and is not ours is refused; one of an earlier session goes on, and its work is kept" {
    two_waves
    git branch feat/first-a
    run_bosk run "$PLAN" --executor "$AGENT"
    expect_status 2
    expect_text 'task first-a: branch: branch feat/first-a cannot be made because branch feat/first-a exists: rename'
    git branch -D -q feat/first-a
    git branch feat
    run_bosk run "$PLAN" --executor "$AGENT"
    expect_status 2
    expect_text 'because branch feat exists'
    git branch -D -q feat
    # It fails, and leaves what it did on its branch.
    write_file "$SCRATCH/fails" <<<'echo unfinished >first-a.txt; exit 1'
    run_bosk run "$PLAN" --executor "sh $SCRATCH/fails" -c retries=0
    expect_status 1
    sid=$(last_sid)
    was=$(git rev-parse feat/first-a)
    equal "left" "$(git show feat/first-a:first-a.txt)" unfinished
    run_bosk run "$PLAN" --executor "$AGENT" --fresh
    expect_status 2
    expect_text 'branch feat/first-a exists'
    run_bosk run "$PLAN" --executor "$AGENT"
    expect_status 0
    git for-each-ref --format='%(objectname)' "refs/bosk/keep/$sid" | grep -qxF "$was"
}

@test "segments and other plans are not for one run" {
    echo 'segments: [{id: a, name: x}]' >"$PLAN"
    echo 'tasks: [{id: b, run: x}]' >"$SCRATCH/own.yaml"
    run_bosk plan "$PLAN" "$SCRATCH/own.yaml" --executor true
    expect_status 2
    expect_text "own.yaml:1:1: one run takes plans of one kind: this one is a plan of bosk's own, those before are segments"
}

@test "--barrier none is kept with the session, too: a resume goes by dependencies as well" {
    cat >"$PLAN" <<'YAML'
segments: [{id: red, name: x}, {id: beside, name: x}, {id: later, name: x, dependencies: [beside]}]
execution_plan: {wave_1: [red, beside], wave_2: [later]}
YAML
    write_agent <<SH
#!/bin/sh
[ "\$BOSK_TASK" != red ] || exit 1
[ "\$BOSK_TASK" != beside ] || "$BOSK_BIN" -C "$REPO" stop
echo x >"\$BOSK_TASK.txt"
SH
    run_bosk run "$PLAN" --executor "$AGENT" --jobs 1 --barrier none -c retries=0
    expect_status 1
    sid=$(last_sid)
    equal "stopped" "$(status_json '.sessions[0].state')" stopped
    equal "later" "$(task_field "$sid" later state)" pending
    run_bosk resume
    expect_status 1
    equal "later" "$(task_field "$sid" later state)" integrated
    run_bosk verify
    expect_status 0
}
