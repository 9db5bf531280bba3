/* queue_names: what names in a queue stand for. Dialects name items, groups or solutions in `depends_on`, solutions in
 * conflicts, and list members of groups under three keys: all of it becomes ids of items. */
#include "queue_private.h"

#include <string.h>

#include "store/base/mem.h"

struct group {
	char *id, *type;
	bool listed; /* its members were given */
	struct strv members;
};

struct names {
	struct queue_reader *r;
	const struct task_def *tasks;
	size_t n;
	uint32_t *by_id;       /* plan_index_new */
	uint32_t *by_solution; /* items sorted by it, those without one left out */
	size_t n_solutions;
	struct group *groups;
	size_t n_groups, room;
	uint32_t *group_index; /* sorted by id */
	struct str conflicts;
	size_t edges;
	uint32_t *listed; /* listed[i] == lists: item i is in the list that is being read */
	uint32_t lists;
};

/* ---- ids ---- */

static void check_ids(struct names *w)
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
static size_t find_solution(const struct names *w, const char *id)
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

static int by_group_id(const void *a, const void *b, void *groups)
{
	const struct group *g = groups;
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	int order = strcmp(g[x].id, g[y].id);

	return order ? order : (x > y) - (x < y);
}

static struct group *find_group(struct names *w, const char *id)
{
	size_t from = 0, to = w->group_index ? w->n_groups : 0;

	while (from < to) {
		size_t middle = from + (to - from) / 2;
		if (strcmp(w->groups[w->group_index[middle]].id, id) < 0)
			from = middle + 1;
		else
			to = middle;
	}
	bool found = w->group_index && from < w->n_groups && strcmp(w->groups[w->group_index[from]].id, id) == 0;
	return found ? &w->groups[w->group_index[from]] : NULL;
}

static void index_groups(struct names *w)
{
	free(w->group_index);
	w->group_index = mem_array(w->n_groups, sizeof *w->group_index);
	for (size_t i = 0; i < w->n_groups; i++)
		w->group_index[i] = (uint32_t)i;
	qsort_r(w->group_index, w->n_groups, sizeof *w->group_index, by_group_id, w->groups);
}

/* Ids of the items that an item's or a solution's id stands for; false: nothing has it. */
static bool add_items(const struct names *w, struct strv *out, const char *name)
{
	uint32_t item = plan_index_find(w->by_id, w->tasks, w->n, name);
	size_t i = find_solution(w, name), before = out->n;

	if (item != UINT32_MAX) {
		strv_add(out, w->tasks[item].id);
		return true;
	}
	for (; i < w->n_solutions && strcmp(w->tasks[w->by_solution[i]].solution, name) == 0; i++)
		strv_add(out, w->tasks[w->by_solution[i]].id);
	return out->n > before;
}

/* ---- lists of names in groups and conflicts ---- */

/* Once each; names that nothing has are told of. False: `list` is no list. */
static bool read_members(struct names *w, struct strv *out, const struct json_t *list, size_t line, const char *whose)
{
	if (!json_is_list(list))
		return false;
	AUTO_STRV struct strv all = {0};
	for (size_t i = 0; i < json_count(list); i++) {
		const struct json_t *v = json_nth(list, i);
		const char *name = json_text(v) ? json_text(v) : json_get_text(v, "item_id");
		if (!name)
			queue_warn(w->r, line, NULL, "%.80s: member %zu is no id: left out", whose, i + 1);
		else if (!add_items(w, &all, name))
			queue_warn(w->r, line, NULL, "%.80s: there is no item or solution \"%.80s\": left out", whose, name);
	}
	w->lists++; /* no memory of its own: there may be as many lists as items */
	for (size_t i = 0; i < all.n; i++) {
		uint32_t item = plan_index_find(w->by_id, w->tasks, w->n, all.v[i]);
		if (w->listed[item] != w->lists)
			strv_add(out, all.v[i]);
		w->listed[item] = w->lists;
	}
	return true;
}

static bool read_any(struct names *w, struct strv *out, const struct json_t *map, size_t line, const char *whose)
{
	static const char *const keys[] = {"solutions", "tasks", "items", "members"};
	const struct json_t *empty = NULL;

	for (size_t i = 0; i < MEM_COUNT(keys); i++) {
		const struct json_t *list = json_get(map, keys[i]);
		if (json_count(list))
			return read_members(w, out, list, line, whose);
		empty = json_is_list(list) ? list : empty;
	}
	return empty;
}

typedef void (*element_fn)(struct names *w, const struct json_t *element, size_t line, const char *key);

/* Each element of a list; `deep`: or of the lists in a map. */
static void each(struct names *w, struct json_cut *c, const char *key, bool deep, element_fn fn)
{
	struct json_fault f = {0};
	struct json_span span;
	struct json_t *j;
	char here = json_cut_peek(c);
	int rc = 0;

	if (here == '[') {
		rc = json_cut_open(c, '[', &f);
		while (rc == 0 && (rc = json_cut_element(c, &f)) == 1) {
			rc = json_cut_value(c, &j, &span, &f);
			if (rc == 0) {
				fn(w, j, span.line, key);
				json_free(j);
			}
		}
	} else if (here == '{' && deep) {
		rc = json_cut_open(c, '{', &f);
		for (;;) {
			AUTO_FREE char *name = NULL;
			rc = rc == 0 ? json_cut_member(c, &name, &f) : rc;
			if (rc != 1)
				break;
			rc = 0;
			each(w, c, name, false, fn);
		}
	} else {
		size_t line = c->line;
		rc = json_cut_value(c, &j, NULL, &f);
		if (rc == 0 && json_is_map(j))
			fn(w, j, line, key);
		else if (rc == 0 && here != 'n')
			queue_warn(w->r, line, NULL, "%.80s is no list: left out", key);
		if (rc == 0)
			json_free(j);
	}
	if (rc < 0)
		queue_fault(w->r, f.line, NULL, key, "%s", f.text);
}

static void each_in(struct names *w, const struct json_span *span, const char *key, bool deep, element_fn fn)
{
	if (!span->p)
		return;
	struct json_cut c;
	json_cut_start(&c, span->p, span->n);
	c.line = span->line;
	c.fresh = false;
	each(w, &c, key, deep, fn);
}

/* ---- groups ---- */

static struct group *add_group(struct names *w, const char *id, const char *type)
{
	bool known = str_eq(type, "parallel") || str_eq(type, "sequential");

	if (w->n_groups == w->room) {
		w->room = w->room ? w->room * 2 : 16;
		w->groups = mem_grow(w->groups, w->room, sizeof *w->groups);
	}
	struct group *g = &w->groups[w->n_groups++];
	*g = (struct group){.id = mem_strdup(id),
	                    .type = mem_strdup(known ? type : *id == 'S' || *id == 's' ? "sequential" : "parallel")};
	return g;
}

static void read_group(struct names *w, const struct json_t *j, size_t line, const char *key)
{
	const char *id = json_get_text(j, "id"), *type = json_get_text(j, "type");

	if (!id)
		id = json_get_text(j, "group_id");
	if (!id || !*id || strlen(id) > QUEUE_MAX_NAME) {
		queue_warn(w->r, line, NULL, "%s: a group without an id is left out", key);
		return;
	}
	struct group *g = add_group(w, id, type);
	g->listed = read_any(w, &g->members, j, line, id);
}

/* Items that say which group they are in, when no group has them. */
static void join_groups(struct names *w)
{
	AUTO_FREE bool *grouped = mem_array(w->n, sizeof *grouped);

	for (size_t i = 0; i < w->n_groups; i++)
		for (size_t k = 0; k < w->groups[i].members.n; k++)
			grouped[plan_index_find(w->by_id, w->tasks, w->n, w->groups[i].members.v[k])] = true;
	index_groups(w);
	bool listed = w->n_groups > 0;
	for (size_t i = 0; i < w->n; i++) {
		const char *id = w->r->q->defs[i].group;
		if (!id || grouped[i])
			continue;
		struct group *g = find_group(w, id);
		if (!g) {
			g = add_group(w, id, NULL);
			index_groups(w);
		}
		if (listed && g->listed)
			queue_warn(w->r, w->r->l->origins[i].line, w->tasks[i].id, "group %.80s does not list it: taken as a member",
			           id);
		strv_add(&g->members, w->tasks[i].id);
	}
}

static void write_groups(struct names *w)
{
	AUTO_STR struct str text = {0};

	str_add(&text, "[");
	for (size_t i = 0; i < w->n_groups; i++) {
		struct json_t *map = json_map();
		json_put_text(map, "id", w->groups[i].id);
		json_put_text(map, "type", w->groups[i].type);
		json_put_list(map, "members", &w->groups[i].members);
		str_add(&text, i ? ",\n" : "");
		json_write(map, false, &text);
		json_free(map);
	}
	str_add(&text, "]");
	w->r->q->row.groups = str_take(&text);
}

/* ---- conflicts ---- */

static void copy_text(struct json_t *to, const struct json_t *from, const char *key)
{
	if (json_get_text(from, key))
		json_put_text(to, key, json_get_text(from, key));
}

static void read_conflict(struct names *w, const struct json_t *j, size_t line, const char *key)
{
	static const char *const texts[] = {"id", "type", "file", "severity", "resolution", "rationale"};
	AUTO_STRV struct strv members = {0}, order = {0};
	const char *id = json_get_text(j, "id");

	if (!json_is_map(j)) {
		queue_warn(w->r, line, NULL, "%.80s: what is no mapping is left out", key);
		return;
	}
	read_any(w, &members, j, line, id ? id : key);
	read_members(w, &order, json_get(j, "resolution_order"), line, id ? id : key);
	struct json_t *map = json_map();
	for (size_t i = 0; i < MEM_COUNT(texts); i++)
		copy_text(map, j, texts[i]);
	json_put_list(map, "members", &members);
	json_put_list(map, "order", &order);
	json_put_flag(map, "resolved", json_yes(json_get(j, "resolved")));
	str_add(&w->conflicts, w->conflicts.len > 1 ? ",\n" : "");
	json_write(map, false, &w->conflicts);
	json_free(map);
}

/* ---- what items depend on ---- */

/* The item before the one of that name is done with, or there never was one. */
static void unknown(struct names *w, size_t i, const char *name)
{
	size_t line = w->r->l->origins[i].line;

	if (w->r->q->states[i] == TASK_WAITING || w->r->q->states[i] == TASK_CLAIMED)
		queue_fault(w->r, line, w->tasks[i].id, "depends_on", "there is no item, group or solution \"%.80s\"", name);
	else
		queue_warn(w->r, line, w->tasks[i].id, "depends_on: there is no item, group or solution \"%.80s\"", name);
}

static void add_need(struct names *w, size_t i, uint32_t to, uint32_t *stamp)
{
	if (to == i || stamp[to] == i + 1)
		return;
	stamp[to] = (uint32_t)i + 1;
	strv_add(&w->r->l->tasks[i].needs, w->tasks[to].id);
	w->edges++;
}

/* The members of a group, or the items of a solution. */
static void add_all(struct names *w, size_t i, const char *name, uint32_t *stamp)
{
	AUTO_STRV struct strv items = {0};
	const struct group *g = find_group(w, name);
	const struct strv *all = g ? &g->members : &items;

	if (!g && !add_items(w, &items, name))
		unknown(w, i, name);
	for (size_t m = 0; m < all->n; m++)
		add_need(w, i, plan_index_find(w->by_id, w->tasks, w->n, all->v[m]), stamp);
}

static void resolve_needs(struct names *w, size_t i, uint32_t *stamp)
{
	struct task_def *d = &w->r->l->tasks[i];
	struct strv written = d->needs;

	d->needs = (struct strv){0};
	for (size_t k = 0; k < written.n && d->needs.n <= PLAN_MAX_NEEDS && w->edges <= PLAN_MAX_EDGES; k++) {
		const char *name = written.v[k];
		uint32_t item = plan_index_find(w->by_id, w->tasks, w->n, name);
		if (item == i)
			queue_fault(w->r, w->r->l->origins[i].line, d->id, "depends_on", "an item cannot depend on itself");
		else if (item != UINT32_MAX)
			add_need(w, i, item, stamp);
		else
			add_all(w, i, name, stamp);
	}
	strv_fini(&written);
	if (d->needs.n > PLAN_MAX_NEEDS)
		queue_fault(w->r, w->r->l->origins[i].line, d->id, "depends_on", "it depends on more than %d items",
		            PLAN_MAX_NEEDS);
}

void queue_names_resolve(struct queue_reader *r, const struct json_span *groups, const struct json_span *conflicts)
{
	struct names w = {.r = r, .tasks = r->l->tasks, .n = r->l->n};
	AUTO_FREE uint32_t *stamp = mem_array(w.n, sizeof *stamp);

	w.by_id = plan_index_new(w.tasks, w.n);
	w.listed = mem_array(w.n, sizeof *w.listed);
	w.by_solution = mem_array(w.n, sizeof *w.by_solution);
	for (size_t i = 0; i < w.n; i++)
		if (w.tasks[i].solution)
			w.by_solution[w.n_solutions++] = (uint32_t)i;
	qsort_r(w.by_solution, w.n_solutions, sizeof *w.by_solution, by_solution, (void *)(uintptr_t)w.tasks);
	check_ids(&w);
	each_in(&w, groups, "execution_groups", false, read_group);
	join_groups(&w);
	for (size_t i = 0; i < w.n; i++)
		resolve_needs(&w, i, stamp);
	if (w.edges > PLAN_MAX_EDGES)
		plan_fault(r->l, r->file, NULL, NULL, "depends_on", "it has more than %d dependencies", PLAN_MAX_EDGES);
	str_add(&w.conflicts, "[");
	each_in(&w, conflicts, "conflicts", true, read_conflict);
	str_add(&w.conflicts, "]");
	write_groups(&w);
	r->q->row.conflicts = str_take(&w.conflicts);

	for (size_t i = 0; i < w.n_groups; i++) {
		free(w.groups[i].id);
		free(w.groups[i].type);
		strv_fini(&w.groups[i].members);
	}
	free(w.groups);
	free(w.group_index);
	free(w.by_solution);
	free(w.by_id);
	free(w.listed);
}
