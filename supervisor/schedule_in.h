/* schedule_in: what the parts of schedule share. For schedule*.c only: everybody else, tests
 * included, sees schedule.h. */
#ifndef BOSK_SCHEDULE_IN_H
#define BOSK_SCHEDULE_IN_H

#include <assert.h>

#include "schedule.h"

enum schedule_stop { STOP_NO, STOP_SOON, STOP_AT_ONCE };
enum schedule_gate { GATE_OPEN, GATE_PROBE, GATE_SHUT };

/* Every array lies behind the struct in one block, so that a copy is one memcpy. `rank` is a task's
 * place in the order of starting; heaps hold ranks, so that the smallest is the next. */
#define SCHEDULE_ARRAYS(A)                                                                        \
	A(size_t, dep_at, s->n + 1) /* the tasks that need t: dep[dep_at[t]] .. */                 \
	A(size_t, later_at, s->n + 1) /* the tasks that come after t: later[later_at[t]] .. */     \
	A(size_t, lane_at, s->slots + 1) /* the lane of slot i: lanes[lane_at[i]] .. */            \
	A(size_t, n_lane, s->slots)                                                               \
	A(size_t, lane_busy, s->slots) /* RUNNING and CHECKED tasks that prefer slot i */          \
	A(uint64_t, weight, s->n_agents)                                                          \
	A(int64_t, priority, s->n)                                                                \
	A(struct sched_action, actions, s->n + s->slots + 2)                                      \
	A(uint32_t, dep, s->n_deps)                                                               \
	A(uint32_t, rank, s->n)                                                                   \
	A(uint32_t, by_rank, s->n)                                                                \
	A(uint32_t, later, s->n_later)                                                            \
	A(uint32_t, missing, s->n) /* needs not integrated, and what it comes after not ended */  \
	A(uint32_t, retries, s->n) /* used */                                                     \
	A(uint32_t, slot, s->n)    /* SCHED_NONE unless RUNNING */                                \
	A(uint32_t, cause, s->n)   /* why it was skipped, itself if it ended badly, SCHED_NONE */ \
	A(uint32_t, prefer, s->n)  /* slot or SCHED_NONE */                                       \
	A(uint32_t, ready, s->n)   /* heap: READY, not exclusive, not parked, any slot will do */ \
	A(uint32_t, homes, s->n)   /* list: the same, of tasks whose conversation is in a slot */ \
	A(uint32_t, lanes, s->n)   /* heaps: the same, of tasks that prefer a slot */             \
	A(uint32_t, loners, s->n)  /* heap: READY and exclusive */                                \
	A(uint32_t, holders, s->n) /* RUNNING and CHECKED: their files are taken */               \
	A(uint32_t, held_at, s->n) /* where in holders */                                         \
	A(uint32_t, parked, s->n)  /* list of READY tasks that wait for this holder's files */    \
	A(uint32_t, next, s->n)    /* in that list */                                             \
	A(uint32_t, agent, s->n)   /* whose it is; SCHED_NONE = it needs no account */            \
	A(uint32_t, by, s->n)      /* agent that has it, or had it last */                        \
	A(uint32_t, home, s->n)    /* slot where an agent had it last */                          \
	A(uint32_t, account, s->n_agents)                                                         \
	A(uint32_t, fallback, s->n_agents)                                                        \
	A(uint32_t, stalled, s->n_agents) /* list of its READY and LIMITED tasks: all accounts are shut */ \
	A(uint32_t, dirty, s->n)   /* the tasks whose dependents are still to be skipped */       \
	A(uint32_t, free_slots, s->slots) /* heap */                                              \
	A(uint32_t, in_slot, s->slots)    /* task or SCHED_NONE */                                \
	A(uint8_t, state, s->n)    /* enum task_state */                                          \
	A(bool, exclusive, s->n)                                                                  \
	A(bool, stays, s->n_agents)                                                               \
	A(bool, stands, s->n)                                                                     \
	A(bool, closed, s->slots)  /* not to be used before it is opened */                       \
	A(uint8_t, gate, s->n_accounts) /* enum schedule_gate */

struct schedule {
	size_t n, slots, n_deps, n_later, n_lanes; /* n_lanes: slots, or 0 when no task prefers one */
	size_t n_agents, n_accounts;
	uint64_t room, used; /* used: by what runs; 0 where there is no limit */
	bool (*overlaps)(void *ctx, uint32_t a, uint32_t b);
	void *ctx;
	uint32_t max_retries, halt_after;
	bool sequential;

	bool started, held, halted, ended;
	bool alone; /* an exclusive task runs */
	bool claiming; /* SCHED_CLAIM was given and not answered */
	size_t n_closed, to_give; /* closed slots; open ones that are to be closed when they are free */
	enum schedule_stop stop;
	uint32_t failures; /* in a row; stays 0 when halt_after is 0 */
	size_t count[TASK_STATE_COUNT];
	size_t n_ready, n_homes, n_loners, n_holders, n_free, n_actions;

#define SCHEDULE_ARRAY_MEMBER_(type, name, room) type *name;
	SCHEDULE_ARRAYS(SCHEDULE_ARRAY_MEMBER_)
#undef SCHEDULE_ARRAY_MEMBER_
};

static inline bool schedule_in_good(enum task_state state)
{
	return task_state_good(state);
}

/* What comes after it may begin. */
static inline bool schedule_in_over(enum task_state state)
{
	return task_state_ended(state) && state != TASK_CLAIMED;
}

/* What needs it is skipped. */
static inline bool schedule_in_bad(enum task_state state)
{
	return schedule_in_over(state) && !schedule_in_good(state);
}

/* Its files are taken, and so is its lane: until it is merged, or has ended. */
static inline bool schedule_in_holds(enum task_state state)
{
	return state == TASK_RUNNING || state == TASK_CHECKED;
}

static inline void schedule_in_set(struct schedule *s, uint32_t task, enum task_state state)
{
	uint32_t lane = s->prefer[task];

	if (lane != SCHED_NONE) {
		s->lane_busy[lane] -= schedule_in_holds(s->state[task]);
		s->lane_busy[lane] += schedule_in_holds(state);
	}
	s->count[s->state[task]]--;
	s->count[state]++;
	s->state[task] = (uint8_t)state;
}

static inline void schedule_in_act(struct schedule *s, struct sched_action a)
{
	assert(s->n_actions < s->n + s->slots + 2);
	s->actions[s->n_actions++] = a;
}

static inline void schedule_in_act_on(struct schedule *s, enum sched_action_kind kind, uint32_t task)
{
	schedule_in_act(s, (struct sched_action){kind, task, SCHED_NONE, SCHED_NONE});
}

/* ---- schedule_needs.c ---- */

void schedule_needs_ready(struct schedule *s, uint32_t task); /* it is READY, and may be picked */
/* It is INTEGRATED: what needs it may begin. */
void schedule_needs_good(struct schedule *s, uint32_t task);
/* Everything that needs it, directly or not, will not run. */
void schedule_needs_bad(struct schedule *s, uint32_t first);
/* It has ended, in whatever way: those that only come after it need not wait for it any more. */
void schedule_needs_over(struct schedule *s, uint32_t task);

/* ---- schedule_pick.c ---- */

/* The task, READY since now, may be picked. */
void schedule_pick_add(struct schedule *s, uint32_t task);
/* The task's files are taken; free again, for those who wait for them too. */
void schedule_pick_hold(struct schedule *s, uint32_t task);
void schedule_pick_release(struct schedule *s, uint32_t task);
/* The READY task that starts next if a slot is free, no longer among those that may be picked; or
 * SCHED_NONE when none may start beside what runs and waits for its merge. With no slot free: the one
 * that could start if another were opened. */
uint32_t schedule_pick_take(struct schedule *s);

/* ---- schedule_account.c ---- */

/* Everything of it is shut: the task waits for that, and is among those that may be picked when it ends. */
bool schedule_account_stall(struct schedule *s, uint32_t task);
/* Would it go on with the agent that had it last? */
bool schedule_account_same(const struct schedule *s, uint32_t task);
/* The task, which is not stalled, begins: who has it, and of a probe none goes after it. */
void schedule_account_begin(struct schedule *s, uint32_t task);
/* Is there room for the task, which is not stalled, beside what runs? */
bool schedule_account_room(const struct schedule *s, uint32_t task);
/* False: it is like that already. */
bool schedule_account_set(struct schedule *s, uint32_t account, enum schedule_gate gate);

#endif
