/* What `git merge-tree` may say, and what it is taken for: a conflict only when it proves to be one. */
#include "test.h"

#include <signal.h>

#include "supervisor/merge.h"

#define TREE "0123456789012345678901234567890123456789"
#define SAID(text) (text), sizeof(text) - 1

static struct merge_result parsed(int wait_status, const char *bytes, size_t n)
{
	struct merge_result r;
	merge_parse(&r, wait_status, bytes, n);
	return r;
}

static int exited(int code)
{
	return code << 8;
}

static void clean_is_exit_0_and_a_full_id(void **state)
{
	(void)state;
	struct merge_result r = parsed(exited(0), SAID(TREE "\0"));
	assert_int_equal(r.kind, MERGE_CLEAN);
	assert_string_equal(r.tree.hex, TREE);
	assert_int_equal(parsed(exited(0), SAID("")).kind, MERGE_FAILED);
	assert_int_equal(parsed(exited(0), SAID("0123\0")).kind, MERGE_FAILED);
	assert_int_equal(parsed(exited(0), SAID(TREE)).kind, MERGE_FAILED); /* cut off */
}

static void conflict_is_exit_1_and_a_full_id(void **state)
{
	(void)state;
	struct merge_result r = parsed(exited(1), SAID(TREE "\0a b\0line\nbreak\0a b\0\0messages\0"));
	assert_int_equal(r.kind, MERGE_CONFLICT);
	assert_int_equal(r.paths.n, 2);
	assert_string_equal(r.paths.v[0], "a b");
	assert_string_equal(r.paths.v[1], "line\nbreak");
	strv_fini(&r.paths);
	/* Exit 1 is also what git says of a revision it does not know. */
	assert_int_equal(parsed(exited(1), SAID("")).kind, MERGE_FAILED);
	assert_int_equal(parsed(exited(1), SAID("merge-tree: no such thing\0")).kind, MERGE_FAILED);
	/* A list that is cut off ends where the bytes end. */
	r = parsed(exited(1), SAID(TREE "\0cut"));
	assert_int_equal(r.kind, MERGE_CONFLICT);
	assert_int_equal(r.paths.n, 1);
	strv_fini(&r.paths);
}

static void anything_else_is_a_failure(void **state)
{
	(void)state;
	assert_int_equal(parsed(exited(128), SAID(TREE "\0")).kind, MERGE_FAILED);
	assert_int_equal(parsed(SIGABRT, SAID(TREE "\0")).kind, MERGE_FAILED);
	assert_int_equal(parsed(exited(2), SAID(TREE "\0x\0\0")).kind, MERGE_FAILED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clean_is_exit_0_and_a_full_id),
		cmocka_unit_test(conflict_is_exit_1_and_a_full_id),
		cmocka_unit_test(anything_else_is_a_failure),
	};
	return cmocka_run_group_tests_name("merge", tests, NULL, NULL);
}
