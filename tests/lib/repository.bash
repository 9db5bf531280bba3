# shellcheck shell=bash
# repository.bash: a batch in a repository of some kind, landed, against the same work by git alone (for
# tests/flow/83-*.bats, after `load ../lib/flow` and `load ../lib/hostile`).
#
# A case of a table (hostile_table) prepares $REPO and sets what is special about its work:
#   one, two, three   commands of the tasks t1 (adds), t2 (renames) and t3 (edits what t2 renames), which start side by side
#   last              of t4, which needs them all
#   user              what the user does in $user_at (default: the checkout) before a kept batch is landed, and commits
#   target, user_at   the branch (default: the one that is checked out), and where it is checked out ('' = nowhere)
#   shown             what git status says after git's own merge (default: nothing)
#
# `broken CASE`: before it lands, git once breaks off, with all files written and the index not: they are put back.
# A row that begins with + is for BOSK_TEST_FULL only; `with CASE...` is several kinds in one repository.
# A kept batch is landed by `bosk land` on that, with a commit of the user's on it meanwhile. `elsewhere CASE`: by
# `bosk run --land merge`, on a branch that nobody has checked out.

# repository_fresh: a small repository, and nothing else of the case before.
# shellcheck disable=SC2034 # RUN is for hostile.bash
repository_fresh() {
    cd "$SCRATCH" || return
    chmod -R u+rwX repo* alone* 2>/dev/null || true
    rm -rf repo* alone* ./*.git
    REPO=$SCRATCH/repo
    git init -q -b main "$REPO"
    cd "$REPO" || return
    repository_identity
    mkdir b c
    seq 1 30 >lines.txt
    seq 101 130 >b/old.txt
    echo gone >b/gone.txt
    echo c >c/c.txt
    git add -A
    git commit -qm 'Start'
    one=: two=: three=: last=: user="echo user >user.txt; sed -i 's/^15\b/fifteen/' lines.txt"
    target='' user_at=checkout shown='' RUN=repository_run run_words=() broken=''
}

repository_identity() {
    git config user.name 'Test User'
    git config user.email test@example.invalid
    git config gc.auto 0
}

# The tasks: id, what they need, command.
repository_tasks() {
    printf '%s\x1f%s\x1f%s\n' \
        t1 '' "sed -i 's/^2\b/two/' lines.txt && mkdir -p d/e && echo one >d/e/one.txt && $one" \
        t2 '' "sed -i 's/^28\b/twenty-eight/' lines.txt && mv b/old.txt b/moved.txt && $two" \
        t3 '' "f=b/old.txt; [ -e \$f ] || f=b/moved.txt; sed -i 's/^115\b/middle/' \$f && $three" \
        t4 't1 t2 t3' "rm b/gone.txt && cat lines.txt b/moved.txt >last.txt && $last"
}

repository_plan() {
    local id needs command
    while IFS=$'\x1f' read -r id needs command; do
        jq -n --arg id "$id" --arg needs "$needs" --arg run "$command" '{id: $id, run: $run, needs: ($needs / " " - [""])}'
    done < <(repository_tasks) | jq -s '{tasks: .}'
}

# repository_table: hostile_table for the rows of standard input; in full each also elsewhere.
repository_table() { hostile_table repository_fresh repository_check < <(repository_rows); }
repository_rows() {
    local row
    while IFS= read -r row; do
        case ${BOSK_TEST_FULL:+full}$row in
        full*'| 0')
            row=${row/ + /   }
            printf '%s\n' "$row"
            case $row in *' elsewhere '*) ;; *) printf 'elsewhere %s\n' "$(trim "$row")" ;; esac
            ;;
        full*) printf '%s\n' "${row/ + /   }" ;;
        *' + '*) ;;
        *) printf '%s\n' "$row" ;;
        esac
    done
}

make_with() {
    local name var
    local -A all=([one]=: [two]=: [three]=: [last]=: [user]=$user)
    for name; do
        "make_$name"
        for var in "${!all[@]}"; do
            [ "${all[$var]%"${!var}"}" != "${all[$var]}" ] || all[$var]+=" && ${!var}"
        done
        one=: two=: three=: last=: user=:
    done
    for var in "${!all[@]}"; do printf -v "$var" %s "${all[$var]}"; done
}

make_elsewhere() {
    local name=$1
    shift
    "make_$name" "$@"
    git -C "$REPO" branch release
    target=release user_at='' run_words=(--land merge)
}

make_broken() {
    local name=$1
    shift
    "make_$name" "$@"
    broken=1
}

# ---- by bosk ---------------------------------------------------------------------------------------

repository_run() {
    repository_plan >"$SCRATCH/p.yaml"
    : "${target:=$(git -C "$REPO" symbolic-ref --short -q HEAD || true)}"
    BASE=$(git -C "$REPO" rev-parse -q --verify "$target" 2>/dev/null || true)
    remember
    cp "$(git rev-parse --git-common-dir)/config" "$SCRATCH/config.before" 2>/dev/null || true
    [ ! -d "$REPO" ] || checkout_content "$REPO" >"$SCRATCH/content.before" 2>/dev/null || true
    run_bosk -C "$REPO" run "$SCRATCH/p.yaml" ${target:+--target "$target"} ${run_words[@]+"${run_words[@]}"}
}

# repository_land: what is integrated, onto the target that has moved meanwhile.
repository_land() {
    BEFORE=$BASE
    [ -n "$user_at" ] || return 0 # it has landed
    if [ "$user_at" = checkout ]; then user_at=$REPO; fi
    (cd "$user_at" && eval "$user" && git add -A && git commit -qm 'By the user') || return
    BEFORE=$(git -C "$REPO" rev-parse "refs/heads/$target")
    if [ -n "$broken" ]; then repository_break; fi
    run_bosk -C "$REPO" land --merge
    expect_status 0
}

# The last of the files is half written.
repository_break() {
    write_file "$SCRATCH/bin/git" <<SH
#!/bin/bash
case " \$* " in *' merge --ff-only '*)
    cp '$(git -C "$user_at" rev-parse --absolute-git-dir)/index' '$SCRATCH/index'
    GIT_INDEX_FILE='$SCRATCH/index' '$(command -v git)' -c core.hooksPath=/dev/null -C '$user_at' read-tree -m -u HEAD "\${@: -1}" || exit 9
    last=\$(cd '$user_at' && git diff-tree -r --no-renames --name-only --diff-filter=M HEAD "\${@: -1}" | grep -v '[^a-zA-Z0-9./]' | tail -1)
    if [ -f "$user_at/\$last" ]; then head -c 5 "$user_at/\$last" >'$SCRATCH/half' && cp '$SCRATCH/half' "$user_at/\$last"; fi
    echo 'fatal: broken off' >&2
    exit 1 ;;
esac
exec '$(command -v git)' "\$@"
SH
    chmod +x "$SCRATCH/bin/git"
    checkout_content "$user_at" >"$SCRATCH/content.before"
    PATH=$SCRATCH/bin:$PATH run_bosk -C "$REPO" land --merge
    expect_status 1
    expect_text 'not landed: git would not move the tree .*: fatal: broken off'
    checkout_content "$user_at" | diff -u "$SCRATCH/content.before" - >&2
    equal "target" "$(git -C "$REPO" rev-parse "refs/heads/$target")" "$BEFORE"
}

# ---- by git ----------------------------------------------------------------------------------------

# git without what bosk leaves out as well, hooks.
by_git() { git -c core.hooksPath=/dev/null -c advice.detachedHead=false -c merge.renames=true "$@"; }

# The tasks by hand, in a worktree of git's own; their merge is refs/alone/tasks.
alone_tasks() (
    set -e
    local id needs command merged=$BASE
    cd "$REPO"
    by_git worktree add -q --detach "$SCRATCH/alone" "$BASE"
    cd "$SCRATCH/alone"
    while IFS=$'\x1f' read -r id needs command <&3; do
        by_git checkout -q --detach "$([ -n "$needs" ] && echo "$merged" || echo "$BASE")"
        sh -c "$command"
        by_git add --all --sparse
        by_git add --all --sparse # with core.ignorecase git needs two for a file that was renamed to another case
        by_git commit -qm "$id"
        id=$(by_git rev-parse HEAD)
        by_git checkout -q --detach "$merged"
        by_git merge -q --no-ff -m merge "$id"
        merged=$(by_git rev-parse HEAD)
    done 3< <(repository_tasks)
    by_git update-ref refs/alone/tasks "$merged"
    cd "$REPO"
    by_git worktree remove --force "$SCRATCH/alone"
)

# What lies in a checkout: names, kinds, modes, contents.
checkout_content() {
    (
        export GIT_OPTIONAL_LOCKS=0
        cd "$1" || exit
        find . -name .git -prune -o -printf '%y %m %p -> %l\n' | LC_ALL=C sort -k3
        find . -name .git -prune -o -type f -print0 | LC_ALL=C sort -z | xargs -0r sha256sum --
        git status --porcelain
        git ls-files -t
    )
}

# ---- what must hold ----------------------------------------------------------------------------------

# repository_check CODE: after the run; refused: nothing at all has changed.
repository_check() {
    local sid landed at
    if [ "$1" != 0 ]; then
        unchanged
        equal "refs of bosk" "$(git -C "$REPO" for-each-ref refs/bosk refs/heads/bosk 2>/dev/null)" ""
        return
    fi
    cd "$REPO"
    sid=$(last_sid)
    repository_land
    landed=$(git rev-parse "refs/heads/$target")
    alone_tasks
    equal "tree of the tasks" "$(git rev-parse "refs/bosk/int/$sid^{tree}")" "$(git rev-parse 'refs/alone/tasks^{tree}')"
    at=$user_at
    if [ -n "$at" ]; then # the same landing again by git, in the same checkout
        checkout_content "$at" >"$SCRATCH/by-bosk"
        equal "status" "$(git -C "$at" status --porcelain)" "$shown"
        (
            cd "$at"
            by_git checkout -q --detach "$BEFORE"
            by_git merge -q --no-ff -m merge refs/alone/tasks
        )
        checkout_content "$at" >"$SCRATCH/by-git"
        by_git -C "$at" update-ref refs/alone/landed HEAD
        by_git -C "$at" checkout -q "$target"
        diff -u "$SCRATCH/by-git" "$SCRATCH/by-bosk" >&2
    else
        checkout_content "$REPO" | diff -u "$SCRATCH/content.before" - >&2
        by_git worktree add -q --detach "$SCRATCH/alone" "$BEFORE"
        by_git -C "$SCRATCH/alone" merge -q --no-ff -m merge refs/alone/tasks
        by_git -C "$SCRATCH/alone" update-ref refs/alone/landed HEAD
        by_git worktree remove --force "$SCRATCH/alone"
    fi
    equal "landed tree" "$(git rev-parse "$landed^{tree}")" "$(git rev-parse 'refs/alone/landed^{tree}')"
    equal "states" "$(status_json '.sessions[0].counts | "\(.landed) of \(.total)"')" '4 of 4'
    equal "worktrees" "$(git worktree list --porcelain | grep -c "^worktree .*\.worktrees/")" 0
    diff "$SCRATCH/config.before" "$(git rev-parse --git-common-dir)/config" >&2
    # B4 takes keys that were there before for bosk's.
    invariants_check --skip "B4 ${UNCHECKED:-}" "$REPO"
}
