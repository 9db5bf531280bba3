#!/usr/bin/env bats
# The command line: plans from standard input and from -p, short forms, names, what is unknown and
# what this version does not do yet.
# shellcheck disable=SC2154,SC2016,SC2030,SC2031 # variables set by run_bosk; tests are subshells

load ../lib/flow

setup() {
    flow_setup
    make_repo
    PLAN=$SCRATCH/p.yaml
    printf 'tasks:\n  - {id: one, run: "echo one > one.txt"}\n' >"$PLAN"
}
teardown() { flow_teardown; }

# from_stdin WORDS...: as run_bosk, with this test's standard input.
from_stdin() {
    status=0
    "$BOSK_BIN" "$@" >"$OUT" 2>"$ERR" 3>&- || status=$?
    out=$(cat "$OUT") err=$(cat "$ERR")
}

@test "run -: the plan is standard input, with a file beside it, from another folder" {
    mkdir sub
    echo 'do it' >sub/prompt.txt
    from_stdin -C sub run - "$PLAN" --executor 'cat > said.txt' <<<'tasks:
  - {id: two, needs: [one], run: "echo two > two.txt"}
  - {id: three, prompt_file: prompt.txt}'
    expect_status 0
    equal "said" "$(git show "integration-$(last_sid):said.txt" | grep -cx 'do it')" 1
    git show "integration-$(last_sid):one.txt" "integration-$(last_sid):two.txt" >/dev/null
    from_stdin plan - <<<'tasks: [{id: x, run: y, nedes: [z]}]'
    expect_status 2
    expect_text '^-:1:25: task x: nedes: .*did you mean "needs"'
    from_stdin run - </dev/null
    expect_status 2
    head -c $((17 << 20)) /dev/zero | tr '\0' '#' | from_stdin plan -
    equal "sessions" "$(status_json '.sessions | length')" 1
}

@test "-p TEXT: a plan of one task" {
    run_bosk run -p 'Say "hello": #1
in a file' --executor 'cat > hello.txt'
    expect_status 0
    sid=$(last_sid)
    git show "integration-$sid:hello.txt" | grep -qxF 'Say "hello": #1'
    equal "task" "$(status_json '.sessions[0].tasks[0].id')" task
    equal "subject" "$(git log -1 --no-merges --format=%s "main..integration-$sid")" 'Say "hello": #1'
    run_bosk run -p x "$PLAN" --executor cat
    expect_status 2
    expect_text 'not both'
    run_bosk run -p ' ' --executor cat
    expect_status 2
    run_bosk run -p 'no agent'
    expect_status 2
    expect_text 'needs an agent'
    run_bosk run -n -p 'Say it' --executor 'my agent'
    expect_status 0
    expect_text 'command my agent' "$OUT"
    refute grep -q 'need an agent' "$OUT"
}

@test "a plan can be looked at before it is decided who does it; a run needs to know" {
    write_file "$SCRATCH/plan.yaml" <<<'tasks: [{id: a, prompt: x}, {id: b, prompt: y}, {id: c, run: "true"}]'
    for show in plan "run --dry-run"; do
        run_bosk $show "$SCRATCH/plan.yaml"
        expect_status 0
        equal "commands" "$(grep -c 'command (nobody: give --agent NAME, or --executor CMD)' "$OUT")" 2
        expect_text '^warning: 2 of 3 tasks need an agent: bosk run will want --agent NAME, or --executor CMD' "$OUT"
    done
    run_bosk plan --json "$SCRATCH/plan.yaml"
    expect_status 0
    equal "json" "$(jq -r '[(.tasks[] | .command // "null"), (.errors | length), (.warnings | length)] | join(" ")' "$OUT")" 'null null true 0 1'
    run_bosk run "$SCRATCH/plan.yaml"
    expect_status 2
    expect_text "plan.yaml: task a: prompt: it needs an agent"
    equal "sessions" "$(status_json '.sessions | length')" 0
}

@test "short forms, --help everywhere, nothing without a plan" {
    run_bosk run -n -q -j 2 "$PLAN"
    expect_status 0
    run_bosk -V
    expect_text '^bosk [0-9]' "$OUT"
    run_bosk -h
    expect_status 0
    for name in $("$BOSK_BIN" help | sed -n '/^commands:/,/^$/s/^  \([a-z]*\) .*/\1/p'); do
        run_bosk "$name" --help
        expect_status 0
        expect_text "^usage: bosk $name" "$OUT"
        run_bosk "$name" -h
        expect_status 0
    done
    run_bosk run
    expect_status 2
    run_bosk
    expect_status 2
    BOSK_TASK=x run_bosk run "$PLAN"
    expect_status 2
    expect_text 'inside a task'
    [ ! -d .git/bosk ]
}

@test "unknown commands, options and values name the nearest" {
    run_bosk stauts
    expect_status 2
    expect_text "did you mean 'status'"
    run_bosk run "$PLAN" --exectuor x
    expect_status 2
    expect_text "did you mean '--executor'"
    run_bosk run "$PLAN" --base=nosuch
    expect_status 2
    run_bosk help stauts
    expect_status 2
    expect_text "did you mean 'status'"
    run_bosk --qiet status
    expect_status 2
    expect_text "did you mean '--quiet'"
    run_bosk run "$PLAN" --land mrege
    expect_status 2
    run_bosk run "$PLAN" --jobs 0
    expect_status 2
    run_bosk run "$PLAN" --jobs
    expect_status 2
}

@test "without SID the only session is meant; with several they are listed; ids by prefix; from anywhere" {
    printf 'tasks:\n  - {id: red, run: "exit 1"}\n' >"$SCRATCH/q.yaml"
    run_bosk run "$PLAN"
    first=$(last_sid)
    run_bosk report
    expect_status 0
    run_bosk logs
    expect_status 0
    run_bosk run "$SCRATCH/q.yaml" -c retries=0
    expect_status 1
    second=$(last_sid)
    for name in report logs land; do
        run_bosk "$name"
        expect_status 2
        expect_text "^  $first "
        expect_text "^  $second "
    done
    run_bosk retry
    expect_status 0
    expect_text "^bosk resume $second" "$OUT"
    run_bosk report "${first:0:5}"
    expect_status 0
    expect_text "$first" "$OUT"
    run_bosk logs "$second"
    expect_status 0
    git worktree add -q "$SCRATCH/linked"
    mkdir "$SCRATCH/linked/deep"
    for dir in "$SCRATCH/linked/deep" "$REPO"; do
        run_bosk -C "$dir" diff "${first:0:5}/o"
        expect_status 0
        expect_text '^\+one$' "$OUT"
        run_bosk -C "$dir" status
        expect_text "^session $first  done" "$OUT"
        run_bosk diff -C "$dir" one --stat
        expect_status 0
    done
}
