#!/usr/bin/env bats
# What happens around a session while it runs, and between its death and its resume: the user removes or moves its
# worktrees and branches; the wall clock jumps; pids are used again, the machine was booted, the supervisor is a
# zombie. (Machines that lack something: 84-hostile-machine. Damaged stores: 72-hostile-store. Locks and what kills
# leave: 76-leftovers.)
# shellcheck disable=SC2154,SC2030,SC2031 # variables set by run_bosk and setup; each test is a subshell
# shellcheck disable=SC2016 # conditions for wait_until are evaluated there

load ../lib/flow

: "${BOSK_PLAIN_BIN:?names a bosk built without sanitizers}"

setup() {
    local plain=$BOSK_PLAIN_BIN
    flow_setup
    BOSK_BIN=$(readlink -f "$plain")
    STORE=$REPO/.git/bosk/store
    PLAN=$SCRATCH/p.yaml
}
teardown() { flow_teardown; }

# working: a session whose first task is done and whose second waits for $SCRATCH/go.
working() {
    make_repo a.txt
    git commit -q --allow-empty -m 'Second'
    base=$(git rev-parse main)
    rm -f "$SCRATCH"/{go,started}
    write_file "$PLAN" <<YAML
tasks:
  - {id: zero, run: 'echo zero > zero.txt'}
  - id: one
    needs: [zero]
    run: |
      echo one > one.txt
      touch '$SCRATCH/started'
      until test -e '$SCRATCH/go'; do sleep 0.05; done
      echo more >> one.txt
  - {id: two, needs: [one], run: 'echo two > two.txt'}
YAML
    start_bosk run "$PLAN" --jobs 1 "$@"
    wait_until "[ -e '$SCRATCH/started' ]" 60
    sid=$(last_sid)
    worktree=$REPO.worktrees/$sid-1
}
kill_bosk() {
    local worker
    worker=$(pgrep -P "$bosk_pid")
    kill -KILL "$bosk_pid"
    wait "$bosk_pid" || true
    wait_until "! alive $worker"
}
# All three tasks are integrated, each once, and fsck finds nothing.
complete() {
    local ref=refs/bosk/int/$sid task
    equal "files" "$(git ls-tree -r --name-only "$ref" | tr '\n' ' ')" 'README.md a.txt one.txt two.txt zero.txt '
    equal "one.txt" "$(git show "$ref:one.txt")" $'one\nmore'
    for task in zero one two; do
        equal "state of $task" "$(task_field "$sid" "$task" state)" integrated
        equal "merges of $task" "$(git log --merges --format='%(trailers:key=Bosk-Task,valueonly,separator=)' "$base..$ref" | grep -cx "$task")" 1
    done
    assert_fsck "$REPO"
}

# ---- the user's hands -----------------------------------------------------------------------------

# hands WHEN ACTION... [-- SAID...]: the ACTIONs by the user during the run, or between kill and resume. Everything is
# done all the same, what the user made is still there, and each SAID is in a line of the report or of standard error.
hands() {
    local when=$1 user action
    shift
    printf 'case: %s %s\n' "$when" "$*" >&2
    cd "$SCRATCH"
    rm -rf "$REPO" "$REPO.worktrees" "$SCRATCH/moved"
    working
    [ "$when" = during ] || kill_bosk
    user=$(git commit-tree -m 'By the user' -p main~1 'main^{tree}')
    for action; do
        [ "$action" != -- ] || break
        "do_$action"
    done
    touch "$SCRATCH/go"
    if [ "$when" = during ]; then wait_bosk; else run_bosk resume "$sid"; fi
    expect_status 0
    complete
    { cat "$ERR" && "$BOSK_BIN" report "$sid"; } >"$SCRATCH/said"
    # A worktree that was taken along is none of the manifest's: verify says so.
    case " $* " in *" git_move_worktree "*) ;; *) assert_verified ;; esac
    while [ $# != 0 ] && [ "$1" != -- ]; do
        "kept_$1"
        shift
    done
    for action in "${@:2}"; do expect_text "$action" "$SCRATCH/said"; done
    equal "checkout" "$(git status --porcelain)" ""
}
# What is to be seen afterwards of what was done.
gone_worktree() { assert_no_worktrees "$REPO"; }

do_remove_worktree() { rm -rf "$worktree"; }
kept_remove_worktree() { gone_worktree; }
do_git_remove_worktree() { git worktree remove --force --force "$worktree"; }
kept_git_remove_worktree() { gone_worktree; }
do_move_worktree() { mv "$worktree" "$SCRATCH/moved"; }
kept_move_worktree() { gone_worktree && grep -qx one "$SCRATCH/moved/one.txt"; }
do_git_move_worktree() {
    git worktree move --force --force "$worktree" "$SCRATCH/moved"
    git -C "$SCRATCH/moved" add one.txt
    git -C "$SCRATCH/moved" symbolic-ref HEAD >"$SCRATCH/head"
    git -C "$SCRATCH/moved" rev-parse HEAD >>"$SCRATCH/head"
}
# It is the user's now, with its branch where it was.
kept_git_move_worktree() {
    equal "worktrees" "$(git worktree list | wc -l)" 2
    grep -qx one "$SCRATCH/moved/one.txt"
    if [ "$when" = between ]; then
        equal "HEAD" "$(git -C "$SCRATCH/moved" symbolic-ref HEAD && git -C "$SCRATCH/moved" rev-parse HEAD)" "$(cat "$SCRATCH/head")"
        equal "status" "$(git -C "$SCRATCH/moved" status --porcelain)" "A  one.txt"
    fi
}
do_delete_task_branch() { git update-ref -d "refs/heads/bosk/$sid/one"; }
kept_delete_task_branch() { gone_worktree; }
do_move_task_branch() { git update-ref "refs/heads/bosk/$sid/one" "$user"; }
kept_move_task_branch() { [ -n "$(git for-each-ref --contains "$user" "refs/bosk/keep/$sid")" ]; }
do_delete_integration() { git branch -qD "integration-$sid"; }
kept_delete_integration() { equal "branch" "$(git rev-parse "integration-$sid")" "$(git rev-parse "refs/bosk/int/$sid")"; }
do_reset_integration() { git branch -qf "integration-$sid" main~1; }
kept_reset_integration() { kept_delete_integration; }
do_move_integration() { git branch -qf "integration-$sid" "$user"; }
kept_move_integration() { equal "branch" "$(git rev-parse "integration-$sid")" "$user"; }
do_delete_target() { git switch -q --detach && git branch -qD main; }
kept_delete_target() {
    refute git rev-parse -q --verify main
    run_bosk land --merge "$sid"
    expect_status 1
    expect_text 'not landed: there is no branch main any more'
    git branch main "$base"
}
do_move_target() { git switch -q --detach && git branch -qf main "$user"; }
kept_move_target() {
    equal "main" "$(git rev-parse main)" "$user"
    run_bosk land --merge "$sid"
    expect_status 0
    equal "parents" "$(git rev-parse main^1 main^2)" "$user"$'\n'"$(git rev-parse "refs/bosk/int/$sid")"
}


GONE_NOW='one: .*its worktree is gone: .*it runs again'
GONE_SINCE='one: .*/repo.worktrees/.*-1, where one was cut off, was gone: what was not committed there is not saved'
ELSEWHERE='branch itself is at .* was moved; the whole is refs/bosk/int/'

@test "while tasks run, the user removes and moves worktrees and branches" {
    hands during remove_worktree reset_integration -- "$GONE_NOW"
    hands during git_remove_worktree delete_integration delete_target -- "$GONE_NOW" 'refs/heads/main was removed'
    hands during move_worktree move_integration -- "$GONE_NOW" "$ELSEWHERE"
    hands during git_move_worktree move_target -- "$GONE_NOW"
    hands during delete_task_branch -- 'one: HEAD of the worktree points to nothing; it runs again'
    hands during move_task_branch -- 'one: HEAD of the worktree .* does not descend .* kept as refs/bosk/keep/.*it runs again'
}
@test "between kill and resume, the user removes and moves worktrees and branches" {
    hands between remove_worktree reset_integration -- "$GONE_SINCE"
    hands between git_remove_worktree delete_integration delete_target -- "$GONE_SINCE"
    hands between move_worktree move_integration -- "$GONE_SINCE" "$ELSEWHERE"
    hands between git_move_worktree move_target -- "$GONE_SINCE"
    hands between delete_task_branch
    hands between move_task_branch
}
@test "the ref of the truth is deleted while tasks run: the session stops, the resume makes it again" {
    working
    git update-ref -d "refs/bosk/int/$sid"
    touch "$SCRATCH/go"
    wait_bosk
    expect_status 4
    expect_text "the integration ref is gone; bosk resume $sid makes it again"
    run_bosk resume "$sid"
    expect_status 0
    complete
    assert_verified
}
