#!/usr/bin/env bats
# Stories as bosk plan reads them (formats.md S3): scan, categories, dependencies, worktrees, what is refused.
load ../lib/flow

setup() {
    flow_setup
    make_repo
}
teardown() { flow_teardown; }

# story NAME OPEN TICKED [LINE...]: docs/sprint-artifacts/NAME.md with so many boxes, and lines below its title.
story() {
    local name=$1 open=$2 ticked=$3 i
    shift 3
    {
        printf '# A title\n\nStatus: review\n'
        [ $# = 0 ] || printf '%s\n' "$@"
        printf '\n## Tasks / Subtasks\n\n'
        for ((i = 0; i < open; i++)); do printf -- '- [ ] open %d\n  - [ ] step\n' "$i"; done
        for ((i = 0; i < ticked; i++)); do printf -- '- [x] done %d\n' "$i"; done
        printf '\n## Notes\n\n```\n- [ ] an example\n```\n'
    } | write_file "$REPO/docs/sprint-artifacts/$name.md"
}
commit() { git -C "$REPO" add -A && git -C "$REPO" commit -qm stories; }
plan() { run_bosk plan --json --executor agent "$@" && jq -e . "$OUT" >/dev/null; }
json() { jq -r "$1" "$OUT"; }

@test "S3.20 a folder is scanned whatever sprint-status.yaml says, and each file that is left out has its reason" {
    story 1-1-a 1 9
    story 1-2-b 0 4
    story epic-2/2-1-c 3 7
    story completions/1-1-a-summary 1 0
    story README 1 1
    write_file docs/sprint-artifacts/notes.md <<<'# Notes'
    write_file docs/sprint-artifacts/sprint-status.yaml <<<'development_status: {1-1-a: done, 2-1-c: backlog}'
    commit
    for given in docs/sprint-artifacts docs/sprint-artifacts/sprint-status.yaml docs; do
        plan "$given"
        expect_status 0
        equal "kind" "$(json .kind)" stories
        equal "stories" "$(json '[.tasks[] | "\(.id) \(.category) \(.checked)/\(.total) \(.state)"] | join(", ")')" \
            '1-1-a CLOSEABLE 9/10 pending, 1-2-b CLEAN 4/4 integrated, 2-1-c CLOSEABLE 7/10 pending'
        equal "left out" "$(json '[.warnings[] | select(test("is skipped"))] | length')" 2
        jq -e '.warnings[] | select(test("docs/sprint-artifacts/notes.md is skipped: it has no checkboxes"))' "$OUT"
        jq -e '.warnings[] | select(test("README.md is skipped: its name begins with README"))' "$OUT"
    done
    [ ! -e .git/bosk ]
}

@test "S3.1 over the threshold a story is routed, with the reason; the threshold is a setting" {
    story 1-1-a 3 7
    story 2-1-b 4 6
    commit
    plan docs
    equal "states" "$(json '[.tasks[] | "\(.category) \(.state)"] | join(", ")')" 'CLOSEABLE pending, NEEDS_PIPELINE routed'
    equal "reason" "$(json '.tasks[1].reason')" \
        '4 of 10 boxes are not ticked, more than a share of 0.30 (stories.closeable_threshold): it is for the pipeline that writes stories'
    equal "worktrees" "$(json '[.tasks[].worktree] | tojson')" '[1,null]'
    run_bosk plan docs --executor agent
    expect_text '^stories   2: 0 CLEAN .*, 1 CLOSEABLE .*, 1 NEEDS_PIPELINE' "$OUT"
    expect_text '^  tasks   CLOSEABLE: 7 of 10 ticked, steps 0 of 3 .story-closer counts 7 of 11.$' "$OUT"
    expect_text '^  routed  4 of 10 boxes' "$OUT"
    expect_text '^Batch 1: 1-1-a$' "$OUT"
    plan docs -c stories.closeable_threshold=0.4
    equal "routed" "$(json '[.tasks[] | select(.state == "routed")] | length')" 0
    plan docs -c stories.closeable_threshold=0.29
    equal "routed" "$(json '[.tasks[] | select(.state == "routed")] | length')" 2
}

@test "S3.13 open boxes for a human are listed by the configured phrases" {
    story 1-1-a 1 9
    sed -i 's/- \[ \] open 0/- [ ] A QA Sign-Off/; s/done 3/browser test/' docs/sprint-artifacts/1-1-a.md
    commit
    plan docs
    equal "human" "$(json '.tasks[0].human | tojson')" '["A QA Sign-Off"]'
    plan docs -c 'stories.human_validation_patterns=[sign]'
    equal "human" "$(json '.tasks[0].human | tojson')" '["A QA Sign-Off"]'
    plan docs -c 'stories.human_validation_patterns=[]'
    equal "human" "$(json '.tasks[0].human | tojson')" '[]'
}

@test "S3.4 a story goes to the worktree of what it needs, else to the one with fewest" {
    story 1-1-a 1 9
    story 2-1-b 1 9
    story 3-1-c 1 9 'depends_on: [2-1]'
    story 4-1-d 1 9
    story 5-1-e 1 9 'depends_on: [3-1-c]'
    commit
    plan docs --jobs 2
    equal "worktrees" "$(json '[.tasks[] | "\(.id):\(.worktree)"] | join(" ")')" '1-1-a:1 2-1-b:2 3-1-c:2 4-1-d:1 5-1-e:2'
    equal "needs" "$(json '[.tasks[] | .needs[]] | join(" ")')" '2-1-b 3-1-c'
    equal "waves" "$(json '.waves | tojson')" '[["1-1-a","2-1-b","4-1-d"],["3-1-c"],["5-1-e"]]'
    plan docs --sequential
    equal "worktrees" "$(json '[.tasks[].worktree] | unique | tojson')" '[1]'
}

@test "S3.5 never more worktrees than stories that run" {
    story 1-1-a 1 9
    story 2-1-b 0 3
    story 3-1-c 1 0
    commit
    run_bosk plan docs --executor agent --jobs 5
    expect_text '^worktrees 1 in' "$OUT"
}

@test "stories are shown without an agent, too; those that nobody works on need none" {
    story 1-1-a 1 9
    story 2-1-b 0 3
    story 3-1-c 9 1
    commit
    run_bosk plan docs
    expect_status 0
    expect_text '^warning: 1 of 3 tasks need an agent' "$OUT"
    git rm -q docs/sprint-artifacts/1-1-a.md
    git commit -qm 'without it'
    run_bosk plan docs
    expect_status 0
    refute grep -q 'need an agent' "$OUT"
}

@test "a story given by its key is found where stories usually lie" {
    story 3-2-export 1 9
    commit
    for given in 3-2 3.2 story-3-2 3-2-export; do
        plan "$given"
        expect_status 0
        equal "$given" "$(json '.tasks[0].story')" docs/sprint-artifacts/3-2-export.md
    done
    run_bosk plan 3-4
    expect_status 2
    expect_text '3-4: there is no such file, and no story of this key in .*/docs/sprint-artifacts'
    plan 3-2 -c stories.folder=elsewhere
    expect_status 2
}

@test "a story must be in the base as it is in the checkout" {
    story 1-1-a 1 9
    commit
    story 1-2-b 1 9
    run_bosk run docs --executor agent
    expect_status 2
    expect_text 'docs/sprint-artifacts/1-2-b.md: task 1-2-b: is not in the base [0-9a-f]+: commit it, or leave it out'
    commit
    sed -i 's/open 0/open what/' docs/sprint-artifacts/1-1-a.md
    run_bosk run docs --executor agent
    expect_status 2
    expect_text '1-1-a.md: task 1-1-a: differs from the one in the base [0-9a-f]+: commit it'
    run_bosk plan docs --executor agent
    expect_status 2
    [ ! -e .git/bosk/sessions ]
    commit
    printf '*.md text eol=crlf\n' >.gitattributes
    commit
    rm docs/sprint-artifacts/1-1-a.md
    git checkout -q docs/sprint-artifacts/1-1-a.md
    grep -q $'\r' docs/sprint-artifacts/1-1-a.md # other line ends are no other story
    plan docs/sprint-artifacts/1-1-a.md
    expect_status 0
}

@test "S3.26 what a story says is never run, and drives no terminal" {
    story '1-1-$(touch x)' 1 9
    sed -i $'1s/.*/# `touch y` \x1b[31m; touch z/; s/open 0/--help \x1b[2J $(touch w)/' 'docs/sprint-artifacts/1-1-$(touch x).md'
    commit
    plan docs
    expect_status 0
    equal "id" "$(json '.tasks[0].id')" '1-1-touch-x-'
    run_bosk plan docs --executor agent
    expect_status 0
    refute grep -q $'\x1b' "$OUT"
    for made in w x y z; do [ ! -e "$made" ]; done
}

@test "a run of stories: the prompt has what is open, what is for a human, and where the story is" {
    story 1-1-a 1 9
    sed -i '/done 0/a - [ ] Manually verify it' docs/sprint-artifacts/1-1-a.md
    commit
    write_agent <<<'#!/bin/sh
cat >"'"$SCRATCH"'/prompt"; [ -f docs/sprint-artifacts/1-1-a.md ] || exit 1; echo x >made'
    run_bosk run docs --executor "$AGENT"
    for words in '^Finish the story 1-1-a' '^docs/sprint-artifacts/1-1-a.md$' '^- \[ \] open 0$' '^  - \[ \] step$' \
        '^For a human' '^- \[ \] Manually verify it$' '^manually verify$' '^9 of its 11 tasks are ticked, 2 are not'; do
        grep -qE -- "$words" "$SCRATCH/prompt" || { echo "no $words"; cat "$SCRATCH/prompt"; return 1; }
    done
}
