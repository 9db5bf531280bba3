/* queue_claim: who works on an item without a session (bosk next), and whether that may be taken back. */
#include <stdio.h>

#include "queue.h"
#include "store/base/clock.h"
#include "store/base/mem.h"
#include "store/owner.h"

bool queue_claim_holds(const struct item_row *r, uint64_t max_age_ms)
{
	struct owner owner = {.pid = r->pid, .start_ticks = r->start_ticks}, self;
	uint64_t now = clock_wall_ms();

	if (!r->token)
		return false;
	owner_self(&self);
	snprintf(owner.boot_id, sizeof owner.boot_id, "%s", r->boot_id ? r->boot_id : "");
	return !str_eq(r->host, self.host) || owner_alive(&owner) || r->claimed_ms + max_age_ms > now;
}

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
		if (queue_claim_holds(&row, max_age_ms))
			strv_addf(out, "%s (process %llu on %s)", q->links[q->busy[k]].id, (unsigned long long)row.pid,
			          row.host ? row.host : "?");
		rec_fini(&item_row_rec, &row);
	}
	return 0;
}
