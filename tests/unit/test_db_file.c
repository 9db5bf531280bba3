/* The file behind the store: whatever it holds, the answer is a plain message that names it, never
 * a signal and never an overwrite (promise D3, pitfalls 7.9). */
#include "db_child.h"

#include "store/base/fs.h"
#include "store/dbdir.h"

static char *data(void)
{
	return mem_printf("%s/data.mdb", dir);
}

static void assert_damaged_saying(enum db_mode mode, const char *why)
{
	AUTO_FREE char *path = data();
	AUTO_STR struct str before = {0}, after = {0};
	struct err e = {0};
	struct db *db;

	fs_read(path, 64 << 20, &before, NULL);
	assert_int_equal(db_open(&db, dir, mode, &e), -1);
	/* Nothing is wrong with the store of a newer bosk. */
	if (e.kind != (strstr(why, "newer") ? ERR_ENV : ERR_DAMAGED) || !strstr(e.text, path) || !strstr(e.text, why))
		fail_msg("%s: %s", err_kind_name(e.kind), e.text);
	fs_read(path, 64 << 20, &after, NULL);
	assert_true(before.len == after.len && memcmp(before.p, after.p, after.len) == 0);
}

static void assert_damaged(const char *why)
{
	assert_damaged_saying(DB_READ, why);
	assert_damaged_saying(DB_WRITE, why);
}

/* A store with some hundred rows of various sizes, closed. */
static void make_store(void)
{
	struct db *db = open_here(DB_WRITE);
	struct db_batch b = {0};
	struct err e = {0};
	AUTO_FREE char *value = mem_alloc(20000);

	memset(value, 'v', 20000);
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 300; i++) {
			AUTO_FREE char *key = mem_printf("a1b2c3/%016x", i * 7 % 300);
			db_batch_put(&b, DB_journal, key, value, (size_t)(i * 37 % 500));
		}
		db_batch_put(&b, DB_tasks, "q/000001/d", value, 20000);
		assert_ok(db_batch_write(db, &b, &e), &e);
		db_batch_clear(&b);
	}
	db_close(db);
}

static void content_is(const void *bytes, size_t n)
{
	AUTO_FREE char *path = data();
	struct err e = {0};
	assert_ok(fs_mkdirs(dir, &e), &e);
	assert_ok(fs_write(path, bytes, n, false, &e), &e);
}

static void absent_is_missing_to_a_reader_and_new_to_a_writer(void **state)
{
	(void)state;
	struct err e = {0};
	struct db *db;
	assert_int_equal(db_open(&db, dir, DB_READ, &e), -1);
	assert_int_equal(e.kind, ERR_MISSING);
	assert_false(fs_exists(dir)); /* a reader makes nothing */
	db_close(open_here(DB_WRITE));
	db_close(open_here(DB_READ));
}

static void an_empty_file_is_new(void **state)
{
	(void)state;
	struct err e = {0};
	struct db *db;
	content_is("", 0);
	assert_int_equal(db_open(&db, dir, DB_READ, &e), -1);
	assert_int_equal(e.kind, ERR_MISSING);
	assert_int_equal(file_size(), 0);
	db_close(open_here(DB_WRITE));
	db_close(open_here(DB_READ));
}

static void short_garbled_and_foreign_files_are_refused(void **state)
{
	(void)state;
	struct test_rng rng = test_rng_new();
	AUTO_STR struct str bytes = {0};

	while (bytes.len < 64 << 10)
		str_addc(&bytes, (char)test_rng_next(&rng));
	content_is(bytes.p, 100);
	assert_damaged("ends at byte 100");
	content_is(bytes.p, bytes.len);
	assert_damaged("no LMDB header");
	memset(bytes.p, 0, bytes.len);
	content_is(bytes.p, bytes.len);
	assert_damaged("no LMDB header");
	str_clear(&bytes);
	while (bytes.len < 64 << 10)
		str_add(&bytes, "# Shopping list\n- milk\n");
	content_is(bytes.p, bytes.len);
	assert_damaged("bosk verify --repair");

	AUTO_FREE char *path = data();
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0); /* would block whoever opens it */
	struct err e = {0};
	struct db *db;
	assert_int_equal(db_open(&db, dir, DB_WRITE, &e), -1);
	assert_int_equal(e.kind, ERR_DAMAGED);
}

static int count_row(void *ctx, const char *key, const void *value, size_t n, struct err *e)
{
	(void)key;
	(void)e;
	for (size_t i = 0; i < n; i++)
		assert_int_equal(((const char *)value)[i], 'v');
	++*(int *)ctx;
	return 0;
}

static int count_rows(struct db_txn *t, void *ctx, struct err *e)
{
	*(int *)ctx = 0;
	for (int table = DB_meta + 1; table < DB_COUNT; table++)
		if (db_scan(t, (enum db_table)table, "", count_row, ctx, e) != 0)
			return -1;
	return 0;
}

/* Whatever was cut off: refused, or nothing of value was and every row is readable. Returns the
 * number of lengths that were refused. */
static int cut_at_every_length(size_t step)
{
	AUTO_FREE char *path = data();
	AUTO_STR struct str bytes = {0};
	struct err e = {0};
	int refused = 0, rows;

	assert_ok(fs_read(path, 64 << 20, &bytes, &e), &e);
	for (size_t n = bytes.len - 1; n > 0; n -= n > step ? step : n) {
		struct db *db;
		content_is(bytes.p, n);
		if (db_open(&db, dir, DB_READ, &e) != 0) {
			assert_int_equal(e.kind, ERR_DAMAGED);
			refused++;
			continue;
		}
		assert_ok(db_read(db, count_rows, &rows, &e), &e);
		assert_int_equal(rows, 301);
		db_close(db);
	}
	content_is(bytes.p, bytes.len);
	return refused;
}

static void a_truncated_file_is_refused(void **state)
{
	(void)state;
	AUTO_FREE char *path = data();

	make_store();
	int lengths = (int)(file_size() / 1000);
	assert_true(cut_at_every_length(1000) > lengths * 3 / 4);
	assert_int_equal(truncate(path, file_size() / 2), 0);
	assert_damaged("cut off");
}

/* LMDB counts pages that were taken and given back within one transaction, and never writes them:
 * such a file ends early and is sound. */
static void a_sound_file_may_end_before_its_last_page(void **state)
{
	(void)state;
	struct db_batch b = {0};
	struct err e = {0};
	int rows;
	AUTO_FREE char *large = mem_alloc(100000), *path = data();

	make_store();
	for (int i = 0; i < 200; i++) {
		AUTO_FREE char *key = mem_printf("%d", i % 100);
		if (i < 100)
			db_batch_put(&b, DB_results, key, large, 100000);
		else
			db_batch_del(&b, DB_results, key);
	}
	struct db *db = open_here(DB_WRITE);
	assert_ok(db_batch_write(db, &b, &e), &e);
	db_batch_clear(&b);
	db_close(db);
	assert_true(file_size() < 4 << 20); /* of 10 MB counted */
	db = open_here(DB_READ);
	assert_ok(db_read(db, count_rows, &rows, &e), &e);
	assert_int_equal(rows, 301);
	db_close(db);
	assert_true(cut_at_every_length(4096) > 10);
	assert_int_equal(truncate(path, 8 * 4096), 0);
	assert_damaged("cut off");
}

static void put_at(long offset, uint64_t v)
{
	AUTO_FREE char *path = data();
	AUTO_CLOSE int fd = open(path, O_RDWR | O_CLOEXEC);
	assert_int_equal(pwrite(fd, &v, sizeof v, offset), sizeof v);
	assert_int_equal(pwrite(fd, &v, sizeof v, 4096 + offset), sizeof v);
}

static void a_garbled_header_is_refused(void **state)
{
	(void)state;
	AUTO_FREE char *path = data();
	AUTO_STR struct str bytes = {0};
	struct err e = {0};
	enum { PAGE = 16, MAGIC = PAGE, MAP = PAGE + 16, FREE = PAGE + 24, MAIN = PAGE + 72 };
	const struct {
		long offset;
		uint64_t value;
		const char *why;
	} cases[] = {
		{MAGIC, 0x200000000u + 0xbeefc0deu, "version 2"},
		{MAGIC, 0x1deadbeefu, "no LMDB header"},
		{MAP, UINT64_MAX / 2, "map size"},
		{FREE, 0, "page size"},
		{FREE, 4097, "page size"},
		{FREE + 4, 0, "free page tree is not"},
		{FREE + 40, 1 << 30, "free page tree begins"},
		{MAIN + 4, 4, "main tree is not"},
		{MAIN + 40, 1, "main tree begins"},
		{MAIN + 4, 3 << 16, "main tree is garbled"},
		{PAGE + 128, 5, "number 0 is of commit 5"},
		{PAGE + 128, 6, "commits 6 and 6"},
		{PAGE + 120, 1 << 20, "cut off"},
		{PAGE + 120, UINT64_MAX, ""},
	};

	make_store();
	assert_ok(fs_read(path, 64 << 20, &bytes, &e), &e);
	for (size_t i = 0; i < MEM_COUNT(cases); i++) {
		put_at(cases[i].offset, cases[i].value);
		assert_damaged(cases[i].why);
		content_is(bytes.p, bytes.len);
	}
	db_close(open_here(DB_READ));
}

static void assert_format(const char *format, const char *why)
{
	struct err e = {0};
	struct db *db = open_here(DB_WRITE);
	if (format)
		assert_ok(db_save(db, DB_meta, "format", format, strlen(format), &e), &e);
	db_close(db);
	assert_damaged(why);
	AUTO_FREE char *path = data();
	assert_int_equal(unlink(path), 0);
}

static void a_missing_or_newer_format_is_refused(void **state)
{
	(void)state;
	assert_format("2", "newer bosk");
	assert_format("18446744073709551615", "newer bosk");
	assert_format("0", "garbled");
	assert_format("1 ", "garbled");
	assert_format("", "garbled");
	struct db *db = open_here(DB_WRITE);
	struct db_batch b = {0};
	struct err e = {0};
	db_batch_del(&b, DB_meta, "format");
	assert_ok(db_batch_write(db, &b, &e), &e);
	db_batch_clear(&b);
	db_close(db);
	assert_damaged("no format record");
}

/* LMDB as another program uses it. */
int mdb_env_create(void **env);
int mdb_env_open(void *env, const char *path, unsigned flags, mode_t mode);
int mdb_txn_begin(void *env, void *parent, unsigned flags, void **txn);
int mdb_txn_commit(void *txn);
int mdb_dbi_open(void *txn, const char *name, unsigned flags, unsigned *dbi);
int mdb_put(void *txn, unsigned dbi, void *key, void *value, unsigned flags);
void mdb_env_close(void *env);

static void the_store_of_another_program_is_refused(void **state)
{
	(void)state;
	struct {
		size_t n;
		const char *p;
	} key = {4, "name"}, value = {5, "value"};
	void *env, *txn;
	unsigned dbi;
	struct err e = {0};
	assert_ok(fs_mkdirs(dir, &e), &e);
	assert_int_equal(mdb_env_create(&env), 0);
	assert_int_equal(mdb_env_open(env, dir, 0, 0600), 0);
	assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
	assert_int_equal(mdb_dbi_open(txn, NULL, 0, &dbi), 0);
	assert_int_equal(mdb_put(txn, dbi, &key, &value, 0), 0);
	assert_int_equal(mdb_txn_commit(txn), 0);
	mdb_env_close(env);
	assert_damaged("no table meta");
}

static void a_file_cut_or_replaced_while_in_use_is_not_touched(void **state)
{
	(void)state;
	AUTO_FREE char *path = data(), *aside = mem_printf("%s.aside", path);
	AUTO_STR struct str value = {0};
	struct err e = {0};

	make_store();
	struct db *db = open_here(DB_WRITE);
	assert_int_equal(rename(path, aside), 0);
	assert_int_equal(db_save(db, DB_meta, "a", "b", 1, &e), -1);
	assert_int_equal(e.kind, ERR_DAMAGED);
	content_is("", 0);
	assert_int_equal(db_load(db, DB_meta, "format", &value, &e), -1);
	assert_non_null(strstr(e.text, "replaced"));
	assert_int_equal(rename(aside, path), 0);
	assert_ok(db_load(db, DB_meta, "format", &value, &e), &e);
	assert_int_equal(truncate(path, 8192), 0);
	assert_int_equal(db_load(db, DB_tasks, "q/000001/d", &value, &e), -1);
	assert_non_null(strstr(e.text, "cut"));
	db_close(db);
}

/* Whoever opens the store then takes another lock, sees no reader of ours, and counts commits from the file:
 * two writers (pitfalls 7.10). */
static void a_lock_file_that_was_removed_stops_all_use(void **state)
{
	(void)state;
	AUTO_FREE char *path = mem_printf("%s/lock.mdb", dir), *aside = mem_printf("%s.aside", path);
	AUTO_STR struct str value = {0};
	struct err e = {0};

	make_store();
	struct db *db = open_here(DB_WRITE);
	assert_int_equal(rename(path, aside), 0);
	assert_int_equal(db_save(db, DB_meta, "a", "b", 1, &e), -1);
	assert_int_equal(e.kind, ERR_DAMAGED);
	assert_non_null(strstr(e.text, "lock.mdb was removed"));
	assert_ok(fs_write(path, "", 0, false, &e), &e); /* by the next one to open it */
	assert_int_equal(db_load(db, DB_meta, "format", &value, &e), -1);
	assert_int_equal(e.kind, ERR_DAMAGED);
	assert_int_equal(rename(aside, path), 0);
	assert_ok(db_load(db, DB_meta, "format", &value, &e), &e);
	assert_int_equal(db_load(db, DB_meta, "a", &value, &e), -1);
	assert_int_equal(e.kind, ERR_MISSING);
	db_close(db);
}

static void a_store_moved_aside_makes_room_for_a_new_one(void **state)
{
	(void)state;
	AUTO_FREE char *path = data(), *moved = NULL, *none = NULL, *again = NULL;
	AUTO_STR struct str value = {0};
	struct err e = {0};

	make_store();
	assert_ok(db_set_aside(dir, &moved, &e), &e);
	assert_false(fs_exists(path));
	assert_true(moved && fs_exists(moved));
	assert_ok(db_set_aside(dir, &none, &e), &e);
	assert_null(none);
	struct db *db = open_here(DB_WRITE);
	assert_int_equal(db_load(db, DB_tasks, "q/000001/d", &value, &e), -1);
	assert_int_equal(e.kind, ERR_MISSING);
	db_close(db);
	assert_ok(db_set_aside(dir, &again, &e), &e); /* within the same second, mostly */
	assert_string_not_equal(again, moved);
	assert_true(fs_exists(moved) && fs_exists(again));
}

static void file_systems_without_reliable_locks_are_known(void **state)
{
	(void)state;
	assert_string_equal(dbdir_remote(0x6969), "NFS");
	assert_string_equal(dbdir_remote(0xff534d42), "CIFS");
	assert_string_equal(dbdir_remote(0x01021997), "9p");
	assert_string_equal(dbdir_remote(0x65735546), "FUSE");
	assert_null(dbdir_remote(0xef53));     /* ext4 */
	assert_null(dbdir_remote(0x01021994)); /* tmpfs */
	assert_null(dbdir_remote(0x794c7630)); /* overlayfs */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(absent_is_missing_to_a_reader_and_new_to_a_writer),
		test(an_empty_file_is_new),
		test(short_garbled_and_foreign_files_are_refused),
		test(a_truncated_file_is_refused),
		test(a_sound_file_may_end_before_its_last_page),
		test(a_garbled_header_is_refused),
		test(a_missing_or_newer_format_is_refused),
		test(the_store_of_another_program_is_refused),
		test(a_file_cut_or_replaced_while_in_use_is_not_touched),
		test(a_lock_file_that_was_removed_stops_all_use),
		test(a_store_moved_aside_makes_room_for_a_new_one),
		test(file_systems_without_reliable_locks_are_known),
	};
	return cmocka_run_group_tests_name("db_file", tests, NULL, NULL);
}
