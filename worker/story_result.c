/* story_result: reads the result of a story's agent. */
#include "story_result.h"

#include <string.h>

#include "boxes.h"
#include "msg.h"
#include "store/base/mem.h"
#include "store/json.h"

enum {
	LIST_MAX = 500,          /* entries of a list that are looked at */
	TEXT_MAX = 2000,         /* bytes of each */
	TOTAL_MAX = 128 << 10,   /* of all questions; of all that is for a human */
	LOOK_MAX = 4 << 20       /* bytes that are read to find where an object begins */
};

/* ---- where it is ---- */

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

const char *story_result_at_end(const char *text, size_t n, size_t *len)
{
	size_t end = n, looked = 0;

	while (end && blank(text[end - 1]))
		end--;
	while (end && text[end - 1] == '`')
		end--;
	while (end && blank(text[end - 1]))
		end--;
	if (!end || text[end - 1] != '}')
		return NULL;
	/* From the end: what is inside of it ends before it does, so the first that is whole is it. */
	for (size_t at = end; at-- > 0 && looked < LOOK_MAX;) {
		struct err ignored = {0};
		if (text[at] != '{')
			continue;
		looked += end - at;
		struct json_t *j = json_parse(text + at, end - at, &ignored);
		if (!j)
			continue;
		json_free(j);
		*len = end - at;
		return text + at;
	}
	return NULL;
}

/* ---- what it says ---- */

static char *clipped(const char *text)
{
	char *copy = mem_strdup(text);
	msg_clip_text(copy, TEXT_MAX);
	return copy;
}

static int read_texts(struct strv *out, const struct json_t *map, const char *key, bool *given, struct err *e)
{
	const struct json_t *list = json_get(map, key);

	*given = list && json_is_list(list);
	if (list && !*given)
		return err_set(e, ERR_USAGE, "its %s is no list", key);
	for (size_t i = 0; i < json_count(list); i++) {
		const char *text = json_text(json_nth(list, i));
		if (!text)
			return err_set(e, ERR_USAGE, "its %s holds something else than texts", key);
		strv_add(out, text);
	}
	return 0;
}

/* As a box's text is read. */
static int read_done(struct story_result *out, const struct json_t *map, struct err *e)
{
	AUTO_STRV struct strv texts = {0};

	if (read_texts(&texts, map, "tasks_done", &out->named, e) != 0)
		return -1;
	for (size_t i = 0; i < texts.n; i++)
		strv_give(&out->done, boxes_flat(texts.v[i]));
	return 0;
}

static int read_human(struct strv *out, const struct json_t *map, struct err *e)
{
	AUTO_STRV struct strv texts = {0};
	size_t total = 0;
	bool given;

	if (read_texts(&texts, map, "human_validation_tasks", &given, e) != 0)
		return -1;
	for (size_t i = 0; i < texts.n && i < LIST_MAX && total < TOTAL_MAX; i++) {
		AUTO_FREE char *flat = boxes_flat(texts.v[i]);
		msg_clip_text(flat, TEXT_MAX);
		if (!*flat || strv_has(out, flat))
			continue;
		strv_add(out, flat);
		total += strlen(flat);
	}
	return 0;
}

static int read_questions(struct strv *out, const struct json_t *map, struct err *e)
{
	const struct json_t *list = json_get(map, "blocker_questions");
	size_t total = 0;

	if (list && !json_is_list(list))
		return err_set(e, ERR_USAGE, "its blocker_questions are no list");
	for (size_t i = 0; i < json_count(list) && i < LIST_MAX && total < TOTAL_MAX; i++) {
		const char *task = json_get_text(json_nth(list, i), "task");
		const char *question = json_get_text(json_nth(list, i), "question");
		if (!task || !question)
			return err_set(e, ERR_USAGE, "question %zu of its blocker_questions has no task or no question", i + 1);
		AUTO_FREE char *flat = boxes_flat(task);
		strv_give(out, clipped(flat));
		strv_give(out, clipped(question));
		total += strlen(out->v[out->n - 2]) + strlen(out->v[out->n - 1]);
	}
	return 0;
}

static int read_status(enum story_status *out, const struct json_t *map, struct err *e)
{
	static const char *const names[] = {"completed", "partial", "error"};
	const char *status = json_get_text(map, "status");

	for (size_t i = 0; i < MEM_COUNT(names); i++)
		if (str_eq(status, names[i])) {
			*out = (enum story_status)i;
			return 0;
		}
	return err_set(e, ERR_USAGE, "its status must be completed, partial or error, not %.40s", status ? status : "missing");
}

int story_result_parse(struct story_result *out, const char *text, size_t n, const char *key, struct err *e)
{
	bool given;

	*out = (struct story_result){0};
	struct json_t *j = json_parse(text, n, e);
	if (!j)
		return -1;
	const char *of = json_get_text(j, "story_key");
	const struct json_t *number = json_get(j, "tasks_completed_by_closer");
	int rc = of && strcmp(of, key) != 0 ? err_set(e, ERR_USAGE, "it is of the story %.80s", of) : 0;
	if (rc == 0)
		rc = read_status(&out->status, j, e);
	if (rc == 0 && number && !json_u64(number, &out->closed))
		rc = err_set(e, ERR_USAGE, "its tasks_completed_by_closer is no number");
	if (rc == 0)
		rc = read_done(out, j, e);
	if (rc == 0)
		rc = read_questions(&out->questions, j, e);
	if (rc == 0)
		rc = read_human(&out->human, j, e);
	if (rc == 0)
		rc = read_texts(&out->errors, j, "errors", &given, e);
	json_free(j);
	if (rc != 0)
		story_result_fini(out);
	return rc;
}

void story_result_fini(struct story_result *r)
{
	strv_fini(&r->done);
	strv_fini(&r->questions);
	strv_fini(&r->human);
	strv_fini(&r->errors);
	*r = (struct story_result){0};
}
