#!/usr/bin/env bash
# failpoints.sh: the supervisor, and then a worker, dies at each of the points beside a durable step
# (store/base/fail.h), and the session is resumed - or, after a worker's death, goes on by itself.
# Every time the end must be that of an uninterrupted run: trees of the integration branch and of
# main, states, each task merged exactly once, refs, bosk's own files, a clean checkout, no lock left.
set -euo pipefail

usage() {
    cat <<'USAGE'
usage: BOSK_BIN=PROGRAM tests/crash/failpoints.sh [options] [POINT...]

PROGRAM must be built with -DBOSK_FAILPOINTS=ON. Without a POINT: each name in each role at its first
and its last passage, in a resume at its first; with BOSK_TEST_FULL=1 at every passage.

  POINT        CASE/ROLE/NAME:K, as the table prints it; CASE is checked-out or free (whether the
               target branch of the landing is checked out), ROLE supervisor, worker or resume (the
               supervisor dies, and again in the resume). NAME:K is the K-th passage of NAME
  --list       print the points, do nothing
  --keep       keep the scratch folder when something was wrong
  -h, --help   this text

exit status: 0 every round ended as it should; 1 some did not; 2 wrong usage.
USAGE
}

list=0 keep=0
points=()
while [ $# -gt 0 ]; do
    case $1 in
    --list) list=1 ;;
    --keep) keep=1 ;;
    -h | --help)
        usage
        exit 0
        ;;
    checked-out/*/*:* | free/*/*:*) points+=("$1") ;;
    *)
        usage >&2
        exit 2
        ;;
    esac
    shift
done
chosen=${#points[@]}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/lib/crash.bash
. "$here/../lib/crash.bash"
crash_setup

# ---- the plan, and what it comes to --------------------------------------------------------------

make_repo a.txt sub/b.txt
commit_config <<'YAML'
jobs: 2
gates:
  - {name: whole, run: 'for f in *.txt; do test -s "$f" || exit 1; done'}
YAML
cat >"$SCRATCH/p.yaml" <<YAML
tasks:
  - {id: one, run: 'echo one > one.txt'}
  - id: two
    run: |
      git mv sub/b.txt sub/c.txt
      git commit -qm 'Its own commit'
      git rev-parse HEAD >>'$SCRATCH/commits'
      git rm -q a.txt
      echo two > two.txt
  - {id: three, needs: [one], run: 'cat one.txt one.txt > three.txt'}
  - {id: four, needs: [one, two], run: 'mkdir -p deep/er; cat one.txt two.txt > deep/er/four.txt'}
  - {id: five, needs: [three, four], run: 'cat three.txt deep/er/four.txt > five.txt; chmod +x five.txt'}
YAML
tasks=(one two three four five)
base=$(git rev-parse HEAD)
make_template

# start CASE: a fresh repository.
start() {
    fresh
    rm -f "$SCRATCH/fired" "$SCRATCH/points" "$SCRATCH/commits"
    [ "$1" != free ] || git switch -qc elsewhere
}
run=(run "$SCRATCH/p.yaml" --target main --land merge)
# dying_bosk ROLE POINT WORDS...: dies there.
dying_bosk() {
    local -x BOSK_FAILPOINT_IN=$1 BOSK_FAILPOINT_AT=$2 BOSK_FAILPOINT_ONCE=$SCRATCH/fired
    printf '# BOSK_FAILPOINT_IN=%s BOSK_FAILPOINT_AT=%s\n' "$1" "$2" >>"$SCRATCH/log"
    shift 2
    bosk "$@"
}
# logging_bosk WORDS...: the points passed go to $SCRATCH/points.
logging_bosk() {
    local -x BOSK_FAILPOINT_LOG=$SCRATCH/points
    bosk "$@"
}

# What agents committed is kept, also of attempts that were interrupted.
commits_kept() {
    local id
    while read -r id; do
        if [ -z "$(git for-each-ref --contains "$id")" ]; then
            printf 'no ref keeps %s\n' "$id"
            return 1
        fi
    done <"$SCRATCH/commits"
}

# ---- one round -----------------------------------------------------------------------------------

declare -A wanted_left
wanted_tree='' wanted_states=''

# uninterrupted CASE: what every round must come to, and the points on the way.
uninterrupted() {
    start "$1"
    logging_bosk "${run[@]}"
    if [ "$rc" != 0 ]; then
        cat "$SCRATCH/log"
        printf 'the uninterrupted run failed with exit status %s\n' "$rc"
        wrong=1
        exit 1
    fi
    if ! [ -s "$SCRATCH/points" ]; then
        printf '%s passes no crash points: build it with -DBOSK_FAILPOINTS=ON\n' "$BOSK_BIN" >&2
        exit 2
    fi
    wanted_tree=$(git rev-parse "main^{tree}")
    wanted_states=$(states)
    wanted_left[$1]=$(leftovers "$(last_sid)")
}

# resume_to_end SID: as a user would: until there is nothing to go on with.
resume_to_end() {
    while [ "$(status_json '.sessions[0].state')" = interrupted ]; do
        resumes=$((resumes + 1))
        if [ "$resumes" -gt 4 ]; then
            said+="${said:+, }still interrupted after 4 resumes"
            break
        fi
        bosk resume "$1"
    done
}

# round CASE/ROLE/NAME:K
round() {
    local case=${1%%/*} at=${1##*/} role sid
    role=${1#*/} role=${role%%/*}
    resumes=0 note=''
    start "$case"
    case $role in
    worker) dying_bosk worker "$at" "${run[@]}" ;;
    supervisor) dying_bosk supervisor "$at" "${run[@]}" ;;
    resume) dying_bosk supervisor integrate.refs.after:2 "${run[@]}" ;;
    esac
    if [ "$role" = resume ]; then
        rm -f "$SCRATCH/fired"
        dying_bosk supervisor "$at" resume
    fi
    if ! [ -e "$SCRATCH/fired" ]; then
        note='not passed this time'
    elif [ "$role" = worker ]; then
        [ "$rc" = 0 ] || said+="${said:+, }the run ended with $rc"
    else
        [ "$rc" = 137 ] || said+="${said:+, }exit status $rc"
        sid=$(sid_or_none)
        if [ -z "$sid" ]; then
            note='run again'
            bosk "${run[@]}"
        else
            check 'verify, cut off' "$BOSK_BIN" verify # what a resume will finish is no disagreement
            resume_to_end "$sid"
        fi
    fi
    sid=$(sid_or_none)
    check_end "$sid" "$base" "$wanted_tree" "$wanted_states" "${tasks[@]}"
    check 'tree of main' equal "tree" "$(git rev-parse 'main^{tree}')" "$wanted_tree"
    check 'landed once' landed_once "$sid" "$base" main "${tasks[@]}"
    if [ "$case" = free ]; then
        check checkout clean_checkout elsewhere
    else
        check checkout clean_checkout main
    fi
    check "agents' commits" commits_kept
    check 'left behind' diff -u <(printf '%s\n' "${wanted_left[$case]}") <(leftovers "$sid")
}

# ---- the points ----------------------------------------------------------------------------------

# passages CASE ROLE [PATTERN]: from the log of points, CASE/ROLE/NAME:K; each process counts for
# itself. Per name the first and the last passage, in a resume the first; or all of them.
passages() {
    awk -v case="$1" -v role="$2" -v pattern="${3:-.}" -v all="${BOSK_TEST_FULL:+1}" '
        ($2 == role || (role == "resume" && $2 == "supervisor")) && $3 ~ pattern {
            k = ++count[$1 " " $3]
            if (k > most[$3]) { if (!most[$3]) order[++n] = $3; most[$3] = k }
        }
        END {
            for (i = 1; i <= n; i++)
                for (k = 1; k <= most[order[i]]; k++)
                    if (all || k == 1 || (k == most[order[i]] && role != "resume")) print case "/" role "/" order[i] ":" k
        }' "$SCRATCH/points"
}

uninterrupted free
if [ "$chosen" = 0 ]; then
    # What differs from the other case: the landing, and the last refs moved.
    mapfile -t -O "${#points[@]}" points < <(passages free supervisor '^land|^git.refs' |
        awk -F: '/land/ || $2 > 1')
fi
uninterrupted checked-out
total=$(wc -l <"$SCRATCH/points")
if [ "$chosen" = 0 ]; then
    mapfile -t -O "${#points[@]}" points < <(passages checked-out supervisor)
    mapfile -t -O "${#points[@]}" points < <(passages checked-out worker)
    # Dying twice: in the resume after a death with an open intent.
    start checked-out
    dying_bosk supervisor integrate.refs.after:2 "${run[@]}"
    logging_bosk resume
    mapfile -t -O "${#points[@]}" points < <(passages checked-out resume)
fi
if [ "$list" = 1 ]; then
    printf '%s\n' "${points[@]}"
    exit 0
fi
printf '%d points passed by an uninterrupted run; %d rounds\n' "$total" "${#points[@]}"

# ---- the rounds ----------------------------------------------------------------------------------

table=()
deaths=0
failed=()
for point in "${points[@]}"; do
    round "$point"
    if [ -e "$SCRATCH/fired" ]; then deaths=$((deaths + 1)); fi
    if [ -n "$said" ]; then
        show_wrong "$point" "${point//\//-}"
        failed+=("$point")
    fi
    table+=("$(printf '%-52s %7d  %s' "$point" "$resumes" "${said:-ok}${note:+ ($note)}")")
done

printf '\n%-52s %7s  %s\n' point resumes result
printf '%s\n' "${table[@]}"
printf '%d rounds, %d deaths, %d wrong\n' "${#points[@]}" "$deaths" "$wrong"
for point in "${failed[@]}"; do
    printf 'again: BOSK_BIN=%s %s %s\n' "$BOSK_BIN" "$here/failpoints.sh" "$point"
done
[ "$wrong" = 0 ]
