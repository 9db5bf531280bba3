/* plan_check: tasks against each other: ids, needs, cycles. Only adds faults; changes no task. */
#include "plan_private.h"

#include <string.h>

#include "dag.h"
#include "store/base/mem.h"

/* Comparisons spent on "did you mean" in all: a hundred thousand wrong names must not each be
 * compared with a hundred thousand ids. */
enum { MAX_GUESSES = 200000 };

/* ---- ids ---- */

static void id_fault(struct plan_loader *l, uint32_t task, uint32_t earlier, bool same)
{
	const struct plan_origin *o = &l->origins[task], *e = &l->origins[earlier];
	if (same)
		plan_fault(l, o->file, o->id, l->tasks[task].id, "id",
		           "this id is taken by the task at %s:%u", e->file, e->id->line);
	else
		plan_fault(l, o->file, o->id, l->tasks[task].id, "id",
		           "differs only in case from \"%.64s\" at %s:%u", l->tasks[earlier].id,
		           e->file, e->id->line);
}

/* index[from..to): ids that are equal but for case; equal ones stand together. */
static void check_group(struct plan_loader *l, const uint32_t *index, size_t from, size_t to)
{
	uint32_t first = index[from];
	for (size_t i = from; i < to; i++)
		first = index[i] < first ? index[i] : first;
	uint32_t original = index[from]; /* of the run of equal ids */
	for (size_t i = from; i < to; i++) {
		if (i > from && strcmp(l->tasks[index[i]].id, l->tasks[original].id) == 0) {
			id_fault(l, index[i], original, true);
			continue;
		}
		original = index[i];
		if (original != first && strcmp(l->tasks[first].id, l->tasks[original].id) != 0)
			id_fault(l, original, first, false);
	}
}

static void check_ids(struct plan_loader *l, const uint32_t *index)
{
	for (size_t i = 0, to; i < l->n && l->tasks[index[i]].id; i = to) {
		const char *id = l->tasks[index[i]].id;
		for (to = i + 1; to < l->n && l->tasks[index[to]].id; to++)
			if (!plan_index_same_but_case(id, l->tasks[index[to]].id))
				break;
		check_group(l, index, i, to);
	}
}

/* ---- needs ---- */

static const char *nearest_id(struct plan_loader *l, const char *word)
{
	l->guesses += l->n;
	if (l->guesses > MAX_GUESSES && l->guesses != l->n) /* the first one is always free */
		return NULL;
	AUTO_FREE const char **ids = mem_array(l->n, sizeof *ids);
	size_t n = 0;
	for (size_t i = 0; i < l->n; i++)
		if (l->tasks[i].id)
			ids[n++] = l->tasks[i].id;
	return str_nearest(word, ids, n);
}

static void check_needs(struct plan_loader *l, const uint32_t *index, uint32_t task)
{
	const struct plan_origin *o = &l->origins[task];
	const char *id = l->tasks[task].id;

	if (!o->needs || o->needs->n > PLAN_MAX_NEEDS)
		return;
	const char *key = o->needs->key->text; /* dependencies, in other tools' plans */
	for (const struct yaml_node *v = o->needs->first; v; v = v->next) {
		if (v->kind != YAML_SCALAR || !*v->text || yaml_is_null(v))
			continue; /* reported where it was read */
		if (str_eq(v->text, id)) {
			plan_fault(l, o->file, v, id, key, "a task cannot need itself");
			continue;
		}
		if (plan_index_find(index, l->tasks, l->n, v->text) != UINT32_MAX)
			continue;
		const char *near = nearest_id(l, v->text);
		if (near)
			plan_fault(l, o->file, v, id, key,
			           "there is no task \"%.64s\"; did you mean \"%.64s\"?", v->text,
			           near);
		else
			plan_fault(l, o->file, v, id, key, "there is no task \"%.64s\"",
			           v->text);
	}
}

/* ---- cycles ---- */

static void on_cycle(void *ctx, const uint32_t *path, size_t n)
{
	struct plan_loader *l = ctx;
	AUTO_STR struct str text = {0};
	enum { HEAD = 6, TAIL = 4 };

	for (size_t i = 0; i < n; i++) {
		if (i == HEAD && n > HEAD + TAIL) {
			str_addf(&text, "(%zu more) -> ", n - HEAD - TAIL);
			i = n - TAIL;
		}
		str_addf(&text, "%.64s -> ", l->tasks[path[i]].id);
	}
	const struct plan_origin *o = &l->origins[path[0]];
	const char *id = l->tasks[path[0]].id;
	bool items = str_eq(l->kind, "queue");
	plan_faults_add(l->faults, o->file, o->task ? o->task->line : o->line, o->task ? o->task->column : 0, id,
	                items ? "depends_on" : "needs", "these %s wait for each other: %s%.64s", items ? "items" : "tasks",
	                text.p, id);
	l->bad = true;
}

void plan_check_cycles(struct plan_loader *l, const uint32_t *index)
{
	size_t total = 0;
	for (size_t i = 0; i < l->n; i++)
		total += l->tasks[i].needs.n;
	AUTO_FREE uint32_t *needs = mem_array(total, sizeof *needs);
	AUTO_FREE size_t *needs_at = mem_array(l->n + 1, sizeof *needs_at);
	AUTO_FREE uint32_t *wave = mem_array(l->n, sizeof *wave);

	/* Only what is not reported already. A second task of the same id has no part in it. */
	for (size_t i = 0, at = 0; i < l->n; i++) {
		const struct strv *names = &l->tasks[i].needs;
		for (size_t k = 0; k < names->n; k++) {
			uint32_t to = plan_index_find(index, l->tasks, l->n, names->v[k]);
			if (to != UINT32_MAX && !str_eq(names->v[k], l->tasks[i].id))
				needs[at++] = to;
		}
		needs_at[i + 1] = at;
	}
	dag_waves(wave, needs, needs_at, l->n, on_cycle, l);
}

void plan_check(struct plan_loader *l)
{
	AUTO_FREE uint32_t *index = plan_index_new(l->tasks, l->n);

	plan_index_sort(index, l->tasks, l->n);
	check_ids(l, index);
	for (size_t i = 0; i < l->n; i++)
		check_needs(l, index, (uint32_t)i);
	plan_check_cycles(l, index);
}

/* ---- sizes ---- */

static size_t bytes_of(const struct strv *list)
{
	size_t n = 0;

	for (size_t i = 0; i < list->n; i++)
		n += strlen(list->v[i]) + 5; /* what the codec adds */
	return n;
}

/* What a worker is told of a task is one message: one that is too long could not be sent, in the midst of a session. */
void plan_check_sizes(struct plan_loader *l)
{
	for (size_t i = 0; i < l->n; i++) {
		const struct task_def *d = &l->tasks[i];
		const struct plan_origin *o = l->origins ? &l->origins[i] : NULL;
		const struct strv *const lists[] = {&d->needs,      &d->files,       &d->env,        &d->gates, &d->human,
		                                    &d->step_ids,   &d->step_titles, &d->step_texts, &d->step_gates,
		                                    &d->claims};
		const char *const texts[] = {d->preamble, d->prompt, d->run};
		size_t n = d->text_bytes;

		for (size_t k = 0; k < MEM_COUNT(lists); k++)
			n += bytes_of(lists[k]);
		for (size_t k = 0; k < MEM_COUNT(texts); k++)
			n += texts[k] ? strlen(texts[k]) : 0;
		if (n > PLAN_MAX_TASK)
			plan_fault(l, o ? o->file : d->story, o ? o->task : NULL, d->id, NULL,
			           "this task has %zu KiB in all (its texts and lists), at most %d are taken: put what is long "
			           "into a file of the repository", (n + 1023) >> 10, PLAN_MAX_TASK >> 10);
	}
}
