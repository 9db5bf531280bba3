/* lockfile: lock files as git makes them, where being there is being locked: waiting for one, saying whose it is,
 * removing one that its maker left when it died (pitfalls 4.2, 4.3). */
#ifndef BOSK_LOCKFILE_H
#define BOSK_LOCKFILE_H

#include <stdbool.h>

#include "store/base/str.h"

/* Longer than git itself waits, many times over. */
enum { LOCKFILE_PATIENCE_MS = 2000 };

/* Until the lock is let go, at most patience_ms. True: it is not there. */
bool lockfile_wait(const char *path, unsigned patience_ms);

/* Remove a lock whose owner is dead by what the caller knows: its own proof, never that of a name. It stays when it
 * changes within patience_ms, when a process has it open, or a git that lives works in `folder` (the worktree
 * whose lock it is; NULL = of a ref, which git holds for moments only). True: it was removed. */
bool lockfile_clear(const char *path, const char *folder, unsigned patience_ms);

/* What stands in the way, for a message: the file, its age, who holds it or how to remove it. */
void lockfile_tell(struct str *out, const char *path, const char *folder);

#endif
