/* store_edit: changes one row of a store behind bosk's back, for tests of what notices.
 *
 *   store_edit DIR keys TABLE [PREFIX]            prints the keys
 *   store_edit DIR get TABLE KEY FIELD            prints one field
 *   store_edit DIR set TABLE KEY FIELD VALUE      one field of a record ("-" = none; lists: one entry)
 *   store_edit DIR new TABLE KEY                  an empty record
 *   store_edit DIR del TABLE KEY
 *   store_edit DIR copy TABLE KEY NEW-KEY
 *   store_edit DIR raw TABLE KEY TEXT             the row is then TEXT
 *   store_edit DIR drop TABLE                     the table itself, as a version had it that did not know it
 *
 * DIR is the folder of data.mdb. */
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/mem.h"
#include "store/db.h"
#include "store/rows.h"

#define NAME_(name) #name,
static const char *const tables[] = {DB_TABLES(NAME_)};

static _Noreturn void die(const char *what, const struct err *e)
{
	fprintf(stderr, "store_edit: %s%s%s\n", what, e ? ": " : "", e ? e->text : "");
	exit(2);
}

static enum db_table table_of(const char *name)
{
	for (int i = 0; i < DB_COUNT; i++)
		if (strcmp(tables[i], name) == 0)
			return (enum db_table)i;
	die("no such table", NULL);
}

static const struct rec *rec_of(enum db_table table, const char *key)
{
	switch (table) {
	case DB_manifest: return &manifest_row_rec;
	case DB_sessions: return &session_row_rec;
	case DB_queues: return &queue_row_rec;
	case DB_tasks: return key[strlen(key) - 1] == 'd' ? &task_def_rec : &task_row_rec;
	case DB_journal: return &event_row_rec;
	case DB_results: return &result_row_rec;
	case DB_integration: return &intent_row_rec;
	case DB_issues: return &issue_row_rec;
	case DB_items:
		if (strchr(key, '+'))
			return &item_link_rec;
		return key[strlen(key) - 1] == 'd' ? &item_def_rec : &item_row_rec;
	default: die("no records in that table", NULL);
	}
}

static void *field_of(const struct rec *r, void *obj, const char *name, enum rec_type *type)
{
	for (size_t i = 0; i < r->n; i++)
		if (strcmp(r->fields[i].name, name) == 0) {
			*type = r->fields[i].type;
			return (char *)obj + r->fields[i].offset;
		}
	die("no such field", NULL);
}

static void set_field(const struct rec *r, void *obj, const char *name, const char *value)
{
	enum rec_type type;
	void *at = field_of(r, obj, name, &type);
	bool none = strcmp(value, "-") == 0;

	switch (type) {
	case REC_u64: *(uint64_t *)at = strtoull(value, NULL, 10); break;
	case REC_flag: *(bool *)at = strcmp(value, "true") == 0; break;
	case REC_str: mem_set(at, none ? NULL : value); break;
	case REC_list:
		strv_fini(at);
		if (!none)
			strv_add(at, value);
		break;
	}
}

static void print_field(const struct rec *r, void *obj, const char *name)
{
	enum rec_type type;
	void *at = field_of(r, obj, name, &type);

	switch (type) {
	case REC_u64: printf("%llu\n", (unsigned long long)*(uint64_t *)at); break;
	case REC_flag: printf("%s\n", *(bool *)at ? "true" : "false"); break;
	case REC_str: printf("%s\n", *(char **)at ? *(char **)at : "-"); break;
	case REC_list:
		for (size_t i = 0; i < ((struct strv *)at)->n; i++)
			printf("%s\n", ((struct strv *)at)->v[i]);
	}
}

static int print_key(void *ctx, const char *key, const void *value, size_t n, struct err *e)
{
	(void)ctx, (void)value, (void)n, (void)e;
	puts(key);
	return 0;
}

struct scan {
	enum db_table table;
	const char *prefix;
};
static int scan(struct db_txn *t, void *ctx, struct err *e)
{
	const struct scan *s = ctx;
	return db_scan(t, s->table, s->prefix, print_key, NULL, e);
}

static void drop(const char *dir, const char *table)
{
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi;

	if (mdb_env_create(&env) != 0 || mdb_env_set_maxdbs(env, 32) != 0 || mdb_env_open(env, dir, 0, 0600) != 0 ||
	    mdb_txn_begin(env, NULL, 0, &txn) != 0 || mdb_dbi_open(txn, table, 0, &dbi) != 0 || mdb_drop(txn, dbi, 1) != 0 ||
	    mdb_txn_commit(txn) != 0)
		die("drop", NULL);
	mdb_env_close(env);
}

int main(int argc, char **argv)
{
	struct db *db;
	struct err e = {0};
	AUTO_STR struct str bytes = {0}, out = {0};

	if (argc < 4)
		die("usage: see the head of store_edit.c", NULL);
	const char *what = argv[2], *key = argc > 4 ? argv[4] : "";
	enum db_table table = table_of(argv[3]);
	if (strcmp(what, "drop") == 0) {
		drop(argv[1], argv[3]);
		return 0;
	}
	if (db_open(&db, argv[1], DB_WRITE, &e) != 0)
		die("open", &e);
	if (strcmp(what, "keys") == 0) {
		struct scan s = {table, key};
		if (db_read(db, scan, &s, &e) != 0)
			die("keys", &e);
	} else if (strcmp(what, "del") == 0) {
		struct db_batch b = {0};
		if (db_load(db, table, key, &bytes, &e) != 0)
			die("del", &e);
		db_batch_del(&b, table, key);
		if (db_batch_write(db, &b, &e) != 0)
			die("del", &e);
		db_batch_clear(&b);
	} else if (strcmp(what, "new") == 0 && argc > 4) {
		const struct rec *r = rec_of(table, key);
		void *obj = mem_alloc(r->size);
		rec_encode(r, obj, &out);
		free(obj);
		if (db_save(db, table, key, out.p, out.len, &e) != 0)
			die("new", &e);
	} else if (strcmp(what, "raw") == 0 && argc > 5) {
		if (db_save(db, table, key, argv[5], strlen(argv[5]), &e) != 0)
			die("raw", &e);
	} else if (strcmp(what, "copy") == 0 && argc > 5) {
		if (db_load(db, table, key, &bytes, &e) != 0 ||
		    db_save(db, table, argv[5], bytes.p, bytes.len, &e) != 0)
			die("copy", &e);
	} else if ((strcmp(what, "set") == 0 && argc > 6) || (strcmp(what, "get") == 0 && argc > 5)) {
		const struct rec *r = rec_of(table, key);
		void *obj = mem_alloc(r->size);
		if (db_load(db, table, key, &bytes, &e) != 0 || rec_decode(r, obj, bytes.p, bytes.len, &e) != 0)
			die(key, &e);
		if (strcmp(what, "get") == 0) {
			print_field(r, obj, argv[5]);
		} else {
			set_field(r, obj, argv[5], argv[6]);
			rec_encode(r, obj, &out);
			if (db_save(db, table, key, out.p, out.len, &e) != 0)
				die("set", &e);
		}
		rec_fini(r, obj);
		free(obj);
	} else {
		die("usage: see the head of store_edit.c", NULL);
	}
	db_close(db);
	return 0;
}
