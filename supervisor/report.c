/* report: the morning report - landed, ready, what needs you and why, with the next command (declared
 * in status.h). It tells what git and the store prove, nothing else. */
#include <string.h>

#include "agents.h"
#include "batch_results.h"
#include "gates_told.h"
#include "land_pr.h"
#include "orphans/saved.h"
#include "render.h"
#include "revert.h"
#include "status.h"
#include "store/base/clock.h"
#include "store/base/mem.h"
#include "told.h"

static void quoted(struct str *out, const char *text)
{
	for (const char *line = text; *line;) {
		size_t n = strcspn(line, "\n");
		str_add(out, "      ");
		str_add_printable(out, line, n, false);
		str_addc(out, '\n');
		line += n + (line[n] == '\n');
	}
}

static void add_good(const struct session *s, enum task_state state, const char *heading,
                     struct str *out)
{
	AUTO_TABLE struct table t = {0};
	AUTO_STR struct str rows = {0};

	for (size_t i = 0; i < s->plan.n; i++) {
		const struct task_row *row = &s->tasks[i];
		AUTO_FREE char *commit = mem_strndup(row->commit ? row->commit : "", 12);
		const struct task_def *d = &s->plan.tasks[i];
		AUTO_FREE char *id = mem_printf("  %s", d->id), *model = d->model ? mem_printf("model %s", d->model) : NULL;
		AUTO_STR struct str took = {0};
		bool here;
		if (session_task_state(s, i) != state || (session_brings(&here, s, i, NULL) == 0 && !here))
			continue;
		status_took(row, &took);
		TABLE_ROW(&t, id, commit, took.p, d->title ? d->title : "", model ? model : "");
	}
	if (!t.n)
		return;
	table_print(&t, 0, &rows);
	str_addf(out, "\n%s\n%s", heading, rows.p);
}

/* Tasks of the same queue that another session did, or, of issues, others than bosk. */
static void add_elsewhere(const struct session *s, struct str *out)
{
	bool any = false, issues = str_eq(s->plan.kind, "queue");
	for (size_t i = 0; i < s->plan.n; i++) {
		enum task_state state = session_task_state(s, i);
		bool here;
		if (issues && state == TASK_ALREADY) {
			str_addf(out, "%s  %s  completed, but not by bosk\n", any ? "" : "\nelsewhere\n", s->plan.tasks[i].id);
			any = true;
			continue;
		}
		if ((state != TASK_INTEGRATED && state != TASK_LANDED) || session_brings(&here, s, i, NULL) != 0 || here)
			continue;
		str_addf(out, "%s  %s  in session %s\n", any ? "" : "\nelsewhere\n", s->plan.tasks[i].id,
		         s->tasks[i].session ? s->tasks[i].session : "?");
		any = true;
	}
}

/* What the user took out of the branch again. */
static void add_reverted(const struct session *s, struct str *out)
{
	bool any = false;

	for (size_t i = 0; i < s->plan.n; i++) {
		const struct strv *by = &s->tasks[i].reverts;
		if (session_task_state(s, i) != TASK_REVERTED)
			continue;
		str_addf(out, "%s  %s  by commit %.12s  (bosk retry %s/%s does it again)\n", any ? "" : "\ntaken out\n",
		         s->plan.tasks[i].id, by->n ? by->v[by->n - 1] : "?", s->sid, s->plan.tasks[i].id);
		any = true;
	}
}

/* A path for a shell: between quotes unless it is plain. */
static void add_shell(struct str *out, const char *path)
{
	if (!path[strspn(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+")]) {
		str_add(out, path);
		return;
	}
	str_addc(out, '\'');
	for (; *path; path++)
		*path == '\'' ? str_add(out, "'\\''") : str_addc(out, *path);
	str_addc(out, '\'');
}

/* What to type to merge it by hand; landing takes the branch as it is then. */
static void add_by_hand(const struct session *s, const struct task_row *row, struct str *out)
{
	AUTO_FREE char *path = mem_printf("%s/%s-by-hand", s->row.worktrees_dir, s->sid);
	AUTO_STR struct str there = {0};

	add_shell(&there, path);
	str_addf(out, "      by hand:\n        $ git worktree add %s %s\n", there.p,
	         s->manifest.integration_branch);
	str_addf(out, "        $ git -C %s merge %.12s\n", there.p, row->commit);
	str_add(out, "          mend the files there, then git add and git commit\n");
	str_addf(out, "        $ git worktree remove %s\n        $ bosk land %s --merge\n", there.p, s->sid);
}

/* One task that did not make it: why, where its work is, and what to type. */
static void add_trouble(const struct session *s, size_t i, struct str *out)
{
	const struct task_row *row = &s->tasks[i];
	const char *id = s->plan.tasks[i].id, *model = s->plan.tasks[i].model;
	const char *agent = agents_of(&s->plan.tasks[i], s->row.agent);

	str_addf(out, "  %s  %s", id, session_task_shown(s, i));
	if (agent)
		str_addf(out, "  agent %s", agent);
	if (model) {
		str_add(out, "  model ");
		str_add_printable(out, model, strlen(model), false);
	}
	str_addc(out, '\n');
	if (session_task_state(s, i) == TASK_CLAIMED)
		str_add(out, "      somebody else works on it\n");
	else if (row->reason)
		quoted(out, row->reason);
	if (row->red_said && *row->red_said) {
		str_addf(out, "      of what gate %s printed:\n", row->red);
		gates_told_output(row->red_said, out);
	}
	if (row->kept)
		str_addf(out, "      work kept on branch %s\n", row->kept);
	if (session_task_state(s, i) == TASK_CONFLICT && row->commit)
		add_by_hand(s, row, out);
	else if (row->attempts)
		str_addf(out, "      bosk logs %s/%s\n", s->sid, id);
}

/* What was saved of worktrees that are gone. */
static void add_rescued(const struct session *s, struct str *out)
{
	struct saved_list saved = {0};
	struct err ignored = {0};

	if (saved_all(&saved, s->site, s->sid, &ignored) != 0)
		saved_fini(&saved);
	bool first = true;
	for (size_t i = 0; i < saved.n; i++) {
		if (!str_starts(saved.v[i].name, "rescue/"))
			continue;
		str_addf(out, "%s  %s  (bosk rescue show, or restore)\n", first ? "\nrescued\n" : "", saved.v[i].name);
		first = false;
	}
	saved_fini(&saved);
}

static void add_next(const struct session *s, struct str *out)
{
	const char *state = session_state(s->site, s->sid, &s->manifest);
	AUTO_STR struct str waits = {0};
	bool others = status_waits(s, &waits, NULL);

	str_add(out, "\nnext\n");
	if (session_resumable(s->site, s->sid, &s->manifest))
		str_addf(out, "  bosk resume %s\n", s->sid);
	else if (str_eq(state, "running"))
		str_addf(out, "  it is still running%s%s: bosk status %s\n",
		         others ? " and waits for " : "", str_text(&waits), s->sid);
	else if (!s->manifest.landed && str_eq(s->manifest.pr_of, s->tip))
		str_addf(out, "  look at the pull request%s%s\n", s->manifest.pr_url ? ": " : "",
		         s->manifest.pr_url ? s->manifest.pr_url : "");
	else if (!s->manifest.landed && strcmp(s->tip, s->row.tip) != 0 && !revert_left_nothing(s))
		str_addf(out, "  bosk land %s %s%s     (or look first: git log --graph %s..%s)\n", s->sid,
		         s->manifest.pr_of || s->manifest.pr_failed || str_eq(s->row.land, "pr") ? "--pr" : "--merge",
		         s->manifest.final_gates && !str_eq(s->manifest.final_gates, "pass") ? " --force-red" : "",
		         s->row.target, s->manifest.integration_branch);
	else
		str_add(out, "  nothing\n");
}

/* What each task has cost, and which were limited. */
static void add_spent(const struct session *s, struct str *out)
{
	bool any = false;

	for (size_t i = 0; i < s->plan.n; i++) {
		const struct task_row *row = &s->tasks[i];
		struct status_spent spent = status_spent_task(row);
		if (!spent.runs && !row->limits)
			continue;
		str_addf(out, "%s  %s  ", any ? "" : "\ncost\n", s->plan.tasks[i].id);
		any = true;
		if (row->worker_agent)
			str_addf(out, "%s  ", row->worker_agent);
		if (spent.runs)
			status_spent_text(&spent, out);
		if (row->limits)
			str_addf(out, "%slimited %llu time%s, not counted as attempts", spent.runs ? "; " : "",
			         (unsigned long long)row->limits, row->limits == 1 ? "" : "s");
		str_addc(out, '\n');
	}
}

int report_text(struct session *s, struct str *out, struct err *e)
{
	AUTO_FREE char *branch = mem_printf("refs/heads/%s", s->manifest.integration_branch);
	struct oid at;
	struct err absent = {0};
	bool trouble = false;

	(void)e;
	str_addf(out, "session %s  %s  ", s->sid, session_state(s->site, s->sid, &s->manifest));
	status_counts(s, out);
	str_add(out, "\nstarted ");
	clock_add_iso(out, s->manifest.started_ms);
	str_addf(out, " on %.12s, for %s\n", s->row.base, s->row.target);
	str_addf(out, "branch %s at %.12s", s->manifest.integration_branch, s->tip);
	if (gitx_ref_read(s->site->git, branch, &at, &absent) == 0 && strcmp(at.hex, s->tip) != 0)
		str_addf(out, " (the branch itself is at %.12s: it is checked out or was moved; the whole is "
		         "refs/bosk/int/%s)", at.hex, s->sid);
	if (s->manifest.final_gates)
		str_addf(out, "\ngates on the final tip: %s%s%s", s->manifest.final_gates,
		         s->manifest.final_reason ? ": " : "",
		         s->manifest.final_reason ? s->manifest.final_reason : "");
	else
		str_add(out, "\ngates on the final tip: not run");
	AUTO_STR struct str excused = {0};
	gates_told_excused(s, &excused);
	if (excused.len)
		str_addf(out, "\ngates excused: %s", excused.p);
	if (s->manifest.final_said && *s->manifest.final_said) {
		str_add(out, "\nof what the red gate printed:\n");
		gates_told_output(s->manifest.final_said, out);
		out->p[--out->len] = '\0'; /* the line is ended below */
	}
	if (s->manifest.landed)
		str_addf(out, "\nlanded on %s as %.12s", s->row.target, s->manifest.landed);
	else if (s->manifest.not_landed)
		str_addf(out, "\n%s", s->manifest.not_landed);
	str_addc(out, '\n');
	land_pr_told(s, "", out);
	struct status_spent spent = status_spent_session(s);
	if (spent.runs) {
		str_add(out, "cost: ");
		status_spent_text(&spent, out);
		str_addc(out, '\n');
	}
	if (s->manifest.waiting)
		status_awaits_text(s, "", session_state(s->site, s->sid, &s->manifest), out);
	bool stories = str_eq(s->queue.kind, "stories");
	if (stories)
		debrief_text(s, out);
	else
		add_good(s, TASK_LANDED, "landed", out);
	if (!stories)
		add_good(s, TASK_INTEGRATED, "ready", out);
	add_elsewhere(s, out);
	add_reverted(s, out);
	for (size_t i = 0; i < s->plan.n; i++) {
		enum task_state state = session_task_state(s, i);
		bool waits = state == TASK_WAITING && s->tasks[i].reason; /* for what somebody else works on */
		if ((!task_state_ended(state) || task_state_fine(state)) && !waits)
			continue;
		if (!trouble)
			str_add(out, "\nneeds you\n");
		trouble = true;
		add_trouble(s, i, out);
	}
	add_spent(s, out);
	told_text(s, out);
	for (size_t i = 0; i < s->manifest.notes.n; i++) {
		str_add(out, i ? "" : "\nnotes\n");
		quoted(out, s->manifest.notes.v[i]);
	}
	add_rescued(s, out);
	add_next(s, out);
	return 0;
}
