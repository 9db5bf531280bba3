/* merge: the tree that results from merging a task's commit onto the integration tip. Computes, moves
 * nothing. The interface is asynchronous because the general way runs `git merge-tree` beside the
 * loop; an answer found in process may come before merge_start returns (architecture 9). */
#ifndef BOSK_MERGE_H
#define BOSK_MERGE_H

#include "child.h"
#include "mergebox.h"

enum merge_kind {
	MERGE_CLEAN,    /* tree is the result */
	MERGE_CONFLICT, /* paths cannot be merged */
	MERGE_FAILED    /* git could not merge: never called a conflict, never retried in a loop */
};

struct merge_result {
	enum merge_kind kind;
	struct oid tree;
	struct strv paths; /* of a conflict */
	const char *reason; /* of a failure */
	bool no_room; /* it failed for want of disk, descriptors, processes or memory */
};
typedef void merge_fn(void *ctx, const struct merge_result *result);

/* Merge `commit`, which was made from `base`, onto `tip`, by the attributes of `tip`. The callback comes
 * exactly once. */
void merge_start(struct loop *l, struct mergebox *box, struct site *site, const struct oid *base,
                 const struct oid *tip, const struct oid *commit, merge_fn *fn, void *ctx);

/* Are there objects in what git merged onto `tip` that a power cut had left damaged, or did it die of one (`said`)?
 * They are moved away: merge again, up to MERGE_TRIES times (each may go one level of folders deeper). */
enum { MERGE_TRIES = 100 };
bool merge_damaged(struct site *site, const struct oid *tip, const struct merge_result *r, const char *said);

/* What `git merge-tree --write-tree -z --name-only` said, for exit code `status`. */
void merge_parse(struct merge_result *out, int wait_status, const char *bytes, size_t n);

#endif
