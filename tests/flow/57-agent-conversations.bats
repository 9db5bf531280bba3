#!/usr/bin/env bats
# Conversations with agents: what a gate says goes to the same one, also after a resume; one that is gone is begun anew with all
# that was said. With BOSK_TEST_REAL="codex claude ..." these programs are used instead of the stand-ins (README.md of
# lib/agents); the prompts of the first two tests say in words what the stand-ins are told by name.
# shellcheck disable=SC2154,SC2016,SC2034,SC2164 # variables set by run_bosk

load ../lib/flow
load ../lib/agents/flow

: "${BOSK_PLAIN_BIN:?names a bosk built without sanitizers}"

setup() {
    PLAIN=$(readlink -f "$BOSK_PLAIN_BIN") # flow_setup forgets that name
    flow_setup
    make_repo a.txt
    stand_in
}
teardown() { flow_teardown; }

# hello ID AGENT PLAYS: makes ID.txt.
hello() { stand_task "$1" "$2" "$3" "Create the file $1.txt in the current folder. It must hold one line: hello" "Do nothing else."; }
gate_wants_world() {
    commit_config <<'YAML'
gates:
  - {name: greeting, run: 'for f in *.txt; do [ $f = a.txt ] || grep -qx "hello, world" $f || { echo "$f: the line must be: hello, world"; exit 1; }; done'}
YAML
}

@test "what a gate says goes to the same conversation, which has seen the task" {
    local cli
    gate_wants_world
    for cli in $programs; do hello "$cli" "$cli" 'ok resume-feedback'; done
    run_bosk run "$SCRATCH/p.yaml" --jobs 3
    expect_status 0
    sid=$(last_sid)
    for cli in $programs; do
        equal "state of $cli" "$(task_field "$sid" "$cli" state)" integrated
        equal "file of $cli" "$(git show "integration-$sid:$cli.txt")" 'hello, world'
        equal "attempts of $cli" "$(task_field "$sid" "$cli" attempts)" 2
        [ -n "${BOSK_TEST_REAL_HOME:-}" ] && continue
        equal "conversation of $cli" "$(calls "$cli" | grep turns= | cut -d' ' -f2,4 | tr '\n' ' ')" 'first turns=1 resume turns=2 '
        prompt_of "$cli" 1 | grep -q "It must hold one line: hello"
        prompt_of "$cli" 2 | grep -q 'the line must be: hello, world'
        [ "$(prompt_of "$cli" 2 | wc -c)" -lt 20000 ]
    done
}

@test "one tiny task with each program: done, counted, nothing left" {
    local cli
    for cli in $programs; do hello "$cli" "$cli" ok; done
    run_bosk run "$SCRATCH/p.yaml" --jobs 3
    expect_status 0
    sid=$(last_sid)
    for cli in $programs; do equal "file of $cli" "$(git show "integration-$sid:$cli.txt")" hello; done
    assert_no_strays "$sid"
}

# What the real programs know of conversations, gone: a gate does it.
forget='rm -rf "$HOME"/.codex/sessions "$HOME"/.claude/projects "$HOME"/.gemini/tmp "$HOME"/.qwen/projects "$HOME"/.qwen/tmp "$HOME"/.copilot "$HOME"/.local/share/opencode'

@test "a conversation that the program does not know any more is begun anew, with the task and what was said" {
    local cli plays='ok resume-unknown resume-feedback' wanted='ok first unknown resume-feedback first '
    not_own_endpoint
    gate_wants_world
    if [ -n "${BOSK_TEST_REAL:-}" ]; then # whose endpoint is not even called
        sed -i "s|run: '|run: '$forget; |" bosk.yaml
        git commit -qam 'Forget'
        plays='ok resume-feedback' wanted='ok first resume-feedback first '
    fi
    for cli in $programs; do stand_task "$cli" "$cli" "$plays"; done
    run_bosk run "$SCRATCH/p.yaml" --jobs 3
    expect_status 0
    sid=$(last_sid)
    for cli in $programs; do
        equal "state of $cli" "$(task_field "$sid" "$cli" state)" integrated
        equal "calls of $cli" "$(calls "$cli" | grep -v exit= | cut -d' ' -f1,2 | sed 's/unknown .*/unknown/' | tr '\n' ' ')" "$wanted"
        prompt_of "$cli" 1 | grep -q "Make the file $cli.txt"
        prompt_of "$cli" 1 | grep -q 'the line must be: hello, world'
    done
}

@test "a conversation that is found in its own folder only goes on there after a resume, whoever is first in the plan" {
    local n
    # x and y are at work in worktrees 1 and 2 when their account gives no more. After the resume a and b, which are
    # before them in the plan and waited for a, could begin there.
    echo '  own: {extends: gemini, account: own, autonomy: full}' >>"$HOME/.config/bosk/config.yaml"
    echo '  other: {extends: claude, account: other, autonomy: full}' >>"$HOME/.config/bosk/config.yaml"
    mkfifo "$SCRATCH/both"
    stand_task a other 'usage ok'
    for n in b c; do stand_task "$n" other ok; done
    stand_task x own 'usage-after-tool ok' "stand-in does 1: echo >'$SCRATCH/both'; echo one >x.txt" 'stand-in does 2: echo two >>x.txt'
    stand_task y own 'usage-after-tool ok' "stand-in does 1: read z <'$SCRATCH/both'; echo one >y.txt" 'stand-in does 2: echo two >>y.txt'
    sed -i 's/^  - id: [xy]$/&\n    priority: 1/' "$SCRATCH/p.yaml"
    run_bosk run "$SCRATCH/p.yaml" --jobs 2 -c limits.max_wait=1s
    expect_status 3
    sid=$(last_sid)
    # Both accounts are open again: a, b and c are asked first, as they are first in the plan.
    later 20000
    run_bosk resume "$sid"
    expect_status 0
    for n in x y; do
        equal "calls of $n" "$(calls "$n" | grep turns= | cut -d' ' -f2,4 | tr '\n' ' ')" 'first turns=1 resume turns=2 '
        equal "folders of $n" "$(sed -n 's/^cwd //p' "$STAND/tasks/$n"/call-* | sort -u | wc -l)" 1
        refute grep "$n.*unknown" "$STAND/log"
    done
}

# Each turn of the supervisor that is written, from the one that begins the task on: killed before it is, and after. What a
# worker said in between (it begins; what its conversation is) is lost, or known and not acted on.
@test "the supervisor is killed before and after each thing it writes down: no run is doubled, none is forgotten" {
    local at n cli call
    BOSK_BIN=$PLAIN
    flow_template BOSK_BIN
    for ((n = 3; ; n++)); do
        for at in before after; do
            flow_fresh
            rm -rf "$STAND" "$SCRATCH/p.yaml" "$SCRATCH/fired"
            for cli in codex claude; do hello "$cli" "$cli" 'ok ok ok'; done
            BOSK_FAILPOINT_IN=supervisor BOSK_FAILPOINT_AT=turn.commit.$at:$n BOSK_FAILPOINT_ONCE=$SCRATCH/fired \
                run_bosk run "$SCRATCH/p.yaml" --jobs 2
            [ -e "$SCRATCH/fired" ] || break 2
            sid=$(last_sid)
            run_bosk resume "$sid"
            equal "session" "$(status_json '.sessions[0].state')" "done"
            no_overlap
            for cli in codex claude; do
                printf '%s:%s %s\n' "$at" "$n" "$cli"
                equal "state" "$(task_field "$sid" "$cli" state)" integrated
                equal "runs of one attempt" "$(sed -n 's/^env BOSK_ATTEMPT=//p' "$STAND/tasks/$cli"/call-* | sort | uniq -d)" ''
                call=$(find "$STAND/tasks/$cli" -name 'call-*' | wc -l)
                [ "$call" -le "$(task_field "$sid" "$cli" attempts)" ]
                # One that was killed before its first word does not know its conversation, and says so once.
                [ "$(task_field "$sid" "$cli" attempts)" -le $((2 + $(grep -c "^$cli .* unknown " "$STAND/log" || true))) ]
                # Its id is on disk before it begins: what was begun is gone on with.
                [ "$cli" != claude ] || equal "conversations" "$(calls claude | grep turns= | cut -d' ' -f3 | sort -u | wc -l)" 1
                equal "commits" "$(git log --format=%s --grep "Bosk-Task: $cli$" "integration-$sid" --no-merges | wc -l)" 1
            done
        done
    done
    [ "$n" -gt 6 ]
}
