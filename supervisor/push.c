/* push: `git push` as a job of the loop. */
#include "push.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "child.h"
#include "orphans/strays.h"
#include "remote.h"
#include "store/base/fail.h"
#include "store/base/mem.h"
#include "worker/secret.h"

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

static void failed(struct core *c, size_t task, const char *why)
{
	struct task_row *row = &c->s->tasks[task];
	AUTO_FREE char *to = secret_hidden(c->cfg->pr_remote); /* it may be a URL with a password */
	AUTO_FREE char *by_hand = remote_by_hand(to, row->commit, row->branch, why);

	mem_set(&row->push_failed, why);
	strv_addf(&c->s->manifest.notes, "branch %s of %s could not be pushed to %s: %s. By hand: %s", row->branch,
	          core_task_id(c, task), to, why, by_hand);
	view_say(c->view, "%s: its branch could not be pushed: %s", core_task_id(c, task), why);
	turn_task(&c->turn, task);
	turn_note(&c->turn, "push-failed", task, why);
}

static void begin(struct core *c, size_t task, enum remote_step step);

static void ended(void *ctx, const struct child_result *r)
{
	struct core *c = ctx;
	size_t task = c->push_task;
	struct task_row *row = &c->s->tasks[task];

	enum remote_step step = (enum remote_step)c->push_stage;
	int code = WIFEXITED(r->wait_status) ? WEXITSTATUS(r->wait_status) : -1;

	c->push_pid = 0;
	if (step != REMOTE_GIT && !c->stopping_now && (code == 0 || (step == REMOTE_LOOK && code > 0))) {
		begin(c, task, remote_next(step, code));
	} else if (step == REMOTE_GIT && code == 0) {
		FAILPOINT("push.after");
		mem_set(&row->pushed, row->commit);
		turn_task(&c->turn, task);
		turn_note(&c->turn, "pushed", task, row->branch);
		c->push_due--;
	} else if (!c->stopping_now) { /* else a resume pushes it */
		AUTO_FREE char *said = remote_said(r->err, r->late, r->wait_status), *why = remote_step_said(step, said);
		failed(c, task, why);
		c->push_due--;
	}
	if (c->phase == PHASE_CLEANUP && !c->quitting && !push_busy(c))
		finish_session(c);
}

static void begin(struct core *c, size_t task, enum remote_step step)
{
	const struct task_row *row = &c->s->tasks[task];
	AUTO_FREE char *what = mem_printf("%s:refs/heads/%s", row->commit, row->branch);
	AUTO_STRV struct strv argv = {0}, env = {0};
	struct git g = {.cwd = gitx_main_top(c->s->site->git), .guard = session_guard(c->s), .remote = true};
	const struct remote_branch b = {c->cfg->pr_remote, row->branch, row->commit, c->cfg->push_timeout_ms};
	struct err e = {0};

	c->push_task = task;
	c->push_stage = (int)step;
	if (step == REMOTE_GIT) {
		git_argv(&argv, &g, GIT_ARGS(REMOTE_PUSH, "--quiet", "--", c->cfg->pr_remote, what));
		FAILPOINT("push.before");
	} else {
		remote_lfs_argv(&argv, &g, c->s, &b, step);
	}
	struct child_spec spec = {.argv = (const char *const *)argv.v, .timeout_ms = c->cfg->push_timeout_ms};
	if (git_env(&env, &g, &e) == 0) {
		strays_mark(&env, c->s);
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
			begin(c, i, remote_first(c->s));
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
