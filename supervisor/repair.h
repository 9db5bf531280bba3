/* repair: what becomes of a task that cannot be merged, or is red when it is: it goes back to its agent
 * with what went wrong in its worktree, or stays where it is for a person. */
#ifndef BOSK_REPAIR_H
#define BOSK_REPAIR_H

#include "core.h"

/* Its merge onto the tip has conflicts, or git could not do it. */
void repair_merge(struct core *c, size_t task, const struct merge_result *result);
/* Its merge cannot be signed, and is not to be without. */
void repair_not_signed(struct core *c, size_t task, const char *why);
/* Merged onto the tip, gates are red. */
void repair_red(struct core *c, size_t task, const struct msg_checked *m);
/* It is merged by a resume. */
void repair_postpone(struct core *c, size_t task);

/* The task, to be repaired, was assigned to a slot: merge it onto its new base and give the result to
 * its agent, or its commit to the integration when nothing is in the way any more. */
void repair_start(struct core *c, size_t task, size_t slot);
/* The repaired commit has been made, or the task runs anew: nothing of the repair is left. */
void repair_over(struct task_row *row);
/* The agent left conflict markers: its first commit counts again. */
void repair_undo(struct task_row *row);

#endif
