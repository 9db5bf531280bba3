/* queue_checks: what shows that a step is done: commands, which become gates named after the step, and criteria that
 * no program can check, which are only claimed. */
#ifndef BOSK_QUEUE_CHECKS_H
#define BOSK_QUEUE_CHECKS_H

#include "queue_steps.h"

/* Into d->step_gates and d->claims. */
void queue_checks_add(struct queue_solution *s, const struct queue_step *step);

#endif
