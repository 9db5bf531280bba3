/* queue_remove: takes a queue out of the store. Its files in the checkout are the user's, and stay. */
#include <string.h>

#include "queue.h"
#include "store/base/fail.h"
#include "store/base/mem.h"

struct removing {
	const char *id;
	uint64_t max_age_ms;
	struct queue_removed *out;
};

static int add_key(void *ctx, const char *key, const void *value, size_t n, struct err *e)
{
	(void)value, (void)n, (void)e;
	strv_add(ctx, key);
	return 0;
}

static int delete_below(struct db_txn *t, enum db_table table, const char *id, char mark, struct err *e)
{
	AUTO_FREE char *prefix = mem_printf("%s%c", id, mark);
	AUTO_STRV struct strv keys = {0};
	int rc = db_scan(t, table, prefix, add_key, &keys, e);

	for (size_t i = 0; rc == 0 && i < keys.n; i++)
		rc = db_del(t, table, keys.v[i], e);
	return rc;
}

static int count_changed(void *ctx, const char *key, const void *value, size_t n, struct err *e)
{
	struct removing *r = ctx;
	struct item_row row;

	if (key[strlen(key) - 1] != 's')
		return 0;
	if (rec_decode(&item_row_rec, &row, value, n, e) != 0)
		return err_wrap(e, "%s", key);
	r->out->changed += row.changed;
	rec_fini(&item_row_rec, &row);
	return 0;
}

/* May it go? */
static int check(struct db_txn *t, struct removing *r, struct err *e)
{
	AUTO_FREE char *items = mem_printf("%s/", r->id);
	AUTO_STRV struct strv claims = {0};
	struct queue q;
	int rc = queue_load_in(&q, t, r->id, e);

	if (rc == 0 && q.row.sessions.n)
		rc = err_set(e, ERR_HELD, "session %s works on queue %s, or did: what it recorded would be lost with it. Once that "
		             "has landed, bosk gc --sessions --max-age 0 forgets it", q.row.session, r->id);
	if (rc == 0)
		rc = queue_claims_in(&claims, t, &q, r->max_age_ms, e);
	if (rc == 0 && claims.n)
		rc = err_set(e, ERR_HELD, "somebody works on item %s%s of queue %s", claims.v[0], claims.n > 1 ? ", and more" : "",
		             r->id);
	r->out->items = q.n;
	r->out->changed = 0;
	queue_fini(&q);
	return rc == 0 ? db_scan(t, DB_items, items, count_changed, r, e) : -1;
}

static int look(struct db_txn *t, void *ctx, struct err *e)
{
	return check(t, ctx, e);
}

static int remove_rows(struct db_txn *t, void *ctx, struct err *e)
{
	struct removing *r = ctx;
	AUTO_FREE char *exported = queue_exported_key(r->id);

	return check(t, r, e) != 0 || db_del(t, DB_meta, exported, e) != 0 || delete_below(t, DB_items, r->id, '/', e) != 0 ||
	                       delete_below(t, DB_items, r->id, '+', e) != 0 ||
	                       delete_below(t, DB_items, r->id, '=', e) != 0 ||
	                       delete_below(t, DB_issues, r->id, '/', e) != 0 ||
	                       delete_below(t, DB_tasks, r->id, '/', e) != 0 ||
	                       delete_below(t, DB_results, r->id, '/', e) != 0 || db_del(t, DB_queues, r->id, e) != 0
	               ? -1
	               : 0;
}

int queue_remove(struct queue_removed *out, struct site *site, const char *id, uint64_t max_age_ms, struct err *e)
{
	struct removing r = {.id = id, .max_age_ms = max_age_ms, .out = out};
	AUTO_FREE char *plan = mem_printf("refs/bosk/plan/%s", id);
	struct oid at;
	struct err absent = {0};

	*out = (struct queue_removed){0};
	if (db_read(site->db, look, &r, e) != 0)
		return -1;
	FAILPOINT("queue.remove.before");
	/* Cut off here it is still a queue, of which bosk verify --repair writes the plan again. */
	if (gitx_ref_read(site->git, plan, &at, &absent) == 0 &&
	    gitx_ref_move(site->git, plan, &at, NULL, "bosk: queue remove", e) != 0)
		return -1;
	FAILPOINT("queue.remove.ref");
	int rc = db_write(site->db, remove_rows, &r, e);
	if (rc != 0 && !absent.kind) /* somebody has begun to work on it meanwhile: it stays, with all of it */
		gitx_ref_move(site->git, plan, NULL, &at, "bosk: queue remove", &absent);
	FAILPOINT("queue.remove.after");
	return rc;
}
