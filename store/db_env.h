/* db_env: between store/db.c, which speaks LMDB, and store/db_open.c, which decides when to open,
 * lock, wait and try again. For these two only; everybody else uses db.h. */
#ifndef BOSK_DB_ENV_H
#define BOSK_DB_ENV_H

#include <limits.h>
#include <stdint.h>
#include <sys/types.h>

#include "db.h"
#include "dbfile.h"

struct MDB_env;

#define NO_TABLE UINT_MAX

struct db {
	char *dir, *path;                 /* data.mdb */
	char *reader_path, *lock_path;    /* lock.mdb, writer.lock */
	enum db_mode mode;
	pid_t pid; /* that opened it */
	unsigned patience_ms;
	struct MDB_env *env; /* NULL after a failure: the next call opens it again */
	unsigned tables[DB_COUNT]; /* NO_TABLE: it is not there, and empty */
	struct dbfile_seen seen;
	uint64_t readers_checked_ms;
	bool busy;     /* a closure is running */
	bool stale_ok; /* DB_STALE has been seen to: read what there is */
};

enum db_outcome {
	DB_DONE,   /* as far as it goes: see *rc */
	DB_FULL,   /* the map is full: make room, then again from the start */
	DB_BROKEN, /* the environment must be opened again */
	DB_STALE   /* reading: a commit is on disk that LMDB does not show yet (`e` is not set) */
};

/* Each sets *rc, and `e` when *rc is not 0. */
enum db_outcome db_env_start(struct db *db, size_t map_size, int *rc, struct err *e);
/* One attempt at one transaction. *rc: what `fn` returned, or -1.
 *
 * DB_STALE: a writer publishes its commit in lock.mdb after the write that makes it last. Killed
 * in between, it leaves a commit that readers are not shown, but that comes up under the next
 * writer: who decided by what he read would write on top of something else. Beginning a write
 * transaction publishes it. Only for a store opened for writing; a mere reader may miss a commit
 * that nobody was told of. */
enum db_outcome db_env_try(struct db *db, bool write, db_fn *fn, void *ctx, int *rc, struct err *e);

void db_env_drop(struct db *db);         /* closes; env NULL allowed */
int db_env_check_readers(struct db *db); /* how many dead ones were cleared */
int db_env_grow(struct db *db, struct err *e);
int db_env_reserve(struct db *db, size_t bytes, struct err *e); /* at least so many that are free */

/* In a closure: the number of the commit that is read; 0 = none yet. */
uint64_t db_env_snapshot(struct db_txn *t);
/* In a closure, first of all: the handles of all tables. ERR_DAMAGED when one is missing that every version had. */
int db_env_tables(struct db_txn *t, bool create, struct err *e);

#endif
