#!/usr/bin/env bats
# bosk verify finds what disagrees - store, journal, results, refs, merges, worktrees - and --repair puts it
# right. Each row plants one thing in a copy of the same finished session.

load ../lib/flow.bash

# A session that has everything: two tasks merged, one of them on the other, one failed with work left on its
# branch, one skipped because of it, one in conflict.
setup_file() {
    : "${BOSK_TEST_STORE_EDIT:?names the program that changes a store}"
    flow_setup
    make_repo file
    write_file "$SCRATCH/plan.yaml" <<'YAML'
tasks:
  - {id: one, run: "echo 1 >file"}
  - {id: two, run: "echo 2 >two", needs: [one]}
  - {id: bad, run: "echo b >bad; exit 3"}
  - {id: after, run: "true", needs: [bad]}
YAML
    run_bosk run "$SCRATCH/plan.yaml" --jobs 2 -c retries=0
    expect_status 1
    SID=$(last_sid)
    QUEUE=$(status_json '.sessions[0].queue')
    flow_template SID QUEUE
}
teardown_file() { flow_teardown; }

fresh() {
    flow_fresh
    : >"$OUT"
}
edit() { "$BOSK_TEST_STORE_EDIT" .git/bosk/store "$@"; }
# The last key of TABLE that begins with PREFIX, the Nth from the front with a number.
key() { edit keys "$1" "$2" | if [ -n "${3:-}" ]; then sed -n "$3p"; else tail -n 1; fi; }
states() { status_json '.sessions[] | .state, (.tasks[] | "\(.id) \(.state)")'; }
event() { # KIND: the key of the last event of that kind
    local k found=''
    for k in $(edit keys journal); do [ "$(edit get journal "$k" kind)" != "$1" ] || found=$k; done
    printf '%s\n' "$found"
}

# row NAME TEXT COMMANDS: plants, and wants verify to say TEXT, to put it right, and then to agree; states
# and tree are again what they were.
planted=0
row() {
    local name=$1 text=$2 tree
    fresh
    tree=$(git rev-parse "refs/bosk/int/$SID^{tree}")
    eval "$3"
    run_bosk verify
    [ "$status" = 1 ] || { printf '%s: verify said %s:\n%s\n%s\n' "$name" "$status" "$out" "$err" >&2; return 1; }
    grep -qE -- "$text" "$OUT" || { printf '%s: not found:\n%s\n' "$name" "$out" >&2; return 1; }
    run_bosk verify --repair
    [ "$status" = 0 ] || { printf '%s: repair said %s:\n%s\n%s\n' "$name" "$status" "$out" "$err" >&2; return 1; }
    run_bosk verify
    [ "$status" = 0 ] || { printf '%s: not repaired:\n%s\n%s\n' "$name" "$out" "$err" >&2; return 1; }
    [ "$(git rev-parse "refs/bosk/int/$SID^{tree}")" = "$tree" ] || { echo "$name: the tree changed" >&2; return 1; }
    [ "$(states)" = "$before" ] || {
        printf '%s: the states are now\n%s\nbut were\n%s\n' "$name" "$(states)" "$before" >&2
        return 1
    }
    git fsck --no-dangling >/dev/null 2>&1 || { echo "$name: git fsck" >&2; return 1; }
    planted=$((planted + 1))
}

setup() {
    load ../lib/flow.bash
    fresh
    before=$(states)
}

@test "a finished session agrees" {
    run_bosk verify
    expect_status 0
    grep -q ' all agree$' "$OUT"
    run_bosk verify --json
    expect_status 0
    jq -e '.agree and .sessions == 1 and .tasks == 4 and .results == 3 and .findings == []' "$OUT"
    run_bosk verify --repair # nothing to do, nothing done
    expect_status 0
    [ "$err" = '' ]
    [ "$(states)" = "$before" ]
}

@test "rows that disagree with the journal" {
    row 'state' 'task two is failed, but integrated by the journal' 'edit set tasks "$QUEUE/000002/s" state failed'
    row 'made-up state' "is 'great', which is no state" 'edit set tasks "$QUEUE/000003/s" state great'
    row 'failed task that became integrated' 'task bad is integrated, but failed by the journal' \
        'edit set tasks "$QUEUE/000003/s" state integrated'
    row 'commit' 'task one has the commit' 'edit set tasks "$QUEUE/000001/s" commit "$(git rev-parse main)"'
    row 'merge' 'task two has the merge' 'edit set tasks "$QUEUE/000002/s" merge "$(git rev-parse main)"'
    row 'attempts' 'task one had 7 attempts, but 1' 'edit set tasks "$QUEUE/000001/s" attempts 7'
    row 'old row' 'task one: its row is older than event' 'edit set tasks "$QUEUE/000001/s" seq 1'
    row 'state of the session' 'its state is done, but failed by its journal' 'edit set manifest "$SID" state done'
    row 'landed' 'what it landed as is' 'edit set manifest "$SID" landed "$(git rev-parse main)"'
    row 'verdict' 'the verdict on its final tip is pass' 'edit set manifest "$SID" final_gates pass'
    row 'tip' 'its integration tip is' 'edit raw integration "$SID/tip" "$(git rev-parse main)"'
    [ $planted = 11 ]
}

@test "rows that are gone, cannot be read, or are too many" {
    row 'no manifest' 'its row in manifest is missing' 'edit del manifest "$SID"'
    row 'manifest unreadable' 'its row in manifest is missing or cannot be read' 'edit raw manifest "$SID" nonsense'
    row 'no options' 'its row in sessions is missing' 'edit del sessions "$SID"'
    row 'options unreadable' 'its row in sessions is missing or cannot be read' 'edit raw sessions "$SID" x'
    row 'no queue' 'the store does not know this plan' 'edit del queues "$QUEUE"'
    row 'queue unreadable' 'its row in queues cannot be read' 'edit raw queues "$QUEUE" x'
    row 'fewer tasks' 'says that it has 3 tasks, but has 4' 'edit set queues "$QUEUE" tasks 3'
    row 'more tasks' 'says that it has 5 tasks, but has 4' 'edit set queues "$QUEUE" tasks 5'
    row 'a task too many' 'two tasks have the id one' 'edit copy tasks "$QUEUE/000001/d" "$QUEUE/000005/d"'
    row 'queue without its session' 'does not name it' 'edit set queues "$QUEUE" sessions -; edit set queues "$QUEUE" session -'
    row 'queue with a strange session' 'names session ffffff, which there is not' 'edit set queues "$QUEUE" sessions ffffff'
    row 'no definition' 'task 2: its definition is missing' 'edit del tasks "$QUEUE/000002/d"'
    row 'other definition' 'its tasks are not those of the plan' 'edit set tasks "$QUEUE/000002/d" run "rm -rf ."'
    row 'no state' 'task 2: its state is missing' 'edit del tasks "$QUEUE/000002/s"'
    row 'state unreadable' 'task 2: its state cannot be read' 'edit raw tasks "$QUEUE/000002/s" x'
    row 'no tip' 'its integration tip is missing' 'edit del integration "$SID/tip"'
    row 'row of nobody' 'journal has a row ffffff/.* of a session that there is not' \
        'edit copy journal "$(key journal "$SID")" ffffff/0000000000000001'
    row 'task of nobody' 'tasks has a row NOBODY/.* of a queue that there is not' \
        'edit copy tasks "$QUEUE/000001/d" NOBODY/000001/d'
    row 'claim unreadable' 'the row .*/worktree of slots cannot be read' 'edit raw slots "$SID/worktree" x'
    row 'claim of nobody' 'slots has a row ffffff/.* of a session' 'edit raw slots ffffff/worktree x'
    [ $planted = 20 ]
}

@test "a journal that was changed" {
    row 'event gone' 'event 3 of its journal is missing' 'edit del journal "$(key journal "$SID" 3)"'
    row 'last event gone' 'its journal ends with event' 'edit del journal "$(key journal "$SID")"'
    row 'merge never told' 'event .* of its journal is missing' 'edit del journal "$(event integrated)"'
    row 'event unreadable' 'of its journal cannot be read' 'edit raw journal "$(key journal "$SID" 4)" x'
    row 'event of another kind' 'makes no sense: party' 'edit set journal "$(key journal "$SID" 4)" kind party'
    row 'event of no task' 'makes no sense' 'edit set journal "$(event result)" ordinal 99'
    row 'event too many' 'its journal ends with event' \
        'edit copy journal "$(key journal "$SID")" "$SID/00000000000000ff"'
    row 'sequence' 'its manifest says 3' 'edit set manifest "$SID" last_seq 3'
    [ $planted = 8 ]
}

@test "result records that were changed or removed (D4)" {
    row 'changed' 'the result of task one, attempt 1 was changed' 'edit set results "$(key results "$QUEUE/000001")" outcome failed'
    row 'changed time' 'was changed' 'edit set results "$(key results "$QUEUE/000003")" ran_ms 1'
    row 'other hash' 'was changed|is missing' 'edit set results "$(key results "$QUEUE/000001")" hash 00'
    row 'first removed' 'is missing|its manifest says|does not have' 'edit del results "$(key results "$QUEUE/000001")"'
    row 'last removed' 'its last result record|is missing' 'edit del results "$(key results "$QUEUE/000002")"'
    row 'unreadable' 'result record .* cannot be read' 'edit raw results "$(key results "$QUEUE/000001")" x'
    row 'end of the chain' 'its last result record is' 'edit set manifest "$SID" chain 00ff'
    row 'named by its task' 'names result record' 'edit set tasks "$QUEUE/000003/s" result_hash 00ff'
    [ $planted = 8 ]
    # What is gone stays said.
    fresh
    edit del results "$(key results "$QUEUE/000001")"
    run_bosk verify --repair
    expect_status 0
    grep -q 'note: .*result records before .* are gone' "$OUT"
}

@test "refs, branches and worktrees that are not where they were left" {
    row 'no truth ref' "refs/bosk/int/$SID" 'git update-ref -d refs/bosk/int/$SID; git branch -f "integration-$SID" >/dev/null; git update-ref -d "refs/heads/integration-$SID"'
    row 'truth ref moved back' 'but the store says' 'git update-ref refs/bosk/int/$SID main'
    row 'truth ref elsewhere' 'but the store says' 'git update-ref refs/bosk/int/$SID "$(git commit-tree -m x main^{tree} </dev/null)"'
    row 'no branch' "its branch integration-$SID is gone" 'git update-ref -d "refs/heads/integration-$SID"'
    row 'branch moved back' 'is at .*, behind' 'git update-ref "refs/heads/integration-$SID" main'
    row 'no plan' "refs/bosk/plan/$QUEUE" 'git update-ref -d "refs/bosk/plan/$QUEUE"'
    row 'another plan' 'holds another plan|cannot be read' 'git update-ref "refs/bosk/plan/$QUEUE" main'
    row 'worktree left' 'is over, but its worktree' \
        'git worktree add -q --detach --lock --reason "bosk session $SID" "$(edit get manifest "$SID" worktrees | head -1)" main'
    row 'left-over intent' 'is over, but has an open intent' \
        'edit new integration "$SID/intent"; edit set integration "$SID/intent" kind integrate'
    row 'intent unreadable' 'its open intent .* cannot be read' 'edit raw integration "$SID/intent" x'
    [ $planted = 10 ]
}

@test "the work of a failed task that was removed from its branch is said to be gone" {
    local branch
    branch=$(task_field "$SID" bad branch)
    git rev-parse -q --verify "refs/heads/$branch"
    git update-ref -d "refs/heads/$branch"
    run_bosk verify
    expect_status 1
    grep -q 'the work that task bad left on .* is gone' "$OUT"
    run_bosk verify --repair
    expect_status 0
    [ "$(states)" = "$before" ]
}

@test "a worktree with changes of its own stays, and is said" {
    local path
    path=$(edit get manifest "$SID" worktrees | head -1)
    git worktree add -q --detach --lock --reason "bosk session $SID" "$path" main
    echo mine >"$path/only-here"
    run_bosk verify
    expect_status 1
    run_bosk verify --repair
    expect_status 0
    grep -q 'holds changes that are nowhere else' "$ERR"
    [ "$(cat "$path/only-here")" = mine ]
}

@test "what nobody recorded on the integration branch is found" {
    local commit
    commit=$(git commit-tree -p "refs/bosk/int/$SID" -m 'from nowhere' "refs/bosk/int/$SID^{tree}")
    git update-ref "refs/bosk/int/$SID" "$commit"
    run_bosk verify
    expect_status 1
    grep -q "commit ${commit:0:12} on its branch is not recorded" "$OUT"
    run_bosk verify --repair
    expect_status 0
}

@test "what somebody put on the branch is no disagreement while it is taken in" {
    local commit
    commit=$(git commit-tree -p "refs/bosk/int/$SID" -m 'by hand' "refs/bosk/int/$SID^{tree}")
    git update-ref "refs/heads/integration-$SID" "$commit"
    git update-ref "refs/bosk/int/$SID" "$commit" # and there it was killed
    run_bosk verify
    expect_status 0
    grep -q 'takes it in' "$OUT"
    run_bosk land "$SID" --merge --force-red
    expect_status 0
    run_bosk verify
    expect_status 0
    if grep -q 'takes it in' "$OUT"; then return 1; fi
}

@test "a store that is lost is made again from git: tasks, states and merges" {
    local tree
    tree=$(git rev-parse "refs/bosk/int/$SID^{tree}")
    rm -rf .git/bosk
    run_bosk verify
    expect_status 1
    grep -q 'the store knows nothing of it' "$OUT"
    run_bosk verify --repair
    expect_status 0
    run_bosk verify
    expect_status 0
    # What is merged is known; what was not is pending again, with the work that was left kept.
    [ "$(states)" = $'stopped\none integrated\ntwo integrated\nbad pending\nafter pending' ]
    [ "$(git rev-parse "refs/bosk/int/$SID^{tree}")" = "$tree" ]
    git for-each-ref --format='%(refname)' "refs/bosk/keep/$SID/bad" | grep -q .
    [ "$(edit get queues "$QUEUE" tasks)" = 4 ]
    # And it goes on: `bad` is done now.
    run_bosk resume "$SID"
    expect_status 1
    [ "$(states)" = "$before" ]
    run_bosk verify
    expect_status 0
    assert_once "$REPO" "$SID" main one two
}

@test "what one session of a queue took in is not held against it when another goes on" {
    write_file "$SCRATCH/hand.yaml" <<'YAML'
tasks:
  - {id: left, run: "echo left >file"}
  - {id: right, run: "echo right >file"}
  - {id: later, run: "test -e go && echo l >l"}
YAML
    run_bosk run "$SCRATCH/hand.yaml" --jobs 3 --on-conflict park -c retries=0
    expect_status 1
    local first
    first=$(last_sid)
    # The one that conflicts is merged by hand, and landing takes that in.
    git worktree add -q "$SCRATCH/hand" "integration-$first"
    git -C "$SCRATCH/hand" merge -q -X ours -m 'By hand' "$(git for-each-ref --format='%(refname)' "refs/heads/bosk/$first/*ft" "refs/heads/bosk/$first/*ght")"
    git worktree remove "$SCRATCH/hand"
    run_bosk land "$first" --merge
    expect_status 0
    run_bosk verify
    expect_status 0
    touch go && git add go && git commit -qm 'Now it can'
    run_bosk run "$SCRATCH/hand.yaml"
    expect_status 0
    [ "$(status_json '.sessions | length')" = 3 ]
    run_bosk verify
    expect_status 0
}

@test "a session killed before it had a result of its own names the one before it" {
    write_file "$SCRATCH/twice.yaml" <<YAML
tasks:
  - id: t
    run: |
      test -e "$SCRATCH/once" || { touch "$SCRATCH/once"; exit 1; }
      touch "$SCRATCH/there"
      test -e "$SCRATCH/go" || read x <"$SCRATCH/never"
      echo t >t
YAML
    mkfifo "$SCRATCH/never"
    run_bosk run "$SCRATCH/twice.yaml" -c retries=0
    expect_status 1
    start_bosk run "$SCRATCH/twice.yaml"
    wait_until "[ -e $SCRATCH/there ]"
    kill -KILL "$bosk_pid"
    wait_bosk
    run_bosk verify
    expect_status 0
    touch "$SCRATCH/go"
    run_bosk resume
    expect_status 0
    run_bosk verify
    expect_status 0
}

@test "a running session is looked at, but not repaired" {
    write_file "$SCRATCH/wait.yaml" <<<"tasks: [{id: w, allow_empty: true, run: 'touch $SCRATCH/runs; read x <$SCRATCH/go'}]"
    rm -f "$SCRATCH/go" "$SCRATCH/runs"
    mkfifo "$SCRATCH/go"
    start_bosk run "$SCRATCH/wait.yaml"
    wait_until "[ -e $SCRATCH/runs ]" 60
    local live
    live=$(status_json '.sessions[] | select(.state == "running") | .id')
    local bosk_out=$OUT bosk_err=$ERR
    OUT=$SCRATCH/out2 ERR=$SCRATCH/err2
    run_bosk verify
    expect_status 0
    edit set manifest "$SID" chain 00ff
    edit set queues "$(edit get manifest "$live" queue)" session ffffff
    run_bosk verify --repair
    expect_status 5
    grep -q "session $live is running" "$ERR"
    OUT=$bosk_out ERR=$bosk_err
    echo >"$SCRATCH/go"
    wait_bosk
    expect_status 0
}

@test "a repair that is cut off anywhere is made whole by the next" {
    local name how passed=0 n step died=''
    export BOSK_FAILPOINT_LOG=$SCRATCH/passed
    for how in lost garbled several; do
        # Each point that it passes; of a store that is lost, which is made again as one that is damaged, every third.
        step=1
        [ "$how" != lost ] || [ -n "${BOSK_TEST_FULL:-}" ] || step=3
        for ((n = 1; ; n += step)); do
            fresh
            case $how in
            lost) rm -rf .git/bosk/store ;;
            garbled) truncate -s 8192 .git/bosk/store/data.mdb ;;
            several)
                edit del results "$(key results "$QUEUE/000001")"
                edit set tasks "$QUEUE/000002/s" state failed
                edit set manifest "$SID" chain 00ff
                git update-ref "refs/bosk/int/$SID" main
                git update-ref "refs/bosk/plan/$QUEUE" main
                git worktree add -q --detach --lock --reason "bosk session $SID" \
                    "$(edit get manifest "$SID" worktrees | head -1)" main
                ;;
            esac
            rm -f "$SCRATCH/fired" "$SCRATCH/passed"
            BOSK_FAILPOINT_IN=supervisor BOSK_FAILPOINT_AT=$n BOSK_FAILPOINT_ONCE=$SCRATCH/fired run_bosk verify --repair
            [ -e "$SCRATCH/fired" ] || break
            passed=$((passed + 1))
            died+=" $(tail -n 1 "$SCRATCH/passed" | cut -d ' ' -f 3)"
            run_bosk verify --repair
            [ "$status" = 0 ] || { echo "$how, point $n: $status: $out$err"; return 1; }
            [ "$(states | sed 1d | head -2)" = $'one integrated\ntwo integrated' ] ||
                { echo "$how, point $n: $(states)"; return 1; }
            [ "$how" != several ] || [ "$(states)" = "$before" ] || { echo "$how, point $n: $(states)"; return 1; }
            git fsck --no-dangling >/dev/null 2>&1
        done
        expect_status 0 # nobody cut it off
    done
    echo "$passed points"
    [ "$passed" -ge 15 ]
    for name in store.aside.before store.aside.half store.aside.after mend.rebuilt mend.tip.moved mend.worktree.before \
        mend.worktree.removed mend.commit.before mend.commit.after mend.plan.gone; do
        [[ "$died " == *" $name "* ]] || { echo "never died at $name"; return 1; }
    done
}

@test "what a crash leaves for the resume is no disagreement" {
    local at
    for at in create.rows.after turn.commit.after:3 integrate.refs.before integrate.refs.after; do
        fresh
        [[ $at = *:* ]] || at=$at:1
        BOSK_FAILPOINT_IN=supervisor BOSK_FAILPOINT_AT=$at run_bosk run "$SCRATCH/plan.yaml" --fresh --jobs 2
        [ "$status" -gt 100 ] || { echo "$at: $status"; return 1; }
        run_bosk verify
        expect_status 0
        run_bosk resume
        run_bosk verify
        expect_status 0
    done
}
