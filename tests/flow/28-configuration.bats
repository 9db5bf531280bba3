#!/usr/bin/env bats
# The configuration: its layers, where each value came from, what is refused.
# shellcheck disable=SC2154,SC2016,SC2030,SC2031 # variables set by run_bosk; tests are subshells

load ../lib/flow

setup() {
    flow_setup
    make_repo
    printf 'tasks:\n  - {id: one, run: "echo one > one.txt"}\n' >"$SCRATCH/p.yaml"
}
teardown() { flow_teardown; }

# value KEY: the line of `doctor --config`, spaces squeezed.
value() { grep "^$1: " "$OUT" | tr -s ' '; }

@test "doctor --config: every key, later sources win, each with where it came from" {
    write_file "$HOME/.config/bosk/config.yaml" <<<'limits: {free_disk: 0, free_memory: 0}
jobs: 4
retries: 4
silence: 4m
timeout: 4m
halt_after_failures: 4'
    printf '\nretries: 5\nsilence: 5m\ntimeout: 5m\nhalt_after_failures: 5\ngates:\n  - {name: a b, run: "x: y"}\n' >bosk.yaml
    sed -i 's/a b/ab/' bosk.yaml
    export BOSK_CONFIG_SILENCE=6m BOSK_CONFIG_TIMEOUT=6m BOSK_CONFIG_LIMITS_LOG=1MiB BOSK_CONFIG_HALT_AFTER_FAILURES=6
    mkdir sub && cd sub
    run_bosk doctor --config -c timeout=7m -c halt_after_failures=7 -c halt_after_failures=8
    expect_status 0
    equal "built-in" "$(value fix_attempts)" 'fix_attempts: 3 # built-in'
    equal "user" "$(value jobs)" "jobs: 4 # $HOME/.config/bosk/config.yaml:2"
    equal "repository" "$(value retries)" "retries: 5 # $REPO/bosk.yaml:2"
    equal "variable" "$(value silence)" 'silence: 6m # BOSK_CONFIG_SILENCE'
    equal "nested variable" "$(value limits.log)" 'limits.log: 1MiB # BOSK_CONFIG_LIMITS_LOG'
    equal "option" "$(value timeout)" 'timeout: 7m # -c'
    equal "the last option" "$(value halt_after_failures)" 'halt_after_failures: 8 # -c'
    equal "gates" "$(value gates)" "gates: [{name: ab, run: \"x: y\"}] # $REPO/bosk.yaml:7"
    # What is shown can be set again, word for word.
    cp "$OUT" "$SCRATCH/shown"
    while IFS= read -r line; do
        line=${line%% #*}
        line=$(sed 's/ *$//' <<<"$line")
        run_bosk doctor --config -c "${line%%: *}=${line#*: }"
        expect_status 0
    done < <(grep -E '^(gates|pr.command|pr.find|protect|branch|notify|author|worktrees.dir|stories.human)' "$SCRATCH/shown")
    for key in jobs agent agents models gates pr.command worktrees.dir stories.instructions orphans.max_age notify; do
        grep -q "^$key: " "$SCRATCH/shown"
    done
}

@test "XDG_CONFIG_HOME; options win over everything" {
    export XDG_CONFIG_HOME=$SCRATCH/xdg
    write_file "$XDG_CONFIG_HOME/bosk/config.yaml" <<<'limits: {free_disk: 0, free_memory: 0}
jobs: 2'
    run_bosk doctor --config
    equal "jobs" "$(value jobs)" "jobs: 2 # $XDG_CONFIG_HOME/bosk/config.yaml:2"
    printf 'tasks:\n  - {id: a, run: x}\n  - {id: b, run: x}\n  - {id: c, run: x}\n  - {id: d, run: x}\n' >"$SCRATCH/q.yaml"
    run_bosk plan "$SCRATCH/q.yaml"
    expect_text '^worktrees 2 in' "$OUT"
    run_bosk plan "$SCRATCH/q.yaml" -j 4 -c jobs=3
    expect_text '^worktrees 4 in' "$OUT"
}

@test "an unknown key names the nearest, from every source; nothing starts" {
    run_bosk run "$SCRATCH/p.yaml" -c jbs=3
    expect_status 2
    expect_text 'jbs: there is no such key; did you mean "jobs"\?'
    BOSK_CONFIG_LIMITS_LG=1 run_bosk plan "$SCRATCH/p.yaml"
    expect_status 2
    expect_text 'did you mean BOSK_CONFIG_LIMITS_LOG\?'
    echo 'worktrees: {dri: x}' >bosk.yaml
    run_bosk doctor --config
    expect_status 2
    expect_text 'bosk.yaml:1:13: worktrees.dri: there is no such key; did you mean "worktrees.dir"\?'
    [ ! -d .git/bosk/sessions ]
}

@test "the defaults may be written down" {
    run_bosk plan "$SCRATCH/p.yaml" -c agent= -c pr.remote=origin -c 'agents={}' -c stories.closeable_threshold=0.30
    expect_status 0
}
