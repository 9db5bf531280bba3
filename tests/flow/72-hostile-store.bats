#!/usr/bin/env bats
# The store's traps, by their numbers in the design (LMDB 0.9): what bosk does, and where that is shown. The
# table is checked: every test named in it exists.
#
#  1 a second environment in one process      a_second_open_and_a_nested_transaction_are_refused
#  2 killed and stopped writers               a_killed_writer_leaves_the_store_free_and_clean
#                                             a_stopped_writer_is_named_within_the_patience
#                                             a stopped writer is named
#  3 no robust mutexes (macOS)                eight_writers_lose_nothing
#  4 which LMDB it is                         doctor names the version of LMDB
#  5 dead readers                             a_killed_reader_does_not_fill_the_store
#                                             a_reader_killed_before_we_open_costs_nothing
#                                             a_full_table_of_dead_readers_is_cleared
#  6 long readers, two at once                a_second_open_and_a_nested_transaction_are_refused
#  7 growth                                   a_map_grows_here_and_is_followed_elsewhere
#  8 full disk, EIO                           no_room_is_said_and_passes
#                                             a_store_half_made_for_want_of_room_is_made_later
#                                             a small disk that is full
#                                             a disk that fails once does not lose the session
#  9 damaged, foreign, newer, truncated       short_garbled_and_foreign_files_are_refused
#                                             a_truncated_file_is_refused
#                                             a_garbled_header_is_refused
#                                             a_missing_or_newer_format_is_refused
#                                             the_store_of_another_program_is_refused
#                                             a_file_cut_or_replaced_while_in_use_is_not_touched
#                                             a store that is damaged, foreign, cut, empty or gone is said, and repaired
#                                             a store that was lost is missed for whatever a session left
#                                             the store of a newer bosk is left alone
#                                             garbage in the middle of the store never ends bosk by a signal
# 10 removed lock file                        a_lock_file_that_was_removed_stops_all_use
#                                             the lock file of a running session was removed
#                                             a session that runs without its lock file is not run twice
# 11 read-only                                a store that may only be read
# 12 other file systems                       file_systems_without_reliable_locks_are_known
# 13 fork                                     an_environment_inherited_through_fork_is_refused
# 14 one commit a turn                        one commit for each turn of the loop
# 15 reboots                                  another_start_boot_or_pid_is_not_it
#                                             a dead session whose pid somebody else has now is resumed

load ../lib/flow.bash

setup() {
    flow_setup
    make_repo file
    STORE=$REPO/.git/bosk/store
    PLAN=$SCRATCH/plan.yaml
    write_file "$PLAN" <<'YAML'
tasks:
  - {id: one, run: "echo 1 >one"}
  - {id: two, run: "echo 2 >two", needs: [one]}
YAML
}
teardown() {
    ! mountpoint -q "$REPO/.git/bosk" || umount -l "$REPO/.git/bosk"
    flow_teardown
}

# A session that waits in its task until something is written into $SCRATCH/go.
waiting_session() {
    mkfifo "$SCRATCH/go"
    write_file "$SCRATCH/wait.yaml" <<YAML
tasks: [{id: w, run: "echo w >w; touch '$SCRATCH/runs'; read x <'$SCRATCH/go'"}]
YAML
    start_bosk run "$SCRATCH/wait.yaml"
    wait_until "[ -e '$SCRATCH/runs' ]" 60
    sid=$(last_sid)
}
aside() { OUT=$SCRATCH/out2 ERR=$SCRATCH/err2 run_bosk "$@"; err=$(cat "$SCRATCH/err2") out=$(cat "$SCRATCH/out2"); }

@test "every test that the table names exists" {
    local here name all
    here=$(dirname "$BATS_TEST_FILENAME")
    all=$(cat "$here"/../unit/test_db*.c "$here"/../unit/test_owner.c)
    sed -n 's/^# \{1,2\}\([0-9]\{1,2\}\) .*/\1/p' "$BATS_TEST_FILENAME" >"$SCRATCH/numbers"
    [ "$(cat "$SCRATCH/numbers")" = "$(seq 15)" ]
    sed -n '/^#  1 /,/^$/p' "$BATS_TEST_FILENAME" | grep '^#' | cut -c44- | sed 's/^ *//' | while IFS= read -r name; do
        grep -qE "^(static void $name\(|@test \"$name\")" <<<"$all" "$BATS_TEST_FILENAME" ||
            grep -qF "@test \"$name\"" "$BATS_TEST_FILENAME" || grep -q "^static void $name(" <<<"$all" ||
            { echo "there is no test '$name'" >&2; exit 1; }
    done
}

@test "a stopped writer is named" {
    run_bosk run "$PLAN"
    expect_status 0
    # Holds the lock in front of the store, as a stopped writer would.
    ( exec 9>>"$STORE/writer.lock" && flock 9 && printf '%-10d\n' "$BASHPID" >"$STORE/writer.lock" &&
        touch "$SCRATCH/holds" && kill -STOP "$BASHPID" ) 3>&- &
    local holder=$!
    wait_until "[ -e '$SCRATCH/holds' ]" 30
    wait_until "grep -q '^State:.T' /proc/$holder/status" 30
    run_bosk stop "$(last_sid)" # readers go on
    expect_status 2
    run_bosk retry "$(last_sid)/one"
    run_bosk run "$PLAN" --fresh
    kill -KILL "$holder"
    expect_status 5
    grep -q "held by writer pid $holder (stopped)" "$ERR"
}

@test "doctor names the version of LMDB" {
    run_bosk doctor
    grep -qE 'LMDB 0\.9\.[0-9]+' "$OUT"
}

# What may become of the file, and what is said of it.
damage() {
    case $1 in
    empty) : >"$STORE/data.mdb" ;;
    gone) rm "$STORE/data.mdb" ;;
    'no folder') rm -r "$STORE" ;;
    cut) truncate -s 20480 "$STORE/data.mdb" ;;
    'cut in a page') truncate -s 5000 "$STORE/data.mdb" ;;
    text) echo 'not a database' >"$STORE/data.mdb" ;;
    zeros) head -c 65536 /dev/zero >"$STORE/data.mdb" ;;
    header) printf '\377\377\377\377' | dd of="$STORE/data.mdb" bs=1 seek=16 conv=notrunc status=none ;;
    folder) rm "$STORE/data.mdb" && mkdir "$STORE/data.mdb" ;;
    esac
}

@test "a store that is damaged, foreign, cut, empty or gone is said, and repaired" {
    unchecked 'what is set aside has the mode that it had' E6
    local how said tree sid
    run_bosk run "$PLAN"
    expect_status 0
    sid=$(last_sid) tree=$(git rev-parse "refs/bosk/int/$(last_sid)^{tree}")
    cp -a "$REPO" "$SCRATCH/template"
    while IFS='|' read -r how said; do
        how=$(echo $how) said=$(echo $said)
        cd "$SCRATCH" && rm -rf "$REPO" && cp -a template "$REPO" && cd "$REPO"
        damage "$how"
        cp -a .git/bosk "$SCRATCH/before"
        for command in status "resume $sid" "run $PLAN" "land --merge"; do
            run_bosk $command
            expect_status 4
            grep -qF "$STORE/data.mdb" "$ERR" && grep -qE "$said" "$ERR" && grep -q 'bosk verify --repair' "$ERR" || {
                echo "$how, $command: $err"
                return 1
            }
        done
        run_bosk verify # a lost store is a finding
        [ "$status" = 1 ] || expect_status 4
        diff -r "$SCRATCH/before" .git/bosk -x lock.mdb -x writer.lock -x "*.wake" # nothing was written over
        rm -r "$SCRATCH/before"
        run_bosk verify --repair
        expect_status 0
        [ "$(status_json '.sessions[0] | .state, (.tasks[].state)')" = $'done\nintegrated\nintegrated' ]
        [ "$(git rev-parse "refs/bosk/int/$sid^{tree}")" = "$tree" ]
        run_bosk run "$PLAN" --fresh
        expect_status 0
    done <<'TABLE'
        empty         | is empty, but there is refs/bosk/int
        gone          | is gone, but there is refs/bosk/int
        no folder     | is gone, but there is refs/bosk/int
        cut           | was cut off|ends at byte|has only
        cut in a page | ends at byte|has only
        text          | ends at byte
        zeros         | no LMDB header
        header        | no LMDB header
        folder        | not a regular file
TABLE
}

@test "a store that was lost is missed for whatever a session left" {
    local left what
    for left in int plan lock nothing; do
        run_bosk run "$PLAN" --fresh
        expect_status 0
        for what in $(git for-each-ref --format='%(refname)' refs/bosk); do
            [[ $what == refs/bosk/$left/* ]] || git update-ref -d "$what"
        done
        [ "$left" = lock ] || rm .git/bosk/sessions/*
        : >"$STORE/data.mdb"
        for command in status resume "run $PLAN"; do
            [ "$left" != nothing ] || continue
            run_bosk $command
            expect_status 4
            expect_text "$STORE/data.mdb is empty, but there is .*(/$left/|\.$left).*bosk verify --repair"
            [ ! -s "$STORE/data.mdb" ]
        done
        [ "$left" != nothing ] || continue
        run_bosk verify --repair
        [ "$left" = int ] || expect_status 0 # without its plan it cannot be made again, and that is said
    done
    run_bosk run "$PLAN" # nothing was left: a new repository
    expect_status 0
}

@test "the store of a newer bosk is left alone" {
    unchecked 'its store is not for this one to read' D3 D4
    run_bosk run "$PLAN"
    expect_status 0
    "$BOSK_TEST_STORE_EDIT" "$STORE" raw meta format 2
    cp "$STORE/data.mdb" "$SCRATCH/newer.mdb"
    for command in status "run $PLAN" resume "land --merge" verify "verify --repair" report; do
        run_bosk $command
        expect_status 4
        expect_text "$STORE/data.mdb has format 2, made by a newer bosk .*: use the newer one"
        cmp "$STORE/data.mdb" "$SCRATCH/newer.mdb"
    done
    [ -z "$(find "$STORE" -name 'broken-*')" ]
}

@test "garbage in the middle of the store never ends bosk by a signal" {
    unchecked 'the store is garbled' all
    local pages page kind seen=0 commands
    run_bosk run "$PLAN"
    expect_status 0
    pages=$(($(stat -c %s "$STORE/data.mdb") / 4096))
    cp "$STORE/data.mdb" "$SCRATCH/sound.mdb"
    for kind in all some other; do
        for ((page = 2; page < pages; page++)); do
            cp "$SCRATCH/sound.mdb" "$SCRATCH/garbled.mdb"
            garble "$kind" "$page" "$pages"
            # The last one reads all: 0 only when no row uses that page any more.
            for command in status "run $PLAN --fresh" verify; do
                cp "$SCRATCH/garbled.mdb" "$STORE/data.mdb"
                [ "$kind" = all ] || [ "$command" != "run $PLAN --fresh" ] || continue
                run_bosk $command
                echo "$kind, page $page, $command: $status: $err"
                [ "$status" -le 5 ]
                ! grep -q Sanitizer "$ERR"
                [ "$status" != 4 ] || grep -q 'bosk verify --repair' "$ERR"
            done
            [ "$status" = 0 ] || seen=$((seen + 1))
        done
    done
    echo "found $seen"
    [ "$seen" -gt 10 ]
    cp "$SCRATCH/sound.mdb" "$STORE/data.mdb"
}
# garble KIND PAGE PAGES: in $SCRATCH/garbled.mdb, the same each time: `all` bytes behind the page's own number,
# `some` of it, or what an `other` page holds.
garble() {
    local at=$(($2 * 4096)) i
    case $1 in
    all)
        awk -v s="$2" 'BEGIN{srand(s); for (i = 0; i < 4080; i++) printf "%c", 1 + int(rand() * 120)}' |
            dd of="$SCRATCH/garbled.mdb" bs=1 seek=$((at + 16)) conv=notrunc status=none
        ;;
    some)
        for ((i = 0; i < 8; i++)); do
            printf '\377' | dd of="$SCRATCH/garbled.mdb" bs=1 seek=$((at + (i * 37 + $2 * 101) % 400)) conv=notrunc status=none
        done
        ;;
    other)
        dd if="$SCRATCH/sound.mdb" of="$SCRATCH/garbled.mdb" bs=4096 count=1 skip=$((2 + ($2 * 7 + 3) % ($3 - 2))) \
            seek="$2" conv=notrunc status=none
        ;;
    esac
}

@test "the lock file of a running session was removed" {
    waiting_session
    # The lock that says who owns the session.
    mv ".git/bosk/sessions" "$SCRATCH/sessions"
    aside resume "$sid"
    [ "$status" = 5 ]
    grep -q "session $sid is running in process $bosk_pid" <<<"$err"
    [ "$(status_json '.sessions[0].state')" = running ]
    rm -rf .git/bosk/sessions && mv "$SCRATCH/sessions" .git/bosk/sessions
    # That of the store: the session stops instead of writing beside somebody else.
    rm "$STORE/lock.mdb"
    aside status
    echo >"$SCRATCH/go"
    wait_bosk
    expect_status 4
    grep -q 'lock.mdb was removed while in use' "$ERR"
    (echo >"$SCRATCH/go") 3>&- &
    run_bosk resume "$sid"
    expect_status 0
    run_bosk verify
    expect_status 0
}

@test "a session that runs without its lock file is not run twice" {
    waiting_session
    rm -r .git/bosk/sessions
    aside run "$SCRATCH/wait.yaml"
    [ "$status" = 2 ]
    grep -q "session $sid works on this plan now" <<<"$err"
    aside stop # it lives, but cannot be woken
    [ "$status" = 2 ]
    grep -q "sessions/$sid.wake was removed" <<<"$err"
    kill -STOP "$bosk_pid" # frozen is not dead
    aside resume "$sid"
    kill -CONT "$bosk_pid"
    [ "$status" = 5 ]
    equal sessions "$(status_json '.sessions | length')" 1
    echo >"$SCRATCH/go"
    wait_bosk
    expect_status 0
}

@test "a dead session whose pid somebody else has now is resumed" {
    waiting_session
    kill -KILL "$bosk_pid"
    wait "$bosk_pid" || true
    wait_until '[ -z "$(processes_of_test)" ]'
    "$BOSK_TEST_STORE_EDIT" "$STORE" set manifest "$sid" pid "$$"
    equal state "$(status_json '.sessions[0].state')" interrupted
    (echo >"$SCRATCH/go") 3>&- &
    run_bosk resume
    expect_status 0
}

@test "a small disk that is full" {
    unchecked 'the disk with the store is taken away at the end' D3 D4 E6
    [ "$(id -u)" = 0 ] || skip 'only root can mount a small disk'
    mkdir .git/bosk
    mount -t tmpfs -o size=1500k none .git/bosk
    run_bosk run "$PLAN"
    expect_status 0
    sid=$(last_sid)
    head -c 2000000 /dev/zero >.git/bosk/filler || true
    run_bosk status
    expect_status 0
    run_bosk run "$PLAN" --fresh
    expect_status 4
    grep -qE 'No space left on device|free' "$ERR"
    rm .git/bosk/filler
    run_bosk verify
    expect_status 0
    run_bosk run "$PLAN" --fresh
    expect_status 0
}

@test "a disk that fails once does not lose the session" {
    status=0
    ASAN_OPTIONS=detect_leaks=0 timeout 120 strace -f -qq -o "$SCRATCH/trace" -e trace=fdatasync \
        -e inject=fdatasync:error=EIO:when=3 "$BOSK_BIN" run "$PLAN" >"$OUT" 2>"$ERR" </dev/null 3>&- || status=$?
    out=$(cat "$OUT") err=$(cat "$ERR")
    grep -q 'EIO.*INJECTED' "$SCRATCH/trace"
    [ "$status" = 0 ] || { expect_status 4 && run_bosk resume && expect_status 0; }
    run_bosk verify
    expect_status 0
    [ "$(status_json '.sessions[0].tasks[].state')" = $'integrated\nintegrated' ]
}

@test "a store that may only be read" {
    unchecked 'it is given to another user to read' E6
    [ "$(id -u)" = 0 ] || skip 'only root can become somebody else'
    run_bosk run "$PLAN"
    expect_status 0
    chmod 755 "$SCRATCH" .git/bosk "$STORE" && chmod 644 "$STORE"/* && chmod -R a+rX .git
    status=0
    GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0='*' setpriv --reuid=65534 --regid=65534 \
        --clear-groups timeout 60 "$BOSK_BIN" status >"$OUT" 2>"$ERR" </dev/null 3>&- || status=$?
    cat "$OUT" "$ERR"
    [ "$status" = 4 ]
    grep -qE 'Permission denied|belongs to' "$ERR"
}

@test "one commit for each turn of the loop" {
    ASAN_OPTIONS=detect_leaks=0 timeout 120 strace -f -qq -o "$SCRATCH/trace" -e trace=fdatasync,execve \
        "$BOSK_BIN" run "$PLAN" --sequential >"$OUT" 2>"$ERR" </dev/null 3>&-
    run_bosk verify
    expect_status 0
    local events commits
    events=$(grep -oE '[0-9]+ events' "$OUT" | cut -d' ' -f1)
    commits=$(grep -c 'fdatasync(' "$SCRATCH/trace")
    printf 'commits %s, events %s\n' "$commits" "$events"
    [ "$commits" -gt 0 ]
    [ "$commits" -le $((events + 8)) ]
}
