/* verdict: what the end of a gate's command means: pass, fail, timeout or could-not-run. The last is of a gate that says
 * nothing of the work: it never passes and never blames the task (architecture 5.5). Runs nothing itself. */
#ifndef BOSK_VERDICT_H
#define BOSK_VERDICT_H

#include "job.h"
#include "tally.h"

struct verdict {
	const char *word; /* static */
	bool again;       /* another run may come to something else: it failed, or was killed */
	bool no_room;     /* it can be run when there is room on the disk again */
};

/* `why` gets the reason, "exit 1". `places`: folders on whose disks the gate writes, NULL-ended. */
struct verdict verdict_of(const struct job_result *r, uint64_t timeout_ms, const struct tally *t,
                          const char *const *places, struct str *why);

/* Is there next to no room on the disk of that folder, or may this user take no more of it? */
bool verdict_full(const char *folder);

#endif
