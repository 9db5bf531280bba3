#!/usr/bin/env bats
# Who checks the checker: bosk with one bug planted in it, built from a changed copy of one source file and
# the libraries of the program under test. Each bug breaks a promise, and lib/invariants must name that one;
# without the bug it has nothing to say about the very same run.
# shellcheck disable=SC2154,SC2030,SC2031 # variables set by run_bosk; tests are subshells

load ../lib/flow

# $BOSK_BIN is the program in a build folder, with -DBOSK_FAILPOINTS=ON and without sanitizers.
setup() {
    BUILD=$(dirname "$(readlink -f "$BOSK_BIN")")
    flow_setup
    make_repo a.txt list.txt
    PLAN=$SCRATCH/p.yaml
    # What a session may meet: an agent that commits, one that fails with work half done, a process that
    # stays, a secret that is printed.
    write_file "$PLAN" <<YAML
tasks:
  - {id: one, run: 'echo one > one.txt; echo "key \$THE_TOKEN"'}
  - id: mine
    run: |
      echo m > mine.txt
      git add mine.txt
      git commit -qm 'By the agent'
      git rev-parse HEAD >> '$SCRATCH/kept'
      echo more >> mine.txt
  - {id: half, run: 'echo half of it > half.txt; git hash-object half.txt >> $SCRATCH/kept; exit 3'}
  - id: stays
    needs: [one]
    run: |
      echo s > stays.txt
      setsid sh -c "touch '$SCRATCH/up'; exec sleep 300" >/dev/null 2>&1 &
      until test -e '$SCRATCH/up'; do sleep 0.02; done
YAML
    export THE_TOKEN=hunter2-correct-horse
    unchecked 'bugs are planted' all
}
teardown() { flow_teardown; }

# plant FILE SED: $BOSK_BIN is then the program with FILE changed by SED, which must change something.
plant() {
    local source=$1 command link
    command=$(jq -r --arg f "/$source" '.[] | select(.file | endswith($f)) | .command' "$BUILD/compile_commands.json")
    mkdir -p "$(dirname "$SCRATCH/source/$source")"
    sed -E "$2" "$(sed -E 's/.* -c //' <<<"$command")" >"$SCRATCH/source/$source"
    if cmp -s "$SCRATCH/source/$source" "$(sed -E 's/.* -c //' <<<"$command")"; then
        printf 'the bug is nowhere in %s: %s\n' "$source" "$2" >&2
        return 1
    fi
    (cd "$BUILD" && eval "$(sed -E "s: -o .*: -Wno-error -I$(dirname "$(sed -E 's/.* -c //' <<<"$command")") -o $SCRATCH/bug.o -c $SCRATCH/source/$source:" <<<"$command")")
    # Before the libraries: what they have of that file is then not looked for.
    link=$(ninja -C "$BUILD" -t commands bosk | grep -- ' -o bosk ' | tail -n 1)
    (cd "$BUILD" && eval "${link/ -o bosk / $SCRATCH/bug.o -o $SCRATCH/bosk }")
    BOSK_BIN=$SCRATCH/bosk
}

# What happens: the same with and without a bug.
runs() {
    snapshot_checkout "$REPO" >"$SCRATCH/before"
    run_bosk run "$PLAN" -c retries=0 --jobs 2
    expect_status 1
}
lands() {
    run_bosk run "$PLAN" -c retries=0 --jobs 2 --land merge
    snapshot_checkout "$REPO" >"$SCRATCH/before"
}
# dies POINT: there, and goes on.
dies() {
    snapshot_checkout "$REPO" >"$SCRATCH/before"
    BOSK_FAILPOINT_IN=supervisor BOSK_FAILPOINT_AT=$1 run_bosk run "$PLAN" -c retries=0 --jobs 2
    expect_status 137
    run_bosk resume
    expect_status 1
}

checked() {
    invariants_check --before "$SCRATCH/before" --kept "$SCRATCH/kept" --patience 1 "$REPO"
}
# clean: no promise is broken.
clean() {
    checked || {
        printf 'without a bug something is broken\n' >&2
        return 1
    }
    for pid in $(processes_of_test); do kill -KILL "$pid"; done
}
# caught PROMISE TEXT
caught() {
    if checked 2>"$ERR"; then
        printf 'nobody noticed\n' >&2
        return 1
    fi
    expect_text "^$1: .*$2"
    printf '# %s: %s\n' "$BATS_TEST_DESCRIPTION" "$(grep -m 1 "^$1" "$ERR" | cut -c 1-150)" >&3
}

@test "without a bug: a run, a landing, a death after the refs were moved: nothing is broken" {
    cp -a "$REPO" "$SCRATCH/template"
    local how
    for how in runs lands 'dies integrate.refs.after:1' 'dies turn.commit.after:4'; do
        cd "$SCRATCH"
        rm -rf "$REPO" "$SCRATCH/kept" "$SCRATCH/up"
        cp -a "$SCRATCH/template" "$REPO"
        cd "$REPO"
        $how
        clean
    done
}

@test "A1: an intent that is open after a crash is forgotten, and its merges done again" {
    plant supervisor/recover.c 's/rc = gitx_reaches\(s->site->git, &now, &new_tip, &done, e\);/done = false;/'
    dies integrate.refs.after:1
    caught A1 'was merged 2 times'
}

@test "A1: a revert that is open after a crash is forgotten, and done again" {
    plant supervisor/recover.c 's/rc = gitx_reaches\(s->site->git, &now, &new_tip, &done, e\);/done = false;/'
    run_bosk run "$PLAN" -c retries=0 --jobs 2
    snapshot_checkout "$REPO" >"$SCRATCH/before"
    BOSK_FAILPOINT_AT=revert.refs.after:1 run_bosk revert mine
    expect_status 137
    run_bosk revert mine
    expect_status 0
    caught A1 'of mine of .* was taken out by these commits'
}

@test "A2, D4: the ref moves before the intent is recorded" {
    plant supervisor/integrate_refs.c 's/^(\tin->phase = INTEG_INTENT;)/\tgitx_ref_move(s->site->git, ref, \&in->from, \&in->tip, "bosk: integrate", \&e);\n\tFAILPOINT("planted");\n\1/'
    BOSK_FAILPOINT_AT=planted:1 run_bosk run "$PLAN" -c retries=0 --jobs 2
    expect_status 137
    snapshot_checkout "$REPO" >"$SCRATCH/before"
    caught D4 'but the store says'
}

@test "A5: what the agent had committed is not kept" {
    plant worker/keep.c 's/int rc = gitx_ref_move\(g, \*ref, NULL, what, "bosk: keep", e\);/int rc = 0;/'
    runs
    caught A5 'which an attempt had made, is in no ref'
}

@test "A5: the worktree is removed before its work is saved" {
    plant worker/stage.c '/^int stage_save/,/^\}/s/^\t\*kept = NULL;/\t*kept = NULL;\n\treturn 0;/'
    runs
    caught A5 'which an attempt had made, is in no ref'
}

@test "A7: the target is moved behind the tree that has it checked out" {
    plant supervisor/land_merge.c 's/paths\.n \? paths\.v\[0\] : NULL/NULL/'
    lands
    caught A7 'refs/heads/main was moved behind'
}

@test "B1: what lies about in the user's checkout is added to the index" {
    echo mine >untracked
    plant supervisor/finish.c 's/^(\tFAILPOINT\("finish.branches.before"\);)/\1\n\tif (system("git add -A")) {}/'
    runs
    caught B1 'checkout was changed'
}

@test "B4: a branch is made with settings of its own" {
    plant supervisor/finish.c 's/^(\tFAILPOINT\("finish.branches.before"\);)/\1\n\tif (system("git config branch.bosk\/x.remote .")) {}/'
    runs
    caught B4 'branch.bosk/x.remote'
}

@test "C1: what a task leaves running is not ended" {
    plant worker/proc.c '/^size_t proc_end_children\(/,/^\}/s/^\{/{\n\treturn 0;/'
    runs
    caught C1 'left running: .*sleep 300'
}

@test "D4: a result names no result before it" {
    plant supervisor/turn.c '/after use: r.prev pointed there/d'
    runs
    caught D4 'result record'
}

@test "E6: files go by the umask" {
    plant worker/output.c 's/0600/0644/'
    runs
    caught E6 'not for the owner alone'
}

@test "E7: what an agent prints is written as it is" {
    plant worker/job.c 's/^\t\tsecret_stream_put\(which \? job->err_to_log : job->to_log, bytes, n\);/\t\toutput_write(job->log, bytes, n);/'
    runs
    caught E7 'a secret was kept'
}
