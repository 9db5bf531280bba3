#!/usr/bin/env bash
# run.sh: how fast bosk is, beside the workflow it comes from (seed-workflow.sh) and a hand-tuned
# shell script (tuned-shell.sh), on one generated repository. Rounds are interleaved, so that a busy
# machine is busy for all three. Not part of the tests: figures depend on the machine.
set -euo pipefail

usage() {
    cat <<'USAGE'
usage: BOSK_BIN=PROGRAM tests/bench/run.sh [options]

  --files N    files in the repository (default 5000)
  --tasks N    tasks; each writes one new file (default 60)
  --jobs N     worktrees = tasks at once (default 4)
  --rounds N   rounds; each system runs once per round, in turn (default 3)
  --poll S     let the seed workflow look at its workers every S seconds (default 0: no waiting)
  --durable    let git flush objects and refs to disk for the two scripts too (bosk always does)
  --keep       keep the scratch folder
  -h, --help   this text

BOSK_BIN is a release build (default build/release/bosk). Everything from a clean checkout to the
result on main with all worktrees removed counts:

  tasks/s     tasks by wall-clock time of the whole
  p50, p99    exit to integrated: from the task's commit made by its worker to that commit being on
              the integration branch, in milliseconds. For bosk: time_ms of the task's events
              "result" and "integrated" in `bosk run --json`; the scripts note the same two moments
  CPU s       user + system time of all processes
  peak MB     largest resident set of any one process

Ratios are medians over rounds of (the other's figure : bosk's figure), for tasks/s the other way
round: above 1, bosk is better (0 ms, the resolution being 1 ms, counts as 0.5). Needs the packages jq and time.
USAGE
}

files=5000 tasks=60 jobs=4 rounds=3 poll=0 durable=0 keep=0
number() { # OPTION VALUE
    case ${2:-} in
    '' | *[!0-9]*)
        printf 'bench: %s needs a number (see --help)\n' "$1" >&2
        exit 2
        ;;
    esac
}
while [ $# -gt 0 ]; do
    case $1 in
    --files | --tasks | --jobs | --rounds | --poll)
        number "$1" "${2:-}"
        printf -v "${1#--}" %s "$2"
        shift
        ;;
    --durable) durable=1 ;;
    --keep) keep=1 ;;
    -h | --help)
        usage
        exit 0
        ;;
    *)
        printf "bench: unknown argument '%s' (see --help)\n" "$1" >&2
        exit 2
        ;;
    esac
    shift
done

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
bosk=$(readlink -f "${BOSK_BIN:-$here/../../build/release/bosk}" || true)
if ! [ -x "$bosk" ]; then
    printf 'bench: no program %s: build it, or set BOSK_BIN\n' "${bosk:-build/release/bosk}" >&2
    exit 4
fi
for tool in jq time; do
    if [ -z "$(type -P "$tool")" ]; then
        printf 'bench: needs %s: apt-get install %s\n' "$tool" "$tool" >&2
        exit 4
    fi
done

for name in "${!GIT_@}" "${!BOSK_@}" "${!XDG_@}"; do unset "$name"; done
scratch=$(mktemp -d "${TMPDIR:-/tmp}/bosk-bench.XXXXXX")
scratch=$(cd "$scratch" && pwd -P)
finish() {
    if [ "$keep" = 1 ]; then printf 'kept: %s\n' "$scratch"; else rm -rf "$scratch"; fi
}
trap finish EXIT
mkdir "$scratch/home"
export HOME=$scratch/home GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=$scratch/gitconfig
git config --global user.name Bench
git config --global user.email bench@example.invalid
[ "$durable" = 0 ] || git config --global core.fsync committed,reference

# ---- the repository and the plan -----------------------------------------------------------------
# Files of some hundred bytes, a hundred to a folder.
git init -q -b main "$scratch/template"
awk -v files="$files" 'BEGIN {
    print "commit refs/heads/main\ncommitter Bench <bench@example.invalid> 1700000000 +0000\ndata 5\nStart"
    for (i = 0; i < files; i++) {
        text = sprintf("This is file %d of the repository.\n", i)
        for (j = 0; j < 5; j++) text = text sprintf("%d: some words that fill a line, and a number: %d\n", j, i * 7919 % 10007)
        printf "M 100644 inline src/%d/%d.txt\ndata %d\n%s\n", i / 100, i, length(text), text
    }
}' | git -C "$scratch/template" fast-import --quiet
git -C "$scratch/template" reset -q --hard
{
    echo 'tasks:'
    for ((i = 1; i <= tasks; i++)); do
        printf '  - id: t%d\n    run: mkdir -p tasks/%d && echo "task %d" > tasks/%d/%d.txt\n' \
            "$i" $((i % 16)) "$i" $((i % 16)) "$i"
    done
} >"$scratch/plan.yaml"

# ---- one run of one system -----------------------------------------------------------------------
# p FILE PERCENT: that percentile of the microseconds in FILE, in milliseconds.
p() {
    sort -n "$1" | awk -v p="$2" '{ v[NR] = $1 } END { i = int(NR * p / 100 + 0.9999); if (i < 1) i = 1; printf "%.1f", v[i] / 1000 }'
}
# measure ROUND SYSTEM: one line "round system tasks/s p50 p99 cpu peak" to results; checks the tree.
measure() {
    local dir=$scratch/work repo=$scratch/work/repo command tree wall user system peak
    rm -rf "$dir"
    mkdir "$dir"
    cp -a "$scratch/template" "$repo"
    git -C "$repo" update-index -q --refresh
    case $2 in
    bosk) command=("$bosk" -C "$repo" run "$scratch/plan.yaml" --jobs "$jobs" --land merge --json) ;;
    seed) command=("$here/seed-workflow.sh" "$repo" "$tasks" "$jobs" "$dir/latencies") ;;
    tuned) command=("$here/tuned-shell.sh" "$repo" "$tasks" "$jobs" "$dir/latencies") ;;
    esac
    if ! BENCH_POLL=$poll command time -o "$dir/time" -f '%e %U %S %M' "${command[@]}" \
        >"$dir/out" 2>"$dir/err" </dev/null; then
        printf 'bench: %s failed:\n' "$2" >&2
        tail -n 20 "$dir/err" >&2
        exit 1
    fi
    if [ "$2" = bosk ]; then
        jq -r 'select(.kind == "result" or .kind == "integrated") | "\(.task) \(.kind) \(.time_ms)"' "$dir/out" |
            awk '$2 == "result" { made[$1] = $3 } $2 == "integrated" { print ($3 - made[$1]) * 1000 }' >"$dir/latencies"
    fi
    if [ "$(wc -l <"$dir/latencies")" != "$tasks" ]; then
        printf 'bench: %s integrated %d of %d tasks\n' "$2" "$(wc -l <"$dir/latencies")" "$tasks" >&2
        exit 1
    fi
    # All three must come to the same.
    tree=$(git -C "$repo" rev-parse 'main^{tree}')
    [ -s "$scratch/tree" ] || printf '%s\n' "$tree" >"$scratch/tree"
    if [ "$tree" != "$(cat "$scratch/tree")" ] || [ -n "$(git -C "$repo" status --porcelain)" ]; then
        printf 'bench: %s came to another result\n' "$2" >&2
        exit 1
    fi
    read -r wall user system peak <"$dir/time"
    awk -v r="$1" -v s="$2" -v n="$tasks" -v w="$wall" -v u="$user" -v y="$system" -v m="$peak" \
        -v p50="$(p "$dir/latencies" 50)" -v p99="$(p "$dir/latencies" 99)" \
        'BEGIN { printf "%d %s %.2f %.1f %.1f %.2f %.1f\n", r, s, n / w, p50, p99, u + y, m / 1024 }' |
        tee -a "$scratch/results" | awk '{ printf "%5d  %-6s %8s %9s %9s %8s %8s\n", $1, $2, $3, $4, $5, $6, $7 }'
}

printf '%d files, %d tasks, %d worktrees, %d rounds; %s\n' "$files" "$tasks" "$jobs" "$rounds" "$("$bosk" version 2>/dev/null | head -n 1)"
printf 'scripts: git %s to disk; the seed workflow %s\n\n' \
    "$([ "$durable" = 1 ] && echo flushes || echo 'does not flush')" \
    "$([ "$poll" = 0 ] && echo 'is woken by its workers' || echo "looks every $poll s")"
printf '%5s  %-6s %8s %9s %9s %8s %8s\n' round system tasks/s 'p50 ms' 'p99 ms' 'CPU s' 'peak MB'
order=(bosk seed tuned)
for ((round = 1; round <= rounds; round++)); do
    for system in "${order[@]}"; do measure "$round" "$system"; done
    order=("${order[@]:1}" "${order[0]}")
done

# ---- the medians ---------------------------------------------------------------------------------
printf '\n%-14s %8s %9s %9s %8s %8s\n' median tasks/s 'p50 ms' 'p99 ms' 'CPU s' 'peak MB'
awk '
function median(list,    n, v, i, j, t) {
    n = split(list, v, " ")
    for (i = 2; i <= n; i++) for (j = i; j > 1 && v[j - 1] + 0 > v[j] + 0; j--) { t = v[j]; v[j] = v[j - 1]; v[j - 1] = t }
    return n % 2 ? v[(n + 1) / 2] : (v[n / 2] + v[n / 2 + 1]) / 2
}
{ for (c = 3; c <= 7; c++) { value[$2, c, $1] = $c; all[$2, c] = all[$2, c] " " $c } ; rounds = $1 > rounds ? $1 : rounds }
END {
    split("bosk seed tuned", name, " ")
    for (s = 1; s <= 3; s++) {
        printf "%-14s", name[s]
        for (c = 3; c <= 7; c++) printf " %*.2f", c == 4 || c == 5 ? 9 : 8, median(all[name[s], c])
        print ""
    }
    for (s = 2; s <= 3; s++) {
        printf "%-14s", name[s] " : bosk"
        for (c = 3; c <= 7; c++) {
            ratios = ""
            for (r = 1; r <= rounds; r++) {
                a = value[name[s], c, r]; b = value["bosk", c, r]
                if (c == 3) { t = a; a = b; b = t }
                ratios = ratios " " (b > 0 ? a / b : a / 0.5)
            }
            printf " %*.2f", c == 4 || c == 5 ? 9 : 8, median(ratios)
        }
        print ""
    }
}' "$scratch/results"
