/* land_pr_command: the user's command that opens a pull request, or looks for one (declared in land_pr.h). */
#include "land_pr.h"

#include <string.h>

#include "orphans/strays.h"
#include "stoppable.h"
#include "store/base/fs.h"
#include "store/base/mem.h"
#include "worker/exec.h"
#include "worker/git.h"
#include "worker/secret.h"

enum { WHY_MAX = 500, URL_MAX = 2000, GRACE_MS = 2000 };

static const struct hole {
	const char *name, *variable;
} holes[] = {{"{title}", "BOSK_PR_TITLE"},     {"{title_file}", "BOSK_PR_TITLE_FILE"}, {"{body}", "BOSK_PR_BODY_FILE"},
             {"{target}", "BOSK_PR_TARGET"},   {"{branch}", "BOSK_PR_BRANCH"},         {"{remote}", "BOSK_PR_REMOTE"},
             {"{commit}", "BOSK_PR_COMMIT"}};

/* The shell expands it where it stands: within double quotes as it is, elsewhere between such. */
static void add_variable(struct str *out, const char *variable, char quote)
{
	static const char *const forms[] = {"\"$%s\"", "${%s}", "'\"$%s\"'"};
	const char *form = forms[quote == '"' ? 1 : quote == '\'' ? 2 : 0], *at = strstr(form, "%s");

	str_addn(out, form, (size_t)(at - form));
	str_add(out, variable);
	str_add(out, at + 2);
}

void land_pr_command(struct str *out, const char *command, bool draft)
{
	bool placed = false;
	char quote = 0;

	for (const char *p = command; *p;) {
		const struct hole *hole = NULL;
		bool variable = p > command && p[-1] == '$'; /* ${title} is the shell's */
		for (size_t i = 0; i < MEM_COUNT(holes) && !variable; i++)
			if (str_starts(p, holes[i].name))
				hole = &holes[i];
		if (hole) {
			add_variable(out, hole->variable, quote);
			p += strlen(hole->name);
		} else if (str_starts(p, "{draft}") && !variable) {
			str_add(out, draft ? "--draft" : "");
			placed = true;
			p += strlen("{draft}");
		} else if (*p == '\\' && quote != '\'' && p[1]) {
			str_addn(out, p, 2);
			p += 2;
		} else {
			if (*p == quote)
				quote = 0;
			else if (!quote && (*p == '"' || *p == '\''))
				quote = *p;
			str_addc(out, *p++);
		}
	}
	while (out->len && strchr(" \t\r\n", out->p[out->len - 1]))
		out->p[--out->len] = '\0';
	if (draft && !placed)
		str_add(out, " --draft");
}

/* The last address in a text; NULL = there is none. The caller owns it. */
static char *last_address(const char *text)
{
	const char *found = NULL;

	for (const char *p = text; (p = strstr(p, "http")); p += 4)
		if (str_starts(p, "https://") || str_starts(p, "http://"))
			found = p;
	if (!found)
		return NULL;
	AUTO_STR struct str plain = {0};
	size_t n = strcspn(found, " \t\r\n\"'<>`\033");
	str_add_printable(&plain, found, n < URL_MAX ? n : URL_MAX, false);
	return secret_hidden(plain.p);
}

/* One line of what it said, without what must not be kept. */
static char *said(const struct job_result *r, uint64_t limit_ms, const char *text)
{
	AUTO_FREE char *hidden = secret_hidden(text);
	AUTO_STR struct str line = {0};
	size_t n = strlen(hidden), skip = n > WHY_MAX ? n - WHY_MAX : 0;

	if (r->end == JOB_TIMEOUT)
		return mem_printf("the command took longer than pr.timeout (%llu s)", (unsigned long long)(limit_ms / 1000));
	str_add_printable(&line, hidden + skip, n - skip, true);
	while (line.len && line.p[line.len - 1] == '\n')
		line.p[--line.len] = '\0';
	for (char *p = line.p; p && *p; p++)
		if (*p == '\n')
			*p = ';';
	return mem_printf(r->end == JOB_SIGNALED ? "the command was ended by signal %d%s%s" : "the command failed with exit code %d%s%s",
	                  r->status, line.len ? ": " : "", str_text(&line));
}

static int write_one(const char *dir, const char *name, const char *text, char **path, struct err *e)
{
	*path = mem_printf("%s/%s", dir, name);
	return fs_write(*path, text, strlen(text), false, e);
}

/* Files of a session lie beside its logs: no task's name begins with a dot. */
static int make_env(struct strv *env, struct session *s, const struct land_pr *pr, struct err *e)
{
	AUTO_FREE char *name = pr->task == SIZE_MAX ? mem_strdup("session") : mem_printf("task-%zu", pr->task + 1);
	AUTO_FREE char *dir = site_path(s->site, "logs/%s/.pull-request/%s", s->sid, name), *title = NULL, *body = NULL;
	AUTO_FREE char *line = mem_printf("%s\n", pr->title);
	struct git g = {.cwd = gitx_main_top(s->site->git), .guard = session_guard(s), .remote = true};
	const char *locale = getenv("LC_ALL");

	if (fs_mkdirs(dir, e) != 0 || write_one(dir, "title.txt", line, &title, e) != 0 ||
	    write_one(dir, "body.md", pr->body, &body, e) != 0)
		return -1;
	/* Such commands run git: what was planted does not run in that either. */
	if (git_env(env, &g, e) != 0)
		return -1;
	exec_env_set(env, "LC_ALL", locale ? locale : "");
	exec_env_set(env, "GH_PROMPT_DISABLED", "1");
	exec_env_set(env, "GH_NO_UPDATE_NOTIFIER", "1");
	const struct {
		const char *name, *value;
	} values[] = {{"BOSK_PR_TITLE", pr->title},   {"BOSK_PR_TITLE_FILE", title},
	              {"BOSK_PR_BODY_FILE", body},    {"BOSK_PR_TARGET", s->row.target},
	              {"BOSK_PR_BRANCH", pr->branch}, {"BOSK_PR_REMOTE", pr->config->pr_remote},
	              {"BOSK_PR_COMMIT", pr->commit}, {"BOSK_PR_DRAFT", pr->draft ? "1" : ""}};
	for (size_t i = 0; i < MEM_COUNT(values); i++)
		exec_env_set(env, values[i].name, values[i].value);
	strays_mark(env, s);
	return 0;
}

enum land_pr_end land_pr_run(struct session *s, const struct land_pr *pr, const char *command, char **url, char **why)
{
	AUTO_STRV struct strv env = {0};
	AUTO_STR struct str shell = {0}, out = {0}, text = {0};
	struct job_result result = {0};
	struct err e = {0};

	*url = *why = NULL;
	land_pr_command(&shell, command, pr->draft);
	struct job job = {.argv = (const char *const[]){"/bin/sh", "-c", shell.p ? shell.p : "", NULL},
	                  .cwd = gitx_main_top(s->site->git),
	                  .timeout_ms = pr->config->pr_timeout_ms,
	                  .grace_ms = GRACE_MS,
	                  .out = &out,
	                  .err = &text};
	int rc = make_env(&env, s, pr, &e);
	job.env = env.v;
	if (rc != 0 || (stoppable_run(s, &job, &result, &e) != 0 && result.end == JOB_UNRUN)) {
		*why = secret_hidden(e.text);
		return LAND_PR_FAILED;
	}
	if (result.end == JOB_EXITED && result.status == 0) {
		*url = last_address(str_text(&out));
		return LAND_PR_DONE;
	}
	if (result.end == JOB_STOPPED) {
		*why = mem_strdup("it was asked to stop while the command ran");
		return LAND_PR_STOPPED;
	}
	*why = said(&result, pr->config->pr_timeout_ms, str_text(&text));
	return result.end == JOB_EXITED ? LAND_PR_FAILED : LAND_PR_UNKNOWN;
}
