#!/usr/bin/env bats
# bosk init: a proposal for each kind of project, written after a yes, never over an existing file.
# shellcheck disable=SC2154,SC2016,SC2030,SC2031 # variables set by run_bosk; tests are subshells

load ../lib/flow

setup() {
    flow_setup
    make_repo
}
teardown() { flow_teardown; }

# gate NAME: the command proposed for it.
gate() { grep -A1 "^  - name: $1\$" "$REPO/bosk.yaml" | sed -n "s/^    run: //p"; }

# The file that was written is a configuration, and names these gates, in this order.
expect_gates() {
    printf 'tasks:\n  - {id: one, run: "true"}\n' >"$SCRATCH/p.yaml"
    run_bosk plan "$SCRATCH/p.yaml"
    expect_status 0
    expect_text "^gates +$1\$" "$OUT"
}

@test "Node: scripts of package.json, by the package manager whose lock file is there" {
    printf '{\n\t"name": "x",\n\t"scripts": {\n\t\t"test": "jest",\n\t\t"lint": "eslint .",\n\t\t"start": "node ."\n\t}\n}\n' >package.json
    echo '{}' >package-lock.json
    run_bosk init --yes
    expect_status 0
    expect_gates 'lint, test, security'
    equal "lint" "$(gate lint)" "'npm run lint'"
    equal "test" "$(gate test)" "'CI=1 npm run test'"
    grep -q "setup: 'npm ci'" bosk.yaml
    rm bosk.yaml
    printf '{"scripts": {"test": "echo \\"Error: no test specified\\" && exit 1", "typecheck": "tsc"}}' >package.json
    mv package-lock.json pnpm-lock.yaml
    run_bosk init --yes
    expect_gates 'types, security'
    equal "types" "$(gate types)" "'pnpm run typecheck'"
}

@test "Python: pytest, ruff and mypy where they are configured" {
    printf '[project]\nname = "x"\n[tool.ruff]\n[tool.pytest.ini_options]\n' >pyproject.toml
    run_bosk init --yes
    expect_status 0
    expect_gates 'lint, test, security'
    equal "test" "$(gate test)" "'python3 -m pytest -q'"
    rm bosk.yaml
    printf '[mypy]\n' >mypy.ini
    touch uv.lock
    run_bosk init --yes
    expect_gates 'lint, types, test, security'
    equal "types" "$(gate types)" "'uv run mypy .'"
    grep -q "setup: 'uv sync --frozen'" bosk.yaml
}

@test "Rust, Go, CMake" {
    printf '[package]\nname = "x"\n' >Cargo.toml
    run_bosk init --yes
    expect_gates 'build, test, security'
    equal "test" "$(gate test)" "'cargo test --workspace'"
    rm bosk.yaml Cargo.toml
    printf 'module example.invalid/x\n' >go.mod
    run_bosk init --yes
    expect_gates 'lint, test, security'
    equal "test" "$(gate test)" "'go test ./...'"
    rm bosk.yaml go.mod
    printf 'project(x C)\nEnable_Testing()\n' >CMakeLists.txt
    run_bosk init --yes
    expect_gates 'build, test, security'
    equal "test" "$(gate test)" "'ctest --test-dir build --output-on-failure'"
}

@test "a Makefile: its targets, unless the language's own check is there" {
    printf 'CHECK := 1\ncheck := 2\nall: x\n\techo check:\nlint test:\n\ttrue\n' >Makefile
    run_bosk init --yes
    expect_gates 'lint, test, security'
    rm bosk.yaml
    printf 'check :\n\ttrue\n' >>Makefile
    run_bosk init --yes
    expect_gates 'lint, test, check, security'
    rm bosk.yaml
    printf 'test:\n\tgo test\nlint:\n\ttrue\n' >Makefile
    printf 'module x\n' >go.mod
    run_bosk init --yes
    expect_gates 'lint, test, security'
    equal "test" "$(gate test)" "'go test ./...'"
}

@test "the proposed gates really run" {
    printf 'test:\n\ttest -e README.md\n' >Makefile
    git add Makefile && git commit -qm Makefile
    run_bosk init --yes
    printf 'tasks:\n  - {id: one, run: "echo 1 > one"}\n  - {id: wrong, run: "rm README.md"}\n' >"$SCRATCH/p.yaml"
    run_bosk run "$SCRATCH/p.yaml" -c fix_attempts=0 -c retries=0
    expect_status 1
    equal "one" "$(task_field "$(last_sid)" one gates.test)" pass
    equal "wrong" "$(task_field "$(last_sid)" wrong gates.test)" fail
}

@test "nothing recognised, agents on the PATH, from a folder below" {
    mkdir -p "$SCRATCH/bin" sub/folder
    for name in claude gemini; do
        printf '#!/bin/sh\n' >"$SCRATCH/bin/$name"
        chmod +x "$SCRATCH/bin/$name"
    done
    cd sub/folder
    PATH=$SCRATCH/bin:/usr/bin:/bin run_bosk init --yes
    expect_status 0
    expect_gates 'security'
    expect_text '^# Agents found on the PATH: claude, gemini\.' "$REPO/bosk.yaml"
    equal "mode" "$(stat -c %a "$REPO/bosk.yaml")" "$(printf '%o' $((0666 & ~$(umask))))"
}

@test "a yes writes, anything else does not; an existing file stays; --print only prints" {
    "$BOSK_BIN" init --print >"$SCRATCH/shown"
    [ ! -e bosk.yaml ]
    run_bosk init # end of input
    expect_status 1
    [ ! -e bosk.yaml ]
    status=0
    echo no | "$BOSK_BIN" init >"$OUT" 2>"$ERR" || status=$?
    equal "no" "$status" 1
    [ ! -e bosk.yaml ]
    echo y | "$BOSK_BIN" init >"$OUT" 2>"$ERR"
    cmp bosk.yaml "$SCRATCH/shown"
    echo '# mine' >bosk.yaml
    run_bosk init --yes
    expect_status 2
    expect_text 'is there already'
    equal "file" "$(cat bosk.yaml)" '# mine'
    cd / && run_bosk init --yes
    expect_status 4
}
