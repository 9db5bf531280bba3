/* rebuild: from the plan that git keeps and from the trailers of merges to rows (architecture 4): tasks,
 * states and merges, not logs or history. */
#include <stdio.h>
#include <string.h>

#include "mend_private.h"
#include "store/base/clock.h"
#include "store/base/mem.h"
#include "supervisor/create.h"
#include "worker/keep.h"
#include "worker/sign.h"

/* ---- whose it is ---- */

static bool claimed(const struct verify *v, const struct verify_queue *q)
{
	for (size_t i = 0; i < v->model->n_sessions; i++)
		if (v->model->sessions[i].queue == q)
			return true;
	return false;
}

void rebuild_relate(struct verify *v, struct verify_session *s, struct strv *said)
{
	struct verify_model *m = v->model;
	AUTO_FREE char *ref = mem_printf("refs/bosk/int/%s", s->sid);
	struct verify_queue *only = NULL;
	struct oid at;
	struct err e = {0};
	size_t free_ones = 0;

	if (gitx_ref_read(m->site->git, ref, &at, &e) == 0) {
		AUTO_FREE char *sid = gitx_trailer(m->site->git, &at, "Bosk-Session");
		AUTO_FREE char *queue = gitx_trailer(m->site->git, &at, "Bosk-Queue");
		if (str_eq(sid, s->sid))
			s->queue = verify_find_queue(v, queue);
	}
	/* It has merged nothing: then it is of the one plan that nobody else works on. */
	for (size_t i = 0; !s->queue && i < m->n_queues; i++)
		if (!claimed(v, &m->queues[i])) {
			only = &m->queues[i];
			free_ones++;
		}
	if (free_ones == 1)
		s->queue = only;
	if (s->queue)
		strv_add(&s->queue->sessions, s->sid);
	else
		strv_addf(said, "%s: not made again: it has merged nothing, and which plan it was of is not known. If "
		          "you need nothing of it: git update-ref -d %s", s->sid, ref);
}

int rebuild_base(struct verify *v, const struct verify_session *s, struct oid *base, struct err *e)
{
	struct gitx *g = v->model->site->git;
	AUTO_FREE char *ref = mem_printf("refs/bosk/int/%s", s->sid);
	struct oid at, parents[2];
	size_t n = 0;
	struct err absent = {0};

	if (gitx_ref_read(g, ref, &at, &absent) != 0 && (!s->tip || !oid_parse(&at, s->tip)))
		return err_set(e, ERR_MISSING, "neither git nor the store knows where session %s stands", s->sid);
	*base = at;
	do { /* its merges, and what somebody put between them */
		AUTO_FREE char *sid = gitx_trailer(g, &at, "Bosk-Session");
		if (gitx_parents(g, &at, parents, 2, &n, e) != 0)
			return -1;
		if (sid && !str_eq(sid, s->sid))
			break;
		if (n)
			at = parents[0];
		if (sid)
			*base = at;
	} while (n);
	return 0;
}

/* ---- a session ---- */

static int options_now(const struct verify *v, struct config *cfg, struct create_options *o, struct err *e)
{
	static const struct strv none;
	struct plan_faults faults = {0};
	AUTO_STR struct str text = {0};

	if (config_load(cfg, gitx_main_top(v->model->site->git), &none, &faults) != 0) {
		plan_faults_print(&faults, &text);
		plan_faults_fini(&faults);
		return err_set(e, ERR_USAGE, "the configuration must be right first:\n%s", text.p);
	}
	*o = (struct create_options){.jobs = cfg->jobs,
	                             .preflight = true,
	                             .land = "keep",
	                             .verify = cfg->verify,
	                             .on_conflict = "repair",
	                             .excused = &none,
	                             .config = cfg};
	return 0;
}

/* Was it of bosk doctor --live? Its tasks are never to start (recover.c wrote that). */
static bool only_looked(const struct verify *v, const char *queue)
{
	AUTO_FREE char *ref = mem_printf("refs/bosk/plan/%s", queue), *live = NULL;
	struct oid at;
	struct err absent = {0};

	if (gitx_ref_read(v->model->site->git, ref, &at, &absent) == 0)
		live = gitx_trailer(v->model->site->git, &at, "Bosk-Live");
	return str_eq(live, "true");
}

/* Rows as of a session that begins now; then what is known of the old one goes over them. */
static int make_session(struct verify *v, struct verify_session *vs, const struct plan *plan, struct create_options *o,
                        struct session *s, struct err *e)
{
	struct verify_model *m = v->model;
	struct create_base b;
	struct oid base;

	if (rebuild_base(v, vs, &base, e) != 0)
		return -1;
	o->base = base.hex;
	o->live = only_looked(v, vs->queue->id);
	int rc = create_look(&b, m->site, o, e);
	snprintf(s->sid, sizeof s->sid, "%s", vs->sid);
	s->tip = mem_strdup(base.hex);
	s->row.queue = mem_strdup(vs->queue->id);
	s->site = m->site;
	s->plan = *plan; /* lent */
	if (rc == 0)
		create_fill(s, &b, o);
	s->plan = (struct plan){0};
	if (rc == 0)
		rc = planted_list(&s->row.git_config, gitx_common_dir(m->site->git), gitx_main_top(m->site->git), e);
	if (rc == 0)
		rc = sign_read(&s->row.sign, &s->row.git_config, gitx_main_top(m->site->git), e);
	create_base_fini(&b);
	return rc;
}

static int rebuild_session(struct verify *v, struct verify_session *vs, const struct plan *plan,
                           struct db_batch *batch, struct strv *said, struct err *e)
{
	struct config cfg = {0};
	struct create_options o;
	struct session s = {.lock_fd = -1};
	AUTO_FREE char *tip_key = mem_printf("%s/tip", vs->sid);
	AUTO_STR struct str date = {0};

	if (vs->have_manifest && vs->have_row && vs->tip)
		return 0;
	if (options_now(v, &cfg, &o, e) != 0 || make_session(v, vs, plan, &o, &s, e) != 0) {
		session_fini(&s);
		config_fini(&cfg);
		return -1;
	}
	clock_add_iso(&date, clock_wall_ms());
	if (!vs->have_manifest) {
		mem_set(&s.manifest.state, "stopped");
		strv_addf(&s.manifest.notes, "what the store knew of this session was lost; it was made again from git "
		          "on %s: what is merged is known, the rest begins anew", date.p);
		rows_put(batch, DB_manifest, s.sid, &manifest_row_rec, &s.manifest);
	}
	if (!vs->have_row) {
		rows_put(batch, DB_sessions, s.sid, &session_row_rec, &s.row);
		strv_addf(said, "%s: its options were lost: it goes on as the configuration says now, for %s%s", vs->sid,
		          s.row.target, "; name the executor again when you resume it, if it had one");
	}
	if (!vs->tip)
		db_batch_put(batch, DB_integration, tip_key, s.tip, strlen(s.tip));
	session_fini(&s);
	config_fini(&cfg);
	return 0;
}

/* ---- a plan ---- */

/* The plan as the store has it, if all of it is there and right; else as git has it. */
static int find_plan(struct verify *v, struct verify_queue *q, struct plan *out, struct strv *said)
{
	AUTO_FREE char *ref = mem_printf("refs/bosk/plan/%s", q->id);
	AUTO_STR struct str text = {0}, faults_text = {0};
	struct plan_faults faults = {0};
	struct task_def *copy = mem_array(q->n, sizeof *copy);
	struct oid at;
	struct err e = {0};
	bool all = q->n > 0;

	for (size_t i = 0; i < q->n; i++) {
		rec_copy(&task_def_rec, &copy[i], &q->defs[i]);
		all &= q->have_def[i];
	}
	if (plan_from_defs(out, q->have ? q->row.kind : "plan", PLAN_BARRIER_BARE, copy, q->n, &e) == 0) {
		if (all && (!q->have || str_eq(out->content, q->row.content)))
			return 0;
		plan_fini(out);
	}
	err_clear(&e);
	if (gitx_ref_read(v->model->site->git, ref, &at, &e) == 0 &&
	    gitx_read_file(v->model->site->git, &at, "plan.json", &text, &e) == 0) {
		if (plan_load_text(out, ref, text.p, text.len, NULL, &faults) == 0)
			return 0;
		plan_faults_print(&faults, &faults_text);
		plan_faults_fini(&faults);
		err_set(&e, ERR_DAMAGED, "%s", faults_text.p);
	}
	strv_addf(said, "%s: not made again: the store has not all of its tasks, and git has not its plan: %s", q->id,
	          e.text);
	return -1;
}

int rebuild_queue(struct verify *v, struct verify_queue *q, struct strv *said, struct err *e)
{
	struct db_batch batch = {0};
	struct plan plan;
	int rc = 0;

	if (find_plan(v, q, &plan, said) != 0)
		return 0;
	for (size_t i = 0; rc == 0 && i < q->sessions.n; i++)
		rc = rebuild_session(v, verify_find_session(v, q->sessions.v[i]), &plan, &batch, said, e);
	for (size_t i = 0; i < plan.n; i++) {
		AUTO_FREE char *def = mem_printf("%s/%06zu/d", q->id, i + 1), *key = mem_printf("%s/%06zu/s", q->id, i + 1);
		struct task_row fresh = {.state = (char *)"waiting"};
		rows_put(&batch, DB_tasks, def, &task_def_rec, &plan.tasks[i]);
		rows_put(&batch, DB_tasks, key, &task_row_rec, i < q->n && q->have_row[i] ? &q->rows[i] : &fresh);
	}
	for (size_t i = plan.n; i < q->n; i++) { /* not of this plan */
		AUTO_FREE char *def = mem_printf("%s/%06zu/d", q->id, i + 1), *key = mem_printf("%s/%06zu/s", q->id, i + 1);
		db_batch_del(&batch, DB_tasks, def);
		db_batch_del(&batch, DB_tasks, key);
	}
	struct queue_row row = q->row; /* empty when there is none */
	row.kind = plan.kind;
	row.content = plan.content;
	row.created_ms = q->have ? q->row.created_ms : clock_wall_ms();
	row.tasks = plan.n;
	row.source = q->have ? q->row.source : (char *)"(made again from git)";
	row.session = q->sessions.n ? q->sessions.v[q->sessions.n - 1] : NULL;
	row.sessions = q->sessions;
	rows_put(&batch, DB_queues, q->id, &queue_row_rec, &row);
	if (rc == 0)
		rc = db_batch_write(v->model->site->db, &batch, e);
	if (rc == 0 && q->broken)
		strv_addf(said, "%s: its tasks were made again from the plan", q->id);
	db_batch_clear(&batch);
	plan_fini(&plan);
	return rc;
}
