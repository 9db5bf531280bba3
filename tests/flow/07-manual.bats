#!/usr/bin/env bats
# The manual pages: well formed, complete (commands, options, settings with their defaults, fields of
# plans, variables, exit codes), and their examples work.

load ../lib/flow

TOP=$BATS_TEST_DIRNAME/../..
INTERFACE=$TOP/tests/lib/interface.txt
YAML_PAGE=$TOP/tools/man/bosk.yaml.5
PLAN_PAGE=$TOP/tools/man/bosk-plan.5

setup() {
    flow_setup
    PAGE=$(dirname "$BOSK_BIN")/bosk.1
}
teardown() { flow_teardown; }

# plain: mdoc escapes taken out.
plain() { sed 's/\\-/-/g; s/\\e/\\/g; s/\\(dq/"/g; s/\\&//g'; }
# examples PAGE: its literal blocks after "Sh EXAMPLES", each in a file example.N in $SCRATCH.
examples() {
    sed -n '/^\.Sh EXAMPLES/,/^\.Sh SEE/p' "$1" | plain |
        awk -v out="$SCRATCH/example." '/^\.Bd/ {n++; on = 1; next} /^\.Ed/ {on = 0} on {print > out n}'
}

@test "the pages are well formed" {
    mandoc -Tlint -W warning "$PAGE" "$YAML_PAGE" "$PLAN_PAGE"
    mandoc -Tutf8 "$PAGE" >"$SCRATCH/text"
    grep -q 'bosk revert' "$SCRATCH/text"
}

@test "bosk(1) has every command and option of the help, the variables and the exit codes" {
    local command line got wanted
    run_bosk help
    for command in $(sed -n '/^commands:$/,/^$/s/^  \([a-z]*\) .*/\1/p' "$OUT"); do
        got=$(sed -n "/^\.Ss bosk $command\$/,/^\.S[sh] /s/^\.It .*Fl \\\\-\([^ ]*\).*/--\1/p" "$PAGE" | plain | LC_ALL=C sort)
        "$BOSK_BIN" help "$command" >"$SCRATCH/help"
        wanted=$(sed -n '/^options:$/,/^$/s/^  \(-.,\|   \) \(--[a-z-]*\).*/\2/p' "$SCRATCH/help" | LC_ALL=C sort)
        equal "options of $command" "$got" "$wanted"
        grep -qx "\.Ss bosk $command" "$PAGE"
    done
    for line in SESSION TASK TASK_FILE PROMPT_FILE RESULT_FILE ATTEMPT SLOT PORT WORKTREE BRANCH BASE LOG_DIR; do
        grep -q "^\.It Ev .*BOSK_$line\b" "$PAGE"
    done
    for line in 0 1 2 3 4 5 70 '129, 130, 143'; do grep -qx "\.It $line" "$PAGE"; done
    for line in SIGINT SIGTERM SIGHUP; do grep -q "^\.It Dv $line" "$PAGE"; done
}

@test "bosk.yaml(5) has every setting with its default, and says what this version cannot do" {
    local key
    "$BOSK_BIN" complete -c '' | sed 's/=\t/ /; s/=$//; s/ (not in this version)$//; s/ *$//' | LC_ALL=C sort >"$SCRATCH/wanted"
    sed -n '/^\.Ss Keys/,/^\.Ss Gates/s/^\.It Cm \([^ ]*\) Pq Li \(.*\)$/\1 \2/p' "$YAML_PAGE" |
        sed 's/ \\(dq\\(dq$//; s/ "\(.*\)"$/ \1/' | plain | LC_ALL=C sort >"$SCRATCH/got"
    diff -u "$SCRATCH/wanted" "$SCRATCH/got"
    for key in $("$BOSK_BIN" complete -c '' | sed -n 's/=\t.*(not in this version)$//p'); do
        sed -n "/^\.It Cm $key /,/^\.It Cm/p" "$YAML_PAGE" | sed '1!{/^\.It/d}' | tr '\n' ' ' | grep -q 'not in this version'
    done
    # The keys of a gate.
    equal 'keys of a gate' \
        "$(sed -n '/^\.Ss Gates/,/^\.S[sh] [^G]/s/^\.It Cm //p' "$YAML_PAGE" | LC_ALL=C sort | paste -sd' ')" \
        "$(sed -n '/gate_keys\[\] = /,/;/p' "$TOP/supervisor/config_maps.c" | grep -o '"[a-z]*"' | tr -d '"' | LC_ALL=C sort | paste -sd' ')"
    equal 'keys of an agent' \
        "$(sed -n '/^\.Ss Agents/,/^\.Sh/s/^\.It Cm //p' "$YAML_PAGE" | tr -s ' ,' '\n' | LC_ALL=C sort | paste -sd' ')" \
        "$(sed -n '/^} keys\[\] = /,/;/p' "$TOP/supervisor/config_agents.c" | grep -o '{"[a-z_]*"' | tr -d '{"' | LC_ALL=C sort | paste -sd' ')"
}

@test "bosk-plan(5) has every field of a task" {
    equal fields \
        "$(sed -n '/^\.Ss Fields/,/^\.S[sh] [^F]/s/^\.It Cm //p' "$PLAN_PAGE" | LC_ALL=C sort | paste -sd' ')" \
        "$(grep -o '{"[a-z_]*", *read_[a-z_]*}' "$TOP/supervisor/plan/plan_task.c" | cut -d'"' -f2 | LC_ALL=C sort | paste -sd' ')"
}

@test "the examples work" {
    make_repo Makefile src/a.c
    examples "$YAML_PAGE"
    cp "$SCRATCH/example.1" bosk.yaml
    examples "$PLAN_PAGE"
    run_bosk plan "$SCRATCH/example.1" --executor cat
    expect_status 0
    expect_text '^gates +lint, tests, security$' "$OUT"
    rm bosk.yaml
    examples "$PAGE"
    mkdir "$SCRATCH/bin"
    ln -s "$BOSK_BIN" "$SCRATCH/bin/bosk"
    PATH=$SCRATCH/bin:$PATH sh -e "$SCRATCH/example.1" >"$OUT" 2>"$ERR" </dev/null
    equal shout.txt "$(cat shout.txt)" HELLO
}
