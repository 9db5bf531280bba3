#!/usr/bin/env bash
# tuned-shell.sh: the same job by the best shell script we could write. Workers take tasks from one
# list, merge their own commit without any checkout (git merge-tree, commit-tree, update-ref with the
# old value, again when somebody was faster), and only name the file they wrote. For comparison only.
set -euo pipefail

usage() {
    cat <<'USAGE'
usage: tests/bench/tuned-shell.sh REPO TASKS JOBS LATENCIES

As seed-workflow.sh: same tasks, same result, same figures.
USAGE
}

micros() { printf '%s' "${EPOCHREALTIME/[.,]/}"; }

# Called again by xargs for each task: TASK, with BENCH_SLOT from 0.
if [ "${1:-}" = --one ]; then
    task=$2 ref=refs/heads/$BENCH_SESSION
    cd "$BENCH_FOLDER/$BENCH_SLOT"
    git checkout -q --detach "$ref"
    file=tasks/$((task % 16))/$task.txt
    mkdir -p "${file%/*}"
    echo "task $task" >"$file"
    git add -- "$file"
    git commit -q --no-verify --no-status -m "Task $task"
    commit=$(git rev-parse HEAD)
    ended=$(micros)
    while :; do
        tip=$(git rev-parse "$ref")
        tree=$(git merge-tree --write-tree "$tip" "$commit")
        merge=$(git commit-tree "$tree" -p "$tip" -p "$commit" -m "Merge task $task")
        if git update-ref "$ref" "$merge" "$tip" 2>/dev/null; then break; fi
    done
    # Short lines, appended whole.
    echo $(($(micros) - ended)) >>"$BENCH_LATENCIES"
    exit 0
fi

[ $# -eq 4 ] || {
    usage >&2
    exit 2
}
self=$(readlink -f "$0")
cd "$1"
tasks=$2 jobs=$3
export BENCH_LATENCIES=$4 BENCH_SESSION=session-$$ BENCH_FOLDER=$PWD/../tuned-worktrees
: >"$BENCH_LATENCIES"
git config gc.auto 0
git config advice.detachedHead false
git config index.version 4
git config core.untrackedCache true

git branch -q "$BENCH_SESSION" main
mkdir -p "$BENCH_FOLDER"
for ((w = 0; w < jobs; w++)); do git worktree add -q --detach "$BENCH_FOLDER/$w" main; done
seq "$tasks" | xargs -P "$jobs" -n 1 --process-slot-var=BENCH_SLOT "$self" --one
git merge -q --no-edit "$BENCH_SESSION"
for ((w = 0; w < jobs; w++)); do git worktree remove --force "$BENCH_FOLDER/$w"; done
git branch -q -D "$BENCH_SESSION"
