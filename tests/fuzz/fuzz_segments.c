/* fuzz_segments: any bytes as a plan of segments. Either there is at least one fault and no plan, or waves and
 * dependencies hold, with each barrier, and its normal form loads again and says the same. */
#include <assert.h>
#include <string.h>

#include "fuzz.h"
#include "store/base/mem.h"
#include "supervisor/plan/plan.h"
#include "worker/gitx.h"

static void check(const struct plan *p)
{
	size_t last = 0;

	for (size_t i = 0; i < p->n; i++) {
		const struct task_def *d = &p->tasks[i];
		assert(p->wave[i] >= 1 && p->wave[i] <= p->n);
		assert(strcmp(p->kind, "segments") != 0 || d->wave == p->wave[i]);
		assert(!d->worktree || str_starts(d->worktree, "/r/") || str_starts(d->worktree, "/w/"));
		assert(!d->branch || gitx_branch_name_ok(d->branch));
		for (size_t k = p->needs_at[i]; k < p->needs_at[i + 1]; k++)
			assert(p->wave[p->needs[k]] < p->wave[i]);
		last = p->wave[i] > last ? p->wave[i] : last;
	}
	for (size_t w = 1; w <= last && last <= 64; w++) { /* none is empty */
		size_t n = 0;
		for (size_t i = 0; i < p->n; i++)
			n += p->wave[i] == w;
		assert(n > 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	static struct plan_model models[] = {{(char *)"sonnet-4.5", (char *)"claude", NULL}, {(char *)"flash", NULL, NULL}};
	static const struct plan_context context = {.root = "/r", .top = "/r", .worktrees_dir = "/w",
	                                            .models = models, .n_models = 2};
	struct plan_faults faults = {0};
	struct plan p, q;
	struct err e = {0};
	AUTO_STR struct str text = {0};
	AUTO_FREE char *copy = mem_alloc(n + 1);

	assert(gitx_init(false, &e) == 0);
	if (n)
		memcpy(copy, bytes, n);
	if (plan_load_text(&p, "plan", copy, n, &context, &faults) != 0) {
		assert(faults.n > 0);
		plan_faults_fini(&faults);
		return 0;
	}
	assert(faults.n == 0 && p.n > 0);
	check(&p);
	if (plan_set_barrier(&p, PLAN_BARRIER_NONE, &e) == 0)
		check(&p);
	plan_write(&p, &text);
	if (strcmp(p.kind, "segments") == 0) { /* another one may name agents and gates that are not configured here */
		assert(plan_load_text(&q, "again", text.p, text.len, &context, &faults) == 0);
		assert(strcmp(p.content, q.content) == 0);
		plan_fini(&q);
	}
	plan_fini(&p);
	return 0;
}
