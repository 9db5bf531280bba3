#!/usr/bin/env bats
# The checkers the other flow tests rely on, seen to fail: each kind of change to a checkout is
# noticed, a stray process is found, a missing or doubled commit of a task too.

# shellcheck disable=SC2016 # conditions for wait_until are evaluated there

load ../lib/flow

setup() {
    flow_setup
    make_repo a.txt sub/b.txt
}
teardown() { flow_teardown; }

snap() { snapshot_checkout "$REPO" >"$SCRATCH/$1.snap"; }

@test "looking changes nothing and is repeatable" {
    dirty_checkout
    snap one
    snap two
    assert_same_snapshot "$SCRATCH/one.snap" "$SCRATCH/two.snap"
    grep -q 'stash@{1}' "$SCRATCH/one.snap"
    grep -q '^!! a.ignored' "$SCRATCH/one.snap"
    grep -q '^?? mine-untracked' "$SCRATCH/one.snap"
    grep -q '^MM mine-both' "$SCRATCH/one.snap"
    grep -q '^ D mine-deleted' "$SCRATCH/one.snap"
}

@test "every kind of change to a checkout is noticed" {
    dirty_checkout
    local -a changes=(
        'echo x >>mine-untracked'
        'echo x >>a.ignored'
        'echo x >>ignored-dir/object'
        'touch README.md'
        'chmod +x mine-unstaged'
        'ln -sf elsewhere mine-dir/link'
        'git add mine-unstaged'
        'git reset -q mine-new'
        'git update-index --force-write-index --chmod=+x mine-staged'
        'git stash drop -q'
        'git stash push -q && git stash pop -q'
        'git checkout -q -b other'
        'git branch other'
        'git tag other'
        'git commit -q --allow-empty -m x'
        'git config some.key value'
        'echo x >>.git/info/exclude'
        'mkdir -p .git/hooks && echo x >.git/hooks/post-merge'
        'touch .git/index.lock'
        'git rev-parse HEAD >.git/MERGE_HEAD'
        'echo x >new && rm new'
        'rm a.ignored'
        'mkdir empty'
    )
    local change
    cp -a "$REPO" "$SCRATCH/original"
    for change in "${changes[@]}"; do
        rm -rf "$REPO"
        cp -a "$SCRATCH/original" "$REPO"
        cd "$REPO"
        snap before
        bash -c "$change"
        snap after
        if assert_same_snapshot "$SCRATCH/before.snap" "$SCRATCH/after.snap" 2>/dev/null; then
            echo "not noticed: $change"
            false
        fi
    done
}

@test "refs of bosk are not the user's" {
    snap before
    git update-ref refs/bosk/int/a1b2c3 HEAD
    git update-ref refs/heads/integration-a1b2c3 HEAD
    git update-ref refs/heads/bosk/a1b2c3/task HEAD
    snap after
    assert_same_snapshot "$SCRATCH/before.snap" "$SCRATCH/after.snap"
}

@test "a stray process is found, a zombie and the test itself are not" {
    assert_no_strays a1b2c3
    BOSK_SESSION=a1b2c3 setsid sleep 300 3>&- &
    wait_until '[ -n "$(processes_of a1b2c3)" ]' 10
    run assert_no_strays a1b2c3
    [ "$status" = 1 ]
    [[ $output == *"sleep 300"* ]]
    [ -z "$(processes_of a1b2c4)" ]
    local pid
    pid=$(processes_of a1b2c3 | cut -d' ' -f1)
    [[ " $(processes_of_test | tr '\n' ' ')" == *" $pid "* ]]
    kill -KILL "$pid"
    wait_until 'assert_no_strays a1b2c3 2>/dev/null' 10
    # A zombie: its parent does not wait for it. (It ends after the exec: bash itself would reap it.)
    bash -c 'sleep 0.5 & exec sleep 300' 3>&- &
    local parent=$! child
    wait_until "[ -n \"\$(pgrep -P $parent)\" ] && ! alive \"\$(pgrep -P $parent)\"" 10
    child=$(pgrep -P "$parent")
    [ -e "/proc/$child" ]
    refute alive "$child"
    alive "$parent"
    kill -KILL "$parent"
    wait "$parent" 2>/dev/null || true
}

@test "a missing, doubled or unknown commit of a task is found" {
    local base sid=a1b2c3
    base=$(git rev-parse HEAD)
    make() { # TASK
        local tree tip commit merge hash
        hash=$(printf '%064d' 7)
        tip=$(git rev-parse -q --verify refs/bosk/int/$sid || echo "$base")
        tree=$(git rev-parse "HEAD^{tree}")
        commit=$(git commit-tree "$tree" -p "$tip" -m "$1" -m "Bosk-Session: $sid
Bosk-Queue: Q
Bosk-Task: $1
Bosk-Attempt: 1")
        merge=$(git commit-tree "$tree" -p "$tip" -p "$commit" -m "Merge task $1: $1" -m "Bosk-Session: $sid
Bosk-Queue: Q
Bosk-Task: $1
Bosk-Attempt: 1
Bosk-Result: $hash")
        git update-ref "refs/bosk/int/$sid" "$merge"
        git update-ref "refs/heads/integration-$sid" "$merge"
    }
    make one
    make two.x
    assert_once "$REPO" $sid "$base" one two.x
    refute assert_once "$REPO" $sid "$base" one
    refute assert_once "$REPO" $sid "$base" one two.x three
    refute assert_once "$REPO" $sid "$base" one twoyx
    make one
    refute assert_once "$REPO" $sid "$base" one two.x
    [ "$(trailer "integration-$sid" Bosk-Task)" = one ]
}

@test "waiting ends when the condition holds, and fails when it never does" {
    (sleep 0.3 && touch "$SCRATCH/there") 3>&- &
    wait_until "[ -e '$SCRATCH/there' ]" 10
    run wait_until false 0
    [ "$status" = 1 ]
}
