/* guest: in a checkout of the user's, what only the user has - files that git ignores there - is never
 * committed, overwritten or removed, whatever a task does to the rules or the index. Nothing to do in
 * a worktree of bosk's own. */
#ifndef BOSK_GUEST_H
#define BOSK_GUEST_H

#include "slot.h"

/* To be called before anything of the index is written to a tree, and before a checkout: takes the user's
 * files out of the index. `leave` gets those that git would add or clean now. */
int guest_withhold(struct slot *s, struct strv *leave, struct err *e);

/* May `commit` be checked out? ERR_USAGE naming the file of the user's that would be lost. */
int guest_check(struct slot *s, const struct oid *commit, struct err *e);

/* `git clean` without the paths in `leave` and what was copied in. Ignored files stay. */
int guest_clean(struct slot *s, const struct strv *leave, struct err *e);

/* The checkout is given back: what guest wrote down is removed. */
void guest_end(struct slot *s);

#endif
