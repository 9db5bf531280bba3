/* bosk doctor: is everything here that bosk needs, and what was left behind? Changes nothing, but that --live makes a
 * worktree for a while. */
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "cmd.h"
#include "doctor_agents.h"
#include "doctor_left.h"
#include "doctor_live.h"
#include "store/base/clock.h"
#include "store/base/fs.h"
#include "store/base/mem.h"
#include "supervisor/config.h"
#include "supervisor/create.h"
#include "supervisor/floor.h"
#include "supervisor/orphans/orphans.h"
#include "supervisor/queue/claimed.h"
#include "supervisor/status.h"
#include "worker/git.h"
#include "worker/planted.h"
#include "worker/sign.h"

static const struct cmd_option options[] = {
	{"live", 0, NULL, "a call to each account, setup and gates on the base, room"},
	{"config", 0, NULL, "every setting, and where its value came from"},
};

static struct strv wrong; /* what was said to fail */

static void line(const char *mark, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void line(const char *mark, const char *fmt, ...)
{
	AUTO_STR struct str text = {0}, shown = {0};
	va_list ap;
	va_start(ap, fmt);
	str_addv(&text, fmt, ap);
	va_end(ap);
	str_add_printable(&shown, text.p, text.len, true);
	printf("%-5s %s\n", mark, str_text(&shown));
	if (strcmp(mark, "FAIL") == 0)
		strv_add(&wrong, str_text(&shown));
}

static void say(const char *mark, const char *text)
{
	line(mark, "%s", text);
}

static void versions(void)
{
	struct utsname os;
	unsigned major, minor;
	struct err e = {0};

	uname(&os);
	line("ok", "bosk %s on %s %s %s", BOSK_VERSION, os.sysname, os.release, os.machine);
	if (git_version(&major, &minor, &e) == 0)
		line("ok", "git %u.%u", major, minor);
	else
		line("FAIL", "%s", e.text);
	line("ok", "%s; libsodium %s", db_version(), seal_version());
}

static void repository(struct site *site, const struct cmd_line *l)
{
	struct config config;
	struct strv excused = {0};
	struct create_base look;
	struct err e = {0};
	AUTO_STR struct str why = {0};

	line("ok", "repository %s", gitx_main_top(site->git));
	const char *caveat = gitx_merge_caveat(site->git);
	if (caveat)
		line("note", "merges go through the git command: %s", caveat);
	if (cmd_config(l, site, &config) != 0) {
		line("FAIL", "the configuration has faults");
		return;
	}
	struct create_options o = {.config = &config, .excused = &excused, .jobs = config.jobs};
	if (create_look(&look, site, &o, &e) == 0) {
		line("ok", "commits as %s", look.author);
		line("ok", "base %.12s, target %s", look.base.hex, look.target);
		line(look.fallback_dir ? "note" : "ok", "worktrees in %s", look.worktrees_dir);
		if (!floor_ok(&config, look.worktrees_dir, &why))
			line("FAIL", "%s", why.p);
	} else {
		line("FAIL", "%s", e.text);
	}
	create_base_fini(&look);
	line(config.n_gates ? "ok" : "note", "%zu gate%s configured", config.n_gates,
	     config.n_gates == 1 ? "" : "s");
	doctor_agents(&config, say);
	config_fini(&config);
}

/* Asks no signer: that may ask somebody for a word that opens its key. */
static void signing(struct site *site, const struct strv *known)
{
	AUTO_STRV struct strv sign = {0};
	struct err e = {0};

	if (sign_read(&sign, known, gitx_top(site->git), &e) != 0)
		line("FAIL", "%s", e.text);
	else if (!sign.n)
		line("ok", "commits are not signed (git's commit.gpgsign is not set)");
	else
		line("ok", "commits are signed (git's commit.gpgsign is set): %s, by %s, %s%s", sign_format(&sign),
		     sign_program(&sign), sign_key(&sign) ? "with key " : "with the key of their author",
		     sign_key(&sign) ? sign_key(&sign) : "");
}

/* What git may run in bosk's name in the sessions that start now (promise E2). */
static void programs(struct site *site)
{
	AUTO_STRV struct strv list = {0};
	struct err e = {0};

	if (planted_list(&list, gitx_common_dir(site->git), gitx_main_top(site->git), &e) != 0) {
		line("FAIL", "%s", e.text);
		return;
	}
	signing(site, &list);
	for (size_t i = 0; i < list.n; i++) {
		AUTO_FREE char *text = planted_text(list.v[i]);
		if (text && str_starts(text, "filter.") && !strstr(text, ".required = "))
			line("note", "git runs a filter: %s", text);
	}
}

static const char *why_kept(const struct manifest_row *m, const char *path, const char *state)
{
	if (strv_has(&m->held, path))
		return "it holds work that is nowhere else";
	if (str_eq(state, "running"))
		return "it is in use";
	if (str_eq(state, "interrupted") || str_eq(state, "stopped") || str_eq(state, "limited"))
		return "bosk resume goes on in it";
	return "it was to be kept, or could not be removed: see bosk report";
}

/* What sessions hold now: worktrees, locks, unfinished work, and why. */
static void leftovers(struct site *site)
{
	AUTO_STRV struct strv ids = {0}, kept = {0}, left = {0};
	AUTO_STR struct str dead = {0};
	struct err e = {0};

	if (session_list(site, &ids, &e) != 0) {
		line("FAIL", "%s", e.text);
		return;
	}
	for (size_t i = 0; i < ids.n; i++) {
		struct manifest_row m;
		AUTO_STR struct str age = {0};
		if (session_manifest(site, ids.v[i], &m, &e) != 0)
			continue;
		const char *state = session_state(site, ids.v[i], &m);
		clock_add_duration(&age, orphans_age_ms(&m));
		for (size_t n = 0; n < m.worktrees.n; n++)
			if (fs_is_dir(m.worktrees.v[n]) && !str_eq(m.worktrees.v[n], m.borrowed))
				line("note", "worktree %s, %.1f MiB, belongs to session %s (%s, last event %s ago): %s",
				     m.worktrees.v[n], (double)fs_tree_bytes(m.worktrees.v[n]) / (1 << 20), ids.v[i], state, age.p,
				     why_kept(&m, m.worktrees.v[n], state));
		rec_fini(&manifest_row_rec, &m);
	}
	doctor_left(site, &ids, &left);
	claimed_lines(site, &left, &e);
	for (size_t i = 0; i < left.n; i++)
		line("note", "%s", left.v[i]);
	if (status_dead(site, true, &dead, &e) == 0 && dead.len) {
		dead.p[dead.len - 1] = '\0';
		line("note", "%s", dead.p);
	}
	if (gitx_ref_list(site->git, "refs/bosk/keep/", &kept, &e) == 0 && kept.n)
		line("note", "%zu refs below refs/bosk/keep/ hold unfinished or superseded work", kept.n);
	line("ok", "%zu session%s in the store", ids.n, ids.n == 1 ? "" : "s");
}

static int show_config(const struct cmd_line *l)
{
	struct site site = {0};
	struct config config = {0};
	struct err e = {0};
	AUTO_STR struct str out = {0};

	int rc = site_open(&site, l->dir, SITE_READ, &e);
	int code = rc == 0 ? cmd_config(l, &site, &config) : cmd_fail(&e);
	if (!code) {
		config_show(&config, &out);
		cmd_print(&out);
	}
	config_fini(&config);
	site_close(&site);
	return code;
}

/* What waits or goes slower is no fault, but somebody who leaves wants to know. */
static void say_live(const char *mark, const char *text)
{
	say(mark, text);
	if (strcmp(mark, "note") == 0)
		strv_add(&wrong, text);
}

static int live(const struct cmd_line *l)
{
	int code = wrong.n ? 4 : doctor_live(l, say_live);

	if (!code)
		printf("ready to leave\n");
	else if (code < 128) /* nothing in the list: why it did not look is said already */
		printf(wrong.n ? "not ready to leave:\n" : "stopped before all was looked at\n");
	for (size_t i = 0; code < 128 && i < wrong.n; i++)
		printf("  %s\n", wrong.v[i]);
	return code;
}

static int run(const struct cmd_line *l)
{
	struct site site = {0};
	struct err e = {0};

	if (cmd_flag(l, "config"))
		return show_config(l);
	versions();
	if (site_open(&site, l->dir, SITE_READ, &e) == 0) {
		repository(&site, l);
		programs(&site);
		leftovers(&site);
	} else {
		line("FAIL", "%s", e.text);
	}
	site_close(&site);
	fflush(stdout);
	int code = cmd_flag(l, "live") ? live(l) : wrong.n ? 4 : 0;
	strv_fini(&wrong);
	return code;
}

const struct cmd cmd_doctor_entry = {.name = "doctor",
                                     .args = "",
                                     .summary = "environment, repository, and what was left behind",
                                     .details =
	"Configuration, later wins: built-in, $XDG_CONFIG_HOME/bosk/config.yaml, the checkout's bosk.yaml,\n"
	"variables BOSK_CONFIG_KEY (a dot is an underscore: BOSK_CONFIG_LIMITS_LOG=1MiB), -c KEY=VALUE and\n"
	"options.\n"
	"--live looks at what a run looks at before its first task: one tiny call to each account of the\n"
	"agents that the configuration names (else of all that are here; it may cost a little), the setup\n"
	"once and the gates on the base in a worktree that is gone afterwards, disk and memory for `jobs`\n"
	"worktrees. It ends with \"ready to leave\" and 0, or with the list of what is not and 4. An account\n"
	"that was limited and answers is open again.\n",
                                     CMD_OPTIONS(options),
                                     .run = run};
