/* orphans: who is one, and when it is cleaned. */
#include "orphans.h"

#include <string.h>

#include "clean.h"
#include "supervisor/land.h"
#include "store/base/clock.h"
#include "store/base/mem.h"
#include "store/owner.h"

void orphans_said_fini(struct orphans_said *s)
{
	strv_fini(&s->lines);
}

uint64_t orphans_age_ms(const struct manifest_row *m)
{
	uint64_t boot = clock_boot_ms(), wall = clock_wall_ms();
	struct owner self;

	owner_self(&self);
	if (m->last_event_boot_ms && str_eq(m->boot_id, self.boot_id))
		return boot > m->last_event_boot_ms ? boot - m->last_event_boot_ms : 0;
	return wall > m->last_event_ms ? wall - m->last_event_ms : 0;
}

/* Does the session have gates? One whose settings cannot be read is taken to have some. */
static bool has_gates(const struct session *s)
{
	struct config config = {0};
	struct plan_faults faults = {0};
	bool some = config_load_sources(&config, &s->row.config, &faults) != 0 || config.n_gates;

	plan_faults_fini(&faults);
	config_fini(&config);
	return some;
}

/* Would a resume find something to do? */
static bool has_work(const struct session *s, const char *state)
{
	struct intent_row intent;
	struct err ignored = {0};
	bool open = false;

	if (str_eq(s->manifest.state, "landing"))
		return true;
	if (str_eq(state, "done") || str_eq(state, "failed"))
		return false;
	for (size_t i = 0; i < s->plan.n; i++)
		if (!task_state_ended(session_task_state(s, i)))
			return true;
	if (session_intent(s, "intent", &intent, &open, &ignored) != 0 || open) {
		if (open)
			rec_fini(&intent_row_rec, &intent);
		return true;
	}
	/* All is merged, but it was to be landed, or its gates have not run on that. */
	return strcmp(s->tip, s->row.tip) != 0 &&
	       (land_asked(s) || (!s->manifest.final_gates && has_gates(s)));
}

static bool nothing_there(const struct session *s)
{
	/* One that did not end in order has branches as long as it was not cleaned. */
	bool over = str_eq(s->manifest.state, "done") || str_eq(s->manifest.state, "failed");
	return clean_worktrees(s) == 0 && (s->manifest.cleaned_ms || over);
}

/* Is it due? *why says what it is. */
static bool is_due(const struct session *s, const struct orphans_rule *rule, struct str *why)
{
	const char *state = session_state(s->site, s->sid, &s->manifest);
	uint64_t age = orphans_age_ms(&s->manifest);
	AUTO_STR struct str old = {0};

	/* With its lock taken by us "running" means that it died. */
	if (str_eq(state, "running"))
		state = "interrupted";
	bool work = has_work(s, state);
	if (nothing_there(s) || (s->row.keep_worktrees && !work && !rule->kept))
		return false;
	clock_add_duration(&old, age);
	str_addf(why, "%s, last event %s ago", state, old.p);
	return age >= (work ? rule->resumable_max_age_ms : rule->max_age_ms);
}

static void say(struct orphans_said *out, const struct session *s, const char *why, const struct strv *lines)
{
	strv_addf(&out->lines, "session %s (%s):", s->sid, why);
	for (size_t i = 0; i < lines->n; i++) /* each begins with "SID: " */
		strv_addf(&out->lines, "  %s", lines->v[i] + strlen(s->sid) + 2);
	if (!str_eq(s->manifest.state, "done") && !str_eq(s->manifest.state, "failed"))
		strv_addf(&out->lines, "  it can still go on: bosk resume %s", s->sid);
}

/* A dead session, loaded and locked. */
static int look_at(struct session *s, const struct orphans_rule *rule, struct orphans_said *out, struct err *e)
{
	AUTO_STR struct str why = {0};
	AUTO_STRV struct strv lines = {0};

	if (!is_due(s, rule, &why))
		return 0;
	if (rule->dry_run) {
		size_t n = clean_worktrees(s);
		strv_addf(&out->lines, "session %s (%s): would be cleaned, with %zu worktree%s", s->sid, why.p, n,
		          n == 1 ? "" : "s");
		return 0;
	}
	bool whole = false;
	int rc = clean_session(s, &lines, &whole, e);
	if (rc != 0)
		strv_addf(&lines, "%s: the entry stays: %s", s->sid, e->text);
	say(out, s, why.p, &lines);
	out->cleaned += s->manifest.cleaned_ms != 0;
	out->failed += rc != 0 || !whole;
	return 0;
}

static int one(struct site *site, const char *sid, const struct orphans_rule *rule, struct orphans_said *out,
               struct err *e)
{
	struct session head = {.site = site, .lock_fd = -1}, s;
	struct owner self;

	owner_self(&self);
	if (session_manifest(site, sid, &head.manifest, e) != 0)
		return e->kind == ERR_MISSING ? 0 : -1; /* it went away meanwhile */
	/* Most sessions live, or are over and have left nothing: their tasks need not be read. */
	bool skip = !str_eq(head.manifest.host, self.host) || session_owned(site, sid, &head.manifest) ||
	            nothing_there(&head);
	session_fini(&head);
	if (skip)
		return 0;
	int rc = session_load_visited(&s, site, sid, "is cleaned up", e);
	if (rc == 0) {
		rc = look_at(&s, rule, out, e);
	} else if (e->kind == ERR_HELD || e->kind == ERR_MISSING) {
		rc = 0; /* somebody was faster */
	} else {
		strv_addf(&out->lines, "session %s: %s", sid, e->text);
		out->failed++;
		rc = 0;
	}
	session_fini(&s);
	return rc;
}

int orphans_clean(struct site *site, const struct orphans_rule *rule, struct orphans_said *out, struct err *e)
{
	AUTO_STRV struct strv ids = {0};

	*out = (struct orphans_said){0};
	if (session_list(site, &ids, e) != 0)
		return -1;
	for (size_t i = 0; i < ids.n; i++)
		if (one(site, ids.v[i], rule, out, e) != 0)
			return -1;
	return 0;
}
