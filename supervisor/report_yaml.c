/* report_yaml: execution_result, as the segments' own phase gives it to the next one (formats.md 0-3). Its keys come
 * first and in its order; what it has no word for follows them. */
#include <string.h>

#include "config.h"
#include "status.h"
#include "store/base/mem.h"
#include "yaml_write.h"

static void put(struct str *out, const char *key, const char *text)
{
	str_addf(out, "      %s: ", key);
	yaml_write_text(out, text);
	str_addc(out, '\n');
}

/* What the gate came to; NULL = it did not run. Points into `gates`. */
static const char *verdict(const struct strv *gates, const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < gates->n; i++) {
		const char *split = strrchr(gates->v[i], '=');
		if (split && (size_t)(split - gates->v[i]) == n && strncmp(gates->v[i], name, n) == 0)
			return split + 1;
	}
	return NULL;
}

static bool passed(const char *word)
{
	return str_eq(word, "pass") || str_eq(word, "skipped");
}

/* Names of the gates that are to pass for this task, in their order. */
static void gates_of(const struct config *c, const struct task_def *d, struct strv *out)
{
	for (size_t i = 0; i < c->n_gates; i++)
		if (!d->gates_given || strv_has(&d->gates, c->gates[i].name))
			strv_add(out, c->gates[i].name);
}

/* Every gate that should have run and did not is no pass: its evidence is missing. */
static bool add_validation(struct str *out, const struct strv *wanted, const struct strv *gates)
{
	static const char *const names[] = {"lint", "types", "tests", "build", "security"};
	bool all = true;

	str_add(out, "      validation:\n");
	for (size_t i = 0; i < MEM_COUNT(names); i++) {
		const char *came_to = verdict(gates, names[i]);
		bool good = came_to ? passed(came_to) : !strv_has(wanted, names[i]);
		str_addf(out, "        %s: %s\n", names[i], good ? "pass" : "fail");
		all = all && good;
	}
	for (size_t i = 0; i < wanted->n; i++)
		all = all && passed(verdict(gates, wanted->v[i]));
	return all;
}

static void add_verdicts(struct str *out, const struct strv *wanted, const struct strv *gates)
{
	str_add(out, wanted->n ? "      verdicts:\n" : "      verdicts: {}\n");
	for (size_t i = 0; i < wanted->n; i++) {
		const char *came_to = verdict(gates, wanted->v[i]);
		str_add(out, "        ");
		yaml_write_text(out, wanted->v[i]);
		str_add(out, ": ");
		yaml_write_text(out, came_to ? came_to : "not-run");
		str_addc(out, '\n');
	}
}

static void add_flaky(struct str *out, const struct strv *flaky)
{
	for (size_t i = 0; i < flaky->n; i++) {
		AUTO_FREE char *name = mem_strdup(flaky->v[i]);
		char *note = strrchr(name, '=');
		if (note)
			*note++ = '\0';
		str_add(out, i ? "        " : "      flaky:\n        ");
		yaml_write_text(out, name);
		str_add(out, ": ");
		yaml_write_text(out, note);
		str_addc(out, '\n');
	}
}

static void add_segment(struct str *out, const struct session *s, const struct config *config, size_t i)
{
	const struct task_row *row = &s->tasks[i];
	const struct task_def *d = &s->plan.tasks[i];
	enum task_state state = session_task_state(s, i);
	bool complete = state == TASK_INTEGRATED || state == TASK_LANDED;
	AUTO_STRV struct strv wanted = {0};

	gates_of(config, d, &wanted);
	str_add(out, "    - id: ");
	yaml_write_text(out, d->id);
	str_addc(out, '\n');
	put(out, "status", complete ? "complete" : "failed");
	bool all = add_validation(out, &wanted, &row->gates);
	put(out, "branch", row->branch ? row->branch : d->branch);
	put(out, "commit", row->commit);
	str_addf(out, "      ready_for_pr: %s\n", complete && all && row->commit ? "true" : "false");
	put(out, "state", session_task_shown(s, i));
	put(out, "reason", row->reason);
	add_verdicts(out, &wanted, &row->gates);
	if (row->red)
		put(out, "red_gate", row->red);
	if (row->red)
		put(out, "red_gate_output", row->red_said);
	add_flaky(out, &row->flaky);
	str_addf(out, "      attempts: %llu\n", (unsigned long long)row->attempts);
	str_addf(out, "      seconds: %llu.%03llu\n", (unsigned long long)(row->ran_ms / 1000),
	         (unsigned long long)(row->ran_ms % 1000));
	put(out, "log", row->log);
	put(out, "kept", row->kept);
	if (d->wave)
		str_addf(out, "      wave: %llu\n", (unsigned long long)d->wave);
	else
		put(out, "wave", NULL);
	put(out, "model", d->model);
}

int report_yaml(struct session *s, struct str *out, struct err *e)
{
	struct config config = {0};
	struct plan_faults faults = {0};

	if (config_load_sources(&config, &s->row.config, &faults) != 0) {
		plan_faults_fini(&faults);
		return err_set(e, ERR_ENV, "the configuration kept with session %s is not understood", s->sid);
	}
	str_add(out, "execution_result:\n  segments:\n");
	for (size_t i = 0; i < s->plan.n; i++)
		add_segment(out, s, &config, i);
	str_add(out, s->row.excused.n ? "  excused:\n" : "  excused: []\n");
	for (size_t i = 0; i < s->row.excused.n; i++) {
		str_add(out, "    - ");
		yaml_write_text(out, s->row.excused.v[i]);
		str_addc(out, '\n');
	}
	str_add(out, "  session: ");
	yaml_write_text(out, s->sid);
	str_add(out, "\n  state: ");
	yaml_write_text(out, session_state(s->site, s->sid, &s->manifest));
	str_add(out, "\n  integration_branch: ");
	yaml_write_text(out, s->manifest.integration_branch);
	str_add(out, "\n  integration_tip: ");
	yaml_write_text(out, s->tip);
	str_add(out, "\n  final_gates: ");
	yaml_write_text(out, s->manifest.final_gates);
	str_addc(out, '\n');
	config_fini(&config);
	return 0;
}
