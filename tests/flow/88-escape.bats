#!/usr/bin/env bats
# What changes outside of a session while its tasks run: a change that is provably a task's own fails its
# attempt, any other is told and kept, and the user's own work never fails a task.
# shellcheck disable=SC2154 # variables set by run_bosk and start_bosk

load ../lib/flow

setup() {
    flow_setup
    make_repo a.txt
    BASE=$(git rev-parse HEAD)
}
teardown() { flow_teardown; }

# one SCRIPT: a session of one task "one" with this script; $sid, and its report in $OUT.
one() {
    printf '%s\n' "$1" >"$SCRATCH/one.sh"
    write_file "$SCRATCH/p.yaml" <<YAML
tasks:
  - {id: one, run: 'sh -e $SCRATCH/one.sh'}
YAML
    run_bosk run "$SCRATCH/p.yaml" --jobs 2 -c retries=0 --fresh
    code=$status
    sid=$(grep -oE 'session [0-9a-f]{6}: 1 task' "$ERR" | cut -c9-14)
    state=$(task_field "$sid" one state)
    run_bosk report "$sid"
}
commit='echo one >one.txt; git add one.txt; git -c user.name=a -c user.email=a@a commit -qm one'

# failed PATTERN: the task failed for a reason that matches, its work is kept.
failed() {
    equal "exit status" "$code" 1
    equal "state" "$state" failed
    task_field "$sid" one reason >"$SCRATCH/reason"
    expect_text "$1" "$SCRATCH/reason"
    expect_text "$1" "$OUT"
    equal "kept" "$(git cat-file blob "$(task_field "$sid" one kept 2>/dev/null || git for-each-ref --format='%(refname)' "refs/bosk/keep/$sid/one" | grep work)":one.txt)" one
    equal "integrated" "$(git rev-parse "integration-$sid")" "$BASE"
}
# warned PATTERN: the task is done, and the report has a line that matches.
warned() {
    equal "exit status" "$code" 0
    equal "state" "$state" integrated
    expect_text "while one ran.*$1" "$OUT"
}
# patch: the patch that the report names.
patch() { grep -oE '/[^ ]*/outside-[0-9]+\.patch' "$OUT"; }
kept() { git rev-parse --verify --quiet "$(grep -oE "refs/bosk/keep/$sid/outside/[0-9]+-$1" "$OUT" | head -1)"; }

@test "nothing outside: nothing is told" {
    dirty_checkout
    BASE=$(git rev-parse HEAD)
    snapshot_checkout "$REPO" >"$SCRATCH/before"
    one "$commit"
    snapshot_checkout "$REPO" >"$SCRATCH/after"
    assert_same_snapshot "$SCRATCH/before" "$SCRATCH/after"
    equal "state" "$state" integrated
    refute grep -q 'ran, ' "$OUT"
    equal "refs" "$(git for-each-ref "refs/bosk/keep/$sid/outside")" ""
}

@test "main or another branch is moved to the task's own commit: the task failed" {
    one "$commit; git update-ref refs/heads/main HEAD"
    failed 'refs/heads/main now holds commit'
    equal "old" "$(kept old)" "$BASE"
    git update-ref refs/heads/main "$BASE"
    git branch side
    one "$commit; git branch -qf side"
    failed 'refs/heads/side now holds commit'
    git branch -q -D side
    one "$commit; git branch other"
    failed 'refs/heads/other was made and holds commit'
    git branch -q -D other
    # Packed refs are no hiding place.
    one "$commit; git tag mine; git pack-refs --all"
    failed 'refs/tags/mine was made and holds commit'
}

@test "an agent that commits in the user's checkout: told and kept, the task is done" {
    unchecked 'an agent changes the checkout' B1
    one "echo one >one.txt; cd $REPO; echo two >two.txt; git add two.txt; git -c user.name=a -c user.email=a@a commit -qm two"
    warned "refs/heads/main went from $BASE to $(git rev-parse main)"
    equal "new" "$(kept new)" "$(git rev-parse main)"
}

@test "an agent that writes, stages, stashes and switches in the user's checkout: told, with a patch" {
    unchecked 'an agent changes the checkout' B1
    one "echo one >one.txt; echo changed >$REPO/a.txt; echo 'new file' >$REPO/new.txt"
    warned "$REPO changed: a.txt new.txt"
    grep -q '^+changed' "$(patch)"
    grep -q '^+new file' "$(patch)"
    one "echo one >one.txt; git -C $REPO add a.txt new.txt"
    warned 'changed: a.txt new.txt'
    one "echo one >one.txt; git -C $REPO -c user.name=a -c user.email=a@a stash push -q"
    warned 'refs/stash came'
    equal "stash" "$(kept new)" "$(git rev-parse 'stash@{0}')"
    one "echo one >one.txt; git -C $REPO checkout -q --detach"
    warned "HEAD of $REPO went from ref: refs/heads/main to $BASE"
}

@test "an agent that deletes a branch: told, and the branch is kept" {
    unchecked 'git branch -D writes the configuration again' B1
    git branch precious
    one "echo one >one.txt; git branch -D precious"
    warned "refs/heads/precious was removed; it was at $BASE"
    equal "old" "$(kept old)" "$BASE"
}

@test "a file in a worktree where nobody works: the task failed, and the file is kept" {
    # Files tell the time in ticks: what is written in the tick in which the task began is not seen.
    local tick="touch $SCRATCH/a; until touch $SCRATCH/b; test $SCRATCH/b -nt $SCRATCH/a; do :; done"
    write_file "$SCRATCH/p.yaml" <<YAML
tasks:
  - {id: wait, run: 'until test -e $SCRATCH/go; do sleep 0.05; done; echo wait >wait.txt'}
  - {id: other, run: 'touch $SCRATCH/go; echo other >other.txt'}
  - {id: one, needs: [wait, other], run: '$tick; echo one >one.txt; for tree in \$BOSK_WORKTREE/../*/; do test \$tree -ef . || { echo evil >\$tree/a.txt; echo evil >\$tree/new.txt; }; done'}
YAML
    run_bosk run "$SCRATCH/p.yaml" --jobs 2 -c retries=0
    code=$status sid=$(last_sid)
    equal "state" "$(task_field "$sid" one state)" failed
    expect_text 'went outside of its worktree: .*(a|new).txt' <(task_field "$sid" one reason)
    run_bosk report "$sid"
    expect_text 'while one ran, these changed where nobody worked: .*a.txt' "$OUT"
    grep -qr evil "$(grep -oE '/[^ ]*/outside' "$OUT")"
    equal "other" "$(task_field "$sid" other state)" integrated
}

@test "a file in a worktree where another task works is nobody's proof" {
    write_file "$SCRATCH/p.yaml" <<YAML
tasks:
  - {id: one, run: 'until test -e $SCRATCH/ready; do sleep 0.05; done; echo evil >"\$(cat $SCRATCH/ready)/new.txt"; touch $SCRATCH/go; echo one >one.txt'}
  - {id: two, run: 'pwd >$SCRATCH/r && mv $SCRATCH/r $SCRATCH/ready; until test -e $SCRATCH/go; do sleep 0.05; done; echo two >two.txt'}
YAML
    run_bosk run "$SCRATCH/p.yaml" --jobs 2 -c retries=0
    expect_status 0
    sid=$(last_sid)
    equal "one" "$(task_field "$sid" one state)" integrated
    equal "two" "$(task_field "$sid" two state)" integrated
}

@test "the user commits, edits, branches and fetches meanwhile: told at most, the tasks are done" {
    git clone -q --bare "$REPO" "$SCRATCH/origin.git"
    git remote add origin "$SCRATCH/origin.git"
    git fetch -q origin
    write_file "$SCRATCH/p.yaml" <<YAML
tasks:
  - {id: one, run: 'touch $SCRATCH/started; until test -e $SCRATCH/go; do sleep 0.05; done; git -c user.name=a -c user.email=a@a merge -q main; echo one >one.txt'}
YAML
    start_bosk run "$SCRATCH/p.yaml" --jobs 2 -c retries=0 --land merge
    wait_until "[ -e '$SCRATCH/started' ]" 60
    echo mine >mine.txt
    git add mine.txt
    git commit -qm 'By the user'
    git branch theirs
    git push -q origin main
    touch "$SCRATCH/go"
    wait_bosk
    expect_status 0
    sid=$(last_sid)
    # The agent merged the user's commit (a fast-forward): that makes it nobody's escape.
    equal "state" "$(task_field "$sid" one state)" landed
    run_bosk report "$sid"
    expect_text 'while one ran, refs/heads/main went from' "$OUT"
    expect_text 'while one ran, refs/heads/theirs came' "$OUT"
    refute grep -q refs/remotes "$OUT"
}

@test "another session's branches and landing are explained" {
    write_file "$SCRATCH/p.yaml" <<YAML
tasks:
  - {id: one, run: 'touch $SCRATCH/started; until test -e $SCRATCH/go; do sleep 0.05; done; echo one >one.txt'}
YAML
    write_file "$SCRATCH/q.yaml" <<YAML
tasks:
  - {id: quick, run: 'echo quick >quick.txt'}
YAML
    start_bosk run "$SCRATCH/p.yaml" --jobs 1 -c retries=0
    wait_until "[ -e '$SCRATCH/started' ]" 60
    "$BOSK_BIN" run "$SCRATCH/q.yaml" --land merge >"$SCRATCH/q.out" 2>&1 3>&-
    touch "$SCRATCH/go"
    wait_bosk
    expect_status 0
    sid=$(status_json '.sessions[] | select(.tasks[0].id == "one") | .id')
    run_bosk report "$sid"
    refute grep -q 'refs/heads' "$OUT"
}

@test "a look at the checkout that is going on when the session is left at once ends with it" {
    # This git never ends its first look at the checkout.
    mkfifo "$SCRATCH/never"
    write_file "$SCRATCH/bin/git" <<SH
#!/bin/sh
case " \$* " in *" --untracked-files=normal "*) echo \$\$ >"$SCRATCH/looking"; read -r line <"$SCRATCH/never" ;; esac
exec "$(command -v git)" "\$@"
SH
    chmod +x "$SCRATCH/bin/git"
    printf 'tasks:\n  - {id: one, run: "echo one > one.txt"}\n' >"$SCRATCH/p.yaml"
    PATH=$SCRATCH/bin:$PATH start_bosk run "$SCRATCH/p.yaml"
    wait_until "[ -s '$SCRATCH/looking' ]"
    # TERM counts for two, and the third leaves at once.
    kill -TERM "$bosk_pid"
    wait_until "grep -q 'stopping: agents are stopped' '$ERR'"
    kill -INT "$bosk_pid"
    wait_bosk
    expect_status 130
    refute grep -q LeakSanitizer "$ERR"
    refute alive "$(cat "$SCRATCH/looking")"
}
