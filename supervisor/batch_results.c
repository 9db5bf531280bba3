/* batch_results: counts and classes, and the box at the end of a run. */
#include "batch_results.h"

#include <string.h>

#include "store/base/mem.h"

static bool is_story(const struct session *s, size_t i)
{
	return str_eq(s->queue.kind, "stories") && s->plan.tasks[i].total;
}

/* By its last result, before one by its plan. */
struct batch_counts batch_counts(const struct session *s, size_t i)
{
	const struct task_def *d = &s->plan.tasks[i];
	const struct task_row *row = &s->tasks[i];
	struct batch_counts n = {.total = d->total, .completed = d->checked};
	uint64_t human = d->human.n > d->human_other ? d->human.n - d->human_other : 0;

	if (!is_story(s, i)) {
		bool good = task_state_good(session_task_state(s, i));
		return (struct batch_counts){1, good, !good};
	}
	if (row->boxes)
		n = (struct batch_counts){.total = row->boxes, .completed = row->boxes_already + row->boxes_closed};
	n.blocked = n.total > n.completed + human ? n.total - n.completed - human : 0;
	return n;
}

bool batch_partial(const struct session *s)
{
	for (size_t i = 0; i < s->plan.n; i++)
		if (s->tasks[i].partial && task_state_good(session_task_state(s, i)))
			return true;
	return false;
}

void batch_human(const struct session *s, size_t i, struct strv *out)
{
	const struct strv *boxes = &s->plan.tasks[i].human, *said = &s->tasks[i].human;

	if (session_task_state(s, i) == TASK_ROUTED)
		return;
	for (size_t k = 0; k < boxes->n; k++)
		strv_add(out, boxes->v[k]);
	for (size_t k = 0; k < said->n; k++)
		if (!strv_has(boxes, said->v[k]))
			strv_add(out, said->v[k]);
}

char *batch_line(const struct session *s, size_t i)
{
	struct batch_counts n = batch_counts(s, i);
	AUTO_STRV struct strv human = {0};
	struct str out = {0};

	if (!is_story(s, i))
		return NULL;
	str_addf(&out, "%llu/%llu tasks done", (unsigned long long)n.completed, (unsigned long long)n.total);
	if (n.blocked)
		str_addf(&out, ", %llu blocked", (unsigned long long)n.blocked);
	batch_human(s, i, &human);
	if (human.n)
		str_addf(&out, ", %zu for a human", human.n);
	return str_take(&out);
}

void batch_trailer(const struct task_row *row, struct str *out)
{
	if (row->boxes)
		str_addf(out, "Bosk-Boxes: %llu/%llu%s\n", (unsigned long long)(row->boxes_already + row->boxes_closed),
		         (unsigned long long)row->boxes, row->partial ? ", partial" : "");
}

bool batch_trailer_read(struct task_row *row, const struct task_def *d, const char *text)
{
	AUTO_FREE char *done = mem_strndup(text, strcspn(text, "/"));
	const char *rest = text + strlen(done) + (text[strlen(done)] == '/');
	AUTO_FREE char *total = mem_strndup(rest, strcspn(rest, ","));
	uint64_t n, of;

	if (!str_u64(done, &n) || !str_u64(total, &of) || !of || n > of)
		return false;
	row->boxes = of;
	row->boxes_already = d->checked < n ? d->checked : n;
	row->boxes_closed = n - row->boxes_already;
	row->partial = str_eq(rest + strlen(total), ", partial");
	return true;
}

enum batch_class batch_class(const struct session *s, size_t i)
{
	enum task_state state = session_task_state(s, i);

	if (state == TASK_ROUTED)
		return BATCH_ROUTED;
	if (task_state_good(state))
		return s->tasks[i].partial ? BATCH_BLOCKED : BATCH_COMPLETED;
	if (!task_state_ended(state))
		return BATCH_PENDING;
	return state == TASK_BLOCKED || state == TASK_CONFLICT ? BATCH_BLOCKED : BATCH_ERROR;
}

/* ---- in numbers ---- */

void batch_box(const struct session *s, struct strv *lines)
{
	static const char edge[] = "----------------------------------------";
	AUTO_STRV struct strv human = {0};
	size_t n[BATCH_CLASSES] = {0}, questions = 0;

	if (!str_eq(s->queue.kind, "stories"))
		return;
	for (size_t i = 0; i < s->plan.n; i++) {
		n[batch_class(s, i)]++;
		questions += s->tasks[i].questions.n / 2;
		batch_human(s, i, &human);
	}
	strv_add(lines, edge);
	strv_add(lines, "batch execution complete");
	strv_addf(lines, "  Completed:           %zu", n[BATCH_COMPLETED]);
	strv_addf(lines, "  Partially blocked:   %zu", n[BATCH_BLOCKED]);
	strv_addf(lines, "  Routed to pipeline:  %zu", n[BATCH_ROUTED]);
	strv_addf(lines, "  Errors:              %zu", n[BATCH_ERROR]);
	if (n[BATCH_PENDING])
		strv_addf(lines, "  Pending:             %zu", n[BATCH_PENDING]);
	strv_addf(lines, "  Blocker questions:   %zu%s", questions, questions ? " (see bosk report)" : "");
	strv_addf(lines, "  Human validation:    %zu%s", human.n, human.n ? " (see bosk report)" : "");
	strv_add(lines, edge);
}
