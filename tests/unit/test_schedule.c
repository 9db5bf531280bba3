/* The schedule's named behaviours, one by one. That no order of events breaks it is shown in
 * tests/model/test_schedule.c, that it bears 100,000 tasks in test_schedule_large.c. */
#include "test.h"

#include "supervisor/schedule.h"

enum { MOST = 8 };

/* A small plan to be written down in a test: needs[t] has bit i when t needs i. */
struct small {
	uint32_t n, slots, retries, halt;
	bool sequential;
	uint8_t needs[MOST], files[MOST];
	int64_t priority[MOST];
	bool exclusive[MOST];
};

static bool share_a_file(void *ctx, uint32_t a, uint32_t b)
{
	const struct small *p = ctx;
	return (p->files[a] & p->files[b]) != 0;
}

static struct schedule *make(struct small *p)
{
	uint32_t needs[MOST * MOST];
	size_t needs_at[MOST + 1] = {0}, n = 0;

	for (uint32_t t = 0; t < p->n; t++) {
		for (uint32_t i = 0; i < p->n; i++) {
			if (p->needs[t] >> i & 1)
				needs[n++] = i;
		}
		needs_at[t + 1] = n;
	}
	return schedule_new(&(struct sched_plan){
		.tasks = p->n,
		.slots = p->slots,
		.needs = needs,
		.needs_at = needs_at,
		.priority = p->priority,
		.exclusive = p->exclusive,
		.overlaps = share_a_file,
		.ctx = p,
		.retries = p->retries,
		.halt_after_failures = p->halt,
		.sequential = p->sequential,
	});
}

static const char *const action_names[] = {
	[SCHED_ASSIGN] = "assign", [SCHED_INTEGRATE] = "integrate", [SCHED_SKIP] = "skip",
	[SCHED_BACKOFF] = "backoff", [SCHED_CANCEL] = "cancel", [SCHED_DROP] = "drop",
	[SCHED_END] = "end",
};

/* The actions as text: "assign 0@0, skip 2<1, end". */
static void expect_at(struct schedule *s, enum sched_event_kind kind, uint32_t task,
                      const char *wanted, int line)
{
	const struct sched_action *a;
	size_t n = schedule_apply(s, (struct sched_event){kind, task}, &a);
	AUTO_STR struct str got = {0};

	for (size_t i = 0; i < n; i++) {
		str_addf(&got, "%s%s", i ? ", " : "", action_names[a[i].kind]);
		if (a[i].task != SCHED_NONE)
			str_addf(&got, " %u", a[i].task);
		if (a[i].slot != SCHED_NONE)
			str_addf(&got, "@%u", a[i].slot);
		if (a[i].cause != SCHED_NONE)
			str_addf(&got, "<%u", a[i].cause);
	}
	if (strcmp(str_text(&got), wanted) != 0)
		fail_msg("line %d: wanted \"%s\", got \"%s\"", line, wanted, str_text(&got));
}

#define expect(kind, task, wanted) expect_at(s, SCHED_##kind, task, wanted, __LINE__)
#define expect_all(kind, wanted) expect_at(s, SCHED_##kind, SCHED_NONE, wanted, __LINE__)
#define expect_state(task, wanted) assert_int_equal(schedule_state(s, task), TASK_##wanted)

static void free_schedule(struct schedule **s)
{
	schedule_free(*s);
}
#define SCHEDULE(...)                                                                             \
	struct small plan = {__VA_ARGS__};                                                        \
	__attribute__((cleanup(free_schedule))) struct schedule *s = make(&plan)

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
		cmocka_unit_test(names_of_states_can_be_read_back),
		cmocka_unit_test(a_plan_without_tasks_ends_at_the_start),
		cmocka_unit_test(everything_optional_may_be_absent),
		cmocka_unit_test(a_need_named_twice_is_one),
		cmocka_unit_test(priority_goes_before_plan_order),
		cmocka_unit_test(a_dependent_waits_for_the_merge),
		cmocka_unit_test(files_are_taken_until_the_merge),
		cmocka_unit_test(sent_back_from_the_merge_it_runs_again),
		cmocka_unit_test(red_when_merged_counts_as_a_failure),
		cmocka_unit_test(files_are_free_again_while_a_retry_is_waited_for),
		cmocka_unit_test(an_exclusive_task_runs_alone),
		cmocka_unit_test(lower_priorities_do_not_starve_an_exclusive_task),
		cmocka_unit_test(an_exclusive_task_waits_for_its_files_too),
		cmocka_unit_test(sequential_is_one_at_a_time_in_plan_order),
		cmocka_unit_test(retries_are_used_up),
		cmocka_unit_test(timeout_and_blocked_are_final),
		cmocka_unit_test(the_cause_of_a_skip_is_the_first_bad_task),
		cmocka_unit_test(the_session_halts_after_failures_in_a_row),
		cmocka_unit_test(a_halted_session_still_merges),
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
	return cmocka_run_group_tests_name("schedule", tests, NULL, NULL);
}
