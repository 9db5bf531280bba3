/* revive: what was skipped because of tasks that are to be done again, or may be now, comes back with them. */
#ifndef BOSK_REVIVE_H
#define BOSK_REVIVE_H

#include <stddef.h>
#include <stdint.h>

#include "store/rows.h"
#include "task_state.h"

/* May task i come back? Not when it was cancelled for itself. */
typedef bool revive_may(void *ctx, size_t i);

/* back[i]: task i, which was lost in the state that it has, is done again. Adds what was skipped because of these: each
 * TASK_SKIPPED one that needs one of them and nothing else that is lost, and what was skipped because of that. Others
 * that were skipped stay so. Task i needs needs[needs_at[i]] to needs[needs_at[i + 1] - 1]. Linear time. */
void revive_skipped(bool *back, const enum task_state *states, const uint32_t *needs, const size_t *needs_at, size_t n,
                    revive_may *may, void *ctx);

/* Task i was skipped: for what that is lost and does not come back (`back` NULL: nothing does), or UINT32_MAX. */
uint32_t revive_kept_by(const bool *back, const enum task_state *states, const uint32_t *needs, const size_t *needs_at,
                        size_t i);

/* Why task `id` can not come back alone: by what keeps it. The caller owns it. */
char *revive_fault(const char *id, const char *by, enum task_state state);

/* Was it cancelled in the file that its queue was read from? */
bool revive_cancelled(const struct task_row *row);

#endif
