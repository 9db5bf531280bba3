/* view_out: bytes to a descriptor that may be slow, frozen or closed. Must not set O_NONBLOCK on
 * the caller's descriptor: that flag belongs to the open file description, which the user's shell
 * and our children share. */
#include "view_out.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* When poll says that a pipe is writable, this many bytes (PIPE_BUF) go without blocking. */
enum { CHUNK = 4096, PAUSE_MS = 20 };

bool view_out_terminal(int fd)
{
	const char *term = getenv("TERM");
	return isatty(fd) && term && *term && strcmp(term, "dumb") != 0;
}

bool view_out_color(int fd)
{
	const char *no = getenv("NO_COLOR"); /* empty is as if it were not set */
	return view_out_terminal(fd) && !(no && *no);
}

void view_out_open(struct view_out *o, int fd)
{
	*o = (struct view_out){.fd = fd, .tty = isatty(fd)};
	if (!o->tty)
		return;
	/* A description of our own for the same terminal. It may be refused (after su, the terminal
	 * is another user's): then polling first has to do, and a frozen terminal may hold us. */
	char path[32];
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	int again = open(path, O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (again >= 0) {
		o->fd = again;
		o->own = true;
	}
}

void view_out_close(struct view_out *o)
{
	if (o->own)
		close(o->fd);
	str_fini(&o->queue);
	*o = (struct view_out){.fd = -1, .gone = true};
}

bool view_out_flush(struct view_out *o)
{
	while (!o->gone && o->sent < o->queue.len) {
		struct pollfd p = {.fd = o->fd, .events = POLLOUT};
		if (poll(&p, 1, 0) == 0)
			return false;
		size_t n = o->queue.len - o->sent;
		ssize_t done = write(o->fd, o->queue.p + o->sent, o->own || n < CHUNK ? n : CHUNK);
		if (done >= 0)
			o->sent += (size_t)done;
		else if (errno == EAGAIN)
			return false;
		else if (errno == ENOSPC || errno == EDQUOT)
			break; /* a file on a full disk: lose these lines, not the later ones */
		else if (errno != EINTR)
			o->gone = true; /* EIO, EPIPE, ENXIO: nobody is there */
	}
	str_clear(&o->queue);
	o->sent = 0;
	return true;
}

void view_out_put(struct view_out *o, const char *bytes, size_t n)
{
	if (o->gone)
		return;
	str_addn(&o->queue, bytes, n);
	view_out_flush(o);
}

void view_out_wait(struct view_out *o, int timeout_ms)
{
	/* Not by poll's own timeout: with room for one byte a terminal calls itself writable and
	 * still refuses a newline, which it sends as two. */
	for (int waited = 0; !view_out_flush(o); waited += timeout_ms < 0 ? 0 : PAUSE_MS) {
		if (timeout_ms >= 0 && waited >= timeout_ms)
			return;
		poll(NULL, 0, PAUSE_MS);
	}
}

bool view_out_front(const struct view_out *o)
{
	if (!o->tty)
		return true;
	pid_t owner = tcgetpgrp(o->fd);
	/* Not our controlling terminal, or a group of another pid namespace: nobody to yield to. */
	return owner <= 0 || owner == getpgrp();
}
