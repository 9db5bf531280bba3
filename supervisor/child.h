/* child: a command run beside the loop, its output collected. The supervisor never waits for a
 * child: the end is a callback (architecture 1.7). */
#ifndef BOSK_CHILD_H
#define BOSK_CHILD_H

#include "loop.h"
#include "store/base/str.h"

struct child_result {
	int wait_status;  /* of waitpid */
	const char *out;  /* stdout, NUL-ended; borrowed, may hold NULs */
	size_t out_n;
	const char *err;  /* the end of stderr */
	bool cut;         /* stdout was longer than 16 MiB */
	bool late;        /* killed after timeout_ms */
};
typedef void child_fn(void *ctx, const struct child_result *result);

struct child_spec {
	const char *const *argv;
	const char *cwd;
	char *const *env;
	int in;              /* its standard input; 0 = /dev/null */
	uint64_t timeout_ms; /* then killed, with its group */
};

/* The callback comes once, from the loop. The child dies with this process. */
int child_start(struct loop *l, const struct child_spec *spec, pid_t *pid, child_fn *fn, void *ctx,
                struct err *e);

/* The loop will not run again: what still runs is killed, without its callback. Before loop_close. */
void child_close_all(void);

#endif
