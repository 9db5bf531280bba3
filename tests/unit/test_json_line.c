/* json_line: lines of programs that a strict reader of JSON refuses, and what is refused all the same. */
#include "test.h"

#include "store/json_line.h"

/* What is at "a", or a word for what came out. */
static char *read_a(const char *text, size_t n)
{
	struct json_t *j = json_line(text, n);
	char *a = j ? mem_strdup(json_get_text(j, "a") ? json_get_text(j, "a") : "no text") : mem_strdup("none");

	json_free(j);
	return a;
}

static void odd_characters_are_replaced(void **state)
{
	static const struct {
		const char *line, *a;
		size_t n;
	} cases[] = {
#define CASE(line, a) {line, a, sizeof(line) - 1}
		CASE("{\"a\":\"plain \\u00e9 \\ud83d\\ude00 \xc3\xa9\"}", "plain \xc3\xa9 \xf0\x9f\x98\x80 \xc3\xa9"),
		CASE("{\"a\":\"cut \\ud83d\"}", "cut \xef\xbf\xbd"),
		CASE("{\"a\":\"\\uD83D\\uD83D\\uDE00\"}", "\xef\xbf\xbd\xf0\x9f\x98\x80"),
		CASE("{\"a\":\"low \\ude00!\"}", "low \xef\xbf\xbd!"),
		CASE("{\"a\":\"nul \\u0000!\"}", "nul \xef\xbf\xbd!"),
		CASE("{\"a\":\"raw \0 and \x01\"}", "raw \xef\xbf\xbd and \xef\xbf\xbd"),
		CASE("{\"a\":\"bytes \xff\xc3 \xe2\x82\"}", "bytes \xef\xbf\xbd\xef\xbf\xbd \xef\xbf\xbd\xef\xbf\xbd"),
		CASE("\x1b[0m\x1b[1;31m {\"a\":\"colours\"}", "colours"),
		CASE("\0{\"a\":\"x\"}  \r", "x"),
		CASE("{\"a\":\"quoted \\\" { [ \\\\\"}", "quoted \" { [ \\"),
	};

	(void)state;
	for (size_t i = 0; i < MEM_COUNT(cases); i++) {
		AUTO_FREE char *a = read_a(cases[i].line, cases[i].n);
		assert_string_equal(a, cases[i].a);
	}
}

static void what_is_no_object_is_none(void **state)
{
	static const char *const lines[] = {"", " ", "[1]", "1", "\"{}\"", "text {\"a\":1}", "{", "{\"a\":\"x", "{\"a\":\"x\\", "{\"a\":\"x\\u00",
	                                    "{\"a\":1}}", "{\"a\" 1}", "{\"a\":\"x\"} {}", "\x1b[", "\x1b[1", "{\"\xff\":tru"};

	(void)state;
	for (size_t i = 0; i < MEM_COUNT(lines); i++) {
		AUTO_FREE char *a = read_a(lines[i], strlen(lines[i]));
		assert_string_equal(a, "none");
	}
}

static void it_is_bounded(void **state)
{
	AUTO_STR struct str deep = {0}, wide = {0}, text = {0};

	(void)state;
	for (int i = 0; i < 20000; i++)
		str_add(&deep, "{\"a\":");
	assert_null(json_line(deep.p, deep.len));
	str_add(&wide, "{\"a\":[1");
	for (int i = 0; i <= JSON_LINE_VALUES; i++)
		str_add(&wide, ",1");
	str_add(&wide, "]}");
	assert_null(json_line(wide.p, wide.len));

	str_add(&text, "{\"a\":\"");
	while (text.len < JSON_LINE_MAX - 2)
		str_addc(&text, ',');
	str_add(&text, "\"}");
	struct json_t *j = json_line(text.p, text.len);
	assert_non_null(j);
	json_free(j);
	str_addc(&text, ' ');
	assert_null(json_line(text.p, text.len));
}

static void any_number(void **state)
{
	const char *line = "{\"a\":1.5,\"b\":7,\"c\":\"7\"}";
	struct json_t *j = json_line(line, strlen(line));
	double n;

	(void)state;
	assert_true(json_float(json_get(j, "a"), &n) && n > 1.4 && n < 1.6);
	assert_true(json_float(json_get(j, "b"), &n) && n > 6.9 && n < 7.1);
	assert_false(json_float(json_get(j, "c"), &n));
	assert_false(json_float(NULL, &n));
	json_free(j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(odd_characters_are_replaced),
		cmocka_unit_test(what_is_no_object_is_none),
		cmocka_unit_test(it_is_bounded),
		cmocka_unit_test(any_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
