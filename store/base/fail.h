/* fail: numbered points where a test may end the process as kill -9 would.
 *
 * FAILPOINT("name") before and after each durable step. In the environment:
 *   BOSK_FAILPOINT_AT=N        ends the process at the N-th point it passes
 *   BOSK_FAILPOINT_AT=NAME:K   ... when it passes NAME for the K-th time
 *   BOSK_FAILPOINT_IN=ROLE     only in the supervisor (any command), or only in the worker
 *   BOSK_FAILPOINT_ONCE=FILE   only in the process that makes FILE: the next one lives on
 *   BOSK_FAILPOINT_STOP=1      stops it there instead, as SIGSTOP does
 *   BOSK_FAILPOINT_LOG=FILE    appends "PID ROLE NAME" for each point passed
 * Compiled to nothing unless BOSK_FAILPOINTS is defined. */
#ifndef BOSK_FAIL_H
#define BOSK_FAIL_H

#ifdef BOSK_FAILPOINTS
void fail_point(const char *name);
#define FAILPOINT(name) fail_point(name)
#else
#define FAILPOINT(name) ((void)0)
#endif

#endif
