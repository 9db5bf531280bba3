#!/usr/bin/env bats
# Worktrees at paths that a plan names: where they are, how many run, what is made around them and goes again, what is
# left alone, kills and stops.
# shellcheck disable=SC2154,SC2016,SC2046,SC2002 # variables set by run_bosk and start_bosk; what is expanded later

load ../lib/flow

setup() {
    flow_setup
    make_repo a.txt
    unchecked 'worktrees are asked for inside of the checkout' B1
}
teardown() { flow_teardown; }

# own NAME...: a plan of segments, each in a worktree of its own inside of the checkout. Those whose name begins with
# "then-" come after the one before, and lie in another folder.
own() {
    local name before='' needs folder
    {
        echo '{"kind": "segments", "tasks": ['
        for name in "$@"; do
            needs='' folder=feat
            case $name in then-*) needs=", \"needs\": [\"$before\"]" folder=then ;; esac
            printf '%s{"id": "%s", "branch": "feat/%s", "worktree": "%s/worktrees/%s/%s", "prompt": "p"%s}\n' \
                "${before:+,}" "$name" "$name" "$REPO" "$folder" "$name" "$needs"
            before=$name
        done
        echo ']}'
    } >"$SCRATCH/own.json"
}

# What nobody may notice afterwards.
outside() {
    (cd "$REPO" && find . -path ./.git -prune -o -print | sort && cat .git/info/exclude 2>&1 &&
        git worktree list | wc -l && ls .git/worktrees 2>&1) || true
}

workers() { cat $(printf "/proc/%s/cmdline " $(cat "/proc/$bosk_pid/task/$bosk_pid/children")) /dev/null | tr "\0" " " | grep -o "bosk worker" | wc -l; }

@test "S0.1 each segment works in its own worktree on its own branch, hidden from status, all gone at the end" {
    own one two then-three
    printf 'mine' >.git/info/exclude
    outside >"$SCRATCH/before"
    write_agent <<'SH'
#!/bin/sh
echo "$BOSK_TASK" > "$BOSK_TASK.txt"
git status --porcelain --branch | head -1 > branch-of-"$BOSK_TASK"
pwd > place-of-"$BOSK_TASK"
git -C "$HOME/../repo" status --porcelain > status-of-"$BOSK_TASK"
SH
    run_bosk run "$SCRATCH/own.json" --executor "$AGENT" --jobs 2
    expect_status 0
    local sid task
    sid=$(last_sid)
    assert_once "$REPO" "$sid" main one two then-three
    for task in one two then-three; do
        equal place "$(git show "integration-$sid:place-of-$task")" "$(case $task in then-*) echo "$REPO/worktrees/then/$task" ;; *) echo "$REPO/worktrees/feat/$task" ;; esac)"
        equal branch "$(git show "integration-$sid:branch-of-$task")" "## feat/$task"
        equal status "$(git show "integration-$sid:status-of-$task")" ''
    done
    equal three "$(git show "integration-$sid:one.txt")" one
    outside >"$SCRATCH/after"
    diff -u "$SCRATCH/before" "$SCRATCH/after"
}

@test "on a terminal a worktree of its own has a line only while somebody works in it" {
    own one two then-three
    NO_COLOR=1 SHELL=/bin/sh timeout 60 script -qec "stty cols 100 rows 30
        exec '$BOSK_BIN' run '$SCRATCH/own.json' --jobs 2 --executor 'pwd >\$BOSK_TASK.txt'" /dev/null \
        >"$SCRATCH/screen" </dev/null 3>&-
    grep -q 'ok   one .* integrated' "$SCRATCH/screen"
    grep -q '/3 integrated' "$SCRATCH/screen"
    refute grep -q 'idle' "$SCRATCH/screen"
}

@test "S0.1 own worktrees do not make more run than --jobs; tasks without one share the pool" {
    own one two three
    jq '.tasks += [{"id": "four", "prompt": "p"}]' "$SCRATCH/own.json" >"$SCRATCH/p.json"
    write_agent <<'SH'
#!/bin/sh
mkdir "$HOME/alone" || exit 9
pwd > "$BOSK_TASK"
rmdir "$HOME/alone"
SH
    run_bosk run "$SCRATCH/p.json" --executor "$AGENT" --jobs 1 -c retries=0
    expect_status 0
    equal four "$(git show "integration-$(last_sid):four")" "$REPO.worktrees/$(last_sid)-1"
    run_bosk plan "$SCRATCH/p.json" --executor "$AGENT"
    expect_status 0
}

@test "S0.1 what is at such a path stays, and nothing starts; two tasks cannot have one" {
    own one two
    mkdir -p worktrees/feat/two
    run_bosk run "$SCRATCH/own.json" --executor true
    expect_status 2
    expect_text 'two: worktree: .*/worktrees/feat/two exists already'
    refute ls worktrees/feat/one
    equal sessions "$(status_json '.sessions | length')" 0
    rm -r worktrees
    git worktree add -q -b mine worktrees/feat/one && rm -r worktrees
    run_bosk run "$SCRATCH/own.json" --executor true
    expect_status 2
    expect_text 'one: worktree: git knows a worktree at .*/feat/one'
    git worktree prune
    jq '.tasks[1].worktree = .tasks[0].worktree + "/below"' "$SCRATCH/own.json" >"$SCRATCH/p.json"
    run_bosk run "$SCRATCH/p.json" --executor true
    expect_status 2
    expect_text 'two: worktree: .*below that of segment one'
    jq '.tasks[1].worktree = "'"$REPO"'/.git/x"' "$SCRATCH/own.json" >"$SCRATCH/p.json"
    run_bosk run "$SCRATCH/p.json" --executor true
    expect_status 2
    expect_text 'two: worktree: .*/\.git/x'
}

@test "S0.1 worktrees of others with the same last name are left alone" {
    own one
    git worktree add -q "$SCRATCH/one" -b other
    mkdir -p .git/worktrees/one1
    echo 'bosk session ffffff' >.git/worktrees/one1/locked
    write_agent <<'SH'
#!/bin/sh
rm -rf .git
echo x > x
SH
    run_bosk run "$SCRATCH/own.json" --executor "$AGENT"
    expect_status 0
    [ -e "$SCRATCH/one/.git" ]
    [ -e .git/worktrees/one1/locked ]
    rm -r .git/worktrees/one1
    git worktree remove "$SCRATCH/one"
}

@test "S0.1 stopped: status, path and doctor know the worktrees, more slots do not move them, resume works on there" {
    own one two
    write_agent <<'SH'
#!/bin/sh
echo "$BOSK_ATTEMPT" >> "$BOSK_TASK.txt"
if [ "$BOSK_ATTEMPT" = 1 ] && [ "$BOSK_TASK" = two ]; then : > "$HOME/began"; exec sleep 1000; fi
SH
    start_bosk run "$SCRATCH/own.json" --executor "$AGENT" --jobs 1 --no-preflight
    wait_until '[ -e "$HOME/began" ]'
    # The worker of the one that is over has ended.
    wait_until '[ "$(workers)" = 1 ]'
    equal running "$(status_json '.sessions[0].worktrees[] | select(.task == "two") | .path')" "$REPO/worktrees/feat/two"
    "$BOSK_BIN" stop --now
    wait_bosk
    run_bosk path two
    expect_status 0
    equal path "$out" "$REPO/worktrees/feat/two"
    run_bosk doctor
    expect_text 'worktrees/feat/two' "$OUT"
    grep -qx '/worktrees/' .git/info/exclude
    equal status "$(git status --porcelain)" ''
    run_bosk resume --jobs 3
    expect_status 0
    equal two "$(git show "integration-$(last_sid):two.txt")" 2
    refute ls worktrees
    refute grep -q worktrees .git/info/exclude
}

@test "S0.1 two sessions hide one folder: the line stays until the last is over, a folder of the other is not removed" {
    own one
    jq '.tasks[0].id = "other" | .tasks[0].branch = "feat/other" | .tasks[0].worktree |= sub("one"; "other")' \
        "$SCRATCH/own.json" >"$SCRATCH/other.json"
    mkfifo "$SCRATCH/go"
    start_bosk run "$SCRATCH/own.json" --executor 'echo x > x; : > "$HOME/began"; read -r _ < "$HOME/../go"'
    wait_until '[ -e "$HOME/began" ]'
    "$BOSK_BIN" run "$SCRATCH/other.json" --executor 'echo y > y' 2>/dev/null
    equal lines "$(grep -cx '/worktrees/' .git/info/exclude)" 1
    [ -e worktrees/feat/one ]
    refute ls worktrees/feat/other
    echo >"$SCRATCH/go"
    wait_bosk
    expect_status 0
    refute ls worktrees
    refute grep -q worktrees .git/info/exclude
}

@test "S0.1 killed at each step, resume makes the same of it" {
    own one then-two
    local point
    outside >"$SCRATCH/before"
    # Those of a worker end that worker only, the others the supervisor and with it all.
    for point in own.hide.before own.hide.after:1 own.hide.after:2 worktree.add.before worktree.add.empty \
        worktree.add.after worktree.bring.after task.branch.after worktree.remove.before worktree.remove.unlocked \
        worktree.remove.after turn.commit.after:2 turn.commit.after:4 turn.commit.after:7 finish.branches.before; do
        case $point in *:*) ;; *) point+=:1 ;; esac
        BOSK_FAILPOINT_AT=$point BOSK_FAILPOINT_ONCE=$SCRATCH/once-$point \
            run_bosk run "$SCRATCH/own.json" --fresh --executor 'echo $BOSK_TASK > $BOSK_TASK'
        [ -e "$SCRATCH/once-$point" ]
        if [ "$(status_json '.sessions | sort_by(.started_at) | last | .state')" = interrupted ]; then
            run_bosk resume "$(last_sid)"
        fi
        expect_status 0 || { echo "at $point" >&2 && false; }
        assert_once "$REPO" "$(last_sid)" main one then-two
        outside >"$SCRATCH/after"
        diff -u "$SCRATCH/before" "$SCRATCH/after"
    done
}

@test "S0.1 gc saves what a dead session left in such a worktree, and takes away what was made for it" {
    own one
    outside >"$SCRATCH/before"
    start_bosk run "$SCRATCH/own.json" --executor 'echo work > work; : > "$HOME/began"; exec sleep 1000'
    wait_until '[ -e "$HOME/began" ]'
    kill -KILL "$bosk_pid"
    wait_bosk
    local sid
    sid=$(last_sid)
    run_bosk gc --max-age 0s --kill
    expect_status 0
    outside >"$SCRATCH/after"
    diff -u "$SCRATCH/before" "$SCRATCH/after"
    equal work "$(git show "refs/bosk/rescue/$sid/one/1:work")" work
    run_bosk verify
    expect_status 0
}

@test "S0.1 a lost store is made again with the worktrees that the plan names" {
    own one then-two
    write_agent <<'SH'
#!/bin/sh
echo work > "$BOSK_TASK"
if [ "$BOSK_TASK" = then-two ] && ! [ -e "$HOME/began" ]; then : > "$HOME/began"; exec sleep 1000; fi
SH
    outside >"$SCRATCH/before"
    start_bosk run "$SCRATCH/own.json" --executor "$AGENT"
    wait_until '[ -e "$HOME/began" ]'
    "$BOSK_BIN" stop --now
    wait_bosk
    rm -rf .git/bosk/store
    run_bosk verify --repair
    run_bosk resume --executor "$AGENT"
    expect_status 0
    assert_once "$REPO" "$(last_sid)" main one then-two
    # Which folders were made for them is not known any more.
    rmdir worktrees/feat worktrees/then worktrees
    outside >"$SCRATCH/after"
    diff -u "$SCRATCH/before" "$SCRATCH/after"
}

@test "a power cut in the middle of making one: it is made again" {
    local sid path=$REPO/worktrees/feat/one
    own one
    write_agent <<<$'#!/bin/sh\necho done > "$BOSK_TASK.txt"'
    BOSK_FAILPOINT_IN=supervisor BOSK_FAILPOINT_AT=turn.commit.after:1 run_bosk run "$SCRATCH/own.json" --executor "$AGENT"
    expect_status 137
    wait_until '[ -z "$(processes_of_test)" ]'
    sid=$(last_sid)
    git worktree add -q --no-checkout --detach --lock --reason "bosk session $sid" "$path"
    # What was not flushed is there by name.
    truncate -s 0 .git/worktrees/one/{locked,commondir,HEAD} "$path/.git"
    run_bosk resume "$sid"
    expect_status 0
    equal one.txt "$(git show "integration-$sid:one.txt")" 'done'
    equal 'admin folders' "$(ls .git/worktrees 2>/dev/null || true)" ''
    [ ! -e worktrees ]
}
