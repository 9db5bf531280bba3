/* segments: shared by the segments*.c files only. */
#ifndef BOSK_SEGMENTS_H
#define BOSK_SEGMENTS_H

#include "plan_read.h"

/* segments_task.c: one segment becomes a task definition. `parallel`: of the form in which `agent` names a model and
 * `worktree` is a name below worktrees.dir. */
void segments_task_read(struct plan_loader *l, const char *file, const struct yaml_node *node, bool parallel);

/* segments_prompt.c: what of the plan the agent is told; `known` says which keys have a place of their own. Never
 * blank, and longer than PLAN_MAX_TEXT only to be refused. */
void segments_prompt(const struct yaml_node *node, bool (*known)(const char *key), struct str *out);

/* segments_waves.c: execution_plan of a file whose tasks begin at `from`. Returns how many waves it has. */
size_t segments_waves(struct plan_loader *l, const char *file, const struct yaml_node *plan, size_t from);

/* segments_place.c: the absolute path of a worktree, normalised and by its real name, or NULL after a fault. The caller
 * owns it. */
char *segments_place(struct plan_reader *r, const struct yaml_node *at, const char *text, bool parallel);
/* NULL when it lies where worktrees may, else what is wrong. The caller frees. */
char *segments_place_fault(const struct plan_context *ctx, const char *path);
const char *segments_branch_fault(const char *branch); /* static text */

#endif
