/* For tests that start programs. */
#ifndef BOSK_TEST_SPAWN_H
#define BOSK_TEST_SPAWN_H

#include "test.h"

#include "worker/exec.h"

#define ARGV(...) (const char *const[]){__VA_ARGS__, NULL}

/* Everything that can be read until the other end is closed; the test fails after 10 s without a
 * byte. */
void test_read_all(int fd, struct str *out);
/* Run to the end with stdin empty and stdout captured; the exit status as of waitpid. */
int test_capture(struct exec_spec spec, struct str *out);
/* No child runs, and none waits to be reaped. */
void test_no_children(void);

#endif
