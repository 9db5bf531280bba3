# shellcheck shell=bash
# stories.bash: for the flow tests of stories: story files, plans of them in their normal form, and an agent that does
# for each story what the test says.

# stories_setup: a repository, and $AGENT, which runs $SCRATCH/do/<story> in its worktree. That may use
#   tick TEXT...          ticks these boxes        result STATUS JSON...   writes the result, members JSON added
stories_setup() {
    flow_setup
    make_repo
    mkdir "$SCRATCH/do"
    write_file "$SCRATCH/words" <<'WORDS'
tick() {
    local text
    for text; do
        sed -i "s/^\([ ]*\(-\|\*\|[0-9]*\.\) \)\[[ ~]\] $text\([ \r]*\)\$/\1[x] $text\3/" "docs/$BOSK_TASK.md"
    done
}
result() {
    local status=$1 member text
    shift
    text="{\"story_key\": \"$BOSK_TASK\", \"status\": \"$status\""
    for member in "$@"; do text+=", $member"; done
    printf '%s}\n' "$text" >"$BOSK_RESULT_FILE"
}
WORDS
    write_agent <<AGENT
#!/bin/bash
cp "\$BOSK_PROMPT_FILE" "$SCRATCH/prompt.\$BOSK_TASK.\$BOSK_ATTEMPT"
cat >/dev/null
. "$SCRATCH/words"
. "$SCRATCH/do/\$BOSK_TASK"
AGENT
}

# story_file KEY: standard input becomes docs/KEY.md, committed.
story_file() {
    write_file "$REPO/docs/$1.md"
    git -C "$REPO" add docs
    git -C "$REPO" commit -qm "Story $1"
}
# does KEY: standard input is what the agent does for it.
does() { cat >"$SCRATCH/do/$1"; }

# story KEY JSON...: a task of a plan; the members JSON are added. With its file when there is one.
story() {
    local id=$1 member text
    shift
    text="{\"id\": \"$id\", \"prompt\": \"close it\""
    if [ -e "$REPO/docs/$id.md" ]; then
        text+=", \"story\": \"docs/$id.md\", \"category\": \"CLOSEABLE\""
        text+=", \"story_hash\": \"$(tr -d '\r' <"$REPO/docs/$id.md" | b2sum -l 256 | cut -d ' ' -f 1)\""
        text+=", \"total\": $(grep -cE '^(-|[0-9]+\.) \[.\]' "$REPO/docs/$id.md" || true)"
        text+=", \"checked\": $(grep -cE '^(-|[0-9]+\.) \[[xX]\]' "$REPO/docs/$id.md" || true)"
    fi
    for member in "$@"; do text+=", $member"; done
    printf '%s}' "$text"
}
# plan STORY...: $PLAN
plan() {
    local IFS=,
    PLAN=$SCRATCH/plan.json
    printf '{"kind": "stories", "tasks": [%s]}\n' "$*" >"$PLAN"
}
routed() { printf '"category": "NEEDS_PIPELINE", "total": 10, "checked": 2, "routed": "8 of 10 boxes are not ticked"'; }

# came_out KEY: the story on the newest session's branch.
came_out() { git -C "$REPO" show "integration-$(last_sid):docs/$1.md"; }
