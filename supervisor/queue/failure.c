/* failure: an agent's own words are kept, number for number; what they lack is added. */
#include "failure.h"

#include <string.h>

#include "splice.h"
#include "store/base/clock.h"
#include "store/base/mem.h"
#include "store/json.h"

#define SAYS "the agent says: " /* what the reason of a failure begins with that the agent itself has told of */

/* ---- of a session ---- */

/* The verdict of the first gate that was not green; NULL = there is none. */
static const char *red(const struct task_row *task)
{
	for (size_t i = 0; i < task->gates.n; i++) {
		const char *verdict = strrchr(task->gates.v[i], '=');
		if (verdict && strcmp(verdict, "=pass") != 0 && strcmp(verdict, "=skipped") != 0)
			return verdict + 1;
	}
	return NULL;
}

/* What the agent said, when it is why: the object of its failure. The caller owns it; NULL = it said nothing of it. */
static char *own_words(const struct task_row *task)
{
	AUTO_FREE char *prefix = task->step ? mem_printf("step %s: ", task->step) : NULL;
	const char *reason = task->reason ? task->reason : "";

	if (prefix && str_starts(reason, prefix))
		reason += strlen(prefix);
	if (!task->told || !str_starts(reason, SAYS))
		return NULL;
	AUTO_FREE char *inner = splice_get(task->told, "failure_details"); /* as `bosk done` writes it */
	return inner && inner[0] == '{' ? mem_steal(&inner) : mem_strdup(task->told);
}

static char *quoted(const char *text)
{
	AUTO_STR struct str out = {0};
	json_quote(&out, text);
	return str_take(&out);
}

char *failure_of_task(const struct task_row *task)
{
	AUTO_FREE char *said = own_words(task);
	const char *gate = said ? NULL : red(task);
	bool timeout = queue_state(task) == TASK_TIMEOUT || str_eq(gate, "timeout");
	const char *kind = timeout ? "timeout" : gate ? "test_failure" : "execution_error";
	const char *reason = task->reason ? task->reason : "it failed";
	AUTO_FREE char *instead = said ? splice_get_text(said, "reason") : NULL;
	AUTO_STR struct str at = {0}, out = {0};
	struct {
		const char *key;
		const char *text; /* NULL = nothing is known of it */
		char *value;
	} wanted[] = {{.key = "task_id", .text = task->step},
	              {.key = "error_type", .text = kind},
	              {.key = "message", .text = instead ? instead : reason},
	              {.key = "timestamp"}};
	struct splice_change add[MEM_COUNT(wanted)];
	size_t n = 0;

	if (task->ended_ms) {
		clock_add_iso(&at, task->ended_ms);
		wanted[3].text = at.p;
	}
	for (size_t i = 0; i < MEM_COUNT(wanted); i++) {
		AUTO_FREE char *there = said ? splice_get_text(said, wanted[i].key) : NULL;
		if (there || !wanted[i].text)
			continue;
		wanted[i].value = quoted(wanted[i].text);
		add[n++] = (struct splice_change){.key = wanted[i].key, .value = wanted[i].value};
	}
	splice_edit(said ? said : "{}", add, n, &out);
	for (size_t i = 0; i < MEM_COUNT(wanted); i++)
		free(wanted[i].value);
	return str_take(&out);
}

/* ---- of an item ---- */

char *failure_of(const struct queue_item *item)
{
	bool failed = str_eq(queue_word(queue_state(&item->task)), "failed");

	if (failed && item->task.session)
		return failure_of_task(&item->task);
	AUTO_FREE char *added = item->item.changed ? NULL : splice_get(item->item_def.raw, "failure_details");
	if (added && added[0] == '{') /* number for number */
		return mem_steal(&added);
	if (item->item.failure)
		return mem_strdup(item->item.failure);
	return failed ? failure_of_task(&item->task) : NULL;
}

void failure_to_history(struct queue_item *item)
{
	AUTO_FREE char *failure = failure_of(item);
	struct strv *history = &item->item.history;

	/* A session that was forgotten has put its items back to what they were: then it is there. */
	if (failure && !(history->n && str_eq(history->v[history->n - 1], failure)))
		strv_add(history, failure);
	mem_set(&item->item.failure, NULL);
	mem_set(&item->item.result, NULL);
	item->item.started_ms = item->item.completed_ms = 0;
	item->item.changed = true;
}
