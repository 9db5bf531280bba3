# Text of agents, plans, branches and folders reaches a terminal only escaped (promise E7). Every command
# of `bosk help` is run on a repository full of such text.

load ../lib/flow

ESC=$'\033' C1=$'\302\233' BIDI=$'\342\200\256' DEL=$'\177' RAW=$'\233'

setup() {
    flow_setup
    REPO="$SCRATCH/re${ESC}]0;x${C1}${BIDI}po"
    make_repo
    git switch -qc "ma${C1}${BIDI}in"
    git config core.quotePath false
}
teardown() { flow_teardown; }

# assert_tame FILE...: no control character but tab and newline, no C1, no mark of direction, all UTF-8.
assert_tame() {
    local file
    for file in "$@"; do
        if LC_ALL=C grep -anP '[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xd8\x9c|\xe2\x80[\x8e\x8f\xa8-\xae]|\xe2\x81[\xa6-\xa9]' \
            "$file" >"$SCRATCH/wild" || ! iconv -f UTF-8 -t UTF-8 "$file" >/dev/null 2>>"$SCRATCH/wild"; then
            printf '%s is not tame:\n' "$file" >&2
            cat -v "$SCRATCH/wild" >&2
            return 1
        fi
    done
}

hostile_run() {
    write_agent <<SH
#!/bin/sh
printf 'title ${ESC}]0;gone\007 ${C1}31m ${BIDI}turned ${DEL} ${RAW} over\rwritten\n'
printf 'text ${ESC}[2J${C1}${BIDI}${DEL}\n' >"fi${ESC}${C1}${BIDI}le"
printf '{"status": "blocked", "reason": "why \\\\u001b[2J ${C1}${BIDI}${DEL}"}' >"\$BOSK_RESULT_FILE"
printf 'last ${ESC}[2J${C1}${BIDI}${DEL}'
[ \$BOSK_TASK = fails ] && exit 3
[ \$BOSK_TASK = claims ] && exit 0
rm "\$BOSK_RESULT_FILE"
SH
    write_file "$SCRATCH/plan.yaml" <<YAML
tasks:
  - {id: good, title: "A ${BIDI}title", prompt: "x \\e[2J ${BIDI}"}
  - {id: fails, title: "A ${BIDI}title", prompt: x}
  - {id: claims, prompt: x}
YAML
    run_bosk run "$SCRATCH/plan.yaml" --executor "$AGENT ${C1}${BIDI}" -c retries=0 -c halt_after_failures=0 "$@"
}

@test "every command, with hostile text in everything it may show" {
    local name word words sid args
    hostile_run --json
    expect_status 1
    assert_tame "$OUT" "$ERR"
    jq -es 'length > 3' <"$OUT" >"$SCRATCH/events"
    sid=$(last_sid)
    # The text did arrive, as itself.
    equal "title" "$(task_field "$sid" good title)" "A ${BIDI}title"
    expect_text "why .\[2J ${C1}${BIDI}${DEL}" <(task_field "$sid" claims reason)
    write_file "$REPO/un${ESC}${C1}${BIDI}committed" <<<x
    write_file "$SCRATCH/b${ESC}${C1}${BIDI}ad.yaml" <<YAML
tasks: [{id: "x${C1}", title: "${C1}", needs: ["${BIDI}${C1}"], "k${BIDI}": 1, prompt: x}]
YAML
    declare -A args=(
        [init]="--print" [run]="$SCRATCH/b${ESC}${C1}${BIDI}ad.yaml" [plan]="$SCRATCH/plan.yaml --executor x${C1}${BIDI}"
        [resume]="$sid" [status]="" [logs]="" [diff]="good" [path]="good" [stop]="$sid" [retry]="claims"
        [questions]="" [land]="$sid --merge" [revert]="good" [report]="$sid" [gc]="--dry-run" [rescue]="list"
        [verify]="" [doctor]="" [queue]="list" [next]="" [detail]="good" [done]="good" [version]="" [help]=""
    )
    for name in $("$BOSK_BIN" help | sed -n 's/^  \([a-z]*\)  .*/\1/p'); do
        [ -n "${args[$name]+there}" ] || {
            printf 'bosk %s is not tested here: give it arguments\n' "$name" >&2
            return 1
        }
        # A page of git's for a pipe is git's own.
        [ "$name" != diff ] || continue
        read -r -a words <<<"${args[$name]}"
        run_bosk "$name" "${words[@]}"
        assert_tame "$OUT" "$ERR"
        run_bosk "$name" "${words[@]}" --json
        assert_tame "$OUT" "$ERR"
        # What is no option, key, file or task, said back.
        for word in "--no${C1}${BIDI}${ESC}" "n${C1}${BIDI}${ESC}${RAW}one"; do
            [ "$name" != run ] && [ "$name" != retry ] || continue
            run_bosk -c "k${ESC}${C1}=1" "$name" "$word"
            assert_tame "$OUT" "$ERR"
            run_bosk "$name" "$word"
            assert_tame "$OUT" "$ERR"
        done
    done
    run_bosk "no${ESC}${C1}command"
    assert_tame "$ERR"
    run_bosk status
    expect_text '\\u202e|\\xc2\\x9b' "$OUT"
    run_bosk logs good
    expect_text 'title \\x1b\]0;gone\\x07 \\xc2\\x9b31m \\u202eturned \\x7f \\x9b over\\x0dwritten' "$OUT"
    # The bytes themselves, for whoever asks for them.
    run_bosk logs good --raw
    expect_text "title ${ESC}]0;gone" "$OUT"
    run_bosk logs -f good
    assert_tame "$OUT"
}

@test "on a terminal the diff and a running task's path are tame too" {
    hostile_run
    expect_status 1
    assert_tame "$ERR"
    script -qec "'$BOSK_BIN' diff good" /dev/null >"$SCRATCH/pty" </dev/null
    sed -i 's/\r$//' "$SCRATCH/pty"
    expect_text '^\+text \\x1b\[2J\\xc2\\x9b\\u202e\\x7f' "$SCRATCH/pty"
    assert_tame "$SCRATCH/pty"
    # A pipe gets what git says.
    run_bosk diff good
    expect_text "^.text ${ESC}\[2J" "$OUT"

    write_file "$SCRATCH/slow.yaml" <<YAML
tasks: [{id: slow, run: 'touch $SCRATCH/there; until [ -e $SCRATCH/go ]; do sleep 0.05; done; touch x'}]
YAML
    start_bosk run "$SCRATCH/slow.yaml"
    wait_until "[ -e '$SCRATCH/there' ]"
    script -qec "'$BOSK_BIN' path slow" /dev/null >"$SCRATCH/pty" </dev/null
    sed -i 's/\r$//' "$SCRATCH/pty"
    assert_tame "$SCRATCH/pty"
    [ -d "$("$BOSK_BIN" path slow)" ]
    touch "$SCRATCH/go"
    wait_bosk
    expect_status 0
}
