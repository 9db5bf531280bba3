#!/usr/bin/env bats
# What the programs of agents do, and what bosk makes of it: one session in which codex, claude and gemini (stand-ins of
# lib/agents, made from recordings) play what shuts no account: done, blocked, nothing done, no result, a result in a
# fence, own retries, noise, wrong claims, unknown models, deaths. (Limits: 56. Signals and time limits: 57.)
# shellcheck disable=SC2154,SC2016,SC2034,SC2164 # variables set by run_bosk and setup_file

load ../lib/flow
load ../lib/agents/flow

# agent, what its calls play, the task's state, how many calls, a part of the reason
table() {
    local agent scenario rest
    all_rows | while IFS='|' read -r agent scenario rest; do
        has_program "${agent// /}" || continue
        case ${BOSK_TEST_REAL:+$scenario} in
        *rate-then-ok* | *noise* | *noauto* | *tool-refused*) continue ;; # the real ones do not do that at will
        esac
        printf '%s|%s|%s\n' "$agent" "$scenario" "$rest"
    done
}
all_rows() {
    cat <<'ROWS'
codex    | ok           | integrated | 1 | null
claude   | ok           | integrated | 1 | null
gemini   | ok           | integrated | 1 | null
codex    | fenced       | integrated | 1 | null
claude   | fenced       | integrated | 1 | null
gemini   | fenced       | integrated | 1 | null
codex    | rate-then-ok | integrated | 1 | null
claude   | rate-then-ok | integrated | 1 | null
gemini   | rate-then-ok | integrated | 1 | null
codex    | says-limit   | integrated | 1 | null
claude   | says-limit   | integrated | 1 | null
gemini   | says-limit   | integrated | 1 | null
codex    | noise        | integrated | 1 | null
claude   | noise        | integrated | 1 | null
gemini   | noise        | integrated | 1 | null
codex    | prose ok     | integrated | 2 | null
claude   | prose ok     | integrated | 2 | null
gemini   | prose ok     | integrated | 2 | null
codex    | prose        | failed     | 2 | invalid result
claude   | prose        | failed     | 2 | invalid result
gemini   | prose        | failed     | 2 | invalid result
codex    | blocked      | blocked    | 1 | the wanted text is ambiguous
claude   | blocked      | blocked    | 1 | the wanted text is ambiguous
gemini   | blocked      | blocked    | 1 | the wanted text is ambiguous
codex    | empty        | failed     | 1 | nothing was changed
claude   | empty        | failed     | 1 | nothing was changed
gemini   | empty        | failed     | 1 | nothing was changed
codex    | noauto       | failed     | 1 | nothing was changed
claude   | noauto       | failed     | 1 | nothing was changed
gemini   | noauto       | failed     | 1 | nothing was changed
codex    | tool-refused | failed     | 1 | nothing was changed
codex    | e404         | failed     | 1 | does not exist
claude   | e404         | failed     | 1 | issue with the selected model
gemini   | e404         | failed     | 1 | is not found
codex    | dies         | failed     | 1 | signal 9
claude   | dies         | failed     | 1 | signal 9
gemini   | dies         | failed     | 1 | signal 9
qwen     | ok           | integrated | 1 | null
copilot  | ok           | integrated | 1 | null
opencode | ok           | integrated | 1 | null
qwen     | prose ok     | integrated | 2 | null
copilot  | prose ok     | integrated | 2 | null
qwen     | empty        | failed     | 1 | nothing was changed
copilot  | empty        | failed     | 1 | nothing was changed
opencode | empty        | failed     | 1 | nothing was changed
qwen     | e404         | failed     | 1 | 404
ROWS
}

setup_file() {
    local agent scenario
    not_own_endpoint
    flow_setup
    make_repo a.txt
    stand_in
    while IFS='|' read -r agent scenario _; do
        agent=${agent// /} scenario=$(trim "$scenario")
        stand_task "$agent-${scenario// /-}" "$agent" "$scenario"
    done < <(table)
    # What a result says is compared with git; 500 KB of prompt; an agent that commits, and that wants to go on elsewhere.
    # (With real programs the first of them is all of these.)
    local c=${BOSK_TEST_REAL%% *} k=${BOSK_TEST_REAL%% *} g=${BOSK_TEST_REAL%% *}
    c=${c:-codex} k=${k:-claude} g=${g:-gemini}
    stand_task lies "$c" ok 'stand-in claims: none.txt lies.txt'
    stand_task commits "$k" ok 'stand-in does: echo x > commits.txt && git add -A && git -c user.name=A -c user.email=a@example.invalid commit -qm mine'
    stand_task moves "$g" ok 'stand-in does: git checkout -q -b elsewhere && echo x > moves.txt'
    # (Gemini gives its tools variables of its own.)
    ! has_program codex || stand_task leaks codex ok 'stand-in does: env | grep ^GIT_ | grep -v ^GIT_PAGER= >leaks.txt; echo none >>leaks.txt'
    # A key that is in what it says and what it writes: nothing that bosk keeps has it.
    export OPENAI_API_KEY=sk-proj-0123456789abcdefXYZ0123456789abcdefXYZ0123
    [ -n "${BOSK_TEST_REAL:-}" ] || for agent in codex claude gemini; do stand_task "key-$agent" "$agent" says-key; done
    {
        printf '  - id: long\n    agent: %s\n    prompt: |\n      stand-in: long ok\n' "$k"
        yes '      A long line of a long prompt, "quoted", with \ and € in it, ten times ten thousand.' | head -n 6000
    } >>"$SCRATCH/p.yaml"
    GIT_AUTHOR_DATE=1 GIT_CONFIG_COUNT=0 run_bosk run "$SCRATCH/p.yaml" --jobs 3 -c retries=0 -c halt_after_failures=1000
    export first=$status sid
    sid=$(last_sid)
    "$BOSK_BIN" status --json >"$SCRATCH/status"
    cp "$ERR" "$SCRATCH/first.err"
    export programs AGENTS STAND SCRATCH HOME XDG_RUNTIME_DIR GIT_CONFIG_NOSYSTEM GIT_CONFIG_GLOBAL LC_ALL NO_COLOR BOSK_BIN REPO OUT ERR
}
setup() { cd "$REPO"; }
teardown_file() {
    planted_secret "$OPENAI_API_KEY"
    BATS_TEST_COMPLETED=1 flow_teardown
}
trim() {
    local text=$1
    text=${text#"${text%%[![:space:]]*}"}
    printf '%s' "${text%"${text##*[![:space:]]}"}"
}
field() { jq -r --arg id "$1" ".sessions[0].tasks[] | select(.id == \$id) | .$2" "$SCRATCH/status"; }

@test "each scenario ends as its row says, after as many calls" {
    local agent scenario state count reason id wrong=0
    equal "exit of the run" "$first" 1
    while IFS='|' read -r agent scenario state count reason; do
        agent=${agent// /} scenario=$(trim "$scenario") id=$agent-${scenario// /-} reason=$(trim "$reason")
        equal "$id: state" "$(field "$id" state)" "${state// /}" || wrong=1
        [[ $(field "$id" reason) == *"$reason"* ]] || equal "$id: reason" "$(field "$id" reason)" "$reason" || wrong=1
        equal "$id: calls" "$(calls "$id" | grep -c turns=)" "${count// /}" || wrong=1
        equal "$id: attempts" "$(field "$id" attempts)" "${count// /}" || wrong=1
    done < <(table)
    [ $wrong = 0 ]
    no_overlap
}

@test "what codex writes its last words to, secrets and all, is not kept with the logs" {
    needs_programs codex
    local calls=("$STAND"/tasks/codex-ok/call-*)
    grep -q '^arg .*last-1\.txt$' "${calls[@]}"
    refute grep -h '^arg .*/bosk/logs/.*last' "${calls[@]}"
}

@test "no account was shut, whatever agents wrote about limits and keys" {
    equal "accounts" "$(jq -c '[.accounts[] | select(.limited_until != null)]' "$SCRATCH/status")" '[]'
}

@test "a bad result is asked for once more, in the same conversation, and kept when that does not help" {
    local cli
    for cli in $programs; do
        equal "conversations of $cli" "$(calls "$cli-prose-ok" | grep turns= | cut -d' ' -f2,4 | tr '\n' ' ')" 'first turns=1 resume turns=2 '
        equal "conversations of $cli" "$(calls "$cli-prose-ok" | grep turns= | cut -d' ' -f3 | sort -u | wc -l)" 1
        prompt_of "$cli-prose-ok" 2 | grep -q 'JSON'
        grep -rqF 'should I also add tests?' "$(sed -n 's/.*(what it said is in \(.*\))$/\1/p' <<<"$(field "$cli-prose" reason)")"
    done
}

@test "what the result claims is compared with git, and what the agent did to branches is put right" {
    equal "lies" "$(field lies state)" integrated
    equal "commits" "$(field commits state)" integrated
    equal "commits of an agent that commits" "$(git log --format=%s --grep 'Bosk-Task: commits' "integration-$sid" --no-merges | wc -l)" 1
    [ "$(git show "integration-$sid:commits.txt")" = x ]
    equal "moves" "$(field moves state)" integrated
    equal "moves.txt" "$(git show "integration-$sid:moves.txt")" x
    run_bosk report "$sid"
    expect_text 'lies: it says that it changed files that are as they were: none.txt' "$OUT"
    ! has_program codex || equal "leaks" "$(git show "integration-$sid:leaks.txt")" none
}

@test "what it cost is counted once, and what is not known is said to be" {
    not_real 'the numbers are those of the stand-ins'
    run_bosk report "$sid"
    expect_text '^ +claude-ok +claude +0\.01 USD; 2000 tokens in \(400 of them cached\), 100 out' "$OUT"
    expect_text '^ +codex-ok +codex +unknown: .* 2000 tokens in \(400 of them cached\), 100 out' "$OUT"
    # The program counts the whole conversation each time.
    expect_text '^ +codex-prose-ok +codex +unknown: .* 4000 tokens in \(800 of them cached\), 200 out' "$OUT"
}

@test "a prompt of 500 KB arrives whole, in the order task, rules, result" {
    equal "long" "$(field long state)" integrated
    [ "$(prompt_of long 1 | wc -c)" -gt 500000 ]
    equal "lines" "$(prompt_of long 1 | grep -c 'A long line of a long prompt, "quoted", with \\ and € in it')" 6000
}
