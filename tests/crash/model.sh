#!/usr/bin/env bash
# model.sh: several users at once on one repository, each with random commands - run, resume, stop, retry,
# revert, land, gc, looking, committing - while calls are killed and frozen at random. Then everything is brought
# to its end. Every call's start and end, what it said, every execution of a task and the end state go into
# one history, and the model (tests/model/test_histories.c) must be able to explain it.
set -euo pipefail

usage() {
    cat <<'USAGE'
usage: BOSK_BIN=PROGRAM BOSK_JUDGE=MODEL_HISTORIES tests/crash/model.sh [options]

  --rounds N   histories, each on a fresh repository (default 4; with --full 100)
  --only N     only that one of them
  --users N    users at once (default 3)
  --steps N    what each user does (default 11)
  --full       100 rounds
  --seed N     the same random choices again (the seed is printed first); what was going on at those
               moments depends on the machine
  --keep       keep the scratch folder when something was wrong
  -h, --help   this text

exit status: 0 every history is explained by the model; 1 some is not; 2 wrong usage.
USAGE
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/lib/crash.bash
. "$here/../lib/crash.bash"
# shellcheck source=tests/crash/model/drive.bash
. "$here/model/drive.bash"
# shellcheck source=tests/crash/model/end.bash
. "$here/model/end.bash"
rounds='' only='' users=3 steps=11 judge=''
crash_options rounds= only= users= steps= -- "$@"
: "${rounds:=${full:+100}}" "${rounds:=4}"
need_file judge BOSK_JUDGE 'the model (build/.../model_histories)'
crash_setup

crash_seed

# ---- the plans -----------------------------------------------------------------------------------

# Task by task: plan, id, what becomes of it, and what it needs. good: succeeds; flaky: once it is healed;
# bad: never; clash: writes the same file as the other one of its plan; cross: the same as one of another plan.
ROUND=$SCRATCH/round HISTORY=$SCRATCH/round/history
all_plans=(a b c d e)
all_tasks='
task a a1 good
task a a2 good a1
task a a3 good a1
task a a4 good a2 a3
task b b1 good
task b b2 flaky
task b b3 good b2
task b b4 bad
task b b5 good b1 b4
task c c1 clash
task c c2 clash
task c c3 flaky c1
task c c4 good c1 c2
task d d1 cross
task d d2 good
task d d3 flaky d2
task e e1 cross
task e e2 good e1
'
bad='b4 b5'
mkdir "$SCRATCH/plans" "$SCRATCH/locks" "$SCRATCH/healed" "$ROUND"
sed '/^$/d' <<<"$all_tasks" >"$SCRATCH/tasks"
# The work of a task: TASK KIND NEEDS... Two executions at a time would meet at the lock.
write_file "$SCRATCH/work" <<WORK
say() { echo "exec \$*" >>'$HISTORY'; }
task=\$1 kind=\$2
shift 2
exec 9>"$SCRATCH/locks/\$task"
flock -n 9 || say twice \$task \$BOSK_SESSION
say begin \$task \$BOSK_SESSION \$BOSK_ATTEMPT
for need; do [ -s \$need.txt ] || say missing \$task \$BOSK_SESSION \$need; done
sleep 0.\$(( (\$\$ * 7 + BOSK_ATTEMPT * 13) % 3 ))
case \$kind in
flaky) [ -e '$SCRATCH'/healed/\$task ] || exit 1 ;;
bad) exit 1 ;;
clash) echo "\$BOSK_SESSION \$task" >clash.txt ;;
cross) echo "\$BOSK_SESSION \$task" >cross.txt ;;
esac
echo "\$BOSK_SESSION \$task" >\$task.txt
say end \$task \$BOSK_SESSION \$BOSK_ATTEMPT
WORK
for letter in "${all_plans[@]}"; do
    {
        echo 'tasks:'
        while read -r _ plan task kind needs; do
            [ "$plan" = "$letter" ] || continue
            printf '  - {id: %s, needs: [%s], run: "sh %s/work %s %s %s"}\n' "$task" "${needs// /, }" "$SCRATCH" "$task" "$kind" "$needs"
        done <"$SCRATCH/tasks"
    } >"$SCRATCH/plans/$letter.yaml"
done

make_repo start.txt
printf '*.ignored\n' >.gitignore
git add -A
commit_config <<'YAML'
retries: 0
halt_after_failures: 0
gates:
  - {name: whole, run: 'for f in *.txt; do test -s "$f" || exit 1; done'}
YAML
base=$(git rev-parse HEAD)
make_template

# ---- a round -------------------------------------------------------------------------------------

# Each with some of the plans, so that the users meet; in every other one the branch of the landings is
# checked out.
prepare() {
    local skip=$((($1 + seed) % 5)) i
    plans=()
    for i in 0 1 2; do plans+=("${all_plans[(skip + i) % 5]}"); done
    fresh
    rm -rf "$ROUND" "$SCRATCH"/healed/* "$SCRATCH"/locks/*
    mkdir -p "$ROUND/running"
    grep -E "^task [${plans[*]}] " "$SCRATCH/tasks" >"$ROUND/tasks"
    cp "$ROUND/tasks" "$HISTORY"
    : >"$ROUND/sids"
    echo precious >a.ignored
    echo untracked >mine-untracked
    checkout=main
    if [ $(($1 % 2)) = 0 ]; then
        checkout=elsewhere
        git switch -qc elsewhere
        dirty_checkout
    fi
    snapshot_of_user >"$ROUND/before"
}

round() {
    local user pids=() pid
    prepare "$1"
    for ((user = 1; user <= users; user++)); do
        a_user "$user" $(((seed + $1 * 1009 + user * 31) & 0x7fffffff)) "$steps" &
        pids+=($!)
    done
    all_gone() {
        for pid in "${pids[@]}"; do ! alive "$pid" || return 1; done
    }
    if ! wait_until all_gone 240; then
        note "problem still running after 240 s: $(tail -n +1 "$ROUND"/running/* | tr '\n' ' ')"
        for pid in $(processes_of_test); do kill -KILL "$pid" 2>/dev/null || true; done
    fi
    wait "${pids[@]}" || note "problem a user ended with status $?"
    settle
    look_at_end
    "$judge" "$HISTORY" >"$ROUND/verdict" 2>&1
}

# Who watches the judge: after a good round the branch of the landings is doctored, and each time that must
# be found.
doctored() {
    local what=$1 fault=$2
    sed '/^the end$/,$d' "$ROUND/good" >"$HISTORY"
    git update-ref refs/heads/main "$3"
    look_at_end
    if "$judge" "$HISTORY" >"$ROUND/verdict" 2>&1 || ! grep -qE "$fault" "$ROUND/verdict"; then
        printf '%s: not found by the judge, who says:\n' "$what"
        cat "$ROUND/verdict"
        wrong=$((wrong + 1))
    fi
}
watch_judge() {
    local main merge landing again
    cp "$HISTORY" "$ROUND/good"
    main=$(git rev-parse main)
    landing=$(git log -1 --first-parent --merges --format=%H main)
    merge=$(git log -1 --merges --grep '^Bosk-Task:' --format=%H main)
    again=$(git log -1 --format=%B "$merge" | git commit-tree "$main^{tree}" -p "$main" -p "$merge^2" -F -)
    doctored 'a merge done twice' '^end: task .* has [2-9] merges on main, not [1-8]$' "$again"
    doctored 'a landing lost' '^end: task .* has [0-8] merges on main, not [1-9]$' "$landing^1"
    doctored 'a commit nobody made' '^end: nobody made the commit on main' \
        "$(git commit-tree "$main^{tree}" -p "$main" -m 'What is this')"
    cp "$ROUND/good" "$HISTORY"
}

calls=0
declare -A kinds=()
tally() {
    local what
    while read -r what; do
        calls=$((calls + 1))
        kinds[$what]=$((${kinds[$what]:-0} + 1))
    done < <(awk '$1 == "start" { print $3 ($4 ~ /^--/ ? $4 : $5 ~ /^--/ ? $5 : "") } $1 == "kill" || $1 == "freeze" { print $1 }' "$HISTORY")
}

done_rounds=0
failed=()
for ((i = ${only:-1}; i <= ${only:-rounds}; i++)); do
    began=$SECONDS
    if round "$i"; then
        printf 'history %d: %s (%d s)\n' "$i" "$(tail -n 1 "$ROUND/verdict")" $((SECONDS - began))
    else
        wrong=$((wrong + 1))
        failed+=("$i")
        printf '\n---- history %d is not explained:\n' "$i"
        cat "$ROUND/verdict"
        printf '%s\n' '---- the history' && cat "$HISTORY"
        [ "$keep" = 0 ] || { cp -a "$REPO" "$SCRATCH/repo-$i" && cp -a "$ROUND" "$SCRATCH/round-$i"; }
    fi
    done_rounds=$((done_rounds + 1))
    tally
    [ "$done_rounds" != 1 ] || [ "$wrong" != 0 ] || watch_judge
done

printf '%d histories, %d calls, %d not explained\n' "$done_rounds" "$calls" "$wrong"
for what in "${!kinds[@]}"; do printf '%6d %s\n' "${kinds[$what]}" "$what"; done | sort -k2
for i in "${failed[@]}"; do
    printf 'again: BOSK_BIN=%s BOSK_JUDGE=%s %s --seed %s --users %s --steps %s --only %s\n' \
        "$BOSK_BIN" "$judge" "$here/model.sh" "$seed" "$users" "$steps" "$i"
done
[ "$wrong" = 0 ]
