/* next: the choice and the claim, in one transaction: two that ask at the same time get two items. */
#include "next.h"

#include <stdio.h>
#include <string.h>

#include "again.h"
#include "change.h"
#include "lease.h"
#include "meant.h"
#include "release.h"
#include "store/base/clock.h"
#include "store/base/fail.h"
#include "store/base/mem.h"
#include "store/seal.h"

enum { WAITING_MAX = 1000, NAMED_MAX = 8, TOKEN_BYTES = 8 };

struct asking {
	struct next *out;
	struct site *site;
	const struct next_asked *asked;
	char token[2 * TOKEN_BYTES + 1];
	uint64_t now_ms;
	bool any;     /* there was a queue to look at */
	bool several; /* queues: lines say which is meant */
	struct queue *before; /* the queues that it will look at, as they were before the transaction */
	size_t n_before;
};

void next_fini(struct next *n)
{
	free(n->queue);
	queue_item_fini(&n->item);
	strv_fini(&n->waiting);
	strv_fini(&n->released);
	strv_fini(&n->young);
	*n = (struct next){0};
}

/* ---- what may be claimed ---- */

static void add_waiting(const struct queue *q, size_t i, struct str *out)
{
	AUTO_STRV struct strv ids = {0};

	str_add(out, q->links[i].id);
	if (q->links[i].missing) {
		str_addf(out, " cannot be done: %s", q->links[i].missing);
		return;
	}
	queue_blocked_by(q, i, &ids);
	size_t named = ids.n < NAMED_MAX ? ids.n : NAMED_MAX;
	for (size_t k = 0; k < named; k++)
		str_addf(out, "%s%s", k ? ", " : " waits for ", ids.v[k]);
	if (named < ids.n)
		str_addf(out, " and %zu more", ids.n - named);
	if (!ids.n)
		str_add(out, " is ready");
}

/* What keeps the pending items of a queue. */
static void add_all_waiting(const struct queue *q, bool several, struct strv *out)
{
	size_t more = 0;

	for (size_t i = 0; i < q->n; i++) {
		AUTO_STR struct str text = {0};
		if (!str_eq(queue_word(q->states[i]), "pending"))
			continue;
		if (out->n >= WAITING_MAX) {
			more++;
			continue;
		}
		if (several)
			str_addf(&text, "%s:", q->id);
		add_waiting(q, i, &text);
		strv_add(out, text.p);
	}
	if (more)
		strv_addf(out, "and %zu more of queue %s", more, q->id);
}

/* ---- the claim ---- */

static int take(struct db_txn *t, struct asking *a, struct queue *q, size_t i, bool resumed, struct err *e)
{
	struct next *out = a->out;
	struct queue_item *item = &out->item;

	int rc = queue_item_load_in(item, t, q->id, i + 1, e);
	if (rc == 0 && !item->item_def.solution_raw)
		return err_set(e, ERR_MOVED, "item %s has no solution: %s", q->links[i].id,
		               item->def.missing ? item->def.missing : "there is none");
	AUTO_FREE char *token = mem_strdup(resumed ? item->item.token : a->token);
	if (rc == 0) {
		lease_take(&item->item, token, a->now_ms);
		if (!resumed || !item->item.started_ms)
			item->item.started_ms = item->task.started_ms = a->now_ms;
		change_state(q, i, item, TASK_CLAIMED);
		rc = queue_item_put_in(t, q->id, i + 1, item, e);
	}
	if (rc == 0)
		rc = change_issue_in(t, q, &item->item_def, "executing", NULL, a->now_ms, e);
	if (rc == 0)
		rc = change_queue_in(t, q, a->now_ms, e);
	out->found = NEXT_ITEM;
	out->resumed = resumed;
	mem_set(&out->queue, q->id);
	return rc;
}

static int refuse(struct db_txn *t, const struct queue *q, size_t i, struct err *e)
{
	const char *id = q->links[i].id, *word = queue_word(q->states[i]);
	struct queue_item item;
	AUTO_STR struct str who = {0};

	if (queue_finished(q->states[i])) {
		AUTO_FREE char *how = again_how(q, i);
		bool good = task_state_good(q->states[i]);
		return err_set(e, ERR_MOVED, "item %s is %s already%s%s", id, word, good ? "" : "; ", good ? "" : how);
	}
	if (q->states[i] != TASK_CLAIMED) {
		add_waiting(q, i, &who);
		return err_set(e, ERR_MOVED, "%s", who.p);
	}
	if (queue_item_load_in(&item, t, q->id, i + 1, e) != 0)
		return -1;
	lease_text(&item.item, &who);
	bool claimed = item.item.token != NULL;
	queue_item_fini(&item);
	return claimed ? err_set(e, ERR_HELD, "item %s is claimed by %s", id, who.p)
	               : err_set(e, ERR_HELD, "item %s was executing when its queue was added: bosk retry %s makes it pending",
	                         id, id);
}

/* The wanted one if it is ready, or the first that is; SIZE_MAX = none. */
static size_t choose(const struct queue *q, size_t wanted)
{
	return wanted == SIZE_MAX ? queue_first_ready(q) : queue_ready(q, wanted) ? wanted : SIZE_MAX;
}

static struct queue *read_before(const struct asking *a, const char *id)
{
	for (size_t i = 0; i < a->n_before; i++)
		if (str_eq(a->before[i].id, id))
			return &a->before[i];
	return NULL;
}

/* One queue. *taken: an item of it was claimed. */
static int from_queue(struct db_txn *t, struct asking *a, const char *id, size_t wanted, bool *taken, struct err *e)
{
	struct next *out = a->out;
	AUTO_STRV struct strv skipped = {0};
	struct queue own = {0}, *q = read_before(a, id);
	struct release look = {.token = a->asked->token,
	                       .wanted = wanted,
	                       .max_age_ms = a->asked->max_age_ms,
	                       .now_ms = a->now_ms,
	                       .again = SIZE_MAX,
	                       .lines = &out->released,
	                       .young = &out->young};

	*taken = false;
	q = q ? q : &own;
	int rc = queue_now_in(q, t, id, e);
	if (rc == 0)
		rc = change_free_in(a->site, t, q, e);
	if (rc == 0)
		rc = release_in(t, q, &look, e);
	if (rc == 0) /* of what was added as failed */
		rc = change_skip_in(t, q, &skipped, a->now_ms, e);
	bool resumed = look.again != SIZE_MAX;
	size_t at = rc != 0 || resumed ? look.again : choose(q, wanted);
	if (rc == 0 && at == SIZE_MAX && wanted != SIZE_MAX)
		rc = refuse(t, q, wanted, e);
	if (rc == 0 && at != SIZE_MAX) {
		*taken = true;
		rc = take(t, a, q, at, resumed, e);
	}
	const char *status = rc == 0 ? queue_status(q->states, q->n) : NULL;
	if (rc == 0 && !*taken && str_eq(q->row.status, "active") && (skipped.n || !str_eq(status, "active")))
		rc = change_queue_in(t, q, a->now_ms, e);
	if (rc == 0) {
		out->total += q->n;
		for (size_t i = 0; i < q->n; i++)
			out->completed += task_state_good(q->states[i]);
		if (!*taken) {
			add_all_waiting(q, a->several, &out->waiting);
			if (str_eq(status, "active"))
				out->found = NEXT_EMPTY;
			else if (str_eq(status, "failed") && out->found != NEXT_EMPTY)
				out->found = NEXT_FAILED;
		}
	}
	queue_fini(&own);
	return rc;
}

/* All active queues, those that a session has passed over. */
static int from_active(struct db_txn *t, struct asking *a, struct err *e)
{
	AUTO_STRV struct strv ids = {0};
	struct err held = {0};
	bool taken = false;

	int rc = queue_active_in(&ids, t, e);
	a->several = ids.n > 1;
	for (size_t i = 0; rc == 0 && i < ids.n && !taken; i++) {
		a->out->completed = a->out->total = 0;
		rc = from_queue(t, a, ids.v[i], SIZE_MAX, &taken, e);
		if (rc != 0 && e->kind == ERR_HELD) {
			held = *e;
			err_clear(e);
			rc = 0;
		}
	}
	if (rc == 0 && !taken && held.kind) {
		*e = held;
		rc = -1;
	}
	if (ids.n)
		a->any = true;
	return rc;
}

/* No queue is active: what became of the others? */
static int look_at_ended(struct asking *a, struct err *e)
{
	AUTO_STRV struct strv ids = {0};
	struct next *out = a->out;

	int rc = queue_list(&ids, a->site, e);
	out->found = ids.n ? NEXT_COMPLETED : NEXT_NOTHING;
	for (size_t i = 0; rc == 0 && i < ids.n; i++) {
		struct queue_counts c;
		rc = queue_count(&c, a->site, ids.v[i], e);
		size_t left = rc == 0 ? c.of[QUEUE_PENDING] + c.of[QUEUE_EXECUTING] : 0;
		if (left) { /* it was put aside, or its file says that it is over */
			out->found = NEXT_EMPTY;
			strv_addf(&out->waiting, "queue %s is not active, but %zu of its items are not completed: bosk next --queue %s",
			          ids.v[i], left, ids.v[i]);
		} else if (rc == 0 && c.of[QUEUE_FAILED] + c.of[QUEUE_SKIPPED] && out->found != NEXT_EMPTY) {
			out->found = NEXT_FAILED;
		}
	}
	return rc;
}

/* Which queue is meant, and which item of it (SIZE_MAX = any); *queue NULL = any active one. */
static int meant(char **queue, size_t *wanted, struct db_txn *t, const struct next_asked *asked, struct err *e)
{
	size_t ordinal = 0;
	int rc = 0;

	*queue = NULL;
	if (asked->item)
		rc = meant_item_in(queue, &ordinal, t, asked->item, asked->queue, asked->token, false, e);
	else if (asked->token)
		rc = meant_claim_in(queue, &ordinal, t, asked->token, asked->queue, e);
	if (rc == 0 && asked->that_only && !asked->item && !*queue) /* another one is not what was asked for */
		return err_set(e, ERR_HELD, "the token given (--claim) is of no claim that still holds%s%s: without it bosk next "
		               "claims another item", asked->queue ? " in queue " : "", asked->queue ? asked->queue : "");
	*wanted = *queue ? ordinal - 1 : SIZE_MAX;
	if (rc == 0 && !*queue)
		*queue = mem_strdup(asked->queue);
	return rc;
}

/* Others wait while the transaction is open: large queues are read before. What is wrong is said in it. */
static int read_queues(struct db_txn *t, void *ctx, struct err *e)
{
	struct asking *a = ctx;
	AUTO_FREE char *queue = NULL;
	AUTO_STRV struct strv ids = {0};
	size_t wanted;

	int rc = meant(&queue, &wanted, t, a->asked, e);
	if (rc == 0 && queue)
		strv_add(&ids, queue);
	else if (rc == 0)
		rc = queue_active_in(&ids, t, e);
	a->before = mem_array(ids.n, sizeof *a->before);
	for (bool ready = false; rc == 0 && !ready && a->n_before < ids.n; a->n_before++) {
		struct queue *q = &a->before[a->n_before];
		rc = queue_load_in(q, t, ids.v[a->n_before], e);
		ready = rc == 0 && queue_first_ready(q) != SIZE_MAX;
		if (rc != 0)
			queue_fini(q);
	}
	return rc;
}

static int claim(struct db_txn *t, void *ctx, struct err *e)
{
	struct asking *a = ctx;
	AUTO_FREE char *queue = NULL;
	size_t wanted;
	bool taken;

	next_fini(a->out);
	a->out->found = NEXT_COMPLETED;
	if (meant(&queue, &wanted, t, a->asked, e) != 0)
		return -1;
	a->any = queue != NULL;
	if (!queue)
		return from_active(t, a, e);
	if (wanted == SIZE_MAX)
		mem_set(&a->out->queue, queue);
	return from_queue(t, a, queue, wanted, &taken, e);
}

int next_claim(struct next *out, struct site *site, const struct next_asked *asked, struct err *e)
{
	struct asking a = {.out = out, .site = site, .asked = asked, .now_ms = clock_wall_ms()};
	unsigned char random[TOKEN_BYTES];
	struct err ignored = {0};

	*out = (struct next){0};
	seal_random(random, sizeof random);
	for (size_t i = 0; i < sizeof random; i++)
		snprintf(a.token + 2 * i, 3, "%02x", random[i]);
	if (!site->db)
		return asked->item || asked->queue
		               ? err_set(e, ERR_MISSING, "there is no queue in this repository: bosk queue add FILE")
		               : (out->found = NEXT_NOTHING, 0);
	db_read(site->db, read_queues, &a, &ignored);
	FAILPOINT("queue.next.before");
	int rc = db_write(site->db, claim, &a, e);
	for (size_t i = 0; i < a.n_before; i++)
		queue_fini(&a.before[i]);
	free(a.before);
	return rc == 0 && !a.any ? look_at_ended(&a, e) : rc;
}
