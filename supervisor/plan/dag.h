/* dag: waves and cycles of a dependency graph given by indexes. Pure; knows nothing of tasks. */
#ifndef BOSK_DAG_H
#define BOSK_DAG_H

#include <stddef.h>
#include <stdint.h>

/* path[0] needs path[1] needs ... path[n - 1] needs path[0]. Borrowed for the call. */
typedef void (*dag_cycle_fn)(void *ctx, const uint32_t *path, size_t n);

/* Node i needs needs[needs_at[i]] .. needs[needs_at[i + 1] - 1], all below n. Fills wave[n], from
 * 1: one more than the highest wave among its needs. Calls on_cycle (NULL allowed) for each edge
 * that closes a cycle when nodes and edges are followed in order: the cycles differ, and without
 * those edges there is none. Returns how many; waves mean nothing unless it is 0. Linear time. */
size_t dag_waves(uint32_t *wave, const uint32_t *needs, const size_t *needs_at, size_t n,
                 dag_cycle_fn on_cycle, void *ctx);

/* The same edges from their other end: node i is needed by (*by)[(*at)[i]] .. (*by)[(*at)[i + 1] - 1], in their order.
 * The caller frees both. */
void dag_turned(uint32_t **by, size_t **at, const uint32_t *needs, const size_t *needs_at, size_t n);

#endif
