/* release: claims of items whose owner died are taken back once they are old (orphans.max_age). */
#ifndef BOSK_RELEASE_H
#define BOSK_RELEASE_H

#include "queue.h"

struct release {
	const char *token; /* of the caller; NULL = none was given */
	size_t wanted;     /* an item that the caller names; SIZE_MAX = none */
	uint64_t max_age_ms, now_ms;
	bool dry;
	size_t again;      /* the wanted one, which the caller has claimed; SIZE_MAX = it has not */
	size_t released;
	struct strv *lines, *young;
};

/* Items whose owner is dead since long enough are pending again, but not the wanted one when the caller has it; a line for
 * each in `lines`, and in `young` for those of which that is not long enough. */
int release_in(struct db_txn *t, struct queue *q, struct release *l, struct err *e);

/* The same for all queues. `dry`: only said. */
int release_orphans(struct site *site, uint64_t max_age_ms, bool dry, struct strv *lines, struct err *e);

#endif
