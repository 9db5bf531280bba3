/* plan_queue: how bosk plan shows a queue of solutions. */
#ifndef BOSK_PLAN_QUEUE_H
#define BOSK_PLAN_QUEUE_H

#include "store/json.h"
#include "supervisor/plan/plan.h"

/* Would a run of the plan work on task i? Not on what is done, or not for bosk; of a queue not on what has ended,
 * is somebody else's, or cannot be run. */
bool plan_queue_runs(const struct plan *p, size_t i);
/* Its batches are those of what is left: waves of the others do not count. Nothing for other plans. */
void plan_queue_batches(struct plan *p);

/* `gate_ms`: the limit of the gates of its steps. */
void plan_queue_json(const struct plan *p, size_t i, uint64_t gate_ms, struct json_t *task);
void plan_queue_text(const struct plan *p, size_t i, uint64_t gate_ms, struct str *out);

#endif
