/* queue_names: what names in a queue stand for. Dialects name items, groups or solutions in `depends_on`: all of it
 * becomes ids of items. */
#include "queue_names.h"

#include <stdlib.h>
#include <string.h>

#include "store/base/mem.h"

/* ---- ids ---- */

static void check_ids(struct queue_names *w)
{
	struct plan_loader *l = w->r->l;

	for (size_t i = 1; i < w->n; i++) {
		uint32_t first = w->by_id[i - 1], second = w->by_id[i];
		const char *a = w->tasks[first].id, *b = w->tasks[second].id;
		if (!*a || !plan_index_same_but_case(a, b))
			continue;
		if (l->origins[second].line < l->origins[first].line) {
			uint32_t swap = first;
			first = second;
			second = swap;
		}
		queue_fault(w->r, l->origins[second].line, w->tasks[second].id, "item_id",
		            strcmp(a, b) == 0 ? "this id is taken by the item in line %zu (%.64s)"
		                              : "differs only in case from that of the item in line %zu, %.64s",
		            l->origins[first].line, w->tasks[first].id);
	}
}

static int by_solution(const void *a, const void *b, void *tasks)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	const struct task_def *t = tasks;
	int order = strcmp(t[x].solution, t[y].solution);

	return order ? order : (x > y) - (x < y);
}

/* The first item of a solution in by_solution. */
size_t queue_names_solution(const struct queue_names *w, const char *id)
{
	size_t from = 0, to = w->n_solutions;

	while (from < to) {
		size_t middle = from + (to - from) / 2;
		if (strcmp(w->tasks[w->by_solution[middle]].solution, id) < 0)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

/* Is the item there one of the solution? */
bool queue_names_is_of(const struct queue_names *w, size_t at, const char *solution)
{
	return at < w->n_solutions && strcmp(w->tasks[w->by_solution[at]].solution, solution) == 0;
}

/* ---- what items depend on ---- */

/* Nothing has that name. For an item that is not to be done any more it does not matter. */
static void unknown(struct queue_names *w, size_t i, const char *name)
{
	size_t line = w->r->l->origins[i].line;

	if (w->r->q->states[i] == TASK_WAITING || w->r->q->states[i] == TASK_CLAIMED)
		queue_fault(w->r, line, w->tasks[i].id, "depends_on", "there is no item, group or solution \"%.80s\"", name);
	else
		queue_warn(w->r, line, w->tasks[i].id, "depends_on: there is no item, group or solution \"%.80s\"", name);
}

static void add_need(struct queue_names *w, size_t i, uint32_t to)
{
	if (queue_names_stamp(w, &w->listed[to]) || to == i)
		return;
	strv_add(&w->r->l->tasks[i].needs, w->tasks[to].id);
	w->edges++;
}

/* The members of a group, or the items of a solution; each but once. */
static void add_all(struct queue_names *w, size_t i, const char *name)
{
	struct queue_group *g = queue_groups_find(w, name);
	size_t at = g ? 0 : queue_names_solution(w, name);

	if (g) {
		for (size_t m = 0; m < g->members.n && g->opened != w->lists; m++)
			add_need(w, i, g->members.v[m]);
		g->opened = w->lists;
	} else if (!queue_names_is_of(w, at, name)) {
		unknown(w, i, name);
	} else if (!queue_names_stamp(w, &w->opened[at])) {
		for (; queue_names_is_of(w, at, name); at++)
			add_need(w, i, w->by_solution[at]);
	}
}

static void resolve_needs(struct queue_names *w, size_t i)
{
	struct task_def *d = &w->r->l->tasks[i];
	struct strv written = d->needs;

	queue_names_start(w);
	d->needs = (struct strv){0};
	for (size_t k = 0; k < written.n && d->needs.n <= PLAN_MAX_NEEDS && w->edges <= PLAN_MAX_EDGES; k++) {
		const char *name = written.v[k];
		uint32_t item = plan_index_find(w->by_id, w->tasks, w->n, name);
		if (item == i)
			queue_fault(w->r, w->r->l->origins[i].line, d->id, "depends_on", "an item cannot depend on itself");
		else if (item != UINT32_MAX)
			add_need(w, i, item);
		else
			add_all(w, i, name);
	}
	strv_fini(&written);
	if (d->needs.n > PLAN_MAX_NEEDS)
		queue_fault(w->r, w->r->l->origins[i].line, d->id, "depends_on", "it depends on more than %d items",
		            PLAN_MAX_NEEDS);
}

void queue_names_resolve(struct queue_reader *r, const struct json_cut *groups, const struct json_cut *conflicts)
{
	struct queue_names w = {.r = r, .tasks = r->l->tasks, .n = r->l->n};

	w.by_id = plan_index_new(w.tasks, w.n);
	plan_index_sort(w.by_id, w.tasks, w.n);
	w.listed = mem_array(w.n, sizeof *w.listed);
	w.opened = mem_array(w.n, sizeof *w.opened);
	w.by_solution = mem_array(w.n, sizeof *w.by_solution);
	for (size_t i = 0; i < w.n; i++)
		if (w.tasks[i].solution)
			w.by_solution[w.n_solutions++] = (uint32_t)i;
	qsort_r(w.by_solution, w.n_solutions, sizeof *w.by_solution, by_solution, (void *)(uintptr_t)w.tasks);
	check_ids(&w);
	queue_groups_read(&w, groups);
	for (size_t i = 0; i < w.n; i++)
		resolve_needs(&w, i);
	if (w.edges > PLAN_MAX_EDGES)
		plan_fault(r->l, r->file, NULL, NULL, "depends_on", "it has more than %d dependencies", PLAN_MAX_EDGES);
	queue_groups_conflicts(&w, conflicts);
	queue_groups_write(&w);
	queue_groups_fini(&w);
	free(w.by_solution);
	free(w.by_id);
	free(w.listed);
	free(w.opened);
}
