/* job: run one program to its end.
 *
 * One poll over the child's pidfd, our ends of its pipes and the caller's watch_fd. Every deadline
 * is absolute, and the time-out of the poll is the nearest one: a job that prints nothing and has
 * no limit near makes no system call for hours. */
#include "job.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "exec.h"
#include "proc.h"
#include "store/base/clock.h"
#include "store/base/mem.h"

enum {
	READ_BYTES = 64 * 1024,
	READS_AT_ONCE = 16, /* before limits and the watcher get their turn again */
	CAPTURE_BYTES = 1024 * 1024,
	PROGRESS_MS = 250,
	DRAIN_MS = 1000,
	UNKILLABLE_MS = 10000,
	STRAYS_MS = 5000,
	LATE_MS = 5000, /* so long after its time-out a poll returns only where nothing ran meanwhile */
};

#define NEVER UINT64_MAX

struct run {
	const struct job *job;
	pid_t pid;
	int pidfd;
	int from[2]; /* our ends of stdout and stderr; -1 = closed, or both are in the first */
	int watch_fd;
	enum job_end end; /* JOB_EXITED until we end it */

	/* Absolute times, NEVER = not armed. */
	uint64_t timeout_at, silent_at, progress_at, kill_at, give_up_at;
	uint64_t progressed; /* last call of `progress` */
	bool ending;
	bool enough; /* `heard` has said so */
};

static bool one_pipe(const struct job *job)
{
	return job->log && !job->heard;
}

static uint64_t after(uint64_t now, uint64_t ms)
{
	uint64_t at;
	return __builtin_add_overflow(now, ms, &at) ? NEVER : at;
}

static uint64_t if_set(uint64_t now, uint64_t ms)
{
	return ms ? after(now, ms) : NEVER;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* ---- starting ---- */

/* Only our end is non-blocking: the flag belongs to the open file, and the child's end is the
 * child's, who expects it as usual (pitfalls 8.9). */
static int make_pipe(int *ours, int *theirs, struct err *e)
{
	int fds[2];
	if (pipe2(fds, O_CLOEXEC) != 0)
		return err_sys(e, "cannot make a pipe");
	*ours = fds[0];
	*theirs = fds[1];
	if (fcntl(*ours, F_SETFL, O_NONBLOCK) != 0)
		return err_sys(e, "cannot set a pipe up");
	return 0;
}

static void kill_and_reap(const struct run *r)
{
	kill(-r->pid, SIGKILL);
	while (waitpid(r->pid, NULL, 0) < 0 && errno == EINTR)
		;
}

/* On failure no process is left; what was opened is released by the caller through `r`. */
static int start(struct run *r, struct err *e)
{
	const struct job *job = r->job;
	AUTO_CLOSE int in = -1, out = -1, err = -1;

	if (job->stdin_path) {
		in = open(job->stdin_path, O_RDONLY | O_CLOEXEC);
		if (in < 0)
			return err_sys(e, "cannot open %s", job->stdin_path);
	}
	if (make_pipe(&r->from[0], &out, e) != 0)
		return -1;
	if (!one_pipe(job) && make_pipe(&r->from[1], &err, e) != 0)
		return -1;
	struct exec_spec spec = {
		.argv = job->argv,
		.cwd = job->cwd,
		.env = job->env,
		.in = in,
		.out = out,
		.err = one_pipe(job) ? out : err,
		.keep = &job->keep_fd,
		.n_keep = job->keep_fd > 0,
		.death_signal = SIGKILL,
		.group = true,
	};
	if (exec_spawn(&r->pid, &spec, e) != 0)
		return -1;
	r->pidfd = pidfd_open(r->pid, 0);
	if (r->pidfd >= 0)
		return 0;
	err_sys(e, "cannot watch the process of %s", job->argv[0]);
	kill_and_reap(r);
	return -1;
}

/* ---- output ---- */

static void keep(struct run *r, int which, const char *bytes, size_t n)
{
	const struct job *job = r->job;
	if (job->heard)
		r->enough |= job->heard(job->ctx, which + 1, bytes, n);
	if (job->to_log) {
		secret_stream_put(which ? job->err_to_log : job->to_log, bytes, n);
		return;
	}
	if (job->log) {
		output_write(job->log, bytes, n);
		return;
	}
	struct str *to = which ? job->err : job->out;
	size_t max = job->capture_max ? job->capture_max : CAPTURE_BYTES;
	if (!to || to->len >= max)
		return;
	str_addn(to, bytes, n < max - to->len ? n : max - to->len);
}

/* Read what is there, at most READS_AT_ONCE times. True when there may be more. */
static bool read_some(struct run *r, int which, bool *any)
{
	char buf[READ_BYTES];

	for (int i = 0; i < READS_AT_ONCE; i++) {
		if (r->from[which] < 0)
			return false;
		ssize_t n = read(r->from[which], buf, sizeof buf);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return false;
		if (n <= 0) {
			close_fd(&r->from[which]);
			return false;
		}
		*any = true;
		keep(r, which, buf, (size_t)n);
	}
	return true;
}

static void note_output(struct run *r, uint64_t now)
{
	if (!r->ending)
		r->silent_at = if_set(now, r->job->silence_ms);
	if (r->job->progress && r->progress_at == NEVER)
		r->progress_at = r->progressed ? after(r->progressed, PROGRESS_MS) : now;
}

/* After the child is reaped: what is in the pipes, whoever still holds them (pitfalls 8.7). */
static void drain(struct run *r)
{
	uint64_t until = after(clock_mono_ms(), DRAIN_MS);
	bool more = true, any;

	while (more && clock_mono_ms() < until) {
		more = read_some(r, 0, &any);
		more = read_some(r, 1, &any) || more;
	}
}

/* ---- ending ---- */

static void send_kill(struct run *r, uint64_t now)
{
	kill(-r->pid, SIGKILL);
	r->kill_at = NEVER;
	r->give_up_at = after(now, UNKILLABLE_MS);
}

static void begin_ending(struct run *r, enum job_end why, uint64_t now)
{
	r->ending = true;
	r->end = why;
	r->timeout_at = r->silent_at = NEVER;
	r->watch_fd = -1;
	if (!r->job->grace_ms) {
		send_kill(r, now);
		return;
	}
	/* The leader is not reaped yet, so the number of the group is still ours. */
	kill(-r->pid, SIGTERM);
	r->kill_at = after(now, r->job->grace_ms);
}

/* The child is dead and not reaped: its pid, and so its group's, cannot be anybody else's yet. */
static int finish(struct run *r, struct job_result *result, struct err *e)
{
	int status = 0;

	if (r->ending || r->job->contained)
		kill(-r->pid, SIGKILL);
	while (waitpid(r->pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_sys(e, "cannot wait for %s", r->job->argv[0]);
	if (!r->ending) {
		bool signaled = WIFSIGNALED(status);
		r->end = signaled ? JOB_SIGNALED : JOB_EXITED;
		result->status = signaled ? WTERMSIG(status) : WEXITSTATUS(status);
	}
	return 0;
}

/* ---- waiting ---- */

/* Milliseconds to the nearest deadline, for poll. */
static int wait_ms(const struct run *r, uint64_t now)
{
	const uint64_t at[] = {r->timeout_at, r->silent_at, r->progress_at, r->kill_at,
	                       r->give_up_at};
	uint64_t next = NEVER;

	for (size_t i = 0; i < MEM_COUNT(at); i++)
		if (at[i] < next)
			next = at[i];
	if (next == NEVER)
		return -1;
	if (next <= now)
		return 0;
	return next - now < INT_MAX ? (int)(next - now) : INT_MAX;
}

static void ask_watcher(struct run *r, short revents, uint64_t now)
{
	assert(!(revents & POLLNVAL));
	if (r->job->watch(r->job->ctx))
		begin_ending(r, JOB_STOPPED, now);
	else if (!(revents & POLLIN))
		r->watch_fd = -1; /* a hang-up stays: it would be reported for ever */
}

/* What is due at `now`; -1 when the child survives its KILL. */
static int deadlines(struct run *r, uint64_t now, struct err *e)
{
	if (now >= r->progress_at) {
		r->progress_at = NEVER;
		r->progressed = now;
		r->job->progress(r->job->ctx);
	}
	if (now >= r->timeout_at)
		begin_ending(r, JOB_TIMEOUT, now);
	else if (now >= r->silent_at)
		begin_ending(r, JOB_SILENT, now);
	else if (now >= r->kill_at)
		send_kill(r, now);
	else if (now >= r->give_up_at)
		return err_set(e, ERR_ENV, "%s: process %d does not die", r->job->argv[0],
		               (int)r->pid);
	return 0;
}

/* A wait that returned long after its time-out: this process, or the whole machine, stood still in it (a frozen container, a
 * virtual machine that was halted), and the child perhaps as well. That wait does not count. A machine that is suspended needs
 * none of this: its monotonic clock stands still, too. */
static void stood_still(struct run *r, uint64_t before, int wait, uint64_t now)
{
	if (r->ending || wait < 0 || now - before < (uint64_t)wait + LATE_MS)
		return;
	r->timeout_at = after(r->timeout_at, now - before);
	r->silent_at = after(r->silent_at, now - before);
}

/* Until the child is dead. */
static int wait_for_end(struct run *r, struct err *e)
{
	for (;;) {
		struct pollfd p[] = {
			{.fd = r->pidfd, .events = POLLIN},
			{.fd = r->from[0], .events = POLLIN},
			{.fd = r->from[1], .events = POLLIN},
			{.fd = r->watch_fd, .events = POLLIN},
		};
		bool any = false;
		uint64_t before = clock_mono_ms();
		int wait = wait_ms(r, before);

		if (poll(p, MEM_COUNT(p), wait) < 0) {
			if (errno == EINTR)
				continue;
			err_sys(e, "cannot wait for %s", r->job->argv[0]);
			kill_and_reap(r);
			return -1;
		}
		if (p[0].revents)
			return 0;
		stood_still(r, before, wait, clock_mono_ms());
		for (int i = 0; i < 2; i++)
			if (p[1 + i].revents)
				read_some(r, i, &any);
		uint64_t now = clock_mono_ms();
		if (any)
			note_output(r, now);
		if (r->enough && !r->ending)
			begin_ending(r, JOB_STOPPED, now);
		if (p[3].revents)
			ask_watcher(r, p[3].revents, now);
		if (deadlines(r, now, e) != 0)
			return -1;
	}
}

int job_run(const struct job *job, struct job_result *result, struct err *e)
{
	uint64_t began = clock_mono_ms();
	struct run r = {
		.job = job,
		.pidfd = -1,
		.from = {-1, -1},
		.watch_fd = job->watch ? job->watch_fd : -1,
		.end = JOB_EXITED,
		.timeout_at = if_set(began, job->timeout_ms),
		.silent_at = if_set(began, job->silence_ms),
		.progress_at = NEVER,
		.kill_at = NEVER,
		.give_up_at = NEVER,
	};
	int rc = -1;

	*result = (struct job_result){.end = JOB_UNRUN};
	if (start(&r, e) == 0) {
		rc = wait_for_end(&r, e);
		if (rc == 0)
			rc = finish(&r, result, e);
		drain(&r);
		if (job->contained)
			proc_end_children(NULL, 0, STRAYS_MS);
		result->end = r.end;
	}
	close_fd(&r.pidfd);
	close_fd(&r.from[0]);
	close_fd(&r.from[1]);
	result->ms = clock_mono_ms() - began;
	return rc;
}
