#!/usr/bin/env bats
# Programs of agents that are not there, vanish, are cut off or behave badly, each in the place of codex: what bosk makes of
# it, and that nobody else's account, worktree or file suffers. (Ways to fail as they were recorded: 55, 56. Signals: 57-agent-signals.)
# shellcheck disable=SC2154,SC2016,SC2034,SC2164,SC2030,SC2031 # variables set by run_bosk; each test is a subshell

load ../lib/flow

setup() {
    flow_setup
    make_repo a.txt
    export SCRATCH REPO
    mkdir "$SCRATCH/bin"
    PATH=$SCRATCH/bin:$PATH
    write_file "$HOME/.config/bosk/config.yaml" <<'YAML'
limits: {free_disk: 0, free_memory: 0}
agents: {codex: {autonomy: full, grace: 1s}}
YAML
    codex
}
teardown() {
    if mountpoint -q "$REPO/.git/bosk/logs"; then umount -l "$REPO/.git/bosk/logs"; fi
    flow_teardown
}

# codex: a program of that name, whose prompt has a line "play: NAME" and whose calls then do what $SCRATCH/plays/NAME says.
# Each call leaves a line in $SCRATCH/calls.
codex() {
    mkdir -p "$SCRATCH/plays"
    write_file "$SCRATCH/bin/codex" <<'SH'
#!/bin/bash
[ "${1:-}" = --version ] && { echo codex-cli 0.169.0; exit; }
sid='' last=''
[ "${2:-}" = resume ] && sid=$3
while [ $# -gt 0 ]; do
    [ "$1" != -o ] || last=$2
    shift
done
IFS= read -r -d '' prompt || true
play=$(sed -n 's/^play: //p' <<<"$prompt" | head -n 1)
if [ -z "$sid" ]; then
    sid=$(cat /proc/sys/kernel/random/uuid)
    echo "$play" >"$SCRATCH/of-$sid"
fi
read -r play <"$SCRATCH/of-$sid"
[ -z "$play" ] || echo "$play $sid" >>"$SCRATCH/calls"
say() { printf '%s\n' "$1"; }
text() { say "{\"type\":\"item.completed\",\"item\":{\"id\":\"i\",\"type\":\"agent_message\",\"text\":$1}}"; }
result="{\\\"status\\\": \\\"completed\\\", \\\"summary\\\": \\\"did it\\\", \\\"files_modified\\\": [\\\"$play.txt\\\"], \\\"blockers\\\": []}"
start() { say "{\"type\":\"thread.started\",\"thread_id\":\"$sid\"}"; }
work() { echo hello >"$play.txt"; }
turn='{"type":"turn.completed","usage":{"input_tokens":1000,"cached_input_tokens":1,"output_tokens":2}}'
fin() { text "\"$result\"" && say "$turn"; }
if [ -n "$play" ]; then
    . "$SCRATCH/plays/$play"
else # the tiny call before a run
    start && fin
fi
SH
    chmod +x "$SCRATCH/bin/codex"
}
# play NAME COMMANDS: one task more, with an agent that does so.
play() {
    [ -e "$SCRATCH/p.yaml" ] || echo 'tasks:' >"$SCRATCH/p.yaml"
    printf '%s\n' "$2" >"$SCRATCH/plays/$1"
    printf '  - {id: %s, agent: codex, prompt: "play: %s\\n"}\n' "$1" "$1" >>"$SCRATCH/p.yaml"
}
calls() { grep -c "^$1 " "$SCRATCH/calls"; }
state() { task_field "$sid" "$1" state; }
# failed ID TEXT: it is, for this reason, after one call.
failed() {
    equal "$1" "$(state "$1")" failed || return
    task_field "$sid" "$1" reason | grep -F -- "$2" >/dev/null || equal "$1: reason" "$(task_field "$sid" "$1" reason)" "$2"
}
no_account_is_shut() { equal "accounts" "$(status_json '[.accounts[] | select(.state != null)] | length')" 0; }

@test "a program that vanishes while a session runs, that cannot be run, or lacks what it needs: said so, tried once, no account is shut" {
    play there 'start; work; fin; rm "$SCRATCH/bin/codex"'
    play gone 'start; work; fin'
    run_bosk run "$SCRATCH/p.yaml" --jobs 1
    expect_status 1
    sid=$(last_sid)
    equal "there" "$(state there)" integrated
    failed gone 'codex cannot be run: cannot run codex: not found'
    equal "attempts" "$(task_field "$sid" gone attempts)" 1
    no_account_is_shut
    expect_text '^FAIL gone .*codex cannot be run'

    # Once it is there again.
    codex
    run_bosk retry gone --run
    expect_status 0
    equal "gone" "$(state gone)" integrated

    rm "$SCRATCH/p.yaml"
    play lacks 'echo "env: node: No such file or directory" >&2; exit 127'
    play forbidden 'exit 126'
    play broken 'start; work; echo "a hint for people" >&2; exit 3'
    run_bosk run --fresh "$SCRATCH/p.yaml" --jobs 1 -c retries=0
    expect_status 1
    sid=$(last_sid)
    failed lacks 'its program, or something which that needs, cannot be run (exit 127): env: node: No such file or directory'
    failed forbidden 'its program, or something which that needs, cannot be run (exit 126)'
    failed broken 'exit 3: a hint for people'
    no_account_is_shut
    equal "calls" "$(calls lacks) $(calls forbidden) $(calls broken)" '1 1 1'
}

@test "a stream that is cut, long, not text, or speaks of limits" {
    play cut 'start; work; text "\"$result\""; printf %s "${turn:0:40}"'
    play no-newline 'start; work; text "\"$result\""; printf %s "$turn"'
    play megabyte 'start; work; text "\"$(head -c 1000000 /dev/zero | tr "\0" x)\""; fin'
    play nine-megabytes 'start; work; head -c 9000000 /dev/zero | tr "\0" x; echo; fin'
    play bytes 'start; work; printf "a\0b\n\xff\xfe\n\0{\"type\":\"turn.failed\"}\n"; printf "\e[31m\xc3\0\n" >&2; head -c 100000 /dev/urandom; echo; fin'
    play many 'start; work; yes "{\"type\":\"item.completed\",\"item\":{\"type\":\"error\"}}" | head -n 20000; fin'
    play takes-back 'start; work; say "{\"type\":\"turn.failed\",\"error\":{\"message\":\"You’ve hit your usage limit.\"}}"; fin'
    play speaks 'start; work; text "\"You’ve hit your usage limit. try again at 11:38 PM.\""; echo "You’ve hit your usage limit" >&2; exit 1'
    run_bosk run "$SCRATCH/p.yaml" --jobs 2 -c retries=0 -c halt_after_failures=100
    expect_status 1
    sid=$(last_sid)
    failed cut 'exit 0, without saying that it is done'
    failed speaks 'exit 1'
    for id in no-newline megabyte nine-megabytes bytes many takes-back; do equal "$id" "$(state "$id")" integrated; done
    no_account_is_shut
}

@test "a result, or last words, in what is no file of its own; logs that it removes" {
    local done='{\"status\":\"blocked\",\"reason\":\"by a secret\",\"summary\":\"\",\"files_modified\":[],\"blockers\":[]}'
    echo "${done//\\/}" >"$SCRATCH/secret"
    play link 'start; work; ln -s "$SCRATCH/secret" "$BOSK_RESULT_FILE"; fin'
    play fifo 'start; work; mkfifo "$BOSK_RESULT_FILE"; fin'
    play folder 'start; work; mkdir -p "$BOSK_RESULT_FILE/x"; fin'
    play endless 'start; work; ln -s /dev/zero "$BOSK_RESULT_FILE"; fin'
    play last-link 'start; work; rm "$last"; ln -s "$SCRATCH/secret" "$last"; fin'
    play last-fifo 'start; work; rm "$last"; mkfifo "$last"; fin'
    play last-folder 'start; work; rm "$last"; mkdir "$last"; fin'
    play no-logs 'start; work; rm -r "$BOSK_LOG_DIR" "$TMPDIR"; fin'
    play large 'start; work; head -c 100M /dev/zero >"$BOSK_RESULT_FILE"; fin'
    run_bosk run "$SCRATCH/p.yaml" --jobs 2 -c retries=0 -c halt_after_failures=100
    expect_status 1
    sid=$(last_sid)
    for id in link fifo folder endless last-link last-fifo last-folder no-logs; do equal "$id" "$(state "$id")" integrated; done
    failed large 'its result file is larger than 1024 KiB'
    equal "asked again" "$(calls large)" 2
    equal "large files among the logs" "$(find .git/bosk/logs -size +1M)" ''
}

@test "the disk is full while an agent's stream is logged: it is understood all the same" {
    [ "$(id -u)" = 0 ] || skip 'only root can mount a small disk'
    mkdir -m 700 .git/bosk .git/bosk/logs
    mount -t tmpfs -o size=200k,mode=700 none .git/bosk/logs
    play talks 'start; work; for i in {1..5000}; do text "\"$i: a line of a long stream, which is too long for the disk, but not for what reads it\""; done; fin'
    run_bosk run "$SCRATCH/p.yaml"
    expect_status 0
    sid=$(last_sid)
    equal "talks" "$(state talks)" integrated
    equal "attempts" "$(task_field "$sid" talks attempts)" 1
    run_bosk report "$sid"
    expect_text 'talks: log .*/talks/1/agent.log: .*No space left on device' "$OUT"
    grep -q 'a line of a long stream' .git/bosk/logs/*/talks/1/agent.log
}

@test "an agent that stops its own worker, as SIGSTOP does: the session can be stopped all the same" {
    play freezes 'start; work; touch "$SCRATCH/frozen"; kill -STOP $PPID; sleep 1000.61'
    start_bosk run "$SCRATCH/p.yaml"
    wait_until "[ -e '$SCRATCH/frozen' ] && ps -o stat= --ppid $bosk_pid | grep -q ^T" 60
    "$BOSK_BIN" stop --now 3>&-
    wait_bosk
    equal "session" "$(status_json '.sessions[0].state')" stopped
    refute pgrep -f 'sleep 1000\\.61'
}

@test "steps: each: what was cut off in a later step goes on there, in its conversation, with what was done before" {
    cat >"$SCRATCH/q.json" <<'JSON'
{"kind": "queue", "tasks": [{"id": "S-1", "agent": "codex", "prompt": "play: steps\n\nDo one.\n\nDo two.\n\nDo three.\n",
  "step_ids": ["T1", "T2", "T3"], "step_titles": ["a", "b", "c"], "step_texts": ["Do one.", "Do two.", "Do three."],
  "step_gates": ["T1", "T1.test", "grep -qx one one.txt", "T2", "T2.test", "grep -qx two two.txt"]}]}
JSON
    cat >"$SCRATCH/plays/steps" <<'SH'
step=$(jq -r .step "$BOSK_TASK_FILE")
result="{\\\"summary\\\": \\\"$step\\\", \\\"tasks_completed\\\": [{\\\"id\\\": \\\"$step\\\"}]}"
echo "$step $sid" >>"$SCRATCH/steps"
start
case $step in T1) echo one >>one.txt ;; T2) echo two >>two.txt ;; T3) echo three >three.txt ;; esac
if [ "$step" = T2 ] && ! grep -q more "$SCRATCH/steps"; then
    echo more >>"$SCRATCH/steps"
    sed -i d two.txt
    say '{"type":"turn.failed","error":{"message":"exceeded retry limit, last status: 429 Too Many Requests"}}'
    exit 1
fi
fin
SH
    run_bosk run "$SCRATCH/q.json" -c steps=each
    expect_status 0
    sid=$(last_sid)
    equal "steps" "$(cut -d' ' -f1 "$SCRATCH/steps" | xargs)" 'T1 T2 more T2 T3'
    equal "conversations" "$(grep ^T "$SCRATCH/steps" | sort -u | wc -l)" 3
    equal "one.txt" "$(git show "integration-$sid:one.txt")" one
    equal "told" "$(status_json '.sessions[0].tasks[0].result.tasks_completed | map(.id) | join(" ")')" 'T1 T2 T3'
}

# srun: as that of Slurm, as far as bosk is concerned: runs the program of its words; notes how it was called.
srun() {
    write_file "$SCRATCH/bin/srun" <<'SH'
#!/bin/bash
echo "$PWD: $*" >>"$SCRATCH/srun"
while [[ ${1:-} == -* ]]; do shift; done
command -v "$1" >/dev/null || { echo "slurmstepd: error: execve(): $1: No such file or directory" >&2; exit 2; }
"$@" <&0 &
trap 'kill -TERM $!' TERM
while wait $! || code=$?; kill -0 $! 2>/dev/null; do :; done
exit ${code:-0}
SH
    chmod +x "$SCRATCH/bin/srun"
}
wrapped() { write_file "$HOME/.config/bosk/config.yaml" <<<"{limits: {free_disk: 0, free_memory: 0}, agents: {codex: {autonomy: full, grace: 1s, wrap: $1}}}"; }

@test "behind srun (a stand-in): each run of the agent, prompt and conversation too; what srun cannot find is said" {
    srun
    wrapped '[srun, -n1, "--chdir={cwd}"]'
    commit_config <<<'gates: [{name: twice, run: "grep -c hello two.txt >count; grep -qx 2 count"}]'
    play two 'start; echo hello >>two.txt; fin'
    run_bosk run "$SCRATCH/p.yaml" --no-preflight
    expect_status 0
    sid=$(last_sid)
    equal "attempts" "$(task_field "$sid" two attempts)" 2
    equal "conversations" "$(cut -d' ' -f2 "$SCRATCH/calls" | sort -u | wc -l)" 1
    grep -q "^$REPO.worktrees/.*: -n1 --chdir=$REPO.worktrees/[^ ]* codex exec --json" "$SCRATCH/srun"
    grep -q ": -n1 --chdir=[^ ]* codex exec resume " "$SCRATCH/srun"

    rm "$SCRATCH/bin/codex"
    run_bosk run --fresh "$SCRATCH/p.yaml" --no-preflight -c retries=0
    expect_status 1
    sid=$(last_sid)
    failed two 'exit 2: slurmstepd: error: execve(): codex: No such file or directory'
    no_account_is_shut
}

@test "behind bwrap: the agent sees what the wrap lets it, its work and its result arrive, nothing of it outlives a stop" {
    local box
    box=$(command -v bwrap) || skip 'bwrap (package bubblewrap, which tools/check brings) is not installed'
    "$box" --dev-bind / / --unshare-pid --proc /proc true || skip 'user namespaces are not possible here'
    mkdir "$HOME/private"
    echo secret >"$HOME/private/key"
    wrapped '[bwrap, --dev-bind, /, /, --unshare-pid, --proc, /proc, --tmpfs, "{env:HOME}/private", --chdir, "{cwd}"]'
    play seen 'start; { cat "$HOME/private/key" || echo nothing; } >seen.txt; fin'
    # What it writes its last words to is read outside of its box.
    play shows 'start; work; rm "$last"; ln -s "$HOME/private/key" "$last"; fin'
    play stays 'start; work; setsid sleep 1000.57 & (trap "" TERM; while :; do sleep 1000.58; done) & touch "$SCRATCH/stays"; sleep 1000.59'
    start_bosk run "$SCRATCH/p.yaml" --jobs 1
    wait_until "[ -e '$SCRATCH/stays' ]" 60
    "$BOSK_BIN" stop --now 3>&-
    wait_bosk
    sid=$(last_sid)
    for id in seen shows; do equal "$id" "$(state "$id")" integrated; done
    equal "seen" "$(git show "integration-$sid:seen.txt")" nothing
    refute grep -rq 'secret' .git/bosk/logs
    refute pgrep -f 'sleep 1000\.5[789]'
}

@test "a prompt as a word of the command line; one that is too long for it is said to be" {
    write_file "$HOME/.config/bosk/config.yaml" <<'YAML'
limits: {free_disk: 0, free_memory: 0}
agents: {words: {argv: [sh, -c, 'printf %s "$1" >"$2.txt"; echo "{\"status\": \"completed\"}"', sh, "{prompt}", said], prompt: arg, final: [stdout last]}}
YAML
    {
        printf 'tasks:\n  - {id: short, agent: words, prompt: "Say \\"it\\"; $HOME `x`\\n"}\n  - id: long\n    agent: words\n    prompt: |\n'
        yes '      A line of a long prompt.' | head -n 6000
    } >"$SCRATCH/p.yaml"
    run_bosk run "$SCRATCH/p.yaml" --no-preflight -c retries=0
    expect_status 1
    sid=$(last_sid)
    equal "short" "$(state short)" integrated
    git show "integration-$sid:said.txt" | grep -qF 'Say "it"; $HOME `x`'
    failed long 'its prompt is too long for an argument of words'
}
