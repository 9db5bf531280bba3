/* holder: which living process a file of git's belongs to. Looks through /proc, signals nobody. */
#ifndef BOSK_HOLDER_H
#define BOSK_HOLDER_H

#include <sys/types.h>

/* A process that has the file open, 0 = none that /proc shows. */
pid_t holder_of(const char *path);

/* A git command that works in `folder` or below it, 0 = none that /proc shows. (git holds a lock on an index also
 * with the file closed, as long as an editor is open.) */
pid_t holder_git(const char *folder);

#endif
