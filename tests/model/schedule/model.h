/* model: every order of events through a schedule, and what must hold after each of them.
 *
 * rules_*.c judge steps from the outside, by what schedule.h shows and by its own books (book.c);
 * explore.c makes the steps. None may look into struct schedule. */
#ifndef BOSK_TEST_MODEL_SCHEDULE_H
#define BOSK_TEST_MODEL_SCHEDULE_H

#include "supervisor/schedule.h"

#define MODEL_TASKS 6
#define MODEL_AGENTS 3

enum { MODEL_FAILED = 1, MODEL_TIMEOUT = 2, MODEL_BLOCKED = 4 };
enum { MODEL_OPEN, MODEL_PROBE, MODEL_SHUT }; /* an account */

struct model_plan {
	const char *name;
	uint32_t n, slots, retries, halt;
	uint32_t repairs; /* how often each task may be sent back from its merge */
	bool sequential;
	bool closed; /* slots are asked for, and others ask for them */
	uint8_t needs[MODEL_TASKS]; /* bit i: needs task i */
	uint8_t after[MODEL_TASKS]; /* bit i: begins once task i has ended */
	uint8_t files[MODEL_TASKS]; /* bit i: declares file i */
	int64_t priority[MODEL_TASKS];
	bool exclusive[MODEL_TASKS];
	uint8_t prefer[MODEL_TASKS]; /* the number of its slot, from 1; 0 = any */
	uint8_t already, routed, claimed; /* bit i: task i has ended so before the start, or is somebody else's */
	bool never_held;            /* leaves HOLD and RELEASE out, and half of the states */
	/* Whose task i is: the number of its agent, from 1; 0 = it needs no account. Of agent a: its account, from 0, and
	 * the agent that may have its tasks meanwhile, from 1. */
	uint8_t agent[MODEL_TASKS], agents, accounts, account[MODEL_AGENTS], fallback[MODEL_AGENTS];
	uint8_t stays;    /* bit a: conversations of agent a stay in their slot */
	uint32_t limits;  /* how often each task may be limited, or fail of what will pass */
	bool only_limits; /* accounts are not shut by others */
	uint8_t fails[MODEL_TASKS]; /* the ways it may fail: MODEL_FAILED | ...; 0 = all of them */
};

/* What the schedule shows. */
struct model_shot {
	enum task_state state[MODEL_TASKS];
	uint32_t retries[MODEL_TASKS], slot[MODEL_TASKS], agent[MODEL_TASKS];
	size_t count[TASK_STATE_COUNT];
	bool stopping, halted, ended;
};

/* What must be so by the events and actions since the last (re)start. */
struct model_book {
	bool started, held, halted, ended;
	uint8_t stop; /* 1 = STOP, 2 = STOP_NOW */
	uint8_t row;  /* failures in a row, when there is a limit to them */
	bool claimed;   /* a slot was asked for */
	uint8_t closed; /* bit i: slot i may not be used */
	uint8_t giving; /* so many slots others ask for */
	uint8_t attempts[MODEL_TASKS], repairs[MODEL_TASKS], limits[MODEL_TASKS];
	uint8_t gate[MODEL_AGENTS]; /* of each account: MODEL_OPEN | ... */
	uint8_t by[MODEL_TASKS];    /* who has it: from 1; 0 unless RUNNING */
	uint8_t home[MODEL_TASKS];  /* where that was: from 1; 0 once it has ended */
	uint8_t last[MODEL_TASKS];  /* who it was: from 1; 0 once it has ended */
};

struct model_step {
	const struct model_plan *plan;
	const uint8_t *above; /* all that a task needs, directly or not: not by one that is claimed */
	struct sched_event ev;
	struct model_shot before, after;
	struct model_book was, is;
	const struct sched_action *actions;
	size_t n;
};

/* The books of a schedule that no event has come to. */
void model_begin(const struct model_plan *p, struct model_book *out);
void model_above(const struct model_plan *p, uint8_t above[MODEL_TASKS]);
void model_look(const struct model_plan *p, const struct schedule *s, struct model_shot *out);
/* The books after the step; everything else in it is known. */
void model_write(struct model_step *st);
/* The agent that may begin the task with these accounts, from 1; 0 = none may, or none is needed. */
uint8_t model_who_may(const struct model_plan *p, const uint8_t *gate, uint32_t task);
/* What an event does to accounts, and what a task that begins does. */
void model_gates(const struct model_plan *p, struct model_book *b, struct sched_event ev);
void model_begins(const struct model_plan *p, struct model_book *b, uint32_t task);
/* The event was a failure that no retry follows. */
bool model_final_failure(const struct model_step *st);
/* NULL, or the rule that is broken: by the state st->after; by the step that led there. */
const char *model_check_state(const struct model_step *st);
const char *model_check_step(const struct model_step *st);

struct model_result {
	const char *broken; /* the rule, NULL when all held */
	char *trail;        /* and how it came to that; owned by the caller, NULL when all held */
	size_t states, transitions, restarts, misfits;
};

/* Plans to explore, and lies to catch. */
struct model_lie {
	void (*lie)(struct model_plan *told);
	struct model_plan truth;
	const char *rule;
};
extern const struct model_plan model_chosen[];
extern const size_t model_chosen_n;
extern const struct model_lie model_lies[];
extern const size_t model_lies_n;

/* All orders of events of a schedule that was told `told`, judged by `truth` (the same plan, unless
 * it is the judge who is tested). Stops at the first rule broken, by a shortest way to it. */
void model_explore(const struct model_plan *truth, const struct model_plan *told,
                   struct model_result *out);

#endif
