# shellcheck shell=bash
# crash.bash: for the programs in tests/crash, on top of flow.bash. Rounds on fresh copies of one
# repository, each with a log of its own, and what must hold at the end of each, whatever crashed.

# shellcheck source=tests/lib/flow.bash
. "$(dirname "${BASH_SOURCE[0]}")/flow.bash"

wrong=0
: "${keep:=0}" # --keep of the program that includes this

# ---- the command line ----------------------------------------------------------------------------

# crash_options SPEC... -- WORDS...: sets variables from the words of the command line. A SPEC is NAME (--NAME
# sets it to 1), NAME= (takes a number from 1), NAME: (takes a text), or, with a slash, a pattern of points,
# which go to the array points. Everybody's: --full (or BOSK_TEST_FULL=1), --seed, --keep, --help.
# shellcheck disable=SC2034 # for the programs
points=() full=${BOSK_TEST_FULL:+1}
crash_options() {
    local -A kinds=([full]=flag [keep]=flag [seed]=number)
    local pattern='' name
    while [ "$1" != -- ]; do
        case $1 in
        */*) pattern+="${pattern:+|}$1" ;;
        *=) kinds[${1%=}]=number ;;
        *:) kinds[${1%:}]=text ;;
        *) kinds[$1]=flag ;;
        esac
        shift
    done
    shift
    while [ $# -gt 0 ]; do
        name=${1#--}
        case $1 in
        -h | --help)
            usage
            exit 0
            ;;
        --?*)
            case ${kinds[$name]:-}:${2:-} in
            flag:*) declare -g "$name=1" ;;
            number: | number:*[!0-9]* | number:0 | text: | :*) crash_usage ;;
            *)
                declare -g "$name=$2"
                shift
                ;;
            esac
            ;;
        *)
            # shellcheck disable=SC2053 # a pattern
            [[ -n $pattern && $1 == @($pattern) ]] || crash_usage
            points+=("$1")
            ;;
        esac
        shift
    done
}
crash_usage() {
    usage >&2
    exit 2
}

# crash_seed: the seed, given or made, is printed; RANDOM begins with it.
crash_seed() {
    : "${seed:=${BOSK_TEST_SEED:-$(((${EPOCHREALTIME/[.,]/} ^ $$) & 0x7fffffff))}}"
    RANDOM=$((seed % 2147483647))
    printf 'seed: %s (--seed, or BOSK_TEST_SEED)\n' "$seed"
}
# draw LIMIT: a number below it in $drawn. (Not in a subshell: that would draw the same again.)
# shellcheck disable=SC2034 # for the programs
draw() { drawn=$((((RANDOM << 15) | RANDOM) % $1)); }
# need_file VARIABLE NAME WHAT: the NAME of the environment must name WHAT; its real path goes to VARIABLE.
need_file() {
    if ! [ -r "${!2:-}" ]; then
        printf '%s must name %s (now: %s)\n' "$2" "$3" "${!2:-not set}" >&2
        exit 2
    fi
    declare -g "$1=$(readlink -f "${!2}")"
}

# ---- rounds --------------------------------------------------------------------------------------

# crash_setup: the scratch folder, removed at the end unless something was wrong and --keep given.
crash_setup() {
    flow_setup || exit 2
    trap crash_finish EXIT
}
crash_finish() {
    if [ "$wrong" != 0 ] && [ "$keep" = 1 ]; then
        printf 'kept: %s\n' "$SCRATCH"
    else
        flow_teardown
    fi
}

# make_template: $REPO as it is now is what every round begins with.
make_template() { mv "$REPO" "$SCRATCH/template"; }
# fresh: the repository as it was before any run, an empty log, nothing said.
fresh() {
    rm -rf "$XDG_RUNTIME_DIR/bosk"
    flow_fresh
    : >"$SCRATCH/log"
    said=''
}

# bosk WORDS...: its output is added to the round's log; status in $rc.
# shellcheck disable=SC2034 # for the programs
bosk() {
    rc=0
    printf '$ bosk %s\n' "$*" >>"$SCRATCH/log"
    timeout --foreground -k 5 "$FLOW_LIMIT" "$BOSK_BIN" "$@" >>"$SCRATCH/log" 2>&1 </dev/null || rc=$?
}

# resume_while STATES SID MOST: as a user would, as long as the session is in one of the STATES (a pattern).
resume_while() {
    # shellcheck disable=SC2053 # a pattern
    while [[ $(status_json '.sessions[0].state') == @($1) ]]; do
        resumes=$((resumes + 1))
        if [ "$resumes" -gt "$3" ]; then
            said+="${said:+, }not at its end after $3 resumes"
            break
        fi
        bosk resume "$2"
    done
}

# States and gates of every task of the one session.
states() { status_json '.sessions[0].tasks[] | "\(.id) \(.state) \(.gates | tostring)"'; }
# The newest session; empty when nothing is in the store yet.
sid_or_none() { last_sid 2>/dev/null || true; }

# check WHAT COMMAND...: notes a failure in $said; what the command says goes to the log.
check() {
    local what=$1
    shift
    "$@" >>"$SCRATCH/log" 2>&1 || said+="${said:+, }$what"
}
folder_empty() {
    local left
    left=$(ls -A "$1" 2>/dev/null || true)
    equal "left in $1" "$left" ""
}

# What lies about in the repository: refs, locks of git, bosk's own files. Names of the session are
# made equal. Saved work of interrupted attempts (refs/bosk/keep) and logs are as many as crashes; half
# an object of a git that was killed (objects/*/tmp_obj_*) is for git's own gc, it may be anybody's, and so
# may the lock of the maintenance that the agent's `git commit` began.
leftovers() {
    {
        git for-each-ref --format='%(refname)' | grep -v '^refs/bosk/keep/' || true
        find .git -name bosk -prune -o \( -name '*.lock' -o -name 'packed-refs.*' \) -print |
            grep -vxF .git/objects/maintenance.lock || true
        find .git/bosk -name logs -prune -o -print
        find .git/worktrees -mindepth 1 -maxdepth 1 2>/dev/null || true
    } | sed -E "s/$1/SID/g; s/QUE-[0-9TZ-]+/QUEUE/g" | LC_ALL=C sort
}
# landed_once SID BASE BRANCH TASK...: each task's two commits and the merge of the landing, and no more.
landed_once() {
    local sid=$1 range=$2..$3 n
    shift 3
    equal "commits on main" "$(git rev-list --count "$range")" $((2 * $# + 1)) || return
    n=$(git log --merges --format='%(trailers:key=Bosk-Session,valueonly,separator=)/%(trailers:key=Bosk-Task,valueonly,separator=)' \
        "$range" | grep -cxF "$sid/" || true)
    equal "landings" "$n" 1
}
# A checkout that says nothing: of main, or as it was.
clean_checkout() {
    equal "status" "$(git status --porcelain --ignored)" "" || return
    equal "branch" "$(git symbolic-ref HEAD)" "refs/heads/$1"
}

# check_end SID BASE TREE STATES TASK...: what must be so after every round.
check_end() {
    local sid=$1 base=$2 tree=$3 wanted=$4
    shift 4
    check 'one session' equal "sessions" "$(status_json '.sessions | length')" 1
    check tree equal "tree" "$(git rev-parse "refs/bosk/int/$sid^{tree}" 2>&1)" "$tree"
    check states equal "states" "$(states)" "$wanted"
    check 'exactly once' assert_once "$REPO" "$sid" "$base" "$@"
    check invariants invariants_check ${INVARIANTS[@]+"${INVARIANTS[@]}"} "$REPO"
    check strays assert_no_strays "$sid"
    check worktrees assert_no_worktrees "$REPO"
    check 'worktree folder' folder_empty "$REPO.worktrees"
}

# show_wrong TITLE NAME: what is known of a round that ended wrong; its repository kept on request.
show_wrong() {
    wrong=$((wrong + 1))
    printf '\n---- %s: %s\n' "$1" "$said"
    tail -n 100 "$SCRATCH/log"
    [ "$keep" = 0 ] || cp -a "$REPO" "$SCRATCH/$2"
}
