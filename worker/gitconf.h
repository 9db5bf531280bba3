/* gitconf: which programs the configuration would make git run, read from every file that may take part:
 * system, user, repository, each worktree's, each submodule's, and all that these include, whatever the
 * condition of the include; and what keeps git from seeing what is there. Hooks, info/attributes and info/exclude are
 * listed with them. Runs nothing of it. */
#ifndef BOSK_GITCONF_H
#define BOSK_GITCONF_H

#include <stdbool.h>
#include <stddef.h>

#include "store/base/err.h"
#include "store/base/str.h"

struct gitconf_entry {
	char *key;   /* as git writes it: filter.NAME.clean; or "hook NAME", "info/attributes", "info/exclude" */
	char *value; /* of one of these: the hash of its content */
	char *file;  /* where it is set */
	bool setting; /* not a hook, not a file in info */
};

struct gitconf {
	struct gitconf_entry *v; /* executable ones only; of two with one key the later one counts */
	size_t n;
	struct strv included; /* files that others include */
	struct str seen;      /* as gitconf_look, taken before each file was read */
};

/* `nested`: further files, of repositories inside a worktree (gitlinks.h); NULL = none.
 * ERR_ENV when git cannot read one of the files. The caller releases, also after an error. */
int gitconf_read(struct gitconf *out, const char *common_dir, const struct strv *nested,
                 struct err *e);
/* Before each line that bosk itself writes into info/exclude: these do not count. */
#define GITCONF_EXCLUDE_MARK "# bosk: a worktree of a session\n"
void gitconf_fini(struct gitconf *c);

/* What stat says of all these files: the same text = nothing has changed. A few microseconds each. */
void gitconf_look(struct str *out, const char *common_dir, const struct strv *nested,
                  const struct strv *included);
void gitconf_look_one(struct str *out, const char *path);

/* A value that makes this key run nothing; NULL when the key runs nothing anyway. Static or owned by
 * the caller's `scratch`. */
const char *gitconf_neutral(const char *key, struct str *scratch);
/* Does it run nothing, but keep git from seeing what is in a worktree? */
bool gitconf_blinds(const char *key);

#endif
