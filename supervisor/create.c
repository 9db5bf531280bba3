/* create: a new session - checked, named, made. */
#include "create_in.h"

#include <stdio.h>
#include <string.h>

#include "floor.h"
#include "forget.h"
#include "locks.h"
#include "own.h"
#include "queue/queue.h"
#include "recover.h"
#include "repair.h"
#include "retry.h"
#include "store/base/clock.h"
#include "store/base/fail.h"
#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/owner.h"
#include "worker/keep.h"
#include "worker/sign.h"

enum { SID_TRIES = 50 };

static int choose_sid(struct session *s, struct err *e)
{
	for (int i = 0; i < SID_TRIES; i++) {
		struct err absent = {0};
		struct manifest_row m;
		struct oid oid;
		seal_sid(s->sid);
		AUTO_FREE char *branch = mem_printf("refs/heads/integration-%s", s->sid);
		if (session_manifest(s->site, s->sid, &m, &absent) == 0) {
			rec_fini(&manifest_row_rec, &m);
			continue;
		}
		if (absent.kind != ERR_MISSING) {
			*e = absent;
			return -1;
		}
		if (gitx_ref_read(s->site->git, branch, &oid, &absent) != 0)
			return 0;
	}
	return err_set(e, ERR_ENV, "no free session id found in %d tries", SID_TRIES);
}

void create_fill(struct session *s, const struct create_base *b, const struct create_options *o)
{
	struct owner self;
	uint64_t jobs = o->sequential ? 1 : o->jobs;

	owner_self(&self);
	if (o->config->worktrees_total && jobs > o->config->worktrees_total)
		jobs = o->config->worktrees_total;
	size_t most = s->plan.tasks ? plan_runs(&s->plan) : s->plan.n;
	if (jobs > most)
		jobs = most ? most : 1;
	s->manifest = (struct manifest_row){
		.pid = self.pid,
		.start_ticks = self.start_ticks,
		.first_ticks = self.start_ticks,
		.boot_id = mem_strdup(self.boot_id),
		.host = mem_strdup(self.host),
		.started_ms = clock_wall_ms(),
		.last_event_ms = clock_wall_ms(),
		.state = mem_strdup("running"),
		.queue = mem_strdup(s->row.queue),
		.integration_branch = mem_printf("integration-%s", s->sid),
	};
	if (b->borrowed) {
		jobs = 1;
		strv_add(&s->manifest.worktrees, b->borrowed);
		s->manifest.borrowed = mem_strdup(b->borrowed);
		s->manifest.borrowed_head = mem_strdup(b->borrowed_head);
	}
	for (uint64_t i = 1; i <= jobs && !b->borrowed; i++)
		strv_addf(&s->manifest.worktrees, "%s/%s-%llu", b->worktrees_dir, s->sid,
		          (unsigned long long)i);
	if (!b->borrowed)
		own_fill(s);
	/* Gates on merged trees have a worktree of their own, made when it is first needed; those on base and
	 * tip too where the others must be asked for. */
	bool asked = o->config->worktrees_total && !b->borrowed;
	if (o->config->n_gates && (str_eq(o->verify, "merged") || asked))
		strv_addf(&s->manifest.worktrees, "%s/%s-merge", b->worktrees_dir, s->sid);
	s->row.base = mem_strdup(b->base.hex);
	s->row.tip = mem_strdup(s->tip);
	s->row.target = mem_strdup(b->target);
	s->row.target_at = mem_strdup(b->at.hex);
	s->row.land = mem_strdup(o->land);
	s->row.verify = mem_strdup(o->verify);
	s->row.on_conflict = mem_strdup(o->on_conflict);
	s->row.barrier = mem_strdup(o->barrier ? o->barrier : plan_barrier(s->plan.kind));
	s->row.jobs = jobs;
	s->row.sequential = o->sequential || b->borrowed;
	s->row.preflight = o->preflight;
	s->row.keep_worktrees = o->keep_worktrees;
	s->row.executor = mem_strdup(o->executor);
	s->row.agent = mem_strdup(o->agent);
	s->row.max_time_ms = o->max_time_ms;
	s->row.budget_micro = o->budget_micro;
	s->row.full = o->full;
	s->row.live = o->live;
	strv_copy(&s->row.excused, o->excused);
	s->row.worktrees_dir = mem_strdup(b->worktrees_dir);
	s->row.author = mem_strdup(b->author);
	s->row.sign_timeout_ms = o->config->sign_timeout_ms;
	s->row.sign_refuse = str_eq(o->config->sign_fallback, "refuse");
	strv_copy(&s->row.config, &o->config->sources);
}

/* A folder of worktrees inside the user's checkout ignores itself, so that status there says nothing of
 * it (promise B1). */
static int hide(const struct site *site, const char *dir, struct err *e)
{
	AUTO_FREE char *inside = mem_printf("%s/", gitx_main_top(site->git));
	AUTO_FREE char *path = mem_printf("%s/.gitignore", dir);

	if (!str_starts(dir, inside) || fs_exists(path))
		return 0;
	return fs_write(path, "*\n", 2, false, e);
}

/* Branches that the plan names are used again: what the earlier session left on them is kept. */
static int keep_before(const struct session *s, struct err *e)
{
	for (size_t i = 0; s->before && i < s->plan.n; i++) {
		const struct task_row *was = &s->before[i];
		struct oid base;
		if (!s->plan.tasks[i].branch || !was->branch || !was->session ||
		    !oid_parse(&base, was->base ? was->base : ""))
			continue;
		if (keep_branch(s->site->git, was->session, s->plan.tasks[i].id, was->attempts, was->branch, &base, e) != 0)
			return err_wrap(e, "cannot keep what session %s left on %s", was->session, was->branch);
	}
	return 0;
}

static int make(struct session *s, const struct create_base *b, const struct create_options *o,
                struct err *e)
{
	AUTO_STR struct str why = {0};
	struct plan_faults faults = {0};

	if (!floor_ok(o->config, b->worktrees_dir, &why) ||
	    !floor_ok(o->config, s->site->state_dir, &why))
		return err_set(e, ERR_NOSPACE, "%s", why.p);
	if (choose_sid(s, e) != 0)
		return -1;
	if (planted_list(&s->row.git_config, gitx_common_dir(s->site->git),
	                 gitx_main_top(s->site->git), e) != 0 ||
	    sign_read(&s->row.sign, &s->row.git_config, gitx_top(s->site->git), e) != 0)
		return -1;
	create_check_tasks(s->site, &s->plan, o, s, &faults);
	if (faults.n) {
		plan_faults_print(&faults, &why);
		plan_faults_fini(&faults);
		return err_set(e, ERR_USAGE, "%s", why.p);
	}
	if (create_check_agents(&s->plan, o, s, e) != 0 || keep_before(s, e) != 0)
		return -1;
	if (fs_mkdirs(b->worktrees_dir, e) != 0 || hide(s->site, b->worktrees_dir, e) != 0)
		return err_wrap(e, "worktrees.dir");
	locks_clear_unrecorded(s->site);
	if (session_lock(s, e) != 0)
		return -1;
	create_fill(s, b, o);
	mem_set(&s->queue.session, s->sid);
	strv_add(&s->queue.sessions, s->sid);
	if (s->queue.status)
		mem_set(&s->queue.status, "active");
	if (create_rows(s, o, e) != 0)
		return -1;
	if (recover_refs(s, e) == 0) {
		own_hide(s, false);
		return 0;
	}
	struct err ignored = {0}; /* then it is as after a kill here: resume goes on with it */
	forget_session(s, &ignored);
	return -1;
}

int create_session(struct session *out, struct site *site, struct plan *plan,
                   const struct create_options *o, struct err *e)
{
	struct create_base b;

	*out = (struct session){.site = site, .lock_fd = -1, .plan = *plan};
	*plan = (struct plan){0};
	out->tasks = mem_array(out->plan.n, sizeof *out->tasks);
	for (size_t i = 0; i < out->plan.n; i++)
		out->tasks[i].state = mem_strdup(task_state_name(TASK_WAITING));
	out->queue = (struct queue_row){.kind = mem_strdup(out->plan.kind),
	                                .content = mem_strdup(out->plan.content),
	                                .created_ms = clock_wall_ms(),
	                                .tasks = out->plan.n,
	                                .source = mem_strdup(out->plan.source)};
	int rc = create_look(&b, site, o, e);
	if (rc == 0) {
		out->tip = mem_strdup(b.base.hex);
		rc = make(out, &b, o, e);
	}
	create_base_fini(&b);
	return rc;
}

/* What becomes of the rows while the session works on them can be taken back (forget_session). */
static void remember(struct session *s)
{
	s->before = mem_array(s->plan.n, sizeof *s->before);
	for (size_t i = 0; i < s->plan.n; i++)
		rec_copy(&task_row_rec, &s->before[i], &s->tasks[i]);
}

int create_stored(struct session *out, struct site *site, const char *queue, const struct create_options *o,
                  struct err *e)
{
	struct create_base b = {0};

	if (session_load_queue(out, site, queue, e) != 0)
		return -1;
	remember(out);
	int rc = plan_set_barrier(&out->plan, o->barrier, e);
	if (rc == 0)
		rc = create_look(&b, site, o, e);
	if (rc == 0) {
		out->tip = mem_strdup(b.base.hex);
		rc = make(out, &b, o, e);
	}
	create_base_fini(&b);
	return rc;
}

int create_continued(struct session *out, struct site *site, const char *old,
                     const struct create_options *o, struct err *e)
{
	struct create_base b;

	if (session_load_locked(out, site, old, e) != 0)
		return -1;
	/* Held until the new one is recorded: meanwhile nobody retries, resumes, lands or forgets the old one. */
	AUTO_CLOSE int held = mem_steal_fd(&out->lock_fd);
	(void)held;
	if (!str_eq(out->manifest.state, "failed"))
		return err_set(e, ERR_MOVED, "somebody is at work on session %s of this plan: bosk status %s", old, old);
	bool landed = out->manifest.landed != NULL;
	AUTO_FREE bool *again = mem_array(out->plan.n, sizeof *again);
	remember(out);
	/* What the user took out stays out until it is asked for by name (retry). Of a queue of solutions what is no session's is somebody else's, or was so when it was added; or it was skipped
	 * because of one that is done again. */
	for (size_t i = 0; i < out->plan.n; i++)
		again[i] = !task_state_good(session_task_state(out, i)) && session_task_state(out, i) != TASK_REVERTED &&
		           (!queue_is(&out->queue) || out->tasks[i].session);
	retry_add_skipped(out, again);
	for (size_t i = 0; i < out->plan.n; i++) {
		struct task_row *row = &out->tasks[i];
		if (!again[i])
			continue;
		mem_set(&row->state, task_state_name(TASK_WAITING));
		mem_set(&row->reason, NULL);
		mem_set(&row->step, NULL);
		mem_set(&row->told, NULL);
		mem_set(&row->commit, NULL);
		row->retries = 0;
		row->repairs = row->reds = 0;
		repair_over(row);
	}
	rec_fini(&manifest_row_rec, &out->manifest);
	char *queue = mem_steal(&out->row.queue);
	rec_fini(&session_row_rec, &out->row);
	out->row.queue = queue;
	int rc = plan_set_barrier(&out->plan, o->barrier, e);
	if (rc == 0)
		rc = create_look(&b, site, o, e);
	else
		b = (struct create_base){0};
	if (rc == 0 && landed)
		mem_set(&out->tip, b.base.hex);
	if (rc == 0)
		rc = make(out, &b, o, e);
	create_base_fini(&b);
	return rc;
}
