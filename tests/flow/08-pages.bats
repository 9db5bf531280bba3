#!/usr/bin/env bats
# Page by page: every command that README.md, the manual pages and the help print is typed, in their order, by somebody who
# knows nothing but the page; every file that they show is written. What they show of an output is compared where it is
# the same each time. A command that is new in a page fails here until somebody says what it comes to.
# shellcheck disable=SC2034,SC2154,SC2317,SC1091,SC2016,SC1010,SC2013,SC2030,SC2031 # for and of walk_page

load ../lib/flow
load ../lib/queue
load ../lib/pages
load ../lib/agents/flow

TOP=$BATS_TEST_DIRNAME/../..

setup() {
    flow_setup
    stand_in
    newcomer
}
teardown() { flow_teardown; }

status_is() { bosk status --json | jq -e "$1" >/dev/null; }

@test "README.md: every command in its order, every file that it shows" {
    ready() { grep -qx 'ready to leave' "$OUT"; }
    both_integrated() { status_is '[.sessions[-1].tasks[] | select(.state == "integrated")] | length == 2'; }
    landed() { [ -e parse-dates.txt ] && grep -q 'ISO dates' CHANGES && [ "$(git branch --show-current)" = main ]; }
    validation() { grep -q '^execution_result:' result.yaml && grep -q 'status: failed' result.yaml && rm "$HOME/fails-api"; }
    all_integrated() { status_is '[.sessions[-1].tasks[] | select(.state != "integrated")] == []'; }
    asked() { sed -i 's/answer: ""/answer: By doubling them/' answers.yaml && grep -q doubling answers.yaml; }
    ticked() { git show "integration-$(last_sid):docs/stories/5-2-export.md" | grep -qx -- '- \[x\] Escape quotes'; }
    claimed() { jq -e '.item_id == "S-1" and .claim != null and .solution != null' "$OUT" >/dev/null; }
    of_s1() { jq -e '.item_id == "S-1" and .solution != null' "$OUT" >/dev/null; }
    graph() { jq -e '.parallel_batches[0] | index("S-1") != null' "$OUT" >/dev/null; }
    # The line ends with what is typed instead then; "retry" below it is about that.
    and_when_it_failed() {
        [ "$(bosk detail S-1 | jq -r .status)" = completed ] && back && [[ ${said[i]} == 'when it has failed: '* ]] &&
            eval "bosk done S-1 ${said[i]#*: }" >>"$OUT" 2>>"$ERR" && [ "$(bosk detail S-1 | jq -r .status)" = failed ]
    }
    exported() { [ "$(jq -r '.solutions[0].status' .workflow/issues/queues/QUE-20260101000000.json)" = pending ]; }
    shown() { [ "$(grep -c QUE-20260101000000 "$OUT")" -ge 2 ]; }
    gone() { [ -z "$(bosk queue list)" ]; }
    built_of() { [ "$(tr -s ' ' '\n' <<<"${1#*install }" | LC_ALL=C sort)" = "$(. "$TOP/tools/lib/packages.sh" && packages_build | tr -s ' ' '\n' | LC_ALL=C sort)" ]; }

    at() {
        case $1 in
        bosk | Install | 'Map of the code') ;;
        'A first batch of your own')
            place src/import/dates.c
            printf 'test:\n\ttrue\n' >Makefile
            : >CHANGES
            commit_all
            ;;
        Segments)
            place global_workflows/personas/dev.md
            with_origin
            touch "$HOME/fails-api"
            ;;
        Stories) place && write_file docs/stories/5-1-table.md <<<$'# Story 5.1: Table\n## Tasks\n- [x] Make it' ;;
        'Queues of solutions') issues_place ;;
        *) return 1 ;;
        esac
    }
    text() {
        case "$1: $(head -n 1 "$2")" in
        'A first batch of your own: gates:') cp "$2" bosk.yaml ;;
        'A first batch of your own: tasks:') cp "$2" plan.yaml ;;
        'A first batch of your own: session '* | 'A first batch of your own: ready' | 'A first batch of your own: next') shown_as "$2" "$SCRATCH/out of bosk report" ;;
        'Segments: segments:') cp "$2" segments.yaml ;;
        'Segments: models: '*) cp "$2" bosk.yaml && commit_all ;;
        'Stories: # Story 5.2: Export') cp "$2" docs/stories/5-2-export.md && commit_all ;;
        'Map of the code: tools/ '* | 'Map of the code: tests/ '*) # every folder that it names is there
            local folder
            for folder in $(grep -oE '\b[a-z]+/' "$2"); do
                [ -d "$TOP/$folder" ] || [ -d "$TOP/supervisor/$folder" ] || [ -d "$TOP/store/$folder" ] || [ -d "$TOP/tests/$folder" ] || fault "no such folder: $folder"
            done
            ;;
        *) return 1 ;;
        esac
    }
    # Each block of commands about queues begins with a queue of its own.
    typed() {
        case "$1: $2" in
        'bosk: tools/demo') exempt='a demonstration of a minute, which builds the program' ;;
        'bosk: tools/check') exempt='this very run' ;;
        'Install: sudo apt-get install build-essential '*) exempt='needs root, and a network' && built_of "$2" ;;
        'Install: cmake -B build '* | 'Install: sudo cmake --install build') exempt='what runs here was built so; flow.95 installs it' ;;
        'Install: (cd build && cpack) '*) exempt='flow.95 makes the package and installs it' ;;
        'A first batch of your own: bosk doctor --live') after=ready ;;
        'A first batch of your own: bosk plan plan.yaml --agent codex') ;;
        'A first batch of your own: bosk run plan.yaml --jobs 3 --'*) after=both_integrated ;;
        'A first batch of your own: bosk report') ;;
        'A first batch of your own: git log --graph integration-<session>') line=${2/<session>/$(last_sid)} ;;
        'A first batch of your own: bosk land --merge') after=landed ;;
        'A first batch of your own: bosk land --pr') with_origin && after=pushed ;;
        'Segments: bosk plan segments.yaml') ;;
        'Segments: bosk run segments.yaml --executor '*) wanted=1 ;;
        'Segments: bosk report --yaml >result.yaml') after=validation ;;
        'Segments: bosk retry --run api') after=all_integrated ;;
        'Stories: bosk plan docs/stories') ;;
        'Stories: bosk run docs/stories --executor '*) wanted=1 ;;
        'Stories: bosk report') ;;
        'Stories: bosk questions >answers.yaml') after=asked ;;
        'Stories: bosk retry --answers answers.yaml --run') after=ticked ;;
        'Queues of solutions: bosk plan .workflow/issues') ;;
        'Queues of solutions: bosk run .workflow/issues/queues/QUE-20260101000000.json --executor '*) after=all_integrated ;;
        'Queues of solutions: bosk queue add .workflow/issues') issues_place ;;
        'Queues of solutions: bosk queue dag') after=graph ;;
        'Queues of solutions: bosk next') after=claimed ;;
        'Queues of solutions: bosk detail S-1') after=of_s1 ;;
        'Queues of solutions: bosk done S-1 --result-file result.json') echo '{"summary": "T1 is done"}' >result.json; after=and_when_it_failed ;;
        'Queues of solutions: bosk retry S-1') ;;
        'Queues of solutions: bosk queue export --to .workflow/issues') after=exported ;;
        'Queues of solutions: bosk plan --queue QUE-20260101000000') issues_place && bosk queue add .workflow/issues 2>"$ERR" ;;
        'Queues of solutions: bosk run --queue QUE-20260101000000 --executor '*) after=all_integrated ;;
        "Queues of solutions: bosk run --executor 'my-agent --batch'") after=all_integrated ;;
        'Queues of solutions: bosk queue list; bosk queue show QUE-20260101000000') after=shown ;;
        'Queues of solutions: bosk queue remove QUE-20260101000000') issues_place && bosk queue add .workflow/issues 2>"$ERR" && after=gone ;;
        *) return 1 ;;
        esac
    }
    walk_page "$TOP/README.md"
}

@test "README.md: every command and option that it mentions in a sentence is there" {
    local text words command word n=0
    while IFS= read -r text; do
        text=${text//[\`\[\]]/}
        read -ra words <<<"$text"
        command=${words[1]}
        "$BOSK_BIN" help "$command" >"$OUT" 2>"$ERR" || fault "README.md: there is no such command: $text"
        for word in "${words[@]:2}"; do
            case $word in
            --*) grep -qE -- "^  (-., |    )$word( |\$)" "$OUT" || fault "README.md: no such option: $text" ;;
            -?) grep -qE -- "^  $word, --" "$OUT" || fault "README.md: no such option: $text" ;;
            esac
        done
        n=$((n + 1))
    done < <(grep -v '^    ' "$TOP/README.md" | tr '\n' ' ' | grep -o '`bosk [^`]*`')
    [ "$n" -ge 20 ]
}

@test "bosk(1): the examples of each command, and those of the page" {
    some() { [ -s "$OUT" ]; }
    json() { jq -es . "$OUT" >/dev/null; }
    events() { jq -es 'length > 3' events.jsonl >/dev/null; }
    released() { [ "$(git log --oneline v1.2..release | wc -l)" -ge 2 ]; }
    hello() { [ "$(cat shout.txt)" = HELLO ]; }
    word_done() { [ "$(cat "$OUT")" = done ]; }
    yaml() { grep -q '^execution_result:' result.yaml; }
    asks() { grep -q 'answer: ""' answers.yaml; }
    ticked() { git show "integration-$(last_sid):docs/stories/5-2-export.md" | grep -qx -- '- \[x\] Escape quotes'; }
    taken_out() { status_is '[.sessions[-1].tasks[] | .state] == ["reverted", "integrated"]'; }
    restored() { git for-each-ref --format='%(refname)' refs/heads | grep -q parse-dates; }
    two_lines() { [ "$(grep -c . "$OUT")" = 2 ]; }
    story_run() { bosk run docs/stories --executor my-agent --quiet 2>"$ERR" || [ $? = 1 ]; }
    an_answer() { bosk questions | sed 's/answer: ""/answer: By doubling them/' >answers.yaml; }
    taken() { issues_place && bosk queue add .workflow/issues 2>"$ERR"; }
    sid() { line=${line/a1b2c3/$(last_sid)}; }

    at() { case $1 in 'bosk '* | EXAMPLES) ;; *) return 1 ;; esac }
    text() { case $1 in 'bosk '*) ;; *) return 1 ;; esac } # parts of the help as they are
    typed() {
        case "$1: $2" in
        'bosk init: examples: bosk init --print') dates_place && rm bosk.yaml ;;
        'bosk run: examples: bosk run plan.yaml --jobs 3 --executor '*) dates_place ;;
        'bosk run: examples: bosk run plan.yaml --base v1.2 --target release --land merge')
            place && write_file plan.yaml <<<'tasks: [{id: one, run: echo 1 >1}]' && git tag v1.2 && git branch release && after=released
            ;;
        'bosk run: examples: bosk run night.yaml --json >events.jsonl') place && write_file night.yaml <<<'tasks: [{id: one, run: echo 1 >1}]' && after=events ;;
        'bosk plan: examples: bosk plan plan.yaml') dates_place ;;
        "bosk plan: examples: bosk plan plan.yaml --json | jq '.waves'") dates_place && after=json ;;
        'bosk resume: examples: bosk resume'*) dates_place interrupted && sid ;;
        'bosk status: examples: bosk status') dates_place 'done' ;;
        'bosk status: examples: bosk status --json | jq'*) dates_place 'done' && after=word_done ;;
        'bosk logs: examples: bosk logs '* | 'bosk diff: examples: bosk diff '*) dates_place 'done' ;;
        'bosk path: examples: cd "$(bosk path parse-dates)"') dates_place interrupted ;;
        'bosk stop: examples: bosk stop'*) dates_place running && sid && after=dates_go ;;
        'bosk retry: examples: bosk retry parse-dates' | 'bosk retry: examples: bosk retry --run') dates_place failed ;;
        'bosk retry: examples: bosk retry --answers answers.yaml --run') stories_place && story_run && an_answer && after=ticked ;;
        'bosk retry: examples: bosk retry --queue QUE-20260101000000 S-1') taken && bosk next >"$OUT" && bosk done S-1 --fail --reason 'tests are red' 2>"$ERR" ;;
        'bosk questions: examples: bosk questions >answers.yaml') stories_place && story_run && after=asks ;;
        'bosk land: examples: bosk land --merge') dates_place 'done' ;;
        'bosk land: examples: bosk land --pr --draft') dates_place 'done' && with_origin && after=pushed ;;
        'bosk revert: examples: bosk revert parse-dates')
            dates_place 'done' && after=taken_out
            ;;
        'bosk report: examples: bosk report' | 'bosk report: examples: bosk report --json | jq .') dates_place 'done' ;;
        'bosk report: examples: bosk report --yaml >result.yaml') dates_place 'done' && after=yaml ;;
        'bosk gc: examples: bosk gc '*) dates_place interrupted ;;
        'bosk rescue: examples: bosk rescue list') dates_place interrupted && bosk gc --max-age 0s --kill >"$OUT" 2>&1 && after=some ;;
        'bosk rescue: examples: bosk rescue restore a1b2c3/parse-dates/1') sid && after=restored ;;
        'bosk verify: examples: bosk verify' | 'bosk doctor: examples: bosk doctor') dates_place 'done' ;;
        'bosk queue: examples: bosk queue add .workflow/issues') issues_place ;;
        "bosk queue: examples: bosk queue dag | jq -r '.parallel_batches[0][]'") after=two_lines ;;
        'bosk queue: examples: bosk queue export --to .workflow/issues') ;;
        "bosk next: examples: bosk next | jq -r '.item_id, .claim'") taken && after=two_lines ;;
        'bosk next: examples: bosk next QUE-20260101000000:S-2') bosk done S-1 --result '{}' 2>"$ERR" >"$OUT" ;;
        'bosk detail: examples: bosk detail S-1 | jq .solution.tasks') taken && after=json ;;
        'bosk done: examples: bosk done S-1 --result-file result.json') taken && bosk next >"$OUT" && echo '{}' >result.json ;;
        'bosk done: examples: bosk done S-1 --claim b0975cd656478f31 --fail --reason '*) taken && line=${2/b0975cd656478f31/$(bosk next | jq -r .claim)} ;;
        'bosk version: examples: bosk version' | 'bosk help: examples: bosk help'*) ;;
        'EXAMPLES: cat >plan.yaml '*) place ;;
        'EXAMPLES: bosk plan plan.yaml' | 'EXAMPLES: bosk run plan.yaml' | 'EXAMPLES: bosk report') ;;
        'EXAMPLES: bosk land --merge') after=hello ;;
        'EXAMPLES: bosk run plan.yaml --jobs 3 --executor '*) dates_place ;;
        'EXAMPLES: bosk status') dates_place interrupted ;;
        'EXAMPLES: bosk resume') ;;
        *) return 1 ;;
        esac
    }
    walk_page "$(dirname "$BOSK_BIN")/bosk.1" 50
}

@test "bosk.yaml(5) and bosk-plan(5): every command, file and figure that they show" {
    at() { case $1 in DESCRIPTION) dates_place ;; EXAMPLES | Ss* | *[Ss]ecret*) ;; *) return 1 ;; esac }
    # What the program of the samples says is what the page says.
    figures() {
        [ -n "${BOSK_TEST_LEAK_SAMPLES:-}" ] || return 0 # by hand
        "$BOSK_TEST_LEAK_SAMPLES" table | awk '/^harmless/ { harmless = 1 } /^together/ { if (harmless) print $2, $3; next } !harmless && $NF ~ /^[0-9]+$/ { print $(NF - 1), $NF }' >"$OUT"
        awk '$NF ~ /^[0-9]+$/ { print $(NF - 1), $NF }' "$1" | diff - "$OUT" >&2
    }
    text() {
        case "$1: $(head -n 1 "$2")" in
        'DESCRIPTION: worktrees:') grep -qx '  setup: npm ci' "$2" ;;
        *': tests/fixtures/') cp "$2" .bosk-secrets-allow ;;
        *':  '*samples*found) figures "$2" ;;
        'EXAMPLES: jobs: 4') cp "$2" bosk.yaml && bosk plan plan.yaml --executor cat >"$OUT" 2>"$ERR" && grep -qE '^gates +lint, tests, security$' "$OUT" ;;
        'EXAMPLES: agents:') write_file "$HOME/.config/bosk/config.yaml" <"$2" && bosk doctor >"$OUT" 2>"$ERR" && grep -q '^ok    agent my-agent' "$OUT" ;;
        'EXAMPLES: tasks:') cp "$2" plan.yaml && bosk plan plan.yaml --executor cat >"$OUT" 2>"$ERR" ;;
        *) return 1 ;;
        esac
    }
    typed() {
        case "$1: $2" in
        "DESCRIPTION: bosk -c worktrees.setup='npm ci' run plan.yaml") line="$2 --executor my-agent" ;;
        *) return 1 ;;
        esac
    }
    walk_page "$TOP/tools/man/bosk.yaml.5" 1
    walk_page "$TOP/tools/man/bosk-plan.5" 0
}
