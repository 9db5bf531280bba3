/* writer: the flock every writer of the store takes before its LMDB transaction. For store/db.c
 * only.
 *
 * LMDB 0.9 can wait for its own mutex only for ever; a stopped writer would stop all others
 * without a word (pitfalls 7.2). Here the wait ends, and the error says who. */
#ifndef BOSK_WRITER_H
#define BOSK_WRITER_H

#include "base/err.h"

/* Makes the lock file when absent, mode 0600 whatever the umask. */
int writer_file_make(const char *path, struct err *e);

/* Returns the descriptor that holds the lock, to be closed by the caller; ERR_HELD with the
 * holder's pid after patience_ms. Opened anew each time: a descriptor kept between writes would be
 * inherited by forked children, and one of those would keep the lock of a killed writer. */
int writer_lock(const char *path, unsigned patience_ms, struct err *e);

#endif
