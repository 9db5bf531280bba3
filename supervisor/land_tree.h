/* land_tree: what a landing that was cut off left in the user's checked-out tree (pitfalls 5). The fast-forward
 * itself is land_merge.c's. */
#ifndef BOSK_LAND_TREE_H
#define BOSK_LAND_TREE_H

#include "session.h"
#include "worker/git.h"

/* After a crash in the fast-forward of intent->tree_path: git writes files, then the index, then the
 * ref. While the ref is at old_tip, what was written is put back to old_tip - but only when every path
 * that differs between the two is as old_tip has it, or as git leaves it on the way to new_tip (whole,
 * a beginning, absent). Otherwise nothing is changed and *trouble names the path (owned by the
 * caller). The tree was clean when the intent was recorded, so nothing of the user's is lost.
 * When the ref is at new_tip and the machine went down since, such paths are brought to new_tip; what is
 * neither was changed since by the user, and stays. */
int land_tree_mend(struct session *s, const struct intent_row *intent, char **trouble,
                   struct err *e);

/* Is the branch still checked out in that tree, and only there? *now = where it is. */
int land_tree_home(const struct session *s, const struct intent_row *intent, struct oid *now, bool *out, struct err *e);

/* The same for a fast-forward of this process's own that git gave up half-way, with the ref where it was and the tree
 * its home. No lock is touched: git has removed its own. */
int land_tree_undo(struct session *s, const struct intent_row *intent, char **trouble, struct err *e);

#endif
