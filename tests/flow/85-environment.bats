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
    equal "fsck" "$(git fsck --full --strict --no-dangling --no-progress 2>&1)" ''
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
# It lost what the session began with: a merge would bring that back.
kept_move_target() {
    run_bosk land --merge "$sid"
    expect_status 1
    expect_text "not landed: main was rewritten since the session began"
    equal "main" "$(git rev-parse main)" "$user"
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
}

# ---- clocks, pids, boots --------------------------------------------------------------------------

DAY=86400
# clock SECONDS: from now on, for what is started `by_clock` too when it runs already.
clock() { echo "$1" >"$SCRATCH/shift.new" && mv "$SCRATCH/shift.new" "$SCRATCH/shift"; }
by_clock() { export CLOCK_SHIFT=$SCRATCH/shift LD_PRELOAD=$BOSK_TEST_CLOCK_SHIFT; }

@test "the wall clock jumps: no timeout fires, nobody is taken for dead, the work is done" {
    local ran
    clock 0
    by_clock
    equal "shifted" "$(clock $((20 * DAY)) && date +%F)" "$(LD_PRELOAD='' date -d '20 days' +%F)"
    clock 0
    working -c timeout=300s -c silence=200s
    for jump in $((10 * DAY)) $((-10 * DAY)); do
        clock "$jump"
        equal "state" "$(status_json '.sessions[0].state')" running
        run_bosk resume "$sid"
        expect_status 5
        # Another run beside it leaves it alone.
        run_bosk run -p 'nothing' --executor 'echo other > other.txt'
        expect_status 0
        equal "state" "$(status_json ".sessions[] | select(.id == \"$sid\") | .state")" running
    done
    clock $((5 * DAY))
    touch "$SCRATCH/go"
    wait_bosk
    expect_status 0
    complete
    equal "attempts" "$(task_field "$sid" one attempts)" 1
    ran=$(task_field "$sid" one seconds)
    [ "${ran%.*}" -lt 300 ]
}

@test "the wall clock was set back between kill and resume" {
    clock 0
    by_clock
    working
    kill_bosk
    clock $((-400 * DAY))
    equal "state" "$(status_json '.sessions[0].state')" interrupted
    touch "$SCRATCH/go"
    run_bosk resume "$sid"
    expect_status 0
    complete
    clock $((400 * DAY))
    run_bosk report "$sid"
    expect_status 0
}

# start_ticks PID
start_ticks() {
    local stat
    stat=$(<"/proc/$1/stat")
    set -- ${stat##*) }
    echo "${20}"
}

@test "a pid that somebody else has now, and a boot that is over: dead, resumed, and nobody is signalled" {
    local case victim
    sleep 1000 3>&- &
    victim=$!
    for case in 'pid' 'pid, no lock file' 'pid and start time, another boot, no lock file'; do
        printf 'case: %s\n' "$case" >&2
        cd "$SCRATCH"
        rm -rf "$REPO" "$REPO.worktrees"
        working
        kill_bosk
        "$BOSK_TEST_STORE_EDIT" "$STORE" set manifest "$sid" pid "$victim"
        case $case in *'start time'*)
            "$BOSK_TEST_STORE_EDIT" "$STORE" set manifest "$sid" start_ticks "$(start_ticks "$victim")"
            equal "state" "$(rm "$REPO/.git/bosk/sessions/$sid.lock" && status_json '.sessions[0].state')" running
            "$BOSK_TEST_STORE_EDIT" "$STORE" set manifest "$sid" boot_id 01234567-89ab-cdef-0123-456789abcdef
            ;;
        esac
        case $case in *'no lock file') rm -f "$REPO/.git/bosk/sessions/$sid.lock" ;; esac
        equal "state" "$(status_json '.sessions[0].state')" interrupted
        run_bosk stop --now "$sid"
        [ "$status" != 0 ]
        touch "$SCRATCH/go"
        run_bosk resume "$sid"
        expect_status 0
        complete
        assert_verified
        alive "$victim"
    done
    kill "$victim"
}

@test "the kernel gives the dead supervisor's pid to another process" {
    [ "$(id -u)" = 0 ] && unshare --pid --fork --mount-proc true 2>/dev/null || skip 'no pid namespace of our own'
    make_repo a.txt
    write_file "$PLAN" <<YAML
tasks:
  - {id: one, run: "touch '$SCRATCH/started'; until test -e '$SCRATCH/go'; do sleep 0.05; done; echo one > one.txt"}
YAML
    cat >"$SCRATCH/inside" <<SH
'$BOSK_BIN' run '$PLAN' &
pid=\$!
until test -e '$SCRATCH/started'; do sleep 0.05; done
kill -KILL \$pid
wait \$pid
echo \$((pid - 1)) >/proc/sys/kernel/ns_last_pid
sleep 1000 &
echo "\$pid \$!" >'$SCRATCH/pids'
'$BOSK_BIN' status --json >'$SCRATCH/status.json'
touch '$SCRATCH/go'
'$BOSK_BIN' resume
echo \$? >'$SCRATCH/code'
kill -0 \$! && echo lives >'$SCRATCH/lives'
SH
    unshare --pid --fork --mount-proc "$BASH" "$SCRATCH/inside" >"$OUT" 2>"$ERR" </dev/null 3>&-
    read -r was now <"$SCRATCH/pids"
    equal "the pid is used again" "$now" "$was"
    equal "state" "$(jq -r '.sessions[0].state' "$SCRATCH/status.json")" interrupted
    equal "resume" "$(cat "$SCRATCH/code")" 0
    equal "the other process" "$(cat "$SCRATCH/lives")" lives
    equal "one" "$(git show "integration-$(last_sid):one.txt")" one
}

@test "a supervisor that is a zombie is dead" {
    make_repo a.txt
    write_file "$PLAN" <<YAML
tasks:
  - {id: one, run: "touch '$SCRATCH/started'; until test -e '$SCRATCH/go'; do sleep 0.05; done; echo one > one.txt"}
YAML
    # Its parent never asks how it ended.
    "$BASH" -c '"$0" run "$1" >"$2" 2>&1 & exec sleep 1000' "$BOSK_BIN" "$PLAN" "$OUT" </dev/null 3>&- &
    local parent=$!
    wait_until '[ -e "$SCRATCH/started" ]' 60
    sid=$(last_sid)
    bosk_pid=$(status_json '.sessions[0].pid')
    local worker
    worker=$(pgrep -P "$bosk_pid")
    kill -KILL "$bosk_pid"
    wait_until "! alive $worker && ! alive $bosk_pid"
    grep -q '^State:.Z' "/proc/$bosk_pid/status"
    equal "state" "$(status_json '.sessions[0].state')" interrupted
    # Also by its pid alone.
    rm "$REPO/.git/bosk/sessions/$sid.lock"
    equal "state" "$(status_json '.sessions[0].state')" interrupted
    touch "$SCRATCH/go"
    run_bosk resume "$sid"
    expect_status 0
    grep -q '^State:.Z' "/proc/$bosk_pid/status"
    kill "$parent"
    equal "one" "$(git show "integration-$sid:one.txt")" one
}

@test "a clock that goes back to the same second: the name of a forgotten queue is not given again" {
    local first then
    make_repo a.txt
    clock 0
    by_clock
    run_bosk run -p 'one' --executor 'echo one > one.txt' --land merge
    expect_status 0
    first=$(status_json '.sessions[0].queue')
    run_bosk gc --sessions --max-age 0s
    expect_status 0
    equal "sessions" "$(status_json '.sessions | length')" 0
    then=$(LD_PRELOAD='' date -u -d "$(sed -E 's/QUE-(....)(..)(..)(..)(..)(..)/\1-\2-\3 \4:\5:\6/' <<<"$first")" +%s)
    clock $((then - $(LD_PRELOAD='' date +%s)))
    run_bosk run -p 'two' --executor 'echo two > two.txt' --land merge
    expect_status 0
    refute test "$(status_json '.sessions[0].queue')" = "$first"
}
