/* plan_kind: tells bosk's own plans from those of other tools, by content and not by name, so that
 * a foreign plan gets one clear answer and not a list of unknown keys. */
#include "plan_private.h"

#include <string.h>
#include <strings.h>

#include "store/base/mem.h"

static const char *const queue_keys[] = {"solutions", "items", "queue", "queues", "queue_id", "issue_ids",
                                         "issue_id", "execution_groups", "bound_solution_id"};

bool plan_kind_own(struct plan_loader *l, const char *file, const struct yaml_node *root)
{
	const struct yaml_node *tasks = yaml_get(root, "tasks");
	const struct yaml_node *task = tasks && tasks->kind == YAML_LIST ? tasks->first : NULL;
	if (task &&
	    (yaml_get(task, "prompt") || yaml_get(task, "prompt_file") || yaml_get(task, "run")))
		return true; /* other kinds have `tasks` too, but not these */
	for (size_t i = 0; i < MEM_COUNT(queue_keys); i++) {
		const struct yaml_node *v = yaml_get(root, queue_keys[i]);
		if (!v)
			continue;
		plan_fault(l, file, v->key, NULL, queue_keys[i],
		           "this looks like a queue of solutions, which must be a mapping in JSON");
		return false;
	}
	return true;
}

bool plan_kind_markdown_name(const char *file)
{
	size_t n = strlen(file);
	return n > 3 && strcasecmp(file + n - 3, ".md") == 0;
}

bool plan_kind_markdown(const char *text)
{
	static const char *const starts[] = {"- [ ]", "- [x]", "- [X]", "* [ ]", "* [x]", "# Story",
	                                     "## Story", "## Tasks", "## Acceptance Criteria"};
	for (const char *line = text;; line++) {
		for (size_t i = 0; i < MEM_COUNT(starts); i++)
			if (str_starts(line, starts[i]))
				return true;
		line = strchr(line, '\n');
		if (!line)
			return false;
	}
}
