/* agent: an agent's program does one piece of a task (adapter.h says how it is called and understood): its run, what that
 * came to, its conversation, and its result, asked for once more when it is not usable. */
#ifndef BOSK_AGENT_H
#define BOSK_AGENT_H

#include "attempt.h"

/* GO_ON: it says that it is done, r->said is its last text. OVER: outcome and reason are set. It may have run more than
 * once: each time is an attempt. */
enum step agent_run(struct attempt *r);

#endif
