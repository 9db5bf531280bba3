/* topo: a graph without cycles that grows edge by edge; an edge that would close a cycle is refused. Pure: knows
 * nothing of tasks. */
#ifndef BOSK_TOPO_H
#define BOSK_TOPO_H

#include <stddef.h>
#include <stdint.h>

struct topo;

enum topo_answer {
	TOPO_ADDED,
	TOPO_CYCLE, /* refused: it would close one */
	TOPO_SPENT  /* refused unseen: looking for cycles has taken too long already */
};

/* Node i needs needs[needs_at[i]] .. needs[needs_at[i + 1] - 1]: no cycle among these (dag_waves tells). Nodes keep
 * the order of their numbers as far as that allows. */
struct topo *topo_new(const uint32_t *needs, const size_t *needs_at, size_t n);
void topo_free(struct topo *t); /* NULL allowed */

/* `later` is to come after `sooner`. Takes no time where that is so by the order kept; else what lies between the two
 * is looked at and moved (Pearce and Kelly, "A dynamic topological sort algorithm for directed acyclic graphs"). */
enum topo_answer topo_add(struct topo *t, uint32_t sooner, uint32_t later);

/* Nodes, for qsort. */
int topo_by_number(const void *a, const void *b);

#endif
