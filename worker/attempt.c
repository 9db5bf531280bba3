/* attempt: one run of an agent and what it left. */
#include "attempt.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent.h"
#include "said.h"
#include "exec.h"
#include "job.h"
#include "leak_gate.h"
#include "output.h"
#include "message.h"
#include "prompt.h"
#include "protect.h"
#include "secret.h"
#include "solution.h"
#include "stage.h"
#include "store/base/clock.h"
#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/json.h"
#include "story.h"
#include "worktree.h"

enum { RESULT_MAX = 1 << 20, SAID_MAX = 300 };

enum step attempt_over(struct attempt *r, const char *outcome, const char *fmt, ...)
{
	struct str text = {0};
	va_list ap;
	va_start(ap, fmt);
	str_addv(&text, fmt, ap);
	va_end(ap);
	secret_hide(&text); /* names of files, and what the agent says */
	r->outcome = outcome;
	free(r->reason);
	r->reason = str_take(&text);
	return OVER;
}

/* A step that could not be done for reasons outside the task: stopped, or tried again later. */
enum step attempt_broken(struct attempt *r, const struct err *e)
{
	if (r->s->stop)
		return attempt_over(r, "stopped", "stopped on request");
	return attempt_over(r, err_no_room(e->kind) ? "no-room" : "failed", "%s", e->text);
}

char *attempt_dir(struct slot *s, const char *task, uint64_t attempt)
{
	return mem_printf("%s/%s/%llu", s->init.log_dir, task, (unsigned long long)attempt);
}

/* The task as data, for BOSK_TASK_FILE. */
static void task_write(const struct attempt *r, struct str *out)
{
	struct json_t *j = json_map();

	json_put_u64(j, "schema", 1);
	json_put_text(j, "id", r->t->id);
	json_put_text(j, "title", r->t->title);
	json_put_list(j, "needs", &r->t->needs);
	json_put_list(j, "files", &r->t->files);
	json_put_text(j, "prompt", r->t->prompt);
	json_put_text(j, "run", r->t->run);
	json_put_text(j, "session", r->s->init.sid);
	json_put_text(j, "queue", r->t->queue);
	solution_write(r, j);
	json_write(j, true, out);
	json_free(j);
}

/* Prompt, task and environment of the next attempt, in its own log folder. */
static int write_inputs(struct attempt *r, const char *ask, struct err *e)
{
	AUTO_STR struct str prompt = {0}, json = {0};
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
	if (fs_remove_tree(result_path, e) != 0) /* of a run that a kill made forgotten */
		return -1;
	if (ask)
		str_add(&prompt, ask);
	else if (r->goes_on)
		prompt_go_on(r->t, r->feedback, &prompt);
	else
		prompt_write(r->t, r->as_whole ? SIZE_MAX : r->step, r->feedback, &prompt);
	task_write(r, &json);
	/* Plans with secrets are refused, but this one may have been stored before the variable was set. */
	secret_hide_input(&prompt);
	secret_hide_input(&json);
	if (fs_mkdirs(r->dir, e) != 0 || fs_write(prompt_path, prompt.p, prompt.len, false, e) != 0)
		return -1;
	return fs_write(task_path, json.p, json.len, false, e);
}

void attempt_clean_result(struct attempt *r)
{
	AUTO_FREE char *path = mem_printf("%s/result.json", r->dir);
	AUTO_STR struct str text = {0};
	struct err e = {0};
	struct stat st;

	r->result_too_large = false;
	if (lstat(path, &st) != 0)
		return;
	bool readable = S_ISREG(st.st_mode) && fs_read(path, RESULT_MAX, &text, &e) == 0;
	r->result_too_large = e.kind == ERR_USAGE;
	err_clear(&e);
	secret_hide(&text);
	if (readable && fs_write(path, str_text(&text), text.len, false, &e) == 0)
		return;
	err_clear(&e);
	fs_remove_tree(path, &e); /* it may be a folder */
}

enum step attempt_begin(struct attempt *r, const char *ask)
{
	struct slot *s = r->s;
	struct err e = {0};
	r->attempt++;
	AUTO_FREE char *number = mem_printf("%llu%s%s", (unsigned long long)r->attempt, r->step == SIZE_MAX ? "" : ", step ",
	                                    r->step == SIZE_MAX ? "" : r->t->step_ids.v[r->step]);
	struct msg m = {.kind = MSG_ATTEMPT};

	solution_run(r);
	mem_set(&s->work_task, r->t->id);
	s->work_attempt = r->attempt;
	if (write_inputs(r, ask, &e) != 0)
		return attempt_broken(r, &e);
	m.u.attempt = (struct msg_attempt){.task = r->t->id, .attempt = r->attempt, .conversation = r->conversation,
	                                  .step = r->step == SIZE_MAX ? NULL : r->t->step_ids.v[r->step]};
	if (chan_send(s->chan, &m, &e) != 0)
		return attempt_broken(r, &e);
	if (!slot_wait_go(s, r->attempt))
		return attempt_over(r, "stopped", "stopped on request");
	slot_progress(s, "agent", number, "");
	free(r->log);
	r->log = mem_printf("%s/agent.log", r->dir);
	return GO_ON;
}

/* A shell command: of the task itself, or one that stands for an agent. r->text is the end of its output. */
static enum step run_command(struct attempt *r)
{
	struct slot *s = r->s;
	bool reads = r->story || solution_is(r->t);
	struct job_result result;
	struct err e = {0};

	enum step step = attempt_begin(r, NULL);
	if (step != GO_ON)
		return step;
	AUTO_FREE char *prompt_path = mem_printf("%s/prompt.md", r->dir);
	str_clear(&r->text);
	struct slot_run run = {.command = r->t->run ? r->t->run : r->t->executor,
	                       .env = r->env.v,
	                       .stdin_path = r->t->run ? NULL : prompt_path,
	                       .log_path = r->log,
	                       .timeout_ms = r->t->timeout_ms,
	                       .silence_ms = r->t->silence_ms,
	                       .tail = &r->text,
	                       .tail_max = reads ? OUTPUT_TAIL_MAX : SAID_MAX};
	int rc = slot_shell(s, &run, &result, &e);
	attempt_clean_result(r);
	if (rc != 0)
		return attempt_broken(r, &e);

	struct str *said = &r->text;
	AUTO_STR struct str span = {0};
	clock_add_duration(&span, result.end == JOB_SILENT ? r->t->silence_ms : r->t->timeout_ms);
	while (said->len && said->p[said->len - 1] == '\n')
		said->p[--said->len] = '\0';
	switch (result.end) {
	case JOB_EXITED:
		if (result.status == 0)
			return GO_ON;
		if (solution_is(r->t) && solution_read(r, said) == OVER)
			return OVER;
		str_keep_tail(said, SAID_MAX);
		return attempt_over(r, "failed", "exit %d%s%s", result.status, said->len ? ": " : "", str_text(said));
	case JOB_SIGNALED:
		return attempt_over(r, "failed", "died of signal %d", result.status);
	case JOB_TIMEOUT:
		return attempt_over(r, "timeout", "timeout: no end after %s", str_text(&span));
	case JOB_SILENT:
		return attempt_over(r, "timeout", "timeout: no output for %s", str_text(&span));
	case JOB_STOPPED:
		return attempt_over(r, "stopped", "stopped on request");
	case JOB_UNRUN:
		break;
	}
	return attempt_over(r, "failed", "could not be started");
}

static enum step run_agent(struct attempt *r)
{
	bool program = r->t->agent && !r->t->run;
	enum step step = program ? agent_run(r) : run_command(r);

	if (step != GO_ON)
		return step;
	if (!program && !r->story && !solution_is(r->t)) /* a command may print anything: its file only */
		str_clear(&r->text);
	return r->story ? story_read(r, &r->text) : solution_is(r->t) ? solution_read(r, &r->text) : said_read(r, &r->text);
}

/* A merge that the agent began and left would be committed with its markers in the files. */
static enum step check_unmerged(struct attempt *r)
{
	static const char *const marks[] = {"MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD"};
	for (size_t i = 0; i < MEM_COUNT(marks); i++) {
		AUTO_FREE char *path = mem_printf("%s/%s", r->s->admin_dir, marks[i]);
		if (fs_exists(path))
			return attempt_over(r, "failed", "it left a merge unfinished (%s)", marks[i]);
	}
	return GO_ON;
}

static bool has_marker(const struct str *text, char c)
{
	char marker[9] = "\n       ";

	memset(marker + 1, c, 7);
	return str_starts(str_text(text), marker + 1) || (text->len && memmem(text->p, text->len, marker, 8));
}

/* Of the files it was to mend, is one as it was given? Asked of what is staged: what stands at the path
 * in the worktree may be anything. */
static enum step check_markers(struct attempt *r)
{
	for (size_t i = 0; i < r->t->conflicts.n; i++) {
		AUTO_STR struct str text = {0};
		struct err gone = {0};
		if (gitx_read_file(r->s->gitx, &r->tree, r->t->conflicts.v[i], &text, &gone) == 0 &&
		    has_marker(&text, '<') && has_marker(&text, '>'))
			return attempt_over(r, "unmerged", "conflict markers are left in %s", r->t->conflicts.v[i]);
	}
	return GO_ON;
}

static enum step check_protected(struct attempt *r, const struct strv *changed)
{
	const char *path = protect_find(&r->s->init.protect, changed);
	return path ? attempt_over(r, "blocked", "it changes %s, which is protected", path) : GO_ON;
}

static enum step run_gates(struct attempt *r, const struct strv *changed, uint64_t *fixes)
{
	struct gate_report report;
	struct err e = {0};
	enum step step = GO_ON;
	AUTO_STR struct str feedback = {0};

	if (leak_gate_between(r->s, &r->base_tree, &r->tree, &e) != 0)
		return attempt_broken(r, &e);
	int rc = solution_gates(r, changed, &report, &e);
	strv_fini(&r->gates);
	strv_copy(&r->gates, &report.verdicts);
	if (report.red)
		str_addf(&r->tried, "%sattempt %llu: %s %s (%s)", r->tried.len ? "; " : "", (unsigned long long)r->attempt,
		         report.red, report.verdict, report.why);
	if (rc != 0) {
		step = attempt_broken(r, &e);
	} else if (report.stopped) {
		step = attempt_over(r, "stopped", "stopped on request");
	} else if (report.red && strcmp(report.verdict, "could-not-run") == 0) {
		step = attempt_over(r, "blocked", "gate %s could not run (%s)", report.red, report.why);
	} else if (report.red && *fixes == r->t->fix_attempts) {
		step = attempt_over(r, "blocked", "gate %s stays red after %llu fix attempts (%s): %s", report.red,
		            (unsigned long long)*fixes, report.why, r->tried.p);
	} else if (report.red) {
		++*fixes;
		solution_feedback(r, &report, &feedback);
		mem_set(&r->feedback, str_text(&feedback));
		step = stage_restore(r->s, &e) == 0 ? AGAIN : attempt_broken(r, &e);
	}
	gate_report_fini(&report);
	return step;
}

static enum step commit(struct attempt *r, const struct strv *changed)
{
	AUTO_STR struct str message = {0};
	AUTO_STRV struct strv own = {0};
	struct err e = {0};

	slot_progress(r->s, "commit", NULL, "");
	said_compare(r, changed);
	message_own(r->s, r->t, &r->base, &own);
	message_write(r->t, &(struct message_facts){&own, changed, &r->gates}, r->attempt, &r->s->notes, &message);
	if (stage_commit(r->s, r->t->branch, &r->base, &r->tree, message.p, &r->commit, &e) != 0)
		return e.kind == ERR_USAGE && r->s->not_signed ? attempt_over(r, "blocked", "%s", e.text) : attempt_broken(r, &e);
	return attempt_over(r, "ok", "%s", "");
}

/* One run of the agent and what it left. */
enum step attempt_run(struct attempt *r, uint64_t *fixes)
{
	AUTO_STRV struct strv changed = {0};
	struct err e = {0};

	enum step step = run_agent(r);
	worktree_clear_locks(r->s); /* of a git that was ended with the agent */
	if (step == GO_ON)
		step = check_unmerged(r);
	if (step == GO_ON && stage_keep_heads(r->s, r->t->id, r->attempt, r->t->branch, &r->base, &e) != 0)
		step = e.kind == ERR_USAGE ? attempt_over(r, "failed", "%s", e.text) : attempt_broken(r, &e);
	if (step == GO_ON && stage_tree(r->s, &r->base_tree, &r->base_tree, &r->tree, &e) != 0)
		step = e.kind == ERR_USAGE ? attempt_over(r, "failed", "%s", e.text) : attempt_broken(r, &e);
	if (step == GO_ON)
		step = check_markers(r);
	if (step == GO_ON && r->story)
		step = story_settle(r);
	if (step == GO_ON && gitx_diff_paths(r->s->gitx, &r->base_tree, &r->tree, 0, &changed, &e) != 0)
		step = attempt_broken(r, &e);
	if (step == GO_ON && !changed.n && r->story)
		step = story_unchanged(r);
	else if (step == GO_ON && !changed.n && !r->t->allow_empty && solution_last(r))
		step = attempt_over(r, "failed", "nothing was changed (allow_empty is not set)");
	if (step == GO_ON)
		step = check_protected(r, &changed);
	if (step == GO_ON)
		step = run_gates(r, &changed, fixes);
	if (step == GO_ON && !solution_last(r) && stage_restore(r->s, &e) != 0)
		step = attempt_broken(r, &e);
	if (step != GO_ON || solution_next(r))
		return step;
	return commit(r, &changed);
}
