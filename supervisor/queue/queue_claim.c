/* queue_claim: who works on an item without a session (bosk next), and whether that may be taken back. */
#include <string.h>

#include "lease.h"
#include "queue.h"
#include "store/base/mem.h"

static int take_claimed(void *ctx, const char *key, const void *value, size_t n, struct err *e)
{
	const char *claimed = task_state_name(TASK_CLAIMED);
	size_t len = 0;

	(void)e;
	const char *state = str_ends(key, "/s") ? scan_text(value, n, "state", &len) : NULL;
	if (state && len == strlen(claimed) && memcmp(state, claimed, len) == 0)
		strv_add(ctx, key);
	return 0;
}

int queue_claimed_in(struct queue_claimed *out, struct db_txn *t, const char *queue, struct err *e)
{
	AUTO_FREE char *prefix = mem_printf("%s/", queue);
	AUTO_STRV struct strv keys = {0};

	*out = (struct queue_claimed){0};
	if (db_scan(t, DB_tasks, prefix, take_claimed, &keys, e) != 0)
		return -1;
	out->ordinals = mem_array(keys.n, sizeof *out->ordinals);
	for (; out->n < keys.n; out->n++)
		out->ordinals[out->n] = strtoul(keys.v[out->n] + strlen(prefix), NULL, 10);
	return 0;
}

/* *orphans: how many are of owners that are dead for so long that they are taken back. */
static int claims_in(struct strv *out, size_t *orphans, struct db_txn *t, const struct queue *q, uint64_t max_age_ms,
                     struct err *e)
{
	*out = (struct strv){0};
	*orphans = 0;
	for (size_t k = 0; k < q->n_busy; k++) {
		AUTO_FREE char *key = queue_task_key(q->id, q->busy[k] + 1, 's');
		struct item_row row;
		const void *value;
		size_t n;
		if (q->states[q->busy[k]] != TASK_CLAIMED)
			continue;
		if (db_get(t, DB_items, key, &value, &n, e) != 0 || rec_decode(&item_row_rec, &row, value, n, e) != 0)
			return err_wrap(e, "item %s of queue %s", q->links[q->busy[k]].id, q->id);
		enum lease lease = lease_of(&row, max_age_ms);
		AUTO_STR struct str who = {0};
		lease_text(&row, &who);
		if (lease == LEASE_HELD || lease == LEASE_YOUNG)
			strv_addf(out, "%s (%s)", q->links[q->busy[k]].id, who.p);
		*orphans += lease == LEASE_ORPHAN;
		rec_fini(&item_row_rec, &row);
	}
	return 0;
}

int queue_claims_in(struct strv *out, struct db_txn *t, const struct queue *q, uint64_t max_age_ms, struct err *e)
{
	size_t orphans;
	return claims_in(out, &orphans, t, q, max_age_ms, e);
}

static int judge(size_t *orphans, struct db_txn *t, const struct queue *q, uint64_t max_age_ms, struct err *e)
{
	AUTO_STRV struct strv claims = {0};

	if (claims_in(&claims, orphans, t, q, max_age_ms, e) != 0)
		return -1;
	return !claims.n ? 0
	                 : err_set(e, ERR_HELD, "queue %s: somebody works on item %s%s; a session begins when that is done (bosk "
	                           "done)", q->id, claims.v[0], claims.n > 1 ? " and more" : "");
}

int queue_unclaimed_in(struct db_txn *t, const struct queue *q, uint64_t max_age_ms, struct err *e)
{
	size_t orphans;
	return judge(&orphans, t, q, max_age_ms, e);
}

struct looking {
	const char *id;
	uint64_t max_age_ms;
	size_t orphans;
};

static int look(struct db_txn *t, void *ctx, struct err *e)
{
	struct looking *l = ctx;
	struct queue q;

	int rc = queue_load_in(&q, t, l->id, e);
	if (rc == 0)
		rc = judge(&l->orphans, t, &q, l->max_age_ms, e);
	queue_fini(&q);
	return rc;
}

int queue_unclaimed(size_t *orphans, const struct site *site, const char *id, uint64_t max_age_ms, struct err *e)
{
	struct looking l = {.id = id, .max_age_ms = max_age_ms};
	int rc = db_read(site->db, look, &l, e);

	*orphans = l.orphans;
	return rc;
}
