#!/usr/bin/env bats
# A target that is no branch but a name for one (git symbolic-ref): refused at the start, told with what to type.
# shellcheck disable=SC2154 # variables set by run_bosk

load ../lib/flow

setup() {
    flow_setup
    make_repo a.txt
    write_file "$SCRATCH/p.yaml" <<'YAML'
tasks:
  - {id: one, run: 'echo one > one.txt'}
YAML
}
teardown() { flow_teardown; }

refused() { # WORDS...: nothing begins, main is named
    run_bosk "$@"
    expect_status 2
    expect_text 'branch master is a symbolic ref: it only stands for refs/heads/main\. .*--target main$'
    equal "sessions" "$(git for-each-ref refs/bosk | wc -l)" 0
}

@test "a run and a plan refuse it before anything starts, also as the branch that is checked out" {
    git symbolic-ref refs/heads/master refs/heads/main
    refused run "$SCRATCH/p.yaml" --land merge --target master
    refused plan "$SCRATCH/p.yaml" --target master
    git symbolic-ref HEAD refs/heads/master
    refused run "$SCRATCH/p.yaml" --land merge
    refused plan "$SCRATCH/p.yaml"
    git symbolic-ref HEAD refs/heads/main
    # As git once wrote it; and through another.
    git symbolic-ref -d refs/heads/master
    ln -s main .git/refs/heads/master
    refused run "$SCRATCH/p.yaml" --target master
    rm .git/refs/heads/master
    git symbolic-ref refs/heads/between refs/heads/main
    git symbolic-ref refs/heads/master refs/heads/between
    refused run "$SCRATCH/p.yaml" --target master
    git symbolic-ref refs/heads/master refs/tags/none
    run_bosk run "$SCRATCH/p.yaml" --target master
    expect_status 2
    expect_text 'it stands for refs/tags/none, which is no branch'
    git symbolic-ref -d refs/heads/master
    run_bosk run "$SCRATCH/p.yaml" --land merge --target main
    expect_status 0
    git show main:one.txt
}

@test "one that became symbolic after the run: not landed, exit 1, and what to type lets it land" {
    git branch master
    run_bosk run "$SCRATCH/p.yaml" --target master
    expect_status 0
    sid=$(last_sid)
    git branch -q -D master
    git symbolic-ref refs/heads/master refs/heads/main
    was=$(git rev-parse main)
    run_bosk land "$sid" --merge
    expect_status 1
    expect_text 'not landed: refs/heads/master is a symbolic ref by now: it only stands for refs/heads/main'
    equal "main" "$(git rev-parse main)" "$was"
    equal "state" "$(status_json '.sessions[0].state') $(task_field "$sid" one state)" 'done integrated'
    bash -ec "$(sed -n 's/.*To make it a branch again: //p' "$OUT" "$ERR" | head -1)"
    run_bosk land "$sid" --merge
    expect_status 0
    git show master:one.txt
    equal "main" "$(git rev-parse main)" "$was"
    assert_verified
}
