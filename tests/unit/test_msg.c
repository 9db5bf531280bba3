/* Messages: every kind there and back, and nothing else is taken for one. */
#include "test.h"

#include "worker/msg.h"

static enum msg_way other(enum msg_way way)
{
	return way == MSG_WAY_TO_WORKER ? MSG_WAY_TO_SUPERVISOR : MSG_WAY_TO_WORKER;
}

static void kinds_are_numbered_by_direction(void **state)
{
	(void)state;
	for (size_t i = 0; i < MSG_COUNT; i++) {
		enum msg_kind kind = msg_kind_at(i);
		assert_int_equal(msg_way(kind), (int)kind / 100);
		assert_string_equal(msg_name(kind), msg_rec(kind)->name);
		for (size_t j = 0; j < i; j++) {
			assert_int_not_equal(kind, msg_kind_at(j));
			assert_string_not_equal(msg_name(kind), msg_name(msg_kind_at(j)));
		}
	}
	assert_string_equal(msg_name(MSG_GATE_RESULT), "gate_result");
	assert_string_equal(msg_name((enum msg_kind)7), "unknown");
	assert_null(msg_rec((enum msg_kind)0));
}

static void refused(enum msg_way way, const void *bytes, size_t n)
{
	struct msg m;
	struct err e = {0};
	assert_int_equal(msg_decode(&m, way, bytes, n, &e), -1);
	assert_int_equal(e.kind, ERR_PROTO);
	assert_int_equal(m.kind, 0);
	msg_fini(&m);
}

static void every_kind_round_trips(void **state)
{
	(void)state;
	struct test_rng rng = test_rng_new();
	for (size_t i = 0; i < MSG_COUNT * 200; i++) {
		enum msg_kind kind = msg_kind_at(i % MSG_COUNT);
		enum msg_way way = msg_way(kind);
		struct msg a, b;
		AUTO_STR struct str bytes = {0};
		struct err e = {0};

		msg_random(&a, kind, test_rng_next, &rng);
		msg_encode(&a, &bytes);
		assert_ok(msg_decode(&b, way, bytes.p, bytes.len, &e), &e);
		assert_int_equal(b.kind, kind);
		assert_true(rec_equal(msg_rec(kind), &a.u, &b.u));
		refused(other(way), bytes.p, bytes.len);
		size_t cut = test_rng_below(&rng, bytes.len);
		refused(way, bytes.p, cut);
		str_addc(&bytes, 0);
		refused(way, bytes.p, bytes.len);
		msg_fini(&a);
		msg_fini(&b);
		assert_int_equal(a.kind, 0);
	}
}

static void every_truncation_of_every_kind_is_refused(void **state)
{
	(void)state;
	struct test_rng rng = test_rng_new();
	for (size_t i = 0; i < MSG_COUNT; i++) {
		struct msg m;
		AUTO_STR struct str bytes = {0};
		msg_random(&m, msg_kind_at(i), test_rng_next, &rng);
		msg_encode(&m, &bytes);
		for (size_t n = 0; n < bytes.len; n++)
			refused(msg_way(m.kind), bytes.p, n);
		msg_fini(&m);
	}
}

static void only_the_listed_kinds_exist(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind <= 0xffff; kind++) {
		if (msg_rec((enum msg_kind)kind))
			continue;
		char bytes[] = {(char)(kind >> 8), (char)kind, '\x81', '\xa1', 'v', 1};
		refused(MSG_WAY_TO_WORKER, bytes, sizeof bytes);
		refused(MSG_WAY_TO_SUPERVISOR, bytes, sizeof bytes);
	}
}

static void hostile_records_are_refused(void **state)
{
	(void)state;
#define TO_SUPERVISOR(bytes) refused(MSG_WAY_TO_SUPERVISOR, bytes, sizeof(bytes) - 1)
	TO_SUPERVISOR("\x00\xc9");                               /* hello, no record */
	TO_SUPERVISOR("\x00\xc9\x80");                           /* no format version */
	TO_SUPERVISOR("\x00\xc9\x81\xa1v\x02");                  /* a newer one */
	TO_SUPERVISOR("\x00\xc9\x82\xa1v\x01\xa3pid\xff");       /* pid -1 */
	TO_SUPERVISOR("\x00\xc9\x83\xa1v\x01\xa3pid\x01\xa3pid\x02");
	TO_SUPERVISOR("\x00\xc9\xdf\xff\xff\xff\xff");           /* 4 thousand million entries */
	TO_SUPERVISOR("\x00\xcd\x82\xa1v\x01\xa5gates\xdd\x00\xff\xff\xff");
	TO_SUPERVISOR("\x00\xcd\x82\xa1v\x01\xa5gates\x91\x01"); /* a number among texts */
	TO_SUPERVISOR("\x00\xcd\x82\xa1v\x01\xa4task\xa2" "a\0"); /* a NUL in a text */
#undef TO_SUPERVISOR
	struct msg m;
	struct err e = {0};
	assert_ok(msg_decode(&m, MSG_WAY_TO_SUPERVISOR, "\x00\xc9\x82\xa1v\x01\xa3new\x01", 11, &e),
	          &e); /* a key of a newer bosk */
	assert_int_equal(m.kind, MSG_HELLO);
	assert_int_equal(m.u.hello.pid, 0);
	msg_fini(&m);
}

static void random_damage_is_survived(void **state)
{
	(void)state;
	struct test_rng rng = test_rng_new();
	for (int i = 0; i < 20000; i++) {
		struct msg m;
		AUTO_STR struct str bytes = {0}, again = {0};
		struct err e = {0};

		msg_random(&m, msg_kind_at(test_rng_below(&rng, MSG_COUNT)), test_rng_next, &rng);
		msg_encode(&m, &bytes);
		enum msg_way way = msg_way(m.kind);
		msg_fini(&m);
		for (uint64_t k = 1 + test_rng_below(&rng, 4); k; k--)
			bytes.p[test_rng_below(&rng, bytes.len)] = (char)test_rng_next(&rng);
		if (msg_decode(&m, way, bytes.p, bytes.len, &e) != 0) {
			assert_int_equal(e.kind, ERR_PROTO);
			continue;
		}
		struct msg twin; /* still a message: then it is one in every respect */
		msg_encode(&m, &again);
		assert_ok(msg_decode(&twin, way, again.p, again.len, &e), &e);
		assert_true(rec_equal(msg_rec(m.kind), &m.u, &twin.u));
		msg_fini(&m);
		msg_fini(&twin);
	}
}

static void a_trace_is_one_short_line_without_secrets(void **state)
{
	(void)state;
	struct test_rng rng = test_rng_new();
	for (size_t i = 0; i < MSG_COUNT * 50; i++) {
		struct msg m;
		AUTO_STR struct str line = {0};
		msg_random(&m, msg_kind_at(i % MSG_COUNT), test_rng_next, &rng);
		msg_print(&m, &line);
		assert_true(str_starts(line.p, msg_name(m.kind)));
		assert_true(str_utf8(line.p, line.len));
		for (size_t k = 0; k < line.len; k++)
			assert_true((unsigned char)line.p[k] >= 0x20 && line.p[k] != 0x7f);
		msg_fini(&m);
	}

	struct msg m = {.kind = MSG_TASK};
	AUTO_STR struct str line = {0};
	m.u.task.id = mem_strdup("greet");
	m.u.task.prompt = mem_alloc(500001);
	memset(m.u.task.prompt, 'p', 500000);
	strv_add(&m.u.task.env, "API_KEY=hunter2");
	strv_add(&m.u.task.env, "hunter2");
	for (int i = 0; i < 1000; i++)
		strv_addf(&m.u.task.gates, "gate-%d", i);
	msg_print(&m, &line);
	assert_non_null(strstr(line.p, "id=\"greet\""));
	assert_non_null(strstr(line.p, "API_KEY=..."));
	assert_non_null(strstr(line.p, "and 996 more"));
	assert_null(strstr(line.p, "hunter2"));
	assert_true(line.len < 2000);
	msg_fini(&m);
}

static void clipped(const char *text, size_t max, const char *expected)
{
	AUTO_FREE char *copy = mem_strdup(text);
	msg_clip_text(copy, max);
	assert_string_equal(copy, expected);
}

static void texts_are_clipped_between_characters(void **state)
{
	(void)state;
	clipped("hello", 5, "hello");
	clipped("hello", SIZE_MAX, "hello");
	clipped("hello", 4, "hell");
	clipped("hello", 0, "");
	clipped("", 0, "");
	clipped("a\xc3\xa9z", 2, "a"); /* é */
	clipped("a\xc3\xa9z", 3, "a\xc3\xa9");
	clipped("\xf0\x9f\x8c\xb3!", 3, "");
	clipped("\xf0\x9f\x8c\xb3!", 4, "\xf0\x9f\x8c\xb3");
	clipped("\x80\x80\x80\x80\x80\x80", 5, "\x80\x80\x80\x80\x80"); /* not UTF-8 */
	msg_clip_text(NULL, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kinds_are_numbered_by_direction),
		cmocka_unit_test(every_kind_round_trips),
		cmocka_unit_test(every_truncation_of_every_kind_is_refused),
		cmocka_unit_test(only_the_listed_kinds_exist),
		cmocka_unit_test(hostile_records_are_refused),
		cmocka_unit_test(random_damage_is_survived),
		cmocka_unit_test(a_trace_is_one_short_line_without_secrets),
		cmocka_unit_test(texts_are_clipped_between_characters),
	};
	return cmocka_run_group_tests_name("msg", tests, NULL, NULL);
}
