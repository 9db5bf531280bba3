/* queue_index: the rows of a queue that follow from its definitions, made again (declared in queue_copy.h). */
#include <stdio.h>
#include <string.h>

#include "queue_copy.h"
#include "store/base/mem.h"

struct definitions {
	const char *prefix;
	struct task_def *defs;
	struct item_def *items;
	size_t n, n_defs, n_items;
};

static int take(void *ctx, const char *key, const void *value, size_t n, struct err *e)
{
	struct definitions *d = ctx;
	if (key[strlen(key) - 1] != 'd')
		return 0;
	if (d->n_defs == d->n)
		return err_set(e, ERR_DAMAGED, "more rows than items");
	return rec_decode(&task_def_rec, &d->defs[d->n_defs++], value, n, e);
}

static int take_item(void *ctx, const char *key, const void *value, size_t n, struct err *e)
{
	struct definitions *d = ctx;
	if (key[strlen(key) - 1] != 'd')
		return 0;
	if (d->n_items == d->n)
		return err_set(e, ERR_DAMAGED, "more rows than items");
	return rec_decode(&item_def_rec, &d->items[d->n_items++], value, n, e);
}

static int load(struct db_txn *t, void *ctx, struct err *e)
{
	struct definitions *d = ctx;
	return db_scan(t, DB_tasks, d->prefix, take, d, e) != 0 ? -1 : db_scan(t, DB_items, d->prefix, take_item, d, e);
}

static int make(const struct site *site, const char *queue, const struct definitions *d, struct err *e)
{
	struct queue_names names;
	struct db_batch batch = {0};
	int rc = 0;

	queue_names_init(&names, d->defs, d->n);
	for (size_t i = 0; rc == 0 && i < d->n; i++) {
		AUTO_FREE char *key = queue_link_key(queue, i + 1), *index = queue_index_key(queue, d->defs[i].id);
		struct item_link row;
		char ordinal[24];
		rc = queue_link_make(&row, &names, i + 1, &d->items[i], e);
		if (rc != 0)
			break;
		snprintf(ordinal, sizeof ordinal, "%zu", i + 1);
		rows_put(&batch, DB_items, key, &item_link_rec, &row);
		db_batch_put(&batch, DB_items, index, ordinal, strlen(ordinal));
		queue_link_fini(&row);
	}
	if (rc == 0)
		rc = db_batch_write(site->db, &batch, e);
	db_batch_clear(&batch);
	queue_names_fini(&names);
	return rc;
}

int queue_index_write(const struct site *site, const char *queue, struct err *e)
{
	AUTO_FREE char *prefix = mem_printf("%s/", queue);
	AUTO_STR struct str value = {0};
	struct definitions d = {.prefix = prefix};
	struct queue_row row;

	if (db_load(site->db, DB_queues, queue, &value, e) != 0 ||
	    rec_decode(&queue_row_rec, &row, value.p, value.len, e) != 0)
		return err_wrap(e, "queue %s", queue);
	d.n = row.tasks <= PLAN_MAX_TASKS ? row.tasks : 0;
	rec_fini(&queue_row_rec, &row);
	d.defs = mem_array(d.n, sizeof *d.defs);
	d.items = mem_array(d.n, sizeof *d.items);
	int rc = db_read(site->db, load, &d, e);
	if (rc == 0 && (d.n_defs != d.n || d.n_items != d.n))
		rc = err_set(e, ERR_DAMAGED, "definitions of queue %s are missing", queue);
	if (rc == 0)
		rc = make(site, queue, &d, e);
	for (size_t i = 0; i < d.n; i++) {
		rec_fini(&task_def_rec, &d.defs[i]);
		rec_fini(&item_def_rec, &d.items[i]);
	}
	free(d.defs);
	free(d.items);
	return rc;
}
