/* trees: random ones, and what two sides may do to one. */
#ifndef BOSK_TEST_MERGE_RANDOM_TREES_H
#define BOSK_TEST_MERGE_RANDOM_TREES_H

#include "test.h"

enum {
	TREES_FAMILIES = 16, /* of contents that are alike enough to be renames of each other */
	TREES_VARIANTS = 8,
	TREES_ODD = 4, /* stored trees that git itself does not make */
	TREES_FILES = 40,
	TREES_PATH = 160
};

struct file {
	char path[TREES_PATH];
	unsigned mode;
	unsigned content; /* blob; of a submodule its commit; of an odd tree which */
};

struct tree {
	struct file v[TREES_FILES];
	size_t n;
};

void trees_random_triple(struct test_rng *rng, struct tree *base, struct tree *ours, struct tree *theirs);

#endif
