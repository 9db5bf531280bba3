/* planted: programs that somebody put into git's configuration, hooks or attributes while a session was
 * going on, an agent for instance (architecture 10). Those known when the session began may run where git
 * asks for them; a setting that is new or changed is overridden for every git command of bosk, and
 * told. */
#ifndef BOSK_PLANTED_H
#define BOSK_PLANTED_H

#include <stdbool.h>

#include "store/base/err.h"
#include "store/base/str.h"

struct planted {
	const char *common_dir;   /* borrowed */
	const struct strv *known; /* borrowed: planted_list of the session's start */
	char *top, *index;        /* worktree looked at last, and what stat said of its index */
	bool links;               /* that index names repositories inside the worktree */
	struct strv nested;       /* configuration of repositories inside it */
	struct strv included;     /* files looked at beside the usual ones */
	struct str seen;          /* gitconf_look of the last reading */
	struct strv overrides;    /* key, value, key, value ... */
	struct strv found;        /* what was planted, a line of text each; only grows */
};

/* What runs programs now, one text for each setting, hook and attributes file: for `known`. `top`: of
 * the user's worktree, for the repositories inside it. */
int planted_list(struct strv *out, const char *common_dir, const char *top, struct err *e);
/* One of them for people: "filter.lfs.clean = git-lfs clean -- %f"; NULL when it is no setting. The
 * caller owns it. */
char *planted_text(const char *listed);

void planted_init(struct planted *p, const char *common_dir, const struct strv *known);
void planted_fini(struct planted *p);

/* Look again when a file changed. `top`: of the worktree that git is to be run in, or any other folder.
 * ERR_ENV: git's configuration cannot be read; then run no git. */
int planted_check(struct planted *p, const char *top, struct err *e);
/* Into the environment of a git command: what overrides what was found. */
void planted_env(const struct planted *p, struct strv *env);

#endif
