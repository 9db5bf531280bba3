/* stoppable: a job of a landing (worker/job.h) that is ended when this process is asked to end, or when it takes too long:
 * with all that it has started, which carries the marks of strays.h. For a process that has no loop at the time. Decides
 * nothing of what it means that a job was ended. */
#ifndef BOSK_STOPPABLE_H
#define BOSK_STOPPABLE_H

#include "session.h"
#include "worker/job.h"

/* job_run; JOB_STOPPED: SIGINT or SIGTERM came. The job has no watcher of its own. A terminal that goes away ends nothing. */
int stoppable_run(const struct session *s, struct job *job, struct job_result *result, struct err *e);

#endif
