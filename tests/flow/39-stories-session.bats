#!/usr/bin/env bats
# A session of stories: names, worktrees, failures, gates and the end (formats.md S3.3 - S3.10, S3.15 - S3.25).
load ../lib/flow
load ../lib/stories

setup() {
    stories_setup
    for key in 1-1 1-2 1-3 1-4 1-5; do
        story_file "$key" <<<$'# S\n## Tasks\n- [ ] one'
        does "$key" <<'DO'
echo "$BASHPID $BOSK_WORKTREE $BOSK_BRANCH $BOSK_SESSION" >"said.$BOSK_TASK"
tick one; result completed '"tasks_completed_by_closer": 1'
DO
    done
    plan "$(story 1-1)" "$(story 1-2)"
}
teardown() { flow_teardown; }

# said KEY FIELD: of the story's file on the newest session's branch.
said() { git -C "$REPO" show "integration-$(last_sid):said.$1" | cut -d ' ' -f "$2"; }

@test "S3.3 S3.6 names carry the session's own id; a new agent process for each story, in the same worktree" {
    run_bosk run "$PLAN" --executor "$AGENT" --jobs 1
    expect_status 0
    sid=$(last_sid)
    equal "branch" "$(said 1-1 3)" "bosk/$sid/1-1"
    equal "worktree" "$(basename "$(said 1-1 2)")" "$sid-1"
    equal "the same" "$(said 1-2 2)" "$(said 1-1 2)"
    [ "$(said 1-1 1)" != "$(said 1-2 1)" ]
    run_bosk run "$PLAN" --executor "$AGENT" --fresh
    expect_status 0
    [ "$(last_sid)" != "$sid" ]
    equal "where both began" "$(git merge-base "integration-$sid" "integration-$(last_sid)")" "$(git rev-parse main)"
}

@test "S3.7 S3.8 a story is merged at once, and the one that needs it begins with that" {
    does 1-2 <<'DO'
[ -e said.1-1 ] && git log -1 --format=%s "integration-$BOSK_SESSION" | grep -q '^Merge task 1-1' || exit 1
tick one; result completed '"tasks_completed_by_closer": 1'
DO
    plan "$(story 1-1)" "$(story 1-2 '"needs": ["1-1"]')"
    run_bosk run "$PLAN" --executor "$AGENT" --jobs 2
    expect_status 0
}

@test "S3.7 the next story of a worktree begins when the former is merged, also when it does not need it" {
    for key in 1-2 1-3; do
        does "$key" <<'DO'
git merge-base --is-ancestor "integration-$BOSK_SESSION" HEAD || exit 1
done=$(git ls-files 'said.*' 'before.*' | wc -l)
echo "$done" >"before.$BOSK_TASK"
tick one; result completed '"tasks_completed_by_closer": 1'
DO
    done
    plan "$(story 1-1)" "$(story 1-2)" "$(story 1-3)"
    run_bosk run "$PLAN" --executor "$AGENT" --jobs 1
    expect_status 0
    into=integration-$(last_sid)
    equal "of the second" "$(git show "$into:before.1-2")" 1
    equal "of the third" "$(git show "$into:before.1-3")" 2
}

@test "S3.9 a story that fails is told, and the next of its worktree is done" {
    does 1-1 <<<'echo broken; exit 1'
    run_bosk run "$PLAN" --executor "$AGENT" --jobs 1 -c retries=0
    expect_status 1
    equal "states" "$(status_json '[.sessions[0].tasks[].state] | join(" ")')" 'failed integrated'
    equal "told" "$("$BOSK_BIN" report --json | jq -r '.errors[0] | "\(.story_key) \(.error_message)"')" '1-1 exit 1: broken'
}

@test "S3.10 the integration branch is merged into the base at the end, then worktrees and branches are gone" {
    run_bosk run "$PLAN" --executor "$AGENT" --land merge
    expect_status 0
    git cat-file -e main:said.1-1
    git cat-file -e main:said.1-2
    assert_no_worktrees "$REPO"
    equal "branches" "$(git for-each-ref --format='%(refname)' refs/heads/bosk)" ''
}

@test "S3.11 dead but young is reported and kept; frozen is alive, however old; dead and old is cleaned, its work saved" {
    mkfifo "$SCRATCH/go"
    does 1-1 <<DO
tick one; touch "$SCRATCH/began"; read -r _ <"$SCRATCH/go"
DO
    start_bosk run "$PLAN" --executor "$AGENT" --jobs 1
    wait_until '[ -e "$SCRATCH/began" ]' 60
    sid=$(last_sid)
    kill -STOP "$bosk_pid"
    run_bosk gc --max-age 0s
    expect_status 0
    [ -d "$REPO.worktrees/$sid-1" ]
    kill -KILL "$bosk_pid"
    wait_bosk
    wait_until '[ -z "$(processes_of_test)" ]' 30
    plan "$(story 1-3)"
    run_bosk run "$PLAN" --executor "$AGENT"
    expect_status 0
    expect_text "session $sid is dead: .*bosk resume $sid"
    [ -d "$REPO.worktrees/$sid-1" ]
    run_bosk gc --max-age 0s
    expect_status 0
    refute test -e "$REPO.worktrees/$sid-1"
    git show "refs/bosk/rescue/$sid/1-1/1:docs/1-1.md" | grep -q '^- \[x\] one'
}

@test "S3.15 a gate that stays red after two fix attempts: blocked, and on with the next" {
    commit_config <<<'gates: [{name: tests, run: "! [ -e bad ]"}]'
    does 1-1 <<<"touch bad; tick one; result completed '\"tasks_completed_by_closer\": 1'"
    run_bosk run "$PLAN" --executor "$AGENT" --jobs 1 -c fix_attempts=2
    expect_status 1
    sid=$(last_sid)
    equal "states" "$(status_json '[.sessions[0].tasks[].state] | join(" ")')" 'blocked integrated'
    equal "attempts" "$(task_field "$sid" 1-1 attempts)" 3
    equal "listed" "$("$BOSK_BIN" report --json | jq -r '.blocked[0].story_key')" 1-1
}

@test "S3.22 without a result a story is tried twice more; three failures in a row and nothing new begins" {
    for key in 1-2 1-3 1-4; do does "$key" <<<'tick one'; done
    plan "$(story 1-1)" "$(story 1-2)" "$(story 1-3)" "$(story 1-4)" "$(story 1-5)"
    run_bosk run "$PLAN" --executor "$AGENT" --sequential -c retries=0 -c halt_after_failures=3
    expect_status 1
    equal "states" "$(status_json '[.sessions[0].tasks[].state] | join(" ")')" 'integrated failed failed failed pending'
    git cat-file -e "integration-$(last_sid):said.1-1"
    plan "$(story 1-2)"
    run_bosk run "$PLAN" --executor "$AGENT" -c retries=2
    expect_status 1
    equal "attempts" "$(task_field "$(last_sid)" 1-2 attempts)" 3
}

@test "S3.24 gates run after all merges: what they say is noted, and the batch stays" {
    commit_config <<<'gates: [{name: both, run: "! [ -e said.1-1 -a -e said.1-2 ]"}]'
    run_bosk run "$PLAN" --executor "$AGENT" --jobs 2 --verify task
    expect_status 1
    equal "final" "$(status_json '.sessions[0].final_gates')" fail
    equal "states" "$(status_json '[.sessions[0].tasks[].state] | join(" ")')" 'integrated integrated'
    equal "story" "$(said 1-2 4)" "$(last_sid)"
}

@test "S3.25 two sessions of stories at once: each has its own" {
    plan "$(story 1-3)" "$(story 1-4)"
    other=$SCRATCH/other.json
    mv "$PLAN" "$other"
    plan "$(story 1-1)" "$(story 1-2)"
    start_bosk run "$PLAN" --executor "$AGENT"
    "$BOSK_BIN" run "$other" --executor "$AGENT" >/dev/null 2>&1 </dev/null 3>&-
    wait_bosk
    expect_status 0
    equal "sessions" "$(status_json '[.sessions[] | "\(.state) \(.counts.integrated)"] | join(", ")')" 'done 2, done 2'
    equal "own" "$(git diff --name-only "$(status_json '.sessions[0].integration_branch')" main | wc -l)" 4
}
