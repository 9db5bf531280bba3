#!/usr/bin/env bats
# Completion in bash, zsh and fish: the real scripts in the real shells.

# shellcheck disable=SC2016 # $ belongs to the shells

load ../lib/flow

COMPLETIONS=$BATS_TEST_DIRNAME/../../tools/completions

setup() {
    flow_setup
    make_repo a.txt
    git branch topic
    ln -s . folder
    mkdir "$SCRATCH/bin"
    ln -s "$BOSK_BIN" "$SCRATCH/bin/bosk"
    PATH=$SCRATCH/bin:$PATH
    cat >plan.yaml <<'PLAN'
tasks:
  - {id: greet, run: echo hello > hello.txt}
  - {id: shout, run: "false"}
PLAN
    echo 'gates: [{name: lint, run: "true"}, {name: tests, run: "true"}]' >bosk.yaml
}
teardown() { flow_teardown; }

# candidates WORD...: what bosk offers, one line.
candidates() { "$BOSK_BIN" complete "$@" 2>&1 | cut -f1 | paste -sd' '; }

@test "what is offered comes from the commands, the settings and the store" {
    local sid
    equal commands "$(candidates re)" 'resume retry revert report rescue'
    equal options "$(candidates run --no-p)" '--no-preflight'
    equal values "$(candidates run --land '')" "$(candidates run --land= | sed 's/--land=//g')"
    equal 'first value' "$(candidates run --land k)" keep
    equal words "$(candidates rescue '')" 'list show restore'
    equal settings "$(candidates -c worktrees.set)" 'worktrees.setup= worktrees.setup_inputs='
    equal 'setting values' "$(candidates run -c land=)" 'land=keep land=merge land=pr'
    equal branches "$(candidates run --target '')" 'main topic'
    equal gates "$(candidates logs --gate '')" 'lint tests'
    equal files "$(candidates run '')" :file
    equal 'after --' "$(candidates run -- --l)" :file
    equal folders "$(candidates -C '')" :dir
    equal commands "$(candidates run --executor '')" :command
    equal 'no number' "$(candidates run --jobs '')" ''
    equal 'no such command' "$(candidates frobnicate --)" ''
    equal 'no session yet' "$(candidates report '')" ''
    run_bosk run plan.yaml
    expect_status 1
    sid=$(last_sid)
    equal sessions "$(candidates report '')" "$sid"
    equal tasks "$(candidates logs '')" 'greet shout'
    equal 'of a session' "$(candidates diff "$sid/s")" "$sid/shout"
    equal 'nothing to stop' "$(candidates stop '')" ''
    # From elsewhere, and where there is no repository: silent.
    cd "$SCRATCH"
    equal 'with -C' "$(candidates -C repo diff g)" greet
    equal 'outside' "$(candidates diff '')" ''
    equal 'no folder' "$(candidates -C nowhere diff '')" ''
}

# in_bash LINE: what bash puts on offer for the line, one line. Words are split as readline does.
in_bash() {
    bash --norc --noprofile -c '
        source "$1/bosk.bash"
        compopt() { printf "%s " "$*"; }
        COMP_LINE=$2 COMP_POINT=${#2}
        # Readline makes "=" a word of its own.
        read -ra COMP_WORDS <<<"${2//=/ = }"
        [[ $2 != *" " ]] || COMP_WORDS+=("")
        COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
        _bosk bosk "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
        echo "${COMPREPLY[*]}"
        complete -p bosk >/dev/null' - "$COMPLETIONS" "$1"
}

@test "bash" {
    equal command "$(in_bash 'bosk re')" 'resume retry revert report rescue'
    equal option "$(in_bash 'bosk run --no-p')" '--no-preflight'
    equal value "$(in_bash 'bosk run --land ')" "$(candidates run --land '')"
    equal '=value' "$(in_bash 'bosk run --land=k')" keep
    equal '=' "$(in_bash 'bosk run --land=')" "$(candidates run --land '')"
    equal setting "$(in_bash 'bosk -c land_f')" '-o nospace land_fallback='
    equal 'its value' "$(in_bash 'bosk -c land_fallback=k')" keep
    equal 'after both' "$(in_bash 'bosk -c land=keep run --land=keep --target=t')" topic
    equal plan "$(in_bash 'bosk run pl')" '-o filenames plan.yaml'
    equal folder "$(in_bash 'bosk -C fo')" '-o filenames folder'
    equal gate "$(in_bash 'bosk logs --gate=t')" tests
}

# in_zsh KEYS: the line zsh has after these keys.
in_zsh() {
    mkdir -p "$SCRATCH/zsh"
    TERM=vt100 ZDOTDIR=$SCRATCH/zsh timeout -k 5 60 zsh -f "$BATS_TEST_DIRNAME/../lib/type.zsh" "$COMPLETIONS" "$1" </dev/null
}

@test "zsh" {
    zsh -n "$COMPLETIONS/_bosk"
    equal 'command, options, values' "$(in_zsh 'bosk -c land_f\tk\trep\t--js\t')" \
        'bosk -c land_fallback=keep report --json '
    equal 'folder, values, plan' "$(in_zsh 'bosk -C fo\t run --land=k\t--target to\tpl\t')" \
        'bosk -C folder run --land=keep --target topic plan.yaml '
}

# in_fish LINE: what fish offers, without the descriptions.
in_fish() {
    fish --no-config -c 'source $argv[1]/bosk.fish; complete -C $argv[2]' "$COMPLETIONS" "$1" | cut -f1 | paste -sd' '
}

@test "fish" {
    fish --no-execute "$COMPLETIONS/bosk.fish"
    equal command "$(in_fish 'bosk re')" 'report rescue resume retry revert'
    equal option "$(in_fish 'bosk run --no-p')" --no-preflight
    equal value "$(in_fish 'bosk run --land k')" keep
    equal '=value' "$(in_fish 'bosk run --land=k')" --land=keep
    equal setting "$(in_fish 'bosk -c land_f')" land_fallback=
    equal 'its value' "$(in_fish 'bosk -c land=keep run -c land_fallback=k')" land_fallback=keep
    equal plan "$(in_fish 'bosk run pl')" plan.yaml
    equal folder "$(in_fish 'bosk -C fo')" folder/
    equal branch "$(in_fish 'bosk run --base to')" topic
}
