/* land: bringing the integration branch to the target branch. keep leaves it; merge makes a no-ff merge
 * commit on the target by compare-and-swap, and where the target is checked out, a journalled
 * fast-forward of that tree - only when it is clean. Never force, never stash (promise B2). */
#ifndef BOSK_LAND_H
#define BOSK_LAND_H

#include "session.h"

struct land_result {
	bool done;     /* landed as asked */
	struct str text; /* what happened, or why not and what to type */
};

/* For a session this process has locked. Returns -1 only when the system fails; "not landed" is a
 * value. May be called again after a crash or a refusal. */
int land_merge(struct session *s, struct land_result *out, struct err *e);
void land_keep(const struct session *s, struct land_result *out);

#endif
