/* queue_check: items of a queue against each other. */
#include "queue_private.h"

void queue_check(struct plan_loader *l, struct plan_queue *q)
{
	(void)l, (void)q;
}
