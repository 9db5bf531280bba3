/* next: the choice and the claim, in one transaction: two that ask at the same time get two items. */
#include "next.h"

#include <stdio.h>
#include <string.h>

#include "change.h"
#include "lease.h"
#include "meant.h"
#include "store/base/clock.h"
#include "store/base/mem.h"
#include "store/seal.h"

enum { WAITING_MAX = 1000, NAMED_MAX = 8, TOKEN_BYTES = 8 };

struct asking {
	struct next *out;
	struct site *site;
	const struct next_asked *asked;
	char token[2 * TOKEN_BYTES + 1];
	uint64_t now_ms;
	bool any; /* there was a queue to look at */
};

void next_fini(struct next *n)
{
	free(n->queue);
	queue_item_fini(&n->item);
	strv_fini(&n->waiting);
	strv_fini(&n->released);
	*n = (struct next){0};
}

/* ---- what may be claimed ---- */

static void say_waiting(const struct queue *q, size_t i, struct strv *out)
{
	AUTO_STRV struct strv ids = {0};
	AUTO_STR struct str text = {0};

	if (q->links[i].missing) {
		strv_addf(out, "%s cannot be done: %s", q->links[i].id, q->links[i].missing);
		return;
	}
	queue_blocked_by(q, i, &ids);
	size_t named = ids.n < NAMED_MAX ? ids.n : NAMED_MAX;
	for (size_t k = 0; k < named; k++)
		str_addf(&text, "%s%s", k ? ", " : "", ids.v[k]);
	if (named < ids.n)
		str_addf(&text, " and %zu more", ids.n - named);
	if (text.len)
		strv_addf(out, "%s waits for %s", q->links[i].id, text.p);
	else
		strv_addf(out, "%s is ready", q->links[i].id);
}

void next_waiting(const struct queue *q, struct strv *out)
{
	size_t more = 0;

	for (size_t i = 0; i < q->n; i++) {
		if (!str_eq(queue_word(q->states[i]), "pending"))
			continue;
		if (out->n < WAITING_MAX)
			say_waiting(q, i, out);
		else
			more++;
	}
	if (more)
		strv_addf(out, "and %zu more", more);
}

/* ---- claims there are ---- */

static int release(struct db_txn *t, struct queue *q, size_t i, const struct item_row *row, struct strv *lines,
                   bool dry, struct err *e)
{
	AUTO_STR struct str who = {0};

	lease_text(row, &who);
	strv_addf(lines, "%s:%s %s pending again: it was claimed by %s", q->id, q->links[i].id, dry ? "would be" : "is",
	          who.p);
	return dry ? 0 : change_item_in(t, q, i, TASK_WAITING, NULL, e);
}

/* Looks at the claimed items: those of the dead are released, but not the one that is wanted by who has it: *again. */
static int look_at_claims(struct db_txn *t, struct queue *q, const struct next_asked *asked, size_t wanted, bool dry,
                          size_t *again, struct strv *lines, struct err *e)
{
	int rc = 0;

	*again = SIZE_MAX;
	for (size_t i = 0; rc == 0 && i < q->n; i++) {
		struct queue_item item;
		if (q->states[i] != TASK_CLAIMED)
			continue;
		rc = queue_item_load_in(&item, t, q->id, i + 1, e);
		enum lease lease = rc == 0 ? lease_of(&item.item, asked->max_age_ms) : LEASE_NONE;
		if (lease != LEASE_NONE && i == wanted && lease_again(&item.item, asked->token)) {
			*again = i;
		} else if (lease == LEASE_ORPHAN) {
			rc = release(t, q, i, &item.item, lines, dry, e);
		} else if (lease == LEASE_YOUNG) {
			AUTO_STR struct str who = {0};
			lease_text(&item.item, &who);
			strv_addf(lines, "%s:%s stays claimed until that is older: by %s", q->id, q->links[i].id, who.p);
		}
		queue_item_fini(&item);
	}
	return rc;
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

static int refuse(struct db_txn *t, const struct queue *q, size_t i, struct strv *waiting, struct err *e)
{
	const char *id = q->links[i].id, *word = queue_word(q->states[i]);
	struct queue_item item;
	AUTO_STR struct str who = {0};

	if (queue_finished(q->states[i]))
		return err_set(e, ERR_MOVED, "item %s is %s already%s", id, word,
		               str_eq(word, "completed") ? "" : "; bosk retry makes it pending again");
	if (q->states[i] != TASK_CLAIMED) {
		say_waiting(q, i, waiting);
		return err_set(e, ERR_MOVED, "%s", waiting->v[waiting->n - 1]);
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
	if (wanted != SIZE_MAX)
		return queue_ready(q, wanted) ? wanted : SIZE_MAX;
	for (size_t i = 0; i < q->n; i++)
		if (queue_ready(q, i))
			return i;
	return SIZE_MAX;
}

/* One queue. *taken: an item of it was claimed. */
static int from_queue(struct db_txn *t, struct asking *a, const char *id, size_t wanted, bool *taken, struct err *e)
{
	struct next *out = a->out;
	AUTO_STRV struct strv skipped = {0};
	struct queue q;
	size_t at = SIZE_MAX;

	*taken = false;
	int rc = queue_load_in(&q, t, id, e);
	if (rc == 0)
		rc = change_free_in(a->site, t, &q, e);
	if (rc == 0)
		rc = look_at_claims(t, &q, a->asked, wanted, false, &at, &out->released, e);
	bool resumed = at != SIZE_MAX;
	if (rc == 0) /* of what was added as failed */
		rc = change_skip_in(t, &q, &skipped, a->now_ms, e);
	if (rc == 0 && !resumed)
		at = choose(&q, wanted);
	if (rc == 0 && at == SIZE_MAX && wanted != SIZE_MAX)
		rc = refuse(t, &q, wanted, &out->waiting, e);
	if (rc == 0 && at != SIZE_MAX) {
		*taken = true;
		rc = take(t, a, &q, at, resumed, e);
	}
	const char *status = rc == 0 ? queue_status(q.states, q.n) : NULL;
	if (rc == 0 && !*taken && str_eq(q.row.status, "active") && (skipped.n || !str_eq(status, "active")))
		rc = change_queue_in(t, &q, a->now_ms, e);
	if (rc == 0) {
		out->total += q.n;
		for (size_t i = 0; i < q.n; i++)
			out->completed += task_state_good(q.states[i]);
		if (!*taken) {
			next_waiting(&q, &out->waiting);
			if (str_eq(status, "active"))
				out->found = NEXT_EMPTY;
			else if (str_eq(status, "failed") && out->found != NEXT_EMPTY)
				out->found = NEXT_FAILED;
		}
	}
	queue_fini(&q);
	return rc;
}

/* All active queues, those that a session has passed over. */
static int from_active(struct db_txn *t, struct asking *a, struct err *e)
{
	AUTO_STRV struct strv ids = {0};
	struct err held = {0};
	bool taken = false;

	int rc = queue_active_in(&ids, t, e);
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

	int rc = queue_list(&ids, a->site, e);
	a->out->found = ids.n ? NEXT_COMPLETED : NEXT_NOTHING;
	for (size_t i = 0; rc == 0 && i < ids.n; i++) {
		struct queue q;
		rc = queue_load(&q, a->site, ids.v[i], e);
		if (rc == 0 && str_eq(q.row.status, "failed"))
			a->out->found = NEXT_FAILED;
		queue_fini(&q);
	}
	return rc;
}

static int claim(struct db_txn *t, void *ctx, struct err *e)
{
	struct asking *a = ctx;
	const struct next_asked *asked = a->asked;
	AUTO_FREE char *queue = NULL;
	size_t ordinal = 0;
	bool taken;

	next_fini(a->out);
	a->out->found = NEXT_COMPLETED;
	if (asked->item && meant_item_in(&queue, &ordinal, t, asked->item, asked->queue, asked->token, false, e) != 0)
		return -1;
	if (!asked->item && asked->token && meant_claim_in(&queue, &ordinal, t, asked->token, asked->queue, e) != 0)
		return -1;
	a->any = queue || asked->queue;
	if (queue)
		return from_queue(t, a, queue, ordinal - 1, &taken, e);
	if (!asked->queue)
		return from_active(t, a, e);
	mem_set(&a->out->queue, asked->queue);
	return from_queue(t, a, asked->queue, SIZE_MAX, &taken, e);
}

int next_claim(struct next *out, struct site *site, const struct next_asked *asked, struct err *e)
{
	struct asking a = {.out = out, .site = site, .asked = asked, .now_ms = clock_wall_ms()};
	unsigned char random[TOKEN_BYTES];

	*out = (struct next){0};
	seal_random(random, sizeof random);
	for (size_t i = 0; i < sizeof random; i++)
		snprintf(a.token + 2 * i, 3, "%02x", random[i]);
	if (!site->db)
		return asked->item || asked->queue
		               ? err_set(e, ERR_MISSING, "there is no queue in this repository: bosk queue add FILE")
		               : (out->found = NEXT_NOTHING, 0);
	int rc = db_write(site->db, claim, &a, e);
	return rc == 0 && !a.any ? look_at_ended(&a, e) : rc;
}

/* ---- orphans ---- */

struct releasing {
	uint64_t max_age_ms;
	bool dry;
	struct strv *lines;
};

static int release_all(struct db_txn *t, void *ctx, struct err *e)
{
	struct releasing *r = ctx;
	struct next_asked nobody = {.max_age_ms = r->max_age_ms};
	AUTO_STRV struct strv ids = {0};
	size_t none;

	strv_fini(r->lines);
	int rc = queue_active_in(&ids, t, e);
	for (size_t i = 0; rc == 0 && i < ids.n; i++) {
		struct queue q;
		rc = queue_load_in(&q, t, ids.v[i], e);
		if (rc == 0)
			rc = look_at_claims(t, &q, &nobody, SIZE_MAX, r->dry, &none, r->lines, e);
		queue_fini(&q);
	}
	return rc;
}

int next_release(struct site *site, uint64_t max_age_ms, bool dry, struct strv *lines, struct err *e)
{
	struct releasing r = {max_age_ms, true, lines};

	if (!site->db)
		return 0;
	/* Mostly there is nothing, and nobody has to wait for that. */
	int rc = db_read(site->db, release_all, &r, e);
	r.dry = dry;
	return rc != 0 || dry || !lines->n ? rc : db_write(site->db, release_all, &r, e);
}
