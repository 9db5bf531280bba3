/* queue_kind: is a JSON text a queue of solutions? By the keys that come first, without reading more than that. */
#include "queue_private.h"

#include <string.h>

#include "store/base/mem.h"

enum answer { UNKNOWN, YES, NO };

static const struct {
	const char *key;
	enum answer answer;
} top_keys[] = {
	{"solutions", YES}, {"items", YES}, {"queue", YES}, {"queues", YES}, {"queue_id", YES}, {"issue_ids", YES},
	{"execution_groups", YES}, {"active_queue_id", YES}, {"bound_solution_id", YES}, {"issue_id", YES},
	{"is_bound", YES}, {"approach", YES},
	{"kind", NO}, {"segments", NO}, {"decomposition_result", NO}, {"parallel_segments", NO}, {"development_status", NO},
}, task_keys[] = {
	{"item_id", YES}, {"issue_id", YES}, {"solution_id", YES}, {"task_id", YES},
	{"prompt", NO}, {"prompt_file", NO}, {"run", NO}, {"needs", NO},
};

/* By the first entry of `tasks`, which many kinds of plans have. */
static enum answer ask_tasks(struct json_cut c)
{
	struct json_fault f;
	struct json_span value;

	if (json_cut_open(&c, '[', &f) != 0 || json_cut_element(&c, &f) != 1 || json_cut_open(&c, '{', &f) != 0)
		return UNKNOWN;
	for (;;) {
		AUTO_FREE char *key = NULL;
		if (json_cut_member(&c, &key, &f) != 1)
			return UNKNOWN;
		for (size_t i = 0; i < MEM_COUNT(task_keys); i++)
			if (strcmp(key, task_keys[i].key) == 0)
				return task_keys[i].answer;
		if (json_cut_skip(&c, &value, &f) != 0)
			return UNKNOWN;
	}
}

bool queue_looks(const char *text, size_t n)
{
	struct json_cut c;
	struct json_fault f;
	struct json_span value;
	enum answer answer = UNKNOWN;

	json_cut_start(&c, text, n);
	if (json_cut_open(&c, '{', &f) != 0)
		return false;
	while (answer == UNKNOWN) {
		AUTO_FREE char *key = NULL;
		if (json_cut_member(&c, &key, &f) != 1)
			return false;
		for (size_t i = 0; i < MEM_COUNT(top_keys); i++)
			if (strcmp(key, top_keys[i].key) == 0)
				answer = top_keys[i].answer;
		if (strcmp(key, "tasks") == 0)
			answer = ask_tasks(c);
		if (answer == UNKNOWN && json_cut_skip(&c, &value, &f) != 0)
			return false;
	}
	return answer == YES;
}
