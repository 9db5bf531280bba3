#!/usr/bin/env bats
# A machine that lacks something: case -> what is said -> exit code. After each, the user's checkout is
# as it was; either nothing was begun (no session, no ref), or the session can be resumed; and when the
# lack is over, the work comes to the very tree it would have had.
#
# The program is the one without sanitizers, $BOSK_PLAIN_BIN: AddressSanitizer itself needs more memory,
# descriptors and processes than are left here.
# shellcheck disable=SC2154 # variables set by run_bosk

load ../lib/flow
load ../lib/hostile

: "${BOSK_PLAIN_BIN:?names a bosk built without sanitizers}"
USER_ID=63211 # of nobody else: a limit on processes counts all of a user's

setup() {
    local plain=$BOSK_PLAIN_BIN
    flow_setup
    BOSK_BIN=$(readlink -f "$plain")
    chmod 755 "$SCRATCH"
    GIT=$(command -v git)
}
teardown() {
    no_disk_left
    flow_teardown
}
no_disk_left() { if mountpoint -q "$SCRATCH/repo/.git"; then umount -l "$SCRATCH/repo/.git"; fi; }

fresh() {
    cd "$SCRATCH"
    no_disk_left
    chmod -R u+rwX repo* 2>/dev/null || true
    rm -rf repo* tools
    make_repo a.txt b.txt
    WORDS=() WHO=() BEFORE=:
    PLAN=$SCRATCH/p.yaml RUN=run_there
    cat >"$PLAN" <<'YAML'
tasks:
  - {id: one, run: 'echo one >one.txt && echo more >>a.txt'}
  - {id: two, run: 'echo two >two.txt', needs: [one]}
  - {id: three, run: 'git rm -q b.txt'}
YAML
}

# WHO (another user) stands before every command, the case's WORDS before the bosk that lacks something.
as_user() { timeout -k 5 "$FLOW_LIMIT" "${WHO[@]}" "$@" </dev/null 3>&-; }
there() { as_user "${WORDS[@]}" "$@"; }
run_there() {
    [ ${#WHO[@]} = 0 ] || chown -R "$USER_ID" "$SCRATCH"
    refs_of >"$SCRATCH/before.refs"
    snapshot >"$SCRATCH/before.checkout"
    status=0
    there "$BOSK_BIN" run "$PLAN" --jobs 2 >"$OUT" 2>"$ERR" || status=$?
    out=$(cat "$OUT") err=$(cat "$ERR")
}
snapshot() { as_user "$BASH" -c "$(declare -f snapshot_checkout); snapshot_checkout '$REPO'"; }
refs_of() { as_user git -C "$REPO" for-each-ref; }

# The lack is over: what was begun ends well, what was not begins and ends well.
goes_on() {
    local sessions word=resume
    "$BEFORE"
    snapshot >"$SCRATCH/after.checkout"
    assert_same_snapshot "$SCRATCH/before.checkout" "$SCRATCH/after.checkout"
    sessions=$(as_user "$BOSK_BIN" status --json | jq '.sessions | length')
    if [ "$sessions" = 0 ]; then
        refs_of | diff "$SCRATCH/before.refs" - >&2
        word="run $PLAN"
    fi
    if [ "$1" != 0 ]; then
        status=0
        # shellcheck disable=SC2086 # two words
        as_user "$BOSK_BIN" $word >"$OUT" 2>"$ERR" || status=$?
        out=$(cat "$OUT") err=$(cat "$ERR")
        expect_status 0
    fi
    local found
    found=$(as_user git -C "$REPO" for-each-ref --format='%(objectname)' 'refs/heads/integration-*')
    equal "files" "$(as_user git -C "$REPO" ls-tree -r --name-only "$found" | tr '\n' ' ')" \
        'README.md a.txt one.txt two.txt '
    equal "a.txt" "$(as_user git -C "$REPO" show "$found:a.txt")" $'a.txt\nmore'
}

# ---- the cases ------------------------------------------------------------------------------------

# tool_box [NAME...]: a PATH with these programs and a git made of standard input, if there is any.
tool_box() {
    local name
    mkdir -p "$SCRATCH/tools"
    for name in sh cp flock; do ln -sf "$(command -v $name)" "$SCRATCH/tools/$name"; done
    WORDS=("$(command -v env)" PATH="$SCRATCH/tools")
}
make_no_git() { tool_box; }
make_git_that_says() {
    tool_box
    printf '#!/bin/sh\nfor w; do [ "$w" != version ] || { %s; exit; }; done\nexec %s "$@"\n' "$1" "$GIT" >"$SCRATCH/tools/git"
    chmod +x "$SCRATCH/tools/git"
}
make_no_user_name() {
    git config --unset user.name
    BEFORE=name_again
    name_again() { git -C "$REPO" config user.name 'Test User' && snapshot >"$SCRATCH/before.checkout"; }
}
make_memory() { WORDS=(prlimit --as="$(($1 << 20))"); }
make_memory_for_a_large_plan() {
    { echo 'x: |' && head -c 14000000 < <(yes '  a long text in a plan that nobody reads'); } >>"$PLAN"
    WORDS=(prlimit --as="$(($1 << 20))")
    BEFORE=small_again
    small_again() { sed -i '/^x:/,$d' "$PLAN"; }
}
# What bats has open does not count.
make_descriptors() {
    # shellcheck disable=SC2016 # for the other shell
    WORDS=("$BASH" -c 'for f in /proc/$$/fd/*; do f=${f##*/} && [ "$f" -le 2 ] || eval "exec $f>&-"; done; exec "$@"' -
        prlimit --nofile="$1")
}
another_user() { [ "$(id -u)" != 0 ] || WHO=(setpriv --reuid="$USER_ID" --regid="$USER_ID" --clear-groups); }
make_processes() { another_user && WORDS=(prlimit --nproc="$1"); }
make_read_only() {
    another_user
    chmod -R a-w ".git/$1"
    PLACE=$REPO/.git/$1
    BEFORE=writable_again
    writable_again() { chmod -R u+w "$PLACE"; }
}
make_disk_full_from_the_start() {
    small_disk
    dd if=/dev/zero of=.git/fill bs=4k status=none 2>/dev/null || true
    BEFORE=room_again
}
make_disk_full_while_tasks_run() {
    small_disk
    sed -i "s#echo one >one.txt#{ [ -e $SCRATCH/once ] || dd if=/dev/zero of=$REPO/.git/fill bs=4k 2>/dev/null; : >$SCRATCH/once; } ; head -c 9000 /dev/urandom >/dev/null; echo one >one.txt#" "$PLAN"
    BEFORE=room_again
}
room_again() { rm -f "$REPO/.git/fill"; }
small_disk() {
    cp -a .git "$SCRATCH/repo.git"
    mount -t tmpfs -o size=3m,mode=700 none .git
    cp -a "$SCRATCH/repo.git/." .git/
    rm -rf "$SCRATCH/repo.git"
}

@test "git and its settings" {
    hostile_table fresh goes_on <<'TABLE'
    # case                                  | what is said                                  | exit
    no_git                                  | bosk needs git >= 2.38 on the PATH            | 4
    git_that_says 'echo git version 2.34.1' | git 2.34 is too old: bosk needs git >= 2.38   | 4
    git_that_says 'echo what'               | cannot read the output of git version: what   | 4
    git_that_says 'kill -SEGV $$'           | git version in / died of signal 11            | 4
    git_that_says 'echo git version 2.38.0' |                                               | 0
    no_user_name                            | git does not know who commits                 | 4
TABLE
    # The other commands that work with git say the same.
    fresh
    make_git_that_says 'echo git version 2.34.1'
    for command in "plan $PLAN" resume land; do
        status=0
        # shellcheck disable=SC2086 # words
        there "$BOSK_BIN" $command >"$OUT" 2>"$ERR" || status=$?
        equal "exit of $command" "$status" 4
        expect_text 'git 2.34 is too old'
    done
}

@test "memory, in MiB of address space" {
    hostile_table fresh goes_on <<'TABLE'
    # case                         | what is said                                           | exit
    memory 60                      | data.mdb: Cannot allocate memory                       | 4
    memory_for_a_large_plan 36     | out of memory                                          | 4
    memory 400                     |                                                        | 0
TABLE
}

@test "descriptors" {
    hostile_table fresh goes_on <<'TABLE'
    # case                         | what is said                                           | exit
    descriptors 5                  | cannot run git version: .*Too many open files          | 4
    descriptors 10                 | Too many open files                                    | 4
    descriptors 14                 | when there is room: bosk resume                        | 4
    descriptors 64                 |                                                        | 0
TABLE
}

@test "processes" {
    [ "$(id -u)" = 0 ] || skip 'only root can be another user, and a limit on processes counts all of a user'
    hostile_table fresh goes_on <<'TABLE'
    # case                         | what is said                                           | exit
    processes 1                    | cannot start a process: Resource temporarily unavail   | 4
    processes 2                    | when there is room: bosk resume                        | 4
    processes 3                    | when there is room: bosk resume                        | 4
    processes 64                   |                                                        | 0
TABLE
}

@test "a .git that cannot be written" {
    hostile_table fresh goes_on <<'TABLE'
    # case                         | what is said                                           | exit
    read_only .                    | cannot make the folder .*/.git/bosk: Permission denied | 4
    read_only refs                 | refs.*: Permission denied                              | 4
    read_only objects              | objects.*: Permission denied                           | 4
TABLE
}

@test "disk" {
    [ "$(id -u)" = 0 ] || skip 'only root can mount a small disk'
    hostile_table fresh goes_on <<'TABLE'
    # case                         | what is said                                           | exit
    disk_full_from_the_start       | No space left on device                                | 4
TABLE
}

@test "the disk fills up while a task runs: the session waits or stops, and goes on when there is room" {
    [ "$(id -u)" = 0 ] || skip 'only root can mount a small disk'
    fresh
    make_disk_full_while_tasks_run
    refs_of >"$SCRATCH/before.refs"
    snapshot >"$SCRATCH/before.checkout"
    start_bosk run "$PLAN" --jobs 1
    # Who notices first decides: the supervisor waits for room, a worker's task stops the session.
    wait_until "! alive $bosk_pid || grep -q 'until it can write again' '$ERR'"
    ! alive "$bosk_pid" || room_again
    wait_bosk
    [ "$status" = 0 ] || expect_status 4
    goes_on "$status"
}
