/* saved: the refs that hold work which is in no branch - what was rescued from orphans, and what stops, failures
 * and crashes left (refs/bosk/rescue/, refs/bosk/keep/). */
#ifndef BOSK_SAVED_H
#define BOSK_SAVED_H

#include "supervisor/site.h"

struct saved {
	char *ref;         /* refs/bosk/rescue/a1b2c3/one/1 */
	const char *name;  /* rescue/a1b2c3/one/1: the end of ref */
	struct oid commit;
	uint64_t time_ms;  /* of the commit */
	char *subject;     /* its first line: anybody's text */
};
struct saved_list {
	struct saved *v;
	size_t n;
};

/* Newest first; with `sid` those of that session. The caller frees with saved_fini, also after an error. */
int saved_all(struct saved_list *out, struct site *site, const char *sid, struct err *e);
void saved_fini(struct saved_list *l);

/* The one meant by a name as above, without its first part or first two (the task) too, or by the beginning of either
 * up to a slash, when it is the only one; ERR_MISSING, or ERR_USAGE listing those it could be. Borrowed. */
const struct saved *saved_find(const struct saved_list *l, const char *name, struct err *e);

#endif
