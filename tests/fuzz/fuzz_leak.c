/* Fuzz target: looking for secrets in a file. The first byte of an input says which lines are new, the next line is the
 * path, the rest the text. */
#include "fuzz.h"

#include <assert.h>
#include <string.h>

#include "store/base/mem.h"
#include "store/base/str.h"
#include "worker/leak.h"

struct found {
	struct strv all; /* line rule */
	size_t last, from, to;
};

static void take(void *ctx, const struct leak_finding *f)
{
	struct found *x = ctx;

	assert(leak_rule_known(f->rule, strlen(f->rule)));
	assert(strlen(f->print) == LEAK_PRINT - 1);
	assert(f->line >= x->last);
	assert(!f->line || (f->line >= x->from && f->line < x->to));
	x->last = f->line;
	strv_addf(&x->all, "%zu %s", f->line, f->rule);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct leak_rules *rules;
	struct err e = {0};

	if (!rules && leak_rules_new(&rules, &e) != 0)
		abort();
	if (n < 2)
		return 0;
	const char *p = (const char *)data + 1, *line = memchr(p, '\n', n - 1), *text = line ? line + 1 : p;
	AUTO_FREE char *path = mem_strndup(p, line ? (size_t)(line - p) : 0);
	struct found some = {.from = 1 + data[0] % 8, .to = 1 + data[0] % 8 + 1 + data[0] / 64}, all = {.from = 1, .to = SIZE_MAX};
	struct gitx_lines few = {some.from, some.to - some.from}, every = {1, SIZE_MAX};
	struct gitx_added f = {.path = path, .text = text, .n = n - (size_t)(text - (const char *)data), .lines = &few, .n_lines = 1};

	f.binary = data[0] % 16 == 15;
	if (f.binary)
		few = every;
	leak_scan(rules, &f, take, NULL, &some);
	f.lines = &every;
	leak_scan(rules, &f, take, NULL, &all);
	/* What is found in a line does not depend on which others are new; a private key is told at its first line that is. */
	for (size_t i = 0; i < some.all.n; i++)
		assert(strv_has(&all.all, some.all.v[i]) || strstr(some.all.v[i], "private-key"));
	strv_fini(&some.all);
	strv_fini(&all.all);

	struct leak_allow allow;
	AUTO_STRV struct strv wrong = {0};
	struct leak_finding any = {.rule = "password", .print = "0a1b2c3d"};
	leak_allow_read(&allow, f.text, f.n, &wrong);
	leak_allow_has(&allow, path, &any);
	leak_allow_fini(&allow);
	return 0;
}
