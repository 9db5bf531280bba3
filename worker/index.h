/* index: the index of a worktree, when it is gone or nothing that git can read. What was staged in it is no work of its
 * own: `git add` finds all of it again, in the files. */
#ifndef BOSK_INDEX_H
#define BOSK_INDEX_H

#include "slot.h"

/* When it is gone: one that has the files of `tree`, which are tracked then, ignored ones too. */
int index_ensure(struct slot *s, const struct oid *tree, struct err *e);

/* A git command failed: for the index? Then it is taken away, so that the command can be tried once more, and told. */
bool index_unreadable(struct slot *s, const struct err *why);

#endif
