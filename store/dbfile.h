/* dbfile: a look at data.mdb before LMDB maps it. For store/db*.c; but for dbfile_damaged, which is for
 * whoever finds out otherwise.
 *
 * LMDB trusts the file: a truncated one ends the process with SIGBUS, a zero-length one becomes a
 * new store without a word (pitfalls 7.9). */
#ifndef BOSK_DBFILE_H
#define BOSK_DBFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

struct dbfile {
	bool fresh;      /* absent, empty, or made and never committed to */
	size_t map_size; /* as the newest commit knew it; 0 when absent or empty */
};

/* Reads with pread only and changes nothing. ERR_DAMAGED names the file and the way back. Without
 * the writer's lock, "damaged" may just mean that another process is creating the file. Not to be
 * called while this process has the environment open. */
int dbfile_look(const char *path, struct dbfile *out, struct err *e);

/* ERR_DAMAGED: the file, what is wrong with it, and the way back. Returns -1. */
int dbfile_damaged(const char *path, struct err *e, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
#define DBFILE_GARBLED "its pages are garbled"

/* Which file it is and how long it was when last seen. Zero-initialise. */
struct dbfile_seen {
	dev_t device;
	ino_t inode, lock; /* of data.mdb and lock.mdb */
	off_t size;
};

/* While the environment is open the file only grows. ERR_DAMAGED when it has been removed,
 * replaced or cut, so that the map is not touched: that would be SIGBUS, or a write into a file
 * that no longer has a name. Also when `lock` (lock.mdb) is another one: who opens the store now shares
 * neither readers nor the last commit's number with us (pitfalls 7.10). Notes what it sees. */
int dbfile_still(const char *path, const char *lock, struct dbfile_seen *seen, struct err *e);

#endif
