#!/usr/bin/env bats
# Many sessions at once on one repository (promises F, B4, A1): none of their tasks is lost or done twice, and
# no lock of git's or bosk's own reaches the user. And sessions that are frozen or killed in the worst
# places - while they write the store, while they land - beside others that live.
# BOSK_TEST_SESSIONS and BOSK_TEST_TASKS make it larger.

load ../lib/beside

setup() {
    flow_setup
    make_repo
    : "${BOSK_TEST_SESSIONS:=8}" "${BOSK_TEST_TASKS:=50}"
}
teardown() { flow_teardown; }

# plan_of NAME N: N tasks that each write a file of their own.
plan_of() {
    local t
    {
        echo 'tasks:'
        for t in $(seq "$2"); do printf '  - {id: %s-%d, run: "echo %s >%s-%d"}\n' "$1" "$t" "$t" "$1" "$t"; done
    } >"$SCRATCH/$1.yaml"
}

# held_plan NAME: one task that says $SCRATCH/began and waits for $SCRATCH/gate.
held_plan() {
    mkfifo "$SCRATCH/gate"
    printf 'tasks:\n  - {id: %s-1, run: "touch %s/began; read x <%s/gate; echo %s >%s-1"}\n' \
        "$1" "$SCRATCH" "$SCRATCH" "$1" "$1" >"$SCRATCH/$1.yaml"
}

stopped() { [[ $(cat "/proc/${pids[$1]}/stat") == *') T '* ]]; }
# No error of git's about a lock, and none of ours.
assert_no_lock_said() {
    refute grep -niE 'unable to (create|lock)|cannot lock|could not lock|file exists|git\.?lock|\.lock|held by|another (git|writer)' \
        "$SCRATCH"/*.out "$SCRATCH"/*.err
}
# The best of some: a busy machine may hold up one or the other.
status_ms() {
    local best=99999 began ms
    for _ in 1 2 3 4 5; do
        began=$(date +%s%N)
        "$BOSK_BIN" status --json >"$SCRATCH/status" 3>&- || return
        ms=$((($(date +%s%N) - began) / 1000000))
        [ "$ms" -ge "$best" ] || best=$ms
    done
    printf '%s\n' "$best"
}

@test "8 sessions of 50 tasks at once, half of them landing: 400 tasks, none lost, none twice" {
    local s t names=() began
    base=$(git rev-parse HEAD)
    for s in $(seq "$BOSK_TEST_SESSIONS"); do
        plan_of "s$s" "$BOSK_TEST_TASKS"
        names+=("s$s")
    done
    began=$(date +%s%N)
    for s in "${names[@]}"; do
        case $s in
        *[13579]) begin "$s" --jobs 2 --land merge ;;
        *) begin "$s" --jobs 2 ;;
        esac
    done
    # One is frozen in the middle of its work: whoever asks is answered all the same.
    wait_until '[ "$(status_json "[.sessions[].counts.integrated // 0] | add" 2>/dev/null)" -gt 20 ]' 60
    kill -STOP "${pids[s2]}"
    ms=$(status_ms)
    kill -CONT "${pids[s2]}"
    [ "$ms" -lt 1000 ] || { printf 'status took %s ms\n' "$ms" >&2 && false; }
    equal 'sessions seen' "$(jq '.sessions | length' "$SCRATCH/status")" "$BOSK_TEST_SESSIONS"
    for s in "${names[@]}"; do end "$s" 0; done
    printf '# %s tasks in %s ms; status beside a frozen session: %s ms\n' \
        "$((BOSK_TEST_SESSIONS * BOSK_TEST_TASKS))" "$((($(date +%s%N) - began) / 1000000))" "$ms" >&3
    assert_no_lock_said

    # Everything, once, by what git says alone.
    git log --all --merges --format='%(trailers:key=Bosk-Task,valueonly,separator=)' "^$base" |
        grep . | LC_ALL=C sort >"$SCRATCH/merged"
    git log --all --no-merges --format='%(trailers:key=Bosk-Task,valueonly,separator=)' "^$base" |
        grep . | LC_ALL=C sort >"$SCRATCH/done"
    for s in "${names[@]}"; do for t in $(seq "$BOSK_TEST_TASKS"); do echo "$s-$t"; done; done |
        LC_ALL=C sort >"$SCRATCH/wanted"
    diff "$SCRATCH/wanted" "$SCRATCH/merged" >&2
    diff "$SCRATCH/wanted" "$SCRATCH/done" >&2
    for s in "${names[@]}"; do
        equal "files of $s" "$(git ls-tree --name-only "refs/bosk/int/$(sid_of "$s")" | grep -c "^$s-")" "$BOSK_TEST_TASKS"
    done
    # The landed ones: each by one merge, all there, in the branch and in the checkout.
    half=$(((BOSK_TEST_SESSIONS + 1) / 2))
    equal 'landings' "$(git rev-list --count --first-parent "$base..main")" "$half"
    equal 'files landed' "$(git ls-tree --name-only main | grep -c '^s[0-9]*-')" "$((half * BOSK_TEST_TASKS))"
    equal 'checkout' "$(git status --porcelain)" ''
    assert_no_worktrees "$REPO"
}

@test "few worktrees for many sessions: never more than there may be, and all is done" {
    local s names=() most=0 now
    for s in 1 2 3 4 5; do
        plan_of "s$s" 6
        names+=("s$s")
    done
    for s in "${names[@]}"; do begin "$s" --jobs 2 -c worktrees.total=3 --land merge; done
    # By git's word, as often as it can be asked while they work.
    while alive "${pids[s1]}" || alive "${pids[s2]}" || alive "${pids[s3]}" || alive "${pids[s4]}" || alive "${pids[s5]}"; do
        now=$(git worktree list | wc -l)
        [ "$now" -le "$most" ] || most=$now
    done
    for s in "${names[@]}"; do end "$s" 0; done
    [ "$most" -gt 1 ]
    [ "$most" -le 4 ] || { printf '%s worktrees\n' "$((most - 1))" >&2 && false; }
    equal 'files landed' "$(git ls-tree --name-only main | grep -c '^s[0-9]*-')" 30
    assert_no_lock_said
    assert_no_worktrees "$REPO"
}

@test "frozen while it writes the store: status answers, the others hold on and finish when it goes on" {
    plan_of a 2
    held_plan b
    begin b
    wait_until "[ -e $SCRATCH/began ]"
    BOSK_FAILPOINT_STOP=1 BOSK_FAILPOINT_IN=supervisor BOSK_FAILPOINT_AT=db.commit.before:4 begin a
    wait_until 'stopped a'
    [ "$(status_ms)" -lt 1000 ]
    echo go >"$SCRATCH/gate"
    wait_until "grep -q 'held by writer pid ${pids[a]} .stopped.*starts nothing new' $SCRATCH/b.err"
    kill -CONT "${pids[a]}"
    end a 0
    end b 0
}

@test "one landing at a time: who waits says whom for; frozen, it is waited for; killed, it is not" {
    unchecked 'a resume lands in the checkout' B1
    local s
    for s in a b c; do plan_of $s 1; done
    BOSK_FAILPOINT_STOP=1 BOSK_FAILPOINT_IN=supervisor BOSK_FAILPOINT_AT=land.forward.before:1 begin a --land merge
    wait_until 'stopped a'
    begin b --land merge
    begin c --land merge
    wait_until 'waits b'
    wait_until 'waits c'
    equal 'b waits for' "$(waiting_for "$(sid_of b)")" "the landing of $(sid_of a) (process ${pids[a]} is stopped)"
    wait_until "grep -q 'waiting for the landing of $(sid_of a)' $SCRATCH/c.err"
    # A request ends the wait; it can be landed later.
    run_bosk stop "$(sid_of c)"
    expect_status 0
    end c 1
    expect_text 'bosk resume' "$SCRATCH/c.err"
    kill -KILL "${pids[a]}"
    end b 0
    end a 137
    run_bosk resume "$(sid_of a)"
    expect_status 0
    run_bosk resume "$(sid_of c)"
    expect_status 0
    equal 'landings' "$(git rev-list --count --first-parent main)" 4
    equal 'files landed' "$(git ls-tree --name-only main | grep -c '^[abc]-1$')" 3
}

@test "killed beside living ones and resumed there, twice at once: one takes it, nobody touches the others" {
    plan_of a 2
    held_plan b
    begin b
    wait_until "[ -e $SCRATCH/began ]"
    b=$(sid_of b)
    tree=$(status_json ".sessions[] | select(.id == \"$b\") | .worktrees[0].path")
    echo 'not committed' >"$tree/b-half"
    before=$(git -C "$tree" rev-parse HEAD && git for-each-ref | grep "$b" && cat "$tree/.git" && stat -c '%i %z' "$tree/b-half")
    BOSK_FAILPOINT_IN=supervisor BOSK_FAILPOINT_AT=integrate.refs.after:1 begin a
    end a 137
    a=$(sid_of a)
    for n in 1 2 3; do
        "$BOSK_BIN" resume "$a" >"$SCRATCH/r$n" 2>&1 </dev/null 3>&- &
        pids[r$n]=$!
    done
    codes=''
    for n in 1 2 3; do
        code=0
        wait "${pids[r$n]}" || code=$?
        codes+="$code "
    done
    # The one who takes it, and those who found it taken, or over already.
    [[ $codes == *0* ]]
    refute grep -qv '^[05 ]*$' <<<"$codes"
    equal 'takers' "$(grep -lE 'tasks? in [0-9]+ worktree' "$SCRATCH"/r[123] | wc -l)" 1
    assert_once "$REPO" "$a" main a-1 a-2
    equal 'what lives' "$(git -C "$tree" rev-parse HEAD && git for-each-ref | grep "$b" && cat "$tree/.git" && stat -c '%i %z' "$tree/b-half")" "$before"
    refute "$BOSK_BIN" resume "$b"
    echo go >"$SCRATCH/gate"
    end b 0
}
