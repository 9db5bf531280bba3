#!/usr/bin/env bats
# Plans and configurations that are wrong: refused with exit 2 and FILE:LINE:COLUMN of each fault,
# before anything is created in the repository. Ids and hostile input: 80-hostile-plans.
# shellcheck disable=SC2154,SC2016 # variables set by run_bosk; texts that only look like code

load ../lib/flow

setup() {
    flow_setup
    make_repo a.txt
    PLAN=$SCRATCH/bad.yaml
    ls_git >"$SCRATCH/git.before"
}
teardown() { flow_teardown; }

ls_git() { find "$REPO/.git" -printf '%P %s\n' | LC_ALL=C sort; }

nothing_created() {
    ls_git >"$SCRATCH/git.after"
    diff -u "$SCRATCH/git.before" "$SCRATCH/git.after" >&2
    [ ! -e "$SCRATCH/repo.worktrees" ]
}

# refused LINE PATTERN: the plan on standard input is refused; some fault is at LINE (with a column)
# and its text matches PATTERN, whatever the case.
refused() {
    cat >"$PLAN"
    run_bosk run "$PLAN" --executor true
    expect_status 2 || return
    if ! grep -E "bad\.yaml:$1:[1-9][0-9]*: " "$ERR" | grep -qiE -e "$2"; then
        printf 'no fault at line %s that says: %s\n--- plan\n' "$1" "$2" >&2
        cat -n "$PLAN" >&2
        printf '%s\n' '--- stderr' >&2
        cat "$ERR" >&2
        return 1
    fi
    nothing_created
}

@test "not a plan at all" {
    refused 1 'task' <<<'tasks: []'
    # Noticed where the file ends.
    refused 3 'flow' <<'YAML'
tasks:
  - {id: one, run: 'x'
YAML
    refused 1 'task' <<<'tasks: {one: two}'
    refused 1 '' <<<'just a text'
    refused 1 'taks|tasks' <<'YAML'
taks:
  - {id: one, run: x}
YAML
    refused 3 'tasks?.*(twice|duplicate|already|again)|(twice|duplicate|already|again).*tasks?' <<'YAML'
tasks:
  - {id: one, run: x}
tasks:
  - {id: two, run: x}
YAML
}

@test "ids" {
    refused 2 'id' <<'YAML'
tasks:
  - run: x
YAML
    refused 3 'same' <<'YAML'
tasks:
  - {id: same, run: x}
  - {id: same, run: x}
YAML
    refused 3 'case|Same' <<'YAML'
tasks:
  - {id: same, run: x}
  - {id: Same, run: x}
YAML
}

@test "what a task consists of" {
    refused 2 'prompt|run' <<'YAML'
tasks:
  - {id: one}
YAML
    refused '[234]' 'prompt|run' <<'YAML'
tasks:
  - id: one
    prompt: x
    run: y
YAML
    refused 3 'promt.*prompt' <<'YAML'
tasks:
  - id: one
    promt: do it
YAML
    refused 3 'prompt_file|nowhere' <<'YAML'
tasks:
  - id: one
    prompt_file: nowhere.md
YAML
    refused 4 'timeout' <<'YAML'
tasks:
  - id: one
    run: x
    timeout: soon
YAML
    refused 4 'priority' <<'YAML'
tasks:
  - id: one
    run: x
    priority: high
YAML
    refused 4 'exclusive' <<'YAML'
tasks:
  - id: one
    run: x
    exclusive: perhaps
YAML
    refused 4 'env' <<'YAML'
tasks:
  - id: one
    run: x
    env: [A, B]
YAML
    refused 4 'files' <<'YAML'
tasks:
  - id: one
    run: x
    files: [../outside]
YAML
    refused 4 'gate' <<'YAML'
tasks:
  - id: one
    run: x
    gates: [unknown]
YAML
}

@test "needs" {
    refused 4 'nobody' <<'YAML'
tasks:
  - id: one
    run: x
    needs: [nobody]
YAML
    # A near miss is named.
    refused 3 'gret.*greet' <<'YAML'
tasks:
  - {id: greet, run: x}
  - {id: two, run: x, needs: [gret]}
YAML
    refused 2 'one' <<'YAML'
tasks:
  - {id: one, run: x, needs: [one]}
YAML
    # A cycle is shown with the tasks in it.
    refused '[234]' 'aa.*bb.*cc|aa.*cc.*bb|bb.*aa.*cc|bb.*cc.*aa|cc.*aa.*bb|cc.*bb.*aa' <<'YAML'
tasks:
  - {id: aa, run: x, needs: [cc]}
  - {id: bb, run: x, needs: [aa]}
  - {id: cc, run: x, needs: [bb]}
  - {id: dd, run: x, needs: [cc]}
YAML
}

@test "everything wrong is listed at once" {
    refused 3 'promt' <<'YAML'
tasks:
  - id: one
    promt: x
  - id: two
    run: x
    needs: [nobody]
  - id: two
    run: x
    timeout: never
YAML
    expect_text 'bad\.yaml:6:[0-9]+: .*nobody'
    expect_text 'bad\.yaml:7:[0-9]+: .*two'
    expect_text 'bad\.yaml:9:[0-9]+: .*timeout'
}

@test "plan --json lists the faults as data" {
    cat >"$PLAN" <<'YAML'
tasks:
  - id: one
    promt: x
YAML
    run_bosk plan --json "$PLAN"
    expect_status 2
    jq -e '.schema == 1 and (.errors | length > 0)' "$OUT"
    jq -e '.errors[] | select(.key == "promt") | .line == 3 and .column >= 1 and .task == "one" and (.file | endswith("bad.yaml")) and (.message | length > 0)' "$OUT"
    nothing_created
}

@test "plan shows a good plan and changes nothing" {
    cat >"$PLAN" <<'YAML'
tasks:
  - {id: one, run: x}
  - {id: two, run: x, needs: [one]}
  - {id: three, run: x, needs: [one, two]}
YAML
    run_bosk plan --json "$PLAN"
    expect_status 0
    jq -e '.schema == 1 and .kind == "plan" and .errors == [] and
        ([.tasks[].id] == ["one", "two", "three"]) and ([.tasks[].wave] == [1, 2, 3]) and
        (.tasks[2].needs == ["one", "two"]) and .waves == [["one"], ["two"], ["three"]]' "$OUT"
    nothing_created
    run_bosk run --dry-run "$PLAN"
    expect_status 0
    nothing_created
    run_bosk plan "$PLAN"
    expect_status 0
    expect_text 'three' "$OUT"
    nothing_created
}

@test "no such plan, no plan, an unknown option, a prompt without an agent" {
    run_bosk run "$SCRATCH/absent.yaml" --executor true
    expect_status 2
    expect_text 'absent\.yaml'
    nothing_created
    run_bosk run
    expect_status 2
    nothing_created
    run_bosk run --jbos 3 "$PLAN"
    expect_status 2
    expect_text 'jbos'
    nothing_created
    run_bosk frobnicate
    expect_status 2
    expect_text 'frobnicate'
    nothing_created
    run_bosk run --jobs 0 "$PLAN"
    expect_status 2
    printf 'tasks:\n  - {id: one, prompt: x}\n' >"$PLAN"
    run_bosk run "$PLAN"
    expect_status 2
    expect_text 'agent'
    nothing_created
}

@test "configuration: unknown keys name the nearest known one, wrong values are said with their place" {
    printf 'tasks:\n  - {id: one, run: "echo x > x.txt"}\n' >"$PLAN"
    # wrong LINE PATTERN: bosk.yaml from standard input.
    wrong() {
        cat >bosk.yaml
        run_bosk run "$PLAN"
        expect_status 2
        if ! grep -E "bosk\.yaml:$1:[1-9][0-9]*: " "$ERR" | grep -qE -e "$2"; then
            cat bosk.yaml "$ERR" >&2
            return 1
        fi
        nothing_created
    }
    wrong 1 'jbos.*jobs' <<<'jbos: 3'
    wrong 2 'jobs' <<'YAML'
retries: 1
jobs: many
YAML
    wrong 2 'free_dsk.*free_disk' <<'YAML'
limits:
  free_dsk: 1GiB
YAML
    wrong 1 'verify' <<<'verify: sometimes'
    wrong 2 'run|builtin' <<'YAML'
gates:
  - {name: tests}
YAML
    wrong 3 'tests' <<'YAML'
gates:
  - {name: tests, run: x}
  - {name: tests, run: y}
YAML
    rm bosk.yaml
    run_bosk run "$PLAN" -c jbos=3
    expect_status 2
    expect_text 'jbos'
    nothing_created
    BOSK_CONFIG_JOBS=many run_bosk run "$PLAN"
    expect_status 2
    expect_text 'BOSK_CONFIG_JOBS'
    nothing_created
}

@test "what a plan says is never a shell's, a path's or an option's" {
    local sid
    printf '%s\n' 'tasks:' "  - {id: one, title: '--force \$(touch $SCRATCH/pwned) ; \`touch $SCRATCH/pwned\`', run: 'echo x > x.txt'}" >"$PLAN"
    run_bosk run "$PLAN"
    expect_status 0
    [ ! -e "$SCRATCH/pwned" ]
    sid=$(last_sid)
    git log -1 --format=%s "integration-$sid" | grep -qF -- '--force $(touch'
}
