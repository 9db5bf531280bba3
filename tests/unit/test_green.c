/* What gates came to counts for what is run alike, and for nothing else. */
#include "test.h"

#include "supervisor/green.h"

static struct config_gate gates[2];
static struct config cfg;

static void begin(void)
{
	memset(gates, 0, sizeof gates);
	gates[0] = (struct config_gate){.name = (char *)"lint", .run = (char *)"make lint"};
	gates[1] = (struct config_gate){.name = (char *)"T1.test", .run = (char *)"make test"};
	cfg = (struct config){.gates = gates, .n_gates = 2};
}

static void add(struct green *g, const char *tree, const char *verdict, const struct task_def *task)
{
	AUTO_STRV struct strv verdicts = {0};
	strv_add(&verdicts, verdict);
	green_add(g, tree, &verdicts, task);
}

static void by_tree_and_verdict(void **state)
{
	(void)state;
	begin();
	struct green *g = green_new(&cfg);
	assert_false(green_accepted(g, "a", "lint"));
	add(g, "a", "lint=skipped", NULL);
	assert_true(green_accepted(g, "a", "lint"));
	assert_false(green_passed(g, "a", "lint"));
	add(g, "a", "lint=pass", NULL);
	add(g, "a", "lint=skipped", NULL);
	assert_true(green_passed(g, "a", "lint"));
	assert_false(green_accepted(g, "b", "lint"));
	assert_false(green_accepted(g, "a", "T1.test"));
	add(g, "a", "unknown=pass", NULL);
	assert_false(green_accepted(g, "a", "unknown"));
	green_free(g);
	green_free(NULL);
}

static void by_definition(void **state)
{
	static char *one[] = {(char *)"src", NULL};
	const struct config_gate others[] = {
		{.name = (char *)"lint", .run = (char *)"make lint "},
		{.name = (char *)"lint", .run = (char *)"make lint", .timeout_ms = 1000},
		{.name = (char *)"lint", .run = (char *)"make lint", .retries = 1},
		{.name = (char *)"lint", .run = (char *)"make lint", .exclusive = true},
		{.name = (char *)"lint", .run = (char *)"make lint", .lock = (char *)"db"},
		{.name = (char *)"lint", .run = (char *)"make lint", .paths = {one, 1}},
	};
	(void)state;
	begin();
	struct green *g = green_new(&cfg);
	add(g, "a", "lint=pass", NULL);
	for (size_t i = 0; i < MEM_COUNT(others); i++) {
		gates[0] = others[i];
		if (green_accepted(g, "a", "lint"))
			fail_msg("another definition is taken for the same: %zu", i);
	}
	begin();
	assert_true(green_accepted(g, "a", "lint"));
	green_free(g);
}

static void by_what_the_plan_gave_it(void **state)
{
	struct task_def task = {0};
	(void)state;
	begin();
	struct green *g = green_new(&cfg);
	strv_add(&task.env, "CI=1");
	add(g, "a", "lint=pass", &task);
	assert_false(green_accepted(g, "a", "lint"));
	strv_fini(&task.env);
	add(g, "b", "lint=pass", &task);
	assert_true(green_passed(g, "b", "lint"));
	/* A step's own gate that is called as one of the session's. */
	strv_add(&task.step_gates, "T1");
	strv_add(&task.step_gates, "T1.test");
	strv_add(&task.step_gates, "true");
	add(g, "a", "T1.test=pass", &task);
	assert_false(green_accepted(g, "a", "T1.test"));
	strv_fini(&task.step_gates);
	green_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_tree_and_verdict),
		cmocka_unit_test(by_definition),
		cmocka_unit_test(by_what_the_plan_gave_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
