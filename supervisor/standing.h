/* standing: a story that was closed in part is integrated, and stays so when it is done again and that comes to
 * nothing: what its merge brought is on the branch (promise A2). */
#ifndef BOSK_STANDING_H
#define BOSK_STANDING_H

#include "session.h"

struct core;

/* Is it done again, and the merge of what it was on the session's branch? */
bool standing_has(const struct session *s, size_t task);

/* What was integrated of it, as its merge says, into the row: commit, boxes, result. */
int standing_read(struct gitx *g, const struct oid *merge, const struct task_def *d, struct task_row *row,
                  struct err *e);
/* Of it, how far the story is: by the trailer of the merge, and by the boxes in `commit`. What its agent asked is not in
 * there. */
void standing_story(struct gitx *g, const struct oid *merge, const struct oid *commit, const struct task_def *d,
                    struct task_row *row);

/* Hash of the story as that has it, into the list. */
void standing_hash(const struct session *s, size_t task, struct strv *hashes);

/* The scheduler says that it ended as what it was: its row says so too, with the reason. */
void standing_back(struct core *c, size_t task);

#endif
