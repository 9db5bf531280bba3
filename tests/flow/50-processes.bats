#!/usr/bin/env bats
# Processes: agents that escape, ignore signals, hold pipes, flood, never end or kill their parents;
# supervisors and workers that are killed; signals; and that nobody wakes up while there is nothing
# to do. Times asserted here are those the promises name (C1: 10 s), with room for a busy machine.
# shellcheck disable=SC2154,SC2016,SC2030,SC2031 # variables of helpers; conditions for wait_until; tests are subshells

load ../lib/flow

GONE=15 # seconds: the promise says 10

setup() {
    flow_setup
    make_repo a.txt
    commit_config <<'YAML'
retries: 0
limits: {log: 1MiB}
YAML
    PLAN=$SCRATCH/p.yaml
    mkdir "$SCRATCH/pids"
    printf 'tasks:\n  - {id: one, prompt: go}\n' >"$PLAN"
}
teardown() { flow_teardown; }

# Every process that wrote its pid into pids/ has ended.
all_gone() {
    local file
    for file in "$SCRATCH"/pids/*; do
        [ -e "$file" ] || return 1
        if alive "$(cat "$file")"; then
            printf '%s is still alive: %s\n' "${file##*/}" "$(tr '\0' ' ' <"/proc/$(cat "$file")/cmdline")" >&2
            return 1
        fi
    done
}
# How many have been started.
started() { find "$SCRATCH/pids" -type f -size +0 | wc -l; }
worker_pid() { pgrep -P "$bosk_pid" | head -n 1; }
# A run in the background whose agent is working; $sid is its session.
running() {
    start_bosk run "$PLAN" --executor "$AGENT"
    wait_until "[ \$(started) -ge ${STARTED:-1} ]" 60
    sid=$(last_sid)
}

@test "an agent's children that leave its group, daemonise or drop their environment end with the task" {
    write_agent <<SH
#!/bin/sh
cd "$SCRATCH/pids"
setsid sleep 600 & echo \$! > setsid
(setsid sh -c 'echo \$\$ > double; exec sleep 600' &)
env -i setsid sh -c 'echo \$\$ > bare; trap "" TERM HUP INT; while :; do sleep 1; done' &
(setsid env -i sh -c 'cd /; (setsid sh -c "echo \\\$\\\$ > $SCRATCH/pids/deep; exec sleep 600" &)' &)
nohup sleep 600 > /dev/null 2>&1 & echo \$! > nohup
until [ -s double ] && [ -s bare ] && [ -s deep ]; do sleep 0.05; done
cd "\$BOSK_WORKTREE"
echo done > done.txt
SH
    run_bosk run "$PLAN" --executor "$AGENT"
    expect_status 0
    equal "processes started" "$(started)" 5
    all_gone
    assert_no_strays "$(last_sid)"
}

@test "a process that holds the agent's output open does not hold the task" {
    write_agent <<SH
#!/bin/sh
setsid sleep 600 & echo \$! > "$SCRATCH/pids/holder"
echo last words
echo done > done.txt
SH
    FLOW_LIMIT=60 run_bosk run "$PLAN" --executor "$AGENT"
    expect_status 0
    all_gone
    run_bosk logs one
    expect_text 'last words' "$OUT"
}

@test "an agent that never ends and ignores TERM is ended at its timeout" {
    local sid
    printf 'tasks:\n  - {id: one, prompt: go, timeout: 2s}\n' >"$PLAN"
    write_agent <<SH
#!/bin/sh
trap '' TERM INT HUP
echo \$\$ > "$SCRATCH/pids/agent"
(trap '' TERM; echo 1 >> half.txt; while :; do sleep 1; done) & echo \$! > "$SCRATCH/pids/child"
while :; do sleep 1; done
SH
    run_bosk run "$PLAN" --executor "$AGENT"
    expect_status 1
    sid=$(last_sid)
    equal "state" "$(task_field "$sid" one state)" failed
    task_field "$sid" one reason | grep -qiE 'time|2 ?s'
    all_gone
    assert_no_strays "$sid"
}

@test "an agent that says nothing for too long is ended" {
    local sid
    write_agent <<SH
#!/bin/sh
echo \$\$ > "$SCRATCH/pids/agent"
exec sleep 600
SH
    run_bosk run "$PLAN" --executor "$AGENT" -c silence=2s
    expect_status 1
    sid=$(last_sid)
    equal "state" "$(task_field "$sid" one state)" failed
    all_gone
}

@test "100 MB of output: the task goes on, the log stays within its limit, its start and end are kept" {
    local sid log
    write_agent <<'SH'
#!/bin/sh
echo 'the first line'
yes 'a line of output that is like all the others, of which there are a great many' | head -c 100000000
head -c 3000000 /dev/zero
echo
echo 'the last line'
echo done > done.txt
SH
    run_bosk run "$PLAN" --executor "$AGENT"
    expect_status 0
    sid=$(last_sid)
    log=$(task_field "$sid" one log)
    [ "$(stat -c %s "$log")" -le 1048576 ]
    [ "$(du -sk "$(dirname "$log")" | cut -f1)" -le 2048 ]
    grep -aq 'the first line' "$log"
    grep -aq 'the last line' "$log"
}

@test "supervisor killed with -9: worker, agent and all its children are gone within 10 s, resume goes on" {
    write_agent <<SH
#!/bin/sh
if [ -e "$SCRATCH/go" ]; then echo done > done.txt; exit; fi
cd "$SCRATCH/pids"
echo \$\$ > agent
trap '' TERM
(setsid env -i sh -c 'echo \$\$ > bare; exec sleep 600' &)
setsid sleep 600 & echo \$! > setsid
while :; do sleep 1; done
SH
    STARTED=3 running
    worker_pid >"$SCRATCH/pids/worker"
    kill -KILL "$bosk_pid"
    wait_until "all_gone 2>/dev/null" $GONE
    assert_no_strays "$sid"
    wait_bosk || true
    equal "state" "$(status_json '.sessions[0].state')" interrupted
    equal "pid" "$(status_json '.sessions[0].pid == null')" true
    touch "$SCRATCH/go"
    run_bosk resume "$sid"
    expect_status 0
    assert_once "$REPO" "$sid" main one
    assert_no_worktrees "$REPO"
    assert_no_strays "$sid"
}

@test "worker killed with -9: noticed, its agent ended, the task tried again" {
    commit_config <<<'retries: 1'
    write_agent <<SH
#!/bin/sh
if [ -e "$SCRATCH/pids/agent" ]; then echo done > done.txt; exit; fi
(setsid env -i sh -c 'echo \$\$ > "$SCRATCH/pids/bare"; exec sleep 600' &)
until [ -s "$SCRATCH/pids/bare" ]; do sleep 0.05; done
echo \$\$ > "$SCRATCH/pids/agent"
exec sleep 600
SH
    STARTED=2 running
    kill -KILL "$(worker_pid)"
    wait_bosk
    expect_status 0
    all_gone
    equal "attempts" "$(task_field "$sid" one attempts)" 2
    assert_once "$REPO" "$sid" main one
    assert_no_strays "$sid"
}

@test "an agent that kills its parent, its group or itself fails its task only" {
    local how sid
    for how in 'kill -KILL $PPID' 'kill -KILL 0' 'kill -KILL $$' 'kill -SEGV $$'; do
        printf 'tasks:\n  - {id: one, run: "%s; sleep 600", timeout: 5s}\n  - {id: two, run: "echo two > two.txt"}\n' "$how" >"$PLAN"
        run_bosk run "$PLAN" --jobs 1
        expect_status 1
        sid=$(last_sid)
        equal "state with $how" "$(task_field "$sid" one state)" failed
        equal "the other with $how" "$(task_field "$sid" two state)" integrated
        assert_no_strays "$sid"
    done
}

@test "supervisor and workers killed at one instant: the next resume ends the strays" {
    write_agent <<SH
#!/bin/sh
if [ -e "$SCRATCH/go" ]; then echo done > done.txt; exit; fi
(setsid sh -c 'echo \$\$ > "$SCRATCH/pids/stray"; exec sleep 600' &)
until [ -s "$SCRATCH/pids/stray" ]; do sleep 0.05; done
echo \$\$ > "$SCRATCH/pids/agent"
exec sleep 600
SH
    STARTED=2 running
    kill -KILL "$bosk_pid" "$(worker_pid)"
    wait_bosk || true
    touch "$SCRATCH/go"
    run_bosk resume "$sid"
    expect_status 0
    all_gone
    assert_no_strays "$sid"
    assert_once "$REPO" "$sid" main one
}

@test "a worker whose supervisor dies while git does not end is ended by the resume, and does not go on beside it" {
    local real
    real=$(command -v git)
    mkdir "$SCRATCH/bin"
    cat >"$SCRATCH/bin/git" <<SH
#!/bin/sh
case \$* in
*"reset --hard"*)
    if mkdir "$SCRATCH/once" 2>/dev/null; then
        trap '' TERM
        echo \$PPID > "$SCRATCH/pids/worker"
        exec sleep 600
    fi ;;
esac
exec "$real" "\$@"
SH
    chmod +x "$SCRATCH/bin/git"
    write_agent <<SH
#!/bin/sh
grep '^State:.[^Z]' "/proc/\$(cat "$SCRATCH/pids/worker")/status" > "$SCRATCH/beside" 2>/dev/null
echo done > done.txt
SH
    PATH=$SCRATCH/bin:$PATH running
    kill -KILL "$bosk_pid"
    wait_bosk || true
    run_bosk resume "$sid"
    expect_status 0
    equal "the worker that was there before" "$(cat "$SCRATCH/beside")" ''
    all_gone
    assert_no_strays "$sid"
    assert_once "$REPO" "$sid" main one
    assert_no_worktrees "$REPO"
}

@test "Ctrl-C once: running tasks finish; twice: stopped and their work saved; resume goes on" {
    local said
    printf 'tasks:\n  - {id: one, prompt: go}\n  - {id: two, prompt: go, needs: [one]}\n' >"$PLAN"
    write_agent <<SH
#!/bin/sh
if [ -e "$SCRATCH/go" ]; then echo "\$BOSK_TASK" > "\$BOSK_TASK.txt"; exit; fi
echo half > half.txt
echo \$\$ > "$SCRATCH/pids/agent"
while [ ! -e "$SCRATCH/go" ]; do sleep 0.1; done
echo "\$BOSK_TASK" > "\$BOSK_TASK.txt"
SH
    running
    # shellcheck disable=SC2034 # used in the condition below
    said=$(stat -c %s "$ERR")
    kill -INT "$bosk_pid"
    # It says that it will finish what runs.
    wait_until '[ "$(stat -c %s "$ERR")" -gt "$said" ]' 10
    alive "$(cat "$SCRATCH/pids/agent")"
    kill -INT "$bosk_pid"
    wait_bosk
    expect_status 130
    all_gone
    assert_no_strays "$sid"
    equal "session" "$(status_json '.sessions[0].state')" stopped
    # The half-done work is on some ref of ours.
    git for-each-ref --format='%(refname)' refs/heads/bosk refs/bosk | while read -r ref; do
        git cat-file -e "$ref:half.txt" 2>/dev/null && echo "$ref"
    done | grep -q .
    touch "$SCRATCH/go"
    run_bosk resume "$sid"
    expect_status 0
    equal "two" "$(git show "integration-$sid:two.txt")" two
}

@test "TERM stops agents and saves; HUP changes nothing" {
    write_agent <<SH
#!/bin/sh
echo \$\$ > "$SCRATCH/pids/agent"
while [ ! -e "$SCRATCH/go" ]; do sleep 0.1; done
echo done > done.txt
SH
    running
    kill -HUP "$bosk_pid"
    kill -TERM "$bosk_pid"
    wait_bosk
    expect_status 143
    all_gone
    equal "session" "$(status_json '.sessions[0].state')" stopped
    rm "$SCRATCH/pids/agent"
    start_bosk resume "$sid"
    wait_until '[ "$(started)" = 1 ]' 60
    kill -HUP "$bosk_pid"
    touch "$SCRATCH/go"
    wait_bosk
    expect_status 0
}

@test "nobody wakes up while an agent works silently and there is no terminal" {
    local worker calls pid
    write_agent <<SH
#!/bin/sh
echo \$\$ > "$SCRATCH/pids/agent"
exec sleep 600
SH
    running
    worker=$(worker_pid)
    equal "worker" "$(readlink "/proc/$worker/exe")" "$BOSK_BIN"
    switches() { grep -h ctxt_switches "/proc/$bosk_pid/status" "/proc/$worker/status"; }
    # Start-up is over when neither has run for a second; a timer of up to a second never lets it be.
    settled() {
        local before
        before=$(switches)
        sleep 1
        [ "$(switches)" = "$before" ]
    }
    wait_until settled 60
    # The length of the look is the promise itself.
    switches >"$SCRATCH/before"
    timeout 10 strace -q -o "$SCRATCH/calls" -p "$bosk_pid" -p "$worker" 2>"$SCRATCH/strace.err" 3>&- || [ $? = 124 ]
    if [ ! -s "$SCRATCH/calls" ]; then
        echo "strace could not attach: $(cat "$SCRATCH/strace.err")"
        false
    fi
    # One line each: the call it has been waiting in all the time.
    for pid in "$bosk_pid" "$worker"; do
        calls=$(grep -c "^$pid " "$SCRATCH/calls")
        if [ "$calls" != 1 ]; then
            cat "$SCRATCH/calls"
            false
        fi
        grep "^$pid " "$SCRATCH/calls" | grep -qE '<(detached|unfinished) \.\.\.>$'
    done
    kill -TERM "$bosk_pid"
    wait_bosk
    all_gone
}

@test "the agent inherits nothing but its standard streams, and reads its prompt from a file" {
    write_agent <<SH
#!/bin/sh
ls -l /proc/self/fd > "$SCRATCH/fds"
ls /proc/\$\$/fd > "$SCRATCH/numbers"
# Read by the shell itself: while it starts a program it blocks every signal for a moment.
while read -r line; do case \$line in Sig*) echo "\$line" ;; esac; done < /proc/\$\$/status > "$SCRATCH/signals"
test -f /dev/stdin && echo regular > "$SCRATCH/stdin"
echo done > done.txt
SH
    run_bosk run "$PLAN" --executor "exec $AGENT"
    expect_status 0
    refute grep -qE 'mdb|\.lock|socket' "$SCRATCH/fds"
    # From 10 on: the shell's own copies of its script and of what it redirects.
    equal "descriptors" "$(grep -vxE '1[0-9]|255' "$SCRATCH/numbers" | tr '\n' ' ')" "0 1 2 "
    equal "stdin" "$(cat "$SCRATCH/stdin")" regular
    expect_text '^SigBlk:.0+$' "$SCRATCH/signals"
    expect_text '^SigIgn:.0+$' "$SCRATCH/signals"
}

@test "garbage on a worker's channel ends that worker only" {
    commit_config <<<'retries: 1'
    cat >"$SCRATCH/p.yaml" <<YAML
tasks:
  - id: evil
    run: |
      if mkdir '$SCRATCH/once' 2>/dev/null; then
        set -- \$(tr '\\0' ' ' < /proc/\$PPID/cmdline)
        head -c 5000 /dev/urandom > /proc/\$PPID/fd/\$5
        sleep 60
      fi
      echo x > evil.txt
  - {id: fine, run: 'echo y > fine.txt'}
YAML
    run_bosk run "$SCRATCH/p.yaml" --jobs 2
    expect_status 0
    sid=$(last_sid)
    # Noticed, ended, and the task was done by another worker.
    equal "evil" "$(task_field "$sid" evil state)" integrated
    equal "fine" "$(task_field "$sid" fine state)" integrated
    [ -d "$SCRATCH/once" ]
    grep -q 'evil: .*it runs again' "$ERR"
    assert_no_strays "$sid"
}

@test "an agent's commits are kept when its HEAD points nowhere; a lock it left stops nothing" {
    cat >"$SCRATCH/p.yaml" <<YAML
tasks:
  - id: orphan
    run: |
      echo mine > mine.txt; git add mine.txt; git commit -qm 'By the agent'
      git rev-parse HEAD > '$SCRATCH/commit'
      git checkout -q --orphan z; git rm -rq --cached .; exit 1
  - id: locker
    run: |
      echo x > locked.txt; : > "\$(git rev-parse --git-dir)/index.lock"
YAML
    run_bosk run "$SCRATCH/p.yaml" --jobs 1
    expect_status 1
    sid=$(last_sid)
    equal "locker" "$(task_field "$sid" locker state)" integrated
    git for-each-ref --contains "$(cat "$SCRATCH/commit")" | grep -q refs/bosk/keep
}

@test "a stop that comes before the agent has begun is not lost" {
    printf 'tasks:\n  - {id: slow, run: "touch %s; sleep 100"}\n' "$SCRATCH/began" >"$SCRATCH/p.yaml"
    start_bosk run "$SCRATCH/p.yaml"
    wait_until "grep -q 'slow: prepare' '$ERR'" 30
    kill -TERM "$bosk_pid"
    wait_bosk
    expect_status 143
    equal "state" "$(status_json '.sessions[0].state')" stopped
}

@test "a stop that comes while what a failed task left is being saved does not keep it from being saved" {
    write_file "$SCRATCH/slow" <<SH
#!/bin/sh
touch "$SCRATCH/saving"
until [ -e "$SCRATCH/go" ]; do sleep 0.05; done
cat
SH
    chmod +x "$SCRATCH/slow"
    git config filter.slow.clean "$SCRATCH/slow"
    echo '*.slow filter=slow' >.gitattributes
    git add .gitattributes
    git commit -qm 'A filter that takes its time'
    printf 'tasks:\n  - {id: one, run: "echo work >w.slow; exit 1"}\n' >"$PLAN"
    start_bosk run "$PLAN"
    wait_until '[ -e "$SCRATCH/saving" ]' 60
    kill -TERM "$bosk_pid"
    wait_until 'grep -q "stopping" "$ERR"'
    touch "$SCRATCH/go"
    wait_bosk
    sid=$(last_sid)
    equal "task" "$(task_field "$sid" one state)" failed
    equal "kept" "$(git show "$(task_field "$sid" one kept):w.slow")" work
    assert_no_worktrees "$REPO"
}
