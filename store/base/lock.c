/* lock: an exclusive flock with a limit on the waiting. Knows nothing of what is locked.
 *
 * flock waits for ever or not at all, and asking again and again would be polling. So the wait is
 * the kernel's own, blocking, first come first served, and ends when a timer's signal interrupts
 * it. What keeps that from being intrusive or fragile:
 *   - nothing of it happens unless the lock is contended: the first attempt does not block;
 *   - the signal is a realtime one that bosk uses for nothing else, sent to this thread only
 *     (SIGEV_THREAD_ID), handled by a function that does nothing and unblocked just for the wait;
 *     handler and mask are put back. A signal to the process could be taken by another thread, and
 *     could still be pending when the default action (death) is back in place;
 *   - a signal that arrives between arming the timer and blocking in flock would be lost: the
 *     timer repeats, so that the next one ends the wait. The repetition costs nothing before
 *     the limit is reached;
 *   - other signals also interrupt flock: the clock, not the interruption, decides. */
#include "lock.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"

#ifndef sigev_notify_thread_id /* glibc names the member only inside the union */
#define sigev_notify_thread_id _sigev_un._tid
#endif

enum { REPEAT_MS = 10 };

static void interrupt(int number)
{
	(void)number;
}

static struct timespec span(unsigned ms)
{
	return (struct timespec){.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
}

static bool flock_until(int fd, uint64_t deadline_ms)
{
	while (flock(fd, LOCK_EX) != 0)
		if (errno != EINTR || clock_mono_ms() >= deadline_ms)
			return false;
	return true;
}

static int wait_under_timer(int fd, unsigned limit_ms)
{
	int number = SIGRTMAX - 2;
	uint64_t deadline = clock_mono_ms() + limit_ms;
	struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = number};
	event.sigev_notify_thread_id = gettid();
	struct itimerspec when = {.it_value = span(limit_ms), .it_interval = span(REPEAT_MS)};
	struct sigaction action = {.sa_handler = interrupt}, old_action; /* no SA_RESTART */
	sigset_t one, old_mask;
	timer_t timer;

	if (timer_create(CLOCK_MONOTONIC, &event, &timer) != 0)
		return -1;
	sigemptyset(&action.sa_mask);
	sigemptyset(&one);
	sigaddset(&one, number);
	sigaction(number, &action, &old_action);
	pthread_sigmask(SIG_UNBLOCK, &one, &old_mask);
	timer_settime(timer, 0, &when, NULL);

	bool got = flock_until(fd, deadline);
	int code = errno;

	/* A signal already sent is delivered on the way out of this call, before the old handler and
	 * mask are back. */
	timer_delete(timer);
	pthread_sigmask(SIG_SETMASK, &old_mask, NULL);
	sigaction(number, &old_action, NULL);
	errno = code;
	return got ? 0 : code == EINTR ? 1 : -1;
}

int lock_wait(int fd, unsigned limit_ms)
{
	int rc;

	do
		rc = flock(fd, LOCK_EX | LOCK_NB);
	while (rc != 0 && errno == EINTR);
	if (rc == 0 || errno != EWOULDBLOCK)
		return rc;
	return limit_ms ? wait_under_timer(fd, limit_ms) : 1;
}
