/* queue_task: what a solution says of its task. */
#include "queue_private.h"

#include "store/base/mem.h"

void queue_task_fill(struct plan_loader *l, const char *file, size_t line, struct task_def *d, struct item_def *i,
                     const struct json_t *item, const struct json_t *solution, const struct json_t *issue)
{
	AUTO_STR struct str text = {0};

	(void)l, (void)file, (void)line, (void)i, (void)item;
	d->title = mem_strdup(json_get_text(issue, "title"));
	json_write(solution, true, &text);
	d->prompt = mem_printf("Solution %s of issue %s:\n%s\n", d->solution ? d->solution : "", d->issue ? d->issue : "",
	                       str_text(&text));
}
