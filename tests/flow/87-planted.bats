#!/usr/bin/env bats
# Programs that an agent planted in git's configuration, hooks and attributes: none runs while bosk does
# its own git work, each is named in the report. Filters from before the session do run.
# shellcheck disable=SC2154 # variables set by run_bosk

load ../lib/flow

setup() {
    flow_setup
    make_repo a.txt data.evil
    CANARY=$SCRATCH/canary
    mkdir "$CANARY"
}
teardown() { flow_teardown; }

# program NAME: a program that leaves a trace and passes its input on; its path in $program.
program() {
    program=$SCRATCH/bin/$1
    write_file "$program" <<SH
#!/bin/sh
touch "$CANARY/$1"
exec cat
SH
    chmod +x "$program"
}
no_canary() { equal "programs that ran" "$(ls "$CANARY")" ""; }

# plant: the script of a task that plants one of each kind. A gate, an agent and bosk itself must not be
# the ones that start them: these tasks use no git but `git config`.
plant() {
    local name
    for name in hook fsmonitor clean smudge process merge alias included dir-hook ssh gpg diff textconv \
        attributes-clean credential equals-clean uploadpack pager editor worktree-clean; do
        program "$name"
    done
    cat <<SH
set -e
common=\$(git rev-parse --git-common-dir)
for hook in pre-commit post-commit post-checkout post-merge pre-merge-commit reference-transaction \
    post-index-change commit-msg prepare-commit-msg post-rewrite pre-auto-gc; do
    cp "$SCRATCH/bin/hook" "\$common/hooks/\$hook"
done
mkdir -p "$SCRATCH/hooks"
cp "$SCRATCH/bin/dir-hook" "$SCRATCH/hooks/post-checkout"
git config core.hooksPath "$SCRATCH/hooks"
git config core.fsmonitor "$SCRATCH/bin/fsmonitor"
git config core.sshCommand "$SCRATCH/bin/ssh"
git config core.pager "$SCRATCH/bin/pager"
git config core.editor "$SCRATCH/bin/editor"
git config filter.evil.clean "$SCRATCH/bin/clean"
git config filter.evil.smudge "$SCRATCH/bin/smudge"
git config filter.evil.required true
git config filter.long.process "$SCRATCH/bin/process"
git config 'filter.a=b.clean' "$SCRATCH/bin/equals-clean"
git config merge.evil.driver "$SCRATCH/bin/merge %A"
git config alias.status "!$SCRATCH/bin/alias"
git config alias.add "!$SCRATCH/bin/alias"
git config gpg.program "$SCRATCH/bin/gpg"
git config commit.gpgsign true
git config merge.verifySignatures true
git config diff.external "$SCRATCH/bin/diff"
git config diff.evil.textconv "$SCRATCH/bin/textconv"
git config credential.helper "!$SCRATCH/bin/credential"
git config remote.evil.promisor true
git config remote.evil.url "$REPO"
git config remote.evil.uploadpack "$SCRATCH/bin/uploadpack"
printf '[filter "included"]\n\tclean = %s\n\tsmudge = %s\n' "$SCRATCH/bin/included" "$SCRATCH/bin/included" >"$SCRATCH/included"
git config includeIf.onbranch:**.path "$SCRATCH/included"
printf '* filter=attributes\n' >"$SCRATCH/attributes"
git config filter.attributes.clean "$SCRATCH/bin/attributes-clean"
git config core.attributesFile "$SCRATCH/attributes"
git config extensions.worktreeConfig true
git config --worktree filter.worktree.clean "$SCRATCH/bin/worktree-clean"
printf '*.info filter=evil\n' >>"\$common/info/attributes"
cat >.gitattributes <<'ATTR'
*.evil filter=evil diff=evil merge=evil
*.long filter=long
*.eq filter=a=b
*.inc filter=included
*.wt filter=worktree
ATTR
for end in evil long eq inc wt info txt; do echo "one" >"one.\$end"; done
echo changed >>data.evil
SH
}

# every_name: what the report must name.
every_name() {
    printf '%s\n' core.hookspath core.fsmonitor core.sshcommand core.pager core.editor filter.evil.clean \
        filter.evil.smudge filter.long.process filter.a=b.clean merge.evil.driver alias.status alias.add \
        gpg.program diff.external diff.evil.textconv credential.helper remote.evil.uploadpack \
        filter.included.clean filter.attributes.clean core.attributesfile filter.worktree.clean \
        info/attributes hooks/pre-commit hooks/reference-transaction hooks/post-checkout
}

@test "nothing that an agent plants runs, in tasks, merges, landing and commands; all of it is named" {
    unchecked 'an agent plants hooks and settings' A8 B1 B4
    local name sid
    plant >"$SCRATCH/plant.sh"
    commit_config <<'YAML'
gates:
  - {name: there, run: 'test -s a.txt'}
YAML
    write_file "$SCRATCH/p.yaml" <<YAML
tasks:
  - {id: one, run: 'sh $SCRATCH/plant.sh'}
  - {id: two, needs: [one], run: 'for end in evil long eq inc wt info txt; do echo two >two.\$end; done; echo more >>one.evil'}
  - {id: three, needs: [one], run: 'echo three >three.evil; sed -i "1s/^/top /" data.evil'}
  - {id: four, needs: [one], run: 'echo four >four.evil; echo end >>data.evil'}
  - {id: red, needs: [one], run: 'echo red >red.evil; rm a.txt'}
YAML
    run_bosk run "$SCRATCH/p.yaml" --jobs 2 -c fix_attempts=0 -c retries=0
    expect_status 1
    no_canary
    sid=$(last_sid)
    equal "state" "$(task_field "$sid" one state)" integrated
    equal "state" "$(task_field "$sid" two state)" integrated
    equal "state" "$(task_field "$sid" red state)" blocked
    equal "content" "$(git cat-file blob "integration-$sid:two.evil")" two
    run_bosk diff "$sid/two"
    expect_status 0
    run_bosk status "$sid"
    run_bosk doctor
    no_canary
    run_bosk land --merge --force-red "$sid"
    expect_status 0
    no_canary
    equal "landed" "$(cat two.evil)" two
    run_bosk report "$sid"
    expect_status 0
    for name in $(every_name); do expect_text "during the session: .*${name//./\\.}" "$OUT"; done
    assert_no_worktrees "$REPO"
}

@test "a stopped session is resumed: what was planted before does not run, nor what comes later" {
    unchecked 'an agent changes the configuration' B1
    local sid
    program later
    program clean
    write_file "$SCRATCH/p.yaml" <<YAML
tasks:
  - {id: one, run: 'git config filter.evil.clean $SCRATCH/bin/clean; echo "*.evil filter=evil" >.gitattributes; echo one >one.evil; kill -KILL \$PPID; until test -e $SCRATCH/never; do sleep 1; done'}
  - {id: two, run: 'until test -e $SCRATCH/go; do sleep 0.05; done; echo two >two.evil; echo "*.evil filter=evil" >.gitattributes'}
YAML
    start_bosk run "$SCRATCH/p.yaml" --jobs 2 -c retries=0
    wait_until "git config filter.evil.clean >/dev/null" 60
    kill -KILL "$bosk_pid"
    wait_bosk
    sid=$(last_sid)
    git config filter.evil.smudge "$SCRATCH/bin/later"
    touch "$SCRATCH/go"
    sed -i 's/kill -KILL.*never; do sleep 1; done/true/' "$SCRATCH/p.yaml"
    run_bosk resume "$sid"
    equal "state" "$(task_field "$sid" two state)" integrated
    no_canary
    run_bosk report "$sid"
    expect_text 'filter\.evil\.clean' "$OUT"
    expect_text 'filter\.evil\.smudge' "$OUT"
}

@test "a filter from before the session runs, and the tree equals git's; changed, it runs as before" {
    unchecked 'an agent changes the configuration' B1
    local sid
    program changed
    write_file "$SCRATCH/bin/upper" <<'SH'
#!/bin/sh
exec tr a-z A-Z
SH
    write_file "$SCRATCH/bin/lower" <<'SH'
#!/bin/sh
exec tr A-Z a-z
SH
    chmod +x "$SCRATCH/bin/upper" "$SCRATCH/bin/lower"
    git config filter.case.clean "$SCRATCH/bin/upper"
    git config filter.case.smudge "$SCRATCH/bin/lower"
    git config filter.case.required true
    echo '*.case filter=case' >.gitattributes
    echo text >a.case
    git add -A
    git commit -qm 'A filter'
    run_bosk doctor
    expect_text "filter\\.case\\.clean = $SCRATCH/bin/upper" "$OUT"
    write_file "$SCRATCH/p.yaml" <<YAML
tasks:
  - {id: one, run: 'cat a.case >one.case; git config filter.case.clean $SCRATCH/bin/changed'}
  - {id: two, needs: [one], run: 'cat one.case >two.case; git config filter.case.process $SCRATCH/bin/changed'}
  - {id: three, needs: [two], run: 'cat two.case >three.case'}
YAML
    run_bosk run "$SCRATCH/p.yaml" --jobs 1 -c retries=0
    expect_status 1
    sid=$(last_sid)
    equal "content" "$(git cat-file blob "integration-$sid:one.case")" TEXT
    no_canary
    # A filter that cannot run as it was before stops the work: nothing unfiltered is committed.
    equal "state" "$(task_field "$sid" two state)" blocked
    expect_text 'clean filter' <(task_field "$sid" two reason)
    git config --unset filter.case.process
    git config filter.case.clean "$SCRATCH/bin/upper"
    run_bosk run "$SCRATCH/p.yaml" --jobs 1
    sid=$(last_sid)
    equal "content" "$(git cat-file blob "integration-$sid:one.case")" TEXT
    no_canary
}

@test "an agent that replaces the worktree's link to the repository gets no program run" {
    local sid
    program own
    write_file "$SCRATCH/p.yaml" <<YAML
tasks:
  - id: one
    run: |
      rm .git && git init -q && git config filter.own.clean $SCRATCH/bin/own && git config filter.own.smudge $SCRATCH/bin/own
      git config core.fsmonitor $SCRATCH/bin/own
      echo '* filter=own' >.gitattributes; echo one >one.txt
  - {id: two, run: 'admin=\$(git rev-parse --git-dir) && cp -r \$(git rev-parse --git-common-dir) $SCRATCH/copy && git -C $SCRATCH/copy config filter.own.clean $SCRATCH/bin/own && echo $SCRATCH/copy >\$admin/commondir; echo "* filter=own" >.gitattributes; echo two >two.txt'}
  - {id: three, needs: [one, two], run: 'git log -1 --format=%s >three.txt'}
YAML
    run_bosk run "$SCRATCH/p.yaml" --jobs 1 -c retries=0
    no_canary
    sid=$(last_sid)
    equal "state" "$(task_field "$sid" one state)" integrated
    equal "content" "$(git cat-file blob "integration-$sid:one.txt")" one
    assert_no_worktrees "$REPO"
}

@test "a repository inside a worktree gets no program run" {
    local sid
    program nested
    write_file "$SCRATCH/p.yaml" <<YAML
tasks:
  - id: one
    run: |
      git init -q sub && cd sub && echo x >f && git add f
      git -c user.name=x -c user.email=x@x commit -qm x
      git config filter.own.clean $SCRATCH/bin/nested && git config core.fsmonitor $SCRATCH/bin/nested
      echo '* filter=own' >.gitattributes; touch -d yesterday f; echo y >f
  - {id: two, needs: [one], run: 'echo two >two.txt'}
YAML
    run_bosk run "$SCRATCH/p.yaml" --jobs 1 -c retries=0
    no_canary
    sid=$(last_sid)
    run_bosk diff "$sid/one"
    run_bosk land --merge "$sid"
    no_canary
}
