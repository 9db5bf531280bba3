/* git: running the git command. The working tree, the index, status, checkout, worktrees and slow
 * merges go through it (libraries.md 2); objects and refs go through gitx.h.
 *
 * No hook, fsmonitor, pager, editor, prompt or automatic gc of the repository runs (promise E2);
 * GIT_* of the caller is not passed on (pitfalls 1.11); objects and refs are flushed. With a guard
 * nothing runs that was planted since the session began (planted.h). */
#ifndef BOSK_GIT_H
#define BOSK_GIT_H

#include <stdbool.h>
#include <stdint.h>

#include "store/base/err.h"
#include "store/base/str.h"

/* Where and how to run git. Zero-initialise, then set what is needed. All members are borrowed. */
struct planted;

struct git {
	const char *cwd;          /* git -C; required */
	const struct strv *extra; /* further "key=value" for -c; NULL = none */
	struct planted *guard;    /* overrides what was planted since the session began; NULL = none */
	const char *stdin_path;   /* NULL = /dev/null */
	const char *index_file;   /* another index than the worktree's; NULL = that */
	int keep_fd;              /* a lock the child inherits; 0 = none */
	uint64_t timeout_ms;      /* 0 = 15 minutes */
	bool remote;              /* talks to another repository: by the user's ssh, and one that asks nobody */
	int watch_fd;             /* as in struct job; 0 = none */
	bool (*watch)(void *ctx);
	void *ctx;
};

/* "git" with the fixed options and then `args` (NULL-ended), appended to argv. */
void git_argv(struct strv *argv, const struct git *g, const char *const *args);
/* The environment for it: the caller's without GIT_*, plus the fixed settings and the guard's. Fails
 * only with a guard, when git's configuration cannot be read. */
int git_env(struct strv *env, const struct git *g, struct err *e);

/* Run and wait (job_run). *status = exit code; death by signal, time-out or stop is an error
 * (ERR_ENV; ERR_GONE when the watcher stopped it). `out` gets stdout (up to 64 MiB), may be NULL.
 * `text` gets stderr, may be NULL. */
int git_try(const struct git *g, int *status, struct str *out, struct str *text,
            const char *const *args, struct err *e);
/* What git's stderr says it failed of: ERR_NOSPACE, ERR_STARVED, or ERR_ENV for anything else. */
enum err_kind git_said_kind(const char *text);
/* As git_try, and any exit code but 0 is an error of that kind with the end of git's stderr. */
int git_run(const struct git *g, struct str *out, const char *const *args, struct err *e);

#define GIT_ARGS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* "git version 2.39.5" -> 2, 39; ERR_ENV when git is missing or older than 2.38. */
int git_version(unsigned *major, unsigned *minor, struct err *e);

/* Take the lock file at `path` exclusively (made when absent); *fd is the caller's to close, which
 * releases it unless a child inherited it. Waits as long as `g`'s watcher lets it, without polling:
 * another process holds it for the length of one git command. With a timeout_ms no longer than that
 * (ERR_HELD). */
int git_lock(const struct git *g, const char *path, int *fd, struct err *e);

#endif
