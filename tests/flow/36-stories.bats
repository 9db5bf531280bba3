#!/usr/bin/env bats
# Stories at work (formats.md S3): plans in their normal form, as a run stores them.
load ../lib/flow
load ../lib/stories

setup() {
    stories_setup
    for id in a b c d; do echo 'echo "$BOSK_WORKTREE" >"$BOSK_TASK"' >"$SCRATCH/do/$id"; done
}
teardown() { flow_teardown; }

@test "S3.1 a story over the threshold is shown and never run; the session is done without it" {
    plan "$(story a)" "$(story big "$(routed)")"
    run_bosk run "$PLAN" --executor "$AGENT"
    expect_status 0
    sid=$(last_sid)
    equal "state" "$(task_field "$sid" big state)" routed
    equal "reason" "$(task_field "$sid" big reason)" '8 of 10 boxes are not ticked'
    equal "attempts" "$(task_field "$sid" big attempts)" 0
    equal "session" "$(status_json '.sessions[0].state')" 'done'
    equal "counts" "$(status_json '.sessions[0].counts | tojson')" '{"integrated":1,"routed":1,"total":2}'
    expect_text '^(ok|--) +big +routed .*8 of 10 boxes'
    git -C "$REPO" cat-file -e "integration-$sid:a"
    refute git -C "$REPO" cat-file -e "integration-$sid:big"
    run_bosk status
    expect_text '2 tasks: 1 integrated, 1 routed' "$OUT"
    run_bosk retry big
    expect_status 2
}

@test "S3.1 what needs a story that was routed is skipped, and says why" {
    plan "$(story big "$(routed)")" "$(story a '"needs": ["big"]')" "$(story b)"
    run_bosk run "$PLAN" --executor "$AGENT"
    expect_status 1
    sid=$(last_sid)
    equal "states" "$(status_json '[.sessions[0].tasks[].state] | join(" ")')" 'routed skipped integrated'
    equal "reason" "$(task_field "$sid" a reason)" 'it needs big, which is routed'
}

@test "S3.21 a story that is done already is integrated without a worker, and satisfies those that need it" {
    plan "$(story clean '"category": "CLEAN", "total": 3, "checked": 3')" "$(story a '"needs": ["clean"]')"
    run_bosk run "$PLAN" --executor "$AGENT" --land merge
    expect_status 0
    sid=$(last_sid)
    equal "states" "$(status_json '[.sessions[0].tasks[].state] | join(" ")')" 'integrated landed'
    equal "no commit" "$(task_field "$sid" clean commit)/$(task_field "$sid" clean attempts)" null/0
    equal "session" "$(status_json '.sessions[0].state')" 'done'
    equal "commits" "$(git log --format=%s | grep -c clean || true)" 0
}

@test "stories of which nobody has to do anything: no worker, no agent, no commit" {
    plan "$(story clean '"category": "CLEAN"')" "$(story big "$(routed)")"
    run_bosk run "$PLAN" # it needs no executor either
    expect_status 0
    equal "states" "$(status_json '[.sessions[0].tasks[].state] | join(" ")')" 'integrated routed'
    equal "session" "$(status_json '.sessions[0].state')" 'done'
    equal "tip" "$(git rev-parse "refs/bosk/int/$(last_sid)")" "$(git rev-parse main)"
    run_bosk resume "$(last_sid)"
    expect_status 0
}

@test "routed and done stories stay so when a new session goes on" {
    does a <<<'[ -e ../../heal ] || [ -e "${HOME%/home}/heal" ] || exit 1; echo x >a'
    plan "$(story clean '"category": "CLEAN"')" "$(story big "$(routed)")" "$(story a)"
    run_bosk run "$PLAN" --executor "$AGENT" -c retries=0
    expect_status 1
    touch "$SCRATCH/heal"
    run_bosk run "$PLAN" --executor "$AGENT"
    expect_status 0
    equal "states" "$(status_json '[.sessions[1].tasks[].state] | join(" ")')" 'integrated routed integrated'
}

@test "a lost store is made again: who was routed or done already is so again" {
    plan "$(story clean '"category": "CLEAN"')" "$(story big "$(routed)")" "$(story a)"
    run_bosk run "$PLAN" --executor "$AGENT"
    expect_status 0
    rm -rf .git/bosk/store
    run_bosk verify --repair
    run_bosk resume "$(last_sid)" --executor "$AGENT"
    expect_status 0
    equal "states" "$(status_json '[.sessions[0].tasks[].state] | join(" ")')" 'integrated routed integrated'
}

@test "a lost store knows no executor: resume asks for it, and starts nothing without" {
    does a <<<'exit 1'
    plan "$(story a)"
    run_bosk run "$PLAN" --executor "$AGENT" -c retries=0
    expect_status 1
    rm -rf .git/bosk/store
    run_bosk verify --repair
    run_bosk resume "$(last_sid)"
    expect_status 2
    expect_text "task a needs an agent, .*bosk resume $(last_sid) --agent NAME, or --executor CMD"
    equal "attempts" "$(status_json '.sessions[0].tasks[0].attempts')" 0
    does a <<<'echo x >a'
    run_bosk resume "$(last_sid)" --executor "$AGENT"
    expect_status 0
}

@test "S3.4 a story runs in the worktree of the one it needs, the others where there are fewest" {
    plan "$(story a)" "$(story b)" "$(story c '"needs": ["b"]')" "$(story d '"needs": ["c"]')"
    run_bosk run "$PLAN" --executor "$AGENT" --jobs 2
    expect_status 0
    sid=$(last_sid)
    for pair in a:1 b:2 c:2 d:2; do
        equal "worktree of ${pair%:*}" "$(basename "$(git show "integration-$sid:${pair%:*}")")" "$sid-${pair#*:}"
    done
}

@test "S3.5 never more worktrees than stories that run" {
    plan "$(story a)" "$(story clean '"category": "CLEAN"')" "$(story big "$(routed)")"
    run_bosk run "$PLAN" --executor "$AGENT" --jobs 5
    expect_status 0
    expect_text 'in 1 worktree, from'
}
