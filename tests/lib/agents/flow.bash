# shellcheck shell=bash
# flow.bash: for the flow tests with stand-ins for agents (after ../flow.bash): PATH, a user's settings, tasks.

# stand_in: the stand-ins are what codex, claude, ... are; the user lets them do everything.
stand_in() {
    AGENTS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
    STAND=$HOME/.stand-in
    export TZ=UTC
    # The real programs, where somebody asks for them (README.md).
    if [ -z "${BOSK_TEST_REAL:-}" ]; then
        export PATH=$AGENTS:$PATH
    elif [ -n "${BOSK_TEST_REAL_HOME:-}" ]; then
        cp -a "$BOSK_TEST_REAL_HOME/." "$HOME/"
    fi
    local cli
    {
        echo 'limits: {free_disk: 0, free_memory: 0}'
        echo 'agents:'
        for cli in codex claude gemini qwen copilot opencode; do echo "  $cli: {autonomy: full}"; done
    } | write_file "$HOME/.config/bosk/config.yaml"
}

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
