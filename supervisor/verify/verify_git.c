/* verify_git: what the store says against what is in git - refs, merges, kept work, worktrees. */
#include <string.h>

#include "store/base/fs.h"
#include "store/base/mem.h"
#include "supervisor/revert.h"
#include "supervisor/sprint.h"
#include "verify_private.h"
#include "worker/git.h"
#include "worker/worktree_look.h"

/* ---- refs of a session ---- */

static bool open_intent(const struct verify *v, const struct verify_session *s, const char *which,
                        struct intent_row *out)
{
	AUTO_FREE char *key = mem_printf("%s/%s", s->sid, which);
	const struct image_row *row = image_find(&v->model->image, DB_integration, key);
	struct err e = {0};

	*out = (struct intent_row){0};
	return row && rec_decode(&intent_row_rec, out, row->bytes, row->n, &e) == 0;
}

static void check_intents(struct verify *v, struct verify_session *s)
{
	static const char *const names[] = {"intent", "land", "pr"};
	bool over = str_eq(s->manifest.state, "done") || str_eq(s->manifest.state, "failed");

	for (size_t i = 0; i < MEM_COUNT(names); i++) {
		AUTO_FREE char *key = mem_printf("%s/%s", s->sid, names[i]);
		const struct image_row *row = image_find(&v->model->image, DB_integration, key);
		struct intent_row intent;
		if (!row)
			continue;
		if (!open_intent(v, s, names[i], &intent)) {
			s->wrong = verify_say(v, s->sid, "its open intent %s cannot be read", key);
			verify_junk(v, DB_integration, key);
		} else if (over && i == 0) {
			s->refs = verify_say(v, s->sid, "is over, but has an open intent to integrate");
		}
		rec_fini(&intent_row_rec, &intent);
	}
}

/* An open intent was to bring the session's refs to `at`. */
static bool intent_brings(const struct verify *v, const struct verify_session *s, const struct oid *at)
{
	struct intent_row intent;
	bool brings = open_intent(v, s, "intent", &intent) && str_eq(intent.new_tip, at->hex);

	rec_fini(&intent_row_rec, &intent);
	return brings;
}

/* The truth ref follows a branch that somebody went on with, and then that is recorded: it was killed between
 * the two. */
static bool was_adopting(const struct verify *v, const struct verify_session *s, const struct oid *truth)
{
	AUTO_FREE char *ref = mem_printf("refs/heads/%s", s->manifest.integration_branch);
	struct gitx *g = v->model->site->git;
	struct oid tip, branch;
	struct err ignored = {0};
	bool after = false, followed = false;

	if (!s->manifest.integration_branch || !oid_parse(&tip, s->tip) ||
	    gitx_ref_read(g, ref, &branch, &ignored) != 0)
		return false;
	gitx_reaches(g, truth, &tip, &after, &ignored);
	gitx_reaches(g, &branch, truth, &followed, &ignored);
	return after && followed && !intent_brings(v, s, truth);
}

/* The truth ref is where the store says, or where an open intent was to bring it. */
static void check_truth(struct verify *v, struct verify_session *s, struct oid *truth)
{
	struct gitx *g = v->model->site->git;
	AUTO_FREE char *ref = mem_printf("refs/bosk/int/%s", s->sid);
	struct oid tip;
	struct err e = {0};
	bool after = false;

	if (gitx_ref_read(g, ref, truth, &e) != 0) {
		if (s->live || verify_about_to_be(s))
			verify_note(v, s->sid, "%s; %s", e.text,
			            s->live ? "its owner is just making or removing it" : "a resume makes it again");
		else
			s->refs = verify_say(v, s->sid, "%s", e.text);
		*truth = (struct oid){""};
		return;
	}
	if (!s->tip || strcmp(truth->hex, s->tip) == 0)
		return;
	/* A living one goes on while it is looked at. */
	if (s->live && oid_parse(&tip, s->tip) && gitx_reaches(g, truth, &tip, &after, &e) == 0 && after)
		return;
	s->adopting = was_adopting(v, s, truth);
	if (s->adopting)
		verify_note(v, s->sid, "what somebody put on its branch is not recorded yet: the next resume or landing "
		            "takes it in");
	else if (!intent_brings(v, s, truth))
		s->refs = verify_say(v, s->sid, "%s is at %.12s, but the store says %.12s", ref, truth->hex, s->tip);
}

/* The branch follows the truth ref, unless somebody has it checked out or went on with it. */
static void check_branch(struct verify *v, struct verify_session *s, const struct oid *truth)
{
	struct gitx *g = v->model->site->git;
	const char *name = s->manifest.integration_branch;
	AUTO_FREE char *ref = mem_printf("refs/heads/%s", name ? name : ""), *path = NULL;
	struct oid at;
	struct err e = {0};
	bool behind = false, ahead = false;

	if (!name || oid_none(truth) || s->live)
		return;
	if (gitx_ref_read(g, ref, &at, &e) != 0) {
		if (s->manifest.landed)
			verify_note(v, s->sid, "branch %s was removed; it has landed", name);
		else if (str_eq(s->manifest.state, "landing"))
			verify_note(v, s->sid, "branch %s was removed, as its landing was cut off; a resume ends that", name);
		else
			s->refs = verify_say(v, s->sid, "its branch %s is gone", name);
		return;
	}
	if (strcmp(at.hex, truth->hex) == 0)
		return;
	gitx_reaches(g, truth, &at, &behind, &e);
	gitx_reaches(g, &at, truth, &ahead, &e);
	if (behind && gitx_checked_out(g, ref, &path, &e) == 0)
		verify_note(v, s->sid, "branch %s lags behind: it is checked out in %s", name, path);
	else if (behind && intent_brings(v, s, truth)) /* the ref before it in the transaction was moved */
		verify_note(v, s->sid, "branch %s lags behind: bosk resume %s brings it along", name, s->sid);
	else if (behind)
		s->refs = verify_say(v, s->sid, "branch %s is at %.12s, behind %.12s", name, at.hex, truth->hex);
	else
		verify_note(v, s->sid, "branch %s was %s by somebody; bosk's own is refs/bosk/int/%s", name,
		            ahead ? "moved ahead (it lands with it)" : "moved elsewhere", s->sid);
}

/* ---- merges ---- */

static size_t task_of(const struct verify_queue *q, const char *id)
{
	for (size_t i = 0; id && i < q->n; i++)
		if (q->have_def[i] && str_eq(q->defs[i].id, id))
			return i;
	return SIZE_MAX;
}

static bool is_in(const struct task_row *row)
{
	return str_eq(row->state, "integrated") || str_eq(row->state, "landed");
}

static bool about_to(const struct verify *v, const struct verify_session *s, const char *task)
{
	struct intent_row intent;
	bool found = open_intent(v, s, "intent", &intent) && strv_has(&intent.tasks, task);
	rec_fini(&intent_row_rec, &intent);
	return found;
}

/* bosk's own commit. */
static void check_sprint(struct verify *v, struct verify_session *s, const struct oid *at)
{
	if (!strv_has(&s->manifest.sprint, at->hex) && !intent_brings(v, s, at) && !s->live && !s->told.adopted)
		s->wrong = verify_say(v, s->sid, "commit %.12s of the sprint status is on its branch, but not in the store",
		                      at->hex);
}

/* One commit of the branch: whose is it, and does the store know? (promise A2) */
static void check_merge(struct verify *v, struct verify_session *s, const struct oid *at,
                        const struct oid *parents, size_t n, bool *seen)
{
	struct gitx *g = v->model->site->git;
	struct verify_queue *q = s->queue;
	AUTO_FREE char *sid = gitx_trailer(g, at, "Bosk-Session"), *id = gitx_trailer(g, at, "Bosk-Task");
	AUTO_FREE char *hash = gitx_trailer(g, at, "Bosk-Result");
	size_t i = task_of(q, id);

	if (!id && sprint_is(g, at, s->sid)) {
		check_sprint(v, s, at);
		return;
	}
	if (!str_eq(sid, s->sid) || !id) {
		if (!s->told.adopted && !s->live)
			q->wrong = verify_say(v, s->sid, "commit %.12s on its branch is not recorded", at->hex);
		return;
	}
	if (i == SIZE_MAX) {
		s->wrong = verify_say(v, s->sid, "merge %.12s is of a task %s that there is not", at->hex, id);
		return;
	}
	const struct task_row *row = &q->rows[i];
	AUTO_FREE char *reverts = gitx_trailer(g, at, REVERT_TRAILER);
	if (!q->have_row[i] || strv_has(&row->earlier, at->hex) || strv_has(&row->undone, at->hex))
		return;
	if (reverts) {
		bool known = n == 1 && (strv_has(&row->reverts, at->hex) || about_to(v, s, id));
		if (!known && !s->live && !s->told.adopted)
			q->wrong = verify_say(v, s->sid, "commit %.12s takes task %s out of its branch, but the store says: %s", at->hex,
			                      id, row->state ? row->state : "nothing");
		return;
	}
	if (!is_in(row) || !str_eq(row->merge, at->hex)) {
		if (!about_to(v, s, id) && !s->live && !s->told.adopted)
			q->wrong = verify_say(v, s->sid, "merge %.12s of task %s is on its branch, but the store says: %s",
			                      at->hex, id, row->state ? row->state : "nothing");
		return;
	}
	seen[i] = true;
	if (n != 2 || !str_eq(row->commit, parents[1].hex))
		q->wrong = verify_say(v, s->sid, "merge %.12s of task %s brings another commit than %.12s", at->hex, id,
		                      row->commit ? row->commit : "(none)");
	if (hash && row->result_hash && *hash && !str_eq(hash, row->result_hash))
		s->chain = verify_say(v, s->sid, "merge %.12s of task %s names result record %.12s, the store %.12s",
		                      at->hex, id, hash, row->result_hash);
}

static void walk(struct verify *v, struct verify_session *s, const struct oid *truth, bool *seen)
{
	struct oid at = *truth, parents[2];
	bool recorded = !s->adopting;
	size_t n = 0;
	struct err e = {0};

	while (!str_eq(at.hex, s->row.tip)) {
		if (gitx_parents(v->model->site->git, &at, parents, 2, &n, &e) != 0) {
			s->refs = verify_say(v, s->sid, "commit %.12s on its branch cannot be read", at.hex);
			return;
		}
		recorded |= str_eq(at.hex, s->tip);
		if (recorded)
			check_merge(v, s, &at, parents, n, seen);
		if (!n) {
			s->wrong = verify_say(v, s->sid, "its branch does not come from %.12s, where it began",
			                      s->row.tip ? s->row.tip : "(none)");
			return;
		}
		at = parents[0];
	}
}

static void check_task(struct verify *v, struct verify_session *s, size_t i, const struct oid *truth,
                       bool seen)
{
	struct gitx *g = v->model->site->git;
	struct verify_queue *q = s->queue;
	const struct task_row *row = &q->rows[i];
	const char *id = q->have_def[i] ? q->defs[i].id : "?";
	struct oid merge, commit, at;
	struct err e = {0};
	bool in = false;

	if (str_eq(row->state, "reverted") && !oid_none(truth)) {
		if (row->reverts.n && oid_parse(&commit, row->reverts.v[row->reverts.n - 1]))
			gitx_reaches(g, truth, &commit, &in, &e);
		if (!in)
			q->wrong = verify_say(v, s->sid, "task %s is reverted, but the commit that does it is not on the branch", id);
	}
	if (is_in(row)) {
		if (seen || oid_none(truth))
			return;
		if (row->merge && oid_parse(&merge, row->merge))
			gitx_reaches(g, truth, &merge, &in, &e);
		if (!in)
			q->wrong = verify_say(v, s->sid, "task %s is %s, but its merge %.12s is not on the branch", id,
			                      row->state, row->merge ? row->merge : "(none)");
		return;
	}
	if (row->commit && (!oid_parse(&commit, row->commit) || !gitx_has_object(g, &commit)))
		q->wrong = verify_say(v, s->sid, "commit %.12s of task %s is not in the repository any more",
		                      row->commit, id);
	/* A branch is named as such; a ref by its whole name. */
	AUTO_FREE char *ref = !row->kept ? NULL
	                      : str_starts(row->kept, "refs/") ? mem_strdup(row->kept)
	                                                       : mem_printf("refs/heads/%s", row->kept);
	if (ref && !s->live && gitx_ref_read(g, ref, &at, &e) != 0)
		q->wrong = verify_say(v, s->sid, "the work that task %s left on %s is gone", id, row->kept);
}

static void check_sprints_there(struct verify *v, struct verify_session *s, const struct oid *truth)
{
	struct gitx *g = v->model->site->git;

	for (size_t i = 0; i < s->manifest.sprint.n && !oid_none(truth); i++) {
		struct oid at;
		struct err ignored = {0};
		bool in = false;
		if (oid_parse(&at, s->manifest.sprint.v[i]))
			gitx_reaches(g, truth, &at, &in, &ignored);
		if (!in)
			s->wrong = verify_say(v, s->sid, "its commit %.12s of the sprint status is not on the branch",
			                      s->manifest.sprint.v[i]);
	}
}

void verify_git(struct verify *v, struct verify_session *s)
{
	struct verify_queue *q = s->queue;
	AUTO_FREE bool *seen = mem_array(q->n, sizeof *seen);
	struct oid truth, landed, target;
	struct err e = {0};
	bool in = false;

	if (!s->have_manifest || !s->have_row)
		return;
	if (verify_unborn(s)) {
		verify_note(v, s->sid, "was cut off before it began; bosk resume %s starts it", s->sid);
		return;
	}
	if (s->manifest.leaving_ms) {
		verify_note(v, s->sid, "it has landed, and is being forgotten: bosk gc ends that");
		return;
	}
	check_intents(v, s);
	check_truth(v, s, &truth);
	check_branch(v, s, &truth);
	if (!oid_none(&truth))
		walk(v, s, &truth, seen);
	check_sprints_there(v, s, &truth);
	for (size_t i = 0; i < q->n; i++)
		if (q->have_row[i] && str_eq(q->rows[i].session, s->sid))
			check_task(v, s, i, &truth, seen[i]);
	if (!s->manifest.landed || !oid_parse(&landed, s->manifest.landed))
		return;
	AUTO_FREE char *ref = mem_printf("refs/heads/%s", s->row.target);
	if (gitx_ref_read(v->model->site->git, ref, &target, &e) != 0 ||
	    gitx_reaches(v->model->site->git, &target, &landed, &in, &e) != 0 || !in)
		verify_note(v, s->sid, "it landed as %.12s, which is not in %s any more", landed.hex, s->row.target);
}

/* ---- worktrees ---- */

/* git takes the path from a file of the admin folder, of which a power cut may have left the beginning. */
static bool cut_off(const struct verify *v, const struct verify_session *s, const char *path)
{
	for (size_t i = 0; i < s->manifest.worktrees.n; i++) {
		AUTO_FREE char *admin = NULL, *why = NULL, *link = mem_printf("%s/.git", s->manifest.worktrees.v[i]);
		struct slot probe = {.init = {.sid = (char *)s->sid,
		                              .worktree = s->manifest.worktrees.v[i],
		                              .common_dir = (char *)gitx_common_dir(v->model->site->git)}};
		if (str_starts(link, path) && worktree_look(&probe, &admin, &why) == WORKTREE_HALF)
			return true;
	}
	return false;
}

/* One that git knows, locked with `reason`. */
static void check_worktree(struct verify *v, const char *path, const char *reason)
{
	static const char mark[] = "bosk session ";
	struct verify_session *s;

	if (!str_starts(reason, mark))
		return;
	const char *sid = reason + strlen(mark);
	s = verify_find_session(v, sid);
	if (!s) {
		verify_note(v, sid, "worktree %s is of a session that the store does not know. If there is nothing in it "
		            "that you need: git worktree remove --force --force %s", path, path);
		return;
	}
	bool over = str_eq(s->manifest.state, "done") || str_eq(s->manifest.state, "failed");
	if (s->live || !s->have_manifest || !s->have_row || strv_has(&s->manifest.held, path))
		return;
	if (!strv_has(&s->manifest.worktrees, path) && cut_off(v, s, path)) {
		verify_note(v, s->sid, "a worktree was cut off while it was made; bosk resume %s makes it again", s->sid);
	} else if (!strv_has(&s->manifest.worktrees, path)) {
		s->wrong = verify_say(v, s->sid, "worktree %s is its own, but not in its manifest", path);
	} else if (over && !s->row.keep_worktrees) {
		for (size_t i = 0; i < s->manifest.notes.n; i++)
			if (strstr(s->manifest.notes.v[i], path)) /* said when it stayed */
				return;
		s->refs = verify_say(v, s->sid, "is over, but its worktree %s is still there", path);
		strv_add(&s->worktrees, path);
	}
}

void verify_worktrees(struct verify *v)
{
	struct git git = {.cwd = gitx_common_dir(v->model->site->git)};
	AUTO_STR struct str out = {0};
	AUTO_FREE char *path = NULL;
	struct err e = {0};

	if (git_run(&git, &out, GIT_ARGS("worktree", "list", "--porcelain", "-z"), &e) != 0) {
		verify_note(v, NULL, "the worktrees could not be looked at: %s", e.text);
		return;
	}
	for (size_t at = 0; at < out.len; at += strlen(out.p + at) + 1) {
		const char *line = out.p + at;
		if (str_starts(line, "worktree "))
			mem_set(&path, line + strlen("worktree "));
		else if (str_starts(line, "locked ") && path)
			check_worktree(v, path, line + strlen("locked "));
	}
}
