# shellcheck shell=bash disable=SC2013,SC2034,SC2154 # variables of and for the other files
# end.bash: for tests/crash/model.sh. Once all users have gone: everything is brought to its end, and
# what the repository then is goes into the history, for the judge.

# newest: "SID PLAN STATE LANDED OPEN TASK..." of the newest session of each plan: OPEN: how many tasks that
# can be done are not; TASK: those of them that may be retried.
newest() {
    jq -r --arg bad " $bad " '
        .sessions | map(.plan = .tasks[0].id[0:1]) | to_entries | group_by(.value.plan)[] | max_by(.key).value |
        .id as $sid |
        [.tasks[] | select(.state != "integrated" and .state != "landed") |
          select(" " + .id + " " | inside($bad) | not)] as $open |
        [$open[] | select(.state == "failed" or .state == "blocked" or .state == "conflict" or .state == "reverted") | "\($sid)/\(.id)"] as $retry |
        "\(.id) \(.plan) \(.state) \(if .landed then 1 else 0 end) \($open | length) \($retry | join(" "))"' "$ROUND/status"
}

# settle: as a user would who wants all of it done: resume, retry, run again, land.
settle() {
    local who=9 count=0 n sid letter state landed open tasks turn again=1
    for task in $(awk '$4 == "flaky" { print $3 }' "$ROUND/tasks"); do heal "$task"; done
    for ((turn = 0; again; turn++)); do
        if [ "$turn" = 8 ]; then
            note "problem after $turn turns there is still something to do"
            break
        fi
        again=''
        next
        call status status --json
        cp "$ROUND/out.$n" "$ROUND/status"
        [ "$turn" != 0 ] || let_rest
        for letter in "${plans[@]}"; do
            read -r sid _ state landed open tasks < <(newest | awk -v plan="$letter" '$2 == plan') || sid=''
            next
            case ${sid:+$state} in
            '') call "run $letter keep" run "$SCRATCH/plans/$letter.yaml" --target main ;;
            interrupted | stopped) call "resume $sid" resume "$sid" ;;
            failed)
                if [ "$open" = 0 ] && [ "$landed" = 1 ]; then continue; fi
                if [ "$open" = 0 ]; then
                    land_at_end && continue
                elif [ "$landed" = 1 ]; then
                    call "run $letter keep" run "$SCRATCH/plans/$letter.yaml" --target main
                else
                    # shellcheck disable=SC2086 # a list of words
                    call "retry $sid --run" retry $tasks --run
                fi
                ;;
            done)
                [ "$landed" = 0 ] || continue
                # What was taken out is done again, so that all is there at the end.
                # shellcheck disable=SC2086 # a list of words
                if [ -n "$tasks" ]; then
                    call "retry $sid --run" retry $tasks --run
                else
                    land_at_end && continue
                fi
                ;;
            *) note "problem session $sid is $state" ;;
            esac
            again=1
        done
    done
}
# let_rest: landings that were cut off, of sessions whose plan others have gone on with since. They leave a worktree.
let_rest() {
    for sid in $(jq -r '.sessions[] | select(.state == "interrupted").id' "$ROUND/status"); do
        if newest | grep -q "^$sid "; then continue; fi
        next
        call "land $sid --keep" land "$sid" --keep
    done
}
# land_at_end: false when it has to be tried again. A user who had half a commit in the way takes it back.
land_at_end() {
    call "land $sid --merge" land "$sid" --merge
    grep -qE "^end $n 1 .*why=(dirty|stuck|cut)" "$HISTORY" || return 0
    git reset -q
    git ls-files --others --exclude-standard -- 'user-*.txt' | xargs -r rm -f
    return 1
}

# branch_lines NAME REV: what is on it since the beginning, oldest first.
branch_lines() {
    local line parents session queue task subject
    git log --reverse --topo-order --format='%P|%(trailers:key=Bosk-Session,valueonly,separator=)|%(trailers:key=Bosk-Queue,valueonly,separator=)|%(trailers:key=Bosk-Task,valueonly,separator=)|%(trailers:key=Bosk-Reverts,valueonly,separator=)|%s' "$base..$2" |
        while IFS='|' read -r parents session queue task reverts subject; do
            [ -z "$reverts" ] || parents=revert
            case $parents in
            revert) ;; *' '*) parents=merge ;; *) parents=commit ;; esac
            if [ -n "$task" ]; then
                note "on $1 $parents $queue $task"
            elif [ -n "$session" ] && [ "$parents" = merge ]; then
                note "on $1 landing $session"
            else
                case $subject in
                'user '*) note "on $1 $subject" ;;
                *) note "on $1 unknown $subject" ;;
                esac
            fi
        done
}

# What is left there, and what the sessions say of it.
no_worktree_left() {
    local sid
    ! folder_empty "$REPO.worktrees" || return 0
    for sid in $(jq -r '.sessions[].id' "$ROUND/status"); do "$BOSK_BIN" report "$sid" | grep worktree | sed "s/^/$sid: /"; done
    jq -r '.sessions[] | .id as $sid | .tasks[] | select(.state == "blocked") | "\($sid) \(.id): \(.reason)"' "$ROUND/status"
    return 1
}
problem() { note "problem $*: $(head -c 600 "$ROUND/said" | tr '\n' ' ')"; }
must() {
    local what=$1
    shift
    "$@" >"$ROUND/said" 2>&1 || problem "$what"
}
same_checkout() {
    snapshot_of_user >"$ROUND/after"
    diff -u "$ROUND/before" "$ROUND/after"
}
# Of the checkout, what no landing and no commit of the test's user may change.
snapshot_of_user() {
    if [ "$checkout" = main ]; then
        git status --porcelain --ignored --untracked-files=all
        sha256sum a.ignored mine-untracked
        git symbolic-ref HEAD
    else
        snapshot_checkout "$REPO" | grep -vE '^refs/heads/main |logs/refs/heads/main$'
    fi
}
no_process() {
    local pid found=''
    for pid in $(processes_of_test); do
        found+="$pid $(tr '\0' ' ' <"/proc/$pid/cmdline") "
    done
    equal 'left running' "$found" ''
}

# look_at_end: the end state, as lines of the history.
look_at_end() {
    local sid queue branch
    note 'the end'
    next_status
    jq -r '.sessions[] | "now \(.id) \(.tasks[0].id[0:1]) \(.queue) \(.state) \(if .landed then "landed" else "here" end)"' \
        "$ROUND/status" >>"$HISTORY"
    jq -r '[.sessions[] | .queue as $q | .tasks[] | "is \($q) \(.id) \(.state)"] | unique[]' "$ROUND/status" >>"$HISTORY"
    while read -r sid queue; do
        # What a user added after the session's end is taken in when it lands.
        # Once it has landed the branch goes.
        branch=integration-$sid
        git rev-parse -q --verify "refs/heads/$branch" >/dev/null || branch=refs/bosk/int/$sid
        [ "${branch#refs}" = "$branch" ] || must "landed $sid" jq -e --arg sid "$sid" \
            '.sessions[] | select(.id == $sid) | .landed' "$ROUND/status"
        must "branches of $sid" git merge-base --is-ancestor "refs/bosk/int/$sid" "$branch"
        branch_lines "$sid" "$branch"
        must 'strays' assert_no_strays "$sid"
    done < <(jq -r '.sessions[] | "\(.id) \(.queue)"' "$ROUND/status")
    branch_lines main main
    must verify "$BOSK_BIN" verify
    must fsck git fsck --full --strict --no-dangling --no-progress
    must worktrees assert_no_worktrees "$REPO"
    must 'worktree folder' no_worktree_left
    must checkout same_checkout
    must processes no_process
    [ "$checkout" != main ] || must 'tree of main' git diff --quiet HEAD --
    if [ -s "$ROUND/crashes" ]; then
        note "problem crashes: $(head -c 1000 "$ROUND/crashes" | tr '\n' ' ')"
    fi
}
next_status() { "$BOSK_BIN" status --json >"$ROUND/status" 2>"$ROUND/said" </dev/null || problem status; }
