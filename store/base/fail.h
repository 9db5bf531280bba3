/* fail: numbered points where a test may end the process as kill -9 would.
 *
 * FAILPOINT("name") before and after each durable step. BOSK_FAILPOINT_AT=N in the environment
 * ends the process at the N-th point it passes; BOSK_FAILPOINT_LOG=FILE appends the name of each
 * point passed. Compiled to nothing unless BOSK_FAILPOINTS is defined. */
#ifndef BOSK_FAIL_H
#define BOSK_FAIL_H

#ifdef BOSK_FAILPOINTS
void fail_point(const char *name);
#define FAILPOINT(name) fail_point(name)
#else
#define FAILPOINT(name) ((void)0)
#endif

#endif
