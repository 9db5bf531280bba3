/* gitlinks: repositories inside a worktree, as its index has them. git runs `git status` in each of them
 * when it looks at the worktree, and so does what their own configuration asks for. */
#ifndef BOSK_GITLINKS_H
#define BOSK_GITLINKS_H

#include <stdbool.h>

#include "store/base/str.h"

/* Git folder of the worktree whose top is `top`, by its .git; NULL = none. The caller owns it. */
char *gitlinks_git_dir(const char *top);
/* Index files of a git folder: index, and those it may share. */
void gitlinks_index_files(const char *git_dir, struct strv *out);
/* Does an index mark files that git is not to look at (assume-unchanged, skip-worktree)? */
bool gitlinks_index_marks(const char *index);
/* Adds the configuration files of the repositories below `top` that its index names, of those below
 * them too. False: it names none. */
bool gitlinks_configs(const char *top, struct strv *out);

#endif
