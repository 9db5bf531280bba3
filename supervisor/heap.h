/* heap: the smallest of some numbers first, in memory the caller owns. Never allocates. */
#ifndef BOSK_HEAP_H
#define BOSK_HEAP_H

#include <stddef.h>
#include <stdint.h>

/* `v` holds *n numbers and has room for one more. O(log n). */
void heap_push(uint32_t *v, size_t *n, uint32_t x);
/* Removes and returns the smallest, v[0]; *n is not 0. O(log n). */
uint32_t heap_pop(uint32_t *v, size_t *n);

/* Removes x, which is in it. O(n). */
void heap_remove(uint32_t *v, size_t *n, uint32_t x);

#endif
