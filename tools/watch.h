/* watch: sleeps until what `status` shows may have changed. Reads only, no polling. */
#ifndef BOSK_WATCH_H
#define BOSK_WATCH_H

#include "supervisor/session.h"

struct watch {
	int inotify;
	bool store; /* the store's folder is watched; else the nearest one on the way to it */
	struct strv sids;
	int *owners; /* pidfds of the supervisors of sids: after a kill -9 nothing is written any more */
};

/* To be opened before what is shown is read, and closed in every case. */
int watch_open(struct watch *out, const struct site *site, struct err *e);
/* Until something was written, a supervisor ended, or nobody reads standard output any more: then
 * *over is set. */
int watch_wait(struct watch *w, const struct site *site, bool *over, struct err *e);
void watch_close(struct watch *w);

#endif
