#!/usr/bin/env bats
# Agents as data, as a user sees them: named, shown with their exact command line and rights, probed, refused; who may give
# all rights; what `wrap` puts before the gates.
# shellcheck disable=SC2154,SC2016,SC2030,SC2031 # variables set by run_bosk; tests are subshells

load ../lib/flow

setup() {
    flow_setup
    make_repo
    # No agent of this machine is ever started.
    mkdir "$SCRATCH/bin"
    bwrap=$(command -v bwrap || true)
    PATH=$SCRATCH/bin:/usr/bin:/bin
    printf 'tasks:\n  - {id: one, prompt: say one}\n  - {id: two, run: "echo two >two.txt"}\n' >"$SCRATCH/p.yaml"
    printf 'tasks:\n  - {id: two, run: "echo two >two.txt"}\n' >"$SCRATCH/run.yaml"
}
teardown() { flow_teardown; }

# program NAME TEXT: a program on the PATH.
program() {
    printf '#!/bin/sh\n%s\n' "$2" >"$SCRATCH/bin/$1"
    chmod +x "$SCRATCH/bin/$1"
}
# user_config: standard input is added to the user's own configuration.
user_config() { cat >>"$HOME/.config/bosk/config.yaml"; }
# on_terminal ANSWER WORDS...: bosk on a terminal, where ANSWER is typed, then the end of input.
on_terminal() {
    local answer=$1
    shift
    status=0
    printf '%b' "$answer" | SHELL=/bin/sh timeout 60 script -qec "exec '$BOSK_BIN' $*" "$SCRATCH/typescript" \
        >"$OUT" 2>"$ERR" 3>&- || status=$?
    out=$(tr -d '\r' <"$OUT") err=$(cat "$ERR")
    tr -d '\r' <"$SCRATCH/typescript" >"$OUT"
}

@test "plan: the exact command line and the rights of each task's agent" {
    for name in claude codex gemini; do program "$name" 'exit 1'; done
    cat >"$SCRATCH/q.yaml" <<'EOT'
tasks:
  - {id: one, prompt: a}
  - {id: two, prompt: a, agent: codex}
  - {id: three, prompt: a, agent: codex, model: big}
  - {id: four, prompt: a, model: wise}
  - {id: five, run: "true"}
EOT
    cat >bosk.yaml <<'EOT'
agent: mine
models: {wise: {agent: gemini, model: g-2}}
agents:
  mine:
    extends: claude
    wrap: [sh, -c, 'exec "$@"', sandbox]
    model: small
EOT
    run_bosk plan "$SCRATCH/q.yaml"
    expect_status 0
    equal warnings "$err" ''
    equal agents "$(grep '^  agent ' "$OUT" | tr -s ' ' | cut -d, -f1 | xargs)" 'agent mine agent codex agent codex agent gemini'
    expect_text "^  command sh -c 'exec \"\\\$@\"' sandbox claude -p .*--permission-mode dontAsk .*--model small" "$OUT"
    expect_text '^  command codex exec .*-s workspace-write .*-C <cwd> --output-schema <schema_file> .*-$' "$OUT"
    expect_text '^  command codex exec .*-m big' "$OUT"
    expect_text '^  command gemini .*-m g-2' "$OUT"
    expect_text '^  command true$' "$OUT"
    expect_text "^  rights  .*codex's own sandbox" "$OUT"
    refute grep -E 'bypass|yolo|skip-permissions' "$OUT"

    run_bosk plan "$SCRATCH/q.yaml" --autonomy full --json
    expect_status 0
    equal full "$(jq -r '[.tasks[] | .autonomy // "-"] | join(" ")' "$OUT")" 'full full full full -'
    jq -e '.tasks[1].argv | index("--dangerously-bypass-approvals-and-sandbox")' "$OUT"
    jq -e '.tasks[0].argv[:5] == ["sh", "-c", "exec \"$@\"", "sandbox", "claude"]' "$OUT"
    jq -e '.tasks[1].command | startswith("codex exec --json")' "$OUT"
    jq -e '.tasks[1].rights | test("any command")' "$OUT"
    run_bosk plan "$SCRATCH/q.yaml" --autonomy some
    expect_status 2
    # A command of the call stands for all of them.
    run_bosk plan "$SCRATCH/q.yaml" --executor 'my-agent --batch' --json
    equal command "$(jq -r '.tasks[0].command' "$OUT")" 'my-agent --batch'
    equal limit "$(jq -r '.tasks[1].limit' "$OUT")" 7200
}

@test "what is wrong with an agent is said with its place, before anything starts" {
    cat >bosk.yaml <<'EOT'
agents:
  one:
    argv: [x, "{modl}"]
    okay: exit 0
  two:
    extends: codx
  three:
    argv: [x]
    fail:
      - "limt: exit 75"
EOT
    run_bosk run "$SCRATCH/p.yaml"
    expect_status 2
    expect_text 'bosk.yaml:4:5: agents: an agent has no key "okay"'
    expect_text 'bosk.yaml:6:14: agents: two: extends: there is no agent codx; did you mean "codex"\?'
    expect_text 'bosk.yaml:(9|10):.*agents: three: fail, item 1'
    run_bosk run "$SCRATCH/p.yaml" -c 'agents={one: {okay: x}}'
    expect_text '^-c:'
    rm bosk.yaml
    run_bosk run "$SCRATCH/p.yaml" --agent gemni
    expect_status 2
    expect_text '--agent: there is no agent gemni; did you mean "gemini"\?'
    run_bosk run "$SCRATCH/p.yaml" -c agent=clade
    expect_status 2
    expect_text 'agent: there is no agent clade; did you mean "claude"\?'
    run_bosk run "$SCRATCH/p.yaml"
    expect_status 2
    expect_text 'task one: prompt: it needs an agent: give --agent NAME, or --executor CMD'
    run_bosk run "$SCRATCH/p.yaml" --agent shell
    expect_status 2
    expect_text 'task one: agent: agent shell runs a shell command .* --executor CMD'
    [ ! -d .git/bosk ]
}

@test "an agent whose program is not there: plan warns, run starts nothing" {
    run_bosk plan "$SCRATCH/p.yaml" --agent codex
    expect_status 0
    expect_text 'warning: task one: agent codex cannot be started: its program codex is not on the PATH' "$OUT"
    run_bosk run "$SCRATCH/p.yaml" --agent codex
    expect_status 4
    expect_text 'task one: agent codex cannot be started: its program codex is not on the PATH. Install it'
    [ ! -d .git/bosk ]
    run_bosk run "$SCRATCH/p.yaml" --agent codex -c 'agents={codex: {wrap: [/nowhere/srun, -n1]}}'
    expect_status 4
    expect_text 'its wrap /nowhere/srun is not there'
    # Nobody needs it who has a command, or only commands.
    run_bosk run "$SCRATCH/run.yaml" --agent codex
    expect_status 0
}

@test "all rights: from the user's configuration or the option, never from the repository" {
    program codex 'exit 1'
    echo 'agents: {codex: {autonomy: full}}' >bosk.yaml
    run_bosk plan "$SCRATCH/p.yaml" --agent codex
    expect_status 0
    expect_text 'bosk.yaml:1: autonomy: full of agent codex is left out.*--autonomy full, or .*config.yaml'
    expect_text '^  command codex exec .*workspace-write' "$OUT"
    rm bosk.yaml
    for given in 'agents={codex: {autonomy: full}}'; do
        run_bosk plan "$SCRATCH/p.yaml" --agent codex -c "$given"
        equal warning "$err" ''
        expect_text '^  command codex exec .*dangerously' "$OUT"
    done
    BOSK_CONFIG_AGENTS='{codex: {autonomy: full}}' run_bosk plan "$SCRATCH/p.yaml" --agent codex
    expect_text '^  command codex exec .*dangerously' "$OUT"
    user_config <<<'agents: {codex: {autonomy: full}}'
    run_bosk plan "$SCRATCH/p.yaml" --agent codex
    expect_text '^  command codex exec .*dangerously' "$OUT"
    expect_text '^  rights  .*any command' "$OUT"
    # One that the repository makes of it has them not.
    echo 'agents: {theirs: {extends: codex}}' >bosk.yaml
    run_bosk plan "$SCRATCH/p.yaml" --agent theirs
    expect_text '^  command codex exec .*workspace-write' "$OUT"
}

@test "--autonomy full: asked once on a terminal; no and the end of input start nothing" {
    for answer in 'n\n' '\n' ''; do
        on_terminal "$answer" run "$SCRATCH/run.yaml" --autonomy full
        expect_status 2
        expect_text 'agents may do whatever you may.*\[y/N\]' "$OUT"
        expect_text 'nothing was started' "$OUT"
        [ ! -d .git/bosk ]
    done
    on_terminal 'y\n' run "$SCRATCH/run.yaml" --autonomy full
    expect_status 0
    equal asked "$(grep -c 'y/N' "$OUT")" 1
    run_bosk status
    expect_text '; autonomy full' "$OUT"
}

@test "--autonomy full is kept with the session, and resume can add it" {
    write_agent <<'EOT'
#!/bin/sh
[ -e "$SCRATCH/go" ] || { touch "$SCRATCH/began"; sleep 600; }
echo one >one.txt
EOT
    export SCRATCH
    for first in '' '--autonomy full'; do
        rm -f "$SCRATCH/began" "$SCRATCH/go"
        # shellcheck disable=SC2086
        start_bosk run --fresh "$SCRATCH/p.yaml" --jobs 1 --executor "$AGENT" $first
        wait_until "[ -e '$SCRATCH/began' ]"
        run_bosk stop --now
        wait_bosk
        touch "$SCRATCH/go"
        if [ "$first" ]; then
            run_bosk resume
        else
            run_bosk resume --autonomy some
            expect_status 2
            run_bosk resume --autonomy full
        fi
        expect_status 0
        run_bosk status "$(last_sid)"
        expect_text '; autonomy full' "$OUT"
    done
}

@test "doctor probes the agents that are here, and says what is wrong" {
    program codex 'echo "codex-cli 1.2.3"'
    program claude 'echo "no such library" >&2; exit 3'
    user_config <<<'agents: {mine: {argv: [/nowhere/mine]}, codex: {autonomy: full}}'
    run_bosk doctor
    expect_status 0
    expect_text '^ok +agent codex: codex-cli 1\.2\.3$' "$OUT"
    expect_text '^ +command codex exec .*dangerously' "$OUT"
    expect_text '^ +rights +may run any command.*autonomy: full' "$OUT"
    expect_text '^note +agent claude: it does not answer: exit 3: no such library' "$OUT"
    expect_text '^note +agent mine cannot be started: its program /nowhere/mine is not there' "$OUT"
    refute grep gemini "$OUT"
    # One that is wanted must be there.
    run_bosk doctor -c agent=gemini
    expect_status 4
    expect_text '^FAIL +agent gemini cannot be started' "$OUT"
}

@test "init: the agents that are here, with command line and rights; the first one is proposed" {
    program codex 'exit 1'
    program gemini 'exit 1'
    run_bosk init --yes
    expect_status 0
    expect_text '^# Agents found on the PATH: codex, gemini\.' bosk.yaml
    expect_text '^agent: codex$' bosk.yaml
    expect_text '^#   command: codex exec .*workspace-write' bosk.yaml
    expect_text '^#   rights:  .*sandbox' bosk.yaml
    expect_text '^#   command: gemini .*auto_edit' bosk.yaml
    run_bosk plan "$SCRATCH/p.yaml"
    expect_status 0
    expect_text '^  agent   codex' "$OUT"
}

# sandboxed WRAP: the configuration of an agent with this wrap, and a gate.
sandboxed() {
    commit_config <<EOT
agent: mine
agents:
  mine:
    argv: [never-started]
    wrap: $1
gates:
  - {name: seen, run: "test -e README.md && echo gate \$BOSK_TASK >>$SCRATCH/seen"}
EOT
}

@test "wrap: gates run behind the words of the session's agent, by what was kept with the session" {
    program srun 'printf "%s|" "$@" >>"$RECORD"; echo >>"$RECORD"; shift 2; exec "$@"'
    export RECORD=$SCRATCH/record GO=$SCRATCH/go
    sandboxed '[srun, -n1, "--chdir={cwd}"]'
    printf 'tasks:\n  - {id: two, run: "[ -e $GO ] || { touch $GO.began; sleep 600; }; echo two >two.txt"}\n' >"$SCRATCH/run.yaml"
    start_bosk run "$SCRATCH/run.yaml"
    wait_until "[ -e '$GO.began' ]"
    run_bosk stop --now
    wait_bosk
    equal "on the base" "$(grep -c "^-n1|--chdir=$REPO.worktrees/.*|/bin/sh|-ec|test -e README.md" "$RECORD")" 1
    rm "$RECORD"
    sandboxed '[]'
    touch "$GO"
    run_bosk resume
    expect_status 0
    equal "as it began" "$(grep -c '^-n1|--chdir=' "$RECORD")" "$(wc -l <"$RECORD")"
    equal "after the task too" "$(test "$(wc -l <"$RECORD")" -ge 1 && echo yes)" yes
    # With a command of the call there is no agent, and none of its words.
    rm "$RECORD"
    sandboxed '[srun, -n1, "--chdir={cwd}"]'
    run_bosk run --fresh "$SCRATCH/run.yaml" --executor true
    expect_status 0
    [ ! -e "$RECORD" ]
}

@test "wrap: bwrap keeps a gate from the user's home" {
    [ "$bwrap" ] || skip 'bwrap (package bubblewrap, which tools/check brings) is not installed'
    "$bwrap" --dev-bind / / true || skip 'user namespaces are not possible here'
    mkdir "$HOME/private"
    echo secret >"$HOME/private/key"
    commit_config <<EOT
agent: mine
agents:
  mine: {argv: [never-started], wrap: [$bwrap, --dev-bind, /, /, --tmpfs, "{env:HOME}/private", --chdir, "{cwd}"]}
gates:
  - {name: hidden, run: "test -e README.md && test ! -e ~/private/key && echo >written"}
EOT
    run_bosk run "$SCRATCH/run.yaml"
    expect_status 0
    equal gate "$(task_field "$(last_sid)" two gates.hidden)" pass
    # Without it the same gate is red.
    run_bosk run --fresh "$SCRATCH/run.yaml" -c 'agents={mine: {wrap: []}}'
    expect_status 4
}
