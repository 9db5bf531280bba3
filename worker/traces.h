/* traces: what an attempt can be shown to have done beside its work in its own worktree: the commits it
 * made, as the worktree's reflog has them, and files it changed in worktrees where nobody works. */
#ifndef BOSK_TRACES_H
#define BOSK_TRACES_H

#include "slot.h"

/* From here on. To be called when the worktree is prepared and nothing of the task runs yet. */
void traces_begin(struct slot *s);

/* Commits made since, as ids. Only those that the reflog says were made here: what was merged, checked
 * out or fast-forwarded to is somebody else's. */
void traces_commits(struct slot *s, struct strv *out);

/* Files and folders below `tops` (worktrees where nobody works) that were changed since; a few, as paths.
 * The files are copied below `dir`, because the next task there will clear them away. */
void traces_files(struct slot *s, const struct strv *tops, const char *dir, struct strv *out);

#endif
