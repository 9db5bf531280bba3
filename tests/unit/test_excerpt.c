/* What a model is told of a red gate: whatever tool printed it and wherever in the output it stands, what failed is in it. */
#include "test.h"

#include "worker/excerpt.h"
#include "worker/plain.h"

static void to_excerpt(void *x, const char *line, size_t n)
{
	excerpt_line(x, line, n);
}

/* In pieces of `piece` bytes. */
static void excerpt_of(const char *bytes, size_t n, size_t piece, struct str *out)
{
	struct excerpt *x = excerpt_new();
	struct plain *p = plain_new(to_excerpt, x);

	for (size_t i = 0; i < n; i += piece)
		plain_put(p, bytes + i, n - i < piece ? n - i : piece);
	plain_end(p);
	excerpt_end(x, out);
	assert_true(out->len <= EXCERPT_MAX);
	assert_true(str_utf8(str_text(out), out->len));
	assert_null(strchr(str_text(out), 0x1b));
	assert_true(!out->len || out->p[out->len - 1] == '\n');
}

/* `before` and `after` so many lines of nothing. */
static void among(const char *text, int before, int after, struct str *out)
{
	AUTO_STR struct str all = {0};

	for (int i = 1; i <= before; i++)
		str_addf(&all, "building part %d of many, all is well\n", i);
	str_add(&all, text);
	for (int i = 1; i <= after; i++)
		str_addf(&all, "cleaning up part %d of many, all is well\n", i);
	excerpt_of(all.p, all.len, 977, out);
}

static void expect(const struct str *text, const char *words)
{
	if (!strstr(str_text(text), words))
		fail_msg("\"%s\" is not in:\n%s", words, str_text(text));
}

static void small_output_is_given_whole(void **state)
{
	static const char text[] = "a\n\nerror: b\nc";
	AUTO_STR struct str out = {0}, none = {0};
	(void)state;
	excerpt_of(text, strlen(text), 3, &out);
	assert_string_equal(out.p, "a\n\nerror: b\nc\n");
	excerpt_of("", 0, 1, &none);
	assert_int_equal(none.len, 0);
}

static void what_failed_comes_first_then_the_end(void **state)
{
	AUTO_STR struct str out = {0};
	(void)state;
	among("before\nsrc/a.c:3:9: error: expected ';' before 'return'\n    3 |  int x\n      |       ^\nafter\n", 900, 2000, &out);
	assert_true(str_starts(out.p, "[line 898 of 2905]\nbuilding part 898"));
	expect(&out, "before\nsrc/a.c:3:9: error: expected ';' before 'return'\n    3 |  int x\n      |       ^\nafter\n");
	expect(&out, ", to the end]\n");
	assert_true(str_ends(out.p, "cleaning up part 2000 of many, all is well\n"));
	assert_true(out.len > EXCERPT_MAX - 200); /* what there is room for is used */
}

/* Each as its program prints it, far from the end of the output: these lines are to be in the excerpt. */
static const struct {
	const char *output, *wanted[4];
} tools[] = {
	{"============================= test session starts ==============================\n"
	 "collected 412 items\n\ntests/test_add.py ..F...                                            [  1%]\n"
	 "=================================== FAILURES ===================================\n"
	 "____________________________________ test_two ____________________________________\n\n"
	 "    def test_two():\n>       assert add(1, 1) == 3\nE       assert 2 == 3\nE        +  where 2 = add(1, 1)\n\n"
	 "tests/test_add.py:7: AssertionError\n",
	 {"def test_two():", "E       assert 2 == 3", "tests/test_add.py:7: AssertionError", NULL}},
	{"   Compiling demo v0.1.0 (/work/demo)\n\x1b[0m\x1b[1m\x1b[38;5;9merror[E0308]\x1b[0m\x1b[1m: mismatched types\x1b[0m\n"
	 " --> src/lib.rs:4:5\n  |\n3 | fn one() -> u32 {\n  |             --- expected `u32` because of return type\n4 |     \"1\"\n"
	 "  |     ^^^ expected `u32`, found `&str`\n\n",
	 {"error[E0308]: mismatched types\n --> src/lib.rs:4:5\n", "^^^ expected `u32`, found `&str`", NULL}},
	{"test math::adds ... FAILED\n\nfailures:\n\n---- math::adds stdout ----\n"
	 "thread 'math::adds' panicked at src/lib.rs:12:9:\nassertion `left == right` failed\n  left: 4\n right: 5\n",
	 {"test math::adds ... FAILED", "panicked at src/lib.rs:12:9", " right: 5", NULL}},
	{"gcc -Wall -Werror -c error.c\nerror.c: In function 'main':\nerror.c:5:13: warning: unused variable 'x' [-Wunused-variable]\n"
	 "main.c:9:5: error: implicit declaration of function 'run'\n    9 |     run();\n      |     ^~~\n"
	 "/usr/bin/ld: main.o: in function `main':\nmain.c:(.text+0xe): undefined reference to `start'\n",
	 {"main.c:9:5: error: implicit", "    9 |     run();", "undefined reference to `start'", NULL}},
	{" FAIL  src/add.test.js\n  \xe2\x97\x8f adds \xe2\x80\xba numbers\n\n    expect(received).toBe(expected) // Object.is equality\n\n"
	 "    Expected: 3\n    Received: 4\n\n      3 | test('adds', () => {\n    > 4 |   expect(add(1, 2)).toBe(3);\n"
	 "        |                     ^\n      at Object.toBe (src/add.test.js:4:21)\n",
	 {"FAIL  src/add.test.js", "adds \xe2\x80\xba numbers", "    Received: 4", "> 4 |   expect(add(1, 2)).toBe(3);"}},
	{"=== RUN   TestAdd\n    add_test.go:8: got 4, wanted 3\n--- FAIL: TestAdd (0.00s)\nFAIL\nFAIL\texample.com/add\t0.002s\n",
	 {"add_test.go:8: got 4, wanted 3", "--- FAIL: TestAdd (0.00s)", NULL}},
	{"# example.com/add\n./add.go:4:9: undefined: sum\n", {"./add.go:4:9: undefined: sum", NULL}},
	{"not ok 3 adds two numbers\n# (in test file tests/add.bats, line 9)\n#   `[ \"$(add 1 2)\" = 3 ]' failed\n",
	 {"not ok 3 adds two numbers", "line 9)", "failed", NULL}},
	{"src/a.ts(3,5): error TS2322: Type 'string' is not assignable to type 'number'.\n", {"error TS2322", NULL}},
	{"/work/src/a.js\n  12:5  error  'x' is defined but never used  no-unused-vars\n", {"/work/src/a.js\n  12:5  error", NULL}},
	{"Traceback (most recent call last):\n  File \"a.py\", line 3, in <module>\n    main()\nKeyError: 'name'\n",
	 {"File \"a.py\", line 3", "KeyError: 'name'", NULL}},
	{"a.py:3:1: F401 'os' imported but unused\n", {"a.py:3:1: F401", NULL}}, /* no word of failing, but where */
};

static void what_failed_is_found_in_the_output_of_every_tool(void **state)
{
	(void)state;
	for (size_t i = 0; i < MEM_COUNT(tools); i++) {
		AUTO_STR struct str out = {0};
		among(tools[i].output, 3000, 5000, &out);
		for (size_t k = 0; k < 4 && tools[i].wanted[k]; k++)
			expect(&out, tools[i].wanted[k]);
	}
}

static void what_went_well_is_not_taken_for_a_failure(void **state)
{
	static const char *const lines[] = {
		"0 errors, 0 warnings", "no errors found", "Finished without errors", "Failures: 0, Errors: 0, Skipped: 0",
		"tests/test_errors.py::test_error_is_told PASSED", "test error::is_told ... ok", "ok 12 - an error: is told",
		"gcc -Wall -Werror -Wno-error=format -c src/error.c -o build/error.o", "  \xe2\x9c\x93 fails with an error (3 ms)",
		"12/40 Test #12: assert_is_seen ...........   Passed    0.01 sec", "--- PASS: TestError (0.00s)",
		"a.c:3:9: warning: this will be an error: in the next version", "12:30:45 started", "Compiling thiserror v1.0.50",
		"0 failed, 3 passed", "errors=0", "note: run with RUST_BACKTRACE=1",
	};
	(void)state;
	for (size_t i = 0; i < MEM_COUNT(lines); i++)
		if (excerpt_says(lines[i], strlen(lines[i])) != EXCERPT_NOTHING)
			fail_msg("taken for a failure: %s", lines[i]);
	assert_int_equal(excerpt_says("10 errors", 9), EXCERPT_FAILURE);
	assert_int_equal(excerpt_says("TypeError", 9), EXCERPT_FAILURE);
	assert_int_equal(excerpt_says("FAILED (errors=1)", 17), EXCERPT_FAILURE);
}

static void of_very_many_failures_the_first_and_the_last_are_there(void **state)
{
	AUTO_STR struct str all = {0}, out = {0};
	(void)state;
	for (int i = 1; i <= 20000; i++)
		str_addf(&all, "src/f%d.c:1:1: error: number %d\n%s", i, i, i % 7 ? "" : "some line\nanother one\n");
	for (int i = 0; i < 4000; i++)
		str_add(&all, "the summary is long\n");
	excerpt_of(all.p, all.len, 65536, &out);
	expect(&out, "error: number 1\n");
	expect(&out, "error: number 20000\n");
	expect(&out, "the summary is long\n");
	assert_null(strstr(out.p, "error: number 10000\n"));
}

static void the_same_words_of_the_same_place_are_told_once(void **state)
{
	AUTO_STR struct str all = {0}, out = {0};
	(void)state;
	for (int i = 1; i <= 500; i++)
		str_addf(&all, "include/all.h:9:2: error: no type named thing\n%s",
		         "one\ntwo\nthree\nfour\nfive\nsix\nseven\neight\nnine\nten\neleven\ntwelve\nthirteen\nfourteen\n");
	str_add(&all, "src/b.c:4:4: error: another one\n");
	for (int i = 0; i < 4000; i++)
		str_add(&all, "the summary is long\n");
	excerpt_of(all.p, all.len, 65536, &out);
	char *first = strstr(out.p, "include/all.h:9:2");
	assert_non_null(first);
	assert_null(strstr(first + 1, "include/all.h:9:2"));
	expect(&out, "src/b.c:4:4: error: another one\n");
}

static void odd_bytes_and_long_lines_stay_within_bounds(void **state)
{
	AUTO_STR struct str all = {0}, out = {0}, one = {0};
	(void)state;
	for (size_t i = 0; i < 3000000; i++)
		str_addc(&all, (char)(i * 7919 >> 3));
	str_add(&all, "\nerror: after it\n");
	excerpt_of(all.p, all.len, 4096, &out);
	expect(&out, "error: after it\n");
	str_clear(&all);
	str_add(&all, "error: ");
	for (int i = 0; i < 100000; i++)
		str_add(&all, "\xc3\xa4");
	for (size_t piece = 1; piece < 4; piece++) {
		str_clear(&one);
		excerpt_of(all.p, all.len, piece, &one);
		assert_true(one.len < 1100);
		expect(&one, "[a line of 200007 bytes]");
	}
}

static void lines_are_what_a_terminal_would_show(void **state)
{
	static const struct {
		const char *bytes, *shown;
	} rows[] = {
		{"\x1b[31mred\x1b[0m and \x1b[1;38;5;9mbright\x1b[m\n", "red and bright\n"},
		{"10%\r50%\r100% done\n", "100% done\n"},
		{"windows\r\nlines\r\n", "windows\nlines\n"},
		{"\x1b]8;;http://x/\x1b\\link\x1b]8;;\a\n", "link\n"},
		{"\x1b]0;title\x07text\n", "text\n"},
		{"_\bb_\bo\n", "bo\n"},
		{"\x1b(Bplain\x1b" "7\n", "plain\n"},
		{"a\x1b[3\nb\n", "a\nb\n"},
		{"tab\tstays\x01\n", "tab\tstays\\x01\n"},
		{"bad \xff\xfe bytes\n", "bad \\xff\\xfe bytes\n"},
		{"\n\nempty\n", "\n\nempty\n"},
	};
	(void)state;
	for (size_t i = 0; i < MEM_COUNT(rows); i++)
		for (size_t piece = 1; piece < 9; piece += 7) {
			AUTO_STR struct str out = {0};
			excerpt_of(rows[i].bytes, strlen(rows[i].bytes), piece, &out);
			assert_string_equal(str_text(&out), rows[i].shown);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(small_output_is_given_whole),
		cmocka_unit_test(what_failed_comes_first_then_the_end),
		cmocka_unit_test(what_failed_is_found_in_the_output_of_every_tool),
		cmocka_unit_test(what_went_well_is_not_taken_for_a_failure),
		cmocka_unit_test(of_very_many_failures_the_first_and_the_last_are_there),
		cmocka_unit_test(the_same_words_of_the_same_place_are_told_once),
		cmocka_unit_test(odd_bytes_and_long_lines_stay_within_bounds),
		cmocka_unit_test(lines_are_what_a_terminal_would_show),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
