#!/usr/bin/env bats
# Gates: the five verdicts, what each does to its task, the check of the base before anything starts,
# and of the merged tree before the branch moves.
# shellcheck disable=SC2154,SC2016 # variables set by run_bosk

load ../lib/flow

setup() {
    flow_setup
    make_repo a.txt docs/guide.md
    PLAN=$SCRATCH/p.yaml
}
teardown() { flow_teardown; }

# task ID COMMAND [MORE]: a plan of one task more.
task() {
    [ -e "$PLAN" ] || echo 'tasks:' >"$PLAN"
    printf '  - id: %s\n    run: |\n      %s\n' "$1" "$2" >>"$PLAN"
    [ $# -lt 3 ] || printf '    %s\n' "$3" >>"$PLAN"
}

@test "pass and skipped: a gate with paths only runs when one of them changed" {
    local sid
    commit_config <<YAML
gates:
  - {name: always, run: 'true'}
  - {name: docs, run: 'echo "\$BOSK_TASK" >> "$SCRATCH/docs-ran"', paths: ['docs/**']}
YAML
    task code 'echo x > x.txt'
    task guide 'echo more >> docs/guide.md'
    run_bosk run "$PLAN"
    expect_status 0
    sid=$(last_sid)
    equal "always" "$(task_field "$sid" code gates.always)" pass
    equal "docs" "$(task_field "$sid" code gates.docs)" skipped
    equal "docs" "$(task_field "$sid" guide gates.docs)" pass
    refute grep -qx code "$SCRATCH/docs-ran"
    grep -qx guide "$SCRATCH/docs-ran"
}

@test "fail: sent back as often as fix_attempts says, then blocked; the work is kept" {
    local sid
    commit_config <<'YAML'
fix_attempts: 2
gates:
  - {name: never, run: 'test ! -e x.txt || { echo "x.txt: must not be"; exit 1; }'}
YAML
    task stubborn 'echo x > x.txt'
    task fine 'echo y > y.txt'
    run_bosk run "$PLAN"
    expect_status 1
    sid=$(last_sid)
    equal "state" "$(task_field "$sid" stubborn state)" blocked
    equal "verdict" "$(task_field "$sid" stubborn gates.never)" fail
    equal "attempts" "$(task_field "$sid" stubborn attempts)" 3
    equal "fine" "$(task_field "$sid" fine state)" integrated
    task_field "$sid" stubborn reason | grep -q never
    equal "kept work" "$(git show "$(task_field "$sid" stubborn branch):x.txt")" x
    run_bosk logs stubborn --gate never
    expect_status 0
    expect_text 'x\.txt: must not be' "$OUT"
}

@test "fail: the failing lines reach the agent, and its repair is committed as one change" {
    local sid
    commit_config <<'YAML'
gates:
  - {name: even, run: 'n=$(wc -l < lines.txt 2>/dev/null || echo 0); test $((n % 2)) = 0 || { seq 1 3000; echo "lines.txt has $n lines, an odd number"; exit 1; }'}
YAML
    printf 'tasks:\n  - {id: lines, prompt: Write some lines to lines.txt.}\n' >"$PLAN"
    write_agent <<SH
#!/bin/sh
cp "\$BOSK_PROMPT_FILE" "$SCRATCH/prompt.\$BOSK_ATTEMPT"
if grep -q 'lines.txt has 1 lines, an odd number' "\$BOSK_PROMPT_FILE"; then
    echo two >> lines.txt
else
    echo one > lines.txt
fi
SH
    run_bosk run "$PLAN" --executor "$AGENT"
    expect_status 0
    sid=$(last_sid)
    equal "attempts" "$(task_field "$sid" lines attempts)" 2
    refute grep -q 'odd number' "$SCRATCH/prompt.1"
    # The tail, not the whole: the prompt stays small.
    [ "$(wc -c <"$SCRATCH/prompt.2")" -lt 65536 ]
    assert_once "$REPO" "$sid" main lines
    equal "lines" "$(git show "integration-$sid:lines.txt")" "one
two"
}

@test "timeout: the gate is ended with all its processes, and never passes" {
    local sid
    commit_config <<YAML
fix_attempts: 0
gates:
  - {name: slow, run: 'test ! -e x.txt || { setsid sleep 600 & echo \$! > "$SCRATCH/pid"; sleep 600; }', timeout: 1s}
YAML
    task one 'echo x > x.txt'
    run_bosk run "$PLAN"
    expect_status 1
    sid=$(last_sid)
    equal "verdict" "$(task_field "$sid" one gates.slow)" timeout
    refute alive "$(cat "$SCRATCH/pid")"
    assert_no_strays "$sid"
}

@test "could-not-run: never passes, and does not blame the task's work" {
    local sid
    write_file check.sh <<<'exit 0'
    chmod +x check.sh
    git add -A
    git commit -qm 'A gate'
    commit_config <<'YAML'
gates:
  - {name: tool, run: ./check.sh}
YAML
    task removes 'git rm -q check.sh'
    task unusable 'chmod -x check.sh'
    run_bosk run "$PLAN"
    expect_status 1
    sid=$(last_sid)
    local id
    for id in removes unusable; do
        equal "verdict of $id" "$(task_field "$sid" $id gates.tool)" could-not-run
        equal "state of $id" "$(task_field "$sid" $id state)" blocked
        equal "attempts of $id" "$(task_field "$sid" $id attempts)" 1
        git rev-parse -q --verify "$(task_field "$sid" $id branch)" >/dev/null
    done
    refute git merge-base --is-ancestor "$(task_field "$sid" removes commit)" "integration-$sid"
}

@test "red on the base: exit 4, nothing started, and it says which gate and why" {
    commit_config <<'YAML'
gates:
  - {name: fine, run: 'true'}
  - {name: red, run: 'echo "a.txt: wrong from the start"; exit 1'}
YAML
    task one "touch '$SCRATCH/started'; echo x > x.txt"
    snapshot_checkout "$REPO" >"$SCRATCH/before"
    run_bosk run "$PLAN"
    expect_status 4
    expect_text 'red'
    expect_text 'wrong from the start'
    expect_text '--excuse'
    [ ! -e "$SCRATCH/started" ]
    snapshot_checkout "$REPO" >"$SCRATCH/after"
    assert_same_snapshot "$SCRATCH/before" "$SCRATCH/after"
    equal "task branches" "$(git for-each-ref --format='%(refname)' refs/heads/bosk)" ""
    assert_no_worktrees "$REPO"
    # A tool that is missing on the base is the environment too.
    commit_config <<'YAML'
gates:
  - {name: missing, run: no-such-tool-anywhere}
YAML
    task another 'echo y > y.txt'
    run_bosk run "$PLAN"
    expect_status 4
    expect_text 'missing'
    [ ! -e "$SCRATCH/started" ]
}

@test "--excuse: a gate known to be red does not stop the session, the others still count" {
    local sid
    commit_config <<'YAML'
fix_attempts: 0
gates:
  - {name: red, run: 'exit 1'}
  - {name: strict, run: 'test ! -e bad.txt'}
YAML
    task one 'echo x > x.txt'
    task bad 'echo x > bad.txt'
    run_bosk run "$PLAN" --excuse strikt
    expect_status 2
    expect_text 'strikt'
    run_bosk run "$PLAN" --excuse red
    expect_status 1
    sid=$(last_sid)
    equal "one" "$(task_field "$sid" one state)" integrated
    equal "bad" "$(task_field "$sid" bad state)" blocked
    equal "verdict" "$(task_field "$sid" bad gates.strict)" fail
}

@test "all gates run again after a fix, in their order" {
    local sid
    commit_config <<YAML
gates:
  - {name: first, run: 'test -e x.txt || exit 0; echo first >> "$SCRATCH/order"'}
  - {name: second, run: 'test -e x.txt || exit 0; echo second >> "$SCRATCH/order"; test -e y.txt'}
YAML
    printf 'tasks:\n  - {id: one, prompt: go}\n' >"$PLAN"
    write_agent <<'SH'
#!/bin/sh
echo x > x.txt
[ "$BOSK_ATTEMPT" = 1 ] || echo y > y.txt
SH
    run_bosk run "$PLAN" --executor "$AGENT"
    expect_status 0
    sid=$(last_sid)
    head -n 4 "$SCRATCH/order" | tr '\n' ' ' >"$SCRATCH/order.line"
    equal "order" "$(cat "$SCRATCH/order.line")" "first second first second "
    equal "gates" "$(task_field "$sid" one gates.second)" pass
}

@test "the final tip is checked: two changes that only fail together are red, and not landed" {
    local sid
    commit_config <<'YAML'
fix_attempts: 0
land: merge
gates:
  - {name: not-both, run: 'test ! -e left.txt || test ! -e right.txt'}
YAML
    task left "touch '$SCRATCH/left'; until test -e '$SCRATCH/right'; do sleep 0.05; done; echo x > left.txt"
    task right "touch '$SCRATCH/right'; until test -e '$SCRATCH/left'; do sleep 0.05; done; echo x > right.txt"
    run_bosk run "$PLAN" --jobs 2 --verify task
    expect_status 1
    sid=$(last_sid)
    equal "left" "$(task_field "$sid" left state)" integrated
    equal "right" "$(task_field "$sid" right state)" integrated
    equal "final gates" "$(status_json '.sessions[0].final_gates')" fail
    "$BOSK_BIN" report | grep -q 'gates on the final tip: fail: gate not-both'
    # Neither the run nor the command brings a red tip to main, unless it is told to.
    refute git merge-base --is-ancestor "integration-$sid" main
    run_bosk land --merge "$sid"
    expect_status 1
    refute git merge-base --is-ancestor "integration-$sid" main
    run_bosk land --merge --force-red "$sid"
    expect_status 0
    git merge-base --is-ancestor "refs/bosk/int/$sid" main
}

@test "a task can name its gates, or none" {
    local sid
    commit_config <<'YAML'
fix_attempts: 0
gates:
  - {name: a, run: 'test ! -e bad-a.txt'}
  - {name: b, run: 'test ! -e bad-b.txt'}
YAML
    task only-b 'echo x > bad-a.txt' 'gates: [b]'
    run_bosk run "$PLAN" -c verify=task
    sid=$(last_sid)
    equal "state" "$(task_field "$sid" only-b state)" integrated
    equal "b" "$(task_field "$sid" only-b gates.b)" pass
    [ "$(task_field "$sid" only-b gates.a)" != pass ]
}

@test "a task that changes what bosk.yaml protects is blocked, and cannot loosen its own gates" {
    local sid
    commit_config <<'YAML'
gates:
  - {name: strict, run: 'test ! -e bad.txt'}
YAML
    task loosen 'echo "gates: []" > bosk.yaml; echo x > bad.txt'
    run_bosk run "$PLAN"
    expect_status 1
    sid=$(last_sid)
    equal "state" "$(task_field "$sid" loosen state)" blocked
    task_field "$sid" loosen reason | grep -q 'bosk\.yaml\|strict'
}

@test "a gate that leaves files behind does not get them committed unless they are the task's" {
    local sid
    commit_config <<'YAML'
gates:
  - {name: builds, run: 'mkdir -p build && echo object > build/out.o'}
YAML
    echo /build/ >.gitignore
    git add -A
    git commit -qm 'Ignore what is built'
    task one 'echo x > x.txt'
    run_bosk run "$PLAN"
    expect_status 0
    sid=$(last_sid)
    equal "x.txt" "$(git show "integration-$sid:x.txt")" x
    refute git cat-file -e "integration-$sid:build/out.o"
}

@test "S0.10 S0.13 after a conflict all gates run again on the new base; what is done is merged, its branch and worktree gone" {
    local sid last id
    commit_config <<YAML
gates:
  - {name: first, run: 'echo "\${BOSK_TASK:-none} first \$(git rev-parse --short=40 HEAD)" >>"$SCRATCH/ran"'}
  - {name: second, run: 'echo "\${BOSK_TASK:-none} second" >>"$SCRATCH/ran"'}
YAML
    write_file "$SCRATCH/meet" <<SH
touch '$SCRATCH/'"\$1"; until test -e '$SCRATCH/'"\$2"; do sleep 0.05; done
SH
    task left "sh '$SCRATCH/meet' left right; echo left >> a.txt"
    task right "sh '$SCRATCH/meet' right left; echo right >> a.txt"
    run_bosk run "$PLAN" --jobs 2
    expect_status 0
    sid=$(last_sid)
    last=right
    [ "$(task_field "$sid" left attempts)" = 1 ] || last=left
    equal "gates of the one in conflict" "$(grep "^$last " "$SCRATCH/ran" | cut -d ' ' -f 2 | tr '\n' ' ')" 'first second first second '
    # The second time on the tip with the other one.
    grep "^$last first" "$SCRATCH/ran" | tail -n 1 | grep -qF "$(git rev-parse "integration-$sid^1")"
    for id in left right; do
        refute git rev-parse -q --verify "bosk/$sid/$id"
        git merge-base --is-ancestor "$(task_field "$sid" $id commit)" "integration-$sid"
    done
    assert_no_worktrees "$REPO"
}
