/* bosk land [SID] */
#include <stdio.h>

#include "cmd.h"
#include "store/base/log.h"
#include "supervisor/land.h"
#include "supervisor/land_pr.h"
#include "supervisor/recover.h"

static const struct cmd_option options[] = {
	{"merge", 0, NULL, "merge onto the target branch", false},
	{"keep", 0, NULL, "leave the integration branch where it is", false},
	{"force-red", 0, NULL, "land although gates are red on the tip", false},
	{"pr", 0, NULL, "push the integration branch and open a pull request", false},
	{"draft", 0, NULL, "the pull request as a draft", false},
	{"task", 0, "ID", "only this task", true},
	{"fetch", 0, NULL, "bring the target up to date first", true},
};

static bool not_landed(const struct site *site, const char *sid, const struct manifest_row *m)
{
	(void)site;
	(void)sid;
	return !m->landed;
}

static bool has_gates(const struct session *s)
{
	struct config config = {0};
	struct plan_faults faults = {0};
	bool has = config_load_sources(&config, &s->row.config, &faults) == 0 && config.n_gates;

	plan_faults_fini(&faults);
	config_fini(&config);
	return has;
}

/* By the settings as they are now: what was wrong with them may be why it is done again. */
static int land_by_pr(const struct cmd_line *l, struct session *s, struct land_result *out, int *code, struct err *e)
{
	struct config config = {0};

	*code = cmd_config(l, s->site, &config);
	if (*code != 0)
		return 0;
	int rc = land_pr_by(s, &config, cmd_flag(l, "draft") || config.pr_draft, out, e);
	config_fini(&config);
	return rc;
}

static int land(const struct cmd_line *l, struct session *s, struct err *e)
{
	struct land_result result = {0};
	bool given = cmd_flag(l, "merge") || cmd_flag(l, "keep") || cmd_flag(l, "pr");
	bool pr = cmd_flag(l, "pr") || (!given && str_eq(s->row.land, "pr"));
	bool merge = cmd_flag(l, "merge") || (!given && str_eq(s->row.land, "merge"));
	const char *gates = s->manifest.final_gates;
	int rc = 0, code = 0;

	if (cmd_flag(l, "draft") && !pr) {
		log_error("--draft goes with --pr");
		return 2;
	}

	if (str_eq(session_state(s->site, s->sid, &s->manifest), "running")) {
		/* The manifest says running and the lock was free: its owner is dead. */
		log_error("session %s was interrupted: bosk resume %s first", s->sid, s->sid);
		return 2;
	}
	if ((merge || pr) && gates && !str_eq(gates, "pass") && !cmd_flag(l, "force-red")) {
		log_error("the gates are red on the tip (%s): not landed; --force-red lands all the same",
		          s->manifest.final_reason ? s->manifest.final_reason : gates);
		return 1;
	}
	/* One that continued another and added nothing: they passed on what it began at. */
	bool as_begun = s->manifest.preflight_done && str_eq(s->tip, s->row.tip);
	if ((merge || pr) && !gates && !as_begun && !cmd_flag(l, "force-red") && has_gates(s)) {
		log_error("the gates have not run on this tip, so it is not landed: bosk resume %s ends the session "
		          "with them; --force-red lands all the same", s->sid);
		return 1;
	}
	if (merge)
		rc = land_merge(s, &result, e);
	else if (pr)
		rc = land_by_pr(l, s, &result, &code, e);
	else
		land_keep(s, &result);
	if (rc == 0 && code == 0) {
		str_addc(&result.text, '\n');
		cmd_show(&result.text, result.done ? stdout : stderr);
	}
	str_fini(&result.text);
	if (code != 0)
		return code;
	return rc != 0 ? cmd_fail(e) : result.done ? 0 : 1;
}

static int run(const struct cmd_line *l)
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
	int code = rc == 0 ? land(l, &s, &e) : cmd_fail(&e);
	session_fini(&s);
	site_close(&site);
	return code;
}

const struct cmd cmd_land_entry = {.name = "land",
                                   .args = "[SID]",
                                   .summary = "bring a session's work to its target branch",
                                   .details =
	"Without --merge, --pr or --keep it is done as the session was told (--land, or the setting land).\n"
	"A merge into a branch that you have checked out changes your files: it is done only when that\n"
	"checkout is clean, all or nothing. --pr pushes to pr.remote, never by force, and runs pr.command\n"
	"as it is set now; called again it asks what is there first, and opens no second one.\n",
                                   CMD_OPTIONS(options),
                                   .max_rest = 1,
                                   .run = run};
