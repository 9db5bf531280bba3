/* push: branches of integrated tasks to the remote (configuration: push, pr.remote). One at a time, beside everything
 * else; never by force. What was pushed is recorded, so that a resume pushes the rest. */
#ifndef BOSK_PUSH_H
#define BOSK_PUSH_H

#include "core.h"

/* Also what a killed session has not pushed. */
void push_open(struct core *c);
void push_integrated(struct core *c); /* one more */
/* After each commit: begin the next, or end what runs when everything is to stop. */
void push_step(struct core *c);
/* Is there something that the end of the session has to wait for? */
bool push_busy(const struct core *c);
bool push_left(const struct core *c); /* something that is not pushed, and did not fail */
bool push_failed(const struct core *c);

#endif
