/* The store at its limits: readers that died (pitfalls 7.5), a map that is full here or grown
 * elsewhere (7.7), a disk without room (7.8). */
#include "db_child.h"

#include <sys/resource.h>

/* ---- readers that died ---- */

static int read_and_wait(struct db_txn *t, void *ctx, struct err *e)
{
	const void *value;
	size_t n;
	(void)ctx;
	must(db_get(t, DB_meta, "format", &value, &n, e) == 0);
	say(out);
	heard(in);
	return 0;
}

static void open_and_read(void)
{
	struct err e = {0};
	must(heard(in));
	struct db *db = open_child(DB_READ);
	db_read(db, read_and_wait, NULL, &e);
}

/* 16 commits that replace 6 MiB each: 96 MiB when no page is used again, 18 when all are. */
static void replace_large_values(struct db *db)
{
	AUTO_FREE char *large = mem_alloc(6 << 20);
	struct err e = {0};
	for (int i = 0; i < 16; i++)
		assert_ok(db_save(db, DB_meta, "large", large, 6 << 20, &e), &e);
}

static void a_killed_reader_does_not_fill_the_store(void **state)
{
	(void)state;
	struct child c = child_start(open_and_read);
	struct db *db = open_here(DB_WRITE);
	say(c.to);
	assert_true(heard(c.from));
	kill(c.pid, SIGKILL);
	child_end(&c, SIGKILL);
	replace_large_values(db); /* full: the dead one's pages come back, the map need not grow */
	assert_true(file_size() <= 64 << 20);
	db_close(db);
}

static void a_reader_killed_before_we_open_costs_nothing(void **state)
{
	(void)state;
	db_close(open_here(DB_WRITE));
	struct child c = child_start(open_and_read), living = child_start(open_and_read);
	say(c.to);
	assert_true(heard(c.from));
	say(living.to); /* keeps lock.mdb in use, so that nothing resets it */
	assert_true(heard(living.from));
	kill(c.pid, SIGKILL);
	child_end(&c, SIGKILL);
	struct db *db = open_here(DB_WRITE);
	say(living.to);
	child_end(&living, 0);
	replace_large_values(db);
	assert_true(file_size() <= 25 << 20);
	db_close(db);
}

enum { DEAD = 130 };

static void more_than_126_dead_readers_are_cleared(void **state)
{
	(void)state;
	struct child c[DEAD];
	struct err e = {0};
	AUTO_STR struct str value = {0};
	for (int i = 0; i < DEAD; i++)
		c[i] = child_start(open_and_read);
	struct db *db = open_here(DB_WRITE);
	for (int i = 0; i < DEAD; i++)
		say(c[i].to);
	for (int i = 0; i < DEAD; i++)
		assert_true(heard(c[i].from));
	assert_ok(db_load(db, DB_meta, "format", &value, &e), &e); /* beside 130 living ones */
	for (int i = 0; i < DEAD; i++)
		kill(c[i].pid, SIGKILL);
	for (int i = 0; i < DEAD; i++)
		child_end(&c[i], SIGKILL);
	assert_ok(db_load(db, DB_meta, "format", &value, &e), &e);
	replace_large_values(db);
	assert_true(file_size() <= 64 << 20);
	db_close(db);
}

/* LMDB itself, as another program would use it: the wrapper's header is the only way in for us. */
int mdb_env_create(void **env);
int mdb_env_open(void *env, const char *path, unsigned flags, mode_t mode);
int mdb_txn_begin(void *env, void *parent, unsigned flags, void **txn);
enum { RAW_RDONLY = 0x20000, RAW_NOTLS = 0x200000 };

static void take_all_slots(void)
{
	void *env, *txn;
	must(heard(in));
	must(mdb_env_create(&env) == 0);
	must(mdb_env_open(env, dir, RAW_RDONLY | RAW_NOTLS, 0600) == 0);
	for (int slots = 0;; slots++)
		if (mdb_txn_begin(env, NULL, RAW_RDONLY, &txn) != 0) {
			must(slots == 512);
			break;
		}
	say(out);
	heard(in);
}

static void a_full_table_of_dead_readers_is_cleared(void **state)
{
	(void)state;
	struct err e = {0};
	AUTO_STR struct str value = {0};
	struct child c = child_start(take_all_slots);
	struct db *db = open_here(DB_WRITE);
	say(c.to);
	assert_true(heard(c.from));
	assert_int_equal(db_load(db, DB_meta, "format", &value, &e), -1); /* all 512 alive */
	assert_int_equal(e.kind, ERR_ENV);
	assert_ok(db_save(db, DB_meta, "a", "b", 1, &e), &e); /* writers need none */
	kill(c.pid, SIGKILL);
	child_end(&c, SIGKILL);
	assert_ok(db_load(db, DB_meta, "format", &value, &e), &e);
	db_close(db);
}

/* ---- growth ---- */

enum { LARGE = 1 << 20, MANY = 70 };

static void read_across_growth(void)
{
	struct err e = {0};
	struct str value = {0};
	must(heard(in));
	struct db *db = open_child(DB_WRITE);
	must(db_load(db, DB_meta, "format", &value, &e) == 0);
	say(out);
	must(heard(in)); /* now the file is larger than our map */
	must(db_load(db, DB_results, "69", &value, &e) == 0 && value.len == LARGE);
	say(out);
	must(heard(in)); /* and again, for a writer */
	must(db_save(db, DB_meta, "child", "was here", 8, &e) == 0);
	str_fini(&value);
	db_close(db);
}

static void a_map_grows_here_and_is_followed_elsewhere(void **state)
{
	(void)state;
	struct child c = child_start(read_across_growth);
	struct db *db = open_here(DB_WRITE);
	struct db_batch b = {0};
	struct err e = {0};
	AUTO_STR struct str value = {0};
	AUTO_FREE char *large = mem_alloc(LARGE);

	say(c.to);
	assert_true(heard(c.from));
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < MANY; i++) {
			AUTO_FREE char *key = mem_printf("%d%s", i, round ? "+" : "");
			memset(large, i, LARGE);
			db_batch_put(&b, DB_results, key, large, LARGE);
		}
		assert_ok(db_batch_write(db, &b, &e), &e); /* 70 MiB in one transaction */
		db_batch_clear(&b);
		say(c.to);
		if (round == 0)
			assert_true(heard(c.from));
	}
	child_end(&c, 0);
	assert_true(file_size() > 128 << 20);
	assert_ok(db_load(db, DB_meta, "child", &value, &e), &e);
	for (int i = 0; i < MANY; i++) {
		AUTO_FREE char *key = mem_printf("%d", i);
		assert_ok(db_load(db, DB_results, key, &value, &e), &e);
		assert_true(value.len == LARGE && value.p[0] == i && value.p[LARGE - 1] == i);
	}
	db_close(db);
	db = open_here(DB_READ);
	assert_ok(db_load(db, DB_results, "69", &value, &e), &e);
	db_close(db);
}

/* A limit on the file's size stands for a full disk: the same commit fails half-way. */
static void write_without_room(void)
{
	struct err e = {0};
	struct str value = {0};
	char *large = mem_alloc(LARGE);
	struct rlimit old, limit;

	struct db *db = open_child(DB_WRITE);
	signal(SIGXFSZ, SIG_IGN);
	must(getrlimit(RLIMIT_FSIZE, &old) == 0);
	limit = (struct rlimit){300001, old.rlim_max};
	must(setrlimit(RLIMIT_FSIZE, &limit) == 0);
	for (int i = 0; i < 3; i++) {
		must(db_save(db, DB_results, "large", large, LARGE, &e) == -1);
		must(e.kind == ERR_NOSPACE);
		must(db_save(db, DB_meta, "small", "x", 1, &e) == 0);
		must(db_load(db, DB_results, "large", &value, &e) == -1 && e.kind == ERR_MISSING);
	}
	must(file_size() == 300001); /* a part of a page: what a full disk leaves */
	db_close(db);
	db = open_child(DB_WRITE); /* and no reason to call the store damaged */
	must(setrlimit(RLIMIT_FSIZE, &old) == 0);
	must(db_save(db, DB_results, "large", large, LARGE, &e) == 0);
	must(db_load(db, DB_results, "large", &value, &e) == 0 && value.len == LARGE);
	str_fini(&value);
	free(large);
	db_close(db);
}

static void no_room_is_said_and_passes(void **state)
{
	(void)state;
	struct child c = child_start(write_without_room);
	child_end(&c, 0);
}

static void create_within(rlim_t bytes)
{
	struct err e = {0};
	struct db *db;
	struct rlimit limit = {bytes, RLIM_INFINITY};

	must(setrlimit(RLIMIT_FSIZE, &limit) == 0);
	if (db_open(&db, dir, DB_WRITE, &e) == 0) {
		db_close(db);
		return;
	}
	must(e.kind == ERR_NOSPACE);
	must(db_open(&db, dir, DB_READ, &e) == -1 && e.kind == ERR_MISSING);
}

static void create_without_room(void)
{
	AUTO_FREE char *path = mem_printf("%s/data.mdb", dir);
	struct rlimit old;

	signal(SIGXFSZ, SIG_IGN);
	must(getrlimit(RLIMIT_FSIZE, &old) == 0);
	for (rlim_t bytes = 100; bytes < 40000; bytes += 4000)
		create_within(bytes); /* first it is lock.mdb that does not fit */
	for (rlim_t bytes = 100; bytes < 40000; bytes += 2000) {
		must(unlink(path) == 0);
		create_within(bytes); /* then the header and the pages of data.mdb */
	}
	must(setrlimit(RLIMIT_FSIZE, &old) == 0);
	db_close(open_child(DB_WRITE));
}

static void a_store_half_made_for_want_of_room_is_made_later(void **state)
{
	(void)state;
	struct child c = child_start(create_without_room);
	child_end(&c, 0);
	db_close(open_here(DB_READ));
}

static int put_large(struct db_txn *t, void *ctx, struct err *e)
{
	AUTO_FREE char *large = mem_alloc(LARGE);
	int rc = 0;

	++*(int *)ctx;
	for (int i = 0; rc == 0 && i < MANY; i++) {
		AUTO_FREE char *key = mem_printf("%d", i);
		rc = db_put(t, DB_results, key, large, LARGE, e);
	}
	return rc;
}

static void what_was_reserved_is_written_at_once(void **state)
{
	(void)state;
	struct db *db = open_here(DB_WRITE);
	struct err e = {0};
	int runs = 0;

	db_reserve(db, (size_t)2 * MANY * LARGE);
	assert_ok(db_write(db, put_large, &runs, &e), &e);
	assert_int_equal(runs, 1);
	db_reserve(db, SIZE_MAX / 2); /* more than there can be: the store is as good as before */
	assert_ok(db_save(db, DB_results, "0", "small", 5, &e), &e);
	db_close(db);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(a_killed_reader_does_not_fill_the_store),
		test(a_reader_killed_before_we_open_costs_nothing),
		test(more_than_126_dead_readers_are_cleared),
		test(a_full_table_of_dead_readers_is_cleared),
		test(a_map_grows_here_and_is_followed_elsewhere),
		test(what_was_reserved_is_written_at_once),
		test(no_room_is_said_and_passes),
		test(a_store_half_made_for_want_of_room_is_made_later),
	};
	return cmocka_run_group_tests_name("db_limits", tests, NULL, NULL);
}
