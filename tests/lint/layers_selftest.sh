#!/usr/bin/env bash
# layers_selftest.sh: layers.sh finds what it claims to find. Each kind of violation is planted in a
# copy of the sources and must be reported at its place, and not without it.
set -euo pipefail

usage() {
    printf 'usage: tests/lint/layers_selftest.sh SOURCE_DIR\n\nUses the compiler in CC (default cc). exit status: 0 all found; 1 something was missed.\n'
}
case ${1:-} in
-h | --help)
    usage
    exit 0
    ;;
esac
[ $# -eq 1 ] || {
    usage >&2
    exit 2
}
source_dir=$(cd "$1" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
tree=$scratch/tree
missed=0 planted=0

# library NAME.c CODE: an archive with one object, as the build would make it.
library() {
    printf '%s\n' "$2" >"$scratch/$1"
    "${CC:-cc}" -c -o "$scratch/$1.o" "$scratch/$1"
    rm -f "$scratch/libplant.a"
    ar rc "$scratch/libplant.a" "$scratch/$1.o"
}
# fresh: a tree with a few real sources; that all of them are clean is for lint.layers to say.
fresh() {
    rm -rf "$tree"
    mkdir -p "$tree"/{store,worker,supervisor,tools,tests/lib}
    cp -r "$source_dir/store/base" "$tree/store"
    cp "$source_dir"/tests/lib/test.h "$tree/tests/lib"
    library empty.c 'int empty_thing;'
}
lint() {
    "$source_dir/tests/lint/layers.sh" "$tree" "$scratch/libplant.a" >"$scratch/out" || [ $? = 1 ]
}
# found WHERE TEXT [FINDINGS]: some finding starts with WHERE: and says TEXT.
found() {
    awk -v where="$1:" -v text="$2" 'index($0, where) == 1 && index($0, text) { hit = 1 } END { exit !hit }' \
        "${3:-$scratch/out}"
}
# expect WHERE TEXT: found with what was planted, and not without.
expect() {
    planted=$((planted + 1))
    lint
    if ! found "$1" "$2"; then
        printf 'MISSED %s: %s\n' "$1" "$2"
        missed=$((missed + 1))
    fi
    fresh
    if found "$1" "$2" "$scratch/clean"; then
        printf 'FOUND WITHOUT A CAUSE %s: %s\n' "$1" "$2"
        missed=$((missed + 1))
    fi
}
# plant FILE LINE...: a new file of these lines.
plant() {
    local file=$1
    shift
    mkdir -p "$(dirname "$tree/$file")"
    printf '%s\n' "$@" >"$tree/$file"
}
head='/* planted: a violation. */'

fresh
lint
cp "$scratch/out" "$scratch/clean"
# Layers.
plant worker/planted.h "$head"
plant store/planted.c "$head" '#include "worker/planted.h"'
expect store/planted.c:2 'downward only'
plant supervisor/planted.h "$head"
plant worker/planted.c "$head" '#include "../supervisor/planted.h"'
expect worker/planted.c:2 'downward only'
plant tools/planted.h "$head"
plant supervisor/planted.c "$head" '' '#  include "tools/planted.h"'
expect supervisor/planted.c:3 'downward only'
plant tests/lib/planted.h "$head"
plant tools/planted.c "$head" '#include "tests/lib/planted.h"'
expect tools/planted.c:2 'downward only'
plant store/planted.c "$head" '#include "nowhere.h"'
expect store/planted.c:2 'no file of the sources'

# One door per library.
door() { # FILE HEADER
    plant "$1" "$head" "#include <$2>"
    expect "$1:2" "includes $2, which has its one door elsewhere"
}
door worker/planted.c git2.h
door supervisor/planted.c git2/refs.h
door worker/gitx.h git2.h
door store/planted.c lmdb.h
door supervisor/planted.c sodium.h
door store/planted.c msgpack.h
door worker/planted.c libfyaml.h
door tools/planted.c jansson.h
door supervisor/planted.c md4c.h
door worker/planted.c pcre2.h

# Length, first comment.
plant store/planted.c "$head"
yes 'extern int planted_line;' | head -n 450 >>"$tree/store/planted.c" || true
expect store/planted.c:451 'longer than 450 lines'
plant worker/planted.h '#pragma once' "$head"
expect worker/planted.h:1 'does not start with a comment'

# Banned functions, also behind a comment, on a line with a string, and as an argument.
banned() { # FILE CODE NAME
    plant "$1" "$head" "$2"
    expect "$1:2" "calls $3()"
}
banned store/planted.c 'void planted(char *a) { strcpy(a, "x"); }' strcpy
banned store/planted.c 'void planted(char *a) { /* why */ strcat (a, "x"); }' strcat
banned worker/planted.c 'void planted(char *a) { puts("/*"); sprintf(a, "x"); }' sprintf
banned worker/planted.c 'void planted(char *a) { puts(gets(a)); }' gets
banned tools/planted.c 'int planted(void) { return system("true"); }' system
banned supervisor/planted.c 'void *planted(void) { return popen("x", "r"); }' popen
banned store/planted.c 'char *planted(void) { return tmpnam(0); }' tmpnam
banned worker/planted.c 'int planted(void) { return fork(); }' fork
banned tests/unit/planted.c 'char *planted(char *a) { return strcat(a, ""); }' strcat

# Notes to self. Spelled in halves so that this file does not carry one.
for word in TO:DO FIX:ME XX:X; do
    plant store/planted.c "$head" "/* ${word/:/}: later */"
    expect store/planted.c:2 'a note to self'
done
plant tests/flow/planted.bats '# what it is for' "# $(printf 'TO%s' DO) later"
expect tests/flow/planted.bats:2 'a note to self'

# Exported symbols.
exported() { # FILE.c CODE SYMBOL
    library "$1" "$2"
    expect "libplant.a($1.o)" "exports $3:"
}
exported plan.c 'void plan_ok(void) {} int helper(void) { return 1; }' helper
exported plan_read.c 'int plan_x, plan_read_y, read_z;' read_z
exported cmd_run.c 'void cmd_run(void) {} void cmd_land_helper(void) {}' cmd_land_helper
exported str.c 'int strv_ok; int string_thing;' string_thing
exported rows.c 'const int x_row_rec = 1; int row_thing = 2;' row_thing

# What must not be found: words in comments and strings, names that only end like a banned one,
# names in the family, the tests' own fork.
plant store/planted.c "$head" '/* strcpy(a, b), see fork() */' 'const char *planted = "system(";' \
    'int planted_system(void);' 'int planted_use(void) { return planted_system(); }' '#include <string.h>'
plant tests/unit/planted.c "$head" 'int planted(void) { return fork(); }'
library db_grow.c 'int db_grow; int db_grow_limit; int db_map; static int helper; int *db_use(void) { return &helper; }'
planted=$((planted + 1))
lint
if grep -E 'planted\.|libplant' "$scratch/out"; then
    printf 'FOUND WITHOUT A CAUSE (above)\n'
    missed=$((missed + 1))
fi

printf '%d plantings, %d wrong\n' "$planted" "$missed"
[ "$missed" = 0 ]
