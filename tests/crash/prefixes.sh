#!/usr/bin/env bash
# prefixes.sh: power cuts. One run - two tasks, their integration, the landing into a clean checkout, the
# removal of the worktrees - and one clean-up of an orphan (bosk gc) are recorded by strace, call by call, as
# on a disk with a journal and as on one where each thing is flushed by itself. From the record: is each thing flushed before what refers to
# it; and, for prefixes of it, what such a disk may hold when the power fails there, resumed by the real
# program. Every time the end must be that of the run itself: trees, states, each task merged and landed
# exactly once, a repository that fsck and verify find whole, a clean checkout; of the orphan all work saved.
# (tests/crash/prefixes/image.c says by which model of durability.)
set -euo pipefail

usage() {
    cat <<'USAGE'
usage: BOSK_BIN=PROGRAM PREFIXES=PROGRAM tests/crash/prefixes.sh [options] [POINT...]

  --order       only the order of flushes, no rounds
  --rounds N    rounds, chosen by the seed (default 16)
  --full        a round for every state that differs (some thousands), and
                a random mix for every prefix
  --seed N      the same rounds again (the seed is printed first), from a new record
  --from PATH   the record of an earlier run, kept after a failure
  POINT         RECORD/PREFIX/CUT[:SEED], as the table prints it: only these
  -h, --help    this text

exit status: 0 every round ended as it should; 1 some did not; 2 wrong usage.
USAGE
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/lib/crash.bash
. "$here/../lib/crash.bash"
order=0 rounds=16 from='' keep=1 program=''
crash_options order rounds= from: 'journal*/*/*' 'each*/*/*' -- "$@"
need_file program PREFIXES 'the program that reads records'
umask 022 # what modes of files in the record mean
crash_setup

crash_seed

run=(run "$SCRATCH/p.yaml" --target main --land merge)
# Agents are cut off too: a commit of theirs that no ref had yet is nobody's.
INVARIANTS=(--kept /dev/null)

# ---- the record ----------------------------------------------------------------------------------

# What changes files, and where a process stands. prefixes ends when it meets a call it cannot repeat.
calls=open,openat,creat,write,writev,pwrite64,pwritev,lseek,truncate,ftruncate,fallocate,rename,renameat
calls+=,renameat2,link,linkat,symlink,symlinkat,unlink,unlinkat,mkdir,mkdirat,rmdir,mknod,mknodat,chmod
calls+=,fchmod,fchmodat,fsync,fdatasync,sync_file_range,copy_file_range,sendfile,splice,mmap,chdir,fchdir
# The kind of file system that the program is told it is on (struct statfs begins with it): XFS, whose one
# flush carries all names before it, or overlayfs, of which bosk knows nothing.
declare -A magic=([journal]=4253465800000000 [each]=307c947900000000)

use() {
    record=$1 disk=${1%-clean} base=$SCRATCH/$1
    REPO=$base/repo
}
# traced WORDS...: bosk, recorded in $base.
traced() {
    rc=0
    timeout --foreground -k 5 "$FLOW_LIMIT" \
        strace -f --seccomp-bpf -qq -y -xx -s 100000000 -e signal=none -o "$base/trace" \
        -e trace="$calls,statfs" -e inject=statfs:poke_exit=@arg2="${magic[$disk]}" \
        "$BOSK_BIN" "$@" >"$SCRATCH/log" 2>&1 </dev/null || rc=$?
    [ "$rc" = 0 ] && return
    cat "$SCRATCH/log"
    printf 'the recorded bosk %s ended with %s\n' "$1" "$rc"
    exit 1
}
landed() {
    local n
    n=$(git log --merges --format='%(trailers:key=Bosk-Session,valueonly,separator=)/%(trailers:key=Bosk-Task,valueonly,separator=)' \
        "$2..main" | grep -cxF "$1/" || true)
    equal "landings" "$n" 1
}

record_run() {
    make_repo a.txt sub/b.txt
    rm -rf .git/hooks
    commit_config <<'YAML'
jobs: 1
gates:
  - {name: whole, run: 'for f in *.txt; do test -s "$f" || exit 1; done'}
YAML
    cp -a "$REPO" "$base/template"
    traced "${run[@]}"
    git rev-parse 'main^{tree}' >"$base/tree"
    states >"$base/states"
}

# An orphan: its supervisor was killed in the middle of the second task, which had done this and that.
record_clean() {
    local pid
    make_repo a.txt sub/b.txt
    rm -rf .git/hooks
    start_bosk run "$SCRATCH/work.yaml" --jobs 1
    pid=$bosk_pid
    wait_until "[ -e '$SCRATCH/started' ]" 60
    kill -KILL "$pid"
    wait_bosk
    # shellcheck disable=SC2016 # looked at again and again
    wait_until '[ -z "$(processes_of_test)" ]' 30
    rm "$SCRATCH/started"
    cp -a "$REPO" "$base/template"
    cp -a "$REPO.worktrees" "$base/template.worktrees"
    traced gc --max-age 0s
}
# What a resume makes of it, once the record is judged.
end_clean() {
    cd "$REPO"
    touch "$SCRATCH/second"
    bosk resume
    rm "$SCRATCH/second"
    git rev-parse "refs/bosk/int/$(last_sid)^{tree}" >"$base/tree"
    states >"$base/states"
}

if [ -n "$from" ]; then
    rm -rf "$SCRATCH"
    SCRATCH=$(readlink -f "$from") HOME=$SCRATCH/home XDG_RUNTIME_DIR=$SCRATCH/run ERR=$SCRATCH/err
    run=(run "$SCRATCH/p.yaml" --target main --land merge)
else
    cat >"$SCRATCH/p.yaml" <<YAML
tasks:
  - {id: one, run: 'echo one > one.txt'}
  - id: two
    needs: [one]
    run: |
      git mv sub/b.txt sub/c.txt
      git commit -qm 'Its own commit'
      git rm -q a.txt
      mkdir -p deep/er
      echo two > deep/er/two.txt
YAML
    cat >"$SCRATCH/work.yaml" <<YAML
tasks:
  - {id: good, run: 'echo good > good.txt'}
  - id: work
    needs: [good]
    run: |
      test -e '$SCRATCH/second' && { echo done > done.txt; exit 0; }
      git mv sub/b.txt sub/c.txt
      git commit -qm 'Its own commit'
      echo staged > staged.txt; git add staged.txt; echo more >> staged.txt
      echo changed >> a.txt
      echo new > new.txt
      touch '$SCRATCH/started'
      until test -e '$SCRATCH/go'; do sleep 0.05; done
YAML
    for disk in journal each; do
        for record in "$disk" "$disk-clean"; do
            use "$record"
            mkdir "$base"
            if [ "$record" = "$disk" ]; then
                record_run
                rules=(value objects store intent landing removal)
            else
                record_clean
                rules=(value objects store removal)
            fi
            printf '\n%s: ' "$record"
            "$program" check "$base" "$disk" "${rules[@]}" || wrong=$((wrong + 1))
            [ "$record" = "$disk" ] || end_clean
        done
    done
fi
if [ "$order" = 1 ]; then
    [ "$wrong" = 0 ]
    exit
fi

# ---- one round -----------------------------------------------------------------------------------

boot=$(cat /proc/sys/kernel/random/boot_id)

# After a power cut it is another boot: what the store says of processes and of this machine's run is old.
other_boot() {
    local file=$REPO/.git/bosk/store/data.mdb
    [ ! -s "$file" ] || LC_ALL=C sed -i "s/$boot/00000000-0000-4000-8000-000000000000/g" "$file"
    find "$REPO/.git/worktrees" -name bosk-boot -delete 2>/dev/null || true
}

round_run() {
    local sid start
    start=$(git -C "$base/template" rev-parse main)
    sid=$(sid_or_none)
    if [ -z "$sid" ]; then
        note='run again'
        bosk "${run[@]}"
        sid=$(sid_or_none)
    else
        note=$(status_json '.sessions[0].state')
        check 'verify, cut off' timeout 60 "$BOSK_BIN" verify
        resume_while '!(done)' "$sid" 3 # of one that is done, nothing is left to do
    fi
    check_end "$sid" "$start" "$(cat "$base/tree")" "$(cat "$base/states")" one two
    check 'tree of main' equal "tree" "$(git rev-parse 'main^{tree}')" "$(cat "$base/tree")"
    check 'landed once' landed "$sid" "$start"
    check checkout equal "status" "$(git status --porcelain --ignored 2>&1)" ""
    check branch equal "branch" "$(git symbolic-ref HEAD)" refs/heads/main
}
# The rescue ref holds all that was in the worktree, and the agent's own commit.
rescued() {
    local ref
    ref=$(git for-each-ref --format='%(refname)' 'refs/bosk/rescue/*/work/*')
    equal "refs" "$(wc -w <<<"$ref")" 1 || return
    equal "staged.txt" "$(git show "$ref:staged.txt")" "$(printf 'staged\nmore')" || return
    equal "a.txt" "$(git show "$ref:a.txt" | tail -n 1)" changed || return
    equal "new.txt" "$(git show "$ref:new.txt")" new || return
    equal "its own commit" "$(git log -1 --format=%s "$ref^")" 'Its own commit'
}
round_clean() {
    local sid start
    start=$(git -C "$base/template" rev-parse main)
    sid=$(last_sid)
    check 'verify, cut off' timeout 60 "$BOSK_BIN" verify
    bosk gc --max-age 0s
    # Killed, without another boot, while it held a lock: whose that is nobody can know any more. It is told.
    if [ "$rc" = 1 ] && [ "$cut" = all ] && grep -qF "rm '$(pwd -P)/.git/packed-refs.lock'" "$SCRATCH/log"; then
        note='a lock, '
        rm .git/packed-refs.lock
        bosk gc --max-age 0s
    fi
    [ "$rc" = 0 ] || said+="${said:+, }gc ended with $rc"
    note+="gc $rc"
    check rescued rescued
    check 'worktrees after gc' assert_no_worktrees "$REPO"
    check 'branch after gc' refute git rev-parse --verify "refs/heads/bosk/$sid/work"
    check 'verify, cleaned' timeout 60 "$BOSK_BIN" verify
    touch "$SCRATCH/second"
    resume_while '!(done)' "$sid" 3
    rm "$SCRATCH/second"
    check_end "$sid" "$start" "$(cat "$base/tree")" "$(cat "$base/states")" good work
}
# round RECORD/PREFIX/CUT[:SEED]
round() {
    local cut=${1##*/} prefix=${1#*/}
    prefix=${prefix%%/*}
    use "${1%%/*}"
    said='' resumes=0 note=''
    : >"$SCRATCH/log"
    cd "$base"
    rm -rf "$REPO" "$REPO.worktrees" "$SCRATCH/second"
    # shellcheck disable=SC2046 # the seed, when there is one
    "$program" make "$base" "$disk" "$prefix" "${cut%%:*}" $(printf '%s' "$cut" | sed -n 's/.*://p')
    [ "$cut" = all ] || other_boot
    cd "$REPO"
    if [ "$record" = "$disk" ]; then round_run; else round_clean; fi
}

# ---- which -----------------------------------------------------------------------------------------

# choose RECORD N: N of the states, those around refs, the store and the checkout more often.
choose() {
    "$program" list "$SCRATCH/$1" "${1%-clean}" |
        awk -v disk="$1" -v n="$2" -v full="$full" -v seed="$RANDOM" '
            BEGIN { srand(seed) }
            full { print disk "/" $1 "/" $2; if (!($1 in mixed)) print disk "/" $1 "/mix:" int(rand() * 1000000); mixed[$1] = 1; next }
            { for (i = 0; i < $3 * $3; i++) pool[m++] = disk "/" $1 "/" (rand() < 0.2 ? "mix:" int(rand() * 1000000) : $2) }
            END {
                while (!full && n > 0 && m > 0) {
                    at = int(rand() * m); point = pool[at]; pool[at] = pool[--m]
                    if (!(point in seen)) { print point; n--; seen[point] = 1 }
                }
            }' | sort -t/ -k2n
}

if [ ${#points[@]} = 0 ]; then
    for disk in journal each; do
        mapfile -t -O "${#points[@]}" points < <(choose "$disk" $((rounds * 3 / 8)))
        mapfile -t -O "${#points[@]}" points < <(choose "$disk-clean" $(((rounds + 7) / 8)))
    done
fi

table=()
failed=()
for point in "${points[@]}"; do
    round "$point"
    if [ -n "$said" ]; then
        show_wrong "$point" "${point//\//-}"
        failed+=("$point")
    fi
    table+=("$(printf '%-28s %7d  %s' "$point" "$resumes" "${said:-ok} ($note)")")
done

printf '\n%-28s %7s  %s\n' point resumes result
printf '%s\n' "${table[@]}"
printf '%d rounds, %d wrong\n' "${#points[@]}" "$wrong"
if [ ${#failed[@]} != 0 ]; then
    printf 'again: BOSK_BIN=%s PREFIXES=%s %s --from %s %s\n' "$BOSK_BIN" "$program" "$here/prefixes.sh" "$SCRATCH" "${failed[*]}"
fi
[ "$wrong" = 0 ]
