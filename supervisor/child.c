/* child: an asynchronous command with its output collected. */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "store/base/mem.h"
#include "worker/exec.h"

enum { OUT_MAX = 16 << 20, ERR_MAX = 4096 };

struct child {
	struct loop *loop;
	pid_t pid;
	int out_fd, err_fd;
	struct str out, err;
	bool cut, late;
	uint64_t timer;
	child_fn *fn;
	void *ctx;
	struct child *next;
};

static struct child *running; /* all of this process: there is one loop */

static void drain(struct child *c, int *fd, struct str *to, size_t max)
{
	char chunk[65536];
	ssize_t n;

	while (*fd >= 0 && (n = read(*fd, chunk, sizeof chunk)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return; /* EAGAIN: nothing more for now */
		if (to == &c->err) {
			str_addn(to, chunk, (size_t)n);
			str_keep_tail(to, max);
		} else if (to->len + (size_t)n <= max) {
			str_addn(to, chunk, (size_t)n);
		} else {
			c->cut = true;
		}
	}
	if (*fd >= 0) {
		loop_fd_remove(c->loop, *fd);
		close(*fd);
		*fd = -1;
	}
}

static void readable(void *ctx, int fd, short revents)
{
	struct child *c = ctx;
	(void)revents;
	if (fd == c->out_fd)
		drain(c, &c->out_fd, &c->out, OUT_MAX);
	else
		drain(c, &c->err_fd, &c->err, ERR_MAX);
}

static void close_end(struct child *c, int fd)
{
	if (fd >= 0) {
		loop_fd_remove(c->loop, fd);
		close(fd);
	}
}

static void forget(struct child *c)
{
	struct child **at = &running;

	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	close_end(c, c->out_fd);
	close_end(c, c->err_fd);
	loop_timer_cancel(c->loop, c->timer);
	str_fini(&c->out);
	str_fini(&c->err);
	free(c);
}

static void ended(void *ctx, pid_t pid, int wait_status)
{
	struct child *c = ctx;
	(void)pid;
	/* What is in the pipes now is all that counts (pitfalls 8.7). */
	drain(c, &c->out_fd, &c->out, OUT_MAX);
	drain(c, &c->err_fd, &c->err, ERR_MAX);
	struct child_result result = {.wait_status = wait_status,
	                              .out = str_text(&c->out),
	                              .out_n = c->out.len,
	                              .err = str_text(&c->err),
	                              .cut = c->cut,
	                              .late = c->late};
	c->fn(c->ctx, &result);
	forget(c);
}

static void too_long(void *ctx, uint64_t id)
{
	struct child *c = ctx;
	(void)id;
	c->timer = 0;
	c->late = true;
	kill(-c->pid, SIGKILL); /* and what it started; not reaped yet: the pid is still ours */
}

int child_start(struct loop *l, const struct child_spec *spec, pid_t *pid, child_fn *fn, void *ctx,
                struct err *e)
{
	int out[2], err[2];

	if (pipe2(out, O_CLOEXEC) != 0)
		return err_sys(e, "pipe");
	if (pipe2(err, O_CLOEXEC) != 0) {
		err_sys(e, "pipe");
		goto undo_out;
	}
	struct child *c = mem_alloc(sizeof *c);
	*c = (struct child){
		.loop = l, .out_fd = out[0], .err_fd = err[0], .fn = fn, .ctx = ctx, .next = running};
	struct exec_spec exec = {.argv = spec->argv,
	                         .cwd = spec->cwd,
	                         .env = spec->env,
	                         .in = spec->in ? spec->in : -1,
	                         .out = out[1],
	                         .err = err[1],
	                         .death_signal = SIGKILL,
	                         .group = true};
	if (exec_spawn(&c->pid, &exec, e) != 0) {
		free(c);
		goto undo_err;
	}
	close(out[1]);
	close(err[1]);
	fcntl(out[0], F_SETFL, O_NONBLOCK);
	fcntl(err[0], F_SETFL, O_NONBLOCK);
	loop_fd(l, out[0], POLLIN, readable, c);
	loop_fd(l, err[0], POLLIN, readable, c);
	loop_child(l, c->pid, ended, c);
	if (spec->timeout_ms)
		c->timer = loop_timer(l, spec->timeout_ms, too_long, c);
	running = c;
	*pid = c->pid;
	return 0;

undo_err:
	close(err[0]);
	close(err[1]);
undo_out:
	close(out[0]);
	close(out[1]);
	return -1;
}

void child_close_all(void)
{
	while (running) {
		kill(-running->pid, SIGKILL); /* not reaped yet */
		forget(running);
	}
}
