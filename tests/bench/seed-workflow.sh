#!/usr/bin/env bash
# seed-workflow.sh: the workflow bosk comes from, done by a shell script with plain git, as its text
# prescribes it: a session branch, one persistent worktree and branch per worker, and a lead that
# merges each finished worker in the user's checkout by switching branches there. For comparison only.
set -euo pipefail

usage() {
    cat <<'USAGE'
usage: tests/bench/seed-workflow.sh REPO TASKS JOBS LATENCIES

Task N writes tasks/FOLDER/N.txt. The result is merged into REPO's branch main. LATENCIES gets one
line per task: microseconds from the worker's end to its commit being on the session branch.
BENCH_POLL=S: the lead looks at its workers every S seconds, as the workflow's text has it (10);
default 0: it is woken by each worker's end, which is the kinder reading.
USAGE
}
[ $# -eq 4 ] || {
    usage >&2
    exit 2
}
cd "$1"
tasks=$2 jobs=$3 latencies=$4 poll=${BENCH_POLL:-0}
session=session-$$
folder=$PWD/../seed-worktrees
: >"$latencies"

micros() { printf '%s' "${EPOCHREALTIME/[.,]/}"; }

# One worker: one task in worktree $1; all but a worktree's first take over what is merged so far.
work() { # WORKTREE TASK
    cd "$folder/$1"
    [ "$2" -le "$jobs" ] || git merge -q --no-edit "$session"
    mkdir -p "tasks/$(($2 % 16))"
    echo "task $2" >"tasks/$(($2 % 16))/$2.txt"
    git add .
    git commit -q -m "Task $2"
    micros >"$folder/ended.$1"
}

# What the lead does when the worker of worktree $1 has ended: merge in the main checkout, go on.
merge_and_go_on() {
    git checkout -q "$session"
    git merge -q --no-edit "worker-$1"
    git checkout -q main
    echo $(($(micros) - $(cat "$folder/ended.$1"))) >>"$latencies"
    next[$1]=$((next[$1] + jobs))
    start "$1"
}
start() {
    pid[$1]=
    if [ "${next[$1]}" -gt "$tasks" ]; then
        busy=$((busy - 1))
        return
    fi
    work "$1" "${next[$1]}" &
    pid[$1]=$!
}

git branch -q "$session" main
mkdir -p "$folder"
declare -a next pid
busy=$jobs # worktrees that still have tasks
for ((w = 1; w <= jobs; w++)); do
    git worktree add -q -b "worker-$w" "$folder/$w" main
    next[w]=$w
done
for ((w = 1; w <= jobs; w++)); do start "$w"; done

while [ "$busy" -gt 0 ]; do
    if [ "$poll" = 0 ]; then
        wait -n -p ended
        for ((w = 1; w <= jobs; w++)); do
            if [ "${pid[w]}" = "$ended" ]; then merge_and_go_on "$w"; fi
        done
    else
        sleep "$poll"
        for ((w = 1; w <= jobs; w++)); do
            if [ -n "${pid[w]}" ] && ! kill -0 "${pid[w]}" 2>/dev/null; then
                wait "${pid[w]}"
                merge_and_go_on "$w"
            fi
        done
    fi
done

git merge -q --no-edit "$session"
for ((w = 1; w <= jobs; w++)); do
    git worktree remove --force "$folder/$w"
    git branch -q -D "worker-$w"
done
git branch -q -D "$session"
