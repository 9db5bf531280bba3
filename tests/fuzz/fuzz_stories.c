/* fuzz_stories: any bytes, cut at form feeds, as stories. Either there is a fault, or a plan in an order that its
 * dependencies allow, whose normal form loads again and says the same. */
#include <assert.h>
#include <string.h>

#include "fuzz.h"
#include "store/base/mem.h"
#include "supervisor/plan/stories.h"

static void check_plan(struct plan_loader *l)
{
	struct plan_faults faults = {0};
	struct plan p, q;
	struct err e = {0};
	AUTO_STR struct str text = {0};

	int rc = plan_from_defs(&p, "stories", NULL, mem_steal(&l->tasks), l->n, &e);
	assert(rc == 0);
	for (size_t i = 0; i < p.n; i++) {
		const struct task_def *d = &p.tasks[i];
		assert(!plan_id_fault(d->id) && d->checked <= d->total && d->total);
		assert((strcmp(d->category, "CLEAN") == 0) == (d->checked == d->total));
		assert((strcmp(d->category, "NEEDS_PIPELINE") == 0) == (d->routed != NULL));
		for (size_t k = p.needs_at[i]; k < p.needs_at[i + 1]; k++)
			assert(p.needs[k] < i);
	}
	plan_write(&p, &text);
	rc = plan_load_text(&q, "again", text.p, text.len, NULL, &faults);
	assert(rc == 0 && strcmp(p.content, q.content) == 0);
	plan_fini(&p);
	plan_fini(&q);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	static const char *const names[] = {"1-1-a.md", "1-2-b.md", "docs/story-2.1.md", "1-10-c.md", "other.md"};
	static char *phrase[] = {"manually verify"};
	static const struct strv human = {phrase, 1};
	static const struct plan_stories how = {"", "0.30", "Be brief.", &human};
	static const struct plan_context ctx = {.stories = &how};
	struct plan_faults faults = {0};
	struct plan_loader l = {.ctx = &ctx, .faults = &faults, .kind = "stories"};
	const char *at = (const char *)bytes, *end = at + n;

	for (size_t i = 0; i < MEM_COUNT(names); i++) {
		const char *cut = at < end ? memchr(at, '\f', (size_t)(end - at)) : NULL;
		const char *to = cut ? cut : end;
		stories_text(&l, names[i], names[i], at < end ? at : "", (size_t)(to - at), i % 2);
		if (!cut)
			break;
		at = cut + 1;
	}
	if (!l.bad)
		stories_finish(&l);
	assert(l.bad == (faults.n > 0));
	if (l.bad)
		for (size_t i = 0; i < l.n; i++)
			rec_fini(&task_def_rec, &l.tasks[i]);
	else
		check_plan(&l);
	free(l.tasks);
	stories_free(l.stories);
	strv_fini(&l.warnings);
	plan_faults_fini(&faults);
	return 0;
}
