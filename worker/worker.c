/* worker: messages in, one task at a time, messages out. */
#include "worker.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "chan.h"
#include "proc.h"
#include "secret.h"
#include "slot.h"
#include "store/base/log.h"
#include "store/base/mem.h"
#include "store/seal.h"
#include "task.h"

enum { END_LIMIT_MS = 5000, DRAIN_MS = 10000 };

struct worker {
	struct slot slot;
	int signal_fd; /* SIGTERM: the parent died, or somebody wants us gone */
	int watch_fd;  /* readable when the channel or signal_fd is */
	bool busy;
	bool quit, quit_remove;
	struct msg next; /* task or check to do; kind 0 = none */
};

/* The supervisor broke its own protocol: nothing it says can be trusted any more. */
static void give_up(struct worker *w, const char *why)
{
	log_error("worker %llu: %s", (unsigned long long)w->slot.init.slot, why);
	w->slot.shutdown = true;
}

static void take_init(struct worker *w, struct msg *m)
{
	struct slot *s = &w->slot;
	struct err e = {0};

	s->init = m->u.init;
	secret_init(&s->init.secrets);
	memset(&m->u, 0, sizeof m->u);
	s->git.cwd = s->init.worktree;
	planted_init(&s->planted, s->init.common_dir, &s->init.git_config);
	s->git.guard = &s->planted;
	s->git_main = s->git;
	s->git_main.cwd = s->init.main_top;
	s->tmp_dir = mem_printf("%s/tmp/%s-%llu", s->init.state_dir, s->init.sid,
	                        (unsigned long long)s->init.slot);
	if (gitx_init(true, &e) != 0 || gitx_open(&s->gitx, s->init.main_top, &e) != 0)
		give_up(w, e.text);
}

static void take_gate(struct worker *w, struct msg *m)
{
	struct slot *s = &w->slot;
	s->gates = mem_grow(s->gates, s->n_gates + 1, sizeof *s->gates);
	s->gates[s->n_gates++] = m->u.gate;
	memset(&m->u, 0, sizeof m->u);
}

static void take_agent(struct worker *w, struct msg *m)
{
	struct slot *s = &w->slot;
	s->agents = mem_grow(s->agents, s->n_agents + 1, sizeof *s->agents);
	s->agents[s->n_agents++] = m->u.agent;
	memset(&m->u, 0, sizeof m->u);
}

static void handle(void *ctx, struct msg *m)
{
	struct worker *w = ctx;

	if (w->slot.shutdown)
		return;
	if (m->kind != MSG_INIT && !w->slot.init.sid) {
		give_up(w, "the first message was not init");
		return;
	}
	switch (m->kind) {
	case MSG_INIT:
		if (w->slot.init.sid)
			give_up(w, "init came twice");
		else
			take_init(w, m);
		return;
	case MSG_GATE:
		take_gate(w, m);
		return;
	case MSG_AGENT:
		take_agent(w, m);
		return;
	case MSG_GO:
		w->slot.go = m->u.go.attempt;
		return;
	case MSG_CHECK:
	case MSG_TASK:
		if (w->busy || w->next.kind) {
			give_up(w, "a task came while one is being done");
			return;
		}
		w->next = *m;
		memset(&m->u, 0, sizeof m->u);
		return;
	case MSG_STOP:
		/* One that meets a result on its way means nothing; one for a task that waits to begin
		 * must not get lost. */
		w->slot.stop = w->busy || w->next.kind;
		return;
	case MSG_QUIT:
		w->quit = true;
		w->quit_remove = m->u.quit.remove;
		w->slot.stop = w->busy || w->next.kind;
		return;
	case MSG_HELLO:
	case MSG_PROGRESS:
	case MSG_ATTEMPT:
	case MSG_GATE_RESULT:
	case MSG_RESULT:
	case MSG_CHECKED:
	case MSG_REMOVED:
	case MSG_CONVERSATION:
	case MSG_SPENT:
	case MSG_TRIED:
		break; /* the channel refuses messages of the wrong way */
	}
	give_up(w, "a message that is not for a worker");
}

/* Called when watch_fd is readable, by our loop and by every job. True = stop what runs. */
static bool watch(void *ctx)
{
	struct worker *w = ctx;
	struct signalfd_siginfo info;
	struct err e = {0};

	if (read(w->signal_fd, &info, sizeof info) == sizeof info)
		w->slot.shutdown = true;
	if (!w->slot.shutdown && chan_receive(w->slot.chan, handle, w, &e) != 0) {
		if (e.kind == ERR_PROTO)
			give_up(w, e.text);
		w->slot.shutdown = true; /* end of file: the supervisor is gone */
	}
	if (chan_want_write(w->slot.chan) && chan_flush(w->slot.chan, &e) != 0)
		w->slot.shutdown = true;
	return w->slot.shutdown || (w->slot.stop && !w->slot.saving);
}

static int open_watch(struct worker *w, int read_fd, struct err *e)
{
	sigset_t term;
	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_BLOCK, &term, NULL);
	signal(SIGPIPE, SIG_IGN);
	w->signal_fd = signalfd(-1, &term, SFD_CLOEXEC | SFD_NONBLOCK);
	w->watch_fd = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event in = {.events = EPOLLIN};
	if (w->signal_fd < 0 || w->watch_fd < 0 ||
	    epoll_ctl(w->watch_fd, EPOLL_CTL_ADD, w->signal_fd, &in) != 0 ||
	    epoll_ctl(w->watch_fd, EPOLL_CTL_ADD, read_fd, &in) != 0)
		return err_sys(e, "worker: cannot watch its descriptors");
	w->slot.git.watch_fd = w->watch_fd;
	w->slot.git.watch = watch;
	w->slot.git.ctx = w;
	return 0;
}

static int open_worker(struct worker *w, pid_t parent, int read_fd, int write_fd, struct err *e)
{
	if (proc_contain(SIGTERM, parent, e) != 0 || open_watch(w, read_fd, e) != 0)
		return -1;
	seal_init();
	if (chan_open(&w->slot.chan, "supervisor", read_fd, write_fd, MSG_WAY_TO_WORKER, e) != 0)
		return -1;
	struct msg hello = {.kind = MSG_HELLO};
	hello.u.hello = (struct msg_hello){.pid = (uint64_t)getpid(), .version = MSG_PROTOCOL};
	return chan_send(w->slot.chan, &hello, e);
}

static void remove_worktree(struct worker *w)
{
	struct err e = {0}, ignored = {0};
	struct msg m = {.kind = MSG_REMOVED};

	w->slot.stop = false;
	bool done = task_retire(&w->slot, &e) == 0;
	m.u.removed = (struct msg_removed){
		.worktree = w->slot.init.worktree, .done = done, .reason = done ? NULL : e.text, .notes = w->slot.notes};
	chan_send(w->slot.chan, &m, &ignored);
}

static void work(struct worker *w)
{
	struct msg m = w->next;

	memset(&w->next, 0, sizeof w->next);
	w->busy = true;
	if (m.kind == MSG_TASK)
		secret_take_env(&m.u.task.env);
	if (m.kind == MSG_TASK)
		task_run(&w->slot, &m.u.task);
	else
		task_check(&w->slot, &m.u.check);
	w->busy = false;
	w->slot.stop = false;
	w->slot.go = 0;
	msg_fini(&m);
}

/* Until told to quit or the supervisor is gone. Sleeps in poll without a limit. */
static void serve(struct worker *w)
{
	while (!w->slot.shutdown) {
		if (w->next.kind) {
			work(w);
			continue;
		}
		if (w->quit) {
			if (w->quit_remove)
				remove_worktree(w);
			return;
		}
		struct pollfd fds[2] = {{.fd = w->watch_fd, .events = POLLIN},
		                        {.fd = chan_write_fd(w->slot.chan), .events = POLLOUT}};
		if (poll(fds, chan_want_write(w->slot.chan) ? 2 : 1, -1) < 0 && errno != EINTR)
			return;
		watch(w);
	}
}

int worker_main(int argc, char **argv)
{
	struct worker w = {0};
	struct err e = {0};
	uint64_t parent = 0, read_fd = 0, write_fd = 0;

	if (argc != 4 || !str_u64(argv[1], &parent) || !str_u64(argv[2], &read_fd) ||
	    !str_u64(argv[3], &write_fd)) {
		fprintf(stderr, "bosk worker is started by bosk run, not by hand\n");
		return 2;
	}
	if (open_worker(&w, (pid_t)parent, (int)read_fd, (int)write_fd, &e) != 0) {
		log_error("%s", e.text);
		return 4;
	}
	serve(&w);
	if (!w.slot.shutdown)
		chan_drain(w.slot.chan, DRAIN_MS, &e);
	/* Whatever is still below us ends with us (promise C1). */
	proc_end_children(NULL, 0, END_LIMIT_MS);
	msg_fini(&w.next);
	chan_close(w.slot.chan);
	int code = w.slot.no_room ? 4 : 0;
	slot_fini(&w.slot);
	return code;
}
