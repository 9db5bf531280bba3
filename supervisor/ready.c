/* ready: before the first task. */
#include "ready.h"

#include <string.h>

#include "agents.h"
#include "floor.h"
#include "quota.h"
#include "store/base/clock.h"
#include "store/base/log.h"
#include "store/base/mem.h"
#include "worker/adapter.h"

struct ready {
	struct strv tries; /* agent, model, agent, model ... (msg.def) */
	size_t tried;      /* so many of these agents have answered */
	struct strv fine, slower, wrong; /* one line each */
	struct str red;    /* of the gates, what is to be said of the base; empty = they pass */
};

void ready_open(struct core *c)
{
	c->ready = mem_alloc(sizeof *c->ready);
	*c->ready = (struct ready){0};
}

void ready_close(struct core *c)
{
	if (!c->ready)
		return;
	strv_fini(&c->ready->tries);
	strv_fini(&c->ready->fine);
	strv_fini(&c->ready->slower);
	strv_fini(&c->ready->wrong);
	str_fini(&c->ready->red);
	free(c->ready);
	c->ready = NULL;
}

/* ---- one call for each account ---- */

/* The model that a task wants of it; NULL = the agent's own default. */
static const char *model_of(const struct core *c, uint32_t agent)
{
	const struct quota *x = c->quota;

	for (size_t t = 0; t < c->s->plan.n; t++)
		if (x->of_task[t] == agent)
			return agents_model(&c->s->plan.tasks[t], x->agents[agent]);
	return x->agents[agent]->model;
}

/* Does a task that is not done yet begin with it, or fall back to it? */
static bool needed(const struct core *c, uint32_t agent)
{
	const struct quota *x = c->quota;

	for (size_t t = 0; t < c->s->plan.n; t++) {
		uint32_t k = task_state_ended(session_task_state(c->s, t)) ? SCHED_NONE : x->of_task[t];
		for (size_t i = 0; k != SCHED_NONE && i < x->n_agents; i++, k = x->fallback[k])
			if (k == agent)
				return true;
	}
	return false;
}

/* What no question can be put to. */
static bool deaf(const struct msg_agent *def)
{
	return agents_wants_command(def) || str_eq(def->prompt, "none");
}

/* Limited until later? Then that is said. */
static bool limited_now(struct core *c, const char *account)
{
	const struct account_row *row = quota_row(c, account);
	AUTO_STR struct str until = {0};

	if (!row || !str_eq(row->state, "limited") || row->until_ms <= clock_wall_ms())
		return false;
	clock_add_local(&until, row->until_ms);
	strv_addf(&c->ready->slower, "account %s is limited until %s: what needs it waits", account, until.p);
	return true;
}

static void find_tries(struct core *c)
{
	const struct quota *x = c->quota;
	AUTO_STRV struct strv seen = {0};

	for (uint32_t i = 0; i < x->n_agents; i++) {
		const struct msg_agent *def = x->agents[i];
		const char *account = adapter_account(def), *model = model_of(c, i);
		if (deaf(def) || !needed(c, i) || strv_has(&seen, account))
			continue;
		strv_add(&seen, account);
		/* Nobody needs to ask; but who only looks whether all is ready may have bought more. */
		if (!c->s->row.live && limited_now(c, account))
			continue;
		strv_add(&c->ready->tries, def->name);
		strv_add(&c->ready->tries, model ? model : "");
	}
}

void ready_tried(struct core *c, const struct msg_tried *m)
{
	struct ready *r = c->ready;
	const char *outcome = m->outcome ? m->outcome : "failed", *why = m->reason ? m->reason : "";
	AUTO_STR struct str span = {0};

	if (c->phase != PHASE_PREFLIGHT || !m->agent || !m->account)
		return;
	r->tried++;
	quota_tried(c, m);
	if (str_eq(outcome, "ok")) {
		clock_add_duration(&span, m->ms);
		strv_addf(&r->fine, "agent %s answers (account %s, %s)", m->agent, m->account, span.p);
	} else if (str_eq(outcome, "limited")) {
		limited_now(c, m->account);
	} else if (str_eq(outcome, "transient")) {
		strv_addf(&r->slower, "agent %s: %s; it is tried again later", m->agent, why);
	} else if (str_eq(outcome, "auth")) {
		strv_addf(&r->wrong, "agent %s: %s. Log in with it, or set its key, as the user who runs bosk", m->agent, why);
	} else {
		strv_addf(&r->wrong, "agent %s: %s", m->agent, why);
	}
}

/* ---- room ---- */

static void room(struct core *c, const char *what, uint64_t each, size_t n, uint64_t there, uint64_t floor)
{
	struct strv *fine = &c->ready->fine, *slower = &c->ready->slower;
	uint64_t fits = there > floor && each ? (there - floor) / each : 0;
	AUTO_FREE char *sum = mem_printf("%s: %zu worktree%s of %llu MiB, %llu MiB to stay free, %llu MiB are there", what, n, n == 1 ? "" : "s",
	                                 (unsigned long long)(each + (1 << 20) - 1) >> 20, (unsigned long long)(floor >> 20),
	                                 (unsigned long long)(there >> 20));

	if (there == UINT64_MAX || !each) /* not known */
		return;
	if (fits >= n)
		strv_add(fine, sum);
	else
		strv_addf(slower, "%s: enough for %llu of them (--jobs)", sum, (unsigned long long)fits);
}

/* `bytes`: of one worktree after setup and gates; 0 = not known. */
static void find_room(struct core *c, uint64_t bytes)
{
	const struct quota *x = c->quota;
	const struct session *s = c->s;
	uint64_t weight = 0;

	for (uint32_t i = 0; i < x->n_agents; i++)
		if (needed(c, i) && x->agents[i]->weight_mb > weight)
			weight = x->agents[i]->weight_mb;
	if (!s->manifest.borrowed && s->manifest.worktrees.n > 1)
		room(c, "disk", bytes, s->manifest.worktrees.n - 1, floor_disk(s->row.worktrees_dir), c->cfg->limit_free_disk);
	room(c, "memory", weight << 20, s->row.jobs, floor_memory(), c->cfg->limit_free_memory);
}

/* ---- the whole of it ---- */

static void tell_lines(const struct core *c, const char *mark, const struct strv *lines)
{
	for (size_t i = 0; i < lines->n; i++)
		c->options->told(mark, lines->v[i]);
}

static void tell(const struct core *c)
{
	const struct ready *r = c->ready;

	tell_lines(c, "ok", &r->fine);
	tell_lines(c, "note", &r->slower);
	tell_lines(c, "FAIL", &r->wrong);
	if (r->red.len)
		c->options->told("FAIL", r->red.p);
}

static void say(const struct core *c, const struct strv *lines)
{
	for (size_t i = 0; i < lines->n; i++)
		view_say(c->view, "  %s", lines->v[i]);
}

static void nothing_starts(struct core *c)
{
	const struct ready *r = c->ready;

	c->exit_code = r->wrong.n || r->red.len || r->slower.n ? 4 : 0;
	c->forget = c->fresh || c->s->row.live;
	finish_cleanup(c);
}

static void say_wrong(const struct core *c)
{
	const struct ready *r = c->ready;
	AUTO_STR struct str list = {0};

	if (r->red.len)
		log_error("%s", r->red.p);
	for (size_t i = 0; i < r->wrong.n; i++)
		str_addf(&list, "\n  %s", r->wrong.v[i]);
	for (size_t i = 0; i < r->slower.n; i++)
		str_addf(&list, "\n  %s", r->slower.v[i]);
	if (list.len)
		log_error("not ready to leave, so nothing was started:%s", list.p);
}

static void over(struct core *c)
{
	struct ready *r = c->ready;

	if (r->red.len || r->wrong.n || c->s->row.live) {
		if (c->options->told)
			tell(c);
		else
			say_wrong(c);
		nothing_starts(c);
	} else {
		view_say(c->view, r->slower.n ? "ready to leave, but for:" : "ready to leave");
		say(c, &r->slower);
		c->s->manifest.preflight_done = true;
		turn_manifest(&c->turn);
		c->phase = PHASE_RUN;
		core_event(c, SCHED_START, SIZE_MAX);
	}
}

int ready_begin(struct core *c, struct err *e)
{
	const struct ready *r = c->ready;
	AUTO_STR struct str names = {0};

	find_tries(c);
	for (size_t i = 0; i < r->tries.n; i += 2)
		str_addf(&names, "%s%s", i ? ", " : "", r->tries.v[i]);
	if (names.len)
		view_say(c->view, "one tiny call to each account: %s", names.p);
	if (names.len || c->cfg->n_gates || *c->cfg->setup)
		return core_check(c, "base", c->s->tip, e);
	find_room(c, 0);
	over(c);
	return 0;
}

void ready_fill(struct core *c, struct msg_check *m)
{
	const struct ready *r = c->ready;
	size_t done = 2 * r->tried;

	m->tries = done < r->tries.n ? (struct strv){.v = r->tries.v + done, .n = r->tries.n - done} : (struct strv){0};
	m->past_red = m->measure = true;
}

/* "name: fail (exit 1)" */
static bool is_excused(const struct core *c, const char *red)
{
	AUTO_FREE char *name = mem_strndup(red, strcspn(red, ":"));
	return strv_has(&c->s->row.excused, name);
}

static void gates_green(struct core *c, const struct msg_checked *m)
{
	AUTO_STR struct str names = {0};

	finish_remember(c, &m->gates);
	for (size_t i = 0; i < c->cfg->n_gates; i++)
		str_addf(&names, "%s%s", i ? ", " : "", c->cfg->gates[i].name);
	if (*c->cfg->setup)
		strv_add(&c->ready->fine, "setup works");
	if (names.len)
		strv_addf(&c->ready->fine, "gates pass on the base %.12s: %s", c->s->tip, names.p);
}

static void gates_red(struct core *c, const struct msg_checked *m)
{
	AUTO_STR struct str why = {0};

	for (size_t i = 0; i < m->reds.n; i++)
		if (!is_excused(c, m->reds.v[i]))
			str_addf(&why, "\n  gate %s", m->reds.v[i]);
	if (!why.len) {
		str_addf(&c->ready->red, "the base %.12s cannot be made ready, so nothing was started: %s", c->s->tip,
		         m->reason && *m->reason ? m->reason : m->verdict);
		return;
	}
	str_addf(&c->ready->red, "the gates do not pass on the base %.12s, so nothing was started:%s%s%s\n"
	         "  mend the base, or accept a red gate by name with --excuse GATE",
	         c->s->tip, why.p, m->tail && *m->tail ? "\n" : "", m->tail ? m->tail : "");
}

void ready_checked(struct core *c, const struct msg_checked *m)
{
	bool pass = str_eq(m->verdict, "pass");
	/* "pass" is told only where the tasks begin with it: who replays the journal sets preflight_done by it. */
	char *passed = c->ready->wrong.n ? (char *)"not-ready" : c->s->row.live ? (char *)"ready" : m->verdict;
	struct event_row ev = {.kind = (char *)"preflight",
	                       .outcome = pass ? passed : m->verdict,
	                       .reason = m->reason,
	                       .commit = c->s->tip,
	                       .gates = m->gates};

	turn_event(&c->turn, &ev);
	finish_flaky(c, &m->flaky, "on the base");
	for (size_t i = 0; i < m->reds.n; i++) {
		if (!is_excused(c, m->reds.v[i]))
			continue;
		view_say(c->view, "gate %s on the base: it is excused and stops nothing", m->reds.v[i]);
		strv_add(&c->s->manifest.base_reds, m->reds.v[i]);
	}
	if (pass)
		gates_green(c, m);
	else
		gates_red(c, m);
	find_room(c, m->bytes);
	over(c);
}
