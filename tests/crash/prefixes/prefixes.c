/* prefixes: a recorded run of bosk, judged and replayed. `check` asserts that each thing was flushed
 * before what refers to it (order.c); `list` names the different states that a power cut could have
 * left on the disk, and `make` puts one of them there (image.c says by which model). */
#include "prefixes.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image.h"
#include "order.h"
#include "store/base/fs.h"
#include "store/base/mem.h"

static const char usage[] =
	"usage: prefixes check BASE DISK RULE...\n"
	"                                   order of flushes, each RULE asked at least once; and: the whole\n"
	"                                   trace gives what is there\n"
	"       prefixes list BASE DISK     one line for each state that differs: PREFIX CUT WEIGHT WHAT\n"
	"       prefixes make BASE DISK PREFIX CUT [SEED]\n"
	"\n"
	"BASE holds `trace`, `template` (the repository before the run), perhaps\n"
	"`template.worktrees`, and `repo`. DISK is journal or each.\n"
	"PREFIX is a number of operations; CUT is all, names, lost or mix.\n";

static const char *const cuts[] = {"all", "names", "lost", "mix"};

void prefixes_die(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(2);
}

struct run {
	char *base;
	struct trace trace;
	struct image im;
};

static void load(struct run *r, const char *base, const char *disk)
{
	static const char *const tops[] = {"repo", "repo.worktrees", NULL};
	AUTO_FREE char *path = mem_printf("%s/trace", base), *template = mem_printf("%s/template", base);
	AUTO_FREE char *trees = mem_printf("%s/template.worktrees", base);

	if (!str_eq(disk, "journal") && !str_eq(disk, "each"))
		prefixes_die("%s", usage);
	r->base = realpath(base, NULL);
	if (!r->base)
		prefixes_die("no folder %s", base);
	trace_read(&r->trace, path, r->base, tops);
	image_init(&r->im, str_eq(disk, "each") ? DISK_EACH : DISK_JOURNAL);
	image_load(&r->im, template, "repo");
	if (fs_is_dir(trees))
		image_load(&r->im, trees, "repo.worktrees");
}

static int check(struct run *r, char *const *rules)
{
	AUTO_FREE char *repo = mem_printf("%s/repo", r->base);
	struct order *o = order_new(&r->im, repo);

	for (size_t i = 0; i < r->trace.n; i++) {
		order_before(o, &r->trace.ops[i], i + 1);
		image_apply(&r->im, &r->trace.ops[i]);
		order_after(o, &r->trace.ops[i], i + 1);
	}
	bool same = image_same(&r->im, r->base);
	if (!same)
		printf("the trace does not give what is there: the model is wrong\n");
	bool asked = order_asked(o, rules);
	printf("%zu operations, %zu violations\n", r->trace.n, order_wrong(o));
	int rc = order_wrong(o) || !same || !asked;
	order_free(o);
	return rc;
}

/* What is worth more rounds than the rest: refs, the store, the checkout, what is removed. */
static int weight(const struct op *op)
{
	const char *to = op->to ? op->to : op->path;

	if (op->kind == OP_WRITE && op->flag)
		return 3;
	if (strstr(to, "/.git/refs/") || str_ends(to, "/packed-refs") || str_ends(to, "/.git/HEAD"))
		return op->kind == OP_RENAME || op->kind == OP_LINK || op->kind == OP_UNLINK ? 3 : 2;
	if (str_starts(to, "repo/") && !str_starts(to, "repo/.git/"))
		return 3;
	if (str_ends(to, "repo/.git/index") || (op->kind == OP_RMDIR && strstr(to, "worktrees")))
		return 3;
	return strstr(to, "/.git/objects/") || op->kind == OP_FSYNC ? 2 : 1;
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

static void list(struct run *r)
{
	uint64_t *seen = mem_array((r->trace.n + 1) * 3, sizeof *seen);
	size_t n = 0;
	int most = 1; /* of the operations since the last state that differed: they were one as well */

	for (size_t i = 0; i <= r->trace.n; i++) {
		const struct op *op = i ? &r->trace.ops[i - 1] : NULL;
		const struct op *next = i < r->trace.n ? &r->trace.ops[i] : NULL;
		if (op)
			image_apply(&r->im, op);
		int here = op ? weight(op) : 1, after = next ? weight(next) : 3;
		most = here > after ? here : after;
		for (int cut = CUT_ALL; cut <= CUT_LOST; cut++) {
			uint64_t h = image_hash(&r->im, (enum image_cut)cut, 0);
			if (n && bsearch(&h, seen, n, sizeof *seen, by_value))
				continue;
			seen[n++] = h;
			qsort(seen, n, sizeof *seen, by_value);
			printf("%zu %s %d %s %s\n", i, cuts[cut], most, op ? trace_name(op->kind) : "nothing",
			       op ? op->to ? op->to : op->path : "-");
		}
	}
	free(seen);
}

static int make(struct run *r, const char *prefix, const char *cut, const char *seed)
{
	uint64_t n, number = 0;

	if (!str_u64(prefix, &n) || n > r->trace.n || (seed && !str_u64(seed, &number)))
		prefixes_die("%s", usage);
	for (size_t i = 0; i < n; i++)
		image_apply(&r->im, &r->trace.ops[i]);
	for (size_t i = 0; i < MEM_COUNT(cuts); i++)
		if (str_eq(cuts[i], cut)) {
			image_write(&r->im, (enum image_cut)i, number, r->base);
			return 0;
		}
	prefixes_die("%s", usage);
}

int main(int argc, char **argv)
{
	struct run r = {0};
	int rc = 0;

	if (argc < 4)
		prefixes_die("%s", usage);
	load(&r, argv[2], argv[3]);
	if (str_eq(argv[1], "check") && argc > 4)
		rc = check(&r, argv + 4);
	else if (str_eq(argv[1], "list") && argc == 4)
		list(&r);
	else if (str_eq(argv[1], "make") && (argc == 6 || argc == 7))
		rc = make(&r, argv[4], argv[5], argc == 7 ? argv[6] : NULL);
	else
		prefixes_die("%s", usage);
	trace_fini(&r.trace);
	image_fini(&r.im);
	free(r.base);
	return rc;
}
