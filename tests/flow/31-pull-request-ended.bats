#!/usr/bin/env bats
# What a landing has started ends with it, or before the next one asks the remote; what there is to offer, and may be.
# shellcheck disable=SC2154,SC2016 # variables set by run_bosk; what is expanded later

load ../lib/flow

setup() {
    flow_setup
    make_repo a.txt
    make_remote
    git branch -q --set-upstream-to origin/main
    # It hangs where that was asked for, in a child that has left its group and its terminal.
    program open <<SH
if [ -e '$SCRATCH/hang' ]; then
    setsid sh -c 'trap "" TERM HUP; echo begun >"$SCRATCH/begun"; sleep 1000' &
    wait
fi
echo 1 >>'$SCRATCH/opened'
echo https://example.invalid/pull/1
SH
    program find <<SH
[ ! -s '$SCRATCH/opened' ] || echo https://example.invalid/pull/1
SH
    commit_config <<YAML
pr: {command: "$SCRATCH/open", find: "$SCRATCH/find"}
YAML
    git push -q origin main
    write_file "$SCRATCH/p.yaml" <<'YAML'
tasks:
  - {id: one, run: 'echo one > one.txt'}
  - {id: two, run: 'echo two > two.txt'}
YAML
    : >"$SCRATCH/opened"
}
teardown() { flow_teardown; }

# program NAME: standard input is a shell script of this name.
program() {
    { echo '#!/bin/sh' && cat; } | write_file "$SCRATCH/$1"
    chmod +x "$SCRATCH/$1"
}
there() { git -C "$REMOTE" for-each-ref --format='%(refname:short)' "$@" | xargs; }
opened() { equal opened "$(wc -l <"$SCRATCH/opened")" "$1"; }
state() { status_json '.sessions[-1].state'; }
batch() {
    run_bosk run "$SCRATCH/p.yaml" --fresh "$@"
    sid=$(last_sid)
}
# hangs WORDS...: bosk in the background, until what it runs hangs; hung [N]: it does no more, and N are open.
hangs() {
    : >"$SCRATCH/hang"
    start_bosk "$@"
    wait_until '[ -s "$SCRATCH/begun" ]'
    rm "$SCRATCH/hang" "$SCRATCH/begun"
}
hung() {
    wait_until '[ -z "$(processes_of_test)" ]'
    opened "$1"
}

@test "killed while the command runs: that is ended before it is asked whether there is one" {
    local again
    batch
    for again in 'land --pr' resume; do
        : >"$SCRATCH/opened"
        [ -d "$SCRATCH/kept" ] || cp -a "$REPO" "$SCRATCH/kept"
        rm -rf "$REPO"
        cp -a "$SCRATCH/kept" "$REPO"
        cd "$REPO"
        hangs land "$sid" --pr
        kill -KILL "$bosk_pid"
        wait_bosk
        equal state "$(state)" interrupted
        # shellcheck disable=SC2086 # words
        run_bosk $again "$sid"
        expect_status 0
        hung 1
        equal state "$(state)" 'done'
    done
    # The same at the end of a run.
    hangs run "$SCRATCH/p.yaml" --fresh --land pr
    kill -KILL "$bosk_pid"
    wait_bosk
    : >"$SCRATCH/opened"
    run_bosk resume "$(last_sid)"
    expect_status 0
    hung 1
}

@test "Ctrl-C or TERM while the command runs: it is ended first, told, and asked the next time" {
    local signal
    batch
    for signal in INT TERM; do
        hangs land "$sid" --pr
        kill -$signal "$bosk_pid"
        wait_bosk
        expect_status 1
        hung 0
        expect_text 'is pushed to origin, but it was asked to stop while the command ran'
        expect_text "^  then: bosk land $sid --pr\$"
        equal state "$(state)" 'done'
    done
    run_bosk land "$sid" --pr
    expect_status 0
    hung 1
    # While it is asked, too.
    sed -i "1a [ ! -e '$SCRATCH/hang' ] || { echo asked >'$SCRATCH/begun'; exec sleep 1000; }" "$SCRATCH/find"
    batch
    : >"$SCRATCH/opened"
    run_bosk land "$sid" --pr -c 'pr.command=false'
    expect_status 1
    hangs land "$sid" --pr
    kill -INT "$bosk_pid"
    wait_bosk
    expect_status 1
    expect_text 'it was asked to stop while it looked whether there is one'
    hung 0
}

@test "what the command or a push leaves behind when it has ended by itself stays" {
    local pid
    batch
    write_file "$REMOTE/hooks/post-receive" <<SH
#!/bin/sh
setsid sleep 1000 >/dev/null 2>&1 &
echo \$! >>'$SCRATCH/left'
SH
    chmod +x "$REMOTE/hooks/post-receive"
    run_bosk land "$sid" --pr -c "pr.command=setsid sleep 1000 >/dev/null 2>&1 & echo \$! >>$SCRATCH/left"
    expect_status 0
    run_bosk land "$sid" --pr
    run_bosk gc --kill
    equal left "$(wc -l <"$SCRATCH/left")" 2
    while read -r pid; do
        alive "$pid"
        kill "$pid"
    done <"$SCRATCH/left"
}

@test "killed, or asked to stop, while git pushes: that is ended, and pushed once" {
    batch
    write_file "$REMOTE/hooks/pre-receive" <<SH
#!/bin/sh
[ ! -e '$SCRATCH/hang' ] || { trap "" TERM; echo begun >'$SCRATCH/begun'; sleep 1000; }
SH
    chmod +x "$REMOTE/hooks/pre-receive"
    hangs land "$sid" --pr
    kill -INT "$bosk_pid"
    wait_bosk
    expect_status 1
    expect_text 'could not be pushed to origin: it was asked to stop'
    hung 0
    hangs land "$sid" --pr
    kill -KILL "$bosk_pid"
    wait_bosk
    run_bosk land "$sid" --pr
    expect_status 0
    hung 1
    equal there "$(there)" "integration-$sid main"
}

@test "land --pr --task: the gates run on what is offered; red is not offered unless told" {
    write_file "$SCRATCH/p.yaml" <<'YAML'
tasks:
  - {id: one, run: 'echo one > one.txt', gates: []}
  - {id: two, needs: [one], run: 'echo two > two.txt', gates: []}
  - {id: three, run: 'echo three > three.txt', gates: []}
YAML
    commit_config <<YAML
pr: {command: "$SCRATCH/open", find: "$SCRATCH/find"}
verify: task
gates: [{name: both, run: 'echo ran >>$SCRATCH/ran; test -e three.txt'}]
YAML
    git push -q origin main
    batch --sequential --no-preflight
    : >"$SCRATCH/ran"
    run_bosk land "$sid" --pr --task one
    expect_status 1
    expect_text 'on these tasks the gates are not green'
    equal ran "$(wc -l <"$SCRATCH/ran")" 1
    equal there "$(there)" main
    opened 0
    run_bosk land "$sid" --pr --task one --force-red
    expect_status 0
    equal ran "$(wc -l <"$SCRATCH/ran")" 1
    opened 1
    equal there "$(there)" "bosk/$sid/one main"
    # It is there: nothing is offered that a gate could say no to.
    run_bosk land "$sid" --pr --task one
    expect_status 0
    expect_text 'was opened before' "$OUT"
    # Green, and not what the session came to.
    : >"$SCRATCH/opened"
    run_bosk land "$sid" --pr --task three
    expect_status 0
    equal ran "$(wc -l <"$SCRATCH/ran")" 2
    opened 1
}

@test "what has landed, or is on the target, is not offered: told, and nothing is pushed" {
    batch --land merge
    expect_status 0
    run_bosk land "$sid" --pr
    expect_status 0
    expect_text "nothing to offer: session $sid has landed on main as $(git rev-parse --short=12 main)" "$OUT"
    run_bosk status
    equal state "$(state)" 'done'
    # Merged by hand, here; then there.
    git reset -q --hard origin/main
    batch
    git merge -q --no-ff -m Merged "integration-$sid"
    run_bosk land "$sid" --pr
    expect_status 0
    expect_text 'nothing to offer: main has [0-9a-f]* already' "$OUT"
    git push -q origin main
    git reset -q --hard HEAD^
    git update-ref refs/remotes/origin/main HEAD
    run_bosk land "$sid" --pr --fetch
    expect_status 0
    expect_text 'nothing to offer: refs/remotes/origin/main has' "$OUT"
    run_bosk land "$sid" --pr --task one --fetch
    expect_status 0
    expect_text 'nothing to offer: refs/remotes/origin/main has' "$OUT"
    equal there "$(there)" main
    opened 0
}
