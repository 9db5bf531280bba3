/* bosk land [SID] */
#include <stdio.h>

#include "ask.h"
#include "cmd.h"
#include "store/base/log.h"
#include "store/base/mem.h"
#include "supervisor/land.h"
#include "supervisor/recover.h"

static const struct cmd_option options[] = {
	{"merge", 0, NULL, "merge onto the target branch"},
	{"ask", 0, NULL, "ask which of them, on a terminal"},
	{"keep", 0, NULL, "leave the integration branch where it is"},
	{"force-red", 0, NULL, "land although gates are red on the tip"},
	{"pr", 0, NULL, "push the branch and open a pull request"},
	{"draft", 0, NULL, "the pull request as a draft"},
	{"task", 0, "ID", "only this task (may be given more than once)"},
	{"fetch", 0, NULL, "fetch the target's upstream first, and merge onto that"},
};

static bool not_landed(const struct site *site, const char *sid, const struct manifest_row *m)
{
	(void)site;
	(void)sid;
	return !m->landed;
}

static int land(const struct land_ask *ask, struct session *s, const struct config *cfg, struct err *e)
{
	struct land_result result = {0};

	int rc = land_session(s, cfg, ask, &result, e);
	if (rc == 0) {
		str_addc(&result.text, '\n');
		cmd_show(&result.text, result.done ? stdout : stderr);
	}
	int code = rc != 0 ? cmd_fail(e) : result.done ? 0 : 1;
	str_fini(&result.text);
	return code;
}

/* The settings are those that the session began with. */
static int by_its_config(const struct land_ask *ask, struct session *s, struct err *e)
{
	struct config config = {0};

	int code = cmd_config_kept(s, &config);
	if (code == 0)
		code = land(ask, s, &config, e);
	config_fini(&config);
	return code;
}

/* A pull request goes by the settings as they are now: what was wrong with them may be why it is done again. */
static int by_config(const struct cmd_line *l, const struct land_ask *ask, struct session *s, struct err *e)
{
	struct config config = {0};

	int code = cmd_config(l, s->site, &config);
	if (code == 0)
		code = land(ask, s, &config, e);
	config_fini(&config);
	return code;
}

static int with_session(const struct cmd_line *l, struct session *s, struct err *e)
{
	AUTO_STRV struct strv tasks = {0};
	AUTO_FREE char *told = mem_strdup(land_how(s));
	const char *how = cmd_flag(l, "merge") ? "merge" : cmd_flag(l, "keep") ? "keep" : cmd_flag(l, "pr") ? "pr" : told;
	bool pr = str_eq(how, "pr");
	struct land_ask ask = {.how = how,
	                       .tasks = &tasks,
	                       .fetch = cmd_flag(l, "fetch"),
	                       .draft = cmd_flag(l, "draft"),
	                       .force_red = cmd_flag(l, "force-red")};

	if (ask.draft && !pr) {
		log_error("--draft goes with --pr");
		return 2;
	}
	if (str_eq(s->manifest.state, "running")) { /* and the lock was free: its owner is dead */
		log_error("session %s was interrupted: bosk resume %s first", s->sid, s->sid);
		return 2;
	}
	cmd_values(l, "task", &tasks);
	return pr ? by_config(l, &ask, s, e) : by_its_config(&ask, s, e);
}

static int run_with(const struct cmd_line *l)
{
	struct site site = {0};
	struct session s = {.lock_fd = -1};
	struct err e = {0};
	char sid[SEAL_SID];

	if (cmd_flag(l, "merge") + cmd_flag(l, "keep") + cmd_flag(l, "pr") > 1) {
		log_error("--merge, --pr or --keep: one of them");
		return 2;
	}
	int rc = cmd_git(&e);
	if (rc == 0)
		rc = site_open(&site, l->dir, SITE_CHECK, &e);
	if (rc == 0)
		rc = session_find(&site, cmd_word(l, 0), "land", not_landed, sid, &e);
	site_close(&site);
	if (rc == 0)
		rc = site_open(&site, l->dir, SITE_WRITE, &e);
	if (rc == 0)
		rc = session_load_locked(&s, &site, sid, &e);
	int code = rc == 0 ? with_session(l, &s, &e) : cmd_fail(&e);
	session_fini(&s);
	site_close(&site);
	return code;
}

static int run(const struct cmd_line *l)
{
	return cmd_flag(l, "ask") ? ask_land(l, run_with) : run_with(l);
}

const struct cmd cmd_land_entry = {.name = "land",
                                   .args = "[SID]",
                                   .summary = "bring a session's work to its target branch",
                                   .details =
	"Without --merge, --pr or --keep it is done as the session was told (--land, the plan's land, or\n"
	"the setting land). A merge into a branch that you have checked out changes your files: it is done\n"
	"only when that checkout is clean, all or nothing. When the target has moved since, the gates run\n"
	"on the two together first, and on what somebody committed on the branch after the session's end;\n"
	"a target that was rewritten since is left alone. Where nothing may be touched it is not landed\n"
	"(exit 1), and the setting land_fallback says whether a pull request is made instead. After it\n"
	"only what the target holds is removed; the rest is listed. --pr pushes to pr.remote, never by\n"
	"force, and runs pr.command as it is set now; called again it asks what is there first, and opens\n"
	"no second one.\n",
                                   CMD_OPTIONS(options),
                                   .max_rest = 1,
                                   .run = run};
