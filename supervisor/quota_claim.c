/* quota_claim: who tries an account first. The claim "account:NAME" is asked for, given, and handed on; what is known of the
 * account is quota.c's. */
#include "quota.h"

#include <poll.h>
#include <unistd.h>

#include "claim.h"
#include "store/base/clock.h"
#include "store/base/log.h"
#include "store/base/mem.h"

static char *claim_kind(const struct quota_account *a)
{
	return mem_printf("account:%s", a->name);
}

static void unwatch(struct core *c, struct quota_account *a)
{
	for (size_t i = 0; i < a->n_watched; i++) {
		loop_fd_remove(c->loop, a->watched[i]);
		close(a->watched[i]);
	}
	free(a->watched);
	a->watched = NULL;
	a->n_watched = 0;
}

void quota_give(struct core *c, struct quota_account *a)
{
	AUTO_FREE char *kind = claim_kind(a);

	unwatch(c, a);
	if (a->asked || a->held)
		claim_drop(c->s->site, kind, c->s->sid);
	a->asked = a->held = a->probing = false;
	a->probe = SIZE_MAX;
	mem_set(&a->holder, NULL);
}

void quota_probe(struct core *c, struct quota_account *a)
{
	a->probing = true;
	a->probe = SIZE_MAX;
	mem_set(&a->said, NULL); /* how it ends is told */
	c->quota->resync = true;
	core_event(c, SCHED_ACCOUNT_PROBE, quota_number(c, a));
}

static void died(void *ctx, int fd, short revents)
{
	struct core *c = ctx;
	(void)fd;
	(void)revents;
	quota_look(c);
}

void quota_ask(struct core *c, struct quota_account *a)
{
	AUTO_FREE char *kind = claim_kind(a);
	struct claim_change what = {.capacity = 1, .want = a->asked ? 0 : 1};
	struct claims now;
	struct err e = {0};
	bool gone = false;

	unwatch(c, a);
	if (claim_change(&now, c->s->site, kind, c->s->sid, &what, &e) != 0) {
		log_warn("account %s: %s", a->name, e.text);
		claim_fini(&now);
		return;
	}
	const struct claim_row *own = claim_of(&now, c->s->sid);
	a->asked = own && !own->held;
	a->held = own && own->held;
	mem_set(&a->holder, NULL);
	for (size_t i = 0; i < now.n; i++)
		if (now.v[i].row.held && !a->held)
			mem_set(&a->holder, now.v[i].sid);
	if (a->asked) {
		a->n_watched = claim_watch(&a->watched, &now, c->s->sid, &gone);
		for (size_t i = 0; i < a->n_watched; i++)
			loop_fd(c->loop, a->watched[i], POLLIN, died, c);
	}
	claim_fini(&now);
	if (gone) {
		quota_ask(c, a);
		return;
	}
	if (!a->held)
		return;
	/* Whoever had it before may have found out. */
	if (!quota_seen(c, a) || !a->held)
		return;
	if (str_eq(a->row.state, "limited") && a->row.until_ms > clock_wall_ms() && !quota_too_long(&a->row)) {
		quota_give(c, a);
		quota_shut(c, a);
		return;
	}
	a->due = false;
	quota_probe(c, a);
}

bool quota_wanted(const struct core *c, const struct quota_account *a)
{
	const struct quota *x = c->quota;

	if (c->phase != PHASE_RUN || schedule_ended(c->sched) || schedule_stopping(c->sched) || schedule_halted(c->sched))
		return false;
	for (size_t t = 0; t < c->s->plan.n; t++) {
		enum task_state state = schedule_state(c->sched, (uint32_t)t);
		uint32_t agent = x->of_task[t];
		for (size_t k = 0; (state == TASK_READY || state == TASK_LIMITED) && agent != SCHED_NONE && k < x->n_agents; k++) {
			if (x->account[agent] == quota_number(c, a))
				return true;
			agent = x->fallback[agent];
		}
	}
	return false;
}

void quota_yield(struct core *c, struct quota_account *a)
{
	AUTO_FREE char *kind = claim_kind(a);
	struct claims now;
	struct err ignored = {0};
	bool wanted = false;

	if (a->yielded == c->events + 1)
		return;
	if (claim_read(&now, c->s->site, kind, &ignored) == 0)
		for (size_t i = 0; i < now.n; i++)
			wanted |= now.v[i].row.wanted > 0;
	claim_fini(&now);
	if (!wanted)
		return;
	quota_give(c, a);
	a->due = true;
	a->yielded = c->events + 1;
	core_event(c, SCHED_ACCOUNT_SHUT, quota_number(c, a));
}
