/* turn: what one wake-up of the supervisor changes - events and the rows they made - as ONE store
 * transaction (architecture 1.4). Nothing is acted on before turn_commit has succeeded. */
#ifndef BOSK_TURN_H
#define BOSK_TURN_H

#include "session.h"

struct turn {
	struct session *s;
	struct db_batch batch;
	bool *task_dirty;     /* rows to write at the commit */
	size_t *dirty, n_dirty;
	bool manifest_dirty;
	bool visit;           /* what happens here is none of the session's doing, and does not make it younger */
	bool json;            /* print each event as a JSON line on stdout once it is recorded */
	struct str printed;
};

void turn_init(struct turn *t, struct session *s);
void turn_fini(struct turn *t);

/* Append to the journal: time and sequence are filled in; `kind` is set, other members as they apply.
 * `ev` is borrowed. */
void turn_event(struct turn *t, struct event_row *ev);
/* Short form for events about a task (SIZE_MAX = none). */
void turn_note(struct turn *t, const char *kind, size_t task, const char *reason);

void turn_task(struct turn *t, size_t task); /* its row changed */
void turn_manifest(struct turn *t);          /* the manifest row changed */
void turn_tip(struct turn *t, const char *tip); /* the integration tip is now */

/* The result record of an attempt, hashed and chained. Sets the row's result_hash. */
void turn_result(struct turn *t, size_t task, const char *outcome, const char *tree);

bool turn_empty(const struct turn *t);
/* On ERR_NOSPACE everything is kept: call again later, more may be added meanwhile. */
int turn_commit(struct turn *t, struct err *e);

#endif
