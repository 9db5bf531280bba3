/* strays: processes that a dead session left running: its workers, what those ran, and what a landing had started. */
#ifndef BOSK_STRAYS_H
#define BOSK_STRAYS_H

#include "supervisor/session.h"

/* End those of a session that this process has locked; returns how many there were. None is older than this
 * boot or the session (promises C2, B3). */
size_t strays_end(const struct session *s);

/* The marks of what the session's own process starts, in no worktree: git and signers; ... */
void strays_mark(struct strv *env, const struct session *s);
/* ... and a command of the user's that a landing runs. What that leaves behind when it has ended by itself is the user's:
 * such marks count only while the session is not over. */
void strays_mark_command(struct strv *env, const struct session *s);

/* End those of every dead session of the repository. `said` gets a line for each session that had some. */
int strays_end_all(struct site *site, struct strv *said, struct err *e);

#endif
