#!/usr/bin/env bash
# syscalls.sh: the K-th call of a kind fails, in the supervisor or in a worker (fault/), once. The run
# must come to its end all the same, or say what failed and end with an exit code of its own; then a
# resume, or the same run again when there is no session yet, comes to the end of an uninterrupted run:
# trees, states, each task merged exactly once, refs, bosk's own files, a clean checkout.
set -euo pipefail

usage() {
    cat <<'USAGE'
usage: BOSK_BIN=PROGRAM BOSK_FAULT=LIBRARY tests/crash/syscalls.sh [options] [POINT...]

LIBRARY is fault/, built. Without a POINT: in a small session some calls of each kind fail with each error
that they may have, spread over the run, most of them with ENOSPC; which ones depends on the seed. With
--full every one of them, and some allocations and calls of a larger session.

  POINT        CASE/ROLE/KIND/ERROR:K[@PATH], as the table prints it: in CASE (small, large) the K-th call of
               KIND on PATH that the ROLE (supervisor, worker) makes fails with ERROR (ENOSPC, EIO, EINTR,
               EMFILE, ENOMEM, EAGAIN; short: half is written or read)
  --count      print how many calls of each kind an uninterrupted run makes, do nothing
  --list       print the points, do nothing
  --jobs N     rounds at a time (default 2)
  --full       every point
  --seed N     the same choice again (it is printed first)
  --keep       keep the scratch folders of rounds that were wrong
  -h, --help   this text

exit status: 0 every round ended as it should; 1 some did not; 2 wrong usage.
USAGE
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/lib/crash.bash
. "$here/../lib/crash.bash"
count=0 list=0 jobs=2 library=''
crash_options count list jobs= 'small/*/*/*:*' 'large/*/*/*:*' -- "$@"
need_file library BOSK_FAULT 'the library made of fault/'
crash_setup

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
# uninterrupted CASE: what every round of it must come to, and the calls on the way. Names that differ from run to
# run are patterns in those.
uninterrupted() {
    local sid
    fresh
    run_words "$1"
    FAULT_LOG=$main/raw preloaded_bosk "${words[@]}"
    if [ "$rc" != 0 ] || ! [ -s "$main/raw" ]; then
        cat "$main/log"
        printf 'the uninterrupted run of %s ended with exit status %s\n' "$1" "$rc"
        exit 1
    fi
    sid=$(last_sid)
    wanted_tree[$1]=$(git rev-parse 'main^{tree}')
    wanted_states[$1]=$(states)
    wanted_left[$1]=$(leftovers "$sid")
    sed -E "s#^([^ ]* [^ ]* [^ ]* [^ ]* )$main/#\\1#; s/$sid/??????/g; s/QUE-[0-9TZ-]+/QUE-*/g
        s#objects/[0-9a-f]{2}(/|\$)#objects/??\\1#; s/[0-9a-f]{38,}/*/g; s/pipe:.*/-/
        s/\\.tmp\\.[0-9]+/.tmp.*/; s/git2_[0-9a-f]+/git2_*/" "$main/raw" >"$main/calls.$1"
}
# counts CASE: "ROLE KIND N", N the most that one process makes.
counts() {
    awk '{ n = $3 == "memory" ? $5 : ++count[$1 " " $3]; key = $2 " " $3; if (n > most[key]) most[key] = n }
        END { for (key in most) print key, most[key] }' "$main/calls.$1" | LC_ALL=C sort
}
uninterrupted small
if [ "$count" = 1 ] || [ -n "$full" ] || [[ ${points[*]} == *large/* ]]; then uninterrupted large; fi
if [ "$count" = 1 ]; then
    for case in small large; do counts "$case" | sed "s/^/$case /"; done
    exit 0
fi

# ---- the points ----------------------------------------------------------------------------------

# What may happen to a call of each kind; where there is no room, all of these calls fail.
errors='write=ENOSPC,EIO,EINTR,short send=EINTR,short read=EIO,EINTR,short receive=EINTR,short map=ENOMEM
    create=ENOSPC,EIO,EMFILE open=EMFILE,EIO folder=ENOSPC,EIO sync=ENOSPC,EIO,EINTR size=ENOSPC,EIO,EINTR
    name=ENOSPC,EIO remove=EIO,ENOSPC mode=EIO process=EAGAIN,ENOMEM handle=EMFILE,ENOMEM memory=ENOMEM'
no_room=' write create folder sync size name '
declare -A texts=(
    [ENOSPC]='No space left on device' [EIO]='Input/output error' [EMFILE]='Too many open files'
    [ENOMEM]='Cannot allocate memory' [EAGAIN]='Resource temporarily unavailable'
)
# choose CASE ROOM OTHER MEMORY: of the calls that need room and get ENOSPC each ROOM-th, of all others each OTHER-th,
# of allocations each MEMORY-th; of each kind and error at least one, with the seed the first.
choose() {
    awk -v case="$1" -v room="$2" -v other="$3" -v memory="$4" -v seed="$seed" -v errors="$errors" -v no_room="$no_room" '
        BEGIN {
            for (n = split(errors, all, /[ \n]+/); n; n--) { split(all[n], pair, "="); of[pair[1]] = pair[2] }
            srand(seed)
        }
        # A path is counted by itself: what happens elsewhere, sooner or later, does not matter to it.
        $3 == "memory" { if ($5 > number[$2 " memory"]) number[$2 " memory"] = $5; next }
        { k = ++passed[$1 " " $3 " " $5]; if (k <= most[$2 " " $3 " " $5]) next
          most[$2 " " $3 " " $5] = k; i = ++number[$2 " " $3]; call[$2 " " $3 " " i] = k ($5 == "-" ? "" : "@" $5) }
        END {
            for (key in number) keys[++m] = key
            for (i = 2; i <= m; i++) # in an order that is always the same
                for (j = i; j > 1 && keys[j - 1] > keys[j]; j--) { x = keys[j]; keys[j] = keys[j - 1]; keys[j - 1] = x }
            for (i = 1; i <= m; i++) {
                split(keys[i], at, " ")
                n = split(of[at[2]], error, ",")
                for (e = 1; e <= n; e++) {
                    step = at[2] == "memory" ? memory : error[e] == "ENOSPC" && index(no_room, " " at[2] " ") ? room : other
                    for (k = 1 + int(rand() * (step < number[keys[i]] ? step : number[keys[i]])); k <= number[keys[i]]; k += step)
                        print case "/" at[1] "/" at[2] "/" error[e] ":" (at[2] == "memory" ? k : call[keys[i] " " k])
                }
            }
        }' "$main/calls.$1"
}
chosen=${#points[@]}
crash_seed >&2
if [ "$chosen" = 0 ] && [ -n "$full" ]; then
    mapfile -t points < <(choose small 1 1 40 && choose large 8 40 400)
elif [ "$chosen" = 0 ]; then
    mapfile -t points < <(choose small 80 400 10000)
fi
if [ "$list" = 1 ]; then
    printf '%s\n' "${points[@]}"
    exit 0
fi

# ---- one round -----------------------------------------------------------------------------------

# ended_well KIND WHAT: with an exit code of its own, and it said what failed: the error, or the file or object.
# A lock file that could not be removed is one that somebody holds. Without memory libfyaml takes the file that it
# reads for faulty, or dies in fy_parse_input_append (libc asks for it): before anything has begun.
ended_well() {
    case $rc/$1/$2 in
    0/*) return ;;
    2/memory/*libfyaml* | 139/memory/*libfyaml* | 139/memory/*libc.so*)
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
    resume_while 'interrupted|stopped' "$sid" 3
}
# What the report says is there, is.
told_stays() {
    local line
    [ -n "$1" ] || return 0
    "$BOSK_BIN" report "$1" >"$SCRATCH/report"
    while IFS= read -r line; do
        case $line in
        worktree*) [ -e "${line#* }" ] ;;
        *) git rev-parse -q --verify "refs/heads/${line#* }" ;;
        esac || {
            printf 'said to stay, and gone: %s\n' "$line"
            return 1
        }
    done < <(sed -nE 's/^.*the ((worktree|branch) [^ ]+) stays: .*/\1/p' "$SCRATCH/report")
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
            [ -e "$name" ] || continue # a resume, or a landing, could
            branch=$(git -C "$name" branch --show-current)
            git worktree remove --force --force "$name" || true
        fi
        [ -z "$branch" ] || git branch -D "$branch" || true
    done >>"$SCRATCH/log" 2>&1
}
# looks SID: all that a user can see of the end, and git; names of this run, ids of commits and times made equal. An
# end that looks like one where everything held is not looked at as closely again, but each 8th time.
looks() {
    {
        "$BOSK_BIN" status --json | jq -r '.sessions | paths(scalars) as $p | "\($p | join(".")) \(getpath($p))"' |
            grep -vE '^[^ ]*(_at|_ms|pid|seconds) '
        git for-each-ref --format='%(objectname) %(refname) tree %(tree)'
        git log --exclude='refs/bosk/plan/*' --all --topo-order --format='%H %P tree %T %s'
        git status --porcelain --ignored
        cat .git/HEAD
        leftovers "$1"
        ls -A "$REPO.worktrees"
    } 2>&1 | sed -E "s/$1/SID/g; s/QUE-[0-9TZ-]+/QUEUE/g; s#$SCRATCH##g" | awk '{
        for (i = 1; i <= NF; i++) if (length($i) == 40 && $i !~ /[^0-9a-f]/ && $(i - 1) != "tree") {
            if (!($i in name)) name[$i] = "commit" ++n
            $i = name[$i]
        }
        print
    }'
}
# look_closely CASE SID: all that must hold.
look_closely() {
    # shellcheck disable=SC2086 # words
    check_end "$2" "$base" "${wanted_tree[$1]}" "${wanted_states[$1]}" ${tasks[$1]}
    check 'tree of main' equal "tree" "$(git rev-parse 'main^{tree}')" "${wanted_tree[$1]}"
    # shellcheck disable=SC2086 # words
    check 'landed once' landed_once "$2" "$base" main ${tasks[$1]}
    check checkout clean_checkout main
    check 'left behind' diff -u <(printf '%s\n' "${wanted_left[$1]}") <(leftovers "$2")
}
# round NUMBER CASE/ROLE/KIND/ERROR:K[@PATH]
round() {
    local case role kind error what='' sid look
    local -x FAULT_ROLE FAULT_ONCE=$SCRATCH/fired FAULT_WITH FAULT_AT FAULT_OF='*'
    IFS=/ read -r case role kind error <<<"$2"
    FAULT_ROLE=$role FAULT_WITH=${error%%:*} error=${error#*:}
    FAULT_AT=$kind:${error%%@*}
    [ "${error#*@}" = "$error" ] || FAULT_OF=$SCRATCH/${error#*@}
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
    check 'what is told to stay' told_stays "$(sid_or_none)"
    remove_what_stays
    case $kind in remove | memory) rm -rf .git/bosk/tmp/* ;; esac # doctor names it
    sid=$(sid_or_none)
    look=$main/looks/$(looks "$sid" | tee "$SCRATCH/look" | sha256sum | cut -c 1-40)
    if [ "$chosen" != 0 ] || [ $(($1 % 8)) = 0 ] || ! [ -e "$look" ]; then
        look_closely "$case" "$sid"
        note+=', closely'
        [ -n "$said" ] || cp "$SCRATCH/look" "$look"
    else
        check strays assert_no_strays "$sid"
        check verify "$BOSK_BIN" verify
        check fsck git fsck --full --strict --no-dangling --no-progress
    fi
}

# ---- the rounds ----------------------------------------------------------------------------------

# Each of the jobs has its own scratch folder and takes the next point that nobody has.
job() {
    local i
    crash_setup
    cp -a "$main/template" "$SCRATCH/template"
    for ((i = 0; i < ${#points[@]}; i++)); do
        mkdir "$main/taken/$i" 2>/dev/null || continue
        round "$i" "${points[i]}"
        [ -z "$said" ] || show_wrong "${points[i]}" "round-$i"
        printf '%s\t%-84s %7d  %s (%s)\n' "${said:+wrong}" "${points[i]}" "$resumes" "${said:-ok}" "$note" \
            >>"$main/table"
    done
    [ "$wrong" = 0 ]
}

printf '%d calls counted in an uninterrupted run; %d rounds\n' \
    "$(counts small | awk '$2 != "memory" { n += $3 } END { print n }')" "${#points[@]}"
mkdir "$main/taken" "$main/looks"
pids=()
for ((i = 0; i < jobs; i++)); do
    (job) >"$main/said.$i" 2>&1 &
    pids+=($!)
done
for ((i = 0; i < jobs; i++)); do
    wait "${pids[i]}" || wrong=1
    cat "$main/said.$i"
done

# One that died of itself has a round that it began and did not end.
if [ "$(wc -l <"$main/table")" != ${#points[@]} ]; then
    printf 'ended in the middle of a round: one of\n'
    printf '%s\n' "${points[@]}" | grep -vxFf <(cut -f2 "$main/table" | sed 's/ .*//')
    wrong=1
fi
made=$(grep -vc 'not made this time' "$main/table" || true)
printf '\n%-84s %7s  %s\n' point resumes 'result (exit status, what failed)'
LC_ALL=C sort -V "$main/table" | cut -f2
printf '%d rounds, %d calls failed, %d runs resumed or run again, %d ends looked at closely, %d wrong\n' \
    "${#points[@]}" "$made" "$(grep -cE ' [1-9][0-9]*  |run again' "$main/table")" \
    "$(grep -c ', closely' "$main/table")" "$(grep -c '^wrong' "$main/table" || true)"
if [ "$chosen" = 0 ] && [ $((made * 10)) -lt $((${#points[@]} * 9)) ]; then
    printf 'too few of the chosen calls were made: what was counted is not what the rounds do\n'
    wrong=1
fi
sed -n 's/^wrong\t\([^ ]*\) .*/\1/p' "$main/table" | while read -r point; do
    printf "again: BOSK_BIN=%s BOSK_FAULT=%s %s '%s'\n" "$BOSK_BIN" "$library" "$here/syscalls.sh" "$point"
done
[ "$wrong" = 0 ]
