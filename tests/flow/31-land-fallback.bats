#!/usr/bin/env bats
# What cannot be merged is offered where land_fallback says so; a pull request of a single task.
# shellcheck disable=SC2154,SC2016 # variables set by run_bosk; what is expanded later

load ../lib/flow

setup() {
    flow_setup
    make_repo a.txt
    make_remote
    git branch -q --set-upstream-to origin/main
    write_file "$SCRATCH/open" <<SH
#!/bin/sh
printf '%s|' "\$@" >>"$SCRATCH/opened"
echo >>"$SCRATCH/opened"
echo https://example.invalid/pull/\$(wc -l <"$SCRATCH/opened")
SH
    chmod +x "$SCRATCH/open"
    commit_config <<YAML
land_fallback: pr
pr: {command: "$SCRATCH/open {title} {target} {branch}", find: ""}
YAML
    git push -q origin main
    write_file "$SCRATCH/p.yaml" <<'YAML'
tasks:
  - {id: one, title: First, run: 'echo one > one.txt'}
  - {id: two, needs: [one], run: 'echo two > two.txt'}
  - {id: three, run: 'echo three > three.txt'}
YAML
}
teardown() { flow_teardown; }

there() { git -C "$REMOTE" for-each-ref --format='%(refname:short) %(objectname)' "$@"; }
can_be_asked() { # whether there is a pull request: pr.find
    write_file "$SCRATCH/find" <<SH
#!/bin/sh
[ ! -s "$SCRATCH/opened" ] || echo https://example.invalid/pull/1
SH
    chmod +x "$SCRATCH/find"
    sed -i "s|find: \"\"|find: \"$SCRATCH/find\"|" bosk.yaml
}
opened() { cat "$SCRATCH/opened" 2>/dev/null; }

@test "land_fallback: pr - a dirty main: nothing is touched there, the branch is offered, exit 1, told both" {
    echo mine >a.txt
    snapshot_checkout "$REPO" | grep -v refs/remotes >"$SCRATCH/before"
    run_bosk run "$SCRATCH/p.yaml" --land merge
    expect_status 1
    snapshot_checkout "$REPO" | grep -v refs/remotes >"$SCRATCH/after"
    assert_same_snapshot "$SCRATCH/before" "$SCRATCH/after"
    sid=$(last_sid)
    expect_text 'not landed: .* has uncommitted changes'
    expect_text 'instead \(land_fallback\): pull request opened: https://example.invalid/pull/1'
    equal "there" "$(there refs/heads/integration-*)" "integration-$sid $(git rev-parse "integration-$sid")"
    equal "opened" "$(opened)" "bosk: 3 tasks of p.yaml|main|integration-$sid|"
    equal "states" "$(status_json '.sessions[0] | "\(.state) \(.tasks[0].state) \(.pull_request.url)"')" \
        'done integrated https://example.invalid/pull/1'
    run_bosk report "$sid"
    expect_text 'not landed: .* has uncommitted changes' "$OUT"
    expect_text 'https://example.invalid/pull/1' "$OUT"
    # Once it is clean it lands, and no second one was opened.
    run_bosk land --merge "$sid"
    expect_status 1
    git checkout -q a.txt
    run_bosk land --merge "$sid"
    expect_status 0
    equal "opened" "$(opened | wc -l)" 1
    assert_verified
}

@test "land_fallback: a conflict with main is offered; red gates on the two together are not" {
    run_bosk run "$SCRATCH/p.yaml"
    expect_status 0
    sid=$(last_sid)
    echo other >one.txt
    git add one.txt
    git commit -qm 'By the user, in the way'
    run_bosk land --merge "$sid"
    expect_status 1
    expect_text 'conflict in one.txt'
    expect_text 'instead \(land_fallback\): pull request opened'
    git reset -q --hard HEAD^
    write_file "$SCRATCH/q.yaml" <<'YAML'
tasks: [{id: four, run: 'echo four > four.txt'}]
YAML
    run_bosk run "$SCRATCH/q.yaml" -c gates="[{name: both, run: '! test -e theirs.txt'}]"
    expect_status 0
    sid=$(last_sid)
    echo theirs >theirs.txt
    git add theirs.txt
    git commit -qm theirs
    run_bosk land --merge "$sid"
    expect_status 1
    expect_text 'together the gates are not green'
    equal "opened" "$(opened | wc -l)" 1
}

@test "land_fallback, killed while it is offered: what was asked for has not landed, also as a resume says it" {
    local at
    can_be_asked
    git commit -qam 'It can be asked'
    git push -q origin main
    run_bosk run "$SCRATCH/p.yaml"
    expect_status 0
    sid=$(last_sid)
    echo other >one.txt
    git add one.txt
    git commit -qm 'By the user, in the way'
    cp -a "$REPO" "$SCRATCH/original"
    cp -a "$REMOTE" "$SCRATCH/remote.original"
    for at in pr.push.before pr.push.after pr.pushed.after pr.open.before pr.open.after pr.record.before; do
        rm -rf "$REPO" "$REMOTE" "$SCRATCH/opened"
        cp -a "$SCRATCH/original" "$REPO"
        cp -a "$SCRATCH/remote.original" "$REMOTE"
        cd "$REPO"
        git update-index -q --refresh || true
        BOSK_FAILPOINT_AT=$at:1 run_bosk land --merge "$sid"
        refute [ "$status" = 0 ]
        run_bosk resume "$sid"
        expect_status 1
        expect_text 'not landed: .*conflict in one.txt'
        expect_text 'instead \(land_fallback\): '
        equal "state after $at" "$(status_json '.sessions[0] | "\(.state) \(.tasks[0].state)"')" 'done integrated'
        assert_verified
    done
}

@test "land --pr --task: the one task, on the target, on a branch of its own; again it is the same one" {
    run_bosk run "$SCRATCH/p.yaml" --sequential
    expect_status 0
    sid=$(last_sid)
    run_bosk land --pr --task two "$sid"
    expect_status 1
    expect_text 'two needs one, which has not landed'
    run_bosk land --pr --task one --task two "$sid"
    expect_status 1
    expect_text 'of one task, or of all'
    # Made from where main is: its own commit. Made upon others: without them.
    run_bosk land --pr --task one "$sid"
    expect_status 0
    equal "one" "$(there "refs/heads/bosk/$sid/one")" "bosk/$sid/one $(task_field "$sid" one commit)"
    run_bosk land --pr --task three "$sid"
    expect_status 0
    equal "three" "$(git -C "$REMOTE" diff --name-only main "bosk/$sid/three-onto-main")" three.txt
    equal "opened" "$(opened)" "one: First|main|bosk/$sid/one|
three|main|bosk/$sid/three-onto-main|"
    local before
    before=$(there)
    run_bosk land --pr --task three "$sid"
    expect_status 0
    expect_text 'was opened before' "$OUT"
    equal "there" "$(there)" "$before"
    equal "opened" "$(opened | wc -l)" 2
    equal "states" "$(status_json '.sessions[0] | "\(.state) \([.tasks[].state] | unique | join(" "))"')" 'done integrated'
    assert_verified
}

@test "land --pr --task, killed at each step: one push, one pull request" {
    local at
    run_bosk run "$SCRATCH/p.yaml" --sequential
    expect_status 0
    sid=$(last_sid)
    can_be_asked
    cp -a "$REPO" "$SCRATCH/original"
    cp -a "$REMOTE" "$SCRATCH/remote.original"
    for at in pr.push.before pr.push.after pr.pushed.after pr.open.before pr.open.after pr.record.before pr.record.after; do
        rm -rf "$REPO" "$REMOTE" "$SCRATCH/opened"
        cp -a "$SCRATCH/original" "$REPO"
        cp -a "$SCRATCH/remote.original" "$REMOTE"
        cd "$REPO"
        BOSK_FAILPOINT_AT=$at:1 run_bosk land --pr --task three "$sid"
        refute [ "$status" = 0 ]
        run_bosk land --pr --task three "$sid"
        [ "$status" = 0 ] || run_bosk land --pr --task three "$sid" # where it cannot be known it is said, once
        expect_status 0
        equal "opened after $at" "$(opened | wc -l)" 1
        equal "branches after $at" "$(there 'refs/heads/bosk' | wc -l)" 1
        assert_verified
    done
}
