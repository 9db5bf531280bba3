/* queue_check: items of a queue against each other (S2.18): none waits for itself, and groups and conflicts say in which
 * order those run that share files. What a conflict leaves open is not guessed (S2.20). */
#include "queue_private.h"

#include <string.h>
#include <strings.h>

#include "queue_edges.h"
#include "queue_steps.h"
#include "store/base/mem.h"
#include "topo.h"

enum { MAX_WARNINGS = 20, NAME_MAX_BYTES = 80 };

struct sets {
	struct queue_set *v;
	size_t n, room;
};

struct check {
	struct plan_loader *l;
	struct plan_queue *q;
	const char *file;
	uint32_t *index; /* plan_index_new */
	uint32_t *needs;
	size_t *needs_at;
	struct sets parallel, turns, orders;
	bool *grouped, *ordered; /* ordered: only while a conflict is looked at */
	size_t groups;
};

static void resolve(struct check *c)
{
	size_t total = 0, at = 0;

	for (size_t i = 0; i < c->l->n; i++)
		total += c->l->tasks[i].needs.n;
	c->needs = mem_array(total, sizeof *c->needs);
	c->needs_at = mem_array(c->l->n + 1, sizeof *c->needs_at);
	for (size_t i = 0; i < c->l->n; i++) {
		const struct strv *names = &c->l->tasks[i].needs;
		for (size_t k = 0; k < names->n; k++) {
			uint32_t to = plan_index_find(c->index, c->l->tasks, c->l->n, names->v[k]);
			if (to != UINT32_MAX)
				c->needs[at++] = to;
		}
		c->needs_at[i + 1] = at;
	}
}

/* ---- groups and conflicts, as queue_names wrote them ---- */

static struct queue_set *add_set(struct check *c, struct sets *sets, char *id, const struct json_t *members)
{
	if (sets->n == sets->room) {
		sets->room = sets->room ? 2 * sets->room : 16;
		sets->v = mem_grow(sets->v, sets->room, sizeof *sets->v);
	}
	struct queue_set *s = &sets->v[sets->n++];
	*s = (struct queue_set){.id = id, .v = mem_array(json_count(members), sizeof *s->v)};
	for (size_t i = 0; i < json_count(members); i++) {
		const char *name = json_text(json_nth(members, i));
		uint32_t item = name ? plan_index_find(c->index, c->l->tasks, c->l->n, name) : UINT32_MAX;
		if (item != UINT32_MAX)
			s->v[s->n++] = item;
	}
	return s;
}

static void take_group(struct check *c, const struct json_t *j)
{
	bool turns = str_eq(json_get_text(j, "type"), "sequential");
	char *id = queue_steps_line(json_get(j, "id"), NAME_MAX_BYTES);
	const struct queue_set *s = add_set(c, turns ? &c->turns : &c->parallel, id ? id : mem_strdup("?"),
	                                    json_get(j, "members"));

	for (size_t i = 0; i < s->n; i++)
		c->grouped[s->v[i]] = true;
	c->groups++;
}

static bool ended(const struct check *c, uint32_t item)
{
	return c->q->states[item] == TASK_ALREADY || c->q->states[item] == TASK_SKIPPED;
}

/* Each that is left needs the one before it, so that there is nothing to decide on. */
static bool needs_decide(const struct check *c, const struct queue_set *s)
{
	for (size_t i = 1; i < s->n; i++) {
		bool found = false;
		for (size_t k = c->needs_at[s->v[i]]; k < c->needs_at[s->v[i] + 1] && !found; k++)
			found = c->needs[k] == s->v[i - 1];
		if (!found)
			return false;
	}
	return true;
}

/* Its members that are not done with wait until somebody has decided, unless its order has them all. */
static void hold(struct check *c, const struct json_t *j, const struct queue_set *members, const struct queue_set *order)
{
	AUTO_FREE uint32_t *left = mem_array(members->n, sizeof *left);
	AUTO_FREE char *severity = queue_steps_line(json_get(j, "severity"), NAME_MAX_BYTES);
	AUTO_STR struct str names = {0};
	size_t n = 0, out = 0;

	for (size_t i = 0; order && i < order->n; i++)
		c->ordered[order->v[i]] = true;
	for (size_t i = 0; i < members->n; i++)
		if (!ended(c, members->v[i])) {
			left[n++] = members->v[i];
			out += !c->ordered[members->v[i]];
		}
	for (size_t i = 0; order && i < order->n; i++)
		c->ordered[order->v[i]] = false;
	qsort(left, n, sizeof *left, topo_by_number);
	if (members->n < 2 && (!order || order->n < 2))
		strv_addf(&c->l->warnings, "%s: conflict %s of %s severity names fewer than two items of the queue: it holds nothing "
		          "back", c->file, members->id, severity);
	if (n < 2 || !out || needs_decide(c, &(struct queue_set){.v = left, .n = n}))
		return;
	const char *lacks = order ? "has an order without some of its items" : "has no order";
	for (size_t i = 0; i < n; i++) {
		struct task_def *d = &c->l->tasks[left[i]];
		if (!d->missing)
			d->missing = mem_printf("conflict %s of %s severity %s: give it a %sresolution_order", members->id, severity, lacks,
			                        order ? "whole " : "");
		if (i < MAX_WARNINGS)
			str_addf(&names, "%s%s", i ? ", " : "", d->id);
	}
	strv_addf(&c->l->warnings, "%s: conflict %s of %s severity %s: %s%s will not be run until it has a %sresolution_order",
	          c->file, members->id, severity, lacks, names.p, n > MAX_WARNINGS ? ", ..." : "", order ? "whole " : "");
}

static void take_conflict(struct check *c, const struct json_t *j)
{
	static const char *const names[] = {"id", "file", "type"};
	const char *severity = json_get_text(j, "severity"), *resolution = json_get_text(j, "resolution");
	bool high = severity && (strcasecmp(severity, "high") == 0 || strcasecmp(severity, "critical") == 0);
	bool merge = resolution && strcasecmp(resolution, "merge") == 0;
	const struct queue_set *order = NULL;
	struct sets members = {0};
	char *id = NULL;

	for (size_t i = 0; i < MEM_COUNT(names) && !id; i++)
		id = queue_steps_line(json_get(j, names[i]), NAME_MAX_BYTES);
	id = id ? id : mem_strdup("?");
	if (json_count(json_get(j, "order")) > 1)
		order = add_set(c, &c->orders, mem_strdup(id), json_get(j, "order"));
	add_set(c, &members, id, json_get(j, "members"));
	if (high && !merge && !json_yes(json_get(j, "resolved")))
		hold(c, j, &members.v[0], order);
	queue_sets_free(members.v, members.n);
}

/* Each element of a list. It is our own text, and read like foreign text: what is in one element may be too long. */
static void each(struct check *c, const char *text, void (*take)(struct check *c, const struct json_t *j))
{
	struct json_cut cut;
	struct json_fault f;
	struct json_t *j;

	if (!text)
		return;
	json_cut_start(&cut, text, strlen(text));
	int rc = json_cut_open(&cut, '[', &f);
	while (rc == 0 && json_cut_element(&cut, &f) == 1) {
		rc = json_cut_value(&cut, &j, NULL, &f);
		if (rc != 0)
			break;
		take(c, j);
		json_free(j);
	}
	if (rc != 0)
		plan_fault(c->l, c->file, NULL, NULL, NULL, "its groups or conflicts are too long: %s", f.text);
}

static void warn_ungrouped(struct check *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->l->n && c->groups; i++)
		if (!c->grouped[i] && n++ < MAX_WARNINGS)
			strv_addf(&c->l->warnings, "%s:%zu: %s is in no group: it runs as soon as its dependencies and files allow",
			          c->file, c->l->origins[i].line, c->l->tasks[i].id);
	if (n > MAX_WARNINGS)
		strv_addf(&c->l->warnings, "%s: the same holds for %zu more items", c->file, n - MAX_WARNINGS);
}

void queue_check(struct plan_loader *l, struct plan_queue *q)
{
	struct check c = {.l = l, .q = q, .file = l->n ? l->origins[0].file : NULL};

	if (!l->n)
		return;
	c.index = plan_index_new(l->tasks, l->n);
	c.grouped = mem_array(l->n, sizeof *c.grouped);
	c.ordered = mem_array(l->n, sizeof *c.ordered);
	plan_check_cycles(l, c.index);
	resolve(&c);
	if (!l->bad) {
		each(&c, q->row.groups, take_group);
		each(&c, q->row.conflicts, take_conflict);
		warn_ungrouped(&c);
		queue_edges(l, &(struct queue_order){
			.file = c.file, .needs = c.needs, .needs_at = c.needs_at,
			.orders = c.orders.v, .n_orders = c.orders.n, .turns = c.turns.v, .n_turns = c.turns.n,
			.parallel = c.parallel.v, .n_parallel = c.parallel.n});
	}
	queue_sets_free(c.parallel.v, c.parallel.n);
	queue_sets_free(c.turns.v, c.turns.n);
	queue_sets_free(c.orders.v, c.orders.n);
	free(c.index);
	free(c.needs);
	free(c.needs_at);
	free(c.grouped);
	free(c.ordered);
}
