/* mend: rows from the journal, the journal's word checked against git, refs from both. */
#include "mend_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/base/fail.h"
#include "store/base/mem.h"
#include "supervisor/locks.h"
#include "supervisor/queue/queue_copy.h"
#include "supervisor/recover.h"
#include "worker/keep.h"

/* ---- the tip ---- */

/* Where the session stands: at its ref when that holds all the store knows of, else where the store says. A
 * commit that the ref would let go is kept. */
static int mend_tip(struct mend *m, struct err *e)
{
	struct session *s = m->s;
	struct gitx *g = s->site->git;
	AUTO_FREE char *ref = session_int_ref(s), *kept = NULL;
	const char *told = m->vs->gap ? s->tip : m->vs->told.tip;
	struct oid tip, at;
	struct err absent = {0};
	bool is = gitx_ref_read(g, ref, &at, &absent) == 0, whole = false;
	bool known = mend_there(g, told, &tip) || mend_there(g, s->tip, &tip);

	if (!known && !is)
		return err_set(e, ERR_DAMAGED, "session %s: neither %s nor the commit that the store names is there", s->sid,
		               ref);
	if (is && known && gitx_reaches(g, &at, &tip, &whole, e) != 0)
		return -1;
	if (!known || whole)
		tip = at;
	if (is && strcmp(at.hex, tip.hex) != 0) {
		if (keep_commit(g, s->sid, "verify", 1, "", &at, &kept, e) != 0 ||
		    gitx_ref_move(g, ref, &at, &tip, "bosk: verify", e) != 0)
			return -1;
		FAILPOINT("mend.tip.moved");
		strv_addf(m->said, "%s: %s is at %.12s again; where it was is kept as %s", s->sid, ref, tip.hex, kept);
	}
	if (!str_eq(s->tip, tip.hex)) {
		strv_addf(m->said, "%s: its integration tip is %.12s", s->sid, tip.hex);
		turn_tip(m->t, tip.hex);
	}
	return 0;
}

/* ---- the session ---- */

static bool all_in(const struct session *s)
{
	for (size_t i = 0; i < s->plan.n; i++)
		if (!task_state_fine(session_task_state(s, i)))
			return false;
	return true;
}

static bool any_open(const struct session *s)
{
	for (size_t i = 0; i < s->plan.n; i++)
		if (!task_state_ended(session_task_state(s, i)))
			return true;
	return false;
}

static void mend_manifest(struct mend *m)
{
	struct manifest_row *row = &m->s->manifest;
	const struct verify_session *vs = m->vs;
	AUTO_FREE char *prefix = mem_printf("%s/", m->s->sid);
	size_t n;
	const struct image_row *events = image_range(&m->v->model->image, DB_journal, prefix, &n);
	struct oid target, tip;
	struct err ignored = {0};
	bool in = false;

	if (n) {
		uint64_t seq = strtoull(events[n - 1].key + strlen(prefix), NULL, 16);
		row->last_seq = seq > row->last_seq && seq < UINT32_MAX ? seq : row->last_seq;
	}
	if (!vs->gap && !vs->broken) {
		if (!str_eq(row->state, "landing") ||
		    !(str_eq(vs->told.state, "done") || str_eq(vs->told.state, "failed")))
			mem_set(&row->state, vs->told.state);
		mem_set(&row->final_gates, vs->told.final_gates);
		mem_set(&row->landed, vs->told.landed);
		row->preflight_done |= vs->told.preflight;
	}
	/* What is in other places is asked there before it is done again. */
	if (!vs->gap && vs->told.pushed) {
		mem_set(&row->pushed, vs->told.pushed);
		mem_set(&row->pushed_to, vs->told.pushed_to);
	}
	if (!vs->gap && vs->told.pr_of) {
		mem_set(&row->pr_of, vs->told.pr_of);
		mem_set(&row->pr_url, vs->told.pr_url);
	}
	if (m->last && m->vs->broken) {
		AUTO_FREE char *ref = mem_printf("refs/heads/%s", m->s->row.target);
		if (oid_parse(&tip, m->s->tip) && strcmp(m->s->tip, m->s->row.tip) != 0 &&
		    gitx_ref_read(m->s->site->git, ref, &target, &ignored) == 0 &&
		    gitx_reaches(m->s->site->git, &target, &tip, &in, &ignored) == 0 && in)
			mem_set(&row->landed, tip.hex);
		mem_set(&row->state, all_in(m->s) ? "done" : any_open(m->s) ? "stopped" : "failed");
	}
	if (!row->integration_branch)
		row->integration_branch = mem_printf("integration-%s", m->s->sid);
	if (m->last && any_open(m->s) && (str_eq(row->state, "done") || str_eq(row->state, "failed")))
		mem_set(&row->state, "stopped");
	if (str_eq(row->state, "running")) /* its supervisor is dead */
		mem_set(&row->state, "stopped");
	mem_set(&row->queue, m->q->id);
}

/* From here on the journal begins: all that is known, told once. */
static void snapshot(struct mend *m)
{
	struct session *s = m->s;
	struct event_row first = {.kind = (char *)"rebuilt",
	                          .outcome = s->manifest.state,
	                          .reason = s->manifest.final_gates,
	                          .new_tip = s->tip,
	                          .merge = s->manifest.landed,
	                          .note = s->manifest.preflight_done ? (char *)"preflight" : NULL};

	turn_event(m->t, &first);
	if (s->manifest.pushed) {
		struct event_row ev = {.kind = (char *)"pr-pushed", .new_tip = s->manifest.pushed, .reason = s->manifest.pushed_to,
		                       .note = s->manifest.integration_branch};
		turn_event(m->t, &ev);
	}
	if (s->manifest.pr_of) {
		struct event_row ev = {.kind = (char *)"pr", .new_tip = s->manifest.pr_of, .note = s->manifest.pr_url};
		turn_event(m->t, &ev);
	}
	for (size_t i = 0; i < s->plan.n; i++) {
		const struct task_row *row = &s->tasks[i];
		struct event_row ev = {.kind = (char *)"snapshot",
		                       .task = s->plan.tasks[i].id,
		                       .ordinal = i + 1,
		                       .attempt = row->attempts,
		                       .outcome = row->state,
		                       .commit = row->commit,
		                       .merge = row->merge};
		turn_event(m->t, &ev);
		turn_task(m->t, i);
	}
}

/* ---- all of it ---- */

static int mend_refs(struct mend *m, struct err *e)
{
	AUTO_FREE char *plan = mem_printf("refs/bosk/plan/%s", m->q->id);
	struct oid at;
	struct err absent = {0};

	/* A plan ref with another plan in it is made anew; missing ones are made by recover_refs. */
	if (m->q->no_plan && gitx_ref_read(m->s->site->git, plan, &at, &absent) == 0 &&
	    gitx_ref_move(m->s->site->git, plan, &at, NULL, "bosk: verify", e) != 0)
		return -1;
	FAILPOINT("mend.plan.gone");
	m->q->no_plan = false;
	return recover_refs(m->s, e);
}

static int mend_session(struct mend *m, struct err *e)
{
	AUTO_FREE char *intent = mem_printf("%s/intent", m->s->sid);
	struct intent_row open;
	bool store = m->vs->wrong || m->vs->broken || m->q->wrong || m->q->broken, was_open;
	int rc = session_intent(m->s, "intent", &open, &was_open, e);

	if (rc == 0 && was_open) {
		rec_fini(&intent_row_rec, &open);
		store = true;
	}
	if (rc == 0)
		rc = mend_tip(m, e);
	if (rc == 0)
		rc = mend_sprint(m, e);
	if (rc == 0 && m->last && store)
		rc = mend_tasks(m, e);
	if (rc == 0)
		mend_manifest(m);
	if (rc == 0 && (m->vs->chain || !m->vs->have_manifest || !m->vs->have_row))
		rc = mend_chain(m->v, m->vs, m->s, m->t, m->said, e);
	db_batch_del(&m->t->batch, DB_integration, intent); /* what it was about is settled by the branch */
	if (rc == 0 && store)
		snapshot(m);
	for (size_t i = 0; rc == 0 && i < m->vs->worktrees.n; i++)
		rc = mend_worktree(m, m->vs->worktrees.v[i], e);
	turn_manifest(m->t);
	FAILPOINT("mend.commit.before");
	if (rc == 0)
		rc = turn_commit(m->t, e);
	FAILPOINT("mend.commit.after");
	if (rc == 0)
		rc = mend_refs(m, e);
	if (rc == 0 && store)
		strv_addf(m->said, "%s: the store was written again from its journal and from git", m->s->sid);
	return rc;
}

/* Its lock is held. */
static int mend_one(struct verify *v, struct verify_session *vs, struct strv *said, struct err *e)
{
	struct session s;
	struct turn t;
	struct mend m = {v, vs, vs->queue, &s, &t, said, false};

	m.last = str_eq(vs->queue->sessions.v[vs->queue->sessions.n - 1], vs->sid);
	int rc = session_load(&s, v->model->site, vs->sid, e);
	if (rc == 0) {
		locks_clear(&s); /* of refs: a repair before this one may have been cut off */
		turn_init(&t, &s);
		rc = mend_session(&m, e);
		turn_fini(&t);
	}
	session_fini(&s);
	return rc;
}

static int drop_junk(struct verify *v, struct strv *said, struct err *e)
{
	const struct strv *junk = &v->model->junk;
	struct db_batch batch = {0};

	for (size_t i = 0; i + 1 < junk->n; i += 2) {
		for (int t = 0; t < DB_COUNT; t++)
			if (strcmp(image_table_name((enum db_table)t), junk->v[i]) == 0)
				db_batch_del(&batch, (enum db_table)t, junk->v[i + 1]);
		strv_addf(said, "removed the row %s of %s", junk->v[i + 1], junk->v[i]);
	}
	int rc = db_batch_write(v->model->site->db, &batch, e);
	db_batch_clear(&batch);
	return rc;
}

static bool concerned(const struct verify_session *s)
{
	return s->broken || s->wrong || s->chain || s->refs ||
	       (s->queue && (s->queue->broken || s->queue->wrong || s->queue->no_plan));
}

/* The locks of the sessions concerned, as long as it takes. */
struct held {
	struct strv sids;
	int *fds;
};

static int hold(struct held *h, const struct verify *v, struct err *e)
{
	const struct verify_model *m = v->model;

	h->fds = mem_array(m->n_sessions, sizeof *h->fds);
	for (size_t i = 0; i < m->n_sessions; i++) {
		const struct verify_session *s = &m->sessions[i];
		struct session visit = {.site = m->site, .lock_fd = -1};
		if (!concerned(s))
			continue;
		if (session_owned(m->site, s->sid, &s->manifest))
			return err_set(e, ERR_HELD, "session %s is running: bosk stop %s first", s->sid, s->sid);
		snprintf(visit.sid, sizeof visit.sid, "%s", s->sid);
		if (session_visit(&visit, "is repaired", e) != 0)
			return -1;
		h->fds[h->sids.n] = visit.lock_fd;
		strv_add(&h->sids, s->sid);
	}
	return 0;
}

static void let_go(struct held *h)
{
	for (size_t i = 0; i < h->sids.n; i++)
		close(h->fds[i]);
	free(h->fds);
	strv_fini(&h->sids);
}

static bool holds_all(const struct held *h, const struct verify_queue *q)
{
	for (size_t i = 0; i < q->sessions.n; i++)
		if (!strv_has(&h->sids, q->sessions.v[i]))
			return false;
	return true;
}

static int rebuild(struct verify *v, const struct held *h, struct strv *said, struct err *e)
{
	struct verify_model *m = v->model;

	for (size_t i = 0; i < m->n_sessions; i++)
		if (!m->sessions[i].queue && strv_has(&h->sids, m->sessions[i].sid))
			rebuild_relate(v, &m->sessions[i], said);
	for (size_t i = 0; i < m->n_queues; i++) {
		struct verify_queue *q = &m->queues[i];
		bool again = q->broken || q->wrong;
		for (size_t k = 0; k < q->sessions.n; k++) {
			const struct verify_session *s = verify_find_session(v, q->sessions.v[k]);
			again |= s->broken || !s->tip;
			q->wrong |= s->broken || s->wrong;
		}
		if (again && holds_all(h, q) && rebuild_queue(v, q, said, e) != 0)
			return -1;
	}
	return 0;
}

/* Queues that were added, before anything else: rows that are missing are those that git has of them. */
static int restore_queues(struct verify *v, struct strv *said, struct err *e)
{
	struct site *site = v->model->site;

	for (size_t i = 0; i < v->model->n_queues; i++) {
		const struct verify_queue *q = &v->model->queues[i];
		struct err why = {0};
		size_t put;
		bool whole = q->have && !q->broken && !q->items;
		if (whole || (q->have && !queue_is(&q->row)) || !queue_copy_is(site->git, q->id))
			continue;
		if (queue_copy_restore(&put, site, q->id, &why) != 0) {
			if (err_no_room(why.kind))
				return err_set(e, why.kind, "%s", why.text);
			strv_addf(said, "%s: not put right: %s", q->id, why.text);
		} else {
			strv_addf(said, "%s: %zu rows were made again as they were when it was added", q->id, put);
		}
		FAILPOINT("mend.queue.restored");
	}
	return 0;
}

/* Copies in git that are missing, of queues that no session has. */
static int copy_queues(struct verify *v, struct strv *said, struct err *e)
{
	for (size_t i = 0; i < v->model->n_queues; i++) {
		struct verify_queue *q = &v->model->queues[i];
		if (!q->no_plan || q->broken || q->items || q->sessions.n || !queue_is(&q->row))
			continue;
		if (queue_copy_write(v->model->site, q->id, e) != 0)
			return -1;
		strv_addf(said, "%s: it is kept in git again, as it is now", q->id);
	}
	return 0;
}

static bool any_copy(const struct verify *v)
{
	for (size_t i = 0; i < v->model->n_queues; i++)
		if (v->model->queues[i].no_plan)
			return true;
	return false;
}

static int mend_held(struct verify *v, const struct held *h, struct strv *said, struct err *e)
{
	if (drop_junk(v, said, e) != 0 || rebuild(v, h, said, e) != 0 || copy_queues(v, said, e) != 0)
		return -1;
	FAILPOINT("mend.rebuilt");
	for (size_t i = 0; i < v->model->n_sessions; i++) {
		struct verify_session *s = &v->model->sessions[i];
		struct err mine = {0};
		if (!s->queue || !concerned(s) || !strv_has(&h->sids, s->sid))
			continue;
		if (mend_one(v, s, said, &mine) == 0)
			continue;
		if (mine.kind == ERR_NOSPACE) {
			*e = mine;
			return -1;
		}
		strv_addf(said, "%s: not put right: %s", s->sid, mine.text);
	}
	return 0;
}

int mend_all(struct site *site, struct strv *said, struct err *e)
{
	struct verify first, v = {0};
	struct held held = {0};

	int rc = verify_all(&first, site, NULL, e);
	if (rc == 0 && (first.problems || any_copy(&first))) {
		rc = hold(&held, &first, e);
		if (rc == 0)
			rc = restore_queues(&first, said, e);
		if (rc == 0)
			rc = verify_all(&v, site, &held.sids, e);
		if (rc == 0)
			rc = mend_held(&v, &held, said, e);
		verify_fini(&v);
		let_go(&held);
	}
	verify_fini(&first);
	return rc;
}
