/* plan_story: how bosk plan shows stories. */
#ifndef BOSK_PLAN_STORY_H
#define BOSK_PLAN_STORY_H

#include "store/json.h"
#include "supervisor/plan/plan.h"

/* Its category, counts and state; for other tasks what stands for none. */
void plan_story_json(const struct task_def *d, struct json_t *task);
/* How many there are of each category; nothing for other plans. */
void plan_story_summary(const struct plan *p, struct str *out);
void plan_story_text(const struct task_def *d, uint32_t worktree, struct str *out);

#endif
