# Secrets (promise E7), hostile text on terminals (E7), modes and descriptors (E6).

load ../lib/flow

setup() {
    flow_setup
    make_repo
    # Made up here, so that no scanner of this repository stumbles over it.
    SECRET="hunter2-$RANDOM-correct-horse-$RANDOM"
    GHP=gh''p_abcdefghijklmnopqrstuvwxyz0123456789
    planted_secret "$SECRET" "$GHP"
}
teardown() { flow_teardown; }

# refute_kept TEXT...: in no file of bosk's own, no commit message, no ref, and nothing bosk shows.
refute_kept() {
    local text file
    {
        for file in $(git -C "$REPO" rev-list --all --remotes --glob='refs/bosk/*'); do
            git -C "$REPO" cat-file commit "$file"
        done
        git -C "$REPO" for-each-ref
        find "$REPO/.git/logs" -type f -exec cat {} +
        "$BOSK_BIN" status 2>&1
        "$BOSK_BIN" status --json 2>&1
        "$BOSK_BIN" report 2>&1
        "$BOSK_BIN" report --json 2>&1
        "$BOSK_BIN" logs 2>&1
        "$BOSK_BIN" doctor 2>&1 || true
        cat "$OUT" "$ERR"
    } >"$SCRATCH/shown"
    for text in "$@"; do
        if grep -raF -e "$text" "$REPO/.git/bosk" "$SCRATCH/shown" >&2; then
            printf 'a secret was kept or shown\n' >&2
            return 1
        fi
    done
}

@test "what an agent and a gate print, in one piece or several, reaches nothing that is kept" {
    commit_config <<'YAML'
gates:
  - name: leak
    run: 'echo "the gate says $MY_TOKEN"; test -e fixed'
fix_attempts: 1
YAML
    write_agent <<'SH'
#!/bin/sh
n=$BOSK_ATTEMPT
printf '%s' "$MY_TOKEN" | sha256sum >"$SCRATCH/agent-had-$n"
cp "$BOSK_PROMPT_FILE" "$SCRATCH/prompt-$n"
echo "plain $MY_TOKEN and $OTHER"
echo "error $MY_TOKEN" >&2
half=$(printf '%s' "$MY_TOKEN" | cut -c1-9)
rest=${MY_TOKEN#"$half"}
printf 'split %s' "$half"
# The reader has taken the first half before the second is there.
until [ -s "$BOSK_LOG_DIR/agent.log" ] && grep -q split "$BOSK_LOG_DIR/agent.log"; do :; done
printf '%s\n' "$rest"
echo "{\"status\": \"fine\", \"note\": \"$MY_TOKEN\"}" >"$BOSK_RESULT_FILE"
[ "$n" = 1 ] || touch fixed
echo change >work
printf '\033[31m%s\033[0m\rlast line %s' "$MY_TOKEN" "$MY_TOKEN"
SH
    write_file "$SCRATCH/plan.yaml" <<'YAML'
tasks:
  - {id: leaky, prompt: Change something.}
YAML
    export MY_TOKEN=$SECRET OTHER=$GHP SCRATCH
    run_bosk run "$SCRATCH/plan.yaml" --executor "$AGENT" --no-preflight --json
    unset MY_TOKEN OTHER
    expect_status 0
    # It did get it, and was told what the gate said.
    equal "what the agent had" "$(cat "$SCRATCH/agent-had-2")" "$(printf '%s' "$SECRET" | sha256sum)"
    expect_text 'the gate says \[redacted:MY_TOKEN\]' "$SCRATCH/prompt-2"
    run_bosk logs leaky --raw --attempt 2
    expect_text 'plain \[redacted:MY_TOKEN\] and \[redacted\]' "$OUT"
    expect_text 'split \[redacted:MY_TOKEN\]' "$OUT"
    refute_kept "$SECRET" "$GHP"
    refute grep -rF "$SECRET" "$SCRATCH/prompt-1" "$SCRATCH/prompt-2"
}

@test "why tasks failed holds no secret: exit, claim, setup, protected file, git's own words" {
    unchecked 'a task leaves a HEAD that points nowhere' A8
    commit_config <<'YAML'
worktrees: {setup: 'echo "setup knows $DB_PASSWORD"; ! test -e broken'}
protect: ['*horse*']
retries: 0
halt_after_failures: 0
YAML
    write_file "$SCRATCH/plan.yaml" <<'YAML'
tasks:
  - {id: exits, run: 'echo "no $DB_PASSWORD"; exit 3'}
  - {id: claims, run: 'echo "{\"status\": \"blocked\", \"reason\": \"$DB_PASSWORD\"}" > "$BOSK_RESULT_FILE"'}
  - {id: names, run: 'echo x > "$DB_PASSWORD"'}
  - {id: points, run: 'echo "ref: refs/heads/$DB_PASSWORD" > "$(git rev-parse --git-dir)/HEAD"'}
  - {id: large, run: 'echo "$DB_PASSWORD" > "$BOSK_RESULT_FILE"; head -c 2000000 /dev/zero >> "$BOSK_RESULT_FILE"; exit 1'}
YAML
    export DB_PASSWORD=$SECRET
    run_bosk run "$SCRATCH/plan.yaml" -j 2
    unset DB_PASSWORD
    expect_status 1
    sid=$(last_sid)
    expect_text 'no \[redacted:DB_PASSWORD\]' <(task_field "$sid" exits reason)
    expect_text 'the agent says: \[redacted:DB_PASSWORD\]' <(task_field "$sid" claims reason)
    expect_text 'it changes \[redacted:DB_PASSWORD\]' <(task_field "$sid" names reason)
    refute_kept "$SECRET"
}

@test "a plan or configuration that holds a secret is refused with its place, and not repeated" {
    unchecked 'the user says that the value is none' E7
    write_file plan.yaml <<YAML
tasks:
  - id: one
    title: Use $SECRET
    run: 'true'
  - id: two
    prompt: |
      The token is
      $GHP
  - id: three
    run: 'true'
    env: {OTHER_TOKEN: another-value-1}
YAML
    export MY_SECRET=$SECRET
    run_bosk run plan.yaml --executor true
    expect_status 2
    expect_text 'plan.yaml:3:12: task one: title: holds MY_SECRET, and would be stored'
    expect_text 'plan.yaml:6:.*: task two: prompt: holds a token'
    expect_text 'plan.yaml:11:.*: task three: env: holds OTHER_TOKEN'
    refute grep -F -e "$SECRET" -e "$GHP" -e another-value "$ERR"
    run_bosk plan plan.yaml --json --executor true
    expect_status 2
    refute grep -F -e "$SECRET" -e "$GHP" -e another-value "$OUT" "$ERR"

    write_file good.yaml <<<'tasks: [{id: one, prompt: "see postgres://me:example1@localhost/"}]'
    run_bosk run good.yaml --executor "agent --key $SECRET"
    expect_status 2
    expect_text '--executor: holds MY_SECRET'
    printf '# mine\ngates: [{name: x, run: "curl -H %s"}]\n' "$SECRET" >bosk.yaml
    run_bosk run good.yaml --executor true
    expect_status 2
    expect_text 'bosk.yaml:2:33: holds MY_SECRET'
    refute grep -F "$SECRET" "$ERR"
    # Said to be none, it is none.
    printf 'secrets: [-MY_SECRET]\n' >bosk.yaml
    run_bosk run good.yaml --executor "echo $SECRET > file; cp \$BOSK_PROMPT_FILE $SCRATCH/prompt"
    expect_status 0
    # What a person wrote reaches the agent as it is.
    expect_text 'postgres://me:example1@localhost/' "$SCRATCH/prompt"
}

@test "a title that becomes a secret only later is taken out of commits and the prompt" {
    unchecked 'it was written before it was a secret' E7
    commit_config <<'YAML'
secrets: [WORDPASS]
YAML
    write_file "$SCRATCH/plan.yaml" <<YAML
tasks:
  - {id: one, title: Say $SECRET twice, run: 'echo x > x; cp "\$BOSK_PROMPT_FILE" "\$BOSK_TASK_FILE" "$SCRATCH/"; test -e $SCRATCH/go || kill -9 \$PPID'}
YAML
    run_bosk run "$SCRATCH/plan.yaml" -c retries=0 -c halt_after_failures=0
    expect_status 1
    sid=$(last_sid)
    touch "$SCRATCH/go"
    rm "$SCRATCH/prompt.md" "$SCRATCH/task.json"
    export WORDPASS=$SECRET
    run_bosk run "$SCRATCH/plan.yaml" --fresh
    expect_status 2
    expect_text 'title: holds WORDPASS'
    run_bosk run --queue "$(status_json '.sessions[0].queue')"
    unset WORDPASS
    expect_status 0
    sid=$(last_sid)
    expect_text '^Say \[redacted:WORDPASS\] twice' <(git log --no-merges --format=%s "main..integration-$sid")
    expect_text 'Merge task one: Say \[redacted:WORDPASS\] twice' <(git log --merges --format=%s "main..integration-$sid")
    expect_text 'Say \[redacted:WORDPASS\] twice' "$SCRATCH/prompt.md"
    refute grep -F "$SECRET" "$SCRATCH/prompt.md" "$SCRATCH/task.json"
}

@test "folders are 0700 and files 0600 whatever the umask, and a task gets no descriptor but three" {
    commit_config <<'YAML'
gates: [{name: ok, run: 'true', exclusive: true}]
worktrees: {setup: 'true'}
YAML
    write_file "$SCRATCH/plan.yaml" <<YAML
tasks:
  - id: look
    run: |
      ls -l /proc/self/fd > $SCRATCH/fds
      find $REPO/.git/bosk \( -type d ! -perm 0700 -o ! -type d ! -perm 0600 \) -printf '%y %m %p\n' > $SCRATCH/modes
      find $REPO/.git/bosk > $SCRATCH/all
      cp $SCRATCH/fds .
  - {id: fails, run: 'echo x > y; false'}
YAML
    (umask 000 && run_bosk run "$SCRATCH/plan.yaml" -c retries=0 && exit "$status") || status=$?
    expect_status 1
    find "$REPO/.git/bosk" \( -type d ! -perm 0700 -o ! -type d ! -perm 0600 \) -printf '%y %m %p\n' >>"$SCRATCH/modes"
    find "$XDG_RUNTIME_DIR/bosk" \( -type d ! -perm 0700 -o ! -type d ! -perm 0600 \) -printf '%y %m %p\n' >>"$SCRATCH/modes"
    equal "modes" "$(cat "$SCRATCH/modes")" ""
    for wanted in store/data.mdb store/lock.mdb git.lock sessions tmp/ logs/; do
        expect_text "/bosk/$wanted" "$SCRATCH/all"
    done
    expect_text '\.wake$' "$SCRATCH/all"
    # 0-2, and the one ls itself reads the folder with.
    equal "descriptors" "$(grep -c -- '->' "$SCRATCH/fds")" 4
    expect_text ' 3 -> /proc/[0-9]*/fd' "$SCRATCH/fds"
}
