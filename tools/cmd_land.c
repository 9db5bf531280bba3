/* bosk land [SID] */
#include <stdio.h>

#include "cmd.h"
#include "store/base/log.h"
#include "supervisor/land.h"
#include "supervisor/recover.h"

static const struct cmd_option options[] = {
	{"merge", 0, NULL, "merge onto the target branch", false},
	{"keep", 0, NULL, "leave the integration branch where it is", false},
	{"force-red", 0, NULL, "land although gates are red on the tip", false},
	{"pr", 0, NULL, "push and open a pull request", true},
	{"draft", 0, NULL, "as a draft", true},
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

static int land(const struct cmd_line *l, struct session *s, struct err *e)
{
	struct land_result result = {0};
	bool merge = cmd_flag(l, "merge") || (!cmd_flag(l, "keep") && str_eq(s->row.land, "merge"));
	const char *gates = s->manifest.final_gates;
	int rc = 0;

	if (str_eq(session_state(s->site, s->sid, &s->manifest), "running")) {
		/* The manifest says running and the lock was free: its owner is dead. */
		log_error("session %s was interrupted: bosk resume %s first", s->sid, s->sid);
		return 2;
	}
	if (merge && gates && !str_eq(gates, "pass") && !cmd_flag(l, "force-red")) {
		log_error("the gates are red on the tip (%s): not landed; --force-red lands all the same",
		          s->manifest.final_reason ? s->manifest.final_reason : gates);
		return 1;
	}
	/* One that continued another and added nothing: they passed on what it began at. */
	bool as_begun = s->manifest.preflight_done && str_eq(s->tip, s->row.tip);
	if (merge && !gates && !as_begun && !cmd_flag(l, "force-red") && has_gates(s)) {
		log_error("the gates have not run on this tip, so it is not landed: bosk resume %s ends the session "
		          "with them; --force-red lands all the same", s->sid);
		return 1;
	}
	if (merge)
		rc = land_merge(s, &result, e);
	else
		land_keep(s, &result);
	if (rc == 0) {
		str_addc(&result.text, '\n');
		cmd_show(&result.text, result.done ? stdout : stderr);
	}
	int code = rc != 0 ? cmd_fail(e) : result.done ? 0 : 1;
	str_fini(&result.text);
	return code;
}

static int run(const struct cmd_line *l)
{
	struct site site = {0};
	struct session s = {.lock_fd = -1};
	struct err e = {0};
	char sid[SEAL_SID];

	if (cmd_flag(l, "merge") && cmd_flag(l, "keep")) {
		log_error("--merge or --keep, not both");
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
	"Without --merge or --keep it is done as the session was told (--land, or the setting land). A\n"
	"merge into a branch that you have checked out changes your files: it is done only when that\n"
	"checkout is clean, all or nothing.\n",
                                   CMD_OPTIONS(options),
                                   .max_rest = 1,
                                   .run = run};
