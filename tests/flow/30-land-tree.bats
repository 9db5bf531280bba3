#!/usr/bin/env bats
# Landing while the user works in the checkout: branches switched at the wrong moment, files that git does not show, sparse
# checkouts, a target that is checked out twice.
# shellcheck disable=SC2154,SC2016,SC2030,SC2031 # variables set by run_bosk and setup; conditions for wait_until; each test is a subshell

load ../lib/flow

setup() {
    flow_setup
    make_repo a.txt in/dir/x in/i out/o
    # Does what a test put there while it runs.
    write_file "$SCRATCH/gate" <<SH
#!/bin/sh
[ ! -e "$SCRATCH/then" ] || . "$SCRATCH/then"
SH
    chmod +x "$SCRATCH/gate"
}
teardown() { flow_teardown; }

# A session of one task, which does this; --gates: and the gate.
session() {
    [ "$1" != --gates ] || {
        [ -e bosk.yaml ] || commit_config <<<"gates: [{name: then, run: '$SCRATCH/gate'}]"
        shift
    }
    jq -n --arg run "$1" '{tasks: [{id: "one", run: $run}]}' >"$SCRATCH/p.yaml"
    run_bosk run "$SCRATCH/p.yaml" --no-preflight
    expect_status 0
    sid=$(last_sid)
}
# The user commits on main: then the gates run before a landing.
moves() {
    echo "${1:-theirs}" >theirs.txt
    git add theirs.txt
    git commit -qm 'By the user'
}
refused() { # PATTERN: lands not, changes nothing, does not stand in the way of anything else
    snapshot_checkout "$REPO" >"$SCRATCH/before"
    run_bosk land --merge "$sid"
    expect_status 1
    expect_text "$1"
    snapshot_checkout "$REPO" >"$SCRATCH/after"
    assert_same_snapshot "$SCRATCH/before" "$SCRATCH/after"
    run_bosk land --keep "$sid"
    expect_status 0
    assert_verified
}
lands() {
    run_bosk land --merge "$sid"
    expect_status 0
    expect_text 'landed on main' "$OUT"
    assert_verified
}

@test "the user leaves the target while the gates run: it moves, and what is checked out by now does not" {
    local how at
    for how in 'switch -qc feature' 'switch -q --detach'; do
        git switch -q main
        session --gates "echo '$how' > one.txt"
        moves "$how"
        printf 'git -C "%s" %s\n' "$REPO" "$how" >"$SCRATCH/then"
        at=$(git rev-parse main)
        lands
        rm "$SCRATCH/then"
        equal "HEAD" "$(git rev-parse HEAD)" "$at"
        equal "status" "$(git status --porcelain)" ''
        equal "main" "$(git rev-parse main^1)" "$at"
        git branch -q -D feature 2>/dev/null || true
    done
}

@test "the user comes to the target while the gates run: the tree moves with it" {
    session --gates 'echo one > one.txt'
    moves
    git switch -qc other
    printf 'git -C "%s" switch -q main\n' "$REPO" >"$SCRATCH/then"
    lands
    equal "status" "$(git status --porcelain)" ''
    equal "HEAD" "$(git symbolic-ref HEAD) $(git rev-parse HEAD)" "refs/heads/main $(git rev-parse main)"
    equal "one.txt" "$(cat one.txt)" one
}

@test "checked out in two worktrees: refused with both named; in one again: landed" {
    session 'echo one > one.txt'
    git worktree add -qf "$SCRATCH/second" main
    refused "main is checked out in $REPO and in $SCRATCH/second"
    equal "second" "$(git -C "$SCRATCH/second" status --porcelain)" ''
    git -C "$SCRATCH/second" switch -q --detach
    lands
}

@test "HEAD leads to the target over a symbolic ref: the tree moves with it" {
    git symbolic-ref refs/heads/alias refs/heads/main
    git symbolic-ref HEAD refs/heads/alias
    jq -n '{tasks: [{id: "one", run: "echo one > one.txt"}]}' >"$SCRATCH/p.yaml"
    run_bosk run "$SCRATCH/p.yaml" --target main --land merge
    expect_status 0
    sid=$(last_sid)
    equal "status" "$(git status --porcelain)" ''
    equal "one.txt" "$(cat one.txt)" one
    equal "HEAD" "$(cat .git/HEAD)" 'ref: refs/heads/alias'
}

@test "sparse or not, no file of the user's is written over: in place of a folder, and in a folder that gives way" {
    local kind
    unchecked 'git sparse-checkout sets extensions.worktreeConfig' B4
    for kind in whole sparse; do
        git switch -q main
        [ "$kind" = whole ] || git sparse-checkout set in
        echo '*.ign' >>.git/info/exclude
        session "rm -r in/dir; echo $kind > in/dir"
        echo precious >in/dir/secret.ign
        refused 'in/dir/secret.ign is in the way'
        rm in/dir/secret.ign
        echo precious >in/dir/notes
        refused 'in/dir/notes is in the way'
        rm in/dir/notes
        session "mkdir in/d in/e.ign; echo $kind > in/d/x; echo x > in/e.ign/x; git add -f in"
        echo precious >in/d
        refused 'in/d is in the way'
        rm in/d
        echo precious >in/e.ign
        refused 'in/e.ign is in the way'
        rm in/e.ign
        ln -s elsewhere in/d
        refused 'in/d is in the way'
        rm in/d
    done
    lands
    equal "in/d/x" "$(cat in/d/x)" sparse
}

@test "what the user changed behind a mark of the index stays, and nothing is said to be half done" {
    session 'echo 21 >> a.txt; echo n > new.txt'
    local mark
    for mark in assume-unchanged skip-worktree; do
        git update-index "--$mark" a.txt
        for text in '' 'something else'; do
            printf '%s' "$text" >a.txt
            refused 'a.txt in .* is not as it was committed \(it is marked assume-unchanged or skip-worktree'
            equal "a.txt" "$(cat a.txt)" "$text"
        done
        git update-index "--no-$mark" a.txt
        git checkout -q a.txt
    done
    git update-index --assume-unchanged a.txt
    lands
    equal "status" "$(git status --porcelain)" ''
}

@test "a landing killed while git writes a sparse tree is put right, also outside of what is checked out" {
    unchecked 'a resume goes on with the landing that was asked for; git sparse-checkout sets extensions.worktreeConfig' B1 B4
    echo 'in/z* filter=slow' >.gitattributes
    git add .
    git commit -qm filter
    git config filter.slow.clean cat
    git config filter.slow.smudge "test ! -e '$SCRATCH/slow' || { touch '$SCRATCH/slow/now'; sleep 600; }; cat"
    git sparse-checkout set in
    session 'git sparse-checkout disable; echo 21 >> in/i; echo 21 >> out/o; echo z > in/z; echo p > out/p'
    mkdir "$SCRATCH/slow"
    start_bosk land --merge "$sid"
    wait_until "[ -e '$SCRATCH/slow/now' ]"
    # shellcheck disable=SC2046 # pids
    kill -KILL $(processes_of_test)
    wait_bosk || true
    wait_until '[ -z "$(processes_of_test)" ]'
    rm -r "$SCRATCH/slow"
    run_bosk resume "$sid"
    expect_status 0
    equal "status" "$(git status --porcelain)" ''
    equal "tree" "$(git rev-parse 'main^{tree}')" "$(git write-tree)"
    equal "marks" "$(git ls-files -t out | cut -c1 | sort -u)" S
    git show main:out/o | grep -qx 21
    grep -qx 21 in/i
    assert_verified
}

@test "the user's merge options do not keep it from being a fast-forward of the tree" {
    session 'echo one > one.txt'
    git config branch.main.mergeOptions '--no-ff --no-commit -s ours'
    lands
    equal "status" "$(git status --porcelain)" ''
    [ ! -e .git/MERGE_HEAD ]
    session 'echo two > two.txt'
    git config branch.main.mergeOptions '--squash'
    lands
    [ ! -e .git/SQUASH_MSG ]
}
