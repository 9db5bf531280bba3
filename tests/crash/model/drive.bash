# shellcheck shell=bash disable=SC2124,SC2154,SC2317 # words at random; variables and calls of model.sh
# drive.bash: users of bosk, for tests/crash/model.sh. Each works through random commands on the same
# repository; every call is a start and an end in one history, whose order is that of the appends.

# note WORDS...: one line of the history, in one write.
note() { printf '%s\n' "$*" >>"$HISTORY"; }

# below LIMIT; pick WORDS...: at random. Never in a subshell: RANDOM would not move on.
below() { random=$((RANDOM % $1)); }
pick() { random=${@:RANDOM % $#+1:1}; }
# pause MS: what a user does meanwhile, at random; nothing but the interleaving depends on it.
pause() {
    below "$1"
    sleep "0.$(printf '%03d' "$random")"
}

# ---- what a call said ----------------------------------------------------------------------------

# The first pattern that fits names why a call did nothing, or not all.
reasons=(
    'live=(is running in process|is at work on session|try again when that is over|works on this plan now|begun at the same moment)'
    'unfinished=of this plan is not finished'
    'nothing=has integrated everything in this plan'
    'over=is over \('
    'ended=ended meanwhile'
    'unowned=is not running$'
    'interrupted=was interrupted: '
    'halfway=is in the middle of landing'
    'landed=has landed; what it left'
    'passed=goes on with the tasks of session'
    'kept=is skipped because of|name that one, too:'
    'needed=^bosk: .*what needs .* is done already|^not taken out: what needs|and has landed on'
    'clash=not taken out: what .* changed was changed again'
    'gone=not taken out: .* has landed on'
    'whole=only what is integrated can be taken out'
    'half=a landing of session .* was cut off'
    'elsewhere=was taken out in session'
    'idle=has no failed, blocked or conflicting|can be done again|does it again|no session has a task'
    'unknown=no session begins with|there is no session [0-9a-f]+ any more'
    'unfit=no session that bosk [a-z]+ could apply to|there is no session in this'
    'which=: say which session:|is in several sessions|are tasks of different sessions'
    'empty=nothing to land'
    'ungated=the gates have not run on this tip'
    'halted=not landed: it was asked to stop while'
    'red=the gates are red'
    'conflict=not landed: .* conflict in'
    'dirty=not landed: .*(uncommitted|in the way|in the middle of)'
    'cut=not landed: an earlier landing was cut off'
    'cut=a landing of session .* was cut off'
    'stuck=not landed: git would not move'
    'moved=not landed: .* was moved by others'
)

# facts FILE...: " began=SID ended=SID:STATE landed=SID why=WORD" and so on, as far as they are told.
facts() {
    local line reason sid='' out=''
    while IFS= read -r line; do
        # What status tells of an earlier call is no answer to this one.
        [[ $line != *'"not_landed":'* ]] || continue
        if [[ $line =~ ^bosk:\ session\ ([0-9a-f]{6}):\ [0-9]+\ tasks?\ in ]]; then
            sid=${BASH_REMATCH[1]}
            out+=" began=$sid"
        elif [[ $line =~ ^bosk:\ session\ ([0-9a-f]{6})\ (done|failed|stopped|landing|limited): ]]; then
            out+=" ended=${BASH_REMATCH[1]}:${BASH_REMATCH[2]}"
        elif [[ $line =~ landed\ on\ main\ as ]]; then
            out+=" landed=$sid"
        elif [[ $line =~ ^pending\ again: ]]; then
            out+=' again'
        elif [[ $line =~ ^reverted:\ (.*) ]]; then
            out+=" again$(printf ' out=%s' ${BASH_REMATCH[1]})"
        elif [[ $line =~ ^bosk\ resume\ ([0-9a-f]{6})$ ]]; then
            out+=" back=${BASH_REMATCH[1]}"
        elif [[ $line =~ ^session\ ([0-9a-f]{6})\ was\ asked\ to\ stop ]]; then
            out+=" asked=${BASH_REMATCH[1]}"
        else
            for reason in "${reasons[@]}"; do
                if [[ $line =~ ${reason#*=} ]]; then
                    out+=" why=${reason%%=*}"
                    break
                fi
            done
        fi
    done < <(cat "$@")
    printf '%s' "$out"
}

# ---- calls ---------------------------------------------------------------------------------------

# call LABEL WORDS...: bosk WORDS, as LABEL (one word per thing) in the history; its number in $n.
call() {
    local label=$1 pid rc=0 out err
    shift
    out=$ROUND/out.$n err=$ROUND/err.$n
    note "start $n $label"
    "$BOSK_BIN" "$@" >"$out" 2>"$err" </dev/null &
    pid=$!
    printf '%s\n' "$pid" >"$ROUND/running/$n"
    wait "$pid" 2>/dev/null || rc=$?
    rm -f "$ROUND/running/$n"
    case $label in
    status*) [ "$rc" != 0 ] || see "$out" ;;
    esac
    note "end $n $rc$(facts "$out" "$err")"
    [ "$rc" -lt 70 ] || [ "$rc" = 137 ] || cat "$err" >>"$ROUND/crashes"
}

# What `status --json` showed, a line per session.
see() {
    jq -r '.sessions[] | "see '"$n"' \(.id) \(.state) \(if .landed then "landed" else "here" end) " +
        ([.tasks[] | "\(.id):\(.state)"] | join(" "))' "$1" >>"$HISTORY"
}

next() { n=$((who * 1000 + ++count)); }

here() { "$@"; }
# apart: the call that follows goes on in the background; one at a time.
apart() {
    [ -z "$beside" ] || wait "$beside"
    "$@" &
    beside=$!
}

# a_session: one that there is in $sid, at random; its plan, where that is known, in $letter.
a_session() {
    local all
    mapfile -t all < <(git for-each-ref --format='%(refname:lstrip=3)' refs/bosk/int)
    sid='' letter=''
    [ ${#all[@]} != 0 ] || return 1
    pick "${all[@]}"
    sid=$random
    letter=$(awk -v sid="$sid" '$1 == sid { print $2; exit }' "$ROUND/sids")
}

# ---- what users do -------------------------------------------------------------------------------

run_plan() {
    local land conflict jobs
    pick keep keep merge
    land=$random
    pick repair park
    conflict=$random
    below 3
    jobs=$((random + 1))
    next
    run_one() {
        call "run $1 $2" run "$SCRATCH/plans/$1.yaml" --target main --land "$2" --on-conflict "$3" --jobs "$4"
        sed -n "s/^end $n .* began=\([0-9a-f]*\).*/\1 $1/p" "$HISTORY" >>"$ROUND/sids"
    }
    pick "${plans[@]}"
    "$1" run_one "$random" "$land" "$conflict" "$jobs"
}
resume_some() {
    next
    below 4
    if [ "$random" = 0 ]; then
        "$1" call 'resume --all' resume --all
    elif [ "$random" = 1 ] || ! a_session; then
        "$1" call 'resume -' resume
    else
        "$1" call "resume $sid" resume "$sid"
    fi
}
stop_some() {
    local words=()
    next
    below 3
    [ "$random" != 0 ] || words=(--now)
    below 2
    if [ "$random" = 0 ] || ! a_session; then
        call 'stop -' stop "${words[@]}"
    else
        call "stop $sid" stop "$sid" "${words[@]}"
    fi
}
heal() {
    : >"$SCRATCH/healed/$1"
    note "heal $1"
}
retry_some() {
    local words=() task=''
    a_session || return 0
    below 3
    [ "$random" != 0 ] || words=(--run)
    if [ -n "$letter" ]; then
        # shellcheck disable=SC2046 # a list of words
        pick $(awk -v plan="$letter" '$2 == plan { print $3; if ($4 != "good") print $3, $3 }' "$ROUND/tasks")
        task=$random
        below 2
        if [ "$random" = 0 ] && grep -q " $task flaky" "$ROUND/tasks"; then heal "$task"; fi
    fi
    next
    if [ -n "$task" ]; then
        call "retry $sid ${words[*]}" retry "$sid/$task" "${words[@]}"
    else
        call "retry - ${words[*]}" retry "${words[@]}"
    fi
}
revert_some() {
    local words=() task
    a_session && [ -n "$letter" ] || return 0
    # shellcheck disable=SC2046 # a list of words
    pick $(awk -v plan="$letter" '$2 == plan { print $3 }' "$ROUND/tasks")
    task=$random
    below 2
    [ "$random" != 0 ] || words=(--with-dependents)
    next
    call "revert $sid $task ${words[*]}" revert "$sid/$task" "${words[@]}"
}
land_some() {
    local how=--merge words=()
    below 6
    [ "$random" != 0 ] || how=--keep
    below 4
    [ "$random" != 0 ] || words=(--force-red)
    a_session || return 0
    next
    call "land $sid $how ${words[*]}" land "$sid" "$how" "${words[@]}"
}
look() {
    next
    pick status status verify report doctor
    case $random in
    status) call 'status' status --json ;;
    report)
        a_session || return 0
        call "report $sid" report "$sid"
        ;;
    *) call "$random" "$random" ;;
    esac
}

clean_some() {
    next
    pick '--max-age 0s' '--max-age 0s --kill' '--sessions' '--dry-run --max-age 0s'
    # shellcheck disable=SC2086 # a list of words
    call "gc $random" gc $random
}

# a_running: the pid of some call of bosk that has not ended in $pid, its number in $victim.
a_running() {
    local all
    mapfile -t all < <(ls "$ROUND/running")
    [ ${#all[@]} != 0 ] || return 1
    pick "${all[@]}"
    victim=$random
    pid=$(cat "$ROUND/running/$victim" 2>/dev/null) && [ -n "$pid" ] &&
        [ "$(readlink "/proc/$pid/exe" 2>/dev/null)" = "$BOSK_BIN" ]
}
kill_some() {
    pause 400
    a_running || return 0
    note "kill $victim"
    kill -KILL "$pid" 2>/dev/null || true
}
freeze_some() {
    a_running || return 0
    note "freeze $victim"
    kill -STOP "$pid" 2>/dev/null || return 0
    pause 500
    kill -CONT "$pid" 2>/dev/null || true
    note "thaw $victim"
}

# commit_on BRANCH: a commit of the user's, made beside the checkout; only on what was seen.
commit_on() (
    export GIT_INDEX_FILE=$ROUND/index.$n
    tip=$(git rev-parse --verify -q "refs/heads/$1") &&
        git read-tree "$tip" &&
        blob=$(git hash-object -w --stdin <<<"user $n") &&
        git update-index --add --cacheinfo "100644,$blob,user-$n.txt" &&
        commit=$(git commit-tree "$(git write-tree)" -p "$tip" -m "user $n") &&
        git update-ref "refs/heads/$1" "$commit" "$tip" || exit 1
)
# commit_here: one in the checkout. What cannot be committed is taken away again.
commit_here() {
    echo "user $n" >"user-$n.txt"
    git add "user-$n.txt" && git commit -qm "user $n" -- "user-$n.txt" && return 0
    git rm -q --cached -- "user-$n.txt"
    rm -f "user-$n.txt"
    return 1
}
user_commit() {
    local branch=main rc=0
    below 3
    if [ "$random" = 0 ] && a_session; then branch=integration-$sid; fi
    next
    note "start $n user $branch"
    if [ "$branch" = main ] && [ "$checkout" = main ]; then
        commit_here >"$ROUND/err.$n" 2>&1 || rc=1
    else
        commit_on "$branch" >"$ROUND/err.$n" 2>&1 || rc=1
    fi
    note "end $n $rc"
}

# a_user WHO SEED OPERATIONS: a whole user, to run in the background.
a_user() {
    local who=$1 count=0 n=0 beside='' i how random sid letter victim pid
    RANDOM=$(($2 % 32768))
    for ((i = 0; i < $3; i++)); do
        pick apart apart apart here
        how=$random
        below 100
        if [ "$random" -lt 22 ]; then
            run_plan "$how"
        elif [ "$random" -lt 38 ]; then
            resume_some "$how"
        elif [ "$random" -lt 45 ]; then
            stop_some
        elif [ "$random" -lt 53 ]; then
            retry_some
        elif [ "$random" -lt 64 ]; then
            land_some
        elif [ "$random" -lt 68 ]; then
            look
        elif [ "$random" -lt 73 ]; then
            revert_some
        elif [ "$random" -lt 76 ]; then
            clean_some
        elif [ "$random" -lt 88 ]; then
            kill_some
        elif [ "$random" -lt 93 ]; then
            freeze_some
        else
            user_commit
        fi
        pause 200
    done
    [ -z "$beside" ] || wait "$beside"
}
