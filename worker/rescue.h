/* rescue: the work in the worktree of a session that is dead, saved under refs/bosk/rescue/ before the worktree
 * is removed, and put back when the session goes on (promise A5). The worktree is the one of s->init; its
 * session is locked by the caller. */
#ifndef BOSK_RESCUE_H
#define BOSK_RESCUE_H

#include "slot.h"

/* A rescue commit holds everything that was in the worktree but ignored files: its parent is what HEAD was, its
 * trailers Bosk-Head and Bosk-Index say what HEAD and index were, its message lists the ignored files. A second
 * parent keeps an index that was neither; more of them what only a merge or rebase under way named. */

/* Save what is in the worktree and, where it has no folder any more, what its HEAD and index hold. `task` names the
 * ref: refs/bosk/rescue/<sid>/<task>/<n>. *saved is the commit that HEAD may be left at; *ref (owned by the
 * caller) the ref, read back; NULL = there was nothing but what is reachable from `known` (commits).
 */
int rescue_save(struct slot *s, const char *task, const struct oid *known, size_t n_known,
                struct oid *saved, char **ref, struct err *e);

/* rescue_save for a commit that a branch names: nothing to save when it is reachable from `known`. */
int rescue_commit(struct gitx *g, const char *sid, const char *task, const struct oid *commit,
                  const struct oid *known, size_t n_known, char **ref, struct err *e);

/* Remove the worktree that was saved, without force where git agrees: what changed since makes it stay. */
int rescue_remove(struct slot *s, const struct oid *saved, struct err *e);

/* The worktree, made again, is what it was when `rescued` was made: HEAD (detached), index, files. */
int rescue_put_back(struct slot *s, const struct oid *rescued, struct err *e);

#endif
