#!/usr/bin/env bats
# Plans that are broken, huge or malicious: case -> what is said -> exit code. After each nothing has
# been started: not one byte of the repository, of its git folder or beside it has changed. What an
# honest mistake in a plan says is in 20-plan-errors; this file is about input that means harm.
# shellcheck disable=SC2154,SC2016 # variables set by run_bosk; texts that only look like code

load ../lib/flow
load ../lib/hostile

setup() {
    flow_setup
    make_repo a.txt
}
teardown() { flow_teardown; }

fresh() { PLAN=$SCRATCH/bad.yaml && remember; }
# `bosk plan` says the same, and neither leaves a trace or takes the memory of the machine.
nothing_started() {
    no_session
    "$BOSK_BIN" plan "$PLAN" --executor true >"$OUT.plan" 2>"$ERR.plan" </dev/null 3>&- || equal "exit of bosk plan" $? "$1"
    [ "$1" = 0 ] || expect_text "$2" "$ERR.plan"
    unchanged
}

# ---- the cases ------------------------------------------------------------------------------------

make_empty() { : >"$PLAN"; }
make_comments_only() { printf '# nothing\n\n' >"$PLAN"; }
make_prose() { echo 'Please add a login page.' >"$PLAN"; }
make_half_a_file() { printf 'tasks:\n  - {id: one, run: "echo' >"$PLAN"; }
make_zip_file() { printf 'PK\3\4\0\1\377\376' >"$PLAN"; }
make_utf16() { printf '\377\376t\0a\0s\0k\0s\0' >"$PLAN"; }
make_invalid_utf8() { printf 'tasks:\n  - {id: one, run: "\303\050"}\n' >"$PLAN"; }
make_surrogates() { printf 'tasks:\n  - {id: one, run: "\355\240\200"}\n' >"$PLAN"; }
make_nul_byte() { printf 'tasks:\n  - {id: one, run: "\0"}\n' >"$PLAN"; }
make_50_MB() { { echo 'tasks:' && yes '  - {id: a, run: x}' | head -c 50M; } >"$PLAN"; }
make_endless() { PLAN=/dev/zero; }
make_4_million_marks() { repeat '[]{},:' 8M >"$PLAN"; }
make_200000_tasks() { awk 'BEGIN { print "tasks:"; for (i = 0; i < 200000; i++) print "- {id: t" i ", run: x}" }' >"$PLAN"; }
make_alias_bomb() {
    local name before=a
    {
        echo 'a: &a [x, x, x, x, x, x, x, x, x]'
        for name in b c d e f g h i j k l m; do
            echo "$name: &$name [$(for i in 1 2 3 4 5 6 7 8 9; do printf '*%s, ' "$before"; done)]"
            before=$name
        done
        echo 'tasks: *m'
    } >"$PLAN"
}
make_alias_of_itself() { echo 'tasks: &a [*a]' >"$PLAN"; }
make_nested_100000_lists() { { printf 'tasks: ' && repeat '[' 100000; } >"$PLAN"; }
make_nested_100000_maps() { repeat '{a: ' 400000 >"$PLAN"; }
make_nested_100000_dashes() { { repeat '- ' 200000 && echo x; } >"$PLAN"; }
make_nested_1000_indented() { awk 'BEGIN { for (i = 0; i < 1000; i++) printf "%*sa:\n", i, "" }' >"$PLAN"; }
make_tag_of_python() { echo 'tasks: !!python/object/apply:os.system [id]' >"$PLAN"; }
make_second_document() { printf 'tasks: [{id: one, run: x}]\n---\ntasks: []\n' >"$PLAN"; }
make_cycle() { printf 'tasks:\n- {id: a, run: x, needs: [b]}\n- {id: b, run: x, needs: [a]}\n' >"$PLAN"; }
make_cycle_of_20000() {
    awk 'BEGIN { print "tasks:"; for (i = 0; i < 20000; i++) print "- {id: t" i ", run: x, needs: [t" (i + 1) % 20000 "]}" }' >"$PLAN"
}
make_chain_of_20000() {
    awk 'BEGIN { print "tasks:\n- {id: t0, run: x}"; for (i = 1; i < 20000; i++) print "- {id: t" i ", run: x, needs: [t" i - 1 "]}" }' >"$PLAN"
    args=(--dry-run)
}
make_no_such_file() { PLAN=$SCRATCH/absent.yaml; }
make_folder_without_stories() { PLAN=$SCRATCH/home; }
make_unreadable() { PLAN=/proc/self/mem; }
make_too_much_in_all() { # each text and list is as long as it may be
    jq -n '{tasks: [{id: "one", prompt: ("x" * 524288), files: [range(1000) | "f\(.)/" + "y" * 900]}]}' >"$PLAN"
}
make_id() { jq -n --arg id "$1" '{tasks: [{id: $id, run: "x"}]}' >"$PLAN"; }
make_ids() { jq -n '{tasks: [$ARGS.positional[] | {id: ., run: "x"}]}' --args "$@" >"$PLAN"; }
make_longest_id() { make_id "$(repeat a 64)" && args=(--dry-run); }
make_odd_but_good_ids() { make_ids con HEAD a.git 0 1e3 null true 'a-' a__b && args=(--dry-run); }
make_key() { jq -n --arg key "$1" --argjson value "$2" '{tasks: [{id: "one", run: "x"} + {($key): $value}]}' >"$PLAN"; }
make_config() {
    make_id one
    "make_$1" >"$REPO/bosk.yaml"
    mv "$PLAN" "$REPO/bosk.yaml"
    make_id one
    remember
}

@test "what a plan may not be" {
    hostile_table fresh nothing_started <<'TABLE'
    # case                 | what is said                                     | exit
    empty                  | bad.yaml:1:1: .* not nothing                     | 2
    comments_only          | bad.yaml:[0-9]+:1: .* not nothing                | 2
    prose                  | bad.yaml:1:1: .* not a text                      | 2
    half_a_file            | bad.yaml:[23]:[0-9]+: not valid YAML             | 2
    zip_file               | bad.yaml:1:5: .*this is not text                 | 2
    utf16                  | bad.yaml:1:1: .*this is not text                 | 2
    invalid_utf8           | bad.yaml:2:21: this is not valid UTF-8           | 2
    surrogates             | bad.yaml:2:21: this is not valid UTF-8           | 2
    nul_byte               | bad.yaml:2:21: a NUL byte .*not text             | 2
    50_MB                  | bad.yaml: is larger than 16 MiB: split it        | 2
    endless                | /dev/zero: is larger than 16 MiB: split it       | 2
    4_million_marks        | bad.yaml:1:1: more than 4,000,000 .*: split      | 2
    200000_tasks           | bad.yaml:[0-9:]+ .*more than 100000 tasks        | 2
    alias_bomb             | bad.yaml:[0-9:]+ aliases .* more than 1,000,000  | 2
    alias_of_itself        | bad.yaml:1:13: an alias .*of what it stands in   | 2
    nested_100000_lists    | bad.yaml:1:71: nested deeper than 64             | 2
    nested_100000_maps     | bad.yaml:1:257: nested deeper than 64            | 2
    nested_100000_dashes   | bad.yaml:1:129: nested deeper than 64            | 2
    nested_1000_indented   | bad.yaml:65:65: nested deeper than 64            | 2
    tag_of_python          | bad.yaml:1:[0-9]+: tags .* are not supported     | 2
    second_document        | bad.yaml:2:1: a second document                  | 2
    cycle                  | bad.yaml:2:3: .*wait for each other: a -> b -> a | 2
    cycle_of_20000         | bad.yaml:.* wait for each other: .*more\) ->     | 2
    chain_of_20000         |                                                  | 0
    no_such_file           | absent.yaml: cannot be read: No such file        | 2
    folder_without_stories | home: no story is in this file or folder         | 2
    too_much_in_all        | bad.yaml:3:5: task one: this task has 14[0-9]{2} KiB in all .* at most 832 | 2
    unreadable             | /proc/self/mem: cannot be read                   | 2
TABLE
}

@test "ids become names of branches and folders and words of commands" {
    hostile_table fresh nothing_started <<'TABLE'
    # case                         | what is said                                 | exit
    id ../../x                     | :[0-9]+:[0-9]+: task ../../x: id: .*"/"      | 2
    id a/b                         | task a/b: id: .*"/"                          | 2
    id /etc/passwd                 | task /etc/passwd: id: .*"/"                  | 2
    id -rf                         | task -rf: id: .*begin with a letter or digit | 2
    id --force                     | task --force: id: .*begin with a letter      | 2
    id .lock                       | task .lock: id: .*begin with a letter        | 2
    id a.lock                      | task a.lock: id: .*end in ".lock"            | 2
    id ..                          | id: .*begin with a letter                    | 2
    id .a                          | task .a: id: .*begin with a letter           | 2
    id a.                          | task a\.: id: .*end in "\."                  | 2
    id 'a~1'                       | id: .*may only hold                          | 2
    id a:b                         | id: .*may only hold                          | 2
    id 'a*'                        | id: .*may only hold                          | 2
    id a..b                        | id: .*must not hold "\.\."                   | 2
    id @                           | id: .*begin with a letter                    | 2
    id 'a@{1}'                     | id: .*may only hold                          | 2
    id 'a b'                       | task a b: id: .*may only hold                | 2
    id ''                          | id: .*must not be empty                      | 2
    id ' '                         | id: .*begin with a letter                    | 2
    id '$(reboot)'                 | id: .*begin with a letter                    | 2
    id 'a;reboot'                  | id: .*may only hold                          | 2
    id $'a\nb'                     | task a.x0ab: id: .*may only hold             | 2
    id $'a\nBosk-Task:'            | task a.x0aBosk-Task:: id: .*may only hold    | 2
    id $'a\e[2J\e]0;x\ab'          | task a.x1b\[2J.x1b\]0;x.x07b: id: .*may only | 2
    id $'a\rb'                     | task a.x0db: id: .*may only hold             | 2
    id $'a\u202eb'                 | id: .*may only hold                          | 2
    id é                           | id: .*begin with a letter                    | 2
    id "$(repeat a 300)"           | task a{64}.*: id: .*not be longer than 64    | 2
    id "$(repeat a 65)"            | task a{64}.*: id: .*not be longer than 64    | 2
    longest_id                     |                                              | 0
    odd_but_good_ids               |                                              | 0
    ids A a                        | task a: id: differs only in case from "A"    | 2
    ids a a                        | task a: id: this id is taken                 | 2
    ids a a/b                      | task a/b: id: .*"/"                          | 2
TABLE
}

@test "other values of a task that could reach a path, an option or the environment" {
    hostile_table fresh nothing_started <<'TABLE'
    # case                                  | what is said                            | exit
    key files '["../../etc"]'               | files: .*must not hold "\.\."           | 2
    key files '["/etc"]'                    | files: .*relative to the top            | 2
    key files '["~/.ssh"]'                  | files: .*not to a home folder           | 2
    key files '[".git/config"]'             | files: .*must not lead into .git        | 2
    key files '["a/.GIT/hooks"]'            | files: .*must not lead into .git        | 2
    key files '["a\nb"]'                    | files: .*control characters             | 2
    key prompt_file '"/etc/passwd"'         | prompt_file: .*                         | 2
    key title '"a\nBosk-Task: other"'       | title: .*one line                       | 2
    key title '"a\u001b[2J"'                | title: .*control characters             | 2
    key env '{"LD_PRELOAD=x": "y"}'         | env: .*                                 | 2
    key env '{"BOSK_TASK": "other"}'        | env: .*                                 | 2
    key env '{"A": "a\u0000b"}'             | NUL                                     | 2
    key timeout '"-1"'                      | timeout: .*                             | 2
    key timeout '"99999999999999999999h"'   | timeout: .*                             | 2
    key priority '1e99'                     | priority: .*                            | 2
    key needs '["a\u001b[2J"]'              | needs: .*                               | 2
TABLE
}

@test "a bosk.yaml is read as carefully as a plan" {
    hostile_table fresh nothing_started <<'TABLE'
    # case                        | what is said                                     | exit
    config prose                  | bosk.yaml:1:1: .* not a text                     | 2
    config zip_file               | bosk.yaml: .*this is not text                    | 2
    config 50_MB                  | bosk.yaml: is larger than .*                     | 2
    config alias_bomb             | bosk.yaml:[0-9:]+ aliases .* more than 1,000,000 | 2
    config nested_100000_lists    | bosk.yaml:1:71: nested deeper than 64            | 2
TABLE
}

@test "the longest prompt that a plan may have reaches the agent" {
    jq -n '{tasks: [{id: "one", title: "Long", prompt: ("\"" * 524287 + "\n"), files: ["x"]},
        {id: "two", needs: ["one"], prompt: ("\u20ac" * 174762)}]}' >"$SCRATCH/p.yaml"
    write_agent <<SH
#!/bin/sh
cp "\$BOSK_TASK_FILE" "$SCRATCH/\$BOSK_TASK.json"
cp "\$BOSK_PROMPT_FILE" "$SCRATCH/\$BOSK_TASK.md"
echo x >"\$BOSK_TASK"
SH
    run_bosk run "$SCRATCH/p.yaml" --executor "$AGENT"
    expect_status 0
    for task in one two; do
        command jq -S '.tasks[] | select(.id == $id) | {id, title, prompt, files: (.files // []), needs: (.needs // [])}' --arg id $task \
            "$SCRATCH/p.yaml" >"$SCRATCH/wanted"
        command jq -S '{id, title, prompt, files, needs}' "$SCRATCH/$task.json" | cmp - "$SCRATCH/wanted"
        grep -qxF -f <(jq -j '.prompt | rtrimstr("\n")' "$SCRATCH/wanted") "$SCRATCH/$task.md"
    done
}
