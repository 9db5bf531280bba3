#!/usr/bin/env bats
# A batch from plan to integration branch: order, fixing after a red gate, what is committed, what
# is left alone, what is said.
# shellcheck disable=SC2154 # variables set by run_bosk and start_bosk

load ../lib/flow

setup() {
    flow_setup
    make_repo a.txt sub/b.txt
}
teardown() { flow_teardown; }

# The gate: every *.txt is in lower case. Says the file and line that are not.
lower_case_gate() {
    write_file check.sh <<'SH'
#!/bin/sh
# Every text file is in lower case.
if grep -n '[A-Z]' *.txt; then
    echo "upper case found"
    exit 1
fi
SH
    chmod +x check.sh
    git add -A
    git commit -qm 'A gate'
    commit_config <<'YAML'
gates:
  - {name: lower, run: ./check.sh, timeout: 1m}
YAML
}

# Six tasks: a chain, a fork, and one whose agent first gets it wrong and repairs it by what the
# gate said.
six_tasks() {
    write_file "$SCRATCH/six.yaml" <<'YAML'
tasks:
  - id: greet
    title: Greet
    run: echo hello > greet.txt
  - id: reply
    title: Reply to the greeting
    needs: [greet]
    run: sed 's/hello/hello too/' greet.txt > reply.txt
  - id: count
    needs: [greet]
    run: wc -l < greet.txt | tr -d ' ' > count.txt
  - id: wrong-first
    title: Wrong first
    prompt: |
      Create wrong.txt with the line
      fine now
  - id: rename
    run: git mv sub/b.txt sub/c.txt
  - id: all
    title: Put it together
    needs: [reply, count, wrong-first, rename]
    run: cat reply.txt count.txt wrong.txt sub/c.txt > all.txt
YAML
    write_agent <<'SH'
#!/bin/sh
# What the gate said arrives on standard input with the prompt.
if grep -q 'wrong.txt:1:FINE NOW'; then
    echo 'fine now' > wrong.txt
else
    echo 'FINE NOW' > wrong.txt
fi
SH
}

@test "six tasks with needs, one gate red once: exit 0, right tree, checkout untouched" {
    lower_case_gate
    six_tasks
    dirty_checkout
    local base sid task
    base=$(git rev-parse HEAD)
    snapshot_checkout "$REPO" >"$SCRATCH/before"

    run_bosk run "$SCRATCH/six.yaml" --jobs 3 --executor "$AGENT"
    expect_status 0
    snapshot_checkout "$REPO" >"$SCRATCH/after"
    assert_same_snapshot "$SCRATCH/before" "$SCRATCH/after"

    sid=$(last_sid)
    [[ $sid =~ ^[0-9a-f]{6}$ ]]
    local -a ids=(greet reply count wrong-first rename all)
    assert_once "$REPO" "$sid" "$base" "${ids[@]}"

    # The tree: the base, what the tasks did, and nothing else.
    git worktree add -q --detach "$SCRATCH/want" "$base"
    (
        cd "$SCRATCH/want"
        echo hello >greet.txt
        echo 'hello too' >reply.txt
        echo 1 >count.txt
        echo 'fine now' >wrong.txt
        git mv sub/b.txt sub/c.txt
        cat reply.txt count.txt wrong.txt sub/c.txt >all.txt
        git add -A
        git write-tree
    ) >"$SCRATCH/want.tree"
    git worktree remove --force "$SCRATCH/want"
    equal "final tree" "$(git rev-parse "integration-$sid^{tree}")" "$(cat "$SCRATCH/want.tree")"

    # Messages and trailers.
    local merge commit
    for task in "${ids[@]}"; do
        merge=$(task_field "$sid" "$task" merge)
        commit=$(task_field "$sid" "$task" commit)
        equal "second parent" "$(git rev-parse "$merge^2")" "$commit"
        equal "queue of $task" "$(trailer "$commit" Bosk-Queue)" "$(status_json '.sessions[0].queue')"
        equal "attempt of $task" "$(trailer "$commit" Bosk-Attempt)" "$(task_field "$sid" "$task" attempts)"
        equal "state of $task" "$(task_field "$sid" "$task" state)" integrated
        equal "author of $task" "$(git log -1 --format='%an <%ae>' "$commit")" 'Test User <test@example.invalid>'
    done
    equal "subject" "$(git log -1 --format=%s "integration-$sid")" "Merge task all: Put it together"
    equal "attempts" "$(task_field "$sid" wrong-first attempts)" 2
    equal "attempts" "$(task_field "$sid" greet attempts)" 1
    equal "gate" "$(task_field "$sid" wrong-first gates.lower)" pass

    # Order: a task's base has what it needs.
    for task in reply count wrong-first rename; do
        git merge-base --is-ancestor "$(task_field "$sid" "$task" merge)" "$(task_field "$sid" all commit)"
    done

    # Nothing is left behind.
    assert_no_strays "$sid"
    assert_no_worktrees "$REPO"
    equal "task branches" "$(git for-each-ref --format='%(refname)' refs/heads/bosk)" ""
    equal "worktree folder" "$(ls -A "$SCRATCH/repo.worktrees" 2>/dev/null || true)" ""
}

@test "events: one JSON object per line, in an order that makes sense" {
    lower_case_gate
    six_tasks
    run_bosk run "$SCRATCH/six.yaml" --jobs 3 --executor "$AGENT" --json
    expect_status 0
    jq -es 'length > 20' "$OUT" >/dev/null
    jq -es 'all(.[]; (.time | test("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}")) and (.time_ms | type == "number") and (.kind | type == "string"))' "$OUT"
    # Times never go back; first the session, last its end.
    jq -es '[.[].time_ms] | . == sort' "$OUT"
    equal "first event" "$(jq -rs 'first.kind' "$OUT")" session
    equal "last event" "$(jq -rs 'last.kind' "$OUT")" end
    # Each task: assigned, tried, gated, ended, merged.
    local task got
    for task in greet reply count rename all; do
        got=$(jq -rs --arg t "$task" '[.[] | select(.task == $t) | .kind | select(IN("assign", "attempt", "result", "integrated"))] | unique_by(.) | join(" ")' "$OUT")
        equal "kinds for $task" "$got" "assign attempt integrated result"
        jq -es --arg t "$task" '[.[] | select(.task == $t)] |
            (map(select(.kind == "assign")) | first.time_ms) <= (map(select(.kind == "result")) | first.time_ms) and
            (map(select(.kind == "result")) | last.time_ms) <= (map(select(.kind == "integrated")) | first.time_ms)' "$OUT"
        equal "merges of $task" "$(jq -s --arg t "$task" '[.[] | select(.task == $t and .kind == "integrated")] | length' "$OUT")" 1
    done
    # A task starts only after what it needs is integrated.
    jq -es '(map(select(.task == "greet" and .kind == "integrated")) | first.time_ms) <=
            (map(select(.task == "reply" and .kind == "assign")) | first.time_ms)' "$OUT"
}

@test "a task that fails: its dependants are skipped, the rest is integrated, its work is kept" {
    local base sid kept
    base=$(git rev-parse HEAD)
    commit_config <<<'retries: 0'
    base=$(git rev-parse HEAD)
    write_file "$SCRATCH/p.yaml" <<'YAML'
tasks:
  - {id: bad, run: 'echo half > half.txt; exit 3'}
  - {id: child, needs: [bad], run: 'echo child > child.txt'}
  - {id: grandchild, needs: [child], run: 'echo grandchild > grandchild.txt'}
  - {id: good, run: 'echo good > good.txt'}
YAML
    run_bosk run "$SCRATCH/p.yaml"
    expect_status 1
    sid=$(last_sid)
    equal "bad" "$(task_field "$sid" bad state)" failed
    equal "child" "$(task_field "$sid" child state)" skipped
    equal "grandchild" "$(task_field "$sid" grandchild state)" skipped
    equal "good" "$(task_field "$sid" good state)" integrated
    [ "$(task_field "$sid" bad reason)" != null ]
    equal "session" "$(status_json '.sessions[0].state')" failed
    assert_once "$REPO" "$sid" "$base" good
    # What was half done can be found again.
    kept=$(git for-each-ref --contains "$base" --format='%(refname)' refs/heads/bosk refs/bosk/rescue refs/bosk/keep |
        while read -r ref; do
            if git cat-file -e "$ref:half.txt" 2>/dev/null; then echo "$ref"; fi
        done)
    [ -n "$kept" ]
    assert_no_strays "$sid"
}

@test "a failure is tried again as often as retries says" {
    commit_config <<<'retries: 1'
    write_file "$SCRATCH/p.yaml" <<YAML
tasks:
  - {id: shaky, run: 'if test -e "$SCRATCH/once"; then echo done > done.txt; else touch "$SCRATCH/once"; exit 1; fi'}
YAML
    run_bosk run "$SCRATCH/p.yaml"
    expect_status 0
    equal "attempts" "$(task_field "$(last_sid)" shaky attempts)" 2
}

@test "an empty change is a failure unless the task allows it" {
    local sid
    commit_config <<<'retries: 0'
    write_file "$SCRATCH/p.yaml" <<'YAML'
tasks:
  - {id: nothing, run: 'true'}
  - {id: allowed, run: 'true', allow_empty: true}
YAML
    run_bosk run "$SCRATCH/p.yaml"
    expect_status 1
    sid=$(last_sid)
    equal "nothing" "$(task_field "$sid" nothing state)" failed
    equal "allowed" "$(task_field "$sid" allowed state)" integrated
}

@test "what the agent finds: its environment, the prompt, a clean worktree on the task's branch" {
    local sid
    write_file "$SCRATCH/p.yaml" <<'YAML'
tasks:
  - {id: look, title: Look around, prompt: 'Say what you see: blue.', env: {COLOUR: blue}}
YAML
    write_agent <<SH
#!/bin/sh
env > "$SCRATCH/env"
cat > "$SCRATCH/stdin"
cp "\$BOSK_PROMPT_FILE" "$SCRATCH/prompt"
cp "\$BOSK_TASK_FILE" "$SCRATCH/task.json"
git status --porcelain > "$SCRATCH/git-status"
git symbolic-ref --short HEAD > "$SCRATCH/branch"
pwd > "$SCRATCH/pwd"
touch "\$TMPDIR/mine"
echo seen > seen.txt
SH
    GIT_DIR=/nowhere GIT_AUTHOR_NAME=Caller run_bosk -C "$REPO" run "$SCRATCH/p.yaml" --executor "$AGENT"
    expect_status 0
    sid=$(last_sid)
    local name
    for name in SESSION TASK TASK_FILE PROMPT_FILE RESULT_FILE ATTEMPT SLOT PORT WORKTREE BRANCH BASE LOG_DIR; do
        expect_text "^BOSK_$name=." "$SCRATCH/env"
    done
    expect_text "^BOSK_SESSION=$sid$" "$SCRATCH/env"
    expect_text '^BOSK_TASK=look$' "$SCRATCH/env"
    expect_text '^BOSK_ATTEMPT=1$' "$SCRATCH/env"
    expect_text '^COLOUR=blue$' "$SCRATCH/env"
    expect_text "^BOSK_BASE=$(git rev-parse main)$" "$SCRATCH/env"
    expect_text "^BOSK_WORKTREE=$(cat "$SCRATCH/pwd")$" "$SCRATCH/env"
    expect_text "^BOSK_BRANCH=$(cat "$SCRATCH/branch")$" "$SCRATCH/env"
    refute grep -qE '^GIT_(DIR|AUTHOR_NAME|CONFIG_GLOBAL)=' "$SCRATCH/env"
    expect_text 'Say what you see: blue\.' "$SCRATCH/prompt"
    cmp "$SCRATCH/prompt" "$SCRATCH/stdin"
    equal "task file" "$(jq -r .id "$SCRATCH/task.json")" look
    equal "status in the worktree" "$(cat "$SCRATCH/git-status")" ""
    equal "author" "$(git log -1 --no-merges --format=%an "integration-$sid")" 'Test User'
}

@test "from a folder below, from a linked worktree, and by -C" {
    local place sid
    git worktree add -q -b elsewhere "$SCRATCH/linked"
    for place in "$REPO/sub" "$SCRATCH/linked" "$SCRATCH"; do
        write_file "$SCRATCH/p.yaml" <<YAML
tasks:
  - {id: one, run: 'echo "$place" > place.txt'}
YAML
        cd "$place"
        if [ "$place" = "$SCRATCH" ]; then
            run_bosk -C "$REPO/sub" run "$SCRATCH/p.yaml" --target main
        else
            run_bosk run "$SCRATCH/p.yaml" --target main
        fi
        expect_status 0
        cd "$REPO"
        sid=$(last_sid)
        equal "result" "$(git show "integration-$sid:place.txt")" "$place"
    done
    run_bosk -C "$SCRATCH" status
    expect_status 4
}

@test "never more at once than --jobs, and no two that share a file or are exclusive" {
    local sid
    write_agent <<SH
#!/bin/sh
# Notes who runs beside it.
mkdir -p "$SCRATCH/now" "$SCRATCH/seen"
touch "$SCRATCH/now/\$BOSK_TASK"
for step in 1 2 3; do
    sleep 0.1
    ls "$SCRATCH/now" >> "$SCRATCH/seen/\$BOSK_TASK.\$step"
done
rm "$SCRATCH/now/\$BOSK_TASK"
echo "\$BOSK_TASK" > "\$BOSK_TASK.txt"
SH
    write_file "$SCRATCH/p.yaml" <<'YAML'
tasks:
  - {id: a1, prompt: x, files: [src/]}
  - {id: a2, prompt: x, files: [src/main.c]}
  - {id: b1, prompt: x}
  - {id: b2, prompt: x}
  - {id: alone, prompt: x, exclusive: true}
  - {id: b3, prompt: x}
YAML
    run_bosk run "$SCRATCH/p.yaml" --jobs 2 --executor "$AGENT"
    expect_status 0
    local file
    for file in "$SCRATCH"/seen/*; do
        [ "$(wc -l <"$file")" -le 2 ]
    done
    for file in "$SCRATCH"/seen/a1.*; do refute grep -qx a2 "$file"; done
    for file in "$SCRATCH"/seen/alone.*; do equal "beside alone" "$(cat "$file")" alone; done
    sid=$(last_sid)
    assert_once "$REPO" "$sid" main a1 a2 b1 b2 alone b3
}

@test "a conflict is parked on its branch, the other side is integrated" {
    local sid states
    write_file "$SCRATCH/p.yaml" <<YAML
tasks:
  - {id: left, run: 'echo left > a.txt; touch "$SCRATCH/left"; until test -e "$SCRATCH/right"; do sleep 0.05; done'}
  - {id: right, run: 'echo right > a.txt; touch "$SCRATCH/right"; until test -e "$SCRATCH/left"; do sleep 0.05; done'}
  - {id: other, run: 'echo other > other.txt'}
YAML
    run_bosk run "$SCRATCH/p.yaml" --jobs 3 --on-conflict park
    expect_status 1
    sid=$(last_sid)
    states=$(printf '%s\n' "$(task_field "$sid" left state)" "$(task_field "$sid" right state)" | sort | tr '\n' ' ')
    equal "states" "$states" "conflict integrated "
    equal "other" "$(task_field "$sid" other state)" integrated
    local loser=left
    [ "$(task_field "$sid" left state)" = conflict ] || loser=right
    equal "work of the parked task" "$(git show "$(task_field "$sid" $loser branch):a.txt")" "$loser"
    assert_no_strays "$sid"
}

@test "a plan whose session is not finished starts nothing and names the resume command" {
    local sid
    write_file "$SCRATCH/p.yaml" <<YAML
tasks:
  - {id: one, run: 'echo one > one.txt'}
  - {id: two, needs: [one], run: 'touch "$SCRATCH/two"; until test -e "$SCRATCH/go"; do sleep 0.05; done; echo two > two.txt'}
  - {id: three, needs: [two], run: 'echo three > three.txt'}
YAML
    start_bosk run "$SCRATCH/p.yaml"
    wait_until "[ -e '$SCRATCH/two' ]" 60
    sid=$(last_sid)
    kill -INT "$bosk_pid"
    touch "$SCRATCH/go"
    wait_bosk
    expect_status 130
    equal "session" "$(status_json '.sessions[0].state')" stopped
    equal "two" "$(task_field "$sid" two state)" integrated
    equal "three" "$(task_field "$sid" three state)" pending
    run_bosk run "$SCRATCH/p.yaml"
    expect_status 2
    grep -qF "bosk resume $sid" "$OUT" "$ERR"
    run_bosk resume "$sid"
    expect_status 0
    assert_once "$REPO" "$sid" main one two three
    # Once more changes nothing.
    local tip
    tip=$(git rev-parse "integration-$sid")
    run_bosk resume "$sid"
    equal "tip" "$(git rev-parse "integration-$sid")" "$tip"
}

@test "run inside a task is refused" {
    write_file "$SCRATCH/p.yaml" <<'YAML'
tasks:
  - {id: one, run: 'echo one > one.txt'}
YAML
    BOSK_TASK=outer run_bosk run "$SCRATCH/p.yaml"
    expect_status 2
    [ ! -e .git/bosk ]
}

@test "who commits is read where the user's git settings are; without it nothing starts" {
    git config --unset user.name
    git config --unset user.email
    printf '[user]\n\tname = Global User\n\temail = global@example.invalid\n' >"$SCRATCH/settings"
    printf 'tasks:\n  - {id: one, run: "echo x > x.txt"}\n' >"$SCRATCH/p.yaml"
    run_bosk run "$SCRATCH/p.yaml"
    expect_status 4
    grep -q 'git config --global user.email' "$ERR"
    [ ! -e "$REPO/.git/bosk" ]
    GIT_CONFIG_GLOBAL=$SCRATCH/settings run_bosk run "$SCRATCH/p.yaml"
    expect_status 0
    equal "author" "$(git log -1 --format='%an <%ae>' "integration-$(last_sid)^2")" "Global User <global@example.invalid>"
}
