#!/usr/bin/env bats
# Usage limits, wrong keys and services that do not answer, as codex, claude and gemini tell of them (stand-ins of
# lib/agents): what bosk makes of each, until when an account is shut, that attempts are not counted, that the same
# conversation goes on in the same worktree, one task first.
# shellcheck disable=SC2154,SC2016,SC2034,SC2164,SC2030,SC2031,SC2013 # variables set by run_bosk; each test is a subshell

load ../lib/flow
load ../lib/agents/flow

: "${BOSK_PLAIN_BIN:?names a bosk built without sanitizers}"

setup() {
    PLAIN=$(readlink -f "$BOSK_PLAIN_BIN") # flow_setup forgets that name
    flow_setup
    make_repo a.txt
    stand_in
    not_own_endpoint
}
# rows: of a test's table on standard input those that can be played here.
rows() {
    local agent scenario rest
    while IFS= read -r rest; do
        read -r agent scenario _ <<<"${rest//|/ }"
        has_program "$agent" || continue
        # What only old versions say; own retries, which are off; claude with a key; limits shorter than a run.
        case ${BOSK_TEST_REAL:+$scenario} in
        usage-words | usage-old | usage-ms | usage-apikey | *-defaults | usage:5 | usage:-300) continue ;;
        esac
        printf '%s\n' "$rest"
    done
}
teardown() { flow_teardown; }

# own_account ID AGENT: an agent with an account of its own.
own_account() { printf '  %s: {extends: %s, account: %s, autonomy: full}\n' "$1" "$2" "$1" >>"$HOME/.config/bosk/config.yaml"; }
trim() {
    local text=$1
    text=${text#"${text%%[![:space:]]*}"}
    printf '%s' "${text%"${text##*[![:space:]]}"}"
}
account() { jq -r --arg name "$1" '.accounts[] | select(.name == $name) | '"$2" "$SCRATCH/status"; }

@test "each way to tell of a limit shuts the account until then; the attempt is not counted; exit 3 when it is too long" {
    local id agent scenario seconds until now=$EPOCHSECONDS wrong=0 table
    # agent, scenario, seconds from now until the reset (0: no time was said)
    table=$(rows <<'ROWS'
codex    | usage             | 7200
codex    | usage-30m         | 1800
codex    | usage-5d          | 435600
codex    | usage-words       | 7200
codex    | usage-old         | 234840
codex    | usage-after-tool  | 7200
codex    | usage:5           | 30
codex    | usage:-300        | 30
codex    | usage:9999999     | 691200
codex    | capacity          | 0
codex    | quota             | 0
claude   | usage             | 7200
claude   | usage-30m         | 1800
claude   | usage-5d          | 435600
claude   | usage-words       | 7200
claude   | usage-ms          | 7200
claude   | usage-old         | 7200
claude   | usage-after-tool  | 7200
claude   | capacity          | 7200
claude   | capacity-30m      | 1800
claude   | quota             | 0
gemini   | usage             | 0
gemini   | usage-after-tool  | 0
gemini   | capacity          | 7200
gemini   | capacity-30m      | 1800
gemini   | capacity-defaults | 7200
gemini   | quota             | 0
ROWS
    )
    while IFS='|' read -r agent scenario seconds; do
        agent=${agent// /} scenario=$(trim "$scenario") id=$agent-${scenario//:/-}
        own_account "$id" "$agent"
        stand_task "$id" "$id" "$scenario"
    done <<<"$table"
    run_bosk run "$SCRATCH/p.yaml" --jobs 3 -c limits.max_wait=1s -c halt_after_failures=100
    expect_status 3
    sid=$(last_sid)
    "$BOSK_BIN" status --json >"$SCRATCH/status"
    equal "session" "$(jq -r '.sessions[0].state' "$SCRATCH/status")" limited
    while IFS='|' read -r agent scenario seconds; do
        agent=${agent// /} scenario=$(trim "$scenario") id=$agent-${scenario//:/-} seconds=${seconds// /}
        equal "$id: state" "$(task_field "$sid" "$id" state)" limited || wrong=1
        equal "$id: attempts" "$(task_field "$sid" "$id" attempts)" 0 || wrong=1
        equal "$id: calls" "$(calls "$id" | grep -c turns=)" 1 || wrong=1
        until=$(account "$id" '.limited_until // "none" | if . == "none" then 0 else fromdateiso8601 end')
        until=$((until - now))
        if [ "$seconds" = 0 ]; then
            [ "$until" -gt 0 ] || equal "$id: until" "$until" 'some time'  || wrong=1
        else
            # Words have minutes only; a little more, so that not all come at once; and the time this test takes.
            [ "$until" -ge $((seconds - 60)) ] && [ "$until" -le $((seconds + seconds / 20 + 180)) ] ||
                equal "$id: seconds until the reset" "$until" "$seconds" || wrong=1
        fi
    done <<<"$table"
    [ $wrong = 0 ]
    run_bosk status
    expect_text 'account codex-usage: limited until' "$OUT"
}

@test "all tasks of an account wait; after the time one goes first, each in its conversation and worktree" {
    local n
    needs_programs codex claude
    # Both are at work when the limit comes.
    mkfifo "$SCRATCH/both"
    stand_task t1 codex 'usage-after-tool ok' "stand-in does 1: echo >'$SCRATCH/both'; echo one >t1.txt" 'stand-in does 2: echo two >>t1.txt'
    stand_task t2 codex 'usage-after-tool ok' "stand-in does 1: read <'$SCRATCH/both'; echo one >t2.txt" 'stand-in does 2: echo two >>t2.txt'
    for n in 3 4; do stand_task "t$n" codex ok; done
    stand_task free claude ok
    run_bosk run "$SCRATCH/p.yaml" --jobs 2 -c limits.max_wait=1s
    expect_status 3
    sid=$(last_sid)
    equal "free" "$(task_field "$sid" free state)" integrated
    equal "begun" "$(grep -c '^codex .*turns=' "$STAND/log")" 2
    # Too early: nothing begins.
    cp "$STAND/log" "$SCRATCH/log"
    run_bosk resume "$sid"
    expect_status 3
    cmp "$STAND/log" "$SCRATCH/log"
    later 10000
    run_bosk resume "$sid"
    expect_status 0
    for n in 1 2 3 4; do equal "t$n" "$(task_field "$sid" "t$n" state)" integrated; done
    for n in t1 t2; do
        equal "attempts of $n" "$(task_field "$sid" "$n" attempts)" 1
        equal "conversation of $n" "$(calls "$n" | grep turns= | cut -d' ' -f2,4 | tr '\n' ' ')" 'first turns=1 resume turns=2 '
        equal "what $n did before and after" "$(git show "integration-$sid:$n.txt")" $'one\ntwo'
        equal "folders of $n" "$(sed -n 's/^cwd //p' "$STAND/tasks/$n"/call-* | sort -u | wc -l)" 1
    done
    # The first of the second run was at its end before the next began. (An endpoint does not see ends.)
    [ -n "${BOSK_TEST_REAL:-}" ] || tail -n +$(($(wc -l <"$SCRATCH/log") + 1)) "$STAND/log" | grep '^codex' | sed -n 2p | grep -q 'exit=0'
    no_overlap
}

@test "what codex tells of a whole conversation is counted once, whichever process hears it" {
    stand_task sums codex 'prose usage ok' # a result that cannot be used; asked again, a limit; gone on with after it
    run_bosk run "$SCRATCH/p.yaml" -c limits.max_wait=1s
    expect_status 3
    sid=$(last_sid)
    run_bosk report "$sid"
    expect_text '^ +sums +codex +unknown: .* 2000 tokens in \(400 of them cached\), 100 out' "$OUT"
    later 10000
    run_bosk resume "$sid"
    expect_status 0
    equal "turns" "$(calls sums | sed -n 's/.*turns=\([0-9]*\).*/\1/p' | tr '\n' ' ')" '1 2 3 '
    run_bosk report "$sid"
    expect_text '^ +sums +codex +unknown: .* 6000 tokens in \(1200 of them cached\), 300 out' "$OUT"
}

@test "a fallback works meanwhile; without one the others of the account wait" {
    needs_programs codex claude
    echo '  falls: {extends: codex, account: shut, fallback: claude, autonomy: full}' >>"$HOME/.config/bosk/config.yaml"
    stand_task one falls 'usage ok'
    stand_task two falls ok
    run_bosk run "$SCRATCH/p.yaml" --jobs 1
    expect_status 0
    sid=$(last_sid)
    equal "programs" "$(grep turns= "$STAND/log" | cut -d' ' -f1 | sort | uniq -c | tr -s ' \n' ' ')" ' 2 claude 1 codex '
}

@test "wrong keys stop the account at once, and say what to do" {
    local id agent scenario table
    table=$(rows <<'ROWS'
codex e401
claude e401
claude e401-defaults
gemini e401
qwen e401
copilot e401
opencode e401
ROWS
    )
    while read -r agent scenario; do
        id=$agent-$scenario
        own_account "$id" "$agent"
        stand_task "$id" "$id" "$scenario ok"
        stand_task "$id-next" "$id" ok
    done <<<"$table"
    run_bosk run "$SCRATCH/p.yaml" --jobs 1 -c halt_after_failures=100
    expect_status 3
    sid=$(last_sid)
    "$BOSK_BIN" status --json >"$SCRATCH/status"
    for id in ${table// /-}; do
        equal "$id: account" "$(account "$id" .state)" auth
        equal "$id: calls" "$(calls "$id" | grep -c turns=)" 1
        equal "$id: attempts" "$(task_field "$sid" "$id" attempts)" 0
        equal "$id-next: calls" "$(calls "$id-next" | grep -c turns=)" 0
    done
    # Once it is mended.
    run_bosk resume "$sid"
    expect_status 0
}

@test "services that do not answer are tried again, later and not for ever" {
    local id agent scenario
    while read -r agent scenario; do
        id=$agent-$scenario
        own_account "$id" "$agent"
        stand_task "$id" "$id" "$scenario ok"
    done < <(rows <<'ROWS'
codex rate
codex rate-defaults
codex overloaded
codex e500
codex drop
codex drop-defaults
codex garbage
claude rate
claude usage-apikey
claude overloaded
claude e500
claude drop
claude garbage
gemini rate
gemini overloaded
gemini e500
gemini drop
gemini garbage
qwen drop
ROWS
    )
    # Calls the model again and again: ended by the number of its lines.
    own_account endless opencode
    ! has_program opencode || stand_task endless endless 'drop ok'
    run_bosk run "$SCRATCH/p.yaml" --jobs 4 -c retries=0
    expect_status 0
    sid=$(last_sid)
    for id in $(grep -o '^[a-z]* [^ ]*' "$STAND/log" | cut -d' ' -f2 | sort -u); do
        equal "$id: state" "$(task_field "$sid" "$id" state)" integrated
        equal "$id: calls" "$(calls "$id" | grep -c turns=)" 2
    done
    "$BOSK_BIN" status --json | jq -e '[.accounts[] | select(.limited_until)] == []'
    no_overlap
}

@test "money: nothing new begins past the budget, a resume with more goes on; what codex costs is unknown, and said to be" {
    local n
    for n in 1 2 3 4; do stand_task "t$n" claude ok; done
    stand_task last codex ok
    # Each run of claude costs 0.00642 USD here.
    run_bosk run "$SCRATCH/p.yaml" --jobs 1 --budget-usd 0.01 --no-preflight # that costs, too
    expect_status 3
    sid=$(last_sid)
    expect_text 'the budget of 0.01 USD does not hold for codex: .* unknown'
    expect_text "it has spent 0.01 USD of 0.01 .*bosk resume $sid"
    equal 'calls' "$(grep -c turns= "$STAND/log")" 2
    equal 'session' "$(status_json '.sessions[0] | "\(.state) \(.cost_usd * 100000 | round)"')" 'limited 1284'
    run_bosk resume "$sid"
    expect_status 3
    equal 'calls' "$(grep -c turns= "$STAND/log")" 2
    run_bosk resume "$sid" --budget-usd 1
    expect_status 0
    equal 'calls' "$(grep -c turns= "$STAND/log")" 5
    equal 'costs' "$(status_json '[.sessions[0].tasks[] | .cost_usd] | map(if . then . * 100000 | round else "unknown" end) | join(" ")')" \
        '642 642 642 642 unknown'
    run_bosk report
    expect_text '^cost: 0.03 USD and more: 1 of 5 runs did not say' "$OUT"
    expect_text '^  last  codex  unknown: 1 of 1 runs did not say' "$OUT"
}

@test "time: what runs ends, a gate's message is still answered, nothing new begins; a resume goes on" {
    commit_config <<'YAML'
gates:
  - {name: greeting, run: '[ ! -e one.txt ] || grep -qx "hello, world" one.txt || { echo "one.txt: the line must be: hello, world"; exit 1; }', paths: [one.txt]}
YAML
    mkfifo "$SCRATCH/go"
    stand_task one claude 'ok resume-feedback' "stand-in does 1: read x <'$SCRATCH/go'; echo hello >one.txt"
    stand_task two codex ok
    start_bosk run "$SCRATCH/p.yaml" --jobs 1 --max-time 1s
    wait_until 'grep -q "its time of 1.* nothing new is started" "$ERR"' || { cat "$ERR"; false; }
    echo >"$SCRATCH/go"
    wait_bosk
    expect_status 3
    sid=$(last_sid)
    equal 'states' "$(status_json '[.sessions[0] | .state, (.tasks[].state)] | join(" ")')" 'limited integrated pending'
    equal 'calls' "$(grep -c turns= "$STAND/log")" 2
    run_bosk status
    expect_text 'stopped: its time of 1.* is over \(--max-time\)$' "$OUT"
    run_bosk resume "$sid" --max-time 0
    expect_status 0
}

@test "a clock time without a zone is one of the agent's zone, also across the change of its clocks" {
    local at id now until
    export TZ=CET-1CEST,M3.5.0,M10.5.0/3
    for at in '2027-03-28T00:10:00Z' '2026-10-25T00:10:00Z' '2027-03-27T23:50:00Z' '2026-10-24T21:10:00Z'; do
        later $(($(date -d "$at" +%s) - EPOCHSECONDS))
        id=at-${at//:/-}
        own_account "$id" codex
        rm -f "$SCRATCH/p.yaml"
        stand_task "t$id" "$id" usage-words
        run_bosk run "$SCRATCH/p.yaml" -c limits.max_wait=1s
        expect_status 3
        "$BOSK_BIN" status --json >"$SCRATCH/status"
        now=$(date -d "$at" +%s)
        until=$(TZ=UTC account "$id" '.limited_until | fromdateiso8601')
        # Two hours later, by whatever the clocks show then.
        [ $((until - now)) -ge 7140 ] && [ $((until - now)) -le 7980 ] || equal "$at: seconds" "$((until - now))" 7200
    done
    # What a person reads is in the zone of who reads it.
    TZ=UTC run_bosk status
    expect_text 'account at-2027-03-28T00-10-00Z: limited until 2027-03-28 02:1[0-9] UTC' "$OUT"
    run_bosk status
    expect_text 'account at-2027-03-28T00-10-00Z: limited until 2027-03-28 04:1[0-9] CEST' "$OUT"
}
