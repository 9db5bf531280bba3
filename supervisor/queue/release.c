/* release: claims of the dead are taken back, with all that follows from it. */
#include "release.h"

#include "change.h"
#include "lease.h"
#include "store/base/clock.h"
#include "store/base/mem.h"

/* Does somebody work on another item of its issue? */
static bool issue_busy(const struct queue *q, size_t i)
{
	for (size_t k = 0; k < q->n_busy; k++)
		if (q->busy[k] != i && str_eq(q->links[q->busy[k]].issue, q->links[i].issue))
			return true;
	return false;
}

static int release(struct db_txn *t, struct queue *q, size_t i, const struct queue_item *item, uint64_t now_ms,
                   struct err *e)
{
	int rc = change_item_in(t, q, i, TASK_WAITING, NULL, e);

	if (rc == 0 && !issue_busy(q, i))
		rc = change_issue_in(t, q, &item->item_def, "queued", NULL, now_ms, e);
	return rc != 0 ? -1 : change_queue_in(t, q, now_ms, e);
}

int release_in(struct db_txn *t, struct queue *q, struct release *l, struct err *e)
{
	int rc = 0;

	l->again = SIZE_MAX;
	for (size_t i = 0; rc == 0 && i < q->n; i++) {
		struct queue_item item;
		AUTO_STR struct str who = {0};
		if (q->states[i] != TASK_CLAIMED)
			continue;
		rc = queue_item_load_in(&item, t, q->id, i + 1, e);
		enum lease lease = rc == 0 ? lease_of(&item.item, l->max_age_ms) : LEASE_NONE;
		if (lease == LEASE_ORPHAN || lease == LEASE_YOUNG)
			lease_text(&item.item, &who);
		if (lease != LEASE_NONE && i == l->wanted && lease_again(&item.item, l->token)) {
			l->again = i;
		} else if (lease == LEASE_ORPHAN) {
			l->released++;
			strv_addf(l->lines, "%s:%s %s pending again: it was claimed by %s", q->id, q->links[i].id,
			          l->dry ? "would be" : "is", who.p);
			rc = l->dry ? 0 : release(t, q, i, &item, l->now_ms, e);
		} else if (lease == LEASE_YOUNG) {
			AUTO_STR struct str limit = {0};
			clock_add_duration(&limit, l->max_age_ms);
			strv_addf(l->young, "%s:%s stays claimed for %s (orphans.max_age): it was claimed by %s", q->id, q->links[i].id,
			          limit.p, who.p);
		}
		queue_item_fini(&item);
	}
	return rc;
}

static int release_all(struct db_txn *t, void *ctx, struct err *e)
{
	struct release *l = ctx;
	AUTO_STRV struct strv ids = {0};

	strv_fini(l->lines);
	l->released = 0;
	int rc = queue_list_in(&ids, t, e); /* also in one that was put aside */
	for (size_t i = 0; rc == 0 && i < ids.n; i++) {
		struct queue_claimed claimed;
		struct queue q = {0};
		rc = queue_claimed_in(&claimed, t, ids.v[i], e);
		if (rc == 0 && claimed.n)
			rc = queue_load_in(&q, t, ids.v[i], e);
		if (rc == 0 && claimed.n)
			rc = release_in(t, &q, l, e);
		free(claimed.ordinals);
		queue_fini(&q);
	}
	return rc;
}

int release_orphans(struct site *site, uint64_t max_age_ms, bool dry, struct strv *lines, struct err *e)
{
	struct release l = {
		.wanted = SIZE_MAX, .max_age_ms = max_age_ms, .now_ms = clock_wall_ms(), .dry = true, .lines = lines, .young = lines};

	if (!site->db)
		return 0;
	/* Mostly there is nothing, and nobody has to wait for that. */
	int rc = db_read(site->db, release_all, &l, e);
	l.dry = dry;
	return rc != 0 || dry || !l.released ? rc : db_write(site->db, release_all, &l, e);
}
