/* done: a process outside of bosk says what became of an item (`bosk done`). */
#ifndef BOSK_DONE_H
#define BOSK_DONE_H

#include "queue.h"

struct done_asked {
	const char *item, *queue; /* S-1 or QUE-x:S-1; NULL = none was named */
	const char *token;        /* of its claim; NULL = none given */
	const char *result;       /* JSON; NULL = none */
	const char *failure;      /* JSON object: the item failed; NULL = it is completed */
};

struct done {
	char *queue, *item, *issue;
	struct strv skipped;    /* items that depend on one that failed */
	struct strv early;      /* items that it depends on and that are not completed */
	const char *queue_is;   /* active | completed | failed; static text */
	const char *issue_is;   /* completed | failed; NULL = it has more items, or none is known */
	bool claimed;           /* `next` had given it out */
	size_t completed, total;
};
/* One transaction. ERR_MISSING: no such item. ERR_MOVED: it has ended already. ERR_HELD: a session has the queue, or
 * somebody else the item. The caller frees with done_fini, also after an error. */
int done_record(struct done *out, struct site *site, const struct done_asked *asked, struct err *e);
void done_fini(struct done *d);

/* `reason` as failure_details: {..., "timestamp"} of a JSON object, else of type execution_error. The caller
 * owns it. */
char *done_failure(const char *reason);
/* The text if it is JSON, else as a JSON string; *bad says why it is none, NULL = it is. Both are the caller's. */
char *done_result(const char *text, char **bad);

/* What git says of the commit that a result names: a sentence, "" when it names none. */
void done_check_commit(struct site *site, const char *item, const char *result, struct str *out);

#endif
