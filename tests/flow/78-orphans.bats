#!/usr/bin/env bats
# Sessions whose owner is dead: what they left is saved, then removed, and can be put back (bosk gc, bosk rescue).
# Nothing that is not provably theirs is touched.

load ../lib/flow
load ../lib/orphan

setup() { orphan_setup; }
teardown() { flow_teardown; }

@test "an orphan that is due: its work is saved, then worktree, branch and entry go; resume puts it back" {
    orphan
    run_bosk gc
    expect_status 0
    expect_text "session $sid is dead.*bosk resume $sid" "$OUT"
    [ -d "$tree" ]
    gc --dry-run
    expect_status 0
    expect_text "session $sid .*would be cleaned, with 1 worktree" "$OUT"
    [ -d "$tree" ]
    gc
    expect_status 0
    expect_text "work of work in .* is saved: refs/bosk/rescue/$sid/work/1" "$OUT"
    expect_text "removed worktree $tree" "$OUT"
    expect_text "removed branch bosk/$sid/work" "$OUT"
    expect_text "bosk resume $sid" "$OUT"
    rescued_whole "refs/bosk/rescue/$sid/work/1"
    assert_no_worktrees "$REPO"
    equal "branches" "$(git for-each-ref --format='%(refname:short)' 'refs/heads/bosk/**')" ''
    gc
    expect_status 0
    refute grep -q 'removed' "$OUT"
    # It goes on, at the same path, and what was put back is saved once more before the task begins again.
    touch "$SCRATCH/second"
    run_bosk resume "$sid"
    expect_status 0
    equal "files" "$(git diff --name-only "$base" "integration-$sid" | tr '\n' ' ')" "done.txt good.txt "
    assert_once "$REPO" "$sid" "$base" good work
    equal "put back" "$(git rev-parse "refs/bosk/keep/$sid/work/1-work^{tree}")" \
        "$(git rev-parse "refs/bosk/rescue/$sid/work/1^{tree}")"
    assert_no_worktrees "$REPO"
}

@test "the next run cleans what is due, and reports what is not" {
    orphan
    write_file "$SCRATCH/q.yaml" <<<'tasks: [{id: other, run: "echo other > other.txt"}]'
    run_bosk run "$SCRATCH/q.yaml"
    expect_status 0
    expect_text "session $sid is dead: .*bosk resume $sid"
    [ -d "$tree" ]
    write_file "$SCRATCH/r.yaml" <<<'tasks: [{id: third, run: "echo third > third.txt"}]'
    run_bosk -c orphans.resumable_max_age=1s run "$SCRATCH/r.yaml"
    expect_status 0
    if [ -d "$tree" ]; then # less than a second old
        wait_until "'$BOSK_BIN' gc --max-age 1s | grep -q 'removed worktree'" 30
    fi
    refute test -e "$tree"
    rescued_whole "refs/bosk/rescue/$sid/work/1"
}

@test "a living session is no orphan, however old: running, stopped by SIGSTOP, or in another's name" {
    start_bosk run "$SCRATCH/p.yaml" --jobs 1
    wait_until "[ -e '$SCRATCH/started' ]" 60
    sid=$(last_sid)
    gc --kill --sessions
    expect_status 0
    [ -d "$REPO.worktrees/$sid-1" ]
    kill -STOP "$bosk_pid"
    gc --kill --sessions
    expect_status 0
    kill -CONT "$bosk_pid"
    touch "$SCRATCH/go"
    wait_bosk
    expect_status 0
    equal "attempts" "$(task_field "$sid" work attempts)" 1
}

@test "cut off at any step the clean-up is finished by the next; nothing is lost" {
    unchecked 'what the rounds before saved is deleted' A5
    local at
    for at in rescue.ref.before rescue.ref.after clean.worktree.saved rescue.index.after worktree.remove.before \
        worktree.remove.unlocked worktree.remove.after clean.worktree.removed clean.branches.before \
        clean.branches.after clean.manifest.before clean.manifest.after; do
        forget_all
        orphan
        BOSK_FAILPOINT_IN=supervisor BOSK_FAILPOINT_AT=$at:1 gc
        equal "status at $at" "$status" 137
        if [ "$at" = clean.branches.before ]; then # a resume instead of the next gc
            touch "$SCRATCH/second"
            run_bosk resume "$sid"
            expect_status 0
            equal "files at $at" "$(git diff --name-only "$base" "integration-$sid" | tr '\n' ' ')" "done.txt good.txt "
        else
            gc
            expect_status 0
            assert_no_worktrees "$REPO"
            equal "branches at $at" "$(git for-each-ref 'refs/heads/bosk/**')" ''
        fi
        rescued_whole "refs/bosk/rescue/$sid/work/1"
    done
}

@test "cut off when HEAD had gone to what was saved, and the index not: saved once, and not again" {
    orphan
    BOSK_FAILPOINT_IN=supervisor BOSK_FAILPOINT_AT=clean.worktree.saved:1 gc
    equal "status" "$status" 137
    git -C "$tree" update-ref --no-deref HEAD "refs/bosk/rescue/$sid/work/1"
    gc
    expect_status 0
    assert_no_worktrees "$REPO"
    equal "saved" "$(git for-each-ref --format='%(refname)' refs/bosk/rescue)" "refs/bosk/rescue/$sid/work/1"
    rescued_whole "refs/bosk/rescue/$sid/work/1"
}

@test "half removed when the power went, with an index that was not flushed: saved once, and not again" {
    orphan
    BOSK_FAILPOINT_IN=supervisor BOSK_FAILPOINT_AT=worktree.remove.unlocked:1 gc
    equal "status" "$status" 137
    rm "$tree/.git" "$tree/README.md" "$REPO/.git/worktrees/$sid-1/index"
    gc
    expect_status 0
    assert_no_worktrees "$REPO"
    equal "saved" "$(git for-each-ref --format='%(refname)' refs/bosk/rescue)" "refs/bosk/rescue/$sid/work/1"
    rescued_whole "refs/bosk/rescue/$sid/work/1"
}

@test "what is not its own at its paths, locked trees, mounts and links stay, and the entry with them" {
    orphan
    git worktree unlock "$tree"
    git worktree lock --reason 'do not touch' "$tree"
    gc
    expect_status 0 # it was not for gc to remove
    expect_text "worktree $tree stays: git has it locked: do not touch" "$OUT"
    git worktree unlock "$tree"
    if mkdir "$tree/mnt" && mount -t tmpfs none "$tree/mnt" 2>/dev/null; then
        gc
        umount "$tree/mnt"
        expect_status 0
        expect_text "stays: something is mounted at $tree/mnt" "$OUT"
    fi
    rmdir "$tree/mnt"
    mkdir "$SCRATCH/outside"
    echo precious >"$SCRATCH/outside/precious"
    ln -s "$SCRATCH/outside" "$tree/link"
    mv "$tree" "$SCRATCH/away"
    ln -s "$SCRATCH/away" "$tree"
    gc
    expect_status 0
    expect_text "worktree $tree stays: it is a symbolic link" "$OUT"
    rm "$tree"
    mv "$SCRATCH/away" "$tree"
    gc
    expect_status 0
    rescued_whole "refs/bosk/rescue/$sid/work/1"
    equal "precious" "$(cat "$SCRATCH/outside/precious")" precious
    equal "the link" "$(git cat-file blob "refs/bosk/rescue/$sid/work/1:link")" "$SCRATCH/outside"
}

@test "look-alike branches and worktrees of the user's are not touched" {
    orphan
    git branch "bosk/$sid/mine"
    git branch "integration-ffffff"
    git worktree add -q -b other "$REPO.worktrees/$sid-7"
    git worktree add -q "$REPO.worktrees/abcdef-1" -b third
    gc
    expect_status 0
    git rev-parse -q --verify "bosk/$sid/mine" >/dev/null
    git rev-parse -q --verify integration-ffffff >/dev/null
    [ -d "$REPO.worktrees/$sid-7" ] && [ -d "$REPO.worktrees/abcdef-1" ]
    git worktree remove "$REPO.worktrees/$sid-7"
    git worktree remove "$REPO.worktrees/abcdef-1"
}

@test "work that cannot be saved keeps its worktree, and gc says so" {
    orphan
    chmod 000 "$tree/new.txt"
    if [ "$(id -u)" = 0 ]; then # root reads it all the same: something that git cannot add
        chmod 644 "$tree/new.txt"
        mkdir "$tree/nested"
        touch "$tree/nested/git~1" # a name that some systems take for .git
    fi
    gc
    expect_status 1
    expect_text "worktree $tree stays: " "$OUT"
    equal "new.txt" "$(cat "$tree/new.txt")" new
    equal "entry" "$(status_json ".sessions[] | select(.id == \"$sid\") | .worktrees | length")" 1
    rm -rf "$tree/nested"
    chmod 644 "$tree/new.txt"
    gc
    expect_status 0
    rescued_whole "refs/bosk/rescue/$sid/work/1"
}

@test "a merge and a rebase under way: what only they name is saved too" {
    more <<'SH'
git reset -q --hard
git checkout -q --detach
git rm -qf new.txt 2>/dev/null
echo theirs > a.txt; git commit -qam 'Their side'
theirs=$(git rev-parse HEAD)
git checkout -q HEAD~1; echo ours > a.txt; git commit -qam 'Our side'
git merge -q "$theirs"
SH
    orphan
    theirs=$(cat "$REPO/.git/worktrees/$sid-1/MERGE_HEAD")
    BOSK_FAILPOINT_IN=supervisor BOSK_FAILPOINT_AT=worktree.remove.before:1 gc
    gc
    expect_status 0
    git merge-base --is-ancestor "$theirs" "refs/bosk/rescue/$sid/work/1"
    equal "our side" "$(git log -1 --format=%s "refs/bosk/rescue/$sid/work/1^")" 'Our side'
    git show "refs/bosk/rescue/$sid/work/1:a.txt" | grep -qF theirs
    equal "refs" "$(git for-each-ref "refs/bosk/rescue/$sid" | wc -l)" 1
    forget_all
    more <<'SH'
git reset -q --hard
base=$(git rev-parse HEAD)
git checkout -q --detach
echo mine > a.txt; git commit -qam 'Rebased'; echo later > later.txt; git add later.txt; git commit -qm 'Not yet rebased'
mine=$(git rev-parse HEAD)
git checkout -q "$base"; echo onto > a.txt; git commit -qam 'Onto'; onto=$(git rev-parse HEAD)
git checkout -q "$mine"; echo aside > sub/b.txt
git rebase -q --autostash "$onto" 2>/dev/null
true
SH
    orphan
    local name
    for name in orig-head autostash; do cp "$REPO/.git/worktrees/$sid-1/rebase-merge/$name" "$SCRATCH/$name"; done
    gc
    expect_status 0
    for name in orig-head autostash; do
        git merge-base --is-ancestor "$(cat "$SCRATCH/$name")" "refs/bosk/rescue/$sid/work/1"
    done
}

@test "files that git was told not to look at, and an index that is gone, hide no work" {
    echo tracked >t.ignored
    git add -f t.ignored
    git commit -qm 'Tracked and ignored'
    more <<'SH'
git commit -qam 'All that is staged'
git update-index --assume-unchanged a.txt; echo hidden > a.txt
git update-index --skip-worktree sub/b.txt README.md; echo hidden > sub/b.txt; rm README.md
git config core.trustCtime false # a change in the same moment, of the same size
echo one > same.txt; touch -d 2020-01-01 same.txt; git add same.txt; git commit -qm 'Same size'
echo two > same.txt; touch -d 2020-01-01 same.txt "$(git rev-parse --git-dir)/index"
SH
    orphan
    gc
    expect_status 0
    equal "same.txt" "$(git show "refs/bosk/rescue/$sid/work/1:same.txt")" two
    equal "a.txt" "$(git show "refs/bosk/rescue/$sid/work/1:a.txt")" hidden
    equal "sub/b.txt" "$(git show "refs/bosk/rescue/$sid/work/1:sub/b.txt")" hidden
    git cat-file -e "refs/bosk/rescue/$sid/work/1:README.md"
    forget_all
    more <<'SH'
echo hidden > t.ignored; rm "$(git rev-parse --git-dir)/index"
SH
    orphan
    gc
    expect_status 0
    equal "t.ignored" "$(git show "refs/bosk/rescue/$sid/work/1:t.ignored")" hidden
}

@test "what somebody did in a worktree between two clean-ups is saved as well" {
    orphan
    BOSK_FAILPOINT_IN=supervisor BOSK_FAILPOINT_AT=worktree.remove.unlocked:1 gc
    equal "status" "$status" 137
    rm -rf "$tree/sub" "$tree/.git" # half removed
    echo precious >"$tree/precious.txt"
    gc
    expect_status 0
    equal "precious" "$(git show "refs/bosk/rescue/$sid/work/2:precious.txt")" precious
    rescued_whole "refs/bosk/rescue/$sid/work/1"
    assert_no_worktrees "$REPO"
}

@test "a lock file that a killed clean-up left on the ref of its rescue does not stop the next" {
    orphan
    write_file "$REPO/.git/refs/bosk/rescue/$sid/work/1.lock" </dev/null
    touch -d '1 hour ago' "$REPO/.git/refs/bosk/rescue/$sid/work/1.lock"
    gc
    expect_status 0
    rescued_whole "refs/bosk/rescue/$sid/work/1"
}

@test "folders that may not be written to, or not be read, do not leave half a worktree" {
    local run=()
    if [ "$(id -u)" = 0 ]; then # whom nothing stops
        run=(setpriv --reuid 65534 --regid 65534 --clear-groups)
        "${run[@]}" test -x "$BOSK_BIN" || skip "another user cannot run $BOSK_BIN"
    fi
    orphan
    mkdir -p "$tree/cache.ignored/module" "$tree/closed"
    echo module >"$tree/cache.ignored/module/file"
    echo closed >"$tree/closed/file"
    [ "$(id -u)" != 0 ] || chown -R 65534:65534 "$SCRATCH"
    chmod 555 "$tree/cache.ignored/module"
    chmod 000 "$tree/closed"
    "${run[@]}" "$BOSK_BIN" gc --max-age 0s >"$OUT"
    refute test -e "$tree"
    equal "closed" "$("${run[@]}" git show "refs/bosk/rescue/$sid/work/1:closed/file")" closed
    [ "$(id -u)" != 0 ] || chown -R 0:0 "$SCRATCH"
    touch "$SCRATCH/second"
    run_bosk resume "$sid"
    expect_status 0
}

@test "a worktree that holds work which could not be saved is cleaned too, or named again" {
    write_file "$SCRATCH/q.yaml" <<YAML
tasks:
  - {id: bad, run: 'echo kept > kept.txt; mkdir nested; touch nested/git~1; exit 1'}
  - {id: slow, run: 'touch "$SCRATCH/started"; until test -e "$SCRATCH/go"; do sleep 0.05; done'}
YAML
    start_bosk run "$SCRATCH/q.yaml" --jobs 2
    wait_until "[ -e '$SCRATCH/started' ] && grep -q 'what it did is still in' '$ERR'" 60
    sid=$(last_sid)
    tree=$(dirname "$(ls -d "$REPO.worktrees/$sid"-*/nested)")
    kill -KILL "$bosk_pid"
    wait_bosk
    wait_until '[ -z "$(processes_of_test)" ]' 30
    # The resume puts another worktree in its place.
    rm "$SCRATCH/started"
    start_bosk resume "$sid"
    wait_until "[ -e '$SCRATCH/started' ]" 60
    kill -KILL "$bosk_pid"
    wait_bosk
    wait_until '[ -z "$(processes_of_test)" ]' 30
    gc
    expect_status 1
    expect_text "worktree $tree stays: " "$OUT"
    rm -rf "$tree/nested"
    gc
    expect_status 0
    expect_text "removed worktree $tree" "$OUT"
    assert_no_worktrees "$REPO"
    equal "kept.txt" "$(git show "$(git for-each-ref --format='%(refname)' "refs/bosk/rescue/$sid" | tail -n 1):kept.txt")" kept
}

@test "a worktree whose folder somebody removed: what HEAD and index held is saved" {
    orphan
    rm -rf "$tree"
    gc
    expect_status 0
    equal "staged" "$(git show "refs/bosk/rescue/$sid/work/1:staged.txt")" staged
    equal "its own commit" "$(git log -1 --format=%s "refs/bosk/rescue/$sid/work/1^")" 'Its own commit'
    assert_no_worktrees "$REPO"
}

@test "a stopped session is cleaned too, and goes on from its branch" {
    start_bosk run "$SCRATCH/p.yaml" --jobs 1
    wait_until "[ -e '$SCRATCH/started' ]" 60
    sid=$(last_sid)
    run_bosk stop --now "$sid"
    wait_bosk
    [ -d "$REPO.worktrees/$sid-1" ]
    gc
    expect_status 0
    assert_no_worktrees "$REPO"
    touch "$SCRATCH/second"
    run_bosk resume "$sid"
    expect_status 0
    equal "files" "$(git diff --name-only "$base" "integration-$sid" | tr '\n' ' ')" "done.txt good.txt "
}

@test "worktrees that were to be kept are removed only when an age is given" {
    write_file "$SCRATCH/q.yaml" <<<'tasks: [{id: other, run: "echo other > other.txt"}]'
    run_bosk run "$SCRATCH/q.yaml" --keep-worktrees --jobs 1
    expect_status 0
    sid=$(last_sid)
    echo mine >"$REPO.worktrees/$sid-1/mine.txt"
    run_bosk -c orphans.max_age=1ms gc
    expect_status 0
    [ -d "$REPO.worktrees/$sid-1" ]
    gc
    expect_status 0
    assert_no_worktrees "$REPO"
    equal "mine.txt" "$(git show "refs/bosk/rescue/$sid/worktree-1/1:mine.txt")" mine
}

@test "a dead session with nothing left to do is cleaned without waiting for a resume" {
    write_file "$SCRATCH/q.yaml" <<<'tasks: [{id: other, run: "echo other > other.txt"}]'
    BOSK_FAILPOINT_IN=supervisor BOSK_FAILPOINT_AT=finish.branches.before:1 run_bosk run "$SCRATCH/q.yaml" --jobs 1
    expect_status 137
    sid=$(last_sid)
    wait_until '[ -z "$(processes_of_test)" ]' 30
    wait_until "'$BOSK_BIN' -c orphans.max_age=1s -c orphans.resumable_max_age=300d gc | grep -q 'removed branch'" 30
    run_bosk resume "$sid"
    expect_status 0
}

@test "rescue list, show and restore" {
    orphan
    gc
    run_bosk rescue list
    expect_status 0
    expect_text "^rescue/$sid/work/1  20.*Z  Work of task work, as it was in" "$OUT"
    run_bosk rescue list --json
    equal "ref" "$(jq -r '.saved[] | select(.name | startswith("rescue/")) | .ref' "$OUT")" "refs/bosk/rescue/$sid/work/1"
    run_bosk report "$sid"
    expect_text "^  rescue/$sid/work/1 " "$OUT"
    local name
    for name in "rescue/$sid/work" "$sid" work; do
        run_bosk rescue show "$name"
        expect_status 0
    done
    run_bosk rescue show "$sid/work/1"
    expect_status 0
    expect_text '^\+new$' "$OUT"
    run_bosk rescue restore "rescue/$sid"
    expect_status 0
    equal "branch" "$(git rev-parse "rescued-$sid-work-1")" "$(git rev-parse "refs/bosk/rescue/$sid/work/1")"
    run_bosk rescue restore "$sid/work/1"
    expect_status 2
    expect_text 'there is a branch rescued-.* already'
    run_bosk rescue restore "$sid/work/1" mine
    expect_status 0
    equal "checkout" "$(git status --porcelain)" ''
    run_bosk rescue show nothing
    expect_status 1
    run_bosk rescue
    expect_status 2
}

@test "processes that a dead session left are ended at the next start and by gc --kill, and no others" {
    orphan
    # As one of its agents, and some that only look like it: another session's, another worktree's.
    BOSK_SESSION=$sid BOSK_WORKTREE=$tree setsid sleep 1000 &
    stray=$!
    BOSK_SESSION=ffffff BOSK_WORKTREE=$tree setsid sleep 1000 &
    other=$!
    BOSK_SESSION=$sid BOSK_WORKTREE=/elsewhere setsid sleep 1000 &
    elsewhere=$!
    run_bosk gc
    expect_status 0
    alive "$stray"
    run_bosk gc --kill
    expect_status 0
    expect_text "session $sid is dead: ended 1 process that it left running" "$OUT"
    refute alive "$stray"
    alive "$other"
    alive "$elsewhere"
    BOSK_SESSION=$sid BOSK_WORKTREE=$tree setsid sleep 1000 &
    stray=$!
    write_file "$SCRATCH/q.yaml" <<<'tasks: [{id: other, run: "echo other > other.txt"}]'
    run_bosk run "$SCRATCH/q.yaml"
    expect_status 0
    refute alive "$stray"
    alive "$other"
    kill "$other" "$elsewhere"
}

@test "gc --sessions forgets what has landed, and keeps what has not" {
    write_file "$SCRATCH/q.yaml" <<<'tasks: [{id: other, run: "echo other > other.txt"}]'
    run_bosk run "$SCRATCH/q.yaml" --land merge
    expect_status 0
    landed=$(last_sid)
    write_file "$SCRATCH/r.yaml" <<<'tasks: [{id: third, run: "echo third > third.txt"}]'
    run_bosk run "$SCRATCH/r.yaml"
    expect_status 0
    kept=$(last_sid)
    run_bosk gc --sessions
    expect_status 0
    equal "sessions" "$(status_json '.sessions | length')" 2
    gc --sessions --dry-run
    expect_text "session $landed .*would be forgotten" "$OUT"
    equal "sessions" "$(status_json '.sessions | length')" 2
    gc --sessions
    expect_status 0
    expect_text "session $landed .*: forgotten, with its logs" "$OUT"
    expect_text "session $kept stays: its work is on integration-$kept and not in main" "$OUT"
    equal "sessions" "$(status_json '.sessions[].id')" "$kept"
    equal "refs" "$(git for-each-ref | grep -c "$landed" || true)" 0
    equal "files" "$(find .git/bosk -name "*$landed*")" ''
    git rev-parse -q --verify "integration-$kept" >/dev/null
    # Cut off anywhere, the next one ends it.
    local at
    for at in prune.refs.before prune.refs.after prune.rows.after; do
        git rm -q other.txt
        git commit -qm 'Take it out'
        run_bosk run "$SCRATCH/q.yaml" --land merge
        expect_status 0
        landed=$(last_sid)
        BOSK_FAILPOINT_IN=supervisor BOSK_FAILPOINT_AT=$at:1 gc --sessions
        equal "status at $at" "$status" 137
        gc --sessions
        expect_status 0
        equal "refs at $at" "$(git for-each-ref | grep -c "$landed" || true)" 0
        equal "files at $at" "$(find .git/bosk -name "*$landed*")" ''
    done
    # The plan may be run again as a new one.
    git rm -q other.txt
    git commit -qm 'Take it out'
    run_bosk run "$SCRATCH/q.yaml"
    expect_status 0
}

@test "gc --sessions cut off at any step is finished by the next gc, and no disagreement meanwhile" {
    local at
    printf 'tasks: [{id: one, run: "echo 1 >>one.txt"}]\n' >"$SCRATCH/small.yaml"
    for at in prune.refs.before prune.refs.after prune.rows.after; do
        run_bosk run "$SCRATCH/small.yaml" --fresh --land merge
        expect_status 0
        BOSK_FAILPOINT_IN=supervisor BOSK_FAILPOINT_AT=$at:1 gc --sessions
        equal "status at $at" "$status" 137
        run_bosk verify # not over, and no disagreement
        expect_status 0
        run_bosk gc # also without --sessions, and whatever its age
        expect_status 0
        equal "sessions after $at" "$(status_json '.sessions | length')" 0
        equal "refs after $at" "$(git for-each-ref refs/bosk 'refs/heads/integration-*')" ''
        run_bosk verify
        expect_status 0
    done
}
