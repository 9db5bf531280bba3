/* plan_assign: which worktree a story is for, and what needs none. */
#include <string.h>

#include "store/base/mem.h"
#include "supervisor/plan/plan.h"
#include "test.h"

static void load(struct plan *p, const char *kind, const char *tasks)
{
	struct plan_faults faults = {0};
	AUTO_STR struct str said = {0}, text = {0};

	str_addf(&text, "{%s%s tasks: [%s]}", kind, *kind ? "," : "", tasks);
	if (plan_load_text(p, "p.yaml", text.p, text.len, NULL, &faults) != 0) {
		plan_faults_print(&faults, &said);
		fail_msg("%s", said.p);
	}
}

#define STORY(id, more) "{id: " id ", prompt: p, story: " id ".md" more "}"

static void expect(const char *tasks, size_t slots, const char *wanted)
{
	struct plan p;
	AUTO_STR struct str got = {0};

	load(&p, "kind: stories", tasks);
	AUTO_FREE uint32_t *slot = mem_array(p.n, sizeof *slot);
	assert_true(plan_assign(slot, &p, slots));
	for (size_t i = 0; i < p.n; i++)
		str_addf(&got, slot[i] == UINT32_MAX ? "-" : "%u", slot[i]);
	assert_string_equal(got.p, wanted);
	plan_fini(&p);
}

static void s3_4_a_story_goes_where_one_it_needs_goes_else_where_there_are_fewest(void **state)
{
	(void)state;
	expect(STORY("a", "") "," STORY("b", "") "," STORY("c", "") "," STORY("d", ""), 3, "0120");
	expect(STORY("a", "") "," STORY("b", "") "," STORY("c", ", needs: [b]") "," STORY("d", "") "," STORY("e", ""), 2,
	       "01100");
	/* of two that are in different worktrees the first counts */
	expect(STORY("a", "") "," STORY("b", "") "," STORY("c", ", needs: [b, a]"), 2, "011");
	expect(STORY("a", "") "," STORY("b", ", needs: [a]") "," STORY("c", ", needs: [b]"), 3, "000");
	expect(STORY("a", "") "," STORY("b", ""), 1, "00");
}

static void s3_1_what_nobody_works_on_is_not_assigned(void **state)
{
	(void)state;
	struct plan p;

	expect(STORY("a", ", category: CLEAN") "," STORY("b", ", routed: too much") "," STORY("c", ", needs: [a]"), 2, "--0");
	load(&p, "kind: stories", STORY("a", ", category: CLEAN") "," STORY("b", ", category: NEEDS_PIPELINE, routed: x") ","
	     STORY("c", ", category: CLOSEABLE"));
	assert_int_equal(plan_end(&p.tasks[0]), TASK_ALREADY);
	assert_int_equal(plan_end(&p.tasks[1]), TASK_ROUTED);
	assert_int_equal(plan_end(&p.tasks[2]), TASK_WAITING);
	assert_int_equal(plan_runs(&p), 1);
	plan_fini(&p);
}

static void tasks_of_other_plans_go_anywhere(void **state)
{
	(void)state;
	struct plan p;
	uint32_t slot[1];

	load(&p, "", "{id: a, run: x}");
	assert_false(plan_assign(slot, &p, 2));
	assert_int_equal(slot[0], UINT32_MAX);
	plan_fini(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(s3_4_a_story_goes_where_one_it_needs_goes_else_where_there_are_fewest),
		cmocka_unit_test(s3_1_what_nobody_works_on_is_not_assigned),
		cmocka_unit_test(tasks_of_other_plans_go_anywhere),
	};
	return cmocka_run_group_tests_name("plan_assign", tests, NULL, NULL);
}
