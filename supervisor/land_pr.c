/* land_pr: the order of things. The intent is recorded before the push and before the command, what came of each after it.
 * An open intent of a command (kind pr-open) means that it may have opened a pull request: then that is asked, and where it
 * cannot be asked it is said once, and done when it is called again. */
#include "land_pr.h"

#include <string.h>

#include "land_private.h"
#include "orphans/strays.h"
#include "remote.h"
#include "store/base/fail.h"
#include "store/base/mem.h"
#include "store/owner.h"
#include "turn.h"
#include "worker/secret.h"

/* One of them under way. */
struct opening {
	struct session *s;
	const struct land_pr *pr;
	struct land_result *out;
	char *key;                           /* of its intent */
	char **pushed, **of, **url, **failed; /* in the manifest, or in the task's row */
};

static void opening_init(struct opening *o, struct session *s, const struct land_pr *pr, struct land_result *out)
{
	struct manifest_row *m = &s->manifest;
	struct task_row *row = pr->task == SIZE_MAX ? NULL : &s->tasks[pr->task];

	*o = (struct opening){.s = s, .pr = pr, .out = out};
	o->key = row ? mem_printf("%s/pr-%06zu", s->sid, pr->task + 1) : mem_printf("%s/pr", s->sid);
	o->pushed = row ? &row->pushed : &m->pushed;
	o->of = row ? &row->pr_of : &m->pr_of;
	o->url = row ? &row->pr_url : &m->pr_url;
	o->failed = row ? &row->pr_failed : &m->pr_failed;
}

/* ---- what the store has of it ---- */

static void turn_changed(struct opening *o, struct turn *t)
{
	if (o->pr->task == SIZE_MAX)
		turn_manifest(t);
	else
		turn_task(t, o->pr->task);
}

static void turn_intent(struct opening *o, struct turn *t, const char *kind)
{
	struct owner self;
	AUTO_FREE char *ref = mem_printf("refs/heads/%s", o->pr->branch);

	owner_self(&self);
	struct intent_row intent = {.kind = (char *)kind,
	                            .ref = ref,
	                            .old_tip = *o->pushed,
	                            .new_tip = (char *)o->pr->commit,
	                            .boot_id = self.boot_id};
	rows_put(&t->batch, DB_integration, o->key, &intent_row_rec, &intent);
}

static void turn_told(struct opening *o, struct turn *t, const char *kind, const char *note)
{
	AUTO_FREE char *remote = secret_hidden(o->pr->config->pr_remote); /* it may be a URL with a password */
	struct event_row ev = {.kind = (char *)kind,
	                       .new_tip = (char *)o->pr->commit,
	                       .reason = remote,
	                       .note = (char *)note};

	if (o->pr->task != SIZE_MAX) {
		ev.task = o->s->plan.tasks[o->pr->task].id;
		ev.ordinal = o->pr->task + 1;
	}
	turn_changed(o, t);
	turn_event(t, &ev);
}

static int commit(struct turn *t, struct err *e)
{
	int rc = turn_commit(t, e);
	turn_fini(t);
	return rc;
}

static int record_intent(struct opening *o, const char *kind, struct err *e)
{
	struct turn t;

	if (gitx_flush(o->s->site->git, e) != 0)
		return -1;
	turn_init(&t, o->s);
	turn_intent(o, &t, kind);
	turn_note(&t, "landing", SIZE_MAX, o->pr->branch);
	return commit(&t, e);
}

/* It is there; the command comes next, and has not begun. */
static int record_pushed(struct opening *o, struct err *e)
{
	AUTO_FREE char *remote = secret_hidden(o->pr->config->pr_remote);
	struct turn t;

	turn_init(&t, o->s);
	mem_set(o->pushed, o->pr->commit);
	if (o->pr->task == SIZE_MAX)
		mem_set(&o->s->manifest.pushed_to, remote);
	turn_told(o, &t, "pr-pushed", o->pr->branch);
	db_batch_del(&t.batch, DB_integration, o->key);
	return commit(&t, e);
}

/* The end of a landing that was asked for, whichever. `keep`: the intent stays open. */
static int record_refusal(struct opening *o, const char *text, bool keep, struct err *e)
{
	AUTO_FREE char *why = secret_hidden(text); /* the remote's URL */
	struct turn t;

	turn_init(&t, o->s);
	mem_set(o->failed, why);
	if (o->pr->task == SIZE_MAX)
		land_record_over(o->s);
	turn_changed(o, &t);
	turn_note(&t, "not-landed", SIZE_MAX, why);
	if (!keep)
		db_batch_del(&t.batch, DB_integration, o->key);
	str_addf(&o->out->text, "no pull request%s: %s\n  then: %s", *o->of ? " brought up to date" : "", why, o->pr->again);
	return commit(&t, e);
}

/* There is one. `url`: NULL = as it was recorded, or not known. */
static int record_done(struct opening *o, const char *url, const char *how, struct err *e)
{
	struct turn t;

	if (!url)
		url = *o->url;
	o->out->done = true;
	str_addf(&o->out->text, "pull request %s%s%s: %s at %.12s, for %s", how, url ? " " : "", url ? url : "", o->pr->branch,
	         o->pr->commit, o->s->row.target);
	if (str_eq(*o->of, o->pr->commit) && !*o->failed && !str_eq(o->s->manifest.state, "landing"))
		return 0; /* as it is recorded */
	turn_init(&t, o->s);
	mem_set(o->failed, NULL);
	if (url != *o->url)
		mem_set(o->url, url);
	mem_set(o->of, o->pr->commit);
	if (o->pr->task == SIZE_MAX)
		land_record_over(o->s);
	turn_told(o, &t, "pr", *o->url);
	db_batch_del(&t.batch, DB_integration, o->key);
	FAILPOINT("pr.record.before");
	int rc = commit(&t, e);
	FAILPOINT("pr.record.after");
	return rc;
}

/* ---- is there one? ---- */

/* What asks: that of a command of the user's is the user's to give. */
static const char *finder(const struct config *c)
{
	return config_given(c, "pr.command") && !config_given(c, "pr.find") ? "" : c->pr_find;
}

/* Anything but LAND_PR_DONE: there is nothing to ask, or no answer; *url NULL = there is none. The caller frees both texts. */
static enum land_pr_end look(const struct opening *o, char **url, char **why)
{
	const char *command = finder(o->pr->config);
	struct land_pr plain = *o->pr;

	plain.draft = false; /* nothing is added to the command */
	*url = *why = NULL;
	return *command ? land_pr_run(o->s, &plain, command, url, why) : LAND_PR_FAILED;
}

/* *over: it has an outcome. */
static int settle(struct opening *o, bool *over, struct err *e)
{
	const char *which = strchr(o->key, '/') + 1;
	struct intent_row intent;
	bool open = false;

	*over = false;
	if (session_intent(o->s, which, &intent, &open, e) != 0)
		return -1;
	bool command = open && str_eq(intent.kind, "pr-open");
	if (open) {
		rec_fini(&intent_row_rec, &intent);
		strays_end(o->s); /* it would push, or open one, after there was none */
	}
	/* One that failed may have opened it all the same. */
	if (*o->of || (!command && !*o->failed))
		return 0;
	AUTO_FREE char *url = NULL, *cannot = NULL;
	enum land_pr_end end = look(o, &url, &cannot);
	if (end == LAND_PR_STOPPED) {
		*over = true;
		return record_refusal(o, "it was asked to stop while it looked whether there is one", command, e);
	}
	if (url) {
		*over = true;
		return record_done(o, url, "was opened before:", e);
	}
	if (end == LAND_PR_DONE || !command)
		return 0;
	*over = true;
	AUTO_FREE char *why = mem_printf("the command that opens one was cut off, and may have opened it%s%s%s. Look there first; called again, "
	                                 "it opens one", cannot ? " (it cannot be asked: " : "", cannot ? cannot : "", cannot ? ")" : "");
	return record_refusal(o, why, false, e);
}

/* ---- the push ---- */

static int refuse_other(struct opening *o, const char *there, struct err *e)
{
	const char *remote = o->pr->config->pr_remote;
	AUTO_FREE char *by_hand = remote_by_hand(remote, o->pr->commit, o->pr->branch, "[rejected]");
	AUTO_FREE char *why = mem_printf("branch %s of %s is at %.12s, which is not ours, so it was not pushed. By hand: %s", o->pr->branch,
	                                 remote, there ? there : "?", by_hand);
	return record_refusal(o, why, false, e);
}

/* *over: it has an outcome, and the text says which. */
static int push(struct opening *o, bool *over, struct err *e)
{
	const struct config *c = o->pr->config;
	struct remote_branch b = {c->pr_remote, o->pr->branch, o->pr->commit, c->push_timeout_ms};
	struct remote_look there;
	int rc = 0;

	*over = true;
	remote_ask(&there, o->s, &b);
	AUTO_FREE char *at = there.at, *mute = there.why;
	if (there.state == REMOTE_OTHER)
		return refuse_other(o, at, e);
	if (there.state == REMOTE_MUTE) {
		AUTO_FREE char *why = mem_printf("%s cannot be asked what it has: %s", c->pr_remote, mute);
		return record_refusal(o, why, false, e);
	}
	if (there.state != REMOTE_SAME) {
		if (record_intent(o, "pr-push", e) != 0)
			return -1;
		FAILPOINT("pr.push.before");
		AUTO_FREE char *failed = remote_push(o->s, &b, at);
		FAILPOINT("pr.push.after");
		if (failed) {
			AUTO_FREE char *why = mem_printf("branch %s could not be pushed to %s: %s", o->pr->branch, c->pr_remote, failed);
			return record_refusal(o, why, false, e);
		}
	}
	*over = false;
	if (there.state != REMOTE_SAME || !str_eq(*o->pushed, o->pr->commit)) {
		rc = record_pushed(o, e);
		FAILPOINT("pr.pushed.after");
	}
	return rc;
}

/* ---- the command ---- */

static int open_one(struct opening *o, struct err *e)
{
	AUTO_FREE char *url = NULL, *why = NULL;

	if (record_intent(o, "pr-open", e) != 0)
		return -1;
	FAILPOINT("pr.open.before");
	enum land_pr_end end = land_pr_run(o->s, o->pr, o->pr->config->pr_command, &url, &why);
	FAILPOINT("pr.open.after");
	if (end == LAND_PR_DONE)
		return record_done(o, url, o->pr->draft ? "opened as a draft:" : "opened:", e);
	AUTO_FREE char *told = mem_printf("branch %s is pushed to %s, but %s", o->pr->branch, o->pr->config->pr_remote, why);
	return record_refusal(o, told, end == LAND_PR_UNKNOWN || end == LAND_PR_STOPPED, e);
}

int land_pr_one(struct session *s, const struct land_pr *pr, struct land_result *out, struct err *e)
{
	struct opening o;
	bool over = false;

	opening_init(&o, s, pr, out);
	size_t told = s->manifest.notes.n;
	session_note_planted(s);
	int rc = settle(&o, &over, e);
	if (rc == 0 && !over)
		rc = push(&o, &over, e);
	if (rc == 0 && !over)
		rc = *o.of ? record_done(&o, NULL, "was opened before:", e) : open_one(&o, e);
	for (size_t i = told; rc == 0 && i < s->manifest.notes.n; i++)
		str_addf(&out->text, "\n  %s", s->manifest.notes.v[i]);
	free(o.key);
	return rc;
}

int land_pr_by(struct session *s, const struct config *config, bool draft, const char *again, struct land_result *out,
               struct err *e)
{
	AUTO_STR struct str title = {0}, body = {0};

	if (land_pr_text(s, &title, &body, e) != 0)
		return -1;
	struct land_pr pr = {.commit = s->tip,
	                     .branch = s->manifest.integration_branch,
	                     .title = str_text(&title),
	                     .body = str_text(&body),
	                     .again = again,
	                     .task = SIZE_MAX,
	                     .draft = draft,
	                     .config = config};
	return land_pr_one(s, &pr, out, e);
}
