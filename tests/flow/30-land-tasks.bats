#!/usr/bin/env bats
# Landing single tasks of a session, and onto an upstream that was fetched.
# shellcheck disable=SC2154,SC2030,SC2031 # variables set by run_bosk and setup; each test is a subshell

load ../lib/flow

setup() {
    flow_setup
    make_repo a.txt
    write_file "$SCRATCH/p.yaml" <<'YAML'
tasks:
  - {id: base, run: 'echo base > base.txt'}
  - {id: other, needs: [base], files: [other.txt], run: 'echo other > other.txt'}
  - {id: user, needs: [base], files: [user.txt], run: 'cat base.txt > user.txt'}
YAML
}
teardown() { flow_teardown; }

batch() {
    run_bosk run "${1:-$SCRATCH/p.yaml}" --jobs 1
    expect_status 0
    sid=$(last_sid)
    START=$(git rev-parse main)
}
states() { status_json '[.sessions[0].tasks[] | "\(.id) \(.state)"] | join(" ")'; }
files() { git ls-tree -r --name-only main | grep -v -e README -e a.txt | tr '\n' ' '; }

@test "--task: its change alone, with what it needs or after it; the rest later; each once" {
    batch
    run_bosk land --merge --task user "$sid"
    expect_status 1
    expect_text 'user needs base, which has not landed: add --task base'
    equal "main" "$(git rev-parse main)" "$START"
    # The one that came last, with what it needs and without what came between.
    run_bosk land --merge --task user --task ba "$sid"
    expect_status 0
    equal "files" "$(files)" 'base.txt user.txt '
    equal "states" "$(states)" 'base landed other integrated user landed'
    equal "parents" "$(git rev-list --parents -1 main | wc -w) $(git rev-parse main^1)" "3 $START"
    equal "trailers" "$(git log -1 --format='%(trailers:key=Bosk-Task,valueonly,separator=%x20)' main)" 'base user'
    equal "checkout" "$(git status --porcelain)" ""
    assert_verified
    run_bosk land --merge --task user "$sid"
    expect_status 1
    expect_text 'task user has landed already'
    # One by itself, then nothing is left of it.
    local before
    before=$(git rev-parse main)
    run_bosk land --merge --task other "$sid"
    expect_status 0
    equal "change" "$(git diff --name-only "$before" main)" other.txt
    equal "states" "$(states)" 'base landed other landed user landed'
    run_bosk land --merge "$sid"
    expect_status 1
    expect_text 'nothing to land: .* task by task'
    assert_verified
}

@test "--task, then all of the session: what has landed is not there twice" {
    batch
    run_bosk land --merge --task base "$sid"
    expect_status 0
    run_bosk land --merge "$sid"
    expect_status 0
    equal "files" "$(files)" 'base.txt other.txt user.txt '
    equal "states" "$(states)" 'base landed other landed user landed'
    assert_verified
}

@test "--task: unknown, not integrated, in conflict: nothing is touched" {
    write_file "$SCRATCH/q.yaml" <<'YAML'
tasks:
  - {id: one, files: [a.txt], run: 'echo one >> a.txt'}
  - {id: two, files: [a.txt], run: 'echo two >> a.txt'}
  - {id: bad, run: 'false'}
YAML
    run_bosk run "$SCRATCH/q.yaml" --sequential -c retries=0
    expect_status 1
    sid=$(last_sid)
    START=$(git rev-parse main)
    run_bosk land --merge --task nobody "$sid"
    expect_status 2
    expect_text "has no task 'nobody'"
    run_bosk land --merge --task bad "$sid"
    expect_status 1
    expect_text 'task bad is not integrated in session .* \(failed\)'
    run_bosk land --merge --task two "$sid"
    expect_status 1
    expect_text 'main and two conflict in a.txt; land all of the session'
    equal "main" "$(git rev-parse main)" "$START"
    run_bosk land --merge --task two --task one "$sid"
    expect_status 0
    equal "a.txt" "$(tail -n 2 a.txt)" $'one\ntwo'
    assert_verified
}

@test "--task, killed at each step: landed once, the store says so" {
    unchecked 'a resume goes on with the landing that was asked for' B1
    local at how
    batch
    cp -a "$REPO" "$SCRATCH/original"
    for at in land.forward.before:1 land.forward.after:1 land.record.before:1 turn.commit.after:1; do
        for how in "resume $sid" "land --merge --task base $sid"; do
            rm -rf "$REPO"
            cp -a "$SCRATCH/original" "$REPO"
            cd "$REPO"
            git update-index -q --refresh || true
            BOSK_FAILPOINT_AT=$at run_bosk land --merge --task base "$sid"
            refute [ "$status" = 0 ]
            # shellcheck disable=SC2086 # words
            run_bosk $how
            expect_status 0
            equal "files after $at" "$(files)" 'base.txt '
            equal "states after $at" "$(states)" 'base landed other integrated user integrated'
            equal "merges after $at" "$(git rev-list --count --merges "$START..main")" 1
            equal "checkout" "$(git status --porcelain)" ""
            assert_verified
        done
    done
}

@test "--fetch: onto the upstream where that is ahead; gone apart, without one, or unreachable: not landed" {
    git clone -q --bare . "$SCRATCH/origin.git"
    git remote add origin "$SCRATCH/origin.git"
    git fetch -q origin
    batch
    local before
    before=$(git rev-parse main)
    run_bosk land --merge --fetch "$sid"
    expect_status 1
    expect_text 'main has no upstream that could be fetched'
    git branch -q --set-upstream-to origin/main
    git clone -q "$SCRATCH/origin.git" "$SCRATCH/elsewhere"
    echo theirs >"$SCRATCH/elsewhere/theirs.txt"
    git -C "$SCRATCH/elsewhere" add theirs.txt
    git -C "$SCRATCH/elsewhere" -c user.name=They -c user.email=they@example.com commit -qm theirs
    git -C "$SCRATCH/elsewhere" push -q
    mv "$SCRATCH/origin.git" "$SCRATCH/away.git"
    run_bosk land --merge --fetch "$sid"
    expect_status 1
    expect_text 'not landed: git fetch origin refs/heads/main: '
    mv "$SCRATCH/away.git" "$SCRATCH/origin.git"
    equal "main" "$(git rev-parse main)" "$before"
    run_bosk land --merge --fetch "$sid"
    expect_status 0
    equal "files" "$(files)" 'base.txt other.txt theirs.txt user.txt '
    equal "first parent" "$(git rev-parse main^1)" "$(git rev-parse origin/main)"
    equal "checkout" "$(git status --porcelain)" ""
    assert_verified
    # Another one: they have gone apart.
    echo more >>"$SCRATCH/elsewhere/theirs.txt"
    git -C "$SCRATCH/elsewhere" -c user.name=They -c user.email=they@example.com commit -qam more
    git -C "$SCRATCH/elsewhere" push -q
    write_file "$SCRATCH/q.yaml" <<'YAML'
tasks:
  - {id: late, run: 'echo late > late.txt'}
YAML
    batch "$SCRATCH/q.yaml"
    run_bosk land --merge --fetch "$sid"
    expect_status 1
    expect_text 'main and refs/remotes/origin/main have gone apart'
    equal "main" "$(git rev-parse main)" "$START"
    run_bosk land --merge "$sid"
    expect_status 0
}
