/* clean: what a dead session left in worktrees and on task branches is saved, then removed. */
#ifndef BOSK_CLEAN_H
#define BOSK_CLEAN_H

#include "supervisor/session.h"

/* Worktrees of the session that are there, in whatever state; a checkout of the user's is none of them. */
size_t clean_worktrees(const struct session *s);

/* For a session that this process has locked. In this order, each worktree by itself: what is in it is saved
 * under refs/bosk/rescue/<sid>/ and read back; the task's row says so; the worktree is removed, without force where
 * git agrees. Then the task branches that say nothing more, by compare-and-swap. Last the manifest entry is closed
 * (cleaned_ms), but only when nothing stayed. `said` gets a line for everything that was saved, removed, or stays
 * and why; *whole is false when something could not be saved or removed, true when what stays is not for bosk to
 * touch. A resume makes the worktrees again, at the same paths, and puts back what was saved. */
int clean_session(struct session *s, struct strv *said, bool *whole, struct err *e);

#endif
