/* done: the end of an item, with all that follows from it, as one transaction. */
#include "done.h"

#include <string.h>

#include "again.h"
#include "change.h"
#include "lease.h"
#include "meant.h"
#include "splice.h"
#include "store/base/clock.h"
#include "store/base/fail.h"
#include "store/base/mem.h"
#include "store/json.h"
#include "store/json_cut.h"
#include "worker/secret.h"

enum { REASON_MAX = 2000 };

struct recording {
	struct done *out;
	struct site *site;
	const struct done_asked *asked;
	uint64_t now_ms;
	struct queue queue; /* as it was before the transaction */
};

void done_fini(struct done *d)
{
	free(d->queue);
	free(d->item);
	free(d->issue);
	strv_fini(&d->skipped);
	strv_fini(&d->early);
	*d = (struct done){0};
}

/* ---- who may ---- */

static int may_end(const struct recording *r, const struct queue *q, size_t i, const struct queue_item *item,
                   struct err *e)
{
	AUTO_STR struct str who = {0};
	const char *id = q->links[i].id, *word = queue_word(q->states[i]);

	if (queue_finished(q->states[i])) {
		AUTO_FREE char *how = again_how(q, i);
		bool good = task_state_good(q->states[i]);
		return err_set(e, ERR_MOVED, "item %s is %s already%s%s%s: nothing was recorded%s%s", id, word,
		               item->task.reason ? " (" : "", item->task.reason ? item->task.reason : "",
		               item->task.reason ? ")" : "", good ? "" : "; ", good ? "" : how);
	}
	if (lease_may_end(&item->item, r->asked->token))
		return 0;
	if (!item->item.token)
		return err_set(e, ERR_HELD, "item %s is not claimed, and the token given (--claim, BOSK_CLAIM) is of no claim that "
		               "still holds: nothing was recorded", id);
	lease_text(&item->item, &who);
	return err_set(e, ERR_HELD, "item %s is claimed by %s: nothing was recorded%s; its owner gives --claim TOKEN, as bosk "
	               "next has printed it", id, who.p, r->asked->token ? ": the token given is another one" : "");
}

/* ---- what follows ---- */

static char *reason_of(const char *failure)
{
	AUTO_FREE char *message = splice_get_text(failure, "message"), *step = splice_get_text(failure, "task_id");
	AUTO_STR struct str text = {0};

	str_addf(&text, "%s%s%s", step ? step : "", step ? ": " : "", message ? message : "it failed");
	if (text.len > REASON_MAX)
		str_keep_tail(&text, REASON_MAX);
	return str_take(&text);
}

static int end_item(struct db_txn *t, const struct recording *r, struct queue *q, size_t i, struct queue_item *item,
                    struct err *e)
{
	const struct done_asked *asked = r->asked;

	change_state(q, i, item, asked->failure ? TASK_FAILED : TASK_ALREADY);
	item->item.completed_ms = item->task.ended_ms = r->now_ms;
	item->task.attempts++;
	mem_set(&item->task.session, NULL); /* what one has left of it is not what came of it */
	mem_set(&item->task.commit, NULL);
	mem_set(&item->task.merge, NULL);
	mem_set(&item->item.result, asked->result);
	mem_set(&item->item.failure, asked->failure);
	mem_set(&item->task.reason, NULL);
	mem_set(&item->task.step, NULL);
	if (asked->failure) {
		item->task.reason = reason_of(asked->failure);
		item->task.step = splice_get_text(asked->failure, "task_id");
	}
	lease_drop(&item->item);
	return queue_item_put_in(t, q->id, i + 1, item, e);
}

static int record_item(struct db_txn *t, const struct recording *r, struct queue *q, size_t i, struct err *e)
{
	struct done *out = r->out;
	AUTO_STRV struct strv others = {0};
	struct queue_item item;

	int rc = queue_item_load_in(&item, t, q->id, i + 1, e);
	if (rc == 0)
		rc = change_free_in(r->site, t, q, e);
	if (rc == 0)
		rc = may_end(r, q, i, &item, e);
	if (rc != 0) {
		queue_item_fini(&item);
		return -1;
	}
	out->claimed = item.item.token != NULL;
	for (size_t k = q->needs.at[i]; k < q->needs.at[i + 1]; k++)
		if (!task_state_good(q->states[q->needs.to[k]]))
			strv_add(&out->early, q->links[q->needs.to[k]].id);
	rc = end_item(t, r, q, i, &item, e);
	if (rc == 0) /* also because of what was added as failed */
		rc = change_skip_in(t, q, r->asked->failure ? &out->skipped : &others, r->now_ms, e);
	out->issue_is = item.item_def.issue ? change_issue_status(q, item.item_def.issue) : NULL;
	const char *failure = r->asked->failure;
	AUTO_FREE char *feedback = failure ? change_feedback(q, &item.item_def, failure, r->now_ms) : NULL;
	if (rc == 0)
		rc = change_issue_in(t, q, &item.item_def, out->issue_is, feedback, r->now_ms, e);
	mem_set(&out->item, item.item_def.id);
	mem_set(&out->issue, item.item_def.issue);
	queue_item_fini(&item);
	return rc;
}

/* Others wait while the transaction is open: a large queue is read before. What is wrong is said in it. */
static int read_before(struct db_txn *t, void *ctx, struct err *e)
{
	struct recording *r = ctx;
	AUTO_FREE char *id = NULL;
	size_t ordinal;

	return meant_item_in(&id, &ordinal, t, r->asked->item, r->asked->queue, r->asked->token, true, e) != 0
	               ? -1
	               : queue_load_in(&r->queue, t, id, e);
}

static int record(struct db_txn *t, void *ctx, struct err *e)
{
	struct recording *r = ctx;
	struct done *out = r->out;
	struct queue *q = &r->queue;
	size_t ordinal;

	done_fini(out);
	if (meant_item_in(&out->queue, &ordinal, t, r->asked->item, r->asked->queue, r->asked->token, true, e) != 0)
		return -1;
	int rc = queue_now_in(q, t, out->queue, e);
	if (rc == 0)
		rc = record_item(t, r, q, ordinal - 1, e);
	if (rc == 0)
		rc = change_queue_in(t, q, r->now_ms, e);
	for (size_t i = 0; rc == 0 && i < q->n; i++)
		out->completed += task_state_good(q->states[i]);
	out->total = q->n;
	out->queue_is = rc == 0 ? queue_status(q->states, q->n) : NULL;
	return rc;
}

int done_record(struct done *out, struct site *site, const struct done_asked *asked, struct err *e)
{
	struct recording r = {.out = out, .site = site, .asked = asked, .now_ms = clock_wall_ms()};
	struct err ignored = {0};

	*out = (struct done){0};
	if (!site->db)
		return err_set(e, ERR_MISSING, "there is no queue in this repository: bosk queue add FILE");
	if (db_read(site->db, read_before, &r, &ignored) != 0)
		queue_fini(&r.queue);
	FAILPOINT("queue.done.before");
	int rc = db_write(site->db, record, &r, e);
	FAILPOINT("queue.done.after");
	queue_fini(&r.queue);
	return rc;
}

/* ---- what it is told ---- */

/* Not the mark that some editors put before a text. */
static const char *behind_bom(const char *text)
{
	return str_starts(text, "\xef\xbb\xbf") ? text + 3 : text;
}

/* JSON that may hold a secret behind escapes, "\u0067hp_...": then as it reads, and without it (E7). */
static void hide_escaped(struct str *json)
{
	struct json_fault ignored;
	struct json_t *j = strstr(str_text(json), "\\u") ? json_cut_text(json->p, json->len, &ignored) : NULL;
	AUTO_STR struct str plain = {0};
	size_t at;

	if (!j)
		return;
	json_write(j, false, &plain);
	json_free(j);
	if (!secret_in(plain.p, plain.len, &at))
		return;
	secret_hide(&plain);
	str_clear(json);
	str_addn(json, plain.p, plain.len);
}

char *done_result(const char *text, char **bad)
{
	struct json_fault fault;
	AUTO_STR struct str kept = {0};
	const char *json = behind_bom(text);
	struct json_t *j = json_cut_text(json, strlen(json), &fault);

	*bad = j ? NULL : mem_printf("line %zu, column %zu: %s", fault.line, fault.column, fault.text);
	if (j)
		splice_compact(json, &kept);
	else
		json_quote(&kept, text);
	hide_escaped(&kept);
	json_free(j);
	return str_take(&kept);
}

char *done_failure(const char *reason)
{
	AUTO_STR struct str out = {0}, at = {0}, time = {0}, kept = {0};
	const char *text = behind_bom(reason) + strspn(behind_bom(reason), " \t\r\n");
	struct json_fault ignored;
	struct json_t *j = text[0] == '{' ? json_cut_text(text, strlen(text), &ignored) : NULL;

	clock_add_iso(&at, clock_wall_ms());
	json_quote(&time, at.p);
	if (j) {
		struct splice_change add[] = {{.key = "error_type", .value = "\"unknown\""},
		                              {.key = "message", .value = "\"\""},
		                              {.key = "timestamp", .value = time.p}};
		size_t n = 0;
		for (size_t i = 0; i < MEM_COUNT(add); i++)
			if (!json_get(j, add[i].key))
				add[n++] = add[i];
		splice_compact(text, &kept);
		hide_escaped(&kept);
		splice_edit(str_text(&kept), add, n, &out);
	} else {
		str_add(&out, "{\"error_type\":\"execution_error\",\"message\":");
		json_quote(&out, reason);
		str_addf(&out, ",\"timestamp\":%s}", time.p);
	}
	json_free(j);
	return str_take(&out);
}

void done_check_commit(struct site *site, const char *item, const char *result, struct str *out)
{
	AUTO_FREE char *commit = splice_get(result, "commit");
	AUTO_FREE char *hash = commit && commit[0] == '{' ? splice_get_text(commit, "hash") : NULL;
	struct oid oid;
	struct err absent = {0};

	if (!hash || !*hash)
		return;
	size_t n = strspn(hash, "0123456789abcdefABCDEF");
	if (hash[n] || n < 4)
		str_addf(out, "%s: its result names the commit '%s', which is no id of one", item, hash);
	else if (gitx_commit_of(site->git, hash, &oid, &absent) != 0)
		str_addf(out, "%s: its result names commit %s, which is not in this repository", item, hash);
	else if (n < strlen(oid.hex))
		str_addf(out, "%s: its commit %s is %s", item, hash, oid.hex);
}
