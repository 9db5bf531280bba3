/* task: the way of one task through its worktree. */
#include "task.h"

#include <fnmatch.h>
#include <string.h>
#include <unistd.h>

#include "exec.h"
#include "gate.h"
#include "job.h"
#include "prompt.h"
#include "stage.h"
#include "store/base/clock.h"
#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/json.h"
#include "worktree.h"

/* One task being done. */
struct run {
	struct slot *s;
	const struct msg_task *t;
	struct oid base, base_tree, commit, tree;
	struct strv env;
	uint64_t attempt; /* of the agent; every run counts, fixes too */
	char *dir;        /* logs of this attempt */
	char *feedback;   /* what the last attempt came to, NULL at first */
	const char *outcome;
	char *reason;
	struct strv gates;
	char *log, *kept;
};

enum step { GO_ON, AGAIN, OVER };

static enum step over(struct run *r, const char *outcome, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
static enum step over(struct run *r, const char *outcome, const char *fmt, ...)
{
	struct str text = {0};
	va_list ap;
	va_start(ap, fmt);
	str_addv(&text, fmt, ap);
	va_end(ap);
	r->outcome = outcome;
	free(r->reason);
	r->reason = str_take(&text);
	return OVER;
}

/* A step that could not be done for reasons outside the task: stopped, or tried again later. */
static enum step system_failed(struct run *r, const struct err *e)
{
	if (r->s->stop)
		return over(r, "stopped", "stopped on request");
	return over(r, "failed", "%s", e->text);
}

/* Save what an interrupted session left in the worktree we were given (promise A5). */
static int save_leftover(struct slot *s, struct err *e)
{
	struct oid base;
	AUTO_FREE char *kept = NULL;
	const struct msg_init *was = &s->init;

	if (!was->was_task || !oid_parse(&base, was->was_base))
		return 0;
	struct err not_a_descendant = {0}; /* kept all the same: only said to nobody */
	stage_keep_heads(s, was->was_task, was->was_attempt, was->was_branch, &base, &not_a_descendant);
	/* To its ref only: the task may be running in another slot by now, on that branch. */
	if (stage_save(s, was->was_task, was->was_attempt, NULL, &base, &kept, e) != 0)
		return err_wrap(e, "cannot save what the interrupted session left");
	free(s->init.was_task);
	s->init.was_task = NULL;
	return 0;
}

static int prepare_worktree(struct slot *s, const char *branch, const struct oid *commit,
                            struct err *e)
{
	bool fresh = !s->made;

	slot_progress(s, "prepare", NULL, "");
	if (worktree_ensure(s, commit, e) != 0)
		return -1;
	if (fresh && save_leftover(s, e) != 0)
		return -1;
	if (fs_remove_tree(s->tmp_dir, e) != 0 || fs_mkdirs(s->tmp_dir, e) != 0)
		return -1;
	return worktree_bring(s, branch, commit, e);
}

static char *attempt_dir(struct slot *s, const char *task, uint64_t attempt)
{
	return mem_printf("%s/%s/%llu", s->init.log_dir, task, (unsigned long long)attempt);
}

static enum step prepare(struct run *r)
{
	struct slot *s = r->s;
	struct err e = {0};

	if (!oid_parse(&r->base, r->t->base))
		return over(r, "failed", "bad base %s", r->t->base);
	if (gitx_tree_of(s->gitx, &r->base, &r->base_tree, &e) != 0 ||
	    prepare_worktree(s, r->t->branch, &r->base, &e) != 0)
		return system_failed(r, &e);

	slot_env(s, &r->env);
	exec_env_set(&r->env, "BOSK_TASK", r->t->id);
	exec_env_set(&r->env, "BOSK_BRANCH", r->t->branch);
	exec_env_set(&r->env, "BOSK_BASE", r->base.hex);
	for (size_t i = 0; i < r->t->env.n; i++) {
		AUTO_FREE char *pair = mem_strdup(r->t->env.v[i]);
		char *value = strchr(pair, '=');
		*value++ = '\0';
		exec_env_set(&r->env, pair, value);
	}
	r->dir = attempt_dir(s, r->t->id, r->attempt + 1);
	AUTO_FREE char *log = mem_printf("%s/setup.log", r->dir);
	exec_env_set(&r->env, "BOSK_LOG_DIR", r->dir);
	if (fs_mkdirs(r->dir, &e) != 0)
		return system_failed(r, &e);
	if (worktree_setup(s, r->env.v, log, &e) == 0)
		return GO_ON;
	/* The task was not started: nothing it did made the setup fail. */
	return e.kind == ERR_USAGE ? over(r, "blocked", "%s", e.text) : system_failed(r, &e);
}

/* Prompt, task and environment of the next attempt, in its own log folder. */
static int write_inputs(struct run *r, struct err *e)
{
	AUTO_STR struct str prompt = {0};
	AUTO_FREE char *number = mem_printf("%llu", (unsigned long long)r->attempt);

	free(r->dir);
	r->dir = attempt_dir(r->s, r->t->id, r->attempt);
	AUTO_FREE char *prompt_path = mem_printf("%s/prompt.md", r->dir);
	AUTO_FREE char *task_path = mem_printf("%s/task.json", r->dir);
	AUTO_FREE char *result_path = mem_printf("%s/result.json", r->dir);
	exec_env_set(&r->env, "BOSK_ATTEMPT", number);
	exec_env_set(&r->env, "BOSK_PROMPT_FILE", prompt_path);
	exec_env_set(&r->env, "BOSK_TASK_FILE", task_path);
	exec_env_set(&r->env, "BOSK_RESULT_FILE", result_path);
	exec_env_set(&r->env, "BOSK_LOG_DIR", r->dir);
	unlink(result_path); /* of a run that a kill made forgotten */
	prompt_write(r->t, r->feedback, &prompt);
	const char *json = r->t->task_json ? r->t->task_json : "{}";
	if (fs_mkdirs(r->dir, e) != 0 || fs_write(prompt_path, prompt.p, prompt.len, false, e) != 0)
		return -1;
	return fs_write(task_path, json, strlen(json), false, e);
}

/* The agent may say in its result file that it was blocked or failed: a claim against itself, which
 * is believed. A claim of success is not: git and the gates decide. */
static enum step read_claim(struct run *r)
{
	AUTO_FREE char *path = mem_printf("%s/result.json", r->dir);
	AUTO_STR struct str text = {0};
	struct err ignored = {0};
	enum step step = GO_ON;

	if (fs_read(path, 1 << 20, &text, &ignored) != 0)
		return GO_ON;
	struct json_t *claim = json_parse(text.p, text.len, &ignored);
	if (!claim)
		return GO_ON;
	const char *status = json_get_text(claim, "status"), *why = json_get_text(claim, "reason");
	if (str_eq(status, "blocked") || str_eq(status, "failed"))
		step = over(r, "blocked", "the agent says: %.300s", why ? why : status);
	json_free(claim);
	return step;
}

static enum step run_agent(struct run *r)
{
	struct slot *s = r->s;
	const char *command = r->t->run ? r->t->run : r->t->executor;
	struct err e = {0};
	struct job_result result;
	AUTO_FREE char *number = mem_printf("%llu", (unsigned long long)++r->attempt);
	struct msg m = {.kind = MSG_ATTEMPT};

	if (write_inputs(r, &e) != 0)
		return system_failed(r, &e);
	m.u.attempt = (struct msg_attempt){.task = r->t->id, .attempt = r->attempt};
	if (chan_send(s->chan, &m, &e) != 0)
		return system_failed(r, &e);
	slot_progress(s, "agent", number, "");

	AUTO_FREE char *prompt_path = mem_printf("%s/prompt.md", r->dir);
	AUTO_STR struct str tail = {0};
	free(r->log);
	r->log = mem_printf("%s/agent.log", r->dir);
	struct slot_run run = {.command = command,
	                       .env = r->env.v,
	                       .stdin_path = r->t->run ? NULL : prompt_path,
	                       .log_path = r->log,
	                       .timeout_ms = r->t->timeout_ms,
	                       .silence_ms = r->t->silence_ms,
	                       .tail = &tail,
	                       .tail_max = 300};
	if (slot_shell(s, &run, &result, &e) != 0)
		return system_failed(r, &e);

	AUTO_STR struct str span = {0};
	clock_add_duration(&span, result.end == JOB_SILENT ? r->t->silence_ms : r->t->timeout_ms);
	while (tail.len && tail.p[tail.len - 1] == '\n')
		tail.p[--tail.len] = '\0';
	switch (result.end) {
	case JOB_EXITED:
		if (result.status == 0)
			return read_claim(r);
		return over(r, "failed", "exit %d%s%s", result.status, tail.len ? ": " : "",
		            str_text(&tail));
	case JOB_SIGNALED:
		return over(r, "failed", "died of signal %d", result.status);
	case JOB_TIMEOUT:
		return over(r, "timeout", "timeout: no end after %s", str_text(&span));
	case JOB_SILENT:
		return over(r, "timeout", "timeout: no output for %s", str_text(&span));
	case JOB_STOPPED:
		return over(r, "stopped", "stopped on request");
	case JOB_UNRUN:
		break;
	}
	return over(r, "failed", "could not be started");
}

/* A merge that the agent began and left would be committed with its markers in the files. */
static enum step check_unmerged(struct run *r)
{
	static const char *const marks[] = {"MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD"};
	for (size_t i = 0; i < MEM_COUNT(marks); i++) {
		AUTO_FREE char *path = mem_printf("%s/%s", r->s->admin_dir, marks[i]);
		if (fs_exists(path))
			return over(r, "failed", "it left a merge unfinished (%s)", marks[i]);
	}
	return GO_ON;
}

static enum step check_protected(struct run *r, const struct strv *changed)
{
	for (size_t i = 0; i < changed->n; i++)
		for (size_t k = 0; k < r->s->init.protect.n; k++)
			if (fnmatch(r->s->init.protect.v[k], changed->v[i], 0) == 0)
				return over(r, "blocked", "it changes %s, which is protected", changed->v[i]);
	return GO_ON;
}

static enum step run_gates(struct run *r, const struct strv *changed, uint64_t *fixes)
{
	struct gate_report report;
	struct err e = {0};
	enum step step = GO_ON;
	AUTO_STR struct str feedback = {0};

	int rc = gate_run_all(r->s, r->t->gates_given ? &r->t->gates : NULL, changed, r->env.v, r->dir,
	                      r->attempt, &report, &e);
	strv_fini(&r->gates);
	strv_copy(&r->gates, &report.verdicts);
	if (rc != 0) {
		step = system_failed(r, &e);
	} else if (report.stopped) {
		step = over(r, "stopped", "stopped on request");
	} else if (report.red && strcmp(report.verdict, "could-not-run") == 0) {
		step = over(r, "blocked", "gate %s could not run (%s)", report.red, report.why);
	} else if (report.red && *fixes == r->t->fix_attempts) {
		step = over(r, "blocked", "gate %s stays red after %llu fix attempts (%s)", report.red,
		            (unsigned long long)*fixes, report.why);
	} else if (report.red) {
		++*fixes;
		prompt_feedback(&report, &feedback);
		mem_set(&r->feedback, str_text(&feedback));
		step = stage_restore(r->s, &e) == 0 ? AGAIN : system_failed(r, &e);
	}
	gate_report_fini(&report);
	return step;
}

static enum step commit(struct run *r)
{
	AUTO_STR struct str message = {0};
	struct err e = {0};

	slot_progress(r->s, "commit", NULL, "");
	str_addf(&message, "%s\n\n", r->t->subject);
	for (size_t i = 0; i < r->t->trailers.n; i++)
		str_addf(&message, "%s\n", r->t->trailers.v[i]);
	str_addf(&message, "Bosk-Attempt: %llu\n", (unsigned long long)r->attempt);
	if (stage_commit(r->s, r->t->branch, &r->base, &r->tree, message.p, &r->commit, &e) != 0)
		return system_failed(r, &e);
	return over(r, "ok", "%s", "");
}

/* One run of the agent and what it left. */
static enum step attempt(struct run *r, uint64_t *fixes)
{
	AUTO_STRV struct strv changed = {0};
	struct err e = {0};

	enum step step = run_agent(r);
	worktree_clear_locks(r->s); /* of a git that was ended with the agent */
	if (step == GO_ON)
		step = check_unmerged(r);
	if (step == GO_ON && stage_keep_heads(r->s, r->t->id, r->attempt, r->t->branch, &r->base, &e) != 0)
		step = e.kind == ERR_USAGE ? over(r, "failed", "%s", e.text) : system_failed(r, &e);
	if (step == GO_ON && stage_tree(r->s, &r->tree, &e) != 0)
		step = e.kind == ERR_USAGE ? over(r, "failed", "%s", e.text) : system_failed(r, &e);
	if (step == GO_ON && gitx_diff_paths(r->s->gitx, &r->base_tree, &r->tree, 0, &changed, &e) != 0)
		step = system_failed(r, &e);
	if (step == GO_ON && !changed.n && !r->t->allow_empty)
		step = over(r, "failed", "nothing was changed (allow_empty is not set)");
	if (step == GO_ON)
		step = check_protected(r, &changed);
	if (step == GO_ON)
		step = run_gates(r, &changed, fixes);
	return step == GO_ON ? commit(r) : step;
}

/* Whatever did not end well: its work goes to its branch before the worktree serves another task. */
static void save(struct run *r)
{
	struct err e = {0};

	r->s->stop = false; /* saving is not to be stopped, only a shutdown ends it */
	if (!r->s->made || oid_none(&r->base_tree))
		return;
	worktree_clear_locks(r->s);
	/* A HEAD that points nowhere, or elsewhere, was said already: what could be kept is kept. */
	int rc = stage_keep_heads(r->s, r->t->id, r->attempt, r->t->branch, &r->base, &e);
	if ((rc != 0 && e.kind != ERR_USAGE) ||
	    stage_save(r->s, r->t->id, r->attempt, r->t->branch, &r->base, &r->kept,
	               &e) != 0) {
		AUTO_FREE char *reason = mem_steal(&r->reason);
		bool there = fs_is_dir(r->s->init.worktree), same = str_eq(reason, e.text);
		over(r, there ? "unsaved" : "failed", "%s%s%s%s%s", reason, same ? "" : "; ",
		     same ? "" : e.text, there ? ": what it did is still in " : "; its worktree is gone: ",
		     r->s->init.worktree);
	}
}

void task_run(struct slot *s, const struct msg_task *t)
{
	struct run r = {.s = s, .t = t, .attempt = t->attempts};
	uint64_t began = clock_mono_ms(), fixes = 0;
	struct err ignored = {0};

	s->task = t->id;
	enum step step = prepare(&r);
	while (step != OVER && !s->shutdown)
		step = s->stop ? over(&r, "stopped", "stopped on request") : attempt(&r, &fixes);
	if (!s->shutdown && strcmp(r.outcome, "ok") != 0)
		save(&r);
	if (!s->shutdown) {
		struct msg m = {.kind = MSG_RESULT};
		msg_clip_text(r.reason, 2000);
		m.u.result = (struct msg_result){
			.task = t->id,
			.outcome = (char *)r.outcome,
			.reason = r.reason,
			.commit = oid_none(&r.commit) ? NULL : r.commit.hex,
			.tree = oid_none(&r.commit) ? NULL : r.tree.hex,
			.kept = r.kept,
			.attempts = r.attempt,
			.ran_ms = clock_mono_ms() - began,
			.gates = r.gates,
			.log = r.log,
			.worktree = s->init.worktree,
		};
		chan_send(s->chan, &m, &ignored);
	}
	s->task = NULL;
	strv_fini(&r.env);
	strv_fini(&r.gates);
	free(r.dir);
	free(r.feedback);
	free(r.reason);
	free(r.log);
	free(r.kept);
}

/* Bring, set up, run every gate. The verdict, or NULL with the error. */
static const char *check(struct slot *s, const struct msg_check *c, struct gate_report *report,
                         struct err *e)
{
	AUTO_STRV struct strv env = {0};
	AUTO_FREE char *dir = mem_printf("%s/%s", s->init.log_dir, c->label);
	AUTO_FREE char *log = mem_printf("%s/setup.log", dir);
	struct oid commit;

	if (!oid_parse(&commit, c->commit)) {
		err_set(e, ERR_PROTO, "bad commit %s", c->commit);
		return NULL;
	}
	slot_env(s, &env);
	exec_env_set(&env, "BOSK_BASE", commit.hex);
	exec_env_set(&env, "BOSK_LOG_DIR", dir);
	if (fs_mkdirs(dir, e) != 0 || prepare_worktree(s, NULL, &commit, e) != 0 ||
	    worktree_setup(s, env.v, log, e) != 0 ||
	    gate_run_all(s, NULL, NULL, env.v, dir, 0, report, e) != 0)
		return NULL;
	if (report->stopped) {
		err_set(e, ERR_GONE, "stopped on request");
		return NULL;
	}
	return report->red ? report->verdict : "pass";
}

void task_check(struct slot *s, const struct msg_check *c)
{
	struct gate_report report = {0};
	struct err e = {0}, ignored = {0};
	AUTO_STR struct str reason = {0};

	s->task = c->label;
	const char *verdict = check(s, c, &report, &e);
	if (!verdict)
		str_add(&reason, e.text);
	else if (report.red)
		str_addf(&reason, "gate %s: %s", report.red, report.why);
	if (!s->shutdown) {
		struct msg m = {.kind = MSG_CHECKED};
		m.u.checked = (struct msg_checked){
			.label = c->label,
			.verdict = (char *)(verdict ? verdict : "error"),
			.gates = report.verdicts,
			.reason = (char *)str_text(&reason),
			.tail = (char *)str_text(&report.tail),
		};
		chan_send(s->chan, &m, &ignored);
	}
	s->task = NULL;
	gate_report_fini(&report);
}

int task_retire(struct slot *s, struct err *e)
{
	if (!s->made && worktree_adopt(s) && save_leftover(s, e) != 0)
		return -1;
	return worktree_remove(s, e);
}
