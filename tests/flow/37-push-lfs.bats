#!/usr/bin/env bats
# Files of Git LFS: their objects are there before the branch is, for a pull request and for push: on.
# shellcheck disable=SC2154,SC2016 # variables set by run_bosk; what is expanded later

load ../lib/flow

setup() {
    flow_setup
    make_repo a.txt
    REMOTE=$SCRATCH/remote.git
    git init -q --bare -b main "$REMOTE"
    git remote add origin "$REMOTE"
    git lfs install --local >/dev/null
    rm -f .git/hooks/*
    git lfs track '*.bin' >/dev/null
    echo first >first.bin
    git add -A
    git commit -qm lfs
    git lfs push origin main
    git push -q origin main
    mkdir "$SCRATCH/bin"
    printf '#!/bin/sh\n[ "$1" = pr ] && [ "$2" = list ] || echo https://example.invalid/pull/7\n' >"$SCRATCH/bin/gh"
    chmod +x "$SCRATCH/bin/gh"
    PATH=$SCRATCH/bin:$PATH
    printf '{"kind": "segments", "tasks": [%s, %s]}\n' '{"id": "one", "branch": "feat/one", "prompt": "p"}' \
        '{"id": "two", "branch": "feat/two", "prompt": "p"}' >"$SCRATCH/p.json"
}
teardown() { flow_teardown; }

# content BRANCH FILE: what somebody who clones gets.
content() {
    rm -rf "$SCRATCH/clone"
    git -c filter.lfs.smudge='git-lfs smudge -- %f' -c filter.lfs.process='git-lfs filter-process' -c filter.lfs.required=true \
        clone -q -b "$1" "$REMOTE" "$SCRATCH/clone" && cat "$SCRATCH/clone/$2"
}
remote() { git --git-dir="$REMOTE" rev-parse --verify -q "refs/heads/$1"; }
# broken_lfs: git finds no git-lfs that works for a push.
broken_lfs() {
    printf '#!/bin/sh\n[ "$1" != push ] || { echo no objects today >&2; exit 2; }\nexec %s "$@"\n' "$(command -v git-lfs)" >"$SCRATCH/bin/git-lfs"
    chmod +x "$SCRATCH/bin/git-lfs"
}

@test "push: on takes the objects along, also to a remote that is a folder" {
    local to
    for to in origin "$REMOTE"; do
        rm -rf "$REMOTE/lfs"
        git lfs push --all origin main
        run_bosk run "$SCRATCH/p.json" --fresh --executor "echo \$BOSK_TASK \$BOSK_SESSION >\$BOSK_TASK.bin" -c push=on -c "pr.remote=$to"
        expect_status 0
        equal one "$(content feat/one one.bin)" "one $(last_sid)"
        equal two "$(content feat/two two.bin)" "two $(last_sid)"
        git --git-dir="$REMOTE" update-ref -d refs/heads/feat/one
        git --git-dir="$REMOTE" update-ref -d refs/heads/feat/two
    done
}

@test "push: on without them does not push: told with what to type, which does it" {
    broken_lfs
    run_bosk run "$SCRATCH/p.json" --executor 'echo $BOSK_TASK >$BOSK_TASK.bin' -c push=on
    expect_status 1
    refute remote feat/one
    equal states "$(status_json '[.sessions[0].tasks[].state] | join(" ")')" 'integrated integrated'
    run_bosk report
    expect_text 'feat/one of one could not be pushed to origin: objects of Git LFS: .*no objects today.* By hand: git lfs push' "$OUT"
    rm "$SCRATCH/bin/git-lfs"
    bash -ec "$(sed -n 's/.*feat\/one of one.*By hand: //p' "$OUT" | head -1)"
    equal one "$(content feat/one one.bin)" one
}

@test "a pull request takes them along; when that fails nothing is pushed, and it may be tried again" {
    printf 'tasks:\n  - {id: one, run: "echo one >one.bin"}\n' >"$SCRATCH/p.yaml"
    broken_lfs
    run_bosk run "$SCRATCH/p.yaml" --land pr
    expect_status 1
    expect_text 'could not be pushed to origin: objects of Git LFS: .*no objects today'
    sid=$(last_sid)
    refute remote "integration-$sid"
    rm "$SCRATCH/bin/git-lfs"
    run_bosk land "$sid" --pr
    expect_status 0
    equal one "$(content "integration-$sid" one.bin)" one
}

@test "a repository that has no such files needs no git-lfs" {
    git rm -q .gitattributes first.bin
    git commit -qm 'No LFS'
    broken_lfs
    run_bosk run "$SCRATCH/p.json" --executor 'echo $BOSK_TASK >$BOSK_TASK.bin' -c push=on
    expect_status 0
    equal two "$(remote feat/two)" "$(task_field "$(last_sid)" two commit)"
}
