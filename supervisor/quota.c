/* quota: accounts between the scheduler, the store and the agents' outcomes. */
#include "quota.h"

#include <string.h>

#include "account.h"
#include "agents.h"
#include "config_agents.h"
#include "floor.h"
#include "own.h"
#include "store/base/clock.h"
#include "store/base/log.h"
#include "store/base/mem.h"
#include "worker/adapter.h"

/* ---- who needs which account ---- */

static uint32_t account_of(struct quota *x, const char *name)
{
	uint32_t i = 0;

	while (i < x->n && !str_eq(x->v[i].name, name))
		i++;
	if (i == x->n) {
		x->v = mem_grow(x->v, x->n + 1, sizeof *x->v);
		x->v[x->n++] = (struct quota_account){.name = name, .probe = SIZE_MAX};
	}
	return i;
}

void quota_open(struct core *c)
{
	struct quota *x = c->quota = mem_alloc(sizeof *x);
	const struct session *s = c->s;
	AUTO_STRV struct strv names = {0};

	*x = (struct quota){.of_task = mem_array(s->plan.n, sizeof *x->of_task),
	                     .transients = mem_array(s->plan.n, sizeof *x->transients),
	                     .again_ms = mem_array(s->plan.n, sizeof *x->again_ms),
	                     .begun = mem_array(s->plan.n, sizeof *x->begun),
	                     .parked = mem_array(s->plan.n, sizeof *x->parked)};
	if (!s->row.executor)
		agents_used(c->cfg, &s->plan, s->row.agent, &names);
	x->n_agents = names.n;
	x->agents = mem_array(names.n, sizeof *x->agents);
	x->account = mem_array(names.n, sizeof *x->account);
	x->fallback = mem_array(names.n, sizeof *x->fallback);
	x->stays = mem_array(names.n, sizeof *x->stays);
	x->weight = mem_array(names.n, sizeof *x->weight);
	for (uint32_t i = 0; i < names.n; i++) {
		const struct msg_agent *def = x->agents[i] = config_agents_get(c->cfg, names.v[i]);
		x->account[i] = account_of(x, adapter_account(def));
		x->fallback[i] = SCHED_NONE;
		x->weight[i] = def->weight_mb;
		x->stays[i] = !str_eq(def->session, "none") && !def->moves;
		for (uint32_t k = 0; def->fallback && k < names.n; k++)
			if (str_eq(names.v[k], def->fallback))
				x->fallback[i] = k;
	}
	for (size_t t = 0; t < s->plan.n; t++) {
		const struct msg_agent *def =
			names.n ? agents_def(c->cfg, agents_of(&s->plan.tasks[t], s->row.agent), s->row.agent) : NULL;
		x->of_task[t] = SCHED_NONE;
		for (uint32_t k = 0; def && k < names.n; k++)
			if (str_eq(names.v[k], def->name))
				x->of_task[t] = k;
	}
}

void quota_plan(const struct core *c, struct sched_plan *plan)
{
	const struct quota *x = c->quota;

	plan->agents = x->n_agents;
	plan->accounts = x->n;
	plan->agent = x->of_task;
	plan->account = x->account;
	plan->fallback = x->fallback;
	plan->stays = x->stays;
	plan->weight = x->weight;
	plan->room = floor_room(c->cfg) >> 20; /* as weight_mb: what is free now is for all of the session */
}

const struct msg_agent *quota_agent(const struct core *c, uint32_t agent)
{
	return agent == SCHED_NONE ? NULL : c->quota->agents[agent];
}

/* ---- what is known of an account ---- */

static void is_due(void *ctx, uint64_t id)
{
	struct core *c = ctx;

	for (size_t i = 0; i < c->quota->n; i++)
		if (c->quota->v[i].timer == id) {
			c->quota->v[i].timer = 0;
			c->quota->v[i].due = true;
		}
}

bool quota_too_long(const struct account_row *row)
{
	return str_eq(row->state, "limited") && row->until_ms > clock_wall_ms() + UINT64_C(9) * 24 * 3600 * 1000;
}

void quota_wait(struct core *c, struct quota_account *a)
{
	loop_timer_cancel(c->loop, a->timer);
	a->timer = 0;
	a->due = quota_too_long(&a->row);
	if (str_eq(a->row.state, "limited"))
		a->timer = loop_timer_at(c->loop, a->row.until_ms, is_due, c);
}

void quota_say_shut(const struct core *c, struct quota_account *a)
{
	AUTO_STR struct str until = {0}, left = {0};
	bool auth = str_eq(a->row.state, "auth");

	clock_add_local(&until, a->row.until_ms);
	AUTO_FREE char *text = auth ? mem_printf("account %s: %s; nothing more is started with it until that is mended", a->name,
	                                         a->row.why ? a->row.why : "not logged in")
	                            : mem_printf("account %s is limited until %s", a->name, until.p);
	if (str_eq(text, a->said)) /* by all that ran with it, or who had it, at once */
		return;
	mem_set(&a->said, text);
	if (!auth && clock_add_left(&left, a->row.until_ms))
		view_say(c->view, "%s (%s); then one task tries first", text, left.p);
	else
		view_say(c->view, "%s%s", text, auth ? "" : "; now one task tries first");
}

void quota_shut(struct core *c, struct quota_account *a)
{
	if (!a->shut)
		core_event(c, SCHED_ACCOUNT_SHUT, quota_number(c, a));
	a->shut = true;
	quota_say_shut(c, a);
	quota_wait(c, a);
}

void quota_opened(struct core *c, struct quota_account *a)
{
	struct err e = {0};

	if (a->row.state && account_clear(c->s->site, a->name, c->s->sid, &e) != 0)
		log_warn("account %s: %s", a->name, e.text); /* others try for themselves after its time */
	rec_fini(&account_row_rec, &a->row);
	quota_wait(c, a);
	quota_give(c, a);
	if (!a->shut)
		return;
	a->shut = false;
	mem_set(&a->said, NULL);
	c->quota->resync = true;
	core_event(c, SCHED_ACCOUNT_OPEN, quota_number(c, a));
	view_say(c->view, "account %s works again", a->name);
}

bool quota_seen(struct core *c, struct quota_account *a)
{
	struct account_row row;
	struct err e = {0};

	if (a->changed)
		return true; /* what is known here is newer, and not on disk yet */
	if (account_read(&row, c->s->site, a->name, &e) != 0) {
		log_warn("account %s: %s", a->name, e.text);
		return false;
	}
	bool same = str_eq(row.state, a->row.state) && row.until_ms == a->row.until_ms;
	rec_fini(&account_row_rec, &a->row);
	a->row = row;
	if (!row.state && a->shut && !a->probing)
		quota_opened(c, a);
	else if (row.state && !a->held && (!same || !a->shut))
		quota_shut(c, a);
	return true;
}

/* The task's conversation, if there is one, is in slot k. */
static void be_home(struct core *c, size_t task, uint32_t k)
{
	const struct task_row *row = &c->s->tasks[task];

	for (uint32_t i = 0; row->conversation && i < c->quota->n_agents; i++)
		if (str_eq(c->quota->agents[i]->name, row->worker_agent))
			schedule_home(c->sched, (uint32_t)task, i, k);
}

void quota_begin(struct core *c)
{
	struct quota *x = c->quota;
	const struct session *s = c->s;

	for (size_t i = 0; i < x->n; i++) {
		struct quota_account *a = &x->v[i];
		quota_seen(c, a);
		/* Whoever starts a session after such an error has mended it, or wants to see it again: one task tries. */
		a->due |= str_eq(a->row.state, "auth");
	}
	for (size_t t = 0; t < s->plan.n; t++)
		for (uint32_t k = 0; x->of_task[t] != SCHED_NONE && str_eq(s->tasks[t].session, s->sid) && k < own_slots(s); k++)
			if (own_slot_place(s, k) + 1 == s->tasks[t].worktree)
				be_home(c, t, k);
	quota_stop_start(c);
}

void quota_close(struct core *c)
{
	struct quota *x = c->quota;

	for (size_t i = 0; x && i < x->n; i++) {
		quota_give(c, &x->v[i]);
		rec_fini(&account_row_rec, &x->v[i].row);
		free(x->v[i].holder);
		free(x->v[i].said);
	}
	if (!x)
		return;
	free(x->agents);
	free(x->account);
	free(x->fallback);
	free(x->stays);
	free(x->weight);
	free(x->of_task);
	free(x->transients);
	free(x->again_ms);
	free(x->begun);
	free(x->parked);
	free(x->v);
	free(x);
	c->quota = NULL;
}

void quota_look(struct core *c)
{
	for (size_t i = 0; c->quota && i < c->quota->n; i++) {
		struct quota_account *a = &c->quota->v[i];
		quota_seen(c, a);
		if (a->held && schedule_probing(c->sched, (uint32_t)i))
			quota_yield(c, a);
		if (a->asked && a->shut)
			quota_ask(c, a);
	}
}

/* ---- after each commit ---- */

/* Those that were limited are pending again once an account opens; the journal knows no difference. */
static void sync_rows(struct core *c)
{
	for (size_t t = 0; t < c->s->plan.n; t++)
		if (str_eq(c->s->tasks[t].state, "limited") && schedule_state(c->sched, (uint32_t)t) != TASK_LIMITED)
			core_sync(c, t);
}

void quota_step(struct core *c)
{
	struct quota *x = c->quota;

	if (x->resync && !c->n_inbox) {
		x->resync = false;
		sync_rows(c);
	}
	for (size_t i = 0; i < x->n; i++) {
		struct quota_account *a = &x->v[i];
		bool used = a->probing && a->probe != SIZE_MAX;
		if (a->changed) {
			a->changed = false;
			quota_give(c, a);
			account_tell(c->s->site, c->s->sid);
		}
		if (a->due && !a->asked && !a->held && quota_wanted(c, a))
			quota_ask(c, a);
		else if ((a->asked || a->held) && !used && !quota_wanted(c, a)) {
			a->due = true;
			quota_give(c, a); /* others have something to try it with */
			if (a->shut)
				core_event(c, SCHED_ACCOUNT_SHUT, i);
		}
	}
	quota_stop_idle(c);
}
