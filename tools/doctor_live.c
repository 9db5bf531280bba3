/* doctor_live: a session of tasks that are never started: one for each agent, and one for each worktree. */
#include "doctor_live.h"

#include <stdlib.h>

#include "batch.h"
#include "store/base/log.h"
#include "store/base/mem.h"
#include "store/json.h"
#include "supervisor/agents.h"
#include "supervisor/config_agents.h"
#include "supervisor/supervisor.h"

/* Those that the configuration names; where it names none, all that are here. */
static void find_agents(const struct config *cfg, struct strv *out)
{
	AUTO_STRV struct strv names = {0};

	config_agents_get_own(cfg, &names);
	if (*cfg->agent && !strv_has(&names, cfg->agent))
		strv_add(&names, cfg->agent);
	if (!names.n)
		config_agents_get_names(cfg, &names);
	for (size_t i = 0; i < names.n; i++) {
		const struct msg_agent *def = agents_def(cfg, names.v[i], cfg->agent);
		AUTO_FREE char *missing = def ? agents_missing(def) : NULL;
		if (def && !missing && !agents_wants_command(def))
			strv_add(out, def->name);
	}
}

static struct json_t *add_task(struct json_t *tasks, const char *id, size_t n)
{
	struct json_t *task = json_map();
	AUTO_FREE char *name = mem_printf("%s-%zu", id, n);

	json_put_text(task, "id", name);
	json_add(tasks, task);
	return task;
}

static int make_plan(struct plan *out, const struct config *cfg, struct err *e)
{
	struct json_t *plan = json_map(), *tasks = json_list();
	AUTO_STR struct str text = {0}, why = {0};
	AUTO_STRV struct strv agents = {0};
	struct plan_faults faults = {0};

	find_agents(cfg, &agents);
	for (size_t i = 0; i < agents.n; i++) {
		struct json_t *task = add_task(tasks, "agent", i + 1);
		json_put_text(task, "agent", agents.v[i]);
		json_put_text(task, "prompt", "ready");
	}
	for (size_t i = 0; i < cfg->jobs; i++)
		json_put_text(add_task(tasks, "room", i + 1), "run", "true");
	json_put(plan, "tasks", tasks);
	json_write(plan, false, &text);
	json_free(plan);
	int rc = plan_load_text(out, "doctor", text.p, text.len, NULL, &faults);
	if (rc != 0) {
		plan_faults_print(&faults, &why);
		err_set(e, ERR_BUG, "%s", str_text(&why));
	}
	plan_faults_fini(&faults);
	return rc;
}

/* The code, and what stood in the way as a line of its own. */
static int look(const struct cmd_line *l, struct batch *b, struct site *site, void (*say)(const char *mark, const char *text))
{
	const struct supervisor_options options = {.told = say, .quiet = log_get() == LOG_QUIET};
	struct session s = {.lock_fd = -1};
	struct plan plan = {0};
	struct err e = {0};
	bool over = false;
	int code = 4;

	int rc = batch_options(b, l, &e);
	if (rc == 0)
		rc = make_plan(&plan, &b->config, &e);
	b->create.live = true;
	if (rc == 0)
		rc = create_session(&s, site, &plan, &b->create, &e);
	if (rc == 0)
		code = supervisor_run(&over, &s, &b->config, NULL, &options);
	else
		say("FAIL", e.text);
	session_fini(&s);
	plan_fini(&plan);
	return code;
}

int doctor_live(const struct cmd_line *l, void (*say)(const char *mark, const char *text))
{
	struct batch b = {0};
	struct site site = {0};
	struct err e = {0};
	int code = 4;

	if (getenv("BOSK_TASK")) {
		say("FAIL", "bosk doctor --live inside a task is refused: a task must not start agents");
		return 2;
	}
	if (site_open(&site, l->dir, SITE_WRITE, &e) != 0)
		say("FAIL", e.text);
	else if (cmd_config(l, &site, &b.config) == 0)
		code = look(l, &b, &site, say);
	site_close(&site);
	batch_fini(&b);
	return code;
}
