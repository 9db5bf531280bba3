/* Shared by the C tests: cmocka, assertions on struct err, a printed random seed, scratch folders. */
#ifndef BOSK_TEST_H
#define BOSK_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "store/base/err.h"
#include "store/base/mem.h"
#include "store/base/str.h"

#define assert_ok(rc, e)                                                                          \
	do {                                                                                      \
		if ((rc) != 0)                                                                    \
			fail_msg("%s: %s (%s)", #rc, (e)->text, (e)->where ? (e)->where : "?");   \
	} while (0)

/* splitmix64. The seed is BOSK_TEST_SEED, else from the clock, and always printed: running with
 * the printed seed repeats the test exactly. */
struct test_rng {
	uint64_t state;
};
struct test_rng test_rng_new(void);
uint64_t test_rng_next(void *rng);
uint64_t test_rng_below(struct test_rng *rng, uint64_t limit);

/* A new empty folder below $TMPDIR (or /tmp); the caller owns the path. */
char *test_scratch(void);
void test_scratch_remove(char *path); /* removes it and frees the path */

#endif
