/* turn: journal entries and rows, committed together. */
#include "turn.h"

#include <errno.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <string.h>

#include "queue/queue.h"
#include "store/base/clock.h"
#include "store/base/fail.h"
#include "store/base/mem.h"
#include "store/json.h"

void turn_init(struct turn *t, struct session *s)
{
	*t = (struct turn){.s = s};
	t->task_dirty = mem_array(s->plan.n, sizeof *t->task_dirty);
	t->dirty = mem_array(s->plan.n, sizeof *t->dirty);
}

void turn_fini(struct turn *t)
{
	db_batch_clear(&t->batch);
	free(t->task_dirty);
	free(t->dirty);
	str_fini(&t->printed);
	*t = (struct turn){0};
}

/* The event as one line for `run --json`: what does not apply is left out. */
static void print_event(struct turn *t, const struct event_row *ev)
{
	AUTO_STR struct str iso = {0};
	struct json_t *j = json_map();

	clock_add_iso(&iso, ev->time_ms);
	json_put_u64(j, "schema", 1);
	json_put_text(j, "time", iso.p);
	json_put_u64(j, "time_ms", ev->time_ms);
	json_put_u64(j, "seq", t->s->manifest.last_seq);
	json_put_text(j, "session", t->s->sid);
	json_put_text(j, "kind", ev->kind);
	const struct {
		const char *key, *text;
	} texts[] = {{"task", ev->task},     {"outcome", ev->outcome}, {"reason", ev->reason},
	             {"commit", ev->commit}, {"old_tip", ev->old_tip}, {"new_tip", ev->new_tip},
	             {"note", ev->note}};
	for (size_t i = 0; i < MEM_COUNT(texts); i++)
		if (texts[i].text)
			json_put_text(j, texts[i].key, texts[i].text);
	if (ev->slot)
		json_put_u64(j, "worktree", ev->slot);
	if (ev->attempt)
		json_put_u64(j, "attempt", ev->attempt);
	if (ev->gates.n)
		json_put_list(j, "gates", &ev->gates);
	json_write(j, false, &t->printed);
	str_addc(&t->printed, '\n');
	json_free(j);
}

void turn_event(struct turn *t, struct event_row *ev)
{
	struct manifest_row *m = &t->s->manifest;

	ev->time_ms = clock_wall_ms();
	if (!t->visit) {
		m->last_event_ms = ev->time_ms;
		m->last_event_boot_ms = clock_boot_ms();
	}
	AUTO_FREE char *key = session_journal_key(t->s, ++m->last_seq);
	rows_put(&t->batch, DB_journal, key, &event_row_rec, ev);
	t->manifest_dirty = true;
	if (t->json)
		print_event(t, ev);
}

void turn_note(struct turn *t, const char *kind, size_t task, const char *reason)
{
	struct event_row ev = {.kind = (char *)kind, .reason = (char *)reason};
	if (task != SIZE_MAX) {
		ev.task = t->s->plan.tasks[task].id;
		ev.ordinal = task + 1;
		ev.slot = t->s->tasks[task].worktree;
		ev.attempt = t->s->tasks[task].attempts;
	}
	turn_event(t, &ev);
}

void turn_task(struct turn *t, size_t task)
{
	if (t->task_dirty[task])
		return;
	t->task_dirty[task] = true;
	t->dirty[t->n_dirty++] = task;
}

void turn_manifest(struct turn *t)
{
	t->manifest_dirty = true;
}

void turn_tip(struct turn *t, const char *tip)
{
	AUTO_FREE char *key = mem_printf("%s/tip", t->s->sid);
	mem_set(&t->s->tip, tip);
	db_batch_put(&t->batch, DB_integration, key, tip, strlen(tip));
}

void turn_result(struct turn *t, size_t task, const char *outcome, const char *tree)
{
	struct session *s = t->s;
	struct task_row *row = &s->tasks[task];
	AUTO_STR struct str bytes = {0};
	char hash[SEAL_HEX];

	if (!s->manifest.chain) {
		seal_genesis(hash, s->sid, s->row.base);
		mem_set(&s->manifest.chain, hash);
	}
	struct result_row r = {
		.session = s->sid,
		.queue = s->row.queue,
		.task = s->plan.tasks[task].id,
		.ordinal = task + 1,
		.attempt = row->attempts,
		.outcome = (char *)outcome,
		.reason = row->reason,
		.base = row->base,
		.commit = row->commit,
		.tree = (char *)tree,
		.gates = row->gates,
		.ran_ms = row->ran_ms,
		.time_ms = clock_wall_ms(),
		.prev = s->manifest.chain,
	};
	rec_encode(&result_row_rec, &r, &bytes);
	seal_link(hash, r.prev, bytes.p, bytes.len);
	r.hash = hash;
	AUTO_FREE char *key = session_result_key(s, task, row->attempts, hash);
	rows_put(&t->batch, DB_results, key, &result_row_rec, &r);
	mem_set(&row->result_hash, hash);
	mem_set(&s->manifest.chain, hash); /* after use: r.prev pointed there */
	turn_manifest(t);
}

bool turn_empty(const struct turn *t)
{
	return !t->batch.n && !t->n_dirty && !t->manifest_dirty;
}

/* A queue of solutions is what became of its items. */
static void follow_queue(struct turn *t)
{
	struct session *s = t->s;
	AUTO_FREE enum task_state *states = NULL;
	const char *status = "active";

	if (!queue_is(&s->queue) || !str_eq(s->queue.session, s->sid))
		return;
	if (!str_eq(s->manifest.state, "running")) {
		states = mem_array(s->plan.n, sizeof *states);
		for (size_t i = 0; i < s->plan.n; i++)
			states[i] = session_task_state(s, i);
		status = queue_status(states, s->plan.n);
	}
	if (str_eq(s->queue.status, status))
		return;
	mem_set(&s->queue.status, status);
	s->queue.updated_ms = clock_wall_ms();
	rows_put(&t->batch, DB_queues, s->row.queue, &queue_row_rec, &s->queue);
}

int turn_commit(struct turn *t, struct err *e)
{
	struct session *s = t->s;

	for (size_t i = 0; i < t->n_dirty; i++) {
		size_t task = t->dirty[i];
		AUTO_FREE char *key = session_task_key(s, task, 's');
		s->tasks[task].seq = s->manifest.last_seq;
		rows_put(&t->batch, DB_tasks, key, &task_row_rec, &s->tasks[task]);
		t->task_dirty[task] = false;
	}
	t->n_dirty = 0;
	if (t->manifest_dirty)
		follow_queue(t);
	if (t->manifest_dirty)
		rows_put(&t->batch, DB_manifest, s->sid, &manifest_row_rec, &s->manifest);
	t->manifest_dirty = false;
	if (!t->batch.n)
		return 0;
	FAILPOINT("turn.commit.before");
	if (db_batch_write(s->site->db, &t->batch, e) != 0)
		return -1;
	FAILPOINT("turn.commit.after");
	db_batch_clear(&t->batch);
	if (t->printed.len) {
		bool whole = fwrite(t->printed.p, 1, t->printed.len, stdout) == t->printed.len;
		if ((fflush(stdout) != 0 || !whole) && errno == EPIPE) {
			/* The reader has gone: nobody waits for events, and how the run ends is another matter. */
			__fpurge(stdout);
			clearerr(stdout);
			t->json = false;
		}
		str_clear(&t->printed);
	}
	return 0;
}
