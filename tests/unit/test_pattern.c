/* Tests of worker/pattern.c: errors with their place, bytes of any kind, groups, and patterns that would run for ever. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "store/base/mem.h"
#include "store/base/str.h"
#include "worker/pattern.h"

static struct pattern *made(const char *regex, bool icase)
{
	struct pattern *p;
	struct err e = {0};

	assert_int_equal(pattern_new(&p, regex, icase, &e), 0);
	return p;
}

/* Where it is found, in spans; the pattern is thrown away. */
static bool found(const char *regex, const char *text, size_t n, size_t from, struct pattern_span spans[], size_t n_spans)
{
	struct pattern *p = made(regex, false);
	bool yes = pattern_find(p, text, n, from, spans, n_spans);

	pattern_free(p);
	return yes;
}

static void wrong_ones_are_named_with_their_place(void **state)
{
	struct {
		const char *regex, *at;
	} wrong[] = {{"usage (limit", "at byte 12"}, {"ab[c", "at byte 4"}, {"\\x{2019}", "at byte"}, {"(*UTF)a", "at byte"}};

	(void)state;
	for (size_t i = 0; i < MEM_COUNT(wrong); i++) {
		struct err e = {0};
		struct pattern *p;
		assert_int_equal(pattern_new(&p, wrong[i].regex, false, &e), -1);
		assert_null(p);
		assert_int_equal(e.kind, ERR_USAGE);
		assert_non_null(strstr(e.text, wrong[i].at));
		assert_non_null(strstr(e.text, wrong[i].regex));
	}
	pattern_free(NULL);
}

static void groups_and_places(void **state)
{
	struct pattern_span s[4];

	(void)state;
	assert_true(found("in ([0-9]+)(ms)?", "wait in 34s", 11, 0, s, 4));
	assert_int_equal(s[0].at, 5);
	assert_int_equal(s[0].len, 5);
	assert_int_equal(s[1].at, 8);
	assert_int_equal(s[1].len, 2);
	assert_int_equal(s[2].at, PATTERN_UNSET);
	assert_int_equal(s[3].at, PATTERN_UNSET); /* more than there are */
	assert_true(found("a", "aba", 3, 1, s, 1));
	assert_int_equal(s[0].at, 2);
	assert_false(found("a", "aba", 3, 3, s, 1));
	assert_false(found("a", "aba", 3, 4, s, 1));
	assert_true(found("$", "aba", 3, 3, NULL, 0));
	assert_true(found("(?<=b)a", "ba", 2, 1, NULL, 0)); /* sees what is before */
	assert_false(found("^a", "ba", 2, 1, NULL, 0));
	assert_true(found("^$", NULL, 0, 0, NULL, 0));

	struct pattern *p = made("Limit (a)(b)", true);
	assert_int_equal(pattern_groups(p), 2);
	assert_true(pattern_find(p, "lImIT AB", 8, 0, NULL, 0));
	pattern_free(p);
}

static void bytes_of_any_kind(void **state)
{
	static const char text[] = "\xff\xfe\0You\xe2\x80\x99ve hit\x80 it";
	struct pattern_span s[1];

	(void)state;
	assert_true(found("You.{1,3}ve hit", text, sizeof text - 1, 0, s, 1));
	assert_int_equal(s[0].at, 3);
	assert_true(found("\\x00You", text, sizeof text - 1, 0, s, 1));
	assert_true(found("\\x80 it$", text, sizeof text - 1, 0, s, 1));
}

/* A match far behind places that are slow to give up, and in a text that is searched in many groups of places. */
static void long_texts(void **state)
{
	enum { N = 1 << 20 };
	char *text = mem_alloc(N + 1);
	struct pattern_span s[1];

	(void)state;
	memset(text, 'x', N);
	memcpy(text + N - 4, "key=", 4);
	assert_true(found("key=", text, N, 0, s, 1));
	assert_int_equal(s[0].at, N - 4);
	assert_true(found("=$", text, N, 0, s, 1));
	for (size_t at = 60; at < 300; at++) { /* around the ends of groups */
		text[at] = 'k';
		assert_true(found("k", text, N, 0, s, 1));
		assert_int_equal(s[0].at, at);
		text[at] = 'x';
	}
	free(text);
}

/* Each of these would take ages: from one place, or a little from each of many. */
static void none_runs_for_ever(void **state)
{
	enum { N = 200 * 1000 };
	const char *bad[] = {"(a*)*b", "(a|a)*b", "(?:a+)+$", "(?=(a+))(a+)+b", "a*a*a*a*b", "^(a?){40}a{200}b", "(.*)(.*)(.*)(.*)c"};
	char *text = mem_alloc(N + 1);

	(void)state;
	memset(text, 'a', N);
	text[N - 1] = '!';
	for (size_t i = 0; i < MEM_COUNT(bad); i++)
		assert_false(found(bad[i], text, N, 0, NULL, 0));
	/* Quick to give up from each place, but of these there are very many. */
	assert_false(found("a.{0,2000}b.*$", text, N, 0, NULL, 0));
	assert_false(found("(a{1,1500}){2}c?[bd]", text, N, 0, NULL, 0));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wrong_ones_are_named_with_their_place),
		cmocka_unit_test(groups_and_places),
		cmocka_unit_test(bytes_of_any_kind),
		cmocka_unit_test(long_texts),
		cmocka_unit_test(none_runs_for_ever),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
