#!/usr/bin/env bats
# What happens between a task's own commit and the integration branch: batches, gates on merged trees,
# repair of conflicts, and tasks that stay for a person.
# shellcheck disable=SC2154,SC2016,SC2030,SC2031 # variables set by run_bosk and setup; each test is a subshell

load ../lib/flow

setup() {
    flow_setup
    make_repo a.txt list.txt
    PLAN=$SCRATCH/p.yaml
    # Two tasks that both begin on the base: each waits in its first attempt until the other runs.
    cat >"$SCRATCH/meet" <<SH
[ "\$BOSK_ATTEMPT" = 1 ] || exit 0
touch '$SCRATCH/'"\$BOSK_TASK"
until test -e '$SCRATCH/'"\$1"; do sleep 0.02; done
SH
}
teardown() {
    ! mountpoint -q "$SCRATCH/disk" || umount -l "$SCRATCH/disk"
    flow_teardown
}

# gates_meet: a gate that no merged tree of left and right passes, and how often it ran on which task.
not_both() {
    commit_config <<YAML
fix_attempts: ${1:-2}
gates:
  - name: not-both
    run: 'echo "\${BOSK_TASK:-none}" >>"$SCRATCH/ran"; test ! -e left.txt || test ! -e right.txt || { echo "left.txt:1: and right.txt too"; exit 1; }'
YAML
    write_file "$PLAN" <<'YAML'
tasks:
  - {id: left, prompt: make left.txt}
  - {id: right, prompt: make right.txt}
YAML
}
# one_parent SID TASK: its commit's only parent is an integration commit that holds the other task.
on_the_tip() {
    equal "parents" "$(git rev-list --parents -n 1 "$(task_field "$1" "$2" commit)" | wc -w)" 2
    git merge-base --is-ancestor "$(task_field "$1" "$3" commit)" "$(task_field "$1" "$2" commit)"
}

@test "green alone and red together: the one merged second is sent back with the failing lines" {
    local sid culprit other
    not_both
    write_agent <<SH
#!/bin/sh
case \$BOSK_TASK in left) sh '$SCRATCH/meet' right;; right) sh '$SCRATCH/meet' left;; esac
if [ "\$BOSK_ATTEMPT" = 1 ]; then
    echo x >"\$BOSK_TASK.txt"
else
    cat >'$SCRATCH/prompt'
    git status --porcelain >'$SCRATCH/status'
    ls >'$SCRATCH/files'
    mv "\$BOSK_TASK.txt" other.txt
fi
SH
    run_bosk run "$PLAN" --jobs 2 --executor "$AGENT"
    expect_status 0
    sid=$(last_sid)
    culprit=right other=left
    [ "$(task_field "$sid" left attempts)" = 1 ] || culprit=left other=right
    equal "attempts" "$(task_field "$sid" "$culprit" attempts)" 2
    equal "states" "$(status_json '.sessions[0].counts.integrated')" 2
    equal "final gates" "$(status_json '.sessions[0].final_gates')" pass
    # It had the merge in its folder and the gate's words in its prompt.
    grep -q 'left.txt:1: and right.txt too' "$SCRATCH/prompt"
    grep -q '`not-both` did not pass' "$SCRATCH/prompt"
    equal "folder" "$(tr '\n' ' ' <"$SCRATCH/files")" "README.md a.txt bosk.yaml left.txt list.txt right.txt "
    equal "changes" "$(cat "$SCRATCH/status")" "A  $culprit.txt"
    on_the_tip "$sid" "$culprit" "$other"
    # Its first commit is superseded, and still there.
    [ -n "$(git for-each-ref "refs/bosk/keep/$sid/$culprit")" ]
    assert_once "$REPO" "$sid" main left right
    assert_no_worktrees "$REPO"
}

@test "red together for good: blocked after the fix attempts, the branch stays green" {
    local sid culprit=right other=left
    not_both 1
    write_agent <<SH
#!/bin/sh
case \$BOSK_TASK in left) sh '$SCRATCH/meet' right;; right) sh '$SCRATCH/meet' left;; esac
date +%N >"\$BOSK_TASK.txt"
SH
    run_bosk run "$PLAN" --jobs 2 --executor "$AGENT"
    expect_status 1
    sid=$(last_sid)
    [ "$(task_field "$sid" right state)" = blocked ] || culprit=left other=right
    equal "culprit" "$(task_field "$sid" "$culprit" state)" blocked
    equal "other" "$(task_field "$sid" "$other" state)" integrated
    task_field "$sid" "$culprit" reason | grep -q 'gate not-both'
    equal "final gates" "$(status_json '.sessions[0].final_gates')" pass
    refute git cat-file -e "integration-$sid:$culprit.txt"
    "$BOSK_BIN" report | grep -q "$culprit  blocked"
}

@test "verify task: merges are not checked, the final tip is" {
    local sid
    not_both
    write_agent <<SH
#!/bin/sh
case \$BOSK_TASK in left) sh '$SCRATCH/meet' right;; right) sh '$SCRATCH/meet' left;; esac
echo x >"\$BOSK_TASK.txt"
SH
    run_bosk run "$PLAN" --jobs 2 --executor "$AGENT" --verify task
    expect_status 1
    sid=$(last_sid)
    equal "both" "$(status_json '.sessions[0].counts.integrated')" 2
    equal "final gates" "$(status_json '.sessions[0].final_gates')" fail
    equal "runs" "$(sort "$SCRATCH/ran" | tr '\n' ' ')" "left none none right "
}

@test "a tree is not checked twice: tasks one after the other need no check of their merges" {
    commit_config <<YAML
gates:
  - {name: all, run: 'echo "\${BOSK_TASK:-none}" >>"$SCRATCH/ran"'}
YAML
    write_file "$PLAN" <<'YAML'
tasks:
  - {id: one, run: 'echo 1 > one.txt'}
  - {id: two, run: 'echo 2 > two.txt'}
  - {id: three, run: 'echo 3 > three.txt'}
YAML
    run_bosk run "$PLAN" --sequential
    expect_status 0
    equal "runs" "$(tr '\n' ' ' <"$SCRATCH/ran")" "none one two three "
}

# held_merges [COMMAND]: the first check of a merge waits for a line from $SCRATCH/go, then COMMAND.
held_merges() {
    mkfifo "$SCRATCH/go"
    commit_config <<YAML
jobs: 6
gates:
  - name: whole
    run: |
      if [ -z "\$BOSK_TASK" ] && [ -e one.txt ]; then
          git rev-parse HEAD >>'$SCRATCH/checked'
          [ -e '$SCRATCH/went' ] || read -r go <'$SCRATCH/go'
          touch '$SCRATCH/went'
      fi
      ${1:-true}
YAML
}

@test "what waits together is one batch: one check, one intent, each task its own merge" {
    local sid task
    held_merges
    {
        echo 'tasks:'
        echo "  - {id: one, run: 'echo 1 > one.txt'}"
        for task in two three four five six; do
            echo "  - {id: $task, run: 'until test -e $SCRATCH/start; do sleep 0.02; done; echo $task > $task.txt'}"
        done
    } >"$PLAN"
    start_bosk run "$PLAN"
    wait_until '[ "$(task_field "$(last_sid)" one state 2>/dev/null)" = integrated ]'
    sid=$(last_sid)
    touch "$SCRATCH/start" # five of them, on a base that is no longer the tip
    wait_until '[ -e "$SCRATCH/checked" ]'
    wait_until '[ "$(git for-each-ref refs/heads/bosk | wc -l)" = 6 ] && [ "$(status_json ".sessions[0].worktrees[] | select(.task != null)" | wc -l)" = 0 ]'
    echo go >"$SCRATCH/go"
    wait_bosk
    expect_status 0
    equal "integrated" "$(status_json '.sessions[0].counts.integrated')" 6
    # The first that was ready, then the others together; the final tip is known by then.
    equal "checks" "$(wc -l <"$SCRATCH/checked")" 2
    assert_once "$REPO" "$sid" main one two three four five six
}

@test "a red batch is taken apart: the culprit alone is sent back" {
    local sid task
    held_merges 'test ! -e three.txt || test ! -e five.txt'
    sed -i 's/^jobs: 6/jobs: 6\nfix_attempts: 0/' bosk.yaml
    git commit -qam 'No fixes'
    {
        echo 'tasks:'
        echo "  - {id: one, run: 'echo 1 > one.txt'}"
        for task in two three four five six; do
            echo "  - {id: $task, run: 'until test -e $SCRATCH/start; do sleep 0.02; done; echo $task > $task.txt'}"
        done
    } >"$PLAN"
    start_bosk run "$PLAN"
    wait_until '[ "$(task_field "$(last_sid)" one state 2>/dev/null)" = integrated ]'
    sid=$(last_sid)
    touch "$SCRATCH/start"
    wait_until '[ -e "$SCRATCH/checked" ]'
    wait_until '[ "$(git for-each-ref refs/heads/bosk | wc -l)" = 6 ] && [ "$(status_json ".sessions[0].worktrees[] | select(.task != null)" | wc -l)" = 0 ]'
    echo go >"$SCRATCH/go"
    wait_bosk
    expect_status 1
    expect_text 'merged one by one'
    equal "integrated" "$(status_json '.sessions[0].counts.integrated')" 5
    equal "blocked" "$(status_json '[.sessions[0].tasks[] | select(.state == "blocked") | .id] | inside(["three", "five"])')" true
    equal "final gates" "$(status_json '.sessions[0].final_gates')" pass
}

@test "stopped at once while a merge is checked: the resume merges it" {
    local sid
    held_merges
    write_file "$PLAN" <<YAML
tasks:
  - {id: one, run: 'echo 1 > one.txt'}
  - {id: two, run: 'until test -e $SCRATCH/start; do sleep 0.02; done; echo 2 > two.txt'}
YAML
    start_bosk run "$PLAN"
    wait_until '[ "$(task_field "$(last_sid)" one state 2>/dev/null)" = integrated ]'
    sid=$(last_sid)
    touch "$SCRATCH/start"
    wait_until '[ -e "$SCRATCH/checked" ]'
    run_bosk stop --now "$sid"
    wait_bosk
    expect_status 1
    equal "state" "$(status_json '.sessions[0].state')" stopped
    equal "two" "$(task_field "$sid" two state)" pending
    touch "$SCRATCH/went"
    run_bosk resume "$sid"
    expect_status 0
    equal "two" "$(task_field "$sid" two state)" integrated
    equal "attempts" "$(task_field "$sid" two attempts)" 1 # its work was done already
    assert_once "$REPO" "$sid" main one two
}

@test "a worktree for merges that cannot be set up stops the session, and blames no task" {
    local sid
    commit_config <<YAML
worktrees:
  setup: 'case "\$PWD" in *-merge) echo "no library"; test -e "$SCRATCH/mended";; esac'
gates:
  - {name: whole, run: 'true'}
YAML
    write_file "$PLAN" <<YAML
tasks:
  - {id: left, run: 'sh $SCRATCH/meet right; echo left > left.txt'}
  - {id: right, run: 'sh $SCRATCH/meet left; echo right > right.txt'}
YAML
    run_bosk run "$PLAN" --jobs 2
    expect_status 4
    expect_text 'gates cannot be run on the merged tree: .*no library'
    sid=$(last_sid)
    equal "state" "$(status_json '.sessions[0].state')" interrupted
    touch "$SCRATCH/mended"
    run_bosk resume "$sid"
    expect_status 0
    equal "attempts" "$(status_json '[.sessions[0].tasks[].attempts] | add')" 2
    assert_once "$REPO" "$sid" main left right
}

# conflict [COMMAND]: two tasks that write the same line; in a second attempt COMMAND.
conflict() {
    write_file "$PLAN" <<'YAML'
tasks:
  - {id: left, prompt: make left}
  - {id: right, prompt: make right}
YAML
    write_agent <<SH
#!/bin/sh
case \$BOSK_TASK in left) sh '$SCRATCH/meet' right;; right) sh '$SCRATCH/meet' left;; esac
if [ "\$BOSK_ATTEMPT" = 1 ]; then
    echo "\$BOSK_TASK" >list.txt
    echo "\$BOSK_TASK" >"\$BOSK_TASK.txt"
else
    ${1:-exit 0}
fi
SH
}

@test "a conflict goes back to its agent with markers in the files, and comes out as one commit on the tip" {
    local sid loser=right other=left
    conflict "cat >'$SCRATCH/prompt'; cp list.txt '$SCRATCH/given'; ls -a \"\$(git rev-parse --git-dir)\" >'$SCRATCH/git-dir'; git ls-files -u >'$SCRATCH/stages'; printf 'left\nright\n' >list.txt"
    run_bosk run "$PLAN" --jobs 2 --executor "$AGENT"
    expect_status 0
    sid=$(last_sid)
    [ "$(task_field "$sid" left attempts)" = 1 ] || loser=left other=right
    equal "attempts" "$(task_field "$sid" "$loser" attempts)" 2
    equal "result" "$(git show "integration-$sid:list.txt")" $'left\nright'
    grep -q '^<<<<<<<' "$SCRATCH/given"
    grep -q '^>>>>>>>' "$SCRATCH/given"
    grep -q '^- list.txt$' "$SCRATCH/prompt"
    refute grep -q 'MERGE_HEAD\|CHERRY_PICK_HEAD' "$SCRATCH/git-dir"
    equal "stages" "$(cat "$SCRATCH/stages")" ""
    on_the_tip "$sid" "$loser" "$other"
    equal "conflicts" "$(status_json '[.sessions[0].tasks[].conflicts[]?] | length')" 0
    assert_once "$REPO" "$sid" main left right
}

@test "a command in conflict runs again on what is there now" {
    local sid
    write_file "$PLAN" <<YAML
tasks:
  - {id: left, run: 'sh $SCRATCH/meet right; echo left >> list.txt'}
  - {id: right, run: 'sh $SCRATCH/meet left; echo right >> list.txt'}
YAML
    run_bosk run "$PLAN" --jobs 2
    expect_status 0
    sid=$(last_sid)
    equal "lines" "$(git show "integration-$sid:list.txt" | sort | tr '\n' ' ')" "left list.txt right "
    assert_once "$REPO" "$sid" main left right
}

@test "markers left behind: after conflict_attempts it stays a conflict, and can be mended by hand as the report says" {
    local sid loser=right command
    conflict 'echo tried >>tried.txt'
    run_bosk run "$PLAN" --jobs 2 --executor "$AGENT" -c conflict_attempts=2
    expect_status 1
    sid=$(last_sid)
    [ "$(task_field "$sid" left attempts)" = 1 ] || loser=left
    equal "state" "$(task_field "$sid" "$loser" state)" conflict
    equal "attempts" "$(task_field "$sid" "$loser" attempts)" 3
    equal "paths" "$(status_json ".sessions[0].tasks[] | select(.id == \"$loser\") | .conflicts[]")" list.txt
    task_field "$sid" "$loser" reason | grep -q 'conflict in list.txt, after 2 attempts'
    assert_no_worktrees "$REPO"
    # The commands of the report, typed as they stand.
    "$BOSK_BIN" report >"$SCRATCH/report"
    sed -n 's/^ *\$ //p' "$SCRATCH/report" >"$SCRATCH/commands"
    equal "commands" "$(wc -l <"$SCRATCH/commands")" 4
    eval "$(sed -n 1p "$SCRATCH/commands")"
    refute eval "$(sed -n 2p "$SCRATCH/commands")"
    cd "$(git -C "$REPO" worktree list --porcelain | sed -n 's/^worktree //p' | tail -n 1)"
    printf 'left\nright\n' >list.txt
    git -c user.name=u -c user.email=u@x commit -qam 'By hand'
    cd "$REPO"
    eval "$(sed -n 3p "$SCRATCH/commands")"
    command=$(sed -n 4p "$SCRATCH/commands")
    equal "last" "$command" "bosk land $sid --merge"
    run_bosk land "$sid" --merge
    expect_status 0
    equal "list" "$(cat list.txt)" $'left\nright'
    equal "their file" "$(cat "$loser.txt")" "$loser"
}

@test "conflict_attempts 0 parks, as --on-conflict park does" {
    local sid
    conflict
    run_bosk run "$PLAN" --jobs 2 --executor "$AGENT" -c conflict_attempts=0
    expect_status 1
    sid=$(last_sid)
    equal "attempts" "$(status_json '[.sessions[0].tasks[].attempts] | add')" 2
    equal "states" "$(status_json '[.sessions[0].tasks[].state] | sort | join(" ")')" "conflict integrated"
}

@test "killed while a conflict is repaired: the resume repairs it" {
    local sid loser=right
    conflict "touch '$SCRATCH/repairing'; until test -e '$SCRATCH/killed'; do sleep 0.02; done; printf 'left\nright\n' >list.txt"
    start_bosk run "$PLAN" --jobs 2 --executor "$AGENT"
    wait_until '[ -e "$SCRATCH/repairing" ]'
    kill -KILL "$bosk_pid"
    wait "$bosk_pid" || true
    wait_until '[ -z "$(processes_of_test)" ]'
    touch "$SCRATCH/killed"
    sid=$(last_sid)
    run_bosk resume "$sid"
    expect_status 0
    equal "list" "$(git show "integration-$sid:list.txt")" $'left\nright'
    [ "$(task_field "$sid" left attempts)" = 1 ] || loser=left
    equal "their file" "$(git show "integration-$sid:$loser.txt")" "$loser"
    assert_once "$REPO" "$sid" main left right
}

@test "the branch that somebody has checked out is not moved; the truth ref is, and it is said" {
    local sid
    commit_config <<'YAML'
jobs: 1
YAML
    write_file "$PLAN" <<YAML
tasks:
  - {id: one, run: 'touch $SCRATCH/one; until test -e $SCRATCH/go-on; do sleep 0.02; done; echo 1 > one.txt'}
  - {id: two, run: 'echo 2 > two.txt'}
YAML
    start_bosk run "$PLAN"
    wait_until '[ -e "$SCRATCH/one" ]'
    sid=$(last_sid)
    git worktree add -q "$SCRATCH/mine" "integration-$sid"
    touch "$SCRATCH/go-on"
    wait_bosk
    expect_status 0
    equal "branch" "$(git rev-parse "integration-$sid")" "$(git rev-parse main)"
    equal "status there" "$(git -C "$SCRATCH/mine" status --porcelain)" ""
    git cat-file -e "refs/bosk/int/$sid:two.txt"
    "$BOSK_BIN" report | grep -q 'it is checked out'
    # When nobody has it any more, it follows, and goes when all of it has landed.
    git worktree remove "$SCRATCH/mine"
    run_bosk land "$sid" --merge
    expect_status 0
    test -e two.txt
    refute git rev-parse -q --verify "refs/heads/integration-$sid"
}

# idle PID: a worker that has sent everything and waits: in poll (system call 7), without a child.
idle() {
    local call rest
    read -r call rest <"/proc/$1/syscall"
    [ "$call" = 7 ] && [ -z "$(cat "/proc/$1/task/$1/children")" ]
}
all_idle_but_one() {
    local worker busy=0
    for worker in $(cat "/proc/$1/task/$1/children"); do idle "$worker" || busy=$((busy + 1)); done
    [ "$busy" = 1 ]
}
# flushes FILE: in a trace: fsync and the like, and LMDB's write of its header, to a file opened so.
flushes() { grep -cE '^(fsync|fdatasync|msync|sync|syncfs)\(|^pwrite64\([0-9]+<.*data\.mdb>, .*, 120, ' "$1"; }

@test "four tasks that wait together cost the supervisor fewer than four flushes each" {
    [ "$(uname -m)" = x86_64 ] || skip "the number of poll is that of x86_64"
    local sid task supervisor before
    # Where one flush can carry many objects: not on an ext4 that was made without a journal.
    flow_teardown
    TMPDIR=/dev/shm setup
    {
        echo 'tasks:'
        for task in one two three four; do
            echo "  - {id: $task, run: 'until test -e $SCRATCH/start; do sleep 0.02; done; echo $task > $task.txt'}"
        done
        echo "  - {id: last, run: 'touch $SCRATCH/last; until test -e $SCRATCH/end; do sleep 0.02; done; echo last > last.txt'}"
    } >"$PLAN"
    # (LeakSanitizer cannot work under strace.)
    ASAN_OPTIONS=detect_leaks=0 strace -q -y -o "$SCRATCH/trace" -e trace=fsync,fdatasync,msync,sync,syncfs,pwrite64 \
        "$BOSK_BIN" run "$PLAN" --jobs 5 >"$SCRATCH/log" 2>&1 3>&- &
    wait_until '[ -e "$SCRATCH/last" ]'
    sid=$(last_sid)
    supervisor=$(status_json '.sessions[0].pid')
    kill -STOP "$supervisor" # meanwhile four of them finish
    touch "$SCRATCH/start"
    wait_until 'all_idle_but_one "$supervisor"'
    before=$(flushes "$SCRATCH/trace")
    kill -CONT "$supervisor"
    wait_until '[ "$(status_json ".sessions[0].counts.integrated")" = 4 ]'
    cp "$SCRATCH/trace" "$SCRATCH/after"
    touch "$SCRATCH/end"
    wait
    echo "# flushes: $(($(flushes "$SCRATCH/after") - before)) for 4 tasks" >&3
    [ $(($(flushes "$SCRATCH/after") - before)) -lt 16 ]
    [ $(($(flushes "$SCRATCH/after") - before)) -ge 4 ] # the trace shows them at all
    assert_once "$REPO" "$sid" main one two three four last
}

@test "without a journal that carries them all, each object is flushed before a ref names it" {
    [ "$(id -u)" = 0 ] || skip 'only root can mount a file system'
    local kind disk=$SCRATCH/disk
    mkdir "$disk"
    for kind in has_journal ^has_journal; do
        truncate -s 64M "$SCRATCH/image"
        mkfs.ext4 -q -F -O "$kind" "$SCRATCH/image"
        mount -o loop "$SCRATCH/image" "$disk" || skip 'no loop device'
        cp -a "$REPO" "$disk/repo"
        printf 'tasks: [{id: one, run: "mkdir -p d && echo 1 >d/one"}]\n' >"$PLAN"
        status=0
        ASAN_OPTIONS=detect_leaks=0 strace -q -y -o "$SCRATCH/trace" -e trace=fsync,sync_file_range \
            "$BOSK_BIN" -C "$disk/repo" run "$PLAN" >"$OUT" 2>"$ERR" </dev/null 3>&- || status=$?
        umount "$disk"
        expect_status 0
        # The plan, the merge: what the supervisor itself writes.
        if [ "$kind" = has_journal ]; then
            grep -q '^sync_file_range([0-9]*<.*/objects/../' "$SCRATCH/trace"
            ! grep -qE '^fsync\([0-9]+<.*/objects/../[0-9a-f]{38}>' "$SCRATCH/trace"
        else
            grep -qE '^fsync\([0-9]+<.*/objects/../[0-9a-f]{38}>' "$SCRATCH/trace"
            grep -qE '^fsync\([0-9]+<.*/objects/..>' "$SCRATCH/trace" # and their names
        fi
    done
}
