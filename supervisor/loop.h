/* loop: waits for descriptors, timers, children and signals, and calls back. Built on poll(2); sleeps
 * without a limit while no timer is armed, so an idle supervisor makes no system call. */
#ifndef BOSK_LOOP_H
#define BOSK_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "store/base/err.h"

struct loop;

/* Blocks SIGCHLD and the signals given to loop_signal; one loop per process. */
int loop_open(struct loop **out, struct err *e);
void loop_close(struct loop *l); /* NULL allowed */

typedef void loop_fd_fn(void *ctx, int fd, short revents);
/* events: POLLIN, POLLOUT, or 0 to pause. Adding an fd again changes its events and callback. */
void loop_fd(struct loop *l, int fd, short events, loop_fd_fn *fn, void *ctx);
void loop_fd_remove(struct loop *l, int fd); /* allowed from callbacks; unknown = nothing */

typedef void loop_child_fn(void *ctx, pid_t pid, int wait_status);
/* Called once when the child was reaped. Children nobody asked about are reaped silently: they are
 * orphans of a dead worker that fell to us. */
void loop_child(struct loop *l, pid_t pid, loop_child_fn *fn, void *ctx);

/* The children asked about and not reaped yet, at most max. Returns how many were written. */
size_t loop_children(const struct loop *l, pid_t *out, size_t max);

typedef void loop_timer_fn(void *ctx, uint64_t id);
/* One-shot, after_ms from now on the monotonic clock. Returns an id > 0. */
uint64_t loop_timer(struct loop *l, uint64_t after_ms, loop_timer_fn *fn, void *ctx);
/* One-shot, when the wall clock says so: also after it was set, and at once after a suspend that lasted longer. */
uint64_t loop_timer_at(struct loop *l, uint64_t wall_ms, loop_timer_fn *fn, void *ctx);
void loop_timer_cancel(struct loop *l, uint64_t id); /* unknown or 0 = nothing */

typedef void loop_signal_fn(void *ctx, int signo);
void loop_signal(struct loop *l, int signo, loop_signal_fn *fn, void *ctx);

/* Called after the callbacks of each wake-up, and once before the first wait. */
void loop_after(struct loop *l, void (*fn)(void *ctx), void *ctx);

/* Until loop_stop. Returns 0, or -1 when the system fails. */
int loop_run(struct loop *l, struct err *e);
void loop_stop(struct loop *l);

#endif
