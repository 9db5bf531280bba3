#!/usr/bin/env bats
# Landing: keep, merge into a checked-out and into a free target, and every case in which nothing
# may be touched.
# shellcheck disable=SC2154,SC2030,SC2031 # variables set by run_bosk and setup; each test is a subshell

load ../lib/flow

setup() {
    flow_setup
    make_repo a.txt sub/b.txt
    commit_config <<'YAML'
gates:
  - {name: whole, run: 'test ! -e broken.txt'}
YAML
    write_file "$SCRATCH/p.yaml" <<'YAML'
tasks:
  - {id: one, run: 'echo one > one.txt'}
  - {id: two, needs: [one], run: 'cat one.txt a.txt > two.txt && echo changed > a.txt'}
YAML
    BASE=$(git rev-parse HEAD)
}
teardown() { flow_teardown; }

# A batch that is integrated and kept; its session in $sid.
batch() {
    run_bosk run "$SCRATCH/p.yaml" "$@"
    expect_status 0 || return
    sid=$(last_sid)
    TIP=$(git rev-parse "integration-$sid")
}
# unchanged COMMAND...: it must not change anything that is the user's.
unchanged() {
    snapshot_checkout "$REPO" >"$SCRATCH/before"
    "$@" || return
    snapshot_checkout "$REPO" >"$SCRATCH/after"
    assert_same_snapshot "$SCRATCH/before" "$SCRATCH/after"
}
refused() {
    run_bosk land --merge "$sid"
    expect_status 1
}

@test "keep: the integration branch stays, main and the checkout are as they were" {
    dirty_checkout
    BASE=$(git rev-parse HEAD)
    unchanged batch --land keep
    equal "main" "$(git rev-parse main)" "$BASE"
    unchanged run_bosk land --keep "$sid"
    expect_status 0
    equal "tip" "$(git rev-parse "integration-$sid")" "$TIP"
    equal "state" "$(task_field "$sid" one state)" integrated
}

@test "merge into main, checked out and clean: files, index and HEAD move together" {
    batch
    echo mine >untracked.txt
    echo '*.ignored' >>.git/info/exclude
    echo secret >a.ignored
    run_bosk land --merge "$sid"
    expect_status 0
    equal "branch" "$(git symbolic-ref HEAD)" refs/heads/main
    git merge-base --is-ancestor "$TIP" main
    equal "tree" "$(git rev-parse 'main^{tree}')" "$(git rev-parse "$TIP^{tree}")"
    equal "status" "$(git status --porcelain --ignored)" '?? untracked.txt
!! a.ignored'
    equal "one.txt" "$(cat one.txt)" one
    equal "a.txt" "$(cat a.txt)" changed
    equal "state" "$(task_field "$sid" one state)" landed
    equal "state" "$(task_field "$sid" two state)" landed
    equal "untracked" "$(cat untracked.txt)" mine
    equal "stashes" "$(git stash list)" ""
    # A second landing has nothing to do and changes nothing.
    local main
    main=$(git rev-parse main)
    unchanged run_bosk land --merge "$sid"
    equal "main" "$(git rev-parse main)" "$main"
}

@test "run --land merge lands at the end" {
    run_bosk run "$SCRATCH/p.yaml" --land merge
    expect_status 0
    equal "state" "$(task_field "$(last_sid)" two state)" landed
    equal "file" "$(git show main:one.txt)" one
    equal "status" "$(git status --porcelain)" ""
}

@test "merge into a target that is checked out nowhere leaves the checkout alone" {
    git branch release
    dirty_checkout
    batch --target release
    local before
    before=$(git rev-parse release)
    snapshot_checkout "$REPO" | grep -v '^refs/heads/release ' >"$SCRATCH/before"
    run_bosk land --merge "$sid"
    expect_status 0
    snapshot_checkout "$REPO" | grep -v '^refs/heads/release ' >"$SCRATCH/after"
    assert_same_snapshot "$SCRATCH/before" "$SCRATCH/after"
    git merge-base --is-ancestor "$TIP" release
    git merge-base --is-ancestor "$before" release
    refute git merge-base --is-ancestor "$TIP" main
}

@test "main with uncommitted work: refused with exit 1, nothing changed, results kept" {
    local change
    batch
    cp -a "$REPO" "$SCRATCH/original"
    for change in 'echo mine >a.txt' 'echo mine >README.md && git add README.md' \
        'echo mine >new.txt && git add new.txt' 'rm a.txt' 'echo in the way >one.txt' \
        'echo one.txt >>.git/info/exclude && echo ignored but mine >one.txt' \
        'git mv a.txt c.txt' 'git update-index --chmod=+x README.md'; do
        rm -rf "$REPO"
        cp -a "$SCRATCH/original" "$REPO"
        cd "$REPO"
        bash -c "$change"
        git update-index -q --refresh || true # copying changed what git knows of the files' inodes
        if ! unchanged refused; then
            echo "with: $change"
            false
        fi
        equal "main" "$(git rev-parse main)" "$BASE"
        equal "tip" "$(git rev-parse "integration-$sid")" "$TIP"
        equal "state" "$(task_field "$sid" one state)" integrated
    done
    # Once it is clean again, the same command lands.
    rm -rf "$REPO"
    cp -a "$SCRATCH/original" "$REPO"
    cd "$REPO"
    run_bosk land --merge "$sid"
    expect_status 0
}

@test "run --land merge on a dirty main: everything integrated, not landed, exit 1, nothing changed" {
    echo mine >a.txt
    snapshot_checkout "$REPO" >"$SCRATCH/before"
    run_bosk run "$SCRATCH/p.yaml" --land merge
    expect_status 1
    snapshot_checkout "$REPO" >"$SCRATCH/after"
    assert_same_snapshot "$SCRATCH/before" "$SCRATCH/after"
    sid=$(last_sid)
    equal "state" "$(task_field "$sid" two state)" integrated
    assert_once "$REPO" "$sid" "$BASE" one two
}

@test "a merge, rebase or bisect under way: refused, nothing changed" {
    batch
    git checkout -qb side "$BASE"
    echo side >README.md
    git commit -qam side
    git checkout -q main
    echo main >README.md
    git commit -qam main
    BASE=$(git rev-parse main)
    refute git merge -q side
    unchanged refused
    git merge --abort
    # A rebase of the target detaches HEAD, and main is still in use.
    refute git rebase -q side
    unchanged refused
    git rebase --abort
}

@test "the target moved meanwhile: both histories are in it" {
    batch
    echo new >theirs.txt
    git add theirs.txt
    git commit -qm 'By the user, meanwhile'
    local theirs
    theirs=$(git rev-parse main)
    run_bosk land --merge "$sid"
    expect_status 0
    git merge-base --is-ancestor "$theirs" main
    git merge-base --is-ancestor "$TIP" main
    equal "theirs" "$(cat theirs.txt)" new
    equal "ours" "$(cat one.txt)" one
    equal "status" "$(git status --porcelain)" ""
    equal "state" "$(task_field "$sid" two state)" landed
}

@test "the target moved and does not merge: refused, nothing changed" {
    batch
    echo 'the user says' >a.txt
    git commit -qam 'By the user, in the way'
    BASE=$(git rev-parse main)
    unchanged refused
    equal "main" "$(git rev-parse main)" "$BASE"
    equal "tip" "$(git rev-parse "integration-$sid")" "$TIP"
}

@test "the user's commits of the run's time are never lost: main moves while tasks run" {
    write_file "$SCRATCH/p.yaml" <<YAML
tasks:
  - {id: one, run: 'touch "$SCRATCH/started"; until test -e "$SCRATCH/go"; do sleep 0.05; done; echo one > one.txt'}
YAML
    start_bosk run "$SCRATCH/p.yaml" --land merge
    wait_until "[ -e '$SCRATCH/started' ]" 60
    echo new >theirs.txt
    git add theirs.txt
    git commit -qm 'By the user, during the run'
    local theirs
    theirs=$(git rev-parse main)
    touch "$SCRATCH/go"
    wait_bosk
    expect_status 0
    git merge-base --is-ancestor "$theirs" main
    equal "one" "$(cat one.txt)" one
    equal "theirs" "$(cat theirs.txt)" new
    equal "status" "$(git status --porcelain)" ""
}

@test "how it is landed: the plan says it, an option wins; two files that differ are a fault" {
    unchecked 'the plan says that it lands' B1
    { echo 'land: merge'; cat "$SCRATCH/p.yaml"; } >"$SCRATCH/m.yaml"
    run_bosk run "$SCRATCH/m.yaml" --land keep
    expect_status 0
    equal "state" "$(task_field "$(last_sid)" one state)" integrated
    run_bosk run "$SCRATCH/m.yaml" --fresh
    expect_status 0
    equal "state" "$(task_field "$(last_sid)" one state)" landed
    printf 'land: %s\ntasks: [{id: more, run: "true"}]\n' keep >"$SCRATCH/k.yaml"
    run_bosk plan "$SCRATCH/m.yaml" "$SCRATCH/k.yaml"
    expect_status 2
    expect_text 'k.yaml:1:7: land: is keep, and merge in another file'
    printf 'land: %s\ntasks: [{id: more, run: "true"}]\n' main >"$SCRATCH/k.yaml"
    run_bosk plan "$SCRATCH/k.yaml"
    expect_status 2
    expect_text 'k.yaml:1:7: land: must be keep, merge or pr'
}

@test "land --ask: on a terminal, in the order of the original; without one nothing is done" {
    batch
    run_bosk land --ask "$sid"
    expect_status 2
    expect_text 'needs a terminal: give --pr, --merge or --keep instead'
    printf '2\n' | SHELL=/bin/sh timeout 60 script -qec "exec '$BOSK_BIN' land --ask $sid" "$SCRATCH/typescript" >/dev/null 2>&1
    equal "asked" "$(tr -d '\r' <"$SCRATCH/typescript" | grep -oE '^  [123]\. [A-Z][a-z]+' | xargs -d'\n')" '  1. Create   2. Merge   3. Keep'
    git merge-base --is-ancestor "$TIP" main
}
