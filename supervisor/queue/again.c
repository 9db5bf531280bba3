/* again: items back to pending, their failures kept. */
#include "again.h"

#include <string.h>

#include "change.h"
#include "failure.h"
#include "lease.h"
#include "store/base/clock.h"
#include "store/base/mem.h"

struct asking {
	struct site *site;
	const char *queue;
	const struct strv *names;
	struct strv *back;
	uint64_t now_ms;
};

/* Without the queue in front of it. */
static const char *bare(const char *name)
{
	const char *colon = strrchr(name, ':');
	return colon ? colon + 1 : name;
}

/* ---- which ---- */

static bool imported(struct db_txn *t, const struct queue *q, size_t i)
{
	struct queue_item item;
	struct err ignored = {0};

	bool yes = q->states[i] == TASK_CLAIMED && queue_item_load_in(&item, t, q->id, i + 1, &ignored) == 0;
	if (yes) {
		yes = !item.item.token;
		queue_item_fini(&item);
	}
	return yes;
}

static bool fits(struct db_txn *t, const struct queue *q, size_t i)
{
	return str_eq(queue_word(q->states[i]), "failed") || imported(t, q, i);
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
	return err_set(e, ERR_USAGE, "item %s of queue %s is %s: only items that failed can be done again%s", q->links[i].id,
	               q->id, word, str_eq(word, "skipped") ? "; name the one it was skipped for" : "");
}

/* The named ones, or all; an issue means all its items. */
static int choose(struct db_txn *t, const struct queue *q, const struct strv *names, bool *chosen, struct err *e)
{
	size_t n = 0;

	for (size_t i = 0; i < q->n; i++)
		n += chosen[i] = !names->n && fits(t, q, i);
	for (size_t k = 0; k < names->n; k++) {
		const char *name = bare(names->v[k]);
		bool known = false, one = false;
		for (size_t i = 0; i < q->n; i++) {
			bool item = str_eq(q->links[i].id, name);
			if (!item && !str_eq(q->links[i].issue, name))
				continue;
			known = true;
			if (fits(t, q, i)) {
				n += !chosen[i];
				chosen[i] = one = true;
			} else if (item) {
				return unfit(t, q, i, e);
			}
		}
		if (!known)
			return err_set(e, ERR_MISSING, "queue %s has no item and no issue '%s'", q->id, name);
		if (!one)
			return err_set(e, ERR_USAGE, "issue %s has no item in queue %s that failed", name, q->id);
	}
	return n ? 0 : err_set(e, ERR_USAGE, "queue %s has no item that failed", q->id);
}

/* Nothing that it needs is lost any more? */
static bool needs_hold(const struct queue *q, size_t i, const bool *back)
{
	for (size_t k = q->needs.at[i]; k < q->needs.at[i + 1]; k++) {
		uint32_t need = q->needs.to[k];
		if (!back[need] && queue_finished(q->states[need]) && !task_state_good(q->states[need]))
			return false;
	}
	return true;
}

static void add_skipped(const struct queue *q, bool *back)
{
	for (bool found = true; found;) {
		found = false;
		for (size_t i = 0; i < q->n; i++) {
			if (back[i] || q->states[i] != TASK_SKIPPED || !needs_hold(q, i, back))
				continue;
			back[i] = found = true;
		}
	}
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
		item.task.started_ms = item.task.ended_ms = 0;
		lease_drop(&item.item);
		change_state(q, i, &item, TASK_WAITING);
		rc = queue_item_put_in(t, q->id, i + 1, &item, e);
	}
	if (rc == 0)
		rc = change_issue_in(t, q, &item.item_def, "queued", NULL, a->now_ms, e);
	strv_add(a->back, q->links[i].id);
	queue_item_fini(&item);
	return rc;
}

static bool has_session(struct db_txn *t, const char *sid)
{
	struct err absent = {0};
	const void *value;
	size_t n;

	return db_get(t, DB_manifest, sid, &value, &n, &absent) == 0;
}

static int back_to_pending(struct db_txn *t, void *ctx, struct err *e)
{
	struct asking *a = ctx;
	struct queue q;

	strv_fini(a->back);
	int rc = queue_load_in(&q, t, a->queue, e);
	AUTO_FREE bool *back = mem_array(q.n + 1, sizeof *back);
	if (rc == 0)
		rc = change_free_in(a->site, t, &q, e);
	if (rc == 0 && q.row.session && has_session(t, q.row.session)) /* its journal says what became of them */
		rc = err_set(e, ERR_USAGE, "session %s has worked on queue %s: bosk retry %s/ITEM", q.row.session, q.id,
		             q.row.session);
	if (rc == 0)
		rc = choose(t, &q, a->names, back, e);
	if (rc == 0)
		add_skipped(&q, back);
	for (size_t i = 0; rc == 0 && i < q.n; i++)
		if (back[i])
			rc = put_back(t, a, &q, i, e);
	if (rc == 0)
		rc = change_queue_in(t, &q, a->now_ms, e);
	queue_fini(&q);
	return rc;
}

int again_items(struct site *site, const char *queue, const struct strv *names, struct strv *back, struct err *e)
{
	struct asking a = {site, queue, names, back, clock_wall_ms()};

	return site->db ? db_write(site->db, back_to_pending, &a, e)
	                : err_set(e, ERR_MISSING, "there is no queue %s; bosk queue list", queue);
}

/* ---- where ---- */

struct finding {
	struct strv *out;
	const char *name; /* of an item or issue, NULL = any */
	bool fit;         /* that can be done again, by no session */
};

static int find(struct db_txn *t, const char *id, const struct finding *f, struct err *e)
{
	struct queue q;
	bool found = false;

	int rc = queue_load_in(&q, t, id, e);
	for (size_t i = 0; rc == 0 && i < q.n && !found; i++)
		found = (!f->name || str_eq(q.links[i].id, f->name) || str_eq(q.links[i].issue, f->name)) &&
		        (!f->fit || (!q.row.session && fits(t, &q, i)));
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
