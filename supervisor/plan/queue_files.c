/* queue_files: `files` and `modification_points` of tasks: maps with a path, or texts such as "src/a.ts:12 - why". */
#include "queue_files.h"

#include <string.h>

#include "queue_paths.h"
#include "store/base/mem.h"

static void add(struct queue_solution *s, struct queue_paths *paths, const struct json_t *v)
{
	AUTO_FREE char *text = queue_steps_line(v, PLAN_PATH_MAX * 4);

	if (text && (!strchr(text, ' ') || strpbrk(text, "/."))) /* else a sentence */
		queue_paths_read(paths, s->l->ctx, text);
}

static void add_all(struct queue_solution *s, struct queue_paths *paths, const struct json_t *list)
{
	static const char *const keys[] = {"path", "file", "file_path"};

	if (json_text(list))
		add(s, paths, list);
	for (size_t i = 0; i < json_count(list); i++) {
		const struct json_t *v = json_nth(list, i);
		if (json_text(v))
			add(s, paths, v);
		for (size_t k = 0; k < MEM_COUNT(keys); k++)
			if (json_get_text(v, keys[k]))
				add(s, paths, json_get(v, keys[k]));
	}
}

void queue_files_add(struct queue_solution *s)
{
	struct queue_paths paths = {0};

	for (size_t i = 0; i < s->n; i++) {
		add_all(s, &paths, json_get(s->v[i].json, "files"));
		add_all(s, &paths, json_get(s->v[i].json, "modification_points"));
	}
	for (size_t i = 0; i < paths.wrong.n; i++)
		queue_steps_warn(s, "of its files %s", paths.wrong.v[i]);
	queue_paths_take(&paths, &s->d->files);
	queue_paths_fini(&paths);
	if (s->d->files.n > PLAN_MAX_LIST)
		queue_steps_fault(s, "tasks", "its tasks name more than %d files: name folders in files_touched", PLAN_MAX_LIST);
}
