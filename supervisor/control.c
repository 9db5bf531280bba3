/* control: what asks a running supervisor for something - signals, the terminal, other processes
 * through the store and the wake FIFO. */
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "core.h"
#include "quota.h"
#include "push.h"
#include "share.h"
#include "store/base/clock.h"
#include "store/base/log.h"
#include "store/base/mem.h"

enum { TICK_MS = 1000 };

/* The gates on base or tip may take long: their worker is told to stop, its answer goes on from there. */
static void stop_check(struct core *c, const char *who)
{
	struct msg m = {.kind = MSG_STOP};
	struct err ignored = {0};

	m.u.stop.reason = (char *)who;
	pool_send(c->pool, c->check_slot, &m, &ignored);
}

static void ask_stop(struct core *c, bool now, const char *who)
{
	if (c->phase == PHASE_CLEANUP && now && push_busy(c)) { /* nothing else takes long then */
		turn_note(&c->turn, "stop-now", SIZE_MAX, who);
		view_say(c->view, "stopping: a push is ended");
		c->stopping_now = true;
	}
	if (c->phase > PHASE_FINAL)
		return;
	turn_note(&c->turn, now ? "stop-now" : "stop", SIZE_MAX, who);
	view_say(c->view, now ? "stopping: agents are stopped, their work is saved"
	                      : "stopping: running tasks finish, no new ones start");
	if (c->phase == PHASE_RUN) {
		core_event(c, now ? SCHED_STOP_NOW : SCHED_STOP, SIZE_MAX);
		c->stopping_now |= now;
		if (now)
			integrate_cancel(c);
		return;
	}
	stop_check(c, who);
	if (c->phase == PHASE_PREFLIGHT) {
		c->forget = c->fresh; /* nothing was started yet: nothing to come back to */
		finish_cleanup(c);
	}
}

static void on_stop_signal(void *ctx, int signo)
{
	struct core *c = ctx;

	c->exit_signal = signo;
	c->signals += signo == SIGTERM ? 2 : 1;
	if (c->signals >= (signo == SIGTERM ? 4 : 3)) {
		loop_stop(c->loop); /* at once: resume still works */
		return;
	}
	if (c->held) { /* a stop cannot be recorded either: as if killed, resume goes on */
		loop_stop(c->loop);
		return;
	}
	ask_stop(c, c->signals > 1, strsignal(signo));
}

static void on_hangup(void *ctx, int signo)
{
	struct core *c = ctx;
	(void)signo;
	/* The terminal is gone, the run goes on: nothing more is shown. */
	log_divert(NULL);
	log_set(LOG_QUIET);
	view_close(c->view);
	c->view = view_open(&(struct view_options){.mode = VIEW_QUIET, .fd = 2});
}

static void on_resize(void *ctx, int signo)
{
	struct core *c = ctx;
	(void)signo;
	view_draw(c->view, clock_mono_ms(), true);
}

static void on_tick(void *ctx, uint64_t id)
{
	struct core *c = ctx;
	(void)id;
	view_draw(c->view, clock_mono_ms(), true);
	if (view_live(c->view))
		loop_timer(c->loop, TICK_MS, on_tick, c);
}

struct request_scan {
	struct core *c;
	const char *prefix;
	bool obey; /* false: only throw them away */
};

static int take_request(void *ctx, const char *key, const void *value, size_t n, struct err *e)
{
	struct request_scan *scan = ctx;
	struct request_row r;

	if (scan->obey && rec_decode(&request_row_rec, &r, value, n, e) == 0) {
		AUTO_FREE char *who = mem_printf("bosk stop (process %llu)", (unsigned long long)r.pid);
		ask_stop(scan->c, str_eq(r.kind, "stop-now"), who);
		rec_fini(&request_row_rec, &r);
	}
	db_batch_del(&scan->c->turn.batch, DB_requests, key);
	return 0;
}

static int scan_requests(struct db_txn *t, void *ctx, struct err *e)
{
	struct request_scan *scan = ctx;
	return db_scan(t, DB_requests, scan->prefix, take_request, scan, e);
}

static void read_requests(struct core *c, bool obey)
{
	AUTO_FREE char *prefix = mem_printf("%s/", c->s->sid);
	struct request_scan scan = {c, prefix, obey};
	struct err e = {0};

	if (db_read(c->s->site->db, scan_requests, &scan, &e) != 0)
		log_warn("cannot read the requests: %s", e.text);
}

static void on_wake(void *ctx, int fd, short revents)
{
	char bytes[64];
	(void)revents;

	while (read(fd, bytes, sizeof bytes) > 0)
		;
	read_requests(ctx, true);
	share_look(ctx);
	quota_look(ctx);
}

int control_open(struct core *c, struct err *e)
{
	read_requests(c, false); /* what was asked of the process before us; with the FIFO open it is for us */
	c->wake_fd = session_wake_open(c->s->site, c->s->sid, e);
	if (c->wake_fd < 0)
		return -1;
	loop_fd(c->loop, c->wake_fd, POLLIN, on_wake, c);
	loop_signal(c->loop, SIGINT, on_stop_signal, c);
	loop_signal(c->loop, SIGTERM, on_stop_signal, c);
	loop_signal(c->loop, SIGHUP, on_hangup, c);
	loop_signal(c->loop, SIGWINCH, on_resize, c);
	loop_signal(c->loop, SIGCONT, on_resize, c); /* back from the background: the screen is another */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGTTOU, SIG_IGN); /* a background job may still say how tasks ended */
	return 0;
}

void control_clock(struct core *c)
{
	if (view_live(c->view))
		loop_timer(c->loop, TICK_MS, on_tick, c);
}
