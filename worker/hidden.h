/* hidden: files of which git was told not to look at them: marked in the index to be taken for unchanged, or to be left
 * out of the worktree. An agent that marks a file and changes it would be judged by gates that see the change, for a
 * commit that has not got it; and the change would stay for whoever has the worktree next. */
#ifndef BOSK_HIDDEN_H
#define BOSK_HIDDEN_H

#include "slot.h"

/* Take the marks off, so that git sees what is there; those of a sparse checkout's files, which are not there, stay. A file
 * that was taken away under such a mark is put back, but for another index than the worktree's own. What was marked is
 * told. Costs one reading of the index when there are none. */
int hidden_show(struct slot *s, struct err *e);

#endif
