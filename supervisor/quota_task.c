/* quota_task: what the runs of agents mean for their accounts, and an account's limit for the task. */
#include "quota.h"

#include <string.h>

#include "account.h"
#include "store/base/clock.h"
#include "store/base/mem.h"

enum { GOOD_MS = 120 * 1000, TRANSIENTS = 8, PAUSE_FIRST_MS = 2000, PAUSE_MOST_MS = 120 * 1000, LEAST_MS = 30 * 1000 /* what adapters make of less */ };

/* The account of whoever has the task; NULL = none. */
static struct quota_account *account_at(const struct core *c, size_t task)
{
	uint32_t agent = schedule_agent(c->sched, (uint32_t)task);
	return agent == SCHED_NONE ? NULL : &c->quota->v[c->quota->account[agent]];
}

void quota_assigned(struct core *c, size_t task)
{
	struct task_row *row = &c->s->tasks[task];
	const struct msg_agent *def = quota_agent(c, schedule_agent(c->sched, (uint32_t)task));
	struct quota_account *a = account_at(c, task);

	if (!def || !str_eq(row->worker_agent, def->name))
		mem_set(&row->conversation, NULL);
	mem_set(&row->worker_agent, def ? def->name : NULL);
	row->until_ms = 0;
	c->quota->begun[task] = c->quota->parked[task] = false;
	if (a && a->probing && a->probe == SIZE_MAX) {
		a->probe = task;
		view_say(c->view, "account %s: %s tries first", a->name, core_task_id(c, task));
	}
}

static void seems_good(void *ctx, uint64_t id)
{
	struct core *c = ctx;
	(void)id;

	for (size_t i = 0; i < c->quota->n; i++) {
		struct quota_account *a = &c->quota->v[i];
		if (a->probing && a->probe != SIZE_MAX && a->timer == id) {
			a->timer = 0;
			quota_opened(c, a);
		}
	}
}

bool quota_attempt(struct core *c, size_t task)
{
	struct quota_account *a = account_at(c, task);
	bool probe = a && a->probing && a->probe == task;

	/* What a gate says of its first attempt is told it all the same: only its agent could keep that. */
	if (a && a->shut && !probe && !c->quota->begun[task]) {
		c->quota->parked[task] = true;
		return false;
	}
	c->quota->begun[task] = true;
	if (probe) {
		loop_timer_cancel(c->loop, a->timer);
		a->timer = loop_timer(c->loop, GOOD_MS, seems_good, c);
	}
	return true;
}

/* In this turn's transaction. */
static void limit_account(struct core *c, struct quota_account *a, const struct account_said *said)
{
	struct account_row after;

	account_limit(&after, &c->turn.batch, c->s->site, a->name, said);
	rec_fini(&account_row_rec, &a->row);
	a->row = after;
	a->changed = true; /* once that is on disk the claim is given, and others hear of it */
}

static void limited(struct core *c, size_t task, const struct msg_result *m, bool auth)
{
	struct quota_account *a = account_at(c, task);
	struct task_row *row = &c->s->tasks[task];
	const struct msg_agent *def = quota_agent(c, schedule_agent(c->sched, (uint32_t)task));
	struct account_said said = {auth, m->until_ms, m->reason, def ? def->name : NULL};

	row->limits++;
	if (!a)
		return;
	/* With the task's own row: both are known, or neither is. */
	limit_account(c, a, &said);
	row->until_ms = auth ? 0 : a->row.until_ms;
	a->probing = false;
	a->probe = SIZE_MAX;
	a->shut = true; /* SCHED_LIMITED does it */
	quota_say_shut(c, a);
	quota_wait(c, a);
	AUTO_FREE char *note = mem_printf("%s %s", a->name, auth ? "auth" : "limited");
	struct event_row ev = {.kind = (char *)"limited", .note = note, .reason = m->reason};
	turn_event(&c->turn, &ev);
}

/* The one that went first came to no verdict: another may. */
static void probe_again(struct core *c, size_t task)
{
	struct quota_account *a = account_at(c, task);

	if (!a || !a->probing || a->probe != task)
		return;
	loop_timer_cancel(c->loop, a->timer);
	a->timer = 0;
	quota_probe(c, a);
}

enum sched_event_kind quota_result(struct core *c, size_t task, const struct msg_result *m, const char *outcome,
                                    enum sched_event_kind kind)
{
	struct quota_account *a = account_at(c, task);
	uint32_t *transients = &c->quota->transients[task];

	if (kind == SCHED_LIMITED) {
		limited(c, task, m, str_eq(outcome, "auth"));
		return SCHED_LIMITED;
	}
	if (kind == SCHED_TRANSIENT) {
		probe_again(c, task);
		c->quota->again_ms[task] = m->until_ms;
		if (++*transients < TRANSIENTS)
			return SCHED_TRANSIENT;
		*transients = 0;
		return SCHED_FAILED;
	}
	*transients = 0;
	if (kind == SCHED_STOPPED && c->quota->parked[task]) {
		c->s->tasks[task].limits++;
		c->s->tasks[task].until_ms = a->row.until_ms;
		AUTO_FREE char *why = mem_printf("account %s: %s", a->name, a->row.why ? a->row.why : "limited");
		mem_set(&c->s->tasks[task].reason, why);
		return SCHED_LIMITED;
	}
	if (kind == SCHED_STOPPED || str_eq(outcome, "no-room") || str_eq(outcome, "unsaved"))
		probe_again(c, task);
	else if (a && a->probing && a->probe == task)
		quota_opened(c, a);
	return kind;
}

void quota_lost(struct core *c, size_t task)
{
	probe_again(c, task);
}

static void sum(uint64_t *a, uint64_t b)
{
	*a = UINT64_MAX - *a < b ? UINT64_MAX : *a + b;
}

static void add_spent(struct core *c, uint64_t input, uint64_t cached, uint64_t output, uint64_t cost_micro, bool priced)
{
	struct manifest_row *all = &c->s->manifest;

	sum(&all->input, input);
	sum(&all->cached, cached);
	sum(&all->output, output);
	sum(&all->cost_micro, priced ? cost_micro : 0);
	all->runs++;
	all->unpriced += !priced;
	turn_manifest(&c->turn);
}

/* Of a sum that goes on over the runs of a conversation: what is new in it. */
static uint64_t grown(uint64_t *told, uint64_t now)
{
	uint64_t more = now > *told ? now - *told : 0;

	*told = now;
	return more;
}

/* Some programs tell the sums of their conversation: what earlier runs of it said is counted, and is taken off; by the row,
 * as those runs may have been of another process. */
static void take_off(struct task_row *row, struct msg_spent *m)
{
	if (!m->whole || !m->counted || !m->conversation)
		return;
	if (!str_eq(row->counted_of, m->conversation)) {
		mem_set(&row->counted_of, m->conversation);
		row->counted_input = row->counted_cached = row->counted_output = row->counted_cost = 0;
	}
	m->input = grown(&row->counted_input, m->input);
	m->cached = grown(&row->counted_cached, m->cached);
	m->output = grown(&row->counted_output, m->output);
	m->cost_micro = grown(&row->counted_cost, m->cost_micro);
}

void quota_spent(struct core *c, size_t task, struct msg_spent *m)
{
	struct task_row *row = &c->s->tasks[task];

	take_off(row, m);
	AUTO_FREE char *note =
		mem_printf("%s input %llu cached %llu output %llu%s cost %llu%s", m->agent ? m->agent : "", (unsigned long long)m->input,
		           (unsigned long long)m->cached, (unsigned long long)m->output, m->counted ? "" : " unknown",
		           (unsigned long long)m->cost_micro, m->priced ? "" : " unknown");
	struct event_row ev = {.kind = (char *)"spent", .task = m->task, .ordinal = task + 1, .attempt = m->attempt, .note = note};

	sum(&row->input, m->input);
	sum(&row->cached, m->cached);
	sum(&row->output, m->output);
	sum(&row->cost_micro, m->priced ? m->cost_micro : 0);
	row->runs++;
	row->unpriced += !m->priced;
	add_spent(c, m->input, m->cached, m->output, m->cost_micro, m->priced);
	turn_task(&c->turn, task);
	turn_event(&c->turn, &ev);
	quota_stop_money(c);
}

static struct quota_account *named(const struct core *c, const char *account)
{
	struct quota *x = c->quota;

	for (size_t i = 0; i < x->n; i++)
		if (str_eq(x->v[i].name, account))
			return &x->v[i];
	return NULL;
}

const struct account_row *quota_row(const struct core *c, const char *account)
{
	const struct quota_account *a = named(c, account);
	return a ? &a->row : NULL;
}

void quota_tried(struct core *c, const struct msg_tried *m)
{
	struct quota_account *a = named(c, m->account);
	AUTO_FREE char *note = mem_printf("%s %s", m->agent, m->outcome ? m->outcome : "");
	struct event_row ev = {.kind = (char *)"tried", .note = note, .reason = m->reason};
	struct account_said said = {.until_ms = m->until_ms, .why = m->reason, .agent = m->agent};

	turn_event(&c->turn, &ev);
	add_spent(c, m->input, m->cached, m->output, m->cost_micro, m->priced);
	if (a && str_eq(m->outcome, "ok") && a->row.state)
		quota_opened(c, a);
	if (!a || !str_eq(m->outcome, "limited"))
		return;
	limit_account(c, a, &said);
	if (!a->shut)
		core_event(c, SCHED_ACCOUNT_SHUT, quota_number(c, a));
	a->shut = true;
	quota_wait(c, a);
}

uint64_t quota_pause(const struct core *c, size_t task)
{
	uint64_t ms = PAUSE_FIRST_MS, now = clock_wall_ms(), again = c->quota->again_ms[task];

	if (!c->quota->transients[task])
		return 0;
	for (uint32_t i = 1; i < c->quota->transients[task] && ms < PAUSE_MOST_MS; i++)
		ms *= 2;
	ms = ms / 2 + account_jitter(ms);
	return again > now + ms && again > now + LEAST_MS ? again - now : ms;
}
