#!/usr/bin/env bash
# prefixes.sh: power cuts. One run - two tasks, their integration, the landing into a clean checkout, the
# removal of the worktrees - is recorded by strace, call by call, as on a disk with a journal and as on
# one where each thing is flushed by itself. From the record: is each thing flushed before what refers to
# it; and, for prefixes of it, what such a disk may hold when the power fails there, resumed by the real
# program. Every time the end must be that of the run itself: trees, states, each task merged and landed
# exactly once, a repository that fsck and verify find whole, a clean checkout.
# (tests/crash/prefixes/image.c says by which model of durability.)
set -euo pipefail

usage() {
    cat <<'USAGE'
usage: BOSK_BIN=PROGRAM PREFIXES=PROGRAM tests/crash/prefixes.sh [options] [POINT...]

  --order       only the order of flushes, no rounds
  --rounds N    rounds, chosen by the seed (default 40)
  --full        a round for every state that differs (some thousands; also with BOSK_TEST_FULL=1), and
                a random mix for every prefix
  --from PATH   the record of an earlier run, kept after a failure
  POINT         DISK/PREFIX/CUT[:SEED], as the table prints it: only these
  -h, --help    this text

BOSK_TEST_SEED=N chooses the same rounds again (the seed is printed first), from a new record.

exit status: 0 every round ended as it should; 1 some did not; 2 wrong usage.
USAGE
}

order=0 rounds=40 full=${BOSK_TEST_FULL:+1} from='' keep=1
points=()
while [ $# -gt 0 ]; do
    case $1 in
    --order) order=1 ;;
    --full) full=1 ;;
    --rounds)
        rounds=${2:-}
        shift
        ;;
    --from)
        from=${2:-}
        shift
        ;;
    -h | --help)
        usage
        exit 0
        ;;
    journal/*/* | each/*/*) points+=("$1") ;;
    *)
        usage >&2
        exit 2
        ;;
    esac
    shift || true
done
case $rounds in
'' | *[!0-9]* | 0)
    usage >&2
    exit 2
    ;;
esac
[ -x "${PREFIXES:-}" ] || {
    printf 'PREFIXES must name the program that reads records\n' >&2
    exit 2
}
PREFIXES=$(readlink -f "$PREFIXES")

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/lib/crash.bash
. "$here/../lib/crash.bash"
: "${FLOW_LIMIT:=60}"
umask 022 # what modes of files in the record mean
crash_setup

seed=${BOSK_TEST_SEED:-$(((${EPOCHREALTIME/[.,]/} ^ $$) & 0x7fffffff))}
RANDOM=$((seed % 2147483647))
printf 'seed: BOSK_TEST_SEED=%s\n' "$seed"

tasks=(one two)
run=(run "$SCRATCH/p.yaml" --target main --land merge)

# ---- the record ----------------------------------------------------------------------------------

# What changes files, and where a process stands. prefixes ends when it meets a call it cannot repeat.
calls=open,openat,creat,write,writev,pwrite64,pwritev,lseek,truncate,ftruncate,fallocate,rename,renameat
calls+=,renameat2,link,linkat,symlink,symlinkat,unlink,unlinkat,mkdir,mkdirat,rmdir,mknod,mknodat,chmod
calls+=,fchmod,fchmodat,fsync,fdatasync,sync_file_range,copy_file_range,sendfile,splice,mmap,chdir,fchdir
# The kind of file system that the program is told it is on (struct statfs begins with it): XFS, whose one
# flush carries all names before it, or overlayfs, of which bosk knows nothing.
declare -A magic=([journal]=4253465800000000 [each]=307c947900000000)

use() {
    disk=$1 base=$SCRATCH/$1
    REPO=$base/repo
}
landed() {
    local n
    n=$(git log --merges --format='%(trailers:key=Bosk-Session,valueonly,separator=)/%(trailers:key=Bosk-Task,valueonly,separator=)' \
        "$start..main" | grep -cxF "$1/" || true)
    equal "landings" "$n" 1
}

record() {
    use "$1"
    mkdir "$base"
    make_repo a.txt sub/b.txt
    rm -rf .git/hooks
    commit_config <<'YAML'
jobs: 1
gates:
  - {name: whole, run: 'for f in *.txt; do test -s "$f" || exit 1; done'}
YAML
    cp -a "$REPO" "$base/template"
    rc=0
    timeout --foreground -k 5 "$FLOW_LIMIT" \
        strace -f --seccomp-bpf -qq -y -xx -s 100000000 -e signal=none -o "$base/trace" \
        -e trace="$calls,statfs" -e inject=statfs:poke_exit=@arg2="${magic[$1]}" \
        "$BOSK_BIN" "${run[@]}" >"$SCRATCH/log" 2>&1 </dev/null || rc=$?
    if [ "$rc" != 0 ]; then
        cat "$SCRATCH/log"
        printf 'the recorded run ended with %s\n' "$rc"
        exit 1
    fi
    git rev-parse 'main^{tree}' >"$base/tree"
    states >"$base/states"
    cp "$SCRATCH/commits" "$base/commits"
    rm "$SCRATCH/commits"
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
      git rev-parse HEAD >>'$SCRATCH/commits'
      git rm -q a.txt
      mkdir -p deep/er
      echo two > deep/er/two.txt
YAML
    for disk in journal each; do
        record "$disk"
        printf '\n%s: ' "$disk"
        "$PREFIXES" check "$base" "$disk" || wrong=$((wrong + 1))
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

# round DISK/PREFIX/CUT[:SEED]
round() {
    local cut=${1##*/} prefix=${1#*/} sid state start
    prefix=${prefix%%/*}
    use "${1%%/*}"
    said='' resumes=0 note=''
    : >"$SCRATCH/log"
    cd "$base"
    rm -rf "$REPO" "$REPO.worktrees" "$SCRATCH/commits"
    # shellcheck disable=SC2046 # the seed, when there is one
    "$PREFIXES" make "$base" "$disk" "$prefix" "${cut%%:*}" $(printf '%s' "$cut" | sed -n 's/.*://p')
    [ "$cut" = all ] || other_boot
    cd "$REPO"
    start=$(git -C "$base/template" rev-parse main)
    sid=$(sid_or_none)
    if [ -z "$sid" ]; then
        note='run again'
        bosk "${run[@]}"
        sid=$(sid_or_none)
    else
        state=$(status_json '.sessions[0].state')
        note=$state
        check 'verify, cut off' timeout 60 "$BOSK_BIN" verify
        # Said to be over is over: nothing is left to do.
        while [ "$(status_json '.sessions[0].state')" != 'done' ]; do
            resumes=$((resumes + 1))
            if [ "$resumes" -gt 3 ]; then
                said+="${said:+, }not done after 3 resumes"
                break
            fi
            bosk resume "$sid"
        done
    fi
    check_end "$sid" "$start" "$(cat "$base/tree")" "$(cat "$base/states")" "${tasks[@]}"
    check 'tree of main' equal "tree" "$(git rev-parse 'main^{tree}')" "$(cat "$base/tree")"
    check 'landed once' landed "$sid"
    check checkout equal "status" "$(git status --porcelain --ignored 2>&1)" ""
    check branch equal "branch" "$(git symbolic-ref HEAD)" refs/heads/main
}

# ---- which -----------------------------------------------------------------------------------------

# choose DISK N: N of the states, those around refs, the store and the checkout more often.
choose() {
    "$PREFIXES" list "$SCRATCH/$1" "$1" |
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
        mapfile -t -O "${#points[@]}" points < <(choose "$disk" $((rounds / 2)))
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
    printf 'again: BOSK_BIN=%s PREFIXES=%s %s --from %s %s\n' "$BOSK_BIN" "$PREFIXES" "$here/prefixes.sh" "$SCRATCH" "${failed[*]}"
fi
[ "$wrong" = 0 ]
