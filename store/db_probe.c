/* db_probe: reads every page of a store; and moving a damaged one aside. */
#include "db.h"

#include <string.h>
#include <sys/prctl.h>

#include "base/mem.h"
#include "dbdir.h"
#include "dbfile.h"
#include "writer.h"

enum { PATIENCE_MS = 10000 };

struct probe {
	struct str last; /* key */
	size_t rows;
	unsigned sum; /* of all bytes, so that all are read */
};

static int look(void *ctx, const char *key, const void *value, size_t n, struct err *e)
{
	struct probe *p = ctx;
	const unsigned char *bytes = value;

	if (!*key || (p->rows++ && strcmp(p->last.p, key) >= 0))
		return err_set(e, ERR_DAMAGED, "its keys are not in order");
	str_clear(&p->last);
	str_add(&p->last, key);
	for (size_t i = 0; i < n; i++)
		p->sum += bytes[i];
	return 0;
}

static int look_at_all(struct db_txn *t, void *ctx, struct err *e)
{
	(void)ctx;
	for (int i = 0; i < DB_COUNT; i++) {
		struct probe p = {0};
		size_t n;
		if (db_count(t, (enum db_table)i, &n, e) != 0 || db_scan(t, (enum db_table)i, "", look, &p, e) != 0)
			return -1;
		str_fini(&p.last);
		if (p.rows != n)
			return err_set(e, ERR_DAMAGED, "it has %zu rows of %zu", p.rows, n);
	}
	return 0;
}

int db_probe(const char *dir, struct err *e)
{
	AUTO_FREE char *path = mem_printf("%s/data.mdb", dir);
	struct db *db;
	struct err why = {0};

	prctl(PR_SET_DUMPABLE, 0);
	if (db_open(&db, dir, DB_READ, e) != 0)
		return -1;
	int rc = db_read(db, look_at_all, NULL, &why);
	db_close(db);
	return rc == 0 ? 0 : dbfile_damaged(path, e, "%s", why.text);
}

int db_set_aside(const char *dir, char **moved, struct err *e)
{
	AUTO_FREE char *lock_path = mem_printf("%s/writer.lock", dir);
	AUTO_CLOSE int lock = writer_lock(lock_path, PATIENCE_MS, e);

	return lock < 0 ? -1 : dbdir_set_aside(dir, moved, e);
}
