/* queue_batches: the whole future of a queue, batch by batch. */
#include "queue.h"
#include "queue_taken.h"
#include "store/base/mem.h"
#include "supervisor/plan/dag.h"

/* All items, each after those that it needs. The caller frees. */
static uint32_t *in_waves(const uint32_t *to, const size_t *at, size_t n)
{
	AUTO_FREE uint32_t *wave = mem_array(n, sizeof *wave);
	AUTO_FREE size_t *next = mem_array(n + 2, sizeof *next);
	uint32_t *order = mem_array(n, sizeof *order);

	dag_waves(wave, to, at, n, NULL, NULL);
	for (size_t i = 0; i < n; i++)
		next[wave[i] + 1]++;
	for (size_t w = 1; w <= n + 1; w++)
		next[w] += next[w - 1];
	for (size_t i = 0; i < n; i++)
		order[next[wave[i]]++] = (uint32_t)i;
	return order;
}

/* What will be worked on: not what has ended, nor what cannot begin, nor what waits for one of these in vain. */
static bool *find_hopeful(const struct queue *q)
{
	bool *hope = mem_array(q->n, sizeof *hope);
	AUTO_FREE uint32_t *order = in_waves(q->needs.to, q->needs.at, q->n);

	for (size_t k = 0; k < q->n; k++) {
		uint32_t i = order[k];
		hope[i] = !queue_finished(q->states[i]) && !(q->links[i].missing && !queue_executing(q->states[i]));
		for (size_t n = q->needs.at[i]; hope[i] && n < q->needs.at[i + 1]; n++) {
			uint32_t need = q->needs.to[n];
			hope[i] = hope[need] || task_state_good(q->states[need]) || queue_executing(q->states[i]);
		}
	}
	return hope;
}

/* Edges of one kind to those with hope. */
static void take(const bool *hope, const struct queue_edges *from, size_t i, uint32_t *to, size_t *at)
{
	for (size_t k = from->at[i]; k < from->at[i + 1]; k++)
		if (hope[from->to[k]])
			to[(*at)++] = from->to[k];
}

static struct queue_taken *taken_by_busy(const struct queue *q)
{
	struct queue_taken *t = queue_taken_new(false);

	for (size_t k = 0; k < q->n_busy; k++)
		queue_taken_add(t, &q->links[q->busy[k]].files, q->busy[k], 1);
	return t;
}

/* Who is at work waits for nobody: it is those which it would come after that wait, where they share files. */
static bool *find_behind(const struct queue *q)
{
	bool *behind = mem_array(q->n, sizeof *behind);

	for (size_t k = 0; k < q->n_busy; k++)
		for (size_t m = q->after.at[q->busy[k]]; m < q->after.at[q->busy[k] + 1]; m++)
			behind[q->after.to[m]] = true;
	return behind;
}

void queue_batches(uint32_t *batch, const struct queue *q)
{
	AUTO_FREE bool *hope = find_hopeful(q), *behind = find_behind(q);
	AUTO_FREE size_t *at = mem_array(q->n + 1, sizeof *at);
	AUTO_FREE uint32_t *to = mem_array(q->needs.at[q->n] + q->after.at[q->n] + q->turn.at[q->n], sizeof *to);
	size_t n = 0;

	for (size_t i = 0; i < q->n; i++) {
		batch[i] = queue_executing(q->states[i]); /* these wait for nobody */
		if (hope[i] && !batch[i]) {
			take(hope, &q->needs, i, to, &n);
			take(hope, &q->after, i, to, &n);
			take(hope, &q->turn, i, to, &n);
		}
		at[i + 1] = n;
	}
	AUTO_FREE uint32_t *order = in_waves(to, at, q->n);
	struct queue_taken *taken = taken_by_busy(q);
	for (size_t k = 0; k < q->n; k++) {
		uint32_t i = order[k];
		if (!hope[i] || batch[i])
			continue;
		/* Not all that share files have an edge: of many, only the nearest. */
		uint32_t last = queue_taken_last(taken, &q->links[i].files);
		last = behind[i] && !last ? 1 : last;
		for (size_t m = at[i]; m < at[i + 1]; m++)
			last = batch[to[m]] > last ? batch[to[m]] : last;
		batch[i] = last + 1;
		queue_taken_add(taken, &q->links[i].files, i, batch[i]);
	}
	queue_taken_free(taken);
}

size_t queue_first_ready(const struct queue *q)
{
	struct queue_taken *taken = taken_by_busy(q);
	size_t i = 0;

	while (i < q->n && (!queue_may_begin(q, i) || queue_taken_last(taken, &q->links[i].files)))
		i++;
	queue_taken_free(taken);
	return i < q->n ? i : SIZE_MAX;
}
