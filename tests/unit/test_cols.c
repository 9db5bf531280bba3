/* Cols: widths of ASCII, wide and combining text, in cutting, folding and in what foreign text is
 * turned into. */
#include "test.h"

#include <locale.h>

#include "supervisor/cols.h"

#define WIDE "\xe4\xb8\xad" /* two columns */
#define ACUTE "\xcc\x81"    /* none */

static void shows(const char *text, const char *expected)
{
	AUTO_STR struct str s = {0};
	cols_show(&s, text, strlen(text), false);
	assert_string_equal(s.p, expected);
}

static void foreign_text_is_made_harmless(void **state)
{
	(void)state;
	shows("", "");
	shows("plain \xc3\xa9" WIDE, "plain \xc3\xa9" WIDE);
	shows("\x1b]0;x\a", "\\x1b]0;x\\x07");
	shows("a\tb\nc\rd\x7f", "a b\\x0ac\\x0dd\\x7f");
	shows("\xff\xc2\x9b", "\\xff\\xc2\\x9b");
	shows("\xe2\x80\xae" "x\xe2\x81\xa6", "\\u202ex\\u2066"); /* direction */
	shows("a\xe2\x80\x8b" "b\xef\xbb\xbf\xe2\x81\xa0", "a\\u200bb\\ufeff\\u2060"); /* no width */
	shows("a\xe2\x80\x8d" "b\xe2\x80\x8c", "a\\u200db\\u200c");
	shows("\xd9\x85\xe2\x80\x8c\xd9\x86", "\xd9\x85\xe2\x80\x8c\xd9\x86"); /* but where it is written so */
	shows("\xe2\x80\xa8", "\\u2028");                        /* line separator */
	shows("\xe2\x9d\xa4\xef\xb8\x8f!", "\xe2\x9d\xa4!");     /* emoji presentation */
	shows("e" ACUTE ACUTE ACUTE ACUTE ACUTE "f" ACUTE, "e" ACUTE ACUTE ACUTE "f" ACUTE);
	AUTO_STR struct str s = {0};
	cols_show(&s, "one\ntwo" WIDE "three", 9, true);
	assert_string_equal(s.p, "one\ntwo\\xe4\\xb8");
}

static void widths_are_columns(void **state)
{
	(void)state;
	assert_int_equal(cols_width(""), 0);
	assert_int_equal(cols_width("abc"), 3);
	assert_int_equal(cols_width("\xc3\xa9" WIDE "e" ACUTE), 4);
	assert_int_equal(cols_width("\xf0\x9f\x98\x80"), 2);
}

static void fits(const char *text, size_t max, bool mark, const char *expected)
{
	AUTO_STR struct str s = {0};
	size_t used = cols_fit(&s, text, max, mark);
	assert_string_equal(s.p, expected);
	assert_int_equal(used, cols_width(expected));
}

static void cutting_keeps_characters_whole(void **state)
{
	(void)state;
	fits("abc", 3, true, "abc");
	fits("abcdefgh", 6, true, "abcd..");
	fits("abcdefgh", 6, false, "abcdef");
	fits("abcdefgh", 4, true, "abcd");
	fits("abcdefgh", 0, true, "");
	fits(WIDE WIDE WIDE, 5, false, WIDE WIDE);
	fits(WIDE WIDE WIDE, 5, true, WIDE "..");
	fits("e" ACUTE "f" ACUTE "g", 2, false, "e" ACUTE "f" ACUTE);
}

static void folds(const char *text, size_t max, const char *expected)
{
	AUTO_STR struct str s = {0};
	cols_fold(&s, text, max);
	assert_string_equal(s.p, expected);
}

static void folding_loses_nothing(void **state)
{
	(void)state;
	folds("", 9, "\n");
	folds("short", 9, "short\n");
	folds("one two three four", 9, "one two\nthree\nfour\n");
	folds("abcdefghijklmnopqrst", 9, "abcdefghi\njklmnopqr\nst\n");
	folds("a\n\nb", 9, "a\n\nb\n");
	folds("the words of a line that is long", 20, "the words of a line\n  that is long\n");
	folds("exactly9 ", 8, "exactly9\n");
	folds(WIDE WIDE WIDE, 5, WIDE WIDE "\n" WIDE "\n");
	folds(WIDE "a", 1, "?\na\n");
	folds("ab", 0, "a\nb\n");
}

/* Any text, in any width: the lines fit, and joined again they are the text. */
static void folding_random_texts(void **state)
{
	(void)state;
	static const char *const bits[] = {"a", "bc", " ", "  ", WIDE, "e\xcc\x81", "longer-word"};
	struct test_rng rng = test_rng_new();
	for (int i = 0; i < 3000; i++) {
		AUTO_STR struct str text = {0}, lines = {0}, in = {0}, out = {0};
		for (uint64_t n = test_rng_below(&rng, 30); n; n--)
			str_add(&text, bits[test_rng_below(&rng, MEM_COUNT(bits))]);
		size_t max = 2 + test_rng_below(&rng, 40);
		cols_fold(&lines, str_text(&text), max);
		for (char *line = lines.p, *end; *line; line = end + 1) {
			end = strchr(line, '\n');
			*end = '\0';
			assert_true(cols_width(line) <= max);
			for (; *line; line++)
				if (*line != ' ')
					str_addc(&out, *line);
		}
		for (const char *p = str_text(&text); *p; p++)
			if (*p != ' ')
				str_addc(&in, *p);
		assert_string_equal(str_text(&in), str_text(&out));
	}
}

static void without_a_utf8_locale_a_byte_is_a_column(void **state)
{
	(void)state;
	setlocale(LC_ALL, "C");
	shows("caf\xc3\xa9 " WIDE " \xff", "caf? ? \\xff");
	assert_int_equal(cols_width("caf? ?"), 6);
	setlocale(LC_ALL, "C.UTF-8");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(foreign_text_is_made_harmless),
		cmocka_unit_test(widths_are_columns),
		cmocka_unit_test(cutting_keeps_characters_whole),
		cmocka_unit_test(folding_loses_nothing),
		cmocka_unit_test(folding_random_texts),
		cmocka_unit_test(without_a_utf8_locale_a_byte_is_a_column),
	};
	if (!setlocale(LC_ALL, "C.UTF-8")) {
		fprintf(stderr, "no C.UTF-8 locale here\n");
		return 77;
	}
	return cmocka_run_group_tests_name("cols", tests, NULL, NULL);
}
