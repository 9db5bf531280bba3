/* exec: starting a program. vfork + exec, never a plain fork of a grown process (performance 2).
 * Linux extras (parent-death signal, close_range) live here and in proc.c only. */
#ifndef BOSK_EXEC_H
#define BOSK_EXEC_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "store/base/err.h"

struct exec_spec {
	const char *const *argv; /* argv[0] is looked up in PATH; NULL-ended */
	const char *exe;         /* run this file instead, argv[0] stays; NULL = argv[0] */
	const char *cwd;         /* NULL = the caller's */
	char *const *env;        /* NULL = the caller's */
	int in, out, err;        /* become 0, 1, 2; -1 = /dev/null */
	const int *keep;         /* further descriptors the child keeps, same numbers, made inheritable */
	size_t n_keep;
	int death_signal;        /* sent to the child when this thread dies; 0 = none */
	bool group;              /* the child leads a process group of its own */
};

/* In the child: all signals default and unblocked, every descriptor but 0-2 and `keep` closed,
 * umask 077 left as the caller's. Call from the main thread only (pitfalls 8.3). Returns 0 and the
 * pid, or -1: ERR_ENV with errno as code when the program could not be run (ENOENT: not found).
 * The caller reaps. */
int exec_spawn(pid_t *out, const struct exec_spec *spec, struct err *e);

/* A copy of the environment without GIT_* (pitfalls 1.11), to be extended by the caller. */
struct strv;
void exec_clean_env(struct strv *out);
void exec_env_set(struct strv *env, const char *name, const char *value); /* replaces */

#endif
