/* bosk plan PLAN...: what a run would do. Changes nothing. */
#include <stdio.h>
#include <string.h>

#include "batch.h"
#include "plan_queue.h"
#include "plan_story.h"
#include "store/base/clock.h"
#include "store/base/log.h"
#include "store/base/mem.h"
#include "store/json.h"
#include "stored_queue.h"
#include "supervisor/agents.h"
#include "supervisor/agents_show.h"
#include "supervisor/session.h"
#include "worker/gate.h"
#include "worker/git.h"

int cmd_plan_show(const struct cmd_line *l);

static const struct cmd_option options[] = {
	{"jobs", 'j', "N", "worktrees of the session"},
	{"executor", 0, "CMD", "shell command for tasks with a prompt"},
	{"sequential", 0, NULL, "one at a time"},
	{"barrier", 0, "wave|none", "as bosk run"},
	{"base", 0, "REV", "start here instead of at the target"},
	{"target", 0, "BRANCH", "where the work is to land"},
	{"prompt", 'p', "TEXT", "a plan of one task with this prompt"},
	{"queue", 0, "ID", "a stored queue, in the states that its items are in"},
	{"json", 0, NULL, "as JSON"},
	{"agent", 0, "NAME", "agent for tasks with a prompt"},
	{"autonomy", 0, "full", "agents may do whatever you may"},
	{"max-time", 0, "D", "as for bosk run"},
	{"budget-usd", 0, "X", "as for bosk run"},
};

/* NULL = nobody yet */
static const char *who(const struct task_def *d, const struct create_options *o)
{
	return d->run ? d->run : o->executor;
}

/* Whose command line it is; NULL = a shell command's, or nobody's yet. */
static const struct msg_agent *agent_of(const struct task_def *d, const struct create_options *o)
{
	return who(d, o) ? NULL : agents_def(o->config, agents_of(d, o->agent), o->agent);
}

/* How long it may take: as its agent may, also where a command of the call stands in for that. */
static uint64_t limit_of(const struct task_def *d, const struct batch *b)
{
	return agents_limit(d, agents_def(&b->config, agents_of(d, b->create.agent), b->create.agent), &b->config);
}

static void warn_agents(struct plan *p, const struct create_options *o)
{
	struct err e = {0};

	if (create_check_agents(p, o, NULL, &e) != 0)
		strv_addf(&p->warnings, "%s", e.text);
}

static void warn_nobody(struct plan *p, const struct create_options *o)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n; i++)
		n += plan_queue_runs(p, i) && !who(&p->tasks[i], o) && !agents_of(&p->tasks[i], o->agent);
	if (n)
		strv_addf(&p->warnings, "%zu of %zu tasks need an agent: bosk run will want --agent NAME, or --executor CMD (a shell "
		          "command that reads the prompt on its standard input)", n, p->n);
}

/* Worktrees that the tasks use, at least 1. */
static uint64_t places(const struct plan *p, const struct batch *b)
{
	uint64_t jobs = b->create.sequential ? 1 : b->create.jobs, runs = plan_runs(p);
	return jobs < runs ? jobs : runs ? runs : 1;
}

/* Of the gates of a solution's steps, which have the time that the task has. */
static uint64_t gate_limit(const struct task_def *d, const struct batch *b)
{
	uint64_t limit = limit_of(d, b);
	return limit ? limit : GATE_TIMEOUT_MS;
}

static void put_command(const struct task_def *d, const struct batch *b, struct json_t *j)
{
	const struct msg_agent *agent = agent_of(d, &b->create);
	AUTO_STRV struct strv argv = {0};
	AUTO_STR struct str line = {0};

	if (!agent) {
		json_put_text(j, "command", who(d, &b->create));
		return;
	}
	agents_show_argv(agent, b->create.full, agents_model(d, agent), !d->story && !d->solution, &argv);
	agents_show_command(agent, b->create.full, agents_model(d, agent), !d->story && !d->solution, &line);
	json_put_text(j, "command", line.p);
	json_put_list(j, "argv", &argv);
	json_put_text(j, "autonomy", agent->full || b->create.full ? "full" : "limited");
	json_put_text(j, "rights", agents_show_rights(agent, b->create.full));
}

static struct json_t *task_json(const struct plan *p, size_t i, uint32_t slot, const struct batch *b)
{
	const struct task_def *d = &p->tasks[i];
	AUTO_FREE char *branch = session_task_branch(b->config.branch, "SESSION", d);
	struct json_t *j = json_map();

	json_put_text(j, "id", d->id);
	json_put_text(j, "title", d->title);
	json_put_list(j, "needs", &d->needs);
	json_put_u64(j, "wave", p->wave[i]);
	if (slot != UINT32_MAX)
		json_put_u64(j, "worktree", slot + 1);
	else
		json_put_null(j, "worktree");
	json_put_text(j, "branch", branch);
	json_put_text(j, "path", d->worktree);
	json_put_text(j, "model", d->model);
	json_put_text(j, "persona", d->persona);
	json_put_list(j, "skills", &d->skills);
	json_put_text(j, "agent", agents_of(d, b->create.agent) ? agents_of(d, b->create.agent) : "shell");
	json_put_u64(j, "limit", limit_of(d, b) / 1000);
	plan_story_json(d, j);
	plan_queue_json(p, i, gate_limit(d, b), j);
	put_command(d, b, j);
	return j;
}

/* The worktree of each task; the caller frees. Where the plan has no rule for them they take turns. */
static uint32_t *assign(const struct plan *p, const struct batch *b)
{
	uint32_t *slots = mem_array(p->n, sizeof *slots);

	if (!plan_assign(slots, p, places(p, b)))
		for (size_t i = 0; i < p->n; i++)
			slots[i] = (uint32_t)(i % b->create.jobs);
	return slots;
}

static uint32_t last_wave(const struct plan *p)
{
	uint32_t last = 0;
	for (size_t i = 0; i < p->n; i++)
		last = p->wave[i] > last ? p->wave[i] : last;
	return last;
}

static const char *barrier_of(const struct plan *p, const struct batch *b)
{
	return b->create.barrier ? b->create.barrier : plan_barrier(p->kind ? p->kind : "plan");
}

static void print_json(const struct plan *p, const struct plan_faults *faults, const struct batch *b)
{
	struct json_t *j = json_map(), *tasks = json_list(), *waves = json_list(), *errors = json_list();
	AUTO_STR struct str out = {0};

	AUTO_FREE uint32_t *slots = assign(p, b);
	for (size_t i = 0; i < p->n; i++)
		json_add(tasks, task_json(p, i, slots[i], b));
	for (uint32_t w = 1; w <= last_wave(p); w++) {
		struct json_t *wave = json_list();
		for (size_t i = 0; i < p->n; i++)
			if (p->wave[i] == w && (!p->queue || plan_queue_runs(p, i)))
				json_add_text(wave, p->tasks[i].id);
		json_add(waves, wave);
	}
	for (size_t i = 0; i < faults->n; i++) {
		const struct plan_fault *f = &faults->v[i];
		struct json_t *fault = json_map();
		json_put_text(fault, "file", f->file);
		json_put_u64(fault, "line", f->line);
		json_put_u64(fault, "column", f->column);
		json_put_text(fault, "task", f->task);
		json_put_text(fault, "key", f->key);
		json_put_text(fault, "message", f->message);
		json_add(errors, fault);
	}
	json_put_u64(j, "schema", 1);
	json_put_text(j, "kind", p->kind ? p->kind : "plan");
	json_put_text(j, "barrier", barrier_of(p, b));
	json_put(j, "tasks", tasks);
	json_put(j, "waves", waves);
	json_put_list(j, "warnings", &p->warnings);
	json_put(j, "errors", errors);
	json_write(j, true, &out);
	str_addc(&out, '\n');
	cmd_print(&out);
	json_free(j);
}

/* "main at 1a2b3c, 2 ahead and 1 behind origin/main as last fetched" */
static void print_base(const struct site *site, const struct create_base *look, struct str *out)
{
	AUTO_FREE char *upstream = NULL;
	struct oid up;
	size_t ahead, behind;
	struct err ignored = {0};

	str_addf(out, "base      %.12s, target %s", look->base.hex, look->target);
	if (gitx_upstream(site->git, look->target, &upstream, &ignored) == 0 &&
	    gitx_ref_read(site->git, upstream, &up, &ignored) == 0 &&
	    gitx_ahead_behind(site->git, &look->base, &up, &ahead, &behind, &ignored) == 0)
		str_addf(out, " (%zu ahead, %zu behind %s as last fetched)", ahead, behind,
		         str_starts(upstream, "refs/remotes/") ? upstream + 13 : upstream);
	str_addc(out, '\n');
}

static void print_uncommitted(const struct site *site, struct str *out)
{
	AUTO_STR struct str status = {0};
	struct git g = {.cwd = gitx_top(site->git)};
	struct err ignored = {0};
	size_t n = 0;

	if (git_run(&g, &status, GIT_ARGS("status", "--porcelain"), &ignored) != 0 || !status.len)
		return;
	str_add(out, "not in it (uncommitted in this checkout):\n");
	for (const char *line = status.p; *line;) {
		size_t len = strcspn(line, "\n");
		if (++n <= 20)
			str_addf(out, "  %.*s\n", (int)len, line);
		line += len + (line[len] == '\n');
	}
	if (n > 20)
		str_addf(out, "  and %zu more\n", n - 20);
}

/* What a plan of another tool says of a task. */
static void add_foreign(const struct task_def *d, struct str *out)
{
	if (d->worktree)
		str_addf(out, "  in      %s\n", d->worktree);
	if (d->persona)
		str_addf(out, "  persona %s\n", d->persona);
	for (size_t i = 0; i < d->skills.n; i++)
		str_addf(out, "%s%s%s", i ? ", " : "  skills  ", d->skills.v[i], i + 1 < d->skills.n ? "" : "\n");
	if (!d->model)
		return;
	str_addf(out, "  model   %s", d->model);
	if (d->model_agent || d->model_name)
		str_addf(out, " (%s%s%s)", d->model_agent ? d->model_agent : "", d->model_agent && d->model_name ? ", " : "",
		         d->model_name ? d->model_name : "");
	str_addc(out, '\n');
}

static void add_agent(const struct task_def *d, const struct batch *b, struct str *out)
{
	const char *agent = agents_of(d, b->create.agent);
	const struct msg_agent *def = agent_of(d, &b->create);
	uint64_t limit = limit_of(d, b);

	if (!agent)
		return;
	str_addf(out, "  agent   %s", agent);
	if (def && !str_eq(agent, def->name))
		str_addf(out, " (%s)", def->name);
	str_add(out, ", at most ");
	clock_add_duration(out, limit);
	str_add(out, limit ? "\n" : " (no limit)\n");
}

/* Who does it, word for word, and what that may do. */
static void add_command(const struct task_def *d, const struct batch *b, struct str *out)
{
	const struct msg_agent *agent = agent_of(d, &b->create);
	const char *command = who(d, &b->create);
	AUTO_STR struct str line = {0};

	if (agent)
		agents_show_command(agent, b->create.full, agents_model(d, agent), !d->story && !d->solution, &line);
	else
		str_add(&line, command ? command : "(nobody: give --agent NAME, or --executor CMD)");
	str_add(out, "  command ");
	str_add_printable(out, line.p, strcspn(line.p, "\n"), false);
	str_add(out, strchr(line.p, '\n') ? " ...\n  rights  " : "\n  rights  ");
	str_add(out, agent ? agents_show_rights(agent, b->create.full) : "everything the user may do");
	str_addc(out, '\n');
}

static void print_text(const struct site *site, const struct plan *p, const struct create_base *look,
                       const struct batch *b)
{
	AUTO_STR struct str out = {0};
	AUTO_FREE uint32_t *slots = assign(p, b);

	print_base(site, look, &out);
	str_addf(&out, "worktrees %llu in %s%s\n", (unsigned long long)places(p, b),
	         look->worktrees_dir,
	         look->fallback_dir ? " (the configured folder cannot be written)" : "");
	str_addf(&out, "gates     ");
	for (size_t i = 0; i < b->config.n_gates; i++)
		str_addf(&out, "%s%s", i ? ", " : "", b->config.gates[i].name);
	str_addf(&out, "%s\n", b->config.n_gates ? "" : "none");
	if (str_eq(barrier_of(p, b), PLAN_BARRIER_WAVE))
		str_add(&out, "barrier   each wave waits for all of the one before\n");
	plan_story_summary(p, &out);
	print_uncommitted(site, &out);
	for (uint32_t w = 1; w <= last_wave(p); w++) {
		bool first = true;
		for (size_t i = 0; i < p->n; i++)
			if (p->wave[i] == w && plan_queue_runs(p, i)) {
				if (first)
					str_addf(&out, "%s %u: ", str_eq(p->kind, "segments") ? "Wave" : "Batch", w);
				str_addf(&out, "%s%s", first ? "" : ", ", p->tasks[i].id);
				first = false;
			}
		str_add(&out, first ? "" : "\n");
	}
	for (size_t i = 0; i < p->n; i++) {
		const struct task_def *d = &p->tasks[i];
		AUTO_FREE char *branch = session_task_branch(b->config.branch, "SESSION", d);
		str_addf(&out, "%s\n", d->id);
		plan_story_text(d, slots[i], &out);
		plan_queue_text(p, i, gate_limit(&p->tasks[i], b), &out);
		if (!plan_queue_runs(p, i))
			continue;
		str_addf(&out, "  branch  %s\n", branch);
		add_foreign(d, &out);
		add_agent(d, b, &out);
		add_command(d, b, &out);
	}
	for (size_t i = 0; i < p->warnings.n; i++)
		str_addf(&out, "warning: %s\n", p->warnings.v[i]);
	cmd_print(&out);
}

int cmd_plan_show(const struct cmd_line *l)
{
	struct site site = {0};
	struct batch b = {0};
	struct plan plan = {0};
	struct plan_faults faults = {0};
	struct create_base look = {0};
	struct err e = {0};
	AUTO_STR struct str text = {0};
	bool given = l->rest.n || cmd_value(l, "prompt");
	AUTO_FREE char *queue = given ? NULL : mem_strdup(cmd_value(l, "queue"));

	int rc = cmd_git(&e);
	if (rc == 0 && !given && !queue)
		rc = stored_queue_first(&queue, l, &e);
	if (rc == 0 && !given && !queue) {
		log_error("bosk plan needs a plan: a file, - for standard input, -p TEXT, or --queue ID");
		return 2;
	}
	if (rc == 0)
		rc = site_open(&site, l->dir, SITE_READ, &e);
	int code = rc == 0 ? cmd_config(l, &site, &b.config) : cmd_fail(&e);
	if (!code && batch_options(&b, l, &e) != 0)
		code = cmd_fail(&e);
	b.create.shown_only = true;
	if (!code && !given && stored_queue_plan(&plan, &site, queue, &e) != 0)
		code = cmd_fail(&e);
	if (!code) {
		int looked = create_look(&look, &site, &b.create, &e);
		if (given)
			code = batch_plan(l, &b, &site, &look, &plan, &faults);
		if (!code)
			create_check_tasks(&site, &plan, &b.create, NULL, &faults);
		if (!code && looked == 0)
			create_check_stories(&site, &plan, &look, &faults);
		if (!code)
			plan_queue_batches(&plan);
		if (faults.n) {
			code = 2;
		} else {
			warn_nobody(&plan, &b.create);
			warn_agents(&plan, &b.create);
		}
		if (!code && looked != 0)
			code = err_exit_code(&e);
		if (cmd_flag(l, "json")) {
			print_json(&plan, &faults, &b);
		} else if (faults.n) {
			plan_faults_print(&faults, &text);
			fwrite(text.p, 1, text.len, stderr);
			log_error("the plan has %zu fault%s", faults.n, faults.n == 1 ? "" : "s");
		} else if (looked == 0) {
			print_text(&site, &plan, &look, &b);
		}
		if (!faults.n && looked != 0)
			cmd_fail(&e);
	}
	create_base_fini(&look);
	plan_faults_fini(&faults);
	plan_fini(&plan);
	batch_fini(&b);
	site_close(&site);
	return code;
}

const struct cmd cmd_plan_entry = {.name = "plan",
                                   .args = "[PLAN...]",
                                   .summary = "check a plan and show what a run would do",
                                   CMD_OPTIONS(options),
                                   .max_rest = -1,
                                   .run = cmd_plan_show};
