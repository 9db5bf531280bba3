/* land: the integration branch onto the target, once, and nowhere else. */
#include "land_private.h"

#include <signal.h>
#include <string.h>

#include "adopt.h"
#include "land_tree.h"
#include "locks.h"
#include "merge.h"
#include "store/base/clock.h"
#include "store/base/fail.h"
#include "store/base/fs.h"
#include "worker/lockfile.h"
#include "store/base/mem.h"
#include "turn.h"
#include "worker/git.h"
#include "worker/job.h"

enum { TRIES = 5, MERGE_TIMEOUT_MS = 10 * 60 * 1000 };

/* What is landed: a line for each task. */
static int integrated_tasks(struct strv *out, const struct session *s, struct err *e)
{
	for (size_t i = 0; i < s->plan.n; i++) {
		bool here;
		if (session_task_state(s, i) != TASK_INTEGRATED)
			continue;
		if (session_brings(&here, s, i, e) != 0)
			return -1;
		const struct task_def *t = &s->plan.tasks[i];
		if (here)
			strv_addf(out, "%s%s%s", t->id, t->title ? ": " : "", t->title ? t->title : "");
	}
	return 0;
}

void land_keep(const struct session *s, struct land_result *out)
{
	out->done = true;
	str_addf(&out->text, "kept on branch %s (%.12s); to land it: bosk land %s --merge",
	         s->manifest.integration_branch, s->tip, s->sid);
}

static int refuse(struct landing *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static int refuse(struct landing *l, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	str_addv(&l->out->text, fmt, ap);
	va_end(ap);
	return 0;
}

/* The merge commit of target and tip, its objects only. *clean false: l->out says why. */
static int write_merge(struct landing *l, bool *clean, struct err *e)
{
	struct session *s = l->s;
	AUTO_FREE char *name = mem_printf("%s-land", s->sid);
	struct mergebox box = {0};
	AUTO_STRV struct strv argv = {0}, env = {0}, tasks = {0};
	AUTO_STR struct str out = {0}, text = {0}, message = {0};
	struct job_result result;
	struct merge_result merged;
	struct config config = {0};
	struct plan_faults faults = {0};
	struct oid parents[2] = {l->target, l->tip};

	*clean = false;
	if (mergebox_init(&box, s->site, name, e) != 0) {
		mergebox_fini(&box);
		return -1;
	}
	if (config_load_sources(&config, &s->row.config, &faults) == 0 && config.merge_drivers)
		box.runs = &s->row.git_config;
	config_fini(&config);
	plan_faults_fini(&faults);
	if (mergebox_attributes(&box, s->site, &l->target, e) != 0) {
		mergebox_fini(&box);
		return -1;
	}
	box.guard = session_guard(s);
	if (mergebox_command(&box, s->site, &l->target, &l->tip, &argv, &env, e) != 0) {
		mergebox_fini(&box);
		return -1;
	}
	struct job job = {.argv = (const char *const *)argv.v,
	                  .env = env.v,
	                  .out = &out,
	                  .err = &text,
	                  .capture_max = 16 << 20,
	                  .timeout_ms = MERGE_TIMEOUT_MS,
	                  .watch_fd = -1};
	int rc = 0;
	for (int tries = 0; tries < MERGE_TRIES; tries++) {
		str_clear(&out);
		str_clear(&text);
		if ((rc = job_run(&job, &result, e)) != 0)
			break;
		/* As waitpid would say it, which is what merge_parse reads. */
		merge_parse(&merged, result.end == JOB_EXITED ? result.status << 8 : SIGKILL, str_text(&out), out.len);
		if (!merge_damaged(s->site, &l->target, &merged, str_text(&text)))
			break;
		strv_fini(&merged.paths);
	}
	mergebox_fini(&box);
	if (rc != 0)
		return err_wrap(e, "cannot merge");
	if (merged.kind == MERGE_CONFLICT) {
		refuse(l, "not landed: %s and %s conflict in", s->row.target, s->manifest.integration_branch);
		for (size_t i = 0; i < merged.paths.n; i++)
			refuse(l, "%s %s", i ? "," : "", merged.paths.v[i]);
		refuse(l, "; merge it by hand: git switch %s && git merge %s", s->row.target,
		       s->manifest.integration_branch);
	} else if (merged.kind == MERGE_FAILED && err_no_room(git_said_kind(str_text(&text)))) {
		return err_set(e, ERR_NOSPACE, "not landed: %s: %.300s", merged.reason, str_text(&text));
	} else if (merged.kind == MERGE_FAILED) {
		refuse(l, "not landed: %s: %.300s", merged.reason, str_text(&text));
	}
	*clean = merged.kind == MERGE_CLEAN;
	strv_fini(&merged.paths);
	if (!*clean)
		return 0;
	if (integrated_tasks(&tasks, s, e) != 0)
		return -1;
	str_addf(&message, "Merge %zu task%s of bosk session %s\n\n", tasks.n, tasks.n == 1 ? "" : "s", s->sid);
	for (size_t i = 0; i < tasks.n; i++)
		str_addf(&message, "* %s\n", tasks.v[i]);
	str_addf(&message, "\nBosk-Session: %s\nBosk-Queue: %s\n", s->sid, s->row.queue);
	struct oid known;
	if (gitx_tree_of(s->site->git, &l->tip, &known, e) != 0)
		return -1;
	gitx_claim_tree(s->site->git, &merged.tree, &known);
	return gitx_commit_write(s->site->git, &l->merge, &merged.tree, parents, 2, s->row.author,
	                         message.p, e);
}

/* git writes the files and the index before it finds that it cannot move HEAD: they go back. */
static int give_up(struct landing *l, const char *said, struct err *e)
{
	struct intent_row intent = {
		.ref = l->ref, .old_tip = l->target.hex, .new_tip = l->merge.hex, .tree_path = l->tree};
	AUTO_FREE char *trouble = NULL;

	if (land_tree_undo(l->s, &intent, &trouble, e) != 0)
		return err_wrap(e, "git stopped half-way in moving %s (%.200s), and it cannot be put back", l->tree, said);
	if (!trouble && land_record_withdrawn(l, e) != 0) /* else the next landing tries it again */
		return -1;
	if (!trouble && err_no_room(git_said_kind(said)))
		return err_set(e, git_said_kind(said), "not landed: git cannot move the tree %s: %.400s", l->tree, said);
	return refuse(l, "not landed: git would not move the tree %s: %.400s%s%s\n  then: bosk land %s --merge", l->tree,
	              said, trouble ? "\n  " : "", trouble ? trouble : "", l->s->sid);
}

/* Bring the checked-out tree, and with it the ref, to the merge commit. *moved: the ref was elsewhere. */
static int forward_tree(struct landing *l, bool *moved, struct err *e)
{
	AUTO_STRV struct strv settings = {0};
	struct git g = {.cwd = l->tree, .extra = &settings, .guard = session_guard(l->s)};
	AUTO_STR struct str text = {0};
	struct oid now;
	struct err looked = {0};
	int status;

	strv_add(&settings, LAND_FSYNC);
	AUTO_FREE char *trouble = land_tree_trouble(&g, &looked);
	if (!trouble)
		trouble = land_tree_in_the_way(&g, &l->target, &l->merge, &looked);
	if (!trouble)
		trouble = land_tree_locked(&g, l->s, l->ref, &looked);
	if (trouble && err_no_room(looked.kind))
		return err_set(e, looked.kind, "not landed: %s", trouble);
	if (trouble)
		return refuse(l, "not landed: %s; %s is checked out there, so nothing was touched. Put that "
		              "right, then: bosk land %s --merge", trouble, l->s->row.target,
		              l->s->sid);
	if (land_record_intent(l, e) != 0)
		return -1;
	FAILPOINT("land.forward.before");
	if (git_try(&g, &status, NULL, &text,
	            GIT_ARGS("merge", "--ff-only", "--no-autostash", "--no-overwrite-ignore", "--quiet",
	                     l->merge.hex),
	            e) != 0)
		return -1;
	FAILPOINT("land.forward.after");
	if (gitx_ref_read(l->s->site->git, l->ref, &now, e) != 0)
		return -1;
	if (strcmp(now.hex, l->merge.hex) == 0)
		return land_flush(l->s, &g, l->ref, l->target.hex, l->merge.hex, e) != 0
		               ? -1
		               : land_record_done(l, l->merge.hex, e);
	*moved = strcmp(now.hex, l->target.hex) != 0;
	if (*moved)
		return land_record_withdrawn(l, e);
	return give_up(l, str_text(&text), e);
}

static int move_ref(struct landing *l, bool *moved, struct err *e)
{
	if (land_record_intent(l, e) != 0)
		return -1;
	FAILPOINT("land.ref.before");
	if (gitx_ref_move(l->s->site->git, l->ref, &l->target, &l->merge, "bosk: land", e) == 0) {
		FAILPOINT("land.ref.after");
		return land_record_done(l, l->merge.hex, e);
	}
	if (e->kind != ERR_MOVED && e->kind != ERR_HELD)
		return -1;
	*moved = e->kind == ERR_MOVED;
	if (!*moved)
		refuse(l, "not landed: %s\n  then: bosk land %s --merge", e->text, l->s->sid);
	err_clear(e);
	return land_record_withdrawn(l, e);
}

static int try_once(struct landing *l, bool *moved, struct err *e)
{
	struct session *s = l->s;
	bool there = false, clean = false;
	struct err absent = {0};

	*moved = false;
	err_clear(e);
	if (gitx_ref_read(s->site->git, l->ref, &l->target, e) != 0)
		return e->kind == ERR_MISSING
		               ? refuse(l, "not landed: there is no branch %s any more", s->row.target)
		               : -1;
	/* Also what a landing before a crash comes to: the ref proves it. */
	if (gitx_reaches(s->site->git, &l->target, &l->tip, &there, e) != 0)
		return -1;
	if (there)
		return land_record_done(l, l->target.hex, e);
	if (write_merge(l, &clean, e) != 0)
		return -1;
	if (!clean)
		return 0; /* said why */
	free(l->tree);
	l->tree = NULL;
	if (gitx_checked_out(s->site->git, l->ref, &l->tree, &absent) == 0)
		return forward_tree(l, moved, e);
	return absent.kind == ERR_MISSING ? move_ref(l, moved, e) : (*e = absent, -1);
}

/* A landing that a crash cut off: its locks go, and a half-written tree is put back. Then it is begun
 * anew - or found to be finished, which the ref proves. */
static int settle_intent(struct landing *l, bool *clear, struct err *e)
{
	struct session *s = l->s;
	AUTO_FREE char *trouble = NULL;
	struct intent_row intent;
	bool open;

	*clear = true;
	if (session_intent(s, "land", &intent, &open, e) != 0)
		return -1;
	if (!open)
		return 0;
	AUTO_FREE char *lock = mem_printf("%s/%s.lock", gitx_common_dir(s->site->git), intent.ref);
	if (!intent.tree_path)
		lockfile_clear(lock, gitx_main_top(s->site->git), LOCKFILE_PATIENCE_MS);
	int rc = intent.tree_path ? land_tree_mend(s, &intent, &trouble, e) : 0;
	rec_fini(&intent_row_rec, &intent);
	if (rc != 0 || !trouble)
		return rc != 0 ? rc : land_record_withdrawn(l, e);
	*clear = false;
	return refuse(l, "not landed: an earlier landing was cut off, and %s. Put that right, then: bosk land "
	              "%s --merge", trouble, s->sid);
}

/* What was merged by hand lands too. */
static int adopt(struct session *s, struct err *e)
{
	struct turn t;

	turn_init(&t, s);
	int rc = adopt_branch(s, &t, e);
	if (rc == 0 && !turn_empty(&t))
		rc = turn_commit(&t, e);
	turn_fini(&t);
	return rc;
}

/* A branch that lags because it was checked out follows when it is that no more. */
static void bring_branch(const struct session *s, const struct oid *tip)
{
	struct gitx *g = s->site->git;
	AUTO_FREE char *branch = mem_printf("refs/heads/%s", s->manifest.integration_branch), *path = NULL;
	struct oid now;
	struct err ignored = {0};
	bool behind = false;

	if (gitx_ref_read(g, branch, &now, &ignored) == 0 && strcmp(now.hex, tip->hex) != 0 &&
	    gitx_reaches(g, tip, &now, &behind, &ignored) == 0 && behind &&
	    gitx_checked_out(g, branch, &path, &ignored) != 0)
		gitx_ref_move(g, branch, &now, tip, "bosk: session", &ignored);
}

/* It is our turn: nobody else lands. */
static int land_now(struct landing *l, struct err *e)
{
	struct session *s = l->s;
	size_t told = s->manifest.notes.n;
	bool clear = false, moved = true;

	session_note_planted(s);
	int rc = settle_intent(l, &clear, e);
	for (int i = 0; rc == 0 && clear && moved && i < TRIES; i++)
		rc = try_once(l, &moved, e);
	if (rc == 0 && clear && moved)
		refuse(l, "not landed: %s was moved by others %d times meanwhile; try again: bosk land %s --merge",
		       s->row.target, TRIES, s->sid);
	if (rc == 0 && !l->out->done && str_eq(s->manifest.state, "landing"))
		rc = land_record_refusal(s, str_text(&l->out->text), e);
	for (size_t i = told; i < s->manifest.notes.n; i++)
		refuse(l, "\n  %s", s->manifest.notes.v[i]);
	return rc;
}

int land_merge(struct session *s, struct land_result *out, struct err *e)
{
	struct landing l = {.s = s, .out = out};
	int rc;

	err_clear(e);
	if (adopt(s, e) != 0)
		return -1;
	AUTO_STRV struct strv tasks = {0};
	if (integrated_tasks(&tasks, s, e) != 0)
		return -1;
	if (strcmp(s->tip, s->row.tip) == 0 && !tasks.n) {
		refuse(&l, "nothing to land: no task of session %s is integrated", s->sid);
		return 0;
	}
	if (!oid_parse(&l.tip, s->tip))
		return err_set(e, ERR_DAMAGED, "session %s records no integration tip", s->sid);
	bring_branch(s, &l.tip);
	bool stopped = false;
	if (land_turn_wait(s, &stopped, e) != 0)
		return -1;
	if (stopped)
		return refuse(&l, "not landed: it was asked to stop while it waited for its turn; to land it: bosk %s %s",
		              str_eq(s->manifest.state, "landing") ? "resume" : "land --merge", s->sid);
	l.ref = mem_printf("refs/heads/%s", s->row.target);
	rc = land_now(&l, e);
	land_turn_over(s);
	free(l.ref);
	free(l.tree);
	return rc;
}
