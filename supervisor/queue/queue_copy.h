/* queue_copy: a queue as it was added, in git (refs/bosk/plan/<queue>), and a store made again from it. */
#ifndef BOSK_QUEUE_COPY_H
#define BOSK_QUEUE_COPY_H

#include "queue.h"

/* From the rows as they are now. */
int queue_copy_write(struct site *site, const char *queue, struct err *e);
/* Which content the queue had that the copy is of; ERR_MISSING: there is none. The caller frees. */
int queue_copy_content(char **out, struct gitx *g, const char *queue, struct err *e);
bool queue_copy_is(struct gitx *g, const char *queue); /* is there one? */
/* Rows that are missing or cannot be read, as they were when it was added; *put = how many. */
int queue_copy_restore(size_t *put, const struct site *site, const char *queue, struct err *e);

/* What follows from the definitions: the small form of each item, and its place by name. */
int queue_index_write(const struct site *site, const char *queue, struct err *e);

#endif
