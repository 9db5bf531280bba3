/* adapter_run: streams cut anywhere, rules judged over all lines, what is to be ended, lines for people. */
#include "adapter_run.h"

/* ---- lines ---- */

static const char stream[] = "noise\n\n{\"type\":\"begin\",\"id\":\"c-1\"}\r\nNUL \0 and \xff bytes\n\x1b[1m{\"type\":\"text\",\"text\":\"one \xc3\xa9\"}\n"
                             "{\"type\":\"text\",\"text\":\"bad \xff \\ud83d\"}\n{\"type\":\"tool\"}\n{\"type\":\"text\",\"text\":\"two\"}\n"
                             "{\"type\":\"text\",\"text\":\" three\"}\n{\"type\":\"end\",\"n\":3}";

static void check_stream(struct run *t)
{
	end(t, JOB_EXITED, 0);
	assert_int_equal(t->o.class, ADAPTER_OK);
	assert_string_equal(t->o.session, "c-1");
	assert_string_equal(t->o.final, "two three");
	assert_int_equal(t->o.input, 3);
	assert_true(t->o.counted && !t->o.priced);
	fini(t);
}
#define STREAM_RULES "session: json type=begin .id", "final: json type=text .text concat since type=tool", "ok: exit 0", "ok: json type=end", \
	"ok: stdout ~ ^NUL   and \\xff bytes$", "usage: input: json type=end .n"

static void cut_anywhere(void **state)
{
	struct run t = {0};
	size_t n = sizeof stream - 1;

	(void)state;
	for (size_t at = 0; at <= n; at++) {
		BEGIN(&t, STREAM_RULES);
		adapter_feed(t.r, 1, stream, at, NOW);
		adapter_feed(t.r, 2, "stderr between", 14, NOW);
		adapter_feed(t.r, 1, stream + at, n - at, NOW);
		check_stream(&t);
	}
	BEGIN(&t, STREAM_RULES);
	for (size_t i = 0; i < n; i++)
		adapter_feed(t.r, 1, stream + i, 1, NOW);
	check_stream(&t);
}

static void long_lines(void **state)
{
	struct run t = {0};
	enum { MIB = 1 << 20, N = 9 * MIB };
	char *big = mem_alloc(N + 1);

	(void)state;
	memset(big, 'x', N);
	BEGIN(&t, "final: json type=text .text last", "ok: json type=end", "fail: failed: json type=text .text ~ ^x+$");
	/* 1 MiB is read ... */
	feed(&t, 1, "{\"type\":\"text\",\"text\":\"");
	adapter_feed(t.r, 1, big, MIB, NOW);
	feed(&t, 1, "\"}\n");
	/* ... 9 are skipped, in pieces and in one, and what follows is read. */
	feed(&t, 1, "{\"type\":\"text\",\"text\":\"");
	for (size_t i = 0; i < N; i += 60000)
		adapter_feed(t.r, 1, big + i, N - i < 60000 ? N - i : 60000, NOW);
	feed(&t, 1, "\"}\n");
	big[N - 1] = '\n';
	adapter_feed(t.r, 1, big, N, NOW);
	feed(&t, 1, "{\"type\":\"end\"}\n");
	end(&t, JOB_EXITED, 0);
	assert_int_equal(t.o.class, ADAPTER_OK);
	assert_int_equal(strlen(t.o.final), MIB);
	fini(&t);
	/* Endless, without one line end. */
	BEGIN(&t, "fail: limit: stdout ~ xxx");
	for (int i = 0; i < 20; i++)
		adapter_feed(t.r, 1, big, N - 1, NOW);
	end(&t, JOB_EXITED, 1);
	assert_int_equal(t.o.class, ADAPTER_FAILED);
	fini(&t);
	free(big);
}

/* ---- rules ---- */

static enum adapter_class class_of(const char *rule, const char *out, const char *err, enum job_end how, int status)
{
	struct run t = {0};

	BEGIN(&t, "ok: exit 99", rule);
	feed(&t, 1, out);
	feed(&t, 2, err);
	end(&t, how, status);
	enum adapter_class c = t.o.class;
	fini(&t);
	return c;
}

static void each_test(void **state)
{
	static const struct {
		const char *rule, *out, *err;
		enum job_end how;
		int status;
		bool holds;
	} cases[] = {
		{"exit 3,75", "", "", JOB_EXITED, 75, true},
		{"exit 3,75", "", "", JOB_EXITED, 7, false},
		{"exit 3", "", "", JOB_SIGNALED, 3, false},
		{"exit !3", "", "", JOB_EXITED, 4, true},
		{"exit !3", "", "", JOB_EXITED, 3, false},
		{"!exit 3", "", "", JOB_EXITED, 3, false},
		{"signal 9", "", "", JOB_SIGNALED, 9, true},
		{"signal 9", "", "", JOB_STOPPED, 9, false},
		{"json a=b", "{\"a\":\"b\"}\n", "", JOB_EXITED, 1, true},
		{"json a=b", "", "{\"a\":\"b\"}\n", JOB_EXITED, 1, false},
		{"json a=b", "{\"a\":\"c\"}\n{\"b\":\"b\"}\n[\"a\"]\n", "", JOB_EXITED, 1, false},
		{"json a=\"b, c\",n=1,t=true,r=1.50,d.e[1].f=x", "{\"a\":\"b, c\",\"n\":1.0,\"t\":true,\"r\":1.5,\"d\":{\"e\":[0,{\"f\":\"x\"}]}}\n", "", JOB_EXITED, 1, true},
		{"json t=1", "{\"t\":true}\n", "", JOB_EXITED, 1, false},
		{"json n=null", "{\"n\":null}\n", "", JOB_EXITED, 1, false},
		{"json .a.b", "{\"a\":{\"b\":0}}\n", "", JOB_EXITED, 1, true},
		{"json .a.b", "{\"a\":{\"b\":null}}\n{\"a\":1}\n{\"a\":[]}\n", "", JOB_EXITED, 1, false},
		{"json .a[2]", "{\"a\":[1,2]}\n", "", JOB_EXITED, 1, false},
		{"json .a[2", "{\"a\":[1,2,3]}\n", "", JOB_EXITED, 1, false},
		{"json .a = 429", "{\"a\":429}\n", "", JOB_EXITED, 1, true},
		{"json .a = 429", "{\"a\":4290}\n", "", JOB_EXITED, 1, false},
		{"json .a ~ ^x.z$", "{\"a\":\"xyz\"}\n", "", JOB_EXITED, 1, true},
		{"json .a ~ b", "{\"a\":{\"c\":\"b\"}}\n", "", JOB_EXITED, 1, true}, /* an object as it is written */
		{"json .a ~ x & text ~ y", "{\"a\":\"xy\"}\n", "", JOB_EXITED, 1, true},
		{"json .a ~ x & text ~ y", "{\"a\":\"x\"}\n{\"b\":\"y\"}\n", "", JOB_EXITED, 1, false},
		{"json .a ~ x & !text ~ y & exit 1", "{\"a\":\"x\"}\n", "", JOB_EXITED, 1, true},
		{"!json a=b & exit 1", "{\"a\":\"c\"}\n", "", JOB_EXITED, 1, true},
		{"!json a=b & exit 1", "{\"a\":\"b\"}\n{\"a\":\"c\"}\n", "", JOB_EXITED, 1, false},
		{"stderr ~ ^Error: x$", "", "a\n\x1b[91m\x1b[1mError: \x1b[0mx\r\n", JOB_EXITED, 1, true},
		{"stderr ~ ^Error: x$", "Error: x\n", "", JOB_EXITED, 1, false},
		{"stdout ~ ^Error: x$", "Error: x\n", "", JOB_EXITED, 1, true},
		{"stderr ~ ^ends cut", "", "ends cut", JOB_EXITED, 1, true},
		{"stderr ~ a & stderr ~ b", "", "b\na\n", JOB_EXITED, 1, true},
	};

	(void)state;
	for (size_t i = 0; i < MEM_COUNT(cases); i++) {
		AUTO_FREE char *rule = mem_printf("fail: config: %s", cases[i].rule);
		enum adapter_class c = class_of(rule, cases[i].out, cases[i].err, cases[i].how, cases[i].status);
		if (c != (cases[i].holds ? ADAPTER_CONFIG : ADAPTER_FAILED))
			fail_msg("%s: %d", rule, c);
	}
}

static void the_first_that_holds_decides(void **state)
{
	struct run t = {0};
	static const char *const rules[] = {"ok: exit 0", "ok: json type=end", "fail: session: exit 1 & stderr ~ gone", "fail: limit: stderr ~ limit",
	                                    "fail: auth: stderr ~ .", "fail: invalid: exit 7", NULL};
	static const struct {
		const char *out, *err;
		int status;
		bool resume;
		enum adapter_class class;
	} cases[] = {
		{"{\"type\":\"end\"}\n", "limit\n", 0, false, ADAPTER_OK}, /* errors before a good end do not count */
		{"", "", 0, false, ADAPTER_FAILED},
		{"{\"type\":\"end\"}\n", "", 1, false, ADAPTER_FAILED},
		{"", "some\nlimit\n", 1, false, ADAPTER_LIMIT},
		{"", "some\n", 1, false, ADAPTER_AUTH},
		{"", "gone\n", 1, true, ADAPTER_UNKNOWN_SESSION},
		{"", "gone\n", 1, false, ADAPTER_AUTH}, /* of a first run it cannot be said */
		{"", "", 7, false, ADAPTER_OK},
	};

	(void)state;
	for (size_t i = 0; i < MEM_COUNT(cases); i++) {
		t.call.resume = cases[i].resume;
		begin(&t, rules);
		feed(&t, 1, cases[i].out);
		feed(&t, 2, cases[i].err);
		end(&t, JOB_EXITED, cases[i].status);
		assert_int_equal(t.o.class, cases[i].class);
		fini(&t);
	}
}

static void what_it_said(void **state)
{
	struct run t = {0};

	(void)state;
	BEGIN(&t, "fail: failed: json type=error .message", "ok: json type=end");
	feed(&t, 1, "{\"type\":\"error\",\"message\":\"first\"}\n{\"type\":\"error\",\"message\":\" two\\n lines\\u001b[2J\\t \"}\n");
	end(&t, JOB_EXITED, 0);
	assert_string_equal(t.o.said, "two lines\\x1b[2J");
	fini(&t);
	BEGIN(&t, "fail: failed: exit 1");
	end(&t, JOB_EXITED, 1);
	assert_null(t.o.said);
	assert_null(t.o.final);
	assert_null(t.o.session);
	fini(&t);
	/* Cut between characters. */
	AUTO_STR struct str long_one = {0};
	for (int i = 0; i < 900; i++)
		str_add(&long_one, i ? "\xc3\xa9" : "x");
	BEGIN(&t, "fail: failed: stderr ~ .");
	feed(&t, 2, long_one.p);
	end(&t, JOB_EXITED, 1);
	assert_true(strlen(t.o.said) <= 1000 && strlen(t.o.said) > 990 && str_utf8(t.o.said, strlen(t.o.said)));
	fini(&t);
}

/* ---- hopeless, progress ---- */

static void it_is_to_be_ended(void **state)
{
	struct run t = {0};
	static const char *const rules[] = {"kill_if: limit: stderr ~ Retrying after ([0-9]+)ms > 300000 & !stderr ~ ^Error executing tool",
	                                    "kill_if: transient: count json type=step > 3 without type=tool", "kill_if: auth: json type=retry .status = 401",
	                                    "kill_if: transient: json type=wait .s > 60", "reset: duration: text ~ after ([0-9]+ms)", "ok: json type=end",
	                                    "ok: exit 0", NULL};
	static const struct {
		const char *out, *err;
		enum adapter_class class; /* OK: it is not */
	} cases[] = {
		{"", "Retrying after 8489153ms\n", ADAPTER_LIMIT},
		{"", "Retrying after 300000ms\n", ADAPTER_OK},
		{"", "Error executing tool x: \nRetrying after 8489153ms\n", ADAPTER_OK},
		{"{\"type\":\"step\"}\n{\"type\":\"step\"}\n{\"type\":\"step\"}\n", "", ADAPTER_OK},
		{"{\"type\":\"step\"}\n{\"type\":\"step\"}\n{\"type\":\"step\"}\n{\"type\":\"step\"}\n", "", ADAPTER_TRANSIENT},
		{"{\"type\":\"step\"}\n{\"type\":\"step\"}\n{\"type\":\"step\"}\n{\"type\":\"tool\"}\n{\"type\":\"step\"}\n", "", ADAPTER_OK},
		{"{\"type\":\"retry\",\"status\":401}\n", "", ADAPTER_AUTH},
		{"{\"type\":\"retry\",\"status\":429}\n", "", ADAPTER_OK},
		{"{\"type\":\"wait\",\"s\":60}\n", "", ADAPTER_OK},
		{"{\"type\":\"wait\",\"s\":61.5}\n", "", ADAPTER_TRANSIENT},
	};

	(void)state;
	for (size_t i = 0; i < MEM_COUNT(cases); i++) {
		begin(&t, rules);
		feed(&t, 1, cases[i].out);
		feed(&t, 2, cases[i].err);
		assert_int_equal(adapter_hopeless(t.r), cases[i].class != ADAPTER_OK);
		feed(&t, 1, "{\"type\":\"tool\"}\n"); /* it goes on for a while */
		end(&t, JOB_STOPPED, 0);
		assert_int_equal(t.o.class, cases[i].class == ADAPTER_OK ? ADAPTER_FAILED : cases[i].class);
		assert_int_equal(t.o.until_ms, i ? 0 : NOW + 8489153);
		fini(&t);
	}
	/* A line that is not whole yet. */
	begin(&t, rules);
	feed(&t, 2, "Retrying after 8489153ms");
	assert_false(adapter_hopeless(t.r));
	end(&t, JOB_EXITED, 1);
	assert_int_equal(t.o.class, ADAPTER_LIMIT);
	fini(&t);
	/* It ended well before it could be ended. */
	begin(&t, rules);
	feed(&t, 1, "{\"type\":\"wait\",\"s\":61}\n{\"type\":\"end\"}\n");
	end(&t, JOB_EXITED, 0);
	assert_int_equal(t.o.class, ADAPTER_OK);
	fini(&t);
}

static void lines_for_people(void **state)
{
	struct run t = {0};
	static const struct {
		const char *out, *line;
	} cases[] = {
		{"making all\nin src\n", "in src"},
		{"half", NULL},
		{" a line\n", "half a line"},
		{"{\"type\":\"item.started\",\"item\":{\"type\":\"command_execution\",\"command\":\"make test\\nmake check\",\"text\":\"x\"}}\n", "$ make test"},
		{"{\"type\":\"assistant\",\"message\":{\"role\":\"assistant\",\"content\":[{\"type\":\"tool_use\",\"name\":\"Edit\",\"input\":{\"file_path\":\"src/a.c\"}}]}}\n", "Edit src/a.c"},
		{"{\"type\":\"text\",\"part\":{\"text\":\"\\n I will \\u001b[2Jnow\\nand then\"}}\n", "I will \\x1b[2Jnow"},
		{"not JSON any more\n", NULL},
		{"{\"type\":\"user\",\"message\":{\"content\":\"a tool's answer\"}}\n", NULL},
		{"{\"type\":\"message\",\"role\":\"user\",\"content\":\"the task\"}\n", NULL},
		{"{\"type\":\"session.info\",\"message\":\"x\"}\n", NULL},
		{"{\"n\":1}\n", NULL},
	};

	(void)state;
	BEGIN(&t, "ok: exit 0");
	assert_null(adapter_line(t.r));
	for (size_t i = 0; i < MEM_COUNT(cases); i++) {
		feed(&t, 1, cases[i].out);
		if (!str_eq(adapter_line(t.r), cases[i].line))
			fail_msg("%s: %s", cases[i].out, adapter_line(t.r) ? adapter_line(t.r) : "nothing");
	}
	fini(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cut_anywhere),
		cmocka_unit_test(long_lines),
		cmocka_unit_test(each_test),
		cmocka_unit_test(the_first_that_holds_decides),
		cmocka_unit_test(what_it_said),
		cmocka_unit_test(it_is_to_be_ended),
		cmocka_unit_test(lines_for_people),
	};
	return cmocka_run_group_tests_name("adapter_run", tests, NULL, NULL);
}
