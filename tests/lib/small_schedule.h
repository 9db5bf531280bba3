/* For the tests of the schedule: a small plan in a few words, and the actions of each event as text. */
#ifndef BOSK_SMALL_SCHEDULE_H
#define BOSK_SMALL_SCHEDULE_H

#include "test.h"

#include "supervisor/schedule.h"

enum { MOST = 8 };

/* A small plan to be written down in a test: needs[t] has bit i when t needs i. */
struct small {
	uint32_t n, slots, retries, halt;
	bool sequential;
	uint8_t needs[MOST], after[MOST], files[MOST];
	int64_t priority[MOST];
	bool exclusive[MOST], stands[MOST];
	uint8_t prefer[MOST]; /* the number of its slot, from 1; 0 = any */
};

static inline bool share_a_file(void *ctx, uint32_t a, uint32_t b)
{
	const struct small *p = ctx;
	return (p->files[a] & p->files[b]) != 0;
}

static inline struct schedule *make(struct small *p)
{
	uint32_t needs[MOST * MOST], after[MOST * MOST], prefer[MOST];
	size_t needs_at[MOST + 1] = {0}, after_at[MOST + 1] = {0}, n = 0, n_after = 0;

	for (uint32_t t = 0; t < p->n; t++) {
		for (uint32_t i = 0; i < p->n; i++) {
			if (p->needs[t] >> i & 1)
				needs[n++] = i;
			if (p->after[t] >> i & 1)
				after[n_after++] = i;
		}
		needs_at[t + 1] = n;
		after_at[t + 1] = n_after;
		prefer[t] = p->prefer[t] ? p->prefer[t] - 1u : SCHED_NONE;
	}
	return schedule_new(&(struct sched_plan){
		.tasks = p->n,
		.slots = p->slots,
		.needs = needs,
		.needs_at = needs_at,
		.after = after,
		.after_at = after_at,
		.priority = p->priority,
		.exclusive = p->exclusive,
		.stands = p->stands,
		.prefer = prefer,
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
static inline void expect_at(struct schedule *s, enum sched_event_kind kind, uint32_t task,
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

static inline void free_schedule(struct schedule **s)
{
	schedule_free(*s);
}
#define SCHEDULE(...)                                                                             \
	struct small plan = {__VA_ARGS__};                                                        \
	__attribute__((cleanup(free_schedule))) struct schedule *s = make(&plan)

#endif
