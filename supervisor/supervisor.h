/* supervisor: one session being worked on, from the gates on the base to the last worktree removed.
 * Single thread; sleeps in poll; every change is recorded before it is acted on (architecture 1.4). */
#ifndef BOSK_SUPERVISOR_H
#define BOSK_SUPERVISOR_H

#include "recover.h"
#include "session.h"

struct supervisor_options {
	bool json;  /* events as JSON lines on stdout */
	bool quiet;
	/* Not NULL: nothing is started, only looked whether it could be (ready.h); gets a mark (ok, note, FAIL) and a text. */
	void (*told)(const char *mark, const char *text);
};

/* Work on a session this process owns (session_lock) until nothing more can be done. `recovery` tells
 * what a killed predecessor left, NULL for a new session. Returns the exit code of interface.md; what
 * went wrong was said on stderr. *over: it came to its end. When not, what `s` says may not be in the store,
 * and only a resume, which reads it anew, can go on. */
int supervisor_run(bool *over, struct session *s, const struct config *cfg, const struct recovery *recovery,
                   const struct supervisor_options *options);

#endif
