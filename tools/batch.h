/* batch: what run, plan and resume share - options, reading plans, working on a session to its end. */
#ifndef BOSK_BATCH_H
#define BOSK_BATCH_H

#include "cmd.h"
#include "supervisor/create.h"
#include "supervisor/queue/queue.h"
#include "supervisor/site.h"

/* Options of a run, from the command line and the configuration. ERR_USAGE. */
struct batch {
	struct config config;
	struct create_options create;
	struct strv excused;
	bool json, quiet;
};
int batch_options(struct batch *out, const struct cmd_line *l, struct err *e);
void batch_fini(struct batch *b);
/* --autonomy: ERR_USAGE when it is not `full`. */
int batch_full(const struct cmd_line *l, bool *full, struct err *e);
/* --max-time and --budget-usd, where they are given: 0 takes a limit away. Also for a session that goes on. */
int batch_most(const struct cmd_line *l, uint64_t *max_time_ms, uint64_t *budget_micro, struct err *e);

/* Read and check the plan files; faults are printed to stderr. `look` may be empty. Returns 0 or the exit code. */
int batch_plan(const struct cmd_line *l, const struct batch *b, const struct site *site,
               const struct create_base *look, struct plan *out, struct plan_faults *faults);

/* A plan that is to be kept as a queue; `queue`: of a folder with several, NULL = the first active one. */
int batch_queue_file(const char *file, const char *queue, const struct batch *b, const struct site *site,
                     struct plan *out, struct plan_faults *faults);

/* What of the plan may surprise, and which items cannot be run: the first of each; `bosk plan` shows all of it. */
/* What the file of a queue that was there already says otherwise. */
void batch_warn_known(const struct queue_added *added);
void batch_warn(const struct plan *p);

/* At each start: processes of dead sessions are ended, orphans that are due are cleaned (orphans.h), the other dead
 * sessions are reported. What goes wrong is said. */
void batch_sweep(struct site *site, const struct config *cfg);
void batch_say_lines(const struct strv *lines);
void batch_say_dead(struct site *site); /* the report only */

/* Was the session cut off in its landing, after a checkout of the user's was given back? Then nothing but the
 * landing is left to do: there is nothing to recover, and the checkout is not touched as a worktree. */
bool batch_only_lands(const struct session *s);

/* Work on a locked session until nothing more can be done, land as asked, say how it ended. */
struct recovery;
int batch_work(struct session *s, const struct config *cfg, const struct recovery *recovery,
               bool json);

/* cmd_resume.c: -c is refused (2), as a session that goes on keeps its settings. */
int cmd_resume_kept(const struct cmd_line *l);
/* Lock a session and go on with it; the exit code. */
int cmd_resume_session(const struct cmd_line *l, struct site *site, const char *sid);

/* For a session that is over: the exit code its run would have had, a red tip said. */
int batch_ended(const struct session *s);

#endif
