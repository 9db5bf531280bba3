#!/usr/bin/env bats
# Agents' programs that do not end as they should: silent ones, launchers that ignore TERM, a "completed" that comes after the
# kill, tools in sessions of their own, workers that live on without their launcher. Killed is killed whatever is said then,
# nothing is left running, and nobody begins while an earlier one still works. (Stand-ins, or the real programs: lib/agents.)
# shellcheck disable=SC2154,SC2016,SC2034,SC2164,SC2086 # variables set by run_bosk; lists of words

load ../lib/flow
load ../lib/agents/flow

setup() {
    flow_setup
    make_repo a.txt
    stand_in
    not_own_endpoint
}
teardown() { flow_teardown; }

# in_tool ID...: their programs are in the tool call that does not end.
in_tool() {
    local id
    for id in "$@"; do wait_until "grep -qs '^[a-z]* $id 1 .*turns=' '$STAND/log' && [ -e '$STAND/tasks/$id/waiting-1' ]" 60; done
}
# Nothing of them lives.
gone() {
    local file pid
    for file in "$STAND"/tasks/*/{pid-*,tool}; do
        [ -e "$file" ] || continue
        pid=$(<"$file")
        if alive "$pid"; then
            ps -o pid,ppid,stat,args -p "$pid" >&2
            return 1
        fi
    done
}

@test "silent programs are ended, whatever their exit then says: no result of them counts, nothing is left" {
    local cli
    for cli in $programs; do stand_task "$cli" "$cli" hang; done
    run_bosk run "$SCRATCH/p.yaml" --jobs 3 -c retries=0 -c silence=2s
    expect_status 1
    sid=$(last_sid)
    for cli in $programs; do
        equal "state of $cli" "$(task_field "$sid" "$cli" state)" failed
        task_field "$sid" "$cli" reason | grep -q 'no output for 2.0 s'
        equal "attempts of $cli" "$(task_field "$sid" "$cli" attempts)" 1
    done
    gone
}

@test "stopped in a tool call: claude's late completed does not count; the tools are gone; resume goes on in the same conversations" {
    local cli pid
    for cli in $programs; do
        stand_task "$cli" "$cli" 'term-in-tool resume-after-crash' "stand-in does: rm child.pid; echo done > $cli.txt"
    done
    start_bosk run "$SCRATCH/p.yaml" --jobs 3
    in_tool $programs
    sid=$(last_sid)
    "$BOSK_BIN" stop --now "$sid" 3>&-
    wait_bosk
    gone
    equal "session" "$(status_json '.sessions[0].state')" stopped
    for cli in $programs; do equal "state of $cli" "$(task_field "$sid" "$cli" state)" pending; done
    run_bosk resume "$sid"
    expect_status 0
    for cli in $programs; do
        equal "state of $cli" "$(task_field "$sid" "$cli" state)" integrated
        equal "conversations of $cli" "$(calls "$cli" | grep turns= | cut -d' ' -f3 | sort -u | wc -l)" 1
        calls "$cli" | grep -q 'resume-after-crash resume .* turns=2'
        equal "file of $cli" "$(git show "integration-$sid:$cli.txt")" "done"
        refute git show "integration-$sid:child.pid"
    done
    no_overlap
}

@test "a launcher that is killed: its worker and its tool are ended before the task is begun again" {
    local cli tools='' late=''
    # As the program begins without bosk's variable: a launcher and its worker.
    sed -i 's/gemini: {autonomy: full}/gemini: {autonomy: full, env: [GEMINI_CLI_NO_RELAUNCH=false]}/' "$HOME/.config/bosk/config.yaml"
    for cli in $programs; do
        tools+=" tool-$cli"
        stand_task "tool-$cli" "$cli" 'kill-in-tool ok' "stand-in does: rm child.pid; echo done > tool-$cli.txt"
    done
    # These would go on by themselves once the launcher is dead, and wait for a word that never comes.
    for cli in codex gemini; do
        has_program "$cli" || continue
        late+=" late-$cli"
        stand_task "late-$cli" "$cli" 'kill-late-output ok' "stand-in does: echo done >> late-$cli.txt"
        mkdir -p "$STAND/tasks/late-$cli"
        mkfifo "$STAND/tasks/late-$cli/go"
    done
    start_bosk run "$SCRATCH/p.yaml" --jobs 5
    in_tool $tools
    for cli in $late; do wait_until "grep -qs '^[a-z]* $cli 1 .*turns=' '$STAND/log'" 60; done
    for cli in $tools $late; do
        kill -KILL "$(calls "$cli" | sed -n 's/.*pid=//p' | head -n 1)"
    done
    wait_bosk
    expect_status 0
    sid=$(last_sid)
    no_overlap
    for cli in $tools $late; do
        equal "state of $cli" "$(task_field "$sid" "$cli" state)" integrated
        equal "attempts of $cli" "$(task_field "$sid" "$cli" attempts)" 2
        equal "file of $cli" "$(git show "integration-$sid:$cli.txt")" "done"
    done
    refute grep -q ' late$' "$STAND/log"
    gone
}

@test "the supervisor is killed while agents are in a tool call: resume ends them, and goes on in the same conversations" {
    local cli
    for cli in $programs; do
        stand_task "$cli" "$cli" 'crash-first resume-after-crash' "stand-in does: rm child.pid; echo done > $cli.txt"
    done
    start_bosk run "$SCRATCH/p.yaml" --jobs 3
    in_tool $programs
    sid=$(last_sid)
    kill -KILL "$bosk_pid"
    wait "$bosk_pid" || true
    run_bosk resume "$sid"
    expect_status 0
    no_overlap
    gone
    for cli in $programs; do
        equal "state of $cli" "$(task_field "$sid" "$cli" state)" integrated
        equal "calls of $cli" "$(calls "$cli" | grep -c turns=)" 2
        equal "conversations of $cli" "$(calls "$cli" | grep turns= | cut -d' ' -f3 | sort -u | wc -l)" 1
        calls "$cli" | grep -q 'resume .* turns=2'
    done
}

@test "launchers that ignore TERM are ended all the same" {
    write_file "$HOME/.config/bosk/config.yaml" <<'YAML'
limits: {free_disk: 0, free_memory: 0}
agents:
  gemini: {autonomy: full, grace: 1s, env: [GEMINI_CLI_NO_RELAUNCH=false]}
  deaf: {argv: [deaf], session: none, ok: [exit 0], grace: 1s}
YAML
    write_file "$SCRATCH/bin/deaf" <<'SH'
#!/bin/bash
trap '' TERM INT HUP
setsid bash -c 'trap "" TERM; sleep 1000 & wait' &
mkdir -p "$HOME/.stand-in/tasks/deaf"
echo $! >"$HOME/.stand-in/tasks/deaf/tool"
while :; do wait; sleep 1000; done
SH
    chmod +x "$SCRATCH/bin/deaf"
    PATH=$SCRATCH/bin:$PATH
    ! has_program gemini || stand_task gemini gemini hang
    stand_task deaf deaf hang
    start_bosk run "$SCRATCH/p.yaml" --jobs 2 --no-preflight # deaf would not answer that one either
    ! has_program gemini || wait_until "[ -e '$STAND/tasks/gemini/pid-1' ]" 60
    wait_until "[ -s '$STAND/tasks/deaf/tool' ]" 60
    "$BOSK_BIN" stop --now 3>&-
    wait_bosk
    gone
    equal "session" "$(status_json '.sessions[0].state')" stopped
}
