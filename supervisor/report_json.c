/* report_json: batch_results with the keys of the story seed (formats.md [3-3]), and more (declared in status.h). */
#include "batch_results.h"
#include "gates_told.h"
#include "land_pr.h"
#include "sprint.h"
#include "status.h"
#include "store/base/mem.h"
#include "store/json.h"

struct lists {
	struct json_t *of[BATCH_CLASSES], *questions, *human;
};

static void put_counts(struct json_t *t, const struct session *s, size_t i)
{
	struct batch_counts n = batch_counts(s, i);

	json_put_u64(t, "tasks_completed", n.completed);
	json_put_u64(t, "tasks_total", n.total);
}

static void put_state(struct json_t *t, const struct session *s, size_t i)
{
	json_put_text(t, "state", session_task_shown(s, i));
	json_put_text(t, "reason", s->tasks[i].reason);
	json_put_text(t, "kept", s->tasks[i].kept);
}

static void add_task(struct lists *l, const struct session *s, size_t i)
{
	const struct task_def *d = &s->plan.tasks[i];
	const struct task_row *row = &s->tasks[i];
	enum batch_class class = batch_class(s, i);
	struct json_t *t = json_map();
	uint64_t open = d->total > d->checked ? d->total - d->checked : 0;

	json_put_text(t, "story_key", d->id);
	switch (class) {
	case BATCH_COMPLETED:
		put_counts(t, s, i);
		json_put_text(t, "commit_hash", row->commit);
		if (session_task_state(s, i) == TASK_ALREADY)
			json_put_flag(t, "already_done", true);
		break;
	case BATCH_BLOCKED:
		put_counts(t, s, i);
		json_put_u64(t, "blocked_tasks", batch_counts(s, i).blocked);
		put_state(t, s, i);
		json_put_text(t, "commit_hash", row->partial ? row->commit : NULL);
		json_put_list(t, "blocked", &row->blocked);
		break;
	case BATCH_ROUTED:
		json_put_u64(t, "unchecked_count", open);
		json_put_u64(t, "pct_unchecked", d->total ? (100 * open + d->total / 2) / d->total : 0);
		json_put_text(t, "reason", row->reason);
		break;
	case BATCH_PENDING:
		put_counts(t, s, i);
		put_state(t, s, i);
		break;
	case BATCH_CLASSES:
		break;
	case BATCH_ERROR:
		json_put_text(t, "error_message", row->reason ? row->reason : session_task_shown(s, i));
		json_put_text(t, "state", session_task_shown(s, i));
		json_put_text(t, "kept", row->kept);
		break;
	}
	if (d->model || str_eq(s->queue.kind, "segments"))
		json_put_text(t, "model", d->model);
	if (class != BATCH_ROUTED) /* no gate ever ran */
		gates_told_task(s, i, t);
	json_add(l->of[class], t);
}

static void add_open(struct lists *l, const struct session *s, size_t i)
{
	const struct task_def *d = &s->plan.tasks[i];
	const struct strv *q = &s->tasks[i].questions;
	AUTO_STRV struct strv human = {0};

	for (size_t k = 0; k + 1 < q->n; k += 2) {
		struct json_t *j = json_map();
		json_put_text(j, "story_key", d->id);
		json_put_text(j, "task", q->v[k]);
		json_put_text(j, "question", q->v[k + 1]);
		json_add(l->questions, j);
	}
	batch_human(s, i, &human);
	for (size_t k = 0; k < human.n; k++) {
		struct json_t *j = json_map();
		json_put_text(j, "story_key", d->id);
		json_put_text(j, "task_text", human.v[k]);
		json_add(l->human, j);
	}
}

/* What bosk changed in sprint-status.yaml. */
static struct json_t *sprint_json(const struct session *s)
{
	AUTO_STRV struct strv told = {0};
	struct json_t *list = json_list();

	sprint_told(s, &told);
	for (size_t i = 0; i + 3 < told.n; i += 4) {
		struct json_t *j = json_map();
		json_put_text(j, "story_key", told.v[i + 1]);
		json_put_text(j, "status", told.v[i + 3]);
		json_put_text(j, "before", told.v[i + 2]);
		json_put_text(j, "commit_hash", told.v[i]);
		json_add(list, j);
	}
	return list;
}

int report_json(struct session *s, struct str *out, struct err *e)
{
	static const char *const names[] = {"completed", "blocked", "routed_to_pipeline"};
	struct lists l = {.questions = json_list(), .human = json_list()};
	struct json_t *j = json_map();

	(void)e;
	for (size_t i = 0; i < BATCH_CLASSES; i++)
		l.of[i] = json_list();
	for (size_t i = 0; i < s->plan.n; i++) {
		add_task(&l, s, i);
		add_open(&l, s, i);
	}
	json_put_u64(j, "schema", 1);
	json_put_text(j, "session", s->sid);
	json_put_text(j, "state", session_state(s->site, s->sid, &s->manifest));
	json_put_text(j, "integration_branch", s->manifest.integration_branch);
	json_put_text(j, "integration_tip", s->tip);
	json_put_text(j, "final_gates", s->manifest.final_gates);
	gates_told_session(s, j);
	json_put_text(j, "landed", s->manifest.landed);
	land_pr_json(s, j);
	struct status_spent spent = status_spent_session(s);
	status_spent_json(&spent, j);
	for (size_t i = 0; i < MEM_COUNT(names); i++)
		json_put(j, names[i], l.of[i]);
	json_put(j, "blocker_questions", l.questions);
	json_put(j, "human_validation_tasks", l.human);
	json_put(j, "errors", l.of[BATCH_ERROR]);
	json_put(j, "pending", l.of[BATCH_PENDING]);
	json_put(j, "sprint_status", sprint_json(s));
	json_put_list(j, "notes", &s->manifest.notes);
	json_write(j, true, out);
	str_addc(out, '\n');
	json_free(j);
	return 0;
}
