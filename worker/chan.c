/* chan: messages in frames on a pair of pipes. */
#include "chan.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "frame.h"
#include "store/base/fail.h"
#include "store/base/log.h"
#include "store/base/mem.h"

enum {
	READ_BYTES = 64 << 10,   /* what a pipe holds (pitfalls 8.10) */
	KEEP_CAPACITY = 64 << 10 /* memory kept for an empty queue */
};

struct chan {
	char *label;
	int read_fd, write_fd;
	enum msg_way receives;
	bool trace;

	struct frame_decoder decoder;
	bool bad_input; /* the frames were right, a message was not; `why` says what */
	struct err why;

	struct str queue; /* frames; the first `written` bytes of it are gone */
	size_t written;
	uint32_t sequence; /* of the last frame queued */
	bool gone;         /* nobody reads */
};

static int own(int fd, struct err *e)
{
	if (fd <= STDERR_FILENO)
		return err_set(e, ERR_BUG, "descriptor %d cannot be a channel's", fd);
	int flags = fcntl(fd, F_GETFL), fd_flags = fcntl(fd, F_GETFD);
	if (flags < 0 || fd_flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0 ||
	    fcntl(fd, F_SETFD, fd_flags | FD_CLOEXEC) != 0)
		return err_sys(e, "cannot use descriptor %d for a channel", fd);
	return 0;
}

int chan_open(struct chan **out, const char *label, int read_fd, int write_fd,
              enum msg_way receives, struct err *e)
{
	const char *trace = getenv("BOSK_TRACE");

	*out = NULL;
	if (own(read_fd, e) != 0 || own(write_fd, e) != 0)
		return err_wrap(e, "%s", label);
	struct chan *c = mem_alloc(sizeof *c);
	c->label = mem_strdup(label);
	c->read_fd = read_fd;
	c->write_fd = write_fd;
	c->receives = receives;
	c->trace = trace && str_eq(trace, "1");
	*out = c;
	return 0;
}

void chan_close(struct chan *c)
{
	if (!c)
		return;
	close(c->read_fd);
	close(c->write_fd);
	frame_decoder_fini(&c->decoder);
	str_fini(&c->queue);
	free(c->label);
	free(c);
}

int chan_read_fd(const struct chan *c)
{
	return c->read_fd;
}

int chan_write_fd(const struct chan *c)
{
	return c->write_fd;
}

static void trace(const struct chan *c, const char *arrow, uint32_t sequence, const struct msg *m)
{
	if (!c->trace)
		return;
	AUTO_STR struct str line = {0};
	msg_print(m, &line);
	log_debug("%s %s #%lu %s", c->label, arrow, (unsigned long)sequence, line.p);
}

/* ---- out ---- */

bool chan_want_write(const struct chan *c)
{
	return !c->gone && c->queue.len > c->written;
}

/* Nothing queued can be delivered any more: let it go, and say so from now on. */
static int lost(struct chan *c, struct err *e)
{
	c->gone = true;
	str_fini(&c->queue);
	c->written = 0;
	return err_set(e, ERR_GONE, "%s does not read any more", c->label);
}

int chan_flush(struct chan *c, struct err *e)
{
	if (c->gone)
		return lost(c, e);
	while (c->written < c->queue.len) {
		ssize_t n = write(c->write_fd, c->queue.p + c->written, c->queue.len - c->written);
		if (n > 0)
			c->written += (size_t)n;
		else if (n < 0 && errno == EAGAIN)
			return 0;
		else if (n < 0 && errno == EPIPE)
			return lost(c, e);
		else if (n < 0 && errno != EINTR)
			return err_sys(e, "%s: cannot write", c->label);
	}
	c->written = 0;
	str_clear(&c->queue);
	if (c->queue.cap > KEEP_CAPACITY)
		str_fini(&c->queue);
	return 0;
}

/* Drop what is written already from the front, before the queue would grow for nothing. */
static void compact(struct chan *c)
{
	if (!c->written || c->written < c->queue.len / 2)
		return;
	str_keep_tail(&c->queue, c->queue.len - c->written);
	c->written = 0;
}

int chan_send(struct chan *c, const struct msg *m, struct err *e)
{
	AUTO_STR struct str payload = {0};

	if (!msg_rec(m->kind) || msg_way(m->kind) == c->receives)
		return err_set(e, ERR_BUG, "%s: message %d (%s) does not go this way", c->label,
		               (int)m->kind, msg_name(m->kind));
	if (c->gone)
		return lost(c, e);
	msg_encode(m, &payload);
	if (payload.len > FRAME_PAYLOAD_MAX)
		return err_set(e, ERR_USAGE, "%s: a %s message of %zu bytes, the limit is %d",
		               c->label, msg_name(m->kind), payload.len, FRAME_PAYLOAD_MAX);
	/* A message that could not be read again would end the peer, and with it the work. */
	if (rec_scan(payload.p + MSG_KIND_BYTES, payload.len - MSG_KIND_BYTES, e) != 0) {
		if (e)
			e->kind = ERR_USAGE;
		return err_wrap(e, "%s: a %s message of %zu bytes", c->label, msg_name(m->kind),
		                payload.len);
	}
	if (c->queue.len - c->written + payload.len > CHAN_QUEUE_MAX)
		return lost(c, e);
	trace(c, "<-", c->sequence + 1, m);
	FAILPOINT("chan.send");
	compact(c);
	frame_append(&c->queue, ++c->sequence, payload.p, payload.len);
	int rc = chan_flush(c, e);
	FAILPOINT("chan.sent");
	return rc;
}

int chan_drain(struct chan *c, unsigned timeout_ms, struct err *e)
{
	for (;;) {
		if (chan_flush(c, e) != 0)
			return -1;
		if (!chan_want_write(c))
			return 0;
		struct pollfd p = {.fd = c->write_fd, .events = POLLOUT};
		int n = poll(&p, 1, timeout_ms > INT32_MAX ? INT32_MAX : (int)timeout_ms);
		if (n == 0)
			return lost(c, e);
		if (n < 0 && errno != EINTR)
			return err_sys(e, "%s: cannot wait", c->label);
	}
}

/* ---- in ---- */

static int deliver(struct chan *c, const void *bytes, size_t n, chan_handler *handler, void *ctx,
                   struct err *e)
{
	for (;;) {
		const void *payload;
		size_t payload_n;
		int rc = frame_decode(&c->decoder, &bytes, &n, &payload, &payload_n, e);
		if (rc <= 0)
			return rc;
		struct msg m;
		if (msg_decode(&m, c->receives, payload, payload_n, e) != 0)
			return -1;
		trace(c, "->", c->decoder.sequence, &m);
		handler(ctx, &m);
		msg_fini(&m);
		FAILPOINT("chan.received");
	}
}

/* -1 as chan_receive. */
static int end_of_file(const struct chan *c, struct err *e)
{
	size_t pending = frame_pending(&c->decoder);
	if (pending)
		return err_set(e, ERR_GONE, "%s ended %zu bytes into a message", c->label, pending);
	return err_set(e, ERR_GONE, "%s ended", c->label);
}

int chan_receive(struct chan *c, chan_handler *handler, void *ctx, struct err *e)
{
	char bytes[READ_BYTES];

	for (size_t total = 0; !c->bad_input && total < CHAN_TURN_BYTES;) {
		ssize_t n = read(c->read_fd, bytes, sizeof bytes);
		if (n == 0)
			return end_of_file(c, e);
		if (n < 0 && errno == EAGAIN)
			return 0;
		if (n < 0 && errno != EINTR)
			return err_sys(e, "%s: cannot read", c->label);
		if (n < 0)
			continue;
		total += (size_t)n;
		if (deliver(c, bytes, (size_t)n, handler, ctx, &c->why) != 0) {
			err_wrap(&c->why, "%s", c->label);
			c->bad_input = true;
		}
	}
	if (!c->bad_input)
		return 0;
	if (e)
		*e = c->why;
	return -1;
}
