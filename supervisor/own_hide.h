/* own_hide: the lines of bosk in info/exclude, which keep worktrees inside the user's checkout out of its status. */
#ifndef BOSK_OWN_HIDE_H
#define BOSK_OWN_HIDE_H

#include "session.h"

/* Of all sessions: which patterns are to be there. */
typedef int own_hide_fn(const struct session *s, bool over, struct strv *out, struct err *e);

/* Under a lock of bosk's, so that no session takes away what another has just added. A failure is said. */
void own_hide_sync(const struct session *s, bool over, own_hide_fn *wanted);

/* `text` without the lines of bosk, and those for `patterns` at its beginning: what is the user's comes out again as
 * it was. */
void own_hide_lines(const char *text, const struct strv *patterns, struct str *out);

#endif
