/* quota_stop: when the session stops because of money, time, or a wait that is too long. It starts nothing new then, what
 * runs finishes, and a resume goes on. */
#include "quota.h"

#include <string.h>

#include "store/base/clock.h"
#include "store/base/mem.h"

/* `until`: what it would have to wait for; 0 = nothing. */
static void stop(struct core *c, const char *why, uint64_t until)
{
	if (c->quota->over)
		return;
	c->quota->over = true;
	mem_set(&c->s->manifest.waiting, why);
	c->s->manifest.waiting_until_ms = until;
	turn_note(&c->turn, "limit", SIZE_MAX, why);
	view_say(c->view, "%s: nothing new is started; go on with: bosk resume %s", why, c->s->sid);
	core_event(c, SCHED_STOP, SIZE_MAX);
}

static void time_over(void *ctx, uint64_t id)
{
	struct core *c = ctx;
	AUTO_STR struct str text = {0};
	(void)id;

	clock_add_duration(&text, c->s->row.max_time_ms);
	AUTO_FREE char *why = mem_printf("its time of %s is over (--max-time)", text.p);
	stop(c, why, 0);
}

/* A budget is only as good as what is said. */
static void say_unpriced(struct core *c)
{
	const struct quota *x = c->quota;
	AUTO_STR struct str who = {0};

	for (size_t i = 0; i < x->n_agents; i++) {
		bool priced = false;
		for (size_t k = 0; k < x->agents[i]->usage.n; k++)
			priced |= str_starts(x->agents[i]->usage.v[k], "cost:");
		if (!priced)
			str_addf(&who, "%s%s", who.len ? ", " : "", x->agents[i]->name);
	}
	if (c->s->row.executor)
		str_add(&who, "the command of --executor");
	if (who.len)
		view_say(c->view, "the budget of %.2f USD does not hold for %s: what that costs is not said, and unknown",
		         (double)c->s->row.budget_micro / 1e6, who.p);
}

void quota_stop_start(struct core *c)
{
	mem_set(&c->s->manifest.waiting, NULL);
	c->s->manifest.waiting_until_ms = 0;
	/* Of this call, and on a clock that stands still in suspend: a closed lid takes no time. */
	if (c->s->row.max_time_ms)
		loop_timer(c->loop, c->s->row.max_time_ms, time_over, c);
	if (c->s->row.budget_micro)
		say_unpriced(c);
	quota_stop_money(c);
}

void quota_stop_money(struct core *c)
{
	const struct manifest_row *m = &c->s->manifest;

	if (!c->s->row.budget_micro || m->cost_micro < c->s->row.budget_micro)
		return;
	AUTO_FREE char *why = mem_printf("it has spent %.2f USD of %.2f (--budget-usd)", (double)m->cost_micro / 1e6,
	                                 (double)c->s->row.budget_micro / 1e6);
	stop(c, why, 0);
}

/* What all wait for, whose wait ends first. */
struct wait {
	const struct quota_account *first; /* NULL = nobody can tell when it ends */
	const struct quota_account *auth;  /* one that waits for a human */
	const struct quota_account *tried; /* one that is tried, or about to be */
};

static void add(struct wait *w, const struct quota_account *a)
{
	if (a->asked || a->held || a->due)
		w->tried = a;
	else if (str_eq(a->row.state, "auth"))
		w->auth = a;
	else if (!w->first || a->row.until_ms < w->first->row.until_ms)
		w->first = a;
}

/* False: something runs, or may. */
static bool all_wait(const struct core *c, struct wait *w)
{
	const struct quota *x = c->quota;
	bool any = false;

	if (c->phase != PHASE_RUN || c->n_inbox || schedule_ended(c->sched) || schedule_stopping(c->sched) ||
	    schedule_count(c->sched, TASK_RUNNING) + schedule_count(c->sched, TASK_CHECKED) + schedule_count(c->sched, TASK_BACKOFF))
		return false;
	for (size_t t = 0; t < c->s->plan.n; t++) {
		enum task_state state = schedule_state(c->sched, (uint32_t)t);
		uint32_t agent = x->of_task[t];
		if (state != TASK_READY && state != TASK_LIMITED)
			continue;
		if (!schedule_shut(c->sched, agent))
			return false;
		any = true;
		for (size_t k = 0; agent != SCHED_NONE && k < x->n_agents; k++) {
			add(w, &x->v[x->account[agent]]);
			agent = x->fallback[agent];
		}
	}
	return any;
}

static void tell(struct core *c, const char *waiting, uint64_t until)
{
	struct manifest_row *m = &c->s->manifest;

	if (str_eq(m->waiting, waiting) && m->waiting_until_ms == until)
		return;
	mem_set(&m->waiting, waiting);
	m->waiting_until_ms = until;
	turn_manifest(&c->turn);
	if (waiting)
		view_say(c->view, "waiting for %s", waiting);
}

void quota_stop_idle(struct core *c)
{
	struct wait w = {0};
	AUTO_STR struct str until = {0}, most = {0};
	uint64_t now = clock_wall_ms();

	if (c->quota->over)
		return;
	if (!all_wait(c, &w)) {
		tell(c, NULL, 0);
		return;
	}
	if (w.tried) {
		const char *by = w.tried->asked && w.tried->holder ? w.tried->holder : NULL;
		AUTO_FREE char *text = mem_printf("account %s, which %s%s tries again first", w.tried->name,
		                                  by ? "session " : "one task", by ? by : "");
		tell(c, text, 0);
		return;
	}
	if (!w.first) {
		AUTO_FREE char *why = mem_printf("account %s: %s", w.auth ? w.auth->name : "?",
		                                 w.auth && w.auth->row.why ? w.auth->row.why : "not logged in");
		stop(c, why, 0);
		return;
	}
	uint64_t end = w.first->row.until_ms, wait = end > now ? end - now : 0;
	clock_add_local(&until, end);
	AUTO_FREE char *text = mem_printf("account %s, limited until %s", w.first->name, until.p);
	if (!c->cfg->limit_max_wait_ms || wait <= c->cfg->limit_max_wait_ms) {
		tell(c, text, end);
		return;
	}
	clock_add_duration(&most, c->cfg->limit_max_wait_ms);
	AUTO_FREE char *why = mem_printf("it waits for %s, which is longer than %s (limits.max_wait)", text, most.p);
	stop(c, why, end);
}
