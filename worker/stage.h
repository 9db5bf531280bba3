/* stage: from what an agent left in the worktree to one commit whose only parent is the base it was
 * given (architecture 5.6). What it committed itself is kept under a ref first and then squashed. */
#ifndef BOSK_STAGE_H
#define BOSK_STAGE_H

#include "slot.h"

/* Stage everything but ignored files and copies, and write the tree. What it has and the tree `base` has not is read
 * back. Files of repositories in the worktree are plain files, but for those that the tree `owns` has as submodules
 * (nested.h). ERR_USAGE when the index has unmerged entries: the agent left a conflict behind. */
int stage_tree(struct slot *s, const struct oid *base, const struct oid *owns, struct oid *tree, struct err *e);

/* Put tracked files back to what is staged and remove untracked ones: what gates left behind. */
int stage_restore(struct slot *s, struct err *e);

/* Keep what HEAD and the task branch are now under refs/bosk/keep/<sid>/<task>/<attempt> when they
 * are not `base` (promise A5); the branch as <attempt>-branch. ERR_USAGE when HEAD does not descend from base any more. */
int stage_keep_heads(struct slot *s, const char *task, uint64_t attempt, const char *branch,
                     const struct oid *base, struct err *e);

/* Write the commit and move the task branch to it, whatever the agent did to that branch (its value
 * was kept before). HEAD is attached to the branch again. ERR_USAGE and s->not_signed: there is to be no commit without a
 * signature, and it could not be had. */
int stage_commit(struct slot *s, const char *branch, const struct oid *base, const struct oid *tree,
                 const char *message, struct oid *commit, struct err *e);

/* Save the worktree as it is for an attempt that came to nothing: a commit on `base` under
 * refs/bosk/keep/<sid>/<task>/<attempt>-work and on the task branch (NULL = only there), read back.
 * *kept is the branch, or else that ref (owned by the caller), NULL when there was nothing to save. */
int stage_save(struct slot *s, const char *task, uint64_t attempt, const char *branch,
               const struct oid *base, char **kept, struct err *e);

#endif
