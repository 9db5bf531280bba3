/* queue_claim: who works on an item without a session (bosk next), and whether that may be taken back. */
#include "lease.h"
#include "queue.h"
#include "store/base/mem.h"

int queue_claims_in(struct strv *out, struct db_txn *t, const struct queue *q, uint64_t max_age_ms, struct err *e)
{
	*out = (struct strv){0};
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
		rec_fini(&item_row_rec, &row);
	}
	return 0;
}
