/* land: what is asked is looked at, done when its turn comes, and has one outcome, told and recorded. */
#include "land_private.h"

#include <stdlib.h>
#include <string.h>

#include "adopt.h"
#include "land_pr.h"
#include "orphans/strays.h"
#include "recover.h"
#include "revert.h"
#include "store/base/mem.h"

int land_refuse(struct landing *l, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	str_addv(&l->out->text, fmt, ap);
	va_end(ap);
	return 0;
}

char *land_command(const struct landing *l)
{
	struct str text = {0};

	str_addf(&text, "bosk land %s --%s", l->s->sid, l->ask->how);
	for (size_t i = 0; l->ask->tasks && i < l->ask->tasks->n; i++)
		str_addf(&text, " --task %s", l->ask->tasks->v[i]);
	str_add(&text, l->ask->fetch ? " --fetch" : "");
	str_add(&text, l->ask->draft ? " --draft" : "");
	str_add(&text, l->ask->force_red ? " --force-red" : "");
	return str_take(&text);
}

/* What only a merge puts right: one that was cut off when it had begun to move the target. Otherwise a landing that was cut
 * off is over now, whatever was asked then. *go false: it was said why not. */
static int instead(struct landing *l, bool *go, struct err *e)
{
	struct session *s = l->s;
	struct intent_row intent;
	bool open = false;

	*go = true;
	if (session_intent(s, "land", &intent, &open, e) != 0)
		return -1;
	if (open)
		rec_fini(&intent_row_rec, &intent);
	*go = !open;
	/* One that is over has none to resume: its landing could not be undone, for what is in the tree. */
	bool over = str_eq(s->manifest.state, "done") || str_eq(s->manifest.state, "failed");
	if (open)
		return land_refuse(l, "a landing of session %s was cut off: bosk %s %s%s ends that first", s->sid, over ? "land" : "resume",
		                   s->sid, over ? " --merge" : "");
	return land_gates_clear(l, e);
}

static int keep(struct landing *l, struct err *e)
{
	struct session *s = l->s;
	bool go = false;

	if (instead(l, &go, e) != 0)
		return -1;
	if (!go)
		return 0;
	if (str_eq(s->manifest.state, "landing") && land_record_refusal(s, NULL, e) != 0)
		return -1;
	l->out->done = true;
	return land_refuse(l, "kept on branch %s (%.12s); to land it: bosk land %s --merge", s->manifest.integration_branch,
	                   s->tip, s->sid);
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

/* No gate has seen what is there: somebody committed on the branch since, or it was stopped. */
static bool is_unseen(const struct landing *l)
{
	return !l->s->manifest.final_gates && !land_gates_as_begun(l->s) && l->cfg->n_gates && !l->ask->force_red;
}

/* One that is over cannot; its landing runs the gates. */
static bool goes_on(const struct session *s)
{
	const char *state = s->manifest.state;

	return !str_eq(state, "done") && !str_eq(state, "failed") && !str_eq(state, "landing");
}

/* The gates of the session say no, or nothing yet. For single tasks they run once it is known what those come to. */
static bool is_red(struct landing *l)
{
	const struct session *s = l->s;
	const char *gates = s->manifest.final_gates;

	if (l->ask->force_red || l->tasks.n)
		return false;
	if (gates && !str_eq(gates, "pass"))
		land_refuse(l, "the gates are red on the tip (%s): not landed; --force-red lands all the same",
		            s->manifest.final_reason ? s->manifest.final_reason : gates);
	else if (is_unseen(l) && goes_on(s))
		land_refuse(l, "the gates have not run on this tip, so it is not landed: bosk resume %s ends the session "
		            "with them; --force-red lands all the same", s->sid);
	return l->out->text.len > 0;
}

/* Is there anything, and may it be? *go false: it was said why not. */
static int look(struct landing *l, bool *go, struct err *e)
{
	struct session *s = l->s;
	AUTO_STRV struct strv tasks = {0};
	size_t landed = 0;

	*go = false;
	AUTO_FREE char *fault = land_task_fault(l, e);
	if (e->kind != ERR_NONE)
		return -1;
	if (fault)
		return land_refuse(l, "%s", fault);
	if (land_tasks(&tasks, s, e) != 0)
		return -1;
	for (size_t i = 0; i < s->plan.n; i++)
		landed += session_task_state(s, i) == TASK_LANDED;
	if (!tasks.n && !s->manifest.landed && (strcmp(s->tip, s->row.tip) == 0 || landed))
		return land_refuse(l, landed ? "nothing to land: what is integrated of session %s has landed, task by task"
		                             : "nothing to land: no task of session %s is integrated", s->sid);
	AUTO_FREE char *elsewhere = revert_elsewhere(s);
	if (elsewhere)
		return land_refuse(l, "not landed: %s", elsewhere);
	if (revert_left_nothing(s))
		return land_refuse(l, "nothing to land: all that session %s had integrated was taken out again", s->sid);
	if (!oid_parse(&l->tip, s->tip))
		return err_set(e, ERR_DAMAGED, "session %s records no integration tip", s->sid);
	*go = !is_red(l);
	return 0;
}

static int holds(struct landing *l, const char *ref, bool *there, struct err *e)
{
	struct gitx *g = l->s->site->git;
	struct err absent = {0};
	struct oid at;

	return gitx_ref_read(g, ref, &at, &absent) == 0 ? gitx_reaches(g, &at, &l->tip, there, e) : 0;
}

int land_offered(struct landing *l, bool *over, struct err *e)
{
	struct session *s = l->s;
	struct gitx *g = s->site->git;
	AUTO_FREE char *ref = mem_printf("refs/heads/%s", s->row.target), *upstream = NULL;
	struct err absent = {0};
	struct oid landed;
	bool has_landed = false, here = false, there = false;

	if (!l->tasks.n && s->manifest.landed && oid_parse(&landed, s->manifest.landed) && gitx_has_object(g, &landed) &&
	    gitx_reaches(g, &landed, &l->tip, &has_landed, e) != 0)
		return -1;
	if (holds(l, ref, &here, e) != 0)
		return -1;
	if (l->ask->fetch && gitx_upstream(g, s->row.target, &upstream, &absent) == 0 && holds(l, upstream, &there, e) != 0)
		return -1;
	*over = has_landed || here || there;
	if (!*over)
		return 0;
	l->out->done = true;
	if (has_landed)
		land_refuse(l, "nothing to offer: session %s has landed on %s as %.12s", s->sid, s->row.target, landed.hex);
	else
		land_refuse(l, "nothing to offer: %s has %.12s already", here ? s->row.target : upstream, l->tip.hex);
	return land_record_refusal(s, NULL, e);
}

/* The whole as its branch; a task as a commit on the target. */
static int offer_it(struct landing *l, struct err *e)
{
	bool draft = l->ask->draft || l->cfg->pr_draft, fine = true, over = false;
	AUTO_FREE char *again = land_command(l);

	if (land_record_asked(l, e) != 0)
		return -1;
	if (l->tasks.n)
		return land_task_pr(l, draft, e);
	if (land_fetch(l, &fine, e) != 0 || (fine && land_offered(l, &over, e) != 0))
		return -1;
	if (over)
		return 0;
	if (fine && is_unseen(l) && land_gates_tip(l, &fine, e) != 0)
		return -1;
	return fine ? land_pr_by(l->s, l->cfg, draft, again, l->out, e) : land_record_refusal(l->s, str_text(&l->out->text), e);
}

/* Both are told where it is not what was asked for. */
static int offer(struct landing *l, struct err *e)
{
	AUTO_FREE char *why = mem_strdup(l->ask->instead ? l->s->manifest.not_landed : NULL);
	int rc = offer_it(l, e);

	if (!l->ask->instead)
		return rc;
	AUTO_FREE char *text = str_take(&l->out->text);
	str_addf(&l->out->text, "%s\n  instead (land_fallback): %s", why ? why : "not landed", text);
	l->out->done = false;
	return rc;
}

/* It cannot be merged because of what is the target's, not ours. */
static int fall_back(struct landing *l, struct err *e)
{
	AUTO_FREE char *why = str_take(&l->out->text);
	const struct land_ask *asked = l->ask,
	                      ask = {.how = "pr", .tasks = asked->tasks, .force_red = asked->force_red, .instead = true};

	mem_set(&l->s->manifest.not_landed, why);
	l->ask = &ask;
	int rc = offer(l, e);
	l->ask = asked;
	return rc;
}

/* One landing at a time in a repository. */
static int in_turn(struct landing *l, struct err *e)
{
	struct session *s = l->s;
	AUTO_FREE char *again = land_command(l), *resume = mem_printf("bosk resume %s", s->sid);
	bool stopped = false;

	if (land_record_asked(l, e) != 0 || land_turn_wait(s, &stopped, e) != 0)
		return -1;
	if (stopped)
		return land_refuse(l, "not landed: it was asked to stop while it waited for its turn; to land it: %s",
		                   str_eq(s->manifest.state, "landing") ? resume : again);
	size_t told = s->manifest.notes.n;
	session_note_planted(s);
	l->ref = mem_printf("refs/heads/%s", s->row.target);
	int rc = land_merge(l, e);
	land_turn_over(s);
	if (rc == 0 && !l->out->done)
		rc = l->falls && str_eq(l->cfg->land_fallback, "pr") ? fall_back(l, e)
		                                                     : land_record_refusal(s, str_text(&l->out->text), e);
	for (size_t i = told; i < s->manifest.notes.n; i++)
		land_refuse(l, "\n  %s", s->manifest.notes.v[i]);
	return rc;
}

/* `own`: as the session was told, which has its outcome then, also when there is nothing to land. */
static int land(struct session *s, const struct config *cfg, const struct land_ask *ask, bool own, struct land_result *out,
                struct err *e)
{
	struct landing l = {.s = s, .cfg = cfg, .ask = ask, .out = out};
	bool go = false;

	err_clear(e);
	if (str_eq(ask->how, "keep"))
		return keep(&l, e);
	int rc = recover_intent(s, e) != 0 ? -1 : adopt_now(s, e); /* what was merged by hand lands too */
	if (rc == 0 && !str_eq(ask->how, "merge"))
		rc = instead(&l, &go, e);
	if (rc == 0 && (go || str_eq(ask->how, "merge")))
		rc = look(&l, &go, e);
	if (rc == 0 && go)
		bring_branch(s, &l.tip);
	if (rc == 0 && go)
		rc = str_eq(ask->how, "pr") ? offer(&l, e) : in_turn(&l, e);
	else if (rc == 0 && own)
		rc = land_record_refusal(s, str_text(&out->text), e);
	strv_fini(&l.tasks);
	free(l.ref);
	free(l.tree);
	return rc;
}

int land_session(struct session *s, const struct config *cfg, const struct land_ask *ask, struct land_result *out,
                 struct err *e)
{
	/* The session's owner is gone; one that is over left nothing that goes on. */
	if (!str_eq(s->manifest.state, "done") && !str_eq(s->manifest.state, "failed"))
		strays_end(s);
	return land(s, cfg, ask, false, out, e);
}

int land_again(struct session *s, const struct config *cfg, struct land_result *out, struct err *e)
{
	AUTO_STRV struct strv tasks = {0};
	struct land_ask ask;

	land_ask_read(s, &ask, &tasks);
	AUTO_FREE char *how = mem_strdup(ask.how); /* those words go when it has its outcome */
	ask.how = how;
	return land(s, cfg, &ask, true, out, e);
}
