#!/usr/bin/env bash
# random-kill.sh: kill -9 of the supervisor at random moments, then resume. A small plan with a known
# result is run without interruption; then again and again, each time killed at a random moment of
# that time and resumed until it ends. Every time the end must be the same: tree, states, each task
# merged exactly once, nothing left running, the repository whole and the user's checkout untouched.
set -euo pipefail

usage() {
    cat <<'USAGE'
usage: BOSK_BIN=PROGRAM tests/crash/random-kill.sh [options]

  --rounds N   rounds, each with at least one kill (default 50; 500 with BOSK_TEST_FULL=1)
  --keep       keep the scratch folder when something was wrong
  -h, --help   this text

BOSK_TEST_SEED=N repeats the random choices of a run (its seed is printed first); what was going on
at those moments depends on the machine.

exit status: 0 every round ended as it should; 1 some did not; 2 wrong usage.
USAGE
}

rounds=50
[ -z "${BOSK_TEST_FULL:-}" ] || rounds=500
while [ $# -gt 0 ]; do
    case $1 in
    --rounds)
        rounds=${2:-}
        shift
        ;;
    --keep) keep=1 ;;
    -h | --help)
        usage
        exit 0
        ;;
    *)
        usage >&2
        exit 2
        ;;
    esac
    shift || true
done
case $rounds in
'' | *[!0-9]* | 0)
    usage >&2
    exit 2
    ;;
esac

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/lib/crash.bash
. "$here/../lib/crash.bash"
crash_setup

seed=${BOSK_TEST_SEED:-$(((${EPOCHREALTIME/[.,]/} ^ $$) & 0x7fffffff))}
RANDOM=$((seed % 2147483647))
printf 'seed: BOSK_TEST_SEED=%s\n' "$seed"

# ---- the plan, and what it comes to --------------------------------------------------------------

make_repo a.txt sub/b.txt
printf '*.ignored\n' >.gitignore
commit_config <<'YAML'
jobs: 3
gates:
  - {name: whole, run: 'for f in *.txt; do test -s "$f" || exit 1; done'}
YAML
git add -A
git commit -qm 'Ignore some'
dirty_checkout
cat >"$SCRATCH/p.yaml" <<'YAML'
tasks:
  - {id: one, run: 'echo one > one.txt; sleep 0.05'}
  - {id: two, run: 'echo two > two.txt; sleep 0.1'}
  - {id: three, needs: [one], run: 'cat one.txt one.txt > three.txt; sleep 0.02'}
  - {id: four, needs: [one, two], run: 'cat one.txt two.txt > four.txt; git mv sub/b.txt sub/c.txt'}
  - {id: five, run: 'mkdir -p deep/er; echo five > deep/er/five.txt; sleep 0.08'}
  - {id: six, needs: [three], run: 'sed s/one/six/ three.txt > six.txt; chmod +x six.txt'}
  - {id: seven, needs: [five], run: 'git rm -q a.txt; cp deep/er/five.txt seven.txt; sleep 0.05'}
  - {id: eight, needs: [four, six, seven], run: 'cat four.txt six.txt seven.txt > eight.txt'}
YAML
tasks=(one two three four five six seven eight)
base=$(git rev-parse HEAD)
make_template

now() { printf '%s' "${EPOCHREALTIME/[.,]/}"; }
# below LIMIT: a random number of microseconds.
below() { echo $(((RANDOM * 32768 + RANDOM) % $1)); }
# killed_bosk MICROSECONDS WORDS...: the same, killed after that time unless it ended before.
killed_bosk() {
    local us=$1 after
    shift
    printf -v after '%d.%06d' $((us / 1000000)) $((us % 1000000))
    rc=0
    printf '$ bosk %s    # killed after %s s\n' "$*" "$after" >>"$SCRATCH/log"
    # --foreground: only the supervisor gets the signal. --preserve-status: without it a run that ends
    # by itself just as the time is up is told as 124, with it as what it said.
    timeout --foreground --preserve-status -s KILL "$after" "$BOSK_BIN" "$@" >>"$SCRATCH/log" 2>&1 </dev/null || rc=$?
}
duration=0
for _ in 1 2 3; do
    fresh
    start=$(now)
    bosk run "$SCRATCH/p.yaml"
    took=$(($(now) - start))
    [ "$took" -le "$duration" ] || duration=$took
    if [ "$rc" != 0 ]; then
        cat "$SCRATCH/log"
        printf 'the uninterrupted run failed with exit status %s\n' "$rc"
        exit 1
    fi
done
wanted_tree=$(git rev-parse "integration-$(last_sid)^{tree}")
wanted_states=$(states)
printf 'uninterrupted: %d ms, tree %s\n' $((duration / 1000)) "$wanted_tree"

# ---- the rounds ----------------------------------------------------------------------------------

table=()
kills=0
for ((round = 1; round <= rounds; round++)); do
    resumes=0
    fresh
    snapshot_checkout "$REPO" >"$SCRATCH/before"
    at=$(below $((duration + duration / 20)))
    killed_bosk "$at" run "$SCRATCH/p.yaml"
    if [ "$rc" = 137 ]; then
        kills=$((kills + 1)) seen=killed
    elif [ "$rc" = 0 ]; then
        seen='had ended'
    else
        seen="ended with $rc" said="run ended with $rc"
    fi
    # How far had it come? (Nothing in the store yet: it is simply run again.)
    sid=$(sid_or_none)
    if [ -z "$sid" ]; then
        seen+=', no session yet'
        bosk run "$SCRATCH/p.yaml"
        sid=$(last_sid || true)
    else
        seen+=", $(status_json '.sessions[0].counts.integrated // 0' || echo '?') integrated"
        # Killed between its last record and its exit it had ended: then everything is integrated.
        wanted=interrupted
        [ "$(status_json '.sessions[0].counts.integrated // 0')" != ${#tasks[@]} ] ||
            [ "$(status_json '.sessions[0].state')" != 'done' ] || wanted='done'
        [ "$rc" != 137 ] || check 'state after the kill' equal "state" "$(status_json '.sessions[0].state')" "$wanted"
    fi
    while [ -n "$sid" ] && [ "$(status_json '.sessions[0].state')" != "done" ]; do
        resumes=$((resumes + 1))
        if [ "$resumes" -gt 8 ]; then
            said+="${said:+, }still not done after 8 resumes"
            break
        fi
        # Every third resume or so is killed too.
        if [ "$resumes" -le 4 ] && [ $((RANDOM % 3)) = 0 ]; then
            killed_bosk "$(below "$duration")" resume "$sid"
            [ "$rc" != 137 ] || kills=$((kills + 1))
        else
            bosk resume "$sid"
        fi
    done

    check_end "$sid" "$base" "$wanted_tree" "$wanted_states" "${tasks[@]}"
    snapshot_checkout "$REPO" >"$SCRATCH/after"
    check checkout assert_same_snapshot "$SCRATCH/before" "$SCRATCH/after"

    if [ -n "$said" ]; then
        show_wrong "round $round" "round-$round"
    fi
    table+=("$(printf '%5d %9d.%03d  %-28s %7d  %s' "$round" $((at / 1000)) $((at % 1000)) "$seen" "$resumes" "${said:-ok}")")
done

printf '\nround  killed at ms  after                        resumes  result\n'
printf '%s\n' "${table[@]}"
printf '%d rounds, %d kills, %d wrong\n' "$rounds" "$kills" "$wrong"
if [ "$wrong" != 0 ]; then
    printf 'again: BOSK_TEST_SEED=%s BOSK_BIN=%s %s --rounds %s\n' "$seed" "$BOSK_BIN" "$here/random-kill.sh" "$rounds"
    exit 1
fi
