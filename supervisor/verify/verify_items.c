/* verify_items: the rows that only queues of solutions have: items, their small forms, their places by name, issues. */
#include <stdio.h>
#include <string.h>

#include "store/base/mem.h"
#include "supervisor/queue/queue.h"
#include "verify_private.h"

/* ---- one queue ---- */

/* The row of that key decoded; false, with the queue wrong, when it is missing or cannot be read. */
static bool read_row(struct verify *v, struct verify_queue *q, enum db_table table, const char *key,
                     const struct rec *r, void *out)
{
	const struct image_row *row = image_find(&v->model->image, table, key);
	struct err e = {0};

	memset(out, 0, r->size);
	if (row && rec_decode(r, out, row->bytes, row->n, &e) == 0)
		return true;
	q->items = verify_say(v, q->id, "the row %s of %s %s", key, image_table_name(table),
	                      row ? "cannot be read" : "is missing");
	return false;
}

static void check_item(struct verify *v, struct verify_queue *q, const struct queue_names *names, size_t ordinal)
{
	AUTO_FREE char *def_key = queue_task_key(q->id, ordinal, 'd'), *row_key = queue_task_key(q->id, ordinal, 's');
	AUTO_FREE char *link_key = queue_link_key(q->id, ordinal);
	AUTO_FREE char *index_key = queue_index_key(q->id, names->defs[ordinal - 1].id);
	const struct image_row *index = image_find(&v->model->image, DB_items, index_key);
	struct item_def def;
	struct item_row row;
	struct item_link now, wanted;
	struct err e = {0};
	char text[24];

	snprintf(text, sizeof text, "%zu", ordinal);
	if (!index || strcmp(index->bytes, text) != 0)
		q->items = verify_say(v, q->id, "the row %s of items %s", index_key, index ? "names another item" : "is missing");
	if (read_row(v, q, DB_items, row_key, &item_row_rec, &row))
		rec_fini(&item_row_rec, &row);
	bool have = read_row(v, q, DB_items, def_key, &item_def_rec, &def);
	bool linked = read_row(v, q, DB_items, link_key, &item_link_rec, &now);
	if (have && linked) {
		if (queue_link_make(&wanted, names, ordinal, &def, &e) != 0) {
			q->items = verify_say(v, q->id, "%s", e.text);
		} else {
			if (!rec_equal(&item_link_rec, &now, &wanted))
				q->items = verify_say(v, q->id, "the row %s of items does not agree with the definitions", link_key);
			queue_link_fini(&wanted);
		}
	}
	if (have)
		rec_fini(&item_def_rec, &def);
	if (linked)
		rec_fini(&item_link_rec, &now);
}

static void check_issues(struct verify *v, struct verify_queue *q)
{
	AUTO_FREE char *prefix = mem_printf("%s/", q->id);
	size_t n;

	image_range(&v->model->image, DB_issues, prefix, &n);
	for (size_t i = 1; i <= n; i++) {
		AUTO_FREE char *key = queue_issue_key(q->id, i);
		struct issue_row row;
		if (read_row(v, q, DB_issues, key, &issue_row_rec, &row))
			rec_fini(&issue_row_rec, &row);
	}
}

void verify_items(struct verify *v, struct verify_queue *q)
{
	struct queue_names names;

	if (!queue_is(&q->row))
		return;
	for (size_t i = 0; i < q->n; i++)
		if (!q->have_def[i] || !q->defs[i].id)
			return; /* said already */
	queue_names_init(&names, q->defs, q->n);
	for (size_t i = 1; i <= q->n; i++)
		check_item(v, q, &names, i);
	queue_names_fini(&names);
	check_issues(v, q);
}

/* ---- rows of nobody ---- */

/* Does the queue have such a row? */
static bool belongs(const struct verify_queue *q, enum db_table table, const char *key)
{
	const char *rest = key + strlen(q->id);
	char again[24];

	if (!queue_is(&q->row))
		return false;
	if (*rest == '=' && table == DB_items) {
		for (size_t i = 0; i < q->n; i++)
			if (q->have_def[i] && str_eq(q->defs[i].id, rest + 1))
				return true;
		return false;
	}
	unsigned long ordinal = strtoul(rest + 1, NULL, 10);
	const char *end = table == DB_issues ? "" : *rest == '+' ? "" : str_ends(key, "/d") ? "/d" : "/s";
	snprintf(again, sizeof again, "%c%06lu%s", *rest == '+' ? '+' : '/', ordinal, end);
	return ordinal && (ordinal <= q->n || table == DB_issues) && strcmp(again, rest) == 0;
}

void verify_item_strangers(struct verify *v)
{
	static const enum db_table tables[] = {DB_items, DB_issues};
	struct verify_model *m = v->model;

	for (size_t k = 0; k < MEM_COUNT(tables); k++) {
		const struct image_table *t = &m->image.tables[tables[k]];
		struct verify_queue *q = NULL;
		for (size_t i = 0; i < t->n; i++) {
			AUTO_FREE char *name = mem_strndup(t->v[i].key, strcspn(t->v[i].key, "/+="));
			if (!q || !str_eq(q->id, name))
				q = verify_find_queue(v, name);
			/* By name there are very many: only those that are too many are looked for. */
			if (q && queue_is(&q->row) && t->v[i].key[strlen(q->id)] == '=' && q->n > 1000)
				continue;
			if (q && (!q->have || belongs(q, tables[k], t->v[i].key)))
				continue;
			verify_say(v, name, "%s has a row %s that is of no item", image_table_name(tables[k]), t->v[i].key);
			verify_junk(v, tables[k], t->v[i].key);
		}
	}
}
