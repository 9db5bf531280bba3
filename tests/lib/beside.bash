# shellcheck shell=bash
# beside.bash: for tests with several sessions at once on one repository, on top of flow.bash.

# shellcheck source=tests/lib/flow.bash
. "$(dirname "${BASH_SOURCE[0]}")/flow.bash"

declare -gA pids # -g: bats reads this file in a function
# begin NAME WORDS...: bosk run of the plan NAME.yaml, in the background; output in NAME.out and NAME.err.
begin() {
    local name=$1
    shift
    export SCRATCH
    env --default-signal=INT,QUIT "$BOSK_BIN" run "$SCRATCH/$name.yaml" "$@" \
        >"$SCRATCH/$name.out" 2>"$SCRATCH/$name.err" </dev/null 3>&- &
    pids[$name]=$!
}
# end NAME WANTED: the exit code of that run.
end() {
    local code=0
    wait_until "! alive ${pids[$1]}" "$FLOW_LIMIT" || return
    wait "${pids[$1]}" || code=$?
    [ "$code" = "$2" ] && return 0
    printf 'run of %s: exit %s, wanted %s\n' "$1" "$code" "$2" >&2
    tail -c 3000 "$SCRATCH/$1.err" >&2
    return 1
}
# sid_of NAME: the session whose plan that is: its first task is NAME-1.
sid_of() { status_json "first(.sessions[] | select(.tasks[0].id == \"$1-1\") | .id)"; }
waiting_for() { status_json ".sessions[] | select(.id == \"$1\") | .waiting_for // \"nothing\""; }
# waits NAME: that run waits for something.
waits() {
    local sid
    sid=$(sid_of "$1" 2>/dev/null) && [ "$(waiting_for "$sid")" != nothing ]
}
