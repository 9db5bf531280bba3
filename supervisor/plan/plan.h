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

#include "store/rows.h"

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
/* "file:line:column: task ID: key: message" for each, one per line. */
void plan_faults_print(const struct plan_faults *f, struct str *out);

struct plan {
	char *kind;   /* "plan" (later: segments, queue, stories) */
	char *source; /* the file names, joined by " " */
	struct task_def *tasks;
	size_t n;
	/* Dependencies by index, as struct sched_plan wants them. */
	uint32_t *needs;
	size_t *needs_at;  /* n + 1 */
	uint32_t *wave;    /* from 1: longest path of needs */
	struct strv warnings;
	char *content; /* seal_hash of the normalised plan: same tasks, same hash, wherever it lay */
};

/* What a plan may name; borrowed. */
struct plan_context {
	const char *const *gates; /* configured gate names */
	size_t n_gates;
	const char *const *agents; /* configured agent names */
	size_t n_agents;
};

/* Read and check one or more files ("-" = standard input is refused here; a later issue). Returns 0
 * with *out to be freed by plan_fini; -1 with at least one fault in `faults` (never half a plan).
 * Limits: 16 MiB a file, 100,000 tasks, 512 KiB a prompt, 64 bytes an id. */
int plan_load(struct plan *out, const char *const *files, size_t n, const struct plan_context *ctx,
              struct plan_faults *faults);
void plan_fini(struct plan *p);

/* From stored task definitions (recovery): takes the array over; needs must name known ids. */
int plan_from_defs(struct plan *out, const char *kind, struct task_def *defs, size_t n,
                   struct err *e);

/* The plan as the normalised JSON text that is committed to refs/bosk/plan/<queue>. */
void plan_write(const struct plan *p, struct str *out);

/* Do tasks a and b declare a common file? Paths are normalised; "dir/" or "dir" covers what is
 * below it; * ? [] and ** are globs; two globs that could match a common path overlap (when in
 * doubt: yes). No declared files = no overlap. For struct sched_plan.overlaps, ctx = struct plan *. */
bool plan_overlaps(void *plan, uint32_t a, uint32_t b);

/* An id: 1 to 64 bytes of [A-Za-z0-9._-], starting with a letter or digit, no "..", not ending in
 * "." or ".lock". NULL when it is one, else what is wrong (static text). */
const char *plan_id_fault(const char *id);

#endif
