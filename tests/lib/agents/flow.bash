# shellcheck shell=bash
# flow.bash: for the flow tests with stand-ins for agents (after ../flow.bash): PATH, a user's settings, tasks.

# stand_in: the stand-ins are what codex, claude, ... are; the user lets them do everything. $programs are those of this test.
stand_in() {
    AGENTS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
    STAND=$HOME/.stand-in
    export TZ=UTC
    # shellcheck disable=SC2034 # for the tests
    programs=${BOSK_TEST_REAL:-codex claude gemini}
    if [ -z "${BOSK_TEST_REAL:-}" ]; then
        export PATH=$AGENTS:$PATH
    elif [ -n "${BOSK_TEST_REAL_HOME:-}" ]; then
        cp -a "$BOSK_TEST_REAL_HOME/." "$HOME/"
    else
        real_programs
    fi
    local cli
    {
        echo 'limits: {free_disk: 0, free_memory: 0}'
        echo 'agents:'
        for cli in codex claude gemini qwen copilot opencode; do echo "  $cli: {autonomy: full}"; done
    } | write_file "$HOME/.config/bosk/config.yaml"
}

# ---- the real programs, where somebody asks for them (README.md) ------------------------------------------------------

# real_programs: they talk to lib/agents/endpoint, which plays what the prompts say. It ends with the test, its standard
# input being a FIFO that only this shell holds open.
real_programs() {
    local url
    mkdir -p "$STAND" "$HOME/.codex" "$HOME/.gemini" "$HOME/.qwen"
    mkfifo "$SCRATCH/endpoint"
    exec {endpoint}<>"$SCRATCH/endpoint"
    "$AGENTS/endpoint" "$STAND" <"$SCRATCH/endpoint" >"$SCRATCH/port" 3>&- {endpoint}>&- &
    wait_until "[ -s '$SCRATCH/port' ]"
    url=http://127.0.0.1:$(<"$SCRATCH/port")
    write_file "$HOME/.codex/config.toml" <<TOML
model = "gpt-5.1-codex"
model_provider = "endpoint"
[model_providers.endpoint]
name = "endpoint"
base_url = "$url/v1"
wire_api = "responses"
env_key = "OPENAI_API_KEY"
request_max_retries = 0
stream_max_retries = 0
TOML
    echo '{"security": {"auth": {"selectedType": "gemini-api-key"}}, "general": {"enableAutoUpdate": false, "maxAttempts": 1},
        "privacy": {"usageStatisticsEnabled": false}}' >"$HOME/.gemini/settings.json"
    echo '{"security": {"auth": {"selectedType": "openai"}}, "general": {"disableAutoUpdate": true}, "privacy": {"usageStatisticsEnabled": false}}' \
        >"$HOME/.qwen/settings.json"
    export OPENAI_API_KEY=dummy OPENAI_BASE_URL=$url/v1 OPENAI_MODEL=qwen3-coder-plus
    # Only with a login does claude say until when it is limited.
    export CLAUDE_CODE_OAUTH_TOKEN=dummy ANTHROPIC_BASE_URL=$url IS_SANDBOX=1
    export GEMINI_API_KEY=dummy GOOGLE_GEMINI_BASE_URL=$url
    export COPILOT_PROVIDER_BASE_URL=$url/v1 COPILOT_PROVIDER_API_KEY=dummy COPILOT_PROVIDER_WIRE_API=responses COPILOT_MODEL=gpt-5.1
    export COPILOT_OFFLINE=true OPENCODE_DISABLE_MODELS_FETCH=1 OPENCODE_DISABLE_DEFAULT_PLUGINS=1
    export OPENCODE_CONFIG_CONTENT='{"model": "test/m", "provider": {"test": {"npm": "@ai-sdk/openai-compatible", "name": "test",
        "options": {"baseURL": "'"$url"'/v1", "apiKey": "dummy"}, "models": {"m": {"name": "m"}}}}, "share": "disabled"}'
}
# has_program NAME: is it one of those that this run of the tests uses?
has_program() { [ -z "${BOSK_TEST_REAL:-}" ] || [[ " $BOSK_TEST_REAL " == *" $1 "* ]]; }
# needs_programs NAME...: without these of the real ones there is no such test.
needs_programs() {
    local name
    for name in "$@"; do has_program "$name" || skip "not without the real $name"; done
}
# not_real REASON: the test is for the stand-ins only.
not_real() { [ -z "${BOSK_TEST_REAL:-}" ] || skip "not with the real programs: $1"; }
# not_own_endpoint: its prompts say what to play in words that only lib/agents/endpoint knows.
not_own_endpoint() { [ -z "${BOSK_TEST_REAL_HOME:-}" ] || skip 'not with an endpoint of your own: what it plays is for lib/agents/endpoint'; }

# stand_task ID AGENT "SCENARIO..." [LINES]: one task more of $SCRATCH/p.yaml, whose calls play these; LINES of its prompt more.
stand_task() {
    local id=$1 agent=$2 plays=$3
    shift 3
    [ -e "$SCRATCH/p.yaml" ] || echo 'tasks:' >"$SCRATCH/p.yaml"
    {
        printf '  - id: %s\n    agent: %s\n    prompt: |\n      Make the file %s.txt.\n      stand-in: %s %s\n' "$id" "$agent" "$id" "$id" "$plays"
        [ $# = 0 ] || printf '      %s\n' "$@"
    } >>"$SCRATCH/p.yaml"
}

# calls ID: what the log says of a task: "SCENARIO first|resume SESSION turns=N pid=P", "exit=N", ...
calls() { awk -v id="$1" '$2 == id { $1 = $2 = $3 = ""; print substr($0, 4) }' "$STAND/log"; }
# prompt_of ID N: the Nth prompt of the (last) conversation of a task.
prompt_of() {
    local sid
    sid=$(calls "$1" | awk '/turns=/ { s = $3 } END { print s }')
    cat "$STAND/sessions/$sid/turn-$2"
}
# Of no task two programs were at work at once.
no_overlap() { refute grep 'overlap=' "$STAND/log"; }

# later SECONDS: from here on the wall clock of bosk and its agents is ahead by so many; $BOSK_BIN is a program whose clock
# can be moved, $PLAIN by a preloaded library, which a sanitizer would not like.
later() {
    export CLOCK_SHIFT=$SCRATCH/shift
    echo "$1" >"$CLOCK_SHIFT"
    write_file "$SCRATCH/later" <<SH
#!/bin/sh
LD_PRELOAD=$BOSK_TEST_CLOCK_SHIFT exec $PLAIN "\$@"
SH
    chmod +x "$SCRATCH/later"
    BOSK_BIN=$SCRATCH/later
}
