#!/usr/bin/env bats
# A batch landed in repositories of every kind that git knows: what is on the target, and what lies in the
# checkout, is what the same commands and merges by git alone give; or bosk refuses at the start, says why, and
# nothing has changed. (82-hostile-repositories has the cases that are not landed.)
# shellcheck disable=SC2016,SC2034,SC2154,SC2164 # commands for later; variables of tests/lib/repository.bash

load ../lib/flow
load ../lib/hostile
load ../lib/repository

setup() { flow_setup; }
teardown() { flow_teardown; }

commit() { git add -A && git commit -qm "$1"; }

# from WORDS...: $REPO becomes a clone of what it was.
from() {
    mv "$REPO" "$SCRATCH/repo.origin"
    git -C "$SCRATCH/repo.origin" config uploadpack.allowFilter true
    git -C "$SCRATCH/repo.origin" config uploadpack.allowAnySHA1InWant true
    git clone -q "$@" "file://$SCRATCH/repo.origin" "$REPO"
    cd "$REPO"
    repository_identity
}

make_plain() { :; }

# ---- not everything is there ----

make_sparse() {
    git sparse-checkout set "$@"
    one='mkdir -p c/new out && echo in >c/new/in && echo out >out/side'
    last='mkdir -p c/new && echo again >>c/new/last'
}
make_shallow() { git commit -q --allow-empty -m two && from --depth 1; }
make_partial() { from --filter="$1"; }

@test "not everything is there" {
    unchecked 'git sparse-checkout sets extensions.worktreeConfig' B4
    repository_table <<'TABLE'
    # case                          | outcome                                          | exit
    + plain                         | equal tree                                       | 0
    sparse b                        | equal tree                                       | 0
    sparse --no-cone '/*' '!/c/'    | equal tree                                       | 0
    elsewhere sparse --sparse-index b | equal tree                                       | 0
    + sparse --sparse-index b       | equal tree                                       | 0
    shallow                         | equal tree                                       | 0
    + partial blob:none             | equal tree                                       | 0
    partial tree:0                  | equal tree                                       | 0
TABLE
}

# ---- content that is not what lies in the checkout ----

make_submodules() {
    git clone -q --bare "$REPO" "$SCRATCH/repo.sub.git"
    git -c protocol.file.allow=always submodule --quiet add "$SCRATCH/repo.sub.git" mod
    commit submodule
}
# A task moves the submodule on: git leaves that to `git submodule update`.
make_submodule_moved() {
    local id
    make_submodules
    git clone -q "$SCRATCH/repo.sub.git" "$SCRATCH/repo.work"
    git -C "$SCRATCH/repo.work" -c user.name=A -c user.email=a@example.invalid commit -q --allow-empty -m more
    id=$(git -C "$SCRATCH/repo.work" rev-parse HEAD)
    git -C "$SCRATCH/repo.work" push -q origin HEAD:main
    one="git update-index --cacheinfo 160000,$id,mod"
    shown=' M mod'
}
make_submodule_updated() {
    make_submodule_moved
    one="git -c protocol.file.allow=always submodule --quiet update --init --remote mod"
}
make_filters() {
    git config filter.vault.clean "sed s/secret/POINTER/"
    git config filter.vault.smudge "sed s/POINTER/secret/"
    git config filter.vault.required true
    echo '*.key filter=vault' >>.gitattributes
    seq 1 20 | sed 's/$/ secret/' >my.key
    commit filters
    equal "stored" "$(git show :my.key | head -1)" '1 POINTER'
    one='grep -q "1 secret" my.key && sed -i "s/^3 secret/three secret/" my.key && echo "a new secret" >new.key'
    two='sed -i "s/^17 secret/seventeen secret/" my.key'
    user='sed -i "s/^10 secret/ten secret/" my.key'
}
make_lfs() {
    git lfs install --local >/dev/null
    git lfs track '*.bin' >/dev/null
    seq 1 1000 >a.bin
    seq 1 2000 >gone.bin
    seq 1 3000 >b.bin
    commit lfs
    git show :a.bin | grep -q 'git-lfs'
    one='[ "$(wc -l <a.bin)" = 1000 ] && seq 2 1000 >a.bin && seq 5 50 >new.bin'
    two='mv b.bin c.bin && rm gone.bin'
    last='cat a.bin c.bin new.bin >d/all.bin && ! grep -q git-lfs d/all.bin'
    user='seq 7 70 >user.bin'
}
make_autocrlf() {
    git config core.autocrlf "$1"
    seq 1 20 | sed 's/$/\r/' >text.txt
    commit crlf 2>/dev/null
    rm .git/index && git reset -q --hard
    one='sed -i "s/^3\\r*\$/three\r/" text.txt && printf "a\r\nb\r\n" >crlf.txt && printf "a\nb\n" >lf.txt'
    two='sed -i "s/^17\\r*\$/seventeen\r/" text.txt'
    user='printf "u\r\n" >user.txt'
}
make_eol_attributes() {
    printf '* text=auto\n*.bat text eol=crlf\n*.sh text eol=lf\n*.dat -text\n' >>.gitattributes
    seq 1 20 >run.bat
    printf 'a\r\n' >raw.dat
    commit eol
    rm run.bat && git checkout -q run.bat
    one='sed -i "s/^3\r\$/three\r/" run.bat && printf "a\nb\n" >new.bat && printf "x\r\ny\n" >new.dat && printf "x\r\n" >new.sh'
    two='sed -i "s/^17\r\$/seventeen\r/" run.bat && printf "b\r\n" >>raw.dat'
    user='printf "u\r\n" >user.bat'
}
make_utf16_text() {
    echo '*.rc working-tree-encoding=UTF-16LE eol=crlf' >>.gitattributes
    seq 1 20 | sed 's/$/\r/' | iconv -t UTF-16LE >a.rc
    commit encoding
    equal "stored" "$(git show :a.rc | head -1)" 1
    local edit='iconv -f UTF-16LE a.rc | sed "s/^%s\r/%s\r/" | iconv -t UTF-16LE >new && mv new a.rc'
    # shellcheck disable=SC2059
    one=$(printf "$edit" 3 three) two=$(printf "$edit" 17 seventeen)
    three='printf "n\0e\0w\0\r\0\n\0" >new.rc'
    user='printf "u\0\r\0\n\0" >user.rc'
}

@test "content that is not what lies in the checkout" {
    repository_table <<'TABLE'
    # case                          | outcome                                          | exit
    + submodules                    | equal tree                                       | 0
    elsewhere submodule_moved       | equal tree                                       | 0
    + submodule_moved               | equal tree                                       | 0
    submodule_updated               | equal tree                                       | 0
    with submodules filters eol_attributes utf16_text | equal tree                                       | 0
    + filters                       | equal tree                                       | 0
    + eol_attributes                | equal tree                                       | 0
    + utf16_text                    | equal tree                                       | 0
    lfs                             | equal tree                                       | 0
    autocrlf true                   | equal tree                                       | 0
    + autocrlf input                | equal tree                                       | 0
TABLE
}

# ---- names and kinds of files ----

make_odd_paths() {
    echo 1 >$'new\nline' && echo 2 >$'bytes \377\376' && echo 3 >' leading' && echo 4 >':(top)magic'
    echo 5 >-rf && echo 6 >$'tab\t"quote"\\' && echo 7 >$'\e[31mred' && mkdir -p $'d\n\377' && echo 8 >$'d\n\377/x'
    seq 1 20 >$'lines \377\n'
    commit odd
    one='sed -i s/^3$/three/ "$(printf "lines \377\nx")" 2>/dev/null; for f in new* bytes* " lead"* :* tab* *red; do echo more >>"./$f"; done; for f in lines*; do [ "$f" = lines.txt ] || sed -i s/^3$/three/ "$f"; done'
    two='printf x >"$(printf "made\nhere\377")"; rm -- -rf; for f in lines*; do [ "$f" = lines.txt ] || sed -i s/^17$/seventeen/ "$f"; done'
    three='for d in d?*; do [ ! -e "$d/x" ] || mv "$d" "$d moved"; done'
    last='rm ./tab*'
    user='echo u >"$(printf "user\n\377")"'
}
make_links() {
    ln -s lines.txt link && ln -s nowhere dangling && ln -s b folder && ln -s /absolute/path abs
    mkdir dir && echo 1 >dir/c.txt && echo '#!/bin/sh' >run.sh && echo x >plain && ln -s plain tolink
    commit links
    one='ln -sfn c/c.txt link && ln -s ../c c/self && chmod +x run.sh'
    two='rm -r dir && ln -s c dir' # where there is a c.txt, too
    three='rm folder && mkdir folder && echo now >folder/real'
    last='rm tolink && mv plain tolink && ln -sfn run.sh dangling'
    user='ln -s over user-link'
}
make_case_renames() {
    [ -z "$1" ] || git config core.ignorecase "$1"
    echo 1 >Readme.TXT && mkdir Dir && echo 2 >Dir/file && seq 1 20 >Other.txt
    commit case
    one='mv Readme.TXT README.txt'
    two='mv Dir x && mv x dir'
    three='f=Other.txt; [ -e $f ] || f=other.txt; sed -i s/^10$/ten/ $f'
    last='mv Other.txt OTHER.txt'
}
make_folder_swaps() {
    mkdir -p f/x g && echo 1 >f/x/y && echo 2 >g/h && echo 3 >k
    commit swaps
    one='rm -r f && echo file >f'
    two='rm k && mkdir k && echo in >k/in'
    last='rm f && mkdir -p f/z && echo deep >f/z/deep && mv g/h g.h'
}

@test "names and kinds of files" {
    repository_table <<'TABLE'
    # case                          | outcome                                          | exit
    broken with links folder_swaps filters utf16_text | equal tree                             | 0
    + broken sparse b               | equal tree                                       | 0
    + broken lfs                    | equal tree                                       | 0
    + broken autocrlf true          | equal tree                                       | 0
    + broken odd_paths              | equal tree                                       | 0
    + broken case_renames true      | equal tree                                       | 0
    + broken submodule_moved        | equal tree                                       | 0
    with odd_paths links folder_swaps | equal tree                                       | 0
    + odd_paths                     | equal tree                                       | 0
    + links                         | equal tree                                       | 0
    + folder_swaps                  | equal tree                                       | 0
    + case_renames ''               | equal tree                                       | 0
    case_renames true               | equal tree                                       | 0
TABLE
}

# ---- where things are ----

make_packed_refs() {
    local i
    for ((i = 0; i < ${1:-20}; i++)); do echo "create refs/heads/user/$i HEAD"; done | git update-ref --stdin
    git tag -m annotated v1 && git pack-refs --all
    [ ! -e .git/refs/heads/main ]
}
make_alternates() { from && rm -rf .git/objects/pack/* && echo "$SCRATCH/repo.origin/.git/objects" >.git/objects/info/alternates; }
make_worktree_config() {
    git config core.repositoryFormatVersion 1 && git config extensions.worktreeConfig true
    # The user's checkout alone has carriage returns.
    git config --worktree core.autocrlf true
    rm .git/index && git reset -q --hard
}
make_git_folder_elsewhere() {
    mv .git "$SCRATCH/repo.git-folder"
    git init -q --separate-git-dir "$SCRATCH/repo.git-folder" .
    [ -f .git ]
}
make_work_tree_elsewhere() {
    mv .git "$SCRATCH/repo.git-folder"
    GIT_DIR=$SCRATCH/repo.git-folder GIT_WORK_TREE=$REPO git init -q
    [ ! -e .git ]
}
make_work_tree_elsewhere_asked_there() {
    make_work_tree_elsewhere
    REPO=$SCRATCH/repo.git-folder
}
make_work_tree_elsewhere_in_the_environment() {
    make_work_tree_elsewhere
    RUN=run_in_environment
}
run_in_environment() {
    export GIT_DIR=$SCRATCH/repo.git-folder GIT_WORK_TREE=$REPO
    repository_run
    unset GIT_DIR GIT_WORK_TREE
}
make_linked() {
    git worktree add -q "$SCRATCH/repo.linked" -b side
    REPO=$SCRATCH/repo.linked
    cd "$REPO"
}
# From a linked worktree onto what the main one has checked out.
make_linked_for_main() {
    make_linked
    target=main user_at=$SCRATCH/repo
}
make_linked_with_git_folder_elsewhere() {
    make_git_folder_elsewhere
    make_linked
}
make_worktree_of_bare() {
    from --bare
    git worktree add -q "$SCRATCH/repo.linked"
    REPO=$SCRATCH/repo.linked
    cd "$REPO"
}
make_submodule_as_the_repository() {
    git clone -q --bare "$REPO" "$SCRATCH/repo.sub.git"
    git -c protocol.file.allow=always submodule --quiet add "$SCRATCH/repo.sub.git" mod
    commit submodule
    REPO=$SCRATCH/repo/mod
    cd "$REPO"
    repository_identity
}
make_odd_folder() {
    mv "$REPO" "$SCRATCH/repo $1"
    REPO="$SCRATCH/repo $1"
    cd "$REPO"
}
# The remote's default branch is another one, and has what ours has not.
make_other_default_branch() {
    git checkout -q -b trunk && echo trunk >trunk.txt && commit trunk
    from
    equal "default" "$(git symbolic-ref refs/remotes/origin/HEAD)" refs/remotes/origin/trunk
    git checkout -q -b main origin/main 2>/dev/null || git checkout -q main
    git branch -q -D trunk
}

@test "where things are" {
    unchecked 'git itself is told extensions.worktreeConfig' B4
    repository_table <<'TABLE'
    # case                          | outcome                                          | exit
    + packed_refs                   | equal tree                                       | 0
    with packed_refs alternates     | equal tree                                       | 0
    + alternates                    | equal tree                                       | 0
    worktree_config                 | equal tree                                       | 0
    git_folder_elsewhere            | equal tree                                       | 0
    + linked                        | equal tree                                       | 0
    linked_for_main                 | equal tree                                       | 0
    + linked_with_git_folder_elsewhere | equal tree                                       | 0
    elsewhere worktree_of_bare      | equal tree                                       | 0
    + worktree_of_bare              | equal tree                                       | 0
    submodule_as_the_repository     | equal tree                                       | 0
    + odd_folder $'"q" $(x) \377'   | equal tree                                       | 0
    other_default_branch            | equal tree                                       | 0
    work_tree_elsewhere             | /repo is not in a git repository                 | 4
    work_tree_elsewhere_asked_there | core.worktree .*/repo, from where git does not find .*echo 'gitdir: | 4
    work_tree_elsewhere_in_the_environment | not in a git repository, and GIT_DIR is not looked at.*echo | 4
TABLE
}

# ---- a target that is not what it was ----

# meanwhile COMMAND WORDS...: `bosk run --land merge WORDS`, and the command of the user's while its task runs.
meanwhile() {
    rm -f "$SCRATCH/started" "$SCRATCH/go"
    write_file "$SCRATCH/p.yaml" <<YAML
tasks: [{id: one, run: 'touch "$SCRATCH/started"; until test -e "$SCRATCH/go"; do sleep 0.05; done; echo one >one.txt'}]
YAML
    start_bosk run "$SCRATCH/p.yaml" --land merge --fresh "${@:2}"
    wait_until "[ -e '$SCRATCH/started' ]" 60
    eval "$1"
    touch "$SCRATCH/go"
    wait_bosk
    sid=$(last_sid)
}

@test "a target that is deleted or rewritten while tasks run: not landed, and everything is kept" {
    repository_fresh
    echo more >>lines.txt && commit more
    git branch release && git branch side main~1
    meanwhile 'git branch -q -D release' --target release
    expect_status 1
    expect_text 'not landed: there is no branch release any more'
    equal "kept" "$(git show "integration-$sid:one.txt")" one
    refute git rev-parse -q --verify release

    # It is there again, and has lost what the work is based on.
    git branch release main~1
    run_bosk land --merge "$sid"
    expect_status 1
    expect_text "not landed: release was rewritten .* no longer has $(git rev-parse --short=12 main)"
    equal "release" "$(git rev-parse release)" "$(git rev-parse main~1)"
    git branch -q -f release main
    run_bosk land --merge "$sid"
    expect_status 0
    equal "landed" "$(git show release:one.txt)" one

    # In the checkout: the commit that the work is based on is another one now.
    meanwhile 'git commit -q --amend -m "in other words"'
    expect_status 1
    expect_text 'not landed: main was rewritten'
    equal "status" "$(git status --porcelain)" ""
    equal "main" "$(git log --format=%s main | tr '\n' ' ')" 'in other words Start '
    equal "kept" "$(git show "integration-$sid:one.txt")" one
    # Who wants both merges by hand, and bosk sees that it is done.
    git merge -q -m both "integration-$sid"
    run_bosk land --merge "$sid"
    expect_status 0
    equal "state" "$(task_field "$sid" one state)" landed

    # What was never in the target is not missed there.
    git checkout -q side && echo side >side.txt && commit side && git checkout -q main
    meanwhile : --base side
    expect_status 0
    equal "landed" "$(cat one.txt side.txt | tr '\n' ' ')" 'one side '
}
