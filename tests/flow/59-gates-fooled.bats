#!/usr/bin/env bats
# Agents that make git, or bosk, see something else than what the gates see.
# shellcheck disable=SC2154,SC2016 # variables set by run_bosk

load ../lib/flow

setup() {
    flow_setup
    make_repo a.txt
    PLAN=$SCRATCH/p.yaml
}
teardown() { flow_teardown; }

# task ID COMMAND [MORE]: a plan of one task more.
task() {
    [ -e "$PLAN" ] || echo 'tasks:' >"$PLAN"
    printf '  - id: %s\n    run: |\n      %s\n' "$1" "$2" >>"$PLAN"
    [ $# -lt 3 ] || printf '    %s\n' "$3" >>"$PLAN"
}

# A gate that is a file of the repository: exit 1 when there is a bad.txt.
check_config() {
    printf '#!/bin/sh\ntest ! -e bad.txt\n' >check.sh
    chmod +x check.sh
    commit_config <<'YAML'
fix_attempts: 0
halt_after_failures: 0
retries: 0
gates:
  - {name: strict, run: ./check.sh}
YAML
    git add -A
    git commit -qm 'A check'
}
SOFT='printf "#!/bin/sh\nexit 0 # $BOSK_TASK\n" >check.sh; echo x >bad.txt'

@test "a file that git is told not to look at: the commit has what the gates saw" {
    local sid id
    unchecked 'an agent writes to the configuration of git' B1 B4
    check_config
    task assumed "git update-index --assume-unchanged check.sh; $SOFT"
    task skipped "git update-index --skip-worktree check.sh; $SOFT"
    task removed 'git update-index --skip-worktree a.txt; rm a.txt; echo x > x.txt'
    task sparse 'git sparse-checkout set --no-cone "/*" "!/README.md"; echo x > x3.txt'
    task blind "git config core.ignoreStat true; git config core.trustCtime false; git config core.fileMode false; chmod +x a.txt; echo x > x2.txt"
    run_bosk run "$PLAN" --jobs 1 --sequential --verify task
    expect_status 0
    sid=$(last_sid)
    # What was changed is in the commit, and so the change of the gate is there to be seen.
    for id in assumed skipped; do
        equal "state of $id" "$(task_field "$sid" $id state)" integrated
        git show "$(task_field "$sid" $id commit):check.sh" | grep -q 'exit 0'
        run_bosk report
        expect_text "$id: git had been told not to look at check\.sh: bosk looked" "$OUT"
    done
    equal "a.txt" "$(git show "$(task_field "$sid" removed commit):a.txt")" a.txt
    equal "README.md" "$(git show "$(task_field "$sid" sparse commit):README.md")" '# a test repository'
    equal "mode" "$(git ls-tree "$(task_field "$sid" blind commit)" a.txt | cut -c 1-6)" 100755
    run_bosk report
    expect_text 'planted during the session: core\.ignorestat in .*config; bosk.s git went without it' "$OUT"
}

@test "what an agent hides from git is protected all the same, and does not stay for who has the worktree next" {
    local sid id
    unchecked 'an agent writes to info/exclude' B1
    check_config
    printf 'protect: [bosk.yaml, check.sh, "**/Dockerfile"]\n' >>bosk.yaml
    git add -A
    git commit -qm 'Protect more'
    task assumed "git update-index --assume-unchanged check.sh; $SOFT"
    task skipped "git update-index --skip-worktree check.sh; $SOFT"
    task after 'echo x > bad.txt'
    task top 'echo x > Dockerfile'
    task below 'mkdir sub && echo x > sub/Dockerfile'
    task exclude 'echo bad.txt >> "$(git rev-parse --git-common-dir)/info/exclude"; echo x > y.txt'
    run_bosk run "$PLAN" --jobs 1 --sequential --verify task
    expect_status 1
    sid=$(last_sid)
    for id in assumed skipped top below; do
        equal "state of $id" "$(task_field "$sid" $id state)" blocked
        task_field "$sid" $id reason | grep -q 'which is protected$'
    done
    equal "after" "$(task_field "$sid" after gates.strict)" fail
    run_bosk report
    expect_text 'changed during the session: .*/info/exclude' "$OUT"
}

@test "a gate with paths looks at what lies at the top, too" {
    local sid
    commit_config <<'YAML'
fix_attempts: 0
gates:
  - {name: py, run: 'test ! -e bad.py', paths: ['**/*.py']}
YAML
    task one 'echo x > bad.py'
    run_bosk run "$PLAN"
    expect_status 1
    sid=$(last_sid)
    equal "verdict" "$(task_field "$sid" one gates.py)" fail
}

@test "an index that is gone or garbage costs nobody anything" {
    local sid
    echo tracked >t.ignored
    echo '*.ignored' >.gitignore
    git add -f t.ignored .gitignore
    git commit -qm 'Tracked and ignored'
    task gone 'rm "$(git rev-parse --git-dir)/index"; echo x > x.txt'
    task garbage 'echo garbage > "$(git rev-parse --git-dir)/index"; echo y > y.txt'
    task zeros 'head -c 5000 /dev/zero > "$(git rev-parse --git-dir)/index"; echo z > z.txt; exit 1'
    task after 'echo a > a2.txt'
    run_bosk run "$PLAN" --sequential -c retries=0
    expect_status 1
    sid=$(last_sid)
    equal "files" "$(git ls-tree --name-only "integration-$sid" | tr '\n' ' ')" '.gitignore README.md a.txt a2.txt t.ignored x.txt y.txt '
    equal "kept" "$(git show "$(task_field "$sid" zeros kept):z.txt")" z
    run_bosk report
    expect_text 'garbage: git could not read the index of .*: bosk made another one' "$OUT"
}

@test "a TMPDIR and a folder of logs that an agent took away, or made something else, are there for the gates" {
    local sid id
    mkdir "$SCRATCH/precious"
    commit_config <<'YAML'
fix_attempts: 0
halt_after_failures: 0
gates:
  - {name: tmp, run: 'f=$(mktemp) && echo x >"$f" && ls -d "$BOSK_LOG_DIR"'}
  - {name: security, builtin: secrets}
YAML
    task tmp 'rm -rf "$TMPDIR"; echo x > 1.txt'
    task tmp-link "rm -rf \"\$TMPDIR\"; ln -s '$SCRATCH/precious' \"\$TMPDIR\"; echo x > 2.txt"
    task tmp-file 'rm -rf "$TMPDIR"; echo x >"$TMPDIR"; echo x > 3.txt'
    task log 'rm -rf "$BOSK_LOG_DIR"; echo x > 4.txt'
    task log-link "rm -rf \"\$BOSK_LOG_DIR\"; ln -s '$SCRATCH/precious' \"\$BOSK_LOG_DIR\"; echo x > 5.txt"
    task log-folder 'mkdir "$BOSK_LOG_DIR/gate-tmp.log" "$BOSK_LOG_DIR/gate-security.log"; echo x > 6.txt'
    task worktree 'echo x > 7.txt; rm -rf "$BOSK_WORKTREE"'
    task after 'echo x > 8.txt'
    run_bosk run "$PLAN" --sequential --verify task -c retries=0
    expect_status 1
    sid=$(last_sid)
    for id in tmp tmp-link tmp-file log log-link log-folder after; do
        equal "$id" "$(task_field "$sid" $id state)" integrated
    done
    equal "elsewhere" "$(ls -A "$SCRATCH/precious")" ''
    run_bosk logs log-folder --gate security
    expect_text '0 findings' "$OUT"
}

@test "git as a gate calls it is as it was when the session began" {
    local sid
    unchecked 'an agent writes to the configuration of git' B1 B4
    commit_config <<YAML
fix_attempts: 0
halt_after_failures: 0
gates:
  - {name: same, run: 'git status --short >"$SCRATCH/status"; [ ! -e x.txt ] || { echo made >>a.txt; git diff --exit-code; }'}
YAML
    task monitor "git config core.fsmonitor 'test -z \"\$BOSK_WORKTREE\" || touch $SCRATCH/ran; false'; echo y > y.txt"
    task blind 'git config diff.external true; git config core.trustCtime false; git config core.checkStat minimal; echo x > x.txt'
    run_bosk run "$PLAN" --sequential --verify task -c retries=0
    expect_status 1
    sid=$(last_sid)
    equal "monitor" "$(task_field "$sid" monitor state)" integrated
    equal "blind" "$(task_field "$sid" blind gates.same)" fail
    [ ! -e "$SCRATCH/ran" ]
}
