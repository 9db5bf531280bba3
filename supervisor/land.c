/* land: the integration branch onto the target, once, and nowhere else. */
#include "land_private.h"

#include <string.h>

#include "adopt.h"
#include "land_tree.h"
#include "locks.h"
#include "recover.h"
#include "revert.h"
#include "store/base/clock.h"
#include "store/base/fail.h"
#include "store/base/fs.h"
#include "store/base/mem.h"
#include "turn.h"
#include "worker/git.h"
#include "worker/lockfile.h"

enum { TRIES = 5 };

void land_keep(const struct session *s, struct land_result *out)
{
	out->done = true;
	str_addf(&out->text, "kept on branch %s (%.12s); to land it: bosk land %s --merge",
	         s->manifest.integration_branch, s->tip, s->sid);
}

int land_refuse(struct landing *l, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	str_addv(&l->out->text, fmt, ap);
	va_end(ap);
	return 0;
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
	return land_refuse(l, "not landed: git would not move the tree %s: %.400s%s%s\n  then: bosk land %s --merge", l->tree,
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
		return land_refuse(l, "not landed: %s; %s is checked out there, so nothing was touched. Put that "
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
		land_refuse(l, "not landed: %s\n  then: bosk land %s --merge", e->text, l->s->sid);
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
		               ? land_refuse(l, "not landed: there is no branch %s any more", s->row.target)
		               : -1;
	/* Also what a landing before a crash comes to: the ref proves it. */
	if (gitx_reaches(s->site->git, &l->target, &l->tip, &there, e) != 0)
		return -1;
	if (there)
		return land_record_done(l, l->target.hex, e);
	if (land_commit(l, &clean, e) != 0)
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
	return land_refuse(l, "not landed: an earlier landing was cut off, and %s. Put that right, then: bosk land "
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
		land_refuse(l, "not landed: %s was moved by others %d times meanwhile; try again: bosk land %s --merge",
		            s->row.target, TRIES, s->sid);
	if (rc == 0 && !l->out->done && str_eq(s->manifest.state, "landing"))
		rc = land_record_refusal(s, str_text(&l->out->text), e);
	for (size_t i = told; i < s->manifest.notes.n; i++)
		land_refuse(l, "\n  %s", s->manifest.notes.v[i]);
	return rc;
}

int land_merge(struct session *s, struct land_result *out, struct err *e)
{
	struct landing l = {.s = s, .out = out};
	int rc;

	err_clear(e);
	if (recover_intent(s, e) != 0 || adopt(s, e) != 0)
		return -1;
	AUTO_STRV struct strv tasks = {0};
	if (land_tasks(&tasks, s, e) != 0)
		return -1;
	if (strcmp(s->tip, s->row.tip) == 0 && !tasks.n) {
		land_refuse(&l, "nothing to land: no task of session %s is integrated", s->sid);
		return 0;
	}
	AUTO_FREE char *elsewhere = revert_elsewhere(s);
	if (elsewhere)
		return land_refuse(&l, "not landed: %s", elsewhere);
	if (revert_left_nothing(s))
		return land_refuse(&l, "nothing to land: all that session %s had integrated was taken out again", s->sid);
	if (!oid_parse(&l.tip, s->tip))
		return err_set(e, ERR_DAMAGED, "session %s records no integration tip", s->sid);
	bring_branch(s, &l.tip);
	bool stopped = false;
	if (land_turn_wait(s, &stopped, e) != 0)
		return -1;
	if (stopped)
		return land_refuse(&l, "not landed: it was asked to stop while it waited for its turn; to land it: bosk %s %s",
		                   str_eq(s->manifest.state, "landing") ? "resume" : "land --merge", s->sid);
	l.ref = mem_printf("refs/heads/%s", s->row.target);
	rc = land_now(&l, e);
	land_turn_over(s);
	free(l.ref);
	free(l.tree);
	return rc;
}
