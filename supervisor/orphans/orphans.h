/* orphans: sessions whose owner is dead and whose last event is old enough, found and cleaned. Age alone makes no
 * orphan: a lock that is held, a process that lives (frozen ones do), or another host end the question first
 * (promises C2, C3, C5). */
#ifndef BOSK_ORPHANS_H
#define BOSK_ORPHANS_H

#include "supervisor/session.h"

struct orphans_rule {
	uint64_t max_age_ms;           /* for a session with nothing left to do */
	uint64_t resumable_max_age_ms; /* for one that bosk resume goes on with */
	bool kept;                     /* also worktrees that --keep-worktrees was to keep */
	bool dry_run;
	bool begun;                    /* prune: only what an earlier one began, and was cut off at */
};

struct orphans_said {
	struct strv lines;  /* what was done, or would be */
	size_t cleaned;     /* sessions of which nothing is left */
	size_t failed;      /* ... of which something could not be saved or removed; the lines say what and why */
};

/* Clean what is due. Sessions that are not yet are only counted by `bosk gc --dry-run`. */
int orphans_clean(struct site *site, const struct orphans_rule *rule, struct orphans_said *out, struct err *e);
void orphans_said_fini(struct orphans_said *s);

/* Time since the session's last event. Within one boot by a clock that nobody sets. */
uint64_t orphans_age_ms(const struct manifest_row *m);

#endif
