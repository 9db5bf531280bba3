#!/usr/bin/env bats
# Repositories of every kind that git knows: case -> outcome -> exit code. Where it works, the same
# commands run by hand in a plain worktree of git must give the same tree; where it is refused, nothing
# at all has changed.
# shellcheck disable=SC2154 # variables set by run_bosk

load ../lib/flow
load ../lib/hostile

setup() { flow_setup; }
teardown() { flow_teardown; }

# Each case begins with the same small repository. $change is one more task's work, for what is special
# about a case; the target is the branch that is checked out.
fresh() {
    cd "$SCRATCH"
    chmod -R u+rwX repo* 2>/dev/null || true
    rm -rf repo* other "$SCRATCH"/*.git
    REPO=$SCRATCH/repo
    make_repo a.txt b/c.txt b/d.txt
    change='echo special >special.txt'
    target='' RUN=run_here
}

plain_work() {
    cat <<SH
echo one >one.txt && echo more >>a.txt
mkdir -p d/e && cp a.txt d/e/two.txt
rm b/c.txt && printf 'x\\0y' >binary
$change
SH
}

run_here() {
    local command i=0
    {
        echo 'tasks:'
        while read -r command; do
            i=$((i + 1))
            printf '  - {id: t%s, run: %s, needs: [%s]}\n' "$i" "$(jq -Rn --arg c "$command" '$c')" \
                "$([ $i != 2 ] || echo t1)"
        done < <(plain_work)
    } >"$SCRATCH/p.yaml"
    remember
    fsck >"$SCRATCH/fsck.before"
    snapshot_checkout "$REPO" >"$SCRATCH/before.checkout" 2>/dev/null || true
    run_bosk -C "$REPO" run "$SCRATCH/p.yaml" ${target:+--target "$target"}
}

# git_alone: the tree of the same work, done by hand in a worktree of git's own.
git_alone() (
    set -e
    export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=core.hooksPath GIT_CONFIG_VALUE_0=/dev/null
    cd "$REPO"
    git worktree add -q --detach "$SCRATCH/other" "${target:-HEAD}"
    cd "$SCRATCH/other"
    # shellcheck disable=SC1090
    . <(plain_work)
    git add --all --sparse
    git write-tree
    cd "$REPO"
    git worktree remove --force "$SCRATCH/other"
)

equal_or_nothing() {
    if [ "$1" != 0 ]; then
        unchanged
        return
    fi
    snapshot_checkout "$REPO" >"$SCRATCH/after.checkout" 2>/dev/null || true
    assert_same_snapshot "$SCRATCH/before.checkout" "$SCRATCH/after.checkout"
    cd "$REPO"
    local sid wanted
    sid=$(last_sid)
    equal "states" "$(status_json '.sessions[0].counts | "\(.integrated) of \(.total)"')" '4 of 4'
    same_fsck
    equal "worktrees" "$(git worktree list --porcelain | grep -c "^worktree .*\.worktrees/")" 0
    wanted=$(git_alone 2>/dev/null)
    equal "tree" "$(git rev-parse "integration-$sid^{tree}")" "$wanted"
}

# What was broken before stays broken: no other complaint of fsck than before.
fsck() { git -C "$REPO" fsck --no-dangling --no-progress 2>&1 || true; }
same_fsck() {
    fsck >"$SCRATCH/fsck.after"
    diff "$SCRATCH/fsck.before" "$SCRATCH/fsck.after" >&2
}

# ---- the cases ------------------------------------------------------------------------------------

# from WORDS...: $REPO becomes a clone of what it was.
from() {
    mv "$REPO" "$SCRATCH/repo.origin"
    git -C "$SCRATCH/repo.origin" config uploadpack.allowFilter true
    git -C "$SCRATCH/repo.origin" config uploadpack.allowAnySHA1InWant true
    git clone -q "$@" "file://$SCRATCH/repo.origin" "$REPO"
    cd "$REPO"
    git config user.name 'Test User'
    git config user.email test@example.invalid
    git config gc.auto 0
}
commit() { git add -A && git commit -qm "$1"; }

make_plain() { :; }
make_no_repository() { rm -rf .git; }
make_no_folder() { REPO=$SCRATCH/absent; }
make_bare() { from --bare; }
make_worktree_of_bare() {
    from --bare
    git worktree add -q "$SCRATCH/repo.linked"
    REPO=$SCRATCH/repo.linked
}
make_empty() { rm -rf .git && git init -q -b main; }
make_detached() { git checkout -q --detach; }
make_mid_rebase() {
    git checkout -q -b side && echo side >a.txt && git commit -qam side
    git checkout -q main && echo main >a.txt && git commit -qam main
    git rebase -q side 2>/dev/null || [ -d .git/rebase-merge ]
    [ "$1" = bare ] || target=$1
}
make_mid_merge() {
    git checkout -q -b side && echo side >a.txt && git commit -qam side
    git checkout -q main && echo main >a.txt && git commit -qam main
    git merge -q side >/dev/null 2>&1 || [ -f .git/MERGE_HEAD ]
}
make_mid_bisect() { git commit -q --allow-empty -m two && git bisect start -q HEAD HEAD~1 >/dev/null && target=main; }
make_sha256() {
    rm -rf .git
    git init -q -b main --object-format=sha256
    git add -A && git -c user.name=A -c user.email=a@example.invalid commit -qm x
}
make_reftable() { git config core.repositoryFormatVersion 1 && git config extensions.refStorage reftable; }
make_unknown_extension() { git config core.repositoryFormatVersion 1 && git config extensions.madeUp true; }
make_shallow() { git commit -q --allow-empty -m two && from --depth 1; }
make_partial() { from --filter="$1"; }
make_partial_and_no_remote() { from --filter=blob:none && git remote set-url origin file:///nowhere; }
make_sparse() {
    git sparse-checkout set "$@"
    # The user sees the folder b only; the task writes outside of it as well.
    change='mkdir -p b/new && echo in >b/new/in && mkdir -p out && echo out >out/side'
}
make_split_index() { git config core.splitIndex true && git update-index --split-index; }
make_submodules() {
    git clone -q --bare "$REPO" "$SCRATCH/repo.sub.git"
    git -c protocol.file.allow=always submodule --quiet add "$SCRATCH/repo.sub.git" mod
    commit submodule
}
make_filters() {
    git config filter.vault.clean "sed s/secret/POINTER/"
    git config filter.vault.smudge "sed s/POINTER/secret/"
    git config filter.vault.required true
    echo '*.key filter=vault' >.gitattributes
    echo 'a secret' >my.key
    commit filters
    equal "stored" "$(git show :my.key)" 'a POINTER'
    # The task sees the content, and what it writes is stored as the pointer.
    change='grep -q "a secret" my.key && echo "a new secret" >new.key'
}
make_filter_that_fails() {
    make_filters
    git config filter.vault.smudge false
}
make_crlf() {
    git config core.autocrlf true
    printf 'one\r\ntwo\r\n' >text.txt
    commit crlf 2>/dev/null
    change='grep -q "$(printf "one\r")" text.txt && printf "three\r\n" >>text.txt && printf "a\r\nb\r\n" >crlf.txt'
}
make_utf16_text() {
    echo '*.rc working-tree-encoding=UTF-16LE eol=crlf' >.gitattributes
    printf 'o\0n\0e\0\r\0\n\0' >a.rc
    commit encoding
    change='printf "t\0w\0o\0\r\0\n\0" >>a.rc'
}
make_odd_paths() {
    echo 1 >$'new\nline' && echo 2 >$'bytes \377\376' && echo 3 >' leading' && echo 4 >':(top)magic'
    echo 5 >-rf && echo 6 >$'tab\t"quote"\\' && echo 7 >$'\e[31mred' && mkdir -p $'d\n\377' && echo 8 >$'d\n\377/x'
    commit odd
    change='for f in new* bytes* " lead"* :* -r* tab* *red; do echo more >>"./$f"; done; printf x >"$(printf "made\nhere\377")"; rm -- -rf'
}
make_repository_in_odd_folder() {
    mv "$REPO" "$SCRATCH/repo $1"
    REPO="$SCRATCH/repo $1"
    cd "$REPO"
}
make_alternates() { from && rm -rf .git/objects/pack/* && echo "$SCRATCH/repo.origin/.git/objects" >.git/objects/info/alternates; }
make_alternates_that_are_gone() {
    make_alternates
    echo /nowhere/objects >.git/objects/info/alternates
    libgit2_leaks
}
# libgit2 1.5 leaks 80 bytes of its own when a commit is not there.
libgit2_leaks() {
    export LSAN_OPTIONS=suppressions=$SCRATCH/leaks:print_suppressions=0
    echo 'leak:libgit2' >"$SCRATCH/leaks"
}
make_1000_branches() { for ((i = 0; i < 1000; i++)); do echo "create refs/heads/user/$i HEAD"; done | git update-ref --stdin; }
make_1000_packed_branches() { make_1000_branches && git pack-refs --all; }
make_branch_named() { git branch "$1"; }
make_branch_prefix() { git branch bosk && echo "branch: \"tasks/{session}/{task}\"" >bosk.yaml; }
make_damaged_HEAD() { echo garbage >.git/HEAD; }
make_damaged_config() { echo '[garbage' >.git/config; }
make_damaged_index() { echo garbage >.git/index; }
make_damaged_commit() {
    local id
    id=$(git rev-parse HEAD)
    chmod u+w ".git/objects/${id:0:2}/${id:2}"
    : >".git/objects/${id:0:2}/${id:2}"
    libgit2_leaks
}
make_hooks_that_fail() {
    local hook
    for hook in pre-commit commit-msg post-checkout post-merge reference-transaction pre-merge-commit; do
        printf '#!/bin/sh\necho ran >>%s/hooks-ran\nexit 1\n' "$SCRATCH" >".git/hooks/$hook"
        chmod +x ".git/hooks/$hook"
    done
}

@test "no place to work in" {
    hostile_table fresh equal_or_nothing <<'TABLE'
    # case                          | outcome                                          | exit
    plain                           | equal tree                                       | 0
    no_repository                   | /repo is not in a git repository.*git init       | 4
    no_folder                       | cannot go to .*absent: No such file              | 4
    bare                            | /repo is in a bare repository.*worktree          | 4
    worktree_of_bare                | equal tree                                       | 0
    empty                           | branch main .*no commit yet: make a first commit | 2
    sha256                          | /repo is in a sha256 repository.*sha1            | 4
    reftable                        | /repo is in .*reftable.*git refs migrate         | 4
    unknown_extension               | format extension 'madeup'                        | 4
TABLE
}

@test "in the middle of something" {
    hostile_table fresh equal_or_nothing <<'TABLE'
    # case                          | outcome                                          | exit
    detached                        | HEAD is detached: .*--target BRANCH              | 2
    mid_rebase bare                 | HEAD is detached: .*--target BRANCH              | 2
    mid_rebase side                 | equal tree                                       | 0
    mid_merge                       | equal tree                                       | 0
    mid_bisect                      | equal tree                                       | 0
TABLE
}

@test "not everything is there" {
    hostile_table fresh equal_or_nothing <<'TABLE'
    # case                          | outcome                                          | exit
    shallow                         | equal tree                                       | 0
    partial blob:none               | equal tree                                       | 0
    partial tree:0                  | equal tree                                       | 0
    partial_and_no_remote           | equal tree                                       | 0
    sparse b                        | equal tree                                       | 0
    sparse --no-cone '/*' '!/b/d*'  | equal tree                                       | 0
    sparse --sparse-index b         | equal tree                                       | 0
    split_index                     | equal tree                                       | 0
    alternates                      | equal tree                                       | 0
    alternates_that_are_gone        | commit .* of branch main cannot be read.*git fsck | 4
TABLE
}

@test "content that is not what lies in the checkout" {
    hostile_table fresh equal_or_nothing <<'TABLE'
    # case                          | outcome                                          | exit
    submodules                      | equal tree                                       | 0
    filters                         | equal tree                                       | 0
    crlf                            | equal tree                                       | 0
    utf16_text                      | equal tree                                       | 0
    odd_paths                       | equal tree                                       | 0
    repository_in_odd_folder '"q" $(x) é' | equal tree                                 | 0
    repository_in_odd_folder $'\377'  | equal tree                                     | 0
    repository_in_odd_folder $'a\nb'  | cannot keep worktrees .*has a newline          | 4
TABLE
}

@test "branches, hooks and damage" {
    hostile_table fresh equal_or_nothing <<'TABLE'
    # case                          | outcome                                          | exit
    1000_branches                   | equal tree                                       | 0
    1000_packed_branches            | equal tree                                       | 0
    branch_named bosk               | branch bosk exists: rename                       | 2
    branch_named bosk/mine          | equal tree                                       | 0
    branch_prefix                   | equal tree                                       | 0
    hooks_that_fail                 | equal tree                                       | 0
    damaged_HEAD                    | cannot read HEAD of .*/repo: corrupted           | 4
    damaged_config                  | /repo: .*config:1                                | 4
    damaged_index                   | equal tree                                       | 0
    damaged_commit                  | commit .* of branch main cannot be read          | 4
TABLE
    [ ! -e "$SCRATCH/hooks-ran" ]
}
