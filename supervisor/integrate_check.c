/* integrate_check: gates on the merged tree before the branch moves (verify: merged). They run in a
 * worktree of their own, beside the tasks. When the batch is red its tasks are merged and checked one
 * by one, so that the culprit is the task being merged. */
#include "integrate.h"

#include <string.h>

#include "repair.h"
#include "store/base/clock.h"

/* The gates the task's own commit had to pass. */
static bool wants(const struct task_def *def, const char *gate)
{
	return !def->gates_given || strv_has(&def->gates, gate);
}

/* Those that tasks of the batch want and that are not known to accept this very tree: that of the task
 * itself when the tip is its base. */
static void gates_due(const struct core *c, struct strv *out)
{
	const struct integration *in = &c->integ;

	for (size_t g = 0; g < c->cfg->n_gates; g++) {
		const char *gate = c->cfg->gates[g].name;
		bool due = false;
		for (size_t i = 0; i < in->n_items && !due; i++)
			due = wants(&c->s->plan.tasks[in->items[i].task], gate);
		if (due && !green_accepted(c->green, in->tree.hex, gate))
			strv_add(out, gate);
	}
}

static void send_check(struct core *c, const struct strv *gates)
{
	struct integration *in = &c->integ;
	struct msg m = {.kind = MSG_CHECK};
	struct err e = {0};

	m.u.check = (struct msg_check){.label = (char *)"merge",
	                               .commit = in->tip.hex,
	                               .since = in->from.hex,
	                               .gates = *gates,
	                               .gates_given = true};
	view_worktree(c->view, c->merge_slot, "merge", "gate", NULL, clock_mono_ms());
	if (pool_send(c->pool, c->merge_slot, &m, &e) == 0 || e.kind == ERR_GONE)
		return; /* a dead worker is reported by `gone` */
	struct msg_checked failed = {
		.label = (char *)"merge", .verdict = (char *)"error", .reason = e.text};
	integrate_checked(c, &failed);
}

bool integrate_check_start(struct core *c)
{
	AUTO_STRV struct strv gates = {0};

	if (c->merge_slot == SIZE_MAX || !str_eq(c->s->row.verify, "merged"))
		return false;
	gates_due(c, &gates);
	if (!gates.n)
		return false;
	if (c->stopping_now) {
		integrate_put_back(c);
		integrate_cancel(c);
		return true;
	}
	c->integ.phase = INTEG_CHECKING;
	send_check(c, &gates);
	return true;
}

void integrate_checked(struct core *c, const struct msg_checked *m)
{
	struct integration *in = &c->integ;
	struct err e = {0};

	if (in->phase != INTEG_CHECKING)
		return;
	view_worktree(c->view, c->merge_slot, NULL, "", NULL, 0);
	struct event_row ev = {.kind = (char *)"merged-gates",
	                       .outcome = m->verdict,
	                       .reason = m->reason,
	                       .commit = in->tip.hex,
	                       .old_tip = in->from.hex,
	                       .gates = m->gates};
	turn_event(&c->turn, &ev);
	finish_flaky(c, &m->flaky, "on a merged tree");
	if (str_eq(m->verdict, "pass")) {
		in->lost = 0;
		green_add(c->green, in->tree.hex, &m->gates, NULL);
		integrate_record(c);
	} else if (c->stopping_now) {
		integrate_put_back(c);
		integrate_cancel(c);
	} else if (str_eq(m->verdict, "error") || str_eq(m->verdict, "no-room")) {
		/* Neither a gate nor a task is to blame: the tasks stay checked, for the resume. */
		err_set(&e, ERR_ENV, "the gates cannot be run on the merged tree: %s",
		        m->reason ? m->reason : "");
		core_fatal(c, &e);
	} else if (in->n_items > 1) {
		in->single = in->n_items;
		view_say(c->view, "%zu tasks merged together: %s; they are merged one by one", in->n_items,
		         m->reason && *m->reason ? m->reason : m->verdict);
		integrate_put_back(c);
	} else {
		size_t task = in->items[0].task;
		in->lost = 0;
		in->n_items = 0;
		in->phase = INTEG_IDLE;
		repair_red(c, task, m);
	}
}

void integrate_check_lost(struct core *c, const char *why)
{
	AUTO_STRV struct strv gates = {0};
	struct msg_checked failed = {
		.label = (char *)"merge", .verdict = (char *)"error", .reason = (char *)why};

	if (c->integ.phase != INTEG_CHECKING)
		return;
	turn_note(&c->turn, "lost", SIZE_MAX, why);
	gates_due(c, &gates);
	if (c->integ.lost++ || c->stopping_now)
		integrate_checked(c, &failed);
	else
		send_check(c, &gates);
}

/* Stopped at once: what waits for its merge is merged by the resume. */
void integrate_cancel(struct core *c)
{
	struct integration *in = &c->integ;
	struct msg stop = {.kind = MSG_STOP};
	struct err ignored = {0};

	if (in->phase == INTEG_CHECKING) {
		stop.u.stop.reason = (char *)"stopped on request";
		pool_send(c->pool, c->merge_slot, &stop, &ignored);
		return; /* the answer comes as its verdict */
	}
	if (in->phase != INTEG_IDLE || c->merge_slot == SIZE_MAX)
		return;
	for (size_t i = 0; i < in->n; i++)
		repair_postpone(c, in->queue[i]);
	in->n = 0;
}
