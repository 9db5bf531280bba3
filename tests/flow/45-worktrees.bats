#!/usr/bin/env bats
# Worktrees: pooled and moved forward, ignored files kept, files copied in, the setup command and its
# key; what is there at the end; and refs that somebody else moves meanwhile.
# shellcheck disable=SC2154,SC2016,SC2030,SC2031 # variables set by run_bosk; tests are subshells

load ../lib/flow

setup() {
    flow_setup
    make_repo a.txt
    PLAN=$SCRATCH/p.yaml
}
teardown() { flow_teardown; }

# task ID COMMAND [MORE]: a plan of one task more.
task() {
    [ -e "$PLAN" ] || echo 'tasks:' >"$PLAN"
    printf '  - id: %s\n    run: |\n      %s\n' "$1" "$2" >>"$PLAN"
    [ $# -lt 3 ] || printf '    %s\n' "$3" >>"$PLAN"
}

@test "one worktree serves many tasks: it moves to the tip, ignored files stay, others go" {
    printf 'build/\n' >.gitignore
    git add -A
    git commit -qm 'Ignore builds'
    task one 'mkdir build && echo cache > build/object; pwd > "'"$SCRATCH"'/where"; echo one > one.txt'
    # The build cache of the first task is there, its file came with the tip, and nothing else did.
    task two 'cat build/object one.txt > two.txt; pwd >> "'"$SCRATCH"'/where"; git status --porcelain --ignored > "'"$SCRATCH"'/status"' \
        'needs: [one]'
    task bad 'echo left > left.txt; echo changed > a.txt; exit 1' 'needs: [two]'
    task three 'test ! -e left.txt && test "$(cat a.txt)" = a.txt && ls > three.txt' 'priority: 0'
    run_bosk -c retries=0 run "$PLAN" --sequential
    expect_status 1
    sid=$(last_sid)
    equal "two" "$(git show "integration-$sid:two.txt")" $'cache\none'
    equal "three" "$(task_field "$sid" three state)" integrated
    equal "places" "$(sort -u "$SCRATCH/where" | wc -l)" 1
    equal "status in the second task" "$(cat "$SCRATCH/status")" $'?? two.txt\n!! build/'
    # The failed task's work is on its branch, what it did to tracked files too.
    equal "kept" "$(git show "$(task_field "$sid" bad kept):left.txt")" left
    equal "kept" "$(git show "$(task_field "$sid" bad kept):a.txt")" changed
    assert_no_worktrees "$REPO"
}

@test "copy and .worktreeinclude: files come in, and never into a commit" {
    printf '.env\n/secrets/\n*.log\n' >.gitignore
    printf '.env\nsecrets/key\n' >.worktreeinclude
    git add -A
    git commit -qm 'Ignore some'
    mkdir secrets 'local conf'
    echo env >.env
    echo key >secrets/key
    echo other >secrets/other
    echo log >x.log
    echo mine >'local conf/mine.txt' # not ignored: copied by name, not committed
    commit_config <<'YAML'
worktrees: {copy: ['local conf', 'not-there']}
YAML
    task one 'cat .env secrets/key "local conf/mine.txt" > seen.txt; ls -A secrets >> seen.txt; test ! -e x.log && echo changed >> "local conf/mine.txt"'
    # What is ignored may change, and the agent may fail: copies are neither committed nor saved.
    task two 'cat "local conf/mine.txt" > again.txt; : > .gitignore' 'needs: [one]'
    task bad 'echo left > left.txt; : > .gitignore; exit 1' 'needs: [two]'
    snapshot_checkout "$REPO" >"$SCRATCH/before"
    run_bosk -c retries=0 run "$PLAN" --jobs 1
    expect_status 1
    snapshot_checkout "$REPO" >"$SCRATCH/after"
    assert_same_snapshot "$SCRATCH/before" "$SCRATCH/after"
    sid=$(last_sid)
    equal "seen" "$(git show "integration-$sid:seen.txt")" $'env\nkey\nmine\nkey'
    equal "files" "$(git diff --name-only main "integration-$sid" | tr '\n' ' ')" ".gitignore again.txt seen.txt "
    equal "kept" "$(git ls-tree -r --name-only "bosk/$sid/bad" | tr '\n' ' ')" \
        ".gitignore .worktreeinclude README.md a.txt again.txt bosk.yaml left.txt seen.txt "
    assert_no_worktrees "$REPO"
}

@test "setup runs once for each worktree, and again when its inputs change" {
    echo 1 >package-lock.json
    printf 'modules/\n' >.gitignore
    git add -A
    commit_config <<YAML
worktrees: {setup: 'mkdir -p modules && cp package-lock.json modules/ && echo "\$BOSK_SLOT" >> "$SCRATCH/ran" && echo made'}
YAML
    task one 'cat modules/package-lock.json > one.txt'
    task two 'cat modules/package-lock.json > two.txt' 'needs: [one]'
    task bump 'echo 2 > package-lock.json' 'needs: [two]'
    task three 'cat modules/package-lock.json > three.txt' 'needs: [bump]'
    run_bosk run "$PLAN" --jobs 1
    expect_status 0
    sid=$(last_sid)
    equal "setups" "$(wc -l <"$SCRATCH/ran")" 2
    equal "three" "$(git show "integration-$sid:three.txt")" 2
    grep -q made "$REPO/.git/bosk/logs/$sid/base/setup.log" # before the first task
}

@test "setup that fails: its task is not started, the log is named" {
    commit_config <<'YAML'
worktrees: {setup: 'echo no such registry; exit 9'}
YAML
    task one "touch '$SCRATCH/started'; echo x > x.txt"
    run_bosk run "$PLAN"
    expect_status 4
    expect_text 'error: the base .* cannot be made ready, so nothing was started: setup failed .exit 9.: no such registry'
    equal "sessions" "$(status_json '.sessions | length')" 0
    run_bosk run "$PLAN" --no-preflight
    expect_status 1
    sid=$(last_sid)
    equal "state" "$(task_field "$sid" one state)" blocked
    [ ! -e "$SCRATCH/started" ]
    task_field "$sid" one reason | grep -q 'setup failed (exit 9).*setup.log'
    equal "attempts" "$(task_field "$sid" one attempts)" 0
}

@test "a commit that the user adds on the integration branch is taken in, and merged upon" {
    task one "touch '$SCRATCH/started'; until test -e '$SCRATCH/go'; do sleep 0.05; done; echo one > one.txt"
    start_bosk run "$PLAN"
    wait_until "[ -e '$SCRATCH/started' ]" 60
    sid=$(last_sid)
    git worktree add -q "$SCRATCH/theirs" "integration-$sid"
    echo theirs >"$SCRATCH/theirs/theirs.txt"
    git -C "$SCRATCH/theirs" add -A
    git -C "$SCRATCH/theirs" commit -qm 'By the user'
    git worktree remove "$SCRATCH/theirs"
    touch "$SCRATCH/go"
    wait_bosk
    expect_status 0
    equal "theirs" "$(git show "integration-$sid:theirs.txt")" theirs
    equal "one" "$(git show "integration-$sid:one.txt")" one
    equal "truth" "$(git rev-parse "refs/bosk/int/$sid")" "$(git rev-parse "integration-$sid")"
    "$BOSK_BIN" report | grep -q 'moved to'
}

@test "an integration branch that is checked out is not moved, the truth is in its ref" {
    task one "touch '$SCRATCH/started'; until test -e '$SCRATCH/go'; do sleep 0.05; done; echo one > one.txt"
    start_bosk run "$PLAN"
    wait_until "[ -e '$SCRATCH/started' ]" 60
    sid=$(last_sid)
    git worktree add -q "$SCRATCH/theirs" "integration-$sid"
    touch "$SCRATCH/go"
    wait_bosk
    expect_status 0
    equal "branch" "$(git rev-parse "integration-$sid")" "$(git rev-parse main)"
    equal "their tree" "$(git -C "$SCRATCH/theirs" status --porcelain)" ""
    equal "one" "$(git show "refs/bosk/int/$sid:one.txt")" one
    "$BOSK_BIN" report | grep -q "the whole is refs/bosk/int/$sid"
    # It lands all the same.
    run_bosk land --merge
    expect_status 0
    equal "landed" "$(git show main:one.txt)" one
}

@test "--keep-worktrees keeps them; a ref lock left by a kill does not stop a resume" {
    task one "touch '$SCRATCH/started'; until test -e '$SCRATCH/go'; do sleep 0.05; done; echo one > one.txt"
    start_bosk run "$PLAN" --keep-worktrees
    wait_until "[ -e '$SCRATCH/started' ]" 60
    sid=$(last_sid)
    kill -KILL "$bosk_pid"
    wait_bosk
    : >"$REPO/.git/refs/bosk/int/$sid.lock"
    : >"$REPO/.git/refs/heads/integration-$sid.lock"
    touch "$SCRATCH/go"
    run_bosk resume
    expect_status 0
    [ ! -e "$REPO/.git/refs/heads/integration-$sid.lock" ]
    equal "worktrees" "$(git worktree list | wc -l)" 2
    equal "one" "$(git show "integration-$sid:one.txt")" one
}

@test "a worktree that a kill left unlocked or half removed is removed by the resume" {
    task one "touch '$SCRATCH/started'; until test -e '$SCRATCH/go'; do sleep 0.05; done; echo one > one.txt"
    task two "until test -e '$SCRATCH/go'; do sleep 0.05; done; echo two > two.txt"
    start_bosk run "$PLAN" --jobs 2
    wait_until "[ -e '$SCRATCH/started' ] && [ \$(ls '$REPO.worktrees' | wc -l) = 2 ]" 60
    sid=$(last_sid)
    kill -KILL "$bosk_pid"
    wait_bosk
    wait_until "! pgrep -f 'until test -e $SCRATCH/go'" 20
    git worktree unlock "$REPO.worktrees/$sid-1"
    rm -rf "$REPO.worktrees/$sid-2" # its admin folder stays, locked
    touch "$SCRATCH/go"
    run_bosk resume
    expect_status 0
    assert_no_worktrees "$REPO"
    equal "files" "$(git diff --name-only main "integration-$sid" | tr '\n' ' ')" "one.txt two.txt "
}

@test "worktrees are filled at the same time; one that a kill left half filled is made again" {
    # The filter of the first file waits until it runs in both worktrees.
    write_file "$SCRATCH/filter" <<EOF
#!/bin/sh
touch "$SCRATCH/filling.\$\$"
for i in \$(seq 500); do
    [ "\$(ls "$SCRATCH" | grep -c '^filling')" -lt 2 ] || exec cat
    sleep 0.02
done
touch "$SCRATCH/alone"
exec cat
EOF
    chmod +x "$SCRATCH/filter"
    echo 'a.txt filter=slow' >.gitattributes
    git add -A
    git commit -qm 'A filter'
    git config filter.slow.smudge "$SCRATCH/filter"
    task one 'cat a.txt > one.txt'
    task two 'cat a.txt > two.txt'
    run_bosk run "$PLAN" --jobs 2
    expect_status 0
    [ ! -e "$SCRATCH/alone" ]
    equal "made" "$(git show "integration-$(last_sid):two.txt")" a.txt
    assert_no_worktrees "$REPO"

    # Killed in the middle: there is no index yet.
    write_file "$SCRATCH/filter" <<EOF
#!/bin/sh
touch "$SCRATCH/stuck"
exec sleep 60
EOF
    start_bosk run "$PLAN" --fresh --sequential
    wait_until "[ -e '$SCRATCH/stuck' ]" 60
    kill -KILL "$bosk_pid"
    wait_bosk
    sid=$(last_sid)
    [ -e ".git/worktrees/$sid-1/HEAD" ] && [ ! -e ".git/worktrees/$sid-1/index" ]
    printf '#!/bin/sh\nexec cat\n' >"$SCRATCH/filter"
    run_bosk resume "$sid"
    expect_status 0
    equal "made" "$(git show "integration-$sid:two.txt")" a.txt
    assert_no_worktrees "$REPO"
}

@test "merges go by the attributes of the branch, and by nothing that a task has planted" {
    unchecked 'a task changes the configuration and info/attributes' B1
    printf 'one\n2\n3\n4\n5\n6\n7\n8\nnine\n' >f.txt
    cp f.txt plain.txt
    cp f.txt driven.txt
    mkdir sub
    cp f.txt sub/f.txt
    printf 'f.txt -merge\ndriven.txt merge=evil\n' >.gitattributes
    printf 'f.txt !merge\n' >sub/.gitattributes
    git add -A
    git commit -qm 'Attributes'
    task plant "git config merge.evil.driver 'touch $SCRATCH/pwned; cat %B > %A'; mkdir -p .git-info; echo '* merge=evil' >> \"\$(git rev-parse --git-common-dir)/info/attributes\"; echo x > x.txt"
    for side in one:plain.txt:s/one/ONE/ nine:plain.txt:s/nine/NINE/ \
        subone:sub/f.txt:s/one/ONE/ subnine:sub/f.txt:s/nine/NINE/ \
        drone:driven.txt:s/one/ONE/ drnine:driven.txt:s/nine/NINE/ \
        fone:f.txt:s/one/ONE/ fnine:f.txt:s/nine/NINE/; do
        IFS=: read -r id file edit <<<"$side"
        task "$id" "touch '$SCRATCH/up-$id'; until [ \$(ls '$SCRATCH' | grep -c ^up-) = 8 ]; do sleep 0.05; done; sed -i '$edit' $file" 'needs: [plant]'
    done
    run_bosk run "$PLAN" --jobs 8 --on-conflict park
    expect_status 1
    sid=$(last_sid)
    [ ! -e "$SCRATCH/pwned" ]
    # Plain text merges, at the top and where a folder says so; what must not be merged is a conflict.
    for file in plain.txt sub/f.txt; do
        git show "integration-$sid:$file" | grep -q ONE
        git show "integration-$sid:$file" | grep -q NINE
    done
    equal "conflicts" "$(status_json '.sessions[0].tasks[] | select(.state == "conflict") | .conflicts[]' | sort | tr '\n' ' ')" \
        "driven.txt f.txt "
}

@test "worktrees inside the checkout do not show there" {
    task one 'ls -A "$BOSK_WORKTREE/.." > one.txt'
    snapshot_checkout "$REPO" >"$SCRATCH/before"
    run_bosk -c worktrees.dir=.trees run "$PLAN" --keep-worktrees
    expect_status 0
    [ -d "$REPO/.trees" ]
    equal "status" "$(git status --porcelain)" ""
    git worktree unlock ".trees/$(last_sid)-1"
    git worktree remove ".trees/$(last_sid)-1"
}

@test "doctor names what was left: size, owner, age, and why it is there" {
    write_file "$SCRATCH/big.yaml" <<<'tasks: [{id: big, run: "head -c 4000000 /dev/urandom >big"}]'
    run_bosk run "$SCRATCH/big.yaml" --keep-worktrees
    expect_status 0
    run_bosk doctor
    grep -qE "worktree .*/$(last_sid)-1, [3-9]\.[0-9] MiB, belongs to session $(last_sid) \(done, last event [0-9.]+ .?s ago\): it was to be kept" "$OUT" || {
        cat "$OUT"
        return 1
    }
}
