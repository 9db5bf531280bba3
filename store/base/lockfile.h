/* lockfile: lock files as git makes them, where being there is being locked. */
#ifndef BOSK_LOCKFILE_H
#define BOSK_LOCKFILE_H

#include <stdbool.h>

/* One lock file that a dead bosk may have left, where others have theirs too: only when it outlives
 * their patience. Waits 2 s when there is one. */
bool lockfile_clear_old(const char *path);

#endif
