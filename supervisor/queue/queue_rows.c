/* queue_rows: single rows of a queue, and their keys. */
#include <string.h>

#include "queue.h"
#include "store/base/mem.h"

char *queue_task_key(const char *queue, size_t ordinal, char part)
{
	return mem_printf("%s/%06zu/%c", queue, ordinal, part);
}

char *queue_link_key(const char *queue, size_t ordinal)
{
	return mem_printf("%s+%06zu", queue, ordinal);
}

char *queue_index_key(const char *queue, const char *item)
{
	return mem_printf("%s=%s", queue, item);
}

char *queue_issue_key(const char *queue, size_t ordinal)
{
	return mem_printf("%s/%06zu", queue, ordinal);
}

char *queue_exported_key(const char *queue)
{
	return mem_printf("exported/%s", queue);
}

/* ---- reading and writing ---- */

static int get(struct db_txn *t, enum db_table table, const char *key, const struct rec *r, void *out, struct err *e)
{
	const void *value;
	size_t n;

	memset(out, 0, r->size);
	if (db_get(t, table, key, &value, &n, e) != 0)
		return -1;
	return rec_decode(r, out, value, n, e) == 0
	               ? 0
	               : err_set(e, ERR_DAMAGED, "a row of the store, of %s, cannot be read: bosk verify --repair makes it "
	                         "again", key);
}

static int put(struct db_txn *t, enum db_table table, const char *key, const struct rec *r, const void *row,
               struct err *e)
{
	AUTO_STR struct str bytes = {0};

	rec_encode(r, row, &bytes);
	return db_put(t, table, key, bytes.p, bytes.len, e);
}

bool queue_is(const struct queue_row *row)
{
	return str_eq(row->kind, "queue") && row->status;
}

int queue_row_load_in(struct queue_row *out, struct db_txn *t, const char *id, struct err *e)
{
	if (plan_id_fault(id)) { /* not every text can be a key */
		*out = (struct queue_row){0};
		return err_set(e, ERR_MISSING, "there is no queue '%.80s'; bosk queue list", id);
	}
	if (get(t, DB_queues, id, &queue_row_rec, out, e) != 0)
		return e->kind == ERR_MISSING ? err_set(e, ERR_MISSING, "there is no queue %s; bosk queue list", id) : -1;
	if (queue_is(out))
		return 0;
	rec_fini(&queue_row_rec, out);
	return err_set(e, ERR_MISSING, "%s is the plan of a session, not a queue of issues", id);
}

int queue_row_put_in(struct db_txn *t, const char *id, const struct queue_row *row, struct err *e)
{
	return put(t, DB_queues, id, &queue_row_rec, row, e);
}

int queue_item_load_in(struct queue_item *out, struct db_txn *t, const char *queue, size_t ordinal, struct err *e)
{
	AUTO_FREE char *def = queue_task_key(queue, ordinal, 'd'), *row = queue_task_key(queue, ordinal, 's');

	*out = (struct queue_item){0};
	return get(t, DB_tasks, def, &task_def_rec, &out->def, e) != 0 ||
	                       get(t, DB_tasks, row, &task_row_rec, &out->task, e) != 0 ||
	                       get(t, DB_items, def, &item_def_rec, &out->item_def, e) != 0 ||
	                       get(t, DB_items, row, &item_row_rec, &out->item, e) != 0
	               ? err_wrap(e, "queue %s", queue)
	               : 0;
}

int queue_item_put_in(struct db_txn *t, const char *queue, size_t ordinal, const struct queue_item *item,
                      struct err *e)
{
	AUTO_FREE char *key = queue_task_key(queue, ordinal, 's');

	return put(t, DB_tasks, key, &task_row_rec, &item->task, e) != 0 ||
	                       put(t, DB_items, key, &item_row_rec, &item->item, e) != 0
	               ? -1
	               : 0;
}

void queue_item_fini(struct queue_item *item)
{
	rec_fini(&task_def_rec, &item->def);
	rec_fini(&task_row_rec, &item->task);
	rec_fini(&item_def_rec, &item->item_def);
	rec_fini(&item_row_rec, &item->item);
}

struct loading {
	struct queue_item *out;
	const char *queue;
	size_t ordinal;
};

static int load(struct db_txn *t, void *ctx, struct err *e)
{
	struct loading *l = ctx;
	return queue_item_load_in(l->out, t, l->queue, l->ordinal, e);
}

int queue_item_load(struct queue_item *out, const struct site *site, const char *queue, size_t ordinal, struct err *e)
{
	struct loading l = {out, queue, ordinal};

	*out = (struct queue_item){0};
	if (!site->db)
		return err_set(e, ERR_MISSING, "there is no queue %s; bosk queue list", queue);
	return db_read(site->db, load, &l, e);
}
