/* plan_assign: which worktree a story is for, by the rule of the original (formats.md S3.4). */
#include "plan.h"

#include <string.h>

#include "store/base/mem.h"

enum task_state plan_end(const struct task_def *d)
{
	if (d->routed)
		return TASK_ROUTED;
	return str_eq(d->category, "CLEAN") ? TASK_ALREADY : TASK_WAITING;
}

size_t plan_runs(const struct plan *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n; i++)
		n += plan_end(&p->tasks[i]) == TASK_WAITING;
	return n;
}

/* Where a story that it needs is; else the worktree with fewest, of these the first. */
static uint32_t choose(const struct plan *p, size_t task, const uint32_t *slot, const size_t *load, size_t slots)
{
	uint32_t best = 0;

	for (size_t k = p->needs_at[task]; k < p->needs_at[task + 1]; k++)
		if (slot[p->needs[k]] != UINT32_MAX)
			return slot[p->needs[k]];
	for (uint32_t i = 1; i < slots; i++)
		if (load[i] < load[best])
			best = i;
	return best;
}

bool plan_assign(uint32_t *slot, const struct plan *p, size_t slots)
{
	AUTO_FREE size_t *load = mem_array(slots, sizeof *load);

	for (size_t i = 0; i < p->n; i++)
		slot[i] = UINT32_MAX;
	if (!str_eq(p->kind, "stories"))
		return false;
	for (size_t i = 0; i < p->n; i++) {
		if (plan_end(&p->tasks[i]) != TASK_WAITING)
			continue;
		slot[i] = choose(p, i, slot, load, slots);
		load[slot[i]]++;
	}
	return true;
}
