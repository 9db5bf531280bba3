/* land_merge: onto the target, once, and nowhere else (declared in land_private.h). */
#include "land_private.h"

#include <stdlib.h>
#include <string.h>

#include "land_look.h"
#include "land_tree.h"
#include "locks.h"
#include "store/base/fail.h"
#include "store/base/log.h"
#include "store/base/mem.h"
#include "worker/lockfile.h"

enum { TRIES = 5 };

/* git says this when it looked, before it writes anything: unpack_trees. */
static const char untouched[] = "Aborting\n";

/* git writes the files and the index before it finds that it cannot move HEAD: they go back. But not in a tree that is
 * on another branch by now: that is not ours to change. */
static int give_up(struct landing *l, const char *said, struct err *e)
{
	struct intent_row intent = {
		.ref = l->ref, .old_tip = l->target.hex, .new_tip = l->merge.hex, .tree_path = l->tree};
	AUTO_FREE char *trouble = NULL, *again = land_command(l);
	struct oid now;
	struct err looked = {0};
	bool home = false;

	if (land_tree_home(l->s, &intent, &now, &home, &looked) != 0)
		return *e = looked, -1;
	if (!home) {
		if (land_record_withdrawn(l, e) != 0)
			return -1;
		l->falls = true;
		return land_refuse(l, "not landed: something else was checked out in %s at that very moment (%.400s); should what is "
		                   "there have moved to %.12s, this takes it back: git -C '%s' reset --keep HEAD@{1}\n  then: %s",
		                   l->tree, said, l->merge.hex, l->tree, again);
	}
	if (!strstr(said, untouched) && land_tree_undo(l->s, &intent, &trouble, e) != 0)
		return err_wrap(e, "git stopped half-way in moving %s (%.200s), and it cannot be put back", l->tree, said);
	if (!trouble && land_record_withdrawn(l, e) != 0) /* else the next landing tries it again */
		return -1;
	if (!trouble && err_no_room(git_said_kind(said)))
		return err_set(e, git_said_kind(said), "not landed: git cannot move the tree %s: %.400s", l->tree, said);
	l->falls = true;
	return land_refuse(l, "not landed: git would not move the tree %s: %.400s%s%s\n  then: %s", l->tree, said,
	                   trouble ? "\n  " : "", trouble ? trouble : "", again);
}

/* May the checked-out tree be moved to the merge? *free false: it was said why not. */
static int look_at_tree(struct landing *l, const struct git *g, bool *free_, struct err *e)
{
	struct err looked = {0};
	AUTO_FREE char *trouble = land_look_trouble(g, &looked), *again = land_command(l);

	if (!trouble)
		trouble = land_look_hidden(g, &l->target, &l->merge, &looked);
	if (!trouble)
		trouble = land_look_in_the_way(g, &l->target, &l->merge, &looked);
	if (!trouble)
		trouble = land_look_locked(g, l->s, l->ref, false, &looked);
	*free_ = !trouble;
	if (trouble && err_no_room(looked.kind))
		return err_set(e, looked.kind, "not landed: %s", trouble);
	if (!trouble)
		return 0;
	l->falls = true;
	return land_refuse(l, "not landed: %s; %s is checked out there, so nothing was touched. Put that right, then: %s",
	                   trouble, l->s->row.target, again);
}

/* Where is the target checked out? l->tree, NULL = nowhere. *free_ false: in more than one place, which was said. */
static int find_tree(struct landing *l, bool *free_, struct err *e)
{
	AUTO_STRV struct strv paths = {0};
	AUTO_FREE char *again = land_command(l);

	if (gitx_checked_out_all(l->s->site->git, l->ref, &paths, e) != 0)
		return -1;
	mem_set(&l->tree, paths.n ? paths.v[0] : NULL);
	*free_ = paths.n <= 1;
	if (*free_)
		return 0;
	l->falls = true;
	return land_refuse(l, "not landed: %s is checked out in %s and in %s, and git brings one of them along, not both. Check "
	                   "something else out in one, then: %s", l->s->row.target, paths.v[0], paths.v[1], again);
}

/* Bring the checked-out tree, and with it the ref, to the merge commit. *moved: the ref was elsewhere, or it is checked
 * out elsewhere by now. */
static int forward_tree(struct landing *l, const struct git *g, bool *moved, struct err *e)
{
	AUTO_FREE char *tree = mem_strdup(l->tree);
	AUTO_STR struct str text = {0};
	struct git here = *g;
	struct oid now;
	bool free_ = false;
	int status;

	here.cwd = tree;
	if (look_at_tree(l, &here, &free_, e) != 0)
		return -1;
	if (!free_)
		return 0;
	/* That took its time: is it still there? */
	if (find_tree(l, &free_, e) != 0)
		return -1;
	*moved = free_ && !str_eq(l->tree, tree);
	if (!free_ || *moved)
		return 0;
	if (land_record_intent(l, e) != 0)
		return -1;
	FAILPOINT("land.forward.before");
	if (git_try(&here, &status, NULL, &text,
	            GIT_ARGS("merge", "--ff-only", "--no-squash", "--commit", "--no-autostash", "--no-overwrite-ignore", "--quiet",
	                     l->merge.hex),
	            e) != 0)
		return -1;
	FAILPOINT("land.forward.after");
	if (gitx_ref_read(l->s->site->git, l->ref, &now, e) != 0)
		return -1;
	if (strcmp(now.hex, l->merge.hex) == 0)
		return land_flush(l->s, &here, l->ref, l->target.hex, l->merge.hex, e) != 0
		               ? -1
		               : land_record_done(l, &l->tasks, l->merge.hex, e);
	*moved = strcmp(now.hex, l->target.hex) != 0;
	if (*moved)
		return land_record_withdrawn(l, e);
	return give_up(l, str_text(&text), e);
}

static int move_ref(struct landing *l, bool *moved, struct err *e)
{
	AUTO_FREE char *again = land_command(l);

	if (land_record_intent(l, e) != 0)
		return -1;
	FAILPOINT("land.ref.before");
	if (gitx_ref_move(l->s->site->git, l->ref, &l->target, &l->merge, "bosk: land", e) == 0) {
		FAILPOINT("land.ref.after");
		return land_record_done(l, &l->tasks, l->merge.hex, e);
	}
	if (e->kind != ERR_MOVED && e->kind != ERR_HELD && e->kind != ERR_USAGE) /* the last: a symbolic ref */
		return -1;
	*moved = e->kind == ERR_MOVED;
	l->falls = !*moved;
	if (!*moved)
		land_refuse(l, "not landed: %s\n  then: %s", e->text, again);
	err_clear(e);
	return land_record_withdrawn(l, e);
}

/* l->merge: what the target is to be. *over: nothing is left to do, or it was said why nothing can be done. */
static int make_merge(struct landing *l, bool *over, struct err *e)
{
	struct gitx *g = l->s->site->git;
	bool there = false, clean = false;

	if (land_rewritten(l, over, e) != 0)
		return -1;
	l->falls |= *over;
	if (*over)
		return 0;
	if (l->tasks.n && land_task_commits(l, &clean, e) != 0)
		return -1;
	*over = l->tasks.n && !clean;
	/* Also what a landing before a crash comes to: the ref proves it. And what somebody else has merged. */
	if (!*over && gitx_reaches(g, &l->onto, &l->tip, &there, e) != 0)
		return -1;
	if (!*over && there && strcmp(l->onto.hex, l->target.hex) == 0) {
		*over = true;
		return land_record_done(l, &l->tasks, l->target.hex, e);
	}
	if (there)
		l->merge = l->onto;
	else if (!*over && land_commit(l, &clean, e) != 0)
		return -1;
	*over |= !there && !clean;
	return 0;
}

/* With the target where it is now. *moved: it was moved meanwhile. */
static int try_once(struct landing *l, bool *moved, struct err *e)
{
	struct session *s = l->s;
	AUTO_STRV struct strv settings = {0};
	struct git g = {.extra = &settings, .guard = session_guard(s)};
	bool over = false, free_ = true, green = false;

	*moved = false;
	err_clear(e);
	if (gitx_ref_read(s->site->git, l->ref, &l->target, e) != 0) {
		if (e->kind != ERR_MISSING)
			return -1;
		l->falls = true;
		return land_refuse(l, "not landed: there is no branch %s any more", s->row.target);
	}
	if (land_fetch_onto(l, &free_, e) != 0)
		return -1;
	if (!free_)
		return 0;
	if (make_merge(l, &over, e) != 0)
		return -1;
	if (over)
		return 0;
	strv_add(&settings, LAND_FSYNC);
	if (!strchr(s->row.target, '=')) /* the user's options for merges may name a strategy that does not fast-forward */
		strv_addf(&settings, "branch.%s.mergeOptions=", s->row.target);
	/* Before the gates, which take their time ... */
	if (find_tree(l, &free_, e) != 0)
		return -1;
	g.cwd = l->tree;
	if (free_ && l->tree && look_at_tree(l, &g, &free_, e) != 0)
		return -1;
	if (!free_)
		return 0;
	if (land_gates(l, &green, e) != 0)
		return -1;
	if (!green)
		return 0;
	/* ... and in which the user may have switched to the target, or away from it. */
	if (find_tree(l, &free_, e) != 0)
		return -1;
	g.cwd = l->tree;
	if (!free_)
		return 0;
	return l->tree ? forward_tree(l, &g, moved, e) : move_ref(l, moved, e);
}

/* It was about single tasks, which have landed. */
static int tasks_landed(struct landing *l, const struct intent_row *intent, bool *landed, struct err *e)
{
	struct oid now, merge;
	struct err absent = {0};

	*landed = false;
	if (!intent->tasks.n || !oid_parse(&merge, intent->new_tip ? intent->new_tip : "") ||
	    gitx_ref_read(l->s->site->git, intent->ref, &now, &absent) != 0 ||
	    gitx_reaches(l->s->site->git, &now, &merge, landed, &absent) != 0 || !*landed)
		return 0;
	oid_parse(&l->target, intent->old_tip);
	return land_record_done(l, &intent->tasks, intent->new_tip, e);
}

/* A landing that a crash cut off: its locks go, and a half-written tree is put back. Then it is begun
 * anew - or found to be finished, which the ref proves. */
static int settle_intent(struct landing *l, bool *clear, struct err *e)
{
	struct session *s = l->s;
	AUTO_FREE char *trouble = NULL, *again = land_command(l);
	struct intent_row intent;
	bool open, landed = false;

	*clear = true;
	if (session_intent(s, "land", &intent, &open, e) != 0)
		return -1;
	if (!open)
		return 0;
	locks_clear(s);
	AUTO_FREE char *lock = mem_printf("%s/%s.lock", gitx_common_dir(s->site->git), intent.ref);
	if (!intent.tree_path)
		lockfile_clear(lock, gitx_main_top(s->site->git), LOCKFILE_PATIENCE_MS);
	int rc = intent.tree_path ? land_tree_mend(s, &intent, &trouble, e) : 0;
	if (rc == 0 && !trouble)
		rc = tasks_landed(l, &intent, &landed, e);
	bool same = strv_within(&l->tasks, &intent.tasks);
	rec_fini(&intent_row_rec, &intent);
	if (rc != 0)
		return rc;
	*clear = !trouble && !(landed && l->tasks.n);
	if (!trouble && !landed)
		return land_record_withdrawn(l, e);
	if (landed && l->tasks.n && same)
		return 0; /* that was it */
	if (landed) {
		l->out->done = false;
		str_clear(&l->out->text);
		return l->tasks.n ? land_refuse(l, "not landed: an earlier landing was ended first; now again: %s", again) : 0;
	}
	return land_refuse(l, "not landed: an earlier landing was cut off, and %s. Put that right, then: %s", trouble, again);
}

int land_merge(struct landing *l, struct err *e)
{
	struct session *s = l->s;
	bool clear = false, moved = true;

	int rc = settle_intent(l, &clear, e);
	if (rc == 0 && clear)
		rc = land_gates_clear(l, e);
	if (rc == 0 && clear)
		rc = land_fetch(l, &clear, e);
	for (int i = 0; rc == 0 && clear && moved && i < TRIES; i++)
		rc = try_once(l, &moved, e);
	if (rc == 0 && clear && moved) {
		AUTO_FREE char *again = land_command(l);
		l->falls = true;
		land_refuse(l, "not landed: %s was moved by others %d times meanwhile; try again: %s", s->row.target, TRIES,
		            again);
	}
	return rc;
}
