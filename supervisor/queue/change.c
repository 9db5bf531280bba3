/* change: items, issues and queues, changed together. */
#include "change.h"

#include <string.h>

#include "lease.h"
#include "splice.h"
#include "store/base/clock.h"
#include "store/base/mem.h"
#include "store/json.h"
#include "supervisor/plan/dag.h"
#include "supervisor/session.h"

int change_free_in(const struct site *site, struct db_txn *t, const struct queue *q, struct err *e)
{
	const char *sid = q->row.session;
	struct manifest_row m;
	struct err absent = {0};
	const void *value;
	size_t n;

	if (!sid || db_get(t, DB_manifest, sid, &value, &n, &absent) != 0)
		return absent.kind == ERR_NONE || absent.kind == ERR_MISSING ? 0 : err_set(e, absent.kind, "%s", absent.text);
	if (rec_decode(&manifest_row_rec, &m, value, n, e) != 0)
		return -1;
	bool lives = session_owned(site, sid, &m), goes_on = session_resumable(site, sid, &m);
	rec_fini(&manifest_row_rec, &m);
	if (lives)
		return err_set(e, ERR_HELD, "session %s works on queue %s; bosk status %s", sid, q->id, sid);
	return goes_on ? err_set(e, ERR_HELD, "queue %s is session %s's, which can go on: bosk resume %s", q->id, sid, sid)
	               : 0;
}

void change_state(struct queue *q, size_t i, struct queue_item *item, enum task_state state)
{
	size_t kept = 0;

	for (size_t k = 0; k < q->n_busy; k++)
		if (q->busy[k] != i || str_eq(queue_word(state), "executing"))
			q->busy[kept++] = q->busy[k];
	q->n_busy = kept;
	q->states[i] = state;
	mem_set(&item->task.state, task_state_name(state));
	item->item.changed = true;
}

int change_item_in(struct db_txn *t, struct queue *q, size_t i, enum task_state state, const char *reason,
                   struct err *e)
{
	struct queue_item item;

	int rc = queue_item_load_in(&item, t, q->id, i + 1, e);
	if (rc == 0) {
		change_state(q, i, &item, state);
		mem_set(&item.task.reason, reason);
		lease_drop(&item.item);
		rc = queue_item_put_in(t, q->id, i + 1, &item, e);
	}
	queue_item_fini(&item);
	return rc;
}

/* ---- issues ---- */

char *change_feedback(const struct queue *q, const struct item_def *def, const char *failure, uint64_t at_ms)
{
	AUTO_STR struct str queue = {0}, id = {0}, solution = {0}, content = {0}, at = {0}, text = {0};
	struct json_t *j = json_map();

	json_quote(&queue, q->id);
	json_quote(&id, def->id);
	json_quote(&solution, def->solution);
	struct splice_change add[] = {{.key = "queue_id", .value = queue.p},
	                              {.key = "item_id", .value = id.p},
	                              {.key = "solution_id", .value = solution.p}};
	splice_edit(failure, add, MEM_COUNT(add), &content);
	clock_add_iso(&at, at_ms);
	json_put_text(j, "type", "failure");
	json_put_text(j, "stage", "execute");
	json_put_text(j, "content", content.p);
	json_put_text(j, "created_at", at.p);
	json_write(j, false, &text);
	json_free(j);
	return str_take(&text);
}

int change_issue_in(struct db_txn *t, const struct queue *q, const struct item_def *def, const char *status,
                    const char *feedback, uint64_t now_ms, struct err *e)
{
	AUTO_FREE char *key = queue_issue_key(q->id, def->issue_at);
	AUTO_STR struct str bytes = {0};
	struct issue_row row;
	const void *value;
	size_t n;

	if (!def->issue_at || (!status && !feedback))
		return 0;
	if (db_get(t, DB_issues, key, &value, &n, e) != 0)
		return e->kind == ERR_MISSING ? (err_clear(e), 0) : -1;
	if (rec_decode(&issue_row_rec, &row, value, n, e) != 0)
		return -1;
	if (status) {
		mem_set(&row.status, status);
		row.completed_ms = str_eq(status, "completed") ? now_ms : 0;
	}
	if (feedback)
		strv_add(&row.feedback, feedback);
	row.updated_ms = now_ms;
	rec_encode(&issue_row_rec, &row, &bytes);
	rec_fini(&issue_row_rec, &row);
	return db_put(t, DB_issues, key, bytes.p, bytes.len, e);
}

/* ---- what can be done no more ---- */

struct member {
	const char *issue;
	uint32_t item;
};

static int by_issue(const void *a, const void *b)
{
	const struct member *x = a, *y = b;
	int order = strcmp(x->issue, y->issue);

	return order ? order : (x->item > y->item) - (x->item < y->item);
}

/* What members of one issue make of it. */
static const char *issue_status(const struct queue *q, const struct member *m, size_t n)
{
	bool good = true, failed = false;

	for (size_t k = 0; k < n; k++) {
		enum task_state state = q->states[m[k].item];
		if (!queue_finished(state))
			return NULL;
		good &= task_state_good(state);
		failed |= str_eq(queue_word(state), "failed");
	}
	return failed ? "failed" : good ? "completed" : NULL;
}

static int put_status(struct db_txn *t, const struct queue *q, size_t i, const char *status, uint64_t now_ms,
                      struct err *e)
{
	struct queue_item item;
	int rc = queue_item_load_in(&item, t, q->id, i + 1, e);

	if (rc == 0)
		rc = change_issue_in(t, q, &item.item_def, status, NULL, now_ms, e);
	queue_item_fini(&item);
	return rc;
}

/* The issues of these items are what their items make of them. */
static int follow_issues(struct db_txn *t, const struct queue *q, const uint32_t *items, size_t n, uint64_t now_ms,
                         struct err *e)
{
	AUTO_FREE struct member *all = mem_array(q->n, sizeof *all);
	AUTO_FREE bool *asked = mem_array(q->n, sizeof *asked);
	size_t n_all = 0;
	int rc = 0;

	for (size_t k = 0; k < n; k++)
		asked[items[k]] = true;
	for (uint32_t i = 0; n && i < q->n; i++)
		if (q->links[i].issue)
			all[n_all++] = (struct member){q->links[i].issue, i};
	if (n_all)
		qsort(all, n_all, sizeof *all, by_issue);
	for (size_t from = 0, to; from < n_all && rc == 0; from = to) {
		bool any = false;
		for (to = from; to < n_all && str_eq(all[to].issue, all[from].issue); to++)
			any |= asked[all[to].item];
		const char *status = any ? issue_status(q, &all[from], to - from) : NULL;
		if (status)
			rc = put_status(t, q, all[from].item, status, now_ms, e);
	}
	return rc;
}

const char *change_issue_status(const struct queue *q, const char *issue)
{
	AUTO_FREE struct member *all = mem_array(q->n, sizeof *all);
	size_t n = 0;

	for (uint32_t i = 0; issue && i < q->n; i++)
		if (str_eq(q->links[i].issue, issue))
			all[n++] = (struct member){issue, i};
	return n ? issue_status(q, all, n) : NULL;
}

/* ---- what can be done no more ---- */

int change_skip_in(struct db_txn *t, struct queue *q, struct strv *names, uint64_t now_ms, struct err *e)
{
	AUTO_FREE uint32_t *gone = mem_array(q->n + 1, sizeof *gone), *by = NULL;
	AUTO_FREE size_t *by_at = NULL;
	size_t n = 0;
	int rc = 0;

	for (size_t i = 0; i < q->n; i++)
		if (queue_finished(q->states[i]) && !task_state_good(q->states[i]))
			gone[n++] = (uint32_t)i;
	if (!n)
		return 0;
	size_t before = n;
	dag_turned(&by, &by_at, q->needs.to, q->needs.at, q->n);
	for (size_t k = 0; k < n && rc == 0; k++) {
		uint32_t cause = gone[k];
		bool failed = str_eq(queue_word(q->states[cause]), "failed");
		for (size_t at = by_at[cause]; at < by_at[cause + 1] && rc == 0; at++) {
			uint32_t i = by[at];
			if (!str_eq(queue_word(q->states[i]), "pending"))
				continue;
			AUTO_FREE char *why = mem_printf("depends on %s, which %s", q->links[cause].id, failed ? "failed" : "was skipped");
			gone[n++] = i;
			strv_add(names, q->links[i].id);
			rc = change_item_in(t, q, i, TASK_SKIPPED, why, e);
		}
	}
	return rc == 0 ? follow_issues(t, q, gone + before, n - before, now_ms, e) : -1;
}

int change_queue_in(struct db_txn *t, struct queue *q, uint64_t now_ms, struct err *e)
{
	/* One that was put aside stays so. */
	if (!str_eq(q->row.status, "archived"))
		mem_set(&q->row.status, queue_status(q->states, q->n));
	q->row.updated_ms = now_ms;
	return queue_row_put_in(t, q->id, &q->row, e);
}
