#!/usr/bin/env bats
# Looking from another terminal, while a session runs and after: status and its JSON, logs, diff,
# path, stop, report; and sessions whose owner has died.
# shellcheck disable=SC2154,SC2016,SC2030,SC2031 # variables of helpers; conditions for wait_until; tests are subshells

load ../lib/flow

setup() {
    flow_setup
    make_repo a.txt
    commit_config <<'YAML'
retries: 0
gates:
  - {name: lint, run: 'echo looking; test ! -e bad.txt'}
YAML
    PLAN=$SCRATCH/p.yaml
    write_file "$PLAN" <<'YAML'
tasks:
  - {id: greet, title: Say hello, run: 'echo said; echo hello > hello.txt'}
  - id: shout
    needs: [greet]
    prompt: shout
  - {id: bad, run: 'echo half > half.txt; echo this is why; exit 3'}
  - {id: after-bad, needs: [bad], run: 'echo x > x.txt'}
YAML
    # Shouts, then waits until the test lets it go.
    write_agent <<SH
#!/bin/sh
tr a-z A-Z < hello.txt > t && mv t hello.txt
echo working on it
touch "$SCRATCH/working"
until test -e "$SCRATCH/go"; do sleep 0.05; done
SH
}
teardown() { flow_teardown; }

# Started, with greet integrated, bad failed, and shout at work; its session in $sid.
at_work() {
    start_bosk run "$PLAN" --jobs 2 --executor "$AGENT"
    wait_until "[ -e '$SCRATCH/working' ]" 60
    sid=$(last_sid)
    wait_until 'status_json ".sessions[0].tasks[] | select(.id == \"bad\") | .state == \"failed\"" >/dev/null' 60
}
finish_run() {
    touch "$SCRATCH/go"
    wait_bosk
}
# Another terminal's output must not overwrite that of the run in the background.
look() {
    # shellcheck disable=SC2034 # used by run_bosk
    local OUT=$SCRATCH/look.out ERR=$SCRATCH/look.err
    run_bosk "$@"
}
looked() { expect_text "$1" "$SCRATCH/look.out"; }

# The keys and types of interface.md, exactly: a missing or renamed key fails.
SHAPE='
def is(t): type == t;
def opt(t): type == "null" or type == t;
def oid: type == "string" and test("^[0-9a-f]{40}$");
def stamp: type == "string" and test("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$");
def has_all($keys): . as $o | all($keys[]; . as $k | $o | has($k));
has_all(["schema", "repository", "accounts", "sessions"]) and .schema == 1 and
(.repository | is("string") and startswith("/")) and (.accounts | is("array")) and
(.sessions | is("array") and length > 0) and
all(.sessions[];
    has_all(["id", "state", "pid", "started_at", "workflow", "queue", "integration_branch", "integration_tip",
        "base", "target", "land", "final_gates", "waiting_for", "until", "counts", "worktrees", "tasks"]) and
    (.id | test("^[0-9a-f]{6}$")) and
    (.state | IN("running", "interrupted", "stopped", "limited", "done", "failed")) and
    (.pid | opt("number")) and ((.pid != null) == (.state == "running")) and
    (.started_at | stamp) and .workflow == "plan" and (.queue | test("^QUE-[0-9]{14}")) and
    .integration_branch == "integration-" + .id and (.integration_tip | oid) and (.base | oid) and
    (.target | is("string")) and (.land | IN("keep", "merge", "pr")) and
    (.waiting_for | opt("string")) and (.until | type == "null" or stamp) and
    (.counts | is("object")) and .counts.total == (.tasks | length) and
    all(.counts[]; . > 0) and (.counts | ([del(.total)[]] | add) == .total) and
    all(.worktrees[]; (.n | is("number") and . >= 1) and (.path | startswith("/")) and (.task | opt("string"))) and
    all(.tasks[];
        has_all(["id", "state", "attempts", "branch", "commit", "merge", "gates", "reason", "worktree", "seconds", "log"]) and
        (.id | is("string")) and
        (.state | IN("pending", "running", "integrated", "landed", "failed", "blocked", "conflict", "limited",
            "skipped", "routed", "cancelled", "reverted")) and
        (.attempts | is("number")) and (.branch | opt("string")) and
        (.commit | type == "null" or oid) and (.merge | type == "null" or oid) and
        (.gates | is("object")) and all(.gates[]; IN("pass", "fail", "timeout", "could-not-run", "skipped")) and
        (.reason | opt("string")) and (.worktree | opt("number")) and (.seconds | opt("number")) and
        (.log | type == "null" or (is("string") and startswith("/")))))
'

@test "a session of very many tasks is counted, and what needs a look is listed" {
    local sid i
    {
        echo 'tasks:'
        echo "  - {id: bad, run: 'echo wrong; exit 3'}"
        echo "  - {id: good, run: 'echo x > x.txt'}"
        for ((i = 0; i < 1200; i++)); do echo "  - {id: t$i, run: 'true', needs: [bad]}"; done
    } >"$SCRATCH/large.yaml"
    run_bosk run "$SCRATCH/large.yaml" -c retries=0
    expect_status 1
    sid=$(last_sid)
    "$BOSK_BIN" status >"$SCRATCH/text"
    grep -q "^session $sid  failed  1202 tasks: 1 integrated, 1 failed, 1200 skipped\$" "$SCRATCH/text"
    grep -qE '^ +bad +failed .*exit 3' "$SCRATCH/text"
    grep -q 'bosk status --json has all' "$SCRATCH/text"
    equal "lines" "$(wc -l <"$SCRATCH/text")" 4
    equal "in JSON" "$(status_json '.sessions[0].tasks | length')" 1202
}

@test "status --json has the documented shape while running and after" {
    at_work
    look status --json
    jq -e "$SHAPE" "$SCRATCH/look.out"
    equal "repository" "$(jq -r .repository "$SCRATCH/look.out")" "$REPO"
    equal "state" "$(jq -r '.sessions[0].state' "$SCRATCH/look.out")" running
    equal "pid" "$(jq -r '.sessions[0].pid' "$SCRATCH/look.out")" "$bosk_pid"
    equal "base" "$(jq -r '.sessions[0].base' "$SCRATCH/look.out")" "$(git rev-parse main)"
    equal "target" "$(jq -r '.sessions[0].target' "$SCRATCH/look.out")" main
    equal "tip" "$(jq -r '.sessions[0].integration_tip' "$SCRATCH/look.out")" "$(git rev-parse "integration-$sid")"
    equal "counts" "$(jq -c '.sessions[0].counts | to_entries | sort_by(.key) | from_entries' "$SCRATCH/look.out")" \
        '{"failed":1,"integrated":1,"running":1,"skipped":1,"total":4}'
    equal "order of tasks" "$(jq -c '[.sessions[0].tasks[].id]' "$SCRATCH/look.out")" '["greet","shout","bad","after-bad"]'
    equal "gates" "$(jq -c '.sessions[0].tasks[0].gates' "$SCRATCH/look.out")" '{"lint":"pass"}'
    equal "worktrees" "$(jq '.sessions[0].worktrees | length' "$SCRATCH/look.out")" 2
    local n path
    n=$(jq -r '.sessions[0].tasks[1].worktree' "$SCRATCH/look.out")
    path=$(jq -r --argjson n "$n" '.sessions[0].worktrees[] | select(.n == $n) | .path' "$SCRATCH/look.out")
    equal "content of the worktree at work" "$(cat "$path/hello.txt")" HELLO
    finish_run
    expect_status 1
    look status --json "$sid"
    jq -e "$SHAPE" "$SCRATCH/look.out"
    equal "state" "$(jq -r '.sessions[0].state' "$SCRATCH/look.out")" failed
    equal "counts" "$(jq -c '.sessions[0].counts | to_entries | sort_by(.key) | from_entries' "$SCRATCH/look.out")" \
        '{"failed":1,"integrated":2,"skipped":1,"total":4}'
}

@test "status without sessions, with an unknown one, and as text" {
    look status --json
    expect_status 0
    jq -e '.schema == 1 and .sessions == []' "$SCRATCH/look.out"
    [ ! -e .git/bosk ]
    look status zzzzzz
    expect_status 2
    at_work
    look status
    expect_status 0
    looked "$sid"
    looked 'shout.*running|running.*shout'
    looked 'bad.*failed|failed.*bad'
    finish_run
}

@test "logs, diff and path: from anywhere in the repository, by task or by session and task" {
    at_work
    look logs greet
    expect_status 0
    looked '^said$'
    look logs "$sid/bad"
    looked 'this is why'
    look logs greet --gate lint
    looked '^looking$'
    look logs shout
    looked 'working on it'
    look logs
    looked 'greet.*said'
    look logs nobody
    expect_status 2
    look diff greet
    expect_status 0
    looked '^\+hello$'
    look diff shout
    expect_status 0
    looked '^\+HELLO$'
    look path shout
    expect_status 0
    local tree
    tree=$(cat "$SCRATCH/look.out")
    equal "content" "$(cat "$tree/hello.txt")" HELLO
    # What is new there shows too, and the task's own index is left as it is.
    echo brand-new >"$tree/new.txt"
    git -C "$tree" status --porcelain >"$SCRATCH/status"
    look diff shout
    looked '^\+brand-new$'
    equal "index" "$(git -C "$tree" status --porcelain)" "$(cat "$SCRATCH/status")"
    rm "$tree/new.txt"
    look path greet
    [ "$status" != 0 ]
    finish_run
    look diff shout
    looked '^\+HELLO$'
}

@test "logs -f follows and ends with the task" {
    at_work
    "$BOSK_BIN" logs -f shout >"$SCRATCH/follow" 2>&1 </dev/null 3>&- &
    local follower=$!
    wait_until 'grep -q "working on it" "$SCRATCH/follow"' 20
    finish_run
    wait_until "! alive $follower" 20
    wait "$follower"
}

@test "logs -f of a session: whole lines of every task, with its name, until the session ends" {
    mkfifo "$SCRATCH/first" "$SCRATCH/second"
    write_file "$SCRATCH/both.yaml" <<YAML
tasks:
  - {id: left, run: "printf half; read x <'$SCRATCH/first'; echo ' and half'; echo l >l"}
  - {id: right, run: "echo right now; read x <'$SCRATCH/second'; echo r >r; echo done"}
  - {id: last, needs: [left], run: "echo at last; echo x >x"}
YAML
    start_bosk run "$SCRATCH/both.yaml" --jobs 2
    wait_until '[ "$(status_json ".sessions[0].tasks[] | select(.state == \"running\") | .id" | wc -l)" = 2 ]' 30
    "$BOSK_BIN" logs -f >"$SCRATCH/follow" 2>&1 </dev/null 3>&- &
    local follower=$!
    wait_until 'grep -q "^right | right now$" "$SCRATCH/follow"' 20
    ! grep -q half "$SCRATCH/follow" # the line is not whole
    echo >"$SCRATCH/first"
    wait_until 'grep -q "^left | half and half$" "$SCRATCH/follow"' 20
    wait_until 'grep -q "^last | at last$" "$SCRATCH/follow"' 20
    echo >"$SCRATCH/second"
    wait_bosk
    expect_status 0
    wait_until "! alive $follower" 20
    wait "$follower"
    grep -q '^right | done$' "$SCRATCH/follow"
}

@test "stop from another terminal: the running task finishes, the rest waits for a resume" {
    printf '  - {id: later, needs: [shout], run: "echo later > later.txt"}\n' >>"$PLAN"
    at_work
    look stop
    expect_status 0
    touch "$SCRATCH/go"
    wait_bosk
    equal "session" "$(status_json '.sessions[0].state')" stopped
    equal "shout" "$(task_field "$sid" shout state)" integrated
    equal "later" "$(task_field "$sid" later state)" pending
    [ "$status" != 0 ]
    expect_text "bosk resume" "$ERR"
    run_bosk resume
    expect_status 1
    equal "later" "$(git show "integration-$sid:later.txt")" later
}

@test "stop --now: agents end, their work is saved" {
    at_work
    look stop --now "$sid"
    expect_status 0
    wait_until "! alive $bosk_pid" 30
    wait_bosk
    assert_no_strays "$sid"
    equal "session" "$(status_json '.sessions[0].state')" stopped
    equal "shout" "$(task_field "$sid" shout state)" pending
    git for-each-ref --format='%(refname)' refs/heads/bosk refs/bosk | while read -r ref; do
        git show "$ref:hello.txt" 2>/dev/null || true
    done | grep -qx HELLO
}

@test "report: what landed, what needs somebody and why, as text and as data" {
    at_work
    finish_run
    local report
    look report
    expect_status 0
    looked 'greet'
    looked 'shout'
    looked 'bad'
    looked 'after-bad'
    looked "integration-$sid"
    look report --json "$sid"
    expect_status 0
    report=$SCRATCH/look.out
    jq -e . "$report" >/dev/null
    equal "schema" "$(jq .schema "$report")" 1
    local id
    for id in greet shout bad after-bad; do
        jq -e --arg id "$id" '[.. | strings | select(. == $id)] | length > 0' "$report" >/dev/null
    done
}

@test "status answers within 1 s while the session is running, frozen or dead" {
    at_work
    local how start
    for how in running frozen dead; do
        case $how in
        frozen) kill -STOP "$bosk_pid" ;;
        dead) kill -KILL "$bosk_pid" ;;
        esac
        start=${EPOCHREALTIME/[.,]/}
        FLOW_LIMIT=10 look status --json
        expect_status 0
        # The promise says 1 s; the rest is for a busy machine and the sanitizers.
        [ $((${EPOCHREALTIME/[.,]/} - start)) -lt 5000000 ]
        wait_until 'status_json ".sessions | length == 1" >/dev/null' 5
    done
    wait_bosk || true
    equal "state" "$(status_json '.sessions[0].state')" interrupted
}

@test "a frozen session is not dead: nobody resumes it; a second run reports a dead one" {
    at_work
    local two
    kill -STOP "$bosk_pid"
    look resume "$sid"
    expect_status 5
    kill -CONT "$bosk_pid"
    kill -KILL "$bosk_pid"
    wait_bosk || true
    two=$SCRATCH/two.yaml
    printf 'tasks:\n  - {id: other, run: "echo other > other.txt"}\n' >"$two"
    look run "$two"
    expect_status 0
    expect_text "$sid" "$SCRATCH/look.err"
    expect_text "bosk resume" "$SCRATCH/look.err"
    # And leaves it and its work as it is.
    equal "state" "$(status_json ".sessions[] | select(.id == \"$sid\") | .state")" interrupted
    git rev-parse -q --verify "integration-$sid" >/dev/null
    touch "$SCRATCH/go"
    look resume "$sid"
    expect_status 1
    assert_once "$REPO" "$sid" main greet shout
}

@test "two sessions side by side on one repository" {
    local sids a b
    for a in 1 2; do
        { echo 'tasks:'; for b in 1 2 3 4; do printf '  - {id: t%s, run: "echo %s > s%s-t%s.txt"}\n' $b $b $a $b; done; } >"$SCRATCH/side$a.yaml"
        "$BOSK_BIN" run "$SCRATCH/side$a.yaml" --jobs 2 >"$SCRATCH/side$a.out" 2>&1 </dev/null 3>&- &
        eval "local pid$a=$!"
    done
    wait "$pid1"
    wait "$pid2"
    mapfile -t sids < <(status_json '.sessions[].id')
    equal "sessions" "${#sids[@]}" 2
    for a in "${sids[@]}"; do
        assert_once "$REPO" "$a" main t1 t2 t3 t4
        equal "files" "$(git diff --name-only main "integration-$a" | wc -l)" 4
        assert_no_strays "$a"
    done
    assert_no_worktrees "$REPO"
    # Several could be meant: they are listed.
    look report
    [ "$status" = 2 ] && expect_text "${sids[0]}" "$SCRATCH/look.err" || expect_status 0
}

@test "version, help and every command's --help" {
    local name
    look version
    expect_status 0
    looked '^bosk [0-9]+\.[0-9]+'
    look --version
    expect_status 0
    look help
    expect_status 0
    for name in run plan resume status logs diff path stop land report; do
        looked "\\b$name\\b"
        "$BOSK_BIN" "$name" --help >"$SCRATCH/help" 2>&1 3>&-
        expect_text "bosk $name" "$SCRATCH/help"
        "$BOSK_BIN" help "$name" >"$SCRATCH/help" 2>&1 3>&-
        expect_text "bosk $name" "$SCRATCH/help"
    done
    [ ! -e .git/bosk ]
}
