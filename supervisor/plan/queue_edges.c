/* queue_edges: order among items, beside what they need. First what conflicts have decided, then sequential groups,
 * then every pair that shares a file, from the lower to the higher number. All in one graph that never has a cycle. */
#include "queue_edges.h"

#include <stdarg.h>
#include <string.h>

#include "shared.h"
#include "store/base/mem.h"
#include "topo.h"

enum {
	/* Of the items before it, for each of its files. Those that have just this file are in an order among themselves; those
	 * that have a folder of it, or files in it, need not be, so that as many as possible are taken. */
	NEAR = 32,
	NEAR_OTHERS = 1000,
	MAX_OF_ITEM = PLAN_MAX_NEEDS / 2,
	MAX_PAIRS = 500000, /* in all: beyond, fewer near ones are taken */
	MAX_LOOKED = 20000000, /* members of conflicts, before what is dropped is not told any more */
	MAX_WARNINGS = 20
};
#define NONE UINT32_MAX

enum reason { FILES, TURN };

struct pair {
	uint32_t later, sooner;
	enum reason reason;
};

struct edges {
	struct plan_loader *l;
	const struct queue_order *o;
	struct topo *topo;
	struct pair *v;
	size_t n, room;
	size_t decided;     /* of these so many are of conflicts and groups, in the order of `later` */
	size_t *decided_at; /* per item, and one more */
	uint32_t *mark;     /* mark[k] == i + 1: item i comes after k already */
	uint32_t *group;    /* parallel group of each item; NONE */
	uint32_t (*together)[2]; /* of each parallel group, the first two that share a file */
	const char **common;     /* that file; NULL = none */
	size_t dropped, unseen, looked;
};

void queue_sets_free(struct queue_set *sets, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(sets[i].id);
		free(sets[i].v);
	}
	free(sets);
}

static const char *id_of(const struct edges *g, uint32_t i)
{
	return g->l->tasks[i].id;
}

/* In the order of a conflict, whatever that is: then the other order is no surprise. */
static bool decided_together(struct edges *g, uint32_t a, uint32_t b)
{
	const struct queue_order *o = g->o;

	for (size_t i = 0; i < o->n_orders; i++) {
		size_t both = 0;
		for (size_t k = 0; k < o->orders[i].n; k++)
			both += o->orders[i].v[k] == a || o->orders[i].v[k] == b;
		g->looked += o->orders[i].n;
		if (both == 2 || g->looked > MAX_LOOKED)
			return true;
	}
	return false;
}

/* `why`: "both declare FILE", ... */
__attribute__((format(printf, 4, 5)))
static bool add(struct edges *g, struct pair p, bool quiet, const char *why, ...)
{
	enum topo_answer answer = topo_add(g->topo, p.sooner, p.later);

	if (answer == TOPO_ADDED) {
		if (g->n == g->room) {
			g->room = g->room ? 2 * g->room : 256;
			g->v = mem_grow(g->v, g->room, sizeof *g->v);
		}
		g->v[g->n++] = p;
		return true;
	}
	if (answer == TOPO_SPENT) {
		g->unseen++;
		return false;
	}
	if (quiet && decided_together(g, p.sooner, p.later))
		return false;
	if (g->dropped++ < MAX_WARNINGS) {
		AUTO_STR struct str text = {0};
		va_list ap;
		va_start(ap, why);
		str_addv(&text, why, ap);
		va_end(ap);
		strv_addf(&g->l->warnings, "%s: %s is not put after %s (%s), because %s has to wait for it", g->o->file,
		          id_of(g, p.later), id_of(g, p.sooner), text.p, id_of(g, p.sooner));
	}
	return false;
}

static void add_sets(struct edges *g)
{
	const struct queue_order *o = g->o;

	for (size_t i = 0; i < o->n_orders; i++)
		for (size_t k = 1; k < o->orders[i].n; k++)
			add(g, (struct pair){o->orders[i].v[k], o->orders[i].v[k - 1], FILES}, false, "%s has it in this order",
			    o->orders[i].id);
	for (size_t i = 0; i < o->n_turns; i++)
		for (size_t k = 1; k < o->turns[i].n; k++)
			add(g, (struct pair){o->turns[i].v[k], o->turns[i].v[k - 1], TURN}, true,
			    "the sequential group %s has it in this order", o->turns[i].id);
}

static int by_later(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;

	if (x->later != y->later)
		return x->later < y->later ? -1 : 1;
	if (x->sooner != y->sooner)
		return x->sooner < y->sooner ? -1 : 1;
	return (x->reason > y->reason) - (x->reason < y->reason);
}

/* ---- shared files ---- */

static void note_parallel(struct edges *g, uint32_t later, uint32_t sooner, const char *file)
{
	uint32_t group = g->group[later];

	if (group == NONE || group != g->group[sooner] || g->common[group])
		return;
	g->common[group] = file;
	g->together[group][0] = sooner;
	g->together[group][1] = later;
}

/* The pair that stands for this already, of conflicts and groups. */
static struct pair *find_decided(struct edges *g, uint32_t later, uint32_t sooner)
{
	size_t from = g->decided_at[later], to = g->decided_at[later + 1], end = to;

	while (from < to) {
		size_t middle = from + (to - from) / 2;
		if (g->v[middle].sooner < sooner)
			from = middle + 1;
		else
			to = middle;
	}
	return from < end && g->v[from].sooner == sooner ? &g->v[from] : NULL;
}

static void mark_needs(struct edges *g, uint32_t i)
{
	for (size_t k = g->o->needs_at[i]; k < g->o->needs_at[i + 1]; k++)
		g->mark[g->o->needs[k]] = i + 1;
}

static void add_files_of(struct edges *g, struct shared *s, uint32_t i, size_t near, size_t others)
{
	const struct strv *files = &g->l->tasks[i].files;
	uint32_t before[NEAR + NEAR_OTHERS];
	size_t first = g->n;

	mark_needs(g, i);
	for (size_t f = 0; f < files->n; f++) {
		bool much = g->n > MAX_PAIRS || g->n - first > MAX_OF_ITEM;
		size_t n = shared_before(s, before, much ? 1 : near, much ? 1 : others, i, f);
		for (size_t k = 0; k < n; k++) {
			note_parallel(g, i, before[k], files->v[f]);
			if (g->mark[before[k]] == i + 1)
				continue;
			g->mark[before[k]] = i + 1;
			struct pair *turn = find_decided(g, i, before[k]);
			if (turn) /* the group's order is the files' too */
				turn->reason = FILES;
			else if ((turn = find_decided(g, before[k], i)) && turn->reason == TURN)
				turn->reason = FILES; /* the other way round, as the group has it */
			else
				add(g, (struct pair){i, before[k], FILES}, true, "both have %s", files->v[f]);
		}
	}
	shared_enter(s, i);
}

static void add_files(struct edges *g)
{
	struct shared *s = shared_new(g->l->tasks, g->l->n);
	size_t near = NEAR, others = 2 * MAX_PAIRS / g->l->n;

	while (near > 1 && shared_pairs(s, near) > MAX_PAIRS)
		near /= 2;
	others = others > NEAR_OTHERS ? NEAR_OTHERS : others < NEAR ? NEAR : others;
	for (uint32_t i = 0; i < g->l->n; i++)
		add_files_of(g, s, i, near, others);
	if (shared_partial(s))
		strv_addf(&g->l->warnings, "%s: its items have so many folders and globs that the order of some that share "
		          "files is not planned ahead; they are not run at once all the same", g->o->file);
	shared_free(s);
}

static void warn_parallel(struct edges *g)
{
	size_t said = 0;

	for (size_t p = 0; p < g->o->n_parallel; p++)
		if (g->common[p] && said++ < MAX_WARNINGS)
			strv_addf(&g->l->warnings, "%s: %s and %s of the parallel group %s both have %s: they are not run at "
			          "once", g->o->file, id_of(g, g->together[p][0]), id_of(g, g->together[p][1]),
			          g->o->parallel[p].id, g->common[p]);
	if (said > MAX_WARNINGS)
		strv_addf(&g->l->warnings, "%s: the same holds for %zu more parallel groups", g->o->file, said - MAX_WARNINGS);
}

/* ---- all of it ---- */

static void start(struct edges *g)
{
	size_t n = g->l->n;

	g->topo = topo_new(g->o->needs, g->o->needs_at, n);
	g->mark = mem_array(n, sizeof *g->mark);
	g->decided_at = mem_array(n + 1, sizeof *g->decided_at);
	g->group = mem_array(n, sizeof *g->group);
	g->together = mem_array(g->o->n_parallel, sizeof *g->together);
	g->common = mem_array(g->o->n_parallel, sizeof *g->common);
	for (size_t i = 0; i < n; i++)
		g->group[i] = NONE;
	for (size_t p = 0; p < g->o->n_parallel; p++)
		for (size_t k = 0; k < g->o->parallel[p].n; k++)
			g->group[g->o->parallel[p].v[k]] = (uint32_t)p;
}

static void sort_decided(struct edges *g)
{
	size_t n = 0;

	if (g->n)
		qsort(g->v, g->n, sizeof *g->v, by_later);
	for (size_t i = 0; i < g->n; i++) { /* of each pair one, for files if there is such; none if it is needed anyway */
		struct pair p = g->v[i];
		if (i == 0 || g->v[i - 1].later != p.later)
			mark_needs(g, p.later);
		if (g->mark[p.sooner] == p.later + 1)
			continue;
		g->mark[p.sooner] = p.later + 1;
		g->v[n++] = p;
	}
	memset(g->mark, 0, g->l->n * sizeof *g->mark);
	g->n = g->decided = n;
	for (size_t i = 0; i < n; i++)
		g->decided_at[g->v[i].later + 1]++;
	for (size_t i = 0; i < g->l->n; i++)
		g->decided_at[i + 1] += g->decided_at[i];
}

static void write_down(struct edges *g)
{
	if (g->n)
		qsort(g->v, g->n, sizeof *g->v, by_later);
	for (size_t i = 0; i < g->n; i++) {
		struct task_def *d = &g->l->tasks[g->v[i].later];
		struct strv *list = g->v[i].reason == FILES ? &d->after : &d->in_turn;
		if (list->n < PLAN_MAX_NEEDS)
			strv_add(list, id_of(g, g->v[i].sooner));
		else
			g->unseen++;
	}
}

void queue_edges(struct plan_loader *l, const struct queue_order *o)
{
	struct edges g = {.l = l, .o = o};

	if (!l->n)
		return;
	start(&g);
	add_sets(&g);
	sort_decided(&g);
	add_files(&g);
	warn_parallel(&g);
	write_down(&g);
	if (g.dropped > MAX_WARNINGS)
		strv_addf(&l->warnings, "%s: %zu more such pairs are left in the order that their dependencies give", o->file,
		          g.dropped - MAX_WARNINGS);
	if (g.unseen)
		strv_addf(&l->warnings, "%s: the order of %zu pairs of items is not planned ahead, which would take too long; those "
		          "that share files are not run at once all the same", o->file, g.unseen);
	topo_free(g.topo);
	free(g.v);
	free(g.mark);
	free(g.decided_at);
	free(g.group);
	free(g.together);
	free(g.common);
}
