#!/usr/bin/env bats
# commit.gpgsign: commits that bosk makes are signed, by a signer that may hang, fail, or be another one meanwhile.
# shellcheck disable=SC2154,SC2030,SC2031,SC2016 # variables set by run_bosk; tests are subshells; scripts of others
load ../lib/flow
load ../lib/stories

setup_file() {
    flow_setup
    make_repo
    mkdir -m 700 "$SCRATCH/g"
    export GNUPGHOME=$SCRATCH/g
    gpg --batch --quiet --pinentry-mode loopback --passphrase '' --quick-gen-key 'Test User <test@example.invalid>' ed25519 sign never
    gpg --batch --quiet --pinentry-mode loopback --passphrase '' --quick-gen-key 'Other <other@example.invalid>' ed25519 sign never
    gpgconf --kill all
    ssh-keygen -q -t ed25519 -N '' -C test -f "$SCRATCH/key"
    printf 'test@example.invalid %s\n' "$(cat "$SCRATCH/key.pub")" >"$SCRATCH/allowed"
    write_file "$SCRATCH/p.yaml" <<'YAML'
tasks:
  - {id: one, run: "echo 1 >one"}
  - {id: two, needs: [one], run: "echo 2 >two"}
YAML
    KEY=$(key_of test@example.invalid)
    SHARED=$SCRATCH
    flow_template GNUPGHOME KEY SHARED
}
teardown_file() {
    gpgconf --kill all
    flow_teardown
}
setup() {
    flow_fresh
    git config commit.gpgsign true
    rm -f "$SCRATCH/asked" "$SCRATCH/ran" "$SCRATCH/mended"
}
teardown() {
    gpgconf --kill all
    if [ "$SCRATCH" = "$SHARED" ]; then flow_check; else flow_teardown; fi
}

key_of() { gpg --batch --list-keys --with-colons "$1" | awk -F: '$1 == "fpr" { print $10; exit }'; }
commits() { git rev-list "$(status_json ".sessions[] | select(.id == \"$(last_sid)\") | .base").." "${@:-main}"; }
# all_signed N [REV]: so many commits were made, and git takes each.
all_signed() {
    local commit
    equal commits "$(commits "${2:-main}" | wc -l)" "$1"
    for commit in $(commits "${2:-main}"); do git verify-commit "$commit" || return; done
}
none_signed() { refute grep -q gpgsig <(commits "$@" | git cat-file --batch); }
# signer: standard input becomes the program that git signs with.
signer() {
    write_file "$SCRATCH/bin/my signer"
    chmod +x "$SCRATCH/bin/my signer"
    git config gpg.program "$SCRATCH/bin/my signer"
}
asked() { equal "times the signer was asked" "$(wc -l <"$SCRATCH/asked")" "$1"; }

@test "tasks, merges and the landing are signed as git signs them" {
    run_bosk doctor
    expect_text 'commits are signed .*: openpgp, by gpg, with the key of their author' "$OUT"
    run_bosk run "$SCRATCH/p.yaml" --land merge
    expect_status 0
    all_signed 5
    equal "keys" "$(git log --format=%GF main~1..main | sort -u)" "$KEY"
    # Another one of the same, made by git itself.
    git -c user.name='Test User' -c user.email=test@example.invalid commit-tree -S -p main^1 -p main^2 -F <(git log -1 --format=%B main) 'main^{tree}' >"$SCRATCH/again"
    form() { git cat-file commit "$1" | sed -E '/^(author|committer) /s/[0-9]+ [+-][0-9]+$//; /^ /{/SIGNATURE/!d}'; }
    equal form "$(form main)" "$(form "$(cat "$SCRATCH/again")")"
    equal trailers "$(trailer main Bosk-Session)" "$(last_sid)"
    run_bosk report
    refute grep -q 'not signed' "$OUT"
    run_bosk verify
    expect_status 0
}

@test "ssh, with a key in a file, also of a revert; x509, with a program of its own" {
    git config gpg.format ssh
    git config user.signingKey "$SCRATCH/key"
    git config gpg.ssh.allowedSignersFile "$SCRATCH/allowed"
    run_bosk run "$SCRATCH/p.yaml" -c 'author=Bosk Bot <bot@example.invalid>'
    expect_status 0
    run_bosk revert two
    expect_status 0
    run_bosk land --merge
    expect_status 0
    all_signed 6
    equal persons "$(commits | xargs git log --no-walk --format='%an <%ae>, %cn <%ce>' | sort -u)" \
        'Bosk Bot <bot@example.invalid>, Bosk Bot <bot@example.invalid>'
    flow_fresh
    git config commit.gpgsign true
    git config gpg.format x509
    git config user.signingKey "$(key_of other@example.invalid)"
    write_file "$SCRATCH/bin/x" <<<$'#!/bin/sh\nexec gpg "$@"'
    chmod +x "$SCRATCH/bin/x"
    git config gpg.x509.program "$SCRATCH/bin/x"
    run_bosk doctor
    expect_text "commits are signed .*: x509, by $SCRATCH/bin/x, with key [0-9A-F]{40}" "$OUT"
    run_bosk run -p x --executor 'echo 1 >one'
    expect_status 0
    git config --unset gpg.format # what is signed is OpenPGP's
    all_signed 2 "integration-$(last_sid)"
}

@test "the sprint status is signed too" {
    stories_setup
    printf '# S\n## Tasks\n- [x] had 0\n- [x] had 1\n- [x] had 2\n- [ ] box 0\n' | story_file 1-1
    printf 'tick "box 0"\nresult completed "\\"tasks_completed_by_closer\\": 1"\n' >"$SCRATCH/do/1-1"
    write_file docs/sprint-status.yaml <<<$'development_status:\n  1-1: review'
    git add docs && git commit -qm 'States of stories' --no-gpg-sign
    git config commit.gpgsign true
    plan "$(story 1-1)"
    run_bosk run "$PLAN" --executor "$AGENT"
    expect_status 0
    equal "commit of the status" "$(git log -1 --format=%s "integration-$(last_sid)")" 'chore(sprint): bring the state of 1 story up to date'
    all_signed 3 "integration-$(last_sid)"
}

@test "a signer that hangs is ended, with what it started, and is asked once" {
    signer <<SH
#!/bin/sh
echo >>'$SCRATCH/asked'
setsid sleep 1000 &
sleep 1000
SH
    run_bosk run "$SCRATCH/p.yaml" --jobs 1 --land merge -c sign.timeout=1s
    expect_status 0
    asked 1
    wait_until '[ -z "$(processes_of_test)" ]'
    equal commits "$(commits | wc -l)" 5
    none_signed
    run_bosk report
    expect_text '^ *5 commits are not signed: my signer did not answer within 1' "$OUT"
    equal "told" "$(grep -c 'not signed' "$OUT")" 1
}

@test "a signer that fails is asked once more for each, and why is told" {
    signer <<SH
#!/bin/sh
echo >>'$SCRATCH/asked'
exit 2
SH
    run_bosk run "$SCRATCH/p.yaml" --jobs 1
    expect_status 0
    asked 8
    none_signed "integration-$(last_sid)"
    run_bosk report
    expect_text '^ *4 commits are not signed: my signer failed' "$OUT"
    # git passes on what ssh-keygen says of it.
    flow_fresh
    git config commit.gpgsign true
    git config gpg.format ssh
    git config user.signingKey "$SCRATCH/gone"
    run_bosk run -p 'x' --executor 'echo 1 >one'
    expect_status 0
    run_bosk report
    expect_text '^ *2 commits are not signed: ssh-keygen failed: .*gone.*No such file' "$OUT"
}

@test "refuse: what cannot be signed is not made, and is made when it can be" {
    local sid tip
    signer <<SH
#!/bin/sh
cat >'$SCRATCH/text'
[ -e '$SCRATCH/broken' ] && grep -q "\$(cat '$SCRATCH/broken')" '$SCRATCH/text' && exit 2
exec gpg "\$@" <'$SCRATCH/text'
SH
    echo '^Bosk-Task: one' >"$SCRATCH/broken"
    run_bosk run "$SCRATCH/p.yaml" --jobs 1 -c sign.fallback=refuse
    expect_status 1
    sid=$(last_sid)
    equal state "$(task_field "$sid" one state)" blocked
    equal reason "$(task_field "$sid" one reason)" 'its commit cannot be signed: my signer failed (sign.fallback is refuse)'
    equal "its work" "$(git show "bosk/$sid/one:one")" 1
    echo '^Merge task one' >"$SCRATCH/broken"
    run_bosk retry --run
    expect_status 1
    equal state "$(task_field "$sid" one state)" blocked
    equal reason "$(task_field "$sid" one reason)" 'its merge cannot be signed: my signer failed (sign.fallback is refuse)'
    echo '^Merge 2 tasks\|^Revert' >"$SCRATCH/broken"
    run_bosk retry --run
    expect_status 0
    tip=$(git rev-parse main "integration-$sid")
    run_bosk revert two
    expect_status 1
    expect_text 'not taken out: the commit of that cannot be signed: my signer failed'
    run_bosk land --merge
    expect_status 1
    expect_text 'not landed: the merge cannot be signed: my signer failed'
    equal branches "$(git rev-parse main "integration-$sid")" "$tip"
    rm "$SCRATCH/broken"
    run_bosk land --merge
    expect_status 0
    all_signed 5
}

@test "what an agent sets changes nothing: neither who signs, nor that nobody does" {
    local on
    write_file "$SCRATCH/bin/canary" <<<"#!/bin/sh
touch '$SCRATCH/ran'; exit 1"
    chmod +x "$SCRATCH/bin/canary"
    write_file "$SCRATCH/plant.yaml" <<YAML
tasks:
  - id: one
    run: |
      git config commit.gpgsign true
      for key in gpg.program gpg.openpgp.program gpg.ssh.program gpg.ssh.defaultKeyCommand; do git config \$key $SCRATCH/bin/canary; done
      git config gpg.format ssh
      git config user.signingKey $SCRATCH/key
      echo 1 >one
  - {id: two, needs: [one], run: "git config commit.gpgsign false; echo 2 >two"}
YAML
    for on in true false; do
        flow_fresh
        git config commit.gpgsign "$on"
        run_bosk run "$SCRATCH/plant.yaml" --land merge
        expect_status 0
        refute test -e "$SCRATCH/ran"
        for key in gpg.program gpg.openpgp.program gpg.ssh.program gpg.format user.signingKey; do git config --unset $key; done
        [ $on = true ] || none_signed
        [ $on = false ] || all_signed 5
        [ $on = false ] || equal "keys" "$(commits | xargs git log --no-walk --format=%GF | sort -u)" "$KEY"
    done
}

@test "all killed while a signer hangs: a resume ends it, and signs" {
    local pid
    signer <<SH
#!/bin/sh
[ -e '$SCRATCH/mended' ] && exec gpg "\$@"
echo "\$\$" >'$SCRATCH/asked'
exec sleep 1000
SH
    start_bosk run "$SCRATCH/p.yaml" --jobs 1 -c sign.timeout=1h
    wait_until '[ -s "$SCRATCH/asked" ]'
    for pid in $(processes_of_test); do
        [ "$(readlink "/proc/$pid/exe")" != "$BOSK_BIN" ] || kill -KILL "$pid"
    done
    wait_bosk
    touch "$SCRATCH/mended"
    run_bosk resume "$(last_sid)"
    expect_status 0
    # Dead; whoever got it as a child may not have reaped it yet.
    wait_until '! grep -q "^State:[[:space:]]*[^ZX]" "/proc/$(cat "$SCRATCH/asked")/status" 2>/dev/null'
    all_signed 4 "integration-$(last_sid)"
}

@test "a landing or a revert killed while a signer hangs: it is ended by what comes next" {
    local what
    signer <<SH
#!/bin/sh
[ -e '$SCRATCH/hang' ] || exec gpg "\$@"
echo "\$\$" >'$SCRATCH/asked'
exec sleep 1000
SH
    run_bosk run "$SCRATCH/p.yaml" -c sign.timeout=1h
    expect_status 0
    echo more >more && git add more && git commit -qm 'By the user'
    for what in "revert $(last_sid)/two" "land $(last_sid) --merge"; do
        rm -f "$SCRATCH/asked"
        touch "$SCRATCH/hang"
        # shellcheck disable=SC2086 # words
        start_bosk $what
        wait_until '[ -s "$SCRATCH/asked" ]'
        kill -KILL "$bosk_pid"
        wait_bosk
        rm "$SCRATCH/hang"
        # What a revert leaves is nobody's to go on with.
        # shellcheck disable=SC2086
        case $what in revert*) run_bosk gc --kill ;; *) run_bosk $what ;; esac
        expect_status 0
        wait_until '! grep -q "^State:[[:space:]]*[^ZX]" "/proc/$(cat "$SCRATCH/asked")/status" 2>/dev/null'
    done
}

@test "killed after each signed commit, and resumed" {
    local where
    for where in worker:1 supervisor:2 ${BOSK_TEST_FULL:+worker:2 supervisor:1}; do
        flow_fresh
        git config commit.gpgsign true
        rm -f "$SCRATCH/once"
        BOSK_FAILPOINT_ONCE=$SCRATCH/once BOSK_FAILPOINT_AT=sign.written:${where#*:} BOSK_FAILPOINT_IN=${where%:*} \
            run_bosk run "$SCRATCH/p.yaml" --jobs 1
        [ "${where%:*}" = worker ] || run_bosk resume "$(last_sid)" --jobs 1
        expect_status 0
        [ -e "$SCRATCH/once" ]
        assert_once "$REPO" "$(last_sid)" main one two
        all_signed 4 "integration-$(last_sid)"
    done
}

@test "not asked for: no signer runs" {
    git config commit.gpgsign false
    signer <<<"#!/bin/sh
touch '$SCRATCH/ran'"
    run_bosk doctor
    expect_text 'commits are not signed' "$OUT"
    run_bosk run "$SCRATCH/p.yaml" --land merge
    expect_status 0
    refute test -e "$SCRATCH/ran"
    none_signed
}
