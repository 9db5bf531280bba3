/* land: bringing the integration branch, or single tasks of it, to the target branch. keep leaves it; merge makes a
 * no-ff merge commit on the target by compare-and-swap, on which the gates have passed, and where the target is
 * checked out, a journalled fast-forward of that tree - only when it is clean; pr offers it (land_pr.h). Never force,
 * never stash (promise B2). */
#ifndef BOSK_LAND_H
#define BOSK_LAND_H

#include "session.h"

/* How it is to be landed. All borrowed. */
struct land_ask {
	const char *how;           /* keep | merge | pr */
	const struct strv *tasks;  /* ids; NULL or none = all that is integrated */
	bool fetch;                /* bring the target up to date with its upstream first */
	bool draft;                /* of a pull request */
	bool force_red;            /* whatever the gates say */
	bool instead;              /* of a merge that cannot be (land_fallback): not landed, whatever becomes of it */
};

struct land_result {
	bool done;     /* landed as asked */
	struct str text; /* what happened, or why not and what to type */
};

/* For a session this process has locked, not for one that ended in the middle of its work. Returns -1 only when the
 * system fails; "not landed" is a value. May be called again after a crash or a refusal: what is asked is kept in the
 * manifest until it has an outcome, so that a resume can go on with it. */
int land_session(struct session *s, const struct config *cfg, const struct land_ask *ask, struct land_result *out,
                 struct err *e);
/* The session is to be landed at its end, or was being landed when its process died: as was asked then. */
int land_again(struct session *s, const struct config *cfg, struct land_result *out, struct err *e);

/* The session has come to its end again: what it had ended with before a landing that was cut off does not count. */
void land_ended(struct session *s);
/* Is anything asked at the end of a session that is done with its work? */
bool land_asked(const struct session *s);
/* "merge" or "pr" while it is landing or is to be landed, else "keep". Borrowed. */
const char *land_how(const struct session *s);

#endif
