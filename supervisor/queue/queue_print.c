/* queue_print: one queue with its items, as JSON with the keys of formats.md 2-2, and for people. */
#include <string.h>

#include "failure.h"
#include "queue.h"
#include "queue_json.h"
#include "store/base/mem.h"

enum { MANY = 1000 }; /* more items than that are counted, not listed */

static void put_raw(struct queue_out *o, const char *key, const char *json)
{
	if (json)
		queue_json_raw(o, key, json);
}

static int put_item(struct queue_out *o, const struct site *site, const struct queue *q, size_t i, bool brief,
                    struct err *e)
{
	const struct item_link *l = &q->links[i];
	struct queue_item item;

	if (!brief && queue_item_load(&item, site, q->id, i + 1, e) != 0) {
		queue_item_fini(&item);
		return -1;
	}
	queue_json_open(o, NULL, '{');
	queue_json_text(o, "item_id", l->id);
	queue_json_text(o, "issue_id", l->issue);
	queue_json_text(o, "solution_id", l->solution);
	queue_json_text(o, "status", queue_word(q->states[i]));
	queue_json_number(o, "execution_order", l->order);
	if (!brief) {
		queue_json_text(o, "execution_group", l->group);
		queue_json_list(o, "depends_on", &item.def.needs);
		put_raw(o, "semantic_priority", l->priority);
		queue_json_number(o, "task_count", l->tasks ? l->tasks : 1);
		queue_json_list(o, "files_touched", &l->files);
		queue_json_time(o, "queued_at", item.item.queued_ms);
		queue_json_time(o, "started_at", item.item.started_ms);
		queue_json_time(o, "completed_at", item.item.completed_ms);
		put_raw(o, "result", item.item.result);
		AUTO_FREE char *failure = failure_of(&item);
		put_raw(o, "failure_details", failure);
		queue_json_open(o, "failure_history", '[');
		for (size_t k = 0; k < item.item.history.n; k++)
			queue_json_raw(o, NULL, item.item.history.v[k]);
		queue_json_close(o, ']');
		queue_json_text(o, "reason", item.task.reason                  ? item.task.reason
		                             : queue_finished(q->states[i]) ? NULL
		                                                            : l->missing);
		queue_json_text(o, "session", item.task.session);
		queue_item_fini(&item);
	}
	queue_json_close(o, '}');
	return 0;
}

int queue_show_json(const struct site *site, const char *id, bool brief, queue_print *print, struct err *e)
{
	struct queue_out o = {.print = print};
	struct queue_counts c = {0};
	struct queue q;
	int rc = queue_load(&q, site, id, e) != 0 ? -1 : queue_count(&c, site, id, e);

	queue_json_open(&o, NULL, '{');
	if (rc == 0) {
		queue_json_text(&o, "id", q.id);
		if (q.row.name)
			queue_json_text(&o, "name", q.row.name);
		queue_json_text(&o, "status", q.row.status);
		queue_json_list(&o, "issue_ids", &q.row.issue_ids);
		queue_json_number(&o, "total", c.total);
		queue_json_number(&o, "pending", c.of[QUEUE_PENDING]);
		queue_json_number(&o, "executing", c.of[QUEUE_EXECUTING]);
		queue_json_number(&o, "completed", c.of[QUEUE_COMPLETED]);
		queue_json_number(&o, "failed", c.of[QUEUE_FAILED]);
		queue_json_number(&o, "skipped", c.of[QUEUE_SKIPPED]);
		queue_json_open(&o, brief ? "items" : "solutions", '[');
	}
	for (size_t i = 0; rc == 0 && i < q.n; i++)
		rc = put_item(&o, site, &q, i, brief, e);
	if (rc == 0) {
		queue_json_close(&o, ']');
		queue_json_close(&o, '}');
		queue_json_end(&o);
	}
	str_fini(&o.text);
	queue_fini(&q);
	return rc;
}

void queue_show_none(const char *why, queue_print *print)
{
	struct queue_out o = {.print = print};
	struct strv none = {0};

	queue_json_open(&o, NULL, '{');
	queue_json_text(&o, "status", "empty");
	queue_json_text(&o, "message", why);
	queue_json_text(&o, "id", NULL);
	queue_json_list(&o, "issue_ids", &none);
	queue_json_number(&o, "total", 0);
	queue_json_list(&o, "items", &none);
	queue_json_close(&o, '}');
	queue_json_end(&o);
}

/* On one line, whatever it is. */
static void add_shown(struct str *out, const char *before, const char *text)
{
	str_add(out, before);
	str_add_printable(out, text ? text : "", text ? strlen(text) : 0, false);
}

static void add_item(const struct queue *q, size_t i, bool ready, int wide, struct str *out)
{
	const struct item_link *l = &q->links[i];
	AUTO_STRV struct strv blocked = {0};

	str_addf(out, "  %-*s  %-9s", wide, l->id, ready ? "ready" : queue_word(q->states[i]));
	add_shown(out, "  ", l->issue);
	add_shown(out, " ", l->solution);
	queue_blocked_by(q, i, &blocked);
	for (size_t k = 0; k < blocked.n; k++)
		str_addf(out, "%s%s", k ? ", " : "  waits for ", blocked.v[k]);
	if (l->missing && !queue_finished(q->states[i]))
		add_shown(out, "  cannot begin: ", l->missing);
	str_addc(out, '\n');
}

int queue_show_text(const struct site *site, const char *id, struct str *out, struct err *e)
{
	struct queue_counts c;
	struct queue q;
	int rc = queue_load(&q, site, id, e) != 0 ? -1 : queue_count(&c, site, id, e), wide = 0;

	if (rc == 0) {
		str_addf(out, "queue %s  %s  ", q.id, q.row.status);
		queue_counts_text(&c, out);
		add_shown(out, "\n  from ", q.row.source && *q.row.source ? q.row.source : "(not known)");
		str_addc(out, '\n');
		if (q.row.session)
			str_addf(out, "  session %s\n", q.row.session);
		for (size_t i = 0; i < q.n && q.n <= MANY; i++)
			wide = (int)strlen(q.links[i].id) > wide ? (int)strlen(q.links[i].id) : wide;
		AUTO_FREE uint32_t *batch = mem_array(q.n, sizeof *batch);
		if (q.n <= MANY)
			queue_batches(batch, &q);
		for (size_t i = 0; i < q.n && q.n <= MANY; i++)
			add_item(&q, i, batch[i] == 1 && queue_may_begin(&q, i), wide, out);
	}
	queue_fini(&q);
	return rc;
}
