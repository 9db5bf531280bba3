#!/usr/bin/env bats
# pr.remote may be a URL with a password: that is in no text, record or report.
# shellcheck disable=SC2154,SC2016 # variables set by run_bosk; what is expanded later

load ../lib/flow

URL=https://user:hunter22@host.invalid/x.git

setup() {
    flow_setup
    make_repo a.txt
    git init -q --bare -b main "$SCRATCH/remote.git"
    printf '{"kind": "segments", "tasks": [{"id": "one", "branch": "feat/one", "prompt": "p"}]}\n' >"$SCRATCH/p.json"
    printf 'tasks:\n  - {id: one, run: "echo one >one.txt"}\n' >"$SCRATCH/p.yaml"
    SEEN=$SCRATCH/seen
}
teardown() { flow_teardown; }

remote() { git --git-dir="$SCRATCH/remote.git" rev-parse --verify -q "refs/heads/$1"; }
# told WORDS...: a command, and all that can be asked afterwards; the password is nowhere.
told() {
    run_bosk "$@"
    local code=$status
    cat "$OUT" "$ERR" >"$SEEN"
    run_bosk report
    cat "$OUT" "$ERR" >>"$SEEN"
    run_bosk report --json
    cat "$OUT" "$ERR" >>"$SEEN"
    run_bosk status --json
    cat "$OUT" "$ERR" >>"$SEEN"
    refute grep -n hunter22 "$SEEN"
    grep -q 'host.invalid/x.git' "$SEEN"
    equal status "$code" "$WANTED"
}

@test "a pull request that fails, and one that does not" {
    git config "url.$SCRATCH/nowhere.insteadOf" "$URL"
    WANTED=1 told run "$SCRATCH/p.yaml" --land pr -c "pr.remote=$URL" -c pr.command='echo http://x.invalid/1'
    git config --remove-section "url.$SCRATCH/nowhere"
    git config "url.$SCRATCH/remote.git.insteadOf" "$URL"
    # The command is the user's: it gets the remote as it is.
    WANTED=0 told land --pr -c "pr.remote=$URL" -c pr.command='[ "$BOSK_PR_REMOTE" = '"$URL"' ] && echo http://x.invalid/1'
    remote "integration-$(last_sid)"
}

@test "push: on that fails, and one that does not" {
    git config "url.$SCRATCH/nowhere.insteadOf" "$URL"
    WANTED=1 told run "$SCRATCH/p.json" --executor 'echo x >x' -c push=on -c "pr.remote=$URL"
    git config --remove-section "url.$SCRATCH/nowhere"
    git config "url.$SCRATCH/remote.git.insteadOf" "$URL"
    run_bosk run "$SCRATCH/p.json" --fresh --executor 'echo x >x' -c push=on -c "pr.remote=$URL"
    expect_status 0
    remote feat/one
    refute grep -rn hunter22 "$OUT" "$ERR"
}
