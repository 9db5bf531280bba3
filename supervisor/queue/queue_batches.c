/* queue_batches: the whole future of a queue, batch by batch. */
#include <string.h>

#include "queue.h"
#include "store/base/mem.h"
#include "supervisor/plan/dag.h"

/* What will be worked on: not what has ended, nor what cannot begin, nor what waits for one of these in vain. */
static bool *find_hopeful(const struct queue *q)
{
	bool *hope = mem_array(q->n, sizeof *hope);
	AUTO_FREE uint32_t *wave = mem_array(q->n, sizeof *wave), *order = mem_array(q->n, sizeof *order);
	AUTO_FREE size_t *next = mem_array(q->n + 2, sizeof *next);

	/* In an order in which each comes after those it needs. */
	dag_waves(wave, q->needs.to, q->needs.at, q->n, NULL, NULL);
	for (size_t i = 0; i < q->n; i++)
		next[wave[i] + 1]++;
	for (size_t w = 1; w <= q->n + 1; w++)
		next[w] += next[w - 1];
	for (size_t i = 0; i < q->n; i++)
		order[next[wave[i]]++] = (uint32_t)i;
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

/* Items at work wait for nobody: it is those which they would come after that wait, where they share files. Counts
 * these pairs in slots[waiting], or, with `to`, puts them there. */
static size_t turned(const struct queue *q, const bool *hope, size_t *slots, uint32_t *to)
{
	size_t n = 0;

	for (size_t k = 0; k < q->n_busy; k++) {
		uint32_t i = q->busy[k];
		for (size_t m = q->after.at[i]; m < q->after.at[i + 1]; m++) {
			uint32_t waiting = q->after.to[m];
			if (!hope[waiting] || queue_executing(q->states[waiting]))
				continue;
			if (to)
				to[--slots[waiting]] = i;
			else
				slots[waiting]++;
			n++;
		}
	}
	return n;
}

void queue_batches(uint32_t *batch, const struct queue *q)
{
	AUTO_FREE bool *hope = find_hopeful(q);
	AUTO_FREE size_t *at = mem_array(q->n + 1, sizeof *at), *slots = mem_array(q->n + 1, sizeof *slots);
	size_t room = q->needs.at[q->n] + q->after.at[q->n] + q->turn.at[q->n] + turned(q, hope, slots, NULL), n = 0;
	AUTO_FREE uint32_t *to = mem_array(room, sizeof *to);

	for (size_t i = 0; i < q->n; i++) {
		if (hope[i] && !queue_executing(q->states[i])) {
			take(hope, &q->needs, i, to, &n);
			take(hope, &q->after, i, to, &n);
			take(hope, &q->turn, i, to, &n);
			n += slots[i];
			slots[i] = n;
		}
		at[i + 1] = n;
	}
	turned(q, hope, slots, to);
	dag_waves(batch, to, at, q->n, NULL, NULL);
	for (size_t i = 0; i < q->n; i++)
		if (!hope[i])
			batch[i] = 0;
}
