/* land_look: may the user's checked-out tree be moved by a landing (pitfalls 5)? Looks only; land_tree.h mends. */
#ifndef BOSK_LAND_LOOK_H
#define BOSK_LAND_LOOK_H

#include "session.h"
#include "worker/git.h"

/* In these: `g` is for commands in the tree. Why it must be left alone, NULL when it may be moved. The caller owns the
 * text. */

/* In the middle of something, or with uncommitted changes (pitfalls 5.4). */
char *land_look_trouble(const struct git *g, struct err *e);

/* A file of the user, untracked or ignored, where the step from `from` to `to` would put one. */
char *land_look_in_the_way(const struct git *g, const struct oid *from, const struct oid *to, struct err *e);

/* A file that the step changes, and that the user has changed behind a mark of the index. */
char *land_look_hidden(const struct git *g, const struct oid *from, const struct oid *to, struct err *e);

/* A lock of git's that stands in the way of moving the tree and `ref`, after a moment's wait: which, and what to do.
 * `left`: a landing died there, and found none of them when it began, so that one whose maker is dead goes. */
char *land_look_locked(const struct git *g, const struct session *s, const char *ref, bool left, struct err *e);

/* Does the way to it lead over a link? Then what lies at its end is no part of the tree at that path. */
bool land_look_below_link(const char *tree, const char *full);

#endif
