#!/usr/bin/env bats
# The manual pages: well formed, complete (commands, options, settings with their defaults, fields of
# plans, variables, exit codes); the example of an agent. (08-pages runs the others.)

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

@test "bosk.yaml(5) has every setting with its default" {
    "$BOSK_BIN" complete -c '' | sed 's/=\t/ /; s/=$//; s/ *$//' | LC_ALL=C sort >"$SCRATCH/wanted"
    sed -n '/^\.Ss Keys/,/^\.Ss Gates/s/^\.It Cm \([^ ]*\) Pq Li \(.*\)$/\1 \2/p' "$YAML_PAGE" |
        sed 's/ \\(dq\\(dq$//; s/ "\(.*\)"$/ \1/' | plain | LC_ALL=C sort >"$SCRATCH/got"
    diff -u "$SCRATCH/wanted" "$SCRATCH/got"
    refute grep -q 'not in this version' "$YAML_PAGE"
    refute grep -q 'not in this version' "$PLAN_PAGE"
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

@test "the example of an agent works: what it says of itself, its limit, its conversation" {
    make_repo a.txt
    examples "$YAML_PAGE"
    mkdir -p "$SCRATCH/bin" "$HOME/.config/bosk"
    { echo 'limits: {free_disk: 0, free_memory: 0, max_wait: 1h}'; cat "$SCRATCH/example.2"; } >"$HOME/.config/bosk/config.yaml"
    write_file "$SCRATCH/bin/my-agent" <<'SH'
#!/bin/sh
case $* in
--version) echo my-agent 1 && exit ;;
"run --json --yes-to-all" | "run --json --yes-to-all --schema /"*) id=c-$BOSK_TASK ;;
"continue c-$BOSK_TASK --json --yes-to-all") id=$2 ;;
*) echo "usage: my-agent run|continue, not $*" >&2 && exit 2 ;;
esac
cat >/dev/null
echo '{"type":"start","conversation":{"id":"'"$id"'"}}'
say() { echo '{"type":"say","role":"assistant","parts":[{"text":"'"$1"'"}]}'; }
case $BOSK_TASK in
used-up) echo '{"type":"error","code":429,"message":"usage limit: try again in 1 day 2 hours"}' && exit 1 ;;
sleeps) echo 'out of quota, waiting 7200 s' >&2 && exec sleep 300 ;;
esac
if [ "$1" = run ] && [ "$BOSK_TASK" = bad ]; then
    say 'no result'
else
    echo hello >"$BOSK_TASK.txt"
    say 'I think. '
    echo '{"type":"tool"}'
    say '{\\"status\\": \\"completed\\", \\"summary\\": \\"done\\", '
    say '\\"files_modified\\": [], \\"blockers\\": []}'
fi
[ "$1" = run ] && usd=0.25 in=200 || usd=0.75 in=500
echo '{"type":"end","status":"done","so_far":{"tokens":['$in',40,7],"usd":'$usd'}}'
SH
    chmod +x "$SCRATCH/bin/my-agent"
    export PATH=$SCRATCH/bin:$PATH
    for id in good bad used-up; do printf '  - {id: %s, agent: my-agent, prompt: "do it"}\n' "$id"; done | sed '1i tasks:' >"$SCRATCH/p.yaml"
    run_bosk doctor
    expect_text 'my-agent 1' "$OUT"
    run_bosk run "$SCRATCH/p.yaml" --jobs 1
    expect_status 3
    expect_text 'account my-company is limited until .* \(in 2[67] h'
    # Its form was asked for once more, in the same conversation, whose costs are sums.
    equal tasks "$(status_json '[.sessions[0].tasks[] | "\(.id) \(.state) \(.input_tokens) \(.cost_usd)"] | join(", ")')" \
        'good integrated 200 0.25, bad integrated 500 0.75, used-up limited 0 null'
    # It would sleep for two hours: it is ended, and that is a limit.
    sed -i 's/account: my-company/account: another/' "$HOME/.config/bosk/config.yaml"
    printf 'tasks:\n  - {id: sleeps, agent: my-agent, prompt: "do it"}\n' >"$SCRATCH/p.yaml"
    run_bosk run "$SCRATCH/p.yaml" -c limits.max_wait=1s
    expect_status 3
    expect_text 'account another is limited until'
}
