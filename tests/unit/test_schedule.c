/* The schedule's named behaviours, one by one: who starts, and when. What ends badly, stops and recovery:
 * test_schedule_end.c. That no order of events breaks it is shown in tests/model/test_schedule.c, that it
 * bears 100,000 tasks in test_schedule_large.c. */
#include "small_schedule.h"

/* ---- names ---- */

static void names_of_states_can_be_read_back(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < TASK_STATE_COUNT; i++) {
		enum task_state got = TASK_STATE_COUNT, is = (enum task_state)i;
		assert_true(task_state_parse(task_state_name(is), &got));
		assert_int_equal(got, is);
		assert_int_equal(task_state_ended(is), is >= TASK_INTEGRATED);
	}
	enum task_state kept = TASK_READY;
	assert_false(task_state_parse("pending", &kept));
	assert_false(task_state_parse("", &kept));
	assert_int_equal(kept, TASK_READY);
	assert_string_equal(task_state_shown(TASK_BACKOFF), "pending");
	assert_string_equal(task_state_shown(TASK_CHECKED), "running");
	assert_string_equal(task_state_shown(TASK_TIMEOUT), "failed");
	assert_string_equal(task_state_name(TASK_STATE_COUNT), "?");
	assert_string_equal(task_state_shown(TASK_STATE_COUNT), "?");
}

/* ---- who starts, and when ---- */

static void a_plan_without_tasks_ends_at_the_start(void **state)
{
	(void)state;
	SCHEDULE(.n = 0, .slots = 1);
	expect_all(HOLD, "");
	expect_all(START, "end");
	expect_all(RELEASE, "");
	assert_true(schedule_ended(s));
}

static void everything_optional_may_be_absent(void **state)
{
	(void)state;
	struct schedule *s = schedule_new(&(struct sched_plan){.tasks = 2, .slots = 1});
	expect_all(START, "assign 0@0");
	expect(DONE, 0, "integrate 0, assign 1@0");
	schedule_free(s);
	schedule_free(NULL);
}

static void a_need_named_twice_is_one(void **state)
{
	(void)state;
	static const uint32_t needs[] = {0, 0};
	static const size_t needs_at[] = {0, 0, 2};
	struct sched_plan twice = {.tasks = 2, .slots = 2, .needs = needs, .needs_at = needs_at};
	struct schedule *s = schedule_new(&twice), *first = schedule_copy(s);
	expect_all(START, "assign 0@0");
	expect(DONE, 0, "integrate 0");
	expect(INTEGRATED, 0, "assign 1@0");
	schedule_free(s);
	s = first;
	expect_all(START, "assign 0@0");
	expect(BLOCKED, 0, "skip 1<0, end");
	schedule_free(s);
}

static void priority_goes_before_plan_order(void **state)
{
	(void)state;
	SCHEDULE(.n = 5, .slots = 2, .priority = {0, 5, INT64_MIN, 5, INT64_MAX});
	expect_all(START, "assign 4@0, assign 1@1");
	expect(DONE, 4, "integrate 4, assign 3@0");
	expect(DONE, 1, "integrate 1, assign 0@1");
	expect(DONE, 0, "integrate 0, assign 2@1");
	assert_int_equal(schedule_slot(s, 2), 1);
	assert_int_equal(schedule_slot(s, 0), SCHED_NONE);
}

static void a_dependent_waits_for_the_merge(void **state)
{
	(void)state;
	SCHEDULE(.n = 3, .slots = 3, .needs = {0, 1, 2});
	expect_all(START, "assign 0@0");
	expect_state(1, WAITING);
	expect(DONE, 0, "integrate 0");
	expect(INTEGRATED, 0, "assign 1@0");
	expect(DONE, 1, "integrate 1");
	expect(INTEGRATED, 1, "assign 2@0");
	expect(DONE, 2, "integrate 2");
	expect(INTEGRATED, 2, "end");
	assert_int_equal(schedule_count(s, TASK_INTEGRATED), 3);
	expect(INTEGRATED, 2, "");
	expect_all(STOP, "");
}

static void one_after_another_begins_whatever_became_of_the_first(void **state)
{
	(void)state;
	SCHEDULE(.n = 4, .slots = 3, .retries = 1, .after = {0, 1, 2, 4});
	expect_all(START, "assign 0@0");
	expect(DONE, 0, "integrate 0");
	expect(REPAIR, 0, "assign 0@0"); /* it goes back: it has not ended */
	expect(FAILED, 0, "backoff 0");
	expect(RETRY_DUE, 0, "assign 0@0");
	expect(FAILED, 0, "assign 1@0");
	expect(DONE, 1, "integrate 1");
	expect(INTEGRATED, 1, "assign 2@0");
	expect_all(STOP_NOW, "cancel 2@0");
	expect(STOPPED, 2, "drop 2, end");
	expect_state(3, WAITING);
}

static void after_one_that_is_skipped(void **state)
{
	(void)state;
	SCHEDULE(.n = 4, .slots = 1, .needs = {0, 1}, .after = {0, 0, 2, 2 | 4});
	expect_all(START, "assign 0@0");
	expect(BLOCKED, 0, "skip 1<0, assign 2@0");
	expect(TIMEOUT, 2, "assign 3@0");
}

static void what_somebody_else_works_on(void **state)
{
	(void)state;
	/* 1 needs it, 2 comes after it, 3 shares a file with it, 4 comes after 3; only 5 can run. */
	SCHEDULE(.n = 6, .slots = 2, .needs = {0, 1}, .after = {0, 0, 1, 0, 8}, .files = {1, 0, 0, 3, 0, 2});
	schedule_restore(s, 0, TASK_CLAIMED, 0);
	expect_all(START, "assign 5@0");
	expect(DONE, 5, "integrate 5");
	expect(INTEGRATED, 5, "end");
	expect_state(0, CLAIMED);
	for (uint32_t t = 1; t < 5; t++)
		expect_state(t, WAITING);
}

static void files_are_taken_until_the_merge(void **state)
{
	(void)state;
	SCHEDULE(.n = 4, .slots = 2, .files = {1, 3, 2, 4});
	expect_all(START, "assign 0@0, assign 2@1"); /* 1 shares with 0, then with 2 */
	expect(DONE, 2, "integrate 2, assign 3@1");
	expect(INTEGRATED, 2, "");
	expect(DONE, 3, "integrate 3"); /* a slot is free, but 0 runs */
	expect(DONE, 0, "integrate 0");
	expect(CONFLICT, 0, "assign 1@0");
}

static void sent_back_from_the_merge_it_runs_again(void **state)
{
	(void)state;
	SCHEDULE(.n = 3, .slots = 1, .files = {1, 1, 2}, .needs = {0, 0, 1});
	expect_all(START, "assign 0@0");
	expect(DONE, 0, "integrate 0");
	expect(REPAIR, 0, "assign 0@0"); /* before task 1, which waits for its file */
	expect(REPAIR, 0, "");           /* it is not checked now */
	expect(DONE, 0, "integrate 0");
	expect(INTEGRATED, 0, "assign 1@0");
	expect(DONE, 1, "integrate 1, assign 2@0");
	expect_all(STOP, "");
	expect(REPAIR, 1, "drop 1");
	expect_state(1, READY);
	expect(DONE, 2, "integrate 2");
	expect(RED, 2, "end");
	expect_state(2, BLOCKED);
}

static void red_when_merged_counts_as_a_failure(void **state)
{
	(void)state;
	SCHEDULE(.n = 3, .slots = 1, .halt = 1, .needs = {0, 1, 0});
	expect_all(START, "assign 0@0");
	expect(DONE, 0, "integrate 0, assign 2@0");
	expect(RED, 0, "skip 1<0");
	expect(DONE, 2, "integrate 2");
	expect(INTEGRATED, 2, "end");
}

static void files_are_free_again_while_a_retry_is_waited_for(void **state)
{
	(void)state;
	SCHEDULE(.n = 2, .slots = 2, .retries = 1, .files = {1, 1});
	expect_all(START, "assign 0@0");
	expect(FAILED, 0, "backoff 0, assign 1@0");
	expect(RETRY_DUE, 0, "");
	expect(DONE, 1, "integrate 1");
	expect(INTEGRATED, 1, "assign 0@0");
}

static void an_exclusive_task_runs_alone(void **state)
{
	(void)state;
	SCHEDULE(.n = 4, .slots = 3, .exclusive = {false, true, false, true});
	expect_all(START, "assign 0@0, assign 2@1"); /* equals may go before it */
	expect(DONE, 0, "integrate 0");
	expect(DONE, 2, "integrate 2, assign 1@0"); /* what waits for its merge does not run */
	expect(INTEGRATED, 0, "");
	expect(DONE, 1, "integrate 1, assign 3@0");
}

static void lower_priorities_do_not_starve_an_exclusive_task(void **state)
{
	(void)state;
	SCHEDULE(.n = 4, .slots = 2, .exclusive = {false, true}, .priority = {2, 1, 0, 1});
	expect_all(START, "assign 0@0, assign 3@1");
	expect(DONE, 0, "integrate 0"); /* 2 could start, but is less urgent than 1 */
	expect(DONE, 3, "integrate 3, assign 1@0");
	expect(DONE, 1, "integrate 1, assign 2@0");
}

static void an_exclusive_task_waits_for_its_files_too(void **state)
{
	(void)state;
	SCHEDULE(.n = 3, .slots = 2, .exclusive = {false, true}, .files = {1, 1, 0});
	expect_all(START, "assign 0@0, assign 2@1");
	expect(DONE, 2, "integrate 2");
	expect(DONE, 0, "integrate 0");
	expect(INTEGRATED, 2, "");
	expect(INTEGRATED, 0, "assign 1@0");
}

static void sequential_is_one_at_a_time_in_plan_order(void **state)
{
	(void)state;
	SCHEDULE(.n = 4, .slots = 3, .retries = 1, .sequential = true, .needs = {8},
	         .priority = {0, 1, 2, 3}, .exclusive = {false, true});
	expect_all(START, "assign 1@0");
	expect(DONE, 1, "integrate 1");
	expect(INTEGRATED, 1, "assign 2@0");
	expect(FAILED, 2, "backoff 2"); /* its retry first */
	expect(RETRY_DUE, 2, "assign 2@0");
	expect(FAILED, 2, "assign 3@0");
	expect(DONE, 3, "integrate 3");
	expect(INTEGRATED, 3, "assign 0@0");
	expect(BLOCKED, 0, "end");
}

static void s3_7_the_next_of_a_lane_begins_when_the_former_is_merged(void **state)
{
	(void)state;
	SCHEDULE(.n = 5, .slots = 2, .retries = 1, .prefer = {1, 2, 1, 1, 2});
	expect_all(START, "assign 0@0, assign 1@1");
	expect(DONE, 0, "integrate 0"); /* its slot is free, its lane is not */
	assert_int_equal(schedule_idle(s), 1);
	expect(DONE, 1, "integrate 1");
	expect(INTEGRATED, 0, "assign 2@0");
	expect(CONFLICT, 1, "assign 4@1"); /* ended: nothing of it is to come */
	expect(FAILED, 2, "backoff 2, assign 3@0");
	expect(RETRY_DUE, 2, "");
	expect(DONE, 3, "integrate 3");
	expect(REPAIR, 3, "assign 2@0"); /* in plan order again */
	expect(DONE, 2, "integrate 2");
	expect(INTEGRATED, 2, "assign 3@0");
}

static void agents_start_as_far_as_there_is_room(void **state)
{
	(void)state;
	const uint32_t agent[] = {0, 0, 1, SCHED_NONE, 0}, account[] = {0, 0};
	const uint64_t weight[] = {1200, 300};
	const struct sched_plan plan = {.tasks = 5, .slots = 5, .agents = 2, .accounts = 1, .agent = agent, .account = account,
	                                .weight = weight, .room = 1600};
	__attribute__((cleanup(free_schedule))) struct schedule *s = schedule_new(&plan);

	expect_all(START, "assign 0@0"); /* the second does not fit, and nobody passes it */
	expect(DONE, 0, "integrate 0, assign 1@0, assign 2@1, assign 3@2");
	expect(FAILED, 2, "");
	expect(FAILED, 1, "assign 4@0");
	expect(FAILED, 4, "");
	/* What is heavier than all room runs alone. */
	const struct sched_plan heavy = {.tasks = 2, .slots = 2, .agents = 2, .accounts = 1, .agent = (const uint32_t[]){0, 0},
	                                 .account = account, .weight = weight, .room = 100};
	__attribute__((cleanup(free_schedule))) struct schedule *h = schedule_new(&heavy);
	expect_at(h, SCHED_START, SCHED_NONE, "assign 0@0", __LINE__);
	expect_at(h, SCHED_FINAL, 0, "assign 1@0", __LINE__);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agents_start_as_far_as_there_is_room),
		cmocka_unit_test(names_of_states_can_be_read_back),
		cmocka_unit_test(a_plan_without_tasks_ends_at_the_start),
		cmocka_unit_test(everything_optional_may_be_absent),
		cmocka_unit_test(a_need_named_twice_is_one),
		cmocka_unit_test(priority_goes_before_plan_order),
		cmocka_unit_test(a_dependent_waits_for_the_merge),
		cmocka_unit_test(one_after_another_begins_whatever_became_of_the_first),
		cmocka_unit_test(after_one_that_is_skipped),
		cmocka_unit_test(what_somebody_else_works_on),
		cmocka_unit_test(files_are_taken_until_the_merge),
		cmocka_unit_test(sent_back_from_the_merge_it_runs_again),
		cmocka_unit_test(red_when_merged_counts_as_a_failure),
		cmocka_unit_test(files_are_free_again_while_a_retry_is_waited_for),
		cmocka_unit_test(an_exclusive_task_runs_alone),
		cmocka_unit_test(lower_priorities_do_not_starve_an_exclusive_task),
		cmocka_unit_test(an_exclusive_task_waits_for_its_files_too),
		cmocka_unit_test(sequential_is_one_at_a_time_in_plan_order),
		cmocka_unit_test(s3_7_the_next_of_a_lane_begins_when_the_former_is_merged),
	};
	return cmocka_run_group_tests_name("schedule", tests, NULL, NULL);
}
