# shellcheck shell=bash
# hostile.bash: tables of bad and strange input, one row a case, for tests/flow/8*.bats (after
# `load ../lib/flow`). A row is
#
#   case | what is said | exit code
#
# case: the words after `make_` of a function and its arguments. The function makes the case and may
# set $PLAN (the plan to run), $args (more words for bosk) or RUN (a function that calls run_bosk).
# what is said: a pattern (grep -E) that some line of standard error matches; and one line of it must
# begin with "bosk: " or name a place in a file. For exit code 0 the words `equal tree` mean that the
# batch of plain_plan ran and its tree is the one that git alone makes.

# hostile_table SETUP CHECK: for each row of standard input: SETUP, make the case, run bosk; then the
# row's exit code and text must hold, and CHECK. Says which row it is at: bats shows that of the one
# that fails.
hostile_table() {
    local row rows
    mapfile -t rows
    for row in "${rows[@]}"; do
        row=${row%%#*}
        [ -n "${row//[[:space:]]/}" ] || continue
        hostile_row "$1" "$2" "$row"
    done
}

# Not called in a condition: the first command that fails ends the test.
hostile_row() {
    local name text code
    name=${3%% | *} code=${3##* | } text=${3#* | }
    text=$(trim "${text% | *}")
    name=$(trim "$name") code=$(trim "$code")
    printf 'case: %s\n' "$name" >&2
    PLAN='' RUN=run_plan args=()
    "$1"
    # shellcheck disable=SC2086 # words of the row
    eval "make_$name"
    "$RUN"
    # shellcheck disable=SC2154 # by run_bosk
    if [ "$code" = 0 ]; then
        expect_status 0
    else
        expect_status "$code"
        expect_text "$text"
        one_clear_error
    fi
    "$2" "$code" "$text"
}

trim() {
    local text=$1
    text=${text#"${text%%[![:space:]]*}"}
    printf '%s' "${text%"${text##*[![:space:]]}"}"
}

run_plan() { run_bosk run "$PLAN" --executor true ${args[@]+"${args[@]}"}; }

# What is said is for people: it comes from bosk or names a place in a file, there is no trace of a
# crash, and nothing that would move the cursor or change the terminal.
one_clear_error() {
    expect_text '^(bosk: |[^ ]*:[0-9]+:[0-9]+: )'
    refute grep -qE 'Sanitizer|assertion|Segmentation|core dumped' "$ERR"
    refute grep -qP '[\x00-\x08\x0b-\x1f\x7f]' "$ERR"
}

# ---- nothing was started --------------------------------------------------------------------------

# everything: each file, folder and link of the repository and beside it, with times and contents, the
# git folder included.
everything() {
    (
        cd "$SCRATCH" || exit
        find repo* -printf '%y %m %s %T@ %p -> %l\n' | LC_ALL=C sort -k5
        find repo* -type f -print0 | LC_ALL=C sort -z | xargs -0r sha256sum --
    )
}

remember() { everything >"$SCRATCH/before.everything"; }

# unchanged: since remember, no byte and no time of the repository, its git folder and what lies beside
# it has changed: no session, no ref, no worktree, no folder of bosk.
unchanged() {
    everything >"$SCRATCH/after.everything"
    diff -u "$SCRATCH/before.everything" "$SCRATCH/after.everything" >&2
}

# no_session: the same, and bosk knows of none.
no_session() {
    unchanged
    equal "sessions" "$(status_json '.sessions | length')" 0
}

repeat() { head -c "$2" < <(yes -- "$1" | tr -d '\n'); } # TEXT BYTES
