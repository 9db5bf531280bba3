#!/usr/bin/env bats
# As 83-every-repository.bats, where there is much of everything: a tenth of it in CI, all with BOSK_TEST_FULL.
# shellcheck disable=SC2016,SC2034,SC2154,SC2164 # commands for later; variables of tests/lib/repository.bash

load ../lib/flow
load ../lib/hostile
load ../lib/repository

setup() { flow_setup; }
teardown() { flow_teardown; }

# Each with a commit of its own, the half of them packed.
make_branches() {
    local n=${BOSK_TEST_FULL:+1000}
    awk -v n="${n:-200}" 'BEGIN {
        for (i = 0; i < n; i++)
            printf "commit refs/heads/user/%d\ncommitter T <t@example.invalid> %d +0000\ndata 0\nfrom refs/heads/main^0\nM 100644 inline user.txt\ndata <<end\n%d\nend\n\n",
                i, 1700000000 + i, i
    }' | git fast-import --quiet
    git pack-refs --all
    for n in $(git for-each-ref --format='%(refname)' 'refs/heads/user/*5'); do echo "update $n refs/heads/main"; done | git update-ref --stdin
}
make_files() {
    local n=${BOSK_TEST_FULL:+50000}
    awk -v n="${n:-5000}" 'BEGIN {
        printf "commit refs/heads/main\ncommitter T <t@example.invalid> 1700000000 +0000\ndata 4\nmany\nfrom refs/heads/main^0\n"
        for (i = 0; i < n; i++)
            printf "M 100644 inline many/%02d/%d.txt\ndata <<end\nfile %d\nend\n", i % 100, i, i
    }' | git fast-import --quiet
    git reset -q --hard
    one="sed -i 's/\$/ by one/' many/07/*.txt && mkdir many/new && echo new >many/new/new.txt"
    two='mv many/10 many/renamed'
    three='d=many/10; [ -e $d ] || d=many/renamed; for f in $d/*1*.txt; do echo three >>$f; done'
    last='rm -r many/20'
    user='echo user >many/30/30.txt'
}

@test "many branches, many files" {
    repository_table <<'TABLE'
    # case                          | outcome                                          | exit
    with branches files             | equal tree                                       | 0
    + branches                      | equal tree                                       | 0
    + files                         | equal tree                                       | 0
TABLE
}
