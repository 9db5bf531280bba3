/* yaml_write: every text comes back as it was. */
#include <string.h>

#include "supervisor/yaml.h"
#include "supervisor/yaml_write.h"
#include "test.h"

static void comes_back(const char *text)
{
	AUTO_STR struct str doc = {0};
	struct plan_faults faults = {0};

	str_add(&doc, "a:\n    - key: ");
	yaml_write_text(&doc, text);
	str_add(&doc, "\n      other: 1\n");
	struct yaml *y = yaml_parse("doc", doc.p, doc.len, &faults);
	if (!y)
		fail_msg("not YAML: %s", doc.p);
	const struct yaml_node *v = yaml_get(yaml_get(yaml_root(y), "a")->first, "key");
	bool ignored_flag;
	uint64_t ignored_number;
	assert_int_equal(v->kind, YAML_SCALAR);
	assert_string_equal(v->text, text);
	assert_false(yaml_is_null(v) || yaml_flag(v, &ignored_flag) || yaml_u64(v, &ignored_number));
	yaml_free(y);
}

static void texts_that_mean_something_are_quoted(void **state)
{
	(void)state;
	static const char *const texts[] = {"", "true", "No", "null", "~", "1e10", "0x1f", "12:30:45", "2026-01-01", "- a", "a: b", "a #b",
	                                    "#", "'", "\"", "\\", "a\nb", "\ta", " a", "a ", "{a}", "[", "&a", "*a", "!a", "|", ">", "%a",
	                                    "@a", "`a", "?", "--- ", "...", "a\rb", "\x1b[31m", "\x7f", "\xc2\x85", "\xe2\x80\xa8",
	                                    "\xef\xbb\xbf", "\xe2\x80\xae", "\xf0\x9f\x8c\xb3", "feat/task-001", "abc1234", "1234567"};
	for (size_t i = 0; i < MEM_COUNT(texts); i++)
		comes_back(texts[i]);
	AUTO_STR struct str out = {0};
	yaml_write_text(&out, "feat/task-001");
	yaml_write_text(&out, " ");
	yaml_write_text(&out, NULL);
	yaml_write_text(&out, "\x80");
	assert_string_equal(out.p, "feat/task-001\" \"null\"\xef\xbf\xbd\"");
}

static void any_text_comes_back(void **state)
{
	(void)state;
	struct test_rng rng = test_rng_new();
	static const char *const bits[] = {"a", "Z", "0", "9", " ", "\n", "\t", ":", ": ", " #", "-", "'", "\"", "\\", "{", "}", "[", "]",
	                                   ",", "&", "*", "!", "|", ">", "%", "@", "`", "\x01", "\x7f", "\xc3\xa9", "\xc2\x85",
	                                   "\xe2\x80\xa9", "\xef\xbf\xbe", "\xf0\x9f\x8c\xb3"};
	for (int round = 0; round < 5000; round++) {
		AUTO_STR struct str text = {0};
		for (uint64_t n = test_rng_below(&rng, 10); n; n--)
			str_add(&text, bits[test_rng_below(&rng, MEM_COUNT(bits))]);
		comes_back(str_text(&text));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_that_mean_something_are_quoted),
		cmocka_unit_test(any_text_comes_back),
	};
	return cmocka_run_group_tests_name("yaml_write", tests, NULL, NULL);
}
