#!/usr/bin/env bats
# Sessions from different terminals on one repository (promises F, B4, C3): each as if it were alone, but for
# the worktrees they share, and one landing at a time. Who waits says whom for.

load ../lib/beside

setup() {
    flow_setup
    make_repo
    mkdir "$SCRATCH/began" "$SCRATCH/gates"
}
teardown() { flow_teardown; }

# plan_of NAME COMMAND...: a task NAME-1, NAME-2, ... for each COMMAND, which find NAME-N in $task.
plan_of() {
    local name=$1 n=0 command
    shift
    {
        echo 'tasks:'
        for command in "$@"; do
            n=$((n + 1))
            printf "  - {id: %s-%d, run: 'task=%s-%d; %s'}\n" "$name" "$n" "$name" "$n" "$command"
        done
    } >"$SCRATCH/$name.yaml"
}
# A command of plan_of that ends when pass lets it: it says that it began, then waits on a pipe.
held='touch "$SCRATCH/began/$task"; read x <"$SCRATCH/gates/$task"; echo $task >$task'
quick='echo $task >$task'
export held quick

gates() { for name; do mkfifo "$SCRATCH/gates/$name"; done; }
began() { wait_until "[ -e '$SCRATCH/began/$1' ]"; }
pass() { echo go >"$SCRATCH/gates/$1"; }

@test "a session waits for a worktree of another one, says so, and gets it when that one ends" {
    plan_of a "$held" && plan_of b "$quick"
    gates a-1
    begin a -c worktrees.total=1
    began a-1
    begin b -c worktrees.total=1
    wait_until 'waits b'
    a=$(sid_of a)
    b=$(sid_of b)
    equal 'waiting for' "$(waiting_for "$b")" "a worktree: 1 of 1 are used by $a (1)"
    equal 'held by' "$(status_json ".sessions[] | select(.id == \"$b\") | .held_by[]")" "$a"
    equal 'a waits' "$(waiting_for "$a")" nothing
    run_bosk status "$b"
    expect_text "^  waiting for a worktree: 1 of 1 are used by $a \(1\)$" "$OUT"
    run_bosk report "$b"
    expect_text "waits for a worktree: 1 of 1 are used by $a" "$OUT"
    expect_text "^worktree 1: waiting: for a worktree: 1 of 1 are used by $a" "$SCRATCH/b.err"
    pass a-1
    end a 0
    end b 0
    equal 'nothing is held' "$(status_json '[.sessions[] | .waiting_for] | map(select(.)) | length')" 0
    assert_once "$REPO" "$a" main a-1
    assert_once "$REPO" "$b" main b-1
}

@test "kill -9 of the holder: its worktree goes to the one who waits" {
    plan_of a "$held" && plan_of b "$quick"
    gates a-1
    begin a -c worktrees.total=1
    began a-1
    begin b -c worktrees.total=1
    wait_until 'waits b'
    kill -KILL "${pids[a]}"
    end b 0
    end a 137
    # And the killed one beside living ones: it asks again.
    a=$(sid_of a)
    (pass a-1) &
    run_bosk resume "$a"
    expect_status 0
}

@test "who has more worktrees gives one to who has none, with its folder" {
    plan_of a "$held" "$held" "$held" "$quick" && plan_of b "$held" "$quick"
    gates a-1 a-2 a-3 b-1
    begin a --jobs 2 -c worktrees.total=2
    began a-1
    began a-2
    begin b --jobs 2 -c worktrees.total=2
    wait_until 'waits b'
    equal 'all are in use' "$(waiting_for "$(sid_of b)")" "a worktree: 2 of 2 are used by $(sid_of a) (2)"
    pass a-1
    began b-1 # though a-3 was there first
    equal 'worktrees' "$(git worktree list | wc -l)" 3
    [ ! -e "$SCRATCH/began/a-3" ]
    pass a-2
    began a-3
    pass a-3
    pass b-1
    end a 0
    end b 0
    assert_once "$REPO" "$(sid_of a)" main a-1 a-2 a-3 a-4
    assert_once "$REPO" "$(sid_of b)" main b-1 b-2
    assert_no_worktrees "$REPO"
}

@test "a worktree where nothing runs goes to who waits" {
    write_file "$SCRATCH/a.yaml" <<'PLAN'
tasks:
  - {id: a-1, run: "echo 1 >a-1"}
  - {id: a-2, run: "echo 2 >a-2"}
  - {id: a-3, needs: [a-1, a-2], run: "touch $SCRATCH/began/a-3; read x <$SCRATCH/gates/a-3; echo 3 >a-3"}
PLAN
    plan_of b "$quick"
    gates a-3
    begin a --jobs 2 -c worktrees.total=2
    began a-3
    begin b -c worktrees.total=2
    end b 0
    pass a-3
    end a 0
    refute grep -q 'where nobody worked' "$SCRATCH/a.out" "$SCRATCH/a.err"
    equal 'notes' "$(status_json '[.sessions[].notes[]] | length')" 0
}

@test "gates on base, merges and tip need no worktree of the others; a session without a limit is counted" {
    commit_config <<'CONFIG'
gates:
  - {name: ok, run: "true"}
CONFIG
    plan_of a "$held" && plan_of b "$quick" && plan_of c "$quick" "$quick" "$quick"
    gates a-1
    begin a
    began a-1
    begin b -c worktrees.total=1 --verify task
    wait_until 'waits b'
    equal 'waiting for' "$(waiting_for "$(sid_of b)")" "a worktree: 1 of 1 are used by $(sid_of a) (1)"
    begin c --jobs 2 -c worktrees.total=2
    end c 0
    pass a-1
    end a 0
    end b 0
    equal 'final gates' "$(status_json '[.sessions[].final_gates] | unique | join(",")')" pass
}

@test "bosk stop of a session that waits for a worktree; a stopped one holds none" {
    plan_of a "$held" "$quick" && plan_of b "$quick"
    gates a-1
    begin a -c worktrees.total=1
    began a-1
    begin b -c worktrees.total=1
    wait_until 'waits b'
    run_bosk stop "$(sid_of b)"
    expect_status 0
    end b 1
    run_bosk stop "$(sid_of a)"
    pass a-1
    end a 1
    run_bosk resume "$(sid_of b)"
    expect_status 0
    run_bosk resume "$(sid_of a)"
    expect_status 0
}

@test "git.lock: who waits for it says which session has it" {
    plan_of a "$quick" && plan_of b "$quick"
    begin a
    end a 0 # now there is the lock's file, and the name of the last who had it
    a=$(sid_of a)
    mkfifo "$SCRATCH/let-go"
    flock "$REPO/.git/bosk/git.lock" sh -c "read x <$SCRATCH/let-go" &
    wait_until "! flock -n '$REPO/.git/bosk/git.lock' true"
    begin b
    wait_until 'waits b'
    equal 'waiting for' "$(waiting_for "$(sid_of b)")" "git.lock, which $a has"
    expect_text "^worktree 1: b-1: waits for $a" "$SCRATCH/b.err"
    echo go >"$SCRATCH/let-go"
    end b 0
    equal 'waiting for' "$(waiting_for "$(sid_of b)")" nothing
}
