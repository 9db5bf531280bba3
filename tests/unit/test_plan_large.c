/* plan: as large as one may be, and what is larger. */
#include "test.h"

#include <time.h>

#include "supervisor/plan/plan.h"

static double seconds(void)
{
	return (double)clock() / CLOCKS_PER_SEC;
}

enum { FINE, UNKNOWN, SAME, SORTS }; /* a good plan; wrong names everywhere; one id for all */

static void add_task(struct str *text, int sort, int i)
{
	switch (sort) {
	case FINE:
		str_addf(text, "- {id: t%d, run: x, needs: [t%d], files: [src/%d]}\n", i, i - 1, i);
		return;
	case UNKNOWN:
		str_addf(text, "- {id: t%d, run: x, needs: [u%d], files: [src/%d]}\n", i, i, i);
		return;
	default:
		str_addf(text, "- {id: same, run: x%d, needs: [v%d], files: [a%d]}\n", i, i, i);
	}
}

static void hundred_thousand_tasks(void **state)
{
	(void)state;
	for (int k = 0; k < SORTS; k++) {
		AUTO_STR struct str text = {0};
		struct plan_faults faults = {0};
		struct plan p;
		str_add(&text, k == FINE ? "tasks:\n- {id: t0, run: x}\n" : "tasks:\n- {id: x, run: x}\n");
		for (int i = 1; i < PLAN_MAX_TASKS; i++)
			add_task(&text, k, i);
		double start = seconds();
		int rc = plan_load_text(&p, "big", text.p, text.len, NULL, &faults);
		assert_int_equal(rc, k == FINE ? 0 : -1);
		if (k == FINE) {
			assert_int_equal(p.n, PLAN_MAX_TASKS);
			assert_int_equal(p.wave[PLAN_MAX_TASKS - 1], PLAN_MAX_TASKS);
			plan_fini(&p);
			str_add(&text, "- {id: more, run: x}\n");
			assert_int_equal(
				plan_load_text(&p, "big", text.p, text.len, NULL, &faults), -1);
			assert_int_equal(faults.n, 1);
			assert_non_null(strstr(faults.v[0].message, "100000"));
		} else {
			assert_true(faults.n >= PLAN_MAX_TASKS - 1);
		}
		print_message("%.1f s\n", seconds() - start);
		assert_true(seconds() - start < 60); /* sanitizers and a busy machine: only no square */
		plan_faults_fini(&faults);
	}
}

/* Texts repeated by aliases: 300 GB asked for in a megabyte. */
static void repeated_texts_are_bounded(void **state)
{
	(void)state;
	AUTO_STR struct str text = {0};
	struct plan_faults faults = {0};
	struct plan p;
	str_add(&text, "tasks:\n- id: first\n  prompt: &p \"");
	for (int i = 0; i < 500000; i++)
		str_addc(&text, 'x');
	str_add(&text, "\"\n");
	for (int i = 0; i < 2000; i++)
		str_addf(&text, "- {id: t%d, prompt: *p}\n", i);
	assert_int_equal(plan_load_text(&p, "big", text.p, text.len, NULL, &faults), -1);
	assert_int_equal(faults.n, 1);
	assert_non_null(strstr(faults.v[0].message, "256 MiB"));
	plan_faults_fini(&faults);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hundred_thousand_tasks),
		cmocka_unit_test(repeated_texts_are_bounded),
	};
	return cmocka_run_group_tests_name("plan_large", tests, NULL, NULL);
}
