/* task: the way of one task through its worktree. */
#include "task.h"

#include <string.h>

#include "attempt.h"
#include "exec.h"
#include "gate.h"
#include "leak_gate.h"
#include "live.h"
#include "prompt.h"
#include "rescue.h"
#include "solution.h"
#include "stage.h"
#include "store/base/clock.h"
#include "store/base/fs.h"
#include "store/base/log.h"
#include "store/base/mem.h"
#include "story.h"
#include "traces.h"
#include "worktree.h"

enum { FIX_WAIT_MOST_MS = 60000 };

/* Save what an interrupted session left in the worktree we were given (promise A5). */
static int save_leftover(struct slot *s, struct err *e)
{
	struct oid base;
	AUTO_FREE char *kept = NULL;
	const struct msg_init *was = &s->init;

	if (!was->was_task || !oid_parse(&base, was->was_base))
		return 0;
	mem_set(&s->work_task, was->was_task);
	s->work_attempt = was->was_attempt;
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
	bool fresh = !s->made, there = fresh && worktree_adopt(s);
	struct oid rescued;

	slot_progress(s, "prepare", NULL, "");
	if (there && worktree_revive(s, e) != 0)
		return -1;
	if (worktree_ensure(s, commit, e) != 0)
		return -1;
	if (fresh && !there && s->init.was_task) {
		if (oid_parse(&rescued, s->init.was_rescue ? s->init.was_rescue : "") && gitx_has_object(s->gitx, &rescued)) {
			if (rescue_put_back(s, &rescued, e) != 0)
				return -1;
		} else if (s->init.was_attempt) {
			strv_addf(&s->notes, "%s, where %s was cut off, was gone: what was not committed there is not saved",
			          s->init.worktree, s->init.was_task);
		}
	}
	if (fresh && save_leftover(s, e) != 0)
		return -1;
	if (fs_remove_tree(s->tmp_dir, e) != 0 || fs_mkdirs(s->tmp_dir, e) != 0)
		return -1;
	return worktree_bring(s, branch, commit, e);
}

/* The conversation goes on where it was cut off: with what it had done in the folder, where that was not made ready otherwise. */
static int pick_up(struct attempt *r, struct err *e)
{
	AUTO_FREE char *ref = mem_printf("refs/bosk/keep/%s/%s/%llu-work", r->s->init.sid, r->t->id, (unsigned long long)r->t->attempts);
	struct err none = {0};
	struct oid work, tree, parents[2];
	size_t n = 0;

	mem_set(&r->conversation, r->t->conversation);
	r->goes_on = true;
	if (r->t->start_tree || gitx_ref_read(r->s->gitx, ref, &work, &none) != 0)
		return 0;
	if (gitx_tree_of(r->s->gitx, &work, &tree, e) != 0 || gitx_parents(r->s->gitx, &work, parents, 2, &n, e) != 0)
		return -1;
	r->as_left = n == 1 && strcmp(parents[0].hex, r->base.hex) == 0;
	if (r->as_left)
		return worktree_start_with(r->s, &r->base, tree.hex, e);
	/* It began at another commit, so what it had done does not fit here: it is told everything again. */
	mem_set(&r->conversation, NULL);
	r->goes_on = false;
	return 0;
}

static enum step prepare(struct attempt *r)
{
	struct slot *s = r->s;
	struct err e = {0};

	if (!oid_parse(&r->base, r->t->base))
		return attempt_over(r, "failed", "bad base %s", r->t->base);
	if (gitx_tree_of(s->gitx, &r->base, &r->base_tree, &e) != 0 ||
	    prepare_worktree(s, r->t->branch, &r->base, &e) != 0)
		return attempt_broken(r, &e);
	if (r->t->start_tree && worktree_start_with(s, &r->base, r->t->start_tree, &e) != 0)
		return attempt_broken(r, &e);
	if (story_begin(r) == OVER)
		return OVER;
	r->feedback = r->t->feedback ? mem_strdup(r->t->feedback) : NULL;
	if (r->t->conversation && pick_up(r, &e) != 0)
		return attempt_broken(r, &e);

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
		return attempt_broken(r, &e);
	if (worktree_setup(s, r->env.v, log, &e) == 0)
		return GO_ON;
	/* The task was not started: nothing it did made the setup fail. */
	return e.kind == ERR_USAGE ? attempt_over(r, "blocked", "%s; log %s", e.text, log) : attempt_broken(r, &e);
}

/* Whatever did not end well: its work goes to its branch before the worktree serves another task. */
static void save_all(struct attempt *r)
{
	struct err e = {0};

	if (!r->s->made || oid_none(&r->base_tree))
		return;
	worktree_clear_locks(r->s);
	/* A HEAD that points nowhere, or elsewhere, was said already: what could be kept is kept. */
	int rc = stage_keep_heads(r->s, r->t->id, r->attempt, r->t->branch, &r->base, &e);
	if ((rc != 0 && e.kind != ERR_USAGE) ||
	    stage_save(r->s, r->t->id, r->attempt, r->t->branch, &r->base, &r->kept,
	               &e) != 0) {
		if (err_no_room(e.kind)) {
			/* As after a kill: whoever takes the worktree over saves what is in it first. */
			log_error("%s: %s", r->t->id, e.text);
			r->s->no_room = r->s->shutdown = true;
			return;
		}
		AUTO_FREE char *reason = mem_steal(&r->reason);
		bool there = fs_is_dir(r->s->init.worktree), same = str_eq(reason, e.text);
		attempt_over(r, there ? "unsaved" : "failed", "%s%s%s%s%s", reason, same ? "" : "; ",
		     same ? "" : e.text, there ? ": what it did is still in " : "; its worktree is gone: ",
		     r->s->init.worktree);
	}
}

static void save(struct attempt *r)
{
	r->s->stop = false;
	r->s->saving = true; /* also when it is asked to stop now */
	save_all(r);
	r->s->saving = false;
}

/* Twice as long before each further fix (S0.5): what is red for a reason that passes has time to. */
static void wait_before_fix(struct attempt *r, uint64_t fixes)
{
	uint64_t ms = r->t->fix_wait_ms;
	AUTO_STR struct str span = {0};

	for (uint64_t i = 1; i < fixes && ms < FIX_WAIT_MOST_MS; i++)
		ms *= 2;
	if (!ms)
		return;
	if (ms > FIX_WAIT_MOST_MS)
		ms = FIX_WAIT_MOST_MS;
	clock_add_duration(&span, ms);
	slot_progress(r->s, "wait", span.p, "");
	slot_wait(r->s, ms);
}

void task_run(struct slot *s, const struct msg_task *t)
{
	struct attempt r = {.s = s, .t = t, .attempt = t->attempts, .step = SIZE_MAX};
	uint64_t began = clock_mono_ms(), fixes = 0;
	struct err ignored = {0};

	s->task = t->id;
	s->began_ns = UINT64_MAX;
	mem_set(&s->not_signed, NULL);
	s->sign_late = false;
	if (t->not_signed)
		mem_set(&s->sign_skips, t->not_signed);
	enum step step = prepare(&r);
	traces_begin(s);
	solution_begin(&r);
	while (step != OVER && !s->shutdown) {
		if (step == AGAIN)
			wait_before_fix(&r, fixes);
		if (s->shutdown)
			break;
		size_t before = r.step;
		step = s->stop ? attempt_over(&r, "stopped", "stopped on request") : attempt_run(&r, &fixes);
		if (r.step != before)
			fixes = 0;
	}
	if (!s->shutdown && strcmp(r.outcome, "ok") != 0)
		save(&r);
	/* Agents leave files there that anybody may read (agents.md 5). */
	if (!s->shutdown && fs_remove_tree(s->tmp_dir, &ignored) != 0)
		err_clear(&ignored);
	if (!s->shutdown) {
		struct msg m = {.kind = MSG_RESULT};
		AUTO_STRV struct strv made = {0}, strange = {0};
		traces_commits(s, &made);
		if (r.dir)
			traces_files(s, &t->idle, r.dir, &strange);
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
			.flaky = r.flaky,
			.red = r.red,
			.red_verdict = r.red ? r.red_verdict : NULL,
			.red_why = r.red ? r.red_why : NULL,
			.red_said = r.red ? r.red_said : NULL,
			.log = r.log,
			.worktree = s->init.worktree,
			.notes = s->notes,
			.made = made,
			.strange = strange,
			.copies = r.dir,
			.account = r.account,
			.until_ms = r.until_ms,
			.not_signed = s->not_signed,
			.sign_late = s->sign_late,
		};
		story_report(&r, &m.u.result);
		solution_report(&r, &m.u.result);
		chan_send(s->chan, &m, &ignored);
	}
	story_end(&r);
	strv_fini(&s->notes);
	s->task = NULL;
	strv_fini(&r.env);
	strv_fini(&r.gates);
	strv_fini(&r.flaky);
	free(r.red);
	free(r.red_verdict);
	free(r.red_why);
	free(r.red_said);
	free(r.dir);
	free(r.feedback);
	str_fini(&r.tried);
	free(r.reason);
	free(r.log);
	free(r.kept);
	free(r.step_red);
	free(r.told);
	free(r.told_before);
	free(r.conversation);
	str_fini(&r.text);
	free(r.account);
}

static int changed_since(struct slot *s, const char *since, const struct oid *commit,
                         struct strv *out, struct err *e)
{
	struct oid from, from_tree, to_tree;

	if (!oid_parse(&from, since))
		return err_set(e, ERR_PROTO, "bad commit %s", since);
	if (gitx_tree_of(s->gitx, &from, &from_tree, e) != 0 ||
	    gitx_tree_of(s->gitx, commit, &to_tree, e) != 0)
		return -1;
	return gitx_diff_paths(s->gitx, &from_tree, &to_tree, 0, out, e);
}

/* What a merge has added, or the session so far. */
static int compare(struct slot *s, const char *since, const struct oid *commit, struct err *e)
{
	const char *hex = since ? since : s->init.session_base ? s->init.session_base : commit->hex;
	struct oid base, from, to;

	if (!oid_parse(&base, hex))
		return err_set(e, ERR_PROTO, "bad commit %s", hex);
	if (gitx_tree_of(s->gitx, &base, &from, e) != 0 || gitx_tree_of(s->gitx, commit, &to, e) != 0)
		return -1;
	return leak_gate_between(s, &from, &to, e);
}

/* Bring, set up, run the gates. The verdict, or NULL with the error. */
static const char *check(struct slot *s, const struct msg_check *c, struct gate_report *report,
                         struct err *e)
{
	AUTO_STRV struct strv env = {0}, changed = {0};
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
	if ((c->since && changed_since(s, c->since, &commit, &changed, e) != 0) || compare(s, c->since, &commit, e) != 0)
		return NULL;
	if (fs_mkdirs(dir, e) != 0 || prepare_worktree(s, NULL, &commit, e) != 0 ||
	    worktree_setup(s, env.v, log, e) != 0)
		return NULL;
	for (size_t i = 0; i + 1 < c->tries.n && !s->stop && !s->shutdown; i += 2)
		live_call(s, c->tries.v[i], *c->tries.v[i + 1] ? c->tries.v[i + 1] : NULL, dir, &env);
	/* What it left in the folder is not of the commit. */
	if (c->tries.n && !s->stop && !s->shutdown && worktree_bring(s, NULL, &commit, e) != 0)
		return NULL;
	const struct gate_runs how = {.only = c->gates_given ? &c->gates : NULL,
	                              .changed = c->since ? &changed : NULL,
	                              .env = env.v,
	                              .log_dir = dir,
	                              .past_red = c->past_red};
	if (gate_run(s, s->gates, s->n_gates, &how, report, e) != 0)
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
	AUTO_STR struct str reason = {0}, feedback = {0};

	s->task = c->label;
	const char *verdict = check(s, c, &report, &e);
	if (!verdict)
		str_add(&reason, e.text);
	else if (report.red)
		str_addf(&reason, "gate %s: %s", report.red, report.why);
	if (report.red)
		prompt_feedback(&report, &feedback);
	if (!s->shutdown) {
		struct msg m = {.kind = MSG_CHECKED};
		m.u.checked = (struct msg_checked){
			.label = c->label,
			.verdict = (char *)(verdict ? verdict : err_no_room(e.kind) ? "no-room" : "error"),
			.gates = report.verdicts,
			.reason = (char *)str_text(&reason),
			.red = report.red,
			.why = report.why,
			.tail = report.said,
			.reds = report.reds,
			.flaky = report.flaky,
			.feedback = feedback.p,
		};
		if (c->measure && verdict && !s->stop)
			m.u.checked.bytes = fs_tree_bytes(s->init.worktree);
		chan_send(s->chan, &m, &ignored);
	}
	s->task = NULL;
	gate_report_fini(&report);
}

int task_retire(struct slot *s, struct err *e)
{
	if (!s->made && worktree_adopt(s) && (worktree_revive(s, e) != 0 || save_leftover(s, e) != 0))
		return -1;
	return worktree_remove(s, e);
}
