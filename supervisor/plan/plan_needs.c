/* plan_needs: which task waits for which, by number, and in which wave it is. What a task names in `needs` always
 * counts; a barrier between waves adds to that, and is kept out of the plan itself: it is a way to run it. What it
 * names in `after` and `in_turn` is kept apart: it only has to have ended. */
#include "plan_private.h"

#include "dag.h"
#include "store/base/mem.h"

struct edges {
	uint32_t *to;
	size_t *at; /* n + 1 */
};

static void edges_free(struct edges *g)
{
	free(g->to);
	free(g->at);
}

/* Lists of ids that one kind of edges is made of. */
static const size_t needs_lists[] = {offsetof(struct task_def, needs)};
static const size_t after_lists[] = {offsetof(struct task_def, after), offsetof(struct task_def, in_turn)};

static const struct strv *list_of(const struct task_def *d, size_t offset)
{
	return (const struct strv *)((const char *)d + offset);
}

static int resolve(struct edges *out, const struct plan *p, const uint32_t *index, const char *verb,
                   const size_t *lists, size_t n_lists, struct err *e)
{
	size_t total = 0, at = 0;

	for (size_t i = 0; i < p->n; i++)
		for (size_t l = 0; l < n_lists; l++)
			total += list_of(&p->tasks[i], lists[l])->n;
	out->to = mem_array(total, sizeof *out->to);
	out->at = mem_array(p->n + 1, sizeof *out->at);
	for (size_t i = 0; i < p->n; i++) {
		for (size_t l = 0; l < n_lists; l++) {
			const struct strv *names = list_of(&p->tasks[i], lists[l]);
			for (size_t k = 0; k < names->n; k++) {
				uint32_t to = plan_index_find(index, p->tasks, p->n, names->v[k]);
				if (to == UINT32_MAX)
					return err_set(e, ERR_DAMAGED, "task %s %s %s, which does not exist", p->tasks[i].id, verb,
					               names->v[k]);
				out->to[at++] = to;
			}
		}
		out->at[i + 1] = at;
	}
	return 0;
}

static int resolve_all(struct edges *own, struct edges *after, const struct plan *p, struct err *e)
{
	AUTO_FREE uint32_t *index = plan_index_new(p->tasks, p->n);

	for (size_t i = 0; i < p->n; i++) {
		if (!p->tasks[i].id)
			return err_set(e, ERR_DAMAGED, "task %zu has no id", i + 1);
		if (plan_index_find(index, p->tasks, p->n, p->tasks[i].id) != i)
			return err_set(e, ERR_DAMAGED, "two tasks have the id %s", p->tasks[i].id);
	}
	if (resolve(own, p, index, "needs", needs_lists, MEM_COUNT(needs_lists), e) != 0)
		return -1;
	return resolve(after, p, index, "comes after", after_lists, MEM_COUNT(after_lists), e);
}

/* ---- waves ---- */

/* Those that a segments plan gives, where each task has one. */
static bool given(const struct plan *p)
{
	bool all = str_eq(p->kind, "segments");
	for (size_t i = 0; all && i < p->n; i++)
		all = p->tasks[i].wave > 0 && p->tasks[i].wave <= p->n;
	return all;
}

/* Both kinds in one. */
static void join(struct edges *out, const struct edges *a, const struct edges *b, size_t n)
{
	size_t at = 0;

	out->to = mem_array(a->at[n] + b->at[n], sizeof *out->to);
	out->at = mem_array(n + 1, sizeof *out->at);
	for (size_t i = 0; i < n; i++) {
		for (size_t k = a->at[i]; k < a->at[i + 1]; k++)
			out->to[at++] = a->to[k];
		for (size_t k = b->at[i]; k < b->at[i + 1]; k++)
			out->to[at++] = b->to[k];
		out->at[i + 1] = at;
	}
}

static int find_waves(struct plan *p, const struct edges *own, const struct edges *after, struct err *e)
{
	struct edges all = {0};

	join(&all, own, after, p->n);
	size_t cycles = dag_waves(p->wave, all.to, all.at, p->n, NULL, NULL);
	edges_free(&all);
	if (cycles)
		return err_set(e, ERR_DAMAGED, "tasks wait for each other in a circle");
	if (!given(p))
		return 0;
	for (size_t i = 0; i < p->n; i++)
		p->wave[i] = (uint32_t)p->tasks[i].wave;
	for (size_t i = 0; i < p->n; i++)
		for (size_t k = own->at[i]; k < own->at[i + 1]; k++)
			if (p->wave[own->to[k]] >= p->wave[i])
				return err_set(e, ERR_DAMAGED, "task %s of wave %u needs %s of wave %u", p->tasks[i].id,
				               p->wave[i], p->tasks[own->to[k]].id, p->wave[own->to[k]]);
	return 0;
}

/* Task numbers by wave; from[w] is where wave w begins, from[p->n + 1] the end. */
static uint32_t *by_wave(const struct plan *p, size_t *from)
{
	uint32_t *order = mem_array(p->n, sizeof *order);
	AUTO_FREE size_t *next = mem_array(p->n + 2, sizeof *next);

	for (size_t i = 0; i < p->n; i++)
		from[p->wave[i] + 1]++;
	for (size_t w = 1; w <= p->n + 1; w++)
		from[w] += from[w - 1];
	for (size_t w = 0; w <= p->n + 1; w++)
		next[w] = from[w];
	for (size_t i = 0; i < p->n; i++)
		order[next[p->wave[i]]++] = (uint32_t)i;
	return order;
}

/* ---- barriers ---- */

struct barrier {
	const struct plan *p;
	bool wave;  /* for all of the wave before; else only for segments that name no dependency, for all before them: */
	bool given; /* they may build on what was planned before */
};

/* The waves, all of which task i waits for: from *first, before its own. False: none of them. */
static bool waits_for(const struct barrier *b, size_t i, uint32_t *first)
{
	uint32_t wave = b->p->wave[i];

	*first = b->wave ? wave - 1 : 1;
	return wave > 1 && (b->wave || (b->given && !b->p->tasks[i].needs.n));
}

static int add_barrier(struct plan *p, struct edges *own, bool wave, struct err *e)
{
	struct barrier b = {.p = p, .wave = wave, .given = given(p)};
	AUTO_FREE size_t *from = mem_array(p->n + 2, sizeof *from);
	AUTO_FREE uint32_t *order = by_wave(p, from);
	struct edges all = {.at = mem_array(p->n + 1, sizeof *all.at)};
	uint32_t first;
	size_t total = own->at[p->n], at = 0;

	for (size_t i = 0; i < p->n; i++)
		if (waits_for(&b, i, &first))
			total += from[p->wave[i]] - from[first];
	if (total > PLAN_MAX_EDGES && total > own->at[p->n]) {
		free(all.at);
		return err_set(e, ERR_USAGE, "its waves are so large that waiting for them takes %zu dependencies, and %d "
		               "are the most: make smaller waves, or use %s", total, PLAN_MAX_EDGES,
		               wave ? "--barrier none" : "--barrier wave");
	}
	all.to = mem_array(total, sizeof *all.to);
	for (size_t i = 0; i < p->n; i++) {
		bool waits = waits_for(&b, i, &first);
		for (size_t k = own->at[i]; k < own->at[i + 1]; k++)
			if (!waits || p->wave[own->to[k]] < first)
				all.to[at++] = own->to[k];
		for (size_t k = waits ? from[first] : 0; waits && k < from[p->wave[i]]; k++)
			all.to[at++] = order[k];
		all.at[i + 1] = at;
	}
	free(own->to);
	free(own->at);
	*own = all;
	return 0;
}

const char *plan_barrier(const char *kind)
{
	return str_eq(kind, "segments") ? PLAN_BARRIER_WAVE : PLAN_BARRIER_NONE;
}

int plan_needs(struct plan *p, const char *barrier, struct err *e)
{
	struct edges own = {0}, after = {0};
	const char *which = barrier ? barrier : plan_barrier(p->kind);
	uint32_t *before = p->wave;

	p->wave = mem_array(p->n, sizeof *p->wave);
	int rc = resolve_all(&own, &after, p, e);
	if (rc == 0)
		rc = find_waves(p, &own, &after, e);
	if (rc == 0 && !str_eq(which, PLAN_BARRIER_BARE))
		rc = add_barrier(p, &own, str_eq(which, PLAN_BARRIER_WAVE), e);
	if (rc != 0) {
		edges_free(&own);
		edges_free(&after);
		free(p->wave);
		p->wave = before;
		return -1;
	}
	free(before);
	free(p->needs);
	free(p->needs_at);
	free(p->after);
	free(p->after_at);
	p->needs = own.to;
	p->needs_at = own.at;
	p->after = after.to;
	p->after_at = after.at;
	return 0;
}

int plan_set_barrier(struct plan *p, const char *barrier, struct err *e)
{
	return plan_needs(p, barrier, e);
}
