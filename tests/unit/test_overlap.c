/* overlap: which declared paths mean a common file, by hand and against enumeration. */
#include "test.h"

#include "supervisor/plan/overlap.h"
#include "supervisor/plan/plan.h"

static void known_pairs(void **state)
{
	(void)state;
	static const struct {
		const char *a, *b;
		bool meet;
	} cases[] = {
		{"a", "a", true},
		{"a", "b", false},
		{"a", "ab", false},
		{"src", "src/a.c", true}, /* a folder covers what is below */
		{"src/a.c", "src", true},
		{"src", "srcs/a.c", false},
		{".", "any/thing", true},
		{".", "*.c", true},
		{"*.c", "a.c", true},
		{"*.c", "a.h", false},
		{"*.c", "src/a.c", false}, /* a star stays within its folder */
		{"**/*.c", "src/deep/a.c", true},
		{"**/*.c", "a.c", true},
		{"**", "x", true},
		{"src/*", "src/lib/a.c", true}, /* src/lib is matched, and covers */
		{"src/*.c", "src/*.h", false},
		{"src/*.c", "src/a*", true},
		{"src/a*", "src/*b", true},
		{"src/a*c", "src/b*c", false},
		{"src/**/test.c", "src/lib/**", true},
		{"src/**/test.c", "lib/**", false},
		{"src/a.c", "src/**/*.h", true}, /* src/a.c may be a folder */
		{"src/a.c", "src/*.h", false},
		{"a/**/b", "a/b", true},
		{"a?", "ab", true},
		{"a?", "a", false},
		{"a?", "a\xc3\xa9", true}, /* one character, two bytes */
		{"a??", "a\xc3\xa9", false},
		{"[ab].c", "a.c", true},
		{"[ab].c", "z.c", true}, /* in doubt: yes */
		{"[ab].c", "zz.c", false},
		{"app/[id]/page.tsx", "app/[id]/page.tsx", true}, /* also its own text */
		{"app/[id]/page.tsx", "app/[id]", true},
		{"app/[id", "app/[id", true}, /* not closed: itself */
		{"app/[id", "app/xid", false},
		{"[]a]x", "bx", true},
		{"*", "**", true},
		{"*/*", "a", true}, /* a covers what is below it */
		{"**/a/**/b/**", "x/b/x/a", true},
		{"****", "a", true},
		{"", "", true},
	};
	for (size_t i = 0; i < MEM_COUNT(cases); i++) {
		if (overlap_paths(cases[i].a, cases[i].b) != cases[i].meet)
			fail_msg("%s and %s: not %d", cases[i].a, cases[i].b, cases[i].meet);
		assert_int_equal(overlap_paths(cases[i].b, cases[i].a), cases[i].meet);
		assert_int_equal(plan_paths_overlap(cases[i].a, cases[i].b), cases[i].meet);
		assert_int_equal(overlap_paths_any_case(cases[i].a, cases[i].b), cases[i].meet);
	}
}

static void any_case(void **state)
{
	(void)state;
	assert_true(overlap_paths_any_case("SRC/A.c", "src/a.C"));
	assert_true(overlap_paths_any_case("Src", "src/a.c"));
	assert_false(overlap_paths_any_case("Src", "srcs"));
	assert_true(overlap_paths_any_case("SRC/*.C", "src/a.c"));
	assert_false(overlap_paths_any_case("src/@", "src/`")); /* letters alone have two cases */
	assert_false(overlap_paths("SRC", "src"));
}

/* ---- against every path of up to 4 components of up to 2 letters ---- */

enum { NAMES = 6, PATHS = 6 + 36 + 216 + 1296, PATTERNS = 250 };
static const char *const names[NAMES] = {"a", "b", "aa", "ab", "ba", "bb"};

static bool naive_name(const char *p, size_t n, const char *name)
{
	if (!n)
		return !*name;
	if (*p == '*')
		return naive_name(p + 1, n - 1, name) || (*name && naive_name(p, n, name + 1));
	return *name && (*p == '?' || *p == *name) && naive_name(p + 1, n - 1, name + 1);
}

/* Does the pattern cover the path: match it or a folder above it? */
static bool naive_path(const char *p, const char *const *path, size_t n)
{
	size_t len = strcspn(p, "/");
	const char *rest = p + len + (p[len] == '/');
	if (!len)
		return true;
	if (len == 2 && p[0] == '*' && p[1] == '*')
		return naive_path(rest, path, n) || (n && naive_path(p, path + 1, n - 1));
	return n && naive_name(p, len, path[0]) && naive_path(rest, path + 1, n - 1);
}

static void random_pattern(struct test_rng *rng, struct str *out)
{
	size_t parts = 1 + test_rng_below(rng, 2);
	for (size_t i = 0; i < parts; i++) {
		str_add(out, i ? "/" : "");
		if (!test_rng_below(rng, 4)) {
			str_add(out, "**");
			continue;
		}
		for (uint64_t k = 1 + test_rng_below(rng, 2); k; k--)
			str_addc(out, "ab*?"[test_rng_below(rng, 4)]);
	}
}

static void random_patterns_agree_with_enumeration(void **state)
{
	(void)state;
	struct test_rng rng = test_rng_new();
	struct str patterns[PATTERNS] = {{0}};
	AUTO_FREE bool *covers = mem_array(PATTERNS * (size_t)PATHS, sizeof *covers);

	for (size_t i = 0; i < PATTERNS; i++) {
		random_pattern(&rng, &patterns[i]);
		size_t at = 0;
		for (size_t depth = 1, count = NAMES; depth <= 4; depth++, count *= NAMES)
			for (size_t code = 0; code < count; code++) {
				const char *path[4];
				for (size_t k = 0, c = code; k < depth; k++, c /= NAMES)
					path[k] = names[c % NAMES];
				covers[i * PATHS + at++] = naive_path(patterns[i].p, path, depth);
			}
		assert_int_equal(at, PATHS);
	}
	for (size_t i = 0; i < PATTERNS; i++)
		for (size_t k = 0; k < PATTERNS; k++) {
			bool meet = false;
			for (size_t at = 0; at < PATHS && !meet; at++)
				meet = covers[i * PATHS + at] && covers[k * PATHS + at];
			if (overlap_paths(patterns[i].p, patterns[k].p) != meet ||
			    overlap_paths_any_case(patterns[i].p, patterns[k].p) != meet)
				fail_msg("%s and %s: not %d", patterns[i].p, patterns[k].p, meet);
		}
	for (size_t i = 0; i < PATTERNS; i++)
		str_fini(&patterns[i]);
}

/* Longest allowed patterns full of stars: no exponential time, no overrun. */
static void hostile_patterns(void **state)
{
	(void)state;
	const char *const units[] = {"*a", "**/", "a/", "?", "*", "[a]", "\xf0\x9f\x98\x80"};
	char longest[MEM_COUNT(units)][PLAN_PATH_MAX + 1];
	for (size_t i = 0; i < MEM_COUNT(units); i++) {
		size_t n = strlen(units[i]), len = 0;
		for (; len + n <= PLAN_PATH_MAX; len += n)
			memcpy(longest[i] + len, units[i], n);
		longest[i][len] = '\0';
	}
	for (size_t i = 0; i < MEM_COUNT(units); i++)
		for (size_t k = 0; k < MEM_COUNT(units); k++)
			assert_int_equal(overlap_paths(longest[i], longest[k]),
			                 overlap_paths(longest[k], longest[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_pairs),
		{"S2.4: items have a common file whatever its case", any_case, NULL, NULL, NULL},
		cmocka_unit_test(random_patterns_agree_with_enumeration),
		cmocka_unit_test(hostile_patterns),
	};
	return cmocka_run_group_tests_name("overlap", tests, NULL, NULL);
}
