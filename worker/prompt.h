/* prompt: the text an agent gets, written to a file. Its parts, in order: persona and skills, the task with its steps,
 * what the last attempt came to, the rules, what it is to answer. tests/golden has one of each kind of plan. */
#ifndef BOSK_PROMPT_H
#define BOSK_PROMPT_H

#include <stdint.h>

#include "msg.h"
#include "store/base/str.h"

struct gate_report;

/* `feedback` NULL on the first attempt. `step`: of a solution's steps the one that is to be done now; SIZE_MAX = all. */
void prompt_write(const struct msg_task *t, size_t step, const char *feedback, struct str *out);

/* What goes to a conversation that knows the task already: what a gate or a merge said, or, `feedback` NULL, that it was cut off.
 * The form of the result is said again: that is what is forgotten. */
void prompt_go_on(const struct msg_task *t, const char *feedback, struct str *out);

/* What a red gate means for the agent: which one, its command, and the end of its output (the tail
 * and its surroundings, never the head). */
void prompt_feedback(const struct gate_report *r, struct str *out);

#endif
