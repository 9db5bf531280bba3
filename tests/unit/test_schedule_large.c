/* Plans of 100,000 tasks through the schedule, to the end, and the heap below it. No time is
 * asserted; if every task were looked at at every event, ctest's limit would end it. */
#include "test.h"

#include "supervisor/heap.h"
#include "supervisor/schedule.h"

enum { TASKS = 100000 };

struct large {
	struct sched_plan plan;
	uint32_t *needs;
	size_t *needs_at;
	int64_t *priority;
	uint32_t share; /* tasks share a file when they are equal modulo this; 0 = never */
	size_t asked;   /* how often that was wanted */
};

static bool share_a_file(void *ctx, uint32_t a, uint32_t b)
{
	struct large *l = ctx;
	l->asked++;
	return a % l->share == b % l->share;
}

static void init(struct large *l, size_t slots)
{
	*l = (struct large){
		.needs = mem_array(2 * TASKS, sizeof *l->needs),
		.needs_at = mem_array(TASKS + 1, sizeof *l->needs_at),
		.priority = mem_array(TASKS, sizeof *l->priority),
	};
	l->plan = (struct sched_plan){
		.tasks = TASKS,
		.slots = slots,
		.needs = l->needs,
		.needs_at = l->needs_at,
		.priority = l->priority,
	};
}

static void fini(struct large *l)
{
	free(l->needs);
	free(l->needs_at);
	free(l->priority);
}

struct counts {
	size_t started, merged, skipped, retried, ended, most_at_once;
};

/* A queue of events to come: each task started is done, each one checked is merged, but every
 * `fail_each`-th attempt fails. */
static struct counts run(struct large *l, size_t fail_each)
{
	struct schedule *s = schedule_new(&l->plan);
	struct counts c = {0};
	size_t room = 4 * TASKS + 16, head = 0, tail = 0;
	AUTO_FREE struct sched_event *queue = mem_array(room, sizeof *queue);

	queue[tail++] = (struct sched_event){SCHED_START, SCHED_NONE};
	while (head < tail) {
		const struct sched_action *a;
		size_t n = schedule_apply(s, queue[head++], &a);
		for (size_t i = 0; i < n; i++) {
			enum sched_event_kind next = SCHED_DONE;
			switch (a[i].kind) {
			case SCHED_ASSIGN:
				c.started++;
				if (fail_each && c.started % fail_each == 0)
					next = SCHED_FAILED;
				break;
			case SCHED_INTEGRATE:
				next = SCHED_INTEGRATED;
				c.merged++;
				break;
			case SCHED_BACKOFF:
				next = SCHED_RETRY_DUE;
				c.retried++;
				break;
			case SCHED_SKIP:
				c.skipped++;
				continue;
			case SCHED_END:
				c.ended++;
				assert_int_equal(i, n - 1);
				continue;
			case SCHED_CANCEL:
			case SCHED_DROP:
				fail_msg("nobody stopped");
				break;
			case SCHED_CLAIM:
			case SCHED_GIVE:
				fail_msg("no slot is shared");
			}
			assert_true(tail < room);
			queue[tail++] = (struct sched_event){next, a[i].task};
		}
		if (schedule_count(s, TASK_RUNNING) > c.most_at_once)
			c.most_at_once = schedule_count(s, TASK_RUNNING);
	}
	assert_true(schedule_ended(s));
	assert_int_equal(c.ended, 1);
	assert_int_equal(schedule_count(s, TASK_INTEGRATED), c.merged);
	assert_int_equal(schedule_count(s, TASK_SKIPPED), c.skipped);
	schedule_free(s);
	return c;
}

static void chain(struct large *l)
{
	for (uint32_t t = 0; t < TASKS; t++) {
		l->needs_at[t + 1] = t;
		if (t > 0)
			l->needs[t - 1] = t - 1;
	}
}

static void a_chain(void **state)
{
	(void)state;
	struct large l;
	init(&l, 3);
	chain(&l);
	struct counts c = run(&l, 0);
	assert_int_equal(c.merged, TASKS);
	assert_int_equal(c.most_at_once, 1);
	c = run(&l, 1000); /* the 1000th fails: one cascade through all the others */
	assert_int_equal(c.merged, 999);
	assert_int_equal(c.skipped, TASKS - 1000);
	fini(&l);
}

static void a_fan(void **state)
{
	(void)state;
	struct large l;
	init(&l, 16);
	/* The first, then all others but the last, which needs them all. */
	for (uint32_t t = 1; t < TASKS - 1; t++)
		l.needs_at[t + 1] = t;
	l.needs_at[TASKS] = 2 * (TASKS - 2);
	for (uint32_t t = 1; t < TASKS - 1; t++)
		l.needs[TASKS - 2 + t - 1] = t;
	struct counts c = run(&l, 0);
	assert_int_equal(c.merged, TASKS);
	assert_int_equal(c.most_at_once, 16);
	c = run(&l, TASKS - 1);
	assert_int_equal(c.skipped, 1);
	c = run(&l, 1);
	assert_int_equal(c.skipped, TASKS - 1);
	fini(&l);
}

static void side_by_side(void **state)
{
	(void)state;
	struct large l;
	init(&l, 500);
	for (uint32_t t = 0; t < TASKS; t++)
		l.priority[t] = t * 7919 % 1000;
	struct counts c = run(&l, 0);
	assert_int_equal(c.merged, TASKS);
	assert_int_equal(c.most_at_once, 500);
	l.plan.retries = 3;
	c = run(&l, 2);
	assert_int_equal(c.started, TASKS + c.retried);
	assert_true(c.retried > TASKS / 2);
	l.plan.slots = TASKS; /* all at once */
	c = run(&l, 0);
	assert_int_equal(c.most_at_once, TASKS);
	l.plan.slots = 1;
	l.plan.sequential = true;
	c = run(&l, 0);
	assert_int_equal(c.merged, TASKS);
	fini(&l);
}

/* Three worktrees, and each task is for one of them. */
static void lanes(void **state)
{
	(void)state;
	struct large l;
	init(&l, 3);
	AUTO_FREE uint32_t *prefer = mem_array(TASKS, sizeof *prefer);
	for (uint32_t t = 0; t < TASKS; t++)
		prefer[t] = t < TASKS / 2 ? 0 : 1 + t % 2;
	l.plan.prefer = prefer;
	struct counts c = run(&l, 0);
	assert_int_equal(c.merged, TASKS);
	assert_int_equal(c.most_at_once, 3);
	fini(&l);
}

/* 1000 files of 100 tasks each: who waits for one is looked at when it is free, not always. */
static void shared_files(void **state)
{
	(void)state;
	struct large l;
	init(&l, 8);
	l.share = 1000;
	l.plan.overlaps = share_a_file;
	l.plan.ctx = &l;
	for (uint32_t t = 0; t < TASKS; t++)
		l.priority[t] = -(int64_t)(t % 1000); /* the worst order: by file */
	struct counts c = run(&l, 0);
	assert_int_equal(c.merged, TASKS);
	assert_int_equal(c.most_at_once, 8);
	/* Each is looked at once for each of its 99 fellows at most. */
	assert_true(l.asked < (size_t)TASKS * 100 * 8);
	printf("asked %zu times whether two tasks share a file\n", l.asked);
	fini(&l);
}

static int by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return x < y ? -1 : x > y;
}

static void the_heap_gives_the_smallest(void **state)
{
	(void)state;
	struct test_rng rng = test_rng_new();
	for (int round = 0; round < 300; round++) {
		uint32_t heap[200], sorted[200];
		size_t n = 0, n_sorted = 0;
		for (int i = 0; i < 400; i++) {
			if (n < 200 && (n == 0 || test_rng_below(&rng, 5) < 3)) {
				uint32_t x = (uint32_t)test_rng_below(&rng, 300);
				heap_push(heap, &n, x);
				sorted[n_sorted++] = x;
				qsort(sorted, n_sorted, sizeof *sorted, by_value);
			} else {
				size_t at = test_rng_below(&rng, 3) ? 0 : test_rng_below(&rng, (uint32_t)n_sorted);
				if (at)
					heap_remove(heap, &n, sorted[at]);
				else
					assert_int_equal(heap_pop(heap, &n), sorted[0]);
				n_sorted--;
				memmove(sorted + at, sorted + at + 1, (n_sorted - at) * sizeof *sorted);
			}
			assert_int_equal(n, n_sorted);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_chain),
		cmocka_unit_test(a_fan),
		cmocka_unit_test(side_by_side),
		cmocka_unit_test(lanes),
		cmocka_unit_test(shared_files),
		cmocka_unit_test(the_heap_gives_the_smallest),
	};
	return cmocka_run_group_tests_name("schedule, large", tests, NULL, NULL);
}
