#!/usr/bin/env bats
# Single calls that fail (fault/), each at the very place where bosk once went on as if nothing had been.
# shellcheck disable=SC2154,SC2030,SC2031 # variables set by run_bosk; tests are subshells

load ../lib/flow

setup() {
    library=$(readlink -f "${BOSK_FAULT:?names the library made of fault/}")
    flow_setup
    make_repo a.txt
    commit_config <<'YAML'
gates: [{name: whole, run: 'test -s a.txt'}]
YAML
    printf 'tasks:\n  - {id: one, run: "echo one > one.txt"}\n' >"$SCRATCH/p.yaml"
}
teardown() { flow_teardown; }

# faulty_bosk ROLE KIND:K ERROR GLOB WORDS...: the K-th call of KIND on a path like GLOB fails; it must
# have been made.
faulty_bosk() {
    local -x LD_PRELOAD=$library FAULT_EXE=$BOSK_BIN FAULT_BELOW=$REPO:$REPO.worktrees
    local -x FAULT_ROLE=$1 FAULT_AT=$2 FAULT_WITH=$3 FAULT_OF=$4 FAULT_ONCE=$SCRATCH/fired
    shift 4
    rm -f "$FAULT_ONCE"
    run_bosk "$@"
    [ -s "$FAULT_ONCE" ]
}

@test "a gate that cannot be started for lack of something is run again, and blocks nothing" {
    # Opened when it was made, to be flushed; then a shell is started there for the gate on the base, the task, its gate.
    faulty_bosk worker open:4 EIO "$REPO.worktrees/??????-1" run "$SCRATCH/p.yaml"
    expect_status 0
    expect_text 'one: gate whole: cannot run /bin/sh in .*: Input/output error; it runs again'
    equal "attempts" "$(task_field "$(last_sid)" one attempts)" 2
}

@test "a task's branch that cannot be removed at the end is named" {
    faulty_bosk supervisor create:1 ENOSPC "$REPO/.git/refs/heads/bosk/??????/one.lock" run "$SCRATCH/p.yaml"
    expect_status 0
    expect_text '^the branch bosk/.*/one stays: .*No space left on device'
    git rev-parse --quiet --verify "bosk/$(last_sid)/one"
}

@test "where it cannot be seen whether the integration branch is checked out, it is not moved" {
    cat >"$SCRATCH/p.yaml" <<YAML
tasks: [{id: one, run: 'echo one > one.txt; git worktree add -q "$SCRATCH/mine" "integration-\$BOSK_SESSION"'}]
YAML
    # Read for the first time when the attempt is looked over, then before the branch is moved.
    faulty_bosk supervisor open:2 EMFILE "$REPO/.git/worktrees/mine/HEAD" run "$SCRATCH/p.yaml"
    equal "what is there" "$(git -C "$SCRATCH/mine" status --porcelain)" ''
    expect_status 4
    run_bosk resume
    expect_status 0
    equal "what is there" "$(git -C "$SCRATCH/mine" status --porcelain)" ''
    equal "integrated" "$(git show "refs/bosk/int/$(last_sid):one.txt")" one
}

@test "a lock of git's that cannot be removed is named" {
    faulty_bosk supervisor remove:1 EIO "$REPO/.git/packed-refs.lock" run "$SCRATCH/p.yaml"
    expect_text "warning: cannot remove $REPO/.git/packed-refs.lock: Input/output error"
    rm "$REPO/.git/packed-refs.lock"
}

@test "final gates that cannot be started for lack of something are run by the resume" {
    unchecked 'a resume lands in the checkout' B1
    printf '  - {id: two, run: "echo two > two.txt"}\n' >>"$SCRATCH/p.yaml"
    # Made, the gate on the base, a task and its gate before it; the other worktree has less.
    faulty_bosk worker open:5 EIO "$REPO.worktrees/??????-?" run "$SCRATCH/p.yaml" --jobs 2 --verify task \
        --land merge
    expect_status 4
    expect_text 'error: the gates cannot be run on the final tip: .*Input/output error'
    run_bosk resume
    expect_status 0
    equal "final gates" "$(status_json '.sessions[0].final_gates')" pass
    equal "landed" "$(git show main:one.txt main:two.txt)" $'one\ntwo'
}

@test "without memory for libgit2 the process ends, resumable, and libgit2 does not guess" {
    refute faulty_bosk supervisor memory:1 ENOMEM 'libgit2*' run "$SCRATCH/p.yaml"
    expect_status 0 # it asks bosk
    faulty_bosk supervisor memory:500 ENOMEM bosk run --fresh "$SCRATCH/p.yaml"
    expect_status 4
    expect_text '^bosk: error: out of memory; what was begun can go on'
}

@test "where nothing could be started, no session is told of" {
    faulty_bosk worker open:2 EIO "$REPO/.git/worktrees/??????-1/gitdir" run "$SCRATCH/p.yaml"
    expect_status 4
    expect_text 'error: .*nothing was started'
    refute grep -E 'session [0-9a-f]{6} running|bosk report' "$ERR"
}

@test "an object that cannot be read for lack of something is not called missing" {
    faulty_bosk supervisor open:1 EMFILE "$REPO/.git/objects/??/*" run "$SCRATCH/p.yaml"
    expect_status 4
    expect_text 'commit [0-9a-f]{12} of branch main cannot be read: .*Too many open files'
    faulty_bosk supervisor read:1 EIO "$REPO/.git/objects/??/*" run "$SCRATCH/p.yaml"
    expect_status 4
    expect_text 'commit [0-9a-f]{12} of branch main cannot be read: .*Input/output error'
}

@test "what could not be recorded is not gone on with: a resume does it" {
    unchecked 'a resume lands in the checkout' B1
    local k=0 resumed=0 words=(run "$SCRATCH/p.yaml" --land merge)
    cp -a "$REPO" "$SCRATCH/kept"
    while :; do # each time that the store is to be written
        k=$((k + 1))
        rm -rf "$REPO"
        cp -a "$SCRATCH/kept" "$REPO"
        cd "$REPO"
        faulty_bosk supervisor "open:$k" EMFILE "$REPO/.git/bosk/store/writer.lock" "${words[@]}" || break
        if [ "$status" != 0 ]; then
            expect_status 4
            expect_text '^bosk: error: .*writer.lock: Too many open files'
            if last_sid >/dev/null; then
                run_bosk verify
                expect_status 0
                words=(resume)
                resumed=$((resumed + 1))
            fi
            run_bosk "${words[@]}"
            expect_status 0
            words=(run "$SCRATCH/p.yaml" --land merge)
        fi
        equal "state after $k" "$(task_field "$(last_sid)" one state)" landed
        run_bosk verify
        expect_status 0
    done
    [ "$resumed" -gt 5 ]
}

# Each in turn of the calls that a landing makes: it lands, or says why not and is gone on with.
landing_with() {
    local k=0
    while :; do
        k=$((k + 1))
        rm -rf "$REPO"
        cp -a "$SCRATCH/kept" "$REPO"
        cd "$REPO" || return
        faulty_bosk supervisor "$1:$k" "$2" "$3" land --merge || break
        if [ "$status" != 0 ]; then
            expect_status 4 || return
            expect_text '^bosk: error: ' || return
            run_bosk land --merge
            expect_status 0 || return
        fi
        equal "state after $1:$k" "$(task_field "$(last_sid)" one state)" landed || return
        equal "one" "$(git show main:one.txt)" one || return
        equal "status" "$(git status --porcelain)" '' || return
    done
    echo "$1: $((k - 1)) calls"
    [ "$k" -gt "$4" ]
}

@test "a landing that lacks something can be gone on with" {
    run_bosk run "$SCRATCH/p.yaml"
    expect_status 0
    cp -a "$REPO" "$SCRATCH/kept"
    landing_with process EAGAIN '*' 4
    landing_with open EIO "$REPO/.git/objects/??/*" 4
}
