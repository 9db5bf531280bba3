/* nested: repositories that an agent made inside its worktree. git stages of such a folder no more than the id of
 * its HEAD, which nobody else has; of one without a commit nothing at all. Here its files are staged as plain
 * files, and its git folder is kept under a ref (promise A5). What the base has as a submodule, or .gitmodules
 * names, stays one; what no remote of it holds is kept, too. */
#ifndef BOSK_NESTED_H
#define BOSK_NESTED_H

#include "slot.h"

struct nested {
	struct strv taken; /* folders that hold a repository, and whose files are plain ones */
	struct strv apart; /* worktrees of this very repository: not to be staged */
	struct strv subs;  /* submodules whose git folder goes with the worktree */
};
void nested_fini(struct nested *n);
#define AUTO_NESTED __attribute__((cleanup(nested_fini)))

/* After a `git add` of `specs` (pathspecs) came to `tree`, or, `tree` NULL, failed. Adds to `n` what is new, counts
 * in *entered those that need another `git add`, which goes into them now, or is to leave them out. `owns` is the
 * tree whose submodules stay. */
int nested_enter(struct slot *s, const struct oid *owns, const struct oid *tree, const struct strv *specs,
                 struct nested *n, size_t *entered, struct err *e);

/* Keep what no commit of the task holds, as refs/bosk/keep/<sid>/<task>/<attempt>-nested, and note where it is. */
int nested_keep(struct slot *s, const struct nested *n, struct err *e);

/* Remove .git of those kept: where git stages no file of theirs it would take each for work that is not saved. */
int nested_drop_links(struct slot *s, struct err *e);

#endif
