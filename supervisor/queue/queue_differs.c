/* queue_differs: a queue that is added once more: what its file says of states and results by now is not taken, and that
 * is said. */
#include "queue.h"
#include "splice.h"
#include "store/base/mem.h"

struct differing {
	const char *id;
	const struct plan *plan;
	struct strv *out;
	bool changed; /* some item, since the queue was added */
};

static bool same(const char *a, const char *b)
{
	AUTO_STR struct str x = {0}, y = {0};

	if (str_eq(a, b) || !a || !b)
		return str_eq(a, b);
	splice_compact(a, &x);
	splice_compact(b, &y);
	return str_eq(str_text(&x), str_text(&y));
}

static void compare(struct differing *d, size_t i, const struct queue_item *there)
{
	const struct plan_queue *q = d->plan->queue;
	const char *id = d->plan->tasks[i].id, *file = queue_word(q->states[i]), *store = queue_word(queue_state(&there->task));

	/* What became of it since stands in a file that bosk has written, too: of a session's work all of that. */
	bool theirs = there->task.session != NULL, changed = there->item.changed || theirs;

	d->changed |= changed;
	if (!str_eq(file, store))
		strv_addf(d->out, "%s is %s in the file, but %s in the store", id, file, store);
	else if (changed && !theirs && q->items[i].result && !same(q->items[i].result, there->item.result))
		strv_addf(d->out, "%s has another result in the file", id);
	else if (!changed && !same(q->defs[i].raw, there->item_def.raw))
		strv_addf(d->out, "%s has other fields in the file", id);
}

static int look(struct db_txn *t, void *ctx, struct err *e)
{
	struct differing *d = ctx;
	struct queue_row row;
	int rc = 0;

	strv_fini(d->out);
	d->changed = false;
	for (size_t i = 0; rc == 0 && i < d->plan->n; i++) {
		struct queue_item there;
		rc = queue_item_load_in(&there, t, d->id, i + 1, e);
		if (rc == 0 && str_eq(there.def.id, d->plan->tasks[i].id))
			compare(d, i, &there);
		queue_item_fini(&there);
	}
	if (rc != 0 || queue_row_load_in(&row, t, d->id, e) != 0)
		return -1;
	/* What was exported says by now what became of the items. */
	if (!d->changed && !same(d->plan->queue->row.raw, row.raw))
		strv_add(d->out, "the queue itself has other fields in the file");
	rec_fini(&queue_row_rec, &row);
	return 0;
}

int queue_differs(struct strv *out, const struct site *site, const char *id, const struct plan *plan, struct err *e)
{
	struct differing d = {.id = id, .plan = plan, .out = out};

	*out = (struct strv){0};
	return db_read(site->db, look, &d, e);
}
