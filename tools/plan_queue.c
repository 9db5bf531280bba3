/* plan_queue: items, their steps and gates, as text and as JSON. */
#include "plan_queue.h"

#include <string.h>

#include "store/base/clock.h"
#include "store/base/mem.h"
#include "supervisor/plan/dag.h"
#include "supervisor/queue/queue.h"
#include "supervisor/queue/waiting.h"

static enum task_state state_of(const struct plan *p, size_t i)
{
	return p->queue && p->queue->states ? p->queue->states[i] : plan_end(&p->tasks[i]);
}

bool plan_queue_runs(const struct plan *p, size_t i)
{
	return state_of(p, i) == TASK_WAITING && !p->tasks[i].missing;
}

/* Does what `i` waits for hold others up? What has ended does not, and nobody knows when a claimed one will. */
static size_t add_left(const struct plan *p, const uint32_t *from, const size_t *at, size_t i, uint32_t *to, size_t n)
{
	for (size_t k = at ? at[i] : 0; at && k < at[i + 1]; k++)
		if (plan_queue_runs(p, from[k]))
			to[n++] = from[k];
	return n;
}

/* What needs one that has failed or cannot be run is skipped when it is run; what needs one that somebody else works on
 * stays pending: BACKOFF, as it is of no batch. */
static void skip(struct plan *p)
{
	AUTO_FREE size_t *from = mem_array(p->n + 2, sizeof *from);
	AUTO_FREE uint32_t *order = mem_array(p->n, sizeof *order);

	/* By wave: what an item needs is known before it. */
	for (size_t i = 0; i < p->n; i++)
		from[p->wave[i] + 1]++;
	for (size_t w = 1; w < p->n + 2; w++)
		from[w] += from[w - 1];
	for (uint32_t i = 0; i < p->n; i++)
		order[from[p->wave[i]]++] = i;
	for (size_t k = 0; k < p->n; k++) {
		bool waits = false;
		for (size_t n = p->needs_at[order[k]]; plan_queue_runs(p, order[k]) && n < p->needs_at[order[k] + 1]; n++) {
			enum task_state state = p->queue->states[p->needs[n]];
			bool barred = waiting_barred(p, p->needs[n], state);
			if (state == TASK_CLAIMED || state == TASK_BACKOFF)
				waits = true;
			else if (barred || (task_state_ended(state) && !task_state_good(state)))
				p->queue->states[order[k]] = TASK_SKIPPED;
		}
		if (waits && p->queue->states[order[k]] != TASK_SKIPPED)
			p->queue->states[order[k]] = TASK_BACKOFF;
	}
}

void plan_queue_batches(struct plan *p)
{
	size_t most = (p->needs_at ? p->needs_at[p->n] : 0) + (p->after_at ? p->after_at[p->n] : 0), n = 0;

	if (!p->queue || !p->queue->states || !p->needs_at)
		return;
	skip(p);
	AUTO_FREE uint32_t *to = mem_array(most, sizeof *to);
	AUTO_FREE size_t *at = mem_array(p->n + 1, sizeof *at);
	for (size_t i = 0; i < p->n; i++) {
		if (plan_queue_runs(p, i)) {
			n = add_left(p, p->needs, p->needs_at, i, to, n);
			n = add_left(p, p->after, p->after_at, i, to, n);
		}
		at[i + 1] = n;
	}
	dag_waves(p->wave, to, at, p->n, NULL, NULL);
}

static void put_gates(const struct task_def *d, uint64_t limit_ms, struct json_t *task)
{
	struct json_t *gates = json_list();

	for (size_t i = 0; i + 2 < d->step_gates.n; i += 3) {
		struct json_t *gate = json_map();
		json_put_text(gate, "step", d->step_gates.v[i]);
		json_put_text(gate, "name", d->step_gates.v[i + 1]);
		json_put_text(gate, "run", d->step_gates.v[i + 2]);
		json_put_u64(gate, "limit", limit_ms / 1000);
		json_add(gates, gate);
	}
	json_put(task, "step_gates", gates);
}

void plan_queue_json(const struct plan *p, size_t i, uint64_t gate_ms, struct json_t *task)
{
	const struct task_def *d = &p->tasks[i];

	if (!str_eq(p->kind, "queue"))
		return;
	json_put_text(task, "state", task_state_shown(state_of(p, i)));
	json_put_text(task, "issue", d->issue);
	json_put_text(task, "solution", d->solution);
	json_put_list(task, "files", &d->files);
	json_put_list(task, "after", &d->after);
	json_put_list(task, "in_turn", &d->in_turn);
	json_put_text(task, "subject", d->subject);
	json_put_list(task, "solution_steps", &d->step_ids);
	put_gates(d, gate_ms, task);
	json_put_text(task, "missing", d->missing);
}

static void add_line(struct str *out, const char *label, const char *text)
{
	str_addf(out, "  %-7s ", label);
	str_add_printable(out, text, strnlen(text, 200), false);
	str_addc(out, '\n');
}

static void add_names(struct str *out, const char *label, const struct strv *names)
{
	AUTO_STR struct str all = {0};

	for (size_t i = 0; i < names->n; i++)
		str_addf(&all, "%s%s", i ? ", " : "", names->v[i]);
	if (all.len)
		add_line(out, label, all.p);
}

void plan_queue_text(const struct plan *p, size_t i, uint64_t gate_ms, struct str *out)
{
	const struct task_def *d = &p->tasks[i];
	AUTO_STR struct str limit = {0};

	if (!str_eq(p->kind, "queue"))
		return;
	clock_add_duration(&limit, gate_ms);
	if (!plan_queue_runs(p, i))
		add_line(out, "state", queue_word(state_of(p, i)));
	if (d->solution && d->issue) {
		AUTO_FREE char *of = mem_printf("%s of %s", d->solution, d->issue);
		add_line(out, "is", of);
	}
	if (d->missing)
		add_line(out, "missing", d->missing);
	add_names(out, "needs", &d->needs);
	add_names(out, "after", &d->after);
	add_names(out, "in turn", &d->in_turn);
	add_names(out, "files", &d->files);
	for (size_t k = 0; k < d->step_ids.n; k++) {
		AUTO_FREE char *step = mem_printf("%s %s", d->step_ids.v[k], k < d->step_titles.n ? d->step_titles.v[k] : "");
		add_line(out, k ? "" : "steps", step);
		for (size_t g = 0; g + 2 < d->step_gates.n; g += 3)
			if (str_eq(d->step_gates.v[g], d->step_ids.v[k])) {
				AUTO_FREE char *gate = mem_printf("  gate %s (at most %s): %s", d->step_gates.v[g + 1], limit.p,
				                                  d->step_gates.v[g + 2]);
				add_line(out, "", gate);
			}
	}
}
