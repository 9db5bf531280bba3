/* schedule: which task runs where and when. Pure: schedule_apply(state, event) -> actions.
 *
 * No clock, no descriptor, no allocation after schedule_new, no library, no store. Live running
 * and recovery both go through here, so every order of events can be checked by a model test. */
#ifndef BOSK_SCHEDULE_H
#define BOSK_SCHEDULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "task_state.h"


#define SCHED_NONE UINT32_MAX /* no task, no slot, no agent */

/* What is known before the first event; borrowed until schedule_new returns, except `overlaps` and
 * its `ctx`, which must live as long as the schedule. */
struct sched_plan {
	size_t tasks; /* numbered 0 .. tasks-1 in plan order */
	size_t slots; /* worktrees: numbered 0 .. slots-1, at least 1 */
	/* Dependencies of task i: needs[needs_at[i]] .. needs[needs_at[i + 1] - 1]. Acyclic. */
	const uint32_t *needs;
	const size_t *needs_at; /* tasks + 1 entries; NULL = no task needs another */
	/* The same: task i begins once all of these have ended, in whatever way; it is not skipped because of them. Acyclic
	 * together with `needs`. */
	const uint32_t *after;
	const size_t *after_at;
	const int64_t *priority; /* higher first; NULL = all equal. Ties: plan order */
	/* Runs with nothing else running; NULL = none. It waits for that moment: meanwhile tasks of
	 * its own priority may start, lower ones may not, so that they never starve it. Exclusive
	 * tasks keep their order among themselves. */
	const bool *exclusive;
	/* Was it integrated before, in part? Then that is what it is again when it ends badly, and nothing is skipped because
	 * of it; it counts as a failure all the same. NULL = none was. */
	const bool *stands;
	/* The slot a task is to run in: it waits for that one while it is open, and takes any when it is
	 * closed. Tasks of one slot run one after the other, the next when the former is integrated or
	 * has ended (formats.md S3.7). SCHED_NONE = any; NULL = no task has one. */
	const uint32_t *prefer;
	/* Do two tasks declare a common file? Pure and symmetric. Called for a candidate against
	 * each RUNNING or CHECKED task: until that one is merged, the candidate would build on a
	 * base without its change and conflict needlessly. NULL = never. */
	bool (*overlaps)(void *ctx, uint32_t a, uint32_t b);
	void *ctx;
	uint32_t retries; /* attempts after a failure or a lost worker */
	/* Final failures (FAILED, TIMEOUT, BLOCKED, RED) in a row after which nothing new starts, for
	 * the rest of the session; an INTEGRATED between them begins the count anew. 0 = off */
	uint32_t halt_after_failures;
	/* One at a time, in plan order as far as dependencies allow (priority is ignored): the next
	 * starts when the former is integrated or has ended, its retries included. */
	bool sequential;
	/* Every slot is to be asked for before it is used (SCHED_CLAIM): they are shared with others. */
	bool closed;
	/* Agents are numbered 0 .. agents-1, their accounts 0 .. accounts-1. A task starts with the first agent of its
	 * chain - its own, that one's fallback, and so on - whose account is not shut, and waits while all are. An
	 * agent's task that runs again goes to the slot where it was, if that is free: its conversation lives there. One of
	 * an agent that `stays` waits for that slot while others use it, and goes before others that are READY
	 * when it is free; not if it is alone, sequential, in a lane, or goes to another agent, or the slot is closed. */
	size_t agents, accounts;
	const uint32_t *agent;    /* of each task; SCHED_NONE = it needs no account; NULL = none does */
	const uint32_t *account;  /* of each agent */
	const uint32_t *fallback; /* of each agent; SCHED_NONE = nobody; a ring ends where it closes */
	/* Of each agent what one run of it takes of `room`, in whatever unit: none is started beside others when they would take
	 * more together. NULL, or room 0 = there is enough. */
	const uint64_t *weight;
	uint64_t room;
	const bool *stays;        /* of each agent: its conversations are found in their own slot only; NULL = nobody's */
};

enum sched_event_kind {
	SCHED_START,      /* gates passed on the base: begin */
	SCHED_DONE,       /* task: agent and gates ok, its commit exists: RUNNING -> CHECKED */
	SCHED_FAILED,     /* task: failed or its worker was lost: retried while retries are left */
	SCHED_TIMEOUT,    /* task: total or silence limit: final */
	SCHED_BLOCKED,    /* task: gates stayed red, protected file, gate could not run: final */
	SCHED_INTEGRATED, /* task: merged and the ref moved: CHECKED -> INTEGRATED */
	SCHED_CONFLICT,   /* task: could not be merged: CHECKED -> CONFLICT, final for now */
	SCHED_RED,        /* task: gates are red on what it was merged to: CHECKED -> BLOCKED, final */
	SCHED_REPAIR,     /* task: is to run again on the tip it cannot be merged onto, or is red with:
	                   * CHECKED -> READY. How often is the caller's to say */
	SCHED_STOPPED,    /* task: stopped as SCHED_CANCEL asked: RUNNING -> READY, no verdict */
	SCHED_FINAL,      /* task: failed, and would fail again: final, whatever retries are left */
	SCHED_TRANSIENT,  /* task: something will pass: RUNNING -> BACKOFF, no retry is used. How often is the caller's to say */
	SCHED_LIMITED,    /* task: its account gives no more: RUNNING -> LIMITED, no retry is used, and the account is shut;
	                   * READY when a fallback may have it; as SCHED_TRANSIENT when it has no account */
	SCHED_RETRY_DUE,  /* task: its timer fired: BACKOFF -> READY */
	SCHED_STOP,       /* the user: start nothing new, let running tasks finish and be merged */
	SCHED_STOP_NOW,   /* the user: stop what runs too; also after SCHED_STOP */
	SCHED_HOLD,       /* a resource is below its floor: start nothing for now */
	SCHED_RELEASE,    /* it is above again */
	SCHED_OPEN,       /* the answer to SCHED_CLAIM: the lowest closed slot may be used */
	SCHED_CLOSE,      /* others need a slot: the next one that is free is given back */
	SCHED_ACCOUNT_SHUT,  /* account: nothing is started with it */
	SCHED_ACCOUNT_PROBE, /* account, shut until now: one task may be started with it, then it is shut again */
	SCHED_ACCOUNT_OPEN   /* account: everything may. After this and PROBE those LIMITED are READY */
};

struct sched_event {
	enum sched_event_kind kind;
	uint32_t task; /* or the account; SCHED_NONE where the kind has neither */
};

enum sched_action_kind {
	SCHED_ASSIGN,    /* task starts in slot: READY -> RUNNING, already applied to the state */
	SCHED_INTEGRATE, /* task's commit is to be merged: in this order */
	SCHED_SKIP,      /* task is skipped because `cause` ended without being integrated */
	SCHED_BACKOFF,   /* arm the retry timer of task (which knows how often it was retried) */
	SCHED_CANCEL,    /* stop the running task in slot; answer SCHED_STOPPED or what it became */
	SCHED_DROP,      /* task, until now BACKOFF, RUNNING or CHECKED, is READY again but will not start
	                  * as the session stops or halted: disarm its timer; a resume runs it. Not
	                  * given for tasks that were READY or WAITING all along */
	SCHED_CLAIM,     /* a task could start in one more slot, but every open one is in use: ask for it;
	                  * given once, until SCHED_OPEN answers */
	SCHED_GIVE,      /* slot is closed: nothing starts there before it is opened again */
	SCHED_END        /* nothing more can happen: always the last action, exactly once */
};

struct sched_action {
	enum sched_action_kind kind;
	uint32_t task;
	uint32_t slot;  /* ASSIGN, CANCEL, GIVE */
	uint32_t cause; /* SKIP: the task that ended badly */
};

struct schedule;

/* The caller frees with schedule_free. Everything it will ever need is allocated here. */
struct schedule *schedule_new(const struct sched_plan *plan);
void schedule_free(struct schedule *s); /* NULL allowed */
/* A copy sharing nothing, for the model test. */
struct schedule *schedule_copy(const struct schedule *s);

/* Before SCHED_START, for recovery: task i already is in `state` with `retries` used. In any order.
 * RUNNING, BACKOFF and LIMITED are taken as READY, and READY or WAITING follows from the dependencies. At
 * SCHED_START, CHECKED tasks give their SCHED_INTEGRATE (in plan order), then pending dependents of
 * tasks that ended badly their SCHED_SKIP.
 *
 * CLAIMED: somebody else works on it. What needs it, comes after it, or declares a file that it does, stays WAITING to
 * the end, as nobody says when it has ended. */
void schedule_restore(struct schedule *s, uint32_t task, enum task_state state, uint32_t retries);
/* Also before SCHED_START: this agent had the task in this slot. */
void schedule_home(struct schedule *s, uint32_t task, uint32_t agent, uint32_t slot);

/* Apply one event. *actions points to memory of `s`, valid until the next call; returns how many:
 * at most one for each task, one for each slot and one SCHED_CLAIM, then SCHED_END.
 * An event that does not fit the task's state (a late message) changes nothing and gives none; so
 * does a SCHED_STOPPED nobody asked for, and everything after SCHED_END. A stop before SCHED_START
 * ends at once: nothing was started, and what is CHECKED stays so for a resume. */
size_t schedule_apply(struct schedule *s, struct sched_event ev,
                      const struct sched_action **actions);

enum task_state schedule_state(const struct schedule *s, uint32_t task);
uint32_t schedule_retries(const struct schedule *s, uint32_t task); /* used so far */
uint32_t schedule_slot(const struct schedule *s, uint32_t task); /* SCHED_NONE unless RUNNING */
uint32_t schedule_agent(const struct schedule *s, uint32_t task); /* that has it, or had it last; SCHED_NONE = none */
/* May nothing be started with any account of the chain of an agent? */
bool schedule_shut(const struct schedule *s, uint32_t agent);
bool schedule_probing(const struct schedule *s, uint32_t account); /* one may be started, and none was yet */
size_t schedule_count(const struct schedule *s, enum task_state state);
size_t schedule_idle(const struct schedule *s); /* open slots where nothing runs */
bool schedule_stopping(const struct schedule *s);
bool schedule_halted(const struct schedule *s); /* too many failures in a row */
bool schedule_ended(const struct schedule *s);
/* Equal for schedules that behave alike from here on, for the model test. */
uint64_t schedule_digest(const struct schedule *s);

#endif
