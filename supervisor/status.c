/* status: sessions and tasks as JSON and as text. */
#include "agents.h"
#include "gates_told.h"
#include "land_pr.h"
#include "status.h"

#include <string.h>

#include "batch_results.h"
#include "claim.h"
#include "orphans/orphans.h"
#include "queue/claimed.h"
#include "render.h"
#include "store/base/clock.h"
#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/json.h"
#include "told.h"

/* The states shown, in the order they are listed. */
static const char *const shown[] = {"integrated", "landed",  "running", "pending",  "conflict",
                                    "blocked",    "failed",  "limited", "skipped",  "routed",
                                    "cancelled",  "reverted"};

void status_count(struct status_count *c, const char *state, size_t n)
{
	for (size_t i = 0; i < MEM_COUNT(shown); i++)
		if (str_eq(shown[i], state))
			c->of[i] += n;
}

static void count_all(const struct session *s, struct status_count *c)
{
	*c = (struct status_count){.total = s->plan.n};
	for (size_t i = 0; i < s->plan.n; i++)
		status_count(c, session_task_shown(s, i), 1);
}

static void add_counts(const struct status_count *c, struct str *out)
{
	const char *sep = ": ";
	str_addf(out, "%zu task%s", c->total, c->total == 1 ? "" : "s");
	for (size_t i = 0; i < MEM_COUNT(shown); i++)
		if (c->of[i]) {
			str_addf(out, "%s%zu %s", sep, c->of[i], shown[i]);
			sep = ", ";
		}
}

void status_counts(const struct session *s, struct str *out)
{
	struct status_count c;
	count_all(s, &c);
	add_counts(&c, out);
}

static struct json_t *gates_json(const struct strv *gates)
{
	struct json_t *map = json_map();
	for (size_t i = 0; i < gates->n; i++) {
		AUTO_FREE char *pair = mem_strdup(gates->v[i]);
		char *verdict = strrchr(pair, '=');
		if (!verdict)
			continue;
		*verdict++ = '\0';
		json_put_text(map, pair, verdict);
	}
	return map;
}

static struct json_t *task_json(const struct session *s, size_t i)
{
	const struct task_row *row = &s->tasks[i];
	struct json_t *j = json_map();

	json_put_text(j, "id", s->plan.tasks[i].id);
	json_put_text(j, "state", session_task_shown(s, i));
	json_put_u64(j, "attempts", status_attempts(row));
	struct status_spent spent = status_spent_task(row);
	status_spent_json(&spent, j);
	json_put_u64(j, "limited", row->limits);
	json_put_text(j, "worked_by", row->worker_agent);
	json_put_text(j, "branch", row->branch);
	json_put_text(j, "commit", row->commit);
	json_put_text(j, "merge", row->merge);
	json_put(j, "gates", gates_json(&row->gates));
	json_put_text(j, "reason", row->reason);
	if (row->worktree)
		json_put_u64(j, "worktree", row->worktree);
	else
		json_put_null(j, "worktree");
	json_put_real(j, "seconds", (double)row->ran_ms / 1000);
	json_put_text(j, "log", row->log);
	json_put_text(j, "title", s->plan.tasks[i].title);
	json_put_text(j, "kept", row->kept);
	json_put_text(j, "pull_request", row->pr_url);
	json_put_list(j, "conflicts", &row->conflicts);
	json_put_text(j, "category", s->plan.tasks[i].category);
	json_put_text(j, "model", s->plan.tasks[i].model);
	if (s->plan.tasks[i].story) {
		struct batch_counts n = batch_counts(s, i);
		json_put_flag(j, "partial", row->partial);
		json_put_list(j, "earlier", &row->earlier);
		json_put_u64(j, "tasks_completed", n.completed);
		json_put_u64(j, "tasks_total", n.total);
	}
	json_put_list(j, "undone", &row->undone);
	json_put_list(j, "reverts", &row->reverts);
	json_put_text(j, "agent", agents_of(&s->plan.tasks[i], s->row.agent));
	gates_told_task(s, i, j);
	told_json(s, i, j);
	return j;
}

bool status_waits(const struct session *s, struct str *out, struct strv *holders)
{
	static const char *const kinds[] = {CLAIM_WORKTREE, CLAIM_LANDING, CLAIM_GIT_LOCK};
	bool waits = false;

	for (size_t i = 0; i < MEM_COUNT(kinds) && !waits; i++) {
		struct claims c;
		struct err ignored = {0};
		waits = claim_read(&c, s->site, kinds[i], &ignored) == 0 &&
		        claim_text(&c, kinds[i], s->sid, out, holders);
		claim_fini(&c);
	}
	return waits;
}

static struct json_t *worktrees_json(const struct session *s)
{
	struct json_t *list = json_list();
	for (size_t n = 0; n < s->manifest.worktrees.n; n++) {
		if (!fs_exists(s->manifest.worktrees.v[n]))
			continue;
		struct json_t *j = json_map();
		const char *task = NULL;
		for (size_t i = 0; i < s->plan.n; i++)
			if (s->tasks[i].worktree == n + 1 && session_task_state(s, i) == TASK_RUNNING)
				task = s->plan.tasks[i].id;
		json_put_u64(j, "n", n + 1);
		json_put_text(j, "path", s->manifest.worktrees.v[n]);
		json_put_text(j, "task", task);
		json_add(list, j);
	}
	return list;
}

static struct json_t *session_json(struct session *s)
{
	struct json_t *j = json_map(), *counts = json_map(), *tasks = json_list();
	const char *state = session_state(s->site, s->sid, &s->manifest);
	AUTO_STR struct str started = {0};

	clock_add_iso(&started, s->manifest.started_ms);
	json_put_text(j, "id", s->sid);
	json_put_text(j, "state", state);
	if (str_eq(state, "running"))
		json_put_u64(j, "pid", s->manifest.pid);
	else
		json_put_null(j, "pid");
	json_put_text(j, "started_at", started.p);
	json_put_text(j, "workflow", s->queue.kind);
	json_put_text(j, "queue", s->row.queue);
	json_put_text(j, "integration_branch", s->manifest.integration_branch);
	json_put_text(j, "integration_tip", s->tip);
	json_put_text(j, "base", s->row.base);
	json_put_text(j, "target", s->row.target);
	json_put_text(j, "land", s->row.land);
	json_put_text(j, "final_gates", s->manifest.final_gates);
	gates_told_session(s, j);
	AUTO_STR struct str waits = {0};
	AUTO_STRV struct strv holders = {0};
	json_put_text(j, "waiting_for", status_waits(s, &waits, &holders) ? waits.p : s->manifest.waiting);
	json_put_list(j, "held_by", &holders);
	AUTO_STR struct str until = {0};
	clock_add_iso(&until, s->manifest.waiting_until_ms);
	json_put_text(j, "until", s->manifest.waiting_until_ms ? until.p : NULL);
	struct status_spent spent = status_spent_session(s);
	status_spent_json(&spent, j);
	json_put_u64(counts, "total", s->plan.n);
	struct status_count c;
	count_all(s, &c);
	for (size_t i = 0; i < MEM_COUNT(shown); i++)
		if (c.of[i])
			json_put_u64(counts, shown[i], c.of[i]);
	json_put(j, "counts", counts);
	json_put(j, "worktrees", worktrees_json(s));
	for (size_t i = 0; i < s->plan.n; i++)
		json_add(tasks, task_json(s, i));
	json_put(j, "tasks", tasks);
	json_put_text(j, "landed", s->manifest.landed);
	json_put_text(j, "not_landed", s->manifest.not_landed);
	land_pr_json(s, j);
	json_put_list(j, "sprint_commits", &s->manifest.sprint);
	json_put_list(j, "notes", &s->manifest.notes);
	return j;
}

/* Its manifest is little to read, its tasks may be many. */
static int manifest_fits(const struct site *site, const char *sid, session_fits *fits, bool *out, struct err *e)
{
	struct manifest_row m;

	*out = !fits;
	if (!fits)
		return 0;
	if (session_manifest(site, sid, &m, e) != 0)
		return -1;
	*out = fits(site, sid, &m);
	rec_fini(&manifest_row_rec, &m);
	return 0;
}

/* Calls `each` for the session named, or for all that fit (NULL = all), oldest first. */
static int for_sessions(struct site *site, const char *sid, session_fits *fits,
                        void (*each)(void *, struct session *), void *ctx, struct err *e)
{
	AUTO_STRV struct strv ids = {0};
	int rc = 0;

	if (sid)
		strv_add(&ids, sid);
	else if (session_list(site, &ids, e) != 0)
		return -1;
	for (size_t i = 0; rc == 0 && i < ids.n; i++) {
		struct session s = {.lock_fd = -1};
		bool wanted = false;
		rc = manifest_fits(site, ids.v[i], fits, &wanted, e);
		if (rc == 0 && wanted)
			rc = session_load(&s, site, ids.v[i], e);
		if (rc == 0 && wanted)
			each(ctx, &s);
		else if (rc == 0)
			continue;
		else if (e->kind == ERR_MISSING && !sid)
			rc = 0; /* it went away between the two reads */
		session_fini(&s);
	}
	return rc;
}

static void add_session(void *list, struct session *s)
{
	json_add(list, session_json(s));
}

int status_json(struct site *site, const char *sid, bool pretty, struct str *out, struct err *e)
{
	struct json_t *j = json_map(), *sessions = json_list();

	json_put_u64(j, "schema", 1);
	json_put_text(j, "repository", gitx_main_top(site->git));
	struct json_t *accounts = status_accounts_json(site, e);
	if (accounts)
		json_put(j, "accounts", accounts);
	int rc = !accounts ? -1 : for_sessions(site, sid, NULL, add_session, sessions, e);
	json_put(j, "sessions", sessions);
	struct json_t *claims = rc == 0 ? claimed_json(site, e) : NULL;
	if (claims)
		json_put(j, "claims", claims);
	else
		rc = -1;
	if (rc == 0) {
		json_write(j, pretty, out);
		str_addc(out, '\n');
	}
	json_free(j);
	return rc;
}

void status_took(const struct task_row *row, struct str *out)
{
	str_add(out, "");
	if (row->ran_ms)
		clock_add_duration(out, row->ran_ms);
	if (status_attempts(row) > 1)
		str_addf(out, "%s%llu attempts", row->ran_ms ? ", " : "", (unsigned long long)status_attempts(row));
}

void status_head(const struct session *s, const struct status_count *c, struct str *out)
{
	const char *state = session_state(s->site, s->sid, &s->manifest);
	AUTO_STR struct str counts = {0};

	add_counts(c, &counts);
	if (out->len)
		str_addc(out, '\n');
	str_addf(out, "session %s  %s", s->sid, state);
	if (str_eq(state, "running"))
		str_addf(out, " (process %llu)", (unsigned long long)s->manifest.pid);
	str_addf(out, "  %s\n", counts.p);
	str_addf(out, "  branch %s at %.12s, for %s", s->manifest.integration_branch, s->tip,
	         s->row.target);
	if (s->manifest.final_gates && !str_eq(s->manifest.final_gates, "pass"))
		str_addf(out, "; the tip is RED: %s",
		         s->manifest.final_reason ? s->manifest.final_reason : s->manifest.final_gates);
	if (s->row.agent)
		str_addf(out, "; agent %s", s->row.agent);
	if (s->row.full)
		str_add(out, "; autonomy full");
	str_addc(out, '\n');
	AUTO_STR struct str waits = {0}, excused = {0};
	gates_told_excused(s, &excused);
	if (excused.len)
		str_addf(out, "  gates excused: %s\n", excused.p);
	land_pr_told(s, "  ", out);
	if (status_waits(s, &waits, NULL))
		str_addf(out, "  waiting for %s\n", waits.p);
	else if (s->manifest.waiting)
		status_awaits_text(s, "  ", state, out);
	struct status_spent spent = status_spent_session(s);
	if (spent.runs) {
		str_add(out, "  cost ");
		status_spent_text(&spent, out);
		str_addc(out, '\n');
	}
}

/* Why it is not in; of a story that is, how far. Owned by the caller. */
static char *remark(const struct session *s, size_t i)
{
	const struct task_row *row = &s->tasks[i];
	AUTO_FREE char *far = (row->reason && !row->partial) || !row->boxes ? NULL : batch_line(s, i);

	if (session_task_state(s, i) == TASK_CLAIMED)
		return mem_strdup("somebody else works on it");
	if (far)
		return mem_printf("%s%s%s%.*s", row->partial ? "partial: " : "", far, row->reason ? "; " : "",
		                  (int)strcspn(row->reason ? row->reason : "", "\n"), row->reason ? row->reason : "");
	return mem_strndup(row->reason ? row->reason : "", strcspn(row->reason ? row->reason : "", "\n"));
}

static void add_text(struct session *s, struct str *out)
{
	struct status_count c;

	count_all(s, &c);
	status_head(s, &c, out);
	AUTO_TABLE struct table t = {0};
	for (size_t i = 0; i < s->plan.n; i++) {
		const struct task_row *row = &s->tasks[i];
		AUTO_FREE char *id = mem_printf("  %s", s->plan.tasks[i].id), *why = remark(s, i);
		AUTO_STR struct str took = {0};
		status_took(row, &took);
		TABLE_ROW(&t, id, session_task_shown(s, i), took.p, why);
	}
	table_print(&t, render_columns(1), out);
}

static int one_text(struct site *site, const char *sid, struct str *out, struct err *e)
{
	struct session s;
	int rc = session_load_head(&s, site, sid, e);

	if (rc == 0 && s.queue.tasks > STATUS_LARGE) {
		rc = status_large(&s, out, e);
	} else if (rc == 0) {
		session_fini(&s);
		rc = session_load(&s, site, sid, e);
		if (rc == 0)
			add_text(&s, out);
	}
	if (rc == 0 && session_resumable(site, sid, &s.manifest))
		str_addf(out, "  go on with: bosk resume %s\n", sid);
	session_fini(&s);
	return rc;
}

int status_text(struct site *site, const char *sid, struct str *out, struct err *e)
{
	AUTO_STRV struct strv ids = {0};
	int rc = 0;

	if (sid)
		strv_add(&ids, sid);
	else if (session_list(site, &ids, e) != 0)
		return -1;
	for (size_t i = 0; rc == 0 && i < ids.n; i++) {
		rc = one_text(site, ids.v[i], out, e);
		if (rc != 0 && e->kind == ERR_MISSING && !sid)
			rc = 0; /* it went away between the two reads */
	}
	if (rc == 0 && !out->len)
		str_add(out, "no sessions in this repository\n");
	if (rc == 0 && !sid)
		rc = status_accounts_text(site, out, e);
	AUTO_STRV struct strv claims = {0};
	if (rc == 0 && !sid)
		rc = claimed_lines(site, &claims, e);
	for (size_t i = 0; i < claims.n; i++)
		str_addf(out, "%s\n", claims.v[i]);
	return rc;
}

static void add_dead(void *ctx, struct session *s)
{
	struct str *out = ctx;
	size_t trees = 0, branches = 0;
	AUTO_STR struct str age = {0};

	if (s->manifest.cleaned_ms) {
		str_addf(out, "session %s is dead, and what it left is cleaned up; go on with: bosk resume %s\n", s->sid,
		         s->sid);
		return;
	}
	for (size_t i = 0; i < s->manifest.worktrees.n; i++)
		trees += fs_exists(s->manifest.worktrees.v[i]);
	for (size_t i = 0; i < s->plan.n; i++) {
		AUTO_FREE char *ref = mem_printf("refs/heads/%s", s->tasks[i].branch ? s->tasks[i].branch : "");
		struct oid oid;
		struct err absent = {0};
		branches += s->tasks[i].branch && gitx_ref_read(s->site->git, ref, &oid, &absent) == 0;
	}
	clock_add_duration(&age, orphans_age_ms(&s->manifest));
	str_addf(out,
	         "session %s is dead: process %llu is gone, its last event was %s ago; it left %zu "
	         "worktree%s and %zu branch%s; go on with: bosk resume %s\n",
	         s->sid, (unsigned long long)s->manifest.pid, age.p, trees, trees == 1 ? "" : "s", branches,
	         branches == 1 ? "" : "es", s->sid);
}

static bool is_dead(const struct site *site, const char *sid, const struct manifest_row *m)
{
	return str_eq(session_state(site, sid, m), "interrupted");
}

static bool is_uncleaned(const struct site *site, const char *sid, const struct manifest_row *m)
{
	return !m->cleaned_ms && is_dead(site, sid, m);
}

int status_dead(struct site *site, bool cleaned, struct str *out, struct err *e)
{
	return for_sessions(site, NULL, cleaned ? is_dead : is_uncleaned, add_dead, out, e);
}
