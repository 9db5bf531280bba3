/* What tasks wait for that nobody works on, in words. */
#include "test.h"

#include "supervisor/queue/waiting.h"

static const char text[] = "tasks:\n"
	"  - {id: a, run: x, files: [src/]}\n"
	"  - {id: b, run: x, needs: [a]}\n"
	"  - {id: c, run: x, files: [src/x.c]}\n"
	"  - {id: d, run: x, needs: [b, c]}\n"
	"  - {id: e, run: x}\n";

struct fixture {
	struct plan plan;
	struct plan_faults faults;
	uint32_t after[1];
	size_t after_at[6];
};

static int setup(void **state)
{
	struct fixture *f = mem_alloc(sizeof *f);

	*f = (struct fixture){.after = {3}, .after_at = {0, 0, 0, 0, 0, 1}}; /* e comes after d */
	assert_int_equal(plan_load_text(&f->plan, "p", text, strlen(text), NULL, &f->faults), 0);
	free(f->plan.after);
	free(f->plan.after_at);
	f->plan.after = f->after;
	f->plan.after_at = f->after_at;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	f->plan.after = NULL;
	f->plan.after_at = NULL;
	plan_fini(&f->plan);
	plan_faults_fini(&f->faults);
	free(f);
	return 0;
}

static void what_is_in_the_way_is_named(void **state)
{
	struct fixture *f = *state;
	enum task_state states[] = {TASK_CLAIMED, TASK_WAITING, TASK_WAITING, TASK_WAITING, TASK_WAITING};
	AUTO_STRV struct strv lines = {0};

	assert_true(waiting_only(&f->plan, states, &lines));
	assert_int_equal(lines.n, 4);
	assert_string_equal(lines.v[0], "b waits: it needs a, which somebody else works on");
	assert_string_equal(lines.v[1], "c waits: it shares files with a, which somebody else works on");
	assert_string_equal(lines.v[2], "d waits: it needs b, which is pending; it needs c, which is pending");
	assert_string_equal(lines.v[3], "e waits: it comes after d, which is pending");
}

static void what_ended_badly_holds_up_only_those_who_need_it(void **state)
{
	struct fixture *f = *state;
	enum task_state states[] = {TASK_INTEGRATED, TASK_FAILED, TASK_WAITING, TASK_SKIPPED, TASK_WAITING};

	AUTO_STRV struct strv lines = {0};
	char *why[5];

	waiting_all(why, &f->plan, states);
	assert_null(why[2]);
	assert_null(why[4]);
	assert_false(waiting_only(&f->plan, states, &lines));
	assert_int_equal(lines.n, 0);
	states[2] = TASK_ALREADY;
	states[3] = TASK_WAITING;
	waiting_all(why, &f->plan, states);
	assert_string_equal(why[3], "it needs b, which is failed");
	assert_string_equal(why[4], "it comes after d, which is pending");
	free(why[3]);
	free(why[4]);
	assert_true(waiting_only(&f->plan, states, &lines));
	assert_int_equal(lines.n, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_in_the_way_is_named, setup, teardown),
		cmocka_unit_test_setup_teardown(what_ended_badly_holds_up_only_those_who_need_it, setup, teardown),
	};
	return cmocka_run_group_tests_name("waiting", tests, NULL, NULL);
}
