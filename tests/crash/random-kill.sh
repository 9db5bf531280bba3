#!/usr/bin/env bash
# random-kill.sh: supervisor, workers and agents are killed and frozen at random moments. A small plan with
# a known result is run without interruption; then again and again, each time with a few things that happen
# at random moments of that time: kill -9 of the supervisor, a worker or an agent, SIGSTOP of one of them
# and SIGCONT later, a resume from another process while it lives. A session whose supervisor died is
# resumed, and the rest happens to the resume. Every time the end must be the same: tree, states, each task
# merged exactly once, nothing left running, the user's checkout untouched, and all of lib/invariants.
set -euo pipefail

usage() {
    cat <<'USAGE'
usage: BOSK_BIN=PROGRAM tests/crash/random-kill.sh [options]

  --count N    rounds, each with at least one kill or freeze (default 50; with --full 500)
  --only N     the N-th round of the seed alone
  --full       500 rounds
  --seed N     the same random choices again (the seed is printed first); what was going on at those
               moments depends on the machine
  --keep       keep the scratch folder when something was wrong
  -h, --help   this text

What happened is in the table, and in the log of a failure: K kill, F freeze (and c, its end), R resume from elsewhere; s supervisor, w worker, a agent; milliseconds.

exit status: 0 every round ended as it should; 1 some did not; 2 wrong usage.
USAGE
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/lib/crash.bash
. "$here/../lib/crash.bash"
count='' only=''
crash_options count= only= -- "$@"
: "${count:=${full:+500}}"
rounds=${only:-${count:-50}}
crash_setup

crash_seed

# ---- the plan, and what it comes to --------------------------------------------------------------

make_repo a.txt sub/b.txt
printf '*.ignored\n' >.gitignore
# Killed agents are tried again, however many of them.
commit_config <<'YAML'
jobs: 3
retries: 50
halt_after_failures: 0
gates:
  - {name: whole, run: 'for f in *.txt; do test -s "$f" || exit 1; done'}
YAML
git add -A
git commit -qm 'Ignore some'
dirty_checkout
cat >"$SCRATCH/p.yaml" <<YAML
tasks:
  - {id: one, run: 'echo one > one.txt; sleep 0.05'}
  - {id: two, run: 'echo two > two.txt; git add -A; git commit -qm "Its own" || true; git rev-parse HEAD >>$SCRATCH/commits; sleep 0.1'}
  - {id: three, needs: [one], run: 'cat one.txt one.txt > three.txt; sleep 0.02'}
  - {id: four, needs: [one, two], run: 'cat one.txt two.txt > four.txt; test -e sub/c.txt || git mv sub/b.txt sub/c.txt'}
  - {id: five, run: 'mkdir -p deep/er; echo five > deep/er/five.txt; sleep 0.08'}
  - {id: six, needs: [three], run: 'sed s/one/six/ three.txt > six.txt; chmod +x six.txt'}
  - {id: seven, needs: [five], run: 'rm -f a.txt; cp deep/er/five.txt seven.txt; sleep 0.05'}
  - {id: eight, needs: [four, six, seven], run: 'cat four.txt six.txt seven.txt > eight.txt'}
YAML
tasks=(one two three four five six seven eight)
base=$(git rev-parse HEAD)
make_template
# shellcheck disable=SC2034 # for check_end
INVARIANTS=(--before "$SCRATCH/before" --kept "$SCRATCH/commits")

now() { printf '%s' "${EPOCHREALTIME/[.,]/}"; }

duration=0
for _ in 1 2 3; do
    fresh
    start=$(now)
    bosk run "$SCRATCH/p.yaml"
    took=$(($(now) - start))
    [ "$duration" != 0 ] && [ "$took" -ge "$duration" ] || duration=$took
    if [ "$rc" != 0 ]; then
        cat "$SCRATCH/log"
        printf 'the uninterrupted run failed with exit status %s\n' "$rc"
        exit 1
    fi
done
wanted_tree=$(git rev-parse "refs/bosk/int/$(last_sid)^{tree}")
wanted_states=$(states)
printf 'uninterrupted: %d ms, tree %s\n' $((duration / 1000)) "$wanted_tree"

# ---- what happens ---------------------------------------------------------------------------------

# plan_events: "MICROSECONDS ACTION WHO NUMBER" in the array events: drawn before the round begins.
plan_events() {
    local n i time
    local action victim
    local -a actions=(kill kill kill freeze freeze resume) classes=(s s s w w a a)
    events=()
    draw 4
    n=$((drawn + 1))
    for ((i = 0; i < n; i++)); do
        draw 1000
        time=$((drawn * duration / 1000))
        draw $((i ? ${#actions[@]} : ${#actions[@]} - 1)) # the first is no resume
        action=${actions[drawn]}
        draw ${#classes[@]}
        victim=${classes[drawn]}
        draw 1000
        events+=("$time $action $victim $drawn")
    done
}

children() { cat "/proc/$1/task/$1/children" 2>/dev/null || true; }
# victims WHO: pids of the supervisor, its workers, or what those run.
victims() {
    local worker
    case $1 in
    s) printf '%s\n' "$bosk_pid" ;;
    w) children "$bosk_pid" | xargs -rn1 ;;
    a) for worker in $(children "$bosk_pid"); do children "$worker" | xargs -rn1; done | agents ;;
    esac
}
# agents: of these processes; not git, and not the gate, whose death would be a verdict.
agents() {
    local pid
    while read -r pid; do
        if grep -qz '^BOSK_TASK=' "/proc/$pid/environ" 2>/dev/null && ! grep -qF 'test -s' "/proc/$pid/cmdline"; then
            printf '%s\n' "$pid"
        fi
    done
}

# happened TEXT: to the table and, with the time, to the log.
happened() {
    seen+="${seen:+ }$1"
    printf '# %d ms: %s %s\n' $((($(now) - began) / 1000)) "$1" "${2:-}" >>"$SCRATCH/log"
}

# happen ACTION WHO NUMBER: now.
happen() {
    local action=$1 who=$2 number=$3 at pid ours
    local -a pids
    at=$((($(now) - began) / 1000))
    case $action in
    thaw)
        kill -CONT "$who" 2>/dev/null || true
        happened "c$at" "pid $who"
        return
        ;;
    resume) # from another process: this one is alive, frozen or not
        ours=$(sid_or_none)
        [ -n "$ours" ] && alive "$bosk_pid" || return 0
        rc=0
        "$BOSK_BIN" resume "$ours" >>"$SCRATCH/log" 2>&1 </dev/null || rc=$?
        happened "R$at" "exit $rc"
        [ "$rc" = 5 ] || [ "$(status_json '.sessions[0].state')" = 'done' ] || said+="${said:+, }a second resume ended with $rc"
        return
        ;;
    esac
    for at in 1 2 3 4 5 6 7 8 9 10; do # agents come and go: a moment is granted to find one
        mapfile -t pids < <(victims "$who")
        if [ ${#pids[@]} != 0 ] || ! alive "$bosk_pid"; then break; fi
        sleep 0.02
    done
    at=$((($(now) - began) / 1000))
    [ ${#pids[@]} != 0 ] || { happened "-$who$at" 'nobody there' && return; }
    pid=${pids[number % ${#pids[@]}]}
    if [ "$action" = freeze ]; then
        kill -STOP "$pid" 2>/dev/null || return 0
        happened "F$who$at" "pid $pid"
        events+=("$(($(now) - began + 50000 + number * 400)) thaw $pid 0")
    else
        kill -KILL "$pid" 2>/dev/null || return 0
        kills=$((kills + 1))
        happened "K$who$at" "pid $pid"
    fi
}

# next_event: the earliest, taken out of events, in the array event; false when there is none.
next_event() {
    local i first=0
    [ ${#events[@]} != 0 ] || return
    for i in "${!events[@]}"; do [ "${events[i]%% *}" -ge "${events[first]%% *}" ] || first=$i; done
    read -ra event <<<"${events[first]}"
    events=("${events[@]:0:first}" "${events[@]:first+1}")
}

# live WORDS...: bosk in the background, and what happens until it ends; its status in $rc.
live() {
    local wait
    exec 7>&2 2>>"$SCRATCH/log" # bash tells of every job that is killed
    printf '$ bosk %s\n' "$*" >>"$SCRATCH/log"
    "$BOSK_BIN" "$@" >>"$SCRATCH/log" 2>&1 </dev/null &
    bosk_pid=$!
    while alive "$bosk_pid" && next_event; do
        wait=$((event[0] - ($(now) - began)))
        [ "$wait" -le 0 ] || sleep "$((wait / 1000000)).$(printf '%06d' $((wait % 1000000)))"
        happen "${event[1]}" "${event[2]}" "${event[3]}"
    done
    if ! wait_until "! alive $bosk_pid" "$FLOW_LIMIT"; then
        said+="${said:+, }bosk $1 hangs"
        kill -KILL "$bosk_pid"
    fi
    rc=0
    wait "$bosk_pid" || rc=$?
    exec 2>&7 7>&-
    printf '# exit status %s\n' "$rc" >>"$SCRATCH/log"
}

# last_said: what the bosk that was begun last has printed.
last_said() { awk '/^\$ bosk /{said = ""} {said = said $0 "\n"} END{printf "%s", said}' "$SCRATCH/log"; }

# ---- the rounds ----------------------------------------------------------------------------------

table=()
failed=()
kills=0 ran=0
for ((round = ${only:-1}; round <= rounds; round++)); do
    RANDOM=$(((seed + round * 7919) % 2147483647))
    resumes=0 seen='' ran=$((ran + 1))
    rm -f "$SCRATCH/commits"
    fresh
    snapshot_checkout "$REPO" >"$SCRATCH/before"
    plan_events
    printf '# planned: %s\n' "${events[@]}" >>"$SCRATCH/log"
    began=$(now)
    live run "$SCRATCH/p.yaml"
    while :; do
        sid=$(sid_or_none)
        state=none
        [ -z "$sid" ] || state=$(status_json '.sessions[0].state' || echo '?')
        case $state:$rc in
        done:*) break ;;
        none:137 | interrupted:137) ;;
        none:4 | interrupted:4 | stopped:4) # a git that bosk began with, or both workers of the gates on the base: told, and nothing has begun
            last_said | grep -Eq '^bosk: error: (.* died of signal 9|the base .* cannot be made ready, .*: the worker was killed by signal 9)' || {
                said+="${said:+, }$state after exit status 4"
                break
            }
            ;;
        *)
            said+="${said:+, }$state after exit status $rc"
            break
            ;;
        esac
        resumes=$((resumes + 1))
        if [ "$resumes" -gt 8 ]; then
            said+="${said:+, }still not done after 8 resumes"
            break
        fi
        # Nothing in the store yet: it is simply run again.
        if [ "$state" = none ]; then live run "$SCRATCH/p.yaml"; else live resume "$sid"; fi
    done
    for event in "${events[@]}"; do
        case $event in *' thaw '*) read -r _ _ pid _ <<<"$event" && { kill -CONT "$pid" 2>/dev/null || true; } ;; esac
    done

    check_end "$sid" "$base" "$wanted_tree" "$wanted_states" "${tasks[@]}"
    if [ -n "$said" ]; then
        show_wrong "round $round" "round-$round"
        failed+=("$round")
    fi
    table+=("$(printf '%5d %7d  %-44s %s' "$round" "$resumes" "${seen:-nothing}" "${said:-ok}")")
done

printf '\nround resumes  what happened                                result\n'
printf '%s\n' "${table[@]}"
printf '%d rounds, %d kills, %d wrong\n' "$ran" "$kills" "$wrong"
for round in "${failed[@]}"; do
    printf 'again: BOSK_BIN=%s %s --seed %s --only %s\n' "$BOSK_BIN" "$here/random-kill.sh" "$seed" "$round"
done
[ "$wrong" = 0 ]
