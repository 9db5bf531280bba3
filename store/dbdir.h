/* dbdir: what the folder of the store needs beside LMDB. For store/db_open.c and db_probe.c only. */
#ifndef BOSK_DBDIR_H
#define BOSK_DBDIR_H

#include <stdint.h>

#include "base/err.h"

/* Gives lock.mdb its disk blocks. LMDB makes it a hole and writes through a map: with a full disk
 * that is SIGBUS, not an error. ERR_NOSPACE; any other trouble is left for LMDB to report. Not to
 * be called while this process has the environment open: closing the file drops LMDB's locks. */
int dbdir_lock_room(const char *dir, struct err *e);

/* Flushes `dir` and the two folders above it: a new file lasts only when its name does. */
int dbdir_sync_names(const char *dir, struct err *e);

/* Flushed too: the store's files of `dir` under other names, so that a new store can be made there. *moved: the
 * new name of data.mdb, NULL when there was none; the caller owns it. Nobody may have the store open: the
 * caller has made sure of that. */
int dbdir_set_aside(const char *dir, char **moved, struct err *e);

/* What a file system is called on which locks and shared memory cannot be relied on, by statfs's f_type; NULL =
 * none of those. */
const char *dbdir_remote(uint32_t type);
/* One warning when `dir` is on a file system whose locks and maps cannot be relied on (7.12). */
void dbdir_warn_remote(const char *dir);

#endif
