#!/usr/bin/env bats
# A night: sixty tasks for three agents, usage limits in the middle, services that do not answer, a gate that fails twice, a
# supervisor that is killed, a clock that jumps. In the morning everything is integrated, attempts are counted
# right, and nothing is left running. (Stand-ins: lib/agents.)
# shellcheck disable=SC2154,SC2016,SC2034,SC2164 # variables set by run_bosk

load ../lib/flow
load ../lib/agents/flow

: "${BOSK_PLAIN_BIN:?names a bosk built without sanitizers}"

setup() {
    PLAIN=$(readlink -f "$BOSK_PLAIN_BIN") # flow_setup forgets that name
    flow_setup
    make_repo a.txt
    stand_in
    later 0
}
teardown() { flow_teardown; }

integrated() { status_json '.sessions[0].counts.integrated // 0'; }

@test "sixty tasks in a night" {
    local n id agent plays calls limited attempts agents=(codex claude gemini) running
    # What the gate says goes to the conversation, twice.
    commit_config <<'YAML'
gates:
  - {name: greeting, run: 'case $BOSK_TASK in t7|t20|t33) grep -qx "hello, world" $BOSK_TASK.txt || { echo "$BOSK_TASK.txt: the line must be: hello, world"; exit 1; } ;; esac'}
YAML
    for ((n = 1; n <= 60; n++)); do
        agent=${agents[n % 3]} plays=ok
        case $n in
        7 | 20 | 33) plays='ok ok resume-feedback' ;;
        13 | 14) plays='overloaded ok' ;;                # claude and gemini
        21) plays='usage-after-tool ok' ;;               # codex: two hours, with work in the tree
        25) plays='usage-30m ok' ;;                      # claude: half an hour
        esac
        stand_task "t$n" "$agent" "$plays"
    done

    start_bosk run "$SCRATCH/p.yaml" --jobs 4
    wait_until '[ "$(integrated)" -ge 5 ]' "$FLOW_LIMIT"
    later 1800 # half an hour in one moment: nobody was silent for so long
    # Both accounts are limited, and the third agent goes on.
    wait_until 'status_json "[.accounts[] | select(.limited_until)] | length" | grep -qx 2' "$FLOW_LIMIT"
    sid=$(last_sid)
    kill -KILL "$bosk_pid"
    wait_bosk
    running=$(status_json '[.sessions[0].tasks[] | select(.state != "integrated" and .attempts > 0) | .id] | join(" ")')

    later 12000 # hours later
    run_bosk resume "$sid"
    expect_status 0
    equal "integrated" "$(integrated)" 60
    for ((n = 1; n <= 60; n++)); do
        id=t$n
        equal "commits of $id" "$(git rev-list --no-merges "integration-$sid" -- "$id.txt" | wc -l)" 1
        calls=$(find "$STAND/tasks/$id" -name 'call-*' | wc -l)
        limited=$(calls "$id" | grep -c '^usage') || true
        attempts=$(task_field "$sid" "$id" attempts)
        # One that was cut off before its program began was begun all the same, as that is on disk before; and it is asked
        # first whether it knows its conversation, which the stand-in does not count.
        case " $running " in
        *" $id "*) [ $((attempts - calls + limited)) -ge 0 ] && [ $((attempts - calls + limited)) -le 2 ] || equal "attempts of $id, cut off" "$attempts" "$calls" ;;
        *) equal "attempts of $id" "$attempts" $((calls - limited)) ;;
        esac
    done
    for id in t7 t20 t33; do equal "file of $id" "$(git show "integration-$sid:$id.txt")" 'hello, world'; done
    for id in t21 t25; do
        equal "conversations of $id" "$(calls "$id" | grep turns= | cut -d' ' -f3 | sort -u | wc -l)" 1
    done
    # Calls that name no task (hello) are of several: each asks for its own conversation, perhaps at once.
    refute grep 'overlap=' <(grep -v ' hello ' "$STAND/log")
    assert_no_strays "$sid"
}
