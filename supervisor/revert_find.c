/* revert_find: what is to be taken out with a task, and by which merges it all came in (declared in revert_private.h).
 * Looks, changes nothing. */
#include <string.h>

#include "plan/dag.h"
#include "revert_private.h"
#include "store/base/mem.h"

int revert_dependents(struct revert *r, bool *in, struct err *e)
{
	struct session *s = r->s;
	struct plan *p = &s->plan;
	AUTO_FREE bool *seen = mem_array(p->n, sizeof *seen);
	AUTO_FREE uint32_t *list = mem_array(p->n, sizeof *list), *by = NULL;
	AUTO_FREE size_t *by_at = NULL;
	size_t n = 0;

	/* Waves that wait for one another are order, not need. */
	if (plan_set_barrier(p, PLAN_BARRIER_BARE, e) != 0)
		return -1;
	dag_turned(&by, &by_at, p->needs, p->needs_at, p->n);
	seen[r->task] = true;
	list[n++] = (uint32_t)r->task;
	for (size_t at = 0; at < n; at++) {
		for (size_t k = by_at[list[at]]; k < by_at[list[at] + 1]; k++) {
			uint32_t i = by[k];
			enum task_state state = session_task_state(s, i);
			if (seen[i])
				continue;
			seen[i] = true;
			list[n++] = i;
			if ((state == TASK_INTEGRATED || state == TASK_LANDED) && session_brings(&in[i], s, i, e) != 0)
				return -1;
			r->back[i] = state == TASK_CHECKED;
			if (!task_state_ended(state))
				strv_add(&r->out->open, p->tasks[i].id);
		}
	}
	return 0;
}

/* ---- merges ---- */

/* Of these tasks' merges the one that this is; SIZE_MAX = none. */
static size_t whose(const struct session *s, const bool *in, const struct oid *at)
{
	for (size_t i = 0; i < s->plan.n; i++)
		if (in[i] && (str_eq(s->tasks[i].merge, at->hex) || strv_has(&s->tasks[i].earlier, at->hex)))
			return i;
	return SIZE_MAX;
}

/* What git's own revert says in its message. Commits come newest first: one that was reverted itself does not count. */
struct by_hand {
	struct strv reverted, by; /* beside each other */
};

static int take_message(struct by_hand *h, struct gitx *g, const struct oid *at, struct err *e)
{
	static const char says[] = "This reverts commit ";
	AUTO_STR struct str text = {0};
	struct oid what;

	if (gitx_message(g, at, &text, e) != 0)
		return -1;
	const char *p = strstr(str_text(&text), says);
	AUTO_FREE char *hex = p ? mem_strndup(p + strlen(says), sizeof what.hex - 1) : NULL;
	if (hex && oid_parse(&what, hex) && !strv_has(&h->reverted, at->hex)) {
		strv_add(&h->reverted, what.hex);
		strv_add(&h->by, at->hex);
	}
	return 0;
}

static void add_step(struct revert *r, const struct by_hand *h, size_t task, const struct oid *at)
{
	struct revert_step step = {.task = task, .merge = *at};

	for (size_t i = 0; i < h->reverted.n; i++)
		if (str_eq(h->reverted.v[i], at->hex) || str_eq(h->reverted.v[i], r->s->tasks[task].commit))
			oid_parse(&step.by_hand, h->by.v[i]);
	r->steps = mem_grow(r->steps, r->n + 1, sizeof *r->steps);
	r->steps[r->n++] = step;
}

/* Merges on the first-parent way from the tip, those of an earlier session that this one goes on from too. */
static int walk(struct revert *r, struct by_hand *h, const bool *in, size_t wanted, struct err *e)
{
	struct gitx *g = r->s->site->git;
	struct oid at = r->from, parents[2];
	size_t n = 1;

	for (; n && r->n < wanted; at = parents[0]) {
		size_t task = whose(r->s, in, &at);
		if (gitx_parents(g, &at, parents, 2, &n, e) != 0 || take_message(h, g, &at, e) != 0)
			return -1;
		/* A commit with one parent: somebody's fast-forward to what the task had committed. */
		if (task != SIZE_MAX && (n == 2 || (n == 1 && str_eq(r->s->tasks[task].commit, at.hex))))
			add_step(r, h, task, &at);
	}
	return 0;
}

int revert_steps(struct revert *r, const bool *in, bool *found, struct err *e)
{
	const struct session *s = r->s;
	struct by_hand h = {0};
	size_t wanted = 0;

	for (size_t i = 0; i < s->plan.n; i++)
		wanted += in[i] ? (s->tasks[i].merge != NULL) + s->tasks[i].earlier.n : 0;
	int rc = walk(r, &h, in, wanted, e);
	*found = rc == 0 && r->n == wanted;
	for (size_t i = 0; rc == 0 && !*found && i < s->plan.n; i++) {
		bool any = !in[i];
		for (size_t k = 0; k < r->n; k++)
			any |= r->steps[k].task == i;
		if (!any)
			revert_refuse(r, "not taken out: how %s came to branch %s was somebody's doing, and bosk cannot undo that: do it "
			              "there by hand; landing takes the branch as it is then", s->plan.tasks[i].id,
			              s->manifest.integration_branch);
	}
	strv_fini(&h.reverted);
	strv_fini(&h.by);
	return rc;
}
