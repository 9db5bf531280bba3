#!/usr/bin/env bats
# The checker that runs after every other test (lib/invariants), seen to fail: each row breaks one promise
# in a copy of the same finished sessions, and the check of that name must say so.
# shellcheck disable=SC2154,SC2030,SC2031 # variables set by run_bosk; tests are subshells

load ../lib/flow

# Two sessions: in the first a task is merged, one whose agent commits itself too, and one failed with work
# left on its branch; the second took another plan.
setup_file() {
    : "${BOSK_TEST_STORE_EDIT:?names the program that changes a store}"
    flow_setup
    make_repo file
    write_file "$SCRATCH/plan.yaml" <<'YAML'
tasks:
  - {id: one, run: "echo 1 >file"}
  - {id: mine, run: "echo m >mine; git add mine; git commit -qm 'By the agent'; echo n >>mine"}
  - {id: bad, run: "echo b >bad; exit 3"}
YAML
    write_file "$SCRATCH/other.yaml" <<<'tasks: [{id: single, run: "echo s >single"}]'
    run_bosk run "$SCRATCH/plan.yaml" --jobs 2 -c retries=0
    expect_status 1
    SID=$(last_sid)
    run_bosk run "$SCRATCH/other.yaml"
    expect_status 0
    OTHER=$(status_json ".sessions[] | select(.id != \"$SID\") | .id")
    QUEUE=$(status_json ".sessions[] | select(.id == \"$SID\") | .queue")
    flow_template SID OTHER QUEUE
}
teardown_file() { flow_teardown; }

edit() { "$BOSK_TEST_STORE_EDIT" .git/bosk/store "$@"; }

# row PROMISE TEXT COMMANDS [OPTIONS...]: after COMMANDS the check says "PROMISE: ...TEXT...".
rows=0
row() {
    local promise=$1 text=$2 commands=$3
    shift 3
    flow_fresh
    eval "$commands"
    if invariants_check --patience 0 "$@" "$REPO" 2>"$ERR"; then
        printf '%s: not noticed: %s\n' "$promise" "$commands" >&2
        return 1
    fi
    expect_text "^$promise: .*$text"
    rows=$((rows + 1))
}

# merge_again TASK PARENT: a commit on the branch that says it is a merge of TASK.
merge_again() {
    local id
    id=$(git commit-tree "$2^{tree}" -p "$2" -p "$2^2" -m again -m "Bosk-Session: $SID
Bosk-Queue: $QUEUE
Bosk-Task: $1")
    git update-ref "refs/bosk/int/$SID" "$id"
}

@test "nothing is wrong with what bosk leaves, and looking changes nothing" {
    contents() { find . -type f -not -name lock.mdb -exec sha256sum {} + | LC_ALL=C sort -k 2; }
    flow_fresh
    snapshot_checkout "$REPO" >"$SCRATCH/before"
    git rev-parse "integration-$SID" "integration-$SID:file" >"$SCRATCH/kept"
    contents >"$SCRATCH/contents"
    "$BATS_TEST_DIRNAME/../lib/invariants" --before "$SCRATCH/before" --kept "$SCRATCH/kept" --secret not-there-at-all "$REPO"
    contents | diff "$SCRATCH/contents" - >&2
}

@test "A: lost, doubled, unrecorded, moved back" {
    row A1 'task one of .* was merged 2 times' 'merge_again one "integration-$SID"'
    row A1 'task one of .* is integrated, but there is no merge' 'git update-ref "refs/bosk/int/$SID" main'
    row A2 'is on the branch' 'merge_again new "integration-$SID"'
    row A2 'session none' 'git update-ref "refs/bosk/int/$SID" "$(git commit-tree -p "integration-$SID" -m x "main^{tree}")"'
    row A4 'but not bad \(failed\)' 'edit set manifest "$SID" state "done"'
    row A5 'bad of .* was kept as bosk/.*, which is gone' 'git branch -qD "bosk/$SID/bad"'
    row A5 'By the agent.* is in no ref' 'git for-each-ref --format="delete %(refname)" refs/bosk/keep | git update-ref --stdin'
    row A5 'which an attempt had made' 'echo nowhere | git hash-object -w --stdin >"$REPO.kept"' --kept "$REPO.kept"
    row A6 'was moved away' 'git update-ref -m "bosk: integrate" "refs/heads/integration-$SID" main'
    row A7 'refs/heads/main was moved behind' 'git update-ref refs/heads/main "integration-$SID"'
    row A8 'broken link' 'id=$(git rev-parse "integration-$SID:file"); rm -f ".git/objects/${id:0:2}/${id:2}"'
    [ $rows = 11 ]
}

@test "B: the user's checkout, worktrees and settings" {
    row B1 'checkout was changed' 'snapshot_checkout "$REPO" >"$REPO.before"; touch file' --before "$REPO.before"
    row B1 'checkout was changed' 'git worktree add -q "$REPO.tree"; snapshot_checkout "$REPO" >"$REPO.before"
        git worktree remove "$REPO.tree"' --before "$REPO.before"
    row B3 'is gone' 'git worktree add -q "$REPO.tree"; rm -r "$REPO.tree"'
    row B4 'branch.integration' 'git config "branch.integration-$SID.remote" here'
    [ $rows = 4 ]
}

@test "C, F: processes and owners" {
    row C1 'left running: [0-9]+ sleep' 'BOSK_SESSION=$SID setsid sleep 300 3>&- & wait_until "[ -n \"\$(processes_of $SID)\" ]"'
    for pid in $(processes_of "$SID" | cut -d' ' -f1); do kill "$pid"; done
    row C4 'its lock is held' 'exec 8<".git/bosk/sessions/$SID.lock"; flock 8'
    exec 8<&-
    row F1 'of two sessions: integration' 'edit set manifest "$OTHER" integration_branch "integration-$SID"'
    row F1 "has a merge of $QUEUE" 'git update-ref "refs/bosk/int/$OTHER" "integration-$SID"'
    [ $rows = 4 ]
}

@test "D, E: the store, logs, modes and secrets" {
    row D3 'the store cannot be read' 'truncate -s 5000 .git/bosk/store/data.mdb'
    row D4 'task one is failed, but integrated by the journal' 'edit set tasks "$QUEUE/000001/s" state failed'
    row D5 'larger than a log may be' 'truncate -s 40M ".git/bosk/logs/$SID/one/1/agent.log"'
    row D5 'the store has' 'truncate -s 40M .git/bosk/store/data.mdb'
    row E6 'not for the owner alone: 644' 'chmod 644 .git/bosk/git.lock'
    row E6 'not for the owner alone: 755' 'chmod 755 .git/bosk/logs'
    row E7 'a secret was kept' 'echo x hunter2-horse >>".git/bosk/logs/$SID/one/1/agent.log"' --secret hunter2-horse
    MY_TOKEN=hunter2-horse row E7 'a secret was kept' 'git commit-tree -m "x hunter2-horse" "main^{tree}" | xargs git branch new'
    [ $rows = 8 ]
}

@test "what a test breaks on purpose is left out, by name" {
    row C4 'lock is held' 'exec 8<".git/bosk/sessions/$SID.lock"; flock 8; chmod 644 .git/bosk/git.lock' --skip 'E6 A1'
    refute grep -q '^E6' "$ERR"
    invariants_check --skip 'E6 C4' "$REPO"
    exec 8<&-
}
