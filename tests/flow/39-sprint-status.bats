#!/usr/bin/env bats
# sprint-status.yaml is brought up to date by bosk alone, at the end of a session (formats.md S3.17).
# shellcheck disable=SC2154,SC2030,SC2031 # variables set by run_bosk; tests are subshells
load ../lib/flow
load ../lib/stories

# boxes TICKED OPEN [LINE...]: a story with so many boxes, and lines after them.
boxes() {
    local i
    printf '# S\n## Tasks\n'
    for ((i = 0; i < $1; i++)); do echo "- [x] had $i"; done
    for ((i = 0; i < $2; i++)); do echo "- [ ] box $i"; done
    shift 2
    printf '%s\n' "$@"
}
# closes KEY BOX...: its agent ticks these.
closes() {
    local key=$1
    shift
    printf 'tick %s\nresult partial "\\"tasks_completed_by_closer\\": %s"\n' "$(printf '"%s" ' "$@")" $# | sed 's/partial/completed/' >"$SCRATCH/do/$key"
}
# clean ID FILE: a story of a plan that is done already.
clean() { printf '{"id": "%s", "prompt": "x", "story": "%s", "category": "CLEAN"}' "$1" "$2"; }
STATUS=docs/sprint-status.yaml

setup() {
    stories_setup
    boxes 1 1 | story_file 1-1
    boxes 18 1 '- [ ] Manually verify the file opens' | story_file 1-2
    closes 1-1 'box 0'
    closes 1-2 'box 0'
    write_file $STATUS <<'YAML'
# Story states: backlog, in-progress, review, done
project: x     # kept

development_status:
  # Epic 1
  epic-1: in-progress
  1-2: {depends_on: [1-1], status: 'in-progress'} # two
  1-1:   review	# one
  1-3: ready-for-dev
  1-4:
    status: "backlog"   # four
    depends_on: []
  1-5: review
  big: backlog
  epic-1-retrospective: optional
YAML
    git add docs && git commit -qm 'States of stories'
    plan "$(story 1-1)" "$(story 1-2 '"human": ["Manually verify the file opens"]')"
}
teardown() { flow_teardown; }

# states [REV]: what the file says of the stories, as "1-1=done ...".
states() { git show "${1:-refs/bosk/int/$(last_sid)}:$STATUS" | sed -nE "s/^ +(1-[0-9]): .*(backlog|in-progress|review|done|ready-for-dev).*/\1=\2/p" | LC_ALL=C sort | paste -sd ' '; }
# sprint_commits [SID]: those on the branch, by their trailer; the store knows just these.
sprint_commits() {
    local sid=${1:-$(last_sid)} ids
    ids=$(git log --first-parent --format='%H %(trailers:key=Bosk-Sprint-Status,valueonly,separator=)' "$(status_json ".sessions[] | select(.id == \"$sid\") | .base")..refs/bosk/int/$sid" | awk 'NF > 1 { print $1 }')
    equal "in the store" "$(status_json ".sessions[] | select(.id == \"$sid\") | .sprint_commits[]" | sort)" "$(sort <<<"$ids")"
    printf '%s\n' "$ids"
}
# one_commit: there is one such commit, and it is the tip of the branch, of one parent, and changes nothing else.
one_commit() {
    local sid
    sid=$(last_sid)
    equal "commit" "$(sprint_commits "$sid")" "$(git rev-parse "refs/bosk/int/$sid")"
    equal "changes" "$(git diff-tree --no-commit-id --name-status -r "refs/bosk/int/$sid")" "M	$STATUS"
}

@test "S3.17 states follow from the boxes of integrated stories, in a commit of its own; the other bytes stay" {
    boxes 3 2 | story_file 1-3
    boxes 2 3 | story_file 1-4
    boxes 1 0 | story_file 1-5
    boxes 0 1 | story_file 1-6
    closes 1-3 'box 0'
    closes 1-4 'box 1'
    does 1-6 <<<'exit 3'
    echo '  1-6: backlog' >>$STATUS
    git commit -qam 'One more'
    plan "$(story 1-1)" "$(story 1-2 '"human": ["Manually verify the file opens"]')" "$(story 1-3)" "$(story 1-4)" \
        "$(clean 1-5 docs/1-5.md)" "$(story 1-6)" "$(story big "$(routed)")"
    snapshot_checkout "$REPO" >"$SCRATCH/before"
    run_bosk run "$PLAN" --executor "$AGENT" --jobs 3 -c retries=0
    expect_status 1
    sid=$(last_sid)
    diff "$SCRATCH/before" <(snapshot_checkout "$REPO")
    # 19 of 20 are 95 %, but a human has to do one: not done.
    diff <(git show "refs/bosk/int/$sid:$STATUS") <(sed -E "/^  1-2/s/in-progress'/review'/; s/^(  1-1:   )review/\1done/; s/^(  1-3: ).*/\1review/
        s/\"backlog\"/\"in-progress\"/; s/^(  1-5: ).*/\1done/" $STATUS)
    one_commit
    equal "subject" "$(git log -1 --format=%s "refs/bosk/int/$sid")" 'chore(sprint): bring the state of 5 stories up to date'
    equal "trailers" "$(git log -1 --format='%(trailers:only)' "refs/bosk/int/$sid" | grep .)" "Bosk-Session: $sid
Bosk-Queue: $(status_json '.sessions[0].queue')
Bosk-Sprint-Status: $STATUS"
    assert_verified
    run_bosk report --json
    equal "told" "$(jq -r '.sprint_status[] | "\(.story_key) \(.before) \(.status)"' "$OUT" | sort)" '1-1 review done
1-2 in-progress review
1-3 ready-for-dev review
1-4 backlog in-progress
1-5 review done'
    run_bosk report
    expect_text '^sprint status' "$OUT"
    expect_text '^  1-4 +backlog +in-progress +[0-9a-f]{12}$' "$OUT"
    equal "events" "$(run_bosk resume "$sid" && git rev-parse "refs/bosk/int/$sid")" "$(git rev-parse "refs/bosk/int/$sid")"
}

@test "S3.17 the final gates run on it, and it lands with the rest; nothing to change makes no commit" {
    commit_config <<YAML
gates: [{name: states, run: "cat $STATUS >'$SCRATCH/seen'"}]
YAML
    run_bosk run "$PLAN" --executor "$AGENT" --land merge
    expect_status 0
    one_commit
    equal "states" "$(states main)" '1-1=done 1-2=review 1-3=ready-for-dev 1-5=review'
    diff "$SCRATCH/seen" <(git show main:$STATUS)
    equal "gates" "$(status_json '.sessions[0].final_gates')" pass
    git switch -qc again && boxes 1 1 | story_file 1-7
    closes 1-7 'box 0'
    plan "$(clean 1-1 docs/1-1.md)" "$(story 1-7)"
    run_bosk run "$PLAN" --executor "$AGENT" --target again
    expect_status 0
    equal "commits" "$(sprint_commits)" ''
    run_bosk report "$(last_sid)"
    expect_text "$STATUS has no line of 1-7" "$OUT"
}

@test "S3.17 what the agent writes there is set back, and is neither lost nor doubled by what bosk writes" {
    printf 'sed -i s/ready-for-dev/done/ %s\n' $STATUS >>"$SCRATCH/do/1-1"
    printf 'rm %s\n' $STATUS >>"$SCRATCH/do/1-2"
    run_bosk run "$PLAN" --executor "$AGENT" --jobs 2
    expect_status 0
    one_commit
    equal "states" "$(states)" '1-1=done 1-2=review 1-3=ready-for-dev 1-5=review'
}

@test "S3.17 killed at each step and resumed: one such commit" {
    boxes 1 0 | story_file 1-5
    plan "$(clean 1-5 docs/1-5.md)"
    for at in sprint.look:1 sprint.written:1 sprint.refs.before:1 sprint.refs.after:1 sprint.look:2; do
        BOSK_FAILPOINT_IN=supervisor BOSK_FAILPOINT_AT=$at BOSK_FAILPOINT_ONCE=$SCRATCH/$at \
            run_bosk run "$PLAN" --fresh
        [ -e "$SCRATCH/$at" ]
        sid=$(last_sid)
        equal "$at" "$(status_json ".sessions[] | select(.id == \"$sid\") | .state")" interrupted
        run_bosk verify
        expect_status 0
        run_bosk resume "$sid"
        expect_status 0
        one_commit
        equal "$at" "$(states)" '1-1=review 1-2=in-progress 1-3=ready-for-dev 1-5=done'
    done
    rm -rf .git/bosk/store
    run_bosk verify --repair
    expect_status 0
    assert_verified
    for sid in $(status_json '.sessions[].id'); do
        equal "of $sid" "$(sprint_commits "$sid")" "$(git rev-parse "refs/bosk/int/$sid")"
    done
}

@test "S3.17 somebody adds to the branch at that moment: it is made again on top of that" {
    export BOSK_FAILPOINT_STOP=1 BOSK_FAILPOINT_IN=supervisor BOSK_FAILPOINT_AT=sprint.refs.before:1
    start_bosk run "$PLAN" --executor "$AGENT" --jobs 1
    unset "${!BOSK_FAILPOINT_@}"
    wait_until 'grep -q "^State:.T" "/proc/$bosk_pid/status"'
    sid=$(last_sid)
    git worktree add -q "$SCRATCH/by-hand" "integration-$sid"
    echo '  1-8: backlog' >>"$SCRATCH/by-hand/$STATUS"
    git -C "$SCRATCH/by-hand" commit -qam 'Somebody'
    git worktree remove "$SCRATCH/by-hand"
    kill -CONT "$bosk_pid"
    wait_bosk
    expect_status 0
    one_commit
    equal "below it" "$(git log -1 --format=%s "refs/bosk/int/$sid^")" Somebody
    git show "refs/bosk/int/$sid:$STATUS" | grep -qx '  1-8: backlog'
    equal "states" "$(states)" '1-1=done 1-2=review 1-3=ready-for-dev 1-5=review 1-8=backlog'
    assert_verified
}

@test "S3.19 S3.17 stories that are done again: the states follow, and only what changes makes a commit" {
    boxes 3 2 | story_file 1-3
    does 1-3 <<'DO'
if grep -q 'Answer: blue' "$BOSK_PROMPT_FILE"; then
    tick 'box 1'; result completed '"tasks_done": ["box 1"]'
elif grep -q 'Answer: red' "$BOSK_PROMPT_FILE"; then
    echo more >>notes; result partial '"tasks_done": []' '"blocker_questions": [{"task": "box 1", "question": "Which blue?"}]'
else
    tick 'box 0'; result partial '"tasks_done": ["box 0"]' '"blocker_questions": [{"task": "box 1", "question": "Which?"}]'
fi
DO
    plan "$(story 1-1)" "$(story 1-3)"
    run_bosk run "$PLAN" --executor "$AGENT"
    expect_status 1
    sid=$(last_sid)
    equal "states" "$(states)" '1-1=done 1-2=in-progress 1-3=review 1-5=review'
    answered() { # TEXT STATES COMMITS
        run_bosk questions "$sid"
        sed "s/answer: \"\"/answer: $1/" "$OUT" >"$SCRATCH/answers.yaml"
        run_bosk retry --answers "$SCRATCH/answers.yaml" --run
        equal "$1" "$(states)" "$2"
        equal "$1" "$(sprint_commits "$sid" | wc -l)" "$3"
    }
    answered red '1-1=done 1-2=in-progress 1-3=review 1-5=review' 1
    answered blue '1-1=done 1-2=in-progress 1-3=done 1-5=review' 2
    assert_verified
}

@test "S3.17 the file that names the folder of the stories is theirs, wherever it lies" {
    git rm -q $STATUS
    boxes 2 0 | write_file out/stories/1-1.md
    write_file states/sprint-status.yaml <<<$'story_location: "{project-root}/out/stories"\ndevelopment_status: {1-1: review}'
    git add -A && git commit -qm 'Elsewhere'
    run_bosk run states/sprint-status.yaml
    expect_status 0
    equal "commit" "$(sprint_commits)" "$(git rev-parse "refs/bosk/int/$(last_sid)")"
    git show "refs/bosk/int/$(last_sid):states/sprint-status.yaml" | grep -qx 'development_status: {1-1: done}'
}

@test "S3.17 a file that cannot be changed safely is left alone and told; the session is none the worse" {
    git rm -q $STATUS
    folder() { # NAME: a story that is done in docs/NAME, and standard input as its states
        boxes 2 0 | write_file "docs/$1/2-1.md"
        write_file "docs/$1/sprint-status.yaml"
        STORIES+=("$(clean "$1" "docs/$1/2-1.md")")
    }
    STORIES=()
    folder twice <<<$'development_status:\n  2-1: review\n  2-1: backlog'
    folder broken <<<'development_status: ['
    folder other <<<'stories: {2-1: review}'
    folder anchored <<<$'development_status:\n  2-1: &a review\n  2-2: *a'
    folder block <<<$'development_status:\n  2-1: |\n    review'
    folder large < <(printf 'development_status: {2-1: review}\n#' && head -c 300000 /dev/zero | tr '\0' x)
    folder linked </dev/null
    ln -sf ../good/sprint-status.yaml docs/linked/sprint-status.yaml
    folder good < <(printf '# mac and dos\r\ndevelopment_status:\r\n  2-1: review  # x\r\n')
    boxes 2 0 | write_file docs/good/deep/er/2-2-more.md
    printf '  2-2-more: {status: backlog}\r\n' >>docs/good/sprint-status.yaml
    STORIES+=("$(clean deep docs/good/deep/er/2-2-more.md)")
    git add -A && git commit -qm 'Many states'
    plan "${STORIES[@]}"
    run_bosk run "$PLAN"
    expect_status 0
    sid=$(last_sid)
    equal "commit" "$(sprint_commits)" "$(git rev-parse "refs/bosk/int/$sid")"
    equal "changed" "$(git diff --name-only main "refs/bosk/int/$sid")" docs/good/sprint-status.yaml
    equal "good" "$(git show "refs/bosk/int/$sid:docs/good/sprint-status.yaml" | od -c)" \
        "$(printf '# mac and dos\r\ndevelopment_status:\r\n  2-1: done  # x\r\n  2-2-more: {status: done}\r\n' | od -c)"
    run_bosk report
    for why in 'twice.* cannot be read: line 3: .*already in line 2' 'broken.* cannot be read' 'other.* has no mapping' \
        'anchored.* has values that cannot be changed alone' 'block.* has no state that is plain text in one line of block' \
        'large.* is larger than' 'linked.* is a link'; do
        expect_text "^ +docs/${why%%.*}/sprint-status.yaml ${why#*.\* }" "$OUT"
    done
    [ "$(grep -c 'sprint-status.yaml' "$OUT")" = 7 ]
}

@test "S3.25 S3.17 two sessions change lines side by side: both land, by their keys; what one state cannot be is a conflict" {
    plan "$(story 1-1)"
    run_bosk run "$PLAN" --executor "$AGENT"
    one=$(last_sid)
    plan "$(story 1-2 '"human": ["Manually verify the file opens"]')"
    run_bosk run "$PLAN" --executor "$AGENT"
    two=$(last_sid)
    run_bosk run "$PLAN" --executor "$AGENT" --fresh
    three=$(last_sid)
    for sid in "$one" "$two"; do
        run_bosk land "$sid" --merge
        expect_status 0
    done
    equal "states" "$(states main)" '1-1=done 1-2=review 1-3=ready-for-dev 1-5=review'
    equal "lines" "$(git diff --stat "$(git merge-base "refs/bosk/int/$one" "refs/bosk/int/$two")" main -- $STATUS | tail -1)" ' 1 file changed, 2 insertions(+), 2 deletions(-)'
    sed -i '/1-2/s/review/blocked/' $STATUS
    git commit -qam 'Not so'
    run_bosk land "$three" --merge
    expect_status 1
    expect_text "conflict in .*$STATUS"
}

@test "S3.17 a commit that says it is bosk's and is not in the store is noticed, and so is one that is gone" {
    run_bosk run "$PLAN" --executor "$AGENT"
    expect_status 0
    sid=$(last_sid)
    made=$(git rev-parse "refs/bosk/int/$sid")
    forged=$(git commit-tree -p "$made" -m x -m "Bosk-Session: $sid
Bosk-Sprint-Status: $STATUS" "$made^{tree}")
    git update-ref "refs/bosk/int/$sid" "$forged"
    refute eval 'invariants_check "$REPO" 2>"$ERR"'
    expect_text "^A2: commit $forged"
    run_bosk verify
    expect_status 1
    expect_text "commit ${forged:0:12} of the sprint status is on its branch, but not in the store" "$OUT"
    git update-ref "refs/bosk/int/$sid" "$made~1"
    git update-ref "refs/heads/integration-$sid" "$made~1"
    run_bosk verify
    expect_status 1
    expect_text "its commit ${made:0:12} of the sprint status is not on the branch" "$OUT"
    run_bosk verify --repair
    assert_verified
    one_commit
}
