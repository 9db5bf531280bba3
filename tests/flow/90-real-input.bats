#!/usr/bin/env bats
# Real input: this project's own history. A full clone is set back by ten commits; a plan of one task
# per commit brings each change back by its real patch, in any order their files allow, with the
# project's own build as the gate, beside tasks that write documents about the code. What comes out
# must be the tree that history has, plus those documents.
# shellcheck disable=SC2154,SC2030,SC2031 # variables set by run_bosk; tests are subshells

load ../lib/flow

COMMITS=10

setup() { flow_setup; }
teardown() { flow_teardown; }

# clone_project FOLDER: the checkout FOLDER lies in, as $REPO; fails without enough of its history.
clone_project() {
    local source count
    # It may belong to another user (a container's volume, for one).
    printf '[safe]\n\tdirectory = *\n' >"$SCRATCH/safe"
    source=$(GIT_CONFIG_GLOBAL=$SCRATCH/safe git -C "$1" rev-parse --show-toplevel) || return
    if [ "$(GIT_CONFIG_GLOBAL=$SCRATCH/safe git -C "$source" rev-parse --is-shallow-repository)" != false ]; then
        echo "$source is a shallow clone: this test needs the history (git fetch --unshallow)" >&2
        return 1
    fi
    GIT_CONFIG_GLOBAL=$SCRATCH/safe git clone -q --no-hardlinks "$source" "$REPO" || return
    count=$(git -C "$REPO" rev-list --count --first-parent HEAD)
    if [ "$count" -le "$COMMITS" ]; then
        echo "$source has $count commits: the plan needs more than $COMMITS" >&2
        return 1
    fi
    git -C "$REPO" config user.name 'Test User'
    git -C "$REPO" config user.email 'test@example.invalid'
    git -C "$REPO" config gc.auto 0
}

# Is a path part of what the gate builds? Such changes only build in the order they were made.
compiled() {
    case $1 in
    store/* | worker/* | supervisor/* | tools/*.[ch] | CMakeLists.txt) return 0 ;;
    *) return 1 ;;
    esac
}

# make_plan: $SCRATCH/p.yaml from the last commits of history; their ids in $ids.
make_plan() {
    local -a commits files code
    local i j id needs
    mapfile -t commits < <(git rev-list --first-parent --reverse --max-count="$COMMITS" "$TIP")
    equal "commits" "${#commits[@]}" "$COMMITS"
    ids=()
    for ((i = 0; i < COMMITS; i++)); do
        files[i]=$'\n'$(git diff --name-only --no-renames "${commits[i]}^1" "${commits[i]}")$'\n'
        code[i]=0
        while read -r path; do
            if [ -n "$path" ] && compiled "$path"; then code[i]=1; fi
        done <<<"${files[i]}"
    done
    {
        echo 'tasks:'
        for ((i = 0; i < COMMITS; i++)); do
            id=c$((i + 1))-${commits[i]:0:10}
            needs=
            for ((j = 0; j < i; j++)); do
                if { [ "${code[i]}" = 1 ] && [ "${code[j]}" = 1 ]; } || share "${files[i]}" "${files[j]}"; then
                    needs+="${needs:+, }${ids[j]}"
                fi
            done
            ids+=("$id")
            printf '  - id: %s\n    title: %s\n    needs: [%s]\n    allow_empty: true\n' "$id" \
                "$(git log -1 --format=%s "${commits[i]}" | jq -R .)" "$needs"
            printf '    run: |\n      git diff --quiet %s^1 %s || git diff --binary --full-index --no-renames %s^1 %s | git apply --index --whitespace=nowarn\n' \
                "${commits[i]}" "${commits[i]}" "${commits[i]}" "${commits[i]}"
        done
        # Documents about the code as it was at the base: real commands, no file in common.
        printf '  - id: doc-history\n    run: |\n      mkdir -p generated && git log --format="* %%s" %s > generated/history.txt\n' "$BASE"
        printf '  - id: doc-files\n    run: |\n      mkdir -p generated && git ls-tree -r --name-only %s > generated/files.txt\n' "$BASE"
        printf '  - id: doc-includes\n    run: |\n      mkdir -p generated && git grep -hE "^#include [<]" %s -- "*.[ch]" | sort | uniq -c > generated/includes.txt\n' "$BASE"
        printf '  - id: doc-functions\n    run: |\n      mkdir -p generated && git grep -hoE "^[a-z].*[(][^;]*;" %s -- "*.h" | LC_ALL=C sort > generated/functions.txt\n' "$BASE"
        ids+=(doc-history doc-files doc-includes doc-functions)
        printf '  - id: summary\n    needs: [%s]\n    run: |\n      git ls-files | LC_ALL=C sort > generated/summary.txt\n' \
            "$(printf '%s, ' "${ids[@]}" | sed 's/, $//')"
        ids+=(summary)
    } >"$SCRATCH/p.yaml"
}
# share FILES FILES: is a path in both lists?
share() {
    local path
    while read -r path; do
        case $2 in *$'\n'"$path"$'\n'*) [ -z "$path" ] || return 0 ;; esac
    done <<<"$1"
    return 1
}

@test "ten commits of this project replayed side by side with its own build as the gate" {
    unchecked 'a copy of this repository, with whatever commits lie about in it' A5
    local sid
    clone_project "$BATS_TEST_DIRNAME"
    cd "$REPO"
    TIP=$(git rev-parse HEAD)
    git checkout -q -b work "HEAD~$COMMITS"
    BASE=$(git rev-parse HEAD)
    make_plan
    [ "${#ids[@]}" -ge 10 ]

    # In CI, which has 20 minutes, a part of it.
    local target=store
    [ -z "${BOSK_TEST_FULL:-}" ] || target=bosk
    # The gate: configure and compile, in a folder of its own per slot that outlives the task. The
    # folder also names the source folder, which CMake holds on to.
    mkdir "$SCRATCH/builds"
    cat >"$SCRATCH/gate" <<SH
#!/bin/sh
set -eu
build=$SCRATCH/builds/\$BOSK_SLOT-\$(pwd | cksum | cut -d' ' -f1)
echo "\$BOSK_SLOT" >> "$SCRATCH/slots"
cmake -S . -B "\$build" -G Ninja -DBOSK_TESTS=OFF -DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_FLAGS_DEBUG=-O0 > "\$build.log" 2>&1 || { cat "\$build.log"; exit 1; }
ninja -C "\$build" $target >> "\$build.log" 2>&1 || { tail -n 40 "\$build.log"; exit 1; }
SH
    chmod +x "$SCRATCH/gate"
    cat >bosk.yaml <<YAML
protect: []
gates:
  - {name: build, run: '$SCRATCH/gate', timeout: 5m}
YAML
    echo 'a note of the user' >note.txt
    snapshot_checkout "$REPO" >"$SCRATCH/before"

    # Each worktree is built from nothing once.
    FLOW_LIMIT=800 run_bosk run "$SCRATCH/p.yaml" --jobs "$([ -n "${BOSK_TEST_FULL:-}" ] && echo 4 || echo 2)"
    expect_status 0
    snapshot_checkout "$REPO" >"$SCRATCH/after"
    assert_same_snapshot "$SCRATCH/before" "$SCRATCH/after"

    sid=$(last_sid)
    assert_once "$REPO" "$sid" "$BASE" "${ids[@]}"
    equal "integrated" "$(status_json '.sessions[0].counts.integrated')" "${#ids[@]}"
    # What history has, and the documents.
    equal "differences from history" "$(git diff --no-renames --name-status "$TIP" "integration-$sid")" \
        "$(printf 'A\tgenerated/%s.txt\n' files functions history includes summary)"
    equal "history.txt" "$(git show "integration-$sid:generated/history.txt" | wc -l)" \
        "$(git rev-list --count "$BASE")"
    equal "summary.txt" "$(git show "integration-$sid:generated/summary.txt" | wc -l)" \
        "$(($(git ls-tree -r --name-only "$TIP" | wc -l) + 4))"
    [ -s "$SCRATCH/slots" ]
    assert_no_strays "$sid"
    assert_no_worktrees "$REPO"
}

@test "a copy of the project without its history is not good enough" {
    clone_project "$BATS_TEST_DIRNAME"
    git clone -q --depth 3 "file://$REPO" "$SCRATCH/shallow"
    rm -rf "$REPO"
    refute clone_project "$SCRATCH/shallow"
    git init -q "$SCRATCH/short"
    echo x >"$SCRATCH/short/x"
    git -C "$SCRATCH/short" add x
    git -C "$SCRATCH/short" -c user.name=A -c user.email=a@example.invalid commit -qm 'The only commit'
    refute clone_project "$SCRATCH/short"
}
