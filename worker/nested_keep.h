/* nested_keep: the git folder of a repository that goes with the worktree, kept under a ref. */
#ifndef BOSK_NESTED_KEEP_H
#define BOSK_NESTED_KEEP_H

#include "slot.h"

/* `dir` (a real folder) under refs/bosk/keep/<sid>/<task>/<attempt>-nested, as the plain files of one commit without
 * parents: whatever it is - shallow, damaged, of another format, with settings that run programs - git reads no
 * setting of it, and its branches, stashes, reflogs and index are all there. `what` says of what it is. *ref (owned
 * by the caller) is NULL when there is no object in it. */
int nested_keep_folder(struct slot *s, const char *dir, const char *what, char **ref, struct err *e);

/* What is in `top` and not ignored, in the same way. */
int nested_keep_files(struct slot *s, const char *top, const char *what, char **ref, struct err *e);

/* The same for what a worktree of this repository at `top`, inside of ours, holds beyond a branch. */
int nested_keep_worktree(struct slot *s, const char *top, const char *admin, const char *what, char **ref,
                         struct err *e);

#endif
