/* create: a new session - checked, named, made. */
#include "create_in.h"

#include <stdio.h>
#include <string.h>

#include "floor.h"
#include "forget.h"
#include "locks.h"
#include "recover.h"
#include "repair.h"
#include "store/base/clock.h"
#include "store/base/fail.h"
#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/owner.h"
#include "worker/secret.h"

enum { SID_TRIES = 50 };

/* A ref that exists where a folder of refs is needed, or the other way round (pitfalls 4.5). */
static char *branch_clash(const struct site *site, const char *branch)
{
	AUTO_FREE char *ref = mem_printf("refs/heads/%s", branch), *below = mem_printf("%s/", ref);
	AUTO_STRV struct strv list = {0};
	struct oid oid;
	struct err ignored = {0};

	if (gitx_ref_read(site->git, ref, &oid, &ignored) == 0)
		return mem_strdup(branch);
	if (gitx_ref_list(site->git, below, &list, &ignored) == 0 && list.n)
		return mem_strdup(list.v[0] + strlen("refs/heads/"));
	for (char *p = ref + strlen("refs/heads/"); (p = strchr(p, '/')); p++) {
		*p = '\0';
		bool taken = gitx_ref_read(site->git, ref, &oid, &ignored) == 0;
		if (taken)
			return mem_strdup(ref + strlen("refs/heads/"));
		*p = '/';
	}
	return NULL;
}

/* What is stored with a session must hold no secret (promise E7). */
static void check_secrets(const struct create_options *o, struct plan_faults *faults)
{
	const struct strv *sources = &o->config->sources;
	const char *name;
	size_t at;

	for (size_t i = 0; i + 1 < sources->n; i += 2) {
		const char *text = sources->v[i + 1];
		if (!(name = secret_in(text, strlen(text), &at)))
			continue;
		size_t line = 1, column = 1;
		for (size_t k = 0; k < at; k++) {
			column = text[k] == '\n' ? 1 : column + 1;
			line += text[k] == '\n';
		}
		plan_faults_add(faults, sources->v[i], line, column, NULL, NULL, SECRET_FAULT, name);
	}
	if (o->executor && (name = secret_in(o->executor, strlen(o->executor), &at)))
		plan_faults_add(faults, "--executor", 0, 0, NULL, NULL, SECRET_FAULT, name);
}

void create_check_tasks(const struct site *site, const struct plan *plan,
                        const struct create_options *o, const char *sid, struct plan_faults *faults)
{
	check_secrets(o, faults);
	for (size_t i = 0; i < plan->n; i++) {
		const struct task_def *d = &plan->tasks[i];
		AUTO_FREE char *branch = session_task_branch(o->config->branch, sid, d);
		if (d->agent)
			plan_faults_add(faults, plan->source, 0, 0, d->id, "agent",
			                "agents are not available in this version: use `run`, or a prompt with "
			                "--executor CMD");
		else if (d->prompt && !o->executor)
			plan_faults_add(faults, plan->source, 0, 0, d->id, "prompt",
			                "it needs an agent: give --executor CMD (a shell command that reads the "
			                "prompt on its standard input)");
		if (!gitx_branch_name_ok(branch)) {
			plan_faults_add(faults, plan->source, 0, 0, d->id, "branch",
			                "git does not accept the branch name %s", branch);
			continue;
		}
		AUTO_FREE char *clash = branch_clash(site, branch);
		if (clash) {
			plan_faults_add(faults, plan->source, 0, 0, d->id, "branch",
			                "branch %s cannot be made because branch %s exists: rename that one, or set "
			                "`branch` in the configuration", branch, clash);
			return; /* the same for every task: once is enough */
		}
	}
}

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

static void fill_rows(struct session *s, const struct create_base *b, const struct create_options *o)
{
	struct owner self;
	uint64_t jobs = o->sequential ? 1 : o->jobs;

	owner_self(&self);
	if (o->config->worktrees_total && jobs > o->config->worktrees_total)
		jobs = o->config->worktrees_total;
	if (jobs > s->plan.n)
		jobs = s->plan.n;
	s->manifest = (struct manifest_row){
		.pid = self.pid,
		.start_ticks = self.start_ticks,
		.boot_id = mem_strdup(self.boot_id),
		.host = mem_strdup(self.host),
		.started_ms = clock_wall_ms(),
		.last_event_ms = clock_wall_ms(),
		.state = mem_strdup("running"),
		.queue = mem_strdup(s->row.queue),
		.integration_branch = mem_printf("integration-%s", s->sid),
	};
	for (uint64_t i = 1; i <= jobs; i++)
		strv_addf(&s->manifest.worktrees, "%s/%s-%llu", b->worktrees_dir, s->sid,
		          (unsigned long long)i);
	/* Gates on merged trees have a worktree of their own, made when it is first needed. */
	if (str_eq(o->verify, "merged") && o->config->n_gates)
		strv_addf(&s->manifest.worktrees, "%s/%s-merge", b->worktrees_dir, s->sid);
	s->row.base = mem_strdup(b->base.hex);
	s->row.tip = mem_strdup(s->tip);
	s->row.target = mem_strdup(b->target);
	s->row.land = mem_strdup(o->land);
	s->row.verify = mem_strdup(o->verify);
	s->row.on_conflict = mem_strdup(o->on_conflict);
	s->row.jobs = jobs;
	s->row.sequential = o->sequential;
	s->row.preflight = o->preflight;
	s->row.keep_worktrees = o->keep_worktrees;
	s->row.executor = mem_strdup(o->executor);
	strv_copy(&s->row.excused, o->excused);
	s->row.worktrees_dir = mem_strdup(b->worktrees_dir);
	s->row.author = mem_strdup(b->author);
	strv_copy(&s->row.config, &o->config->sources);
	mem_set(&s->queue.session, s->sid);
	strv_add(&s->queue.sessions, s->sid);
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
	                 gitx_main_top(s->site->git), e) != 0)
		return -1;
	create_check_tasks(s->site, &s->plan, o, s->sid, &faults);
	if (faults.n) {
		plan_faults_print(&faults, &why);
		plan_faults_fini(&faults);
		return err_set(e, ERR_USAGE, "%s", why.p);
	}
	if (fs_mkdirs(b->worktrees_dir, e) != 0 || hide(s->site, b->worktrees_dir, e) != 0)
		return err_wrap(e, "worktrees.dir");
	locks_clear_unrecorded(s->site);
	if (session_lock(s, e) != 0)
		return -1;
	fill_rows(s, b, o);
	if (create_rows(s, o, e) != 0)
		return -1;
	if (recover_refs(s, e) == 0)
		return 0;
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

int create_continued(struct session *out, struct site *site, const char *old,
                     const struct create_options *o, struct err *e)
{
	struct create_base b;

	if (session_load(out, site, old, e) != 0)
		return -1;
	bool landed = out->manifest.landed != NULL;
	out->before = mem_array(out->plan.n, sizeof *out->before);
	for (size_t i = 0; i < out->plan.n; i++) {
		struct task_row *row = &out->tasks[i];
		rec_copy(&task_row_rec, &out->before[i], row);
		enum task_state state = session_task_state(out, i);
		if (state == TASK_INTEGRATED || state == TASK_LANDED)
			continue;
		mem_set(&row->state, task_state_name(TASK_WAITING));
		mem_set(&row->reason, NULL);
		mem_set(&row->commit, NULL);
		row->retries = 0;
		row->repairs = row->reds = 0;
		repair_over(row);
	}
	rec_fini(&manifest_row_rec, &out->manifest);
	char *queue = mem_steal(&out->row.queue);
	rec_fini(&session_row_rec, &out->row);
	out->row.queue = queue;
	int rc = create_look(&b, site, o, e);
	if (rc == 0 && landed)
		mem_set(&out->tip, b.base.hex);
	if (rc == 0)
		rc = make(out, &b, o, e);
	create_base_fini(&b);
	return rc;
}
