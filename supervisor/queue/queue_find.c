/* queue_find: which queues there are, and which item is meant. */
#include <stdio.h>
#include <string.h>

#include "queue.h"
#include "store/base/mem.h"

/* ---- queues ---- */

struct listing {
	struct strv order; /* rank as sortable text, then the id */
	bool all;          /* not only the active ones */
};

static int list_row(void *ctx, const char *key, const void *value, size_t n, struct err *e)
{
	struct listing *l = ctx;
	struct queue_row row;

	if (rec_decode(&queue_row_rec, &row, value, n, e) != 0)
		return err_set(e, ERR_DAMAGED, "a row of the store, of queue %s, cannot be read: bosk verify --repair makes it "
		               "again", key);
	if (queue_is(&row) && (l->all || str_eq(row.status, "active")))
		strv_addf(&l->order, "%020llu %s", (unsigned long long)(row.rank - 1), key); /* none: the largest number */
	rec_fini(&queue_row_rec, &row);
	return 0;
}

static int list_in(struct strv *out, struct db_txn *t, bool all, struct err *e)
{
	struct listing l = {.all = all};

	*out = (struct strv){0};
	int rc = db_scan(t, DB_queues, "", list_row, &l, e);
	strv_sort(&l.order);
	for (size_t i = 0; rc == 0 && i < l.order.n; i++)
		strv_add(out, l.order.v[i] + 21);
	strv_fini(&l.order);
	return rc;
}

int queue_active_in(struct strv *out, struct db_txn *t, struct err *e)
{
	return list_in(out, t, false, e);
}

int queue_list_in(struct strv *out, struct db_txn *t, struct err *e)
{
	return list_in(out, t, true, e);
}

struct wanted_list {
	struct strv *out;
	bool all;
};

static int list(struct db_txn *t, void *ctx, struct err *e)
{
	struct wanted_list *w = ctx;
	return list_in(w->out, t, w->all, e);
}

int queue_active(struct strv *out, const struct site *site, struct err *e)
{
	struct wanted_list w = {out, false};

	*out = (struct strv){0};
	return site->db ? db_read(site->db, list, &w, e) : 0;
}

int queue_list(struct strv *out, const struct site *site, struct err *e)
{
	struct wanted_list w = {out, true};

	*out = (struct strv){0};
	return site->db ? db_read(site->db, list, &w, e) : 0;
}

/* ---- items ---- */

/* 0, or ERR_MISSING: that queue has no such item. */
static int look_up(size_t *ordinal, struct db_txn *t, const char *queue, const char *item, struct err *e)
{
	AUTO_FREE char *key = queue_index_key(queue, item);
	const void *value;
	size_t n;
	uint64_t number = 0;

	if (plan_id_fault(item)) /* not every text can be a key */
		return err_set(e, ERR_MISSING, "queue %s has no such item", queue);
	if (db_get(t, DB_items, key, &value, &n, e) != 0)
		return -1;
	AUTO_FREE char *text = mem_strndup(value, n);
	if (!str_u64(text, &number) || !number || number > PLAN_MAX_TASKS)
		return err_set(e, ERR_DAMAGED, "a row of the store, of %s, cannot be read: bosk verify --repair makes it again",
		               key);
	*ordinal = (size_t)number;
	return 0;
}

static int in_queue(char **queue, size_t *ordinal, struct db_txn *t, const char *id, const char *item, struct err *e)
{
	struct queue_row row;

	if (queue_row_load_in(&row, t, id, e) != 0)
		return -1;
	rec_fini(&queue_row_rec, &row);
	if (look_up(ordinal, t, id, item, e) != 0)
		return e->kind == ERR_MISSING ? err_set(e, ERR_MISSING, "queue %s has no item '%s'", id, item) : -1;
	*queue = mem_strdup(id);
	return 0;
}

int queue_find_all_in(struct strv *out, size_t *n_active, struct db_txn *t, const char *name, struct err *e)
{
	AUTO_STRV struct strv active = {0}, all = {0};

	*out = (struct strv){0};
	*n_active = 0;
	if (plan_id_fault(name))
		return 0;
	if (list_in(&active, t, false, e) != 0 || list_in(&all, t, true, e) != 0)
		return -1;
	for (size_t i = 0; i < active.n + all.n; i++) {
		const char *id = i < active.n ? active.v[i] : all.v[i - active.n];
		struct err absent = {0};
		size_t ordinal;
		if (i >= active.n && strv_has(&active, id))
			continue;
		if (look_up(&ordinal, t, id, name, &absent) == 0) {
			strv_add(out, id);
			*n_active += i < active.n;
		} else if (absent.kind != ERR_MISSING) {
			*e = absent;
			return -1;
		}
	}
	return 0;
}

int queue_find_item_in(char **queue, size_t *ordinal, struct db_txn *t, const char *name, const char *in,
                       struct err *e)
{
	const char *colon = strrchr(name, ':');
	AUTO_STRV struct strv with = {0};
	AUTO_STR struct str names = {0};
	size_t active;

	*queue = NULL;
	if (colon) {
		AUTO_FREE char *id = mem_strndup(name, (size_t)(colon - name));
		if (in && !str_eq(in, id))
			return err_set(e, ERR_USAGE, "%s is not in queue %s", name, in);
		return in_queue(queue, ordinal, t, id, colon + 1, e);
	}
	if (in)
		return in_queue(queue, ordinal, t, in, name, e);
	if (queue_find_all_in(&with, &active, t, name, e) != 0)
		return -1;
	if (!with.n)
		return err_set(e, ERR_MISSING, "no queue has an item '%s'", name);
	for (size_t i = 0; i < with.n; i++)
		str_addf(&names, "%s%s:%s", i ? ", " : "", with.v[i], name);
	if (!active && with.n > 1)
		return err_set(e, ERR_USAGE, "item %s is in several queues: say which: %s", name, names.p);
	return in_queue(queue, ordinal, t, with.v[0], name, e);
}

struct wanted_item {
	char **queue;
	size_t *ordinal;
	const char *name, *in;
};

static int find_item(struct db_txn *t, void *ctx, struct err *e)
{
	struct wanted_item *w = ctx;
	return queue_find_item_in(w->queue, w->ordinal, t, w->name, w->in, e);
}

int queue_find_item(char **queue, size_t *ordinal, const struct site *site, const char *name, const char *in,
                    struct err *e)
{
	struct wanted_item w = {queue, ordinal, name, in};

	*queue = NULL;
	if (!site->db)
		return err_set(e, ERR_MISSING, "no queue has an item '%s'", name);
	return db_read(site->db, find_item, &w, e);
}
