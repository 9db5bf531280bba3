/* What a job prints: never more on disk than allowed, head and tail exact, every byte counted. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "store/base/fs.h"
#include "worker/output.h"

static char *scratch, *path;
static uint64_t peak; /* most bytes on disk seen */

static uint64_t on_disk(void)
{
	uint64_t sum = 0;
	const char *const ends[] = {"", ".1", ".2"};
	for (int i = 0; i < 3; i++) {
		AUTO_FREE char *name = mem_printf("%s%s", path, ends[i]);
		struct stat st;
		if (stat(name, &st) == 0)
			sum += (uint64_t)st.st_size;
	}
	return sum;
}

static void look_at_disk(void)
{
	uint64_t now = on_disk();
	if (now > peak)
		peak = now;
}

/* In place of the C library's: while a log is joined, the moment before a part is removed is the
 * one when most is on disk. */
int unlink(const char *name)
{
	if (path)
		look_at_disk();
	return (int)syscall(SYS_unlinkat, AT_FDCWD, name, 0);
}

static void content(struct str *out)
{
	struct err e = {0};
	assert_ok(fs_read(path, 64 << 20, out, &e), &e);
}

static void no_parts_left(void)
{
	AUTO_FREE char *one = mem_printf("%s.1", path), *two = mem_printf("%s.2", path);
	assert_false(fs_exists(one) || fs_exists(two));
}

static void small_output_is_kept_as_it_is(void **state)
{
	(void)state;
	struct output *o;
	struct err e = {0};
	struct stat st;
	AUTO_STR struct str text = {0};
	AUTO_FREE char *part = mem_printf("%s.2", path), *victim = mem_printf("%s/victim", scratch);

	/* What was there: a link, which is not followed, and the remains of a crash. */
	assert_ok(fs_write(victim, "v", 1, false, &e), &e);
	assert_int_equal(symlink(victim, path), 0);
	assert_ok(fs_write(part, "old", 3, false, &e), &e);
	assert_ok(output_open(&o, path, 1 << 20, &e), &e);
	no_parts_left();
	assert_string_equal(output_last_line(o), "");
	output_tail(o, 100, &text);
	assert_int_equal(text.len, 0);
	output_write(o, "one\ntw", 6);
	/* A reader sees it at once. */
	content(&text);
	assert_string_equal(str_text(&text), "one\ntw");
	output_write(o, "o\0\xff\n", 5);
	output_write(o, "", 0);
	assert_int_equal(output_bytes(o), 11);
	assert_ok(output_close(o, &e), &e);
	str_clear(&text);
	content(&text);
	assert_int_equal(text.len, 11);
	assert_memory_equal(text.p, "one\ntwo\0\xff\n", 11);
	assert_int_equal(lstat(path, &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0600);
	assert_int_equal(stat(victim, &st), 0);
	assert_int_equal(st.st_size, 1);
	assert_ok(output_close(NULL, &e), &e);
}

static void check_last_line(const struct output *o, const struct str *all)
{
	size_t end = all->len, start;
	while (end && strchr("\r\n", all->p[end - 1]))
		end--;
	for (start = end; start && !strchr("\r\n", all->p[start - 1]);)
		start--;
	size_t n = end - start < OUTPUT_LINE_MAX ? end - start : OUTPUT_LINE_MAX;
	assert_int_equal(strlen(output_last_line(o)), n);
	assert_memory_equal(output_last_line(o), str_text(all) + start, n);
}

static void check_tail(const struct output *o, const struct str *all, size_t n)
{
	AUTO_STR struct str got = {0};
	size_t most = n < OUTPUT_TAIL_MAX ? n : OUTPUT_TAIL_MAX;
	if (most > all->len)
		most = all->len;
	str_add(&got, "before");
	output_tail(o, n, &got);
	const char *p = got.p + 6;
	size_t len = got.len - 6;
	assert_true(len <= most);
	assert_memory_equal(p, all->p + all->len - len, len);
	/* Cut at a line; nothing that was whole is missing. */
	if (len < most) {
		assert_int_equal(all->p[all->len - len - 1], '\n');
		assert_null(memchr(all->p + all->len - most, '\n', most - len - 1));
	}
}

/* The log is the beginning and the end of what was printed, and the count between them is right. */
static void check_log(const struct str *all, uint64_t limit)
{
	AUTO_STR struct str log = {0};
	content(&log);
	assert_true(log.len <= limit);
	if (log.len == all->len) {
		assert_memory_equal(log.p, all->p, log.len);
		return;
	}
	/* The text has no brackets. */
	const char *note = memchr(log.p, '[', log.len), *tail = strstr(log.p, " bytes left out]\n");
	assert_true(note && tail);
	tail += strlen(" bytes left out]\n");
	uint64_t missing = strtoull(note + 1, NULL, 10);
	size_t head_len = (size_t)(note - log.p), tail_len = (size_t)(log.p + log.len - tail);
	/* It is a line of its own: a newline was added when the head ended in the middle of one. */
	assert_int_equal(note[-1], '\n');
	if (head_len + missing + tail_len > all->len)
		head_len--;
	assert_int_equal(head_len + missing + tail_len, all->len);
	assert_memory_equal(log.p, all->p, head_len);
	assert_memory_equal(tail, all->p + all->len - tail_len, tail_len);
	/* A quarter at the beginning, a quarter or more at the end. */
	assert_true(head_len >= limit / 4 - 64 && tail_len >= limit / 4 - 64);
}

static void random_output(void **state)
{
	(void)state;
	struct test_rng rng = test_rng_new();
	for (int round = 0; round < 60; round++) {
		uint64_t limit = OUTPUT_LIMIT_MIN + test_rng_below(&rng, 200000);
		uint64_t total = test_rng_below(&rng, 3 * limit);
		uint64_t widest = 1 + test_rng_below(&rng, 90000);
		uint64_t line = 1 + test_rng_below(&rng, 2000);
		AUTO_STR struct str all = {0};
		struct output *o;
		struct err e = {0};

		assert_ok(output_open(&o, path, limit, &e), &e);
		peak = 0;
		while (all.len < total) {
			size_t before = all.len;
			for (uint64_t n = 1 + test_rng_below(&rng, widest); n; n--) {
				uint64_t r = test_rng_below(&rng, line + 26);
				char letter = (char)('a' + r % 26);
				str_addc(&all, r == 0 ? '\n' : r == 1 ? '\r' : letter);
			}
			output_write(o, all.p + before, all.len - before);
			look_at_disk();
			check_last_line(o, &all);
			check_tail(o, &all, 1 + test_rng_below(&rng, 70000));
		}
		assert_int_equal(output_bytes(o), all.len);
		assert_ok(output_close(o, &e), &e);
		look_at_disk();
		assert_true(peak <= limit);
		no_parts_left();
		check_log(&all, limit);
	}
}

static void last_lines(void **state)
{
	(void)state;
	struct output *o;
	struct err e = {0};
	char wide[500];

	assert_ok(output_open(&o, path, 1 << 20, &e), &e);
	const struct {
		const char *bytes, *line;
	} steps[] = {
		{"first", "first"},      {" half", "first half"},      {"\n", "first half"},
		{"\n\r\n", "first half"}, {"10%\r20%\r", "20%"},        {"30", "30"},
		{"%\rdone\n", "done"},   {"a\nb\n\n\n", "b"},
	};
	for (size_t i = 0; i < MEM_COUNT(steps); i++) {
		output_write(o, steps[i].bytes, strlen(steps[i].bytes));
		assert_string_equal(output_last_line(o), steps[i].line);
	}
	/* Of a long line the beginning, also when it comes in pieces. */
	memset(wide, 'w', sizeof wide);
	output_write(o, "<", 1);
	output_write(o, wide, 150);
	output_write(o, wide, sizeof wide);
	assert_int_equal(strlen(output_last_line(o)), OUTPUT_LINE_MAX);
	assert_int_equal(output_last_line(o)[0], '<');
	assert_ok(output_close(o, &e), &e);
}

/* A limit on the size of files stands for the full disk: writes fail in the middle. */
static void a_failing_disk_is_reported_once_at_the_end(void **state)
{
	(void)state;
	struct rlimit old, small;
	struct output *o;
	struct err e = {0};
	char line[100];
	AUTO_STR struct str text = {0};

	memset(line, 'x', sizeof line);
	line[99] = '\n';
	assert_ok(output_open(&o, path, 1 << 20, &e), &e);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = old;
	small.rlim_cur = 4096 + 50;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	for (int i = 0; i < 1000; i++)
		output_write(o, line, sizeof line);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	signal(SIGXFSZ, SIG_DFL);
	assert_int_equal(output_bytes(o), 100000);
	assert_int_equal(strlen(output_last_line(o)), 99);
	assert_int_equal(output_close(o, &e), -1);
	assert_int_equal(e.code, EFBIG);
	assert_non_null(strstr(e.text, path));
	content(&text);
	/* What is there is whole, and says what is not. */
	assert_int_equal(text.p[4099], '\n');
	assert_non_null(strstr(text.p, "\n\n[95900 bytes not written: File too large]\n"));
	no_parts_left();
}

static void logs_that_cannot_be(void **state)
{
	(void)state;
	struct output *o = NULL;
	struct err e = {0};
	AUTO_FREE char *nowhere = mem_printf("%s/no/folder", scratch);

	assert_int_equal(output_open(&o, nowhere, 1 << 20, &e), -1);
	assert_int_equal(e.kind, ERR_MISSING);
	assert_non_null(strstr(e.text, nowhere));
	assert_int_equal(output_open(&o, path, OUTPUT_LIMIT_MIN - 1, &e), -1);
	assert_int_equal(e.kind, ERR_USAGE);
	assert_null(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(small_output_is_kept_as_it_is),
		cmocka_unit_test(last_lines),
		cmocka_unit_test(random_output),
		cmocka_unit_test(a_failing_disk_is_reported_once_at_the_end),
		cmocka_unit_test(logs_that_cannot_be),
	};
	scratch = test_scratch();
	path = mem_printf("%s/agent.log", scratch);
	int rc = cmocka_run_group_tests_name("output", tests, NULL, NULL);
	mem_freep(&path);
	path = NULL;
	test_scratch_remove(scratch);
	return rc;
}
