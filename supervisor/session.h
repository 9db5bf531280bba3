/* session: one batch as the store has it - manifest, options, queue, tasks - in memory. Made by run,
 * loaded by resume, status, report and the rest. Decides nothing. */
#ifndef BOSK_SESSION_H
#define BOSK_SESSION_H

#include "config.h"
#include "plan/plan.h"
#include "schedule.h"
#include "site.h"
#include "store/rows.h"
#include "store/seal.h"
#include "worker/planted.h"

struct session {
	struct site *site; /* borrowed */
	char sid[SEAL_SID];
	struct manifest_row manifest;
	struct session_row row;
	struct queue_row queue;
	struct plan plan;
	struct task_row *tasks; /* plan.n, in plan order */
	struct task_row *before; /* of a continued queue: as an earlier session left them, else NULL */
	char *tip;              /* integration tip as recorded, hex */
	struct planted planted; /* see session_guard */
	char *sign_late;        /* see commit_late */
	int lock_fd;            /* -1 unless this process owns the session */
};

/* Does a living process own it, by its lock? Visitors (session_visit) are no owners. */
bool session_live(const struct site *site, const char *sid);
/* Has anybody its lock, visitors included? */
bool session_held(const struct site *site, const char *sid, const struct manifest_row *m);
/* The same, also when somebody removed the lock file of a running one: by the process that the manifest names. */
bool session_owned(const struct site *site, const char *sid, const struct manifest_row *m);
/* running | interrupted | stopped | limited | done | failed, as interface.md shows it. Static text. */
const char *session_state(const struct site *site, const char *sid, const struct manifest_row *m);
/* interrupted, stopped or limited: `resume` goes on with it. */
bool session_resumable(const struct site *site, const char *sid, const struct manifest_row *m);

/* Ids of all sessions, oldest first. */
int session_list(const struct site *site, struct strv *out, struct err *e);
/* The manifest alone; the caller releases it with rec_fini. ERR_MISSING. */
int session_manifest(const struct site *site, const char *sid, struct manifest_row *out,
                     struct err *e);

/* Without its tasks: plan.n is 0, queue.tasks their number. Freed with session_fini. */
int session_load_head(struct session *out, struct site *site, const char *sid, struct err *e);

/* Everything of one session. The caller frees with session_fini, also after an error. */
int session_load(struct session *out, struct site *site, const char *sid, struct err *e);
/* A queue that no session has, as one that is to be made has it: its row, its plan and where its tasks stand. */
int session_load_queue(struct session *out, struct site *site, const char *queue, struct err *e);
void session_fini(struct session *s);

/* The session a command means: `name` (a sid or a unique prefix), or with NULL the only one that
 * `fits` accepts. Otherwise ERR_USAGE listing those it could be. `what` names the command. */
typedef bool session_fits(const struct site *site, const char *sid, const struct manifest_row *m);
int session_find(const struct site *site, const char *name, const char *what, session_fits *fits,
                 char sid[SEAL_SID], struct err *e);

/* "TASK", "SID/TASK" or "QUEUE:TASK", ids of sessions and tasks by unique prefix: loads the session into *out, its task's index into
 * *index. Without SID: the only session with such a task, the newest when `newest`. */
int session_find_task(struct session *out, struct site *site, const char *name, size_t *index,
                      struct err *e);

/* A task of this one by its id or a unique beginning of it. ERR_USAGE. */
int session_task_like(const struct session *s, const char *id, size_t *index, struct err *e);

/* Take the lock for life. ERR_HELD when a living process has it; a visitor is waited for, 10 s at most. */
int session_lock(struct session *s, struct err *e);
/* For as long as one cleans up after a dead session: `what` is a clause such as "is cleaned up". Does not wait. */
int session_visit(struct session *s, const char *what, struct err *e);
/* Load it and take the lock in one of these ways; what is loaded is as it was once the lock was had. */
int session_load_locked(struct session *out, struct site *site, const char *sid, struct err *e);
int session_load_visited(struct session *out, struct site *site, const char *sid, const char *what, struct err *e);

/* Wake whoever runs the session, or waits for it in this way. False: nobody does. */
bool session_wake(const struct site *site, const char *sid);
/* The FIFO to be woken by: readable after each session_wake, never at its end. The caller closes. */
int session_wake_open(const struct site *site, const char *sid, struct err *e);

/* For git commands on the session's behalf: what was planted since it began does not run. Borrowed. */
struct planted *session_guard(struct session *s);
/* What was planted goes into the manifest's notes, each once. True: there is a new one. */
bool session_note_planted(struct session *s);
/* What was to be removed stays; and it is gone after all, which makes the other untrue. `what`: worktree or branch. */
void session_note_stays(struct session *s, const char *what, const char *name, const char *why);
void session_note_gone(struct session *s, const char *what, const char *name);

/* Keys of its rows; the caller owns them. */
char *session_task_key(const struct session *s, size_t task, char part); /* 'd' or 's' */
char *session_journal_key(const struct session *s, uint64_t seq);
char *session_result_key(const struct session *s, size_t task, uint64_t attempt, const char *hash);

/* Index of the task of this id; SIZE_MAX = there is none. */
size_t session_task(const struct session *s, const char *id);
enum task_state session_task_state(const struct session *s, size_t task);
/* As shown: pending, running, integrated, ... A running task of a dead session is pending again. */
const char *session_task_shown(const struct session *s, size_t task);

/* Is the task's merge in this session's branch? A queue's rows are shared by all sessions that worked on
 * it: git says what belongs to which. -1 only when the machine lacks what it takes to look. */
int session_brings(bool *out, const struct session *s, size_t task, struct err *e);

/* An intent that was recorded and not closed: `which` is "intent" (integration) or "land". *open tells
 * whether there is one; then the caller releases *out with rec_fini. */
int session_intent(const struct session *s, const char *which, struct intent_row *out, bool *open,
                   struct err *e);

/* The worktree where gates run on merges, SIZE_MAX = there is none: the last one, if it is named so. */
size_t session_merge_slot(const struct session *s);

/* Is this worktree a checkout of the user's? */
bool session_borrows(const struct session *s, size_t slot);

/* refs/bosk/int/<sid>; the caller owns it. */
char *session_int_ref(const struct session *s);
/* Name of the task's branch by the plan or the configured pattern; the caller owns it. */
char *session_task_branch(const char *pattern, const char *sid, const struct task_def *def);

#endif
