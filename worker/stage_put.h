/* stage_put: single paths of what an agent left become something else before they are committed - in the index and in
 * the worktree, so that gates see the same. Like stage, it goes through the git command: no link is followed. */
#ifndef BOSK_STAGE_PUT_H
#define BOSK_STAGE_PUT_H

#include "slot.h"

struct stage_file {
	const char *path;
	const struct str *content;
};

/* The paths become what they are in the tree `base` (gone where it has none of that name); then `put`, which may be
 * NULL, and is one of them that is a file in `base`, gets its content. *tree is what is staged after it. */
int stage_back(struct slot *s, const struct oid *base, const struct strv *paths, const struct stage_file *put,
               struct oid *tree, struct err *e);

#endif
