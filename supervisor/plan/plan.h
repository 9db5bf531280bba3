/* plan: reads plans of bosk's own format and checks everything before anything starts.
 *
 *   tasks:
 *     - id: greet
 *       prompt: Create hello.txt that says hello.
 *
 * Fields per task: id title needs files prompt prompt_file run agent model gates timeout priority
 * env exclusive allow_empty (interface.md, "Plans"). All faults are listed at once, each with
 * file, line, column, task and key (promise E1). */
#ifndef BOSK_PLAN_H
#define BOSK_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/base/err.h"
#include "store/base/str.h"
#include "store/rows.h"
#include "supervisor/task_state.h"

struct plan_fault {
	char *file;
	size_t line, column; /* from 1; 0 = not known */
	char *task;          /* id, NULL when the fault is not in a task */
	char *key;           /* NULL when it is not about one */
	char *message;       /* what is wrong and what to do */
};

struct plan_faults {
	struct plan_fault *v;
	size_t n;
};
void plan_faults_fini(struct plan_faults *f);
void plan_faults_add(struct plan_faults *f, const char *file, size_t line, size_t column,
                     const char *task, const char *key, const char *fmt, ...)
	__attribute__((format(printf, 7, 8)));
void plan_faults_sort(struct plan_faults *f); /* by file, line, column; else as found */
/* "file:line:column: task ID: key: message" for each, one per line; safe for a terminal. */
void plan_faults_print(const struct plan_faults *f, struct str *out);

/* What to say of a text that holds a secret; %s = secret_in. */
#define SECRET_FAULT                                                                              \
	"holds %s, and would be stored: leave it out, commands get the environment that bosk is "    \
	"started in (if it is no secret: `secrets: [-NAME]` in the configuration)"

/* How the tasks of a wave wait: for all of the wave before, or each for what it needs. */
#define PLAN_BARRIER_WAVE "wave"
#define PLAN_BARRIER_NONE "none"
#define PLAN_BARRIER_BARE "" /* nothing but `needs` counts: to look at a plan, not to run it */

/* What the configuration makes of the name of a model. */
struct plan_model {
	char *name;
	char *agent, *model; /* NULL = not given */
};

/* Why an item is skipped that nobody is to do any more. */
#define PLAN_CANCELLED "cancelled in its file"

/* What a plan of the kind "queue" has beside its tasks, which are its items in the order they are executed in; see
 * store/rows.h. As it was read: rows of it are made when it is added to the store. */
struct plan_queue {
	char *id;                 /* of the file; NULL = it has none */
	struct queue_row row;     /* from `status` on; the rest is the store's to fill */
	struct item_def *defs;    /* plan.n of each of these */
	struct item_row *items;
	enum task_state *states;  /* WAITING, CLAIMED (executing), ALREADY (completed), FAILED, SKIPPED */
	char **reasons;           /* of those that failed or are skipped (PLAN_CANCELLED); NULL = none */
	struct issue_row *issues;
	size_t n_issues;
};

struct plan {
	char *kind;   /* plan | segments | stories | queue */
	char *source; /* the file names, joined by " " */
	char *land;   /* how its session is landed: keep | merge | pr; NULL = it says nothing of that */
	struct task_def *tasks;
	size_t n;
	/* Dependencies by index, as struct sched_plan wants them: `needs`, and what the barrier adds. */
	uint32_t *needs;
	size_t *needs_at;  /* n + 1 */
	uint32_t *wave;    /* from 1, none empty: of a segments plan as it says, else the longest path of needs and after */
	/* The same of `after` and `in_turn`: not of interest to who only asks what must be good before. */
	uint32_t *after;
	size_t *after_at;
	struct plan_queue *queue; /* NULL unless this was just read from a file of the kind "queue" */
	struct strv warnings;
	char *content; /* seal_hash of the normalised plan: same tasks, same hash, wherever it lay */
};

enum {
	PLAN_MAX_TASKS = 100000,
	PLAN_MAX_TEXT = 512 << 10,    /* bytes of a prompt */
	PLAN_MAX_COMMAND = 120 << 10, /* bytes of `run` and of an `env` entry: execve limits them */
	PLAN_MAX_TOTAL = 256 << 20,   /* bytes of all texts: aliases and prompt files repeat them */
	PLAN_MAX_NEEDS = 16384,       /* entries of a list: a stored record holds 65536 values */
	PLAN_MAX_LIST = 1000,
	PLAN_MAX_PREAMBLE = 256 << 10, /* bytes of a persona and skills */
	PLAN_MAX_TASK = 832 << 10, /* bytes of all that: one message of at most FRAME_MAX, with why it runs again */
	PLAN_MAX_EDGES = 4000000, /* dependencies that a barrier may make */
	PLAN_ID_MAX = 64,
	PLAN_PATH_MAX = 1024
};

/* How stories are read (`stories` of the configuration); borrowed. */
struct plan_stories {
	const char *folder;       /* where keys are looked up; "" = in the usual places */
	const char *threshold;    /* a share, as a decimal: with more unticked boxes a story is routed */
	const char *instructions; /* what its prompt begins with */
	const struct strv *human; /* phrases of boxes for a human */
};

/* What a plan may name; borrowed. */
struct plan_context {
	const char *const *gates; /* configured gate names */
	size_t n_gates;
	const char *const *agents; /* configured agent names */
	size_t n_agents;
	/* For plans of other tools. NULL = there is none to go by. */
	const char *root;          /* top of the main worktree: $ROOT */
	const char *top;           /* of the checkout: folders of the configuration are relative to it */
	const char *worktrees_dir;
	const struct plan_model *models;
	size_t n_models;
	const struct strv *personas, *skills; /* folders as configured */
	const char *barrier;       /* PLAN_BARRIER_...; NULL = as is usual for the kind */
	const struct plan_stories *stories; /* NULL = as by default, without phrases */
	const char *queue;         /* of a folder with several queues: this one; NULL = the first active one */
};

/* Read and check one or more files ("-" = standard input), folders of stories or of issues, or keys of stories. Returns 0
 * with *out to be freed by plan_fini; -1 with at least one fault in `faults`, all of them sorted
 * (never half a plan). Limits: 16 MiB a file (a queue: 256 MiB), 100,000 tasks, 512 KiB a prompt, 64 bytes an id.
 * ctx NULL: gates and agents may have any name. */
int plan_load(struct plan *out, const char *const *files, size_t n, const struct plan_context *ctx,
              struct plan_faults *faults);
/* The same from memory; `name` stands for the file in faults and `source`. prompt_file is refused:
 * there is no folder it could be relative to. */
int plan_load_text(struct plan *out, const char *name, const char *text, size_t n,
                   const struct plan_context *ctx, struct plan_faults *faults);
void plan_fini(struct plan *p);

/* The files with queues of a folder of issues, by rank, then id. ERR_USAGE: it has none. */
int plan_queue_files(struct strv *out, const char *folder, struct err *e);

/* From stored task definitions (recovery): takes the array and what it owns over, also on failure
 * (ERR_DAMAGED: needs name an unknown id or go in a circle, an id is missing or there twice).
 * `source` is "". */
int plan_from_defs(struct plan *out, const char *kind, const char *barrier, struct task_def *defs, size_t n,
                   struct err *e);

/* The barrier that is usual for plans of this kind. */
const char *plan_barrier(const char *kind);
/* Another barrier for a plan. ERR_USAGE: it would take more than PLAN_MAX_EDGES; the plan is as it was. */
int plan_set_barrier(struct plan *p, const char *barrier, struct err *e);

/* The plan as the normalised JSON text that is committed to refs/bosk/plan/<queue>: one task per
 * line, only what was given. It is a plan of bosk's own format: loading it gives the same tasks. */
void plan_write(const struct plan *p, struct str *out);

/* Do tasks a and b declare a common file? Paths are normalised; "dir/" or "dir" covers what is
 * below it; * ? [] and ** are globs; two globs that could match a common path overlap (when in
 * doubt: yes). Between items of a queue A and a are the same. No declared files = no overlap. For
 * struct sched_plan.overlaps, ctx = struct plan *. */
bool plan_overlaps(void *plan, uint32_t a, uint32_t b);
/* The same of the files of two items of a queue. */
bool plan_items_overlap(const struct strv *a, const struct strv *b);

/* What becomes of a task without anybody working on it: TASK_ALREADY or TASK_ROUTED; TASK_WAITING = it runs. */
enum task_state plan_end(const struct task_def *d);
size_t plan_runs(const struct plan *p); /* how many tasks run */

/* The worktree of each task, from 0, UINT32_MAX = any; for struct sched_plan.prefer. False: they have none, as the plan is
 * of another kind than stories. A story goes where one that it needs goes, else where there are fewest, the first of these.
 * `p` is in an order that its dependencies allow. */
bool plan_assign(uint32_t *slot, const struct plan *p, size_t slots);

/* The prompt and step_texts of a task of a queue, which are not kept with it (d->texts), made of the JSON texts of its item,
 * its solution and its issue (NULL = there is none). ERR_DAMAGED: these are not what they were. */
int plan_texts_make(struct task_def *d, const char *item, const char *solution, const char *issue, struct err *e);

/* The same for two normalised paths or globs (a gate's `paths`, `protect`). */
bool plan_paths_overlap(const char *a, const char *b);

/* A path or glob inside the repository: relative, without "..", .git, \ and control characters, at
 * most PLAN_PATH_MAX bytes. NULL when it is one, else what is wrong (static text). `normal`, NULL
 * allowed, gets it without "./", "//" and a final "/"; the whole repository is ".". */
const char *plan_path_fault(const char *path, struct str *normal);

/* An id: 1 to 64 bytes of [A-Za-z0-9._-], starting with a letter or digit, no "..", not ending in
 * "." or ".lock". NULL when it is one, else what is wrong (static text). */
const char *plan_id_fault(const char *id);

#endif
