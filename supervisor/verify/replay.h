/* replay: what the journal says a queue's tasks and the session have come to. Pure: events in, states out.
 * Rows are written in the transaction of their events, so the two always agree; where they do not, the
 * journal wins (architecture 4). */
#ifndef BOSK_REPLAY_H
#define BOSK_REPLAY_H

#include "store/rows.h"
#include "supervisor/task_state.h"

struct replay_task {
	enum task_state state;
	char *commit, *merge;
	uint64_t attempts;
	uint64_t seq; /* of the last event in the newest session that changed its row, 0 = none */
};

/* Of one session. */
struct replay_told {
	char *tip, *state, *landed, *final_gates;
	char *pushed, *pushed_to, *pr_of, *pr_url; /* as in the manifest */
	bool preflight;
	bool adopted; /* took in what somebody else put on its branch */
	bool rebuilt; /* begins with a snapshot: there is nothing before it */
};
void replay_told_fini(struct replay_told *t);

struct replay {
	struct replay_task *tasks;
	size_t n;
	struct replay_told told; /* of the session whose events come */
	bool lands;              /* integrated tasks may have become landed ones */
};

void replay_init(struct replay *r, size_t tasks);
void replay_fini(struct replay *r);

/* Another session goes on with the queue: what is not integrated is pending again. `tip`: where it began. Who
 * wants to keep r->told of the one before takes it out first. */
void replay_session(struct replay *r, const char *tip);
/* Its events, in order. False: it names a task that does not exist, or an unknown kind. */
bool replay_event(struct replay *r, const struct event_row *ev, uint64_t seq);

/* Waiting, ready, limited and waiting for a retry are one to the journal: they follow from the other tasks, from
 * accounts, and from time. A landed task was integrated. */
bool replay_agrees(const struct replay *r, size_t task, enum task_state state);

#endif
