/* loop: poll(2) with timers, signals through a signalfd, and the reaping of children. */
#include "loop.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/base/clock.h"
#include "store/base/mem.h"

struct watch {
	loop_fd_fn *fn;
	void *ctx;
	bool dead; /* removed while callbacks run: swept after */
};

struct child {
	pid_t pid;
	loop_child_fn *fn;
	void *ctx;
};

struct timer {
	uint64_t id, due_ms;
	loop_timer_fn *fn;
	void *ctx;
	bool wall; /* due_ms is of the wall clock */
};

struct loop {
	struct pollfd *fds; /* fds[0] is the signalfd */
	struct watch *watches;
	size_t n_fds;
	struct child *children;
	size_t n_children;
	struct timer *timers;
	size_t n_timers;
	uint64_t last_timer;
	struct {
		loop_signal_fn *fn;
		void *ctx;
	} signals[NSIG];
	sigset_t mask, before; /* signals taken through signal_fd; what was blocked before */
	int signal_fd;
	int wall_fd;       /* timerfd, -1 until the first wall timer */
	uint64_t wall_ms;  /* it is armed for that; 0 = it is not */
	void (*after)(void *ctx);
	void *after_ctx;
	bool stop;
};

int loop_open(struct loop **out, struct err *e)
{
	struct loop *l = mem_alloc(sizeof *l);

	sigemptyset(&l->mask);
	sigaddset(&l->mask, SIGCHLD);
	sigprocmask(SIG_BLOCK, &l->mask, &l->before);
	l->signal_fd = signalfd(-1, &l->mask, SFD_CLOEXEC | SFD_NONBLOCK);
	if (l->signal_fd < 0) {
		err_sys(e, "signalfd");
		free(l);
		return -1;
	}
	l->wall_fd = -1;
	loop_fd(l, l->signal_fd, POLLIN, NULL, NULL);
	*out = l;
	return 0;
}

void loop_close(struct loop *l)
{
	if (!l)
		return;
	close(l->signal_fd);
	if (l->wall_fd >= 0)
		close(l->wall_fd);
	sigprocmask(SIG_SETMASK, &l->before, NULL);
	free(l->fds);
	free(l->watches);
	free(l->children);
	free(l->timers);
	free(l);
}

static size_t find_fd(const struct loop *l, int fd)
{
	size_t i = 0;
	while (i < l->n_fds && (l->fds[i].fd != fd || l->watches[i].dead))
		i++;
	return i;
}

void loop_fd(struct loop *l, int fd, short events, loop_fd_fn *fn, void *ctx)
{
	size_t i = find_fd(l, fd);

	if (i == l->n_fds) {
		l->fds = mem_grow(l->fds, l->n_fds + 1, sizeof *l->fds);
		l->watches = mem_grow(l->watches, l->n_fds + 1, sizeof *l->watches);
		l->n_fds++;
		l->fds[i].revents = 0;
	}
	l->fds[i].fd = fd;
	l->fds[i].events = events;
	l->watches[i] = (struct watch){fn, ctx, false};
}

void loop_fd_remove(struct loop *l, int fd)
{
	size_t i = find_fd(l, fd);
	if (i < l->n_fds)
		l->watches[i].dead = true;
}

static void sweep(struct loop *l)
{
	size_t kept = 0;
	for (size_t i = 0; i < l->n_fds; i++)
		if (!l->watches[i].dead) {
			l->fds[kept] = l->fds[i];
			l->watches[kept++] = l->watches[i];
		}
	l->n_fds = kept;
}

void loop_child(struct loop *l, pid_t pid, loop_child_fn *fn, void *ctx)
{
	l->children = mem_grow(l->children, l->n_children + 1, sizeof *l->children);
	l->children[l->n_children++] = (struct child){pid, fn, ctx};
}

size_t loop_children(const struct loop *l, pid_t *out, size_t max)
{
	size_t n = 0;
	for (; n < l->n_children && n < max; n++)
		out[n] = l->children[n].pid;
	return n;
}

uint64_t loop_timer(struct loop *l, uint64_t after_ms, loop_timer_fn *fn, void *ctx)
{
	l->timers = mem_grow(l->timers, l->n_timers + 1, sizeof *l->timers);
	l->timers[l->n_timers++] =
		(struct timer){++l->last_timer, clock_mono_ms() + after_ms, fn, ctx, false};
	return l->last_timer;
}

/* It came, or the clock was set (ECANCELED): whichever timers are due then. */
static void wall_over(void *ctx, int fd, short revents)
{
	struct loop *l = ctx;
	uint64_t n;
	(void)revents;

	if (read(fd, &n, sizeof n) == sizeof n || errno == ECANCELED)
		l->wall_ms = 0; /* armed anew before the next wait */
}

uint64_t loop_timer_at(struct loop *l, uint64_t wall_ms, loop_timer_fn *fn, void *ctx)
{
	if (l->wall_fd < 0) {
		l->wall_fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
		if (l->wall_fd >= 0)
			loop_fd(l, l->wall_fd, POLLIN, wall_over, l);
	}
	l->timers = mem_grow(l->timers, l->n_timers + 1, sizeof *l->timers);
	l->timers[l->n_timers++] = (struct timer){++l->last_timer, wall_ms, fn, ctx, true};
	return l->last_timer;
}

/* The kernel wakes us for the first wall timer; without a timerfd, poll does as if no clock were ever set. */
static void arm_wall(struct loop *l)
{
	uint64_t first = 0;

	for (size_t i = 0; i < l->n_timers; i++)
		if (l->timers[i].wall && (!first || l->timers[i].due_ms < first))
			first = l->timers[i].due_ms ? l->timers[i].due_ms : 1;
	if (l->wall_fd < 0 || first == l->wall_ms)
		return;
	struct itimerspec at = {.it_value = {(time_t)(first / 1000), (long)(first % 1000) * 1000000}};
	timerfd_settime(l->wall_fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &at, NULL);
	l->wall_ms = first;
}

void loop_timer_cancel(struct loop *l, uint64_t id)
{
	for (size_t i = 0; i < l->n_timers; i++)
		if (l->timers[i].id == id) {
			l->timers[i] = l->timers[--l->n_timers];
			return;
		}
}

void loop_signal(struct loop *l, int signo, loop_signal_fn *fn, void *ctx)
{
	l->signals[signo].fn = fn;
	l->signals[signo].ctx = ctx;
	sigaddset(&l->mask, signo);
	sigprocmask(SIG_BLOCK, &l->mask, NULL);
	signalfd(l->signal_fd, &l->mask, 0);
}

void loop_after(struct loop *l, void (*fn)(void *ctx), void *ctx)
{
	l->after = fn;
	l->after_ctx = ctx;
}

void loop_stop(struct loop *l)
{
	l->stop = true;
}

static void reap(struct loop *l)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (size_t i = 0; i < l->n_children; i++)
			if (l->children[i].pid == pid) {
				struct child c = l->children[i];
				l->children[i] = l->children[--l->n_children];
				c.fn(c.ctx, pid, status);
				break;
			}
}

static void take_signals(struct loop *l)
{
	struct signalfd_siginfo info;
	bool child = false;

	while (read(l->signal_fd, &info, sizeof info) == sizeof info) {
		int signo = (int)info.ssi_signo;
		child |= signo == SIGCHLD;
		if (l->signals[signo].fn)
			l->signals[signo].fn(l->signals[signo].ctx, signo);
	}
	if (child)
		reap(l);
}

/* Milliseconds until the next timer, -1 when none is armed. */
static int patience(const struct loop *l)
{
	uint64_t now = clock_mono_ms(), wall = clock_wall_ms(), ms = UINT64_MAX;
	for (size_t i = 0; i < l->n_timers; i++) {
		const struct timer *t = &l->timers[i];
		uint64_t from = t->wall ? wall : now, left = t->due_ms > from ? t->due_ms - from : 0;
		if (left < ms && (!t->wall || !left || l->wall_fd < 0))
			ms = left;
	}
	if (ms == UINT64_MAX)
		return -1;
	return ms > INT_MAX ? INT_MAX : (int)ms;
}

static void fire_timers(struct loop *l)
{
	if (!l->n_timers)
		return;
	uint64_t now = clock_mono_ms(), wall = clock_wall_ms(), newest = l->last_timer;
	/* A callback may arm and cancel: start over after each; those armed meanwhile wait. */
	for (size_t i = 0; i < l->n_timers;) {
		struct timer t = l->timers[i];
		if (t.due_ms > (t.wall ? wall : now) || t.id > newest) {
			i++;
			continue;
		}
		l->timers[i] = l->timers[--l->n_timers];
		t.fn(t.ctx, t.id);
		i = 0;
	}
}

int loop_run(struct loop *l, struct err *e)
{
	l->stop = false;
	for (;;) {
		if (l->after)
			l->after(l->after_ctx);
		if (l->stop)
			return 0;
		sweep(l);
		arm_wall(l);
		if (poll(l->fds, l->n_fds, patience(l)) < 0) {
			if (errno == EINTR)
				continue;
			return err_sys(e, "poll");
		}
		/* Callbacks may add descriptors: those come with the next wake-up. */
		size_t n = l->n_fds;
		for (size_t i = 0; i < n; i++) {
			short revents = l->fds[i].revents;
			l->fds[i].revents = 0;
			if (!revents || l->watches[i].dead)
				continue;
			if (l->fds[i].fd == l->signal_fd)
				take_signals(l);
			else
				l->watches[i].fn(l->watches[i].ctx, l->fds[i].fd, revents);
		}
		fire_timers(l);
	}
}
