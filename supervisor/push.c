/* push: `git push` as a job of the loop. */
#include "push.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "child.h"
#include "store/base/fail.h"
#include "store/base/mem.h"
#include "worker/git.h"
#include "worker/secret.h"

enum { WHY_MAX = 500 };

static bool is_due(const struct core *c, size_t i)
{
	const struct task_row *row = &c->s->tasks[i];

	return session_task_state(c->s, i) == TASK_INTEGRATED && row->branch && row->commit &&
	       str_eq(row->session, c->s->sid) && !str_eq(row->pushed, row->commit) && !row->push_failed;
}

void push_open(struct core *c)
{
	for (size_t i = 0; c->cfg->push && i < c->s->plan.n; i++)
		c->push_due += is_due(c, i);
}

void push_integrated(struct core *c)
{
	c->push_due += c->cfg->push;
}

/* One line, without what must not be kept. */
static char *said(const struct child_result *r)
{
	AUTO_FREE char *hidden = secret_hidden(r->err ? r->err : "");
	struct str line = {0};

	if (r->late)
		return mem_strdup("it took longer than push_timeout");
	str_add_printable(&line, hidden, strnlen(hidden, WHY_MAX), true);
	for (char *p = line.p; p && *p; p++)
		if (*p == '\n')
			*p = p[1] ? ';' : '\0';
	if (!line.p || !*line.p)
		str_addf(&line, WIFSIGNALED(r->wait_status) ? "git push was ended by signal %d" : "git push: exit %d",
		         WIFSIGNALED(r->wait_status) ? WTERMSIG(r->wait_status) : WEXITSTATUS(r->wait_status));
	return str_take(&line);
}

static void failed(struct core *c, size_t task, const char *why)
{
	struct task_row *row = &c->s->tasks[task];

	/* What is there was pushed by an earlier run or by others: replaced only by hand. */
	bool other = strstr(why, "[rejected]");
	AUTO_STR struct str look = {0}, lease = {0};
	if (other) {
		str_addf(&look, "git fetch %s %s && git log %s..FETCH_HEAD; if those commits may go: ", c->cfg->pr_remote,
		         row->branch, row->commit);
		str_addf(&lease, " --force-with-lease=%s:FETCH_HEAD", row->branch);
	}
	mem_set(&row->push_failed, why);
	strv_addf(&c->s->manifest.notes,
	          "branch %s of %s could not be pushed to %s: %s. By hand: %sgit push%s %s %s:refs/heads/%s", row->branch,
	          core_task_id(c, task), c->cfg->pr_remote, why, str_text(&look), str_text(&lease), c->cfg->pr_remote,
	          row->commit, row->branch);
	view_say(c->view, "%s: its branch could not be pushed: %s", core_task_id(c, task), why);
	turn_task(&c->turn, task);
	turn_note(&c->turn, "push-failed", task, why);
}

static void ended(void *ctx, const struct child_result *r)
{
	struct core *c = ctx;
	size_t task = c->push_task;
	struct task_row *row = &c->s->tasks[task];

	c->push_pid = 0;
	if (WIFEXITED(r->wait_status) && WEXITSTATUS(r->wait_status) == 0) {
		FAILPOINT("push.after");
		mem_set(&row->pushed, row->commit);
		turn_task(&c->turn, task);
		turn_note(&c->turn, "pushed", task, row->branch);
		c->push_due--;
	} else if (!c->stopping_now) { /* else a resume pushes it */
		AUTO_FREE char *why = said(r);
		failed(c, task, why);
		c->push_due--;
	}
	if (c->phase == PHASE_CLEANUP && !c->quitting && !push_busy(c))
		finish_session(c);
}

static void begin(struct core *c, size_t task)
{
	const struct task_row *row = &c->s->tasks[task];
	AUTO_FREE char *what = mem_printf("%s:refs/heads/%s", row->commit, row->branch);
	AUTO_STRV struct strv argv = {0}, env = {0};
	struct git g = {.cwd = gitx_main_top(c->s->site->git), .guard = session_guard(c->s)};
	struct err e = {0};

	c->push_task = task;
	git_argv(&argv, &g,
	         GIT_ARGS("push", "--quiet", "--no-verify", "--no-follow-tags", "--no-signed", "--recurse-submodules=no",
	                  "--", c->cfg->pr_remote, what));
	FAILPOINT("push.before");
	struct child_spec spec = {.argv = (const char *const *)argv.v, .timeout_ms = c->cfg->push_timeout_ms};
	if (git_env(&env, &g, &e) == 0) {
		spec.env = env.v;
		if (child_start(c->loop, &spec, &c->push_pid, ended, c, &e) == 0)
			return;
	}
	c->push_pid = 0;
	c->push_due--;
	failed(c, task, e.text);
}

void push_step(struct core *c)
{
	if (c->push_pid && c->stopping_now)
		kill(-c->push_pid, SIGTERM); /* and what it started */
	else if (c->push_due && c->stopping_now && c->phase == PHASE_CLEANUP && !c->quitting)
		finish_session(c); /* it waits for none any more */
	if (c->push_pid || !c->push_due || c->stopping_now || c->fatal.kind != ERR_NONE)
		return;
	for (size_t i = 0; i < c->s->plan.n; i++)
		if (is_due(c, i)) {
			begin(c, i);
			return;
		}
	if (!c->n_inbox) /* else one is integrated, and its row will say so in the next turn */
		c->push_due = 0;
}

bool push_busy(const struct core *c)
{
	return c->push_pid || (c->push_due && !c->stopping_now && c->fatal.kind == ERR_NONE);
}

bool push_left(const struct core *c)
{
	for (size_t i = 0; c->cfg->push && i < c->s->plan.n; i++)
		if (is_due(c, i))
			return true;
	return false;
}

bool push_failed(const struct core *c)
{
	for (size_t i = 0; c->cfg->push && i < c->s->plan.n; i++)
		if (c->s->tasks[i].push_failed)
			return true;
	return false;
}
