/* exec: starting a program. vfork + exec, never a plain fork of a grown process (performance 2).
 * Linux extras (parent-death signal, close_range) live here and in proc.c only. Knows nothing of
 * what the program does or how it ends: see job.h. */
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
	int in, out, err;        /* become 0, 1, 2; -1 = /dev/null. May be 0-2 crosswise */
	const int *keep;         /* further descriptors (> 2) the child keeps, same numbers; made
	                          * inheritable there, not in the caller */
	size_t n_keep;
	int death_signal;        /* sent to the child when this thread dies; 0 = none */
	bool group;              /* the child leads a process group of its own */
};

/* In the child: all signals default and unblocked, every descriptor but 0-2 and `keep` closed, the
 * umask is the caller's. Call from the main thread only (pitfalls 8.3).
 *
 * A name without a slash is looked up in the PATH of the child's environment; entries that are not
 * absolute are skipped, they would name files of an untrusted worktree. A name with a slash, and
 * `exe`, are taken as they are, relative to `cwd`. A script without #! is not handed to a shell.
 *
 * Returns 0 and the pid, or -1: ERR_ENV with errno as code when the program could not be run
 * (ENOENT: not found, EACCES: not executable, ENOEXEC: not a program; also no such cwd, no more
 * descriptors or processes). After -1 no process is left. The caller reaps; an ignored SIGCHLD is
 * set back to default, the kernel would reap behind the caller's back and free the pid. */
int exec_spawn(pid_t *out, const struct exec_spec *spec, struct err *e);

/* A copy of the environment, whole or without GIT_* (pitfalls 1.11), to be extended by the caller, who
 * frees it. `out` is overwritten. */
struct strv;
void exec_env(struct strv *out);
void exec_clean_env(struct strv *out);
void exec_env_set(struct strv *env, const char *name, const char *value); /* replaces */
void exec_env_unset(struct strv *env, const char *name);

#endif
