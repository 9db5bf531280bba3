/* plan_read: what the readers of a task's keys share; for plan_read.c and plan_task.c only. */
#ifndef BOSK_PLAN_READ_H
#define BOSK_PLAN_READ_H

#include "plan_private.h"

struct plan_reader {
	struct plan_loader *l;
	const char *file, *folder;
	struct task_def *d;
	struct plan_origin *o;
	const char *label;                 /* the id for faults, NULL = none to show */
	const struct yaml_node *work;      /* the first of prompt, prompt_file, run */
	const struct yaml_node *agent_key; /* agent or model: they ask for a prompt */
};

#define PLAN_FAULT(r, at, key, ...)                                                               \
	plan_fault((r)->l, (r)->file, (at), (r)->label, (key), __VA_ARGS__)

/* The text of a scalar, borrowed, neither blank nor longer than max bytes; NULL after a fault. */
const char *plan_read_text(struct plan_reader *r, const struct yaml_node *v, const char *key,
                           size_t max, bool one_line);
bool plan_read_blank(const char *text);
/* Is there room for n more bytes among all texts of the plan? If not: a fault, once. */
bool plan_read_afford(struct plan_reader *r, const struct yaml_node *at, const char *key, size_t n);

/* Does the text hold no secret, and so may be stored? If not: a fault (promise E7). */
bool plan_read_keepable(struct plan_reader *r, const struct yaml_node *at, const char *key,
                        const char *text, size_t n);

/* `check` says what is wrong with an entry (the caller frees) or NULL, and may put its normal form
 * into the string. Entries given twice are a fault, or with `lenient` a warning and dropped. */
typedef char *(*plan_read_check)(struct plan_reader *r, const char *text, struct str *normal);
void plan_read_list(struct plan_reader *r, const struct yaml_node *v, const char *key,
                    struct strv *out, size_t max, bool lenient, plan_read_check check);

/* plan_foreign.c: read a key that only other kinds of plans have. False: it is none of them. */
bool plan_foreign_read(struct plan_reader *r, const struct yaml_node *v);

/* What the configuration makes of the task's model; false = it says nothing of it. */
bool plan_read_model(struct plan_reader *r);

/* NULL when `name` is known; else what to say (the caller frees). */
char *plan_read_unknown(const char *what, const char *name, const char *const *known, size_t n);

#endif
