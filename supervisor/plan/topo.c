/* topo: every node has a place, and each edge goes from a lower place to a higher one. */
#include "topo.h"

#include <stdbool.h>

#include "store/base/mem.h"

enum { MAX_WORK = 5000000 }; /* edges looked at, in all */
#define NONE UINT32_MAX

struct edge {
	uint32_t sooner, later;
	uint32_t next_out, next_in; /* of the same `sooner`, of the same `later` */
};

struct topo {
	uint32_t *place;
	uint32_t *out, *in; /* first edge of each node */
	struct edge *edges;
	uint32_t n_edges, room;
	uint32_t *seen, stamp; /* seen[node] == stamp: met in this search */
	uint32_t *ahead, *behind, *places; /* of one search */
	size_t n_ahead, n_behind;
	size_t work;
};

static void link(struct topo *t, uint32_t sooner, uint32_t later)
{
	if (t->n_edges == t->room) {
		t->room = t->room ? 2 * t->room : 1024;
		t->edges = mem_grow(t->edges, t->room, sizeof *t->edges);
	}
	t->edges[t->n_edges] = (struct edge){sooner, later, t->out[sooner], t->in[later]};
	t->out[sooner] = t->in[later] = t->n_edges++;
}

/* ---- the first order ---- */

static void heap_down(uint32_t *heap, size_t n)
{
	size_t i = 0;

	for (size_t child; (child = 2 * i + 1) < n; i = child) {
		child += child + 1 < n && heap[child + 1] < heap[child];
		if (heap[i] <= heap[child])
			return;
		uint32_t other = heap[i];
		heap[i] = heap[child];
		heap[child] = other;
	}
}

static void heap_up(uint32_t *heap, size_t i)
{
	for (; i > 0 && heap[i] < heap[(i - 1) / 2]; i = (i - 1) / 2) {
		uint32_t other = heap[i];
		heap[i] = heap[(i - 1) / 2];
		heap[(i - 1) / 2] = other;
	}
}

/* Of those whose needs have a place the lowest gets the next one. */
static void place_all(struct topo *t, const size_t *needs_at, size_t n)
{
	AUTO_FREE uint32_t *heap = mem_array(n, sizeof *heap);
	AUTO_FREE size_t *missing = mem_array(n, sizeof *missing);
	size_t waiting = 0, placed = 0;

	for (size_t i = 0; i < n; i++) {
		missing[i] = needs_at[i + 1] - needs_at[i];
		if (!missing[i])
			heap[waiting++] = (uint32_t)i; /* rising: a heap */
	}
	while (waiting) {
		uint32_t node = heap[0];
		heap[0] = heap[--waiting];
		heap_down(heap, waiting);
		t->place[node] = (uint32_t)placed++;
		for (uint32_t e = t->out[node]; e != NONE; e = t->edges[e].next_out) {
			uint32_t later = t->edges[e].later;
			if (--missing[later] == 0) {
				heap[waiting] = later;
				heap_up(heap, waiting++);
			}
		}
	}
}

struct topo *topo_new(const uint32_t *needs, const size_t *needs_at, size_t n)
{
	struct topo *t = mem_alloc(sizeof *t);

	t->place = mem_array(n, sizeof *t->place);
	t->out = mem_array(n, sizeof *t->out);
	t->in = mem_array(n, sizeof *t->in);
	t->seen = mem_array(n, sizeof *t->seen);
	t->ahead = mem_array(n, sizeof *t->ahead);
	t->behind = mem_array(n, sizeof *t->behind);
	t->places = mem_array(n, sizeof *t->places);
	for (size_t i = 0; i < n; i++)
		t->out[i] = t->in[i] = NONE;
	for (size_t i = 0; i < n; i++)
		for (size_t k = needs_at[i]; k < needs_at[i + 1]; k++)
			link(t, needs[k], (uint32_t)i);
	place_all(t, needs_at, n);
	return t;
}

void topo_free(struct topo *t)
{
	if (!t)
		return;
	free(t->place);
	free(t->out);
	free(t->in);
	free(t->edges);
	free(t->seen);
	free(t->ahead);
	free(t->behind);
	free(t->places);
	free(t);
}

/* ---- one more edge ---- */

/* All that comes after `from`, up to the place of `last`; false: `last` is among them. */
static bool look_ahead(struct topo *t, uint32_t from, uint32_t last)
{
	t->n_ahead = 0;
	t->ahead[t->n_ahead++] = from;
	t->seen[from] = t->stamp;
	for (size_t i = 0; i < t->n_ahead; i++) {
		for (uint32_t e = t->out[t->ahead[i]]; e != NONE; e = t->edges[e].next_out) {
			uint32_t node = t->edges[e].later;
			t->work++;
			if (node == last)
				return false;
			if (t->place[node] > t->place[last] || t->seen[node] == t->stamp)
				continue;
			t->seen[node] = t->stamp;
			t->ahead[t->n_ahead++] = node;
		}
	}
	return true;
}

/* All that `from` comes after, down to the place of `first`. */
static void look_behind(struct topo *t, uint32_t from, uint32_t first)
{
	t->n_behind = 0;
	t->behind[t->n_behind++] = from;
	t->seen[from] = t->stamp;
	for (size_t i = 0; i < t->n_behind; i++) {
		for (uint32_t e = t->in[t->behind[i]]; e != NONE; e = t->edges[e].next_in) {
			uint32_t node = t->edges[e].sooner;
			t->work++;
			if (t->place[node] < t->place[first] || t->seen[node] == t->stamp)
				continue;
			t->seen[node] = t->stamp;
			t->behind[t->n_behind++] = node;
		}
	}
}

static int by_place(const void *a, const void *b, void *place)
{
	uint32_t x = ((uint32_t *)place)[*(const uint32_t *)a], y = ((uint32_t *)place)[*(const uint32_t *)b];
	return (x > y) - (x < y);
}

int topo_by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

/* What was found behind gets the lower of all their places, what was found ahead the higher ones. */
static void move(struct topo *t)
{
	size_t n = 0;

	qsort_r(t->behind, t->n_behind, sizeof *t->behind, by_place, t->place);
	qsort_r(t->ahead, t->n_ahead, sizeof *t->ahead, by_place, t->place);
	for (size_t i = 0; i < t->n_behind; i++)
		t->places[n++] = t->place[t->behind[i]];
	for (size_t i = 0; i < t->n_ahead; i++)
		t->places[n++] = t->place[t->ahead[i]];
	qsort(t->places, n, sizeof *t->places, topo_by_number);
	for (size_t i = 0; i < t->n_behind; i++)
		t->place[t->behind[i]] = t->places[i];
	for (size_t i = 0; i < t->n_ahead; i++)
		t->place[t->ahead[i]] = t->places[t->n_behind + i];
}

enum topo_answer topo_add(struct topo *t, uint32_t sooner, uint32_t later)
{
	if (sooner == later)
		return TOPO_CYCLE;
	if (t->place[sooner] > t->place[later]) {
		if (t->work > MAX_WORK)
			return TOPO_SPENT;
		t->stamp++;
		if (!look_ahead(t, later, sooner))
			return TOPO_CYCLE;
		look_behind(t, sooner, later);
		t->work += t->n_ahead + t->n_behind;
		move(t);
	}
	link(t, sooner, later);
	return TOPO_ADDED;
}
