/* said: what an agent says of its work as a JSON object, in its result file or at the end of what it says: found, checked
 * against the form that its kind of plan has, compared with git. A claim against itself is believed, one of success
 * is not: git and the gates decide (promise E3). */
#ifndef BOSK_SAID_H
#define BOSK_SAID_H

#include "attempt.h"

/* The object's text, in `file` (of the result file, first) or in `said`: at its end, else in its last ``` block. NULL = there
 * is none. What is not at the end must be in a block. */
const char *said_find(struct attempt *r, const struct str *said, struct str *file, size_t *n);

/* Is it a result of the task's kind? ERR_USAGE says why not, for the agent to mend it. */
int said_check(struct attempt *r, const struct str *said, struct err *e);

/* Take it, where that is not a story's or a solution's: r->told. OVER: it says that it did not do it. */
enum step said_read(struct attempt *r, const struct str *said);

/* What it says that git does not: into the notes. */
void said_compare(struct attempt *r, const struct strv *changed);

/* The schema of what said_check wants, for programs that take one; NULL = none. */
const char *said_schema(const struct msg_task *t);

#endif
