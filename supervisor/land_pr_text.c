/* land_pr_text: title and body of a pull request, and what is told of it afterwards (declared in land_pr.h). */
#include "land_pr.h"

#include <string.h>

#include "land_private.h"
#include "store/base/mem.h"
#include "worker/msg.h"
#include "worker/secret.h"

enum { TITLE_MAX = 200, LIST_MAX = 40000 }; /* GitHub takes 256 characters, and 65,536 */

/* What the plan is called: its queue's name, its file, its id. */
static const char *plan_name(const struct session *s)
{
	const char *source = s->queue.source, *slash = source ? strrchr(source, '/') : NULL;

	if (s->queue.name && *s->queue.name)
		return s->queue.name;
	if (source && *source && source[strlen(source) - 1] != '/' && !str_eq(source, "-") && !str_eq(source, "-p") &&
	    !strchr(source, '\n'))
		return slash ? slash + 1 : source;
	return s->row.queue;
}

static void add_list(struct str *out, const struct strv *lines)
{
	AUTO_STR struct str text = {0};
	size_t shown = 0;

	for (; shown < lines->n && text.len < LIST_MAX; shown++) {
		str_add_printable(&text, lines->v[shown], strlen(lines->v[shown]), false);
		str_addc(&text, '\n');
	}
	if (shown < lines->n)
		str_addf(&text, "and %zu more\n", lines->n - shown);
	/* Titles come from anywhere: as code they mention and close nothing. */
	str_add_fenced(out, str_text(&text), text.len);
}

/* What is not in it, and is not routed elsewhere. */
static void list_others(struct strv *out, const struct session *s)
{
	for (size_t i = 0; i < s->plan.n; i++)
		if (!task_state_fine(session_task_state(s, i)))
			strv_addf(out, "%s: %s", s->plan.tasks[i].id, session_task_shown(s, i));
}

int land_pr_text(struct session *s, struct str *title, struct str *body, struct err *e)
{
	AUTO_STRV struct strv tasks = {0}, others = {0};
	AUTO_STR struct str line = {0};
	const char *gates = s->manifest.final_gates;

	if (land_tasks(&tasks, s, e) != 0)
		return -1;
	list_others(&others, s);
	if (tasks.n == 1)
		str_addf(&line, "bosk: %s", strstr(tasks.v[0], ": ") ? strstr(tasks.v[0], ": ") + 2 : tasks.v[0]);
	else
		str_addf(&line, "bosk: %zu tasks of %s", tasks.n, plan_name(s));
	secret_hide(&line);
	str_add_printable(title, line.p, strcspn(line.p, "\r\n"), false);
	msg_clip_text(title->p, TITLE_MAX);
	title->len = strlen(title->p);

	str_addf(body, "%zu task%s of bosk session %s, on `%s`, for `%s`:\n\n", tasks.n, tasks.n == 1 ? "" : "s", s->sid,
	         s->manifest.integration_branch, s->row.target);
	add_list(body, &tasks);
	str_addf(body, "\nGates on the final tip: %s.\n", gates ? gates : "not run");
	if (others.n) {
		str_add(body, "\nNot in it:\n\n");
		add_list(body, &others);
	}
	secret_hide(body);
	return 0;
}

void land_pr_told(const struct session *s, const char *indent, struct str *out)
{
	const struct manifest_row *m = &s->manifest;

	if (m->pushed)
		str_addf(out, "%spushed to %s as %s at %.12s\n", indent, m->pushed_to ? m->pushed_to : "?", m->integration_branch,
		         m->pushed);
	if (m->pr_of)
		str_addf(out, "%spull request: %s\n", indent, m->pr_url ? m->pr_url : "opened; the command did not say where");
	if (m->pr_failed)
		str_addf(out, "%s%s: %s\n%s  again: bosk land %s --pr\n", indent,
		         m->pr_of ? "the pull request was not brought up to date" : "no pull request", m->pr_failed, indent, s->sid);
	for (size_t i = 0; i < s->plan.n; i++) {
		const struct task_row *row = &s->tasks[i];
		if (row->pr_of)
			str_addf(out, "%spull request of %s: %s\n", indent, s->plan.tasks[i].id,
			         row->pr_url ? row->pr_url : "opened; the command did not say where");
		if (row->pr_failed)
			str_addf(out, "%sno pull request of %s: %s\n", indent, s->plan.tasks[i].id, row->pr_failed);
	}
}

void land_pr_json(const struct session *s, struct json_t *out)
{
	const struct manifest_row *m = &s->manifest;
	struct json_t *j;

	if (!m->pushed && !m->pr_of && !m->pr_failed) {
		json_put_null(out, "pull_request");
		return;
	}
	j = json_map();
	json_put_text(j, "url", m->pr_url);
	json_put_text(j, "branch", m->integration_branch);
	json_put_text(j, "remote", m->pushed_to);
	json_put_text(j, "pushed", m->pushed);
	json_put_text(j, "opened", m->pr_of);
	json_put_text(j, "reason", m->pr_failed);
	json_put(out, "pull_request", j);
}
