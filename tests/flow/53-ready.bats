#!/usr/bin/env bats
# Ready to leave? What is looked at before the first task of a run, and by `doctor --live`: one tiny call to each account,
# the setup once, the gates on the base, disk and memory for all worktrees (interface.md; stand-ins of lib/agents).
# shellcheck disable=SC2154,SC2016,SC2034,SC2164 # variables set by run_bosk

load ../lib/flow
load ../lib/agents/flow

setup() {
    flow_setup
    make_repo a.txt
    stand_in
    mkdir -p "$STAND"
}
teardown() { flow_teardown; }

# the_base YAML: the checkout's settings, committed.
the_base() {
    printf '%s\n' "$1" >bosk.yaml
    git add bosk.yaml
    git commit -qm settings
}
live_calls() { grep -c 'turns=' "$STAND/live/log"; }
# Nothing of a session is left.
nothing_left() {
    equal "sessions" "$(status_json '.sessions | length')" 0
    equal "worktrees" "$(git worktree list | wc -l)" 1
    equal "refs" "$(git for-each-ref --format='%(refname)')" refs/heads/main
    equal "logs" "$(ls .git/bosk/logs .git/bosk/sessions .git/bosk/tmp | tr '\n' ' ')" \
        '.git/bosk/logs:  .git/bosk/sessions:  .git/bosk/tmp: '
}

@test "doctor --live: a call to each account, setup once, gates on the base, room; ready to leave, nothing left" {
    # Two agents of one account; one that no question can be put to.
    cat >>"$HOME/.config/bosk/config.yaml" <<'YAML'
  second: {extends: codex}
  dumb: {argv: [sh, -c, "exit 1"], prompt: none, session: none, ok: [exit 0]}
YAML
    the_base "
agent: codex
gates: [{name: lint, run: 'echo gate >> $SCRATCH/did'}, {name: unit, run: 'echo gate >> $SCRATCH/did'}]
worktrees: {setup: 'echo setup >> $SCRATCH/did'}"
    run_bosk doctor --live
    expect_status 0
    equal "last line" "$(tail -n 1 "$OUT")" 'ready to leave'
    for agent in claude copilot gemini opencode qwen; do
        expect_text "ok    agent $agent answers .account " "$OUT"
    done
    equal "calls to the account of codex" "$(grep -c 'agent .* answers .account openai' "$OUT")" 1
    equal "calls" "$(live_calls)" 6
    equal "setup and gates" "$(tr '\n' ' ' <"$SCRATCH/did")" 'setup gate gate '
    expect_text 'ok    setup works' "$OUT"
    expect_text 'ok    gates pass on the base .*: lint, unit' "$OUT"
    expect_text 'ok    disk: 3 worktrees of' "$OUT"
    expect_text 'ok    memory: 3 worktrees of 1200 MiB' "$OUT"
    [ ! -e "$STAND/log" ]
    nothing_left
}

@test "doctor --live: what is not ready is listed at the end, with what to do" {
    local tail
    the_base "gates: [{name: lint, run: 'echo broken; false'}]"
    echo e401 >"$STAND/live-claude"
    echo e404 >"$STAND/live-codex"
    echo usage:3600 >"$STAND/live-codex2"
    echo overloaded >"$STAND/live-gemini"
    run_bosk doctor --live -c jobs=2
    expect_status 4
    tail=$(sed -n '/^not ready to leave:/,$p' "$OUT")
    echo "$tail" >"$SCRATCH/tail"
    expect_text 'agent claude: not logged in, or the key is not accepted.*Log in' "$SCRATCH/tail"
    expect_text 'agent codex: it cannot work as it is configured.*does not exist' "$SCRATCH/tail"
    expect_text 'agent gemini: the service did not answer.*tried again later' "$SCRATCH/tail"
    expect_text 'gates do not pass on the base .*, so nothing was started' "$SCRATCH/tail"
    expect_text 'gate lint: fail .exit 1' "$SCRATCH/tail"
    refute grep -q 'agent qwen' "$SCRATCH/tail"
    expect_text 'ok    agent qwen answers' "$OUT"
    nothing_left
    # That a key was wrong once shuts nothing: it is mended before the next one begins.
    equal "accounts" "$(status_json '.accounts | length')" 0
}

@test "doctor --live: room for fewer worktrees than are to be used is said" {
    run_bosk doctor --live -c jobs=3 -c limits.free_memory=90000GiB
    expect_status 4
    expect_text '^  .* of memory are available, less than limits.free_memory' "$OUT"
    # Above the floor, but not for all: the heaviest agent decides.
    cat >>"$HOME/.config/bosk/config.yaml" <<'YAML'
  heavy: {extends: codex, weight_mb: 900000}
YAML
    run_bosk doctor --live -c jobs=3
    expect_status 4
    expect_text '^  memory: 3 worktrees of 900000 MiB.*enough for 0 of them' "$OUT"
}

@test "run: ready to leave is said before the first task, one call for each account" {
    cat >>"$HOME/.config/bosk/config.yaml" <<'YAML'
  second: {extends: codex}
YAML
    stand_task one codex ok
    stand_task two second ok
    stand_task three claude ok
    printf '  - {id: four, run: "echo x > four.txt"}\n' >>"$SCRATCH/p.yaml"
    run_bosk run "$SCRATCH/p.yaml"
    expect_status 0
    equal "calls" "$(grep 'turns=' "$STAND/live/log" | cut -d' ' -f1 | sort | tr '\n' ' ')" 'claude codex '
    # Before any task, and no attempt of one; its cost counts.
    equal "order" "$(grep -E '^(ready to leave|four|one|two|three): |^ready' "$ERR" | head -n 1)" 'ready to leave'
    for id in one two three; do equal "attempts of $id" "$(task_field "$(last_sid)" "$id" attempts)" 1; done
    run_bosk status --json
    equal "its runs and cost" "$(jq '.sessions[0] | [.runs, .cost_usd > ([.tasks[].cost_usd // 0] | add)] | @csv' "$OUT")" '"5,true"'
}

@test "run: a wrong key stops the run before anything is started; mended, or without looking, it goes on" {
    stand_task one claude ok
    stand_task two codex ok
    echo e401 >"$STAND/live-claude"
    run_bosk run "$SCRATCH/p.yaml"
    expect_status 4
    expect_text 'error: not ready to leave, so nothing was started:'
    expect_text '  agent claude: not logged in'
    [ ! -e "$STAND/log" ]
    nothing_left
    run_bosk run "$SCRATCH/p.yaml" --no-preflight
    expect_status 0
    refute grep -q 'ready to leave' "$ERR"
    equal "calls" "$(live_calls)" 2
    run_bosk run "$SCRATCH/p.yaml" --fresh
    expect_status 4
    rm "$STAND/live-claude"
    run_bosk run "$SCRATCH/p.yaml" --fresh
    expect_status 0
    expect_text '^ready to leave$'
}

@test "run: of what is done already no account is asked" {
    stand_task one claude ok
    stand_task two codex empty
    run_bosk run "$SCRATCH/p.yaml" -c retries=0
    expect_status 1
    echo e401 >"$STAND/live-claude"
    run_bosk run "$SCRATCH/p.yaml" -c retries=0
    expect_status 1
    expect_text '^ready to leave$'
    equal "calls" "$(grep turns= "$STAND/live/log" | cut -d' ' -f1 | tr '\n' ' ')" 'claude codex codex '
}

@test "run: an account that is limited waits, for all; a service that does not answer stops nothing" {
    stand_task one codex ok
    stand_task two claude ok
    echo usage:7200 >"$STAND/live-codex"
    echo overloaded >"$STAND/live-claude"
    run_bosk run "$SCRATCH/p.yaml" -c limits.max_wait=1h
    expect_status 3
    expect_text '^ready to leave, but for:$'
    expect_text '^  account openai is limited until .*: what needs it waits'
    expect_text '^  agent claude: the service did not answer'
    sid=$(last_sid)
    equal "one" "$(task_field "$sid" one state)" pending
    equal "two" "$(task_field "$sid" two state)" integrated
    refute grep -q '^codex' "$STAND/log"
    # Known now: no run asks again, and a resume does not look again.
    equal "calls" "$(live_calls)" 2
    run_bosk run --fresh "$SCRATCH/p.yaml" -c limits.max_wait=1h
    expect_status 3
    equal "calls to codex" "$(grep -c '^codex.*turns=' "$STAND/live/log")" 1
    # Who asks may have bought more: then it is open for all.
    run_bosk doctor --live
    expect_status 4
    expect_text '^  account openai is limited until' "$OUT"
    rm "$STAND/live-codex" "$STAND/live-claude"
    run_bosk doctor --live
    expect_status 0
    equal "accounts" "$(status_json '[.accounts[] | select(.limited_until)] | length')" 0
    run_bosk resume "$sid"
    expect_status 0
}

@test "what a tiny call does in the worktree is of no task" {
    write_file "$SCRATCH/bin/busy" <<'SH'
#!/bin/bash
cat >/dev/null
echo "$BOSK_TASK" >>"$HOME/.stand-in/busy"
echo junk >junk.txt
echo more >>a.txt
git checkout -qb mine && git add -A && git -c user.name=x -c user.email=x@y commit -qm mine
touch .git-junk
[ "$BOSK_TASK" = live ] || echo work >work.txt
SH
    chmod +x "$SCRATCH/bin/busy"
    PATH=$SCRATCH/bin:$PATH
    cat >>"$HOME/.config/bosk/config.yaml" <<'YAML'
  busy: {argv: [busy], session: none, ok: [exit 0]}
YAML
    printf 'tasks: [{id: first, run: "ls -A > seen.txt"}, {id: one, agent: busy, prompt: x}]\n' >"$SCRATCH/p.yaml"
    run_bosk run "$SCRATCH/p.yaml" --sequential
    equal "calls" "$(head -n 2 "$HOME/.stand-in/busy" | tr '\n' ' ')" 'live one '
    sid=$(last_sid)
    expect_status 0
    equal "the first task saw" "$(git show "integration-$sid:seen.txt" | tr '\n' ' ')" '.git README.md a.txt seen.txt '
}

@test "stopped while it looks: nothing was started, nothing is left" {
    stand_task one codex ok
    echo hang >"$STAND/live-codex"
    start_bosk run "$SCRATCH/p.yaml"
    wait_until "[ -e '$STAND/live/codex/waiting-1' ]" 60
    kill -INT "$bosk_pid"
    wait_bosk
    expect_status 130
    nothing_left
    start_bosk doctor --live
    wait_until "[ -e '$STAND/live/codex/waiting-2' ]" 60
    kill -INT "$bosk_pid"
    wait_bosk
    expect_status 130
    refute grep -q 'ready to leave' "$OUT"
    nothing_left
    start_bosk doctor --live
    wait_until "[ -e '$STAND/live/codex/waiting-3' ]" 60
    "$BOSK_BIN" stop 2>"$SCRATCH/stop" # answers at once
    wait_bosk
    expect_status 1
    equal 'its last line' "$(tail -n 1 "$OUT")" 'stopped before all was looked at'
    nothing_left
}

@test "killed while it looks: a run that is resumed looks again; a doctor's session starts nothing, ever" {
    stand_task one codex ok
    echo hang >"$STAND/live-codex"
    start_bosk run "$SCRATCH/p.yaml"
    wait_until "[ -e '$STAND/live/codex/waiting-1' ]" 60
    kill -KILL "$bosk_pid"
    wait "$bosk_pid" || true
    rm "$STAND/live-codex"
    run_bosk resume
    expect_status 0
    expect_text '^ready to leave$'
    equal "calls" "$(live_calls)" 2
    echo hang >"$STAND/live-claude"
    start_bosk doctor --live
    wait_until "[ -e '$STAND/live/claude/waiting-1' ]" 60
    sid=$(last_sid)
    kill -KILL "$bosk_pid"
    wait "$bosk_pid" || true
    rm "$STAND/live-claude"
    run_bosk resume "$sid"
    expect_status 0
    equal "tasks begun" "$(grep -c turns= "$STAND/log")" 1
    equal "sessions" "$(status_json '[.sessions[] | select(.id == "'"$sid"'")] | length')" 0
}

@test "a worker that dies of a tiny call: another one goes on with what was not asked yet" {
    stand_task one claude ok
    stand_task two codex ok
    echo hang >"$STAND/live-codex"
    start_bosk run "$SCRATCH/p.yaml"
    wait_until "[ -e '$STAND/live/codex/waiting-1' ]" 60
    rm "$STAND/live-codex"
    pkill -KILL -P "$bosk_pid"
    wait_bosk
    expect_status 0
    equal "calls" "$(grep turns= "$STAND/live/log" | cut -d' ' -f1 | sort | uniq -c | tr -s ' \n' ' ')" ' 1 claude 2 codex '
}

@test "doctor --live, killed at each step that is kept: the store agrees, nothing is ever started, nothing is left" {
    local point sid
    the_base "gates: [{name: lint, run: 'true'}]
agent: codex"
    # turn.commit: before the call, what it said, the verdict of the gates.
    for point in turn.commit.after:1 turn.commit.before:2 turn.commit.after:2 turn.commit.after:3 turn.commit.after:4 \
        worktree.remove.before:1 forget.refs.before:1 forget.refs.after:1 forget.rows.after:1; do
        BOSK_FAILPOINT_AT=$point BOSK_FAILPOINT_ONCE=$SCRATCH/once-$point run_bosk doctor --live -c jobs=1
        [ -e "$SCRATCH/once-$point" ] || { echo "not reached: $point" >&2 && false; }
        run_bosk verify
        expect_status 0 || { echo "verify after $point" >&2 && false; }
        run_bosk verify --repair
        if [ "$(status_json '.sessions | length')" != 0 ]; then
            sid=$(last_sid)
            run_bosk resume "$sid"
            expect_status 0 || { echo "resume after $point" >&2 && false; }
        fi
        [ ! -e "$STAND/log" ] || { echo "a task began after $point" >&2 && false; }
        equal "sessions after $point" "$(status_json '.sessions | length')" 0
        equal "worktrees after $point" "$(git worktree list | wc -l)" 1
        equal "refs after $point" "$(git for-each-ref --format='%(refname)')" refs/heads/main
    done
}

@test "doctor --live, killed, and the store lost: made again from git, it still starts nothing" {
    the_base "gates: [{name: lint, run: 'true'}]
agent: codex"
    BOSK_FAILPOINT_AT=turn.commit.after:3 BOSK_FAILPOINT_ONCE=$SCRATCH/once run_bosk doctor --live -c jobs=1
    [ -e "$SCRATCH/once" ]
    rm -rf .git/bosk/store
    run_bosk verify --repair
    expect_status 0
    equal "sessions" "$(status_json '.sessions | length')" 1
    run_bosk resume
    expect_status 0
    [ ! -e "$STAND/log" ]
    equal "sessions" "$(status_json '.sessions | length')" 0
    equal "refs" "$(git for-each-ref --format='%(refname)')" refs/heads/main
}
