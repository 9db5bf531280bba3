/* fuzz_queue: any bytes, cut at form feeds, as the file of a queue and what lies beside it: solutions, issues, the index.
 * Either there is a fault, or a plan that holds together, whose texts are JSON and whose normal form says the same. */
#include <assert.h>
#include <string.h>

#include "fuzz.h"
#include "store/base/fs.h"
#include "store/json.h"
#include "store/json_cut.h"
#include "supervisor/plan/queue_private.h"
#include "test.h"
#include "worker/gitx.h"

static char *folder;

static void leave(void)
{
	test_scratch_remove(folder);
}

static void put(const char *name, const char *bytes, size_t n)
{
	AUTO_FREE char *path = mem_printf("%s/%s", folder, name);
	struct err e = {0};
	int rc = fs_write(path, bytes, n, false, &e);

	assert(rc == 0);
}

static void begin(void)
{
	struct err e = {0};

	if (folder)
		return;
	folder = test_scratch();
	atexit(leave);
	AUTO_FREE char *solutions = mem_printf("%s/solutions", folder);
	assert(fs_mkdirs(solutions, &e) == 0);
	assert(gitx_init(false, &e) == 0);
}

static void is_json(const char *text, bool needed)
{
	struct json_fault f = {0};

	assert(text || !needed);
	if (!text)
		return;
	struct json_t *j = json_cut_text(text, strlen(text), &f);
	if (!j)
		fprintf(stderr, "%zu:%zu: %s: %s\n", f.line, f.column, f.text, text);
	assert(j);
	json_free(j);
}

/* Made again, its texts are what they were when they were dropped. */
static void check_texts(struct task_def *d, const struct plan_queue *q, const struct item_def *item)
{
	const char *issue = item->issue_at ? q->issues[item->issue_at - 1].raw : NULL;
	AUTO_FREE char *hash = mem_strdup(d->texts);
	uint64_t bytes = d->text_bytes;
	struct err e = {0};

	assert(hash && !d->prompt && !d->step_texts.n);
	if (plan_texts_make(d, item->raw, item->solution_raw, issue, &e) != 0)
		fprintf(stderr, "%s\n", e.text);
	assert(d->prompt && d->step_texts.n == d->step_ids.n);
	plan_texts_drop(d);
	assert(str_eq(d->texts, hash) && d->text_bytes == bytes);
}

static void check_item(const struct plan *p, size_t i)
{
	const struct plan_queue *q = p->queue;
	const struct task_def *d = &p->tasks[i];
	const struct item_def *item = &q->defs[i];
	const struct item_row *row = &q->items[i];
	enum task_state s = q->states[i];

	assert(!plan_id_fault(d->id) && str_eq(d->id, item->id));
	assert(str_eq(d->issue, item->issue) && str_eq(d->solution, item->solution));
	assert(!d->issue || strlen(d->issue) <= 200);
	assert(i == 0 || q->defs[i - 1].order <= item->order);
	assert(item->tasks > 0 && item->issue_at <= q->n_issues && (item->issue != NULL) == (item->issue_at > 0));
	assert(s == TASK_WAITING || s == TASK_CLAIMED || s == TASK_ALREADY || s == TASK_FAILED || s == TASK_SKIPPED);
	assert((q->reasons[i] != NULL) == (s == TASK_FAILED || s == TASK_SKIPPED));
	assert(item->solution_raw || d->missing);
	check_texts(&p->tasks[i], q, item);
	is_json(item->raw, true);
	is_json(item->solution_raw, false);
	is_json(item->priority, false);
	is_json(row->result, false);
	is_json(row->failure, false);
	for (size_t k = 0; k < row->history.n; k++)
		is_json(row->history.v[k], true);
	for (size_t k = 0; k < d->files.n; k++)
		assert(!plan_path_fault(d->files.v[k], NULL));
	for (size_t k = 0; k < d->needs.n; k++)
		assert(!str_eq(d->needs.v[k], d->id));
	for (size_t k = p->needs_at[i]; k < p->needs_at[i + 1]; k++)
		assert(p->wave[p->needs[k]] < p->wave[i]);
}

static void check(const struct plan *p)
{
	const struct plan_queue *q = p->queue;

	assert(strcmp(p->kind, "queue") == 0 && q->row.status && q->row.items_key);
	assert(!q->id || !plan_id_fault(q->id));
	is_json(q->row.raw, true);
	is_json(q->row.groups, true);
	is_json(q->row.conflicts, true);
	is_json(q->row.index_raw, false);
	for (size_t i = 0; i < p->n; i++)
		check_item(p, i);
	for (size_t i = 0; i < q->n_issues; i++) {
		assert(q->issues[i].id);
		is_json(q->issues[i].raw, false);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	static const char *const names[] = {"queue.json", "solutions/ISS-1.jsonl", "issues.jsonl", "index.json"};
	struct plan_faults faults = {0};
	struct plan p;
	const char *at = (const char *)bytes, *end = at + n;

	begin();
	for (size_t i = 0; i < MEM_COUNT(names); i++) {
		const char *cut = at < end ? memchr(at, '\f', (size_t)(end - at)) : NULL;
		const char *to = cut ? cut : end;
		put(names[i], at < end ? at : "", (size_t)(to - at));
		at = cut ? cut + 1 : end;
	}
	AUTO_FREE char *path = mem_printf("%s/%s", folder, names[0]);
	const char *files[] = {path};
	if (plan_load(&p, files, 1, NULL, &faults) != 0) {
		assert(faults.n > 0);
		plan_faults_fini(&faults);
		return 0;
	}
	assert(faults.n == 0);
	if (p.queue) /* else another kind of plan was made of it */
		check(&p);
	plan_fini(&p);
	return 0;
}
