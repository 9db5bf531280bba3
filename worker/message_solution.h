/* message_solution: what the commit of a solution says: the original's form (formats.md S2.16), and nothing that was
 * not looked at is called verified. Pure. */
#ifndef BOSK_MESSAGE_SOLUTION_H
#define BOSK_MESSAGE_SOLUTION_H

#include "msg.h"

/* All but the trailers. `changed`: paths; `gates`: name=verdict. */
void message_solution(const struct msg_task *t, const struct strv *changed, const struct strv *gates, struct str *out);

#endif
