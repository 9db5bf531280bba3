#!/usr/bin/env bats
# Accounts that give no more, and a session's money and time: what waits, until when, who tries first, and what a session
# does that would wait for too long.
# What the calls before a run find out is in 53-ready.bats: here there are none.
# shellcheck disable=SC2154,SC2016,SC2030,SC2031 # variables set by run_bosk; tests are subshells

load ../lib/flow
PLAIN=${BOSK_PLAIN_BIN:?names a bosk built without sanitizers}

# An agent as data: it says what the files in $SCRATCH/say tell it to, in JSON lines, and writes a file.
setup() {
    flow_setup
    make_repo
    mkdir "$SCRATCH/say" "$SCRATCH/bin"
    write_file "$SCRATCH/bin/stub" <<'STUB'
#!/bin/sh
who=$1 say=$2
echo "start $who $BOSK_TASK ${3:-}" >>"$say/log"
printf '{"type":"begin","id":"%s-%s"}\n' "$who" "$BOSK_TASK"
cat >/dev/null
for class in limit auth transient config; do
    [ ! -e "$say/$who.$class" ] || {
        printf '{"type":"failed","class":"%s","message":"%s"}\n' "$class" "$(cat "$say/$who.$class")"
        [ "$class" != transient ] || mv "$say/$who.transient" "$say/$who.over"
        echo "end $who $BOSK_TASK $class" >>"$say/log"
        exit 1
    }
done
echo "$who" >"$BOSK_TASK.txt"
[ ! -e "$say/$who.cost" ] || printf '{"type":"usage","cost":%s,"in":10,"out":5}\n' "$(cat "$say/$who.cost")"
echo "end $who $BOSK_TASK ok" >>"$say/log"
printf '{"type":"done","result":{"status":"completed","summary":"done"}}\n'
STUB
    chmod +x "$SCRATCH/bin/stub"
    {
        echo 'limits: {free_disk: 0, free_memory: 0}'
        echo 'agents:'
        for who in one two; do
            cat <<YAML
  $who:
    argv: [$SCRATCH/bin/stub, $who, $SCRATCH/say, "{resume? {session}}"]
    prompt: file
    session: json type=begin .id
    final: [json type=done .result]
    ok: [exit 0, json type=done]
    usage: ["cost: json type=usage .cost sum", "input: json type=usage .in sum", "output: json type=usage .out sum"]
    fail: ["limit: json class=limit .message", "auth: json class=auth .message", "transient: json class=transient .message", "config: json class=config .message"]
    reset: ["duration: text ~ try again in (.*)"]
    account: acc-$who
$([ $who = two ] || echo "    ${FALLBACK:-}")
YAML
        done
    } >"$HOME/.config/bosk/config.yaml"
    for i in a b c; do printf '%s {id: %s, prompt: "do %s"}\n' '-' "$i" "$i"; done |
        sed '1i tasks:' >"$SCRATCH/p.yaml"
    echo 0 >"$SCRATCH/shift"
}
teardown() { flow_teardown; }

clock() { echo "$1" >"$SCRATCH/shift.new" && mv "$SCRATCH/shift.new" "$SCRATCH/shift"; }
by_clock() { BOSK_BIN=$PLAIN; export CLOCK_SHIFT=$SCRATCH/shift LD_PRELOAD=$BOSK_TEST_CLOCK_SHIFT; }
say() { printf '%s' "$2" >"$SCRATCH/say/$1"; }
said() { grep -c "$1" "$SCRATCH/say/log"; }
status_json() { LD_PRELOAD='' "$BOSK_BIN" status --json | jq -r "$1"; }
waits() { [ "$(status_json '.sessions[0].until')" != null ]; }
start() { "$BOSK_BIN" "$@" >"$OUT" 2>"$ERR" & pid=$!; }

@test "a limit parks the account, one task tries first after the reset, no attempt is counted; also after a kill" {
    by_clock
    say one.limit 'used up, try again in 1h'
    start run --no-preflight "$SCRATCH/p.yaml" --agent one --jobs 2
    wait_until waits
    equal it limited "$(status_json '[.sessions[0].tasks[].state] | unique | map(select(. == "limited")) | .[0]')"
    equal it acc-one "$(status_json '.accounts[0].name')"
    [ "$(status_json '.accounts[0].limited_until')" = "$(status_json '.sessions[0].until')" ]
    status_json '.sessions[0].waiting_for' | grep -q 'account acc-one, limited until'
    before=$(said start)
    kill -KILL "$pid" && wait "$pid" || true
    start resume
    wait_until waits
    equal it "$before" "$(said start)"
    rm "$SCRATCH/say/one.limit"
    echo jump >>"$SCRATCH/say/log"
    clock 7200
    kill -CONT "$pid"
    wait "$pid"
    # One goes first, and has ended before the next begins.
    sed '1,/^jump/d' "$SCRATCH/say/log" | sed -n 2p | grep -q '^end one . ok'
    equal it 'integrated 1 integrated 1 integrated 1' \
        "$(status_json '[.sessions[0].tasks[] | "\(.state) \(.attempts)"] | join(" ")')"
    equal it 0 "$(status_json '.accounts | length')"
    # The conversation goes on in the same worktree.
    grep -q '^start one \(.\) one-\1' "$SCRATCH/say/log"
    run_bosk verify
    expect_status 0
}

@test "a wait longer than max_wait ends the session, which can be resumed; a resume before the reset says until when" {
    say one.limit 'used up, try again in 2d'
    run_bosk run --no-preflight "$SCRATCH/p.yaml" --agent one
    expect_status 3
    expect_text 'limited until .*longer than 12 h'
    equal it limited "$(status_json '.sessions[0].state')"
    run_bosk resume
    expect_status 3
    expect_text 'limited until'
    run_bosk report
    expect_text 'stopped: it waits for account acc-one' "$OUT"
}

@test "a death around an account's change: its row and its task's are on disk together, a resume comes to the same" {
    local at
    say one.limit 'used up, try again in 2d'
    BOSK_FAILPOINT_IN=supervisor BOSK_FAILPOINT_AT=account.tell:1 run_bosk run --no-preflight "$SCRATCH/p.yaml" --agent one --jobs 1
    [ "$status" != 3 ] && [ "$status" != 0 ]
    sid=$(last_sid)
    equal 'account' 'limited' "$(status_json '.accounts[0].state')"
    equal 'first task' 'limited 0' "$(status_json '.sessions[0].tasks[0] | "\(.state) \(.attempts)"')"
    run_bosk resume "$sid"
    expect_status 3
    expect_text 'account acc-one.* limited until'
    equal starts "$(said start)" 1
    # One that is not logged in is tried again at once: there it is opened.
    rm "$SCRATCH/say/one.limit"
    say one.auth 'please log in'
    sed -i 's/^    account: acc-one/    account: acc-other/' "$HOME/.config/bosk/config.yaml"
    for at in account.clear.before account.clear.after; do
        say one.auth 'please log in'
        run_bosk run --no-preflight "$SCRATCH/p.yaml" --agent one --jobs 1 --fresh
        expect_status 3
        sid=$(last_sid)
        rm "$SCRATCH/say/one.auth"
        BOSK_FAILPOINT_IN=supervisor BOSK_FAILPOINT_AT=$at:1 run_bosk resume "$sid"
        [ "$status" != 3 ] && [ "$status" != 0 ]
        run_bosk resume "$sid"
        expect_status 0
        equal 'accounts' 'acc-one' "$(status_json '[.accounts[].name] | join(" ")')"
    done
}

@test "who may try an account first but has no worktree for that lets another session try" {
    local code
    by_clock
    say one.limit 'used up, try again in 1h'
    # The first session is at work in its only worktree when the time comes, and for as long as the test wants.
    mkfifo "$SCRATCH/busy"
    printf 'tasks:\n- {id: busy, run: "cat %s; echo x >busy.txt"}\n- {id: lim, priority: 1, prompt: x}\n' "$SCRATCH/busy" >"$SCRATCH/b.yaml"
    "$BOSK_BIN" run --no-preflight "$SCRATCH/b.yaml" --agent one --jobs 1 >"$SCRATCH/o1" 2>&1 & first=$!
    limited() { [ "$(status_json '.accounts[0].state')" = limited ]; }
    wait_until limited || { cat "$SCRATCH/o1"; false; }
    rm "$SCRATCH/say/one.limit"
    clock 7200
    kill -CONT "$first"
    # Now it may try first. The other session comes later.
    start run --no-preflight "$SCRATCH/p.yaml" --agent one --jobs 1
    wait_until "[ \"\$(status_json '[.sessions[] | select(.counts.integrated == 3)] | length')\" = 1 ]"
    code=0 && wait "$pid" || code=$?
    equal 'exit of the second' "$code" 0
    equal 'the first' running "$(status_json '.sessions[] | select(.counts.total == 2) | .state')"
    echo >"$SCRATCH/busy"
    wait "$first"
}

@test "a reset that a clock made too late, which was set back since, is not waited for" {
    by_clock
    clock 2592000 # a month ahead
    say one.limit 'used up, try again in 1h'
    run_bosk run --no-preflight "$SCRATCH/p.yaml" --agent one --jobs 1 -c limits.max_wait=1m
    expect_status 3
    clock 0
    rm "$SCRATCH/say/one.limit"
    run_bosk resume
    expect_status 0
}

@test "an account whose row cannot be read counts for nothing; status names it, verify takes it away" {
    say one.limit 'used up, try again in 2d'
    run_bosk run --no-preflight "$SCRATCH/p.yaml" --agent one --jobs 1
    expect_status 3
    "$BOSK_TEST_STORE_EDIT" .git/bosk/store raw accounts acc-one rubbish
    run_bosk status
    expect_status 0
    expect_text 'account acc-one: what was known of it cannot be read' "$OUT"
    run_bosk verify
    expect_status 1
    expect_text 'the row of account acc-one cannot be read' "$OUT"
    run_bosk verify --repair
    expect_status 0
    equal accounts 0 "$(status_json '.accounts | length')"
    rm "$SCRATCH/say/one.limit"
    run_bosk resume
    expect_status 0
}

@test "an agent that had not begun when its account was shut does not begin; that is no attempt either" {
    mkfifo "$SCRATCH/setup"
    commit_config <<YAML
worktrees: {setup: "case \$PWD in *-2) cat $SCRATCH/setup ;; esac"}
YAML
    say one.limit 'used up, try again in 2d'
    start run "$SCRATCH/p.yaml" --agent one --jobs 2 --no-preflight
    wait_until "[ \"\$(status_json '.accounts[0].state')\" = limited ]"
    echo >"$SCRATCH/setup"
    code=0 && wait "$pid" || code=$?
    equal 'exit' "$code" 3
    equal 'starts' "$(said start)" 1
    equal 'tasks' 'limited 0, limited 0, pending 0' "$(status_json '[.sessions[0].tasks[] | "\(.state) \(.attempts)"] | join(", ")')"
    equal 'reason' 'account acc-one' "$(status_json '.sessions[0].tasks[1].reason' | cut -d: -f1)"
    rm "$SCRATCH/say/one.limit"
}

@test "another agent takes the tasks meanwhile" {
    sed -i 's/^    account: acc-one/    account: acc-one\n    fallback: two/' "$HOME/.config/bosk/config.yaml"
    say one.limit 'used up, try again in 2d'
    run_bosk run --no-preflight "$SCRATCH/p.yaml" --agent one
    expect_status 0
    equal it two "$(status_json '[.sessions[0].tasks[].worked_by] | unique | .[0]')"
}

@test "an agent that is not logged in stops its account; a resume tries it again" {
    say one.auth 'please log in'
    run_bosk run --no-preflight "$SCRATCH/p.yaml" --agent one --jobs 1
    expect_status 3
    expect_text 'account acc-one: .*please log in'
    equal it 1 "$(said start)"
    run_bosk status
    expect_text 'account acc-one: stopped' "$OUT"
    rm "$SCRATCH/say/one.auth"
    run_bosk resume
    expect_status 0
}

@test "what will pass is tried again without a retry; what cannot work fails at once" {
    say one.transient 'overloaded'
    run_bosk run --no-preflight "$SCRATCH/p.yaml" --agent one -c retries=0
    expect_status 0
    say one.config 'no such model'
    run_bosk run --no-preflight -p 'more' --agent one -c retries=5
    expect_status 1
    equal it 1 "$(said 'end one task config')"
}

@test "who says when to try again is not asked before" {
    say one.transient 'overloaded, try again in 1h'
    run_bosk run "$SCRATCH/p.yaml" --agent one --jobs 1 --max-time 5s --no-preflight
    expect_status 3
    equal starts "$(said 'start one a')" 1
    equal 'states' 'pending integrated integrated' "$(status_json '[.sessions[0].tasks[].state] | join(" ")')"
}

@test "money: nothing new past the budget, a resume with more goes on; what is not said is unknown" {
    say one.cost 0.6
    run_bosk run --no-preflight "$SCRATCH/p.yaml" --agent one --jobs 1 --budget-usd 1
    expect_status 3
    expect_text '1.20 USD of 1.00'
    equal it 'limited 1.2' "$(status_json '.sessions[0] | "\(.state) \(.cost_usd)"')"
    run_bosk resume
    expect_status 3
    rm "$SCRATCH/say/one.cost"
    run_bosk resume --budget-usd 5
    expect_status 0
    equal it 'null' "$(status_json '.sessions[0].tasks[2].cost_usd')"
    run_bosk report
    expect_text '1 of 3 runs did not say' "$OUT"
    run_bosk run --no-preflight -p x --budget-usd much
    expect_status 2
}

@test "of two sessions that wait for one account one task of one of them tries first" {
    by_clock
    say one.limit 'used up, try again in 1h'
    "$BOSK_BIN" run --no-preflight "$SCRATCH/p.yaml" --agent one --jobs 1 >"$SCRATCH/o1" 2>&1 & first=$!
    wait_until waits
    sed 's/do /also /; s/id: \(.\)/id: x\1/' "$SCRATCH/p.yaml" >"$SCRATCH/q.yaml"
    "$BOSK_BIN" run --no-preflight "$SCRATCH/q.yaml" --agent one --jobs 1 >"$SCRATCH/o2" 2>&1 & second=$!
    both() { [ "$(status_json '[.sessions[] | select(.until != null)] | length')" = 2 ]; }
    wait_until both
    equal starts "$(said start)" 1 # the second asked nobody
    rm "$SCRATCH/say/one.limit"
    echo jump >>"$SCRATCH/say/log"
    clock 7200
    kill -CONT "$first" "$second"
    wait "$first"
    wait "$second"
    sed '1,/^jump/d' "$SCRATCH/say/log" | sed -n 2p | grep -q '^end one .* ok'
    equal starts "$(said start)" 7
}

@test "time: nothing new after it, a resume goes on" {
    cat >"$SCRATCH/t.yaml" <<'YAML'
tasks:
  - {id: long, run: "until [ -e $SCRATCH/go ]; do read -t 1 _ </dev/zero; done; echo x > x"}
  - {id: next, needs: [long], run: "echo y > y"}
YAML
    sed -i "s#\$SCRATCH#$SCRATCH#; s#until.*done;#cat $SCRATCH/fifo >/dev/null;#" "$SCRATCH/t.yaml"
    mkfifo "$SCRATCH/fifo"
    start run --no-preflight "$SCRATCH/t.yaml" --max-time 1s
    over() { grep -q 'its time of 1' "$ERR"; }
    wait_until over
    echo >"$SCRATCH/fifo"
    code=0 && wait "$pid" || code=$?
    equal exit "$code" 3
    equal states 'integrated pending' "$(status_json '[.sessions[0].tasks[].state] | join(" ")')"
    run_bosk resume --max-time 0
    expect_status 0
}
