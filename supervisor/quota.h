/* quota: what keeps tasks from starting though they could - accounts that give no more, the session's money and time - and
 * when that is so much that the session stops, to be resumed later.
 *
 * The scheduler knows of each account only whether it is open, shut, or one task may try (schedule.h). Until when one is
 * shut is a row that all sessions share (account.h); after that time whoever holds the claim "account:NAME" lets one
 * task go first. Once that one's agent has worked for two minutes, or has come to an end that is no limit, the account is
 * open for all. */
#ifndef BOSK_QUOTA_H
#define BOSK_QUOTA_H

#include "core.h"

void quota_open(struct core *c);  /* before the schedule is made */
void quota_plan(const struct core *c, struct sched_plan *plan);
void quota_begin(struct core *c); /* after it: accounts that are shut, places where conversations are */
void quota_close(struct core *c);

/* An agent of this session; NULL = none. */
const struct msg_agent *quota_agent(const struct core *c, uint32_t agent);

void quota_assigned(struct core *c, size_t task); /* with the row's worktree still that of before: false = another conversation */
/* Its agent is to begin. False: its account was shut since it was assigned; it is to be stopped. */
bool quota_attempt(struct core *c, size_t task);
/* What an outcome of an agent means for the scheduler; `kind` is what it would be without accounts. */
enum sched_event_kind quota_result(struct core *c, size_t task, const struct msg_result *m, const char *outcome,
                                    enum sched_event_kind kind);
void quota_lost(struct core *c, size_t task); /* its worker died, or never began with it */
void quota_spent(struct core *c, size_t task, struct msg_spent *m);
/* A tiny call before the first task (ready.h): what it cost, and what it says of its account. That a key is wrong is not kept:
 * it is mended before the next session begins. */
void quota_tried(struct core *c, const struct msg_tried *m);
const struct account_row *quota_row(const struct core *c, const char *account); /* NULL = it is not of this session */
/* How long a task that something kept from working waits, in ms; 0 = it is an ordinary failure's back-off. */
uint64_t quota_pause(const struct core *c, size_t task);

void quota_look(struct core *c); /* others have changed something */
void quota_step(struct core *c); /* after each commit */

/* ---- quota_stop.c ---- */

void quota_stop_start(struct core *c); /* the session's time begins; is its money spent already? */
void quota_stop_money(struct core *c);
/* Nothing runs, and all that could wait for accounts: say for what, or stop. */
void quota_stop_idle(struct core *c);

/* ---- shared by quota*.c ---- */

struct quota_account {
	const char *name;
	struct account_row row;
	bool shut;       /* as the scheduler has it; a probe may be under way */
	uint64_t timer;  /* for row.until_ms, 0 = none */
	bool due;        /* that time has come, and it is not known to be open */
	bool asked, held;/* the claim */
	char *holder;    /* the session that has it, while it is asked for */
	bool changed;    /* its row, in this turn */
	char *said;      /* of it, last */
	uint64_t yielded;/* the claim was given to others who want it: core.events then, plus 1 */
	bool probing;    /* one may go, and `probe` is it once it goes */
	size_t probe;
	int *watched;    /* pidfds of those who have the claim, while it is asked for */
	size_t n_watched;
};

/* quota.c, for quota_task.c */
void quota_opened(struct core *c, struct quota_account *a); /* it works: for all sessions */
void quota_wait(struct core *c, struct quota_account *a);   /* until the time in its row */
void quota_say_shut(const struct core *c, struct quota_account *a);
/* What the store says now. False: it could not be read. */
bool quota_seen(struct core *c, struct quota_account *a);
void quota_shut(struct core *c, struct quota_account *a); /* as its row says */
/* No limit is believed for so long: the clock was set back since. */
bool quota_too_long(const struct account_row *row);

/* quota_claim.c */
void quota_ask(struct core *c, struct quota_account *a);    /* for the claim, or what became of that */
void quota_give(struct core *c, struct quota_account *a);   /* it, if the session has or wants it */
void quota_probe(struct core *c, struct quota_account *a);  /* with it held */
bool quota_wanted(const struct core *c, const struct quota_account *a); /* is there a task that the account would start? */
/* No task could go first until now, as all slots are in use or for another reason: another session that asks may have
 * one. Here it is asked for again, behind that one; and given again only when something has happened to a task: two
 * that cannot use it must not hand it to and fro. */
void quota_yield(struct core *c, struct quota_account *a);

struct quota {
	const struct msg_agent **agents;
	uint32_t *account, *fallback, *of_task;
	uint64_t *weight; /* of each agent: MiB */
	bool *stays; /* of each agent: its conversations are found in their own worktree only */
	size_t n_agents, n;
	struct quota_account *v;
	uint32_t *transients; /* of each task, in a row */
	uint64_t *again_ms;   /* when the last of them asked to be tried again; wall clock, 0 = it did not say */
	bool *begun;          /* its agent has, since it was assigned */
	bool *parked;         /* it was stopped before that, for its account */
	bool resync;          /* rows of tasks that were limited are to be looked at */
	bool over;            /* it was told to stop */
};

static inline size_t quota_number(const struct core *c, const struct quota_account *a)
{
	return (size_t)(a - c->quota->v);
}

#endif
