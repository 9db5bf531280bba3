/* queue_read: the file of a queue, member by member and item by item; see queue_private.h. */
#include "queue_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/fs.h"
#include "store/base/mem.h"

enum { MAX_KEYS = 1000 };

/* Where items may be: the first of these that has some. */
static const char *const list_keys[] = {"solutions", "tasks", "items", "queue"};
enum { LISTS = MEM_COUNT(list_keys) };

struct list {
	struct json_cut at;   /* before its bracket; p NULL = there is none */
	const char *to;       /* behind it */
	size_t n;
};

struct top {
	struct list lists[LISTS];
	struct json_cut groups, conflicts; /* in front of them; p NULL = there are none */
	struct json_t *rest; /* all other members */
	struct strv keys;
};

void queue_free(struct plan_queue *q, size_t n)
{
	if (!q)
		return;
	for (size_t i = 0; i < n; i++) {
		rec_fini(&item_def_rec, &q->defs[i]);
		rec_fini(&item_row_rec, &q->items[i]);
		free(q->reasons[i]);
	}
	for (size_t i = 0; i < q->n_issues; i++)
		rec_fini(&issue_row_rec, &q->issues[i]);
	rec_fini(&queue_row_rec, &q->row);
	free(q->id);
	free(q->defs);
	free(q->items);
	free(q->states);
	free(q->reasons);
	free(q->issues);
	free(q);
}

/* ---- what is there ---- */

static size_t list_number(const char *key)
{
	size_t i = 0;

	while (i < LISTS && strcmp(key, list_keys[i]) != 0)
		i++;
	return i;
}

/* Over a list whose elements are read later. */
static int skip_list(struct json_cut *c, struct list *out, struct json_fault *f)
{
	struct json_span element;
	int rc;

	out->at = *c;
	if (json_cut_open(c, '[', f) != 0)
		return -1;
	while ((rc = json_cut_element(c, f)) == 1) {
		if (json_cut_skip(c, &element, f) != 0)
			return -1;
		out->n++;
	}
	out->to = c->p;
	return rc;
}

static int scan_member(struct json_cut *c, struct top *top, const char *key, struct json_fault *f)
{
	size_t list = list_number(key);
	struct json_t *value;
	struct json_span span;

	if (strv_has(&top->keys, key) || top->keys.n == MAX_KEYS) {
		*f = (struct json_fault){.line = c->line, .column = (size_t)(c->p - c->line_start) + 1};
		if (top->keys.n == MAX_KEYS)
			snprintf(f->text, sizeof f->text, "more than %d keys", MAX_KEYS);
		else
			snprintf(f->text, sizeof f->text, "the key \"%.80s\" is there twice", key);
		return -1;
	}
	strv_add(&top->keys, key);
	if (list < LISTS && json_cut_peek(c) == '[')
		return skip_list(c, &top->lists[list], f);
	if (strcmp(key, "execution_groups") == 0 || strcmp(key, "conflicts") == 0) { /* as long as they like: read in pieces */
		*(*key == 'e' ? &top->groups : &top->conflicts) = *c;
		return json_cut_skip(c, &span, f);
	}
	if (json_cut_value(c, &value, NULL, f) != 0)
		return -1;
	json_put(top->rest, key, value);
	return 0;
}

static int scan(struct top *top, const char *text, size_t n, struct json_fault *f)
{
	struct json_cut c;
	int rc;

	json_cut_start(&c, text, n);
	if (json_cut_open(&c, '{', f) != 0)
		return -1;
	for (;;) {
		AUTO_FREE char *key = NULL;
		rc = json_cut_member(&c, &key, f);
		if (rc != 1)
			break;
		if (scan_member(&c, top, key, f) != 0)
			return -1;
	}
	return rc == 0 ? json_cut_end(&c, f) : -1;
}

/* ---- what it says of itself ---- */

static void read_status(struct queue_reader *r, const struct json_t *rest)
{
	static const char *const words[][2] = {{"active", "active"}, {"pending", "active"}, {"paused", "active"},
	                                       {"executing", "active"}, {"completed", "completed"},
	                                       {"failed", "failed"}, {"archived", "archived"}};
	const struct json_t *v = json_get(rest, "status");
	const char *word = v ? json_text(v) : "active";

	for (size_t i = 0; i < MEM_COUNT(words); i++)
		if (str_eq(word, words[i][0]))
			r->q->row.status = mem_strdup(words[i][1]);
	if (!r->q->row.status)
		queue_fault(r, 1, NULL, "status", "\"%.40s\" is no status of a queue: active, completed, failed or archived",
		            word ? word : "");
	else if (str_eq(word, "paused"))
		queue_warn(r, 1, NULL, "the queue is paused there: taken as active");
}

static void read_rest(struct queue_reader *r, const struct json_t *rest)
{
	struct queue_row *row = &r->q->row;
	const struct json_t *id = json_get(rest, "id"), *ids = json_get(rest, "issue_ids");
	const char *key = id ? "id" : "queue_id", *text, *wrong;

	id = json_get(rest, key);
	text = json_text(id);
	wrong = text ? plan_id_fault(text) : NULL;
	if (id && (!text || wrong))
		queue_fault(r, 1, NULL, key, "the id of the queue: %s", wrong ? wrong : "must be a text");
	r->q->id = mem_strdup(text);
	read_status(r, rest);
	row->name = mem_strdup(json_get_text(rest, "name"));
	for (size_t i = 0; i < json_count(ids); i++)
		if (json_text(json_nth(ids, i)))
			strv_add(&row->issue_ids, json_text(json_nth(ids, i)));
	row->updated_ms = queue_item_time(rest, "updated_at");
	if (!row->updated_ms)
		row->updated_ms = queue_item_time(json_get(rest, "_metadata"), "updated_at");
	if (!row->updated_ms)
		row->updated_ms = queue_item_time(json_get(rest, "metadata"), "updated_at");
}

/* ---- items ---- */

static void read_items(struct queue_reader *r, const struct list *list, bool meant)
{
	struct json_cut c = list->at;
	struct json_fault f;
	struct json_span span;
	struct json_t *item;
	int rc = json_cut_open(&c, '[', &f);

	for (size_t i = 0; rc == 0 && json_cut_element(&c, &f) == 1; i++) {
		rc = json_cut_value(&c, &item, &span, &f);
		if (rc != 0)
			break;
		if (meant)
			queue_item_read(r, item, &span, i);
		json_free(item);
	}
	if (rc != 0) {
		plan_faults_add(r->l->faults, r->file, f.line, f.column, NULL, NULL, "%s", f.text);
		r->l->bad = true;
	}
}

/* The list that has the items; LISTS = none, after a fault. */
static size_t choose(struct queue_reader *r, const struct top *top)
{
	size_t empty = LISTS;

	for (size_t i = 0; i < LISTS; i++) {
		if (top->lists[i].n)
			return i;
		if (top->lists[i].at.p && empty == LISTS)
			empty = i;
	}
	if (empty < LISTS)
		queue_warn(r, 1, NULL, "the queue has no items");
	else
		queue_fault(r, 1, NULL, list_keys[0], "a queue must have a list of items: \"solutions\", \"tasks\" or \"items\"");
	return empty;
}

/* Part of the file's text, which is stored: all but the items, which are looked at one by one. */
static void check_secrets(struct queue_reader *r, const char *text, const char *from, const char *to)
{
	size_t line = 1, lines;
	const char *name = queue_secret_in(from, (size_t)(to - from), &lines);

	if (!name)
		return;
	for (const char *p = text; (p = memchr(p, '\n', (size_t)(from - p))); p++)
		line++;
	queue_fault(r, line + lines, NULL, NULL, SECRET_FAULT, name);
}

static void read_lists(struct queue_reader *r, const struct top *top, const char *text, size_t n)
{
	size_t which = choose(r, top);
	AUTO_STR struct str raw = {0};

	if (which == LISTS)
		return;
	const struct list *list = &top->lists[which];
	r->q->row.items_key = mem_strdup(list_keys[which]);
	r->tasks = strcmp(list_keys[which], "tasks") == 0;
	str_addn(&raw, text, list->n ? (size_t)(list->at.p - text) : n);
	if (list->n) {
		str_add(&raw, "[]");
		str_addn(&raw, list->to, (size_t)(text + n - list->to));
	}
	r->q->row.raw = str_take(&raw);
	check_secrets(r, text, text, list->n ? list->at.p : text + n);
	if (list->n)
		check_secrets(r, text, list->to, text + n);
	if (list->n > PLAN_MAX_TASKS) {
		queue_fault(r, list->at.line, NULL, list_keys[which], "a queue cannot have more than %d items", PLAN_MAX_TASKS);
		return;
	}
	for (size_t i = 0; i < LISTS; i++)
		if (top->lists[i].at.p)
			read_items(r, &top->lists[i], i == which);
}

/* ---- the order they are executed in ---- */

static int by_order(const void *a, const void *b, void *defs)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	const struct item_def *d = defs;

	if (d[x].order != d[y].order)
		return d[x].order < d[y].order ? -1 : 1;
	return x < y ? -1 : x > y;
}

/* Put what is at from[i] at i, in place. */
static void permute(void *base, size_t size, const uint32_t *from, size_t n)
{
	AUTO_FREE bool *done = mem_array(n, sizeof *done);
	AUTO_FREE char *first = mem_alloc(size);
	char *p = base;

	for (size_t i = 0; i < n; i++) {
		if (done[i])
			continue;
		size_t to = i;
		memcpy(first, p + i * size, size);
		for (; from[to] != i; to = from[to]) {
			memcpy(p + to * size, p + from[to] * size, size);
			done[to] = true;
		}
		memcpy(p + to * size, first, size);
		done[to] = true;
	}
}

static void sort(struct plan_loader *l, struct plan_queue *q)
{
	AUTO_FREE uint32_t *from = mem_array(l->n, sizeof *from);

	for (size_t i = 0; i < l->n; i++)
		from[i] = (uint32_t)i;
	qsort_r(from, l->n, sizeof *from, by_order, q->defs);
	permute(l->tasks, sizeof *l->tasks, from, l->n);
	permute(l->origins, sizeof *l->origins, from, l->n);
	permute(q->defs, sizeof *q->defs, from, l->n);
	permute(q->items, sizeof *q->items, from, l->n);
	permute(q->states, sizeof *q->states, from, l->n);
	permute(q->reasons, sizeof *q->reasons, from, l->n);
}

/* ---- all of it ---- */

/* Where it lies, and what the index there says of it. */
static void read_place(struct queue_reader *r, const char *folder)
{
	struct queue_row *row = &r->q->row;
	const char *name = strrchr(r->file, '/');
	struct queue_index index;

	if (!folder)
		return;
	row->folder = realpath(folder, NULL);
	row->file = mem_strdup(name ? name + 1 : r->file);
	AUTO_FREE char *beside = mem_printf("%s/index.json", folder), *below = mem_printf("%s/queues/index.json", folder);
	const char *path = fs_exists(beside) ? beside : below;
	queue_index_read(&index, &r->l->warnings, path);
	const struct queue_entry *entry = queue_index_find(&index, r->q->id);
	row->rank = entry ? entry->rank : 0;
	row->index_raw = mem_strdup(entry ? entry->raw : NULL);
	queue_item_keepable(r, path, entry ? entry->line : 0, NULL, row->index_raw);
	queue_index_fini(&index);
}

/* What else of a store of issues it is; NULL = a queue. */
static const char *other_file(const struct top *top)
{
	bool items = false;

	for (size_t i = 0; i < LISTS; i++)
		items = items || (top->lists[i].at.p && strcmp(list_keys[i], "tasks") != 0);
	if (items)
		return NULL;
	if (strv_has(&top->keys, "queues") || strv_has(&top->keys, "active_queue_id"))
		return "this is the list of the queues: name one of them, or the folder above";
	if (strv_has(&top->keys, "bound_solution_id") || strv_has(&top->keys, "is_bound") || strv_has(&top->keys, "approach"))
		return "this is an issue or a solution: name the queue that it is in";
	return NULL;
}

static void read_top(struct queue_reader *r, const char *folder, const char *text, size_t n)
{
	struct top top = {.rest = json_map()};
	struct json_fault f;

	int rc = scan(&top, text, n, &f);
	const char *other = other_file(&top);
	if (other) {
		queue_fault(r, 1, NULL, NULL, "%s", other);
	} else if (rc != 0) {
		plan_faults_add(r->l->faults, r->file, f.line, f.column, NULL, NULL, "%s", f.text);
		r->l->bad = true;
	} else {
		read_rest(r, top.rest);
		read_place(r, folder);
		r->beside = queue_beside_new(r, folder);
		read_lists(r, &top, text, n);
		queue_beside_free(r->beside);
		sort(r->l, r->q);
		queue_names_resolve(r, &top.groups, &top.conflicts);
		if (!r->l->bad)
			queue_check(r->l, r->q);
	}
	json_free(top.rest);
	strv_fini(&top.keys);
}

void queue_read(struct plan_loader *l, const char *file, const char *folder, const char *text, size_t n)
{
	if (!plan_takes(l, file, NULL, "queue"))
		return;
	if (l->n) {
		plan_fault(l, file, NULL, NULL, NULL, "one run takes one queue");
		return;
	}
	struct queue_reader r = {.l = l, .file = file, .q = mem_alloc(sizeof *r.q)};
	l->queue = r.q;
	read_top(&r, folder, text, n);
	queue_say_rest(l, file);
}
