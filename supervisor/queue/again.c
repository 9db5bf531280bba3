/* again: items back to pending, their failures kept. */
#include "again.h"

#include <string.h>

#include "change.h"
#include "failure.h"
#include "lease.h"
#include "store/base/clock.h"
#include "store/base/mem.h"
#include "supervisor/revive.h"

struct asking {
	struct site *site;
	const char *queue;
	const struct strv *names;
	struct again *out;
	uint64_t now_ms;
};

/* Without the queue in front of it. */
static const char *bare(const char *name)
{
	const char *colon = strrchr(name, ':');
	return colon ? colon + 1 : name;
}

void again_fini(struct again *a)
{
	strv_fini(&a->back);
	strv_fini(&a->skipped);
}

/* ---- which ---- */

static bool is_known(struct db_txn *t, const char *sid)
{
	struct err absent = {0};
	const void *value;
	size_t n;

	return sid && db_get(t, DB_manifest, sid, &value, &n, &absent) == 0;
}

enum fit {
	FIT_NOT,
	FIT_SESSION, /* it failed in a session, whose journal says what became of it */
	FIT_YES      /* it failed, or was executing when it was added */
};

/* `named`: by its own name, which brings back what was skipped or cancelled for itself, too. */
static enum fit fits(struct db_txn *t, const struct queue *q, size_t i, bool named)
{
	bool failed = str_eq(queue_word(q->states[i]), "failed") || (named && q->states[i] == TASK_SKIPPED);
	struct queue_item item;
	struct err ignored = {0};
	enum fit fit = FIT_NOT;

	if (!failed && q->states[i] != TASK_CLAIMED)
		return FIT_NOT;
	if (queue_item_load_in(&item, t, q->id, i + 1, &ignored) == 0)
		fit = !failed ? (item.item.token ? FIT_NOT : FIT_YES)
		      : item.task.session && is_known(t, q->row.session) ? FIT_SESSION
		                                                        : FIT_YES;
	queue_item_fini(&item);
	return fit;
}

static int of_session(const struct queue *q, const char *id, struct err *e)
{
	return err_set(e, ERR_USAGE, "session %s has worked on %s of queue %s: bosk retry %s/%s; once that has landed, bosk run "
	               "--queue %s", q->row.session, id ? id : "what failed", q->id, q->row.session, id ? id : "ITEM", q->id);
}

static int unfit(struct db_txn *t, const struct queue *q, size_t i, struct err *e)
{
	const char *word = queue_word(q->states[i]);
	struct queue_item item;
	AUTO_STR struct str who = {0};

	if (q->states[i] == TASK_CLAIMED) {
		if (queue_item_load_in(&item, t, q->id, i + 1, e) != 0)
			return -1;
		lease_text(&item.item, &who);
		queue_item_fini(&item);
		return err_set(e, ERR_HELD, "item %s is claimed by %s", q->links[i].id, who.p);
	}
	if (str_eq(word, "failed") || str_eq(word, "skipped"))
		return of_session(q, q->links[i].id, e);
	return err_set(e, ERR_USAGE, "item %s of queue %s is %s: only items that failed or were skipped can be done again",
	               q->links[i].id, q->id, word);
}

/* The named ones, or all; an issue means all its items. */
static int choose(struct db_txn *t, const struct queue *q, const struct strv *names, bool *chosen, struct err *e)
{
	size_t n = 0, theirs = 0, skipped = SIZE_MAX;

	for (size_t i = 0; i < q->n && !names->n; i++) {
		enum fit fit = fits(t, q, i, false);
		if (skipped == SIZE_MAX && q->states[i] == TASK_SKIPPED)
			skipped = i;
		n += chosen[i] = fit == FIT_YES;
		theirs += fit == FIT_SESSION;
	}
	for (size_t k = 0; k < names->n; k++) {
		const char *name = bare(names->v[k]);
		bool known = false, one = false;
		for (size_t i = 0; i < q->n; i++) {
			bool item = str_eq(q->links[i].id, name);
			if (!item && !str_eq(q->links[i].issue, name))
				continue;
			enum fit fit = fits(t, q, i, item);
			known = true;
			theirs += fit == FIT_SESSION;
			if (fit == FIT_YES) {
				n += !chosen[i];
				chosen[i] = one = true;
			} else if (item) {
				return unfit(t, q, i, e);
			}
		}
		if (!known)
			return err_set(e, ERR_MISSING, "queue %s has no item and no issue '%s'", q->id, name);
		if (!one && theirs)
			return of_session(q, NULL, e);
		if (!one)
			return err_set(e, ERR_USAGE, "issue %s has no item in queue %s that failed", name, q->id);
	}
	if (!n && theirs)
		return of_session(q, NULL, e);
	if (!n && skipped != SIZE_MAX)
		return err_set(e, ERR_USAGE, "queue %s has no item that failed; %s was skipped: bosk retry %s:%s brings it back", q->id,
		               q->links[skipped].id, q->id, q->links[skipped].id);
	return n ? 0 : err_set(e, ERR_USAGE, "queue %s has no item that failed", q->id);
}

/* One that was named, and was skipped for another that does not come back. */
static int judge_kept(const struct queue *q, const bool *chosen, const bool *back, struct err *e)
{
	for (size_t i = 0; i < q->n; i++) {
		uint32_t by = chosen[i] ? revive_kept_by(back, q->states, q->needs.to, q->needs.at, i) : UINT32_MAX;
		if (by == UINT32_MAX)
			continue;
		AUTO_FREE char *why = revive_fault(q->links[i].id, q->links[by].id, q->states[by]);
		return err_set(e, ERR_USAGE, "item %s", why);
	}
	return 0;
}

struct returning {
	struct db_txn *t;
	const struct queue *q;
};

static bool may_return(void *ctx, size_t i)
{
	const struct returning *r = ctx;
	struct queue_item item;
	struct err ignored = {0};

	bool may = queue_item_load_in(&item, r->t, r->q->id, i + 1, &ignored) == 0 && !revive_cancelled(&item.task);
	queue_item_fini(&item);
	return may;
}

/* ---- the change ---- */

static int put_back(struct db_txn *t, const struct asking *a, struct queue *q, size_t i, struct err *e)
{
	struct queue_item item;

	int rc = queue_item_load_in(&item, t, q->id, i + 1, e);
	if (rc == 0) {
		failure_to_history(&item);
		mem_set(&item.task.reason, NULL);
		mem_set(&item.task.step, NULL);
		mem_set(&item.task.session, NULL); /* of one that is not there any more */
		item.task.started_ms = item.task.ended_ms = 0;
		lease_drop(&item.item);
		change_state(q, i, &item, TASK_WAITING);
		rc = queue_item_put_in(t, q->id, i + 1, &item, e);
	}
	if (rc == 0)
		rc = change_issue_in(t, q, &item.item_def, "queued", NULL, a->now_ms, e);
	queue_item_fini(&item);
	return rc;
}

static int back_to_pending(struct db_txn *t, void *ctx, struct err *e)
{
	struct asking *a = ctx;
	AUTO_STRV struct strv skipped = {0};
	struct queue q;

	again_fini(a->out);
	int rc = queue_load_in(&q, t, a->queue, e);
	AUTO_FREE bool *chosen = mem_array(q.n + 1, sizeof *chosen), *back = mem_array(q.n + 1, sizeof *back);
	if (rc == 0)
		rc = change_free_in(a->site, t, &q, e);
	if (rc == 0)
		rc = choose(t, &q, a->names, chosen, e);
	for (size_t i = 0; i < q.n; i++)
		back[i] = chosen[i];
	if (rc == 0) {
		revive_skipped(back, q.states, q.needs.to, q.needs.at, q.n, may_return, &(struct returning){t, &q});
		rc = judge_kept(&q, chosen, back, e);
	}
	for (size_t i = 0; rc == 0 && i < q.n; i++)
		if (back[i])
			rc = put_back(t, a, &q, i, e);
	if (rc == 0) /* also of these, as something else that they need is lost */
		rc = change_skip_in(t, &q, &skipped, a->now_ms, e);
	for (size_t i = 0; rc == 0 && i < q.n; i++)
		if (back[i])
			strv_add(q.states[i] == TASK_SKIPPED ? &a->out->skipped : &a->out->back, q.links[i].id);
	if (rc == 0)
		rc = change_queue_in(t, &q, a->now_ms, e);
	queue_fini(&q);
	return rc;
}

int again_items(struct again *out, struct site *site, const char *queue, const struct strv *names, struct err *e)
{
	struct asking a = {site, queue, names, out, clock_wall_ms()};

	*out = (struct again){0};

	return site->db ? db_write(site->db, back_to_pending, &a, e)
	                : err_set(e, ERR_MISSING, "there is no queue %s; bosk queue list", queue);
}

char *again_how(const struct queue *q, size_t i)
{
	uint32_t by = revive_kept_by(NULL, q->states, q->needs.to, q->needs.at, i);
	bool kept = by != UINT32_MAX;

	return mem_printf("bosk retry %s%s%s makes it pending again", kept ? q->links[by].id : "", kept ? " " : "",
	                  q->links[i].id);
}

/* ---- where ---- */

struct finding {
	struct strv *out;
	const char *name; /* of an item or issue, NULL = any */
	bool fit;         /* that can be done again, and is of no session */
};

static int find(struct db_txn *t, const char *id, const struct finding *f, struct err *e)
{
	struct queue q;
	bool found = false;

	int rc = queue_load_in(&q, t, id, e);
	for (size_t i = 0; rc == 0 && i < q.n && !found; i++) {
		bool named = str_eq(q.links[i].id, f->name);
		found = (!f->name || named || str_eq(q.links[i].issue, f->name)) &&
		        (!f->fit || fits(t, &q, i, named) == FIT_YES);
	}
	if (found)
		strv_add(f->out, id);
	queue_fini(&q);
	return rc;
}

struct listing {
	const struct site *site;
	struct strv ids;
	struct finding f;
};

static int find_in(struct db_txn *t, void *ctx, struct err *e)
{
	struct listing *l = ctx;

	for (size_t i = 0; i < l->ids.n; i++)
		if (find(t, l->ids.v[i], &l->f, e) != 0)
			return -1;
	return 0;
}

int again_find(struct strv *out, const struct site *site, const char *name, bool fit, struct err *e)
{
	struct listing l = {site, {0}, {out, name ? bare(name) : NULL, fit}};
	const char *colon = name ? strrchr(name, ':') : NULL;

	*out = (struct strv){0};
	if (!site->db)
		return 0;
	int rc = queue_list(&l.ids, site, e);
	if (colon) { /* that one, if it is there */
		AUTO_FREE char *id = mem_strndup(name, (size_t)(colon - name));
		bool known = strv_has(&l.ids, id);
		strv_fini(&l.ids);
		if (known)
			strv_add(&l.ids, id);
	}
	if (rc == 0)
		rc = db_read(site->db, find_in, &l, e);
	strv_fini(&l.ids);
	return rc;
}
