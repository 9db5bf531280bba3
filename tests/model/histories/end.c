/* end: the end state against what the tasks must come to: each with its one fate, each that was integrated
 * exactly once on its branch and on main, after what it needs, and every commit of the users still there. */
#include "history.h"

#include <stdint.h>
#include <string.h>

#include "store/base/mem.h"

static bool taken_in(const char *state)
{
	return strcmp(state, "integrated") == 0 || strcmp(state, "landed") == 0;
}

/* The session that worked last on the plan. */
static const struct history_now *newest(const struct history *h, const char *plan)
{
	const struct history_now *last = NULL;
	for (size_t i = 0; i < h->n_nows; i++)
		if (strcmp(h->nows[i].plan, plan) == 0)
			last = &h->nows[i];
	return last;
}

/* Once all is healed and retried: what comes of it by itself and by what it needs. What was taken out before the rest
 * landed stays out. */
static const char *fate(const struct history *h, const char *queue, const struct history_task *t)
{
	if (strcmp(t->kind, "bad") == 0)
		return "failed";
	if (strcmp(history_task_state(h, queue, t->id), "reverted") == 0 && history_reverted(h, queue, t->id, SIZE_MAX))
		return "reverted";
	for (size_t i = 0; i < t->needs.n; i++)
		if (strcmp(fate(h, queue, history_task(h, t->needs.v[i])), "integrated") != 0)
			return "skipped";
	return "integrated";
}

static size_t count(const struct history *h, const char *branch, const char *kind, const char *queue,
                    const char *task)
{
	size_t n = 0;
	for (size_t i = 0; i < h->n_ons; i++) {
		const struct history_on *o = &h->ons[i];
		n += strcmp(o->branch, branch) == 0 && strcmp(o->kind, kind) == 0 && strcmp(o->first, queue) == 0 &&
		     strcmp(o->second, task) == 0;
	}
	return n;
}

static size_t place(const struct history *h, const char *branch, const char *kind, const char *queue,
                    const char *task)
{
	for (size_t i = 0; i < h->n_ons; i++) {
		const struct history_on *o = &h->ons[i];
		if (strcmp(o->branch, branch) == 0 && strcmp(o->kind, kind) == 0 && strcmp(o->first, queue) == 0 &&
		    strcmp(o->second, task) == 0)
			return i;
	}
	return SIZE_MAX;
}

/* On this branch: as often as it must be, and once more for each time that it was taken out; after what it needs. */
static void judge_branch(const struct history *h, const char *branch, const char *queue,
                         const struct history_task *t, size_t times, struct strv *faults)
{
	static const char *const kinds[] = {"commit", "merge"};

	times += count(h, branch, "revert", queue, t->id);
	for (size_t i = 0; i < MEM_COUNT(kinds); i++) {
		size_t n = count(h, branch, kinds[i], queue, t->id);
		if (n != times)
			strv_addf(faults, "end: task %s of %s, which is %s, has %zu %s%s on %s, not %zu", t->id, queue,
			          history_task_state(h, queue, t->id), n, kinds[i], n == 1 ? "" : "s", branch, times);
	}
	size_t at = place(h, branch, "merge", queue, t->id), own = place(h, branch, "commit", queue, t->id);
	for (size_t i = 0; at != SIZE_MAX && i < t->needs.n; i++) {
		size_t need = place(h, branch, "merge", queue, t->needs.v[i]);
		if (need == SIZE_MAX || need > at || need > own)
			strv_addf(faults, "end: on %s task %s of %s comes before %s, which it needs", branch, t->id, queue,
			          t->needs.v[i]);
	}
}

static void judge_plan(const struct history *h, const char *plan, struct strv *faults)
{
	const struct history_now *now = newest(h, plan);
	bool cross = false, left = false;

	if (!now) {
		strv_addf(faults, "end: plan %s has no session", plan);
		return;
	}
	for (size_t i = 0; i < h->n_tasks; i++)
		cross |= strcmp(h->tasks[i].plan, plan) == 0 && strcmp(h->tasks[i].kind, "cross") == 0;
	for (size_t i = 0; i < h->n_tasks; i++) {
		const struct history_task *t = &h->tasks[i];
		if (strcmp(t->plan, plan) != 0)
			continue;
		const char *wanted = fate(h, now->queue, t), *is = history_task_state(h, now->queue, t->id);
		left |= strcmp(is, "integrated") == 0;
		/* Perhaps with an earlier session, after which nothing came of this one. */
		if (strcmp(wanted, "integrated") == 0 && (now->landed || strcmp(is, "landed") == 0))
			wanted = "landed";
		if (strcmp(is, wanted) != 0 && !(cross && taken_in(is) && taken_in(wanted)))
			strv_addf(faults, "end: task %s of %s is %s, and must be %s", t->id, now->queue, is, wanted);
		judge_branch(h, now->sid, now->queue, t, taken_in(is), faults);
	}
	if (!now->landed && left && !cross)
		strv_addf(faults, "end: session %s of plan %s has not landed", now->sid, plan);
	if (strcmp(now->state, "done") != 0 && strcmp(now->state, "failed") != 0)
		strv_addf(faults, "end: session %s is %s", now->sid, now->state);
}

/* Every task of every queue on main: once where it has landed, not at all elsewhere. */
static void judge_main(const struct history *h, struct strv *faults)
{
	for (size_t i = 0; i < h->n_are; i++) {
		const struct history_is *s = &h->are[i];
		const struct history_task *t = history_task(h, s->task);
		if (t)
			judge_branch(h, "main", s->queue, t, strcmp(s->state, "landed") == 0, faults);
	}
	for (size_t i = 0; i < h->n_ons; i++)
		if (strcmp(h->ons[i].kind, "unknown") == 0)
			strv_addf(faults, "end: nobody made the commit on %s: %s %s", h->ons[i].branch, h->ons[i].first,
			          h->ons[i].second);
}

/* As many landings as calls that may have landed it, at most. */
static void judge_landings(const struct history *h, const struct history_now *now, struct strv *faults)
{
	size_t merges = count(h, "main", "landing", now->sid, ""), may = 0;

	for (size_t i = 0; i < h->n_calls; i++) {
		const struct history_call *c = &h->calls[i];
		bool about = strv_has(&c->words, now->sid) || strv_has(&c->began, now->sid);
		may += c->killed != SIZE_MAX || (c->landed && about);
	}
	if (merges > may)
		strv_addf(faults, "end: session %s has %zu landings on main, and at most %zu calls landed it", now->sid,
		          merges, may);
}

static bool on_branch(const struct history *h, const char *branch, const char *number)
{
	return count(h, branch, "user", number, "") > 0;
}

static void judge_user(const struct history *h, const struct history_call *c, struct strv *faults)
{
	const char *branch = c->words.n ? c->words.v[0] : "";
	const char *sid = str_starts(branch, "integration-") ? branch + strlen("integration-") : NULL;

	if (strcmp(c->op, "user") != 0 || c->exit != 0)
		return;
	if (sid && !history_session(h, sid))
		return; /* forgotten, the branch with what is on it stays */
	if (!on_branch(h, sid ? sid : branch, c->number))
		strv_addf(faults, "end: the user's commit %s is not on %s any more", c->number, branch);
	for (size_t i = 0; sid && i < h->n_calls; i++) {
		const struct history_call *l = &h->calls[i];
		if (l->landed && l->start > c->end && strcmp(l->op, "land") == 0 && strv_has(&l->words, sid) &&
		    !on_branch(h, "main", c->number))
			strv_addf(faults, "end: the user's commit %s on %s has not landed with it", c->number, branch);
	}
}

void history_judge_end(const struct history *h, struct strv *faults)
{
	for (size_t i = 0; i < h->plans.n; i++)
		judge_plan(h, h->plans.v[i], faults);
	judge_main(h, faults);
	for (size_t i = 0; i < h->n_nows; i++)
		judge_landings(h, &h->nows[i], faults);
	for (size_t i = 0; i < h->n_calls; i++)
		judge_user(h, &h->calls[i], faults);
}

void history_judge(const char *text, struct strv *faults, struct str *summary)
{
	struct history h;

	history_read(&h, text, faults);
	history_judge_calls(&h, faults);
	history_judge_order(&h, faults);
	history_judge_work(&h, faults);
	history_judge_end(&h, faults);
	size_t killed = 0;
	for (size_t i = 0; i < h.n_calls; i++)
		killed += h.calls[i].exit == 137;
	str_addf(summary, "%zu calls, %zu killed, %zu sessions, %zu executions, %zu sightings: %s", h.n_calls, killed,
	         h.n_nows, h.n_execs, h.n_sees, faults->n ? "not explained" : "explained");
	history_fini(&h);
}
