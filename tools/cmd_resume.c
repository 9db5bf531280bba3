/* bosk resume [SID] */
#include <stdio.h>

#include "ask.h"
#include "batch.h"
#include "store/base/log.h"
#include "store/base/mem.h"
#include "supervisor/agents.h"
#include "supervisor/own.h"
#include "supervisor/recover.h"
#include "supervisor/status.h"

static const struct cmd_option options[] = {
	{"all", 0, NULL, "every session that can go on, in turn"},
	{"jobs", 'j', "N", "worktrees of this session from now on"},
	{"executor", 0, "CMD", "shell command for tasks with a prompt from now on"},
	{"json", 0, NULL, "events as JSON lines on stdout"},
	{"agent", 0, "NAME", "agent for tasks with a prompt from now on"},
	{"autonomy", 0, "full", "agents may do whatever you may, from now on"},
	{"max-time", 0, "D", "nothing new after this time of each call from now on; 0 = no limit"},
	{"budget-usd", 0, "X", "most cost of the whole session from now on; 0 = no limit"},
};

/* Options given now count from now on, also for a later resume. */
static int change(const struct cmd_line *l, struct session *s, const struct config *cfg, struct err *e)
{
	const char *executor = cmd_value(l, "executor"), *agent = cmd_value(l, "agent");
	struct db_batch batch = {0};
	uint64_t jobs, time = s->row.max_time_ms, budget = s->row.budget_micro;
	bool full;

	if (batch_full(l, &full, e) != 0 || batch_most(l, &time, &budget, e) != 0 ||
	    cmd_number(l, "jobs", 1, 64, s->row.jobs, &jobs, e) != 0)
		return -1;
	AUTO_FREE char *unknown = agent ? agents_fault(cfg, agent) : NULL;
	if (unknown)
		return err_set(e, ERR_USAGE, "--agent: %s", unknown);
	if (!executor && !agent && !full && jobs == s->row.jobs && time == s->row.max_time_ms && budget == s->row.budget_micro)
		return 0;
	if (s->manifest.borrowed && jobs > 1)
		return err_set(e, ERR_USAGE, "--jobs %llu: session %s works in %s, one task at a time",
		               (unsigned long long)jobs, s->sid, s->manifest.borrowed);
	/* The one for merges stays the last. */
	struct strv *paths = &s->manifest.worktrees;
	AUTO_FREE char *merges = session_merge_slot(s) == SIZE_MAX ? NULL : strv_pop(paths);
	for (uint64_t n = own_slots(s) + 1; n <= jobs; n++)
		strv_addf(paths, "%s/%s-%llu", s->row.worktrees_dir, s->sid, (unsigned long long)n);
	if (merges)
		strv_add(paths, merges);
	s->row.jobs = jobs;
	s->row.max_time_ms = time;
	s->row.budget_micro = budget;
	if (executor) /* "": none any more */
		mem_set(&s->row.executor, *executor ? executor : NULL);
	if (agent)
		mem_set(&s->row.agent, agent);
	s->row.full |= full;
	rows_put(&batch, DB_sessions, s->sid, &session_row_rec, &s->row);
	rows_put(&batch, DB_manifest, s->sid, &manifest_row_rec, &s->manifest);
	int rc = db_batch_write(s->site->db, &batch, e);
	db_batch_clear(&batch);
	return rc;
}

/* It was lost with the store: what has a prompt could not be done. */
static int check_executor(const struct session *s, const struct config *cfg, struct err *e)
{
	if (s->row.executor)
		return 0;
	for (size_t i = 0; i < s->plan.n; i++) {
		const struct task_def *d = &s->plan.tasks[i];
		const struct msg_agent *agent = agents_def(cfg, agents_of(d, s->row.agent), s->row.agent);
		if ((d->prompt || d->texts) && !task_state_ended(session_task_state(s, i)) && plan_end(d) == TASK_WAITING &&
		    (!agent || agents_wants_command(agent)))
			return err_set(e, ERR_USAGE, "task %s needs an agent, and session %s knows none any more: bosk resume %s "
			               "--agent NAME, or --executor CMD", d->id, s->sid, s->sid);
	}
	return 0;
}

static int check_agents(const struct session *s, const struct config *cfg, struct err *e)
{
	struct create_options o = {.executor = s->row.executor, .agent = s->row.agent, .config = cfg};
	return create_check_agents(&s->plan, &o, s, e);
}

static int go_on(const struct cmd_line *l, struct session *s)
{
	struct config config = {0};
	struct recovery recovery = {0};
	struct err e = {0};
	int code = cmd_config_kept(s, &config);

	if (code != 0)
		goto done;
	if (change(l, s, &config, &e) != 0 || check_executor(s, &config, &e) != 0 || check_agents(s, &config, &e) != 0 ||
	    (!batch_only_lands(s) && recover_session(s, &recovery, &e) != 0)) {
		code = cmd_fail(&e);
	} else {
		if (!cmd_flag(l, "all"))
			batch_sweep(s->site, &config); /* the others: this one is held */
		code = batch_work(s, &config, &recovery, cmd_flag(l, "json"));
	}
done:
	recover_fini(&recovery);
	config_fini(&config);
	return code;
}

int cmd_resume_kept(const struct cmd_line *l)
{
	if (!l->config.n)
		return 0;
	log_error("-c %s: a session keeps the settings it began with", l->config.v[0]);
	return 2;
}

int cmd_resume_session(const struct cmd_line *l, struct site *site, const char *sid)
{
	struct session s = {.lock_fd = -1};
	struct err e = {0};
	AUTO_STR struct str counts = {0};
	int code;

	if (session_load_locked(&s, site, sid, &e) != 0) {
		code = cmd_fail(&e);
	} else if (str_eq(s.manifest.state, "done") || str_eq(s.manifest.state, "failed")) {
		status_counts(&s, &counts);
		log_info("session %s is over (%s): %s; nothing to resume", sid, s.manifest.state, counts.p);
		code = batch_ended(&s);
	} else {
		code = go_on(l, &s);
	}
	session_fini(&s);
	return code;
}

static int resume_all(const struct cmd_line *l, struct site *site)
{
	AUTO_STRV struct strv ids = {0};
	struct err e = {0};
	int worst = 0;

	if (session_list(site, &ids, &e) != 0)
		return cmd_fail(&e);
	for (size_t i = 0; i < ids.n; i++) {
		struct manifest_row m;
		if (session_manifest(site, ids.v[i], &m, &e) != 0)
			continue;
		bool fits = session_resumable(site, ids.v[i], &m);
		rec_fini(&manifest_row_rec, &m);
		int code = fits ? cmd_resume_session(l, site, ids.v[i]) : 0;
		worst = code > worst ? code : worst;
		if (code > 128)
			break; /* stopped by a signal: that is meant for all of them */
	}
	return worst;
}

static int run(const struct cmd_line *l)
{
	struct site site = {0};
	struct err e = {0};
	char sid[SEAL_SID];
	int code = 0;

	if (getenv("BOSK_TASK")) {
		log_error("bosk resume inside a task (BOSK_TASK=%s) is refused", getenv("BOSK_TASK"));
		return 2;
	}
	if (cmd_resume_kept(l) != 0)
		return 2;
	if (cmd_flag(l, "all") && cmd_word(l, 0)) {
		log_error("--all or a session, not both");
		return 2;
	}
	int rc = cmd_git(&e);
	if (rc == 0)
		rc = site_open(&site, l->dir, SITE_CHECK, &e);
	if (rc == 0 && !cmd_flag(l, "all"))
		rc = session_find(&site, cmd_word(l, 0), "resume", session_resumable, sid, &e);
	site_close(&site);
	if (rc == 0)
		rc = ask_full(l, &e);
	if (rc == 0)
		rc = site_open(&site, l->dir, SITE_WRITE, &e);
	if (rc != 0)
		code = cmd_fail(&e);
	else
		code = cmd_flag(l, "all") ? resume_all(l, &site) : cmd_resume_session(l, &site, sid);
	site_close(&site);
	return code;
}

const struct cmd cmd_resume_entry = {.name = "resume",
                                     .args = "[SID]",
                                     .summary = "go on with an interrupted or stopped session",
                                     .details =
	"What was integrated stays; what was cut off is begun again, its work so far is kept on refs.\n"
	"The plan and the settings are those of the session: changed files do not count.\n",
                                     CMD_OPTIONS(options),
                                     .max_rest = 1,
                                     .run = run};
