#!/usr/bin/env bash
# large-queue.sh: a very large queue of solutions is added, its graph printed, its first item given out.
set -euo pipefail

usage() {
    cat <<'USAGE'
usage: tests/bench/large-queue.sh [--items N] [--rounds N] [--make FOLDER] BOSK

Makes a folder of issues with N solutions (default 100000) and three times as many dependencies, and says for each
step what it took: seconds, and the most memory it had (MiB). --make only makes FOLDER.
USAGE
}

items=100000 rounds=3 make='' bosk=''
while [ $# -gt 0 ]; do
    case $1 in
    --items) items=$2 && shift 2 ;;
    --rounds) rounds=$2 && shift 2 ;;
    --make) make=$2 && shift 2 ;;
    -h | --help) usage && exit 0 ;;
    *) bosk=$1 && shift ;;
    esac
done
[ -n "$bosk$make" ] || { usage >&2 && exit 2; }

# Fifty solutions to an issue.
make_queue() {
    mkdir -p "$1/queues" "$1/solutions"
    awk -v n="$items" -v dir="$1" 'BEGIN {
        queue = dir "/queues/QUE-20260101000000.json"; issues = dir "/issues.jsonl"
        printf "{\"id\": \"QUE-20260101000000\", \"status\": \"active\", \"issue_ids\": [], \"solutions\": [\n" >queue
        for (i = 1; i <= n; i++) {
            issue = "ISS-" int((i + 49) / 50); needs = ""
            # Half of them may begin at once; the others need six of these.
            for (k = 1; k <= 6 && i % 2 == 0; k++)
                needs = needs (k > 1 ? ", " : "") "\"S-" (2 * int(i * k / 14) + 1) "\""
            printf "%s{\"item_id\": \"S-%d\", \"issue_id\": \"%s\", \"solution_id\": \"SOL-%d\", \"status\": \"pending\", \"execution_order\": %d, \"depends_on\": [%s], \"semantic_priority\": 0.5, \"task_count\": 1, \"files_touched\": [\"src/f%d.c\"]}", (i > 1 ? ",\n" : ""), i, issue, i, i, needs, i >queue
            file = dir "/solutions/" issue ".jsonl"
            printf "{\"id\": \"SOL-%d\", \"description\": \"Change number %d\", \"approach\": \"As it is usual\", \"tasks\": [{\"id\": \"T1\", \"title\": \"Change f%d\", \"action\": \"Update\", \"description\": \"Do it\", \"files\": [{\"path\": \"src/f%d.c\", \"action\": \"modify\", \"change\": \"more\"}], \"implementation\": [\"Change it\"], \"test\": {\"commands\": [\"test -e src/f%d.c\"]}, \"convergence\": {\"criteria\": [\"It is changed\"]}, \"depends_on\": []}], \"is_bound\": %s}\n", i, i, i, i, i, (i % 50 == 1 ? "true" : "false") >file
            if (i % 50 == 0) { close(file); printf "{\"id\": \"%s\", \"title\": \"Issue\", \"status\": \"planned\", \"priority\": 3}\n", issue >issues }
        }
        printf "\n]}\n" >queue
    }'
    printf '{"active_queue_id": "QUE-20260101000000", "queues": [{"id": "QUE-20260101000000", "status": "active"}]}\n' \
        >"$1/queues/index.json"
}
if [ -n "$make" ]; then
    make_queue "$make"
    exit 0
fi

bosk=$(readlink -f "$bosk")
scratch=$(mktemp -d "${TMPDIR:-/tmp}/bosk-bench.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
export HOME=$scratch GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null
make_queue "$scratch/issues"
du -sh --apparent-size "$scratch/issues" >&2

step() {
    local name=$1
    shift
    /usr/bin/time -f '%e %M' -o "$scratch/time" "$bosk" "$@" >"$scratch/out" 2>"$scratch/err" || cat "$scratch/err" >&2
    awk -v name="$name" '{ printf "%-8s %6.2f s %6.0f MiB\n", name, $1, $2 / 1024 }' "$scratch/time"
}
for ((round = 1; round <= rounds; round++)); do
    rm -rf "$scratch/repo"
    git init -q -b main "$scratch/repo"
    cd "$scratch/repo"
    git -c user.name=Bench -c user.email=bench@example.invalid commit -q --allow-empty -m Start
    step add queue add "$scratch/issues/queues/QUE-20260101000000.json"
    step dag queue dag
    step next next
    step detail detail S-77777
done
