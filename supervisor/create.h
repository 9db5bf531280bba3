/* create: a new session of a plan, checked against the repository before anything is made. */
#ifndef BOSK_CREATE_H
#define BOSK_CREATE_H

#include "session.h"

struct create_known;

struct create_options {
	uint64_t jobs;
	bool sequential, preflight, keep_worktrees;
	const char *base;     /* revision; NULL = the target */
	const char *target;   /* branch; NULL = the one checked out where bosk was called */
	const char *land;     /* keep | merge | pr */
	const char *verify;   /* merged | task */
	const char *on_conflict; /* repair | park */
	const char *barrier;  /* wave | none; NULL = as is usual for the kind of plan */
	const char *executor; /* NULL = none */
	const char *agent;    /* of tasks that name none (agents.h); NULL = none */
	uint64_t max_time_ms, budget_micro; /* nothing new past it; 0 = none */
	bool full;            /* all rights for agents, whatever is configured */
	bool live;            /* nothing is ever started: only looked whether it could be (ready.h) */
	bool shown_only;      /* nothing is started: an executor may be missing */
	const struct strv *excused;
	const struct config *config;
	const char *borrow;   /* a folder of the user's checkout to work in; NULL = worktrees of bosk's own */
	bool borrow_linked;   /* it is an existing linked worktree, for one task */
	const char *queue;    /* name of a new queue; NULL = made from the time */
	const struct create_known *known; /* what was found before; NULL = do not compare */
};

/* What a run would start from: said by `bosk plan`, recorded by create_session. */
struct create_base {
	char *target;
	struct oid base, at; /* where the work begins, and where the target is */
	char *author;        /* "Name <mail>" */
	char *worktrees_dir; /* absolute */
	bool fallback_dir;   /* the configured parent cannot be written */
	char *borrowed, *borrowed_head; /* the checkout to work in (borrow.h); NULL = none */
};
int create_look(struct create_base *out, const struct site *site, const struct create_options *o,
                struct err *e);
void create_base_fini(struct create_base *b);

/* The manifest and options of a session that begins now as `o` says; its sid, queue, tip and plan are set.
 * Records nothing. */
void create_fill(struct session *s, const struct create_base *b, const struct create_options *o);

/* Tasks that have a prompt need an executor; branches must be possible. Faults are added. `s`: the session that is to
 * be made; NULL = it is not known yet which, so a branch that could be of an earlier one of this plan is no fault. */
void create_check_tasks(const struct site *site, const struct plan *plan,
                        const struct create_options *o, const struct session *s, struct plan_faults *faults);

/* Can the agents be started that its tasks need? ERR_ENV. `s` as above: what has ended there needs none. */
int create_check_agents(const struct plan *plan, const struct create_options *o, const struct session *s, struct err *e);

/* Stories must be in the base as they were read from the checkout. Faults are added. */
void create_check_stories(const struct site *site, const struct plan *plan, const struct create_base *look,
                          struct plan_faults *faults);

/* Make the session: lock, rows in one transaction, then refs. `plan` is taken over. Branch names and
 * floors were not checked by the parser: ERR_USAGE or ERR_ENV here, nothing made. */
int create_session(struct session *out, struct site *site, struct plan *plan,
                   const struct create_options *o, struct err *e);

/* The first session of a queue that is in the store: its items are in the states that they have there. ERR_HELD:
 * somebody works on one of them. ERR_MOVED: something of it has changed since it was loaded. */
int create_stored(struct session *out, struct site *site, const char *queue, const struct create_options *o,
                  struct err *e);

/* A new session for what session `old`, which has failed, did not integrate: on its integration tip, or
 * on the target when it has landed. ERR_MOVED: `old` is not failed any more. */
int create_continued(struct session *out, struct site *site, const char *old,
                     const struct create_options *o, struct err *e);

/* What the store knows of a plan. Compared again in the transaction that makes a session: of two runs
 * of one plan at the same moment only one goes on (ERR_HELD for the other). */
struct create_known {
	char sid[SEAL_SID]; /* newest session of a queue with this content, "" = none */
	bool landed;        /* that session has landed, ... */
	bool whole;         /* ... with everything in the plan */
	size_t queues;      /* queues with this content */
	bool other;         /* the queue asked for by name has another content */
};
/* `queue` (NULL = any) restricts to one queue; `content` NULL = whatever it has. */
int create_find(const struct site *site, const char *content, const char *queue,
                struct create_known *out, struct err *e);

#endif
