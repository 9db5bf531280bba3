/* answers: the questions of a session's stories as a file that a person writes answers into, and that file read back. */
#ifndef BOSK_ANSWERS_H
#define BOSK_ANSWERS_H

#include "session.h"

/* YAML: every blocked and partial story with its questions and the boxes that are open, each with an empty answer;
 * what only a human can do as comments. */
void answers_write(const struct session *s, struct str *out);

/* For the prompts: the text of each task of `s` that has an answer in the file, NULL for the others; `out` has s->plan.n
 * places, the caller frees each. -1: the file is not such a file of this session, or has no answer; why is in `faults`. */
int answers_read(char **out, const struct session *s, const char *file, const char *text, size_t n,
                 struct plan_faults *faults);

/* The session that the file is about, owned by the caller; NULL: it names none. */
char *answers_session(const char *text, size_t n);

#endif
