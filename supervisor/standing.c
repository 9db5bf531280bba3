/* standing: back to the newest of its merges. */
#include "standing.h"

#include "batch_results.h"
#include "core.h"
#include "push.h"
#include "repair.h"
#include "store/base/mem.h"
#include "worker/boxes.h"

static bool newest(const struct task_row *row, struct oid *out)
{
	return row->earlier.n && oid_parse(out, row->earlier.v[row->earlier.n - 1]);
}

bool standing_has(const struct session *s, size_t task)
{
	const struct task_row *row = &s->tasks[task];
	struct oid merge, tip, parents[2];
	struct err ignored = {0};
	bool on = false;
	size_t n = 0;

	return !row->merge && newest(row, &merge) && oid_parse(&tip, s->tip) &&
	       gitx_reaches(s->site->git, &tip, &merge, &on, &ignored) == 0 && on &&
	       gitx_parents(s->site->git, &merge, parents, 2, &n, &ignored) == 0 && n == 2;
}

void standing_story(struct gitx *g, const struct oid *merge, const struct oid *commit, const struct task_def *d,
                    struct task_row *row)
{
	AUTO_FREE char *told = gitx_trailer(g, merge, "Bosk-Boxes");
	AUTO_STR struct str text = {0};
	struct boxes boxes;
	char hash[SEAL_HEX];
	struct err ignored = {0};

	if (!d->story || !told || !batch_trailer_read(row, d, told) ||
	    gitx_read_file(g, commit, d->story, &text, &ignored) != 0 ||
	    boxes_read(&boxes, str_text(&text), text.len, &ignored) != 0)
		return;
	boxes_hash(hash, str_text(&text), text.len);
	mem_set(&row->story_hash, hash);
	strv_fini(&row->blocked);
	for (size_t i = 0; i < boxes.n; i++) {
		AUTO_FREE char *open = mem_strndup(boxes.v[i].text, boxes.v[i].len);
		if (boxes.v[i].counts && !boxes.v[i].ticked && !strv_has(&d->human, open))
			strv_add(&row->blocked, open);
	}
	boxes_fini(&boxes);
}

int standing_read(struct gitx *g, const struct oid *merge, const struct task_def *d, struct task_row *row,
                  struct err *e)
{
	AUTO_FREE char *result = gitx_trailer(g, merge, "Bosk-Result");
	struct oid parents[2];
	size_t n = 0;

	if (gitx_parents(g, merge, parents, 2, &n, e) != 0)
		return -1;
	if (n != 2)
		return err_set(e, ERR_DAMAGED, "%.12s is no merge", merge->hex);
	mem_set(&row->commit, parents[1].hex);
	if (result && *result)
		mem_set(&row->result_hash, result);
	standing_story(g, merge, &parents[1], d, row);
	return 0;
}

void standing_hash(const struct session *s, size_t task, struct strv *hashes)
{
	struct task_row was = {0};
	struct err ignored = {0};
	struct oid merge;

	if (newest(&s->tasks[task], &merge) &&
	    standing_read(s->site->git, &merge, &s->plan.tasks[task], &was, &ignored) == 0 && was.story_hash)
		strv_add(hashes, was.story_hash);
	rec_fini(&task_row_rec, &was);
}

static char *what_failed(const struct task_row *row)
{
	return mem_printf("its attempt %llu came to nothing: %s", (unsigned long long)row->attempts,
	                  row->reason ? row->reason : "failed");
}

void standing_back(struct core *c, size_t task)
{
	struct session *s = c->s;
	struct task_row *row = &s->tasks[task];
	const struct task_def *d = &s->plan.tasks[task];
	AUTO_FREE char *why = what_failed(row);
	struct oid merge;
	struct err e = {0};

	if (!newest(row, &merge))
		err_set(&e, ERR_DAMAGED, "its merge is not recorded");
	if (e.kind != ERR_NONE || standing_read(s->site->git, &merge, d, row, &e) != 0) {
		mem_set(&row->state, task_state_name(TASK_WAITING)); /* for a resume */
		turn_note(&c->turn, "again", task, e.text);
		err_wrap(&e, "what was integrated of %s", d->id);
		core_fatal(c, &e);
		return;
	}
	free(strv_pop(&row->earlier));
	mem_set(&row->merge, merge.hex);
	mem_set(&row->reason, why);
	row->partial = true;
	strv_fini(&row->gates); /* of what was not taken */
	repair_over(row);
	struct event_row ev = {.kind = (char *)"stands",
	                       .task = d->id,
	                       .ordinal = task + 1,
	                       .attempt = row->attempts,
	                       .reason = row->reason,
	                       .commit = row->commit,
	                       .merge = row->merge};
	turn_task(&c->turn, task);
	turn_event(&c->turn, &ev);
	strv_addf(&s->manifest.notes, "%s: %s. What was integrated of it before stays", d->id, why);
	turn_manifest(&c->turn);
	if (!str_eq(row->pushed, row->commit))
		push_integrated(c);
	AUTO_FREE char *far = batch_line(s, task);
	AUTO_FREE char *both = mem_printf("%s: %s", far ? far : "", why);
	view_task(c->view, d->id, "partial", row->ran_ms, both);
}
