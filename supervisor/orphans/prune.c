/* prune: refs and logs first, then all rows in one transaction, then lock files: cut off in between, the next one
 * ends it. */
#include "prune.h"

#include <stdlib.h>
#include <string.h>

#include "clean.h"
#include "store/base/clock.h"
#include "store/base/fail.h"
#include "store/base/fs.h"
#include "store/base/mem.h"
#include "supervisor/locks.h"
#include "supervisor/queue/queue.h"
#include "worker/keep.h"

/* One queue and the sessions that worked on it, all of them locked. */
struct pruning {
	struct site *site;
	const char *queue;
	struct session *sessions;
	size_t n;
	bool keeps; /* the queue itself */
	struct db_batch batch;
	enum db_table table; /* of the scan that goes on */
};

/* ---- may it go? ---- */

static bool has_landed(const struct session *s)
{
	AUTO_FREE char *ref = mem_printf("refs/heads/%s", s->row.target);
	struct oid target, tip;
	struct err ignored = {0};
	bool in = false;

	if (strcmp(s->tip, s->row.tip) == 0)
		return true; /* it merged nothing */
	return oid_parse(&tip, s->tip) && gitx_ref_read(s->site->git, ref, &target, &ignored) == 0 &&
	       gitx_reaches(s->site->git, &target, &tip, &in, &ignored) == 0 && in;
}

/* Why the session must stay; NULL = it may go, "" = nobody wants to know. */
static char *reason(const struct session *s, const struct orphans_rule *rule)
{
	const char *state = s->manifest.state;

	if (!str_eq(state, "done") && !str_eq(state, "failed"))
		return mem_strdup("");
	if (s->manifest.leaving_ms)
		return NULL; /* its refs are gone, or half of them */
	if (rule->begun || orphans_age_ms(&s->manifest) < rule->max_age_ms)
		return mem_strdup("");
	if (!has_landed(s))
		return mem_printf("its work is on %s and not in %s", s->manifest.integration_branch, s->row.target);
	if (clean_worktrees(s))
		return mem_strdup("it still has worktrees");
	return NULL;
}

/* ---- taking it away ---- */

static int drop_key(void *ctx, const char *key, const void *value, size_t n, struct err *e)
{
	struct pruning *p = ctx;
	(void)value;
	(void)n;
	(void)e;
	db_batch_del(&p->batch, p->table, key);
	return 0;
}

static int drop_below(struct pruning *p, struct db_txn *t, enum db_table table, const char *name, struct err *e)
{
	AUTO_FREE char *prefix = mem_printf("%s/", name);

	p->table = table;
	return db_scan(t, table, prefix, drop_key, p, e);
}

static int let_task_go(void *ctx, const char *key, const void *value, size_t n, struct err *e)
{
	struct pruning *p = ctx;
	struct task_row row;

	if (key[strlen(key) - 1] != 's')
		return 0;
	if (rec_decode(&task_row_rec, &row, value, n, e) != 0)
		return err_wrap(e, "%s", key);
	if (row.session) {
		mem_set(&row.session, NULL);
		mem_set(&row.result_hash, NULL);
		mem_set(&row.log, NULL);
		rows_put(&p->batch, DB_tasks, key, &task_row_rec, &row);
	}
	rec_fini(&task_row_rec, &row);
	return 0;
}

/* A queue that was added stays, with its items as they are: no session has or had it. */
static int keep_queue(struct pruning *p, struct db_txn *t, struct err *e)
{
	AUTO_FREE char *prefix = mem_printf("%s/", p->queue);
	struct queue_row row;

	if (queue_row_load_in(&row, t, p->queue, e) != 0)
		return -1;
	strv_fini(&row.sessions);
	mem_set(&row.session, NULL);
	rows_put(&p->batch, DB_queues, p->queue, &queue_row_rec, &row);
	rec_fini(&queue_row_rec, &row);
	return db_scan(t, DB_tasks, prefix, let_task_go, p, e);
}

static int drop_rows(struct db_txn *t, void *ctx, struct err *e)
{
	struct pruning *p = ctx;

	for (size_t i = 0; i < p->n; i++) {
		const char *sid = p->sessions[i].sid;
		if (drop_below(p, t, DB_journal, sid, e) != 0 || drop_below(p, t, DB_integration, sid, e) != 0 ||
		    drop_below(p, t, DB_requests, sid, e) != 0 || drop_below(p, t, DB_slots, sid, e) != 0)
			return -1;
		db_batch_del(&p->batch, DB_sessions, sid);
		db_batch_del(&p->batch, DB_manifest, sid);
	}
	if (p->keeps)
		return keep_queue(p, t, e) != 0 ? -1 : drop_below(p, t, DB_results, p->queue, e);
	db_batch_del(&p->batch, DB_queues, p->queue);
	return drop_below(p, t, DB_tasks, p->queue, e) != 0 ? -1 : drop_below(p, t, DB_results, p->queue, e);
}

/* Deleted from the value it has; what somebody moved meanwhile stays. */
static void drop_ref(struct gitx *g, const char *ref)
{
	struct oid at;
	struct err ignored = {0};

	if (gitx_ref_read(g, ref, &at, &ignored) == 0)
		gitx_ref_move(g, ref, &at, NULL, "bosk: pruned", &ignored);
}

/* A repository that was found in a worktree: its files may have landed, its history has not. */
static bool is_history(const char *ref)
{
	return strstr(strrchr(ref, '/'), KEEP_NESTED) != NULL;
}

static void drop_refs(const struct session *s)
{
	struct gitx *g = s->site->git;
	AUTO_FREE char *truth = session_int_ref(s), *path = NULL;
	AUTO_FREE char *branch = mem_printf("refs/heads/%s", s->manifest.integration_branch);
	struct oid tip;
	struct err ignored = {0}, absent = {0};

	for (size_t i = 0; i < s->plan.n; i++) {
		AUTO_FREE char *below = mem_printf("refs/bosk/keep/%s/%s/", s->sid, s->plan.tasks[i].id);
		AUTO_STRV struct strv kept = {0};
		enum task_state state = session_task_state(s, i);
		bool in = false;
		if ((state == TASK_INTEGRATED || state == TASK_LANDED) && session_brings(&in, s, i, &ignored) == 0 && in &&
		    gitx_ref_list(g, below, &kept, &ignored) == 0)
			for (size_t k = 0; k < kept.n; k++)
				if (!is_history(kept.v[k]))
					drop_ref(g, kept.v[k]);
	}
	if (oid_parse(&tip, s->tip) && gitx_checked_out(g, branch, &path, &absent) != 0 &&
	    absent.kind == ERR_MISSING)
		gitx_ref_move(g, branch, &tip, NULL, "bosk: pruned", &ignored);
	drop_ref(g, truth);
}

/* While the rows still say whose they are. */
static void drop_logs(const struct session *s)
{
	AUTO_FREE char *logs = site_path(s->site, "logs/%s", s->sid);
	struct err ignored = {0};

	fs_remove_tree(logs, &ignored);
}

/* The lock file last: until then nobody else can take the session for a dead one. */
static void drop_files(const struct session *s)
{
	AUTO_FREE char *wake = site_path(s->site, "sessions/%s.wake", s->sid);
	AUTO_FREE char *lock = site_path(s->site, "sessions/%s.lock", s->sid);
	struct err ignored = {0};

	fs_remove_tree(wake, &ignored);
	fs_remove_tree(lock, &ignored);
}

/* From here on its refs may be missing: whoever looks at it is told so. */
static int mark(struct pruning *p, struct err *e)
{
	for (size_t i = 0; i < p->n; i++) {
		struct session *s = &p->sessions[i];
		s->manifest.leaving_ms = clock_wall_ms();
		rows_put(&p->batch, DB_manifest, s->sid, &manifest_row_rec, &s->manifest);
	}
	int rc = db_batch_write(p->site->db, &p->batch, e);
	db_batch_clear(&p->batch);
	return rc;
}

static int drop_queue(struct pruning *p, struct err *e)
{
	AUTO_FREE char *plan = mem_printf("refs/bosk/plan/%s", p->queue);

	if (mark(p, e) != 0)
		return -1;
	FAILPOINT("prune.refs.before");
	for (size_t i = 0; i < p->n; i++)
		drop_refs(&p->sessions[i]);
	if (!p->keeps)
		drop_ref(p->site->git, plan);
	FAILPOINT("prune.refs.after");
	for (size_t i = 0; i < p->n; i++)
		drop_logs(&p->sessions[i]);
	int rc = db_read(p->site->db, drop_rows, p, e);
	if (rc == 0)
		rc = db_batch_write(p->site->db, &p->batch, e);
	db_batch_clear(&p->batch);
	FAILPOINT("prune.rows.after");
	for (size_t i = 0; rc == 0 && i < p->n; i++)
		drop_files(&p->sessions[i]);
	return rc;
}

/* ---- queue by queue ---- */

/* Is no other session on the queue by now? One that goes on with a plan holds the lock of the last while it begins. */
static bool still_all(const struct pruning *p, const struct queue_row *q)
{
	AUTO_STR struct str bytes = {0};
	struct queue_row now = {0};
	struct err ignored = {0};
	bool same = db_load(p->site->db, DB_queues, p->queue, &bytes, &ignored) == 0 &&
	            rec_decode(&queue_row_rec, &now, bytes.p, bytes.len, &ignored) == 0 &&
	            now.sessions.n == q->sessions.n;

	rec_fini(&queue_row_rec, &now);
	return same;
}

/* Its sessions into p, locked. False: one of them lives, or is not over, old or landed (said). */
static bool take_sessions(struct pruning *p, const struct queue_row *q, const struct orphans_rule *rule,
                          struct orphans_said *out)
{
	for (size_t i = 0; i < q->sessions.n; i++) {
		struct session *s = &p->sessions[p->n];
		struct err e = {0};
		*s = (struct session){.lock_fd = -1};
		if (session_load_visited(s, p->site, q->sessions.v[i], "is forgotten", &e) != 0) {
			session_fini(s);
			if (e.kind == ERR_MISSING)
				continue;
			return false;
		}
		p->n++;
		AUTO_FREE char *why = reason(s, rule);
		if (why && *why)
			strv_addf(&out->lines, "session %s stays: %s", s->sid, why);
		if (why)
			return false;
	}
	return p->n > 0 && still_all(p, q);
}

static bool was_begun(const struct site *site, const struct queue_row *q)
{
	struct manifest_row m;
	struct err ignored = {0};
	bool begun = false;

	if (q->sessions.n && session_manifest(site, q->sessions.v[0], &m, &ignored) == 0) {
		begun = m.leaving_ms != 0;
		rec_fini(&manifest_row_rec, &m);
	}
	return begun;
}

static int one(struct site *site, const char *id, const struct queue_row *q, const struct orphans_rule *rule,
               struct orphans_said *out, struct err *e)
{
	struct pruning p = {.site = site, .queue = id, .keeps = queue_is(q), .sessions = mem_array(q->sessions.n, sizeof *p.sessions)};
	int rc = 0;

	if ((!rule->begun || was_begun(site, q)) && take_sessions(&p, q, rule, out)) {
		for (size_t i = 0; i < p.n; i++)
			strv_addf(&out->lines, "session %s (%s, in %s): %s", p.sessions[i].sid, p.sessions[i].manifest.state,
			          p.sessions[i].row.target, rule->dry_run ? "would be forgotten" : "forgotten, with its logs");
		rc = rule->dry_run ? 0 : drop_queue(&p, e);
		out->cleaned += rc == 0 ? p.n : 0;
	}
	for (size_t i = 0; i < p.n; i++)
		session_fini(&p.sessions[i]);
	free(p.sessions);
	return rc;
}

static int add_queue(void *ctx, const char *key, const void *value, size_t n, struct err *e)
{
	(void)value;
	(void)n;
	(void)e;
	strv_add(ctx, key);
	return 0;
}

static int list_queues(struct db_txn *t, void *ctx, struct err *e)
{
	return db_scan(t, DB_queues, "", add_queue, ctx, e);
}

int prune_sessions(struct site *site, const struct orphans_rule *rule, struct orphans_said *out, struct err *e)
{
	AUTO_STRV struct strv ids = {0};

	*out = (struct orphans_said){0};
	int rc = db_read(site->db, list_queues, &ids, e);
	for (size_t i = 0; rc == 0 && i < ids.n; i++) {
		AUTO_STR struct str bytes = {0};
		struct queue_row q = {0};
		if (db_load(site->db, DB_queues, ids.v[i], &bytes, e) != 0 ||
		    rec_decode(&queue_row_rec, &q, bytes.p, bytes.len, e) != 0)
			rc = -1;
		if (rc == 0)
			rc = one(site, ids.v[i], &q, rule, out, e);
		rec_fini(&queue_row_rec, &q);
	}
	if (!rule->dry_run)
		locks_clear_unrecorded(site); /* of one that was cut off */
	return rc;
}
