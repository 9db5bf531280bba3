#!/usr/bin/env bats
# Working in a checkout of the user's: --no-worktree and --worktree PATH. It must be clean, is given back as it
# was, and is never removed.

load ../lib/flow.bash

setup() {
    flow_setup
    make_repo a.txt
    printf '*.ignored\n' >.gitignore && git add -A && git commit -qm 'What is ignored'
    echo mine >keep.ignored
    unchecked 'the checkout is lent' B1
    PLAN=$SCRATCH/plan.yaml
    write_file "$PLAN" <<'YAML'
tasks:
  - {id: one, run: "pwd >where; echo 1 >one"}
  - {id: two, run: "test -e one && echo 2 >two", needs: [one]}
YAML
    ONE=$SCRATCH/one.yaml
    write_file "$ONE" <<'YAML'
tasks: [{id: only, run: "pwd >where"}]
YAML
}
teardown() { flow_teardown; }

# The checkout at $1 (default: the repository) is on branch $2 (default: main), clean, with its ignored file.
given_back() {
    local at=${1:-$REPO}
    [ "$(git -C "$at" symbolic-ref HEAD)" = "refs/heads/${2:-main}" ]
    [ "$(git -C "$at" status --porcelain)" = '' ]
    [ "$(cat "$REPO/keep.ignored")" = mine ]
    [ "$(find "$REPO/.git" -maxdepth 3 -name 'bosk-*')" = '' ] || { find "$REPO/.git" -maxdepth 3 -name 'bosk-*' >&2; return 1; }
}
# Started, and nothing left of it.
refused() { # STATUS TEXT
    expect_status "$1"
    grep -qE -- "$2" "$ERR" || { echo "$err" >&2; return 1; }
    [ "$(status_json '.sessions | length')" = "${3:-0}" ]
}

@test "--no-worktree: one after the other in this checkout, which is then as it was" {
    local head
    head=$(git rev-parse HEAD)
    run_bosk run "$PLAN" --no-worktree
    expect_status 0
    given_back
    [ "$(git rev-parse HEAD)" = "$head" ]
    [ ! -e one ]
    [ "$(git show "integration-$(last_sid):where")" = "$REPO" ]
    [ "$(git show "integration-$(last_sid):two")" = 2 ]
    [ ! -e "$REPO.worktrees" ] || [ -z "$(ls -A "$REPO.worktrees")" ]
    run_bosk report
    ! grep -qE 'while .* ran|stays' "$OUT"
    run_bosk verify
    expect_status 0
    run_bosk land --merge
    expect_status 0
    [ "$(cat two)" = 2 ]
    given_back
}

@test "--no-worktree --land merge: the checkout follows its branch" {
    run_bosk run "$PLAN" --no-worktree --land merge
    expect_status 0
    given_back
    [ "$(cat one two)" = $'1\n2' ]
}

@test "--no-worktree with gates: on the base, the merge and the tip" {
    commit_config <<'YAML'
gates: [{name: g, run: "test ! -e bad"}]
YAML
    run_bosk run "$PLAN" --no-worktree
    expect_status 0
    given_back
    write_file "$SCRATCH/bad.yaml" <<<'tasks: [{id: bad, run: "touch bad"}]'
    run_bosk run "$SCRATCH/bad.yaml" --no-worktree -c fix_attempts=0
    expect_status 1
    given_back
    git rev-parse -q --verify "refs/heads/$(task_field "$(last_sid)" bad branch)"
    # Red on the base: nothing was started.
    touch bad && git add bad && git commit -qm 'Bad'
    run_bosk run "$ONE" --no-worktree
    expect_status 4
    given_back
}

@test "a task that fails leaves its work on its branch, and the next one begins clean" {
    write_file "$SCRATCH/fails.yaml" <<'YAML'
tasks:
  - {id: bad, run: "echo half >half; echo changed >a.txt; exit 3"}
  - {id: good, run: "test ! -e half && test \"$(cat a.txt)\" = a.txt && echo g >good"}
YAML
    run_bosk run "$SCRATCH/fails.yaml" --no-worktree -c retries=0
    expect_status 1
    given_back
    [ "$(git show "$(task_field "$(last_sid)" bad branch):half")" = half ]
    [ "$(git show "integration-$(last_sid):good")" = g ]
}

@test "what is in the way is named, before anything starts" {
    echo more >>a.txt
    run_bosk run "$PLAN" --no-worktree
    refused 2 "$REPO is not clean \( M a.txt\)"
    git add a.txt
    run_bosk run "$PLAN" --no-worktree
    refused 2 'not clean \(M  a.txt\)'
    git reset -q --hard && echo x >untracked
    run_bosk run "$PLAN" --no-worktree
    refused 2 'not clean \(\?\? untracked\)'
    rm untracked
    git checkout -q -b side && echo s >a.txt && git commit -qam s && git checkout -q main && echo m >a.txt &&
        git commit -qam m
    git merge side >/dev/null || true
    git checkout -q --ours a.txt && git add a.txt
    run_bosk run "$PLAN" --no-worktree
    refused 2 'in the middle of a merge'
    git merge --abort
    touch .git/index.lock
    run_bosk run "$PLAN" --no-worktree
    refused 2 'index.lock is there'
    rm .git/index.lock
    run_bosk run "$PLAN" --no-worktree --jobs 2
    refused 2 'one task runs at a time'
    run_bosk run "$PLAN" --no-worktree --worktree "$REPO"
    refused 2 'not both'
    given_back
}

@test "--worktree PATH: an existing linked worktree, for one task" {
    git worktree add -q -b mine "$SCRATCH/mine"
    run_bosk run "$ONE" --worktree "$SCRATCH/mine"
    expect_status 0
    given_back "$SCRATCH/mine" mine
    [ "$(git show "integration-$(last_sid):where")" = "$SCRATCH/mine" ]
    [ ! -e "$SCRATCH/mine/where" ]
    git worktree list | grep -q "$SCRATCH/mine" # never removed
    run_bosk report
    ! grep -qE 'while .* ran|stays' "$OUT"
    run_bosk verify
    expect_status 0
    git -C "$SCRATCH/mine" checkout -q --detach
    cd "$SCRATCH" # a path is from the folder of -C, as with git
    run_bosk -C "$REPO" run "$ONE" --fresh --worktree ../mine
    expect_status 0
    ! git -C mine symbolic-ref -q HEAD
    [ "$(git -C mine rev-parse HEAD)" = "$(git -C "$REPO" rev-parse mine)" ]
}

@test "--worktree PATH: what it cannot be" {
    git worktree add -q -b mine "$SCRATCH/mine"
    git init -q "$SCRATCH/other" && git -C "$SCRATCH/other" -c user.name=x -c user.email=x@y commit -q --allow-empty -m x
    run_bosk run "$PLAN" --worktree "$SCRATCH/mine"
    refused 2 'for one task, and this plan has 2'
    run_bosk run "$ONE" --worktree "$SCRATCH/none"
    refused 2 'no such folder'
    run_bosk run "$ONE" --worktree "$REPO"
    refused 2 'main checkout'
    run_bosk run "$ONE" --worktree "$SCRATCH/other"
    refused 2 'not a worktree of this repository'
    mkdir "$SCRATCH/mine/below"
    run_bosk run "$ONE" --worktree "$SCRATCH/mine/below"
    refused 2 "the worktree's top is $SCRATCH/mine"
    echo x >"$SCRATCH/mine/a.txt"
    run_bosk run "$ONE" --worktree "$SCRATCH/mine"
    refused 2 'not clean'
    git -C "$SCRATCH/mine" checkout -q a.txt
    git worktree lock "$SCRATCH/mine"
    run_bosk run "$ONE" --worktree "$SCRATCH/mine"
    refused 2 'locked'
}

# A session in $REPO whose task waits for a line in $SCRATCH/go.
waiting() {
    mkfifo "$SCRATCH/go"
    write_file "$SCRATCH/wait.yaml" <<YAML
tasks: [{id: w, run: "echo half >half; echo changed >a.txt; touch '$SCRATCH/runs'; read x <'$SCRATCH/go'; echo w >w"}]
YAML
    start_bosk run "$SCRATCH/wait.yaml" --no-worktree "$@"
    wait_until "[ -e '$SCRATCH/runs' ]" 60
    sid=$(last_sid)
}
aside() { local OUT=$SCRATCH/out2 ERR=$SCRATCH/err2; run_bosk "$@"; }

@test "a checkout where a session works is nobody else's" {
    waiting
    aside run "$ONE" --no-worktree
    [ "$status" = 5 ]
    grep -q "is a worktree of session $sid (running)" "$SCRATCH/err2"
    echo >"$SCRATCH/go"
    wait_bosk
    expect_status 0
    given_back
}

@test "killed with -9: resume saves what was there, and gives the checkout back" {
    waiting
    kill -KILL "$bosk_pid"
    wait_bosk
    wait_until "! pgrep -f '$SCRATCH/[g]o' >/dev/null" 30
    [ "$(git symbolic-ref HEAD)" = "refs/heads/bosk/$sid/w" ]
    run_bosk run "$ONE" --no-worktree
    expect_status 2
    grep -q "bosk resume $sid" "$ERR"
    (echo >"$SCRATCH/go") 3>&- &
    run_bosk resume
    expect_status 0
    given_back
    [ "$(git show "integration-$sid:w")" = w ]
    git for-each-ref --format='%(refname)' "refs/bosk/keep/$sid/w" | while read -r ref; do git show "$ref:half"; done | grep -q half
    run_bosk verify
    expect_status 0
}

@test "killed with -9, and the user took the checkout back: nothing of theirs is touched" {
    waiting
    kill -KILL "$bosk_pid"
    wait_bosk
    wait_until "! pgrep -f '$SCRATCH/[g]o' >/dev/null" 30
    git stash push -qu -m "saved by hand" && git checkout -q main
    echo "my work" >a.txt
    run_bosk resume
    expect_status 2
    grep -q 'not clean' "$ERR"
    [ "$(cat a.txt)" = "my work" ]
    git commit -qam 'My work'
    (echo >"$SCRATCH/go") 3>&- &
    run_bosk resume
    expect_status 0
    given_back
    [ "$(cat a.txt)" = "my work" ]
}

@test "stopped: the checkout is the user's until the resume" {
    waiting
    kill -INT "$bosk_pid"
    kill -INT "$bosk_pid" 2>/dev/null || true
    wait_until "grep -q 'stop' '$ERR' || ! alive $bosk_pid" 30
    alive "$bosk_pid" && aside stop "$sid" --now
    wait_bosk
    given_back
    git checkout -q -b elsewhere
    (echo >"$SCRATCH/go") 3>&- &
    run_bosk resume
    expect_status 0
    given_back "$REPO" elsewhere
    [ "$(git show "integration-$sid:w")" = w ]
}

# Ignored in more than one way: by name, as a folder, beside what a task makes, with signs that patterns know.
more_ignored() {
    echo 'build/' >>.gitignore && git commit -qam 'And build'
    mkdir -p build src/new
    echo o >build/o
    echo c >'src/new/c [1]*.ignored'
    (cd "$REPO" && find . -name .git -prune -o -type f -print | sort | xargs -d '\n' sha256sum) >"$SCRATCH/before"
}
# What the session's branch changes: names with A, M or D.
brought() { git diff --name-status --no-renames "main...integration-$(last_sid)" | tr '\t\n' '  '; }
all_there() {
    (cd "$REPO" && find . -name .git -prune -o -type f -print | sort | xargs -d '\n' sha256sum) | diff "$SCRATCH/before" -
}

@test "a task that changes what is ignored: the user's files are neither committed nor removed" {
    more_ignored
    write_file "$SCRATCH/rules.yaml" <<'YAML'
tasks:
  - {id: rules, run: "echo nothing >.gitignore; echo n >src/new/n"}
  - {id: after, run: "test -e keep.ignored && echo a >after", needs: [rules]}
YAML
    run_bosk run "$SCRATCH/rules.yaml" --no-worktree
    expect_status 0
    given_back
    all_there
    [ "$(brought)" = 'M .gitignore A after A src/new/n ' ]
}

@test "ignored files that a task adds by force, or commits, stay the user's" {
    more_ignored
    write_file "$SCRATCH/force.yaml" <<'YAML'
tasks:
  - {id: add, run: "git add -f keep.ignored build src && echo w >w"}
  - {id: commit, run: "git add -f keep.ignored && git commit -qm own && echo v >v"}
  - {id: fails, run: "git add -f . && git commit -qm own && exit 1"}
YAML
    run_bosk run "$SCRATCH/force.yaml" --no-worktree -c retries=0
    expect_status 1
    given_back
    all_there
    [ "$(brought)" = 'A v A w ' ]
}

@test "killed with -9 in a task that changed what is ignored: the user's files are there after the resume" {
    more_ignored
    mkfifo "$SCRATCH/go"
    write_file "$SCRATCH/wait.yaml" <<YAML
tasks: [{id: w, run: "echo no >.gitignore; git add -f build; touch '$SCRATCH/runs'; read x <'$SCRATCH/go'; echo w >w"}]
YAML
    start_bosk run "$SCRATCH/wait.yaml" --no-worktree
    wait_until "[ -e '$SCRATCH/runs' ]" 60
    kill -KILL "$bosk_pid"
    wait_bosk
    wait_until "! pgrep -f '$SCRATCH/[g]o' >/dev/null" 30
    (echo >"$SCRATCH/go") 3>&- &
    run_bosk resume
    expect_status 0
    given_back
    all_there
    [ "$(brought)" = 'M .gitignore A w ' ]
}

@test "a commit that has a file where the user has an ignored one is not checked out" {
    git add -f keep.ignored && git commit -qm 'In git'
    git rm -q --cached keep.ignored && git commit -qm 'Not in git' && echo mine >keep.ignored
    run_bosk run "$ONE" --no-worktree --base HEAD~1 -c retries=0
    expect_status 1
    grep -q 'has keep.ignored, where .* holds a file of yours that git ignores' "$ERR"
    given_back
}

@test "what git would not tell of is in the way too: hidden changes, submodules" {
    echo hidden >>a.txt && git update-index --assume-unchanged a.txt
    run_bosk run "$PLAN" --no-worktree
    refused 2 'changes of a.txt are hidden from git'
    git update-index --no-assume-unchanged a.txt && git update-index --skip-worktree a.txt
    run_bosk run "$PLAN" --no-worktree
    refused 2 'changes of a.txt are hidden from git'
    git update-index --no-skip-worktree a.txt && git checkout -q a.txt
    git clone -q "$REPO" "$SCRATCH/sub"
    git -c protocol.file.allow=always submodule --quiet add "$SCRATCH/sub" sub && git commit -qm 'Submodule'
    run_bosk run "$PLAN" --no-worktree
    refused 2 'the submodule sub is checked out there'
    [ -e sub/a.txt ]
}

@test "more that is in the way: a rebase, a bisect, no checkout at all" {
    git checkout -q -b side && echo s >a.txt && git commit -qam s && git checkout -q main && echo m >a.txt &&
        git commit -qam m
    git rebase -q side >/dev/null 2>&1 || true
    git checkout -q --theirs a.txt && git add a.txt
    run_bosk run "$PLAN" --no-worktree --target main
    refused 2 'in the middle of a rebase'
    git rebase --abort
    git bisect start -q
    run_bosk run "$PLAN" --no-worktree
    refused 2 'in the middle of a bisect'
    git bisect reset >/dev/null 2>&1
    git clone -q --bare "$REPO" "$SCRATCH/bare.git"
    cd "$SCRATCH/bare.git"
    run_bosk run "$PLAN" --no-worktree --target main
    expect_status 4
    grep -q 'is in a bare repository: there are no files to work on' "$ERR"
}

@test "a detached HEAD: --target must be given, and the commit is what it goes back to" {
    local at
    at=$(git rev-parse HEAD)
    git checkout -q --detach
    run_bosk run "$ONE" --no-worktree
    refused 2 '--target BRANCH'
    run_bosk run "$ONE" --no-worktree --target main
    expect_status 0
    ! git symbolic-ref -q HEAD
    [ "$(git rev-parse HEAD)" = "$at" ]
    [ "$(git status --porcelain)" = '' ]
}

@test "--worktree PATH: not where a living session works" {
    git worktree add -q -b mine "$SCRATCH/mine"
    mkfifo "$SCRATCH/go"
    write_file "$SCRATCH/wait.yaml" <<YAML
tasks: [{id: w, run: "touch '$SCRATCH/runs'; read x <'$SCRATCH/go'; echo w >w"}]
YAML
    start_bosk run "$SCRATCH/wait.yaml" --worktree "$SCRATCH/mine"
    wait_until "[ -e '$SCRATCH/runs' ]" 60
    sid=$(last_sid)
    aside run "$ONE" --worktree "$SCRATCH/mine"
    [ "$status" = 5 ]
    grep -q "is a worktree of session $sid (running)" "$SCRATCH/err2"
    echo >"$SCRATCH/go"
    wait_bosk
    expect_status 0
    given_back "$SCRATCH/mine" mine
}

@test "of several runs that start in one checkout at the same moment one goes on" {
    mkfifo "$SCRATCH/go"
    local i
    for i in 1 2 3 4; do
        write_file "$SCRATCH/p$i.yaml" <<YAML
tasks: [{id: w, run: "read x <'$SCRATCH/go'; echo $i >w"}]
YAML
        (
            "$BOSK_BIN" run "$SCRATCH/p$i.yaml" --no-worktree >/dev/null 2>"$SCRATCH/err-$i" </dev/null || echo $? >"$SCRATCH/code-$i"
        ) 3>&- &
    done
    wait_until "[ \"\$(ls '$SCRATCH'/code-* 2>/dev/null | wc -l)\" = 3 ]" 60
    [ "$(sort -u "$SCRATCH"/code-*)" = 5 ]
    echo >"$SCRATCH/go"
    wait
    [ "$(ls "$SCRATCH"/code-* | wc -l)" = 3 ]
    [ "$(status_json '.sessions | length')" = 1 ]
    given_back
}

@test "killed with -9 in its landing: resume lands, and takes nothing for its own worktree" {
    local at
    for at in land.forward.before land.forward.after land.record.before; do
        BOSK_FAILPOINT_AT=$at:1 BOSK_FAILPOINT_ONCE=$SCRATCH/once run_bosk run "$PLAN" --no-worktree --land merge
        expect_status 137
        rm "$SCRATCH/once"
        # What the user began meanwhile is not in the way, and not lost.
        echo new >new
        run_bosk resume
        expect_status 0
        [ "$(cat one two new keep.ignored)" = $'1\n2\nnew\nmine' ]
        rm new
        given_back
        git rm -q one two where && git commit -qm 'Again'
    done
}

@test "a worker that dies while it gives the checkout back: another gives it back" {
    local at
    for at in worktree.return.before worktree.return.after; do
        BOSK_FAILPOINT_IN=worker BOSK_FAILPOINT_AT=$at:1 BOSK_FAILPOINT_ONCE=$SCRATCH/once run_bosk run "$ONE" --no-worktree --fresh
        expect_status 0
        rm "$SCRATCH/once"
        given_back
        equal "state" "$(status_json '.sessions | sort_by(.started_at) | last | .state')" "done"
    done
}
