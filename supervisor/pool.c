/* pool: the worker processes of a session. */
#include "pool.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agents.h"
#include "config_agents.h"
#include "seat.h"
#include "store/base/fail.h"
#include "store/base/mem.h"
#include "store/owner.h"
#include "worker/chan.h"
#include "worker/exec.h"
#include "worker/proc.h"

enum { STRAYS_LIMIT_MS = 5000, CHILDREN_MAX = 1024 };

struct pool_slot { /* one worktree */
	struct pool *pool;
	pid_t pid;   /* 0 = no worker */
	struct chan *chan;
	bool starved; /* its last worker ended with exit code 4 */
	bool asked;  /* pool_quit was called */
	char *why;   /* first thing that went wrong with its channel */
	struct seat seat;
	char *was_task, *was_branch, *was_base, *was_rescue;
	uint64_t was_attempt;
};

struct pool {
	struct loop *loop;
	struct session *s;
	const struct config *cfg;
	struct pool_handler handler;
	struct pool_slot *slots;
	size_t n;
	char *log_dir;
	struct strv agents; /* that its tasks may use */
};

struct pool *pool_new(struct loop *l, struct session *s, const struct config *cfg,
                      const struct pool_handler *handler)
{
	struct pool *p = mem_alloc(sizeof *p);
	*p = (struct pool){.loop = l, .s = s, .cfg = cfg, .handler = *handler};
	p->n = s->manifest.worktrees.n;
	p->slots = mem_array(p->n, sizeof *p->slots);
	if (!s->row.executor)
		agents_used(cfg, &s->plan, s->row.agent, &p->agents);
	p->log_dir = site_path(s->site, "logs/%s", s->sid);
	for (size_t i = 0; i < p->n; i++)
		p->slots[i] = (struct pool_slot){.pool = p};
	return p;
}

static void close_chan(struct pool_slot *w)
{
	if (!w->chan)
		return;
	loop_fd_remove(w->pool->loop, chan_read_fd(w->chan));
	loop_fd_remove(w->pool->loop, chan_write_fd(w->chan));
	chan_close(w->chan);
	w->chan = NULL;
}

void pool_free(struct pool *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->n; i++) {
		struct pool_slot *w = &p->slots[i];
		if (w->pid)
			kill(w->pid, SIGKILL);
		close_chan(w);
		seat_give(&w->seat);
		free(w->why);
		free(w->was_task);
		free(w->was_branch);
		free(w->was_base);
		free(w->was_rescue);
	}
	proc_end_children(NULL, 0, STRAYS_LIMIT_MS);
	free(p->slots);
	free(p->log_dir);
	strv_fini(&p->agents);
	free(p);
}

void pool_leftover(struct pool *p, size_t slot, const struct pool_leftover *left)
{
	struct pool_slot *w = &p->slots[slot];
	mem_set(&w->was_task, left->task);
	mem_set(&w->was_branch, left->branch);
	mem_set(&w->was_base, left->base);
	mem_set(&w->was_rescue, left->rescue);
	w->was_attempt = left->attempt;
}

/* ---- the channel ---- */

static void writable(void *ctx, int fd, short revents);

/* POLLOUT only while something waits to be written. */
static void watch_write(struct pool_slot *w)
{
	if (w->chan)
		loop_fd(w->pool->loop, chan_write_fd(w->chan), chan_want_write(w->chan) ? POLLOUT : 0,
		        writable, w);
}

static void deliver(void *ctx, struct msg *m)
{
	struct pool_slot *w = ctx;
	struct pool *p = w->pool;

	if (m->kind == MSG_HELLO) {
		if (m->u.hello.version != MSG_PROTOCOL && !w->why)
			w->why = mem_strdup("it is another version of bosk");
		return;
	}
	/* It has saved what it found: the next worker of this slot need not. Not before: it may die first. */
	if (m->kind == MSG_ATTEMPT || m->kind == MSG_RESULT || m->kind == MSG_CHECKED ||
	    m->kind == MSG_REMOVED)
		mem_set(&w->was_task, NULL);
	p->handler.message(p->handler.ctx, (size_t)(w - p->slots), m);
}

/* Read what there is. What is not the protocol ends that worker only (promise E4). */
static void receive(struct pool_slot *w)
{
	struct err e = {0};
	if (!w->chan || chan_receive(w->chan, deliver, w, &e) == 0)
		return;
	loop_fd_remove(w->pool->loop, chan_read_fd(w->chan));
	if (e.kind == ERR_PROTO) {
		if (!w->why)
			w->why = mem_strdup(e.text);
		if (w->pid)
			kill(w->pid, SIGKILL);
	}
}

static void readable(void *ctx, int fd, short revents)
{
	(void)fd;
	(void)revents;
	receive(ctx);
}

static void writable(void *ctx, int fd, short revents)
{
	struct pool_slot *w = ctx;
	struct err ignored = {0};
	(void)fd;
	(void)revents;
	if (w->chan && chan_flush(w->chan, &ignored) != 0) {
		/* A dead peer: its end of file and its exit tell the rest. */
		loop_fd_remove(w->pool->loop, chan_write_fd(w->chan));
		return;
	}
	watch_write(w);
}

static void ended(void *ctx, pid_t pid, int status)
{
	struct pool_slot *w = ctx;
	struct pool *p = w->pool;
	pid_t known[CHILDREN_MAX];
	AUTO_FREE char *why = NULL;

	(void)pid;
	w->pid = 0;
	w->starved = WIFEXITED(status) && WEXITSTATUS(status) == 4;
	receive(w); /* what it said before it died */
	receive(w); /* ... at most one more turn's worth */
	if (w->why)
		why = mem_steal(&w->why);
	else if (WIFSIGNALED(status))
		why = mem_printf("the worker was killed by signal %d", WTERMSIG(status));
	else if (w->starved)
		why = mem_strdup("the worker ended: it had no memory, or no disk to save the work");
	else
		why = mem_printf("the worker ended with exit code %d", WEXITSTATUS(status));
	bool asked = w->asked;
	w->asked = false;
	close_chan(w);
	if (asked) /* another may sit there: this place is not used for now */
		seat_give(&w->seat);
	/* Its agent and whatever that started have fallen to us. */
	size_t n = loop_children(p->loop, known, CHILDREN_MAX);
	proc_end_children(known, n, STRAYS_LIMIT_MS);
	p->handler.gone(p->handler.ctx, (size_t)(w - p->slots), asked, why);
}

/* ---- starting ---- */

static int greet(struct pool_slot *w, struct err *e)
{
	struct pool *p = w->pool;
	struct session *s = p->s;
	size_t slot = (size_t)(w - p->slots);
	struct msg m = {.kind = MSG_INIT};
	const struct msg_agent *wrap = s->row.executor ? NULL : agents_def(p->cfg, s->row.agent, s->row.agent);

	m.u.init = (struct msg_init){
		.sid = s->sid,
		.slot = slot + 1,
		.slot_unique = w->seat.number,
		.slot_port = seat_port(w->seat.number),
		.worktree = s->manifest.worktrees.v[slot],
		.borrowed = session_borrows(s, slot) ? s->manifest.borrowed_head : NULL,
		.common_dir = (char *)gitx_common_dir(s->site->git),
		.main_top = (char *)gitx_main_top(s->site->git),
		.log_dir = p->log_dir,
		.state_dir = s->site->state_dir,
		.setup = p->cfg->setup,
		.setup_inputs = p->cfg->setup_inputs,
		.copy = p->cfg->copy,
		.log_limit = p->cfg->limit_log,
		.author = s->row.author,
		.git_config = s->row.git_config,
		.protect = p->cfg->protect,
		.secrets = p->cfg->secrets,
		.supervisor_pid = (uint64_t)getpid(),
		.was_task = w->was_task,
		.was_branch = w->was_branch,
		.was_base = w->was_base,
		.was_attempt = w->was_attempt,
		.was_rescue = w->was_task ? w->was_rescue : NULL,
		.wrap = wrap ? wrap->wrap : (struct strv){0},
		.session_base = s->row.tip,
		.sign = s->row.sign,
		.sign_timeout_ms = s->row.sign_timeout_ms,
		.sign_refuse = s->row.sign_refuse,
	};
	if (chan_send(w->chan, &m, e) != 0)
		return -1;
	for (size_t i = 0; i < p->cfg->n_gates; i++) {
		const struct config_gate *g = &p->cfg->gates[i];
		struct msg gate = {.kind = MSG_GATE};
		gate.u.gate = (struct msg_gate){
			.name = g->name,
			.run = g->run,
			.timeout_ms = g->timeout_ms,
			.paths = g->paths,
			.exclusive = g->exclusive,
			.lock = g->lock,
			.retries = g->retries,
			.excused = strv_has(&s->row.excused, g->name),
			.builtin = g->builtin,
		};
		if (chan_send(w->chan, &gate, e) != 0)
			return -1;
	}
	for (size_t i = 0; i < p->agents.n; i++) {
		struct msg agent = {.kind = MSG_AGENT, .u.agent = *config_agents_get(p->cfg, p->agents.v[i])}; /* not a copy */
		agent.u.agent.full |= s->row.full;
		if (chan_send(w->chan, &agent, e) != 0)
			return -1;
	}
	return 0;
}

static int start(struct pool_slot *w, struct err *e)
{
	struct pool *p = w->pool;
	int to[2] = {-1, -1}, from[2] = {-1, -1};
	AUTO_FREE char *parent = NULL, *in = NULL, *out = NULL, *label = NULL;
	AUTO_STRV struct strv env = {0};

	if (!w->seat.number && seat_take(&w->seat, e) != 0)
		return -1;
	if (pipe2(to, O_CLOEXEC) != 0 || pipe2(from, O_CLOEXEC) != 0) {
		err_sys(e, "pipe");
		goto undo;
	}
	parent = mem_printf("%d", (int)getpid());
	in = mem_printf("%d", to[0]);
	out = mem_printf("%d", from[1]);
	const char *argv[] = {"bosk", "worker", parent, in, out, NULL};
	/* The marks of what it runs, its own too: should it outlive us, in the middle of something, whoever takes the
	 * session up ends it first (strays.h). */
	exec_env(&env);
	proc_put_mark(&env, p->s->sid, p->s->manifest.worktrees.v[w - p->slots]);
	int keep[] = {to[0], from[1]};
	struct exec_spec spec = {.argv = argv,
	                         .exe = "/proc/self/exe",
	                         .env = env.v,
	                         .in = -1,
	                         .out = -1,
	                         .err = 2,
	                         .keep = keep,
	                         .n_keep = 2,
	                         .death_signal = SIGTERM,
	                         .group = true};
	FAILPOINT("pool.spawn.before");
	if (exec_spawn(&w->pid, &spec, e) != 0) {
		err_wrap(e, "cannot start a worker");
		goto undo;
	}
	FAILPOINT("pool.spawn.after");
	loop_child(p->loop, w->pid, ended, w);
	close(to[0]);
	close(from[1]);
	label = mem_printf("worker %zu", (size_t)(w - p->slots) + 1);
	if (chan_open(&w->chan, label, from[0], to[1], MSG_WAY_TO_SUPERVISOR, e) != 0) {
		close(to[1]);
		close(from[0]);
		return -1; /* without a channel it ends by itself; `gone` follows */
	}
	loop_fd(p->loop, from[0], POLLIN, readable, w);
	int rc = greet(w, e);
	watch_write(w);
	return rc;
undo:
	for (int i = 0; i < 2; i++) {
		if (to[i] >= 0)
			close(to[i]);
		if (from[i] >= 0)
			close(from[i]);
	}
	return -1;
}

bool pool_starved(const struct pool *p, size_t slot)
{
	return p->slots[slot].starved;
}

bool pool_running(const struct pool *p, size_t slot)
{
	return p->slots[slot].pid != 0;
}

int pool_send(struct pool *p, size_t slot, const struct msg *m, struct err *e)
{
	struct pool_slot *w = &p->slots[slot];

	if (!w->pid && start(w, e) != 0)
		return -1;
	if (!w->chan)
		return err_set(e, ERR_GONE, "worker %zu is gone", slot + 1);
	/* One that was stopped, by its own agent perhaps, would never hear it. No other one gets this signal: it would take away
	 * the stop that a leak checker waits for in a process that ends. */
	if (w->pid && (m->kind == MSG_STOP || m->kind == MSG_QUIT) && owner_state(w->pid) == 'T')
		kill(w->pid, SIGCONT);
	int rc = chan_send(w->chan, m, e);
	watch_write(w);
	return rc;
}

int pool_quit(struct pool *p, size_t slot, bool remove, struct err *e)
{
	struct msg m = {.kind = MSG_QUIT};
	struct pool_slot *w = &p->slots[slot];

	m.u.quit.remove = remove;
	w->asked = true;
	if (!w->pid && !remove)
		return 0;
	return pool_send(p, slot, &m, e);
}
