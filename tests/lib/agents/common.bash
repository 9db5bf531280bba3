# shellcheck shell=bash
# common.bash: what the stand-ins for the agents' programs share: which scenario a call plays, what is remembered of a
# conversation, what the "model" does to the worktree, the log that tests read, and ways to wait. The streams, exits and
# reactions to signals are in the stand-in of each program. README.md lists the scenarios. No network, nothing but
# bash, coreutils and util-linux.
#
# A prompt says what its task's calls play:
#
#   stand-in: NAME SCENARIO SCENARIO...    first call, second, ...; the last one is played again
#   stand-in does: COMMAND                 the tool call (else: NAME.txt gets one line); "does 2:" of the second call
#   stand-in claims: FILE...               files_modified of the result, when it is to lie
#   stand-in result: JSON                  the whole result, when it is to be of another dialect
#
# The tiny call before a session's first task plays what $STAND/live-PROGRAM says; it is told of in $STAND/live, in files of the
# same names (log, PROGRAM/call-N), and nowhere else.
#
# A resumed conversation plays what its first prompt said. Without such a line: line N of $STAND/script for the Nth call
# of all, else the words of $STAND_IN, else "ok". A scenario may have a number, "usage:1800": seconds until the reset.
#
# $STAND ($HOME/.stand-in): log (one line a call, one per end), tasks/NAME/call-N (argv, environment and more of it), pid-N,
# waiting-N (it waits: what it does about signals is set up), tool (a process of the tool call that does not end),
# sessions/ID/turn-N (the prompts that a conversation has seen).
# shellcheck disable=SC2034,SC2119,SC2120,SC2015 # much is for the stand-ins
export LC_ALL=C
STAND=${STAND:-$HOME/.stand-in}
cli=${0##*/} session='' resumed='' may_write='' schema='' model='' last='' prompt='' code=0
log=$STAND/log name='' call=0 scenario='' param='' turns=0 does='' claims='' result=''

# ---- small things ----------------------------------------------------------------------------------

# json TEXT: as a JSON string, in $REPLY.
json() {
    if [ ${#1} -gt 10000 ]; then # the shell's own way would take minutes
        REPLY=$(printf '%s' "$1" | jq -Rs .)
        return
    fi
    local s=${1//\\/\\\\}
    s=${s//\"/\\\"} s=${s//$'\n'/\\n} s=${s//$'\t'/\\t} s=${s//$'\r'/\\r} s=${s//$'\e'/\\u001b}
    REPLY=\"$s\"
}
uuid() { IFS= read -r REPLY </proc/sys/kernel/random/uuid; }
# utc [SECONDS]: RFC 3339.
utc() { TZ=UTC printf -v REPLY '%(%Y-%m-%dT%H:%M:%S)T.%s' "${1:--1}" "${EPOCHREALTIME:11:3}Z"; }
emit() { printf '%s\n' "$1"; }
warn() { printf '%s\n' "$1" >&2; }
# finish CODE: the end of a call, in the log.
finish() {
    noted "exit=$1"
    exit "$1"
}
noted() { printf '%s %s %s %s\n' "$cli" "$name" "$call" "$*" >>"$log"; }

# ---- a call ----------------------------------------------------------------------------------------

read_prompt() { IFS= read -r -d '' prompt || true; }

# marked KEY: the rest of the prompt's line "KEY: ...", in $REPLY.
marked() {
    REPLY=''
    [[ $prompt =~ "$1: "([^$'\n']*) ]] || return 1
    REPLY=${BASH_REMATCH[1]}
}

# begin "$@" (the arguments): after they are read; $session, $resumed, $prompt are set. Which call of which task this is,
# and what it plays. The conversation is not begun yet.
begin() {
    local words known=$STAND/sessions/$session marked=1
    mkdir -p "$STAND/tasks" "$STAND/sessions"
    if [ -n "$resumed" ] && [ -e "$known/task" ]; then
        IFS= read -r name <"$known/task"
    elif marked stand-in; then
        name=${REPLY%% *}
        remember "${REPLY#"$name"}"
    elif [[ $prompt == *'a check that you can be reached'* ]]; then
        name=live/$cli marked='' log=$STAND/live/log
        mkdir -p "$STAND/live/$cli"
        printf : >"$STAND/live/$cli/does"
        printf ready >"$STAND/live/$cli/result"
    else
        marked=''
    fi
    name=${name:-hello}
    task=$STAND/tasks/$name
    [ "$name" != "live/$cli" ] || task=$STAND/$name
    mkdir -p "$task"
    call=1
    while ! { set -C && : >"$task/call-$call"; } 2>/dev/null; do call=$((call + 1)); done
    set +C
    if [ -n "$marked" ] && told script; then
        words=$REPLY
    elif [ "$name" = "live/$cli" ]; then
        words=$(cat "$STAND/live-$cli" 2>/dev/null || true)
    else
        words=$(script_line)
    fi
    read -r -a words <<<"${words:-ok}"
    scenario=${words[call - 1]:-${words[-1]}}
    param=${scenario#*:} scenario=${scenario%%:*}
    [ "$param" != "$scenario" ] || param=''
    told "does-$call" || told does || REPLY=''
    does=$REPLY
    told claims && claims=$REPLY || claims=$name.txt
    told result && result=$REPLY
    describe "$@" >>"$task/call-$call"
}
# told KEY: what the task's first prompt said of it, in $REPLY.
told() { IFS= read -r -d '' REPLY 2>/dev/null <"$task/$1" || [ -e "$task/$1" ]; }
script_line() {
    local lines n
    if mapfile -t lines 2>/dev/null <"$STAND/script"; then
        set -C
        n=1
        while ! : 2>/dev/null >"$STAND/line-$n"; do n=$((n + 1)); done
        printf '%s' "${lines[n - 1]:-${lines[-1]}}"
    else
        printf '%s' "${STAND_IN:-}"
    fi
}
remember() {
    local n
    mkdir -p "$STAND/tasks/$name"
    cd "$STAND/tasks/$name" || exit 70
    printf '%s' "$1" >script
    marked 'stand-in does' && printf '%s' "$REPLY" >does
    for n in 1 2 3 4; do marked "stand-in does $n" && printf '%s' "$REPLY" >"does-$n"; done
    marked 'stand-in claims' && printf '%s' "$REPLY" >claims
    marked 'stand-in result' && printf '%s' "$REPLY" >result
    cd "$OLDPWD" || exit 70
}
describe() {
    local word earlier
    printf 'scenario %s\nsession %s\nresumed %s\ncwd %s\npid %s\n' "$scenario" "$session" "$resumed" "$PWD" $$
    for word in "$@"; do printf 'arg %q\n' "$word"; done
    while IFS= read -r -d '' word; do printf 'env %q\n' "$word"; done <"/proc/$$/environ"
    # Was an earlier call of the task still at work? There must be one at a time.
    for earlier in "$task"/pid-*; do
        [ -e "$earlier" ] || continue
        read -r word <"$earlier"
        [ "${earlier##*-}" = "$call" ] || ! running "$word" || noted "overlap=$word"
    done
    printf '%s\n' $$ >"$task/pid-$call"
}
running() {
    local stat
    IFS= read -r stat 2>/dev/null <"/proc/$1/stat" || return 1
    [[ ${stat##*) } != [ZX]* ]]
}

# known_session: has this conversation been seen (here, if "here" is given)?
known_session() {
    local where
    [ "$scenario" != resume-unknown ] || return 1
    IFS= read -r where 2>/dev/null <"$STAND/sessions/$session/cwd" || return 1
    [ "${1:-}" != here ] || [ "$where" = "$PWD" ]
}
# converse: the conversation goes on with this prompt.
converse() {
    local dir=$STAND/sessions/$session
    mkdir -p "$dir"
    turns=1
    while [ -e "$dir/turn-$turns" ]; do turns=$((turns + 1)); done
    printf '%s' "$prompt" >"$dir/turn-$turns"
    [ "$turns" != 1 ] || printf '%s\n' "$PWD" >"$dir/cwd"
    printf '%s\n' "$name" >"$dir/task"
    noted "$scenario ${resumed:-first} $session turns=$turns pid=$$"
}

# ---- what the model does and says ------------------------------------------------------------------

# tool_command: what the tool call of this scenario is, in $REPLY.
tool_command() {
    case $scenario in
    term-in-tool* | int-in-tool | kill-in-tool | crash-first)
        REPLY='sleep 300 & echo $! > child.pid; sleep 301'
        ;;
    resume-feedback) REPLY=${does:-"printf 'hello, world\\n' > $name.txt"} ;;
    *) REPLY=${does:-"printf 'hello\\n' > $name.txt"} ;;
    esac
}
work() {
    local command
    tool_command
    command=$REPLY
    # shellcheck disable=SC2030,SC2031
    (eval "$command") </dev/null >/dev/null 2>&1
    worked=$?
}
# What it ends with, in $REPLY; in one line, as the model writes it.
final_text() {
    local status=completed summary="created $name.txt" files='' blockers='' file
    case $scenario in
    blocked) status=blocked summary='could not start' claims='' blockers="\"$name.txt: the wanted text is ambiguous\"" ;;
    resume-feedback) summary="fixed $name.txt after the gate's message" ;;
    resume-after-crash | tool-refused) summary="created $name.txt after an interruption" ;;
    says-key) summary="the key is ${OPENAI_API_KEY:-}" ;;
    says-limit) summary="You've hit your usage limit · resets 11:28pm (UTC): 429 Too Many Requests, 401 Unauthorized" ;;
    esac
    for file in $claims; do files+=${files:+, }\"$file\"; done
    REPLY=${result:-"{\"status\": \"$status\", \"summary\": \"$summary\", \"files_modified\": [$files], \"blockers\": [$blockers]}"}
    case $scenario in
    prose*) REPLY='All done. I created the file; should I also add tests?' ;;
    fenced*) REPLY=$'Here is the result:\n```json\n'$REPLY$'\n```\n' ;;
    esac
}

# ---- waiting ---------------------------------------------------------------------------------------

# long_tool [guarded]: the tool call that does not end, in a session of its own, $tool: two processes, one the
# other's child. Guarded: the parent dies with whoever started it (codex).
# shellcheck disable=SC2016
long_tool() {
    local end='exec sleep 301' guard=()
    case ${1:-} in
    guarded) guard=(setpriv --pdeathsig KILL) ;;
    shell) end='sleep 301; :' ;; # and a shell over both
    shells) end='sleep 301; :' guard=(bash -c '"$@"; :' tool) ;;
    esac
    exec 8< <(exec setsid ${guard[@]+"${guard[@]}"} \
        bash -c 'sleep 300 >/dev/null & echo $! >child.pid; echo; '"$end")
    tool=$!
    read -r -u 8 # child.pid is there
    cat child.pid >"$task/tool"
}
# until_tool_ends: traps run meanwhile. (No child's end is waited for: only so is the trap run at once.)
until_tool_ends() {
    : >"$task/waiting-$call"
    while IFS= read -r -u 8; do :; done
}
forever() {
    : >"$task/waiting-$call"
    exec 8<> <(:)
    IFS= read -r -u 8
}

# launch WORKER: a program that is a launcher of its real one, a process of the same group that knows nothing of the launcher's
# end. What TERM does to the launcher is to be set before; the worker resets it.
launch() {
    local rc=0
    "$1" &
    worker=$!
    printf '%s\n' "$worker" >"$task/pid-$call"
    while wait "$worker" || rc=$?; running "$worker"; do rc=0; done
    [ $rc -lt 128 ] || {
        trap - TERM INT
        kill -s $((rc - 128)) $$
    }
    exit $rc
}
# late_worker: as a worker that ends after its launcher: runs "late_end", once the launcher is dead and, where the test
# made $task/go (a FIFO), once that was opened for writing and closed.
launch_late() {
    exec 7> >(
        exec 7>&-
        trap - TERM INT
        while IFS= read -r; do :; done
        [ ! -p "$task/go" ] || IFS= read -r <"$task/go"
        work
        late_end
        noted late
    )
    printf '%s\n' $! >"$task/pid-$call"
    forever
}

# ---- times -----------------------------------------------------------------------------------------

# reset_at DEFAULT: when the limit ends, seconds since 1970, in $reset.
reset_at() { reset=$((EPOCHSECONDS + ${param:-$1})); }
# in_hours: of $reset, "2h0m0s".
in_hours() {
    local s=$((reset - EPOCHSECONDS))
    REPLY=$((s / 3600))h$((s / 60 % 60))m$((s % 60))s
}
reset_default() {
    case $scenario in
    *-30m) reset_at 1800 ;;
    *-5d) reset_at 435600 ;;
    *) reset_at 7200 ;;
    esac
}
