/* protect: is what a task changed protected? Paths as git has them, in trees; nothing in the worktree is looked at, so no
 * link there leads anywhere. */
#ifndef BOSK_PROTECT_H
#define BOSK_PROTECT_H

#include "store/base/str.h"

/* The first of the changed paths that is protected, or would be taken for such a one: a file below a protected folder, the
 * same name in other case (one file on many a machine), what takes the place of a folder that protected files are in.
 * NULL = none. A file that is renamed is one that is gone: both paths are among the changed ones. Borrowed. */
const char *protect_find(const struct strv *globs, const struct strv *changed);

#endif
