/* The schedule's named behaviours: what ends badly, what the user and the machine want, recovery. */
#include "small_schedule.h"

/* ---- what ends badly ---- */

static void retries_are_used_up(void **state)
{
	(void)state;
	SCHEDULE(.n = 1, .slots = 1, .retries = 2);
	expect_all(START, "assign 0@0");
	for (uint32_t i = 1; i <= 2; i++) {
		expect(FAILED, 0, "backoff 0");
		assert_int_equal(schedule_retries(s, 0), i);
		expect(FAILED, 0, "");
		expect(RETRY_DUE, 0, "assign 0@0");
		expect(RETRY_DUE, 0, "");
	}
	expect(FAILED, 0, "end");
	expect_state(0, FAILED);
	assert_int_equal(schedule_retries(s, 0), 2);
}

static void timeout_and_blocked_are_final(void **state)
{
	(void)state;
	SCHEDULE(.n = 2, .slots = 2, .retries = 2);
	expect_all(START, "assign 0@0, assign 1@1");
	expect(TIMEOUT, 0, "");
	expect(BLOCKED, 1, "end");
	expect_state(0, TIMEOUT);
	expect_state(1, BLOCKED);
}

static void the_cause_of_a_skip_is_the_first_bad_task(void **state)
{
	(void)state;
	SCHEDULE(.n = 6, .slots = 2, .needs = {0, 0, 1, 4, 2 | 8, 2});
	expect_all(START, "assign 0@0, assign 1@1");
	expect(FAILED, 0, "skip 2<0, skip 3<0, skip 4<0"); /* 4 needs 1 and 3 */
	expect(DONE, 1, "integrate 1");
	expect(CONFLICT, 1, "skip 5<1, end");
	assert_int_equal(schedule_count(s, TASK_SKIPPED), 4);
}

static void the_session_halts_after_failures_in_a_row(void **state)
{
	(void)state;
	SCHEDULE(.n = 8, .slots = 3, .retries = 1, .halt = 2, .needs = {0, 0, 0, 0, 0, 0, 0, 4});
	expect_all(START, "assign 0@0, assign 1@1, assign 2@2");
	expect(BLOCKED, 0, "assign 3@0");
	expect(DONE, 1, "integrate 1, assign 4@1");
	expect(INTEGRATED, 1, ""); /* the row begins anew */
	expect(TIMEOUT, 3, "assign 5@0");
	expect(DONE, 5, "integrate 5, assign 6@0");
	expect(CONFLICT, 5, "");   /* counts neither way */
	expect(FAILED, 4, "backoff 4");
	expect(BLOCKED, 2, "skip 7<2, drop 4");
	assert_true(schedule_halted(s));
	expect_state(4, READY);
	expect(RETRY_DUE, 4, "");
	expect(FAILED, 6, "drop 6, end"); /* a retry would be a start */
	expect_state(6, READY);
	assert_int_equal(schedule_retries(s, 6), 1);
	assert_false(schedule_stopping(s));
}

static void a_halted_session_still_merges(void **state)
{
	(void)state;
	SCHEDULE(.n = 4, .slots = 2, .halt = 1, .needs = {0, 0, 0, 2});
	expect_all(START, "assign 0@0, assign 1@1");
	expect(TIMEOUT, 0, "");
	expect(DONE, 1, "integrate 1");
	expect(INTEGRATED, 1, "end");
	expect_state(2, READY); /* never started: pending */
	expect_state(3, READY);
}

static void what_was_integrated_before_is_so_again_when_it_ends_badly(void **state)
{
	(void)state;
	SCHEDULE(.n = 6, .slots = 1, .retries = 1, .halt = 3, .stands = {1, 1, 1, 1}, .needs = {0, 0, 0, 0, 15, 16});
	expect_all(START, "assign 0@0");
	expect(FAILED, 0, "backoff 0, assign 1@0"); /* its retry first */
	expect(BLOCKED, 1, "assign 2@0");
	expect_state(1, INTEGRATED);
	expect(RETRY_DUE, 0, "");
	expect(DONE, 2, "integrate 2, assign 0@0");
	expect(CONFLICT, 2, "");
	expect_state(2, INTEGRATED);
	expect(FAILED, 0, "assign 3@0");
	expect_state(0, INTEGRATED);
	expect(FAILED, 0, "");
	expect(DONE, 3, "integrate 3");
	expect(INTEGRATED, 3, "assign 4@0"); /* and the failures in a row begin anew */
	expect(TIMEOUT, 4, "skip 5<4, end");
	assert_false(schedule_halted(s));
}

static void what_stands_counts_as_a_failure(void **state)
{
	(void)state;
	SCHEDULE(.n = 3, .slots = 1, .halt = 2, .stands = {1, 1});
	expect_all(START, "assign 0@0");
	expect(BLOCKED, 0, "assign 1@0");
	expect(TIMEOUT, 1, "end");
	assert_true(schedule_halted(s));
	expect_state(2, READY);
}

/* ---- the user and the machine ---- */

static void stop_lets_finish_and_merge(void **state)
{
	(void)state;
	SCHEDULE(.n = 5, .slots = 3, .retries = 1, .needs = {0, 1});
	expect_all(START, "assign 0@0, assign 2@1, assign 3@2");
	expect(FAILED, 2, "backoff 2, assign 4@1");
	expect_all(STOP, "drop 2");
	assert_true(schedule_stopping(s));
	expect_all(STOP, "");
	expect_state(2, READY);
	expect(RETRY_DUE, 2, "");
	expect(STOPPED, 0, ""); /* nobody asked it to */
	expect(FAILED, 3, "drop 3");
	expect(BLOCKED, 4, "");
	expect(DONE, 0, "integrate 0");
	expect(INTEGRATED, 0, "end");
	expect_state(1, READY);
}

static void stop_now_cancels_what_runs(void **state)
{
	(void)state;
	SCHEDULE(.n = 5, .slots = 3, .retries = 1);
	expect_all(START, "assign 0@0, assign 1@1, assign 2@2");
	expect(DONE, 1, "integrate 1, assign 3@1");
	expect_all(STOP, "");
	expect_all(STOP_NOW, "cancel 0@0, cancel 3@1, cancel 2@2");
	expect_all(STOP_NOW, "");
	expect_all(STOP, "");
	expect(STOPPED, 0, "drop 0");
	expect_state(0, READY);
	assert_int_equal(schedule_retries(s, 0), 0); /* a stop is no verdict */
	expect(STOPPED, 0, "");
	expect(DONE, 3, "integrate 3"); /* it was faster */
	expect(FAILED, 2, "drop 2");
	expect(INTEGRATED, 3, "");
	expect(INTEGRATED, 1, "end");
}

static void a_stop_before_the_start_ends_at_once(void **state)
{
	(void)state;
	SCHEDULE(.n = 2, .slots = 1);
	schedule_restore(s, 1, TASK_CHECKED, 0);
	expect(INTEGRATED, 1, ""); /* not given out yet */
	expect_all(STOP, "end");
	expect_all(START, "");
	expect_state(0, READY);
	expect_state(1, CHECKED);
}

static void hold_starts_nothing_and_release_goes_on(void **state)
{
	(void)state;
	SCHEDULE(.n = 3, .slots = 2, .retries = 1, .needs = {0, 0, 1});
	expect_all(HOLD, "");
	expect_all(START, "");
	expect_all(RELEASE, "assign 0@0, assign 1@1");
	expect_all(HOLD, "");
	expect_all(HOLD, "");
	expect(FAILED, 1, "backoff 1");
	expect(RETRY_DUE, 1, "");
	expect(DONE, 0, "integrate 0");
	expect(INTEGRATED, 0, ""); /* nothing runs, and it is not the end */
	expect_all(RELEASE, "assign 1@0, assign 2@1");
	expect_all(RELEASE, "");
	expect_all(HOLD, "");
	expect(DONE, 1, "integrate 1");
	expect(BLOCKED, 2, "");
	expect(INTEGRATED, 1, "end"); /* held, but nothing is left */
}

static void unknown_tasks_and_late_messages_change_nothing(void **state)
{
	(void)state;
	SCHEDULE(.n = 2, .slots = 1);
	expect(DONE, 0, "");
	expect_all(RELEASE, "");
	expect_all(START, "assign 0@0");
	uint64_t before = schedule_digest(s);
	expect_all(START, "");
	expect(DONE, 1, "");
	expect(DONE, 2, "");
	expect_all(DONE, "");
	expect(INTEGRATED, 0, "");
	expect(CONFLICT, 1, "");
	expect(RETRY_DUE, 0, "");
	expect(STOPPED, 0, "");
	assert_true(schedule_digest(s) == before);
}

static void a_copy_goes_its_own_way(void **state)
{
	(void)state;
	SCHEDULE(.n = 2, .slots = 1);
	expect_all(START, "assign 0@0");
	struct schedule *copy = schedule_copy(s);
	assert_true(schedule_digest(s) == schedule_digest(copy));
	expect(FAILED, 0, "assign 1@0");
	assert_int_equal(schedule_state(copy, 0), TASK_RUNNING);
	assert_true(schedule_digest(s) != schedule_digest(copy));
	schedule_free(copy);
}

/* ---- recovery ---- */

static void recovery_goes_on_where_it_was(void **state)
{
	(void)state;
	SCHEDULE(.n = 8, .slots = 2, .retries = 1, .needs = {0, 1, 0, 4, 0, 0, 32, 2},
	         .files = {0, 0, 0, 0, 1, 2, 0, 2});
	schedule_restore(s, 7, TASK_WAITING, 0); /* in any order */
	schedule_restore(s, 1, TASK_RUNNING, 1);
	schedule_restore(s, 2, TASK_BACKOFF, 1);
	schedule_restore(s, 0, TASK_LANDED, 0);
	schedule_restore(s, 5, TASK_CHECKED, 0);
	schedule_restore(s, 4, TASK_CHECKED, 1);
	expect_state(1, READY);
	expect_state(2, READY);
	expect_state(3, WAITING);
	expect_state(6, WAITING);
	expect_all(START, "integrate 4, integrate 5, assign 1@0, assign 2@1");
	expect(FAILED, 1, "skip 7<1"); /* its retry was used before */
	expect(INTEGRATED, 5, "assign 6@0");
	expect(CONFLICT, 4, "");
	expect(DONE, 2, "integrate 2");
	expect(INTEGRATED, 2, "assign 3@1");
	expect(DONE, 3, "integrate 3");
	expect(INTEGRATED, 3, "");
	expect(BLOCKED, 6, "end");
}

static void recovered_files_are_taken(void **state)
{
	(void)state;
	SCHEDULE(.n = 3, .slots = 2, .files = {1, 1, 0});
	schedule_restore(s, 1, TASK_CHECKED, 0);
	expect_all(START, "integrate 1, assign 2@0");
	expect(INTEGRATED, 1, "assign 0@1");
}

static void recovery_finishes_a_skip_cascade(void **state)
{
	(void)state;
	/* 0 <- 1 <- 2 <- 3; 4 <- 5. Task 1 was skipped already, 4 though nothing failed. */
	SCHEDULE(.n = 6, .slots = 1, .needs = {0, 1, 2, 4, 0, 16});
	schedule_restore(s, 0, TASK_BLOCKED, 0);
	schedule_restore(s, 1, TASK_SKIPPED, 0);
	schedule_restore(s, 4, TASK_SKIPPED, 0);
	expect_all(START, "skip 2<0, skip 3<0, skip 5<4, end");
}

static void what_is_restored_as_ended_stays_so(void **state)
{
	(void)state;
	SCHEDULE(.n = 4, .slots = 2, .needs = {0, 1, 1});
	schedule_restore(s, 1, TASK_SKIPPED, 0);
	schedule_restore(s, 2, TASK_INTEGRATED, 0);
	expect_all(START, "assign 0@0, assign 3@1");
	expect(DONE, 0, "integrate 0");
	expect(INTEGRATED, 0, "");
	expect_state(1, SKIPPED);
	expect_state(2, INTEGRATED);
	expect(TIMEOUT, 3, "end");
}

static void a_restored_state_may_be_corrected(void **state)
{
	(void)state;
	SCHEDULE(.n = 2, .slots = 1, .needs = {0, 1});
	schedule_restore(s, 0, TASK_INTEGRATED, 0);
	expect_state(1, READY);
	schedule_restore(s, 0, TASK_READY, 0);
	expect_state(1, WAITING);
	schedule_restore(s, 0, TASK_CANCELLED, 0);
	expect_all(START, "skip 1<0, end");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(retries_are_used_up),
		cmocka_unit_test(timeout_and_blocked_are_final),
		cmocka_unit_test(the_cause_of_a_skip_is_the_first_bad_task),
		cmocka_unit_test(the_session_halts_after_failures_in_a_row),
		cmocka_unit_test(a_halted_session_still_merges),
		cmocka_unit_test(what_was_integrated_before_is_so_again_when_it_ends_badly),
		cmocka_unit_test(what_stands_counts_as_a_failure),
		cmocka_unit_test(stop_lets_finish_and_merge),
		cmocka_unit_test(stop_now_cancels_what_runs),
		cmocka_unit_test(a_stop_before_the_start_ends_at_once),
		cmocka_unit_test(hold_starts_nothing_and_release_goes_on),
		cmocka_unit_test(unknown_tasks_and_late_messages_change_nothing),
		cmocka_unit_test(a_copy_goes_its_own_way),
		cmocka_unit_test(recovery_goes_on_where_it_was),
		cmocka_unit_test(recovered_files_are_taken),
		cmocka_unit_test(recovery_finishes_a_skip_cascade),
		cmocka_unit_test(what_is_restored_as_ended_stays_so),
		cmocka_unit_test(a_restored_state_may_be_corrected),
	};
	return cmocka_run_group_tests_name("schedule_end", tests, NULL, NULL);
}
