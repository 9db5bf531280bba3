/* chan: one end of the two pipes between a supervisor and a worker, speaking messages.
 *
 * Never waits but in chan_drain: the owner polls the descriptors. Both processes must ignore
 * SIGPIPE (signal(SIGPIPE, SIG_IGN), and the default again in what they start), or a dead peer ends
 * them.
 *
 * The two directions fail apart: after a send failed with ERR_GONE, what the peer said before it
 * died is still there to be received. With BOSK_TRACE=1 in the environment every message in and out
 * is one log_debug line. Needs seal_init before. */
#ifndef BOSK_CHAN_H
#define BOSK_CHAN_H

#include <stdbool.h>
#include <stddef.h>

#include "msg.h"
#include "store/base/err.h"

struct chan;

enum { CHAN_QUEUE_MAX = 8 << 20 }; /* bytes waiting to be written */

/* `read_fd` and `write_fd` are our own ends: they become non-blocking and close-on-exec and belong
 * to the channel (on failure to the caller still). 0, 1 and 2 are refused, as others share them
 * (pitfalls 8.9). `receives` is the way of the messages that come in; the others go out. `label`
 * names the peer in errors and traces ("worker 3") and is copied. */
int chan_open(struct chan **out, const char *label, int read_fd, int write_fd,
              enum msg_way receives, struct err *e);
/* Closes both ends; what was not written is lost (see chan_drain). NULL allowed. Not to be called
 * from a handler. */
void chan_close(struct chan *c);

int chan_read_fd(const struct chan *c);  /* poll for POLLIN, always */
int chan_write_fd(const struct chan *c); /* poll for POLLOUT while chan_want_write */

/* Queues a copy and writes what the pipe takes at once. Errors:
 * ERR_USAGE: larger than a frame or a record may be; nothing was queued, the channel is as before.
 * ERR_GONE: the peer closed its end, or has left CHAN_QUEUE_MAX bytes unread; nothing can be sent
 * any more. ERR_BUG: a message that does not go this way. */
int chan_send(struct chan *c, const struct msg *m, struct err *e);

bool chan_want_write(const struct chan *c); /* something is queued */
/* Writes what the pipe takes; errors as chan_send. */
int chan_flush(struct chan *c, struct err *e);
/* Blocks until everything is written: before exit. ERR_GONE when the peer is gone or has not read
 * on for timeout_ms. */
int chan_drain(struct chan *c, unsigned timeout_ms, struct err *e);

/* The handler may take members out of *m (and set them NULL); the rest is freed after it. */
typedef void chan_handler(void *ctx, struct msg *m);

/* Reads what is there, though at most CHAN_TURN_BYTES so that one peer cannot keep the owner busy,
 * and calls the handler for each whole message. Returns 0 (more may follow: poll again), or -1:
 * ERR_GONE at the end of file, after all that was whole before it; ERR_PROTO when the bytes are not
 * the protocol: for good, nothing more is read. May be called when nothing is there. */
enum { CHAN_TURN_BYTES = 2 << 20 };
int chan_receive(struct chan *c, chan_handler *handler, void *ctx, struct err *e);

#endif
