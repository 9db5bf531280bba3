/* solution: steps, their gates, and what an agent claims of them. */
#include "solution.h"

#include <string.h>

#include "said.h"
#include "prompt.h"
#include "secret.h"
#include "store/base/mem.h"

enum { RESULT_MAX = 1 << 20, TOLD_MAX = 64 << 10, SAYS_MAX = 300 };

bool solution_is(const struct msg_task *t)
{
	return str_eq(t->kind, "queue");
}

/* ---- steps ---- */

void solution_begin(struct attempt *r)
{
	const struct msg_task *t = r->t;

	/* What comes back from its merge is done as a whole: it is to be mended as a whole. */
	bool each = solution_is(t) && t->steps_each && t->prompt && t->step_ids.n > 1 &&
	            t->step_texts.n == t->step_ids.n && !t->start_tree;
	r->step = each ? 0 : SIZE_MAX;
	if (!each || !r->goes_on || !t->at_step || str_eq(t->at_step, t->step_ids.v[0]))
		return;
	/* Cut off in a later one: it goes on there, if what was done of those before is in the folder; else from the start, with
	 * an agent that knows nothing of it. */
	for (size_t i = 1; r->as_left && i < t->step_ids.n; i++)
		if (str_eq(t->at_step, t->step_ids.v[i]))
			r->step = i;
	if (r->step) {
		mem_set(&r->told_before, t->told);
	} else {
		r->goes_on = false;
		mem_set(&r->conversation, NULL);
	}
}

bool solution_last(const struct attempt *r)
{
	return r->step == SIZE_MAX || r->step + 1 == r->t->step_ids.n;
}

bool solution_next(struct attempt *r)
{
	if (solution_last(r))
		return false;
	r->step++;
	mem_set(&r->feedback, NULL);
	mem_set(&r->told_before, r->told);
	r->goes_on = false; /* each step is done by an agent of its own */
	str_clear(&r->tried);
	return true;
}

void solution_run(struct attempt *r)
{
	mem_set(&r->step_red, NULL);
	mem_set(&r->told, r->told_before);
}

/* ---- gates ---- */

static const char *step_of(const struct msg_task *t, const char *gate)
{
	for (size_t i = 0; i + 2 < t->step_gates.n; i += 3)
		if (str_eq(t->step_gates.v[i + 1], gate))
			return t->step_gates.v[i];
	return NULL;
}

/* What the end of the task tells of its gates. */
static void remember(struct attempt *r, const struct gate_report *report)
{
	strv_fini(&r->flaky);
	strv_copy(&r->flaky, &report->flaky);
	for (size_t i = 0; i < report->flaky.n; i++) {
		const char *name = report->flaky.v[i], *split = strrchr(name, '=');
		AUTO_FREE char *note = mem_printf("gate %.*s is flaky: %s", (int)(split - name), name, split + 1);
		if (!strv_has(&r->s->notes, note))
			strv_add(&r->s->notes, note);
	}
	if (!report->red && !report->stopped) /* a run that was cut off does not take the last verdict back */
		mem_set(&r->red, NULL);
	if (!report->red)
		return;
	mem_set(&r->red, report->red);
	mem_set(&r->red_verdict, report->verdict);
	mem_set(&r->red_why, report->why);
	mem_set(&r->red_said, report->said);
}

int solution_gates(struct attempt *r, const struct strv *changed, struct gate_report *report, struct err *e)
{
	const struct msg_task *t = r->t;
	struct slot *s = r->s;
	AUTO_FREE struct msg_gate *gates = mem_array(t->step_gates.n / 3, sizeof *gates);
	bool whole = solution_last(r);
	size_t n = 0;

	for (size_t i = 0; i + 2 < t->step_gates.n; i += 3)
		if (whole || str_eq(t->step_gates.v[i], t->step_ids.v[r->step]))
			gates[n++] = (struct msg_gate){.name = t->step_gates.v[i + 1], .run = t->step_gates.v[i + 2],
			                               .timeout_ms = t->timeout_ms};
	*report = (struct gate_report){0};
	struct gate_runs how = {.changed = changed, .env = r->env.v, .log_dir = r->dir, .attempt = r->attempt};
	int rc = gate_run(s, gates, n, &how, report, e);
	mem_set(&r->step_red, report->red ? step_of(t, report->red) : NULL);
	how.only = t->gates_given ? &t->gates : NULL;
	if (rc == 0 && whole)
		rc = gate_run(s, s->gates, s->n_gates, &how, report, e);
	remember(r, report);
	/* What is red is not the step that was done last: to do that one only would not mend it. */
	r->as_whole = whole && r->step != SIZE_MAX && report->red && !str_eq(r->step_red, t->step_ids.v[r->step]);
	return rc;
}

static const char *title_of(const struct msg_task *t, const char *step)
{
	for (size_t i = 0; i < t->step_ids.n && i < t->step_titles.n; i++)
		if (str_eq(t->step_ids.v[i], step))
			return t->step_titles.v[i];
	return "";
}

void solution_feedback(const struct attempt *r, const struct gate_report *report, struct str *out)
{
	if (r->step_red)
		str_addf(out, "Step %s (%s) is not done yet.\n\n", r->step_red, title_of(r->t, r->step_red));
	prompt_feedback(report, out);
}

/* ---- what the agent says ---- */

static void add_member(struct str *out, const char *key, const struct json_t *first, const struct json_t *then)
{
	str_add(out, out->len > 1 ? ", " : "");
	json_quote(out, key);
	str_add(out, ": ");
	if (!json_is_list(first) || !json_is_list(then)) {
		json_write(then ? then : first, false, out);
		return;
	}
	size_t n = json_count(first);
	str_addc(out, '[');
	for (size_t i = 0; i < n + json_count(then); i++) {
		str_add(out, i ? ", " : "");
		json_write(i < n ? json_nth(first, i) : json_nth(then, i - n), false, out);
	}
	str_addc(out, ']');
}

/* What is said of two runs as one: lists one behind the other, of all else the later. */
static void add_both(struct str *out, const struct json_t *first, const struct json_t *then)
{
	AUTO_STRV struct strv keys = {0};

	json_keys(first, &keys);
	size_t n = keys.n;
	json_keys(then, &keys);
	str_addc(out, '{');
	for (size_t i = 0; i < keys.n; i++) {
		const struct json_t *was = json_get(first, keys.v[i]), *is = json_get(then, keys.v[i]);
		if (i < n ? was != NULL : is && !was)
			add_member(out, keys.v[i], was, is);
	}
	str_addc(out, '}');
}

/* `alone`: nothing that was said of steps before counts any more. */
static void keep(struct attempt *r, const char *json, size_t n, bool alone)
{
	AUTO_STR struct str text = {0};
	struct err ignored = {0};
	const char *was = alone ? NULL : r->told_before;
	struct json_t *before = was ? json_parse_exact(was, strlen(was), &ignored) : NULL;
	struct json_t *said = json_parse_exact(json, n, &ignored);

	if (before)
		add_both(&text, before, said);
	else
		json_write(said, false, &text);
	json_free(before);
	json_free(said);
	json_exact(&text);
	secret_hide(&text);
	if (text.len <= TOLD_MAX)
		mem_set(&r->told, text.p);
	else
		strv_addf(&r->s->notes, "its result is larger than %d KiB and is not kept", TOLD_MAX >> 10);
}

/* A claim of an agent against itself is believed, as everywhere. The original has no status: there a failure is what
 * has a kind of error, or a step and a message. */
static enum step judge(struct attempt *r, const struct json_t *said)
{
	const char *status = json_get_text(said, "status");
	/* as `bosk done` writes it, or alone */
	const struct json_t *in = json_get(said, "failure_details") ? json_get(said, "failure_details") : said;
	const char *type = json_get_text(in, "error_type"), *id = json_get_text(in, "task_id");
	const char *message = json_get_text(in, "message"), *why = message ? message : json_get_text(in, "reason");
	bool blocked = str_eq(status, "blocked");
	bool failed = blocked || str_eq(status, "failed") || str_eq(status, "error") || (!status && (type || (id && message)));

	if (!failed)
		return GO_ON;
	if (id && strv_has(&r->t->step_ids, id))
		mem_set(&r->step_red, id);
	else if (id)
		strv_addf(&r->s->notes, "it names the step \"%.80s\", which the solution has not", id);
	why = why ? why : status ? status : "it failed";
	return attempt_over(r, blocked ? "blocked" : "failed", "the agent says: %.*s%s%.80s%s", SAYS_MAX, why,
	                    type ? " (" : "", type ? type : "", type ? ")" : "");
}

bool solution_is_result(const struct json_t *said)
{
	static const char *const keys[] = {"summary",     "files_modified", "tasks_completed", "error_type",
	                                   "solution_id", "tests_passed",   "failure_details"};

	for (size_t i = 0; i < MEM_COUNT(keys); i++)
		if (json_get(said, keys[i]))
			return true;
	return (json_get(said, "task_id") && json_get(said, "message")) || (json_get(said, "status") && json_get(said, "reason"));
}

enum step solution_read(struct attempt *r, const struct str *output)
{
	AUTO_STR struct str file = {0};
	struct err e = {0};
	size_t n = 0;
	const char *text = said_find(r, output, &file, &n);

	if (r->result_too_large)
		strv_addf(&r->s->notes, "its result is larger than %d KiB and was not looked at", RESULT_MAX >> 10);
	if (!text)
		return GO_ON;
	size_t at = strspn(text, " \t\r\n");
	struct json_t *said = at < n && text[at] == '{' ? json_parse(text, n, &e) : NULL;
	if (!said) {
		strv_addf(&r->s->notes, "its result is not used: %s", e.kind ? e.text : "it is no JSON object");
		return GO_ON;
	}
	/* The file is there for this one only. */
	bool ours = file.len > 0 || solution_is_result(said);
	enum step step = ours ? judge(r, said) : GO_ON;
	if (ours)
		keep(r, text, n, step == OVER);
	json_free(said);
	return step;
}

/* ---- outside ---- */

void solution_write(const struct attempt *r, struct json_t *task)
{
	const struct msg_task *t = r->t;
	struct json_t *steps;

	if (!solution_is(t))
		return;
	json_put_text(task, "issue", t->issue);
	json_put_text(task, "solution", t->solution);
	steps = json_list();
	for (size_t i = 0; i < t->step_ids.n; i++) {
		struct json_t *step = json_map();
		json_put_text(step, "id", t->step_ids.v[i]);
		json_put_text(step, "title", i < t->step_titles.n ? t->step_titles.v[i] : NULL);
		json_add(steps, step);
	}
	json_put(task, "steps", steps);
	json_put_text(task, "step", r->step == SIZE_MAX ? NULL : t->step_ids.v[r->step]);
}

void solution_report(struct attempt *r, struct msg_result *m)
{
	bool failed = str_eq(r->outcome, "failed") || str_eq(r->outcome, "blocked") || str_eq(r->outcome, "timeout");

	m->told = r->told;
	if (!failed)
		return;
	if (!r->step_red && r->step != SIZE_MAX && !r->as_whole)
		r->step_red = mem_strdup(r->t->step_ids.v[r->step]);
	if (!r->step_red)
		return;
	AUTO_FREE char *reason = mem_steal(&r->reason);
	r->reason = mem_printf("step %s: %s", r->step_red, reason ? reason : "");
	m->reason = r->reason;
	m->step = r->step_red;
}
