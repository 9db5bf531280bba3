#!/usr/bin/env bats
# The same plan again: continued, started over, by two at once; what ended red or stopped; landing of
# what belongs to a session and nothing else.
# shellcheck disable=SC2154,SC2016,SC2030,SC2031 # variables set by run_bosk; tests are subshells

load ../lib/flow

setup() {
    flow_setup
    make_repo a.txt
    PLAN=$SCRATCH/p.yaml
}
teardown() { flow_teardown; }

@test "an ended plan goes on where it ended; landing the first session lands only its own tasks" {
    commit_config <<<'retries: 0'
    cat >"$PLAN" <<YAML
tasks:
  - {id: good, run: 'echo good > good.txt'}
  - {id: late, run: 'test -e "$SCRATCH/go" && echo late > late.txt'}
YAML
    run_bosk run "$PLAN"
    expect_status 1
    first=$(last_sid)
    touch "$SCRATCH/go"
    run_bosk run "$PLAN"
    expect_status 0
    grep -q "ended in session $first" "$ERR"
    "$BOSK_BIN" report "$first" | grep -A1 '^elsewhere' | grep -q late
    second=$(status_json '.sessions[].id' | grep -vx "$first")
    equal "files" "$(git diff --name-only main "refs/bosk/int/$second" | tr '\n' ' ')" "good.txt late.txt "
    run_bosk land --merge "$first"
    expect_status 0
    equal "main" "$(git ls-tree --name-only main | tr '\n' ' ')" "README.md a.txt bosk.yaml good.txt "
    git log -1 --format=%B main >"$SCRATCH/message"
    refute grep -q late "$SCRATCH/message"
    equal "late" "$(task_field "$second" late state)" integrated
    equal "good" "$(task_field "$second" good state)" landed
    run_bosk land --merge "$second"
    expect_status 0
    equal "late" "$(git show main:late.txt)" late
}

@test "two runs of one plan at the same moment: one works, the other is refused" {
    printf 'tasks:\n  - {id: one, run: "sleep 0.5; echo one > one.txt"}\n' >"$PLAN"
    for i in 1 2 3 4; do
        {
            code=0
            "$BOSK_BIN" run "$PLAN" >"$SCRATCH/out$i" 2>&1 </dev/null 3>&- || code=$?
            echo "$code" >"$SCRATCH/status$i"
        } &
    done
    wait
    equal "worked" "$(cat "$SCRATCH"/status? | grep -cx 0)" 1
    equal "refused" "$(cat "$SCRATCH"/status? | grep -cxE '2|5')" 3
    equal "sessions" "$(status_json '.sessions | length')" 1
}

@test "a red tip stays red: status says so, resume and run of the same plan exit 1" {
    commit_config <<<'gates: [{name: few, run: "test $(ls | wc -l) -lt 5", paths: ["nothing"]}]'
    cat >"$PLAN" <<'YAML'
tasks:
  - {id: one, run: 'echo one > one.txt'}
  - {id: two, run: 'echo two > two.txt'}
YAML
    run_bosk run "$PLAN"
    expect_status 1
    sid=$(last_sid)
    equal "state" "$(status_json '.sessions[0].state')" done
    "$BOSK_BIN" status | grep -q 'the tip is RED: gate few'
    run_bosk resume "$sid"
    expect_status 1
    run_bosk run "$PLAN"
    expect_status 1
    grep -q 'its tip is red' "$ERR"
}

@test "--queue names a queue, continues it, and never takes another plan for it" {
    commit_config <<<'retries: 0'
    printf 'tasks:\n  - {id: one, run: "test -e %s && echo one > one.txt"}\n' "$SCRATCH/go" >"$PLAN"
    printf 'tasks:\n  - {id: two, run: "echo two > two.txt"}\n' >"$SCRATCH/q.yaml"
    run_bosk run "$PLAN" --queue night
    expect_status 1
    equal "queue" "$(status_json '.sessions[0].queue')" night
    run_bosk run "$SCRATCH/q.yaml" --queue night
    expect_status 2
    grep -q 'queue night holds another plan' "$ERR"
    touch "$SCRATCH/go"
    run_bosk run --queue night
    expect_status 0
    run_bosk run --queue other
    expect_status 2
    run_bosk run "$PLAN" --queue ../x
    expect_status 2
}

@test "-C goes there first; -q and -v may stand before the command" {
    mkdir "$REPO/plans"
    printf 'tasks:\n  - {id: one, run: "echo one > one.txt"}\n' >"$REPO/plans/p.yaml"
    cd /
    run_bosk -q -C "$REPO/plans" run p.yaml
    expect_status 0
    equal "said" "$(cat "$ERR")" ""
}

@test "logs -f ends when the supervisor is killed; resume --all ends with a signal" {
    printf 'tasks:\n  - {id: one, run: "echo begun; touch %s; sleep 100"}\n' "$SCRATCH/began" >"$PLAN"
    printf 'tasks:\n  - {id: two, run: "touch %s; sleep 100"}\n' "$SCRATCH/second" >"$SCRATCH/q.yaml"
    start_bosk run "$PLAN"
    wait_until "[ -e '$SCRATCH/began' ]" 30
    "$BOSK_BIN" logs -f one >"$SCRATCH/follow" 2>&1 </dev/null 3>&- &
    follower=$!
    wait_until "grep -q begun '$SCRATCH/follow'" 20
    kill -KILL "$bosk_pid"
    wait_bosk
    wait_until "! alive $follower" 20
    start_bosk run "$SCRATCH/q.yaml"
    wait_until "[ -e '$SCRATCH/second' ]" 30
    kill -KILL "$bosk_pid"
    wait_bosk
    rm "$SCRATCH/began" "$SCRATCH/second"
    start_bosk resume --all
    wait_until "[ -e '$SCRATCH/began' ]" 30
    kill -TERM "$bosk_pid"
    wait_bosk
    expect_status 143
    [ ! -e "$SCRATCH/second" ]
}

@test "work that could not be saved is never touched again, neither by gates nor by a resume" {
    commit_config <<'YAML'
retries: 0
gates: [{name: any, run: 'true', paths: ['nothing']}]
YAML
    cat >"$PLAN" <<'YAML'
tasks:
  - {id: good, run: 'echo good > good.txt'}
  - {id: bad, needs: [good], run: 'echo precious > work.txt; touch git~1; exit 1'}
  - {id: later, needs: [good], run: 'echo later > later.txt'}
YAML
    run_bosk run "$PLAN" --jobs 1
    sid=$(last_sid)
    held=$(find "$SCRATCH/repo.worktrees" -name work.txt)
    equal "precious" "$(cat "$held")" precious
    "$BOSK_BIN" report | grep -q "only in .*$sid-1"
    run_bosk resume
    equal "later" "$(task_field "$sid" later state)" integrated
    equal "precious" "$(cat "$held")" precious
}

@test "a worker's leftover is kept although the supervisor ends before the next worker" {
    commit_config <<<'retries: 1'
    cat >"$PLAN" <<YAML
tasks:
  - id: one
    run: |
      if mkdir '$SCRATCH/once' 2>/dev/null; then echo precious > work.txt; kill -KILL \$PPID; sleep 60; fi
      echo one > one.txt
YAML
    start_bosk run "$PLAN"
    wait_until "grep -q 'it runs again' '$ERR'" 30
    kill -KILL "$bosk_pid"
    wait_bosk
    run_bosk resume
    expect_status 0
    sid=$(last_sid)
    for ref in $(git for-each-ref --format='%(refname)' "refs/bosk/keep/$sid/"); do
        git cat-file -e "$ref:work.txt" 2>/dev/null && found=1
    done
    equal "found" "${found:-0}" 1
    equal "files" "$(git diff --name-only main "refs/bosk/int/$sid")" one.txt
}

@test "halted: the final gates run, worktrees go, nothing red lands" {
    commit_config <<'YAML'
retries: 0
halt_after_failures: 1
land: merge
gates: [{name: few, run: 'test ! -e a1.txt', paths: ['nothing']}]
YAML
    cat >"$PLAN" <<'YAML'
tasks:
  - {id: a1, run: 'echo a > a1.txt'}
  - {id: b1, run: 'exit 1'}
  - {id: c1, run: 'echo c > c1.txt'}
YAML
    run_bosk run "$PLAN" --sequential
    expect_status 1
    sid=$(last_sid)
    equal "final" "$(status_json '.sessions[0].final_gates')" fail
    equal "c1" "$(task_field "$sid" c1 state)" pending
    assert_no_worktrees "$REPO"
    refute git cat-file -e main:a1.txt
}

@test "a red base leaves no trace, and an earlier session of the plan as it was" {
    commit_config <<<'{retries: 0, gates: [{name: g, run: "test ! -e broken"}]}'
    printf 'tasks:\n  - {id: one, run: "exit 7"}\n  - {id: two, run: "echo 2 > two.txt"}\n' >"$PLAN"
    run_bosk run "$PLAN"
    expect_status 1
    sid=$(last_sid)
    before=$(status_json '.sessions')
    ls "$REPO/.git/bosk/sessions" "$REPO/.git/bosk/logs" >"$SCRATCH/files"
    printf 'gates: [{name: g, run: "false"}]\n' >bosk.yaml
    run_bosk run "$PLAN" --keep-worktrees
    expect_status 4
    equal "sessions" "$(status_json '.sessions')" "$before"
    equal "files" "$(ls "$REPO/.git/bosk/sessions" "$REPO/.git/bosk/logs")" "$(cat "$SCRATCH/files")"
    assert_no_worktrees "$REPO"
    equal "refs" "$(git for-each-ref 'refs/bosk/int/*' | wc -l)" 1
}

@test "a plan that landed in part is finished on what has landed, and nothing is done twice" {
    commit_config <<<'retries: 0'
    cat >"$PLAN" <<YAML
tasks:
  - {id: grow, run: 'echo line >> a.txt'}
  - {id: late, run: 'test -e "$SCRATCH/go" && echo late > late.txt'}
YAML
    run_bosk run "$PLAN" --land merge
    expect_status 1
    equal "a.txt" "$(cat a.txt)" $'a.txt\nline'
    touch "$SCRATCH/go"
    run_bosk run "$PLAN" --land merge
    expect_status 0
    equal "a.txt" "$(cat a.txt)" $'a.txt\nline'
    equal "late" "$(cat late.txt)" late
}

@test "a stopped session does not land what no gate has seen; several landings wait for each other" {
    commit_config <<<'gates: [{name: any, run: "true"}]'
    cat >"$PLAN" <<YAML
tasks:
  - {id: one, run: 'touch "$SCRATCH/began"; until test -e "$SCRATCH/go"; do sleep 0.05; done; echo one > one.txt'}
  - {id: two, needs: [one], run: 'echo two > two.txt'}
YAML
    start_bosk run "$PLAN"
    wait_until "[ -e '$SCRATCH/began' ]" 30
    run_bosk stop
    touch "$SCRATCH/go"
    wait_bosk
    sid=$(last_sid)
    run_bosk land --merge "$sid"
    expect_status 1
    grep -q 'gates have not run' "$ERR"
    run_bosk resume
    expect_status 0
    for i in 1 2 3; do
        printf 'tasks:\n  - {id: t%s, run: "echo %s > s%s.txt"}\n' $i $i $i >"$SCRATCH/s$i.yaml"
        run_bosk run "$SCRATCH/s$i.yaml"
        expect_status 0
    done
    for s in $(status_json '.sessions[].id'); do
        { "$BOSK_BIN" land --merge "$s" >"$SCRATCH/land-$s" 2>&1 </dev/null 3>&- || touch "$SCRATCH/refused"; } &
    done
    wait
    [ ! -e "$SCRATCH/refused" ]
    equal "main" "$(git ls-tree --name-only main | tr '\n' ' ')" \
        "README.md a.txt bosk.yaml one.txt s1.txt s2.txt s3.txt two.txt "
    equal "status" "$(git status --porcelain)" ""
}

@test "a merge left unfinished is not committed with its markers" {
    commit_config <<<'retries: 0'
    cat >"$PLAN" <<'YAML'
tasks:
  - id: one
    run: |
      git checkout -q -b o1; echo 1 > a.txt; git commit -qam o1
      git checkout -q -b o2 HEAD~1; echo 2 > a.txt; git commit -qam o2
      git merge o1 || true
YAML
    run_bosk run "$PLAN"
    expect_status 1
    task_field "$(last_sid)" one reason | grep -q 'merge unfinished'
}

@test "a shallow clone lands too" {
    # libgit2 1.5 leaks 80 bytes of its own whenever a walk meets the edge of the history.
    echo 'leak:libgit2' >"$SCRATCH/leaks"
    export LSAN_OPTIONS=suppressions=$SCRATCH/leaks:print_suppressions=0
    for i in 1 2 3; do echo "$i" >n.txt; git add -A; git commit -qm "$i"; done
    git clone -q --depth 1 "file://$REPO" "$SCRATCH/shallow"
    cd "$SCRATCH/shallow"
    git config user.name T
    git config user.email t@example.invalid
    printf 'tasks:\n  - {id: one, run: "echo one > one.txt"}\n' >"$PLAN"
    run_bosk run "$PLAN" --land merge
    expect_status 0
    equal "one" "$(cat one.txt)" one
}

@test "a session that continued another and added nothing can be landed: the gates passed on what it began at" {
    commit_config <<'YAML'
gates: [{name: fine, run: "true"}]
retries: 0
YAML
    printf 'tasks: [{id: good, run: "echo x > good.txt"}, {id: bad, run: "exit 1"}]\n' >"$SCRATCH/again.yaml"
    run_bosk run "$SCRATCH/again.yaml"
    expect_status 1
    run_bosk run "$SCRATCH/again.yaml"
    expect_status 1
    run_bosk land "$(last_sid)" --merge
    expect_status 0
    equal "landed" "$(git show main:good.txt)" x
}
