/* retry: tasks that came to nothing go back to pending, for the next resume of their session. */
#ifndef BOSK_RETRY_H
#define BOSK_RETRY_H

#include "session.h"

/* failed (a time-out too), blocked, in conflict, or a story closed in part? */
bool retry_fits(const struct session *s, size_t task);
/* The same of one that the user names: also one that was skipped, if nothing else that it needs is lost (retry_kept), and
 * one that the user took out again (revert.h). */
bool retry_fits_named(const struct session *s, size_t task);
/* A task of these was skipped for one that does not come back with them, or taken out together with it: why it can not come
 * back. NULL = there is none
 * (the caller owns it). */
char *retry_kept(struct session *s, const bool *chosen);
/* May tasks of this session go back at all? NULL, else why not (the caller owns it). */
char *retry_fault(const struct session *s);

/* A story that is blocked or closed in part: done again when its questions are answered. */
bool retry_answerable(const struct session *s, size_t task);

/* For a session this process has locked: the tasks chosen go back to pending, and with them what was
 * skipped because of them and nothing else; their names are added to `back`. What they had committed
 * is kept under refs/bosk/keep, attempts count on, and a session that was over can be resumed. `answers`, NULL or one
 * for each task, are told to its agent; what was merged of a story stays, and is gone on from. ERR_HELD: somebody else
 * has claimed an item of its queue meanwhile (bosk next), whose owner lives or is not gone for `max_age_ms`. */
int retry_tasks(struct session *s, const bool *chosen, char *const *answers, uint64_t max_age_ms, struct strv *back,
                struct err *e);

/* back[i]: task i is done again; adds what was skipped because of these (revive.h). */
void retry_add_skipped(struct session *s, bool *back);

#endif
