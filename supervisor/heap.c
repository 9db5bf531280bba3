/* heap: a binary heap of numbers, smallest first, in the caller's memory. It must not allocate: the
 * schedule, which uses it, has all its memory from the start. */
#include "heap.h"

#include <assert.h>

void heap_push(uint32_t *v, size_t *n, uint32_t x)
{
	size_t i = (*n)++;

	while (i > 0 && v[(i - 1) / 2] > x) {
		v[i] = v[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	v[i] = x;
}

uint32_t heap_pop(uint32_t *v, size_t *n)
{
	assert(*n > 0);
	uint32_t smallest = v[0], x = v[--*n];
	size_t i = 0;

	for (;;) {
		size_t child = 2 * i + 1;
		if (child + 1 < *n && v[child + 1] < v[child])
			child++;
		if (child >= *n || v[child] >= x)
			break;
		v[i] = v[child];
		i = child;
	}
	v[i] = x; /* when it was the last one: into v[0], which no longer counts */
	return smallest;
}

void heap_remove(uint32_t *v, size_t *n, uint32_t x)
{
	size_t i = 0;

	while (i < *n && v[i] != x)
		i++;
	assert(i < *n);
	for (; i > 0; i = (i - 1) / 2) /* those above it go one down, and leave the first place to it */
		v[i] = v[(i - 1) / 2];
	heap_pop(v, n);
}
