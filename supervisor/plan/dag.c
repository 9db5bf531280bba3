/* dag: one depth-first walk gives waves and cycles. Its own stack: a plan may be a chain of
 * 100,000 tasks. */
#include "dag.h"

#include "store/base/mem.h"

struct walk {
	const uint32_t *needs;
	const size_t *needs_at;
	uint32_t *wave; /* 0 = not entered, OPEN = on the path, else final */
	uint32_t *path;
	size_t depth;
	size_t *next;  /* per node: the edge to follow next */
	size_t *place; /* per node on the path: where */
	size_t cycles;
	dag_cycle_fn on_cycle;
	void *ctx;
};

enum { NEW = 0 };
#define OPEN UINT32_MAX

static void enter(struct walk *w, uint32_t node)
{
	w->wave[node] = OPEN;
	w->next[node] = w->needs_at[node];
	w->place[node] = w->depth;
	w->path[w->depth++] = node;
}

static void leave(struct walk *w, uint32_t node)
{
	uint32_t highest = 0;
	for (size_t k = w->needs_at[node]; k < w->needs_at[node + 1]; k++) {
		uint32_t wave = w->wave[w->needs[k]];
		if (wave != OPEN && wave > highest) /* OPEN: an edge that closes a cycle */
			highest = wave;
	}
	w->wave[node] = highest + 1;
	w->depth--;
}

static void walk_from(struct walk *w, uint32_t root)
{
	enter(w, root);
	while (w->depth) {
		uint32_t node = w->path[w->depth - 1];
		if (w->next[node] == w->needs_at[node + 1]) {
			leave(w, node);
			continue;
		}
		uint32_t need = w->needs[w->next[node]++];
		if (w->wave[need] == NEW) {
			enter(w, need);
		} else if (w->wave[need] == OPEN) {
			w->cycles++;
			if (w->on_cycle)
				w->on_cycle(w->ctx, w->path + w->place[need],
				            w->depth - w->place[need]);
		}
	}
}

size_t dag_waves(uint32_t *wave, const uint32_t *needs, const size_t *needs_at, size_t n,
                 dag_cycle_fn on_cycle, void *ctx)
{
	AUTO_FREE uint32_t *path = mem_array(n, sizeof *path);
	AUTO_FREE size_t *next = mem_array(n, sizeof *next);
	AUTO_FREE size_t *place = mem_array(n, sizeof *place);
	struct walk w = {.needs = needs, .needs_at = needs_at, .wave = wave, .path = path,
	                 .next = next, .place = place, .on_cycle = on_cycle, .ctx = ctx};

	for (size_t i = 0; i < n; i++)
		wave[i] = NEW;
	for (size_t i = 0; i < n; i++)
		if (wave[i] == NEW)
			walk_from(&w, (uint32_t)i);
	return w.cycles;
}

void dag_turned(uint32_t **by, size_t **at, const uint32_t *needs, const size_t *needs_at, size_t n)
{
	size_t edges = needs_at[n];

	*by = mem_array(edges, sizeof **by);
	*at = mem_array(n + 1, sizeof **at);
	for (size_t k = 0; k < edges; k++)
		(*at)[needs[k]]++;
	for (size_t i = 0; i < n; i++) /* where those of node i end, for now */
		(*at)[i + 1] += (*at)[i];
	for (size_t i = n; i-- > 0;)
		for (size_t k = needs_at[i]; k < needs_at[i + 1]; k++)
			(*by)[--(*at)[needs[k]]] = (uint32_t)i;
}
