#!/usr/bin/env bats
# The stand-ins for codex, claude and gemini do what the table in lib/agents/README.md says: exit, last line, what is in the
# worktree, who lives on. Not bosk: what the tests of bosk stand on. The other three: that they work at all.
# shellcheck disable=SC2154,SC2016,SC2030,SC2031,SC2034,SC2164,SC1112 # conditions for wait_until; each test is a subshell

load ../lib/flow

setup() {
    flow_setup
    AGENTS=$(cd "$BATS_TEST_DIRNAME/../lib/agents" && pwd)
    STAND=$HOME/.stand-in
    mkdir "$SCRATCH/w" && cd "$SCRATCH/w"
    export TZ=UTC TMPDIR=$SCRATCH
}
teardown() { flow_teardown; }

# command_line CLI SESSION [resume]: as bosk calls it, in $words.
command_line() {
    case $1${3:-} in
    codex) words=(exec --json --skip-git-repo-check --dangerously-bypass-approvals-and-sandbox -C "$PWD" -o "$SCRATCH/last" -) ;;
    codexresume) words=(exec resume "$2" --json --dangerously-bypass-approvals-and-sandbox -o "$SCRATCH/last" -) ;;
    claude*) words=(-p --output-format stream-json --verbose --dangerously-skip-permissions "--${3:-session-id}" "$2") ;;
    gemini*) words=(-o stream-json --approval-mode yolo --skip-trust "--${3:-session-id}" "$2" -p '') ;;
    qwen*) words=(-o stream-json --approval-mode yolo "--${3:-session-id}" "$2") ;;
    copilot) words=(--output-format json --allow-all -C "$PWD" --session-id "$2") ;;
    copilotresume) words=(--output-format json --allow-all -C "$PWD" "--resume=$2") ;;
    opencode) words=(run --format json --auto --dir "$PWD") ;;
    opencoderesume) words=(run --format json --auto --dir "$PWD" -s "$2") ;;
    esac
}
# call CLI PROMPT [SESSION [resume]]: to its end.
call() {
    local cli=$1
    command_line "$cli" "${3:-$(uuidgen_here)}" "${4:-}"
    printf '%s\n' "$2" >"$SCRATCH/prompt"
    code=0
    "$AGENTS/$cli" "${words[@]}" <"$SCRATCH/prompt" >"$OUT" 2>"$ERR" || code=$?
}
uuidgen_here() { cat /proc/sys/kernel/random/uuid; }
# waiting CLI SCENARIO SIGNAL: until it waits, then the signal.
waiting() {
    local cli=$1 pid
    command_line "$cli" "$(uuidgen_here)"
    printf 'stand-in: hello %s\n' "$2" >"$SCRATCH/prompt"
    rm -rf child.pid "$STAND"
    setsid env --default-signal=INT,QUIT "$AGENTS/$cli" "${words[@]}" <"$SCRATCH/prompt" >"$OUT" 2>"$ERR" 3>&- &
    pid=$!
    wait_until "[ -e '$STAND/tasks/hello/waiting-1' ]"
    code=0
    case $3 in
    S) kill -TERM -- -$pid ;;
    I) kill -INT -- -$pid ;;
    K) kill -KILL $pid ;;
    esac
    wait_until "! alive $pid"
    wait $pid || code=$?
}
end_all() {
    local pid
    for pid in $(processes_of_test); do kill -KILL "$pid" 2>/dev/null || true; done
}
@test "every cell of the table: its exit, and what can be seen of it" {
    local line cell cli scenario cells=0 wanted
    mapfile -t lines < <(grep -E '^\| [a-z0-9-]+ \| [-ESIK]' "$AGENTS/README.md")
    for line in "${lines[@]}"; do
        IFS='|' read -r _ scenario codex claude gemini _ <<<"${line// /}"
        for cli in codex claude gemini; do
            cell=${!cli}
            [ "$cell" != - ] || continue
            printf '%s %s\n' "$cli" "$scenario" >&2
            rm -rf "$STAND" hello.txt child.pid
            case $cell in
            ?:*) waiting "$cli" "$scenario" "${cell%:*}" ;;
            *) if [ "$scenario" = resume-unknown ]; then
                call "$cli" 'go on' 11111111-2222-4333-8444-555555555555 resume
            else
                call "$cli" "stand-in: hello $scenario"
            fi ;;
            esac
            wanted=${cell#?:} && wanted=${wanted#E}
            [[ $wanted != S* ]] || wanted=$((128 + ${wanted#S}))
            equal "exit of $cli, $scenario" "$code" "$wanted"
            [ "$scenario" = noise ] || refute grep -vE '^\{.*\}$' "$OUT"
            "look_$cli" "$scenario" || return
            case $cell in ?:*) end_all ;; esac
            cells=$((cells + 1))
        done
    done
    [ $cells -gt 90 ] || equal 'cells' $cells 'more'
}
has_file() { [ "$(cat hello.txt)" = hello ]; }
ends_with() { tail -n 1 "$OUT" | jq -e "$1" >/dev/null || expect_text "the last line: $1" "$OUT"; }
look_codex() {
    case $1 in
    ok | prose | fenced | says-limit | noise | rate-then-ok) has_file && ends_with '.type == "turn.completed"' && [ -s "$SCRATCH/last" ] ;;
    blocked | empty | noauto | tool-refused) [ ! -e hello.txt ] && ends_with '.type == "turn.completed"' ;;
    usage-30m) ends_with '.error.message | test("^You’ve hit your usage limit.* try again at [0-9:]+ [AP]M\\.$|, 20[0-9][0-9] ")' && [ ! -s "$SCRATCH/last" ] ;;
    usage-5d) ends_with '.error.message | test("try again at [A-Z][a-z]+ [0-9]+(st|nd|rd|th), 20[0-9][0-9] [0-9]+:[0-9][0-9] [AP]M\\.$")' &&
        [ "$(jq .payload.rate_limits.primary.resets_at "$HOME"/.codex/sessions/*/*/*/rollout-*.jsonl | sort -n | tail -n 1)" -gt $((EPOCHSECONDS + 435500)) ] ;;
    usage-after-tool) has_file && ends_with '.type == "turn.failed"' ;;
    term-in-tool) alive "$(cat child.pid)" ;;
    int-in-tool) wait_until '! alive $(cat child.pid)' ;;
    kill-in-tool) alive "$(cat child.pid)" && alive "$(cat "$STAND/tasks/hello/pid-1")" ;;
    kill-late-output) wait_until 'grep -q turn.completed "$OUT"' && has_file ;;
    e* | rate* | usage* | capacity | quota | overloaded | drop* | garbage) ends_with '.type == "turn.failed"' ;;
    resume-unknown) [ ! -s "$OUT" ] && expect_text 'no rollout found' ;;
    esac
}
look_claude() {
    case $1 in
    ok | prose | fenced | says-limit | noise | rate-then-ok) has_file && ends_with '.is_error == false and .total_cost_usd > 0' ;;
    blocked | empty | noauto) [ ! -e hello.txt ] && ends_with '.is_error == false' ;;
    usage-5d) ends_with '.result | test("resets [A-Z][a-z]+ [0-9]+, [0-9:]+[ap]m \\(UTC\\)$")' && jq -se --argjson now $EPOCHSECONDS \
        'map(.rate_limit_info.resetsAt // empty) | .[0] > $now + 435500' "$OUT" >/dev/null ;;
    usage-after-tool) has_file && ends_with '.api_error_status == 429' ;;
    usage* | capacity* | rate) ends_with '.is_error and .subtype == "success" and .api_error_status == 429' ;;
    e401) ends_with '.api_error_status == 401' ;;
    term-in-tool) ends_with '.is_error == false and (.result | test("completed"))' && [ ! -e hello.txt ] && wait_until '! alive $(cat child.pid)' ;;
    int-in-tool) ends_with '.subtype == "error_during_execution"' && wait_until '! alive $(cat child.pid)' ;;
    kill-in-tool) alive "$(cat child.pid)" ;;
    hang) ends_with '.subtype == "init"' ;;
    resume-unknown) ends_with '.is_error' && expect_text 'No conversation found' ;;
    esac
}
look_gemini() {
    case $1 in
    ok | prose | fenced | says-limit | noise | rate-then-ok) has_file && ends_with '.status == "success"' ;;
    blocked | empty | noauto) [ ! -e hello.txt ] && ends_with '.status == "success"' ;;
    capacity) ends_with '.error.message | test("reset after 2h0m0s")' ;;
    capacity-defaults) expect_text 'Retrying after [0-9]{7,}ms' && ends_with '.type == "message"' ;;
    usage-after-tool) has_file && ends_with '.status == "error"' ;;
    drop | e* | rate | usage* | capacity* | quota | overloaded | garbage) ends_with '.status == "error"' ;;
    hang) ends_with '.type == "message"' ;;
    *-in-tool*) ends_with '.type == "tool_use"' && alive "$(cat child.pid)" ;;
    kill-late-output) wait_until 'grep -q success "$OUT" && grep -q \"result\" "$OUT"' && has_file ;;
    resume-unknown) [ ! -s "$OUT" ] && expect_text 'No previous sessions' ;;
    esac
}

@test "a conversation is remembered: its task, its turns, where it is; scripts say what each call plays" {
    local cli sid
    for cli in codex claude gemini qwen copilot opencode; do
        rm -rf "$STAND" ./*.txt
        call "$cli" $'# a task\nstand-in: note ok resume-feedback\nstand-in does: echo one > note.txt\nstand-in does 2: echo two >> note.txt'
        equal "first exit of $cli" "$code" 0
        sid=$(jq -r 'select(.thread_id // .session_id // .sessionID // .sessionId) | .thread_id // .session_id // .sessionID // .sessionId' "$OUT" | head -n 1)
        call "$cli" 'The gate says no.' "$sid" resume
        equal "second exit of $cli" "$code" 0
        equal "note of $cli" "$(cat note.txt)" $'one\ntwo'
        equal "log of $cli" "$(cut -d' ' -f1-7 "$STAND/log" | cut -d' ' -f1-5,7 | sed 's/ $//')" "$cli note 1 ok first turns=1
$cli note 1 exit=0
$cli note 2 resume-feedback resume turns=2
$cli note 2 exit=0"
        equal "second prompt of $cli" "$(cat "$STAND/sessions/$sid/turn-2")" 'The gate says no.'
        call "$cli" 'go on' 11111111-2222-4333-8444-555555555555 resume
        [ "$code" != 0 ] || equal "unknown conversation, exit of $cli" 0 'not 0'
    done
}

@test "in another folder gemini and qwen do not know a conversation, opencode works in its first one" {
    local cli sid
    for cli in codex claude gemini qwen opencode; do
        rm -rf "$STAND" ./*.txt ../other && mkdir ../other
        call "$cli" 'stand-in: note ok'
        sid=$(jq -r '.thread_id // .session_id // .sessionID' "$OUT" | head -n 1)
        rm note.txt
        cd ../other
        call "$cli" again "$sid" resume
        cd "$SCRATCH/w"
        case $cli in
        codex | claude) [ -e ../other/note.txt ] ;;
        gemini) equal exit "$code" 42 ;;
        qwen) equal exit "$code" 1 ;;
        opencode) [ -e note.txt ] && [ ! -e ../other/note.txt ] ;;
        esac
    done
}

@test "options that the programs do not know are refused; without the right to write nothing is written" {
    local row
    echo 'stand-in: hello ok' >"$SCRATCH/prompt"
    while read -r row; do
        refute eval "'$AGENTS/'$row <'$SCRATCH/prompt' >/dev/null"
    done <<'ROWS'
codex exec --json --yolo -
codex exec resume 11111111-2222-4333-8444-555555555555 --json -C . -
claude -p --output-format stream-json
claude -p --output-format stream-json --verbose --session-id me
gemini -o stream-json --json-schema x
ROWS
    [ ! -e hello.txt ]
    while read -r row; do
        eval "'$AGENTS/'$row <'$SCRATCH/prompt' >/dev/null 2>&1"
    done <<'ROWS'
codex exec --json -
claude -p --output-format stream-json --verbose
gemini -o stream-json -p ''
copilot --output-format json
qwen -o stream-json
ROWS
    [ ! -e hello.txt ]
    equal "scripts beside prompts" "$(STAND_IN=blocked "$AGENTS/codex" exec --json - <<<'' | grep -c blocked)" 1
    printf 'empty\nblocked\n' >"$STAND/script"
    equal "the first" "$("$AGENTS/codex" exec --json - <<<'' | grep -c blocked)" 0
    equal "the second" "$("$AGENTS/codex" exec --json - <<<'' | grep -c blocked)" 1
}
