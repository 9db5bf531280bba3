/* adapter_run: streams cut anywhere, rules judged over all lines, final texts, usage, conversations, what is to be ended. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/base/fs.h"
#include "test.h"
#include "worker/adapter.h"

/* Friday 2026-11-20 22:57:09 UTC */
#define NOW UINT64_C(1795215429000)

struct run {
	struct msg_agent def;
	struct adapter *a;
	struct adapter_call call;
	struct adapter_run *r;
	struct adapter_outcome o;
};

static char *no_env[] = {"TZ=UTC", NULL};

/* "key: text" each; keys: session, final, ok, usage, fail, reset, kill_if. */
static void begin(struct run *t, const char *const rules[])
{
	struct err e = {0};

	t->def = (struct msg_agent){.name = mem_strdup("mine")};
	strv_add(&t->def.argv, "mine");
	for (size_t i = 0; rules[i]; i++) {
		static const char *const keys[] = {"final", "ok", "usage", "fail", "reset", "kill_if"};
		struct strv *const lists[] = {&t->def.final, &t->def.ok, &t->def.usage, &t->def.fail, &t->def.reset, &t->def.kill_if};
		const char *text = strchr(rules[i], ':') + 2;
		if (str_starts(rules[i], "session: "))
			t->def.session = mem_strdup(text);
		for (size_t k = 0; k < MEM_COUNT(keys); k++)
			if (str_starts(rules[i], keys[k]) && rules[i][strlen(keys[k])] == ':')
				strv_add(lists[k], text);
	}
	if (!t->def.ok.n)
		strv_add(&t->def.ok, "exit 0");
	assert_ok(adapter_new(&t->a, &t->def, &e), &e);
	if (!t->call.env)
		t->call.env = no_env;
	t->r = adapter_run_new(t->a, &t->call);
}
#define BEGIN(t, ...) begin((t), (const char *const[]){__VA_ARGS__, NULL})

static void feed(struct run *t, int which, const char *text)
{
	adapter_feed(t->r, which, text, strlen(text), NOW);
}

static void end(struct run *t, enum job_end how, int status)
{
	struct job_result result = {.end = how, .status = status};

	adapter_end(t->r, &result, NOW, &t->o);
}

static void fini(struct run *t)
{
	adapter_outcome_fini(&t->o);
	adapter_run_free(t->r);
	adapter_free(t->a);
	rec_fini(msg_rec(MSG_AGENT), &t->def);
	*t = (struct run){0};
}

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
		cmocka_unit_test(final_in_order),
		cmocka_unit_test(usage_is_summed),
		cmocka_unit_test(conversations),
		cmocka_unit_test(the_first_time_that_is_given),
		cmocka_unit_test(relative_to_the_line),
		cmocka_unit_test(a_time_in_a_file),
		cmocka_unit_test(it_is_to_be_ended),
		cmocka_unit_test(lines_for_people),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
