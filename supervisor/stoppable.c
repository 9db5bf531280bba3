/* stoppable: the signals come through a descriptor that the job watches, so that none is lost and none ends us before it. */
#include "stoppable.h"

#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "orphans/strays.h"
#include "store/base/log.h"
#include "store/base/mem.h"

static bool on_signal(void *ctx)
{
	const int *fd = ctx;
	struct signalfd_siginfo info;
	bool stop = false;

	while (read(*fd, &info, sizeof info) == (ssize_t)sizeof info) {
		if (info.ssi_signo == SIGHUP)
			log_set(LOG_QUIET);
		else
			stop = true;
	}
	return stop;
}

int stoppable_run(const struct session *s, struct job *job, struct job_result *result, struct err *e)
{
	sigset_t ours, before;

	*result = (struct job_result){.end = JOB_UNRUN};
	sigemptyset(&ours);
	sigaddset(&ours, SIGINT);
	sigaddset(&ours, SIGTERM);
	sigaddset(&ours, SIGHUP);
	AUTO_CLOSE int fd = signalfd(-1, &ours, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return err_sys(e, "signalfd");
	job->watch_fd = fd;
	job->watch = on_signal;
	job->ctx = &fd;
	sigprocmask(SIG_BLOCK, &ours, &before);
	int rc = job_run(job, result, e);
	if (result->end == JOB_STOPPED || result->end == JOB_TIMEOUT)
		strays_end(s); /* what had left its group */
	on_signal(&fd); /* one more that came meanwhile asked for the same */
	sigprocmask(SIG_SETMASK, &before, NULL);
	return rc;
}
