#!/usr/bin/env bats
# The gate `builtin: secrets`: what a task adds, what is allowed, what an agent and a person are told of it.
# shellcheck disable=SC2154,SC2016 # variables set by run_bosk

load ../lib/flow

setup() {
    flow_setup
    make_repo a.txt
    PLAN=$SCRATCH/p.yaml
    # Made anew each time: no token stands in this repository.
    TOKEN=ghp_$(head -c 400 /dev/urandom | tr -dc 'A-Za-z0-9' | head -c 36)
    PASSWORD=Wn7$(head -c 200 /dev/urandom | tr -dc 'a-km-z2-9' | head -c 10)q4
    # Plans with secrets are refused.
    echo "$TOKEN" >"$SCRATCH/token"
    echo "$PASSWORD" >"$SCRATCH/password"
}
teardown() { flow_teardown; }

gate_config() {
    commit_config <<'YAML'
fix_attempts: 1
gates:
  - {name: security, builtin: secrets}
YAML
}

# task ID COMMAND [MORE]: a plan of one task more.
task() {
    [ -e "$PLAN" ] || echo 'tasks:' >"$PLAN"
    printf '  - id: %s\n    run: |\n      %s\n' "$1" "$2" >>"$PLAN"
    [ $# -lt 3 ] || printf '    %s\n' "$3" >>"$PLAN"
}

# Nothing of what bosk keeps or says has it.
nowhere() {
    refute grep -rqF "$1" "$REPO/.git/bosk" "$OUT" "$ERR"
}

@test "an agent is told file, line and rule, never the secret, and mends it" {
    local sid
    # What was there before is no finding: the diff counts.
    printf 'old = "%s"\n' "$TOKEN" >old.py
    git add -A
    git commit -qm 'An old one'
    gate_config
    printf 'tasks:\n  - {id: one, prompt: Write a client to client.py.}\n' >"$PLAN"
    write_agent <<SH
#!/bin/sh
cp "\$BOSK_PROMPT_FILE" "$SCRATCH/prompt.\$BOSK_ATTEMPT"
if [ "\$BOSK_ATTEMPT" = 1 ]; then
    printf 'import db\n\nPASSWORD = "%s"\n' "\$(cat "$SCRATCH/password")" > client.py
    echo 'new = 1' >> old.py
else
    printf 'import db\n\nPASSWORD = os.environ["PASSWORD"]\n' > client.py
fi
SH
    run_bosk run "$PLAN" --executor "$AGENT"
    expect_status 0
    sid=$(last_sid)
    equal "attempts" "$(task_field "$sid" one attempts)" 2
    equal "verdict" "$(task_field "$sid" one gates.security)" pass
    grep -q '^client.py:3: password: ' "$SCRATCH/prompt.2"
    refute grep -q 'old.py' "$SCRATCH/prompt.2"
    refute grep -qF "$PASSWORD" "$SCRATCH/prompt.2"
    assert_once "$REPO" "$sid" main one
    run_bosk logs one --gate security
    expect_text '0 findings' "$OUT"
    nowhere "$PASSWORD"
}

@test "what stays is blocked with its findings; a task cannot allow itself" {
    local sid log
    gate_config
    task files "mkdir conf; echo A=1 > conf/.env; echo A= > conf/.env.example; cp '$SCRATCH/token' conf/a.yaml; echo 'conf/' > .bosk-secrets-allow"
    task open 'echo x > x.txt; chmod 666 x.txt; printf "#!/bin/sh\nchmod 777 /srv\n" > run'
    task fine 'echo "password = os.environ[\"PW1\"]" > fine.py'
    run_bosk run "$PLAN"
    expect_status 1
    sid=$(last_sid)
    equal "files" "$(task_field "$sid" files state)" blocked
    equal "verdict" "$(task_field "$sid" files gates.security)" fail
    equal "fine" "$(task_field "$sid" fine state)" integrated
    equal "open" "$(task_field "$sid" open state)" blocked
    task_field "$sid" files reason | grep -q '3 findings'
    run_bosk logs files --gate security
    expect_text '^conf/\.env: file-name: ' "$OUT"
    expect_text '^conf/a\.yaml:1: github-token: ' "$OUT"
    expect_text '^\.bosk-secrets-allow: allow-file: ' "$OUT"
    refute grep -q 'env\.example' "$OUT"
    run_bosk logs open --gate security
    expect_text '^run:2: world-writable: ' "$OUT"
    expect_text '^x\.txt: world-writable: ' "$OUT"
    # A gate of another session can be told by the finding's number.
    log=$(grep -o 'finding:[0-9a-f]*' "$OUT" | head -n 1)
    [ "${#log}" = 16 ]
    run_bosk report
    refute grep -qF "$TOKEN" "$OUT"
}

@test "what the repository's people allow, and what a comment allows, which is said" {
    local sid
    gate_config
    printf 'docs/  # examples\nfixtures/*.yaml github-token\n' >.bosk-secrets-allow
    git add -A
    git commit -qm 'Allow some'
    task file "mkdir docs fixtures; cp '$SCRATCH/token' docs/a.md; cp '$SCRATCH/token' fixtures/a.yaml"
    task rule "mkdir -p fixtures; echo \"password: \$(cat '$SCRATCH/password')\" > fixtures/b.yaml"
    task comment "printf '# bosk:allow-secret password\npassword = \"%s\"\n' \"\$(cat '$SCRATCH/password')\" > a.py"
    run_bosk run "$PLAN"
    expect_status 1
    sid=$(last_sid)
    equal "file" "$(task_field "$sid" file state)" integrated
    equal "rule" "$(task_field "$sid" rule state)" blocked
    equal "comment" "$(task_field "$sid" comment state)" integrated
    run_bosk report
    expect_text 'the rule password finds in it is allowed by a comment: a\.py:2' "$OUT"
}

@test "a secret that came without the gate makes the final tip red, with what the whole session added" {
    local sid
    gate_config
    task quiet "cp '$SCRATCH/token' a.md" 'gates: []'
    task last 'echo x > x.txt'
    run_bosk run "$PLAN"
    expect_status 1
    sid=$(last_sid)
    equal "final" "$(status_json '.sessions[0].final_gates')" fail
    nowhere "$TOKEN"
}

@test "what no editor shows: UTF-16, the target of a link, the name of a file; a comment does not allow a token" {
    local sid id
    gate_config
    printf 'halt_after_failures: 0\n' >>bosk.yaml
    git commit -qam 'No halt'
    task utf16 "{ printf '\\377\\376'; printf 'token = %s' \"\$(cat '$SCRATCH/token')\" | sed 's/./&\\x00/g'; } > a.ps1"
    task link "ln -sf \"/x/\$(cat '$SCRATCH/token')\" b"
    task name "echo x > \"\$(cat '$SCRATCH/token').txt\""
    task comment "printf '# bosk:allow-secret github-token\\nx = \"%s\"\\n' \"\$(cat '$SCRATCH/token')\" > a.py"
    task allow-link "ln -sf '*' .bosk-secrets-allow; echo x > y.txt"
    task undone "cp '$SCRATCH/token' t && git add t && git commit -qm t && git rm -q t && git commit -qm u && echo x > z.txt"
    task large "head -c 9000000 /dev/zero > large.bin"
    run_bosk run "$PLAN"
    expect_status 1
    sid=$(last_sid)
    for id in utf16 link name comment allow-link; do
        equal "$id" "$(task_field "$sid" $id state)" blocked
        equal "$id" "$(task_field "$sid" $id gates.security)" fail
    done
    run_bosk logs name --gate security
    expect_text '^\[\.\.\.\]\.txt: github-token: ' "$OUT"
    refute grep -qF "$TOKEN" "$OUT"
    # What an agent took back itself is in no history that leaves the machine.
    equal "undone" "$(task_field "$sid" undone state)" integrated
    refute grep -qF "$TOKEN" <(git log -p "integration-$sid" "bosk/$sid/undone" 2>/dev/null)
    run_bosk report
    expect_text 'large: secrets are not sought in large\.bin: larger than 8 MiB' "$OUT"
}

@test "names that agents make up are told without the tokens in them" {
    local sid
    unchecked 'an agent makes a tag and a branch' B1
    commit_config <<'YAML'
halt_after_failures: 0
gates:
  - {name: red, run: 'test ! -e x.txt || { ls; exit 1; }'}
YAML
    task tag "git tag \"t-\$(cat '$SCRATCH/token')\"; echo a > b.txt"
    task nested "mkdir n && cd n && git init -q \"\$(cat '$SCRATCH/token')\" && echo x > \"\$(cat '$SCRATCH/token')/f\""
    task file "echo x > \"\$(cat '$SCRATCH/token')\"; echo x > x.txt"
    task outside "echo x > \"$REPO/\$(cat '$SCRATCH/token')\"; echo a > c.txt"
    run_bosk run "$PLAN" --sequential -c fix_attempts=0 -c retries=0
    sid=$(last_sid)
    refute grep -qF "$TOKEN" "$OUT" "$ERR"
    run_bosk report
    expect_text 'while tag ran, refs/tags/t-\[redacted' "$OUT"
    refute grep -qF "$TOKEN" "$OUT"
    refute grep -qF "$TOKEN" <("$BOSK_BIN" report --json; "$BOSK_BIN" status --json; "$BOSK_BIN" logs)
    rm -f "$REPO/$TOKEN"
}

@test "S0.11 files that are secret by name, secrets in the diff and scripts that anybody may write to: any of them stops" {
    local sid id
    gate_config
    printf 'halt_after_failures: 0\nfix_attempts: 0\n' | cat - <(grep -v fix_attempts bosk.yaml) >b && mv b bosk.yaml
    git commit -qam 'Go on'
    for id in .env a.key a.pem a.crt a.p12; do task "n-${id#.}" "echo x > '$id'"; done
    task pattern "echo \"api_key = '\$(cat '$SCRATCH/password')xY3'\" > a.ts"
    task world "printf '#!/bin/sh\\n' > a.sh; chmod 777 a.sh"
    task fine 'echo fine > fine.txt'
    run_bosk run "$PLAN" -c retries=0
    expect_status 1
    sid=$(last_sid)
    for id in n-env n-a.key n-a.pem n-a.crt n-a.p12 pattern world; do
        equal "$id" "$(task_field "$sid" "$id" gates.security)" fail
        equal "$id" "$(task_field "$sid" "$id" state)" blocked
    done
    equal "fine" "$(task_field "$sid" fine state)" integrated
}

@test "a secret that was there and is only moved or written otherwise is no news; another one beside it is" {
    local sid
    printf 'old = "%s"\n' "$TOKEN" >old.py
    printf 'older = "%s"\n' "$TOKEN" >older.py
    git add -A
    git commit -qm 'Old ones'
    gate_config
    task moved 'mkdir d; git mv old.py d/new.py'
    task indented 'sed -i "s/^/    /" older.py'
    task more "mkdir e; { cat older.py; printf 'more = \"%s\"\\n' \"\$(tr 'a-z' 'n-za-m' <'$SCRATCH/token' | sed 's/^.../ghp/')\"; } > e/x.py; git rm -q older.py"
    task copied 'cp a.txt b.txt; grep -o "ghp_[A-Za-z0-9]*" d/new.py > c.txt' 'needs: [moved]'
    run_bosk run "$PLAN" -c fix_attempts=0 -c retries=0 -c halt_after_failures=0
    expect_status 1
    sid=$(last_sid)
    equal "moved" "$(task_field "$sid" moved state)" integrated
    equal "indented" "$(task_field "$sid" indented state)" integrated
    equal "more" "$(task_field "$sid" more state)" blocked
    task_field "$sid" more reason | grep -q '(1 finding)'
    equal "copied" "$(task_field "$sid" copied state)" blocked
    run_bosk logs moved --gate security
    expect_text '0 findings in 1 changed file, 1 that was there before' "$OUT"
}
