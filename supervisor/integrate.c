/* integrate: from checked tasks' commits to a batch of merges. What waits together is merged in one
 * batch, each onto the last, in order of completion and always by a merge commit; then gates
 * (integrate_check.c), one flush of the objects, one intent, one move of the refs
 * (integrate_refs.c). Objects durable -> intent recorded -> refs moved by compare-and-swap -> done
 * recorded (promise A2). */
#include "integrate.h"

#include <string.h>

#include "batch_results.h"
#include "commit.h"
#include "repair.h"
#include "store/base/mem.h"

enum { BATCH_MAX = 64 };

static void merge_on(struct core *c);
static void answered(struct core *c);
static commit_fn written;

void integrate_add(struct core *c, size_t task)
{
	c->integ.queue[c->integ.n++] = task;
}

/* Into the queue again, at its place in the order. */
static void put_back(struct integration *in, size_t at, size_t task)
{
	memmove(in->queue + at + 1, in->queue + at, (in->n++ - at) * sizeof *in->queue);
	in->queue[at] = task;
}

void integrate_put_back(struct core *c)
{
	struct integration *in = &c->integ;

	for (size_t i = 0; i < in->n_items; i++)
		put_back(in, i, in->items[i].task);
	in->n_items = 0;
	in->phase = INTEG_IDLE;
}

static void start_batch(struct core *c)
{
	struct integration *in = &c->integ;
	size_t most = in->single ? 1 : BATCH_MAX;

	in->single -= in->single > 0;
	in->n_items = in->n < most ? in->n : most;
	for (size_t i = 0; i < in->n_items; i++)
		in->items[i] = (struct merge_item){.task = in->queue[i]};
	in->n -= in->n_items;
	memmove(in->queue, in->queue + in->n_items, in->n * sizeof *in->queue);
	in->at = in->kept = in->later = 0;
	oid_parse(&in->from, c->s->tip);
	in->tip = in->from;
	in->phase = INTEG_MERGING;
	merge_on(c);
}

static void write_merge(struct core *c, const struct oid *tree)
{
	struct session *s = c->s;
	struct integration *in = &c->integ;
	const struct merge_item *item = &in->items[in->at];
	const struct task_def *def = &s->plan.tasks[item->task];
	const struct task_row *row = &s->tasks[item->task];
	AUTO_STR struct str text = {0};
	struct oid parents[2] = {in->tip, item->commit};

	str_addf(&text, "Merge task %s%s%s\n\n", def->id, def->title ? ": " : "",
	         def->title ? def->title : "");
	str_addf(&text,
	         "Bosk-Session: %s\nBosk-Queue: %s\nBosk-Task: %s\nBosk-Attempt: %llu\nBosk-Result: %s\n",
	         s->sid, s->row.queue, def->id, (unsigned long long)row->attempts,
	         row->result_hash ? row->result_hash : "");
	batch_trailer(row, &text);
	in->merged = *tree;
	commit_start(c, &(struct commit_want){&in->merged, parents, 2, text.p}, written, c);
}

/* items[at] cannot be merged onto the tip. Only what was merged onto the real tip is judged: the one before it in the
 * batch may never come to be. */
static void refuse(struct core *c, const struct merge_result *result, const char *not_signed)
{
	struct integration *in = &c->integ;
	size_t task = in->items[in->at++].task;

	if (in->kept)
		put_back(in, in->later++, task);
	else if (not_signed)
		repair_not_signed(c, task, not_signed);
	else
		repair_merge(c, task, result);
}

/* The answer for items[at]. */
static void take(struct core *c, const struct merge_result *result)
{
	struct err e = {0};

	if (result->no_room) { /* nothing wrong with the task: a resume merges it again */
		err_set(&e, ERR_STARVED, "git could not merge: %s", result->reason);
		core_fatal(c, &e);
		answered(c);
	} else if (result->kind == MERGE_CLEAN) {
		write_merge(c, &result->tree);
	} else {
		refuse(c, result, NULL);
		answered(c);
	}
}

/* The commit of the merge of items[at]. */
static void written(void *ctx, struct commit_made *made, const struct err *e)
{
	struct core *c = ctx;
	struct integration *in = &c->integ;

	if (e) {
		core_fatal(c, e);
	} else if (oid_none(&made->id)) {
		refuse(c, NULL, made->why);
	} else {
		struct merge_item item = in->items[in->at++];
		item.merge = made->id;
		item.not_signed = made->why != NULL;
		if (made->why)
			mem_set(&in->not_signed, made->why);
		in->tip = item.merge;
		in->tree = in->merged;
		in->items[in->kept++] = item;
	}
	answered(c);
}

static void merged_all(struct core *c)
{
	struct integration *in = &c->integ;

	in->n_items = in->kept;
	if (!in->n_items)
		in->phase = INTEG_IDLE;
	else if (!integrate_check_start(c))
		integrate_record(c);
}

static void merged(void *ctx, const struct merge_result *result)
{
	take(ctx, result);
}

static void answered(struct core *c)
{
	c->integ.answered = true;
	if (!c->integ.inside)
		merge_on(c);
}

/* An answer may come before merge_start returns: a loop, so that a long batch is no deep recursion. */
static void merge_on(struct core *c)
{
	struct integration *in = &c->integ;

	while (in->at < in->n_items && c->fatal.kind == ERR_NONE) {
		struct merge_item *item = &in->items[in->at];
		const struct task_row *row = &c->s->tasks[item->task];
		in->answered = false;
		in->inside = true;
		if (row->commit && row->base && oid_parse(&item->commit, row->commit) &&
		    oid_parse(&item->base, row->base)) {
			merge_start(c->loop, &c->box, c->s->site, &item->base, &in->tip, &item->commit, merged,
			            c);
		} else {
			struct merge_result bad = {.kind = MERGE_FAILED, .reason = "its commit is not recorded"};
			merged(c, &bad);
		}
		in->inside = false;
		if (!in->answered)
			return;
	}
	if (c->fatal.kind == ERR_NONE)
		merged_all(c);
}

void integrate_step(struct core *c)
{
	if (c->integ.phase == INTEG_INTENT)
		integrate_refs(c);
	/* A batch may come to nothing at once: what it parked or put back leaves others. */
	while (c->integ.phase == INTEG_IDLE && c->integ.n && c->fatal.kind == ERR_NONE)
		start_batch(c);
}
