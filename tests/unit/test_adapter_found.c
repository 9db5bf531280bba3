/* adapter_run: what is found in streams and files: final texts, usage, conversations, when a limit ends. */
#include "adapter_run.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- final, usage, conversation ---- */

static void final_in_order(void **state)
{
	struct run t = {0};
	struct err e = {0};
	char *dir = test_scratch();
	AUTO_FREE char *path = mem_printf("%s/last", dir);
	static const char *const rules[] = {"final: file {last_file}", "final: json type=result .object", "final: json type=result .text first",
	                                    "final: stdout last", NULL};

	(void)state;
	/* No file; an object comes as JSON. */
	t.call.last_file = path;
	begin(&t, rules);
	feed(&t, 1, "{\"type\":\"result\",\"text\":\"t\",\"object\":{\"a\":[1]}}\n");
	end(&t, JOB_EXITED, 0);
	assert_string_equal(t.o.final, "{\"a\":[1]}");
	fini(&t);
	/* A file with nothing in it is none. */
	assert_ok(fs_write(path, " \n", 2, false, &e), &e);
	t.call.last_file = path;
	begin(&t, rules);
	feed(&t, 1, "{\"type\":\"result\",\"text\":\"t1\"}\n{\"type\":\"result\",\"text\":\"t2\"}\n");
	end(&t, JOB_EXITED, 0);
	assert_string_equal(t.o.final, "t1");
	fini(&t);
	assert_ok(fs_write(path, "from \0 file", 11, false, &e), &e);
	t.call.last_file = path;
	begin(&t, rules);
	end(&t, JOB_EXITED, 0);
	assert_string_equal(t.o.final, "from ");
	fini(&t);
	/* A pipe is not waited for; no hole, no file. */
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	t.call.last_file = path;
	begin(&t, rules);
	feed(&t, 1, "talk\n{\"status\":\"first\"}\nmore\n{\"status\":\"last\"}\nbye\n");
	end(&t, JOB_EXITED, 0);
	assert_string_equal(t.o.final, "{\"status\":\"last\"}");
	fini(&t);
	begin(&t, rules);
	end(&t, JOB_EXITED, 0);
	assert_null(t.o.final);
	fini(&t);
	/* The end of what it said. */
	BEGIN(&t, "final: stdout last", "final: stdout tail");
	feed(&t, 2, "not this\n");
	for (int i = 0; i < 100000; i++)
		feed(&t, 1, "line\n");
	feed(&t, 1, "{\r\n \"a\": 1\n}");
	end(&t, JOB_EXITED, 0);
	assert_true(str_ends(t.o.final, "\nline\n{\n \"a\": 1\n}\n"));
	assert_true(strlen(t.o.final) > 200000 && strlen(t.o.final) < 600000);
	fini(&t);
	test_scratch_remove(dir);
}

static void usage_is_summed(void **state)
{
	struct run t = {0};

	(void)state;
	BEGIN(&t, "usage: input: json type=u .in sum", "usage: input: json type=u .more last", "usage: output: json type=u .out last whole",
	      "usage: cached: json type=u .none", "usage: cost: json type=u .cost sum");
	feed(&t, 1, "{\"type\":\"u\",\"in\":10,\"more\":1,\"out\":3,\"cost\":0.0123456}\n{\"type\":\"u\",\"in\":5,\"more\":2,\"out\":4,\"cost\":1}\n");
	feed(&t, 1, "{\"type\":\"u\",\"in\":-1e300,\"out\":\"many\",\"cost\":0}\n{\"type\":\"u\",\"in\":1e300,\"out\":9}\n");
	end(&t, JOB_EXITED, 0);
	assert_int_equal(t.o.input, 2); /* sums beyond reason are none */
	assert_int_equal(t.o.output, 9);
	assert_int_equal(t.o.cost_micro, 1012346);
	assert_true(t.o.counted && t.o.priced && t.o.whole);
	fini(&t);
}

static void conversations(void **state)
{
	struct run t = {0};
	AUTO_STR struct str long_id = {0};

	(void)state;
	t.call.session = "given";
	BEGIN(&t, "session: json .id");
	feed(&t, 1, "{\"x\":1}\n");
	assert_null(adapter_session(t.r));
	/* None of these is an id that may be put into a command line. */
	feed(&t, 1, "{\"id\":\"\"}\n{\"id\":\"--yolo\"}\n{\"id\":\"a b\"}\n{\"id\":\"a\\u0007\"}\n{\"id\":null}\n{\"id\":\"\xc3\xa9\"}\n");
	assert_null(adapter_session(t.r));
	str_add(&long_id, "{\"id\":\"");
	for (int i = 0; i < 300; i++)
		str_addc(&long_id, 'x');
	str_add(&long_id, "\"}\n");
	feed(&t, 1, long_id.p);
	assert_null(adapter_session(t.r));
	feed(&t, 1, "{\"id\":\"ses_1\"}");
	assert_null(adapter_session(t.r));
	feed(&t, 1, "\n{\"id\":\"ses_2\"}\n");
	assert_string_equal(adapter_session(t.r), "ses_1");
	end(&t, JOB_SIGNALED, 9);
	assert_string_equal(t.o.session, "ses_1");
	fini(&t);
	t.call.session = "given";
	BEGIN(&t, "session: preset");
	end(&t, JOB_EXITED, 0);
	assert_string_equal(t.o.session, "given");
	fini(&t);
}

/* ---- resets ---- */

static void the_first_time_that_is_given(void **state)
{
	struct run t = {0};
	static const char *const rules[] = {"fail: limit: stderr ~ limit", "fail: transient: stderr ~ again", "fail: auth: stderr ~ key",
	                                    "reset: epoch: json type=rate .at", "reset: duration: text ~ in ([0-9smh]+)",
	                                    "reset: clock: text ~ at (.*)", NULL};
	static const struct {
		const char *out, *err;
		uint64_t until_ms;
	} cases[] = {
		{"{\"type\":\"rate\",\"at\":1795222629}\n", "limit, try in 5m\n", NOW + 7200000},
		{"{\"type\":\"rate\",\"at\":\"never\"}\n", "limit, try in 5m\n", NOW + 300000},
		{"", "limit, resets at 11:38 PM\n", NOW + 41 * 60000 + 51000},
		{"", "limit\n", 0},
		{"", "try again in 1h\n", NOW + 3600000},
		{"", "wrong key, look in 5m\n", 0}, /* nothing to wait for */
		{"", "limit in 5m\nlimit in 10m\n", NOW + 600000},
	};

	(void)state;
	for (size_t i = 0; i < MEM_COUNT(cases); i++) {
		begin(&t, rules);
		feed(&t, 1, cases[i].out);
		feed(&t, 2, cases[i].err);
		end(&t, JOB_EXITED, 1);
		assert_int_equal(t.o.until_ms, cases[i].until_ms);
		fini(&t);
	}
}

/* From when the line came, not from when the program ended; a clock in the program's zone. */
static void relative_to_the_line(void **state)
{
	struct run t = {0};
	char *tokyo[] = {"TZ=JST-9", NULL};
	struct job_result result = {.end = JOB_EXITED, .status = 1};

	(void)state;
	BEGIN(&t, "fail: limit: stderr ~ limit", "reset: duration: text ~ in (.*)");
	feed(&t, 2, "limit, try in 1h\n");
	adapter_feed(t.r, 1, "x\n", 2, NOW + 900000);
	adapter_end(t.r, &result, NOW + 1800000, &t.o);
	assert_int_equal(t.o.until_ms, NOW + 3600000);
	fini(&t);
	t.call.env = tokyo;
	BEGIN(&t, "fail: limit: stderr ~ limit", "reset: clock: text ~ at (.*)");
	feed(&t, 2, "limit, resets at 9:00 AM\n"); /* 7:57 there */
	end(&t, JOB_EXITED, 1);
	assert_int_equal(t.o.until_ms, NOW + 63 * 60000 + 51000);
	fini(&t);
}

static void a_time_in_a_file(void **state)
{
	struct run t = {0};
	struct err e = {0};
	char *dir = test_scratch();
	AUTO_FREE char *folder = mem_printf("%s/sessions/2026/11", dir), *home = mem_printf("HOME_X=%s", dir);
	AUTO_FREE char *file = mem_printf("%s/run-c-1.jsonl", folder), *other = mem_printf("%s/run-c-2.jsonl", folder);
	char *env[] = {home, NULL};
	static const char *const rules[] = {"session: json .id", "fail: limit: exit 1",
	                                    "reset: epoch: file {env:NONE}/sessions/*/*/run-{session}.jsonl .at",
	                                    "reset: epoch: file {env:HOME_X}/sessions/*/*/run-{session}.jsonl used=100 .r.at last", NULL};
	static const char lines[] = "{\"used\":100.0,\"r\":{\"at\":1795219029}}\nnoise\n{\"used\":100,\"r\":{\"at\":1795222629}}\n{\"used\":40,\"r\":{\"at\":1}}\n";
	static const char over[] = "{\"used\":100,\"r\":{\"at\":1795210000}}\n";

	(void)state;
	assert_ok(fs_mkdirs(folder, &e), &e);
	assert_ok(fs_write(file, lines, sizeof lines - 1, false, &e), &e);
	assert_ok(fs_write(other, over, sizeof over - 1, false, &e), &e);
	static const struct {
		const char *out;
		uint64_t until_ms;
	} cases[] = {
		{"{\"id\":\"c-1\"}\n", NOW + 7200000},
		{"{\"id\":\"c-2\"}\n", 0}, /* of a limit that is over */
		{"{\"id\":\"c-3\"}\n", 0},
		{"{\"id\":\"*\"}\n", 0},
		{"{\"id\":\"../11/run-c-1\"}\n", 0},
		{"", 0},
	};
	for (size_t i = 0; i < MEM_COUNT(cases); i++) {
		t.call.env = env;
		begin(&t, rules);
		feed(&t, 1, cases[i].out);
		end(&t, JOB_EXITED, 1);
		assert_int_equal(t.o.class, ADAPTER_LIMIT);
		assert_int_equal(t.o.until_ms, cases[i].until_ms);
		fini(&t);
	}
	test_scratch_remove(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(final_in_order),
		cmocka_unit_test(usage_is_summed),
		cmocka_unit_test(conversations),
		cmocka_unit_test(the_first_time_that_is_given),
		cmocka_unit_test(relative_to_the_line),
		cmocka_unit_test(a_time_in_a_file),
	};
	return cmocka_run_group_tests_name("adapter_found", tests, NULL, NULL);
}
