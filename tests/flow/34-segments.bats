#!/usr/bin/env bats
# Segments while they run: what their commits say, waiting before a fix, what is reported, stop and resume.
# shellcheck disable=SC2154,SC2016 # variables set by run_bosk and start_bosk; what is expanded later

load ../lib/flow

setup() {
    flow_setup
    make_repo a.txt
}
teardown() { flow_teardown; }

# segments TASK...: a plan in its normal form, each TASK a JSON object.
segments() {
    local IFS=,
    printf '{"kind": "segments", "tasks": [%s]}\n' "$*" >"$SCRATCH/segments.json"
}

message() { git -C "$REPO" log -1 --format=%B "$(task_field "$(last_sid)" "$1" commit)"; }

@test "S0.9 commits have the form type(scope): subject; what the agent committed, and what it closes, is kept" {
    segments '{"id": "task-001", "title": "Check tokens", "branch": "feat/tokens", "domain": "auth",
        "prompt": "Check tokens.\nCloses #12"}' \
        '{"id": "task-002", "title": "Cut lines", "branch": "fix/lines", "prompt": "commits itself"}' \
        '{"id": "task-003", "title": "Tidy", "domain": "api", "prompt": "tidy"}'
    write_agent <<'SH'
#!/bin/sh
echo "$BOSK_TASK" > "$BOSK_TASK.txt"
[ "$BOSK_TASK" = task-002 ] || exit 0
git add -A
git commit -q -m 'wip: half of it' -m 'Closes #7'
echo more >> "$BOSK_TASK.txt"
git commit -q -a -m 'perf(io): cut lines once' -m 'They were cut twice.' -m 'Reviewed-by: A. Reader <a@example.org>
Bosk-Task: task-001'
echo left >> "$BOSK_TASK.txt"
SH
    run_bosk run "$SCRATCH/segments.json" --executor "$AGENT"
    expect_status 0
    local sid trailers
    sid=$(last_sid)
    trailers="Bosk-Session: $sid
Bosk-Queue: $(status_json '.sessions[0].queue')
Bosk-Task:"
    equal task-001 "$(message task-001)" "feat(auth): Check tokens

Closes #12

$trailers task-001
Bosk-Attempt: 1"
    equal task-002 "$(message task-002)" "perf(io): cut lines once

They were cut twice.

Reviewed-by: A. Reader <a@example.org>
Closes #7

$trailers task-002
Bosk-Attempt: 1"
    equal task-003 "$(message task-003)" "chore(api): Tidy

$trailers task-003
Bosk-Attempt: 1"
    equal left "$(git show "integration-$sid:task-002.txt")" "task-002
more
left"
}

@test "S0.9 a repaired segment keeps what its agent committed; a type that is not allowed is replaced and told" {
    segments '{"id": "first", "title": "One", "branch": "feat/one", "prompt": "p"}' \
        '{"id": "second", "title": "Two", "branch": "ops/two", "prompt": "p"}'
    write_agent <<'SH'
#!/bin/sh
if grep -q '^<<<<<<<' a.txt; then
    echo both > a.txt
    exit
fi
echo "$BOSK_TASK" > a.txt
[ "$BOSK_TASK" = first ] && exit
read -r _ < "$HOME/../merged"
git commit -q -a -m 'improve: say who' -m 'Because.'
SH
    mkfifo "$SCRATCH/merged"
    start_bosk run "$SCRATCH/segments.json" --executor "$AGENT" --jobs 2
    wait_until '[ "$(git -C "$REPO" rev-list --count --merges --all)" = 1 ]'
    echo >"$SCRATCH/merged"
    wait_bosk
    expect_status 0
    equal subject "$(message second | head -3)" "chore: say who

Because."
    run_bosk report
    expect_text 'second: .*"improve", which is no type of a commit .*"chore"' "$OUT"
    refute expect_text 'Bosk-.*Bosk-' "$OUT"
}

@test "S0.5 a fix waits, twice as long each time, then the segment is blocked with what was tried" {
    commit_config <<'YAML'
gates:
  - {name: lint, run: "test ! -e lint"}
  - {name: tests, run: "false"}
fix_attempts: 2
YAML
    segments '{"id": "red", "prompt": "p"}' '{"id": "also-red", "needs": ["red"], "prompt": "p"}'
    write_agent <<'SH'
#!/bin/sh
echo "$BOSK_ATTEMPT" > work
if [ "$BOSK_ATTEMPT" = 2 ]; then touch lint; else rm -f lint; fi
SH
    run_bosk run "$SCRATCH/segments.json" --executor "$AGENT" --no-preflight
    expect_status 1
    equal waits "$(grep -oE 'red: wait .*' "$ERR" | sort -u)" $'red: wait 1.0 s\nred: wait 2.0 s'
    equal reason "$(task_field "$(last_sid)" red reason)" \
        "gate tests stays red after 2 fix attempts (exit 1): attempt 1: tests fail (exit 1); attempt 2: lint fail (exit 1); attempt 3: tests fail (exit 1)"
    equal state "$(task_field "$(last_sid)" also-red state)" skipped
    # Other plans do not wait.
    run_bosk run -p p --executor "$AGENT" --no-preflight
    expect_status 1
    refute expect_text 'wait'
}

@test "S0.5 halt_after_failures counts segments too" {
    commit_config <<'YAML'
gates: [{name: tests, run: "false"}]
fix_attempts: 0
halt_after_failures: 1
YAML
    segments '{"id": "one", "prompt": "p"}' '{"id": "two", "prompt": "p"}'
    run_bosk run "$SCRATCH/segments.json" --executor 'echo x > x' --no-preflight --jobs 1
    expect_status 1
    equal states "$(status_json '[.sessions[0].tasks[].state] | join(" ")')" 'blocked pending'
    run_bosk report
    expect_text 'halt_after_failures' "$OUT"
}

@test "S0.3 lint, types, tests, build and security run in their order, each a list of commands of which all must pass" {
    commit_config <<YAML
gates:
  - name: lint
    run: |
      echo lint.npm >>"$SCRATCH/ran"
      echo lint.ruff >>"$SCRATCH/ran"
  - {name: types, run: 'echo types >>"$SCRATCH/ran"'}
  - name: tests
    run: |
      echo tests.npm >>"$SCRATCH/ran"
      test ! -e broken
      echo tests.pytest >>"$SCRATCH/ran"
  - {name: build, run: 'echo build >>"$SCRATCH/ran"'}
  - {name: security, run: 'echo security >>"$SCRATCH/ran"'}
fix_attempts: 0
verify: task
YAML
    segments '{"id": "good", "branch": "feat/good", "prompt": "p"}' '{"id": "broken", "branch": "feat/broken", "needs": ["good"], "prompt": "p"}'
    run_bosk run "$SCRATCH/segments.json" --executor 'echo "$BOSK_TASK begins" >>"$HOME/../ran"; touch "$BOSK_TASK"'
    expect_status 1
    # On the base first, then for each segment; the first red command ends its gate, and the first red gate ends them.
    local all='lint.npm lint.ruff types tests.npm tests.pytest build security'
    equal order "$(tr '\n' ' ' <"$SCRATCH/ran")" \
        "$all good begins $all broken begins lint.npm lint.ruff types tests.npm "
    equal verdicts "$("$BOSK_BIN" status --json |
        command jq -r '.sessions[0].tasks[] | select(.id == "broken").gates | to_entries[] | "\(.key) \(.value)"' | tr '\n' ' ')" \
        'lint pass types pass tests fail '
}

@test "S0.6 what a gate said before the last change counts no more, and only its exit code speaks" {
    commit_config <<'YAML'
gates:
  - {name: lint, run: 'echo "0 errors, all tests passed"; test ! -e wrong'}
  - {name: tests, run: 'echo "FAILED: 3 errors"; test -e right || ! ls * | grep -q begun'}
fix_attempts: 1
YAML
    segments '{"id": "fix", "branch": "fix/it", "prompt": "p"}' '{"id": "clean", "branch": "feat/it", "prompt": "p"}'
    # The repair makes the red gate green, and the one that was green red.
    write_agent <<'SH'
#!/bin/sh
touch "begun.$BOSK_TASK"
[ "$BOSK_TASK" = clean ] && touch right
[ "$BOSK_ATTEMPT" = 1 ] || touch right wrong
SH
    run_bosk run "$SCRATCH/segments.json" --executor "$AGENT"
    expect_status 1
    local sid
    sid=$(last_sid)
    equal states "$(status_json '[.sessions[0].tasks[].state] | join(" ")')" 'blocked integrated'
    equal lint "$(task_field "$sid" fix gates.lint)" fail
    equal "loud, and green" "$(task_field "$sid" clean gates.tests)" pass
}

@test "S0.4 report --yaml is the execution_result: pass or fail of five gates, ready only when all passed and a commit exists" {
    commit_config <<'YAML'
gates:
  - {name: lint, run: "test ! -e bad"}
  - {name: tests, run: "true"}
  - {name: words, run: "true"}
fix_attempts: 0
YAML
    segments '{"id": "good", "branch": "feat/good", "wave": 1, "model": "sonnet-4.5", "prompt": "p"}' \
        '{"id": "bad", "branch": "fix/bad", "wave": 1, "prompt": "p"}' \
        '{"id": "never", "branch": "fix/never", "wave": 2, "needs": ["bad"], "prompt": "p"}'
    run_bosk run "$SCRATCH/segments.json" --executor 'touch "$BOSK_TASK"'
    expect_status 1
    local sid
    sid=$(last_sid)
    run_bosk report --yaml
    expect_status 0
    sed -E 's/^( +seconds: )[0-9]+\.[0-9]{3}$/\1S/' "$OUT" >"$SCRATCH/got"
    cat >"$SCRATCH/wanted" <<YAML
execution_result:
  segments:
    - id: good
      status: complete
      validation:
        lint: pass
        types: pass
        tests: pass
        build: pass
        security: pass
      branch: feat/good
      commit: "$(task_field "$sid" good commit)"
      ready_for_pr: true
      state: integrated
      reason: null
      verdicts:
        lint: pass
        tests: pass
        words: pass
      attempts: 1
      seconds: S
      log: "$(task_field "$sid" good log)"
      kept: null
      wave: 1
      model: sonnet-4.5
    - id: bad
      status: failed
      validation:
        lint: fail
        types: pass
        tests: fail
        build: pass
        security: pass
      branch: fix/bad
      commit: null
      ready_for_pr: false
      state: blocked
      reason: "$(task_field "$sid" bad reason)"
      verdicts:
        lint: fail
        tests: not-run
        words: not-run
      red_gate: lint
      red_gate_output: ""
      attempts: 1
      seconds: S
      log: "$(task_field "$sid" bad log)"
      kept: fix/bad
      wave: 1
      model: null
    - id: never
      status: failed
      validation:
        lint: fail
        types: pass
        tests: fail
        build: pass
        security: pass
      branch: fix/never
      commit: null
      ready_for_pr: false
      state: skipped
      reason: "it needs bad, which is blocked"
      verdicts:
        lint: not-run
        tests: not-run
        words: not-run
      attempts: 0
      seconds: S
      log: null
      kept: null
      wave: 2
      model: null
  excused: []
  session: $(quoted "$sid")
  state: failed
  integration_branch: integration-$sid
  integration_tip: $(quoted "$(git rev-parse "integration-$sid")")
  final_gates: pass
YAML
    sed -i -E 's/^( +commit: )"([a-f].*)"/\1\2/' "$SCRATCH/wanted"
    diff -u "$SCRATCH/wanted" "$SCRATCH/got"
    run_bosk report --yaml --json
    expect_status 2
}

# As report writes names and ids.
quoted() {
    case $1 in
    [a-z]*) printf '%s' "$1" ;;
    *) printf '"%s"' "$1" ;;
    esac
}

@test "S0.4 a red gate that was excused still leaves a segment unready" {
    commit_config <<<'gates: [{name: types, run: "false"}, {name: tests, run: "true"}]'
    segments '{"id": "one", "prompt": "p"}'
    run_bosk run "$SCRATCH/segments.json" --executor 'echo x > x' --excuse types
    run_bosk report --yaml
    expect_text '^      status: complete$' "$OUT"
    expect_text '^        types: fail$' "$OUT"
    expect_text '^      ready_for_pr: false$' "$OUT"
}

@test "S0.14 pause is stop, and resume goes by what git says" {
    segments '{"id": "one", "branch": "feat/one", "prompt": "p"}' \
        '{"id": "two", "branch": "feat/two", "needs": ["one"], "prompt": "p"}' \
        '{"id": "three", "branch": "feat/three", "needs": ["two"], "prompt": "p"}'
    mkfifo "$SCRATCH/go"
    write_agent <<'SH'
#!/bin/sh
echo "$BOSK_TASK" > "$BOSK_TASK.txt"
if [ "$BOSK_TASK" = two ] && [ "$BOSK_ATTEMPT" = 1 ]; then touch "$HOME/two" && read -r _ < "$HOME/../go"; fi
SH
    start_bosk run "$SCRATCH/segments.json" --executor "$AGENT"
    wait_until '[ -e "$HOME/two" ]'
    "$BOSK_BIN" stop --now
    wait_bosk
    local sid base
    sid=$(last_sid)
    equal states "$(status_json '[.sessions[0].tasks[].state] | join(" ")')" 'integrated pending pending'
    equal checkpoint "$(git show feat/two:two.txt)" two
    base=$(git rev-parse main)
    run_bosk report --yaml
    expect_text '^  state: stopped$' "$OUT"
    # Somebody moves the branch meanwhile: what it was at is not what resume believes.
    git update-ref refs/heads/feat/two main
    run_bosk resume
    expect_status 0
    assert_once "$REPO" "$sid" "$base" one two three
    equal result "$(git show "integration-$sid:three.txt")" three
}

# waves: three segments in two waves, in the form of the original.
waves() {
    cat >"$SCRATCH/waves.yaml" <<'YAML'
decomposition_result:
  total_segments: 3
  waves: 2
  segments:
    - {id: task-001, name: one, branch: feat/one, dependencies: []}
    - {id: task-002, name: two, branch: feat/two, dependencies: []}
    - {id: task-003, name: three, branch: feat/three, dependencies: [task-001]}
  execution_plan: {wave_1: [task-001, task-002], wave_2: [task-003]}
YAML
}

@test "S0.7 all segments of a wave start together, the next wave when all are integrated, on their files" {
    waves
    mkfifo "$SCRATCH/a" "$SCRATCH/b"
    # Those of wave 1 meet: neither goes on before the other has begun.
    write_agent <<'SH'
#!/bin/sh
case $BOSK_TASK in
task-001) echo x > "$HOME/../a"; read -r _ < "$HOME/../b" ;;
task-002) read -r _ < "$HOME/../a"; echo x > "$HOME/../b" ;;
esac
ls > "$BOSK_TASK"
SH
    run_bosk run "$SCRATCH/waves.yaml" --executor "$AGENT" --jobs 3
    expect_status 0
    equal files "$(git show "integration-$(last_sid):task-003" | tr '\n' ' ')" 'README.md a.txt task-001 task-002 task-003 '
    equal waves "$(grep -oE 'wave [0-9] is over: .*' "$ERR")" $'wave 1 is over: 2 of 2 integrated\nwave 2 is over: 1 of 1 integrated'
}

@test "S0.8 a failed segment leaves its siblings alone and blocks the next wave, which says why" {
    waves
    mkfifo "$SCRATCH/a"
    # The sibling goes on after the failure was told.
    write_agent <<'SH'
#!/bin/sh
[ "$BOSK_TASK" != task-002 ] || exit 3
read -r _ < "$HOME/../a"
echo x > "$BOSK_TASK"
SH
    start_bosk run "$SCRATCH/waves.yaml" --executor "$AGENT" --jobs 2 -c retries=0
    wait_until 'grep -q "FAIL.*task-002" "$ERR"'
    echo go >"$SCRATCH/a"
    wait_bosk
    expect_status 1
    equal states "$(status_json '[.sessions[0].tasks[].state] | join(" ")')" 'integrated failed skipped'
    equal why "$(task_field "$(last_sid)" task-003 reason)" 'it needs task-002, which is failed'
    expect_text 'wave 1 is over: 1 of 2 integrated'
    expect_text 'wave 2 is over: 0 of 1 integrated'
}
