/* verify_rows: plans and rows by themselves, and against the journal. */
#include <stdio.h>
#include <string.h>

#include "store/base/mem.h"
#include "supervisor/plan/plan.h"
#include "supervisor/queue/queue_copy.h"
#include "verify_private.h"

/* ---- a plan and its rows ---- */

/* "queue/000001/d" -> 1; 0 when it is no such key. */
static size_t ordinal_of(const char *key, char *part)
{
	unsigned long long n;
	char end;
	const char *slash = strchr(key, '/');

	if (!slash || strlen(slash) < 9 || sscanf(slash, "/%6llu/%c%c", &n, part, &end) != 2)
		return 0;
	AUTO_FREE char *again = mem_printf("/%06llu/%c", n, *part);
	return strcmp(again, slash) == 0 && (*part == 'd' || *part == 's') ? (size_t)n : 0;
}

static void take_row(struct verify *v, struct verify_queue *q, const struct image_row *row)
{
	struct err e = {0};
	char part = 0;
	size_t at = ordinal_of(row->key, &part);

	if (!at || at > q->n) {
		q->wrong |= verify_say(v, q->id, "has a row %s that is of no task", row->key);
		verify_junk(v, DB_tasks, row->key);
		return;
	}
	at--;
	bool def = part == 'd';
	if (def)
		q->have_def[at] = rec_decode(&task_def_rec, &q->defs[at], row->bytes, row->n, &e) == 0;
	else
		q->have_row[at] = rec_decode(&task_row_rec, &q->rows[at], row->bytes, row->n, &e) == 0;
	if (e.kind != ERR_NONE)
		q->broken |= verify_say(v, q->id, "task %zu: its %s cannot be read: %s", at + 1,
		                        def ? "definition" : "state", e.text);
}

static void take_rows(struct verify *v, struct verify_queue *q)
{
	AUTO_FREE char *prefix = mem_printf("%s/", q->id);
	size_t n;
	const struct image_row *rows = image_range(&v->model->image, DB_tasks, prefix, &n);

	for (size_t i = 0; i < n; i++) {
		char part = 0;
		size_t at = ordinal_of(rows[i].key, &part);
		if (at > q->n && at <= PLAN_MAX_TASKS)
			q->n = at;
	}
	if (q->have && q->row.tasks != q->n)
		q->wrong = verify_say(v, q->id, "says that it has %llu tasks, but has %zu",
		                      (unsigned long long)q->row.tasks, q->n);
	q->defs = mem_array(q->n, sizeof *q->defs);
	q->rows = mem_array(q->n, sizeof *q->rows);
	q->have_def = mem_array(q->n, sizeof *q->have_def);
	q->have_row = mem_array(q->n, sizeof *q->have_row);
	for (size_t i = 0; i < n; i++)
		take_row(v, q, &rows[i]);
	for (size_t i = 0; i < q->n; i++) {
		const char *missing[] = {q->have_def[i] ? NULL : "d", q->have_row[i] ? NULL : "s"};
		for (int k = 0; k < 2; k++) {
			AUTO_FREE char *key = mem_printf("%s/%06zu/%s", q->id, i + 1, missing[k] ? missing[k] : "");
			if (missing[k] && !image_find(&v->model->image, DB_tasks, key))
				q->broken |= verify_say(v, q->id, "task %zu: its %s is missing", i + 1,
				                        k ? "state" : "definition");
		}
	}
	v->tasks += q->n;
}

static bool all_defs(const struct verify_queue *q)
{
	for (size_t i = 0; i < q->n; i++)
		if (!q->have_def[i])
			return false;
	return q->n > 0;
}

/* A queue that was added is all there without its copy; cut off before that was made, nothing was lost. */
static void check_copy(struct verify *v, struct verify_queue *q)
{
	AUTO_FREE char *content = NULL;
	struct err e = {0};

	if (queue_copy_content(&content, v->model->site->git, q->id, &e) == 0 && !str_eq(content, q->row.content))
		q->no_plan = verify_say(v, q->id, "refs/bosk/plan/%s holds another queue", q->id);
	else if (!content && e.kind == ERR_MISSING && !q->sessions.n)
		verify_note(v, q->id, "is not kept in git yet: bosk queue add it again, or bosk verify --repair");
	else if (!content)
		q->no_plan = verify_say(v, q->id, "%s", e.text);
	q->no_plan |= !content;
}

/* Definitions against the hash that was recorded, and against the plan that git keeps. */
static void check_plan(struct verify *v, struct verify_queue *q)
{
	AUTO_FREE char *ref = mem_printf("refs/bosk/plan/%s", q->id);
	AUTO_STR struct str kept = {0}, now = {0};
	struct task_def *copy = mem_array(q->n, sizeof *copy);
	struct plan plan;
	struct oid at;
	struct err e = {0};

	for (size_t i = 0; i < q->n; i++)
		rec_copy(&task_def_rec, &copy[i], &q->defs[i]);
	if (plan_from_defs(&plan, q->have ? q->row.kind : "plan", PLAN_BARRIER_BARE, copy, q->n, &e) != 0) {
		q->broken = verify_say(v, q->id, "%s", e.text);
		return;
	}
	if (q->have && !str_eq(plan.content, q->row.content))
		q->broken = verify_say(v, q->id, "its tasks are not those of the plan it was made from");
	if (!queue_is(&q->row))
		plan_write(&plan, &now);
	plan_fini(&plan);
	for (size_t i = 0; i < q->sessions.n; i++) { /* between its rows and its refs, or the other way round */
		const struct verify_session *s = verify_find_session(v, q->sessions.v[i]);
		if (s->live || verify_unborn(s) || s->manifest.leaving_ms)
			return;
	}
	if (queue_is(&q->row)) {
		check_copy(v, q);
		return;
	}
	if (gitx_ref_read(v->model->site->git, ref, &at, &e) != 0) {
		if (q->sessions.n == 1 && verify_about_to_be(verify_find_session(v, q->sessions.v[0])))
			verify_note(v, q->id, "%s; a resume makes it again", e.text);
		else
			q->no_plan = verify_say(v, q->id, "%s", e.text);
		return;
	}
	if (gitx_read_file(v->model->site->git, &at, "plan.json", &kept, &e) != 0)
		q->no_plan = verify_say(v, q->id, "%s cannot be read: %s", ref, e.text);
	else if (strcmp(str_text(&kept), str_text(&now)) != 0 && !q->broken)
		q->no_plan = verify_say(v, q->id, "%s holds another plan", ref);
}

void verify_queue(struct verify *v, struct verify_queue *q)
{
	const struct image_row *row = image_find(&v->model->image, DB_queues, q->id);

	if (!q->have)
		q->broken = row ? verify_say(v, q->id, "its row in queues cannot be read")
		                : verify_say(v, q->id, "the store does not know this plan");
	take_rows(v, q);
	if (all_defs(q))
		check_plan(v, q);
}

/* ---- the journal of a session ---- */

static void compare_text(struct verify *v, struct verify_session *s, const char *what, const char *told,
                         const char *row)
{
	if (!str_eq(told, row))
		s->wrong |= verify_say(v, s->sid, "%s is %s, but %s by its journal", what, row ? row : "(none)",
		                       told ? told : "(none)");
}

/* `over`: at its end, when it was asked to land, the manifest waits for what comes of that. */
static void compare_session(struct verify *v, struct verify_session *s)
{
	const struct replay_told *r = &s->told;
	const struct manifest_row *m = &s->manifest;
	bool over = str_eq(r->state, "done") || str_eq(r->state, "failed");

	if (!(str_eq(m->state, "landing") && over))
		compare_text(v, s, "its state", r->state, m->state);
	compare_text(v, s, "its integration tip", r->tip, s->tip);
	compare_text(v, s, "what it landed as", r->landed, m->landed);
	compare_text(v, s, "what it was pushed as", r->pushed, m->pushed);
	compare_text(v, s, "what its pull request was opened with", r->pr_of, m->pr_of);
	compare_text(v, s, "its pull request", r->pr_url, m->pr_url);
	compare_text(v, s, "the verdict on its final tip", r->final_gates, m->final_gates);
	if (r->preflight && !m->preflight_done)
		s->wrong = verify_say(v, s->sid, "the gates passed on its base by its journal, but not by its row");
}

/* Where the journal begins: at the last "rebuilt", or at its start. What is before is history. */
static size_t first_event(const struct image_row *rows, size_t n)
{
	for (size_t i = n; i-- > 0;) {
		struct event_row ev;
		struct err ignored = {0};
		bool begins = false;
		if (rec_decode(&event_row_rec, &ev, rows[i].bytes, rows[i].n, &ignored) == 0) {
			begins = str_eq(ev.kind, "rebuilt");
			rec_fini(&event_row_rec, &ev);
		}
		if (begins)
			return i;
	}
	return 0;
}

void verify_journal(struct verify *v, struct verify_session *s)
{
	struct replay *r = &s->queue->replay;
	AUTO_FREE char *prefix = mem_printf("%s/", s->sid);
	size_t n;
	const struct image_row *rows = image_range(&v->model->image, DB_journal, prefix, &n);
	uint64_t expected = 1, first_bad = 0;

	if (!s->have_manifest)
		s->broken = verify_say(v, s->sid, "its row in manifest is missing or cannot be read");
	if (!s->have_row)
		s->broken = verify_say(v, s->sid, "its row in sessions is missing or cannot be read");
	if (!s->tip)
		s->wrong = verify_say(v, s->sid, "its integration tip is missing");
	replay_session(r, s->row.tip);
	for (size_t i = first_event(rows, n); i < n; i++) {
		struct event_row ev;
		struct err e = {0};
		uint64_t seq = strtoull(rows[i].key + strlen(prefix), NULL, 16);
		AUTO_FREE char *key = mem_printf("%s%016llx", prefix, (unsigned long long)seq);
		bool ours = strcmp(key, rows[i].key) == 0 && seq;
		if (!ours || rec_decode(&event_row_rec, &ev, rows[i].bytes, rows[i].n, &e) != 0) {
			verify_junk(v, DB_journal, rows[i].key);
			s->gap = s->wrong = verify_say(v, s->sid, "event %s of its journal cannot be read", rows[i].key);
			expected = seq + 1;
			continue;
		}
		if (seq != expected && !first_bad && !str_eq(ev.kind, "rebuilt"))
			first_bad = expected;
		if (!replay_event(r, &ev, seq))
			s->gap = s->wrong = verify_say(v, s->sid, "event %llu of its journal makes no sense: %s of task %llu",
			                      (unsigned long long)seq, ev.kind ? ev.kind : "nothing",
			                      (unsigned long long)ev.ordinal);
		expected = seq + 1;
		rec_fini(&event_row_rec, &ev);
	}
	v->events += n;
	s->told = r->told;
	r->told = (struct replay_told){0};
	if (first_bad)
		s->gap = s->wrong = verify_say(v, s->sid, "event %llu of its journal is missing", (unsigned long long)first_bad);
	if (!s->have_manifest)
		return;
	if (s->manifest.last_seq != expected - 1)
		s->gap = s->wrong = verify_say(v, s->sid, "its journal ends with event %llu, its manifest says %llu",
		                      (unsigned long long)(expected - 1), (unsigned long long)s->manifest.last_seq);
	compare_session(v, s);
}

/* ---- where the tasks stand ---- */

static void compare_task(struct verify *v, struct verify_queue *q, size_t i)
{
	const struct replay_task *told = &q->replay.tasks[i];
	const struct task_row *row = &q->rows[i];
	const char *id = q->have_def[i] && q->defs[i].id ? q->defs[i].id : "?";
	enum task_state state = TASK_WAITING;
	const struct {
		const char *what, *told, *row;
	} texts[] = {{"commit", told->commit, row->commit}, {"merge", told->merge, row->merge}};

	if (!row->state || !task_state_parse(row->state, &state))
		q->wrong = verify_say(v, q->id, "task %s is '%s', which is no state", id, row->state ? row->state : "");
	else if (!replay_agrees(&q->replay, i, state))
		q->wrong = verify_say(v, q->id, "task %s is %s, but %s by the journal", id, row->state,
		                      task_state_name(told->state));
	for (size_t k = 0; k < MEM_COUNT(texts); k++)
		if (!str_eq(texts[k].told, texts[k].row))
			q->wrong = verify_say(v, q->id, "task %s has the %s %.12s, but %.12s by the journal", id,
			                      texts[k].what, texts[k].row ? texts[k].row : "(none)",
			                      texts[k].told ? texts[k].told : "(none)");
	if (told->attempts != row->attempts)
		q->wrong = verify_say(v, q->id, "task %s had %llu attempts, but %llu by the journal", id,
		                      (unsigned long long)row->attempts, (unsigned long long)told->attempts);
	if (row->seq < told->seq)
		q->wrong = verify_say(v, q->id, "task %s: its row is older than event %llu of the journal", id,
		                      (unsigned long long)told->seq);
}

/* Of a queue of solutions: its state is what who works without a session made of it, or what it was added with. */
bool verify_outside(const struct verify_queue *q, size_t task)
{
	return queue_is(&q->row) && !q->rows[task].session;
}

void verify_tasks(struct verify *v, struct verify_queue *q)
{
	if (!q->sessions.n)
		return;
	for (size_t i = 0; i < q->n; i++)
		if (q->have_row[i] && !verify_outside(q, i))
			compare_task(v, q, i);
}
