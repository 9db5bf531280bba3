/* bosk gc: what dead sessions left is saved and removed. */
#include <stdio.h>
#include <stdlib.h>

#include "cmd.h"
#include "store/base/log.h"
#include "store/base/mem.h"
#include "supervisor/config.h"
#include "supervisor/orphans/prune.h"
#include "supervisor/orphans/strays.h"
#include "supervisor/queue/release.h"
#include "supervisor/status.h"

static const struct cmd_option options[] = {
	{"max-age", 0, "D", "sessions without an event for so long (default: the settings orphans.*)"},
	{"dry-run", 'n', NULL, "say what would be done"},
	{"kill", 0, NULL, "end processes that dead sessions left running"},
	{"sessions", 0, NULL, "forget landed sessions of that age, with their logs"},
};

static int rule_of(const struct cmd_line *l, const struct config *c, struct orphans_rule *out, struct err *e)
{
	const char *age = cmd_value(l, "max-age");
	uint64_t ms;

	*out = (struct orphans_rule){.max_age_ms = c->orphan_max_age_ms,
	                             .resumable_max_age_ms = c->orphan_resumable_max_age_ms,
	                             .dry_run = cmd_flag(l, "dry-run"),
	                             .begun = !cmd_flag(l, "sessions")};
	if (!age)
		return 0;
	if (!str_duration_ms(age, &ms))
		return err_set(e, ERR_USAGE, "--max-age takes a duration such as 90s, 5m, 4h or 2d, not '%s'", age);
	out->max_age_ms = out->resumable_max_age_ms = ms;
	out->kept = true;
	return 0;
}

static void print(const struct strv *lines)
{
	AUTO_STR struct str text = {0};

	for (size_t i = 0; i < lines->n; i++)
		str_addf(&text, "%s\n", lines->v[i]);
	cmd_print(&text);
}

/* Each part says what it did before the next one begins. */
static int clean(const struct cmd_line *l, struct site *site, const struct orphans_rule *rule, struct err *e)
{
	AUTO_STRV struct strv strays = {0}, claims = {0};
	AUTO_STR struct str dead = {0};
	struct orphans_said cleaned = {0}, pruned = {0};
	int rc = 0;

	if (cmd_flag(l, "kill") && !rule->dry_run)
		rc = strays_end_all(site, &strays, e);
	print(&strays);
	if (rc == 0)
		rc = orphans_clean(site, rule, &cleaned, e);
	print(&cleaned.lines);
	if (rc == 0)
		rc = prune_sessions(site, rule, &pruned, e);
	print(&pruned.lines);
	if (rc == 0)
		rc = release_orphans(site, rule->max_age_ms, rule->dry_run, &claims, e);
	print(&claims);
	if (rc == 0)
		rc = status_dead(site, false, &dead, e);
	cmd_print(&dead);
	if (rc == 0 && !strays.n && !cleaned.lines.n && !pruned.lines.n && !claims.n && !dead.len)
		log_info("there is nothing to clean");
	int code = rc != 0 ? cmd_fail(e) : cleaned.failed ? 1 : 0;
	orphans_said_fini(&cleaned);
	orphans_said_fini(&pruned);
	return code;
}

static int run(const struct cmd_line *l)
{
	struct site site = {0};
	struct config config = {0};
	struct orphans_rule rule;
	struct err e = {0};

	if (getenv("BOSK_TASK")) {
		log_error("bosk gc inside a task (BOSK_TASK=%s) is refused", getenv("BOSK_TASK"));
		return 2;
	}
	int rc = cmd_git(&e);
	if (rc == 0)
		rc = site_open(&site, l->dir, SITE_CHECK, &e);
	int code = rc == 0 ? cmd_config(l, &site, &config) : cmd_fail(&e);
	if (!code && rule_of(l, &config, &rule, &e) != 0)
		code = cmd_fail(&e);
	bool store = site.db != NULL;
	site_close(&site);
	if (!code && !store)
		log_info("there is nothing to clean");
	if (!code && store) {
		rc = site_open(&site, l->dir, SITE_WRITE, &e);
		code = rc == 0 ? clean(l, &site, &rule, &e) : cmd_fail(&e);
		site_close(&site);
	}
	config_fini(&config);
	return code;
}

const struct cmd cmd_gc_entry = {.name = "gc",
                                 .args = "",
                                 .summary = "clean what dead sessions left",
                                 .details =
	"A session is an orphan when the process that owns it is dead and its last event is older than\n"
	"orphans.max_age (4h), or orphans.resumable_max_age (24h) when bosk resume can go on with it; with\n"
	"--max-age D all that are older than D. The work in its worktrees is saved first (bosk rescue list),\n"
	"then they are removed. It can still be resumed: its work is put back. Each bosk run does the same.\n"
	"What is not bosk's to remove - a locked worktree, a mount, a checkout that is lent - stays, with the\n"
	"reason; that is no failure. An item that bosk next gave to a process that died is pending again\n"
	"once the claim is older than orphans.max_age, or D. Forgetting (--sessions) that was cut off is\n"
	"ended by any gc.\n",
                                 CMD_OPTIONS(options),
                                 .run = run};
