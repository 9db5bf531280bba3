/* queue_groups: groups and conflicts of a queue. Dialects have lists of members under four keys, conflicts in lists or in
 * maps of lists, and name items or solutions in them: all of it becomes one form. */
#include "queue_names.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "store/base/mem.h"

/* ---- ids of groups ---- */

static int by_group_id(const void *a, const void *b, void *groups)
{
	const struct queue_group *g = groups;
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	int order = strcmp(g[x].id, g[y].id);

	return order ? order : (x > y) - (x < y);
}

struct queue_group *queue_groups_find(struct queue_names *w, const char *id)
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

static void index_groups(struct queue_names *w)
{
	free(w->group_index);
	w->group_index = mem_array(w->n_groups, sizeof *w->group_index);
	for (size_t i = 0; i < w->n_groups; i++)
		w->group_index[i] = (uint32_t)i;
	qsort_r(w->group_index, w->n_groups, sizeof *w->group_index, by_group_id, w->groups);
}

/* ---- lists of names ---- */

static void give(struct queue_names *w, struct queue_members *out, uint32_t item)
{
	if (queue_names_stamp(w, &w->listed[item]) || w->members > PLAN_MAX_EDGES)
		return;
	if (out->n == out->room) {
		out->room = out->room ? 2 * out->room : 4;
		out->v = mem_grow(out->v, out->room, sizeof *out->v);
	}
	out->v[out->n++] = item;
	w->members++;
}

/* All items of a solution; false: there are none. */
static bool open_solution(struct queue_names *w, struct queue_members *out, const char *name)
{
	size_t i = queue_names_solution(w, name);

	if (!queue_names_is_of(w, i, name))
		return false;
	if (!queue_names_stamp(w, &w->opened[i]))
		for (; queue_names_is_of(w, i, name); i++)
			give(w, out, w->by_solution[i]);
	return true;
}

/* Items of a group or a conflict: their ids, or solutions'. False: `list` is no list. */
static bool read_members(struct queue_names *w, struct queue_members *out, const struct json_t *list, size_t line,
                         const char *whose)
{
	if (!json_is_list(list))
		return false;
	queue_names_start(w);
	for (size_t i = 0; i < json_count(list); i++) {
		const struct json_t *v = json_nth(list, i);
		const char *name = json_text(v) ? json_text(v) : json_get_text(v, "item_id");
		uint32_t item = name ? plan_index_find(w->by_id, w->tasks, w->n, name) : UINT32_MAX;
		if (item != UINT32_MAX)
			give(w, out, item);
		else if (!name)
			queue_warn(w->r, line, NULL, "%.80s: member %zu is no id: left out", whose, i + 1);
		else if (!open_solution(w, out, name))
			queue_warn(w->r, line, NULL, "%.80s: there is no item or solution \"%.80s\": left out", whose, name);
	}
	return true;
}

static bool read_any(struct queue_names *w, struct queue_members *out, const struct json_t *map, size_t line,
                     const char *whose)
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

static void put_members(const struct queue_names *w, struct json_t *map, const char *key, const struct queue_members *all)
{
	struct json_t *list = json_list();

	for (size_t i = 0; i < all->n; i++)
		json_add_text(list, w->tasks[all->v[i]].id);
	json_put(map, key, list);
}

/* ---- groups and conflicts, element by element ---- */

typedef void (*element_fn)(struct queue_names *w, const struct json_t *element, size_t line, const char *key);

static int each_of_list(struct queue_names *w, struct json_cut *c, const char *key, element_fn fn, struct json_fault *f)
{
	int rc = json_cut_open(c, '[', f);

	while (rc == 0 && (rc = json_cut_element(c, f)) == 1) {
		struct json_span span;
		struct json_t *j;
		rc = json_cut_value(c, &j, &span, f);
		if (rc == 0) {
			fn(w, j, span.line, key);
			json_free(j);
		}
	}
	return rc;
}

static int each_alone(struct queue_names *w, struct json_cut *c, const char *key, element_fn fn, struct json_fault *f)
{
	struct json_span span;
	struct json_t *j;

	if (json_cut_value(c, &j, &span, f) != 0)
		return -1;
	if (json_is_map(j))
		fn(w, j, span.line, key);
	else if (json_kind(j) != JSON_IS_NULL)
		queue_warn(w->r, span.line, NULL, "%.80s is no list: left out", key);
	json_free(j);
	return 0;
}

/* Each element of a list; `deep`: or of the lists in a map. */
static int each(struct queue_names *w, struct json_cut *c, const char *key, bool deep, element_fn fn,
                struct json_fault *f)
{
	char here = json_cut_peek(c);
	int rc;

	if (here != '{' || !deep)
		return here == '[' ? each_of_list(w, c, key, fn, f) : each_alone(w, c, key, fn, f);
	rc = json_cut_open(c, '{', f);
	while (rc == 0) {
		AUTO_FREE char *name = NULL;
		rc = json_cut_member(c, &name, f);
		if (rc != 1)
			break;
		rc = each(w, c, name, false, fn, f);
	}
	return rc;
}

static void each_in(struct queue_names *w, const struct json_cut *at, const char *key, bool deep, element_fn fn)
{
	struct json_cut c = *at;
	struct json_fault f;

	if (c.p && each(w, &c, key, deep, fn, &f) != 0)
		queue_fault(w->r, f.line, NULL, key, "%s", f.text);
}

/* An empty element is three bytes, and much more when it is stored. */
static bool too_many(struct queue_names *w, size_t *n, size_t line, const char *key)
{
	if (++*n == PLAN_MAX_TASKS + 1)
		queue_fault(w->r, line, NULL, key, "there are more than %d of these", PLAN_MAX_TASKS);
	return *n > PLAN_MAX_TASKS;
}

/* ---- groups ---- */

/* S, S1, s-2, seq-a: what it says where no type is given. */
static bool says_sequential(const char *id)
{
	if (*id != 'S' && *id != 's')
		return false;
	return id[1 + strspn(id + 1, "-_0123456789")] == '\0' || strncasecmp(id, "seq", 3) == 0;
}

static struct queue_group *add_group(struct queue_names *w, const char *id, const char *type)
{
	if (w->n_groups == w->room) {
		w->room = w->room ? w->room * 2 : 16;
		w->groups = mem_grow(w->groups, w->room, sizeof *w->groups);
	}
	struct queue_group *g = &w->groups[w->n_groups++];
	*g = (struct queue_group){.id = mem_strdup(id), .turns = str_eq(type, "sequential") ||
	                                                   (!str_eq(type, "parallel") && says_sequential(id))};
	return g;
}

static void read_group(struct queue_names *w, const struct json_t *j, size_t line, const char *key)
{
	const char *id = json_get_text(j, "id"), *type = json_get_text(j, "type");

	if (too_many(w, &w->read[0], line, key))
		return;
	if (!id)
		id = json_get_text(j, "group_id");
	if (!id || !*id || strlen(id) > QUEUE_MAX_NAME) {
		queue_warn(w->r, line, NULL, "%s: a group without an id is left out", key);
		return;
	}
	struct queue_group *g = add_group(w, id, type);
	g->listed = read_any(w, &g->members, j, line, id);
}

static int by_group(const void *a, const void *b, void *defs)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	const struct item_def *d = defs;
	int order = strcmp(d[x].group, d[y].group);

	return order ? order : (x > y) - (x < y);
}

/* Items that say which group they are in, when no group has them. Groups that are not in the file come in the order of
 * their first items. */
static void join_groups(struct queue_names *w)
{
	const struct item_def *defs = w->r->q->defs;
	AUTO_FREE bool *grouped = mem_array(w->n, sizeof *grouped);
	AUTO_FREE uint32_t *alone = mem_array(w->n, sizeof *alone);
	AUTO_FREE uint32_t *first = mem_array(w->n, sizeof *first); /* of those that name the same group */
	AUTO_FREE uint32_t *made = mem_array(w->n, sizeof *made);   /* the group, beside the first; UINT32_MAX = none yet */
	size_t n = 0;

	for (size_t i = 0; i < w->n_groups; i++)
		for (size_t k = 0; k < w->groups[i].members.n; k++)
			grouped[w->groups[i].members.v[k]] = true;
	index_groups(w);
	for (size_t i = 0; i < w->n; i++)
		if (defs[i].group && !grouped[i])
			alone[n++] = (uint32_t)i;
	qsort_r(alone, n, sizeof *alone, by_group, (void *)(uintptr_t)defs);
	for (size_t k = 0; k < n; k++) {
		bool same = k > 0 && strcmp(defs[alone[k]].group, defs[alone[k - 1]].group) == 0;
		const struct queue_group *g = same ? NULL : queue_groups_find(w, defs[alone[k]].group);
		first[alone[k]] = same ? first[alone[k - 1]] : alone[k];
		if (!same)
			made[alone[k]] = g ? (uint32_t)(g - w->groups) : UINT32_MAX;
	}
	queue_names_start(w);
	for (size_t i = 0, listed = w->n_groups; i < w->n; i++) {
		if (!defs[i].group || grouped[i])
			continue;
		uint32_t *group = &made[first[i]];
		if (*group == UINT32_MAX) {
			*group = (uint32_t)w->n_groups;
			add_group(w, defs[i].group, NULL);
		}
		struct queue_group *g = &w->groups[*group];
		if (*group < listed && g->listed)
			queue_warn(w->r, w->r->l->origins[i].line, w->tasks[i].id, "group %.80s does not list it: taken as a member",
			           defs[i].group);
		give(w, &g->members, (uint32_t)i);
	}
	index_groups(w);
}

/* ---- conflicts ---- */

static void copy_text(struct json_t *to, const struct json_t *from, const char *key)
{
	if (json_get_text(from, key))
		json_put_text(to, key, json_get_text(from, key));
}

static void read_conflict(struct queue_names *w, const struct json_t *j, size_t line, const char *key)
{
	static const char *const texts[] = {"id", "type", "file", "severity", "resolution", "rationale"};
	struct queue_members members = {0}, order = {0};
	const char *id = json_get_text(j, "id");

	if (too_many(w, &w->read[1], line, key))
		return;
	if (!json_is_map(j)) {
		queue_warn(w->r, line, NULL, "%.80s: what is no mapping is left out", key);
		return;
	}
	read_any(w, &members, j, line, id ? id : key);
	read_members(w, &order, json_get(j, "resolution_order"), line, id ? id : key);
	struct json_t *map = json_map();
	for (size_t i = 0; i < MEM_COUNT(texts); i++)
		copy_text(map, j, texts[i]);
	put_members(w, map, "members", &members);
	put_members(w, map, "order", &order);
	json_put_flag(map, "resolved", json_yes(json_get(j, "resolved")));
	str_add(&w->conflicts, w->conflicts.len ? ",\n" : "[");
	json_write(map, false, &w->conflicts);
	json_free(map);
	free(members.v);
	free(order.v);
}

void queue_groups_read(struct queue_names *w, const struct json_cut *at)
{
	each_in(w, at, "execution_groups", false, read_group);
	join_groups(w);
}

void queue_groups_conflicts(struct queue_names *w, const struct json_cut *at)
{
	each_in(w, at, "conflicts", true, read_conflict);
	if (w->members > PLAN_MAX_EDGES)
		plan_fault(w->r->l, w->r->file, NULL, NULL, "execution_groups", "they and the conflicts have more than %d members",
		           PLAN_MAX_EDGES);
}

/* ---- what is stored ---- */

void queue_groups_write(struct queue_names *w)
{
	AUTO_STR struct str text = {0};

	if (w->r->l->bad) /* it may be much, and nobody asks for it */
		return;
	str_add(&text, "[");
	for (size_t i = 0; i < w->n_groups; i++) {
		struct json_t *map = json_map();
		json_put_text(map, "id", w->groups[i].id);
		json_put_text(map, "type", w->groups[i].turns ? "sequential" : "parallel");
		put_members(w, map, "members", &w->groups[i].members);
		str_add(&text, i ? ",\n" : "");
		json_write(map, false, &text);
		json_free(map);
	}
	str_add(&text, "]");
	w->r->q->row.groups = str_take(&text);
	str_add(&w->conflicts, w->conflicts.len ? "]" : "[]");
	w->r->q->row.conflicts = str_take(&w->conflicts);
}

void queue_groups_fini(struct queue_names *w)
{
	for (size_t i = 0; i < w->n_groups; i++) {
		free(w->groups[i].id);
		free(w->groups[i].members.v);
	}
	free(w->groups);
	free(w->group_index);
	str_fini(&w->conflicts);
}
