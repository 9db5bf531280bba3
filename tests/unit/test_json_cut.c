/* Cutting JSON: where each piece is, what is refused and where, and that nothing of a long text is built at once. */
#include "test.h"

#include "store/json.h"
#include "store/json_cut.h"

static void pieces_know_their_place(void **state)
{
	(void)state;
	static const char text[] = "\xef\xbb\xbf {\n \"a\": [1, {\"x\": \"]}\\\"\"},\n  [] ],\n \"\\u00e4\" : -1.5e3 }\n";
	struct json_cut c;
	struct json_fault f;
	struct json_span s;
	char *key = NULL;

	json_cut_start(&c, text, strlen(text));
	assert_int_equal(json_cut_open(&c, '{', &f), 0);
	assert_int_equal(json_cut_member(&c, &key, &f), 1);
	assert_string_equal(key, "a");
	free(key);
	struct json_cut list = c;
	assert_int_equal(json_cut_skip(&c, &s, &f), 0);
	assert_int_equal(s.n, strlen("[1, {\"x\": \"]}\\\"\"},\n  [] ]"));
	assert_int_equal(s.line, 2);
	assert_int_equal(s.column, 7);
	assert_int_equal(json_cut_member(&c, &key, &f), 1);
	assert_string_equal(key, "\xc3\xa4");
	free(key);
	struct json_t *j;
	assert_int_equal(json_cut_value(&c, &j, &s, &f), 0);
	assert_int_equal(s.line, 4);
	assert_memory_equal(s.p, "-1.5e3", s.n);
	json_free(j);
	assert_int_equal(json_cut_member(&c, &key, &f), 0);
	assert_int_equal(json_cut_end(&c, &f), 0);

	size_t n = 0;
	assert_int_equal(json_cut_open(&list, '[', &f), 0);
	while (json_cut_element(&list, &f) == 1) {
		assert_int_equal(json_cut_value(&list, &j, &s, &f), 0);
		json_free(j);
		n++;
	}
	assert_int_equal(n, 3);
	assert_int_equal(s.line, 3);
}

static void check(const char *text, size_t n, size_t line, size_t column, const char *part)
{
	struct json_fault f = {0};
	struct json_t *j = json_cut_text(text, n, &f);

	if (j)
		fail_msg("taken: %s", text);
	if (!strstr(f.text, part))
		fail_msg("%s: not there: %s\nin: %s", text, part, f.text);
	if (f.line != line || f.column != column)
		fail_msg("%s: %s: at %zu:%zu, not %zu:%zu", text, f.text, f.line, f.column, line, column);
}
#define REFUSED(text, line, column, part) check(text, sizeof(text) - 1, line, column, part)

static void what_is_no_json_has_a_place(void **state)
{
	(void)state;
	REFUSED("", 1, 1, "cut off");
	REFUSED(" \n ", 2, 2, "cut off");
	REFUSED("{\"a\": 1,\n", 1, 1, "no end");
	REFUSED("{\"a\": \"x\n", 1, 1, "a \" is missing");
	REFUSED("{\"a\": 1}\n{}", 2, 1, "more text");
	REFUSED("]", 1, 1, "a value must come here");
	REFUSED(",", 1, 1, "a value must come here");
	REFUSED("{\"a\":\n 1,\n \"a\": 2}", 3, 4, "duplicate object key");
	REFUSED("{\"a\":\n \"b\\u0000\"}", 2, 10, "a text with \\u0000 (NUL) is not taken");
	REFUSED("[\n1e999]", 2, 5, "real number overflow");
	REFUSED("[\"\0\"]", 1, 3, "a NUL byte");
	REFUSED("[\n 12\0]", 2, 4, "a NUL byte");
	REFUSED("[\"\xff\"]", 1, 2, "unable to decode byte 0xff");
	REFUSED("[\"\\ud800\"]", 1, 9, "invalid Unicode");
	REFUSED("[1 2]", 1, 4, "']' expected");
	REFUSED("[1}", 1, 3, "']' expected");
	REFUSED("[01]", 1, 2, "invalid token");
	REFUSED("[tru]", 1, 4, "invalid token");
	REFUSED("[1,]", 1, 4, "unexpected token");
	REFUSED("'a'", 1, 1, "invalid token");
}

static void numbers_of_any_size(void **state)
{
	(void)state;
	static const char text[] = "[9007199254740993, 9223372036854775808, -123456789012345678901234567890]";
	struct json_fault f;
	struct json_t *j = json_cut_text(text, strlen(text), &f);
	uint64_t n;

	assert_non_null(j);
	assert_int_equal(json_count(j), 3);
	assert_false(json_u64(json_nth(j, 1), &n));
	assert_true(json_u64(json_nth(j, 0), &n)); /* as large as it is, whatever stands beside it */
	assert_true(n == UINT64_C(9007199254740993));
	json_free(j);
	j = json_cut_text("[1.0, 1.5, -1.0, 9007199254740992.0, 1e3]", 41, &f);
	assert_true(json_u64(json_nth(j, 0), &n) && n == 1);
	for (size_t i = 1; i < 4; i++)
		assert_false(json_u64(json_nth(j, i), &n));
	assert_true(json_u64(json_nth(j, 4), &n) && n == 1000);
	json_free(j);
	j = json_cut_text("9007199254740993", 16, &f);
	assert_true(json_u64(j, &n));
	assert_true(n == UINT64_C(9007199254740993));
	json_free(j);
}

/* In memory a value takes much more than its text. */
static void values_in_a_value_have_a_limit(void **state)
{
	(void)state;
	static const char *const units[] = {"{},", "[[]],", "1,"};

	for (size_t i = 0; i < MEM_COUNT(units); i++) {
		AUTO_STR struct str text = {0};
		struct json_fault f = {0};
		str_add(&text, "[");
		for (int k = 0; k <= JSON_CUT_MAX_NODES; k++)
			str_add(&text, units[i]);
		str_add(&text, "0]");
		assert_null(json_cut_text(text.p, text.len, &f));
		assert_string_equal(f.text, "a value of more than 1048576 values");
	}
}

static void depth_and_length_have_limits(void **state)
{
	(void)state;
	AUTO_STR struct str text = {0};
	struct json_fault f = {0};
	struct json_cut c;
	struct json_span s;

	for (int i = 0; i < 100000; i++)
		str_addc(&text, '[');
	assert_null(json_cut_text(text.p, text.len, &f));
	assert_string_equal(f.text, "nested more than 100 deep");
	assert_int_equal(f.column, 101);

	str_clear(&text);
	str_add(&text, "[1,\n\"");
	AUTO_FREE char *blanks = mem_alloc(JSON_CUT_MAX_VALUE + 1);
	memset(blanks, 'x', JSON_CUT_MAX_VALUE);
	str_addn(&text, blanks, JSON_CUT_MAX_VALUE);
	str_add(&text, "\"]");
	struct json_t *j = NULL;
	json_cut_start(&c, text.p, text.len);
	assert_int_equal(json_cut_open(&c, '[', &f), 0);
	assert_int_equal(json_cut_element(&c, &f), 1);
	assert_int_equal(json_cut_skip(&c, &s, &f), 0);
	assert_int_equal(json_cut_element(&c, &f), 1);
	assert_int_equal(json_cut_value(&c, &j, &s, &f), -1);
	assert_string_equal(f.text, "a value of 16 MiB: at most 16 MiB are read");
	assert_int_equal(f.line, 2);
}

/* Texts as json_write has them, whatever their bytes. */
static void texts_without_values(void **state)
{
	(void)state;
	struct test_rng rng = test_rng_new();
	static const char *const pieces[] = {"plain", "\"", "\\", "/", "\n", "\t", "\b", "\f", "\r", "\x01", "\x1b[1m", "\x7f",
	                                     "\xc2\x9b", "\xc3\xa4", "\xe2\x80\xae", "\xe2\x80\xa8", "\xff", "\xc3", "\xf0\x9f\x98\x80",
	                                     "\xed\xa0\x80", "\x1f"};

	for (int i = 0; i < 2000; i++) {
		AUTO_STR struct str text = {0}, one = {0}, two = {0};
		AUTO_STRV struct strv list = {0};
		for (uint64_t k = test_rng_below(&rng, 8); k > 0; k--)
			str_add(&text, pieces[test_rng_below(&rng, MEM_COUNT(pieces))]);
		strv_add(&list, str_text(&text));
		strv_add(&list, "");
		struct json_t *map = json_map();
		json_put_list(map, "x", &list);
		json_write(json_get(map, "x"), false, &one);
		json_write_list(&list, &two);
		assert_string_equal(one.p, two.p);
		json_free(map);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_know_their_place),
		cmocka_unit_test(what_is_no_json_has_a_place),
		cmocka_unit_test(numbers_of_any_size),
		cmocka_unit_test(depth_and_length_have_limits),
		cmocka_unit_test(values_in_a_value_have_a_limit),
		cmocka_unit_test(texts_without_values),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
