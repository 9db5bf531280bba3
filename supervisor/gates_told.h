/* gates_told: what reports and status say of gates beside verdicts: which were excused, what passed only when it was run
 * again, and of the one that stopped a task its output, in the very words its agent got. Reads only. */
#ifndef BOSK_GATES_TOLD_H
#define BOSK_GATES_TOLD_H

#include "session.h"
#include "store/json.h"

/* "red: fail (exit 1) on the base; slow": one line without its newline; nothing when none was excused. */
void gates_told_excused(const struct session *s, struct str *out);

void gates_told_session(const struct session *s, struct json_t *out); /* excused, base_reds, final_output */
void gates_told_task(const struct session *s, size_t task, struct json_t *out); /* flaky, red_gate */

/* Each line of it indented. */
void gates_told_output(const char *text, struct str *out);

#endif
