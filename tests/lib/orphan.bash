# shellcheck shell=bash
# orphan.bash: a session that was killed in the middle of a task, for tests of what becomes of it. After lib/flow.
# shellcheck disable=SC2154 # variables of lib/flow
# shellcheck disable=SC2016 # conditions for wait_until are evaluated there

orphan_setup() {
    flow_setup
    make_repo a.txt sub/b.txt
    printf '*.ignored\n' >.gitignore
    git add .gitignore
    git commit -qm 'Ignore some'
    base=$(git rev-parse HEAD)
    write_file "$SCRATCH/p.yaml" <<YAML
tasks:
  - {id: good, run: 'echo good > good.txt'}
  - id: work
    needs: [good]
    run: |
      test -e '$SCRATCH/second' && { echo done > done.txt; exit 0; }
      git commit -qm 'Its own commit' --allow-empty
      echo staged > staged.txt; git add staged.txt; echo more >> staged.txt
      echo changed >> a.txt
      echo new > new.txt
      echo mine > mine.ignored
      test -e '$SCRATCH/more' && sh '$SCRATCH/more'
      touch '$SCRATCH/started'
      until test -e '$SCRATCH/go'; do sleep 0.05; done
YAML
}

# A session that was killed in the middle of the task "work": $sid, its worktree $tree. Standard input of `more` is
# what the task does beside.
more() { cat >"$SCRATCH/more"; }
orphan() {
    start_bosk run "$SCRATCH/p.yaml" --jobs 1 "$@"
    wait_until "[ -e '$SCRATCH/started' ]" 60
    sid=$(last_sid)
    tree=$REPO.worktrees/$sid-1
    kill -KILL "$bosk_pid"
    wait_bosk
    wait_until '[ -z "$(processes_of_test)" ]' 30
    rm "$SCRATCH/started"
}
gc() { run_bosk gc --max-age 0s "$@"; }
# As if bosk had never been here: nor is anything left of what it saved.
forget_all() {
    rm -rf "$SCRATCH/go" "$SCRATCH/second" "$REPO/.git/bosk"
    git for-each-ref --format='delete %(refname)' refs/bosk 'refs/heads/integration-*' | git update-ref --stdin
    git reflog expire --expire=now --all
    git prune --expire=now
}

# The rescue commit $1 holds everything that was in the worktree, and says what the index was.
rescued_whole() {
    equal "staged.txt" "$(git show "$1:staged.txt")" "$(printf 'staged\nmore')"
    equal "a.txt" "$(git show "$1:a.txt" | tail -n 1)" changed
    equal "new.txt" "$(git show "$1:new.txt")" new
    refute git cat-file -e "$1:mine.ignored"
    git log -1 --format=%B "$1" | grep -qF mine.ignored
    local index
    index=$(git log -1 --format='%(trailers:key=Bosk-Index,valueonly)' "$1" | head -n 1)
    equal "staged content" "$(git cat-file blob "$index:staged.txt")" staged
    equal "index" "$(git diff --name-only "$1^" "$index")" staged.txt
    equal "its own commit" "$(git log -1 --format=%s "$1^")" 'Its own commit'
}
