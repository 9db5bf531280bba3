/* segments_check: segments against each other, once all of them are read: waves against dependencies, no branch and no
 * worktree twice. Then each gets the number of its wave. */
#include "segments.h"

#include <string.h>

#include "dag.h"
#include "store/base/mem.h"

static const struct yaml_node *at_or(const struct yaml_node *at, const struct plan_origin *o)
{
	return at ? at : o->task;
}

/* ---- worktrees and branches ---- */

struct name {
	const char *text;
	uint32_t task;
};

static int by_text(const void *a, const void *b)
{
	const struct name *x = a, *y = b;
	int order = strcmp(x->text, y->text);
	return order ? order : (x->task > y->task) - (x->task < y->task);
}

static const struct name *find(const struct name *v, size_t n, const char *text)
{
	size_t from = 0, to = n;
	while (from < to) {
		size_t middle = from + (to - from) / 2;
		if (strcmp(v[middle].text, text) < 0)
			from = middle + 1;
		else
			to = middle;
	}
	return from < n && strcmp(v[from].text, text) == 0 ? &v[from] : NULL;
}

struct names {
	const char *what; /* branch | worktree */
	struct name *v;
	size_t n;
};

static void clash(struct plan_loader *l, const struct names *names, const struct name *a, const struct name *b,
                  const char *how)
{
	const struct plan_origin *o = &l->origins[a->task], *other = &l->origins[b->task];
	bool branch = strcmp(names->what, "branch") == 0;
	const struct yaml_node *at = at_or(branch ? o->branch : o->worktree, o);
	const struct yaml_node *there = at_or(branch ? other->branch : other->worktree, other);

	plan_fault(l, o->file, at, l->tasks[a->task].id, names->what, "\"%s\" %s segment %.64s at %s:%u", a->text, how,
	           l->tasks[b->task].id ? l->tasks[b->task].id : "without an id", other->file, there->line);
}

/* Neither the same as another nor inside of it: git could not make it. */
static void check_names(struct plan_loader *l, struct names *names)
{
	if (names->n)
		qsort(names->v, names->n, sizeof *names->v, by_text);
	for (size_t i = 0; i < names->n; i++) {
		if (i && strcmp(names->v[i - 1].text, names->v[i].text) == 0) {
			clash(l, names, &names->v[i], find(names->v, names->n, names->v[i].text), "is also that of");
			continue;
		}
		AUTO_FREE char *above = mem_strdup(names->v[i].text);
		for (char *slash; (slash = strrchr(above, '/')) && slash != above;) {
			*slash = '\0';
			const struct name *outer = find(names->v, names->n, above);
			if (outer)
				clash(l, names, &names->v[i], outer, "lies below that of");
		}
	}
}

static void check_all_names(struct plan_loader *l)
{
	struct names branches = {.what = "branch", .v = mem_array(l->n, sizeof *branches.v)};
	struct names worktrees = {.what = "worktree", .v = mem_array(l->n, sizeof *worktrees.v)};

	for (uint32_t i = 0; i < l->n; i++) {
		if (l->tasks[i].branch)
			branches.v[branches.n++] = (struct name){l->tasks[i].branch, i};
		if (l->tasks[i].worktree)
			worktrees.v[worktrees.n++] = (struct name){l->tasks[i].worktree, i};
	}
	check_names(l, &branches);
	check_names(l, &worktrees);
	free(branches.v);
	free(worktrees.v);
}

/* A plan in its normal form was not read by segments_task. */
static void check_places(struct plan_loader *l)
{
	for (size_t i = 0; l->ctx && i < l->n; i++) {
		const struct task_def *d = &l->tasks[i];
		const struct plan_origin *o = &l->origins[i];
		AUTO_FREE char *wrong = d->worktree && !o->worktree ? segments_place_fault(l->ctx, d->worktree) : NULL;
		const char *branch = d->branch && !o->branch ? segments_branch_fault(d->branch) : NULL;
		if (wrong)
			plan_fault(l, o->file, o->task, d->id, "worktree", "\"%s\": %s", d->worktree, wrong);
		if (branch)
			plan_fault(l, o->file, o->task, d->id, "branch", "\"%s\": %s", d->branch, branch);
	}
}

/* ---- waves ---- */

static void check_order(struct plan_loader *l, const uint32_t *index)
{
	for (size_t i = 0; i < l->n; i++) {
		const struct task_def *d = &l->tasks[i];
		const struct plan_origin *o = &l->origins[i];
		const struct yaml_node *at = o->needs ? o->needs->first : NULL;
		for (size_t k = 0; d->wave && k < d->needs.n; k++) {
			uint32_t to = plan_index_find(index, l->tasks, l->n, d->needs.v[k]);
			while (at && !str_eq(at->text, d->needs.v[k]))
				at = at->next;
			if (to == UINT32_MAX || to == i || !l->tasks[to].wave || l->tasks[to].wave < d->wave)
				continue;
			plan_fault(l, o->file, at_or(at, o), d->id, o->needs ? o->needs->key->text : "needs",
			           "segment %.64s is in wave %llu, and this one in wave %llu: a wave comes after those of "
			           "its dependencies", l->tasks[to].id, (unsigned long long)l->tasks[to].wave,
			           (unsigned long long)d->wave);
		}
	}
}

/* Those that the plan puts in no wave come in the first that their dependencies allow. */
static void fill_waves(struct plan_loader *l, const uint32_t *index)
{
	size_t total = 0, at = 0;
	for (size_t i = 0; i < l->n; i++)
		total += l->tasks[i].needs.n;
	AUTO_FREE uint32_t *needs = mem_array(total, sizeof *needs), *depth = mem_array(l->n, sizeof *depth);
	AUTO_FREE size_t *needs_at = mem_array(l->n + 1, sizeof *needs_at), *from = mem_array(l->n + 2, sizeof *from);
	AUTO_FREE uint32_t *order = mem_array(l->n, sizeof *order);

	for (size_t i = 0; i < l->n; i++) {
		for (size_t k = 0; k < l->tasks[i].needs.n; k++)
			needs[at++] = plan_index_find(index, l->tasks, l->n, l->tasks[i].needs.v[k]);
		needs_at[i + 1] = at;
	}
	dag_waves(depth, needs, needs_at, l->n, NULL, NULL);
	for (size_t i = 0; i < l->n; i++)
		from[depth[i] + 1]++;
	for (size_t w = 1; w <= l->n + 1; w++)
		from[w] += from[w - 1];
	for (size_t i = 0; i < l->n; i++)
		order[from[depth[i]]++] = (uint32_t)i;
	for (size_t i = 0; i < l->n; i++) { /* dependencies first */
		struct task_def *d = &l->tasks[order[i]];
		for (size_t k = needs_at[order[i]]; !l->origins[order[i]].wave && k < needs_at[order[i] + 1]; k++)
			if (d->wave <= l->tasks[needs[k]].wave)
				d->wave = l->tasks[needs[k]].wave + 1;
		d->wave += !d->wave;
	}
}

/* 1, 2, 3, ... without gaps. */
static void number_waves(struct plan_loader *l)
{
	AUTO_FREE uint64_t *number = mem_array(2 * (size_t)PLAN_MAX_TASKS + 1, sizeof *number);
	uint64_t n = 0;

	for (size_t i = 0; i < l->n; i++)
		number[l->tasks[i].wave] = 1;
	for (size_t w = 1; w <= 2 * (size_t)PLAN_MAX_TASKS; w++)
		if (number[w]) {
			number[w] = ++n;
			if (n < w && number[w - 1] == 0)
				strv_addf(&l->warnings, "no segment is in wave %zu: wave %zu is the %llu. to run", w - 1, w,
				          (unsigned long long)n);
		}
	for (size_t i = 0; i < l->n; i++)
		l->tasks[i].wave = number[l->tasks[i].wave];
	uint64_t said;
	if (l->waves && yaml_u64(l->waves, &said) && said != n)
		plan_fault(l, l->waves_file, l->waves, NULL, "waves", "says %llu, but by the dependencies there are %llu",
		           (unsigned long long)said, (unsigned long long)n);
}

void segments_check(struct plan_loader *l)
{
	AUTO_FREE uint32_t *index = plan_index_new(l->tasks, l->n);

	check_all_names(l);
	check_places(l);
	check_order(l, index);
	for (size_t i = 0; i < l->n; i++)
		if (l->tasks[i].wave > PLAN_MAX_TASKS)
			plan_fault(l, l->origins[i].file, l->origins[i].task, l->tasks[i].id, "wave", "must not be larger than %d",
			           PLAN_MAX_TASKS);
	if (l->bad)
		return;
	fill_waves(l, index);
	check_order(l, index); /* of one without a wave, what needs it may be too early */
	if (!l->bad)
		number_waves(l);
}
