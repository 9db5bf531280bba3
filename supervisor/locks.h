/* locks: ref lock files that a killed bosk left (pitfalls 4.3, 4.2): until they are gone every move of
 * those refs fails. Only refs that are provably this session's; the user's own locks are never touched. */
#ifndef BOSK_LOCKS_H
#define BOSK_LOCKS_H

#include "session.h"

/* For a session this process has locked and whose processes are ended. Returns how many were removed. */
size_t locks_clear(const struct session *s);
/* The same for the refs of one task, whose worker died. */
size_t locks_clear_task(const struct session *s, size_t task);
/* Files of sessions that died before anything of them was recorded, or were forgotten. */
void locks_clear_unrecorded(const struct site *site);

#endif
