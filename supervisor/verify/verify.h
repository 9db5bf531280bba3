/* verify: does the store agree with itself (rows, journal, chain of results) and with git (refs, merges,
 * plans, worktrees)? And what to do about it: in mend.h. */
#ifndef BOSK_VERIFY_H
#define BOSK_VERIFY_H

#include "supervisor/site.h"

struct verify_finding {
	char *sid;  /* session, or queue; NULL = the store as a whole */
	char *text; /* what disagrees */
	bool note;  /* worth knowing, but nothing that contradicts itself: a user may do that */
};

struct verify {
	struct verify_finding *v;
	size_t n;
	size_t problems; /* findings that are no notes */
	size_t sessions, queues, tasks, events, results; /* that were looked at */
	struct verify_model *model; /* what was found out on the way, for mend_all */
};

/* Changes nothing. Living sessions are looked at too, as of one moment, but for their worktrees. `mine`: those
 * whose lock the caller holds, NULL = none. The caller frees with verify_fini, also after an error. */
int verify_all(struct verify *out, struct site *site, const struct strv *mine, struct err *e);
/* May a session have changed what was looked at meanwhile? */
bool verify_moving(const struct verify *v);
void verify_fini(struct verify *v);

#endif
