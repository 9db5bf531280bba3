/* borrow: working in a checkout of the user's instead of a worktree of bosk's own. It must be clean, and is
 * given back as it was: its HEAD, its files, what is ignored there. */
#ifndef BOSK_BORROW_H
#define BOSK_BORROW_H

#include "session.h"

/* May a session use the checkout at `path` (any folder of it with `linked` false; the top of a linked worktree
 * of this repository with `linked` true)? *top and *head (what it is to be brought back to: "refs/heads/main", or
 * a commit) are the caller's. ERR_USAGE naming what is in the way: not clean, in the middle of a merge or the
 * like, locked, not ours. ERR_HELD: an unfinished session works there. Changes nothing. */
int borrow_look(const struct site *site, const char *path, bool linked, char **top, char **head,
                struct err *e);

/* For a resume of a session that has one, its lock held: is the checkout still as the session left it, or was it
 * given back or taken back meanwhile? Then it must be clean, and goes back to what it is now. ERR_USAGE. */
int borrow_again(struct session *s, struct err *e);

#endif
