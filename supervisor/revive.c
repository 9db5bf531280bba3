/* revive: a list that grows as tasks come back, followed once along the edges to those that need them. */
#include "revive.h"

#include "plan/dag.h"
#include "plan/plan.h"
#include "store/base/mem.h"

/* What needs it cannot begin, as it is. */
static bool lost(enum task_state state)
{
	return state != TASK_CLAIMED && task_state_ended(state) && !task_state_good(state);
}

void revive_skipped(bool *back, const enum task_state *states, const uint32_t *needs, const size_t *needs_at, size_t n,
                    revive_may *may, void *ctx)
{
	AUTO_FREE uint32_t *list = mem_array(n, sizeof *list), *missing = mem_array(n, sizeof *missing), *by = NULL;
	AUTO_FREE size_t *by_at = NULL;
	size_t found = 0;

	dag_turned(&by, &by_at, needs, needs_at, n);
	for (size_t i = 0; i < n; i++) {
		if (back[i] && lost(states[i]))
			list[found++] = (uint32_t)i;
		for (size_t k = needs_at[i]; states[i] == TASK_SKIPPED && k < needs_at[i + 1]; k++)
			missing[i] += lost(states[needs[k]]);
	}
	for (size_t at = 0; at < found; at++) {
		for (size_t k = by_at[list[at]]; k < by_at[list[at] + 1]; k++) {
			uint32_t i = by[k];
			if (states[i] != TASK_SKIPPED || --missing[i] || back[i] || !may(ctx, i))
				continue;
			back[i] = true;
			list[found++] = i;
		}
	}
}

uint32_t revive_kept_by(const bool *back, const enum task_state *states, const uint32_t *needs, const size_t *needs_at,
                        size_t i)
{
	uint32_t by = UINT32_MAX;

	for (size_t k = needs_at[i]; states[i] == TASK_SKIPPED && k < needs_at[i + 1]; k++) {
		if (!lost(states[needs[k]]) || (back && back[needs[k]]))
			continue;
		by = needs[k]; /* and that one? */
		i = by;
		k = needs_at[i] - 1;
	}
	return by;
}

char *revive_fault(const char *id, const char *by, enum task_state state)
{
	return mem_printf("%s is skipped because of %s, which is %s; name the one it was skipped for: bosk retry %s %s", id, by,
	                  task_state_shown(state), by, id);
}

bool revive_cancelled(const struct task_row *row)
{
	return str_eq(row->reason, PLAN_CANCELLED);
}
