#!/usr/bin/env bats
# `notify`: told of what needs somebody and of the end; in nobody's way.
# shellcheck disable=SC2154,SC2016,SC2030,SC2031 # variables set by run_bosk; tests are subshells

load ../lib/flow

setup() {
    flow_setup
    make_repo
    PLAN=$SCRATCH/p.yaml TOLD=$SCRATCH/told
    cat >"$PLAN" <<'YAML'
tasks:
  - {id: good, run: 'echo 1 > one.txt'}
  - {id: wrong, title: It fails, run: 'exit 1'}
  - {id: empty, run: 'true'}
YAML
}
teardown() { flow_teardown; }

@test "each task that needs somebody and the end come as JSON on standard input, one at a time" {
    run_bosk run "$PLAN" -c retries=0 -c "notify=cat >> '$TOLD'; env | grep -c '^GIT_' >> '$SCRATCH/env' || true"
    expect_status 1
    sid=$(last_sid)
    equal "events" "$(jq -r '.kind + " " + (.task // .state)' "$TOLD" | sort | tr '\n' ' ')" \
        "end failed needs-you empty needs-you wrong "
    equal "session" "$(jq -r .session "$TOLD" | sort -u)" "$sid"
    equal "wrong" "$(jq -c 'select(.task == "wrong") | [.schema, .title, .state, .repository]' "$TOLD")" \
        "[1,\"It fails\",\"failed\",\"$REPO\"]"
    equal "end" "$(tail -n 1 "$TOLD" | jq -c '[.kind, .state, .exit_code, .next, .landed]')" \
        "[\"end\",\"failed\",1,\"bosk report $sid\",null]"
    equal "GIT_ variables" "$(sort -u "$SCRATCH/env")" 0
    assert_no_strays "$sid"
}

@test "a command that fails is a warning and nothing else" {
    run_bosk run "$PLAN" -c retries=0 -c 'notify=echo no mail here >&2; exit 3'
    expect_status 1
    expect_text 'notify: the command failed: no mail here'
    equal "good" "$(task_field "$(last_sid)" good state)" integrated
    printf 'tasks:\n  - {id: x, run: "echo x > x.txt"}\n' >"$SCRATCH/q.yaml"
    run_bosk run "$SCRATCH/q.yaml" -c notify=/nonexistent/program
    expect_status 0
    expect_text 'notify: the command failed'
}

@test "a slow command does not hold up the tasks" {
    cat >"$PLAN" <<YAML
tasks:
  - {id: wrong, run: 'exit 1'}
  - {id: good, run: 'while ! test -e "$SCRATCH/called"; do sleep 0.05; done; echo 1 > one.txt; touch "$SCRATCH/done"'}
YAML
    # It ends only when the task that began after it has ended.
    run_bosk run "$PLAN" -c retries=0 \
        -c "notify=grep -q needs-you || exit 0; touch '$SCRATCH/called'; while ! test -e '$SCRATCH/done'; do sleep 0.05; done"
    expect_status 1
    refute grep -q notify "$ERR"
    equal "good" "$(task_field "$(last_sid)" good state)" integrated
}
