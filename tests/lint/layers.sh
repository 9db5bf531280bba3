#!/usr/bin/env bash
# layers.sh: house rules a compiler does not check. Layers include downward only, each external
# library has one door, files stay short and start with a comment, foo.c exports foo_* only, no
# function that cannot be used safely, no notes to self.
set -euo pipefail

usage() {
    cat <<'USAGE'
usage: tests/lint/layers.sh SOURCE_DIR LIBRARY.a...

SOURCE_DIR is the top of the sources; the libraries are those built from it, one per layer. Prints
one line per finding: FILE:LINE: what is wrong (or LIBRARY(OBJECT): for exported symbols).

exit status: 0 nothing found; 1 something found; 2 wrong usage.
USAGE
}

case ${1:-} in
-h | --help)
    usage
    exit 0
    ;;
esac
[ $# -ge 2 ] || {
    usage >&2
    exit 2
}
source_dir=$1
shift
for library in "$@"; do
    [ -r "$library" ] || {
        printf 'layers: no library %s\n' "$library" >&2
        exit 2
    }
done
cd "$source_dir"

# Objects (name without .c) that export more than their own prefix, each with what it may: a name,
# or a prefix with a star.
symbol_exceptions='
    gitx_objects  oid_parse
    gitx_offline  mbedtls_x509_crt_parse_file
    render        table_*
    rows          *_row_rec task_def_rec item_def_rec item_link_rec
    scan          rec_scan
    str           strv_*
'

findings=$(mktemp)
trap 'rm -f "$findings"' EXIT

# ---- sources: includes, doors, length, first comment, banned functions ---------------------------
mapfile -t sources < <(find store worker supervisor tools tests -name '*.[ch]' -o -name '*.def' | LC_ALL=C sort)
# shellcheck disable=SC2016 # $ belongs to awk
check_sources='
BEGIN {
    rank["store"] = 0; rank["worker"] = 1; rank["supervisor"] = 2; rank["tools"] = 3
    rank["tests"] = 4
    # Header (a pattern) -> the files that may include it.
    door["^git2(\\.h$|/)"] = "^worker/gitx(_[a-z_]+)?\\.c$|^worker/gitx_private\\.h$"
    door["^zlib\\.h$"] = "^worker/gitx_loose\\.c$"
    door["^lmdb\\.h$"] = "^store/db(_[a-z_]+)?\\.[ch]$"
    door["^sodium(\\.h$|/)"] = "^store/seal\\.c$"
    door["^msgpack(\\.h$|/)"] = "^store/rec\\.c$"
    door["^libfyaml\\.h$"] = "^supervisor/(plan/)?yaml\\.c$"
    door["^jansson\\.h$"] = "^store/json(_cut)?\\.c$"
    door["^md4c(-html)?\\.h$"] = "^worker/boxes\\.c$"
    door["^pcre2\\.h$"] = "^worker/pattern\\.c$"
    split("strcpy strcat sprintf vsprintf gets tmpnam", list, " ")
    for (i in list) banned[list[i]] = "everywhere"
    split("system popen fork", list, " ")
    for (i in list) banned[list[i]] = "outside tests"
    for (i = 1; i < ARGC; i++) known[ARGV[i]] = 1
    max_lines = 450
}
function report(line, text) { printf "%s:%d: %s\n", FILENAME, line, text }
# a/b/../c -> a/c; ./ dropped.
function normal(path,    n, part, i, out, depth) {
    n = split(path, part, "/"); depth = 0
    for (i = 1; i <= n; i++) {
        if (part[i] == "." || part[i] == "") continue
        if (part[i] == ".." && depth > 0) { depth--; continue }
        out[++depth] = part[i]
    }
    path = out[1]
    for (i = 2; i <= depth; i++) path = path "/" out[i]
    return path
}
function end_of_file() {
    if (file != "" && rank[layer] < 4 && lines > max_lines)
        printf "%s:%d: longer than %d lines: split it\n", file, lines, max_lines
}
# The code of a line: comments and the contents of strings and character constants blanked.
function code(s,    out, c, i, n, two) {
    out = ""; n = length(s)
    for (i = 1; i <= n; i++) {
        c = substr(s, i, 1); two = substr(s, i, 2)
        if (in_comment) { if (two == "*/") { in_comment = 0; i++ }; continue }
        if (two == "/*") { in_comment = 1; i++; out = out " "; continue }
        if (two == "//") break
        if (c == "\"" || c == "\047") {
            for (i++; i <= n && substr(s, i, 1) != c; i++)
                if (substr(s, i, 1) == "\\") i++
            out = out c c
            continue
        }
        out = out c
    }
    return out
}
FNR == 1 {
    end_of_file()
    file = FILENAME; dir = file; sub(/\/[^\/]*$/, "", dir)
    layer = file; sub(/\/.*/, "", layer)
    in_comment = 0
    if ($0 !~ /^\/[\/*]/) report(1, "does not start with a comment that says what it is for")
}
{ lines = FNR; text = code($0) }
text ~ /^[ \t]*#[ \t]*include/ {
    # The name was blanked with the strings: take it from the line itself.
    name = $0; angle = (name ~ /include[ \t]*</)
    sub(/^[ \t]*#[ \t]*include[ \t]*["<]/, "", name); sub(/[">].*/, "", name)
    for (pattern in door)
        if (name ~ pattern && layer != "tests" && file !~ door[pattern])
            report(FNR, "includes " name ", which has its one door elsewhere (" door[pattern] ")")
    if (angle) next
    target = normal(dir "/" name)
    if (!(target in known)) target = normal(layer "/" name)
    if (!(target in known)) target = normal(name)
    if (!(target in known) && layer == "tests") target = normal("tests/lib/" name)
    if (!(target in known)) {
        report(FNR, "includes " name ", which is no file of the sources")
        next
    }
    sub(/\/.*/, "", target)
    if (rank[target] > rank[layer])
        report(FNR, layer " includes " name " of " target ": layers include downward only")
    next
}
{
    rest = text
    while (match(rest, /[A-Za-z_][A-Za-z0-9_]*[ \t]*\(/)) {
        word = substr(rest, RSTART, RLENGTH); sub(/[ \t]*\($/, "", word)
        rest = substr(rest, RSTART + RLENGTH)
        if (word in banned && (banned[word] == "everywhere" || layer != "tests"))
            report(FNR, "calls " word "(), which is banned " banned[word])
    }
}
END { end_of_file() }
'
awk "$check_sources" "${sources[@]}" >>"$findings"

# ---- notes to self, in everything that is written by hand ----------------------------------------
notes='TO''DO|FIX''ME|XX''X'
find . \( -name .git -o -name 'build*' \) -prune -o -type f \
    \( -name '*.[ch]' -o -name '*.def' -o -name '*.sh' -o -name '*.bash' -o -name '*.bats' \
    -o -name '*.md' -o -name '*.txt' -o -name '*.cmake' -o -path './tools/check' -o -path './tools/demo' \) \
    -exec grep -nHwE "$notes" {} + | sed -E 's#^\./##; s#^([^:]*:[0-9]*):.*#\1: a note to self: do it, or open an issue#' \
    >>"$findings" || true

# ---- exported symbols ----------------------------------------------------------------------------
# shellcheck disable=SC2016 # $ belongs to awk
check_symbols='
BEGIN {
    n = split(exceptions, line, "\n")
    for (i = 1; i <= n; i++) {
        m = split(line[i], word, " ")
        for (j = 2; j <= m; j++) {
            pattern = word[j]; gsub(/\*/, ".*", pattern)
            may[word[1]] = may[word[1]] (may[word[1]] == "" ? "" : "|") "^" pattern "$"
        }
    }
}
{   # LIBRARY[OBJECT.c.o]: SYMBOL TYPE ...
    where = $1; sub(/:$/, "", where); sub(/.*\//, "", where)
    object = where; sub(/^.*\[/, "", object); sub(/(\.c)?\.o\]$/, "", object)
    symbol = $2
    if (symbol ~ /^__/ || $3 ~ /^[UuNwv]$/) next
    # cmd_run.c: cmd_run...; all others: their name, or the family its first word names.
    family = object
    if (object !~ /^cmd_/) sub(/_.*/, "", family)
    if (symbol == object || index(symbol, object "_") == 1 || index(symbol, family "_") == 1) next
    if (object in may && symbol ~ may[object]) next
    sub(/\[/, "(", where); sub(/\]$/, ")", where)
    printf "%s: exports %s: make it static, or name it %s_...\n", where, symbol, family
}
'
nm -A -P -g --defined-only "$@" | awk -v exceptions="${symbol_exceptions//$'\n'/\\n}" "$check_symbols" >>"$findings"

if [ -s "$findings" ]; then
    cat "$findings"
    printf '%d findings\n' "$(wc -l <"$findings")"
    exit 1
fi
printf 'nothing found in %d files and %d libraries\n' "${#sources[@]}" $#
