#!/usr/bin/env bats
# Dead sessions in odd surroundings: what the clean-up meets in worktrees, branches and objects that others changed.
# shellcheck disable=SC2154,SC2030,SC2031 # variables set by run_bosk and setup; each test is a subshell

load ../lib/flow
load ../lib/orphan

: "${BOSK_TEST_STORE_EDIT:?names the program store_edit}"

setup() { orphan_setup; }
teardown() { flow_teardown; }

@test "a commit that a power cut left cut off: what reads it says so, and comes to an end" {
    orphan
    local tip file
    tip=$(git rev-parse "refs/bosk/int/$sid")
    file=.git/objects/${tip:0:2}/${tip:2}
    cp "$file" "$SCRATCH/whole"
    chmod u+w "$file"
    truncate -s 80 "$file"
    run_bosk status
    expect_status 0
    run_bosk report
    expect_status 0
    run_bosk verify
    expect_status 1
    expect_text "$sid: commit ${tip:0:12} on its branch cannot be read" "$OUT"
    run_bosk gc --dry-run
    expect_status 0
    touch "$SCRATCH/second"
    run_bosk resume "$sid"
    expect_status 1
    expect_text "$file is damaged"
    cp -f "$SCRATCH/whole" "$file"
    run_bosk verify
    expect_status 0
}

# gc_at WORDS: gc is stopped when it is about to run its first git command with these words, until the file go_on is
# made. PATH is as before after it.
gc_at() {
    write_file "$SCRATCH/bin/git" <<SH
#!$BASH
case " \$* " in
*" $1 "*)
    if mkdir '$SCRATCH/stopped' 2>/dev/null; then
        until [ -e '$SCRATCH/go_on' ]; do sleep 0.05; done
    fi
    ;;
esac
exec '$(command -v git)' "\$@"
SH
    chmod +x "$SCRATCH/bin/git"
    PATH=$SCRATCH/bin:$PATH "$BOSK_BIN" gc --max-age 0s >"$SCRATCH/gc.out" 2>&1 </dev/null 3>&- &
    gc_pid=$!
    wait_until "[ -d '$SCRATCH/stopped' ]" 60
}

@test "while a clean-up is at a dead session it is not said to run, and a resume waits for the clean-up" {
    orphan
    gc_at add
    equal "state" "$(status_json ".sessions[] | select(.id == \"$sid\") | .state")" interrupted
    run_bosk stop "$sid"
    expect_status 2
    expect_text "session $sid is not running"
    run_bosk run "$SCRATCH/p.yaml"
    expect_status 2
    expect_text "bosk resume $sid"
    gc # another one passes it over
    expect_status 0
    touch "$SCRATCH/second"
    start_bosk resume "$sid"
    wait_until "grep -q 'waiting: session $sid is cleaned up by process $gc_pid' '$ERR'" 60
    touch "$SCRATCH/go_on"
    wait_bosk
    expect_status 0
    wait "$gc_pid"
    rescued_whole "refs/bosk/rescue/$sid/work/1"
    equal "files" "$(git diff --name-only "$base" "integration-$sid" | tr '\n' ' ')" "done.txt good.txt "
}

last_event() { "$BOSK_TEST_STORE_EDIT" .git/bosk/store get manifest "$sid" last_event_boot_ms; }
@test "what gc could not remove is not younger because gc was there" {
    orphan
    git worktree unlock "$tree"
    git worktree lock --reason 'do not touch' "$tree"
    local before
    before=$(last_event)
    gc
    expect_status 0
    equal "last event" "$(last_event)" "$before"
    git worktree unlock "$tree"
    BOSK_FAILPOINT_IN=supervisor BOSK_FAILPOINT_AT=clean.worktree.saved:1 gc
    equal "status" "$status" 137
    git rev-parse -q --verify "refs/bosk/rescue/$sid/work/1" >/dev/null
    equal "last event" "$(last_event)" "$before"
}

@test "a checkout of the user's that a dead session has stays lent: gc says so, and has not failed" {
    unchecked 'the checkout is lent' B1
    start_bosk run "$SCRATCH/p.yaml" --no-worktree
    wait_until "[ -e '$SCRATCH/started' ]" 60
    sid=$(last_sid)
    kill -KILL "$bosk_pid"
    wait_bosk
    wait_until '[ -z "$(processes_of_test)" ]' 30
    for _ in 1 2; do
        gc
        expect_status 0
        expect_text "branch bosk/$sid/work stays: $REPO is lent to it: bosk resume $sid gives it back" "$OUT"
    done
    equal "new.txt" "$(cat new.txt)" new
    touch "$SCRATCH/second"
    run_bosk resume "$sid"
    expect_status 0
    equal "branch" "$(git symbolic-ref HEAD)" refs/heads/main
    gc
    expect_status 0
    refute grep -q stays "$OUT"
}

@test "what somebody changes or commits in a worktree while gc is at it is not lost" {
    orphan
    git -C "$tree" checkout -q --detach
    gc_at add
    git -C "$tree" commit -qam 'Committed meanwhile'
    touch "$SCRATCH/go_on"
    refute wait "$gc_pid"
    expect_text "worktree $tree stays: somebody committed in it while it was saved" "$SCRATCH/gc.out"
    rm -r "$SCRATCH/go_on" "$SCRATCH/stopped"
    gc_at 'worktree unlock'
    echo later >>"$tree/new.txt"
    echo later >"$tree/later.txt"
    touch "$SCRATCH/go_on"
    refute wait "$gc_pid"
    expect_text "worktree $tree stays: " "$SCRATCH/gc.out"
    gc
    expect_status 0
    assert_no_worktrees "$REPO"
    local last
    last=$(git for-each-ref --format='%(refname)' "refs/bosk/rescue/$sid/work" | tail -n 1)
    equal "new.txt" "$(git show "$last:new.txt" | tail -n 1)" later
    equal "later.txt" "$(git show "$last:later.txt")" later
    git log --format=%s "$last" | grep -qxF 'Committed meanwhile'
}

@test "a file that was copied in and is not ignored: unchanged it is no work, changed it is saved" {
    printf '*.copied\n' >>.gitignore
    git commit -qam 'Ignore more'
    base=$(git rev-parse HEAD)
    echo 'as it was' >same.txt
    echo 'as it was' >changed.txt
    mkdir folder
    echo 'as it was' >folder/one
    echo secret >env.copied
    more <<<'echo its own >> changed.txt; echo two > folder/two; echo its own >> env.copied'
    orphan -c 'worktrees.copy=[same.txt, changed.txt, folder, env.copied]'
    gc
    expect_status 0
    local ref=refs/bosk/rescue/$sid/work/1
    refute git cat-file -e "$ref:same.txt"
    equal "changed.txt" "$(git show "$ref:changed.txt")" "$(printf 'as it was\nits own')"
    equal "folder" "$(git show "$ref:folder/two")" two
    refute git cat-file -e "$ref:env.copied" # ignored: only listed
    git log -1 --format=%B "$ref" | grep -qxF '    env.copied'
    assert_no_worktrees "$REPO"
    touch "$SCRATCH/second"
    run_bosk resume "$sid"
    expect_status 0
    equal "files" "$(git diff --name-only "$base" "integration-$sid" | tr '\n' ' ')" "done.txt good.txt "
}

@test "a sparse checkout, a folder that was moved away, a target that is gone, a bind mount" {
    unchecked 'git sets up the sparse checkout in the configuration; what the rounds before saved is deleted' A5 B4
    more <<<'git sparse-checkout set --no-cone /a.txt; mkdir -p sub; echo hidden > sub/new.txt'
    orphan
    gc
    expect_status 0
    rescued_whole "refs/bosk/rescue/$sid/work/1"
    equal "hidden" "$(git show "refs/bosk/rescue/$sid/work/1:sub/new.txt")" hidden
    equal "b.txt" "$(git show "refs/bosk/rescue/$sid/work/1:sub/b.txt")" sub/b.txt
    forget_all
    rm "$SCRATCH/more"

    orphan
    git -C "$tree" checkout -q --detach
    mv "$tree" "$SCRATCH/away"
    gc
    expect_status 0
    expect_text "forgot worktree $tree, whose folder is gone" "$OUT"
    equal "staged" "$(git show "refs/bosk/rescue/$sid/work/1:staged.txt")" staged
    equal "away" "$(cat "$SCRATCH/away/new.txt")" new
    forget_all

    git checkout -qb other
    orphan
    git checkout -q main
    git branch -D other
    gc --sessions
    expect_status 0
    rescued_whole "refs/bosk/rescue/$sid/work/1"
    touch "$SCRATCH/second"
    run_bosk resume "$sid"
    expect_status 0
    gc --sessions
    expect_status 0
    expect_text "session $sid stays: its work is on integration-$sid and not in other" "$OUT"
    forget_all

    orphan
    mkdir "$tree/mnt" "$SCRATCH/source"
    echo precious >"$SCRATCH/source/precious"
    if mount --bind "$SCRATCH/source" "$tree/mnt" 2>/dev/null; then
        gc
        umount "$tree/mnt"
        expect_status 0
        expect_text "worktree $tree stays: something is mounted at $tree/mnt" "$OUT"
    else
        echo "# no bind mounts here: that part was left out" >&3
    fi
    gc
    expect_status 0
    equal "precious" "$(cat "$SCRATCH/source/precious")" precious
    assert_no_worktrees "$REPO"
}
