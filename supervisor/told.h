/* told: of a solution, what its plan and its agent say that nobody checked, for status and report: never said without
 * "claimed, not verified". */
#ifndef BOSK_TOLD_H
#define BOSK_TOLD_H

#include "session.h"
#include "store/json.h"

/* Into the JSON of a task: is it somebody else's, issue, solution, steps, the step that failed, claims, the agent's result. */
void told_json(const struct session *s, size_t task, struct json_t *out);

/* The criteria of what was integrated, by task; nothing where there are none. */
void told_text(const struct session *s, struct str *out);

#endif
