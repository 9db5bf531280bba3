/* stories: the stories that were read become tasks: what is done, what an agent finishes, and what is not for bosk. */
#include "stories.h"

#include <string.h>
#include <strings.h>

#include "plan_read.h"
#include "store/base/mem.h"
#include "worker/secret.h"

/* ---- one story of a name ---- */

static int by_id(const void *a, const void *b, void *stories)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	const struct story *v = stories;
	int order = strcasecmp(v[x].id, v[y].id);
	return order ? order : (x > y) - (x < y);
}

/* Keys are names: of two stories with the same, in whatever folders, the first counts. */
static void check_ids(struct plan_loader *l)
{
	struct stories *all = l->stories;
	AUTO_FREE uint32_t *sorted = mem_array(all->n, sizeof *sorted);
	uint32_t first = 0;

	for (uint32_t i = 0; i < all->n; i++)
		sorted[i] = i;
	qsort_r(sorted, all->n, sizeof *sorted, by_id, all->v);
	for (size_t i = 0; i < all->n; i++) {
		struct story *s = &all->v[sorted[i]];
		if (i && strcasecmp(all->v[first].id, s->id) == 0)
			plan_fault(l, s->file, NULL, s->id, NULL, "this key is taken by %s: leave one of them out",
			           all->v[first].file);
		else
			first = sorted[i];
	}
}

/* ---- categories ---- */

/* unchecked / total <= the share, which is a decimal: no floating point decides. */
static bool closeable(uint64_t unchecked, uint64_t total, const char *share)
{
	uint64_t above = 0, below = 1;
	const char *p = share;

	for (; *p >= '0' && *p <= '9'; p++)
		above = above * 10 + (uint64_t)(*p - '0');
	if (*p == '.')
		for (p++; *p >= '0' && *p <= '9' && below < 1000000000; p++, below *= 10)
			above = above * 10 + (uint64_t)(*p - '0');
	return unchecked * below <= above * total;
}

static void categorise(const struct plan_stories *how, struct story *s)
{
	uint64_t unchecked = s->boxes.total - s->boxes.checked;

	s->category = !unchecked ? "CLEAN" : closeable(unchecked, s->boxes.total, how->threshold) ? "CLOSEABLE"
	                                                                                         : "NEEDS_PIPELINE";
}

/* ---- tasks ---- */

static bool runs(const struct story *s)
{
	return strcmp(s->category, "CLOSEABLE") == 0;
}

/* Wherever they stand: one that does not count is for a human all the same. */
static void fill_human(struct plan_loader *l, const struct plan_stories *how, const struct story *s, struct task_def *d)
{
	for (size_t i = 0; i < s->boxes.n; i++) {
		const struct box *b = &s->boxes.v[i];
		if (b->ticked || !b->len || !boxes_human(b, how->human))
			continue;
		if (d->human.n == PLAN_MAX_NEEDS || b->len > PLAN_MAX_TEXT) {
			plan_fault(l, s->file, NULL, s->id, NULL, "it has more than %d boxes for a human, or one of more than %d KiB",
			           PLAN_MAX_NEEDS, PLAN_MAX_TEXT >> 10);
			return;
		}
		strv_give(&d->human, mem_strndup(b->text, b->len));
		d->human_other += !b->counts;
	}
}

static void fill_steps(const struct story *s, struct task_def *d)
{
	bool counts = false;

	for (size_t i = 0; i < s->boxes.n; i++) {
		const struct box *b = &s->boxes.v[i];
		if (b->level == 1)
			counts = b->counts;
		d->steps += counts && b->level > 1;
		d->steps_checked += counts && b->level > 1 && b->ticked;
	}
}

static void fill(struct plan_loader *l, const struct plan_stories *how, const struct story *s, struct task_def *d)
{
	struct stories *all = l->stories;
	char hash[SEAL_HEX];
	size_t at;

	boxes_hash(hash, s->text, s->len);
	*d = (struct task_def){.id = mem_strdup(s->id), .title = mem_strdup(s->title), .story = mem_strdup(s->path),
	                       .story_hash = mem_strdup(hash), .category = mem_strdup(s->category),
	                       .total = s->boxes.total, .checked = s->boxes.checked,
	                       .seed_total = s->boxes.seed_total, .seed_checked = s->boxes.seed_checked,
	                       /* Tasks that turn out to be blocked leave nothing to commit. */
	                       .allow_empty = true};
	mem_set(&d->sprint, s->sprint);
	fill_human(l, how, s, d);
	fill_steps(s, d);
	uint64_t unchecked = d->total - d->checked;
	if (strcmp(s->category, "NEEDS_PIPELINE") == 0)
		d->routed = mem_printf("%llu of %llu boxes are not ticked, more than a share of %.20s "
		                       "(stories.closeable_threshold): it is for the pipeline that writes stories",
		                       (unsigned long long)unchecked, (unsigned long long)d->total, how->threshold);
	for (size_t i = 0; i < s->n_needs; i++)
		if (strcmp(all->v[s->needs[i]].category, "CLEAN") != 0) /* that is satisfied */
			strv_add(&d->needs, all->v[s->needs[i]].id);
	d->prompt = runs(s) ? stories_prompt(how, s)
	                    : mem_printf("Nobody works on the story %s: %s.\n", s->id,
	                                 d->routed ? d->routed : "all of its tasks are ticked");
	if (runs(s) && !plan_read_blank(how->instructions))
		d->preamble = mem_strdup(how->instructions);
	const char *name = secret_in(d->prompt, strlen(d->prompt), &at);
	if (!name && d->title)
		name = secret_in(d->title, strlen(d->title), &at);
	if (name)
		plan_fault(l, s->file, NULL, s->id, NULL, SECRET_FAULT, name);
	if (strlen(d->prompt) > PLAN_MAX_TEXT)
		plan_fault(l, s->file, NULL, s->id, NULL, "its open tasks are longer than %d KiB", PLAN_MAX_TEXT >> 10);
	l->text += strlen(d->prompt);
}

/* What may surprise in how a story was counted. */
static void remark(struct plan_loader *l, const struct story *s)
{
	const struct boxes *b = &s->boxes;

	if (!b->n_tasks)
		strv_addf(&l->warnings, "%s has no Tasks section: all boxes at the top level count", s->id);
	if (b->total != b->seed_total || b->checked != b->seed_checked)
		strv_addf(&l->warnings, "%s: %llu of %llu by its Tasks sections, %llu of %llu as story-closer counts "
		          "(lines that begin with - [x] or - [ ])", s->id, (unsigned long long)b->checked,
		          (unsigned long long)b->total, (unsigned long long)b->seed_checked,
		          (unsigned long long)b->seed_total);
}

void stories_finish(struct plan_loader *l)
{
	static const struct strv nothing = {0};
	static const struct plan_stories usual = {"", "0.30", "", &nothing};
	const struct plan_stories *how = l->ctx && l->ctx->stories ? l->ctx->stories : &usual;
	struct stories *all = l->stories;

	if (!all->n) {
		AUTO_STR struct str why = {0};
		for (size_t i = 0; i < l->warnings.n && i < 5; i++)
			str_addf(&why, "%s%s", i ? "; " : ": ", l->warnings.v[i]);
		if (!l->bad)
			plan_fault(l, l->names.n ? l->names.v[0] : NULL, NULL, NULL, NULL,
			           "no story is in this file or folder: no Markdown with checkboxes that looks like one%s",
			           str_text(&why));
		return;
	}
	check_ids(l);
	for (size_t i = 0; i < all->n; i++)
		categorise(how, &all->v[i]);
	AUTO_FREE uint32_t *order = mem_array(all->n, sizeof *order);
	stories_needs(l, order);
	l->tasks = mem_array(all->n, sizeof *l->tasks);
	for (; l->n < all->n && l->text <= PLAN_MAX_TOTAL; l->n++) {
		const struct story *s = &all->v[order[l->n]];
		remark(l, s);
		fill(l, how, s, &l->tasks[l->n]);
	}
	if (l->n < all->n)
		plan_fault(l, all->v[order[l->n]].file, NULL, NULL, NULL, "all stories together are larger than 256 MiB");
}
