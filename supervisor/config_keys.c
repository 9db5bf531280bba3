/* config_keys: the one table of settings. Defaults, checks, -c, variables and "did you mean" all
 * come from it; a new key is one line here and one member of struct config. */
#include "config_private.h"

#include <string.h>

#include "store/base/mem.h"

/* ---- checks of texts with a form of their own ---- */

static const char *check_branch(const char *text)
{
	static const char allowed[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-/";
	AUTO_STR struct str rest = {0}; /* with the holes filled, as a branch name would be */
	const char *session = strstr(text, "{session}"), *task = strstr(text, "{task}");

	if (!session || !task)
		return "must hold {session} and {task}";
	for (const char *p = text; *p;) {
		size_t hole = p == session ? strlen("{session}") : p == task ? strlen("{task}") : 0;
		str_addc(&rest, hole ? 'x' : *p);
		p += hole ? hole : 1;
	}
	if (strspn(rest.p, allowed) != rest.len)
		return "may only hold A-Z a-z 0-9 . _ - / beside {session} and {task}, each once";
	if (strstr(rest.p, "..") || strstr(rest.p, "//") || strstr(rest.p, "/.") ||
	    strstr(rest.p, "./") || strstr(rest.p, ".lock/") || strchr("/.-", rest.p[0]) ||
	    str_ends(rest.p, "/") || str_ends(rest.p, ".") || str_ends(rest.p, ".lock"))
		return "is not a valid branch name";
	return NULL;
}

static const char *check_folder(const char *text)
{
	for (const char *p = text; (p = strchr(p, '{')); p++)
		if (!str_starts(p, "{repo}"))
			return "may only hold {repo} in braces";
	return *text ? NULL : "must not be empty";
}

static const char *check_name(const char *text)
{
	return *text ? plan_id_fault(text) : NULL;
}

static const char *check_author(const char *text)
{
	const char *open = strchr(text, '<');
	size_t n = strlen(text);
	if (!n)
		return NULL;
	if (!open || open < text + 2 || open[-1] != ' ' || n < 3 ||
	    strchr(open, '>') != text + n - 1 || open + 1 == text + n - 1 || strchr(open + 1, '<'))
		return "must look like \"Name <mail>\"";
	return NULL;
}

static const char *check_decimal(const char *text)
{
	size_t whole = strspn(text, "0123456789"), n = whole;
	if (text[n] == '.')
		n += 1 + strspn(text + n + 1, "0123456789");
	return !*text || (whole && whole < 16 && !text[n] && text[n - 1] != '.')
		       ? NULL
		       : "must be a number such as 12.50";
}

static const char *check_share(const char *text)
{
	const char *wrong = check_decimal(text);
	if (wrong || !*text || strtod(text, NULL) > 1)
		return "must be a number from 0 to 1";
	return NULL;
}

static const char *check_inside(const char *text)
{
	return !*text || !plan_path_fault(text, NULL) ? NULL : "must be a folder of the repository, from its top";
}

static const char *check_command(const char *text)
{
	return text[strspn(text, " \t\r\n")] ? NULL : "must not be empty";
}

static const char *check_remote(const char *text)
{
	return *text && *text != '-' && !strpbrk(text, "\r\n") ? NULL : "must name a remote";
}

/* ---- the table ---- */

#define AT(member) offsetof(struct config, member)
#define NUMBER(name, member, preset, min, max)                                                    \
	{name, CONFIG_NUMBER, AT(member), preset, NULL, min, max, NULL}
#define SPAN(name, member, preset, min)                                                           \
	{name, CONFIG_DURATION, AT(member), preset, NULL, min, YEAR, NULL}
#define BYTES(name, member, preset, min)                                                          \
	{name, CONFIG_BYTES, AT(member), preset, NULL, min, UINT64_C(1) << 50, NULL}
#define TEXT(name, offset, preset, check)                                                         \
	{name, CONFIG_TEXT, offset, preset, NULL, 0, 0, check}
#define CHOICE(name, member, preset, words)                                                       \
	{name, CONFIG_CHOICE, AT(member), preset, words, 0, 0, NULL}
#define SWITCH(name, member, preset, words)                                                       \
	{name, CONFIG_SWITCH, AT(member), preset, words, 0, 0, NULL}
#define OTHER(name, type, offset, preset, check)                                                  \
	{name, type, offset, preset, NULL, 0, 0, check}
#define YEAR (UINT64_C(366) * 24 * 3600 * 1000)

/* In the order of interface.md. */
const struct config_key config_keys[] = {
	NUMBER("jobs", jobs, "3", 1, 1000),
	TEXT("agent", AT(agent), "", check_name),
	OTHER("agents", CONFIG_AGENTS, AT(agents), "{}", NULL),
	OTHER("models", CONFIG_MODELS, AT(models), "{}", NULL),
	OTHER("gates", CONFIG_GATES, AT(gates), "[]", NULL),
	NUMBER("fix_attempts", fix_attempts, "3", 0, 1000),
	NUMBER("retries", retries, "1", 0, 1000),
	NUMBER("conflict_attempts", conflict_attempts, "2", 0, 1000),
	SPAN("timeout", timeout_ms, "1h", 0),
	SPAN("silence", silence_ms, "15m", 0),
	CHOICE("verify", verify, "merged", "merged|task"),
	CHOICE("land", land, "keep", "keep|merge|pr"),
	CHOICE("land_fallback", land_fallback, "keep", "keep|pr"),
	TEXT("pr.command", AT(pr_command),
	     "gh pr create --title {title} --body-file {body} --base {target} --head {branch}",
	     check_command),
	TEXT("pr.find", AT(pr_find), "gh pr list --head {branch} --state all --json url --jq '.[].url'", NULL),
	OTHER("pr.draft", CONFIG_FLAG, AT(pr_draft), "false", NULL),
	TEXT("pr.remote", AT(pr_remote), "origin", check_remote),
	SPAN("pr.timeout", pr_timeout_ms, "5m", 0),
	CHOICE("steps", steps, "together", "together|each"),
	SWITCH("merge_drivers", merge_drivers, "off", "off|run"),
	SWITCH("push", push, "off", "off|on"),
	SPAN("push_timeout", push_timeout_ms, "10m", 0),
	TEXT("worktrees.dir", AT(worktrees_dir), "../{repo}.worktrees", check_folder),
	OTHER("worktrees.copy", CONFIG_PATHS, AT(copy), "[]", NULL),
	TEXT("worktrees.setup", AT(setup), "", NULL),
	OTHER("worktrees.setup_inputs", CONFIG_PATHS, AT(setup_inputs), "[]", NULL),
	NUMBER("worktrees.total", worktrees_total, "0", 0, 100000),
	TEXT("branch", AT(branch), "bosk/{session}/{task}", check_branch),
	OTHER("personas", CONFIG_LIST, AT(personas), "[]", NULL),
	OTHER("skills", CONFIG_LIST, AT(skills), "[]", NULL),
	TEXT("stories.folder", AT(stories_folder), "", check_inside),
	OTHER("stories.closeable_threshold", CONFIG_REAL, AT(stories_threshold), "0.30", check_share),
	TEXT("stories.instructions", AT(stories_instructions), "", NULL),
	OTHER("stories.human_validation_patterns", CONFIG_LIST, AT(stories_human),
	      "[manually verify, manual test, QA sign-off, user acceptance, visually confirm, "
	      "browser test, human review]", NULL),
	SPAN("orphans.max_age", orphan_max_age_ms, "4h", 1),
	SPAN("orphans.resumable_max_age", orphan_resumable_max_age_ms, "24h", 1),
	BYTES("limits.log", limit_log, "32MiB", 64 << 10),
	BYTES("limits.free_disk", limit_free_disk, "2GiB", 0),
	BYTES("limits.free_memory", limit_free_memory, "1GiB", 0),
	SPAN("limits.max_wait", limit_max_wait_ms, "12h", 0),
	SPAN("limits.max_time", limit_max_time_ms, "", 0),
	OTHER("limits.budget_usd", CONFIG_REAL, AT(limit_budget_usd), "", check_decimal),
	NUMBER("halt_after_failures", halt_after_failures, "3", 0, 100000),
	OTHER("secrets", CONFIG_LIST, AT(secrets), "[]", NULL),
	OTHER("protect", CONFIG_PATHS, AT(protect), "[bosk.yaml]", NULL),
	TEXT("author", AT(author), "", check_author),
	SPAN("sign.timeout", sign_timeout_ms, "30s", 1),
	CHOICE("sign.fallback", sign_fallback, "unsigned", "unsigned|refuse"),
	TEXT("notify", AT(notify), "", NULL),
};
const size_t config_n_keys = MEM_COUNT(config_keys);

size_t config_key_find(const char *name)
{
	size_t i = 0;
	while (i < config_n_keys && strcmp(config_keys[i].name, name) != 0)
		i++;
	return i;
}

bool config_key_section(const char *name)
{
	size_t n = strlen(name);
	for (size_t i = 0; i < config_n_keys; i++)
		if (str_starts(config_keys[i].name, name) && config_keys[i].name[n] == '.')
			return true;
	return false;
}

char *config_key_hint(const char *name)
{
	const char *names[MEM_COUNT(config_keys)], *near = NULL;
	for (size_t i = 0; i < config_n_keys; i++) {
		names[i] = config_keys[i].name;
		const char *dot = strchr(names[i], '.');
		if (dot && strcmp(dot + 1, name) == 0) /* right, but at the wrong place */
			near = names[i];
	}
	if (!near)
		near = str_nearest(name, names, config_n_keys);
	return near ? mem_printf("; did you mean \"%s\"?", near) : mem_strdup("");
}

bool config_info(struct config_info *out, size_t i)
{
	if (i >= config_n_keys)
		return false;
	const struct config_key *k = &config_keys[i];
	*out = (struct config_info){.name = k->name,
	                            .preset = k->preset,
	                            .words = k->words};
	return true;
}
