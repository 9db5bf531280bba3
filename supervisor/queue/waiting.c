/* waiting: who is in whose way. */
#include "waiting.h"

#include "store/base/mem.h"

enum { MOST = 4 }; /* that are named of one task */

/* One that `i` may be held up by. */
struct edge {
	const char *how;
	uint32_t by;
};

char *waiting_because(const char *how, const char *id, enum task_state state)
{
	return mem_printf("%s %s, which %s%s", how, id, state == TASK_CLAIMED ? "somebody else works on" : "is ",
	                  state == TASK_CLAIMED ? "" : task_state_shown(state));
}

static bool over(enum task_state state)
{
	return task_state_ended(state) && state != TASK_CLAIMED;
}

/* The next thing in the way of `i`, from *at on: its needs, what it comes after, whose files it shares. */
static bool next(const struct plan *p, const enum task_state *states, size_t i, size_t *at, struct edge *out)
{
	size_t needs = p->needs_at ? p->needs_at[i + 1] - p->needs_at[i] : 0;
	size_t after = p->after_at ? p->after_at[i + 1] - p->after_at[i] : 0;

	for (; *at < needs + after + p->n; ++*at) {
		if (*at < needs) {
			*out = (struct edge){"it needs", p->needs[p->needs_at[i] + *at]};
			if (task_state_good(states[out->by]))
				continue;
		} else if (*at < needs + after) {
			*out = (struct edge){"it comes after", p->after[p->after_at[i] + *at - needs]};
			if (over(states[out->by]))
				continue;
		} else {
			*out = (struct edge){"it shares files with", (uint32_t)(*at - needs - after)};
			if (states[out->by] != TASK_CLAIMED || out->by == i || !plan_overlaps((void *)(uintptr_t)p, (uint32_t)i, out->by))
				continue;
		}
		++*at;
		return true;
	}
	return false;
}

bool waiting_none(const struct plan *p, const enum task_state *states, size_t i)
{
	struct edge ignored;
	size_t at = 0;

	return !next(p, states, i, &at, &ignored);
}

char *waiting_why(const struct plan *p, const enum task_state *states, size_t i)
{
	AUTO_STRV struct strv said = {0};
	AUTO_STR struct str text = {0};
	size_t at = 0, n = 0;
	struct edge edge;

	while (next(p, states, i, &at, &edge)) {
		bool again = strv_has(&said, p->tasks[edge.by].id);
		if (again || n++ >= MOST)
			continue;
		strv_add(&said, p->tasks[edge.by].id);
		AUTO_FREE char *one = waiting_because(edge.how, p->tasks[edge.by].id, states[edge.by]);
		str_addf(&text, "%s%s", text.len ? "; " : "", one);
	}
	if (n > MOST)
		str_addf(&text, "; and %zu more", n - MOST);
	return text.len ? str_take(&text) : NULL;
}

void waiting_list(const struct plan *p, const enum task_state *states, struct strv *out)
{
	for (size_t i = 0; i < p->n; i++) {
		AUTO_FREE char *why = over(states[i]) || states[i] == TASK_CLAIMED ? NULL : waiting_why(p, states, i);
		if (why)
			strv_addf(out, "%s waits: %s", p->tasks[i].id, why);
	}
}
