#!/usr/bin/env bats
# What a kill leaves in the repository, and what becomes of it: finished, removed, or only told, because it may be
# the user's. Kills of git are real ones: a session is stopped right before a git command of its own; that command
# is run with strace, which kills it at its n-th call that changes something; then the session is resumed.
#
# Each of those points is gone through with BOSK_TEST_FULL=1, else every STRIDE-th from a random one on (seed:
# BOSK_TEST_SEED, printed). The program is the one without sanitizers: there are many rounds.
# shellcheck disable=SC2154,SC2030,SC2031 # variables set by run_bosk and setup; each test is a subshell
# shellcheck disable=SC2016 # conditions for wait_until are evaluated there

load ../lib/flow

: "${BOSK_PLAIN_BIN:?names a bosk built without sanitizers}"
: "${BOSK_TEST_SEED:=$RANDOM}"
STRIDE=8

setup() {
    local plain=$BOSK_PLAIN_BIN
    flow_setup
    BOSK_BIN=$(readlink -f "$plain")
    GIT=$(command -v git)
    PLAN=$SCRATCH/p.yaml
    make_repo a.txt b.txt
}
teardown() { flow_teardown; }

two_tasks() {
    write_file "$PLAN" <<'YAML'
tasks:
  - {id: one, run: 'echo one > one.txt; echo more >> a.txt'}
  - {id: two, run: 'git rm -q b.txt', needs: [one]}
YAML
}
tree_wanted() { # of two_tasks
    printf 'README.md\na.txt\none.txt\n'
}

# ---- git killed in the middle ---------------------------------------------------------------------

# stop_before WORDS [OPTION...]: `bosk run` is killed with all of its workers when it is about to run its first git
# command with these words. That command is in words, cwd and env; the state of things in template.
stop_before() {
    local words=$1
    shift
    mkdir "$SCRATCH/bin"
    write_file "$SCRATCH/bin/git" <<SH
#!$BASH
case " \$* " in
*" $words "*)
    if mkdir '$SCRATCH/stopped' 2>/dev/null; then
        pwd >'$SCRATCH/cwd'
        env -0 >'$SCRATCH/env'
        printf '%s\0' "\$@" >'$SCRATCH/words'
        pid=\$PPID pids=()
        while [ "\$(readlink "/proc/\$pid/exe")" = '$BOSK_BIN' ]; do
            pids=("\$pid" "\${pids[@]}")
            stat=\$(<"/proc/\$pid/stat")
            set -- \${stat##*) }
            pid=\$2
        done
        kill -STOP "\${pids[@]}" # none of them may see another die
        kill -KILL "\${pids[@]}"
        exit 1
    fi
    ;;
esac
exec $GIT "\$@"
SH
    chmod +x "$SCRATCH/bin/git"
    PATH=$SCRATCH/bin:$PATH run_bosk run "$PLAN" "$@"
    expect_status 137
    wait_until '[ -z "$(processes_of_test)" ]'
    sid=$(last_sid)
    mkdir "$SCRATCH/template"
    cp -a "$REPO" "$REPO.worktrees" "$SCRATCH/template/" 2>/dev/null || [ ! -e "$REPO.worktrees" ]
}
# again: things as they were then.
again() {
    cd "$SCRATCH"
    rm -rf "$REPO" "$REPO.worktrees"
    cp -a "$SCRATCH/template/." "$SCRATCH/"
    cd "$REPO"
}
# replay STRACE-OPTION...: the command, traced.
replay() {
    local words env
    mapfile -d '' -t words <"$SCRATCH/words"
    mapfile -d '' -t env <"$SCRATCH/env"
    env -i -C "$(cat "$SCRATCH/cwd")" "${env[@]}" strace -f -qq "$@" "$GIT" "${words[@]}" >"$SCRATCH/replay.out" 2>&1 </dev/null 3>&-
}
CALLS=openat,mkdir,mkdirat,rename,renameat,renameat2,unlink,unlinkat,rmdir,link,linkat,symlink,symlinkat,ftruncate,write
# points: CALL NUMBER for each call of the command that changes something, in any of its processes.
points() {
    replay -o "$SCRATCH/trace" -e trace=$CALLS
    awk '/^[0-9]+ +[a-z0-9]+\(/ {
        call = $2; sub(/\(.*/, "", call)
        n[$1 " " call]++
        if (call == "openat" && !/O_CREAT|O_TRUNC/) next
        point = call " " n[$1 " " call]
        if (!seen[point]++) print point
    }' "$SCRATCH/trace"
}
# at_each_point CHECK: the command killed at each, the session resumed, CHECK.
at_each_point() {
    local all first step=$STRIDE i call number
    mapfile -t all < <(points)
    [ "${#all[@]}" -ge 5 ]
    [ -z "${BOSK_TEST_FULL:-}" ] || step=1
    first=$((BOSK_TEST_SEED % step))
    printf 'BOSK_TEST_SEED=%s: %s points, every %s. from %s\n' "$BOSK_TEST_SEED" "${#all[@]}" "$step" "$first" >&2
    for ((i = first; i < ${#all[@]}; i += step)); do
        read -r call number <<<"${all[i]}"
        again
        printf 'killed at %s %s\n' "$call" "$number" >&2
        refute replay -o /dev/null -e trace="$call" -e inject="$call:signal=KILL:when=$number"
        run_bosk resume "$sid"
        expect_status 0
        "$1"
    done
}
# nothing_left: of the session but its result.
nothing_left() {
    equal "files" "$(git ls-tree -r --name-only "refs/bosk/int/$sid")" "$(tree_wanted)"
    equal "a.txt" "$(git show "refs/bosk/int/$sid:a.txt")" $'a.txt\nmore'
    assert_no_worktrees "$REPO"
    equal "admin folders" "$(ls .git/worktrees 2>/dev/null || true)" ""
    equal "worktree folder" "$(ls "$REPO.worktrees" 2>/dev/null || true)" ""
    equal "locks" "$(find .git -name '*.lock' -not -path '.git/bosk/*')" ""
    equal "task branches" "$(git for-each-ref refs/heads/bosk)" ""
    equal "status" "$(git status --porcelain --ignored)" ""
    assert_once "$REPO" "$sid" "$(git rev-list --max-parents=0 "refs/bosk/int/$sid")" one two
}

@test "git worktree add, killed at each step" {
    two_tasks
    stop_before 'worktree add' --jobs 1
    at_each_point nothing_left
}

@test "git reset that fills a worktree, killed at each step" {
    two_tasks
    stop_before 'reset --hard' --jobs 1
    at_each_point nothing_left
}

@test "git checkout of a task's branch, killed at each step" {
    two_tasks
    stop_before "--ignore-other-worktrees -B" --jobs 1
    at_each_point nothing_left
}

@test "git add and git write-tree of a task's work, killed at each step" {
    two_tasks
    stop_before 'add --all' --jobs 1
    at_each_point nothing_left
}

@test "git worktree remove, killed at each step" {
    two_tasks
    stop_before 'worktree remove --' --jobs 1
    at_each_point nothing_left
}

# Which of its files git takes first is up to the disk: here those by which the worktree is known for the session's.
@test "git worktree remove that was cut off when it had taken all that names the session" {
    two_tasks
    stop_before 'worktree remove --' --jobs 1
    local left
    for left in 'gitdir commondir logs' 'gitdir commondir HEAD index logs' gitdir; do
        again
        rm -r "$REPO.worktrees/$sid-1"
        (cd ".git/worktrees/$sid-1" && for file in *; do case " $left " in *" $file "*) ;; *) rm -r "$file" ;; esac done)
        run_bosk resume "$sid"
        expect_status 0
        nothing_left
    done
}

landed() {
    nothing_left
    equal "main" "$(git rev-parse 'main^{tree}')" "$(git rev-parse "refs/bosk/int/$sid^{tree}")"
    equal "landings" "$(git rev-list --first-parent --count --merges main)" 1
}
@test "git merge that lands in the user's tree, killed at each step" {
    unchecked 'a resume lands in the checkout' B1
    two_tasks
    unchecked 'a resume lands in the checkout' B1
    stop_before 'merge --ff-only' --jobs 1 --land merge
    at_each_point landed
}

# ---- locks ----------------------------------------------------------------------------------------

# left LOCK...: as something that died left them an hour ago.
left() {
    local lock
    for lock; do
        mkdir -p "$(dirname "$lock")"
        : >>"$lock"
        touch -d '1 hour ago' "$lock"
    done
}

@test "locks on refs and worktrees of a dead session are told by doctor, and removed by the resume" {
    two_tasks
    stop_before 'add --all' --jobs 1
    local lock locks=("refs/bosk/int/$sid.lock" "refs/bosk/plan/$(status_json '.sessions[0].queue').lock"
        "refs/bosk/keep/$sid/one/1.lock" "refs/heads/integration-$sid.lock" "refs/heads/bosk/$sid/one.lock"
        "worktrees/$sid-1/index.lock" "worktrees/$sid-1/HEAD.lock" "worktrees/$sid-1/ORIG_HEAD.lock")
    left "${locks[@]/#/.git/}"
    # A bosk left its name in this one: the process that has its pid now is another.
    printf 'bosk %s 1 %s\n' $$ "$(cat /proc/sys/kernel/random/boot_id)" >.git/packed-refs.lock
    run_bosk doctor
    for lock in "${locks[@]}"; do
        case $lock in
        refs/bosk/plan/*) ;;
        *) expect_text "lock .*/$lock, of session $sid: bosk resume $sid removes it" "$OUT" ;;
        esac
    done
    run_bosk resume "$sid"
    expect_status 0
    nothing_left
}

@test "a lock on a session's ref that a living process holds is left alone and named; the resume waits for it" {
    two_tasks
    stop_before 'add --all' --jobs 1
    local lock=.git/refs/heads/integration-$sid.lock holder inode
    git update-ref -d "refs/heads/integration-$sid"
    sleep 1000 7>"$lock" 3>&- &
    holder=$!
    wait_until '[ -e "$lock" ]'
    inode=$(stat -c %i "$lock")
    run_bosk resume "$sid"
    expect_status 5
    expect_text "integration-$sid.lock, .* old, seems to be held by process $holder: let that end first"
    equal "lock" "$(stat -c %i "$lock")" "$inode"
    kill "$holder"
    wait "$holder" || true
    run_bosk resume "$sid"
    expect_status 0
    nothing_left
}

# In the user's own tree nothing is removed, whoever made it.
@test "locks of the user's stop no run, are never removed, and are told with the command" {
    two_tasks
    local lock inode
    left .git/{index,HEAD,ORIG_HEAD,config,packed-refs,shallow}.lock .git/refs/heads/main.lock
    find .git -name '*.lock' -printf '%i %p\n' | sort >"$SCRATCH/before"
    run_bosk run "$PLAN"
    expect_status 0
    sid=$(last_sid)
    # What needed a lock is told: branches cannot be deleted while packed-refs is locked.
    "$BOSK_BIN" report "$sid" >"$SCRATCH/report"
    expect_text "branches of integrated tasks stay: .*/packed-refs.lock, 1 h 00 m old, .* rm '.*/packed-refs.lock'" "$SCRATCH/report"
    run_bosk doctor
    for lock in index HEAD ORIG_HEAD config packed-refs shallow refs/heads/main; do
        expect_text "note  lock $REPO/.git/$lock.lock, 1 h 00 m old, .* rm '$REPO/.git/$lock.lock'" "$OUT"
    done
    find .git -name '*.lock' -not -path '.git/bosk/*' -printf '%i %p\n' | sort | diff "$SCRATCH/before" -
    rm .git/{config,packed-refs,shallow}.lock
    snapshot_checkout "$REPO" >"$SCRATCH/before.checkout"
    for lock in index HEAD ORIG_HEAD refs/heads/main; do
        run_bosk land --merge "$sid"
        expect_status 1
        expect_text "^not landed: $REPO/.git/$lock.lock, 1 h 00 m old, .*: rm '$REPO/.git/$lock.lock'; .*nothing was touched"
        snapshot_checkout "$REPO" >"$SCRATCH/after.checkout"
        assert_same_snapshot "$SCRATCH/before.checkout" "$SCRATCH/after.checkout"
        rm ".git/$lock.lock"
        snapshot_checkout "$REPO" >"$SCRATCH/before.checkout"
    done
    run_bosk land --merge "$sid"
    expect_status 0
    equal "main" "$(git rev-parse 'main^{tree}')" "$(git rev-parse "refs/bosk/int/$sid^{tree}")"
    equal "status" "$(git status --porcelain)" ""
}

@test "a lock on a target that is checked out nowhere: the landing is refused, and refused again" {
    two_tasks
    run_bosk run "$PLAN"
    expect_status 0
    git switch -q -c elsewhere
    left .git/refs/heads/main.lock
    for _ in 1 2; do # the second finds what the first recorded
        run_bosk land --merge
        expect_status 1
        expect_text "^not landed: cannot move refs/heads/main: .*main.lock, 1 h 00 m old, .*rm '.*main.lock'"
        [ -e .git/refs/heads/main.lock ]
    done
    rm .git/refs/heads/main.lock
    run_bosk land --merge
    expect_status 0
    equal "one" "$(git show main:one.txt)" one
}

@test "git that cannot move HEAD in the middle of a landing: the tree is as it was" {
    two_tasks
    run_bosk run "$PLAN"
    expect_status 0
    snapshot_checkout "$REPO" >"$SCRATCH/before"
    mkdir "$SCRATCH/bin"
    printf '#!/bin/sh\ncase " $* " in *" merge --ff-only "*) : >%s ;; esac\nexec %s "$@"\n' "$REPO/.git/HEAD.lock" "$GIT" >"$SCRATCH/bin/git"
    chmod +x "$SCRATCH/bin/git"
    PATH=$SCRATCH/bin:$PATH run_bosk land --merge
    expect_status 1
    expect_text 'not landed: git would not move the tree .*HEAD'
    rm .git/HEAD.lock
    equal "status" "$(git status --porcelain --ignored)" ""
    equal "files" "$(ls)" $'README.md\na.txt\nb.txt'
    run_bosk land --merge
    expect_status 0
    equal "one" "$(git show main:one.txt)" one
}

@test "a landing was cut off, and git commit waits in its editor: its lock stays, and its commit is made" {
    two_tasks
    BOSK_FAILPOINT_AT=land.forward.before:1 run_bosk run "$PLAN" --land merge
    expect_status 137
    sid=$(last_sid)
    mkfifo "$SCRATCH/editor.in"
    printf '#!/bin/sh\n: >"%s"; cat "%s" >"$1"\n' "$SCRATCH/editing" "$SCRATCH/editor.in" >"$SCRATCH/editor"
    chmod +x "$SCRATCH/editor"
    echo mine >>b.txt
    GIT_EDITOR=$SCRATCH/editor git commit -q -a 3>&- &
    local commit=$! inode
    wait_until '[ -e "$SCRATCH/editing" ]'
    inode=$(stat -c %i .git/index.lock)
    run_bosk resume "$sid"
    expect_status 1
    expect_text "not landed: .*index.lock, .* held by process $commit: let that end first"
    equal "lock" "$(stat -c %i .git/index.lock)" "$inode"
    echo 'By the user' >"$SCRATCH/editor.in"
    wait "$commit"
    equal "commit" "$(git log -1 --format=%s main)" 'By the user'
    run_bosk land --merge "$sid"
    expect_status 1 # it removes b.txt, which the user changed
    expect_text 'conflict in b.txt'
    equal "b.txt" "$(cat b.txt)" $'b.txt\nmine'
}

@test "temporary objects are left to git gc, and told by doctor" {
    two_tasks
    head -c 3000000 /dev/zero >.git/objects/tmp_object_git2_a1b2c3
    mkdir -p .git/objects/ab
    : >.git/objects/ab/tmp_obj_XyZ123
    run_bosk run "$PLAN"
    expect_status 0
    run_bosk doctor
    expect_text "note  2 temporary objects, 2.9 MiB, in $REPO/.git/objects: .*git gc removes them" "$OUT"
    equal "kept" "$(find .git/objects -name 'tmp_*' | wc -l)" 2
    # As it is said: git takes both for garbage when they are old.
    git prune --expire=now
    equal "kept" "$(find .git/objects -name 'tmp_*')" ""
}

# ---- objects --------------------------------------------------------------------------------------

# damage HOW FILE: as a power cut leaves it.
damage() {
    local size
    size=$(stat -c %s "$2")
    chmod u+w "$2"
    case $1 in
    empty) : >"$2" ;;
    cut) truncate -s $((size / 2)) "$2" ;;
    zeros) head -c "$size" /dev/zero >"$2" ;;
    esac
}
@test "objects that a power cut left empty, cut or full of zeros are written again" {
    local how file
    # All from one base, and integrated in this order: so the objects are the same each time. The last two change one
    # file, which git merges.
    write_file "$PLAN" <<'YAML'
tasks:
  - {id: one, run: 'seq 4000 | tac > one.txt; mkdir -p deep/er; seq 4000 > deep/er/two.txt; ln -s one.txt link'}
  - {id: top, env: {AFTER: one}, run: 'sed -i s/^1$/top/ many.txt; sh "$WAIT"'}
  - {id: end, env: {AFTER: top}, run: 'sed -i s/^900$/end/ many.txt; sh "$WAIT"'}
YAML
    export WAIT=$SCRATCH/wait
    write_file "$WAIT" <<<'until git log --format=%B "integration-$BOSK_SESSION" | grep -qx "Bosk-Task: $AFTER"; do sleep 0.05; done'
    seq 900 >many.txt
    git add -A && git commit -qm 'Many lines'
    cp -a "$REPO" "$SCRATCH/template"
    run_bosk run "$PLAN" --jobs 3
    expect_status 0
    # Blobs and trees: those of the tasks, and of the merges.
    git rev-list --objects main.."refs/bosk/int/$(last_sid)" | cut -d' ' -f1 | while read -r id; do
        [ "$(git cat-file -t "$id")" = commit ] || echo ".git/objects/${id:0:2}/${id:2}"
    done | sort >"$SCRATCH/objects"
    [ "$(wc -l <"$SCRATCH/objects")" -ge 8 ]
    cp -a .git/objects "$SCRATCH/whole"
    for how in empty cut zeros; do
        printf 'case: %s\n' "$how" >&2
        cd "$SCRATCH"
        rm -rf "$REPO" "$REPO.worktrees"
        cp -a "$SCRATCH/template" "$REPO"
        cd "$REPO"
        while read -r file; do
            mkdir -p "${file%/*}"
            cp "$SCRATCH/whole/${file#.git/objects/}" "$file"
            damage "$how" "$file"
        done <"$SCRATCH/objects"
        FLOW_LIMIT=40 run_bosk run "$PLAN" --jobs 3 --land merge
        expect_status 0
        equal "files" "$(git ls-tree -r --name-only main | tr '\n' ' ')" \
            'README.md a.txt b.txt deep/er/two.txt link many.txt one.txt '
        equal "fsck" "$(git fsck --full --strict --no-dangling --no-progress 2>&1)" ''
        equal "status" "$(git status --porcelain)" ''
    done
}
