/* prompt: the text an agent gets, written to a file. Its parts, in order: the task, what the last
 * attempt came to, the rules (interface.md; persona and skills come with the dialects that have them). */
#ifndef BOSK_PROMPT_H
#define BOSK_PROMPT_H

#include <stdint.h>

#include "msg.h"
#include "store/base/str.h"

struct gate_report;

/* `feedback` NULL on the first attempt. */
void prompt_write(const struct msg_task *t, const char *feedback, struct str *out);

/* What a red gate means for the agent: which one, its command, and the end of its output (the tail
 * and its surroundings, never the head). */
void prompt_feedback(const struct gate_report *r, struct str *out);

#endif
