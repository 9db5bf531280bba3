/* fuzz_plan: any bytes as a plan. Either there is at least one fault and no plan, or a plan whose
 * normal form loads again and says the same. */
#include <assert.h>
#include <string.h>

#include "store/base/mem.h"
#include "supervisor/plan/plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void check_waves(const struct plan *p)
{
	for (size_t i = 0; i < p->n; i++) {
		assert(p->wave[i] >= 1 && p->wave[i] <= p->n);
		assert(!plan_id_fault(p->tasks[i].id));
		for (size_t k = p->needs_at[i]; k < p->needs_at[i + 1]; k++)
			assert(p->wave[p->needs[k]] < p->wave[i]);
	}
	for (uint32_t a = 0; a < p->n && a < 16; a++)
		for (uint32_t b = 0; b < a; b++)
			assert(plan_overlaps((void *)(uintptr_t)p, a, b) ==
			       plan_overlaps((void *)(uintptr_t)p, b, a));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	static const char *const gates[] = {"lint", "tests"};
	static const char *const agents[] = {"codex"};
	static const struct plan_context context = {.gates = gates, .n_gates = 2, .agents = agents, .n_agents = 1};
	struct plan_faults faults = {0};
	struct plan p, q;
	AUTO_STR struct str text = {0};
	/* As a file is read: ended by a NUL that does not count. */
	AUTO_FREE char *copy = mem_alloc(n + 1);

	if (n)
		memcpy(copy, bytes, n);
	if (plan_load_text(&p, "plan", copy, n, &context, &faults) != 0) {
		assert(faults.n > 0);
		plan_faults_print(&faults, &text);
		assert(text.len > 0);
		plan_faults_fini(&faults);
		return 0;
	}
	bool queue = p.queue != NULL; /* may be empty, and is kept in another form than this one */
	assert(faults.n == 0 && (p.n > 0 || queue));
	check_waves(&p);
	plan_write(&p, &text);
	if (queue) {
		plan_fini(&p);
		return 0;
	}
	int rc = plan_load_text(&q, "again", text.p, text.len, &context, &faults);
	assert(rc == 0);
	assert(strcmp(p.content, q.content) == 0);
	plan_fini(&p);
	plan_fini(&q);
	return 0;
}
