/* core: the supervisor's state while it runs, shared by its parts (core_*, control, integrate,
 * finish, supervisor). Nothing outside supervisor/ includes it. */
#ifndef BOSK_CORE_H
#define BOSK_CORE_H

#include "green.h"
#include "loop.h"
#include "merge.h"
#include "notify.h"
#include "pool.h"
#include "supervisor.h"
#include "turn.h"
#include "view.h"

enum phase {
	PHASE_PREFLIGHT, /* is it ready to leave (ready.h)? */
	PHASE_RUN,       /* the scheduler decides */
	PHASE_FINAL,     /* gates on the final tip */
	PHASE_CLEANUP,   /* workers end, worktrees and branches go */
	PHASE_OVER
};

enum integration_phase {
	INTEG_IDLE,
	INTEG_MERGING,  /* one after the other */
	INTEG_CHECKING, /* gates run on the last merge */
	INTEG_INTENT    /* recorded, refs not moved yet */
};

struct merge_item {
	size_t task;
	struct oid base, commit, merge;
	bool not_signed;
};

struct commit;
struct escape;
struct quota;
struct ready;
struct share;

struct integration {
	size_t *queue; /* tasks whose commit waits for its merge, in order of completion */
	size_t n;
	enum integration_phase phase;
	struct merge_item *items; /* the batch under way */
	size_t n_items, at, kept; /* items[at] is being merged, items[0..kept-1] are */
	size_t later;             /* so many of it went back to the head of the queue */
	struct oid from, tip;     /* the integration tip it began with; the last merge on it */
	struct oid tree;          /* of `tip` */
	struct oid merged;        /* the tree of items[at], whose commit is being made */
	char *not_signed;         /* why commits of it are not signed, NULL = they are */
	bool inside, answered;    /* of merge_start, and of the commit of its tree */
	size_t single;            /* so many batches of one: together they were red */
	unsigned lost;            /* workers that died of checking this batch */
	bool sprint;              /* no batch: `tip` is a commit of the sprint status (sprint.h) ... */
	bool sprint_not_signed;   /* ... without the signature that it was to have */
};

struct core {
	struct session *s;
	const struct config *cfg;
	const struct supervisor_options *options;
	struct loop *loop;
	struct schedule *sched;
	struct pool *pool;
	struct view *view;
	struct notify *notify;
	struct turn turn;
	struct escape *escape; /* what changes outside of the session */
	struct share *share;   /* worktrees that are shared with other sessions */
	struct quota *quota; /* accounts, money and time (quota.h) */
	struct ready *ready; /* what was looked at before the first task (ready.h) */
	struct mergebox box; /* where merges are computed */
	struct commit *commit; /* that is being signed (commit.h) */
	struct integration integ;
	enum phase phase;

	struct sched_event *inbox; /* waiting for the next turn */
	size_t n_inbox;
	uint64_t events;           /* so many about tasks were put there */
	struct sched_action *todo; /* decided, waiting for the commit */
	size_t n_todo;

	/* Of each place (own.h), which are the scheduler's slots where no task has a worktree of its own. */
	size_t *slot_task;      /* the task in it, SIZE_MAX = none */
	uint64_t *slot_since;   /* monotonic ms */
	uint64_t *slot_go;      /* the attempt that may begin there once what is known of it is on disk; 0 = none */
	bool *slot_keep;        /* holds work that could not be saved: never touched again */
	bool given_back;        /* the borrowed checkout is the user's again */
	bool *slot_let;         /* its worker was told to end while others ran, and removes nothing */
	bool *slot_again;       /* the worker that was to remove it died: another one tries */
	struct strv story_folders; /* where the plan's stories lie */
	bool *wave_shown;       /* of each wave: it was said that it is over */
	uint64_t *retry_timer;  /* of each task, 0 = none */
	size_t check_slot;      /* worker that runs the gates on base or tip */
	unsigned check_lost;    /* how many died of it */
	size_t merge_slot;      /* worktree for gates on merges, SIZE_MAX = none */
	struct green *green;    /* what gates are known to pass on */
	bool stopping_now;      /* the user wants everything stopped at once */
	size_t quitting;        /* workers asked to end */
	size_t cleaned;         /* places that the clean-up has come to */

	bool sprint_due;        /* tasks are over: the sprint status comes before the final gates */

	size_t push_due;        /* branches to be pushed (push.c) ... */
	size_t push_task;       /* ... of this task now, */
	int push_stage;         /* enum remote_step of it, */
	pid_t push_pid;         /* by this process; 0 = none */

	int signals;            /* how often the user asked to stop */
	int exit_signal;
	bool fresh;             /* a new session, not a resumed one */
	bool forget;            /* nothing was started: leave no trace of the session */
	bool low;               /* disk or memory is below its floor: nothing new starts */
	bool held;              /* the last commit found no room */
	uint64_t hold_timer;
	int wake_fd;
	int exit_code;          /* -1 = from the outcome */
	struct err fatal;
};

/* ---- core.c ---- */
void core_event(struct core *c, enum sched_event_kind kind, size_t task); /* SIZE_MAX = none */
/* What is to be said of a task that failed for want of room, its reason in the row (core_room.c). */
enum sched_event_kind core_no_room(struct core *c, size_t task);
void core_fatal(struct core *c, const struct err *e); /* stop now; resume can go on */
void core_sync(struct core *c, size_t task); /* its row's state from the scheduler */
void core_turns(void *core); /* after each wake-up: apply, commit, act, until nothing is left */
void core_counts(struct core *c); /* for the progress bar */
const char *core_task_id(const struct core *c, size_t task);

/* ---- core_planned.c ---- */
void core_planned(struct core *c); /* before the schedule starts */

/* ---- control.c: signals, terminal, requests ---- */
int control_open(struct core *c, struct err *e);
void control_clock(struct core *c); /* the 1 Hz redraw, on a terminal only */

/* ---- core_assign.c: actions performed after their commit ---- */
void core_perform(struct core *c, const struct sched_action *a);
void core_assigned(struct core *c, size_t task, size_t slot); /* rows of an assignment, before it */
int core_check(struct core *c, const char *label, const char *commit, struct err *e);
/* `start`: tree that is in its worktree at first, `feedback`: why; NULL = a run from its base. */
void core_send_task(struct core *c, size_t task, size_t slot, const struct oid *start,
                    const char *feedback);

/* ---- core_intake.c: what workers say ---- */
void core_message(void *core, size_t slot, struct msg *m);
void core_go(struct core *c); /* after a commit: attempts that it holds may begin */
void core_gone(void *core, size_t slot, bool asked, const char *why);

/* ---- integrate.c ---- */
void integrate_add(struct core *c, size_t task);
/* After each commit: start the next batch, move refs of a recorded intent. */
void integrate_step(struct core *c);

/* ---- integrate_check.c ---- */
void integrate_checked(struct core *c, const struct msg_checked *m); /* gates on a merge */
void integrate_check_lost(struct core *c, const char *why); /* their worker died */
void integrate_cancel(struct core *c); /* everything is to stop at once */

/* ---- finish.c ---- */
void finish_checked(struct core *c, const struct msg_checked *m); /* base or final tip */
void finish_remember(struct core *c, const struct strv *gates); /* they accepted the tip */
void finish_flaky(struct core *c, const struct strv *flaky, const char *where); /* into the notes */
void finish_tasks(struct core *c);   /* nothing more will run */
void finish_gates(struct core *c);   /* nothing more will be integrated: final gates */
void finish_cleanup(struct core *c); /* end workers, remove worktrees */
/* A worker ended during the clean-up, as asked or not. */
void finish_gone(struct core *c, size_t slot, bool asked, const char *why);
void finish_session(struct core *c); /* all workers are gone */
/* Is anything there of a worktree: its folder, or what git knows of it after a kill? */
bool finish_worktree_left(const struct core *c, size_t slot);
int finish_exit_code(const struct core *c);

#endif
