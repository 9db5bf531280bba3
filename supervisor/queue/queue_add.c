/* queue_add: a queue that was read, into the store. */
#include <stdio.h>
#include <string.h>

#include "queue_copy.h"
#include "store/base/clock.h"
#include "store/base/fail.h"
#include "store/base/mem.h"

struct adding {
	const struct plan *plan;
	const struct queue_names *names;
	const char *id;
	uint64_t now;
	bool known;
	bool nameless; /* nothing says how it is to be called: one of the same content is the same */
	char *same;    /* the id of that one; NULL = there is none */
	struct str bytes; /* of the row that is put */
};

static int put(struct db_txn *t, struct adding *a, enum db_table table, const char *key, const struct rec *r,
               const void *row, struct err *e)
{
	str_clear(&a->bytes);
	rec_encode(r, row, &a->bytes);
	return db_put(t, table, key, a->bytes.p, a->bytes.len, e);
}

/* ---- rows ---- */

static int put_link(struct db_txn *t, struct adding *a, size_t i, struct err *e)
{
	AUTO_FREE char *key = queue_link_key(a->id, i + 1);
	struct item_link link;

	if (queue_link_make(&link, a->names, i + 1, &a->plan->queue->defs[i], e) != 0)
		return -1;
	int rc = put(t, a, DB_items, key, &item_link_rec, &link, e);
	queue_link_fini(&link);
	return rc;
}

static int put_item(struct db_txn *t, struct adding *a, size_t i, struct err *e)
{
	const struct plan_queue *q = a->plan->queue;
	AUTO_FREE char *def = queue_task_key(a->id, i + 1, 'd'), *row = queue_task_key(a->id, i + 1, 's');
	struct task_row task = {.state = (char *)task_state_name(q->states[i]), .reason = q->reasons ? q->reasons[i] : NULL};

	return put(t, a, DB_tasks, def, &task_def_rec, &a->plan->tasks[i], e) != 0 ||
	                       put(t, a, DB_tasks, row, &task_row_rec, &task, e) != 0 ||
	                       put(t, a, DB_items, def, &item_def_rec, &q->defs[i], e) != 0 ||
	                       put(t, a, DB_items, row, &item_row_rec, &q->items[i], e) != 0
	               ? -1
	               : 0;
}

static int by_id(const void *a, const void *b, void *tasks)
{
	const struct task_def *d = tasks;
	return strcmp(d[*(const uint32_t *)a].id, d[*(const uint32_t *)b].id);
}

static int put_index(struct db_txn *t, struct adding *a, struct err *e)
{
	size_t n = a->plan->n;
	AUTO_FREE uint32_t *items = mem_array(n, sizeof *items);
	int rc = 0;

	for (size_t i = 0; i < n; i++)
		items[i] = (uint32_t)i;
	qsort_r(items, n, sizeof *items, by_id, a->plan->tasks);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		AUTO_FREE char *key = queue_index_key(a->id, a->plan->tasks[items[i]].id);
		char ordinal[24];
		snprintf(ordinal, sizeof ordinal, "%u", items[i] + 1);
		rc = db_put(t, DB_items, key, ordinal, strlen(ordinal), e);
	}
	return rc;
}

/* In the order of their keys, so that pages are filled one after the other. */
static int put_items(struct db_txn *t, struct adding *a, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < a->plan->n; i++)
		rc = put_link(t, a, i, e);
	for (size_t i = 0; rc == 0 && i < a->plan->n; i++)
		rc = put_item(t, a, i, e);
	return rc == 0 ? put_index(t, a, e) : -1;
}

/* Of all rows, rather too many than too few. */
static size_t bytes_of(const struct plan *p)
{
	enum { OF_ITEM = 2048 };
	size_t n = 0;

	for (size_t i = 0; i < p->n; i++) {
		const struct item_def *d = &p->queue->defs[i];
		n += OF_ITEM + (d->raw ? strlen(d->raw) : 0) + (d->solution_raw ? strlen(d->solution_raw) : 0);
	}
	return n;
}

static int put_queue(struct db_txn *t, const struct adding *a, struct err *e)
{
	const struct plan_queue *q = a->plan->queue;
	struct queue_row row = q->row; /* borrowed texts */

	row.kind = a->plan->kind;
	row.content = a->plan->content;
	row.created_ms = a->now;
	row.tasks = a->plan->n;
	row.source = a->plan->source;
	if (!row.status || str_eq(row.status, "active")) /* it may be over already */
		row.status = (char *)queue_status(q->states, a->plan->n);
	return queue_row_put_in(t, a->id, &row, e);
}

/* Is there one of this id? It is the same, or it is in the way. */
static int look(struct db_txn *t, struct adding *a, struct err *e)
{
	struct queue_row there;
	struct err absent = {0};
	const void *value;
	size_t n;

	a->known = false;
	if (db_get(t, DB_queues, a->id, &value, &n, &absent) != 0)
		return absent.kind == ERR_MISSING ? 0 : err_set(e, absent.kind, "%s", absent.text);
	if (rec_decode(&queue_row_rec, &there, value, n, e) != 0)
		return err_set(e, ERR_DAMAGED, "the row of queue %s cannot be read: bosk verify --repair", a->id);
	a->known = str_eq(there.kind, a->plan->kind) && str_eq(there.content, a->plan->content);
	rec_fini(&queue_row_rec, &there);
	return a->known ? 0
	                : err_set(e, ERR_EXISTS, "there is a queue %s already, with other content: give this one another id "
	                          "with --as ID, or take that one away with bosk queue remove %s", a->id, a->id);
}

static int same_content(void *ctx, const char *key, const void *value, size_t n, struct err *e)
{
	struct adding *a = ctx;
	struct queue_row row;

	if (rec_decode(&queue_row_rec, &row, value, n, e) != 0)
		return err_set(e, ERR_DAMAGED, "the row of queue %s cannot be read: bosk verify --repair", key);
	if (!a->same && queue_is(&row) && str_eq(row.kind, a->plan->kind) && str_eq(row.content, a->plan->content))
		a->same = mem_strdup(key);
	rec_fini(&queue_row_rec, &row);
	return 0;
}

static int add_rows(struct db_txn *t, void *ctx, struct err *e)
{
	struct adding *a = ctx;
	const struct plan_queue *q = a->plan->queue;

	mem_set(&a->same, NULL);
	if (a->nameless && db_scan(t, DB_queues, "", same_content, a, e) != 0)
		return -1;
	a->known = a->same != NULL;
	int rc = a->known ? 0 : look(t, a, e);

	if (rc != 0 || a->known)
		return rc;
	rc = put_items(t, a, e);
	for (size_t i = 0; rc == 0 && i < q->n_issues; i++) {
		AUTO_FREE char *key = queue_issue_key(a->id, i + 1);
		rc = put(t, a, DB_issues, key, &issue_row_rec, &q->issues[i], e);
	}
	return rc == 0 ? put_queue(t, a, e) : -1;
}

/* ---- what was added ---- */

static void count_ready(struct queue_added *out, const struct site *site)
{
	struct queue q;
	struct err ignored = {0};

	if (queue_load(&q, site, out->id, &ignored) == 0) {
		AUTO_FREE uint32_t *batch = mem_array(q.n, sizeof *batch);
		queue_batches(batch, &q);
		for (size_t i = 0; i < q.n; i++)
			out->ready += batch[i] == 1 && queue_may_begin(&q, i);
	}
	out->items = q.n;
	queue_fini(&q);
}

int queue_add(struct queue_added *out, struct site *site, const struct plan *plan, const char *as, struct err *e)
{
	struct queue_names names;
	struct adding a = {.plan = plan, .names = &names, .now = clock_wall_ms()};
	AUTO_STR struct str stamp = {0};
	int rc;

	*out = (struct queue_added){0};
	if (!as && plan->queue->id)
		as = plan->queue->id;
	str_add(&stamp, "QUE-");
	clock_add_stamp(&stamp, a.now);
	a.nameless = !as;
	queue_names_init(&names, plan->tasks, plan->n);
	db_reserve(site->db, bytes_of(plan));
	for (int i = 1;; i++) { /* those of the same second take a number */
		AUTO_FREE char *made = i == 1 ? mem_strdup(stamp.p) : mem_printf("%s-%d", stamp.p, i);
		mem_set(&out->id, as ? as : made);
		a.id = out->id;
		err_clear(e);
		FAILPOINT("queue.add.before");
		rc = db_write(site->db, add_rows, &a, e);
		FAILPOINT("queue.add.after");
		if (rc == 0 || e->kind != ERR_EXISTS || as)
			break;
	}
	queue_names_fini(&names);
	str_fini(&a.bytes);
	if (a.same)
		mem_set(&out->id, a.same);
	free(a.same);
	if (rc != 0)
		return -1;
	out->known = a.known;
	/* Cut off before this, it is made when the queue is added again, or by bosk verify --repair. */
	if (!queue_copy_is(site->git, out->id) && queue_copy_write(site, out->id, e) != 0)
		return -1;
	count_ready(out, site);
	return out->known ? queue_differs(&out->differs, site, out->id, plan, e) : 0;
}

void queue_added_fini(struct queue_added *a)
{
	free(a->id);
	strv_fini(&a->differs);
	*a = (struct queue_added){0};
}
