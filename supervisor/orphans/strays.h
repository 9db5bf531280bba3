/* strays: processes that a dead session left running: its workers, what those ran, and what a landing had started. */
#ifndef BOSK_STRAYS_H
#define BOSK_STRAYS_H

#include "supervisor/session.h"

/* End those of a session that this process has locked; returns how many there were. None is older than this
 * boot or the session (promises C2, B3). */
size_t strays_end(const struct session *s);

/* The marks of what the session's own process starts, in no worktree: pushes, the command of a pull request. What those leave
 * behind when they have ended by themselves is the user's (a browser, what caches his passwords): these marks count only
 * while the session is not over. Signers have the state folder as their worktree, which always counts: a revert's session is
 * over. */
void strays_mark(struct strv *env, const struct session *s);

/* End those of every dead session of the repository. `said` gets a line for each session that had some. */
int strays_end_all(struct site *site, struct strv *said, struct err *e);

#endif
