/* next: an item of a queue is given to a process outside of bosk (`bosk next`). */
#ifndef BOSK_NEXT_H
#define BOSK_NEXT_H

#include "queue.h"

struct next_asked {
	const char *item, *queue; /* NULL = the first that is ready, of the first active queue that has one */
	const char *token;        /* of the claim that the caller goes on with; NULL = none */
	bool that_only;           /* that claim or none; else one that holds no more is like none */
	uint64_t max_age_ms;      /* orphans.max_age */
};

enum next_found {
	NEXT_ITEM,      /* claimed now, or before: then it was named by who has it, or its token was */
	NEXT_EMPTY,     /* nothing is ready: `waiting` says why */
	NEXT_COMPLETED, /* all items are */
	NEXT_FAILED,    /* all items have ended, some failed */
	NEXT_NOTHING,   /* there is no queue */
};

struct next {
	enum next_found found;
	char *queue; /* NULL = of several */
	struct queue_item item;
	bool resumed;
	struct strv waiting;  /* "S-3 waits for S-1, S-2" */
	struct strv released, young; /* claims that were taken back, or are too young for that: a line for each */
	size_t completed, total;
};
/* ERR_MISSING: no such item or queue. ERR_HELD: a session has the queue, or somebody else the item. ERR_MOVED: the item
 * has ended, or waits for others. The caller frees with next_fini, also after an error. */
int next_claim(struct next *out, struct site *site, const struct next_asked *asked, struct err *e);
void next_fini(struct next *n);

#endif
