/* plan_story: categories and counts of stories, as text and as JSON. */
#include "plan_story.h"

#include <string.h>

void plan_story_json(const struct task_def *d, struct json_t *task)
{
	enum task_state end = plan_end(d);

	json_put_text(task, "category", d->category);
	if (d->category) {
		json_put_u64(task, "checked", d->checked);
		json_put_u64(task, "unchecked", d->total - d->checked);
		json_put_u64(task, "total", d->total);
	} else {
		json_put_null(task, "checked");
		json_put_null(task, "unchecked");
		json_put_null(task, "total");
	}
	json_put_list(task, "human", &d->human);
	json_put_text(task, "state", task_state_shown(end));
	if (!d->category)
		return;
	json_put_text(task, "story", d->story);
	json_put_u64(task, "steps", d->steps);
	json_put_u64(task, "steps_checked", d->steps_checked);
	json_put_u64(task, "seed_total", d->seed_total);
	json_put_u64(task, "seed_checked", d->seed_checked);
	json_put_text(task, "reason", d->routed);
}

void plan_story_summary(const struct plan *p, struct str *out)
{
	static const char *const categories[] = {"CLEAN", "CLOSEABLE", "NEEDS_PIPELINE"};
	static const char *const meanings[] = {"done already", "to be finished", "routed to the pipeline"};

	if (!str_eq(p->kind, "stories"))
		return;
	str_addf(out, "stories   %zu", p->n);
	for (size_t i = 0; i < 3; i++) {
		size_t n = 0;
		for (size_t k = 0; k < p->n; k++)
			n += str_eq(p->tasks[k].category, categories[i]);
		str_addf(out, "%s %zu %s (%s)", i ? "," : ":", n, categories[i], meanings[i]);
	}
	str_addc(out, '\n');
}

static void add_text(struct str *out, const char *text)
{
	str_add_printable(out, text, strnlen(text, 200), false);
	str_addc(out, '\n');
}

void plan_story_text(const struct task_def *d, uint32_t worktree, struct str *out)
{
	if (!d->story)
		return;
	str_add(out, "  story   ");
	add_text(out, d->story);
	str_addf(out, "  tasks   %s: %llu of %llu ticked", d->category, (unsigned long long)d->checked,
	         (unsigned long long)d->total);
	if (d->steps)
		str_addf(out, ", steps %llu of %llu", (unsigned long long)d->steps_checked, (unsigned long long)d->steps);
	if (d->seed_total != d->total || d->seed_checked != d->checked)
		str_addf(out, " (story-closer counts %llu of %llu)", (unsigned long long)d->seed_checked,
		         (unsigned long long)d->seed_total);
	str_addc(out, '\n');
	for (size_t i = 0; i < d->human.n; i++) {
		str_add(out, "  human   ");
		add_text(out, d->human.v[i]);
	}
	for (size_t i = 0; i < d->needs.n; i++)
		str_addf(out, "%s%s%s", i ? ", " : "  needs   ", d->needs.v[i], i + 1 < d->needs.n ? "" : "\n");
	if (d->routed)
		str_addf(out, "  routed  %s\n", d->routed);
	if (worktree != UINT32_MAX)
		str_addf(out, "  in      worktree %u\n", worktree + 1);
}
