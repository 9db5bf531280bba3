#!/usr/bin/env bats
# What the git command does for a merge, and what becomes of the task when it cannot.
# shellcheck disable=SC2154 # variables set by run_bosk

load ../lib/flow

setup() {
    flow_setup
    make_repo
    printf '%s\n' 1 2 3 4 5 6 7 8 9 >f.txt
    git add f.txt
    git commit -qm 'A file'
    real_git=$(command -v git)
}
teardown() { flow_teardown; }

# two_on_one FIRST SECOND [OPTIONS...]: two tasks from one base, each with a script.
two_on_one() {
    local both="touch '$SCRATCH/'up-\$BOSK_TASK; until [ -e '$SCRATCH/up-first' ] && [ -e '$SCRATCH/up-second' ]; do sleep 0.05; done"
    cat >"$SCRATCH/p.yaml" <<YAML
tasks:
  - id: first
    run: |
      $both
      $1
  - id: second
    run: |
      $both
      $2
YAML
    run_bosk run "$SCRATCH/p.yaml" --jobs 2 "${@:3}"
}

# stand_in BODY: a git first on the PATH that runs BODY when it is to merge.
stand_in() {
    write_file "$SCRATCH/bin/git" <<SH
#!/bin/bash
case " \$* " in *' merge-tree '*)
    echo merge >>'$SCRATCH/merges'
    $1 ;;
esac
exec "$real_git" "\$@"
SH
    chmod +x "$SCRATCH/bin/git"
    export PATH=$SCRATCH/bin:$PATH
}
merges() { wc -l <"$SCRATCH/merges"; }

# not_a_conflict BODY WHAT: git ends a merge by BODY, and bosk says WHAT.
not_a_conflict() {
    stand_in "$1"
    two_on_one 'sed -i s/2/two/ f.txt' 'sed -i s/9/nine/ f.txt'
    expect_status 1
    # Where both came at once, they were merged together first, and then one by one; never more often.
    [ "$(merges)" = 1 ] || equal "merges by git" "$(merges)" 2
    equal "states" "$(status_json '.sessions[0].tasks[].state' | sort | tr '\n' ' ')" "blocked integrated "
    status_json '.sessions[0].tasks[] | select(.state == "blocked") | .reason' >"$OUT"
    expect_text "git could not merge it: $2" "$OUT"
}

@test "changes that do not meet are merged without a git process, others with one" {
    stand_in ''
    two_on_one 'echo x > x.txt' 'sed -i s/1/one/ f.txt'
    expect_status 0
    [ ! -e "$SCRATCH/merges" ]
    rm "$SCRATCH"/up-*
    two_on_one 'sed -i s/2/two/ f.txt' 'sed -i s/9/nine/ f.txt'
    expect_status 0
    equal "merges by git" "$(merges)" 1
    equal "the file" "$(git show "integration-$(last_sid):f.txt" | tr '\n' ' ')" "1 two 3 4 5 6 7 8 nine "
}

@test "a git that dies of a merge is no conflict: the task is parked, not tried again" {
    not_a_conflict 'kill -ABRT $$' 'git merge-tree died'
    sid=$(last_sid)
    parked=$(status_json '.sessions[0].tasks[] | select(.state == "blocked") | .id')
    git rev-parse --verify -q "$(task_field "$sid" "$parked" branch)^{commit}"
}

@test "exit 1 without a tree, as for an unknown revision, is no conflict" {
    not_a_conflict 'echo "merge-tree: not something we can merge"; exit 1' 'git merge-tree named no tree'
}

@test "a git that fails is no conflict" {
    not_a_conflict 'echo "fatal: no room" >&2; exit 128' 'git merge-tree failed: fatal: no room'
}

@test "a merge goes by the attributes of the tip, not by those in the user's checkout" {
    echo 'f.txt merge=union' >.gitattributes
    git add .gitattributes
    git commit -qm 'Attributes'
    echo 'f.txt -merge' >.gitattributes
    two_on_one 'echo from-first >> f.txt' 'echo from-second >> f.txt'
    expect_status 0
    equal "both lines" "$(git show "integration-$(last_sid):f.txt" | grep -c from-)" 2
}

# driver: f.txt is merged by a driver that takes their side and leaves a trace.
driver() {
    echo 'f.txt merge=theirs' >.gitattributes
    git add .gitattributes
    git commit -qm 'Attributes'
    git config merge.theirs.driver "touch '$SCRATCH/ran'; cat %B >%A"
}

@test "a merge driver is off: its path is a conflict" {
    driver
    two_on_one 'sed -i s/2/two/ f.txt' 'sed -i s/9/nine/ f.txt; echo >>f.txt' --on-conflict park
    expect_status 1
    equal "states" "$(status_json '.sessions[0].tasks[].state' | sort | tr '\n' ' ')" "conflict integrated "
    [ ! -e "$SCRATCH/ran" ]
}

@test "a merge driver from before the session runs when merge_drivers says so" {
    driver
    two_on_one 'sed -i s/2/two/ f.txt' 'sed -i s/9/nine/ f.txt' -c merge_drivers=run
    expect_status 0
    [ -e "$SCRATCH/ran" ]
    equal "their side" "$(git show "integration-$(last_sid):f.txt" | grep -cE 'two|nine')" 1
}

@test "a merge driver that a task changed does not run, whatever merge_drivers says" {
    unchecked 'a task changes the configuration' B1
    driver
    two_on_one "git config merge.theirs.driver 'touch $SCRATCH/planted; cat %B >%A'; sed -i s/2/two/ f.txt" \
        'sed -i s/9/nine/ f.txt' -c merge_drivers=run
    expect_status 0
    [ ! -e "$SCRATCH/planted" ]
    [ -e "$SCRATCH/ran" ]
}
