#!/usr/bin/env bats
# Gates of real projects: flaky ones, ones that say nothing of the work, ones that are red from the start; what is told of
# them to agents and people; and agents that try to get around them.
# shellcheck disable=SC2154,SC2016 # variables set by run_bosk

load ../lib/flow

setup() {
    flow_setup
    make_repo a.txt
    PLAN=$SCRATCH/p.yaml
}
teardown() {
    ! mountpoint -q "$REPO/.git/bosk/tmp" || umount -l "$REPO/.git/bosk/tmp"
    flow_teardown
}

# gate NAME COMMAND [MORE]: a gate that is run for the task of the same name only, and that task.
gate() {
    [ -e bosk.yaml ] || printf 'fix_attempts: 0\nhalt_after_failures: 0\nverify: task\nretries: 0\ngates:\n' >bosk.yaml
    printf '  - name: %s\n    run: |\n      [ -e %s.txt ] || exit 0\n      %s\n' "$1" "$1" "$2" >>bosk.yaml
    [ $# -lt 3 ] || printf '    %s\n' "$3" >>bosk.yaml
    [ -e "$PLAN" ] || echo 'tasks:' >"$PLAN"
    printf "  - {id: %s, run: 'echo x > %s.txt', gates: [%s]}\n" "$1" "$1" "$1" >>"$PLAN"
}
# verdict TASK WANTED WHY
verdict() {
    equal "verdict of $1" "$(task_field "$sid" "$1" "gates[\"$1\"]")" "$2"
    [ "$2" = pass ] || equal "state of $1" "$(task_field "$sid" "$1" state)" blocked
    [ "$2" = pass ] || equal "attempts of $1" "$(task_field "$sid" "$1" attempts)" 1
    [ -z "$3" ] || task_field "$sid" "$1" reason | grep -qF "$3"
}

@test "flaky: it passes, and every report says so; what could not run never passes and blames nobody" {
    local sid dir
    gate flaky "echo run >>'$SCRATCH/runs'; [ \$(wc -l <'$SCRATCH/runs') = 2 ] || { echo 'error: not yet'; exit 1; }" 'retries: 2'
    gate killed 'kill -KILL $$'
    gate terminated "sh -c 'kill -TERM \$\$'; echo never"
    gate tool 'echo "/usr/bin/python3: No module named pytest"; exit 1'
    gate nothing 'echo "===== no tests ran in 0.01s ====="; exit 5'
    gate nought 'echo 1..0'
    gate words 'echo "write: No space left on device"; exit 1'
    gate some 'echo 1..0; echo 1..1; echo "ok 1 it"'
    git add -A && git commit -qm 'Gates'
    run_bosk run "$PLAN" --jobs 1
    expect_status 1
    sid=$(last_sid)
    verdict flaky pass ''
    verdict some pass ''
    verdict killed could-not-run 'died of SIGKILL'
    verdict terminated could-not-run 'exit 143: a command died of SIGTERM'
    verdict tool could-not-run 'not found: pytest'
    verdict nothing could-not-run 'it ran no tests'
    verdict nought could-not-run 'it ran no tests'
    verdict words fail '' # there is room on the disk: a test of what happens without
    equal "flaky" "$(task_field "$sid" flaky flaky.flaky)" 'passed on run 2 of 3'
    equal "not flaky" "$(task_field "$sid" some 'flaky | length')" 0
    expect_text 'flaky: gate flaky: pass, flaky: passed on run 2 of 3'
    "$BOSK_BIN" report | grep -q 'flaky: gate flaky is flaky: passed on run 2 of 3'
    "$BOSK_BIN" report --json | jq -e '.notes[] | select(contains("flaky: passed on run 2 of 3"))' >/dev/null
    dir=$REPO/.git/bosk/logs/$sid/flaky/1
    equal "log of the first run" "$(cat "$dir/gate-flaky@1.log")" 'error: not yet'
    equal "log of the last run" "$(cat "$dir/gate-flaky.log")" '[bosk: flaky: passed on run 2 of 3]'
    run_bosk logs flaky --gate flaky
    equal "logs" "$(cat "$OUT")" "[run 1]
error: not yet
[run 2]
[bosk: flaky: passed on run 2 of 3]"
}

@test "no space: when the gate says so and it is so, the task waits for room, as one that finds none itself" {
    local sid
    [ "$(id -u)" = 0 ] || skip 'only root can mount a small disk'
    mkdir -p -m 700 .git/bosk .git/bosk/tmp
    mount -t tmpfs -o size=64k,mode=700 none .git/bosk/tmp || skip 'nothing can be mounted here'
    gate full 'head -c 100000 /dev/zero >"$TMPDIR/big"'
    gate other 'echo "a.txt: wrong"; exit 1'
    git add -A && git commit -qm 'Gates'
    run_bosk run "$PLAN" --jobs 1
    expect_status 4
    expect_text 'gate full: could not run \(exit 1: no space left on the disk of .*\)'
    expect_text 'when there is room: bosk resume'
    sid=$(last_sid)
    equal "verdict" "$(task_field "$sid" full gates.full)" could-not-run
    equal "state" "$(task_field "$sid" full state)" pending
    equal "other" "$(task_field "$sid" other attempts)" 0
    mount -o remount,size=10m .git/bosk/tmp
    run_bosk resume
    expect_status 1
    verdict other fail ''
    equal "state" "$(task_field "$sid" full state)" integrated
    equal "verdict" "$(task_field "$sid" full gates.full)" pass
}

@test "no space on the base: the environment's fault, and nothing starts" {
    [ "$(id -u)" = 0 ] || skip 'only root can mount a small disk'
    mkdir -p -m 700 .git/bosk .git/bosk/tmp
    mount -t tmpfs -o size=64k,mode=700 none .git/bosk/tmp || skip 'nothing can be mounted here'
    commit_config <<'YAML'
gates:
  - {name: full, run: 'head -c 100000 /dev/zero >"$TMPDIR/big"'}
YAML
    printf "tasks:\n  - {id: one, run: 'echo x > x.txt'}\n" >"$PLAN"
    run_bosk run "$PLAN"
    expect_status 4
    expect_text 'no space left on the disk of'
    run_bosk run "$PLAN" --excuse full
    expect_status 0
}

@test "the very same words in the prompt, in status and in reports: what failed, with what is around it, then the end" {
    local sid
    planted_secret gh''p_abcdefghijklmnopqrstuvwxyz0123456789 # as it is once the change of colour is gone
    commit_config <<YAML
fix_attempts: 1
gates:
  - name: loud
    run: |
      [ -e x.txt ] || exit 0
      seq -f 'building part %g of very many' 3000
      printf 'gh\033[0mp_abcdefghijklmnopqrstuvwxyz0123456789 is wrong\n'
      printf 'src/x.c: In function main:\n\033[31msrc/x.c:3:9: error:\033[0m expected ; before return\n    3 |  int x\n'
      seq -f 'cleaning up part %g of very many' 3000
      exit 1
YAML
    printf 'tasks:\n  - {id: one, prompt: go}\n' >"$PLAN"
    write_agent <<SH
#!/bin/sh
echo "\$BOSK_ATTEMPT" > x.txt
cp "\$BOSK_PROMPT_FILE" "$SCRATCH/prompt.\$BOSK_ATTEMPT"
SH
    run_bosk run "$PLAN" --executor "$AGENT"
    expect_status 1
    sid=$(last_sid)
    task_field "$sid" one red_gate.output | sed '$ d' >"$SCRATCH/said"
    [ "$(wc -c <"$SCRATCH/said")" -le 16384 ]
    equal "first line" "$(head -n 1 "$SCRATCH/said")" '[line 2999 of 6004]'
    grep -qF '[redacted] is wrong' "$SCRATCH/said"
    grep -q 'building part 3000 of' "$SCRATCH/said"
    grep -A 1 'src/x.c:3:9: error: expected ; before return' "$SCRATCH/said" | grep -qF '    3 |  int x'
    equal "last line" "$(tail -n 1 "$SCRATCH/said")" 'cleaning up part 3000 of very many'
    # Between the fences of the second prompt, line by line in the report, and as one text in both JSONs.
    sed -n '/^Of its output:/,/^Your earlier/p' "$SCRATCH/prompt.2" | sed '1,3d' | sed '/^```$/,$d' >"$SCRATCH/prompted"
    cmp "$SCRATCH/said" "$SCRATCH/prompted"
    "$BOSK_BIN" report --json | jq -j '.errors[0].red_gate.output // .blocked[0].red_gate.output' >"$SCRATCH/reported"
    cmp "$SCRATCH/said" "$SCRATCH/reported"
    cmp "$SCRATCH/said" <("$BOSK_BIN" report | sed -n '/of what gate loud printed:/,/bosk logs/p' | sed '1d' | grep '^        ' | sed 's/^        //')
    equal "gate" "$(task_field "$sid" one 'red_gate | .gate + " " + .verdict + " " + .why')" 'loud fail exit 1'
}

@test "red on the base: all that is red is said at once; --excuse goes on, says it once, and every report names it" {
    local sid
    commit_config <<'YAML'
gates:
  - {name: old, run: 'echo "a.txt: wrong for years"; exit 3'}
  - {name: fine, run: 'true'}
  - {name: gone, run: no-such-tool-anywhere}
YAML
    printf "tasks:\n  - {id: one, run: 'echo x > x.txt'}\n  - {id: two, run: 'echo y > y.txt'}\n" >"$PLAN"
    run_bosk run "$PLAN" --excuse gone
    expect_status 4
    expect_text 'gate old: fail \(exit 3\)'
    expect_text 'wrong for years'
    refute grep -q 'gate gone: could-not-run.*nothing was started' "$ERR"
    run_bosk run "$PLAN" --excuse gone --excuse old
    expect_status 0
    sid=$(last_sid)
    equal "said" "$(grep -c "gate old: " "$ERR")" 1
    equal "said" "$(grep -c "gate gone: " "$ERR")" 1
    equal "verdict" "$(task_field "$sid" two gates.old)" fail
    equal "status" "$(status_json '.sessions[0].excused | sort | join(" ")')" 'gone old'
    "$BOSK_BIN" status | grep -qF 'gates excused: gone: could-not-run (exit 127: command not found) on the base; old: fail (exit 3) on the base'
    "$BOSK_BIN" report | grep -qF 'gates excused: gone: could-not-run'
    "$BOSK_BIN" report --json | jq -e '.excused == ["gone", "old"] and (.base_reds | length) == 2' >/dev/null
    "$BOSK_BIN" report --yaml | grep -A 2 '^  excused:' | tr -d ' -' | tr '\n' ' ' | grep -q 'excused: gone old'
}

@test "what a gate came to on a tree is known after a resume, and is known of what was run alike only" {
    local sid
    commit_config <<YAML
retries: 0
gates:
  - {name: all, run: 'echo "\${BOSK_TASK:-none}\$GIVEN" >>"$SCRATCH/ran"'}
YAML
    cat >"$PLAN" <<YAML
tasks:
  - {id: one, run: 'echo 1 > one.txt'}
  - {id: two, run: 'echo 2 > two.txt', needs: [one], env: {GIVEN: -given}}
  - {id: three, run: 'exit 1', needs: [two]}
YAML
    run_bosk run "$PLAN"
    expect_status 1
    sid=$(last_sid)
    # One's tree is the merged one. So is two's, but for its gate there was something in the environment.
    equal "runs" "$(tr '\n' ' ' <"$SCRATCH/ran")" 'none one two-given none '
    run_bosk retry three --run
    expect_status 1
    equal "attempts" "$(task_field "$sid" three attempts)" 2
    equal "final gates" "$(status_json '.sessions[0].final_gates')" pass
    equal "runs" "$(tr '\n' ' ' <"$SCRATCH/ran")" 'none one two-given none '
}

# second_repo: a copy of $REPO, and $PLAN2 for it.
second_repo() { cp -a "$REPO" "$SCRATCH/other"; }

# one_at_a_time REMOVE: two repositories, one lock; who has it runs the command REMOVE.
one_at_a_time() {
    local remove=$1
    mkfifo "$SCRATCH/go"
    commit_config <<YAML
gates:
  - {name: db, exclusive: shared-db, run: '$remove; echo in >>"$SCRATCH/inside"; [ -e "$SCRATCH/went" ] || read go <"$SCRATCH/go"; echo out >>"$SCRATCH/inside"'}
YAML
    printf "tasks:\n  - {id: one, run: 'echo x > x.txt'}\n" >"$PLAN"
    second_repo
    start_bosk run "$PLAN" --no-preflight --verify task
    wait_until '[ -e "$SCRATCH/inside" ]'
    "$BOSK_BIN" -C "$SCRATCH/other" run "$PLAN" --no-preflight --verify task >"$SCRATCH/out2" 2>&1 </dev/null 3>&- &
    second=$!
    wait_until 'grep -qF "wait for shared-db (gate db)" "$SCRATCH/out2"'
    equal "inside" "$(wc -l <"$SCRATCH/inside")" 1
    touch "$SCRATCH/went"
    echo go >"$SCRATCH/go"
    wait_bosk
    expect_status 0
    wait "$second"
    equal "one after the other" "$(tr '\n' ' ' <"$SCRATCH/inside")" 'in out in out '
}

@test "exclusive: NAME: one at a time on the machine, in whichever repository" {
    one_at_a_time :
    [ -e "$XDG_RUNTIME_DIR/bosk/gate-shared-db.lock" ]
    for value in '"true"' yes '[a]' '"a/b"' '""'; do
        run_bosk plan "$PLAN" -c "gates=[{name: x, run: y, exclusive: $value}]"
        expect_status 2
    done
}

@test "exclusive: NAME: whoever removes the lock's file while it is held, the next one still waits" {
    one_at_a_time 'rm -rf "$XDG_RUNTIME_DIR/bosk"'
}

@test "BOSK_SLOT and BOSK_PORT stay one's own, whatever an agent does to those of others" {
    local first
    mkfifo "$SCRATCH/go"
    write_agent <<SH
#!/bin/sh
if [ -e "$SCRATCH/first" ]; then
    echo "\$BOSK_SLOT \$BOSK_PORT" > "$SCRATCH/second"
else
    BOSK_SLOT=77 BOSK_PORT=1 sh -c 'rm -rf "\$XDG_RUNTIME_DIR/bosk"; : > "\$TMPDIR/x"'
    echo "\$BOSK_SLOT \$BOSK_PORT" > "$SCRATCH/first.new"
    mv "$SCRATCH/first.new" "$SCRATCH/first"
    read go < "$SCRATCH/go"
fi
echo x > x.txt
SH
    printf 'tasks:\n  - {id: one, prompt: go}\n' >"$PLAN"
    second_repo
    start_bosk run "$PLAN" --executor "$AGENT"
    wait_until '[ -e "$SCRATCH/first" ]'
    first=$(cat "$SCRATCH/first")
    equal "port" "${first#* }" $((20000 + 20 * (${first% *} - 1)))
    "$BOSK_BIN" -C "$SCRATCH/other" run "$PLAN" --executor "$AGENT" >"$SCRATCH/out2" 2>&1 </dev/null 3>&-
    [ "$(cat "$SCRATCH/second")" != "$first" ]
    echo go >"$SCRATCH/go"
    wait_bosk
    expect_status 0
}

@test "protect: not by another case, a link, a rename, by deleting, nor in a commit of its own" {
    local sid id
    mkdir -p ci && echo 'deploy: no' >ci/deploy.yml
    commit_config <<'YAML'
halt_after_failures: 0
retries: 0
verify: task
protect: [bosk.yaml, ci]
YAML
    git add -A && git commit -qm 'More'
    cat >"$PLAN" <<'YAML'
tasks:
  - {id: edit, run: 'echo "gates: []" >> bosk.yaml'}
  - {id: case, run: 'echo "gates: []" > BOSK.yaml'}
  - {id: folder, run: 'mkdir CI && echo "deploy: yes" > CI/deploy.yml'}
  - {id: link, run: 'rm bosk.yaml && ln -s a.txt bosk.yaml'}
  - {id: through, run: 'ln -s bosk.yaml b && echo more >> b'}
  - {id: folder-link, run: 'mv ci other && ln -s other ci'}
  - {id: rename, run: 'git mv bosk.yaml b.yaml'}
  - {id: delete, run: 'rm bosk.yaml && echo x > x.txt'}
  - {id: new-below, run: 'echo x > ci/new.yml'}
  - {id: commit, run: 'echo more >> bosk.yaml && git commit -qam "Nothing to see"'}
  - {id: hide, run: 'git update-index --skip-worktree bosk.yaml && echo more >> bosk.yaml && echo x > x.txt'}
YAML
    run_bosk run "$PLAN"
    expect_status 1
    sid=$(last_sid)
    for id in edit case folder link through folder-link rename delete new-below commit; do
        equal "state of $id" "$(task_field "$sid" $id state)" blocked
        task_field "$sid" $id reason | grep -q 'which is protected$'
    done
    # What is hidden from git is not committed either.
    git diff --quiet main "integration-$sid" -- bosk.yaml ci
}

@test "the configuration is frozen at the start: what an agent does to bosk.yaml changes nothing, not even for a resume" {
    local sid task
    unchecked 'the agents change the checkout' B1
    commit_config <<'YAML'
fix_attempts: 0
halt_after_failures: 0
retries: 0
jobs: 1
verify: task
gates:
  - {name: strict, run: 'test ! -e bad.txt'}
YAML
    {
        echo 'tasks:'
        echo "  - {id: edits, run: 'echo \"gates: []\" | tee $REPO/bosk.yaml >>x.txt'}"
        echo "  - {id: bad1, needs: [], run: 'echo x > bad.txt'}"
        echo "  - {id: renames, run: 'mv $REPO/bosk.yaml $REPO/b.yaml; echo x > y.txt'}"
        echo "  - {id: bad2, run: 'echo x > bad.txt'}"
        echo "  - {id: deletes, run: 'rm -f $REPO/b.yaml; mkdir -p $HOME/.config/bosk; echo \"gates: []\" >$HOME/.config/bosk/config.yaml; echo x > z.txt'}"
        echo "  - {id: bad3, run: 'echo x > bad.txt'}"
    } >"$PLAN"
    run_bosk run "$PLAN" --sequential
    expect_status 1
    sid=$(last_sid)
    for task in bad1 bad2 bad3; do equal "$task" "$(task_field "$sid" $task state)" blocked; done
    [ ! -e bosk.yaml ]
    run_bosk retry bad1 --run
    expect_status 1
    equal "verdict" "$(task_field "$sid" bad1 gates.strict)" fail
    equal "state" "$(task_field "$sid" bad1 state)" blocked
}
