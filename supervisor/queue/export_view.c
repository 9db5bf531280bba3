/* export_view: a queue as it was at one moment, so that its file, its issues and the index say the same, whoever works
 * on it meanwhile. Definitions never change: these are read item by item when they are needed. */
#include <string.h>

#include "export.h"
#include "store/base/mem.h"

struct viewing {
	struct export_view *v;
	const char *id;
	enum db_table table;
	size_t room;
};

/* Which item a row queue/000001/s is of. */
static struct str *place(struct viewing *w, struct str *rows, const char *key)
{
	size_t at = strtoul(key + strlen(w->id) + 1, NULL, 10);
	return at && at <= w->v->queue.n ? &rows[at - 1] : NULL;
}

static int take_row(void *ctx, const char *key, const void *value, size_t n, struct err *e)
{
	struct viewing *w = ctx;
	struct str *row = place(w, w->table == DB_tasks ? w->v->tasks : w->v->items, key);

	(void)e;
	if (row && str_ends(key, "/s"))
		str_addn(row, value, n);
	return 0;
}

static int take_issue(void *ctx, const char *key, const void *value, size_t n, struct err *e)
{
	struct viewing *w = ctx;
	struct export_view *v = w->v;

	(void)key;
	if (v->n_issues == w->room)
		v->issues = mem_grow(v->issues, w->room = w->room ? 2 * w->room : 64, sizeof *v->issues);
	return rec_decode(&issue_row_rec, &v->issues[v->n_issues], value, n, e) == 0 ? (v->n_issues++, 0) : -1;
}

static int look(struct db_txn *t, void *ctx, struct err *e)
{
	struct viewing *w = ctx;
	struct export_view *v = w->v;
	AUTO_FREE char *prefix = mem_printf("%s/", w->id);

	if (queue_load_in(&v->queue, t, w->id, e) != 0)
		return -1;
	v->tasks = mem_array(v->queue.n + 1, sizeof *v->tasks);
	v->items = mem_array(v->queue.n + 1, sizeof *v->items);
	w->table = DB_tasks;
	if (db_scan(t, DB_tasks, prefix, take_row, w, e) != 0)
		return -1;
	w->table = DB_items;
	return db_scan(t, DB_items, prefix, take_row, w, e) != 0 ? -1 : db_scan(t, DB_issues, prefix, take_issue, w, e);
}

static int decode(struct queue_item *out, const struct export_view *v, size_t i, struct err *e)
{
	if (rec_decode(&task_row_rec, &out->task, v->tasks[i].p, v->tasks[i].len, e) == 0 &&
	    rec_decode(&item_row_rec, &out->item, v->items[i].p, v->items[i].len, e) == 0)
		return 0;
	return err_set(e, ERR_DAMAGED, "rows of item %s of queue %s cannot be read: bosk verify --repair makes them again",
	               v->queue.links[i].id, v->queue.id);
}

static int sum_up(struct export_view *v, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; i < v->queue.n && rc == 0; i++) {
		struct queue_item item = {0};
		rc = decode(&item, v, i, e);
		uint64_t at[] = {item.item.started_ms, item.item.completed_ms, item.task.started_ms, item.task.ended_ms};
		bool touched = export_touched(&item);
		v->touched |= touched;
		for (size_t k = 0; touched && k < MEM_COUNT(at); k++)
			v->updated_ms = at[k] > v->updated_ms ? at[k] : v->updated_ms;
		queue_item_fini(&item);
	}
	if (v->queue.row.updated_ms > v->updated_ms)
		v->updated_ms = v->queue.row.updated_ms;
	return rc;
}

int export_view_load(struct export_view *out, const struct site *site, const char *queue, struct err *e)
{
	struct viewing w = {.v = out, .id = queue};

	*out = (struct export_view){.site = site};
	if (!site->db)
		return err_set(e, ERR_MISSING, "there is no queue %s; bosk queue list", queue);
	return db_read(site->db, look, &w, e) != 0 ? -1 : sum_up(out, e);
}

void export_view_fini(struct export_view *v)
{
	for (size_t i = 0; i < v->queue.n; i++) {
		if (v->tasks)
			str_fini(&v->tasks[i]);
		if (v->items)
			str_fini(&v->items[i]);
	}
	for (size_t i = 0; i < v->n_issues; i++)
		rec_fini(&issue_row_rec, &v->issues[i]);
	free(v->tasks);
	free(v->items);
	free(v->issues);
	queue_fini(&v->queue);
	*v = (struct export_view){0};
}

int export_view_item(struct queue_item *out, const struct export_view *v, size_t i, struct err *e)
{
	if (queue_item_load(out, v->site, v->queue.id, i + 1, e) != 0)
		return -1;
	rec_fini(&task_row_rec, &out->task);
	rec_fini(&item_row_rec, &out->item);
	return decode(out, v, i, e);
}
