/* land_tree: the user's checked-out tree around a landing - may it be moved, and what a landing that was
 * cut off left in it (pitfalls 5). The fast-forward itself is land.c's. */
#ifndef BOSK_LAND_TREE_H
#define BOSK_LAND_TREE_H

#include "session.h"
#include "worker/git.h"

/* In these: `g` is for commands in the tree. Why a checked-out tree must be left alone (pitfalls 5.4), NULL when it
 * may be moved. The caller owns the text. */
char *land_tree_trouble(const struct git *g, struct err *e);

/* A file of the user, untracked or ignored, where the step from `from` to `to` would put one: named,
 * NULL = none. git itself refuses too, but not before it has written ORIG_HEAD. The caller owns the
 * text. */
char *land_tree_in_the_way(const struct git *g, const struct oid *from, const struct oid *to,
                           struct err *e);

/* A lock of git's that stands in the way of moving the tree and `ref`, after a moment's wait: which, and what to do.
 * NULL = none. The caller owns the text. */
char *land_tree_locked(const struct git *g, const struct session *s, const char *ref, struct err *e);

/* After a crash in the fast-forward of intent->tree_path: git writes files, then the index, then the
 * ref. While the ref is at old_tip, what was written is put back to old_tip - but only when every path
 * that differs between the two is as old_tip has it, or as git leaves it on the way to new_tip (whole,
 * a beginning, absent). Otherwise nothing is changed and *trouble names the path (owned by the
 * caller). The tree was clean when the intent was recorded, so nothing of the user's is lost.
 * When the ref is at new_tip and the machine went down since, such paths are brought to new_tip; what is
 * neither was changed since by the user, and stays. */
int land_tree_mend(struct session *s, const struct intent_row *intent, char **trouble,
                   struct err *e);

/* The same for a fast-forward of this process's own that git gave up half-way, with the ref where it was. No lock is
 * touched: git has removed its own. */
int land_tree_undo(struct session *s, const struct intent_row *intent, char **trouble, struct err *e);

#endif
