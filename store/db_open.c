/* db_open: opening and closing the store, and the policy around each transaction: who may, the
 * writer's lock, what to do when the map is full or the environment broken. Calls no LMDB. */
#include "db.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fail.h"
#include "base/fs.h"
#include "base/mem.h"
#include "db_env.h"
#include "db_guard.h"
#include "dbdir.h"
#include "seal.h"
#include "writer.h"

#define FORMAT "1"
enum { TRIES = 3, PAUSE_MS = 20, CHECK_READERS_MS = 60000, PATIENCE_MS = 10000 };

/* One per process: of two environments on one file the first to be closed drops the locks of
 * both, and then two processes write at once (pitfalls 7.1). */
static struct db *the_db;

/* ---- making and recognising a store ---- */

/* All tables and the format record in one transaction: a store is whole or still new. */
static int create(struct db_txn *t, void *ctx, struct err *e)
{
	unsigned char id[16];
	AUTO_STR struct str repository = {0};

	(void)ctx;
	seal_init();
	seal_random(id, sizeof id);
	for (size_t i = 0; i < sizeof id; i++)
		str_addf(&repository, "%02x", id[i]);
	if (db_env_tables(t, true, e) != 0 ||
	    db_put(t, DB_meta, "format", FORMAT, sizeof FORMAT - 1, e) != 0)
		return -1;
	return db_put(t, DB_meta, "repository", repository.p, repository.len, e);
}

static int recognise(struct db_txn *t, void *ctx, struct err *e)
{
	const struct db *db = ctx;
	const void *value;
	size_t n;
	uint64_t format;

	if (db_env_snapshot(t) == 0) /* its creation is not published yet */
		return db->mode == DB_READ
		               ? err_set(e, ERR_MISSING, "no sessions: %s is being made", db->path)
		               : err_set(e, ERR_HELD, "%s is being made by another process", db->path);
	if (db_env_tables(t, false, e) != 0)
		return -1;
	if (db_get(t, DB_meta, "format", &value, &n, e) != 0)
		return dbfile_damaged(db->path, e, "it has no format record");
	AUTO_FREE char *text = mem_strndup(value, n);
	if (strcmp(text, FORMAT) == 0)
		return 0;
	if (!str_u64(text, &format) || format < strtoull(FORMAT, NULL, 10))
		return dbfile_damaged(db->path, e, "its format record is garbled");
	return err_set(e, ERR_ENV, /* not damaged: nothing to repair */
	               "%s has format %s, made by a newer bosk than this one, which knows %s: use the "
	               "newer one",
	               db->path, text, FORMAT);
}

static void pause_ms(unsigned ms)
{
	struct timespec t = {.tv_nsec = (long)ms * 1000000};
	nanosleep(&t, NULL);
}

static int nothing(struct db_txn *t, void *ctx, struct err *e)
{
	(void)t;
	(void)ctx;
	(void)e;
	return -1;
}

/* For DB_STALE. With the writer's lock nobody is between his write and its publication, unless he
 * died there: then LMDB publishes for him when the next one begins. When the lock cannot be had in
 * time (he is stopped there), nobody was told of that commit, and what is shown will do. */
static void publish(struct db *db, bool locked)
{
	AUTO_CLOSE int lock =
		locked ? -1 : writer_lock(db->lock_path, db->patience_ms, NULL);
	int rc;

	if (locked || lock >= 0)
		db_env_try(db, true, nothing, NULL, &rc, NULL);
	db->stale_ok = true;
}

/* One attempt at opening; the same outcomes as an attempt at a transaction. */
static enum db_outcome start_once(struct db *db, const struct dbfile *file, bool locked, int *rc,
                                  struct err *e)
{
	enum db_outcome outcome = db_env_start(db, file->map_size, rc, e);

	if (*rc == 0 && file->fresh)
		*rc = dbdir_sync_names(db->dir, e);
	if (*rc != 0)
		return outcome;
	if (file->fresh) {
		FAILPOINT("store.create.before");
		outcome = db_env_try(db, true, create, db, rc, e);
		FAILPOINT("store.create.after");
		return outcome;
	}
	db->stale_ok = false;
	outcome = db_env_try(db, false, recognise, db, rc, e);
	if (outcome == DB_STALE) {
		publish(db, locked);
		outcome = db->env ? db_env_try(db, false, recognise, db, rc, e) : DB_BROKEN;
	}
	return outcome;
}

static int start(struct db *db, const struct dbfile *file, bool locked, struct err *e)
{
	int rc;

	for (unsigned try = 1;; try++) {
		enum db_outcome outcome = start_once(db, file, locked, &rc, e);
		if (rc == 0)
			return 0;
		db_env_drop(db);
		if (outcome != DB_BROKEN || try == TRIES)
			return -1;
		pause_ms(PAUSE_MS * try);
	}
}

/* `locked`: this process holds the writer's lock already. */
static int env_open(struct db *db, bool locked, struct err *e)
{
	AUTO_CLOSE int lock = -1;
	struct dbfile file;
	int rc = dbfile_look(db->path, &file, e);

	if (!locked && (rc != 0 || (file.fresh && db->mode == DB_WRITE))) {
		/* Somebody may be creating it at this moment: with the lock nobody is. */
		if (db->mode == DB_READ && !fs_exists(db->lock_path))
			return -1;
		lock = writer_lock(db->lock_path, db->patience_ms, e);
		if (lock < 0)
			return -1;
		rc = dbfile_look(db->path, &file, e);
	}
	if (rc != 0)
		return -1;
	if (file.fresh && db->seen.inode)
		return dbfile_damaged(db->path, e, "it was emptied while in use");
	if (file.fresh && db->mode == DB_READ)
		return err_set(e, ERR_MISSING, "no sessions: there is no store in %s", db->dir);
	if (dbdir_lock_room(db->dir, e) != 0)
		return -1;
	rc = start(db, &file, locked || lock >= 0, e);
	/* A full disk may have cut the very first header: leave an empty file, not a damaged one.
	 * Nobody else has it open: without a commit it is new to them, and we hold the lock. */
	if (rc != 0 && file.fresh && fs_exists(db->path) && truncate(db->path, 0) != 0)
		err_wrap(e, "a half-made file is left");
	return rc;
}

int db_open(struct db **out, const char *dir, enum db_mode mode, struct err *e)
{
	if (the_db)
		return err_set(e, ERR_BUG, "the store is open already%s",
		               the_db->pid == getpid() ? "" : " (opened before a fork)");

	struct db *db = mem_alloc(sizeof *db);
	db->dir = mem_strdup(dir);
	db->path = mem_printf("%s/data.mdb", dir);
	db->reader_path = mem_printf("%s/lock.mdb", dir);
	db->lock_path = mem_printf("%s/writer.lock", dir);
	db->mode = mode;
	db->pid = getpid();
	db->patience_ms = PATIENCE_MS;
	the_db = db;
	db_guard_install(db->path);
	int rc = 0;
	if (mode == DB_WRITE) {
		rc = fs_mkdirs(dir, e) != 0 || writer_file_make(db->lock_path, e) != 0;
		dbdir_warn_remote(dir);
	}
	if (rc != 0 || env_open(db, false, e) != 0) {
		db_close(db);
		return -1;
	}
	*out = db;
	return 0;
}

void db_close(struct db *db)
{
	/* A forked child's copy has the parent's readers and locks in it: it stays as it is, and
	 * keeps db_open refused there. */
	if (!db || db->pid != getpid())
		return;
	db_env_drop(db);
	free(db->dir);
	free(db->path);
	free(db->reader_path);
	free(db->lock_path);
	free(db);
	the_db = NULL;
}

void db_set_patience(struct db *db, unsigned ms)
{
	db->patience_ms = ms;
}

/* ---- transactions ---- */

static int enter(struct db *db, bool write, struct err *e)
{
	if (db->pid != getpid())
		return err_set(e, ERR_BUG, "the store was opened before a fork: open it in the child");
	if (db->busy)
		return err_set(e, ERR_BUG, "a transaction inside another one");
	if (write && db->mode != DB_WRITE)
		return err_set(e, ERR_BUG, "the store was opened for reading");
	return db->env ? dbfile_still(db->path, db->reader_path, &db->seen, e) : 0;
}

/* The dead readers' pages first; a larger map when there were none. */
static int make_room(struct db *db, bool *checked, struct err *e)
{
	bool first = !*checked;

	*checked = true;
	err_clear(e);
	return first && db_env_check_readers(db) > 0 ? 0 : db_env_grow(db, e);
}

static int run(struct db *db, bool write, db_fn *fn, void *ctx, struct err *e)
{
	bool checked = false;
	unsigned broken = 0;
	int rc;

	db->stale_ok = false;
	for (;;) {
		if (!db->env && env_open(db, write, e) != 0)
			return -1;
		switch (db_env_try(db, write, fn, ctx, &rc, e)) {
		case DB_DONE:
			return rc;
		case DB_FULL:
			if (make_room(db, &checked, e) != 0)
				return -1;
			break;
		case DB_BROKEN:
			if (++broken == TRIES)
				return -1;
			db_env_drop(db);
			pause_ms(PAUSE_MS * broken);
			err_clear(e);
			break;
		case DB_STALE:
			publish(db, write);
			break;
		}
	}
}

static int add_tables(struct db_txn *t, void *ctx, struct err *e)
{
	(void)ctx;
	return db_env_tables(t, true, e);
}

/* A store of an earlier version gets the tables that came since, with its next write. */
static int complete(struct db *db, struct err *e)
{
	unsigned before[DB_COUNT];
	bool missing = !db->env;

	for (int i = 0; i < DB_COUNT; i++)
		missing |= db->tables[i] == NO_TABLE;
	if (!missing)
		return 0;
	memcpy(before, db->tables, sizeof before);
	int rc = run(db, true, add_tables, NULL, e);
	if (rc != 0) /* their handles went with the transaction */
		memcpy(db->tables, before, sizeof before);
	return rc;
}

int db_write(struct db *db, db_fn *fn, void *ctx, struct err *e)
{
	if (enter(db, true, e) != 0)
		return -1;
	AUTO_CLOSE int lock = writer_lock(db->lock_path, db->patience_ms, e);
	if (lock < 0)
		return -1;
	if (db->env && clock_mono_ms() - db->readers_checked_ms > CHECK_READERS_MS)
		db_env_check_readers(db);
	return complete(db, e) != 0 ? -1 : run(db, true, fn, ctx, e);
}

void db_reserve(struct db *db, size_t bytes)
{
	struct err ignored = {0};

	if (db->env && !db->busy && db->pid == getpid())
		db_env_reserve(db, bytes, &ignored);
}

int db_read(struct db *db, db_fn *fn, void *ctx, struct err *e)
{
	return enter(db, false, e) != 0 ? -1 : run(db, false, fn, ctx, e);
}
