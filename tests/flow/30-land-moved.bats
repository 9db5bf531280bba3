#!/usr/bin/env bats
# Landing on a target that has moved: the gates run on the two together, before the target is touched.
# shellcheck disable=SC2154,SC2030,SC2031 # variables set by run_bosk and setup; each test is a subshell

load ../lib/flow

setup() {
    flow_setup
    make_repo a.txt
    # Green each by itself, red together; says where it ran, and does what a test put there.
    write_file "$SCRATCH/gate" <<SH
#!/bin/sh
git rev-parse 'HEAD^{tree}' >>"$SCRATCH/ran"
[ ! -e "$SCRATCH/then" ] || . "$SCRATCH/then"
test ! -e one.txt || test ! -e theirs.txt || { echo 'one and theirs together' >&2; exit 1; }
SH
    chmod +x "$SCRATCH/gate"
    commit_config <<YAML
gates:
  - {name: both, run: '$SCRATCH/gate'}
YAML
    write_file "$SCRATCH/p.yaml" <<'YAML'
tasks:
  - {id: one, run: 'echo one > one.txt'}
YAML
    run_bosk run "$SCRATCH/p.yaml" --no-preflight
    expect_status 0
    sid=$(last_sid)
    TIP=$(git rev-parse "integration-$sid")
    : >"$SCRATCH/ran"
}
teardown() { flow_teardown; }

theirs() { # FILE: the user commits it on main
    echo theirs >"$1"
    git add "$1"
    git commit -qm "By the user: $1"
}
nothing_left() {
    assert_no_worktrees
    assert_no_strays
    assert_verified
    equal "main's tree" "$(git status --porcelain)" ""
}

@test "red together: not landed, nothing is touched, told with what to type; --force-red lands" {
    theirs theirs.txt
    snapshot_checkout "$REPO" >"$SCRATCH/before"
    run_bosk land --merge "$sid"
    expect_status 1
    expect_text 'together the gates are not green \(gate both: exit 1\)'
    expect_text 'one and theirs together'
    expect_text "then: bosk land $sid --merge"
    snapshot_checkout "$REPO" >"$SCRATCH/after"
    assert_same_snapshot "$SCRATCH/before" "$SCRATCH/after"
    equal "runs" "$(wc -l <"$SCRATCH/ran")" 1
    equal "state" "$(status_json '.sessions[0].state') $(task_field "$sid" one state)" 'done integrated'
    nothing_left
    run_bosk report "$sid"
    expect_text 'not landed: on main and .* together' "$OUT"
    equal "json" "$(status_json '.sessions[0].not_landed' | grep -c 'together the gates')" 1
    run_bosk land --merge --force-red "$sid"
    expect_status 0
    git merge-base --is-ancestor "$TIP" main
    equal "runs" "$(wc -l <"$SCRATCH/ran")" 1
    run_bosk report "$sid"
    equal "told no more" "$(grep -c 'not landed' "$OUT")" 0
    nothing_left
}

@test "green together: they ran once, on just what landed; not again where nothing moved" {
    theirs more.txt
    run_bosk land --merge "$sid"
    expect_status 0
    expect_text 'landed on main' "$OUT"
    equal "ran on" "$(cat "$SCRATCH/ran")" "$(git rev-parse 'main^{tree}')"
    equal "branch" "$(git for-each-ref --format='%(refname)' refs/heads)" refs/heads/main
    nothing_left
    : >"$SCRATCH/ran"
    write_file "$SCRATCH/q.yaml" <<'YAML'
tasks:
  - {id: two, run: 'echo two > two.txt'}
YAML
    run_bosk run "$SCRATCH/q.yaml" --no-preflight --land merge
    expect_status 0
    equal "runs" "$(wc -l <"$SCRATCH/ran")" 1
}

@test "the target moves while they run: merged again, run again" {
    git checkout -q --detach
    # Each run of the gate moves main by one, so long as the file is there.
    write_file "$SCRATCH/then" <<SH
[ "\$(wc -l <"$SCRATCH/ran")" -gt 2 ] || git -C "$REPO" update-ref refs/heads/main \
    "\$(git -C "$REPO" commit-tree -p main -m 'meanwhile' 'main^{tree}')"
SH
    theirs more.txt
    git update-ref refs/heads/main HEAD
    run_bosk land --merge "$sid"
    expect_status 0
    equal "runs" "$(wc -l <"$SCRATCH/ran")" 3
    equal "meanwhile" "$(git log --oneline main | grep -c meanwhile)" 2
    git merge-base --is-ancestor "$TIP" main
}

@test "always moved by others: given up after five" {
    git checkout -q --detach
    theirs more.txt
    git update-ref refs/heads/main HEAD
    write_file "$SCRATCH/then" <<SH
git -C "$REPO" update-ref refs/heads/main "\$(git -C "$REPO" commit-tree -p main -m 'meanwhile' 'main^{tree}')"
SH
    run_bosk land --merge "$sid"
    expect_status 1
    expect_text 'moved by others 5 times'
    equal "runs" "$(wc -l <"$SCRATCH/ran")" 5
    refute git merge-base --is-ancestor "$TIP" main
    nothing_left
}

@test "two sessions land at once: one after the other, the second one's gates on both" {
    write_file "$SCRATCH/q.yaml" <<'YAML'
tasks:
  - {id: two, run: 'echo two > two.txt'}
YAML
    run_bosk run "$SCRATCH/q.yaml" --no-preflight
    expect_status 0
    local first=$sid second a b
    second=$(last_sid)
    : >"$SCRATCH/ran"
    "$BOSK_BIN" land --merge "$first" >"$SCRATCH/a.out" 2>&1 &
    a=$!
    "$BOSK_BIN" land --merge "$second" >"$SCRATCH/b.out" 2>&1 &
    b=$!
    wait $a
    wait $b
    equal "files" "$(git show main:one.txt main:two.txt)" $'one\ntwo'
    equal "ran on" "$(cat "$SCRATCH/ran")" "$(git rev-parse 'main^{tree}')"
    nothing_left
}

@test "killed around the gates of a landing: a resume lands, and so does landing again" {
    unchecked 'a resume goes on with the landing that was asked for' B1
    local at how n=0
    cp -a "$REPO" "$SCRATCH/original"
    for at in land.gates.before land.gates.after; do
        for how in "resume" "land --merge"; do
            rm -rf "$REPO"
            cp -a "$SCRATCH/original" "$REPO"
            cd "$REPO"
            theirs "more$((n++)).txt"
            BOSK_FAILPOINT_AT=$at:1 run_bosk land --merge "$sid"
            refute [ "$status" = 0 ]
            equal "state after $at" "$(status_json '.sessions[0].state')" interrupted
            # shellcheck disable=SC2086 # words
            run_bosk $how "$sid"
            expect_status 0
            git merge-base --is-ancestor "$TIP" main
            equal "state" "$(status_json '.sessions[0].state') $(task_field "$sid" one state)" 'done landed'
            nothing_left
        done
    done
}

@test "the worker of the gates is killed: another one runs them; stopped: nothing is touched" {
    theirs more.txt
    write_file "$SCRATCH/then" <<SH
[ -e "$SCRATCH/killed" ] || { touch "$SCRATCH/killed"; kill -9 "\$(ps -o ppid= -p \$PPID | tr -d ' ')"; sleep 60; }
SH
    run_bosk land --merge "$sid"
    expect_status 0
    equal "runs" "$(wc -l <"$SCRATCH/ran")" 2
    nothing_left
}

@test "Ctrl-C and bosk stop while the gates of a landing run: not landed, nothing left, told how to go on" {
    local how
    theirs more.txt
    write_file "$SCRATCH/then" <<SH
touch "$SCRATCH/running"
sleep 600
SH
    for how in 'kill -INT $BOSK_PID' 'kill -TERM $BOSK_PID' '"$BOSK_BIN" stop "$sid"'; do
        rm -f "$SCRATCH/running"
        "$BOSK_BIN" land --merge "$sid" >"$SCRATCH/out" 2>&1 &
        BOSK_PID=$!
        wait_until "[ -e '$SCRATCH/running' ]" 60
        eval "$how"
        status=0
        wait $BOSK_PID || status=$?
        equal "exit after $how" "$status" 1
        grep -q "asked to stop while the gates ran on the merge; to land it: bosk land $sid --merge" "$SCRATCH/out"
        refute git merge-base --is-ancestor "$TIP" main
        equal "state" "$(status_json '.sessions[0].state')" 'done'
        nothing_left
    done
}

borrowed() { # OPTION...: a session in the checkout of the user, who is on another branch; main moves after it
    git switch -qc work
    write_file "$SCRATCH/q.yaml" <<'YAML'
tasks:
  - {id: two, run: 'echo two > two.txt'}
YAML
    run_bosk run "$SCRATCH/q.yaml" --no-worktree --no-preflight --target main "$@"
    expect_status 0
    sid=$(last_sid)
    git update-ref refs/heads/main "$(git commit-tree -p main -m meanwhile "$(git rev-parse "$TIP^{tree}")")"
}

@test "a session in the user's own checkout: gates of its landing have a worktree of their own" {
    local head
    borrowed
    head=$(git rev-parse HEAD)
    : >"$SCRATCH/ran"
    run_bosk land --merge "$sid"
    expect_status 0
    equal "ran on" "$(cat "$SCRATCH/ran")" "$(git rev-parse 'main^{tree}')"
    equal "the user's" "$(git rev-parse HEAD) $(git symbolic-ref HEAD)" "$head refs/heads/work"
    nothing_left
}

@test "the same, killed while they run: what was made for them is known, and is removed by whatever is asked next" {
    borrowed -c verify=task
    write_file "$SCRATCH/then" <<SH
touch "$SCRATCH/running"
sleep 600
SH
    start_bosk land --merge "$sid"
    wait_until "[ -e '$SCRATCH/running' ]" 60
    equal "worktrees" "$(git worktree list | wc -l)" 2
    kill -KILL "$bosk_pid"
    wait "$bosk_pid" || true
    rm "$SCRATCH/then"
    run_bosk land --keep "$sid"
    expect_status 0
    equal "state" "$(status_json ".sessions[] | select(.id == \"$sid\") | .state")" 'done'
    nothing_left
}

@test "a power cut in its forward that kept the index and lost what was done to the files: put back, then landed" {
    unchecked 'a resume goes on with the landing that was asked for' B1
    write_file "$SCRATCH/q.yaml" <<'YAML'
tasks:
  - {id: two, run: 'git rm -q a.txt; echo more >> README.md; mkdir d; echo two > d/two.txt'}
YAML
    run_bosk run "$SCRATCH/q.yaml" --no-preflight
    expect_status 0
    sid=$(last_sid)
    TIP=$(git rev-parse "integration-$sid")
    BOSK_FAILPOINT_AT=land.forward.before:1 run_bosk land --merge "$sid"
    refute [ "$status" = 0 ]
    git read-tree "$TIP"
    run_bosk resume "$sid"
    expect_status 0
    equal "main" "$(git rev-parse 'main^{tree}')" "$(git rev-parse "$TIP^{tree}")"
    nothing_left
}

@test "killed when what has landed is removed, and that is not recorded: it is consistent, and a resume ends it" {
    unchecked 'a resume goes on with the landing that was asked for' B1
    BOSK_FAILPOINT_AT=land.record.before:1 run_bosk land --merge "$sid"
    refute [ "$status" = 0 ]
    refute git rev-parse -q --verify "refs/heads/integration-$sid"
    assert_verified
    run_bosk resume "$sid"
    expect_status 0
    expect_text 'landed on main'
    refute git rev-parse -q --verify "refs/heads/integration-$sid"
    equal "state" "$(status_json '.sessions[0].state') $(task_field "$sid" one state)" 'done landed'
    nothing_left
}

by_hand() { # FILE: the user commits it on the integration branch, after the session's end
    git worktree add -q "$SCRATCH/hand" "integration-$sid"
    (cd "$SCRATCH/hand" && theirs "$1")
    git worktree remove "$SCRATCH/hand"
}

@test "what somebody committed on the branch of a session that is over: its landing runs the gates on it" {
    by_hand mended.txt
    run_bosk land --merge "$sid"
    expect_status 0
    equal "ran on" "$(cat "$SCRATCH/ran")" "$(git rev-parse 'main^{tree}')"
    equal "files" "$(git show main:mended.txt main:one.txt)" $'theirs\none'
    nothing_left
}

@test "the same, red: not landed, and not offered; what is green is offered" {
    git init -q --bare "$SCRATCH/origin.git"
    git remote add origin "$SCRATCH/origin.git"
    by_hand theirs.txt
    run_bosk land --merge "$sid"
    expect_status 1
    expect_text 'together the gates are not green'
    run_bosk land --pr "$sid" -c pr.command='echo https://example.invalid/1'
    expect_status 1
    expect_text "not landed: on integration-$sid the gates are not green \(gate both: exit 1\)"
    equal "pushed" "$(git -C "$SCRATCH/origin.git" for-each-ref)" ''
    nothing_left
    git worktree add -q "$SCRATCH/hand" "integration-$sid"
    git -C "$SCRATCH/hand" rm -q one.txt
    git -C "$SCRATCH/hand" commit -qm 'Mended'
    git worktree remove "$SCRATCH/hand"
    : >"$SCRATCH/ran"
    run_bosk land --pr "$sid" -c pr.command='echo https://example.invalid/1'
    expect_status 0
    equal "ran on" "$(cat "$SCRATCH/ran")" "$(git rev-parse "integration-$sid^{tree}")"
    equal "pushed" "$(git -C "$SCRATCH/origin.git" rev-parse "refs/heads/integration-$sid")" "$(git rev-parse "integration-$sid")"
    nothing_left
}

@test "after it: what main holds is removed, what holds more or is in use stays and is listed" {
    write_agent <<'SH'
cat >/dev/null
echo own >own.txt
git add own.txt
git commit -qm 'By the agent itself'
echo more >>own.txt
SH
    write_file "$SCRATCH/q.yaml" <<'YAML'
tasks: [{id: two, prompt: x}]
YAML
    run_bosk run "$SCRATCH/q.yaml" --no-preflight --executor "$AGENT"
    expect_status 0
    sid=$(last_sid)
    git worktree add -q "$SCRATCH/mine" "integration-$sid"
    git branch "bosk/$sid/two" "$(git commit-tree -p main -m 'Not ours' 'main^{tree}')"
    run_bosk land --merge "$sid"
    expect_status 0
    expect_text "branch integration-$sid stays: it is checked out in $SCRATCH/mine" "$OUT"
    expect_text "branch bosk/$sid/two stays: it holds what is not in main" "$OUT"
    expect_text "kept: [0-9]+ refs? in refs/bosk/keep/$sid/ \(what agents had committed\)" "$OUT"
    git rev-parse -q --verify "refs/heads/integration-$sid" >/dev/null
    git rev-parse -q --verify "refs/heads/bosk/$sid/two" >/dev/null
    equal "its own commit" "$(git for-each-ref --format='%(subject)' "refs/bosk/keep/$sid" | sort -u)" 'By the agent itself'
    git worktree remove "$SCRATCH/mine"
}

@test "what cannot be landed by hand leaves a landing that was cut off as it is: a resume ends it" {
    unchecked 'a resume goes on with the landing that was asked for' B1
    write_file "$SCRATCH/q.yaml" <<'YAML'
tasks:
  - {id: fine, run: 'echo fine > fine.txt'}
  - {id: bad, run: 'false'}
YAML
    run_bosk run "$SCRATCH/q.yaml" --no-preflight -c retries=0
    expect_status 1
    sid=$(last_sid)
    BOSK_FAILPOINT_AT=land.forward.before:1 run_bosk land --merge "$sid"
    refute [ "$status" = 0 ]
    run_bosk land --merge --task bad "$sid"
    expect_status 1
    expect_text 'task bad is not integrated'
    equal "state" "$(status_json ".sessions[] | select(.id == \"$sid\") | .state")" interrupted
    run_bosk resume "$sid"
    equal "file" "$(git show main:fine.txt)" fine
    equal "state" "$(status_json ".sessions[] | select(.id == \"$sid\") | .state") $(task_field "$sid" fine state)" 'failed landed'
    nothing_left
}

@test "a landing that was cut off, then something else is asked: kept, or first put right" {
    theirs more.txt
    BOSK_FAILPOINT_AT=land.gates.after:1 run_bosk land --merge "$sid"
    refute [ "$status" = 0 ]
    run_bosk land --keep "$sid"
    expect_status 0
    equal "state" "$(status_json '.sessions[0].state') $(task_field "$sid" one state)" 'done integrated'
    nothing_left
    BOSK_FAILPOINT_AT=land.forward.after:1 run_bosk land --merge "$sid"
    refute [ "$status" = 0 ]
    local how
    for how in --keep --pr; do
        run_bosk land $how "$sid"
        expect_status 1
        expect_text "was cut off: bosk resume $sid ends that first"
    done
    run_bosk land --merge "$sid"
    expect_status 0
    equal "state" "$(status_json '.sessions[0].state') $(task_field "$sid" one state)" 'done landed'
    nothing_left
}
