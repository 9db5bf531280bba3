/* JSON: what is written, whatever the bytes; and what foreign text is refused. */
#include "test.h"

#include <math.h>

#include "store/json.h"

static void assert_written(const struct json_t *j, const char *expected)
{
	AUTO_STR struct str out = {0};
	json_write(j, false, &out);
	assert_string_equal(str_text(&out), expected);
}

static void keys_keep_their_order(void **state)
{
	(void)state;
	AUTO_STRV struct strv list = {0};
	struct json_t *map = json_map(), *inner = json_list();
	strv_add(&list, "b");
	strv_add(&list, "a");
	json_put_text(map, "zeta", "one");
	json_put_text(map, "alpha", NULL);
	json_put_u64(map, "n", 18014398509481984u);
	json_put_flag(map, "yes", true);
	json_put_flag(map, "no", false);
	json_put_null(map, "nothing");
	json_put_list(map, "list", &list);
	json_add_text(inner, "x");
	json_add(inner, json_map());
	json_put(map, "inner", inner);
	assert_written(map, "{\"zeta\":\"one\",\"alpha\":null,\"n\":18014398509481984,\"yes\":true,"
	                    "\"no\":false,\"nothing\":null,\"list\":[\"b\",\"a\"],"
	                    "\"inner\":[\"x\",{}]}");
	json_free(map);
	json_free(NULL);
}

static void pretty_has_two_spaces_and_no_final_newline(void **state)
{
	(void)state;
	AUTO_STR struct str out = {0};
	struct json_t *map = json_map();
	json_put_text(map, "a", "b");
	json_write(map, true, &out);
	assert_string_equal(out.p, "{\n  \"a\": \"b\"\n}");
	json_free(map);
}

static void numbers_come_out_as_written(void **state)
{
	(void)state;
	struct json_t *map = json_map();
	json_put_real(map, "a", 0.1);
	json_put_real(map, "b", 12.34);
	json_put_real(map, "c", NAN);
	json_put_real(map, "d", INFINITY);
	json_put_u64(map, "e", 0);
	json_put_u64(map, "f", UINT64_MAX);
	assert_written(map, "{\"a\":0.1,\"b\":12.34,\"c\":null,\"d\":null,\"e\":0,"
	                    "\"f\":1.84467440737096e19}");
	json_free(map);
}

static void bytes_that_are_not_utf8_are_replaced(void **state)
{
	(void)state;
	struct json_t *map = json_map();
	json_put_text(map, "a", "caf\xe9 \xe2\x82 \xc3\xa9 \xed\xa0\x80");
	json_put_text(map, "k\xff", "\x1b[31m\n\"");
	assert_written(map, "{\"a\":\"caf\xef\xbf\xbd \xef\xbf\xbd\xef\xbf\xbd \xc3\xa9 "
	                    "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\","
	                    "\"k\xef\xbf\xbd\":\"\\u001B[31m\\n\\\"\"}");
	json_free(map);
}

/* DEL, C1, direction: JSON allows them, a terminal does not. */
static void what_drives_a_terminal_is_escaped(void **state)
{
	static const char text[] = "a\x7f\xc2\x9b\xe2\x80\xae\xc3\xa9";
	AUTO_STR struct str out = {0};
	struct json_t *map = json_map();
	struct err e = {0};

	(void)state;
	json_put_text(map, text, text);
	str_add(&out, "\x7f"); /* what was there before is not ours */
	json_write(map, false, &out);
	assert_string_equal(out.p, "\x7f{\"a\\u007f\\u009b\\u202e\xc3\xa9\":\"a\\u007f\\u009b\\u202e\xc3\xa9\"}");
	struct json_t *back = json_parse(out.p + 1, out.len - 1, &e);
	assert_non_null(back);
	assert_string_equal(json_get_text(back, text), text);
	json_free(back);
	json_free(map);
}

static void any_text_can_be_read_back(void **state)
{
	(void)state;
	struct test_rng rng = test_rng_new();
	for (int i = 0; i < 2000; i++) {
		AUTO_STR struct str text = {0}, out = {0};
		struct err e = {0};
		for (uint64_t n = test_rng_below(&rng, 30); n; n--)
			str_addc(&text, (char)(1 + test_rng_below(&rng, 255)));
		struct json_t *map = json_map();
		json_put_text(map, str_text(&text), str_text(&text));
		json_write(map, i & 1, &out);
		struct json_t *back = json_parse(out.p, out.len, &e);
		assert_ok(back ? 0 : -1, &e);
		if (str_utf8(str_text(&text), text.len))
			assert_string_equal(json_get_text(back, str_text(&text)), str_text(&text));
		json_free(map);
		json_free(back);
	}
}

static void parsing_gives_text_members(void **state)
{
	(void)state;
	struct err e = {0};
	const char *text = "{\"status\":\"ok\",\"n\":3}";
	struct json_t *j = json_parse(text, strlen(text), &e);
	assert_non_null(j);
	assert_string_equal(json_get_text(j, "status"), "ok");
	assert_null(json_get_text(j, "n"));
	assert_null(json_get_text(j, "absent"));
	json_free(j);
}

static void numbers_that_are_too_large_are_texts(void **state)
{
	(void)state;
	static const char text[] = "{\"a\":98765432109876543210,\"b\":1e999,\"c\":\"\\\"-99999999999999999999\",\"d\":45,\"e\":-1.5e-3}";
	struct err e = {0};
	struct json_t *j = json_parse(text, strlen(text), &e);
	uint64_t n;
	assert_ok(j ? 0 : -1, &e);
	assert_string_equal(json_get_text(j, "a"), "98765432109876543210");
	assert_string_equal(json_get_text(j, "b"), "1e999");
	assert_string_equal(json_get_text(j, "c"), "\"-99999999999999999999");
	assert_true(json_u64(json_get(j, "d"), &n) && n == 45);
	assert_int_equal(json_kind(json_get(j, "e")), JSON_IS_NUMBER);
	json_free(j);
}

static void numbers_that_are_too_large_are_written_again(void **state)
{
	(void)state;
	static const char text[] = "{\"a\":98765432109876543210,\"b\":[1e999,-99999999999999999999],\"c\":\"98765432109876543210\","
	                           "\"\\u0001=7\":\"\\\"\\u0001=8\",\"d\":\"\\u0001=01\",\"e\":\"\\u0001=x\",\"f\":2}";
	struct err e = {0};
	struct json_t *j = json_parse_exact(text, strlen(text), &e);
	AUTO_STR struct str out = {0};
	assert_ok(j ? 0 : -1, &e);
	json_write(j, false, &out);
	json_exact(&out);
	assert_string_equal(out.p, text);
	json_free(j);
}

static void refused(const char *text, size_t n, const char *why)
{
	struct err e = {0};
	assert_null(json_parse(text, n, &e));
	assert_int_equal(e.kind, ERR_USAGE);
	if (!strstr(e.text, why))
		fail_msg("\"%s\" does not say \"%s\"", e.text, why);
}

static void hostile_text_is_refused(void **state)
{
	(void)state;
	AUTO_STR struct str deep = {0}, large = {0}, quoted = {0};
	struct err e = {0};

	for (int i = 0; i < 200000; i++)
		str_addc(&deep, i & 1 ? '[' : '{');
	refused(deep.p, deep.len, "32 deep");
	str_addc(&large, '"');
	while (large.len <= 1 << 20)
		str_add(&large, "0123456789abcdef");
	refused(large.p, large.len, "at most 1048576");
	refused("", 0, "not JSON");
	refused("{", 1, "line 1");
	refused("{\"a\":1}x", 8, "not JSON");
	refused("{\"a\":1,\"a\":2}", 13, "duplicate");
	refused("[\"\xff\"]", 5, "not JSON");
	refused("[\"\\u0000\"]", 10, "not JSON");
	refused("\"text\"", 6, "not JSON");

	/* Brackets inside strings are no nesting. */
	str_add(&quoted, "[\"\\\"");
	for (int i = 0; i < 100; i++)
		str_addc(&quoted, '[');
	str_add(&quoted, "\\\\\"]");
	struct json_t *j = json_parse(quoted.p, quoted.len, &e);
	assert_ok(j ? 0 : -1, &e);
	json_free(j);
}

static void nesting_of_32_is_allowed_and_33_is_not(void **state)
{
	(void)state;
	char text[66];
	struct err e = {0};
	memset(text, '[', 33);
	memset(text + 33, ']', 33);
	refused(text, 66, "32 deep");
	struct json_t *j = json_parse(text + 1, 64, &e);
	assert_ok(j ? 0 : -1, &e);
	json_free(j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_keep_their_order),
		cmocka_unit_test(pretty_has_two_spaces_and_no_final_newline),
		cmocka_unit_test(numbers_come_out_as_written),
		cmocka_unit_test(bytes_that_are_not_utf8_are_replaced),
		cmocka_unit_test(what_drives_a_terminal_is_escaped),
		cmocka_unit_test(any_text_can_be_read_back),
		cmocka_unit_test(parsing_gives_text_members),
		cmocka_unit_test(numbers_that_are_too_large_are_texts),
		cmocka_unit_test(numbers_that_are_too_large_are_written_again),
		cmocka_unit_test(hostile_text_is_refused),
		cmocka_unit_test(nesting_of_32_is_allowed_and_33_is_not),
	};
	return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
