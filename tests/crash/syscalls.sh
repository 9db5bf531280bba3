#!/usr/bin/env bash
# syscalls.sh: the K-th call of a kind fails, in the supervisor or in a worker (fault.c), once. The run
# must come to its end all the same, or say what failed and end with an exit code of its own; then a
# resume, or the same run again when there is no session yet, comes to the end of an uninterrupted run:
# trees, states, each task merged exactly once, refs, bosk's own files, a clean checkout.
set -euo pipefail

usage() {
    cat <<'USAGE'
usage: BOSK_BIN=PROGRAM BOSK_FAULT=LIBRARY tests/crash/syscalls.sh [options] [POINT...]

LIBRARY is fault.c, built. Without a POINT: in a small session each call that needs room fails with ENOSPC,
and of the other calls, errors and allocations some, chosen by BOSK_TEST_SEED. With BOSK_TEST_FULL=1 each
call with each error, more allocations, and some calls in a larger session.

  POINT        CASE/ROLE/KIND/ERROR:K, as the table prints it: in CASE (small, large) the K-th call of KIND
               that the ROLE (supervisor, worker) makes fails with ERROR (ENOSPC, EIO, EINTR, EMFILE,
               ENOMEM, EAGAIN; short: half is written or read)
  --count      print how many calls of each kind an uninterrupted run makes, do nothing
  --list       print the points, do nothing
  --jobs N     rounds at a time (default 6)
  --keep       keep the scratch folders of rounds that were wrong
  -h, --help   this text

exit status: 0 every round ended as it should; 1 some did not; 2 wrong usage.
USAGE
}

mode=run jobs=6 keep=0
points=()
while [ $# -gt 0 ]; do
    case $1 in
    --count | --list) mode=${1#--} ;;
    --jobs)
        jobs=${2:-}
        shift
        ;;
    --keep) keep=1 ;;
    -h | --help)
        usage
        exit 0
        ;;
    small/*/*/*:* | large/*/*/*:*) points+=("$1") ;;
    *)
        usage >&2
        exit 2
        ;;
    esac
    shift || true
done
case $jobs in
'' | *[!0-9]* | 0)
    usage >&2
    exit 2
    ;;
esac
[ -r "${BOSK_FAULT:-}" ] || {
    printf 'BOSK_FAULT must name the library made of fault.c (now: %s)\n' "${BOSK_FAULT:-not set}" >&2
    exit 2
}
library=$(readlink -f "$BOSK_FAULT")

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/lib/crash.bash
. "$here/../lib/crash.bash"
crash_setup

seed=${BOSK_TEST_SEED:-$(((${EPOCHREALTIME/[.,]/} ^ $$) & 0x7fffffff))}
RANDOM=$((seed % 2147483647))

# ---- the plan, and what it comes to --------------------------------------------------------------

make_repo a.txt sub/b.txt d.txt
commit_config <<'YAML'
gates: [{name: whole, run: 'test -s a.txt'}]
YAML
cat >"$SCRATCH/small.yaml" <<'YAML'
tasks:
  - {id: one, run: 'echo one > one.txt'}
  - {id: two, needs: [one], run: 'cat one.txt one.txt > two.txt'}
YAML
# Two at once, so that one is merged with the other and the gates run on what comes out.
cat >"$SCRATCH/large.yaml" <<'YAML'
tasks:
  - {id: one, run: 'echo one > one.txt'}
  - {id: two, run: 'git mv sub/b.txt sub/c.txt; git commit -qm "Its own"; echo two > two.txt'}
  - {id: three, needs: [one, two], run: 'mkdir -p deep/er; cat one.txt two.txt > deep/er/three.txt'}
  - {id: four, needs: [one], run: 'git rm -q d.txt; echo four > four.txt'}
YAML
declare -A tasks=([small]='one two' [large]='one two three four') worktrees=([small]=1 [large]=2)
base=$(git rev-parse HEAD)
make_template
main=$SCRATCH

# run_words CASE: what is typed.
run_words() { words=(run "$main/$1.yaml" --jobs "${worktrees[$1]}" --target main --land merge); }
# preloaded_bosk WORDS...: with the FAULT_* that are set.
preloaded_bosk() {
    local -x LD_PRELOAD=$library FAULT_EXE=$BOSK_BIN FAULT_BELOW=$REPO:$REPO.worktrees:$SCRATCH/run
    bosk "$@"
}

declare -A wanted_tree wanted_states wanted_left
# uninterrupted CASE: what every round of it must come to, and the calls on the way.
uninterrupted() {
    fresh
    run_words "$1"
    FAULT_LOG=$main/calls.$1 preloaded_bosk "${words[@]}"
    if [ "$rc" != 0 ] || ! [ -s "$main/calls.$1" ]; then
        cat "$main/log"
        printf 'the uninterrupted run ended with exit status %s; its calls: %s\n' "$rc" "$(wc -l <"$main/calls.$1")"
        exit 1
    fi
    wanted_tree[$1]=$(git rev-parse 'main^{tree}')
    wanted_states[$1]=$(states)
    wanted_left[$1]=$(leftovers "$(last_sid)")
}
# counts CASE: CASE ROLE KIND N, N the most that one process makes.
counts() {
    awk -v case="$1" '{ n = $3 == "memory" ? $5 : ++count[$1 " " $3]
           key = case " " $2 " " $3
           if (n > most[key]) most[key] = n }
        END { for (key in most) print key, most[key] }' "$main/calls.$1" | LC_ALL=C sort
}
uninterrupted small
uninterrupted large
if [ "$mode" = count ]; then
    counts small
    counts large
    exit 0
fi

# ---- the points ----------------------------------------------------------------------------------

# What may happen to a call of each kind.
declare -A errors=(
    [write]='ENOSPC EIO EINTR short' [send]='EINTR short' [read]='EIO EINTR short' [receive]='EINTR short'
    [map]='ENOMEM' [create]='ENOSPC EIO EMFILE' [open]='EMFILE EIO' [folder]='ENOSPC EIO'
    [sync]='ENOSPC EIO EINTR' [size]='ENOSPC EIO EINTR' [name]='ENOSPC EIO' [remove]='EIO ENOSPC'
    [mode]='EIO' [process]='EAGAIN ENOMEM' [handle]='EMFILE ENOMEM' [memory]='ENOMEM'
)
declare -A texts=(
    [ENOSPC]='No space left on device' [EIO]='Input/output error' [EMFILE]='Too many open files'
    [ENOMEM]='Cannot allocate memory' [EAGAIN]='Resource temporarily unavailable'
)
# all_points CASE: CASE/ROLE/KIND/ERROR:K of every call and error.
all_points() {
    local case role kind n error k
    while read -r case role kind n; do
        for error in ${errors[$kind]:-}; do
            for ((k = 1; k <= n; k++)); do printf '%s/%s/%s/%s:%s\n' "$case" "$role" "$kind" "$error" "$k"; done
        done
    done < <(counts "$1")
}
# some N: N of the lines, chosen at random.
some() {
    local line
    while read -r line; do printf '%05d %s\n' "$RANDOM" "$line"; done | LC_ALL=C sort | cut -d' ' -f2 | sed -n "1,$1p"
}
no_room='/(write|create|folder|sync|size|name)/ENOSPC:'
if [ ${#points[@]} = 0 ]; then
    if [ -n "${BOSK_TEST_FULL:-}" ]; then
        all_points small | grep -v /memory/ >"$main/points"
        all_points small | grep /memory/ | some 2000 >>"$main/points"
        all_points large | grep -v /memory/ | some 1000 >>"$main/points"
    else
        all_points small | grep -E "$no_room" >"$main/points"
        all_points small | grep -vE "$no_room|/memory/" | some 50 >>"$main/points"
        all_points small | grep /memory/ | some 20 >>"$main/points"
    fi
    mapfile -t points <"$main/points"
fi
if [ "$mode" = list ]; then
    printf '%s\n' "${points[@]}"
    exit 0
fi

# ---- one round -----------------------------------------------------------------------------------

# ended_well KIND WHAT: with an exit code of its own, and it said what failed: the error, or the file or object.
# A lock file that could not be removed is one that somebody holds. Without memory libfyaml takes the file that it
# reads for faulty, or dies: before anything has begun.
ended_well() {
    case $rc/$1/$2 in
    0/*) return ;;
    2/memory/*libfyaml* | 139/memory/*libfyaml*)
        equal "session" "$(sid_or_none)" ''
        return
        ;;
    [1-4]/* | 5/remove/*) ;;
    *)
        printf 'exit status %s\n' "$rc"
        return 1
        ;;
    esac
    if ! grep -q '^bosk: error: ' "$SCRATCH/log" || { [ "$1" != memory ] &&
        ! grep -F -e "${texts[$FAULT_WITH]:-error}" -e "${2##*/}" "$SCRATCH/log" | grep -qv '^#'; }; then
        printf 'exit status %s, and no word of what failed\n' "$rc"
        return 1
    fi
}
# resume_to_end: as a user would, until there is nothing to go on with.
resume_to_end() {
    local sid
    sid=$(sid_or_none)
    if [ -z "$sid" ]; then
        note+=', run again'
        bosk "${words[@]}"
        return
    fi
    check 'verify, interrupted' "$BOSK_BIN" verify
    while case $(status_json '.sessions[0].state') in interrupted | stopped) true ;; *) false ;; esac; do
        resumes=$((resumes + 1))
        if [ "$resumes" -gt 3 ]; then
            said+="${said:+, }not at its end after 3 resumes"
            break
        fi
        bosk resume "$sid"
    done
}
# What bosk could not remove at the end it names, with the reason: then it is for the user.
remove_what_stays() {
    local left line name branch
    mapfile -t left < <(sed -nE 's/^bosk: warning: cannot remove ([^ ]+): .*/\1/p' "$SCRATCH/log")
    if [ ${#left[@]} != 0 ]; then
        rm -f -- "${left[@]}"
        git for-each-ref --format='%(refname:short)' refs/heads/bosk/ | xargs -r git branch -qD >>"$SCRATCH/log" 2>&1
    fi
    mapfile -t left < <(sed -nE 's/^the ((worktree|branch) [^ ]+) stays: .*/\1/p' "$SCRATCH/log")
    for line in "${left[@]}"; do
        name=${line#* } branch=${line#* }
        if [ "${line%% *}" = worktree ]; then
            branch=$(git -C "$name" branch --show-current)
            git worktree remove --force --force "$name" || true
        fi
        [ -z "$branch" ] || git branch -D "$branch" || true
    done >>"$SCRATCH/log" 2>&1
}
# round CASE/ROLE/KIND/ERROR:K
round() {
    local case role kind error what='' sid
    local -x FAULT_ROLE FAULT_ONCE=$SCRATCH/fired FAULT_WITH FAULT_AT
    IFS=/ read -r case role kind error <<<"$1"
    FAULT_ROLE=$role FAULT_AT=$kind:${error#*:} FAULT_WITH=${error%:*}
    resumes=0
    fresh
    rm -f "$FAULT_ONCE"
    run_words "$case"
    preloaded_bosk "${words[@]}"
    note=$rc
    if [ -e "$FAULT_ONCE" ]; then
        what=$(sed "s|$SCRATCH/||g" "$FAULT_ONCE")
        note+=" $what"
    else
        note+=' not made this time'
    fi
    printf '# exit status, and what failed: %s\n' "$note" >>"$SCRATCH/log"
    check "how it ended ($rc)" ended_well "$kind" "$what"
    [ "$rc" = 0 ] || resume_to_end
    remove_what_stays
    [ "$kind" != remove ] || rm -rf .git/bosk/tmp/* # doctor names it
    sid=$(sid_or_none)
    # shellcheck disable=SC2086 # words
    check_end "$sid" "$base" "${wanted_tree[$case]}" "${wanted_states[$case]}" ${tasks[$case]}
    check 'tree of main' equal "tree" "$(git rev-parse 'main^{tree}')" "${wanted_tree[$case]}"
    # shellcheck disable=SC2086 # words
    check 'landed once' landed_once "$sid" "$base" main ${tasks[$case]}
    check checkout clean_checkout main
    check 'left behind' diff -u <(printf '%s\n' "${wanted_left[$case]}") <(leftovers "$sid")
}

# ---- the rounds ----------------------------------------------------------------------------------

# Each of the jobs has its own scratch folder and takes the next point that nobody has.
job() {
    local i
    crash_setup
    cp -a "$main/template" "$SCRATCH/template"
    for ((i = 0; i < ${#points[@]}; i++)); do
        mkdir "$main/taken.$i" 2>/dev/null || continue
        round "${points[i]}"
        [ -z "$said" ] || show_wrong "${points[i]}" "${points[i]//\//-}"
        printf '%s\t%-44s %7d  %s (%s)\n' "${said:+wrong}" "${points[i]}" "$resumes" "${said:-ok}" "$note" \
            >>"$main/table"
    done
    [ "$wrong" = 0 ]
}

printf 'seed: BOSK_TEST_SEED=%s\n%d calls counted in an uninterrupted run; %d rounds\n' "$seed" \
    "$(counts small | awk '$3 != "memory" { n += $4 } END { print n }')" "${#points[@]}"
pids=()
for ((i = 0; i < jobs; i++)); do
    (job) >"$main/said.$i" 2>&1 &
    pids+=($!)
done
for ((i = 0; i < jobs; i++)); do
    wait "${pids[i]}" || wrong=1
    cat "$main/said.$i"
done

printf '\n%-44s %7s  %s\n' point resumes 'result (exit status, what failed)'
LC_ALL=C sort -V "$main/table" | cut -f2
printf '%d rounds, %d calls failed, %d runs resumed or run again, %d wrong\n' "${#points[@]}" \
    "$(grep -vc 'not made this time' "$main/table")" \
    "$(grep -cE ' [1-9][0-9]*  |run again' "$main/table")" "$(grep -c '^wrong' "$main/table" || true)"
awk -F'[\t ]+' '$1 == "wrong" { print $2 }' "$main/table" | while read -r point; do
    printf 'again: BOSK_BIN=%s BOSK_FAULT=%s %s %s\n' "$BOSK_BIN" "$library" "$here/syscalls.sh" "$point"
done
[ "$wrong" = 0 ]
