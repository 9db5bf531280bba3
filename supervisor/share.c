/* share: claims of worktrees, between the scheduler and the store. */
#include "share.h"

#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "claim.h"
#include "escape.h"
#include "store/base/clock.h"
#include "store/base/log.h"
#include "store/base/mem.h"

enum { RETRY_MS = 5000 };

struct share {
	bool *leaving;    /* of each slot: its worker removes the worktree */
	size_t n_leaving;
	uint64_t held;    /* slots that are open or leaving */
	uint64_t granted; /* ... as the store has it */
	bool waits;       /* the store knows that we want one more */
	bool gives;       /* a slot is to be given, or leaves */
	bool others;      /* one that is given would be taken */
	uint64_t poorest; /* ... by one who holds so many */

	uint64_t want, give; /* not in the store yet */
	bool due;            /* what others left is to be given to those who wait */
	uint64_t timer;      /* the store could not be written: tried again then */

	int *watched; /* pidfds of all others, while we wait */
	size_t n_watched;
	size_t line; /* of the view that says so, SIZE_MAX = none */

	bool *used; /* without a limit: slots that count */
	uint64_t n_used;
	bool told;  /* ... and those who wait know it */

	bool *locked; /* slots whose worker waits for git.lock */
	size_t n_locked;
};

bool share_asks(const struct core *c)
{
	return c->cfg->worktrees_total && !c->s->manifest.borrowed;
}

void share_open(struct core *c)
{
	struct share *x = c->share = mem_alloc(sizeof *x);
	size_t n = c->s->manifest.worktrees.n;

	*x = (struct share){.line = SIZE_MAX,
	                    .told = true,
	                    .leaving = mem_array(n, sizeof *x->leaving),
	                    .used = mem_array(n, sizeof *x->used),
	                    .locked = mem_array(n, sizeof *x->locked)};
}

static void unwatch(struct core *c)
{
	struct share *x = c->share;

	for (size_t i = 0; i < x->n_watched; i++) {
		loop_fd_remove(c->loop, x->watched[i]);
		close(x->watched[i]);
	}
	free(x->watched);
	x->watched = NULL;
	x->n_watched = 0;
}

static void tell(struct core *c)
{
	struct claims now;
	struct err ignored = {0};

	if (claim_read(&now, c->s->site, CLAIM_WORKTREE, &ignored) == 0)
		claim_tell(c->s->site, &now, c->s->sid);
	claim_fini(&now);
}

void share_close(struct core *c)
{
	struct share *x = c->share;

	if (!x)
		return;
	unwatch(c);
	if (share_asks(c) && (x->held || x->granted || x->waits))
		claim_drop(c->s->site, CLAIM_WORKTREE, c->s->sid);
	else if (x->n_used)
		tell(c);
	free(x->leaving);
	free(x->used);
	free(x->locked);
	free(x);
	c->share = NULL;
}

/* ---- what the store says ---- */

static void died(void *ctx, int fd, short revents)
{
	struct core *c = ctx;
	(void)fd;
	(void)revents;
	unwatch(c);
	share_look(c);
}

static void watch(struct core *c, const struct claims *now)
{
	struct share *x = c->share;
	bool gone;

	unwatch(c);
	if (!x->waits)
		return;
	x->n_watched = claim_watch(&x->watched, now, c->s->sid, &gone);
	x->due |= gone;
	for (size_t i = 0; i < x->n_watched; i++)
		loop_fd(c->loop, x->watched[i], POLLIN, died, c);
}

static void show(struct core *c, const struct claims *now)
{
	struct share *x = c->share;
	AUTO_STR struct str text = {0};

	if (claim_text(now, CLAIM_WORKTREE, c->s->sid, &text, NULL)) {
		for (size_t i = 0; x->line == SIZE_MAX && i < c->s->manifest.worktrees.n; i++)
			if (c->slot_task[i] == SIZE_MAX)
				x->line = i;
		view_worktree(c->view, x->line, "waiting", "for", text.p,
		              claim_of(now, c->s->sid)->since_ms + clock_mono_ms() - clock_wall_ms());
	} else if (x->line != SIZE_MAX) {
		view_worktree(c->view, x->line, NULL, "", NULL, 0);
		x->line = SIZE_MAX;
	}
}

/* Would one that we give be taken, and how much has the poorest who would take it? */
static void look_at_others(struct core *c, const struct claims *now)
{
	struct share *x = c->share;
	uint64_t used = 0;

	for (size_t i = 0; i < now->n; i++)
		used += now->v[i].row.held;
	x->others = false;
	x->poorest = UINT64_MAX;
	for (size_t i = 0; i < now->n; i++) {
		const struct claim_row *row = &now->v[i].row;
		if (str_eq(now->v[i].sid, c->s->sid) || !row->wanted || used > row->capacity)
			continue;
		x->others = true;
		x->poorest = row->held < x->poorest ? row->held : x->poorest;
	}
}

/* A slot that leaves could be opened again too early: it is waited for. */
static void open_granted(struct core *c)
{
	struct share *x = c->share;

	for (; x->granted > x->held && !x->n_leaving; x->held++)
		core_event(c, SCHED_OPEN, SIZE_MAX);
}

static void take(struct core *c, const struct claims *now)
{
	struct share *x = c->share;
	const struct claim_row *own = claim_of(now, c->s->sid);

	x->granted = own ? own->held - x->give : 0;
	x->waits = own && own->wanted;
	look_at_others(c, now);
	show(c, now);
	open_granted(c);
	watch(c, now);
}

/* ---- what the store is told ---- */

static void again(void *ctx, uint64_t id);

/* What could not be written is tried again: the session goes on with what it has. */
static bool failed(struct core *c, const struct err *e)
{
	struct share *x = c->share;

	if (e->kind == ERR_NOSPACE || e->kind == ERR_HELD)
		x->timer = loop_timer(c->loop, RETRY_MS, again, c);
	else
		core_fatal(c, e);
	return false;
}

static bool change(struct core *c)
{
	struct share *x = c->share;
	struct claim_change what = {c->cfg->worktrees_total, x->want, x->give};
	struct claims now;
	struct err e = {0};
	bool done = claim_change(&now, c->s->site, CLAIM_WORKTREE, c->s->sid, &what, &e) == 0;

	if (done) {
		x->want = x->give = 0;
		x->due = false;
		take(c, &now);
	}
	claim_fini(&now);
	return done || failed(c, &e);
}

static void sync_claims(struct core *c)
{
	struct share *x = c->share;

	while (!x->timer && (x->want || x->give || x->due) && change(c))
		;
}

static void again(void *ctx, uint64_t id)
{
	struct core *c = ctx;
	(void)id;
	c->share->timer = 0;
	sync_claims(c);
}

void share_look(struct core *c)
{
	struct share *x = c->share;
	struct claims now;
	struct err e = {0};

	if (!x || !share_asks(c))
		return;
	if (claim_read(&now, c->s->site, CLAIM_WORKTREE, &e) != 0) {
		core_fatal(c, &e);
	} else {
		take(c, &now);
		x->due |= now.due && x->waits;
	}
	claim_fini(&now);
	sync_claims(c);
}

/* ---- the session's side ---- */

void share_claim(struct core *c)
{
	c->share->want++;
	sync_claims(c);
}

void share_give(struct core *c, size_t slot)
{
	struct share *x = c->share;
	struct err e = {0};
	bool remove = !c->s->row.keep_worktrees && !c->slot_keep[slot] && finish_worktree_left(c, slot);

	x->leaving[slot] = true;
	x->n_leaving++;
	escape_left(c, slot);
	if (!remove && !pool_running(c->pool, slot)) {
		share_gone(c, slot);
	} else if (pool_quit(c->pool, slot, remove, &e) != 0 && !pool_running(c->pool, slot)) {
		log_warn("the worktree %s stays for now: %s", c->s->manifest.worktrees.v[slot], e.text);
		share_gone(c, slot);
	}
}

void share_git_lock(struct core *c, size_t slot, const char *holder)
{
	struct share *x = c->share;

	if (x->locked[slot] == (holder != NULL))
		return;
	x->locked[slot] = holder != NULL;
	x->n_locked += holder ? 1 : SIZE_MAX; /* or one less */
	if (holder || !x->n_locked)
		claim_put(&c->turn.batch, CLAIM_GIT_LOCK, c->s->sid, 0, holder);
}

void share_gone(struct core *c, size_t slot)
{
	struct share *x = c->share;

	share_git_lock(c, slot, NULL);
	if (!x->leaving[slot])
		return;
	x->leaving[slot] = x->gives = false;
	x->n_leaving--;
	x->held--;
	x->give++;
	sync_claims(c);
}

void share_step(struct core *c)
{
	struct share *x = c->share;

	if (!x->told) {
		x->told = true;
		tell(c);
	}
	if (!x->others || x->gives || c->phase != PHASE_RUN || !x->held || schedule_ended(c->sched))
		return;
	if (schedule_idle(c->sched) || x->held > x->poorest + 1) {
		x->gives = true;
		core_event(c, SCHED_CLOSE, SIZE_MAX);
	}
}

void share_assigned(struct core *c, size_t slot)
{
	struct share *x = c->share;

	if (share_asks(c) || c->s->manifest.borrowed || x->used[slot])
		return;
	x->used[slot] = true;
	x->told = false;
	claim_put(&c->turn.batch, CLAIM_WORKTREE, c->s->sid, ++x->n_used, NULL);
}

void share_finish(struct core *c)
{
	if (!share_asks(c))
		claim_put(&c->turn.batch, CLAIM_WORKTREE, c->s->sid, 0, NULL);
	if (c->share->n_locked)
		claim_put(&c->turn.batch, CLAIM_GIT_LOCK, c->s->sid, 0, NULL);
}
