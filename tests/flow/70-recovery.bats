#!/usr/bin/env bats
# Recovery after kill -9 in situations that the counted crash points (tests/crash) do not produce.
# shellcheck disable=SC2154,SC2030,SC2031 # variables set by run_bosk and setup; each test is a subshell
# shellcheck disable=SC2016 # conditions for wait_until are evaluated there

load ../lib/flow

setup() {
    flow_setup
    make_repo a.txt b.txt c.txt d.txt e.txt
}
teardown() { flow_teardown; }

# kill_bosk: the supervisor, at once; wait until its workers are gone too.
kill_bosk() {
    kill -KILL "$bosk_pid"
    wait "$bosk_pid" || true
    wait_until '[ -z "$(processes_of_test)" ]'
}
# kept ID: some ref keeps it.
kept() {
    [ -n "$(git for-each-ref --contains "$1")" ] && return 0
    printf 'no ref keeps %s\n' "$1" >&2
    return 1
}

@test "what a killed attempt committed and wrote is kept when its task goes to another slot" {
    write_file "$SCRATCH/p.yaml" <<YAML
tasks:
  - {id: one, run: 'echo one > one.txt'}
  - id: two
    run: |
      echo two > two.txt
      test ! -e '$SCRATCH/own' || exit 0
      git add two.txt && git commit -qm 'Its own commit'
      echo unfinished > notes.txt
      git rev-parse HEAD > '$SCRATCH/own'
      exec sleep 1000
YAML
    start_bosk run "$SCRATCH/p.yaml" --jobs 2
    wait_until '[ -s "$SCRATCH/own" ]'
    sid=$(last_sid)
    wait_until '[ "$(task_field "$sid" one state)" = integrated ]'
    kill_bosk
    run_bosk resume "$sid" --jobs 1
    expect_status 0
    equal "worktree" "$(task_field "$sid" two worktree)" 1
    kept "$(cat "$SCRATCH/own")"
    local ref found=''
    for ref in $(git for-each-ref --format='%(refname)' "refs/bosk/keep/$sid/two"); do
        if git cat-file -e "$ref:notes.txt" 2>/dev/null; then found=$ref; fi
    done
    [ -n "$found" ]
    assert_no_worktrees "$REPO"
    equal "branches" "$(git for-each-ref --format='%(refname)' refs/heads/bosk)" ""
}

# A landing during which bosk, and git with it, is killed: while git writes c.txt into the user's tree,
# with a.txt written and b.txt removed. Session in $sid.
cut_off_landing() {
    unchecked 'a resume lands in the checkout' B1
    cat >"$SCRATCH/smudge" <<SH
#!/bin/sh
if [ "\$PWD" = '$REPO' ] && mkdir '$SCRATCH/killed' 2>/dev/null; then
    pid=\$PPID
    while [ "\$(readlink "/proc/\$pid/exe")" != '$BOSK_BIN' ]; do
        set -- \$(cat "/proc/\$pid/stat") && pid=\$4
    done
    kill -KILL "\$pid" && sleep 1000
fi
exec cat
SH
    chmod +x "$SCRATCH/smudge"
    git config filter.deadly.smudge "$SCRATCH/smudge"
    git config filter.deadly.clean cat
    echo 'c.txt filter=deadly' >.gitattributes
    ln -s a.txt link
    git add -A && git commit -qm 'A filter and a link'
    write_file "$SCRATCH/p.yaml" <<'YAML'
tasks:
  - id: one
    run: |
      echo changed > a.txt
      git rm -q b.txt
      seq 1000 > c.txt
      rm d.txt && mkdir d.txt && echo in > d.txt/in
      mkdir -p new/er && echo new > new/er/n.txt
      ln -sf e.txt link
      chmod +x e.txt
YAML
    run_bosk run "$SCRATCH/p.yaml" --land merge
    expect_status 137
    sid=$(last_sid)
    equal "state" "$(status_json '.sessions[0].state')" interrupted
    equal "a.txt" "$(cat a.txt)" changed
    refute test -e b.txt
    test -e .git/index.lock
}
landed() {
    equal "status" "$(git status --porcelain --ignored)" "$1"
    equal "tree" "$(git rev-parse 'main^{tree}')" "$(git rev-parse "refs/bosk/int/$sid^{tree}")"
    equal "landings" "$(git rev-list --first-parent --count --merges main)" 1
    equal "state" "$(task_field "$sid" one state)" landed
    equal "session" "$(status_json '.sessions[0].state')" "done"
    equal "locks" "$(find .git -name '*.lock' -not -path '.git/bosk/*')" ""
}

@test "a landing cut off while git writes the user's tree is put right by resume" {
    cut_off_landing
    echo mine >untracked.txt
    run_bosk resume "$sid"
    expect_status 0
    landed '?? untracked.txt'
}

@test "a landing cut off in the middle of a file is put right by resume" {
    cut_off_landing
    seq 100 >c.txt
    mkdir new
    run_bosk resume "$sid"
    expect_status 0
    landed ''
}

@test "what the user changed after a cut-off landing is not overwritten" {
    cut_off_landing
    echo 'the user was here' >c.txt
    snapshot() { find . -path ./.git -prune -o -type f -exec sha256sum {} +; }
    snapshot >"$SCRATCH/before"
    run_bosk resume "$sid"
    expect_status 1
    expect_text 'c\.txt in .* is neither as before it nor as after it'
    snapshot >"$SCRATCH/after"
    diff "$SCRATCH/before" "$SCRATCH/after"
    git checkout -q HEAD -- c.txt
    run_bosk land --merge "$sid"
    expect_status 0
    equal "status" "$(git status --porcelain --ignored)" ''
    equal "tree" "$(git rev-parse 'main^{tree}')" "$(git rev-parse "refs/bosk/int/$sid^{tree}")"
}

# half_made_admin CONTENT: what `git worktree add` has made of slot 2 when it is killed early; CONTENT of
# its gitdir, empty = that file is not there yet. Session in $sid; slot 2 was never used before.
half_made_admin() {
    write_file "$SCRATCH/p.yaml" <<'YAML'
tasks:
  - {id: one, run: 'echo one > one.txt'}
  - {id: two, run: 'echo two > two.txt'}
YAML
    BOSK_FAILPOINT_IN=supervisor BOSK_FAILPOINT_AT=turn.commit.after:1 run_bosk run "$SCRATCH/p.yaml" --jobs 2
    expect_status 137
    wait_until '[ -z "$(processes_of_test)" ]'
    sid=$(last_sid)
    mkdir -p ".git/worktrees/$sid-2"
    echo 'bosk session' >".git/worktrees/$sid-2/locked"
    [ -z "$1" ] || printf '%s' "$1" >".git/worktrees/$sid-2/gitdir"
}

@test "an admin folder that a killed worktree add did not name yet is removed" {
    half_made_admin ''
    run_bosk resume "$sid"
    expect_status 0
    equal "admin folders" "$(ls .git/worktrees 2>/dev/null || true)" ""
}

@test "an admin folder whose gitdir was cut off is no fault, and is removed" {
    half_made_admin "${SCRATCH%/*}"
    echo "bosk session $sid" >".git/worktrees/$sid-2/locked"
    run_bosk verify
    expect_status 0
    run_bosk resume "$sid"
    expect_status 0
    equal "admin folders" "$(ls .git/worktrees 2>/dev/null || true)" ""
}

@test "an admin folder of somebody else's worktree with the same last name stays" {
    unchecked 'half a worktree of somebody else' A8 B3
    half_made_admin "/somewhere/else/.git"
    run_bosk resume "$sid"
    expect_status 0
    equal "admin folders" "$(ls .git/worktrees)" "$sid-2"
}

# As a power cut leaves `git worktree add`: the names of its files, and what only gitdir holds. Of two slots the session
# uses one: both the half-made one, and the other.
@test "a worktree that a power cut left half made is removed or made again, and keeps no other from being made" {
    local slot admin cut
    write_file "$SCRATCH/p.yaml" <<'YAML'
tasks:
  - {id: one, run: 'echo one > one.txt'}
  - {id: two, run: 'echo two > two.txt', needs: [one]}
YAML
    BOSK_FAILPOINT_IN=supervisor BOSK_FAILPOINT_AT=turn.commit.after:1 run_bosk run "$SCRATCH/p.yaml" --jobs 2
    expect_status 137
    wait_until '[ -z "$(processes_of_test)" ]'
    sid=$(last_sid)
    cp -a "$REPO" "$SCRATCH/template"
    for slot in 1 2 cut; do
        cut=''
        [ "$slot" != cut ] || cut=worktree.link.between:1 slot=1
        rm -rf "$REPO" "$REPO.worktrees"
        cp -a "$SCRATCH/template" "$REPO"
        cd "$REPO"
        git worktree add -q --no-checkout --detach --lock --reason "bosk session $sid" "$REPO.worktrees/$sid-$slot"
        admin=.git/worktrees/$sid-$slot
        truncate -s 0 "$admin"/{locked,commondir,HEAD} "$REPO.worktrees/$sid-$slot/.git"
        if [ -n "$cut" ]; then # and the mending of it is cut off too
            BOSK_FAILPOINT_IN=supervisor BOSK_FAILPOINT_AT=$cut run_bosk resume "$sid"
            expect_status 137
        fi
        run_bosk resume "$sid"
        expect_status 0
        equal "admin folders" "$(ls .git/worktrees 2>/dev/null || true)" ""
        equal "worktree folder" "$(ls "$REPO.worktrees" 2>/dev/null || true)" ""
        equal "files" "$(git ls-tree --name-only "refs/bosk/int/$sid" one.txt two.txt | tr '\n' ' ')" 'one.txt two.txt '
    done
}

# A session whose worktrees were never made; $path is that of the first.
unmade() {
    write_file "$SCRATCH/p.yaml" <<<'tasks: [{id: one, run: "echo one > one.txt"}]'
    BOSK_FAILPOINT_IN=supervisor BOSK_FAILPOINT_AT=turn.commit.after:1 run_bosk run "$SCRATCH/p.yaml" --jobs 1
    expect_status 137
    wait_until '[ -z "$(processes_of_test)" ]'
    sid=$(last_sid)
    path=$REPO.worktrees/$sid-1
    mkdir -p "$REPO.worktrees"
}

# refused TEXT: the resume says what is in the way; when it is gone, the session goes on.
refused() {
    run_bosk resume "$sid"
    expect_status 4
    expect_text "$sid-1 is in the way: $1"
    mv "$path" "$SCRATCH/away"
    git worktree prune
    run_bosk resume "$sid"
    expect_status 0
}

@test "a folder of the user's at the path of a worktree is not touched" {
    unmade
    mkdir "$path"
    echo precious >"$path/precious"
    refused 'it is no worktree of this repository'
    equal "file" "$(cat "$SCRATCH/away/precious")" precious
}

@test "a worktree of the user's at the path of one of bosk's is not touched" {
    unmade
    git worktree add -q -b mine "$path"
    echo precious >"$path/precious"
    refused "it is a worktree that session $sid did not make"
    equal "file" "$(cat "$SCRATCH/away/precious")" precious
    equal "branch" "$(git rev-parse mine)" "$(git rev-parse main)"
}

@test "a link at the path of a worktree is not followed" {
    unmade
    mkdir "$SCRATCH/elsewhere"
    echo precious >"$SCRATCH/elsewhere/precious"
    ln -s "$SCRATCH/elsewhere" "$path"
    refused 'it is a symbolic link'
    equal "file" "$(cat "$SCRATCH/elsewhere/precious")" precious
}
