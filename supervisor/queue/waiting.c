/* waiting: who is in whose way. */
#include "waiting.h"

#include "store/base/mem.h"

enum { MOST = 4, LINES_MOST = 100 }; /* that are named of one task; tasks that are named */

struct look {
	const struct plan *p;
	const enum task_state *states;
	uint32_t *claimed;
	size_t n_claimed;
};

char *waiting_because(const char *how, const char *id, enum task_state state)
{
	return mem_printf("%s %s, which %s%s", how, id, state == TASK_CLAIMED ? "somebody else works on" : "is ",
	                  state == TASK_CLAIMED ? "" : task_state_shown(state));
}

bool waiting_barred(const struct plan *p, size_t i, enum task_state state)
{
	return p->tasks[i].missing && !task_state_ended(state);
}

/* Of those that only come before it: who cannot be run holds nobody up. */
static bool over(const struct look *l, uint32_t i)
{
	return (task_state_ended(l->states[i]) && l->states[i] != TASK_CLAIMED) || waiting_barred(l->p, i, l->states[i]);
}

/* The reasons found for one task so far. */
struct reasons {
	struct str text;
	struct strv ids;
	size_t more;
};

static void add(struct reasons *r, const struct look *l, const char *how, uint32_t by)
{
	const char *id = l->p->tasks[by].id;

	if (strv_has(&r->ids, id))
		return;
	if (r->ids.n == MOST) {
		r->more++;
		return;
	}
	strv_add(&r->ids, id);
	AUTO_FREE char *one = waiting_because(how, id, l->states[by]);
	str_addf(&r->text, "%s%s", r->text.len ? "; " : "", one);
}

static char *why_not(const struct look *l, uint32_t i)
{
	const struct plan *p = l->p;
	struct reasons r = {0};

	if (waiting_barred(p, i, l->states[i]))
		return mem_printf("it cannot be run: %s", p->tasks[i].missing);
	for (size_t k = p->needs_at ? p->needs_at[i] : 0; p->needs_at && k < p->needs_at[i + 1]; k++)
		if (!task_state_good(l->states[p->needs[k]]))
			add(&r, l, "it needs", p->needs[k]);
	for (size_t k = p->after_at ? p->after_at[i] : 0; p->after_at && k < p->after_at[i + 1]; k++)
		if (!over(l, p->after[k]))
			add(&r, l, "it comes after", p->after[k]);
	for (size_t k = 0; k < l->n_claimed; k++)
		if (plan_overlaps((void *)(uintptr_t)p, i, l->claimed[k]))
			add(&r, l, "it shares files with", l->claimed[k]);
	if (r.more)
		str_addf(&r.text, "; and %zu more", r.more);
	strv_fini(&r.ids);
	return r.text.len ? str_take(&r.text) : NULL;
}

void waiting_all(char **why, const struct plan *p, const enum task_state *states)
{
	struct look l = {.p = p, .states = states, .claimed = mem_array(p->n, sizeof *l.claimed)};

	for (uint32_t i = 0; i < p->n; i++)
		if (states[i] == TASK_CLAIMED)
			l.claimed[l.n_claimed++] = i;
	for (uint32_t i = 0; i < p->n; i++)
		why[i] = task_state_ended(states[i]) ? NULL : why_not(&l, i);
	free(l.claimed);
}

bool waiting_only(const struct plan *p, const enum task_state *states, struct strv *lines)
{
	AUTO_FREE char **why = mem_array(p->n, sizeof *why);
	size_t n = 0;
	bool only = true;

	waiting_all(why, p, states);
	for (size_t i = 0; i < p->n; i++) {
		only &= why[i] || task_state_ended(states[i]);
		if (why[i] && n++ < LINES_MOST)
			strv_addf(lines, "%s waits: %s", p->tasks[i].id, why[i]);
		free(why[i]);
	}
	if (n > LINES_MOST)
		strv_addf(lines, "and %zu more", n - LINES_MOST);
	if (!only)
		strv_fini(lines);
	return only;
}
