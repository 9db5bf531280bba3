#!/usr/bin/env bats
# Repositories that agents make inside their worktree: what is in them is their work like any other file, and what
# was committed there is kept (promise A5). Submodules of the repository's own stay what they are.
# shellcheck disable=SC2154 # variables set by run_bosk

load ../lib/flow

setup() {
    flow_setup
    make_repo a.txt src/b.txt
    printf '*.ignored\n' >.gitignore
    git add .gitignore
    git commit -qm 'Ignore some'
    export FAKE_ID='-c user.name=x -c user.email=x@x'
    # One repository with two commits, a branch and a stash, one inside it, and one without a commit.
    write_file "$SCRATCH/nest.sh" <<'SH'
set -e
git init -q -b main nest && cd nest
echo one >f && mkdir d && echo deep >d/g && echo '*.own' >.gitignore && git add . && git $FAKE_ID commit -qm first
git branch side
echo two >f && git $FAKE_ID commit -qam second
echo stashed >f && git $FAKE_ID stash -q
echo unsaved >u && echo x >x.ignored && echo x >x.own
git init -q -b main inner && echo inner >inner/i && git -C inner add i && git -C inner $FAKE_ID commit -qm inner
cd .. && git init -q unborn && echo unborn >unborn/n
SH
}
teardown() { flow_teardown; }

# All files of nest.sh are plain ones in commit $1.
holds_files() {
    equal "links" "$(git ls-tree -r "$1" | grep -c '^160000')" 0
    equal "files" "$(git ls-tree -r --name-only "$1" nest unborn | paste -sd' ')" \
        'nest/.gitignore nest/d/g nest/f nest/inner/i nest/u unborn/n'
    equal "content" "$(git show "$1:nest/f" "$1:nest/u" "$1:nest/inner/i" "$1:unborn/n" | paste -sd' ')" \
        'two unsaved inner unborn'
}

# reopen REF: the repository whose .git is kept there, in $SCRATCH/again.
reopen() {
    rm -rf "$SCRATCH/again"
    git init -q "$SCRATCH/again"
    git archive "$1" | tar -x -C "$SCRATCH/again/.git"
}

# The history of both is kept for task $1, once, and the report says where.
holds_history() {
    local ref refs
    mapfile -t refs < <(git for-each-ref --format='%(refname)' "refs/bosk/keep/$sid/$1/" | grep -e -nested)
    equal "refs" "${#refs[@]}" 2
    run_bosk report "$sid"
    for ref in "${refs[@]}"; do
        expect_text "its history is $ref" "$OUT"
        reopen "$ref"
        case $(git log -1 --format=%s "$ref") in
        'The .git of nest')
            equal "log" "$(git -C "$SCRATCH/again" log --format=%s | paste -sd' ')" 'second first'
            equal "branch" "$(git -C "$SCRATCH/again" log -1 --format=%s side)" first
            equal "stash" "$(git -C "$SCRATCH/again" show 'stash@{0}:f')" stashed
            ;;
        'The .git of nest/inner') equal "log" "$(git -C "$SCRATCH/again" log --format=%s)" inner ;;
        *) false ;;
        esac
    done
    expect_text "unborn was a git repository of its own: its files are taken as plain files$" "$OUT"
}

plan() { write_file "$SCRATCH/p.yaml"; }

@test "a task that ends well brings the files, and its history is kept" {
    plan <<YAML
tasks: [{id: one, run: 'sh $SCRATCH/nest.sh'}]
YAML
    run_bosk run "$SCRATCH/p.yaml"
    expect_status 0
    sid=$(last_sid)
    holds_files "integration-$sid"
    holds_history one
    assert_no_worktrees "$REPO"
}

@test "a task that fails has the files saved" {
    plan <<YAML
tasks: [{id: one, run: 'sh $SCRATCH/nest.sh; git add nest; git $FAKE_ID commit -qm "A link"; exit 1'}]
YAML
    run_bosk run "$SCRATCH/p.yaml" -c retries=0
    expect_status 1
    sid=$(last_sid)
    equal "state" "$(task_field "$sid" one state)" failed
    holds_files "$(task_field "$sid" one kept)"
    holds_history one
    assert_no_worktrees "$REPO"
}

@test "an attempt that is to mend what a gate says has its later commits kept too" {
    commit_config <<<'gates: [{name: mended, run: test ! -e nest || test -e mended}]'
    plan <<YAML
tasks:
  - id: one
    run: |
      if [ -e nest ]; then echo three >nest/f; git -C nest $FAKE_ID commit -qam third; touch mended
      else git init -q nest; echo one >nest/f; git -C nest add .; git -C nest $FAKE_ID commit -qm first; fi
YAML
    run_bosk run "$SCRATCH/p.yaml"
    expect_status 0
    sid=$(last_sid)
    equal "content" "$(git show "integration-$sid:nest/f")" three
    reopen "refs/bosk/keep/$sid/one/1-nested"
    equal "log" "$(git -C "$SCRATCH/again" log --format=%s)" first
    reopen "refs/bosk/keep/$sid/one/2-nested"
    equal "log" "$(git -C "$SCRATCH/again" log --format=%s | paste -sd' ')" 'third first'
}

# Killed in the middle of the task: $sid, its worktree $tree. The second time it makes something else.
killed() {
    plan <<YAML
tasks:
  - id: one
    run: |
      if [ -e $SCRATCH/second ]; then echo again >again; exit 0; fi
      sh $SCRATCH/nest.sh
      ${1:-}
      touch $SCRATCH/started; until [ -e $SCRATCH/go ]; do sleep 0.05; done
YAML
    start_bosk run "$SCRATCH/p.yaml"
    wait_until "[ -e '$SCRATCH/started' ]" 60
    sid=$(last_sid) tree=$REPO.worktrees/$(last_sid)-1
    kill -KILL "$bosk_pid"
    wait_bosk
    wait_until '[ -z "$(processes_of_test)" ]' 30
    touch "$SCRATCH/second"
}

@test "killed in the middle: the resume saves it first" {
    killed
    run_bosk resume "$sid"
    expect_status 0
    equal "content" "$(git show "integration-$sid:again")" again
    refute git cat-file -e "integration-$sid:nest"
    holds_files "refs/bosk/keep/$sid/one/1-work"
    holds_history one
}

@test "gc saves it from a dead session's worktree, also what was committed as a link" {
    killed "git add nest && git $FAKE_ID commit -qm 'A link'"
    run_bosk gc --max-age 0s
    expect_status 0
    expect_text "its history is refs/bosk/keep/$sid/one/1-nested" "$OUT"
    [ ! -e "$tree" ]
    holds_files "refs/bosk/rescue/$sid/one/1"
    holds_history one
    run_bosk resume "$sid"
    expect_status 0
    equal "content" "$(git show "integration-$sid:again")" again
    holds_history one
}

@test "gc takes away those that have no file to save" {
    killed "git init -q empty; git init -q hidden; echo '*' >hidden/.gitignore; echo h >hidden/f
      cd hidden && git add -f f && git $FAKE_ID commit -qm hidden"
    run_bosk gc --max-age 0s
    expect_status 0
    [ ! -e "$tree" ]
    run_bosk report "$sid"
    expect_text 'empty was a git repository of its own: its files are taken as plain files$' "$OUT"
    reopen "$(git for-each-ref --format='%(refname) %(subject)' "refs/bosk/keep/$sid" | sed -n 's/ The .git of hidden//p')"
    equal "hidden" "$(git -C "$SCRATCH/again" show HEAD:f)" h
}

@test "a repository in a folder that has files of ours" {
    plan <<YAML
tasks:
  - id: one
    run: 'cd src && git init -q && echo new >new.txt && git add . && git $FAKE_ID commit -qm inside && rm b.txt'
YAML
    run_bosk run "$SCRATCH/p.yaml"
    expect_status 0
    sid=$(last_sid)
    equal "files" "$(git ls-tree -r --name-only "integration-$sid" src | paste -sd' ')" src/new.txt
    reopen "refs/bosk/keep/$sid/one/1-nested"
    equal "log" "$(git -C "$SCRATCH/again" log --format=%s)" inside
}

@test "shallow, with its git folder elsewhere, with settings that run programs, behind a link" {
    local canary="$SCRATCH/canary"
    printf '#!/bin/sh\necho >>%s\ncat\n' "$canary" >"$SCRATCH/program"
    chmod +x "$SCRATCH/program"
    mkdir "$SCRATCH/outside" && git init -q "$SCRATCH/outside/repo"
    plan <<YAML
tasks:
  - id: one
    run: |
      set -e
      git clone -q --depth 1 file://$REPO shallow
      git init -q --separate-git-dir=$SCRATCH/elsewhere far && echo far >far/f
      git -C far add f && git -C far $FAKE_ID commit -qm far
      git init -q evil && echo e >evil/e && git -C evil add e && git -C evil $FAKE_ID commit -qm evil
      git -C evil config filter.own.clean $SCRATCH/program && git -C evil config core.fsmonitor $SCRATCH/program
      git -C evil config uploadpack.packObjectsHook $SCRATCH/program
      cp $SCRATCH/program evil/.git/hooks/post-checkout
      echo '* filter=own' >evil/.gitattributes
      ln -s $SCRATCH/outside link
YAML
    run_bosk run "$SCRATCH/p.yaml"
    expect_status 0
    [ ! -e "$canary" ]
    sid=$(last_sid)
    equal "shallow" "$(git show "integration-$sid:shallow/a.txt")" a.txt
    [ ! -e "$REPO/.git/shallow" ]
    equal "far" "$(git show "integration-$sid:far/f")" far
    equal "evil" "$(git show "integration-$sid:evil/e")" e
    equal "link" "$(git ls-tree "integration-$sid" link | cut -d' ' -f1)" 120000
    run_bosk report "$sid"
    expect_text "far was .*, its history stays in $SCRATCH/elsewhere" "$OUT"
    for ref in $(git for-each-ref --format='%(refname)' "refs/bosk/keep/$sid/one/"); do
        reopen "$ref"
        git -C "$SCRATCH/again" log -1 --format=%s HEAD >>"$SCRATCH/logs"
    done
    equal "logs" "$(sort "$SCRATCH/logs" | paste -sd,)" 'Ignore some,evil'
}

@test "a worktree of this repository inside the task's own is no part of the work, and is saved" {
    plan <<YAML
tasks:
  - id: one
    run: |
      git worktree add -q --detach sub/tree && echo mine >sub/tree/mine.txt && echo one >one.txt
YAML
    run_bosk run "$SCRATCH/p.yaml"
    expect_status 0
    sid=$(last_sid)
    equal "files" "$(git diff --name-only main "integration-$sid" | paste -sd' ')" one.txt
    equal "mine" "$(git show "refs/bosk/keep/$sid/one/1-nested:mine.txt")" mine
    run_bosk report "$sid"
    expect_text "sub/tree was a worktree of this repository.*, what it held is refs/bosk/keep/$sid/one/1-nested" "$OUT"
}

@test "an agent that puts a repository of its own in place of its worktree's loses nothing" {
    local how
    for how in 'exit 0' 'exit 1'; do
        plan <<YAML
tasks:
  - id: one
    run: |
      rm .git && git init -q && echo one >one.txt && git add . && git $FAKE_ID commit -qm own; echo two >two.txt; $how
  - {id: two, needs: [], run: 'rm -f .git; echo 2 >no-git.txt'}
YAML
        run_bosk run "$SCRATCH/p.yaml" -c retries=0 --jobs 1
        sid=$(last_sid)
        [ "$how" = 'exit 0' ] && tip=integration-$sid || tip=$(task_field "$sid" one kept)
        equal "work" "$(git show "$tip:one.txt" "$tip:two.txt" | paste -sd' ')" 'one two'
        equal "changed" "$(git show "integration-$sid:no-git.txt")" 2
        reopen "refs/bosk/keep/$sid/one/1-nested"
        equal "log" "$(git -C "$SCRATCH/again" log --format=%s)" own
        run_bosk report "$sid"
        expect_text "one: the repository that was in place of .*/.git is refs/bosk/keep/$sid/one/1-nested" "$OUT"
        assert_no_worktrees "$REPO"
    done
}

@test "what is forgotten when it has landed is not the history" {
    plan <<YAML
tasks: [{id: one, run: 'sh $SCRATCH/nest.sh'}]
YAML
    run_bosk run "$SCRATCH/p.yaml"
    sid=$(last_sid)
    git update-ref "refs/bosk/keep/$sid/one/1" main
    run_bosk land --merge "$sid"
    expect_status 0
    run_bosk gc --sessions --max-age 0s
    expect_status 0
    refute git rev-parse -q --verify "refs/bosk/keep/$sid/one/1"
    equal "kept" "$(git for-each-ref "refs/bosk/keep/$sid/one/" | wc -l)" 2
}

# $REPO has the submodule sub, and every worktree fills it.
with_submodule() {
    git init -q -b main "$SCRATCH/library" && echo lib >"$SCRATCH/library/l.txt"
    git -C "$SCRATCH/library" add . && git -C "$SCRATCH/library" $FAKE_ID commit -qm library
    git -c protocol.file.allow=always submodule --quiet add "$SCRATCH/library" sub
    git commit -qm 'A submodule'
    commit_config <<<'worktrees: {setup: git -c protocol.file.allow=always submodule --quiet update --init}'
}

@test "a submodule stays one; its worktree is removed, and what only it held is kept" {
    with_submodule
    plan <<YAML
tasks:
  - {id: plain, run: 'echo one >one.txt; cat sub/l.txt'}
  - {id: moved, needs: [plain], run: 'cd sub && echo more >l.txt && git $FAKE_ID commit -qam more && echo open >open.txt'}
YAML
    run_bosk run "$SCRATCH/p.yaml" --jobs 1
    expect_status 0
    sid=$(last_sid)
    equal "kind" "$(git ls-tree "integration-$sid" sub | cut -d' ' -f1)" 160000
    assert_no_worktrees "$REPO"
    equal "refs of plain" "$(git for-each-ref "refs/bosk/keep/$sid/plain" | wc -l)" 0
    run_bosk report "$sid"
    expect_text 'moved: the submodule sub has commits that no remote of it has' "$OUT"
    for ref in $(git for-each-ref --format='%(refname)' "refs/bosk/keep/$sid/moved/*-nested*"); do
        case $(git log -1 --format=%s "$ref") in
        'The .git of sub')
            reopen "$ref"
            git config --file "$SCRATCH/again/.git/config" --unset core.worktree
            equal "its commit" "$(git -C "$SCRATCH/again" rev-parse HEAD)" "$(git rev-parse "integration-$sid:sub")"
            ;;
        'Files of sub') equal "its files" "$(git ls-tree --name-only "$ref" | paste -sd' ')" 'l.txt open.txt' ;;
        *) false ;;
        esac
        seen+=x
    done
    equal "refs" "$seen" xx
}

@test "gc removes a dead session's worktree with a submodule" {
    with_submodule
    killed 'cd sub && echo open >open.txt'
    run_bosk gc --max-age 0s
    expect_status 0
    expect_text "the submodule sub has changes that are not committed: its files are refs/bosk/keep/$sid/one/1-nested" "$OUT"
    equal "its files" "$(git ls-tree --name-only "refs/bosk/rescue/$sid/one/1" nest unborn | paste -sd' ')" 'nest unborn'
    equal "open" "$(git for-each-ref --format='%(refname)' "refs/bosk/keep/$sid/one" | sed 's/$/:open.txt/' | git cat-file --batch | grep -c '^open$')" 1
    assert_no_worktrees "$REPO"
}
