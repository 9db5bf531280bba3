/* The store: order, atomicity, one environment per process (pitfalls 7.1, 7.13), and several
 * writers, some of them killed or stopped (7.2). */
#include "db_child.h"

/* ---- in one process ---- */

static int list_row(void *ctx, const char *key, const void *value, size_t n, struct err *e)
{
	(void)e;
	str_addf(ctx, "%s=%.*s;", key, (int)n, (const char *)value);
	return str_ends(key, "/stop");
}

struct scan {
	const char *prefix;
	struct str list;
};

static int list_prefix(struct db_txn *t, void *ctx, struct err *e)
{
	struct scan *s = ctx;
	return db_scan(t, DB_tasks, s->prefix, list_row, &s->list, e);
}

static void assert_scan(struct db *db, const char *prefix, const char *expected)
{
	struct scan s = {.prefix = prefix};
	struct err e = {0};
	assert_ok(db_read(db, list_prefix, &s, &e), &e);
	assert_string_equal(str_text(&s.list), expected);
	str_fini(&s.list);
}

static int copy_row(struct db_txn *t, const char *key, const void *from, size_t n, struct err *e)
{
	const void *value;
	size_t len;

	assert_true(n && !((const char *)from)[n - 1]);
	return db_get(t, DB_tasks, from, &value, &len, e) != 0 ? -1 : db_put(t, DB_tasks, key, value, len, e);
}

static void a_scan_gives_the_keys_of_a_prefix_in_order(void **state)
{
	(void)state;
	struct db *db = open_here(DB_WRITE);
	struct db_batch b = {0};
	struct err e = {0};
	const char *const keys[] = {"q/000010/d", "q/000002/d", "q/000002/s", "qq/000001/d", "p",
	                            "q/000009/stop", "q\xff", "q"};
	for (size_t i = 0; i < MEM_COUNT(keys); i++)
		db_batch_put(&b, DB_tasks, keys[i], "v", i % 2);
	db_batch_put(&b, DB_queues, "q/000003/d", "other table", 11);
	assert_ok(db_batch_write(db, &b, &e), &e);
	db_batch_clear(&b);
	assert_scan(db, "q/", "q/000002/d=v;q/000002/s=;q/000009/stop=v;"); /* "enough" */
	assert_scan(db, "q/000002/", "q/000002/d=v;q/000002/s=;");
	assert_scan(db, "q/00001", "q/000010/d=;");
	assert_scan(db, "q\xff", "q\xff=;");
	assert_scan(db, "r", "");
	db_batch_del(&b, DB_tasks, "q/000009/stop");
	db_batch_del(&b, DB_tasks, "never was there");
	db_batch_call(&b, copy_row, "q/000010/copy", "q/000002/d", 11); /* with all that is before it in the list */
	db_batch_del(&b, DB_tasks, "q/000010/d");
	assert_ok(db_batch_write(db, &b, &e), &e);
	db_batch_clear(&b);
	assert_scan(db, "q/00001", "q/000010/copy=v;");
	assert_scan(db, "", "p=;q=v;q/000002/d=v;q/000002/s=;q/000010/copy=v;qq/000001/d=v;q\xff=;");
	db_close(db);
}

static int delete_row(void *ctx, const char *key, const void *value, size_t n, struct err *e)
{
	(void)value;
	(void)n;
	return db_del(ctx, DB_journal, key, e);
}

static int delete_prefix(struct db_txn *t, void *ctx, struct err *e)
{
	return db_scan(t, DB_journal, ctx, delete_row, t, e);
}

static void rows_may_be_deleted_while_they_are_scanned(void **state)
{
	(void)state;
	struct db *db = open_here(DB_WRITE);
	struct db_batch b = {0};
	struct err e = {0};
	AUTO_STR struct str value = {0};
	for (int i = 0; i < 3000; i++) {
		AUTO_FREE char *key = mem_printf("%s/%016x", i % 3 ? "aaaaaa" : "bbbbbb", i);
		db_batch_put(&b, DB_journal, key, key, strlen(key));
	}
	assert_ok(db_batch_write(db, &b, &e), &e);
	db_batch_clear(&b);
	assert_ok(db_write(db, delete_prefix, "aaaaaa/", &e), &e);
	for (int i = 0; i < 3000; i++) {
		AUTO_FREE char *key = mem_printf("%s/%016x", i % 3 ? "aaaaaa" : "bbbbbb", i);
		assert_int_equal(db_load(db, DB_journal, key, &value, &e), i % 3 ? -1 : 0);
		assert_true(i % 3 ? e.kind == ERR_MISSING : str_eq(value.p, key));
	}
	db_close(db);
}

static int put_then_fail(struct db_txn *t, void *ctx, struct err *e)
{
	if (db_put(t, DB_meta, "half", "done", 4, e) != 0)
		return -1;
	return *(int *)ctx ? *(int *)ctx : err_set(e, ERR_MOVED, "not today");
}

static void a_batch_is_written_whole_or_not_at_all(void **state)
{
	(void)state;
	struct db *db = open_here(DB_WRITE);
	struct db_batch b = {0};
	struct err e = {0};
	AUTO_STR struct str value = {0};
	char key[502];

	memset(key, 'k', sizeof key - 1);
	key[501] = '\0';
	db_batch_put(&b, DB_meta, "half", "done", 4);
	db_batch_put(&b, DB_meta, key, "too long", 8);
	assert_int_equal(db_batch_write(db, &b, &e), -1);
	assert_int_equal(e.kind, ERR_BUG);
	assert_int_equal(db_load(db, DB_meta, "half", &value, &e), -1);
	db_batch_clear(&b);
	assert_int_equal(db_save(db, DB_meta, "", "x", 1, &e), -1);
	assert_int_equal(db_save(db, DB_meta, key + 1, "x", 1, &e), 0);

	int result = 0; /* what a closure returns is what its caller gets, and nothing is kept */
	assert_int_equal(db_write(db, put_then_fail, &result, &e), -1);
	assert_int_equal(e.kind, ERR_MOVED);
	result = 7;
	assert_int_equal(db_write(db, put_then_fail, &result, &e), 7);
	assert_int_equal(db_load(db, DB_meta, "half", &value, &e), -1);
	assert_int_equal(e.kind, ERR_MISSING);
	assert_int_equal(db_read(db, put_then_fail, &result, &e), -1); /* no writing while reading */
	assert_int_equal(e.kind, ERR_BUG);
	assert_ok(db_batch_write(db, &b, &e), &e); /* empty */
	db_close(db);
}

static int open_inside(struct db_txn *t, void *ctx, struct err *e)
{
	struct db **db = ctx, *other;
	AUTO_STR struct str value = {0};
	(void)t;
	assert_int_equal(db_load(*db, DB_meta, "format", &value, e), -1);
	assert_int_equal(e->kind, ERR_BUG);
	assert_int_equal(db_save(*db, DB_meta, "a", "b", 1, e), -1);
	assert_int_equal(e->kind, ERR_BUG);
	assert_int_equal(db_open(&other, dir, DB_READ, e), -1);
	assert_int_equal(e->kind, ERR_BUG);
	return 0;
}

static void a_second_open_and_a_nested_transaction_are_refused(void **state)
{
	(void)state;
	struct err e = {0};
	struct db *db = open_here(DB_WRITE);
	assert_ok(db_write(db, open_inside, &db, &e), &e);
	assert_ok(db_read(db, open_inside, &db, &e), &e);
	db_close(db);
	db_close(NULL);
	db = open_here(DB_READ);
	assert_int_equal(db_save(db, DB_meta, "a", "b", 1, &e), -1);
	assert_int_equal(e.kind, ERR_BUG);
	db_close(db);
	assert_true(strstr(db_version(), "LMDB") != NULL);
}

static void modes_do_not_depend_on_the_umask(void **state)
{
	(void)state;
	const char *const files[] = {"data.mdb", "lock.mdb", "writer.lock"};
	struct stat st;
	mode_t mask = umask(0777);
	db_close(open_here(DB_WRITE));
	assert_int_equal(umask(mask), 0777);
	assert_int_equal(stat(dir, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	for (size_t i = 0; i < MEM_COUNT(files); i++) {
		AUTO_FREE char *path = mem_printf("%s/%s", dir, files[i]);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 07777, 0600);
	}
}

/* ---- several writers ---- */

static int increment(struct db_txn *t, void *ctx, struct err *e)
{
	const void *value;
	size_t n;
	char text[32] = "0";
	uint64_t v;

	(void)ctx;
	if (db_get(t, DB_meta, "counter", &value, &n, e) == 0)
		snprintf(text, sizeof text, "%.*s", (int)n, (const char *)value);
	else if (e->kind != ERR_MISSING)
		return -1;
	if (!str_u64(text, &v))
		return err_set(e, ERR_BUG, "counter is %s", text);
	snprintf(text, sizeof text, "%llu", (unsigned long long)v + 1);
	return db_put(t, DB_meta, "counter", text, strlen(text), e);
}

enum { WRITERS = 8, ROUNDS = 200 };

static void count_up(void)
{
	struct err e = {0};
	must(heard(in));
	struct db *db = open_child(DB_WRITE); /* all at once, on a folder that is not there */
	for (int i = 0; i < ROUNDS; i++)
		must(db_write(db, increment, NULL, &e) == 0);
	db_close(db);
}

static void eight_writers_lose_nothing(void **state)
{
	(void)state;
	struct child c[WRITERS];
	struct err e = {0};
	AUTO_STR struct str value = {0};
	for (int i = 0; i < WRITERS; i++)
		c[i] = child_start(count_up);
	for (int i = 0; i < WRITERS; i++)
		say(c[i].to);
	for (int i = 0; i < WRITERS; i++)
		child_end(&c[i], 0);
	struct db *db = open_here(DB_READ);
	assert_ok(db_load(db, DB_meta, "counter", &value, &e), &e);
	assert_string_equal(value.p, "1600");
	db_close(db);
}

static int put_and_wait(struct db_txn *t, void *ctx, struct err *e)
{
	(void)ctx;
	must(db_put(t, DB_meta, "unfinished", "x", 1, e) == 0);
	say(out);
	heard(in);
	return 0;
}

static void write_and_wait(void)
{
	struct err e = {0};
	must(heard(in));
	struct db *db = open_child(DB_WRITE);
	db_write(db, put_and_wait, NULL, &e);
}

static void a_killed_writer_leaves_the_store_free_and_clean(void **state)
{
	(void)state;
	struct err e = {0};
	AUTO_STR struct str value = {0};
	struct child c = child_start(write_and_wait);
	struct db *db = open_here(DB_WRITE);
	say(c.to);
	assert_true(heard(c.from));
	kill(c.pid, SIGKILL);
	child_end(&c, SIGKILL);
	db_set_patience(db, 0); /* nobody is to be waited for */
	assert_ok(db_save(db, DB_meta, "next", "y", 1, &e), &e);
	assert_int_equal(db_load(db, DB_meta, "unfinished", &value, &e), -1);
	assert_int_equal(e.kind, ERR_MISSING);
	assert_ok(db_load(db, DB_meta, "next", &value, &e), &e);
	db_close(db);
}

static void a_stopped_writer_is_named_within_the_patience(void **state)
{
	(void)state;
	struct err e = {0};
	AUTO_STR struct str value = {0};
	struct child c = child_start(write_and_wait);
	struct db *db = open_here(DB_WRITE);
	AUTO_FREE char *name = mem_printf("writer pid %d", (int)c.pid);
	AUTO_FREE char *stopped = mem_printf("%s (stopped)", name);
	say(c.to);
	assert_true(heard(c.from));
	db_set_patience(db, 50);
	assert_int_equal(db_save(db, DB_meta, "next", "y", 1, &e), -1);
	assert_int_equal(e.kind, ERR_HELD);
	assert_true(strstr(e.text, name) && !strstr(e.text, stopped));

	kill(c.pid, SIGSTOP);
	assert_int_equal(waitpid(c.pid, NULL, WUNTRACED), c.pid);
	assert_int_equal(db_save(db, DB_meta, "next", "y", 1, &e), -1);
	assert_int_equal(e.kind, ERR_HELD);
	assert_int_equal(e.code, c.pid);
	assert_non_null(strstr(e.text, stopped));
	assert_ok(db_load(db, DB_meta, "format", &value, &e), &e); /* readers go on */
	db_close(db);
	db = open_here(DB_WRITE); /* and so does opening */

	kill(c.pid, SIGCONT);
	say(c.to);
	child_end(&c, 0);
	assert_ok(db_save(db, DB_meta, "next", "y", 1, &e), &e);
	assert_ok(db_load(db, DB_meta, "unfinished", &value, &e), &e);
	db_close(db);
}

/* ---- fork ---- */

static void an_environment_inherited_through_fork_is_refused(void **state)
{
	(void)state;
	struct err e = {0};
	AUTO_STR struct str value = {0};
	struct db *db = open_here(DB_WRITE), *other;
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		must(db_save(db, DB_meta, "child", "x", 1, &e) == -1 && e.kind == ERR_BUG);
		must(strstr(e.text, "fork"));
		must(db_load(db, DB_meta, "format", &value, &e) == -1 && e.kind == ERR_BUG);
		must(db_open(&other, dir, DB_READ, &e) == -1 && e.kind == ERR_BUG);
		db_close(db); /* must not touch what it shares with the parent */
		must(db_open(&other, dir, DB_READ, &e) == -1 && e.kind == ERR_BUG);
		_exit(0);
	}
	int status = -1;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_ok(db_save(db, DB_meta, "parent", "x", 1, &e), &e);
	assert_ok(db_load(db, DB_meta, "parent", &value, &e), &e);
	db_close(db);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(a_scan_gives_the_keys_of_a_prefix_in_order),
		test(rows_may_be_deleted_while_they_are_scanned),
		test(a_batch_is_written_whole_or_not_at_all),
		test(a_second_open_and_a_nested_transaction_are_refused),
		test(modes_do_not_depend_on_the_umask),
		test(eight_writers_lose_nothing),
		test(a_killed_writer_leaves_the_store_free_and_clean),
		test(a_stopped_writer_is_named_within_the_patience),
		test(an_environment_inherited_through_fork_is_refused),
	};
	return cmocka_run_group_tests_name("db", tests, NULL, NULL);
}
