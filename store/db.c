/* db: the door to LMDB; nothing else includes lmdb.h.
 *
 * Environments, transactions and what may be done in one. When to lock, wait, open again or try
 * again is db_open.c's to decide; what a row means is not known here. Never WRITEMAP (a full disk
 * would be SIGBUS), NOSYNC or NOMETASYNC (promise D1). */
#include "db.h"

#include <errno.h>
#include <lmdb.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fail.h"
#include "base/mem.h"
#include "db_env.h"
#include "db_guard.h"

enum { READERS = 512, KEY_MAX = 500, LMDB_KEY_MAX = 511, SCAN_ROWS = 8192, LEAST_ROWS = 64 };
#define MAP_FIRST ((size_t)64 << 20) /* address space, not disk */
#define MAP_STEP_MAX ((size_t)1 << 30)

_Static_assert(sizeof(MDB_dbi) == sizeof(unsigned), "db_env.h names it so");

static const char *const table_names[] = {
#define NAME_(name) #name,
	DB_TABLES(NAME_)
#undef NAME_
};

struct db_txn {
	struct db *db;
	MDB_txn *txn;
	bool write, wrote; /* it may; it has */
	int code; /* the first failure of LMDB in this transaction */
	/* What a reader of many rows has of the map behind it: values since pages were let go of. */
	const char *first, *last;
	size_t rows;
};

/* An error of LMDB or, when positive, of the system. Not err_sys: a missing file must not look
 * like a missing row (ERR_MISSING). */
static int failed(const struct db *db, int code, const char *verb, struct err *e)
{
	struct statvfs disk;
	struct stat st;

	switch (code) {
	case EIO: /* also what LMDB says of a disk with hardly any room (pitfalls 7.8) */
		if (statvfs(db->dir, &disk) == 0)
			return err_code(e, ERR_NOSPACE, code, "cannot %s %s: %s; %llu KiB are free there", verb, db->path,
			                mdb_strerror(code), (unsigned long long)disk.f_bavail * disk.f_frsize / 1024);
		/* fall through */
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
	case MDB_MAP_FULL:
		return err_code(e, ERR_NOSPACE, code, "cannot %s %s: %s", verb, db->path,
		                mdb_strerror(code));
	case EACCES:
	case EPERM:
	case EROFS:
		if (stat(db->path, &st) != 0 && stat(db->dir, &st) != 0)
			break;
		return err_code(e, ERR_ENV, code, "cannot %s %s: %s (it belongs to uid %ld)", verb,
		                db->path, mdb_strerror(code), (long)st.st_uid);
	case MDB_CORRUPTED:
	case MDB_INCOMPATIBLE:
	case MDB_INVALID:
	case MDB_PAGE_NOTFOUND:
	case MDB_VERSION_MISMATCH:
		return dbfile_damaged(db->path, e, "%s", mdb_strerror(code));
	}
	return err_code(e, ERR_ENV, code, "cannot %s %s: %s", verb, db->path, mdb_strerror(code));
}

/* As failed, for steps after which opening again may help: EINVAL is a mutex destroyed under us by
 * some LMDB versions (pitfalls 7.4), PANIC an environment whose last commit failed half-way. */
static enum db_outcome outcome(const struct db *db, int code, const char *verb, int *rc,
                               struct err *e)
{
	*rc = failed(db, code, verb, e);
	return code == EINVAL || code == MDB_PANIC ? DB_BROKEN
	       : code == MDB_MAP_FULL              ? DB_FULL
	                                           : DB_DONE;
}

/* ---- the environment ---- */

int db_env_check_readers(struct db *db)
{
	int dead = 0;
	mdb_reader_check(db->env, &dead);
	db->readers_checked_ms = clock_mono_ms();
	return dead;
}

void db_env_drop(struct db *db)
{
	mdb_env_close(db->env);
	db->env = NULL;
}

enum db_outcome db_env_start(struct db *db, size_t map_size, int *rc, struct err *e)
{
	int code = mdb_env_create(&db->env);

	if (code == 0) {
		mdb_env_set_maxreaders(db->env, READERS);
		mdb_env_set_maxdbs(db->env, DB_COUNT);
		mdb_env_set_mapsize(db->env, map_size > MAP_FIRST ? map_size : MAP_FIRST);
		mode_t mask = umask(0077); /* files 0600 whatever the user's umask */
		code = mdb_env_open(db->env, db->dir,
		                    MDB_NOTLS | (db->mode == DB_READ ? MDB_RDONLY : 0), 0600);
		umask(mask);
	}
	if (code != 0) {
		db_env_drop(db); /* as LMDB asks after a failed open */
		return outcome(db, code, "open", rc, e);
	}
	db_env_check_readers(db); /* opening does not clear the dead (pitfalls 7.5) */
	*rc = dbfile_still(db->path, db->reader_path, &db->seen, e);
	return DB_DONE;
}

static int set_map(struct db *db, size_t size, struct err *e)
{
	int code = mdb_env_set_mapsize(db->env, size);
	if (code == 0)
		return 0;
	db_env_drop(db); /* LMDB has given up the old map already */
	return err_code(e, ERR_NOSPACE, code, "cannot map %zu bytes of %s: %s", size, db->path, mdb_strerror(code));
}

int db_env_grow(struct db *db, struct err *e)
{
	MDB_envinfo info;

	mdb_env_info(db->env, &info);
	size_t old = info.me_mapsize, step = old < MAP_STEP_MAX ? old : MAP_STEP_MAX;
	return set_map(db, old + step, e);
}

int db_env_reserve(struct db *db, size_t bytes, struct err *e)
{
	MDB_envinfo info;
	MDB_stat st;

	mdb_env_info(db->env, &info);
	mdb_env_stat(db->env, &st);
	size_t used = (info.me_last_pgno + 1) * st.ms_psize, steps = (used + bytes) / MAP_FIRST + 1;
	return steps * MAP_FIRST > info.me_mapsize ? set_map(db, steps * MAP_FIRST, e) : 0;
}

/* ---- transactions ---- */

static int begin(struct db *db, unsigned flags, MDB_txn **txn)
{
	bool checked = false;

	for (;;) {
		int code = mdb_txn_begin(db->env, NULL, flags, txn);
		if (code == MDB_READERS_FULL && !checked) {
			checked = true;
			db_env_check_readers(db);
		} else if (code == MDB_MAP_RESIZED) { /* another process has grown it */
			code = mdb_env_set_mapsize(db->env, 0);
			if (code != 0) {
				db_env_drop(db);
				return code;
			}
		} else {
			return code;
		}
	}
}

static int commit(MDB_txn *txn)
{
	FAILPOINT("db.commit.before");
	int code = mdb_txn_commit(txn);
	FAILPOINT("db.commit.after");
	return code;
}

/* The pages of the map that were read are let go of: they stay in the system's cache, and are there again when they are
 * asked for, but not all of them are in the memory of this process at once. Never in a transaction that has written: what it
 * has changed is nowhere else. */
static void let_go(struct db_txn *t)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), from = (uintptr_t)t->first / page * page;

	if (t->rows >= LEAST_ROWS)
		madvise((void *)from, (uintptr_t)t->last - from, MADV_DONTNEED);
	t->first = t->last = NULL;
	t->rows = 0;
}

static void pass(struct db_txn *t, const char *value)
{
	t->first = !t->first || value < t->first ? value : t->first;
	t->last = !t->last || value > t->last ? value : t->last;
	if (++t->rows == SCAN_ROWS)
		let_go(t);
}

static enum db_outcome try(struct db *db, bool write, db_fn *fn, void *ctx, int *rc, struct err *e)
{
	struct db_txn t = {.db = db, .write = write};
	MDB_envinfo before;

	mdb_env_info(db->env, &before);
	int code = begin(db, write ? 0 : MDB_RDONLY, &t.txn);
	if (code != 0)
		return outcome(db, code, "use", rc, e);
	if (!write && db->mode == DB_WRITE && !db->stale_ok &&
	    mdb_txn_id(t.txn) < before.me_last_txnid) {
		mdb_txn_abort(t.txn);
		*rc = -1;
		return DB_STALE;
	}
	db->busy = true;
	*rc = fn(&t, ctx, e);
	db->busy = false;
	code = t.code;
	if (!t.wrote)
		let_go(&t);
	if (!write)
		mdb_txn_commit(t.txn); /* nothing is written, and table handles made in it stay */
	else if (*rc == 0 && code == 0)
		code = commit(t.txn);
	else
		mdb_txn_abort(t.txn);
	/* The closure may have hidden a failure from us, or another one behind "full". */
	if (code == MDB_MAP_FULL || (*rc == 0 && code != 0))
		return outcome(db, code, write ? "write" : "read", rc, e);
	return DB_DONE;
}

enum db_outcome db_env_try(struct db *db, bool write, db_fn *fn, void *ctx, int *rc, struct err *e)
{
	db_guard_enter();
	enum db_outcome outcome = try(db, write, fn, ctx, rc, e);
	db_guard_leave();
	return outcome;
}

uint64_t db_env_snapshot(struct db_txn *t)
{
	return mdb_txn_id(t->txn);
}

int db_env_tables(struct db_txn *t, bool create, struct err *e)
{
	for (int i = 0; i < DB_COUNT; i++) {
		int code = mdb_dbi_open(t->txn, table_names[i], create ? MDB_CREATE : 0,
		                        &t->db->tables[i]);
		if (code == MDB_NOTFOUND && i >= DB_items) {
			t->db->tables[i] = NO_TABLE;
			continue;
		}
		if (code == MDB_NOTFOUND)
			return dbfile_damaged(t->db->path, e, "it has no table %s", table_names[i]);
		if (code != 0)
			return failed(t->db, t->code = code, "open", e);
	}
	return 0;
}

/* ---- inside a closure ---- */

static int noted(struct db_txn *t, int code, const char *verb, struct err *e)
{
	if (!t->code)
		t->code = code;
	return failed(t->db, code, verb, e);
}

static int check_key(enum db_table table, const char *key, MDB_val *out, struct err *e)
{
	size_t n = strnlen(key, KEY_MAX + 1);

	if (n < 1 || n > KEY_MAX)
		return err_set(e, ERR_BUG, "key of %s%zu bytes in table %s", n > KEY_MAX ? "over " : "",
		               n > KEY_MAX ? (size_t)KEY_MAX : n, table_names[table]);
	*out = (MDB_val){n, (void *)key};
	return 0;
}

int db_get(struct db_txn *t, enum db_table table, const char *key, const void **value, size_t *n,
           struct err *e)
{
	MDB_val k, v;

	if (check_key(table, key, &k, e) != 0)
		return -1;
	int code = t->db->tables[table] == NO_TABLE ? MDB_NOTFOUND : mdb_get(t->txn, t->db->tables[table], &k, &v);
	if (code == MDB_NOTFOUND)
		return err_set(e, ERR_MISSING, "no %s in table %s", key, table_names[table]);
	if (code != 0)
		return noted(t, code, "read", e);
	*value = v.mv_data;
	*n = v.mv_size;
	return 0;
}

static int check_write(struct db_txn *t, enum db_table table, const char *key, MDB_val *out,
                       struct err *e)
{
	if (!t->write)
		return err_set(e, ERR_BUG, "write to table %s while reading", table_names[table]);
	t->wrote = true;
	return check_key(table, key, out, e);
}

int db_put(struct db_txn *t, enum db_table table, const char *key, const void *value, size_t n,
           struct err *e)
{
	MDB_val k, v = {n, n ? (void *)value : ""};

	if (check_write(t, table, key, &k, e) != 0)
		return -1;
	int code = mdb_put(t->txn, t->db->tables[table], &k, &v, 0);
	return code == 0 ? 0 : noted(t, code, "write", e);
}

int db_del(struct db_txn *t, enum db_table table, const char *key, struct err *e)
{
	MDB_val k;

	if (check_write(t, table, key, &k, e) != 0)
		return -1;
	int code = mdb_del(t->txn, t->db->tables[table], &k, NULL);
	return code == 0 || code == MDB_NOTFOUND ? 0 : noted(t, code, "write", e);
}

int db_scan(struct db_txn *t, enum db_table table, const char *prefix, db_row_fn *row, void *ctx,
            struct err *e)
{
	char key[LMDB_KEY_MAX + 1];
	size_t n = strlen(prefix);
	MDB_val k = {n, (void *)prefix}, v;
	MDB_cursor *cursor;

	if (t->db->tables[table] == NO_TABLE)
		return 0;
	int code = mdb_cursor_open(t->txn, t->db->tables[table], &cursor), rc = 0;
	if (code != 0)
		return noted(t, code, "read", e);
	code = mdb_cursor_get(cursor, &k, &v, n ? MDB_SET_RANGE : MDB_FIRST);
	while (code == 0 && k.mv_size >= n && memcmp(k.mv_data, prefix, n) == 0) {
		/* LMDB's keys have no NUL; a foreign one could be longer than ours. */
		size_t len = k.mv_size < sizeof key ? k.mv_size : sizeof key - 1;
		memcpy(key, k.mv_data, len);
		key[len] = '\0';
		if ((rc = row(ctx, key, v.mv_data, v.mv_size, e)) != 0)
			break;
		if (!t->wrote)
			pass(t, v.mv_data);
		code = mdb_cursor_get(cursor, &k, &v, MDB_NEXT);
	}
	mdb_cursor_close(cursor);
	if (rc != 0)
		return rc > 0 ? 0 : -1;
	return code == 0 || code == MDB_NOTFOUND ? 0 : noted(t, code, "read", e);
}

int db_count(struct db_txn *t, enum db_table table, size_t *n, struct err *e)
{
	MDB_stat st = {0};
	int code = t->db->tables[table] == NO_TABLE ? 0 : mdb_stat(t->txn, t->db->tables[table], &st);

	if (code != 0)
		return failed(t->db, code, "read", e);
	*n = st.ms_entries;
	return 0;
}

const char *db_version(void)
{
	return mdb_version(NULL, NULL, NULL);
}
