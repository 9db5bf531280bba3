/* queue_dag: the graph of a queue as JSON (formats.md 2-3), written as it is read off: no tree of it is made. */
#include <string.h>

#include "queue.h"
#include "queue_json.h"
#include "queue_taken.h"
#include "store/base/mem.h"

enum { NAMED_MOST = 32 }; /* that share files with one that waits */

struct look {
	const struct queue *q;
	uint32_t *batch;
	struct queue_taken *first; /* files of the first batch */
};

static bool ready(const struct look *l, size_t i)
{
	return l->batch[i] == 1 && queue_may_begin(l->q, i);
}

/* Whom it waits for, and who has its files, or will have them before it. */
static void blocked_by(const struct look *l, size_t i, struct strv *out)
{
	const struct queue *q = l->q;
	uint32_t others[NAMED_MOST];

	queue_held_by(q, i, out);
	if (ready(l, i) || !str_eq(queue_word(q->states[i]), "pending"))
		return;
	size_t n = queue_taken_by(l->first, &q->links[i].files, others, NAMED_MOST);
	for (size_t k = n; k-- > 0;)
		if (others[k] != i && !strv_has(out, q->links[others[k]].id))
			strv_add(out, q->links[others[k]].id);
}

static void put_node(struct queue_out *o, const struct look *look, size_t i)
{
	const struct queue *q = look->q;
	const struct item_link *l = &q->links[i];
	AUTO_STRV struct strv blocked = {0}, needs = {0};

	for (size_t k = q->needs.at[i]; k < q->needs.at[i + 1]; k++)
		strv_add(&needs, q->links[q->needs.to[k]].id);
	blocked_by(look, i, &blocked);
	queue_json_open(o, NULL, '{');
	queue_json_text(o, "id", l->id);
	queue_json_text(o, "issue_id", l->issue);
	queue_json_text(o, "solution_id", l->solution);
	queue_json_text(o, "status", queue_word(q->states[i]));
	queue_json_raw(o, "priority", l->priority ? l->priority : "null");
	queue_json_list(o, "depends_on", &needs);
	queue_json_number(o, "task_count", l->tasks ? l->tasks : 1);
	queue_json_list(o, "files_touched", &l->files);
	queue_json_raw(o, "ready", ready(look, i) ? "true" : "false");
	queue_json_list(o, "blocked_by", &blocked);
	if (l->missing)
		queue_json_text(o, "missing", l->missing);
	queue_json_close(o, '}');
}

static void put_edges(struct queue_out *o, const struct queue *q, const struct queue_edges *edges, size_t i,
                      const char *reason)
{
	for (size_t k = edges->at[i]; k < edges->at[i + 1]; k++) {
		queue_json_open(o, NULL, '{');
		queue_json_text(o, "from", q->links[edges->to[k]].id);
		queue_json_text(o, "to", q->links[i].id);
		queue_json_text(o, "reason", reason);
		queue_json_close(o, '}');
	}
}

/* Ids of the items of each batch. *n batches; from[b] is where batch b begins in the result. */
static uint32_t *by_batch(const struct queue *q, const uint32_t *batch, size_t **from, size_t *n)
{
	AUTO_FREE size_t *next = NULL;
	uint32_t *order = mem_array(q->n, sizeof *order);

	*n = 0;
	for (size_t i = 0; i < q->n; i++)
		*n = batch[i] > *n ? batch[i] : *n;
	*from = mem_array(*n + 2, sizeof **from);
	for (size_t i = 0; i < q->n; i++)
		if (batch[i])
			(*from)[batch[i] + 1]++;
	for (size_t b = 1; b <= *n + 1; b++)
		(*from)[b] += (*from)[b - 1];
	next = mem_array(*n + 2, sizeof *next);
	memcpy(next, *from, (*n + 2) * sizeof *next);
	for (size_t i = 0; i < q->n; i++)
		if (batch[i])
			order[next[batch[i]]++] = (uint32_t)i;
	return order;
}

static void put_batches(struct queue_out *o, const struct look *l)
{
	const struct queue *q = l->q;
	AUTO_FREE size_t *from = NULL;
	size_t n;
	AUTO_FREE uint32_t *order = by_batch(q, l->batch, &from, &n);

	queue_json_open(o, "parallel_batches", '[');
	for (size_t b = 1; b <= n; b++) {
		queue_json_open(o, NULL, '[');
		for (size_t k = from[b]; k < from[b + 1]; k++)
			queue_json_text(o, NULL, q->links[order[k]].id);
		queue_json_close(o, ']');
	}
	queue_json_close(o, ']');
	queue_json_open(o, "_summary", '{');
	queue_json_number(o, "can_parallel", n ? from[2] - from[1] : 0);
	queue_json_number(o, "batches_needed", n);
	queue_json_close(o, '}');
}

/* As the queue's row has them, with the key of formats.md for their members. */
static void put_groups(struct queue_out *o, const struct queue *q)
{
	struct err ignored = {0};
	struct json_t *groups = q->row.groups ? json_parse_own(q->row.groups, strlen(q->row.groups), &ignored) : NULL;

	queue_json_open(o, "groups", '[');
	for (size_t i = 0; i < json_count(groups); i++) {
		const struct json_t *g = json_nth(groups, i), *members = json_get(g, "members");
		queue_json_open(o, NULL, '{');
		queue_json_text(o, "id", json_get_text(g, "id"));
		queue_json_text(o, "type", json_get_text(g, "type"));
		queue_json_open(o, "solutions", '[');
		for (size_t k = 0; k < json_count(members); k++)
			queue_json_text(o, NULL, json_text(json_nth(members, k)));
		queue_json_close(o, ']');
		queue_json_close(o, '}');
	}
	queue_json_close(o, ']');
	json_free(groups);
}

void queue_dag_json(const struct queue *q, queue_print *print)
{
	struct queue_out o = {.print = print};
	AUTO_FREE uint32_t *batch = mem_array(q->n, sizeof *batch);
	struct look l = {q, batch, queue_taken_new(true)};
	size_t n_ready = 0, completed = 0;

	queue_batches(batch, q);
	for (uint32_t i = 0; i < q->n; i++) {
		if (batch[i] == 1)
			queue_taken_add(l.first, &q->links[i].files, i, 1);
		n_ready += ready(&l, i);
		completed += task_state_good(q->states[i]);
	}
	queue_json_open(&o, NULL, '{');
	queue_json_text(&o, "queue_id", q->id);
	queue_json_number(&o, "total", q->n);
	queue_json_number(&o, "ready_count", n_ready);
	queue_json_number(&o, "completed_count", completed);
	queue_json_open(&o, "nodes", '[');
	for (size_t i = 0; i < q->n; i++)
		put_node(&o, &l, i);
	queue_json_close(&o, ']');
	queue_json_open(&o, "edges", '[');
	for (size_t i = 0; i < q->n; i++) {
		put_edges(&o, q, &q->needs, i, "depends_on");
		put_edges(&o, q, &q->after, i, "files");
		put_edges(&o, q, &q->turn, i, "group");
	}
	queue_json_close(&o, ']');
	put_groups(&o, q);
	put_batches(&o, &l);
	queue_json_open(&o, "ready", '[');
	for (size_t i = 0; i < q->n; i++)
		if (ready(&l, i))
			queue_json_text(&o, NULL, q->links[i].id);
	queue_json_close(&o, ']');
	queue_json_close(&o, '}');
	queue_json_end(&o);
	queue_taken_free(l.first);
}

void queue_dag_none(const char *why, queue_print *print)
{
	AUTO_STR struct str text = {0};

	str_add(&text, "{\"error\": ");
	json_quote(&text, why);
	str_add(&text, ", \"nodes\": [], \"edges\": [], \"groups\": []}\n");
	print(&text);
}
