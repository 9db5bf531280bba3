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

/* What `git merge-tree --write-tree -z --name-only` said, for exit code `status`. */
void merge_parse(struct merge_result *out, int wait_status, const char *bytes, size_t n);

#endif
