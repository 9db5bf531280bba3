/* queue_steps: the tasks of a solution, here its steps, in an order that their dependencies allow. */
#ifndef BOSK_QUEUE_STEPS_H
#define BOSK_QUEUE_STEPS_H

#include "queue_private.h"

struct queue_step {
	char *id;                  /* may be part of a path; not always as it is written */
	const struct json_t *json; /* a map */
	size_t at;                 /* its number in the file, from 0 */
};

/* A solution while it is made a task; all but the steps is borrowed. */
struct queue_solution {
	struct plan_loader *l;
	const char *file;
	size_t line;
	struct task_def *d;
	const struct json_t *json, *issue;
	struct queue_step *v;
	size_t n;
	bool full; /* it has more than is taken, and that is told */
};

void queue_steps_fault(struct queue_solution *s, const char *key, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void queue_steps_warn(struct queue_solution *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* `only`: the one step that is meant, by its id as it is written; NULL = all. Faults are told, and then there may be
 * fewer of them. */
void queue_steps_read(struct queue_solution *s, const char *only);
void queue_steps_free(struct queue_solution *s);

/* A value as one line of text; NULL when it is none: not there, empty, a list, a map. The caller frees. */
char *queue_steps_line(const struct json_t *v, size_t max);

#endif
