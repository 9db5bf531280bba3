/* queue_prompt: what the agent of a solution is told: its issue, the solution, each step with its criteria. All of it is
 * foreign text, so it stands between fences that it cannot close. */
#ifndef BOSK_QUEUE_PROMPT_H
#define BOSK_QUEUE_PROMPT_H

#include "queue_steps.h"

/* One step, as a section of its own. The caller frees. */
char *queue_prompt_step(const struct queue_step *step);

/* The whole; `steps` are the texts of all steps, and stand in it as they are. */
void queue_prompt(const struct queue_solution *s, const struct strv *steps, struct str *out);

#endif
