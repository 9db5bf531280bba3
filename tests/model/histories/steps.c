/* steps: the model of a plan - its sessions, and what a call may do with them, one step at a time. */
#include "order.h"

#include <string.h>

const char *const order_names[] = {"running", "stopped", "landing", "done", "failed"};

struct session *order_find(struct conf *c, uint8_t sid)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->s[i].sid == sid)
			return &c->s[i];
	return NULL;
}

static bool unfinished(const struct session *s)
{
	return s->stored == RUNNING || s->stored == LANDING || s->stored == STOPPED;
}

static bool ended(const struct session *s)
{
	return s->stored == DONE || s->stored == FAILED;
}

bool order_shown_as(const struct session *s, const char *state)
{
	if (s->stored == RUNNING || s->stored == LANDING)
		return strcmp(state, s->lock ? "running" : "interrupted") == 0;
	return strcmp(state, order_names[s->stored]) == 0;
}

/* May a run begin a session now: a first one, one that goes on with what the last left, or anew. */
static bool may_begin(struct conf *c)
{
	const struct session *last = c->n ? &c->s[c->n - 1] : NULL;
	return !last || (last->stored == DONE && last->landed) || (last->stored == FAILED && !last->lock);
}

/* The work is over: every outcome that its call allows. */
static void outcomes(struct search *x, const struct conf *c, size_t slot, uint8_t sid)
{
	const struct op *op = x->open[slot];

	for (int stored = STOPPED; stored <= FAILED; stored++) {
		if (op->outcome >= 0 && stored != op->outcome)
			continue;
		for (int landed = 0; landed < 2; landed++) {
			struct conf next = *c;
			struct session *s = order_find(&next, sid);
			/* What is integrated after a landing has not landed. */
			if (op->sure ? op->landed != (bool)landed && !(landed && s->landed) : landed && stored == LANDING)
				continue;
			s->stored = (uint8_t)stored;
			s->landed = landed;
			s->was = 0;
			order_emit(x, next, slot, 2);
		}
	}
}

static void unlock(struct conf *c, size_t slot)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->s[i].lock == slot + 1)
			c->s[i].lock = 0;
}

/* Began: all that may come next. pc 1 works, 2 is over, 3 holds only the lock. */
static void working(struct search *x, const struct conf *c, size_t slot, uint8_t sid)
{
	const struct op *op = x->open[slot];
	struct conf next = *c;
	uint8_t pc = c->pc[slot];

	if (pc == 1 && op->outcome == -2) { /* nothing was started, and nothing is left of it */
		next.n--;
		if (next.s[next.n].sid == sid) {
			next.s[next.n] = (struct session){0};
			order_emit(x, next, slot, DONE_PC);
		}
	} else if (pc == 1) {
		outcomes(x, c, slot, sid);
		if (op->kind == NEW && !op->sure && next.s[next.n - 1].sid == sid) {
			next.s[--next.n] = (struct session){0};
			order_emit(x, next, slot, DONE_PC);
		}
	} else {
		unlock(&next, slot);
		order_emit(x, next, slot, DONE_PC);
	}
}

static uint8_t held_by(const struct conf *c, size_t slot)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->s[i].lock == slot + 1)
			return c->s[i].sid;
	return ANY;
}

static void begin(struct search *x, const struct conf *c, size_t slot, uint8_t sid)
{
	struct conf next = *c;

	if (!may_begin(&next) || next.n == SESSIONS || order_find(&next, sid))
		return;
	next.s[next.n++] = (struct session){sid, RUNNING, (uint8_t)(slot + 1), 0, 0};
	order_emit(x, next, slot, 1);
}

static bool fits(const struct op *op, const struct session *s)
{
	switch (op->kind) {
	case RESUME:
		return unfinished(s);
	case OVER:
		return ended(s);
	case RETRY:
	case TOUCH:
		return true;
	case LAND:
	case LOOK:
		return s->stored != RUNNING;
	case CUT:
		return s->stored == RUNNING;
	default:
		return false;
	}
}

/* By hand: a session that is over is landing until that has an outcome (pc 4), and then as it was. */
static void landing(struct search *x, const struct conf *c, size_t slot, uint8_t sid)
{
	bool lands = x->open[slot]->kind == LAND;
	struct conf next = *c;
	struct session *s = order_find(&next, sid);

	if (c->pc[slot] == 4) {
		for (int stored = DONE; stored <= FAILED; stored++) {
			next = *c;
			if (s->was && s->was != stored)
				continue;
			s->stored = (uint8_t)stored;
			s->was = 0;
			s->landed |= lands;
			order_emit(x, next, slot, 3);
		}
		return;
	}
	if (!lands || s->stored == STOPPED) { /* or it is refused before */
		s->landed |= lands;
		order_emit(x, next, slot, 3);
	}
	next = *c;
	if (s->stored != LANDING && s->stored != STOPPED)
		s->was = s->stored;
	if (s->stored != STOPPED) {
		s->stored = LANDING;
		order_emit(x, next, slot, 4);
	}
}

/* Those that take the lock of a session that is there: 1 has it, 3 is about to release it. */
static void locking(struct search *x, const struct conf *c, size_t slot)
{
	const struct op *op = x->open[slot];
	struct conf next = *c;

	if (c->pc[slot] == 0) {
		for (size_t i = 0; i < c->n; i++) {
			if (c->s[i].lock || (op->sid != ANY && op->sid != c->s[i].sid) || !fits(op, &c->s[i]))
				continue;
			next = *c;
			next.s[i].lock = (uint8_t)(slot + 1);
			order_emit(x, next, slot, op->kind == RESUME || op->kind == RETRY || op->kind == LAND || op->kind == LOOK ? 1 : 3);
		}
		return;
	}
	uint8_t sid = held_by(c, slot);
	struct session *s = order_find(&next, sid);
	if ((op->kind == LAND || op->kind == LOOK) && (c->pc[slot] == 1 || c->pc[slot] == 4)) {
		landing(x, c, slot, sid);
	} else if (op->kind == RESUME && c->pc[slot] == 1) {
		s->stored = RUNNING;
		s->was = 0;
		order_emit(x, next, slot, 4);
	} else if (op->kind == RESUME && c->pc[slot] == 4) {
		struct conf at = *c;
		at.pc[slot] = 1;
		working(x, &at, slot, sid);
	} else if (c->pc[slot] == 1) {
		if (op->kind == RETRY && ended(s))
			s->stored = STOPPED;
		order_emit(x, next, slot, 3);
	} else {
		unlock(&next, slot);
		order_emit(x, next, slot, op->kind == TOUCH ? 0 : DONE_PC);
	}
}

/* A run holds the session that it goes on from, while it makes its own. */
static bool run_begins(const struct search *x, const struct conf *c)
{
	for (size_t i = 0; i < OPEN; i++)
		if (x->open[i] && x->open[i]->kind == NEW && c->pc[i] == 0)
			return true;
	return false;
}

/* Somebody else has it. */
static bool held(const struct search *x, const struct session *s, const struct op *by)
{
	return s && s->lock && (!x->open[s->lock - 1] || x->open[s->lock - 1]->call != by->call);
}

/* Those that only look. */
static bool true_now(struct search *x, struct conf *c, size_t slot)
{
	const struct op *op = x->open[slot];
	const struct session *last = c->n ? &c->s[c->n - 1] : NULL;
	const struct session *s = op->sid == ANY ? last : order_find(c, op->sid);

	switch (op->kind) {
	case KNOWN:
		return last && (unfinished(last) || held(x, last, op));
	case HELD:
		return s && (held(x, s, op) || run_begins(x, c));
	case STOP:
		return held(x, s, op);
	case UNOWNED:
		return s && !s->lock;
	case SEE:
		return s && order_shown_as(s, op->state) && s->landed == op->landed;
	default:
		return false;
	}
}

void order_step(struct search *x, const struct conf *c, size_t slot)
{
	const struct op *op = x->open[slot];
	struct conf next = *c;

	if (c->pc[slot] == DONE_PC)
		return;
	if (op->killed != SIZE_MAX && x->line >= op->killed) {
		unlock(&next, slot);
		order_emit(x, next, slot, DONE_PC);
		next = *c;
	}
	if (!op->sure && c->pc[slot] == 0)
		order_emit(x, next, slot, DONE_PC);
	if (op->kind == NEW && c->pc[slot] == 0) {
		for (size_t sid = 0; sid < x->n_sids; sid++)
			if (op->sid == sid || (op->sid == ANY && !x->begun[sid]))
				begin(x, c, slot, (uint8_t)sid);
	} else if (op->kind == NEW) {
		working(x, c, slot, held_by(c, slot));
	} else if (op->kind == NOTHING) {
		/* It is looked up first, and looked at then. */
		const struct session *last = c->n ? &c->s[c->n - 1] : NULL;
		if (c->pc[slot] == 0 && last && !(last->stored == DONE && last->landed))
			order_emit(x, next, slot, 1);
		else if (c->pc[slot] == 1 && last && last->stored == DONE)
			order_emit(x, next, slot, DONE_PC);
	} else if (op->kind == RESUME || op->kind == OVER || op->kind == RETRY || op->kind == LAND ||
	           op->kind == LOOK || op->kind == CUT || op->kind == TOUCH) {
		locking(x, c, slot);
	} else if (true_now(x, &next, slot)) {
		order_emit(x, next, slot, DONE_PC);
	}
}
