/* queue_edges: in which order items of a queue run that share files, or stand in a sequential group. */
#ifndef BOSK_QUEUE_EDGES_H
#define BOSK_QUEUE_EDGES_H

#include "plan_private.h"

/* Items that stand together: a group, or a conflict whose order is decided. By number; none twice. */
struct queue_set {
	char *id;
	uint32_t *v;
	size_t n;
};
void queue_sets_free(struct queue_set *sets, size_t n);

struct queue_order {
	const char *file; /* the queue's, for warnings */
	const uint32_t *needs;  /* of the items, without cycles: as dag_waves takes them */
	const size_t *needs_at;
	const struct queue_set *orders; /* conflicts: their members in the order that was decided on */
	size_t n_orders;
	const struct queue_set *turns;  /* sequential groups */
	size_t n_turns;
	const struct queue_set *parallel; /* parallel groups: members that share files are warned of */
	size_t n_parallel;
};

/* Fill `after` and `in_turn` of all tasks. What would close a cycle is left out, with a warning. */
void queue_edges(struct plan_loader *l, const struct queue_order *o);

#endif
