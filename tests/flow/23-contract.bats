#!/usr/bin/env bats
# Rules that hold for every command: durations, terminals and colour, pipes that close, `--` and the
# order of words, JSON, and what a session that goes on keeps.
# shellcheck disable=SC2154,SC2016,SC2030,SC2031,SC2086 # words; variables set by run_bosk; tests are subshells

load ../lib/flow

setup() {
    flow_setup
    make_repo
    PLAN=$SCRATCH/p.yaml
    printf 'tasks:\n  - {id: one, run: "echo one > one.txt"}\n' >"$PLAN"
}
teardown() { flow_teardown; }

# on_terminal WORDS...: as run_bosk, on a terminal of its own; what it got is in $OUT.
on_terminal() {
    status=0
    SHELL=/bin/sh timeout 60 script -qec "$(printf '%q ' "$BOSK_BIN" "$@")" /dev/null >"$OUT" 2>"$ERR" </dev/null 3>&- || status=$?
    out=$(cat "$OUT") err=$(cat "$ERR")
}
escape=$'\033'

@test "durations: s, m, h and d, a bare number is seconds; anything else is refused with its place" {
    for given in 90s 5m 4h 2d 90; do
        run_bosk plan "$PLAN" -c timeout=$given -c silence=$given -c orphans.max_age=$given
        expect_status 0
        printf 'tasks: [{id: a, run: x, timeout: %s}]' "$given" >"$SCRATCH/q.yaml"
        run_bosk plan "$SCRATCH/q.yaml"
        expect_status 0
    done
    for given in 5x 1w -1 1.5h 1h30m 5M ' 5m' '5 m' m 367d 99999999999999999999; do
        run_bosk plan "$PLAN" -c "timeout=$given"
        expect_status 2
        expect_text '^-c:1:[0-9]+: timeout: must (be a duration such as 90s, 5m, 4h or 2d|not be longer than a year)'
        printf 'tasks:\n  - id: a\n    run: x\n    timeout: "%s"\n' "$given" >"$SCRATCH/q.yaml"
        run_bosk plan "$SCRATCH/q.yaml"
        expect_status 2
        expect_text 'q.yaml:4:[0-9]+: task a: timeout: must '
    done
    # Off where that has a meaning.
    run_bosk plan "$PLAN" -c timeout= -c silence=0
    expect_status 0
    run_bosk plan "$PLAN" -c orphans.max_age=0
    expect_status 2
    # And it is meant: a number is seconds, not minutes or milliseconds.
    printf 'tasks:\n  - {id: slow, timeout: 1, run: "sleep 60"}\n' >"$PLAN"
    run_bosk run "$PLAN" -c retries=0
    expect_status 1
    equal "reason" "$(task_field "$(last_sid)" slow reason | grep -cF 'no end after 1.0 s')" 1
}

@test "colour only on a terminal, without NO_COLOR, and not on a dumb one" {
    run_bosk run "$PLAN"
    expect_status 0
    unset NO_COLOR
    export TERM=xterm
    run_bosk diff one
    refute grep -q "$escape" "$OUT"
    on_terminal diff one
    expect_status 0
    grep -qF "${escape}[32m+one" "$OUT"
    NO_COLOR='' on_terminal diff one
    grep -qF "${escape}[32m+one" "$OUT"
    NO_COLOR=1 on_terminal diff one
    expect_text '^\+one' "$OUT"
    refute grep -q "$escape" "$OUT"
    TERM=dumb on_terminal diff one
    expect_text '^\+one' "$OUT"
    refute grep -q "$escape" "$OUT"
    # Of the run: a view that moves, one without colour, and lines.
    on_terminal run "$PLAN" --fresh
    expect_status 0
    grep -q "${escape}\[[0-9;]*m" "$OUT"
    NO_COLOR=1 on_terminal run "$PLAN" --fresh
    expect_status 0
    refute grep -q "${escape}\[[0-9;]*m" "$OUT"
    TERM=dumb on_terminal run "$PLAN" --fresh
    expect_status 0
    refute grep -q "$escape" "$OUT"
    expect_text 'ok +one' "$OUT"
    run_bosk run "$PLAN" --fresh
    refute grep -q "$escape" "$ERR"
}

@test "--quiet says nothing of a run that goes well; errors stay" {
    for words in '-q run' 'run -q' 'run --quiet'; do
        run_bosk $words "$PLAN" --fresh
        expect_status 0
        equal "output of $words" "$out$err" ''
    done
    run_bosk -q run "$SCRATCH/nosuch.yaml"
    expect_status 2
    expect_text 'nosuch.yaml'
}

@test "a reader that goes away ends what prints, and never a run" {
    local i
    { echo tasks:; for i in 1 2 3; do echo "  - {id: t$i, run: 'echo $i > $i.txt; seq 100000'}"; done; } >"$PLAN"
    { code=0; "$BOSK_BIN" run "$PLAN" --json 2>"$ERR" 3>&- || code=$?; echo $code >"$SCRATCH/code"; } | head -n 1 >"$SCRATCH/first"
    jq -e '.kind == "session"' "$SCRATCH/first"
    equal "exit status of the run" "$(cat "$SCRATCH/code")" 0
    equal "session" "$(status_json '.sessions[0].state')" 'done'
    for words in status 'status --json' logs 'logs t1' report 'doctor --config' help; do
        { code=0; "$BOSK_BIN" $words 2>"$ERR" 3>&- || code=$?; echo $code >"$SCRATCH/code"; } | head -n 1 >"$SCRATCH/first"
        equal "lines of $words" "$(wc -l <"$SCRATCH/first")" 1
        # All was written before the reader left, or SIGPIPE, as with any filter.
        case $(cat "$SCRATCH/code") in 0 | 141) ;; *) cat "$SCRATCH/code" "$ERR"; false ;; esac
        equal "diagnostics of $words" "$(cat "$ERR")" ''
    done
    # A place that takes nothing is an error.
    status=0
    "$BOSK_BIN" status >/dev/full 2>"$ERR" 3>&- || status=$?
    equal "status on a full device" "$status" 4
    expect_text 'cannot write to standard output'
}

@test "options before and behind the words, -- ends them, -C and -c anywhere" {
    mkdir sub
    cp "$PLAN" sub/-p.yaml
    run_bosk -C sub run -q -- -p.yaml
    expect_status 0
    run_bosk run -C sub --fresh -j1 -- -p.yaml
    expect_status 0
    run_bosk run "$PLAN" --fresh --jobs=2 -c retries=0 -v
    expect_status 0
    run_bosk -c jobs=2 plan -c jobs=1 "$PLAN" -C .
    expect_status 0
    expect_text '^worktrees 1 in' "$OUT"
    run_bosk status -- --json
    expect_status 2
    run_bosk diff --stat -- "$(last_sid)/one"
    expect_status 0
    run_bosk path one two
    expect_status 2
    expect_text '^bosk: error: usage: bosk path TASK'
    run_bosk -C "$SCRATCH/nosuch" status
    expect_status 4
}

@test "JSON: every command's has its schema, and each event is a line with the documented keys" {
    printf '  - {id: two, needs: [one], prompt: "do it"}\n' >>"$PLAN"
    run_bosk plan "$PLAN" --executor cat --json
    expect_status 0
    jq -e '.schema == 1 and .kind == "plan" and .waves == [["one"], ["two"]] and .warnings == [] and .errors == [] and
        (.tasks | length == 2) and all(.tasks[];
            (["id", "title", "needs", "wave", "worktree", "branch", "agent", "category", "checked", "unchecked",
              "total", "human", "state"] - keys == []) and
            .state == "pending" and (.wave | type == "number") and (.worktree | type == "number") and
            (.branch | type == "string") and (.agent | type == "string") and .human == [] and
            .category == null and .checked == null and .unchecked == null and .total == null) and
        .tasks[1].needs == ["one"] and .tasks[1].wave == 2' "$OUT"
    run_bosk run "$PLAN" --executor 'echo two > two.txt' --json
    expect_status 0
    equal "lines that are no event" "$(jq -R 'try (fromjson | .schema == 1 and (.kind | type == "string") and
        (.session | test("^[0-9a-f]{6}$")) and (.seq | type == "number")) catch false' "$OUT" | grep -vc true || true)" 0
    jq -es 'length > 8 and ([.[].seq] | . == (sort | unique))' "$OUT"
    for words in 'status --json' 'report --json' 'verify --json'; do
        run_bosk $words
        expect_status 0
        jq -e '.schema == 1' "$OUT"
    done
    # Everything on one line: a stream of them is JSON lines.
    run_bosk plan --json - <<<''
    expect_status 2
    jq -e '.errors | length > 0' "$OUT"
}

@test "plan: ahead and behind as last fetched, what is not committed, and changes nothing" {
    git clone -q --bare . "$SCRATCH/origin.git"
    git remote add origin "$SCRATCH/origin.git"
    git fetch -q
    git branch -q --set-upstream-to=origin/main
    git commit -q --allow-empty -m one
    git commit -q --allow-empty -m two
    echo mine >mine.txt
    run_bosk plan "$PLAN"
    expect_status 0
    expect_text '^base .*target main \(2 ahead, 0 behind origin/main as last fetched\)' "$OUT"
    expect_text '^not in it \(uncommitted' "$OUT"
    expect_text '^  \?\? mine.txt' "$OUT"
    expect_text '^  command echo one > one.txt' "$OUT"
    expect_text '^  rights ' "$OUT"
    [ ! -e .git/bosk ]
}

@test "gates and the setup find what a task finds" {
    commit_config <<YAML
worktrees: {setup: 'env >"$SCRATCH/setup-\$BOSK_SLOT"; cp "$SCRATCH/setup-\$BOSK_SLOT" "$SCRATCH/setup"'}
gates:
  - {name: look, run: 'if [ "\$BOSK_TASK" = one ]; then env >"$SCRATCH/gate"; cat "\$BOSK_TASK_FILE" >"$SCRATCH/task.json"; fi'}
YAML
    GIT_EDITOR=mine run_bosk run "$PLAN" -c verify=task
    expect_status 0
    for name in SESSION SLOT PORT WORKTREE; do
        expect_text "^BOSK_$name=." "$SCRATCH/setup"
    done
    for name in SESSION TASK TASK_FILE ATTEMPT SLOT PORT WORKTREE BRANCH BASE LOG_DIR; do
        expect_text "^BOSK_$name=." "$SCRATCH/gate"
    done
    equal "task" "$(jq -r .id "$SCRATCH/task.json")" one
    expect_text "^TMPDIR=$SCRATCH/|^TMPDIR=/" "$SCRATCH/gate"
    for file in setup gate; do refute grep -q '^GIT_EDITOR=mine' "$SCRATCH/$file"; done
}

@test "resume: --executor and --jobs count from now on, settings are those of the start" {
    printf 'tasks:\n  - {id: a, prompt: x}\n  - {id: b, prompt: x}\n' >"$PLAN"
    echo 'retries: 0' >bosk.yaml
    run_bosk run "$PLAN" --jobs 1 --executor 'echo wrong; exit 1'
    expect_status 1
    sid=$(last_sid)
    run_bosk retry
    expect_status 0
    for words in resume 'retry --run'; do
        run_bosk $words -c retries=3
        expect_status 2
        expect_text 'keeps the settings it began with'
    done
    run_bosk resume "$sid" --jobs 0
    expect_status 2
    # A bosk.yaml that has become wrong meanwhile does not count, nor does what it says.
    echo 'retires: 3' >bosk.yaml
    write_agent <<SH
#!/bin/sh
touch "$SCRATCH/at-\$BOSK_TASK"
until [ -e "$SCRATCH/at-a" ] && [ -e "$SCRATCH/at-b" ]; do sleep 0.05; done
echo done >\$BOSK_TASK.txt
SH
    run_bosk resume "$sid" -j 2 --executor "$AGENT"
    expect_status 0
    equal "a and b" "$(git ls-tree --name-only "integration-$sid" a.txt b.txt | wc -l)" 2
    run_bosk resume "$sid"
    expect_status 0
    expect_text 'nothing to resume'
}

@test "logs: -f of a gate and of what has ended; what does not go together is refused" {
    commit_config <<<'gates: [{name: lint, run: "echo looked"}]'
    run_bosk run "$PLAN" -c verify=task
    expect_status 0
    run_bosk logs -f one --gate lint
    expect_status 0
    expect_text '^looked$' "$OUT"
    run_bosk logs -f one --attempt 1
    expect_status 2
    run_bosk logs -f # all tasks, of a session that is over: nothing more comes
    expect_status 0
    [ "$out" = '' ]
    run_bosk logs one --attempt 9
    expect_status 1
    run_bosk logs one --attempt x
    expect_status 2
    run_bosk logs one --gate nosuch
    expect_status 1
    run_bosk stop
    expect_status 2
    run_bosk stop "$(last_sid)"
    expect_status 2
    expect_text 'not running|no session'
    run_bosk path one
    expect_status 1
    expect_text 'has no worktree now'
}
