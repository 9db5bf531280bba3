#!/usr/bin/env bash
# failpoints.sh: the supervisor, and then a worker, dies at each of the points beside a durable step
# (store/base/fail.h), and the session is resumed - or, after a worker's death, goes on by itself. Then in
# pairs: it dies, and dies again in the resume. Every time the end must be that of an uninterrupted run:
# trees of the integration branch and of main, states, each task merged exactly once, refs, bosk's own
# files, a clean checkout, no lock left, and all of lib/invariants.
set -euo pipefail

usage() {
    cat <<'USAGE'
usage: BOSK_BIN=PROGRAM tests/crash/failpoints.sh [options] [POINT...]

PROGRAM must be built with -DBOSK_FAILPOINTS=ON. Without a POINT: each name in the supervisor at its first
passage and at one drawn by the seed, in a worker at a drawn one, or at its first if that one is not
passed; and, after a death at a drawn point, each name that only a resume passes and a quarter of the
others. With BOSK_TEST_FULL=1 at every passage.

  POINT        CASE/ROLE/NAME:K, as the table prints it; CASE is checked-out or free (whether the
               target branch of the landing is checked out), ROLE supervisor or worker. NAME:K is the
               K-th passage of NAME. CASE/supervisor/NAME:K/ROLE/NAME:K: the second in the resume
  --pairs      all pairs: thousands of rounds, for hours
  --list       print the points, do nothing
  --full       every passage
  --seed N     the same points again
  --keep       keep the scratch folder when something was wrong
  -h, --help   this text

The seed is printed first; each failure prints its own command.
Every name in the source must be died at here, or be named by another test.

exit status: 0 every round ended as it should; 1 some did not; 2 wrong usage.
USAGE
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/lib/crash.bash
. "$here/../lib/crash.bash"
list=0 pairs=0
crash_options list pairs 'checked-out/*/*:*' 'free/*/*:*' -- "$@"
chosen=${#points[@]}
crash_setup

# ---- the plan, and what it comes to --------------------------------------------------------------

make_repo a.txt sub/b.txt list.txt
commit_config <<'YAML'
jobs: 2
worktrees: {setup: 'true'}
gates:
  - {name: whole, run: 'for f in *.txt; do test -s "$f" || exit 1; done'}
YAML
# One and two begin together and are in conflict, so that the later is repaired - unless a death comes in
# between; the outcome is the same.
cat >"$SCRATCH/agent" <<SH
other=two
test \$BOSK_TASK = one || other=one
touch '$SCRATCH/at.'\$BOSK_TASK
for i in \$(seq 200); do test -e '$SCRATCH/at.'\$other && break; sleep 0.05; done
{ grep -v '^[<=>|]' list.txt; echo \$BOSK_TASK; } | sort -u >list.new
mv list.new list.txt
echo \$BOSK_TASK >\$BOSK_TASK.txt
test \$BOSK_TASK = two || exit 0
test -e sub/c.txt || git mv sub/b.txt sub/c.txt
git commit -qam 'Its own commit'
git rev-parse HEAD >>'$SCRATCH/commits'
git pack-refs --all
rm -f a.txt
SH
cat >"$SCRATCH/p.yaml" <<YAML
tasks:
  - {id: one, prompt: x}
  - {id: two, prompt: x}
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
    rm -f "$SCRATCH/fired" "$SCRATCH/points" "$SCRATCH/commits" "$SCRATCH"/at.*
    [ "$1" != free ] || git switch -qc elsewhere
}
run=(run "$SCRATCH/p.yaml" --executor "sh $SCRATCH/agent" --target main --land merge)
INVARIANTS=(--kept "$SCRATCH/commits") # what agents committed, also in attempts that were interrupted
# dying_bosk ROLE POINT WORDS...: dies there. Then $SCRATCH/fired exists, and the name is in $died.
deaths=0
declare -A died
dying_bosk() {
    local -x BOSK_FAILPOINT_IN=$1 BOSK_FAILPOINT_AT=$2 BOSK_FAILPOINT_ONCE=$SCRATCH/fired
    local name=${2%:*}
    rm -f "$SCRATCH/fired"
    printf '# BOSK_FAILPOINT_IN=%s BOSK_FAILPOINT_AT=%s\n' "$1" "$2" >>"$SCRATCH/log"
    shift 2
    bosk "$@"
    [ ! -e "$SCRATCH/fired" ] || { deaths=$((deaths + 1)) && died[$name]=1; }
}
# logging_bosk WORDS...: the points passed go to $SCRATCH/points.
logging_bosk() {
    local -x BOSK_FAILPOINT_LOG=$SCRATCH/points
    bosk "$@"
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

# The agent's own `git pack-refs` may have died with it and left a lock, which is nobody's that bosk could know of:
# it is told, and so are the branches that stay for it. A user does what the report says.
clear_agents_lock() {
    local lock=.git/packed-refs.lock
    [ -e "$lock" ] && [ ! -s "$lock" ] || return 0
    note+=' (the agent left a lock)'
    check 'the lock is told' grep -F "rm '$(pwd -P)/$lock'" <("$BOSK_BIN" report "$1")
    rm -f "$lock" .git/packed-refs.new
    git for-each-ref --format='delete %(refname)' "refs/heads/bosk/$1/" | git update-ref --stdin
}

# round CASE/ROLE/NAME:K[/ROLE/NAME:K]
round() {
    local case role at role2 at2 sid
    IFS=/ read -r case role at role2 at2 <<<"$1"
    resumes=0 note=''
    start "$case"
    dying_bosk "$role" "$at" "${run[@]}"
    sid=$(sid_or_none)
    if ! [ -e "$SCRATCH/fired" ]; then
        note='not passed this time'
    elif [ "$role" = worker ]; then
        [ "$rc" = 0 ] || said+="${said:+, }the run ended with $rc"
    else
        [ "$rc" = 137 ] || said+="${said:+, }exit status $rc"
        if [ -z "$sid" ]; then
            note='run again'
            bosk "${run[@]}"
        else
            [ -n "$at2" ] || check 'verify, cut off' "$BOSK_BIN" verify # what a resume will finish is no disagreement
            [ -z "$at2" ] || again_dying "$role2" "$at2"
            resume_while interrupted "$sid" 4
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
    clear_agents_lock "$sid"
    check 'left behind' diff -u <(printf '%s\n' "${wanted_left[$case]}") <(leftovers "$sid")
}

# again_dying ROLE POINT: a resume that dies there too.
again_dying() {
    resumes=1
    dying_bosk "$1" "$2" resume
    if ! [ -e "$SCRATCH/fired" ]; then
        note='the second not passed this time'
        return
    fi
    case $1:$rc in
    supervisor:137 | worker:0) ;;
    *) said+="${said:+, }the resume ended with $rc" ;;
    esac
}

# ---- the points ----------------------------------------------------------------------------------

# passages ROLE [PATTERN]: from the log of points, "NAME COUNT" in the order of the first passage; each
# process counts for itself, the longest counts.
passages() {
    awk -v role="$1" -v pattern="${2:-.}" '
        $2 == role && $3 ~ pattern {
            k = ++count[$1 " " $3]
            if (k > most[$3]) { if (!most[$3]) order[++n] = $3; most[$3] = k }
        }
        END { for (i = 1; i <= n; i++) print order[i], most[order[i]] }' "$SCRATCH/points"
}
# choose CASE ROLE [PATTERN]: adds CASE/ROLE/NAME:K to the points.
choose() {
    local name most k
    while read -r name most; do
        if [ -n "$full" ]; then
            for ((k = 1; k <= most; k++)); do points+=("$1/$2/$name:$k"); done
            continue
        fi
        [ "$2" = worker ] || points+=("$1/$2/$name:1")
        draw "$most"
        [ "$2" = supervisor ] && [ "$drawn" = 0 ] || points+=("$1/$2/$name:$((drawn + 1))")
    done < <(passages "$2" "${3:-}")
}

# Where the first of a pair is: any passage from the session's rows to its end.
firsts() {
    awk '$2 == "supervisor" {
            at = $3 ":" ++count[$3]
            if (begun && $3 !~ /^chan/) print at
            if ($3 == "create.rows.after") begun = 1
        }' "$SCRATCH/points"
}
# A death here is followed by a resume that passes every name of the recovery.
sure=integrate.refs.after:2
choose_pairs() {
    local -a first
    local name most i
    local passed
    passed=" $(cut -d ' ' -f 3 "$SCRATCH/points" | sort -u | xargs) " # without an interruption: these are died at anyway
    mapfile -t first < <(firsts)
    start checked-out
    dying_bosk supervisor "$sure" "${run[@]}"
    logging_bosk resume
    if [ "$pairs" = 1 ]; then
        points=()
        for i in $(printf '%s\n' "${first[@]}" | awk -F: '!seen[$1]++'); do
            while read -r name most; do points+=("checked-out/supervisor/$i/supervisor/$name:1"); done < <(passages supervisor)
            while read -r name most; do points+=("checked-out/supervisor/$i/worker/$name:1"); done < <(passages worker)
        done
        return
    fi
    while read -r name most; do
        draw ${#first[@]}
        i=$drawn
        draw 4
        [ "$drawn" != 0 ] && [[ $passed == *" $name "* ]] || points+=("checked-out/supervisor/${first[i]}/supervisor/$name:1")
    done < <(passages supervisor)
    while read -r name most; do
        draw ${#first[@]}
        i=$drawn
        draw 4
        [ "$drawn" != 0 ] || points+=("checked-out/supervisor/${first[i]}/worker/$name:1")
    done < <(passages worker)
    for name in before after; do points+=("checked-out/supervisor/land.forward.before:1/supervisor/land.mend.$name:1"); done
}

crash_seed >&2

uninterrupted free
# What differs from the other case: the landing, and the refs moved by it.
[ "$chosen" != 0 ] || choose free supervisor '^land|^git.refs'
uninterrupted checked-out
total=$(wc -l <"$SCRATCH/points")
names=$(cut -d ' ' -f 3 "$SCRATCH/points" | sort -u | wc -l)
if [ "$chosen" = 0 ]; then
    choose checked-out supervisor
    choose checked-out worker
    choose_pairs
fi
if [ "$list" = 1 ]; then
    printf '%s\n' "${points[@]}"
    exit 0
fi
printf '%d points of %d names passed by an uninterrupted run; %d rounds\n' "$total" "$names" "${#points[@]}"

# ---- the rounds ----------------------------------------------------------------------------------

# again_at_first POINT: a drawn passage of a worker need not be passed in every run (who is first, who repairs): then its
# name dies at its first one. Nor are all names of the recovery after each death (one that only has to land): then after one
# that has it.
again_at_first() {
    [ "$chosen" = 0 ] && [ -z "$full" ] || return 0
    if [[ $1 =~ ^(checked-out/worker/([^/]+)):([0-9]+)$ ]]; then
        [ "${BASH_REMATCH[3]}" = 1 ] || [ -n "${died[${BASH_REMATCH[2]}]:-}" ] || points+=("${BASH_REMATCH[1]}:1")
    elif [[ $1 =~ ^checked-out/supervisor/([^/]+)/supervisor/([^/]+):1$ ]]; then
        [ "${BASH_REMATCH[1]}" = "$sure" ] || [ -n "${died[${BASH_REMATCH[2]}]:-}" ] ||
            points+=("checked-out/supervisor/$sure/supervisor/${BASH_REMATCH[2]}:1")
    fi
}

table=()
deaths=0 died=()
failed=()
for ((p = 0; p < ${#points[@]}; p++)); do
    point=${points[p]}
    round "$point"
    again_at_first "$point"
    if [ -n "$said" ]; then
        show_wrong "$point" "${point//\//-}"
        failed+=("$point")
    fi
    table+=("$(printf '%-76s %2d  %s' "$point" "$resumes" "${said:-ok}${note:+ ($note)}")")
done

printf '\n%-76s resumes, result\n' point
printf '%s\n' "${table[@]}"

# Every point of the program: where it was died at.
if [ "$chosen" = 0 ] && [ "$pairs" = 0 ]; then
    root=$here/../..
    printf '\nnames of the source, and what dies there:\n'
    while read -r name; do
        if [ -n "${died[$name]:-}" ]; then
            by='a round above'
        elif ! by=$(cd "$root" && grep -rlwF --include=*.bats --include=*.c "$name" tests | head -n 1) || [ -z "$by" ]; then
            by='NOTHING: add a round, or a test that names it'
            wrong=$((wrong + 1))
        fi
        printf '  %-28s %s\n' "$name" "$by"
    done < <(cd "$root" && grep -rhoE --include=*.c 'FAILPOINT\("[a-z.]+"' store worker supervisor tools | cut -d '"' -f 2 | sort -u)
fi
printf '%d rounds, %d deaths at %d names, %d wrong\n' "${#points[@]}" "$deaths" "${#died[@]}" "$wrong"
for point in "${failed[@]}"; do
    printf 'again: BOSK_BIN=%s %s %s\n' "$BOSK_BIN" "$here/failpoints.sh" "$point"
done
[ "$wrong" = 0 ]
