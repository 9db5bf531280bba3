/* Render: tables line up by display width, and fit the width asked for. */
#include "test.h"

#include <fcntl.h>
#include <locale.h>
#include <unistd.h>

#include "screen.h"
#include "supervisor/cols.h"
#include "supervisor/render.h"

#define WIDE "\xe4\xb8\xad\xe6\x96\x87" /* four columns */

static void prints(const struct table *t, size_t width, const char *expected)
{
	AUTO_STR struct str s = {0};
	table_print(t, width, &s);
	assert_string_equal(str_text(&s), expected);
}

static void columns_line_up(void **state)
{
	(void)state;
	AUTO_TABLE struct table t = {0};
	prints(&t, 80, "");
	TABLE_HEADER(&t, "TASK", "STATE", "SECONDS", "REASON");
	prints(&t, 80, ""); /* a header of nothing */
	table_right(&t, 2);
	table_right(&t, 64);
	TABLE_ROW(&t, "greet", "integrated", "12.5", "");
	TABLE_ROW(&t, WIDE, "failed", "1034.0", "gate tests: 3 failed");
	TABLE_ROW(&t, "caf\xc3\xa9", NULL);
	TABLE_ROW(&t, "e\xcc\x81\x1b[2J", "x\ny", "5", "a\tb", "one more");
	const char *full =
		"TASK      STATE       SECONDS  REASON\n"
		"greet     integrated     12.5\n"
		WIDE "      failed       1034.0  gate tests: 3 failed\n"
		"caf\xc3\xa9      -\n"
		"e\xcc\x81\\x1b[2J  x\\x0ay            5  a b                   one more\n";
	prints(&t, 0, full);
	prints(&t, 200, full);
	table_fini(&t);
	prints(&t, 0, "");
}

static void the_last_column_is_cut(void **state)
{
	(void)state;
	AUTO_TABLE struct table t = {0};
	TABLE_HEADER(&t, "TASK", "REASON");
	TABLE_ROW(&t, "greet", "gate tests: 3 failed");
	TABLE_ROW(&t, "s", WIDE WIDE WIDE);
	prints(&t, 27, "TASK   REASON\ngreet  gate tests: 3 failed\ns      " WIDE WIDE WIDE "\n");
	prints(&t, 18, "TASK   REASON\ngreet  gate test..\ns      " WIDE WIDE "..\n");
	prints(&t, 8, "TASK   R\ngreet  g\ns\n");
	prints(&t, 7, "TASK\ngreet\ns\n");
	prints(&t, 3, "TAS\ngre\ns\n");
	prints(&t, 1, "T\ng\ns\n");
}

static void no_line_of_a_random_table_is_too_wide(void **state)
{
	(void)state;
	static const char *const bits[] = {"a", "bcd", " ", WIDE, "e\xcc\x81", "\x1b[1m", "\n", "\xff"};
	struct test_rng rng = test_rng_new();
	for (int i = 0; i < 500; i++) {
		AUTO_TABLE struct table t = {0};
		AUTO_STR struct str s = {0};
		size_t width = 1 + test_rng_below(&rng, 60), rows = 1 + test_rng_below(&rng, 10), lines = 0;
		for (size_t r = 0; r < rows; r++) {
			AUTO_STRV struct strv cells = {0};
			for (uint64_t c = test_rng_below(&rng, 5); c; c--) {
				struct str text = {0};
				for (uint64_t n = test_rng_below(&rng, 9); n; n--)
					str_add(&text, bits[test_rng_below(&rng, MEM_COUNT(bits))]);
				strv_give(&cells, str_take(&text));
			}
			table_row(&t, (const char *const *)cells.v, cells.n);
		}
		table_right(&t, test_rng_below(&rng, 5));
		table_print(&t, width, &s);
		for (char *line = s.p, *end; *line; line = end + 1, lines++) {
			end = strchr(line, '\n');
			*end = '\0';
			assert_true(cols_width(line) <= width);
			assert_null(strchr(line, '\x1b'));
			assert_false(str_ends(line, " "));
		}
		assert_int_equal(lines, rows);
	}
}

static void the_width_is_the_terminals(void **state)
{
	(void)state;
	struct screen s = screen_new(132, 24, true);
	assert_int_equal(render_columns(s.slave), 132);
	screen_fini(&s);
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_int_equal(render_columns(fd), 0);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_line_up),
		cmocka_unit_test(the_last_column_is_cut),
		cmocka_unit_test(no_line_of_a_random_table_is_too_wide),
		cmocka_unit_test(the_width_is_the_terminals),
	};
	if (!setlocale(LC_ALL, "C.UTF-8")) {
		fprintf(stderr, "no C.UTF-8 locale here\n");
		return 77;
	}
	return cmocka_run_group_tests_name("render", tests, NULL, NULL);
}
