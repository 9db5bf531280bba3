/* verify: gathers what there is, and has every part looked at. */
#include "verify_private.h"

#include <stdarg.h>
#include <string.h>

#include "store/base/mem.h"

static void add(struct verify *v, const char *sid, bool note, const char *fmt, va_list ap)
{
	struct str text = {0};

	str_addv(&text, fmt, ap);
	v->v = mem_grow(v->v, v->n + 1, sizeof *v->v);
	v->v[v->n++] = (struct verify_finding){mem_strdup(sid), str_take(&text), note};
	v->problems += !note;
}

bool verify_say(struct verify *v, const char *sid, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(v, sid, false, fmt, ap);
	va_end(ap);
	return true;
}

void verify_note(struct verify *v, const char *sid, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(v, sid, true, fmt, ap);
	va_end(ap);
}

void verify_junk(struct verify *v, enum db_table table, const char *key)
{
	strv_add(&v->model->junk, image_table_name(table));
	strv_add(&v->model->junk, key);
}

struct verify_session *verify_find_session(struct verify *v, const char *sid)
{
	for (size_t i = 0; i < v->model->n_sessions; i++)
		if (str_eq(v->model->sessions[i].sid, sid))
			return &v->model->sessions[i];
	return NULL;
}

struct verify_queue *verify_find_queue(struct verify *v, const char *id)
{
	for (size_t i = 0; i < v->model->n_queues; i++)
		if (str_eq(v->model->queues[i].id, id))
			return &v->model->queues[i];
	return NULL;
}

bool verify_unborn(const struct verify_session *s)
{
	return s->have_manifest && !s->live && !s->manifest.last_seq && str_eq(s->manifest.state, "running");
}

bool verify_about_to_be(const struct verify_session *s)
{
	return str_eq(s->manifest.state, "running") && str_eq(s->tip, s->row.tip);
}

/* ---- what there is ---- */

/* `part` of a key up to the first slash; the caller owns it. */
static char *first_part(const char *key)
{
	return mem_strndup(key, strcspn(key, "/"));
}

static void names_of(const struct image *m, enum db_table table, struct strv *out)
{
	const struct image_table *t = &m->tables[table];

	for (size_t i = 0; i < t->n; i++) {
		AUTO_FREE char *name = first_part(t->v[i].key);
		if (!out->n || !str_eq(out->v[out->n - 1], name))
			if (!strv_has(out, name))
				strv_add(out, name);
	}
}

static int names_of_refs(struct gitx *g, const char *prefix, struct strv *out, struct err *e)
{
	AUTO_STRV struct strv refs = {0};

	if (gitx_ref_list(g, prefix, &refs, e) != 0)
		return -1;
	for (size_t i = 0; i < refs.n; i++)
		if (!strv_has(out, refs.v[i] + strlen(prefix)))
			strv_add(out, refs.v[i] + strlen(prefix));
	return 0;
}

static bool decode(struct verify *v, enum db_table table, const char *key, const struct rec *r, void *out)
{
	const struct image_row *row = image_find(&v->model->image, table, key);
	struct err e = {0};

	return row && rec_decode(r, out, row->bytes, row->n, &e) == 0;
}

/* Sessions in the order they were started, as far as that is known. */
static int by_start(const void *a, const void *b)
{
	const struct verify_session *x = a, *y = b;
	if (x->manifest.started_ms != y->manifest.started_ms)
		return x->manifest.started_ms < y->manifest.started_ms ? -1 : 1;
	return strcmp(x->sid, y->sid);
}

static int gather(struct verify *v, const struct strv *mine, struct err *e)
{
	struct verify_model *m = v->model;
	AUTO_STRV struct strv sids = {0}, queues = {0};

	names_of(&m->image, DB_manifest, &sids);
	names_of(&m->image, DB_sessions, &sids);
	names_of(&m->image, DB_queues, &queues);
	if (names_of_refs(m->site->git, "refs/bosk/int/", &sids, e) != 0 ||
	    names_of_refs(m->site->git, "refs/bosk/plan/", &queues, e) != 0)
		return -1;
	m->sessions = mem_array(sids.n, sizeof *m->sessions);
	for (size_t i = 0; i < sids.n; i++) {
		struct verify_session *s = &m->sessions[m->n_sessions];
		*s = (struct verify_session){.sid = mem_strdup(sids.v[i])};
		s->have_manifest = decode(v, DB_manifest, s->sid, &manifest_row_rec, &s->manifest);
		s->have_row = decode(v, DB_sessions, s->sid, &session_row_rec, &s->row);
		s->live = !(mine && strv_has(mine, s->sid)) && session_held(m->site, s->sid, &s->manifest);
		const char *queue = s->have_row ? s->row.queue : s->manifest.queue;
		if (queue && !strv_has(&queues, queue))
			strv_add(&queues, queue);
		AUTO_FREE char *tip = mem_printf("%s/tip", s->sid);
		const struct image_row *row = image_find(&m->image, DB_integration, tip);
		s->tip = row ? mem_strndup(row->bytes, row->n) : NULL;
		m->n_sessions++;
	}
	if (m->n_sessions)
		qsort(m->sessions, m->n_sessions, sizeof *m->sessions, by_start);
	m->queues = mem_array(queues.n, sizeof *m->queues);
	for (size_t i = 0; i < queues.n; i++)
		m->queues[m->n_queues++] = (struct verify_queue){.id = mem_strdup(queues.v[i])};
	return 0;
}

/* Which session belongs to which queue, and in what order. */
static void relate(struct verify *v)
{
	struct verify_model *m = v->model;

	for (size_t i = 0; i < m->n_queues; i++) {
		struct verify_queue *q = &m->queues[i];
		q->have = decode(v, DB_queues, q->id, &queue_row_rec, &q->row);
		for (size_t k = 0; k < q->row.sessions.n; k++)
			if (verify_find_session(v, q->row.sessions.v[k]))
				strv_add(&q->sessions, q->row.sessions.v[k]);
			else
				q->wrong |= verify_say(v, q->id, "names session %s, which there is not",
				                       q->row.sessions.v[k]);
		if (q->row.sessions.n && !str_eq(q->row.session, q->row.sessions.v[q->row.sessions.n - 1]))
			q->wrong |= verify_say(v, q->id, "says that session %s works on it, but %s came last",
			                       q->row.session ? q->row.session : "(none)",
			                       q->row.sessions.v[q->row.sessions.n - 1]);
	}
	for (size_t i = 0; i < m->n_sessions; i++) {
		struct verify_session *s = &m->sessions[i];
		s->queue = verify_find_queue(v, s->have_row ? s->row.queue : s->manifest.queue);
		if (s->queue && !strv_has(&s->queue->sessions, s->sid)) {
			if (s->queue->have)
				s->queue->wrong |= verify_say(v, s->sid, "queue %s does not name it", s->queue->id);
			strv_add(&s->queue->sessions, s->sid);
		}
		if (s->have_row && s->have_manifest && !str_eq(s->row.queue, s->manifest.queue))
			s->wrong |= verify_say(v, s->sid, "is of queue %s by its options, of %s by the manifest",
			                       s->row.queue, s->manifest.queue ? s->manifest.queue : "none");
	}
}

/* Rows whose session or queue is not known. */
static void strangers(struct verify *v)
{
	static const struct {
		enum db_table table;
		bool queue;
	} tables[] = {{DB_journal, false}, {DB_integration, false}, {DB_requests, false},
	              {DB_slots, false},   {DB_tasks, true},        {DB_results, true}};
	struct verify_model *m = v->model;

	for (size_t i = 0; i < MEM_COUNT(tables); i++) {
		const struct image_table *t = &m->image.tables[tables[i].table];
		for (size_t k = 0; k < t->n; k++) {
			AUTO_FREE char *name = first_part(t->v[k].key);
			if (tables[i].queue ? verify_find_queue(v, name) != NULL : verify_find_session(v, name) != NULL)
				continue;
			verify_say(v, name, "%s has a row %s of a %s that there is not",
			           image_table_name(tables[i].table), t->v[k].key,
			           tables[i].queue ? "queue" : "session");
			verify_junk(v, tables[i].table, t->v[k].key);
		}
	}
}

/* Claims count only while their process lives, but must be readable. */
static void claims(struct verify *v)
{
	const struct image_table *t = &v->model->image.tables[DB_slots];

	for (size_t k = 0; k < t->n; k++) {
		AUTO_FREE char *sid = first_part(t->v[k].key);
		struct claim_row row;
		if (verify_find_session(v, sid) && !decode(v, DB_slots, t->v[k].key, &claim_row_rec, &row)) {
			verify_say(v, sid, "the row %s of slots cannot be read", t->v[k].key);
			verify_junk(v, DB_slots, t->v[k].key);
		} else if (verify_find_session(v, sid)) {
			rec_fini(&claim_row_rec, &row);
		}
	}
}

/* So are those of accounts, which are nobody's. */
static void accounts(struct verify *v)
{
	const struct image_table *t = &v->model->image.tables[DB_accounts];

	for (size_t k = 0; k < t->n; k++) {
		struct account_row row;
		if (decode(v, DB_accounts, t->v[k].key, &account_row_rec, &row)) {
			rec_fini(&account_row_rec, &row);
			continue;
		}
		verify_say(v, NULL, "the row of account %s cannot be read, and counts for nothing", t->v[k].key);
		verify_junk(v, DB_accounts, t->v[k].key);
	}
}

int verify_all(struct verify *out, struct site *site, const struct strv *mine, struct err *e)
{
	*out = (struct verify){.model = mem_alloc(sizeof *out->model)};
	struct verify_model *m = out->model;

	m->site = site;
	if (image_read(&m->image, site->db, e) != 0 || gather(out, mine, e) != 0)
		return -1;
	relate(out);
	strangers(out);
	claims(out);
	accounts(out);
	for (size_t i = 0; i < m->n_queues; i++) {
		struct verify_queue *q = &m->queues[i];
		verify_queue(out, q);
		verify_items(out, q);
		replay_init(&q->replay, q->n);
		for (size_t k = 0; k < q->sessions.n; k++) {
			struct verify_session *s = verify_find_session(out, q->sessions.v[k]);
			verify_journal(out, s);
			verify_chain(out, s);
		}
		verify_tasks(out, q);
	}
	for (size_t i = 0; i < m->n_sessions; i++) {
		struct verify_session *s = &m->sessions[i];
		if (!s->queue && !s->live) /* a living one is just being made */
			s->broken = verify_say(out, s->sid, "the store knows nothing of it, but refs/bosk/int/%s is there",
			                       s->sid);
		else if (s->queue)
			verify_git(out, s);
	}
	verify_item_strangers(out);
	verify_worktrees(out);
	out->sessions = m->n_sessions;
	out->queues = m->n_queues;
	return 0;
}

bool verify_moving(const struct verify *v)
{
	for (size_t i = 0; i < v->model->n_sessions; i++) {
		const struct verify_session *s = &v->model->sessions[i];
		if (s->live || (!str_eq(s->manifest.state, "done") && !str_eq(s->manifest.state, "failed")))
			return true;
	}
	return false;
}

void verify_fini(struct verify *v)
{
	struct verify_model *m = v->model;

	for (size_t i = 0; i < v->n; i++) {
		free(v->v[i].sid);
		free(v->v[i].text);
	}
	free(v->v);
	for (size_t i = 0; m && i < m->n_sessions; i++) {
		struct verify_session *s = &m->sessions[i];
		rec_fini(&manifest_row_rec, &s->manifest);
		rec_fini(&session_row_rec, &s->row);
		strv_fini(&s->worktrees);
		replay_told_fini(&s->told);
		free(s->tip);
		free(s->sid);
	}
	for (size_t i = 0; m && i < m->n_queues; i++) {
		struct verify_queue *q = &m->queues[i];
		for (size_t k = 0; k < q->n; k++) {
			rec_fini(&task_def_rec, &q->defs[k]);
			rec_fini(&task_row_rec, &q->rows[k]);
		}
		free(q->defs);
		free(q->rows);
		free(q->have_def);
		free(q->have_row);
		replay_fini(&q->replay);
		rec_fini(&queue_row_rec, &q->row);
		strv_fini(&q->sessions);
		free(q->id);
	}
	if (m) {
		image_fini(&m->image);
		free(m->sessions);
		free(m->queues);
		strv_fini(&m->junk);
	}
	free(m);
	*v = (struct verify){0};
}
