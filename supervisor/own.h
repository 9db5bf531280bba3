/* own: worktrees of their own, of tasks whose plan names a path (S0.1). The scheduler knows slots only; a task of
 * this kind takes a slot like any other, so that no more run than may, but works in its own place. Places are the
 * manifest's worktrees: those of the slots, one for each such task (manifest.own of them from manifest.own_at on), those
 * of slots that a resume added, and last the one for merges. */
#ifndef BOSK_OWN_H
#define BOSK_OWN_H

#include "session.h"

/* Is something at one of these paths? Faults are added. That no two of them meet is the reader's to see. */
void own_check(const struct site *site, const struct plan *plan, struct plan_faults *faults);
/* Into the manifest of a new session, after the worktrees of its slots: the paths, the folders that will be made for
 * them, and what of the user's checkout git must not show. */
void own_fill(struct session *s);

size_t own_place(const struct session *s, size_t task); /* of the task; SIZE_MAX = it has none */
size_t own_slot_place(const struct session *s, size_t slot);
size_t own_slots(const struct session *s); /* number of slots that have a place */
bool own_is(const struct session *s, size_t place);

/* Make the lines of info/exclude what all sessions need that are not over, or have such a worktree left. `over`: this
 * one does not count any more. Where it cannot be written that is said, and git shows the worktrees. */
void own_hide(const struct session *s, bool over);
/* Its worktrees are gone: so are folders that were made for them and are empty, and the lines. */
void own_clear(const struct session *s);

#endif
