/* queue_paths: how people write of files, and which ones are then taken. */
#include "test.h"

#include "supervisor/plan/queue_paths.h"

static const struct plan_context ctx = {.top = "/home/me/repo", .root = "/home/me/main/"};

static void expect(const char *text, const char *expected, size_t wrong)
{
	struct queue_paths p = {0};
	AUTO_STRV struct strv files = {0};
	AUTO_STR struct str got = {0};

	queue_paths_read(&p, &ctx, text);
	queue_paths_take(&p, &files);
	for (size_t i = 0; i < files.n; i++)
		str_addf(&got, "%s%s", i ? "|" : "", files.v[i]);
	if (strcmp(str_text(&got), expected) != 0 || p.wrong.n != wrong)
		fail_msg("\"%s\" is \"%s\" with %zu warnings, not \"%s\"", text, str_text(&got), p.wrong.n, expected);
	queue_paths_fini(&p);
}

static void as_planners_write_them(void **state)
{
	(void)state;
	static const char *const same[] = {
		"src/x.ts", "src/x.ts:12", "src/x.ts:12-20", "src/x.ts:12:3", "src/x.ts#L10", "src/x.ts#L10-L20", "src/x.ts(12)",
		"`src/x.ts`", "'src/x.ts'", "\"src/x.ts\"", "`src/x.ts:12`", "`src/x.ts`:12-20", "\xe2\x80\x9csrc/x.ts\xe2\x80\x9d",
		"src/x.ts\xc2\xa0", "\xc2\xa0 src/x.ts", "src/x.ts \xe2\x80\x8b", "new: src/x.ts", "Create: `src/x.ts`",
		"updated: src/x.ts:7", "- src/x.ts", "src/x.ts - add foo", "src/x.ts:12 - add foo and bar",
		"src/x.ts \xe2\x80\x94 why", "src/../src/x.ts", "/src/x.ts", "/home/me/repo/src/x.ts", "/home/me/main/src/x.ts",
		"//home/me/repo//src/./x.ts:3", "src\\x.ts", "./src//x.ts", "src/x.ts: a case", "lib/a/../../src/x.ts",
	};
	for (size_t i = 0; i < MEM_COUNT(same); i++) {
		bool told = strcmp(same[i], "/src/x.ts") == 0;
		expect(same[i], "src/x.ts", told);
	}
}

static void several_in_one(void **state)
{
	(void)state;
	expect("a.c and b.c", "a.c|b.c|a.c and b.c", 0);
	expect("a.c; b.c", "a.c|b.c|a.c; b.c", 0);
	expect("`a.c`, `b.c` and Makefile", "a.c|b.c|Makefile|`b.c` and Makefile", 0);
	expect("a.c -> lib/b.c", "a.c|lib/b.c|a.c -> lib/b.c", 0);
	expect("a.c\nb.c", "a.c|b.c", 0);
	expect("a.c - as in lib/b.c, e.g.", "a.c|lib/b.c|e.g.|e.g|a.c - as in lib/b.c", 0);
}

static void in_doubt_it_is_all_of_them(void **state)
{
	(void)state;
	expect("a.c (new)", "a.c|a.c (new)", 0);
	expect("a - b.c", "a|a - b.c", 0);
	expect("src (all of it)", "src|src (all of it)", 0);
	expect("docs/R and D", "docs/R|D|docs/R and D", 0);
	expect("src/x.ts:main", "src/x.ts|src/x.ts:main", 0);
	expect("README.md#usage", "README.md#usage|README.md", 0);
	expect("C#/x.cs", "C#/x.cs", 0);
	expect("Makefile: a target", "Makefile|a target|Makefile: a target", 0);
	expect("create Makefile", "Makefile|create Makefile", 0);
	expect("the `Makefile` and `src/x.ts`", "Makefile|the `Makefile|src/x.ts|the `Makefile` and `src/x.ts`", 0);
	expect("src/x.ts add foo", "src/x.ts add foo|src/x.ts", 0);
	expect("a\xc2\xa0" "b.c", "a b.c|b.c|a\xc2\xa0" "b.c", 0);
	expect("src/...", "src/...|src", 0);
	expect("src/**/../x.ts", "src/**/x.ts", 0);
}

static void what_is_no_path(void **state)
{
	(void)state;
	expect("../x.ts", "", 1);
	expect("src/../../x.ts", "", 1);
	expect("~/x.ts", "", 1);
	expect(".git/config", "", 1);
	expect("", "", 0);
	expect("  ,\xc2\xa0, ``", "", 0);
	expect("/home/me/repo", ".", 0);
	expect("/home/me/repository/x", "home/me/repository/x", 1);
}

static void hostile(void **state)
{
	(void)state;
	static const char *const units[] = {"{", "a and ", "a,", "`", ": ", "(", " - ", "../", "\xc2\xa0", "x/", "#L1", ":1"};
	for (size_t i = 0; i < MEM_COUNT(units); i++) {
		struct queue_paths p = {0};
		AUTO_STRV struct strv files = {0};
		AUTO_STR struct str text = {0};
		while (text.len < (strchr(units[i], '/') ? 1 << 20 : 1 << 18)) /* minutes, looked at anew for each folder */
			str_add(&text, units[i]);
		queue_paths_read(&p, NULL, text.p);
		queue_paths_take(&p, &files);
		assert_true(files.n <= PLAN_MAX_LIST + 16);
		queue_paths_fini(&p);
	}
}

/* More than are compared one by one; more than are taken. */
static void many(void **state)
{
	(void)state;
	struct queue_paths p = {0};
	AUTO_STRV struct strv files = {0};
	AUTO_STR struct str text = {0};

	for (size_t i = 0; i < 900; i++)
		str_addf(&text, "a%zu,", i % 300);
	str_add(&text, "x - y");
	queue_paths_read(&p, NULL, text.p);
	queue_paths_take(&p, &files);
	assert_int_equal(files.n, 302);
	for (size_t i = 0; i < 300; i++) {
		AUTO_FREE char *name = mem_printf("a%zu", i);
		assert_string_equal(files.v[i], name);
	}
	assert_string_equal(files.v[301], "x - y");
	queue_paths_fini(&p);
	strv_fini(&files);
	str_clear(&text);
	for (size_t i = 0; i < 2 * PLAN_MAX_LIST; i++)
		str_addf(&text, "a%zu,", i);
	queue_paths_read(&p, NULL, text.p);
	queue_paths_read(&p, NULL, "one more");
	queue_paths_take(&p, &files);
	assert_int_equal(files.n, PLAN_MAX_LIST + 1);
	queue_paths_fini(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{"S2.4: paths as planners write them", as_planners_write_them, NULL, NULL, NULL},
		{"S2.4: several paths in one text", several_in_one, NULL, NULL, NULL},
		{"S2.4: in doubt it is all of them", in_doubt_it_is_all_of_them, NULL, NULL, NULL},
		cmocka_unit_test(what_is_no_path),
		cmocka_unit_test(many),
		cmocka_unit_test(hostile),
	};
	return cmocka_run_group_tests_name("queue_paths", tests, NULL, NULL);
}
