/* db: the one wrapper around LMDB (store/db.c is the only file that includes lmdb.h).
 *
 * State of every bosk process of one repository lives in one environment, in
 * $GIT_COMMON_DIR/bosk/store/. A process opens it once, after any fork, and never hands it to a
 * child (pitfalls 7.1, 7.13). Every call is one short transaction: no I/O but the commit, no fork,
 * no wait inside. The wrapper grows the map, follows growth by others, clears stale readers, and
 * takes a flock of its own before each write so that waiting for a stopped writer can end with an
 * error that names it (pitfalls 7.2, 7.5, 7.7). */
#ifndef BOSK_DB_H
#define BOSK_DB_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

/* Named databases; keys sort so that one range scan answers one question. */
#define DB_TABLES(T)                                                                              \
	T(meta)        /* name -> text: format, repository, exported/queue (export_known) */      \
	T(manifest)    /* sid -> struct manifest_row */                                           \
	T(sessions)    /* sid -> struct session_row */                                            \
	T(queues)      /* queue -> struct queue_row */                                            \
	T(tasks)       /* queue/000001/d -> struct task_def, queue/000001/s -> struct task_row */ \
	T(journal)     /* sid/0000000000000001 -> struct event_row */                             \
	T(integration) /* sid/tip -> text; sid/intent -> struct intent_row */                     \
	T(results)     /* queue/000001/0001/hash -> struct result_row */                          \
	T(requests)    /* sid/<random> -> struct request_row */                                   \
	T(accounts)    /* name -> struct account_row */                                           \
	T(slots)       /* sid/kind -> struct claim_row */                                         \
	/* Younger than the others: a store may be without them, and to a reader they are empty then. */ \
	T(items)       /* queue/000001/d -> struct item_def, queue/000001/s -> struct item_row, queue=ID -> ordinal */ \
	T(issues)      /* queue/000001 -> struct issue_row */

#define DB_ENUM_(name) DB_##name,
enum db_table { DB_TABLES(DB_ENUM_) DB_COUNT };

/* One per process: a second db_open, and any use of one inherited through fork, is ERR_BUG. */
struct db;
struct db_txn; /* valid only inside the callback it was given to */

enum db_mode {
	DB_WRITE, /* create when absent */
	DB_READ   /* absent = ERR_MISSING ("no sessions"); never writes */
};

/* `dir` holds data.mdb and lock.mdb. ERR_DAMAGED for a file that is not ours or is damaged (header
 * checked before mapping), ERR_ENV for a missing right. The caller closes. */
int db_open(struct db **out, const char *dir, enum db_mode mode, struct err *e);
void db_close(struct db *db); /* NULL allowed */

/* Are all pages of the store in `dir` sound? For a process of its own, that does nothing else: garbage in the
 * inner pages makes LMDB read wild or end the process by a signal, which is a verdict too (pitfalls 7.9).
 * ERR_DAMAGED, or what db_open says. */
int db_probe(const char *dir, struct err *e);
/* The store in `dir` gets another name, so that a new one can be made: *moved, NULL when there was none; the
 * caller owns it, and has made sure that nobody has the store open. ERR_HELD when somebody writes at this moment;
 * what was moved aside before stays. */
int db_set_aside(const char *dir, char **moved, struct err *e);

/* Run `fn` in a transaction; commit when it returns 0, else abort and return what it returned. A
 * write closure may run twice (the map grew): it must change no memory but its own outputs. On
 * ERR_NOSPACE nothing was written, the environment stays usable and the same call may be made
 * again later. ERR_BUG inside another closure. ERR_DAMAGED when the file was cut, replaced or
 * removed since. */
typedef int db_fn(struct db_txn *txn, void *ctx, struct err *e);
int db_write(struct db *db, db_fn *fn, void *ctx, struct err *e);
int db_read(struct db *db, db_fn *fn, void *ctx, struct err *e);
/* The next write will need about so many bytes: with room for them it runs once. It takes address space, no disk; what
 * cannot be had is found by the write itself. */
void db_reserve(struct db *db, size_t bytes);

/* Inside a closure. Keys: 1 to 500 bytes. Values returned point into the map and die with the
 * transaction: copy them. db_get: ERR_MISSING when absent. */
int db_get(struct db_txn *t, enum db_table table, const char *key, const void **value, size_t *n,
           struct err *e);
int db_put(struct db_txn *t, enum db_table table, const char *key, const void *value, size_t n,
           struct err *e);
int db_del(struct db_txn *t, enum db_table table, const char *key, struct err *e); /* absent = ok */

/* Calls `row` for each key that starts with `prefix` ("" = all), in order; a non-zero return stops
 * the scan: 1 = enough (db_scan returns 0), -1 = error. `row` may delete the row it is given. */
typedef int db_row_fn(void *ctx, const char *key, const void *value, size_t n, struct err *e);
int db_scan(struct db_txn *t, enum db_table table, const char *prefix, db_row_fn *row, void *ctx,
            struct err *e);
/* How many rows the table has, as it is written there: not counted. */
int db_count(struct db_txn *t, enum db_table table, size_t *n, struct err *e);

/* A list of puts and deletes prepared outside any transaction: one turn of the loop is one such
 * list and one commit (architecture 1.4). Zero-initialise. */
struct db_batch {
	struct db_batch_op *ops;
	size_t n;
};
void db_batch_put(struct db_batch *b, enum db_table table, const char *key, const void *value,
                  size_t n);
void db_batch_del(struct db_batch *b, enum db_table table, const char *key);
/* What has to read before it writes: `fn` in the same transaction, with a copy of `n` bytes; it may run twice. */
typedef int db_batch_fn(struct db_txn *t, const char *key, const void *value, size_t n, struct err *e);
void db_batch_call(struct db_batch *b, db_batch_fn *fn, const char *key, const void *value, size_t n);
int db_batch_write(struct db *db, const struct db_batch *b, struct err *e); /* empty = no commit */
void db_batch_clear(struct db_batch *b); /* frees the operations */

/* Convenience: one value copied out (ERR_MISSING when absent); one put. */
int db_load(struct db *db, enum db_table table, const char *key, struct str *out, struct err *e);
int db_save(struct db *db, enum db_table table, const char *key, const void *value, size_t n,
            struct err *e);

/* Milliseconds db_write waits for another writer before ERR_HELD naming its pid (default 10000). */
void db_set_patience(struct db *db, unsigned ms);

const char *db_version(void); /* of the library, for doctor */

#endif
