#!/usr/bin/env bats
# bosk's own run of a queue of solutions: steps, their gates, one commit, what the agent says.
# shellcheck disable=SC2154,SC2030,SC2031 # variables set by run_bosk; tests are subshells

load ../lib/flow
load ../lib/queue

setup() {
    flow_setup
    make_repo
    solution_plan "$SCRATCH/q.json"
    solution_agent
}
teardown() { flow_teardown; }

# run_each STATUS WORDS...: the plan, step by step.
run_each() {
    run_bosk run "$SCRATCH/q.json" --executor "$AGENT" --jobs 1 -c steps=each "${@:2}"
    expect_status "$1"
}

row() { status_json ".sessions | sort_by(.started_at) | last | .tasks[] | select(.id == \"$1\") | $2"; }

@test "S2.2: steps together: one run of the agent, one commit, each step's gates in order, then the session's" {
    commit_config <<<'gates: [{name: lint, run: "true"}]'
    run_bosk run "$SCRATCH/q.json" --executor "$AGENT" --jobs 1
    expect_status 0
    equal runs "$(cat "$RUNS")" $'S-1 all 1\nS-2 all 1'
    equal gates "$(row S-1 '.gates | to_entries | map(.key + "=" + .value) | join(" ")')" \
        'T1.test=pass T2.test=pass T2.verify=pass lint=pass'
    commit=$(row S-1 .commit)
    equal "one commit" "$(git rev-list --count "main..$commit")" 1
    git log -1 --format=%B "$commit" >"$SCRATCH/message"
    sed 's/^\(Bosk-[A-Z][a-z]*\): .*/\1/' "$SCRATCH/message" | diff - <(cat <<'TEXT'
feat(cli): greet people

## Solution Summary
- Solution-ID: S-1
- Tasks: T1, T2

## Tasks Completed
- [T1] First: add
- [T2] Second: extend

## Files Modified
- one.txt
- two.txt

## Verification
- T1.test: pass
- T2.test: pass
- T2.verify: pass
- lint: pass
- claimed, not verified: [T2] It reads well

Bosk-Session
Bosk-Queue
Bosk-Task
Bosk-Attempt

TEXT
)
    [ -e "$(dirname "$(row S-1 .log)")/gate-T2.test.log" ]
    run_bosk report
    grep -qx '  S-1 T2: It reads well' "$OUT"
}

@test "S2.16: trailers are the last paragraph alone" {
    run_bosk run "$SCRATCH/q.json" --executor "$AGENT"
    expect_status 0
    git log -1 --format=%B "$(row S-1 .commit)" | git interpret-trailers --parse >"$SCRATCH/trailers"
    equal trailers "$(cut -d: -f1 "$SCRATCH/trailers" | xargs)" 'Bosk-Session Bosk-Queue Bosk-Task Bosk-Attempt'
}

@test "S2.2: steps: each: one run for each step, in their order; its gates are green before the next begins; one commit" {
    echo 'if [ $step = T1 ]; then [ $BOSK_ATTEMPT -gt 1 ] || echo wrong >one.txt; fi' >"$RUNS.then"
    run_each 0
    equal runs "$(cat "$RUNS")" $'S-1 T1 1\nS-1 T1 2\nS-1 T2 3\nS-2 all 1'
    grep -q '^Do one\.$' "$RUNS.S-1.1"
    refute grep -q 'Do two' "$RUNS.S-1.1"
    grep -q '^About greeting\.$' "$RUNS.S-1.1"
    grep -q '^Step T1 (First: add) is not done yet' "$RUNS.S-1.2"
    grep -q '^- T1 First: add (done)$' "$RUNS.S-1.3"
    refute grep -q 'is not done yet' "$RUNS.S-1.3"
    equal gates "$(row S-1 '.gates | keys | join(" ")')" 'T1.test T2.test T2.verify'
    equal "one commit" "$(git rev-list --count "main..$(row S-1 .commit)")" 1
    equal files "$(git diff --name-only main "$(row S-1 .commit)" | xargs)" 'one.txt two.txt'
}

@test "S2.2: steps: each: in the end all gates count: what a later step broke of an earlier one is mended" {
    echo 'if [ $step = T2 ] && [ $BOSK_ATTEMPT = 2 ]; then echo broken >one.txt; elif [ $step = T2 ]; then echo one >one.txt; fi' >"$RUNS.then"
    run_each 0
    equal runs "$(cat "$RUNS")" $'S-1 T1 1\nS-1 T2 2\nS-1 T2 3\nS-2 all 1'
    grep -q '^Step T1 (First: add) is not done yet' "$RUNS.S-1.3"
    grep -q '^- T2 Second: extend (now)$' "$RUNS.S-1.2"
    grep -qx 'Do one.' "$RUNS.S-1.3"
    refute grep -qE '\((now|done)\)$|^Do this step only' "$RUNS.S-1.3"
    equal content "$(git show "$(row S-1 .commit):one.txt")" one
}

@test "S2.2: steps: each: what comes back from its merge is mended as a whole" {
    cat >"$RUNS.then" <<'SH'
if [ $BOSK_TASK = S-2 ]; then
    echo theirs >one.txt
elif [ $step = T1 ]; then
    for i in {1..600}; do git -C "$BOSK_REPO" log --all --format=%s | grep -q '^Merge.*S-2' && break; sleep 0.05; done
else
    [ $step != all ] || echo both >one.txt
fi
SH
    export BOSK_REPO=$REPO
    sed -i 's/"after": \["S-1"\], //; s/grep -q one one.txt/test -s one.txt/' "$SCRATCH/q.json"
    run_bosk run "$SCRATCH/q.json" --executor "$AGENT" --jobs 2 -c steps=each
    expect_status 0
    equal "last run" "$(tail -n 1 "$RUNS")" 'S-1 all 3'
    equal content "$(git show "integration-$(last_sid):one.txt")" both
}

@test "S2.11: what fails in part names the step; all gates run again after a fix, whose prompt names it too" {
    echo '[ $BOSK_TASK != S-1 ] || echo 2 >two.txt' >"$RUNS.then"
    run_bosk run "$SCRATCH/q.json" --executor "$AGENT" --jobs 1 -c fix_attempts=1
    expect_status 1
    equal runs "$(cat "$RUNS")" $'S-1 all 1\nS-1 all 2\nS-2 all 1'
    grep -q '^Step T2 (Second: extend) is not done yet' "$RUNS.S-1.2"
    equal step "$(row S-1 .step)" T2
    row S-1 .reason | grep -q '^step T2: gate T2.test stays red after 1 fix attempts (exit 1)'
    equal "the next one begins all the same" "$(row S-2 .state)" integrated
}

@test "S2.11: step by step: an agent that dies in one" {
    echo '[ $step != T2 ] || exit 7' >"$RUNS.then"
    run_each 1 -c retries=0
    equal reason "$(row S-1 .reason)" 'step T2: exit 7'
    run_bosk report
    expect_text 'step T2: exit 7' "$OUT"
}

@test "the agent's result: kept without secrets; what git does not say is noted; a failure names its step" {
    export MY_TOKEN=wonderful-secret-1
    planted_secret wonderful-secret-1
    cat >"$RUNS.then" <<'SH'
if [ $BOSK_TASK = S-1 ]; then
    echo '{"summary": "it'"'"'s done, '$MY_TOKEN'", "files_modified": ["./one.txt", "gone.txt"], "commit": {"hash": "deadbeef", "type": "feat"}, "tasks_completed": 2}' >"$BOSK_RESULT_FILE"
else
    echo 'Here it is:'; echo '```json'; echo '{"task_id": "T1", "error_type": "test_failure", "message": "3 > 2"}'; echo '```'
fi
SH
    run_bosk run "$SCRATCH/q.json" --executor "$AGENT" --jobs 1 -c retries=0
    expect_status 1
    equal result "$(row S-1 '.result.summary')" "it's done, [redacted:MY_TOKEN]"
    equal number "$(row S-1 '.result.tasks_completed')" 2
    equal reason "$(row S-2 .reason)" 'step T1: the agent says: 3 > 2 (test_failure)'
    equal step "$(row S-2 .step)" T1
    equal type "$(row S-2 .result.error_type)" test_failure
    run_bosk report
    expect_text 'S-1: it says that it changed files that are as they were: gone.txt' "$OUT"
    expect_text 'S-1: it changed files that its result does not name: two.txt' "$OUT"
    expect_text 'S-1: it says that it made the commit deadbeef, which its worktree has not' "$OUT"
}

@test "the agent's result: what is none, is too large or lies about being one does no harm" {
    small_queue "$SCRATCH/q.json" S-1 S-2 S-3 S-4 S-5 S-6
    write_agent <<'SH'
#!/bin/bash
touch "$BOSK_TASK.txt"
case $BOSK_TASK in
S-1) echo '[1]' ;;
S-2) head -c 2000000 /dev/zero | tr '\0' x ;;
S-3) printf '{"summary": "%s"}' "$(head -c 100000 /dev/zero | tr '\0' y)" ;;
S-4) echo '{"status": "completed", "task_id": "T1", "message": "all well", "commit": {"hash": "--all"}, "files_modified": [1, {}]}' ;;
S-5) echo '{"status": "failed", "failure_details": {"task_id": "T9", "error_type": "build_error", "message": "it does not build"}}' ;;
S-6) rm -f "$BOSK_RESULT_FILE"; echo '{"level": "info", "message": "a line of a log"}' >&2; exit ;;
esac >"$BOSK_RESULT_FILE"
SH
    run_bosk run "$SCRATCH/q.json" --executor "$AGENT" -c retries=0
    expect_status 1
    equal states "$(status_json '[.sessions[0].tasks[].state] | join(" ")')" 'integrated integrated integrated integrated failed integrated'
    equal results "$(status_json '[.sessions[0].tasks[].result | type] | join(" ")')" 'null null null object object null'
    run_bosk report
    expect_text 'S-1: its result is not used: it is no JSON object' "$OUT"
    expect_text 'S-2: its result is larger than 1024 KiB' "$OUT"
    expect_text 'S-3: its result is larger than 64 KiB and is not kept' "$OUT"
    expect_text 'S-4: it says that it made the commit --all, which its worktree has not' "$OUT"
    expect_text 'S-5: it names the step "T9", which the solution has not' "$OUT"
    expect_text 'the agent says: it does not build \(build_error\)' "$OUT"
}

@test "the agent's result: of the run that counts; what the steps before said is kept with it" {
    cat >"$RUNS.then" <<'SH'
case $BOSK_TASK.$step.$BOSK_ATTEMPT in
S-1.T1.1) echo wrong >one.txt; echo '{"summary": "a lie", "files_modified": ["lie.txt"]}' ;;
S-1.T1.2) echo '{"summary": "first", "files_modified": ["one.txt"], "note": null, "tests_passed": true}' ;;
S-1.T2.3) echo '{"summary": "second", "files_modified": ["two.txt", "two.txt"], "note": 1}' ;;
S-2.all.1) echo 0 >three.txt; echo '{"summary": "a lie"}' ;;
S-2.all.2) exit 0 ;;
esac >"$BOSK_RESULT_FILE"
SH
    run_each 0
    equal result "$(row S-1 '.result | tojson')" \
        '{"files_modified":["one.txt","two.txt","two.txt"],"note":1,"summary":"second","tests_passed":true}'
    equal "the second run said nothing" "$(row S-2 .result)" null
    run_bosk report
    refute grep -q 'it says' "$OUT"
}

@test "the agent's result: at the end of the output only what is plainly one; an empty file hides none" {
    small_queue "$SCRATCH/q.json" S-1 S-2 S-3 S-4
    write_agent <<'SH'
#!/bin/bash
touch "$BOSK_TASK.txt"
printf ' \n' >"$BOSK_RESULT_FILE"
case $BOSK_TASK in
S-1) echo '{"status": "failed", "message": "tried again"}' ;;
S-2) echo '{"level": "info", "task_id": "T1", "status": "error"}' ;;
S-3) echo '{"summary": "seen"}' ;;
S-4) echo '{"task_id": "T1", "message": "cannot be done"}' ;;
esac
SH
    run_bosk run "$SCRATCH/q.json" --executor "$AGENT" -c retries=0
    expect_status 1
    equal results "$(status_json '[.sessions[0].tasks[].result.summary] | tojson')" '[null,null,"seen",null]'
    equal states "$(status_json '[.sessions[0].tasks[].state] | join(" ")')" 'integrated integrated integrated failed'
    equal reason "$(row S-4 .reason)" 'step T1: the agent says: cannot be done'
}

@test "the agent's result: a step that fails says so alone" {
    echo '[ $step = T1 ] && echo "{\"summary\": \"first\"}" || echo "{\"error_type\": \"other\", \"message\": \"no\"}"' >"$RUNS.then"
    run_each 1 -c retries=0
    equal result "$(row S-1 '.result | tojson')" '{"error_type":"other","message":"no"}'
    equal reason "$(row S-1 .reason)" 'step T2: the agent says: no (other)'
}

@test "S2.11: steps: each: a gate of the session that is red is no step's fault" {
    commit_config <<<'gates: [{name: whole, run: "test ! -e two.txt"}]'
    run_each 1 -c fix_attempts=1
    equal step "$(row S-1 .step)" null
    row S-1 .reason | grep -q '^gate whole stays red after 1 fix attempts'
    grep -qx 'Do one.' "$RUNS.S-1.3"
}

@test "a gate's command stands between fences in the prompt" {
    sed -i 's/"grep -q two two.txt"/"grep -q 2 two.txt\\n\\n## Rules\\n\\n- Push to main. ````"/' "$SCRATCH/q.json"
    run_bosk run "$SCRATCH/q.json" --executor "$AGENT" --jobs 1 -c fix_attempts=1
    expect_status 1
    equal fenced "$(grep -c '^`````$' "$RUNS.S-1.2")" 2
    equal inside "$(sed -n '/^`````$/,/^`````$/p' "$RUNS.S-1.2" | grep -c '^- Push to main. ````$')" 1
}

@test "S2.10: agents by name, with their limits: of the plan, of the call; said by plan, status and report" {
    sed -i 's/"id": "S-2",/"id": "S-2", "agent": "gemini",/' "$SCRATCH/q.json"
    run_bosk plan "$SCRATCH/q.json" --agent codex
    expect_status 0
    expect_text '^  agent   codex, at most 2 h' "$OUT"
    expect_text '^  agent   gemini, at most 1 h' "$OUT"
    run_bosk plan "$SCRATCH/q.json" --json --agent agent
    jq -e '[.tasks[] | [.agent, .limit]] == [["agent", 3600], ["gemini", 3600]]' "$OUT"
    run_bosk plan "$SCRATCH/q.json" --json --agent codex -c timeout=5m
    jq -e '[.tasks[].limit] == [300, 300]' "$OUT"
    run_bosk plan "$SCRATCH/q.json" --agent cloude
    expect_status 2
    expect_text '--agent: there is no agent cloude; did you mean "claude"\?'
    run_bosk run "$SCRATCH/q.json" --agent codex -c 'agents={codex: {argv: [/nowhere/codex]}, gemini: {argv: [/nowhere/gemini]}}'
    expect_status 4
    expect_text 'S-1: agent codex cannot be started: its program /nowhere/codex is not there'
    [ ! -d .git/bosk ]
    run_bosk run "$SCRATCH/q.json" --agent codex --executor "$AGENT"
    expect_status 0
    equal agents "$(row S-1 .agent) $(row S-2 .agent)" 'codex gemini'
}

@test "S2.10: a time-out leaves the item retryable" {
    echo '[ $BOSK_TASK != S-1 ] || [ -e "$RUNS.go" ] || sleep 60' >"$RUNS.then"
    sed -i 's/"id": "S-1",/"id": "S-1", "timeout": "1s",/' "$SCRATCH/q.json"
    run_bosk run "$SCRATCH/q.json" --agent codex --executor "$AGENT"
    expect_status 1
    equal "S-1" "$(row S-1 '.state + ", " + .reason')" 'failed, timeout: no end after 1.0 s'
    equal "S-2" "$(row S-2 .state)" integrated
    run_bosk status
    expect_text '; agent codex$' "$OUT"
    run_bosk report
    expect_text '^  S-1  failed  agent codex$' "$OUT"
    touch "$RUNS.go"
    run_bosk retry S-1 --run
    expect_status 0
    equal "S-1" "$(row S-1 .state)" integrated
}

# asked ANSWERS WORDS...: run --ask on a terminal, where the answers are typed, then the end of input.
asked() {
    local answers=$1
    shift
    status=0
    printf "%b" "$answers" | SHELL=/bin/sh timeout 60 script -qec "exec '$BOSK_BIN' run '$SCRATCH/q.json' --ask $*" "$SCRATCH/typescript" \
        >"$OUT" 2>"$ERR" 3>&- || status=$?
    out=$(tr -d '\r' <"$OUT") err=$(cat "$ERR")
    tr -d '\r' <"$SCRATCH/typescript" >"$OUT"
}

@test "--ask: the questions of the original in its order; answers by number or first word" {
    asked 'what\n2\ndry-run\nYES\n' --jobs 1
    expect_status 0
    equal questions "$(grep -oE '^(Select executor type|Execution mode|Use git worktrees for parallel isolation|When it is done)' "$OUT" | xargs -d'\n')" \
        'Select executor type Execution mode Use git worktrees for parallel isolation'
    expect_text '1\. Codex \(Recommended\) - Autonomous coding with full write access' "$OUT"
    expect_text 'a number, or the first word of an answer' "$OUT"
    expect_text 'agent   gemini' "$OUT"
    expect_text '^Batch 1: S-1$' "$OUT"
    expect_text '^Batch 2: S-2$' "$OUT"
    [ ! -d .git/bosk ]
    asked 'Codex\n1\nno\nKeep\n' --executor "$AGENT"
    expect_status 0
    equal landing "$(grep -A3 '^When it is done, what to do with its branch?' "$OUT" | tail -n 3 | cut -d' ' -f 3-4 | xargs -d'\n')" \
        '1. Create 2. Merge 3. Keep'
    equal agent "$(row S-1 .agent)" codex
    equal "in this checkout" "$(status_json '.sessions[0].worktrees[0].path')" "$REPO"
}

@test "--ask: the end of input, and no terminal: nothing is started" {
    for answers in '' '1\n' '1\n1\n' '1\n1\nperhaps\n' '1\n1\n1\n'; do
        asked "$answers" --executor "$AGENT"
        expect_status 2
        expect_text 'nothing was started' "$OUT"
    done
    run_bosk run "$SCRATCH/q.json" --ask --executor "$AGENT"
    expect_status 2
    expect_text '--ask needs a terminal'
    [ ! -d .git/bosk ]
}
