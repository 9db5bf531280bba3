/* land_gates: what a landing would bring the target to passes the session's gates first, in a worktree of the session and
 * by a worker, as at its end (declared in land_private.h). Nothing of it is remembered: the answer is for this landing. */
#include "land_private.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "claim.h"
#include "own.h"
#include "pool.h"
#include "store/base/fail.h"
#include "store/base/log.h"
#include "store/base/mem.h"
#include "turn.h"
#include "worker/proc.h"
#include "worker/worktree_look.h"

struct look {
	struct landing *l;
	struct loop *loop;
	struct pool *pool;
	size_t place; /* of the worktree */
	int wake_fd;
	char *verdict, *reason, *tail; /* NULL = there is no answer yet */
	unsigned lost;   /* workers that died of it */
	unsigned signals;
	bool stop;       /* it was asked to */
	bool leaving;    /* the worker was asked to end */
	struct err failed;
};

static void leave(struct look *k)
{
	struct err e = {0};

	if (k->leaving)
		return;
	k->leaving = true;
	if (pool_quit(k->pool, k->place, true, &e) == 0 || pool_running(k->pool, k->place))
		return;
	log_warn("the worktree %s stays: %s", k->l->s->manifest.worktrees.v[k->place], e.text);
	loop_stop(k->loop);
}

static void begin(struct look *k)
{
	struct landing *l = k->l;
	struct msg m = {.kind = MSG_CHECK};
	struct err e = {0};

	/* What the session adds to the target is what is looked at. */
	m.u.check = (struct msg_check){.label = (char *)"land", .commit = l->merge.hex, .since = l->onto.hex, .past_red = true};
	if (pool_send(k->pool, k->place, &m, &e) == 0 || e.kind == ERR_GONE)
		return; /* a dead worker is reported by `gone` */
	k->failed = e;
	loop_stop(k->loop);
}

static void stop(struct look *k, bool now)
{
	struct msg m = {.kind = MSG_STOP};
	struct err ignored = {0};

	if (now)
		loop_stop(k->loop);
	if (k->stop || k->verdict)
		return;
	k->stop = true;
	m.u.stop.reason = (char *)"stopped on request";
	pool_send(k->pool, k->place, &m, &ignored);
}

static void on_signal(void *ctx, int signo)
{
	struct look *k = ctx;

	(void)signo;
	stop(k, ++k->signals > 2);
}

/* The terminal is gone, the landing goes on. */
static void on_hangup(void *ctx, int signo)
{
	(void)ctx;
	(void)signo;
	log_set(LOG_QUIET);
}

static void on_wake(void *ctx, int fd, short revents)
{
	struct look *k = ctx;
	char bytes[64];

	(void)revents;
	while (read(fd, bytes, sizeof bytes) > 0)
		;
	if (land_turn_stop(k->l->s))
		stop(k, false);
}

static void message(void *ctx, size_t place, struct msg *m)
{
	struct look *k = ctx;
	struct session *s = k->l->s;

	(void)place;
	for (size_t i = 0; m->kind == MSG_REMOVED && i < m->u.removed.notes.n; i++)
		strv_addf(&s->manifest.notes, "%s: %s", m->u.removed.worktree, m->u.removed.notes.v[i]);
	if (m->kind == MSG_REMOVED && !m->u.removed.done)
		session_note_stays(s, "worktree", m->u.removed.worktree, m->u.removed.reason);
	else if (m->kind == MSG_REMOVED)
		session_note_gone(s, "worktree", m->u.removed.worktree);
	if (m->kind != MSG_CHECKED || k->verdict)
		return;
	k->verdict = mem_strdup(m->u.checked.verdict);
	k->reason = mem_strdup(m->u.checked.reason && *m->u.checked.reason ? m->u.checked.reason : m->u.checked.verdict);
	k->tail = mem_strdup(m->u.checked.tail);
	leave(k);
}

/* The first one that dies says nothing of the tree. */
static void gone(void *ctx, size_t place, bool asked, const char *why)
{
	struct look *k = ctx;

	(void)place;
	(void)asked;
	if (k->verdict || k->leaving || k->stop) {
		loop_stop(k->loop);
	} else if (k->lost++) {
		err_set(&k->failed, pool_starved(k->pool, k->place) ? ERR_STARVED : ERR_ENV, "the gates cannot be run: %s", why);
		loop_stop(k->loop);
	} else {
		begin(k);
	}
}

/* A worktree of the session's own, not a checkout of the user's; worktrees.n: it has none. */
static size_t find_place(const struct session *s)
{
	const struct manifest_row *m = &s->manifest;
	size_t i = 0;

	while (i < m->worktrees.n && (session_borrows(s, i) || own_is(s, i) || strv_has(&m->held, m->worktrees.v[i])))
		i++;
	return i;
}

/* One more, recorded before it is made. */
static int add_place(struct session *s, struct err *e)
{
	struct manifest_row *m = &s->manifest;
	struct turn t;

	strv_addf(&m->worktrees, "%s/%s-%zu", s->row.worktrees_dir, s->sid, m->worktrees.n + m->held.n + 1);
	turn_init(&t, s);
	turn_manifest(&t);
	int rc = turn_commit(&t, e);
	turn_fini(&t);
	return rc;
}

static void give_place(const struct landing *l)
{
	if (l->cfg->worktrees_total)
		claim_drop(l->s->site, CLAIM_WORKTREE, l->s->sid);
}

static bool waits(void *ctx, const char *text)
{
	if (text)
		log_info("waiting for %s", text);
	return land_turn_stop(ctx);
}

/* `what` is begun in a worker of the session's place, until that has ended. */
static int with_worker(struct look *k, void (*what)(struct look *k), struct err *e)
{
	struct landing *l = k->l;
	struct session *s = l->s;
	const struct pool_handler handler = {message, gone, k};

	k->place = find_place(s);
	if (k->place == s->manifest.worktrees.n && add_place(s, e) != 0)
		return -1;
	if (l->cfg->worktrees_total &&
	    claim_take(s->site, CLAIM_WORKTREE, s->sid, l->cfg->worktrees_total, waits, s, e) != 0) {
		k->stop = e->kind == ERR_GONE;
		return k->stop ? 0 : -1;
	}
	k->wake_fd = session_wake_open(s->site, s->sid, e);
	if (k->wake_fd < 0 || proc_contain(0, 0, e) != 0 || loop_open(&k->loop, e) != 0) {
		give_place(l);
		return -1;
	}
	loop_fd(k->loop, k->wake_fd, POLLIN, on_wake, k);
	loop_signal(k->loop, SIGINT, on_signal, k);
	loop_signal(k->loop, SIGTERM, on_signal, k);
	loop_signal(k->loop, SIGHUP, on_hangup, k);
	signal(SIGPIPE, SIG_IGN);
	k->pool = pool_new(k->loop, s, l->cfg, &handler);
	what(k);
	int rc = k->failed.kind != ERR_NONE ? 0 : loop_run(k->loop, e);
	pool_free(k->pool);
	loop_close(k->loop);
	close(k->wake_fd);
	give_place(l);
	if (rc == 0 && k->failed.kind != ERR_NONE)
		return *e = k->failed, -1;
	return rc;
}

static bool is_left(const struct session *s, size_t place)
{
	AUTO_FREE char *admin = NULL, *why = NULL;
	struct slot probe = {.init = {.sid = (char *)s->sid,
	                              .worktree = s->manifest.worktrees.v[place],
	                              .common_dir = (char *)gitx_common_dir(s->site->git)}};
	return worktree_look(&probe, &admin, &why) != WORKTREE_NONE;
}

int land_gates_clear(struct landing *l, struct err *e)
{
	struct session *s = l->s;
	struct look k = {.l = l, .wake_fd = -1};
	size_t place = find_place(s);

	/* Those of a session that is stopped, or keeps them, are not a landing's. */
	if (!str_eq(s->manifest.state, "landing") || s->row.keep_worktrees || place == s->manifest.worktrees.n ||
	    !is_left(s, place))
		return 0;
	return with_worker(&k, leave, e);
}

bool land_gates_as_begun(const struct session *s)
{
	return s->manifest.preflight_done && str_eq(s->tip, s->row.tip);
}

/* Did the same files pass already, at the session's end? */
static bool known(const struct landing *l)
{
	struct oid tip, tree;
	struct err ignored = {0};

	return (str_eq(l->s->manifest.final_gates, "pass") || land_gates_as_begun(l->s)) && oid_parse(&tip, l->s->tip) &&
	       gitx_tree_of(l->s->site->git, &tip, &tree, &ignored) == 0 && strcmp(tree.hex, l->merged.hex) == 0;
}

static int tell(struct landing *l, const struct look *k, bool *green)
{
	AUTO_FREE char *again = land_command(l);

	*green = str_eq(k->verdict, "pass");
	if (*green)
		return 0;
	if (k->stop || !k->verdict)
		return land_refuse(l, "not landed: it was asked to stop while the gates ran on the merge; to land it: %s", again);
	const char *what = l->tasks.n ? "these tasks" : l->s->manifest.integration_branch;
	if (strcmp(l->merge.hex, l->tip.hex) == 0)
		land_refuse(l, "not landed: on %s the gates are not green (%s)", what, k->reason);
	else
		land_refuse(l, "not landed: on %s and %s together the gates are not green (%s), and nothing was touched",
		            l->s->row.target, what, k->reason);
	if (k->tail && *k->tail)
		land_refuse(l, "\n%s", k->tail);
	return land_refuse(l, "\n  mend that, then: %s; --force-red lands all the same", again);
}

int land_gates(struct landing *l, bool *green, struct err *e)
{
	struct look k = {.l = l, .wake_fd = -1};

	*green = l->ask->force_red || !l->cfg->n_gates || known(l);
	if (*green)
		return 0;
	if (strcmp(l->merge.hex, l->tip.hex) == 0)
		log_info("running the gates on %s (%.12s)", l->tasks.n ? "what is offered" : l->s->manifest.integration_branch,
		         l->merge.hex);
	else
		log_info("running the gates on the merge with %s (%.12s)", l->s->row.target, l->merge.hex);
	FAILPOINT("land.gates.before");
	/* The worker reads them. */
	int rc = gitx_flush(l->s->site->git, e) != 0 ? -1 : with_worker(&k, begin, e);
	FAILPOINT("land.gates.after");
	if (rc == 0)
		rc = tell(l, &k, green);
	mem_set(&k.verdict, NULL);
	mem_set(&k.reason, NULL);
	mem_set(&k.tail, NULL);
	return rc;
}

int land_gates_tip(struct landing *l, bool *green, struct err *e)
{
	if (!oid_parse(&l->onto, l->s->row.base))
		return err_set(e, ERR_DAMAGED, "session %s records no base", l->s->sid);
	l->merge = l->tip;
	if (land_gates_clear(l, e) != 0 || gitx_tree_of(l->s->site->git, &l->tip, &l->merged, e) != 0)
		return -1;
	return land_gates(l, green, e);
}
