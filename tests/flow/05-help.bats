#!/usr/bin/env bats
# The help: every command and option that users were promised is there and nothing else, every text
# is complete, and what is not known is answered with the nearest name.

load ../lib/flow

setup() { flow_setup; }
teardown() { flow_teardown; }

INTERFACE=$BATS_TEST_DIRNAME/../lib/interface.txt

# listed COMMAND: its options on the list, one per line, "--jobs/j"; promised: without the added ones.
listed() { sed -n "s/^$1://p" "$INTERFACE" | tr -s ' ' '\n' | sed 's/^+//' | grep . | LC_ALL=C sort; }
promised() { sed -n "s/^$1://p" "$INTERFACE" | tr -s ' ' '\n' | grep -v '^+' | grep . | LC_ALL=C sort; }
# compare COMMAND SECTION: what was promised is in that section, and nothing that is not on the list.
compare() {
    helped "$2" >"$SCRATCH/helped"
    equal "promised options of $1 that are missing" "$(promised "$1" | LC_ALL=C comm -23 - "$SCRATCH/helped")" ''
    equal "options of $1 that are not on the list" "$(listed "$1" | LC_ALL=C comm -13 - "$SCRATCH/helped")" ''
}
# helped SECTION: the options in that section of the help in $OUT, in the same form.
helped() {
    sed -n "/^$1:\$/,/^\$/s/^  \(-\(.\),\|   \) \(--[a-z-]*\).*/\3\/\2/p" "$OUT" | sed 's/\/$//' | LC_ALL=C sort
}
commands() { sed -n '/^commands:$/,/^$/s/^  \([a-z]*\) .*/\1/p' "$OUT" | LC_ALL=C sort; }

@test "bosk help lists the commands that were promised, and no others" {
    run_bosk help
    expect_status 0
    equal commands "$(commands)" "$(sed -n '/^every:/d; s/^\([a-z]*\):.*/\1/p' "$INTERFACE" | LC_ALL=C sort)"
    local code
    for code in 0 1 2 3 4 5 70 '129, 130, 143'; do expect_text "^  $code +[a-z]" "$OUT"; done
    # Without a command it is the same text, and wrong usage.
    cp "$OUT" "$SCRATCH/help"
    run_bosk
    expect_status 2
    cmp "$OUT" "$SCRATCH/help"
    run_bosk --help
    expect_status 0
    cmp "$OUT" "$SCRATCH/help"
}

@test "each command has the options that were promised, and no others; its help is complete" {
    local command title line
    run_bosk help
    for command in $(commands); do
        run_bosk help "$command"
        expect_status 0
        cp "$OUT" "$SCRATCH/help"
        run_bosk "$command" --help
        expect_status 0
        cmp "$OUT" "$SCRATCH/help"
        expect_text "^usage: bosk $command" "$OUT"
        expect_text '^examples?:$' "$OUT"
        expect_text '^exit codes:$' "$OUT"
        expect_text '^see also: bosk help [a-z]+' "$OUT"
        equal "lines too long in the help of $command" "$(grep -E '^.{101}' "$OUT" || true)" ''
        compare every 'options of every command'
        compare "$command" options
        # "See also" names commands.
        for title in $(sed -n 's/^see also: bosk help \(.*\);.*/\1/p' "$OUT" | tr -d ','); do
            grep -q "^$title:" "$INTERFACE"
        done
        # Examples use options that exist.
        while read -r line; do
            [[ $line == *"bosk $command"* ]]
            for title in $(grep -oE -- ' --[a-z-]+' <<<"${line#*bosk }" | grep -v -- --batch || true); do
                listed "$command" | grep -qE -e "^$title(/|\$)"
            done
        done < <(sed -n '/^examples\{0,1\}:$/,/^$/s/^  //p' "$OUT")
    done
}

@test "an unknown command or option is answered with the nearest" {
    local words wanted
    while IFS='|' read -r words wanted; do
        # shellcheck disable=SC2086 # words
        run_bosk $words
        expect_status 2
        expect_text "$wanted"
        equal "standard output of bosk $words" "$out" ''
    done <<'CASES'
rn|unknown command 'rn': did you mean 'run'
staus|unknown command 'staus': did you mean 'status'
help repot|unknown command 'repot': did you mean 'report'
frobnicate|unknown command 'frobnicate'; see bosk help
run --job=3|unknown option '--job': did you mean '--jobs'
run --job 3|unknown option '--job': did you mean '--jobs'
run --sequentail|unknown option '--sequentail': did you mean '--sequential'
run --dry|unknown option '--dry'
run -x|bosk run: unknown option '-x'; see bosk help run
run -qx|bosk run: unknown option '-x'
run --yes=3|option '--yes' takes no argument
run --jobs|option '--jobs' needs an argument
run -j|option '-j' needs an argument
-C|option '-C' needs an argument
--qiet|unknown option '--qiet' before the command: did you mean '--quiet'
--jobs 3 run|unknown option '--jobs' before the command
path|usage: bosk path TASK
CASES
}

@test "an unknown setting, gate key or plan key is answered with the nearest" {
    make_repo
    local given wanted
    while IFS='|' read -r given wanted; do
        run_bosk plan -c "$given" nothing.yaml
        expect_status 2
        expect_text "$wanted"
    done <<'CASES'
job=3|did you mean "jobs"
worktrees.dri=x|did you mean "worktrees.dir"
worktree.dir=x|did you mean "worktrees.dir"
max_age=4h|did you mean "orphans.max_age"
limits.free_dsk=0|did you mean "limits.free_disk"
gates=[{name: a, rum: b}]|did you mean "run"
land=marge|did you mean "merge"|keep.*merge.*pr
CASES
    cat >plan.yaml <<'PLAN'
tasks:
  - id: a
    neds: []
    run: "true"
  - name: b
    promt: do it
PLAN
    run_bosk plan plan.yaml
    expect_status 2
    expect_text 'plan.yaml:3:5: .*did you mean "needs"'
    expect_text 'plan.yaml:5:5: .*did you mean "id"'
    expect_text 'plan.yaml:6:5: .*did you mean "prompt"'
}
