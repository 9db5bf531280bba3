#!/usr/bin/env bats
# bosk revert: an integrated task is taken out of the integration branch again, whatever is killed meanwhile.
# shellcheck disable=SC2154,SC2016,SC2030,SC2031 # variables set by run_bosk; tests are subshells

load ../lib/flow
load ../lib/stories
load ../lib/queue

setup() {
    flow_setup
    make_repo a.txt
    PLAN=$SCRATCH/p.yaml
}
teardown() { flow_teardown; }

# base, mid needs base, top needs mid; side needs nothing and changes a.txt.
chain() {
    cat >"$PLAN" <<'YAML'
tasks:
  - {id: base, run: 'echo base > base.txt'}
  - {id: mid, needs: [base], run: 'cat base.txt > mid.txt'}
  - {id: top, needs: [mid], run: 'cat mid.txt > top.txt'}
  - {id: side, run: 'echo side >> a.txt'}
YAML
    run_bosk run "$PLAN" "$@"
    expect_status 0
    sid=$(last_sid)
}
files() { git ls-tree -r --name-only "$1" | tr '\n' ' '; }
states() { status_json "[.sessions[] | select(.id == \"$1\") | .tasks[] | \"\(.id):\(.state)\"] | join(\" \")"; }

@test "one task is taken out: tree, history, states, and after a resume it lands without it" {
    commit_config <<<'gates: [{name: whole, run: "test ! -e bad.txt && test -e a.txt"}]'
    chain
    tip=$(git rev-parse "integration-$sid")
    merge=$(task_field "$sid" side merge)
    run_bosk revert side
    expect_status 0
    expect_text '^reverted: side$' "$OUT"
    expect_text "^bosk resume $sid\$" "$OUT"
    equal "tree" "$(files "integration-$sid")" "README.md a.txt base.txt bosk.yaml mid.txt top.txt "
    equal "a.txt" "$(git show "integration-$sid:a.txt")" a.txt
    equal "parent" "$(git rev-parse "integration-$sid^@")" "$tip"
    equal "refs" "$(git rev-parse "refs/bosk/int/$sid")" "$(git rev-parse "integration-$sid")"
    equal "trailers" "$(trailer "integration-$sid" Bosk-Session)/$(trailer "integration-$sid" Bosk-Task)/$(trailer "integration-$sid" Bosk-Reverts)" "$sid/side/$merge"
    equal "subject" "$(git log -1 --format=%s "integration-$sid")" 'Revert "Merge task side"'
    equal "states" "$(states "$sid")" "base:integrated mid:integrated top:integrated side:reverted"
    equal "merge" "$(task_field "$sid" side merge)" null
    equal "counts" "$(status_json '.sessions[0].counts.reverted')" 1
    equal "state" "$(status_json '.sessions[0].state')" stopped
    "$BOSK_BIN" report | grep -A1 '^taken out' | grep -q 'side .*bosk retry'
    "$BOSK_BIN" report --yaml | grep -q 'state: "*reverted'
    equal "diff" "$("$BOSK_BIN" diff side | grep -c '^+side')" 1
    assert_verified
    # Again: nothing more.
    run_bosk revert "$sid/side"
    expect_status 0
    expect_text 'side is out already' "$OUT"
    # No gate has seen this tip.
    run_bosk land --merge
    expect_status 1
    expect_text 'the gates have not run on this tip.*bosk resume'
    run_bosk resume
    expect_status 0
    equal "state" "$(status_json '.sessions[0].state')" 'done'
    equal "gates" "$(status_json '.sessions[0].final_gates')" pass
    run_bosk run "$PLAN"
    expect_status 0
    expect_text 'side was taken out by bosk revert and is not done again'
    run_bosk land --merge
    expect_status 0
    equal "main" "$(files main)" "README.md a.txt base.txt bosk.yaml mid.txt top.txt "
    refute grep -q side <(git log -1 --format=%B main)
    equal "states" "$(states "$sid")" "base:landed mid:landed top:landed side:reverted"
    run_bosk revert top
    expect_status 1
    expect_text 'has landed on main'
    expect_text "git revert -m 1 [0-9a-f]{12}"
}

@test "what needs it is named, and goes with it; all out again: nothing to land" {
    chain
    tree=$(git rev-parse 'main^{tree}')
    tip=$(git rev-parse "integration-$sid")
    run_bosk revert base
    expect_status 1
    expect_text 'what needs base is done already: mid top$'
    expect_text "bosk revert $sid/base --with-dependents"
    equal "tip" "$(git rev-parse "integration-$sid")" "$tip"
    equal "state" "$(status_json '.sessions[0].state')" 'done'
    run_bosk revert base --with-dependents
    expect_status 0
    expect_text '^reverted: top mid base$' "$OUT"
    equal "tree" "$(files "integration-$sid")" "README.md a.txt "
    equal "commits" "$(git log --format='%(trailers:key=Bosk-Task,valueonly,separator=)' "$tip..integration-$sid" | tr '\n' ' ')" "base mid top "
    # Behind a worktree that has it checked out the branch is not moved.
    git worktree add -q "$SCRATCH/look" "integration-$sid"
    run_bosk revert side
    expect_status 0
    equal "looked at" "$(git -C "$SCRATCH/look" status --porcelain)$(git -C "$SCRATCH/look" show HEAD:a.txt | tail -n 1)" side
    assert_verified
    git worktree remove "$SCRATCH/look"
    equal "tree" "$(git rev-parse "refs/bosk/int/$sid^{tree}")" "$tree"
    run_bosk resume
    expect_status 0
    equal "state" "$(status_json '.sessions[0].state')" 'done'
    run_bosk land --merge
    expect_status 1
    expect_text 'nothing to land: all .* was taken out again'
    # By name it is done again; with what it needs.
    run_bosk retry mid
    expect_status 2
    expect_text 'mid needs base, which is reverted.*bosk retry base mid'
    run_bosk retry base mid --run
    expect_status 0
    equal "states" "$(states "$sid")" "base:integrated mid:integrated top:reverted side:reverted"
    equal "tree" "$(files "integration-$sid")" "README.md a.txt base.txt mid.txt "
    run_bosk revert mid
    expect_status 0
    equal "tree" "$(files "integration-$sid")" "README.md a.txt base.txt "
    run_bosk resume
    expect_status 0
}

@test "a conflict with later work: nothing is changed, and by hand it is recorded" {
    cat >"$PLAN" <<'YAML'
tasks:
  - {id: first, files: [a.txt], run: 'echo first > a.txt; echo new > new.txt'}
  - {id: second, files: [a.txt], run: 'echo second > a.txt'}
YAML
    run_bosk run "$PLAN" --jobs 1
    expect_status 0
    sid=$(last_sid)
    tip=$(git rev-parse "integration-$sid")
    run_bosk revert first
    expect_status 1
    expect_text 'not taken out: what first changed was changed again since, in a.txt; nothing was changed'
    expect_text "a.txt: changed later by task second"
    equal "tip" "$(git rev-parse "integration-$sid")" "$tip"
    equal "states" "$(states "$sid")" "first:integrated second:integrated"
    # As it says.
    sed -n 's/^  \(git worktree add .*\)$/\1/p' "$ERR" | sh -e
    (
        cd "$SCRATCH"/*-by-hand || cd "$REPO.worktrees/$sid-by-hand"
        git revert -m 1 "$(task_field "$sid" first merge)" || true
        echo by hand >a.txt
        git add -A
        git -c core.editor=true revert --continue
    )
    git worktree remove "$REPO.worktrees/$sid-by-hand"
    run_bosk revert first
    expect_status 0
    equal "states" "$(states "$sid")" "first:reverted second:integrated"
    equal "files" "$(files "integration-$sid")" "README.md a.txt "
    equal "a.txt" "$(git show "integration-$sid:a.txt")" 'by hand'
    git log -1 --format=%B "integration-$sid" | grep -q 'reverted by hand before'
    run_bosk resume
    expect_status 0
}

@test "somebody commits on the branch while it goes on: that is taken in, and the branch has both" {
    local hand
    chain
    BOSK_FAILPOINT_AT=revert.written:1 BOSK_FAILPOINT_STOP=1 start_bosk revert side
    wait_until 'grep -q "^State:.*stopped" "/proc/$bosk_pid/status"'
    hand=$(git commit-tree -p "integration-$sid" -m 'By hand' "integration-$sid^{tree}")
    git update-ref "refs/heads/integration-$sid" "$hand"
    kill -CONT "$bosk_pid"
    wait_bosk
    expect_status 0
    equal "parent" "$(git rev-parse "integration-$sid^@")" "$hand"
    equal "refs" "$(git rev-parse "refs/bosk/int/$sid")" "$(git rev-parse "integration-$sid")"
    equal "states" "$(states "$sid")" "base:integrated mid:integrated top:integrated side:reverted"
    equal "reverted" "$(cat "$OUT")" "$(printf 'reverted: side\nbosk resume %s' "$sid")"
    assert_verified
}

@test "killed at every step: a resume, the same again, or a landing ends it, done or as if never begun" {
    cat >"$PLAN" <<'YAML'
tasks:
  - {id: low, run: 'seq 20 > list.txt'}
  - {id: high, needs: [low], run: 'sed -i s/^1$/one/ list.txt'}
  - {id: beside, needs: [low], run: 'sed -i s/^20$/twenty/ list.txt'}
YAML
    run_bosk run "$PLAN" --jobs 1
    expect_status 0
    sid=$(last_sid)
    cp -a "$REPO" "$SCRATCH/template"
    run_bosk revert high
    expect_status 0
    wanted=$(git rev-parse "integration-$sid^{tree}")
    equal "text" "$(git show "integration-$sid:list.txt" | sed -n '1p;20p' | tr '\n' ' ')" '1 twenty '
    local n point ways
    local -A some=([revert.written:1]=revert [turn.commit.before:1]=revert [turn.commit.after:1]=land
        [revert.refs.before:1]='resume repair' [revert.refs.after:1]='resume revert land repair' [turn.commit.after:2]=revert)
    for point in revert.written:1 turn.commit.before:1 turn.commit.after:1 revert.refs.before:1 revert.refs.after:1 turn.commit.before:2 turn.commit.after:2; do
        ways=${some[$point]:-resume}
        [ -z "${BOSK_TEST_FULL:-}" ] || ways='resume revert land repair'
        for n in $ways; do
            flow_fresh
            BOSK_FAILPOINT_AT=$point run_bosk revert high
            expect_status 137
            assert_verified
            case $n in
            resume)
                run_bosk resume
                case $point in revert.written:1 | turn.commit.before:1) expect_status 2 ;; *) expect_status 0 ;; esac
                ;;
            revert) ;;
            land) run_bosk land --keep ;;
            repair) run_bosk verify --repair ;;
            esac
            run_bosk revert high
            expect_status 0
            equal "states" "$(states "$sid")" "low:integrated high:reverted beside:integrated"
            equal "tree" "$(git rev-parse "integration-$sid^{tree}")" "$wanted"
            equal "commits" "$(git rev-list --count main.."integration-$sid")" 7
            assert_verified
            [ "$point" = revert.refs.after:1 ] || continue
            run_bosk resume "$sid"
            expect_status 0
            run_bosk land --merge
            expect_status 0
            equal "main" "$(git rev-parse 'main^{tree}')" "$wanted"
            [ "$n" = revert ] || invariants_check "$REPO"
        done
    done
}

@test "the store is lost: what was taken out comes back so, and what was done again after it" {
    chain
    run_bosk revert mid --with-dependents
    run_bosk revert side
    expect_status 0
    run_bosk retry side --run
    expect_status 0
    wanted=$(states "$sid")
    equal "states" "$wanted" "base:integrated mid:reverted top:reverted side:integrated"
    undone=$(task_field "$sid" side undone)
    rm -rf .git/bosk/store
    run_bosk verify --repair
    expect_status 0
    equal "states" "$(states "$sid")" "$wanted"
    equal "undone" "$(task_field "$sid" side undone)" "$undone"
    equal "reverts" "$(task_field "$sid" top 'reverts | length')" 1
    assert_verified
    run_bosk resume "$sid"
    expect_status 0
    # A row that is wrong is mended, too.
    run_bosk retry top
    expect_status 2
    run_bosk retry mid top --run
    expect_status 0
    equal "states" "$(states "$sid")" "base:integrated mid:integrated top:integrated side:integrated"
    equal "files" "$(files "integration-$sid")" "README.md a.txt base.txt mid.txt top.txt "
    run_bosk land --merge
    expect_status 0
}

@test "a session that goes on with another: nothing comes back by itself, and what is taken out there does not land here" {
    cat >"$PLAN" <<YAML
tasks:
  - {id: one, run: 'echo one > one.txt'}
  - {id: two, run: 'echo two > two.txt'}
  - {id: late, run: 'test -e "$SCRATCH/go" && echo late > late.txt'}
  - {id: needs, needs: [two], run: 'test -e "$SCRATCH/go" && echo needs > needs.txt'}
YAML
    run_bosk run "$PLAN" -c retries=0
    expect_status 1
    first=$(last_sid)
    run_bosk revert two
    expect_status 0
    run_bosk resume
    expect_status 1
    touch "$SCRATCH/go"
    run_bosk run "$PLAN" -c retries=0
    expect_status 1
    expect_text 'two was taken out by bosk revert and is not done again'
    second=$(last_sid)
    equal "states" "$(states "$second")" "one:integrated two:reverted late:integrated needs:skipped"
    expect_text 'it needs two, which is reverted' <("$BOSK_BIN" report "$second")
    equal "files" "$(files "integration-$second")" "README.md a.txt late.txt one.txt "
    run_bosk revert "$first/one"
    expect_status 2
    expect_text "take it out there: bosk revert $second/one"
    run_bosk revert "$second/one"
    expect_status 0
    equal "files" "$(files "integration-$second")" "README.md a.txt late.txt "
    run_bosk land --merge "$first"
    expect_status 1
    expect_text "one is on branch integration-$first, and was taken out in session $second since"
    run_bosk retry "$second/two" --run
    expect_status 0
    equal "states" "$(states "$second")" "one:reverted two:integrated late:integrated needs:integrated"
    run_bosk land --merge "$second"
    expect_status 0
    equal "main" "$(files main)" "README.md a.txt late.txt needs.txt two.txt "
}

@test "not of a session that lives or was cut off; what needs it and was not merged waits" {
    commit_config <<YAML
gates:
  - {name: slow, run: 'if [ -e there.txt ] && [ -e beside.txt ] && [ ! -e $SCRATCH/go ]; then touch $SCRATCH/began; sleep 100; fi'}
YAML
    cat >"$PLAN" <<YAML
tasks:
  - {id: base, run: 'echo base > base.txt'}
  - {id: beside, run: 'until [ -e $SCRATCH/began-there ]; do sleep 0.02; done; echo beside > beside.txt'}
  - {id: there, needs: [base], run: 'touch $SCRATCH/began-there; until [ -e $SCRATCH/go-there ]; do sleep 0.02; done; echo there > there.txt'}
YAML
    start_bosk run "$PLAN" --jobs 2
    wait_until "[ -e $SCRATCH/began-there ]"
    wait_until "'$BOSK_BIN' status --json | jq -e '.sessions[0].tasks[1].state == \"integrated\"' >/dev/null"
    sid=$(last_sid)
    run_bosk revert base
    expect_status 5
    touch "$SCRATCH/go-there"
    wait_until "[ -e $SCRATCH/began ]"
    "$BOSK_BIN" stop --now "$sid"
    wait_bosk
    run_bosk revert base
    expect_status 0
    expect_text '^reverted: base$' "$OUT"
    expect_text 'there needs what was taken out'
    assert_verified
    touch "$SCRATCH/go"
    run_bosk resume
    expect_status 1
    equal "states" "$(states "$sid")" "base:reverted beside:integrated there:skipped"
    equal "files" "$(files "integration-$sid")" "README.md a.txt beside.txt bosk.yaml "
    run_bosk retry base --run
    expect_status 0
    equal "states" "$(states "$sid")" "base:integrated beside:integrated there:integrated"
    # Wrong ones.
    run_bosk revert nothing
    expect_status 2
    run_bosk revert
    expect_status 2
    BOSK_TASK=x run_bosk revert base
    expect_status 2
    printf 'tasks: [{id: cut, run: "touch %s; sleep 100"}]\n' "$SCRATCH/cut" >"$SCRATCH/q.yaml"
    start_bosk run "$SCRATCH/q.yaml"
    wait_until "[ -e $SCRATCH/cut ]"
    kill -KILL "$bosk_pid"
    wait_bosk
    run_bosk revert cut
    expect_status 2
    expect_text 'was interrupted: bosk resume'
}

@test "a story: its boxes, its line in sprint-status.yaml, and its report; done again from the start" {
    flow_teardown
    stories_setup
    for key in 1-1 1-2; do
        printf '# S\n## Tasks\n- [x] had\n- [ ] box\n' | story_file "$key"
        does "$key" <<'SH'
tick box
result completed '"tasks_completed_by_closer": 1'
SH
    done
    printf 'development_status:\n  1-1: ready-for-dev\n  1-2: in-progress\n' | write_file docs/sprint-status.yaml
    git add -A && git commit -qm 'States'
    plan "$(story 1-1)" "$(story 1-2 '"needs": ["1-1"]')"
    run_bosk run "$PLAN" --executor "$AGENT"
    expect_status 0
    sid=$(last_sid)
    lines() { git show "integration-$sid:docs/sprint-status.yaml" | sed -n 's/^  //p' | paste -sd ' '; }
    equal "lines" "$(lines)" '1-1: done 1-2: done'
    run_bosk revert 1-1
    expect_status 1
    expect_text 'what needs 1-1 is done already: 1-2'
    run_bosk revert 1-2
    expect_status 0
    run_bosk resume
    expect_status 0
    equal "lines" "$(lines)" '1-1: done 1-2: in-progress'
    equal "boxes" "$(git show "integration-$sid:docs/1-2.md" | grep -c '^- \[x\]')" 1
    equal "errors" "$("$BOSK_BIN" report --json | jq -r '.errors[] | "\(.story_key) \(.state)"')" '1-2 reverted'
    run_bosk retry 1-2 --run
    expect_status 0
    equal "lines" "$(lines)" '1-1: done 1-2: done'
    run_bosk revert 1-1 --with-dependents
    expect_status 0
    run_bosk resume
    expect_status 0
    equal "tree" "$(git rev-parse "integration-$sid^{tree}")" "$(git rev-parse 'main^{tree}')"
}

@test "an item of a queue: pending to others, and to bosk when it is asked for by name" {
    queue_file "$SCRATCH/issues" S-1:pending S-2:pending:S-1 S-3:pending
    run_bosk run "$SCRATCH/issues" --executor 'echo $BOSK_TASK >$BOSK_TASK.txt'
    expect_status 0
    sid=$(last_sid)
    queue=$(status_json '.sessions[0].queue')
    run_bosk revert S-1 --with-dependents
    expect_status 0
    run_bosk resume
    expect_status 0
    equal "states" "$(states "$sid")" "S-1:reverted S-2:reverted S-3:integrated"
    run_bosk queue export "$queue" --to "$SCRATCH/issues"
    expect_status 0
    equal "exported" "$(jq -r ".solutions[].status" "$SCRATCH/issues/queues/$queue.json" | paste -sd ' ')" 'pending pending completed'
    run_bosk run --queue "$queue" --executor false
    expect_status 0
    expect_text 'S-1 was taken out by bosk revert'
    run_bosk retry S-1 S-2 --run
    expect_status 0
    equal "states" "$(states "$sid")" "S-1:integrated S-2:integrated S-3:integrated"
}
