/* said: what an agent says of its work. */
#include "said.h"

#include <string.h>

#include "secret.h"
#include "solution.h"
#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/json.h"
#include "story_result.h"

enum { RESULT_MAX = 1 << 20, TOLD_MAX = 64 << 10, DIFFERENCES = 5 };

/* ---- where it is ---- */

/* The inside of the last ``` block that is a JSON object. */
static const char *in_block(const char *text, size_t n, size_t *len)
{
	size_t end = n;

	for (;;) {
		const char *close = NULL;
		for (size_t i = end; i >= 3 && !close; i--)
			if (memcmp(text + i - 3, "```", 3) == 0)
				close = text + i - 3;
		if (!close)
			return NULL;
		const char *at = story_result_at_end(text, (size_t)(close - text), len);
		if (at)
			return at;
		end = (size_t)(close - text);
	}
}

const char *said_find(struct attempt *r, const struct str *said, struct str *file, size_t *n)
{
	AUTO_FREE char *path = mem_printf("%s/result.json", r->dir);
	struct err ignored = {0};
	const char *at;

	if (r->result_too_large)
		return NULL;
	if (fs_read(path, RESULT_MAX, file, &ignored) == 0 && strspn(str_text(file), " \t\r\n") < file->len) {
		*n = file->len;
		return str_text(file);
	}
	str_clear(file);
	at = story_result_at_end(str_text(said), said->len, n);
	return at ? at : in_block(str_text(said), said->len, n);
}

/* ---- its form ---- */

static const char schema[] =
	"{\"type\": \"object\", \"properties\": {\"status\": {\"type\": \"string\", \"enum\": [\"completed\", \"partial\", \"blocked\", "
	"\"error\"]}, \"summary\": {\"type\": \"string\"}, \"files_modified\": {\"type\": \"array\", \"items\": {\"type\": \"string\"}}, "
	"\"blockers\": {\"type\": \"array\", \"items\": {\"type\": \"string\"}}}, \"required\": [\"status\", \"summary\", "
	"\"files_modified\", \"blockers\"], \"additionalProperties\": false}";

const char *said_schema(const struct msg_task *t)
{
	return t->story || solution_is(t) ? NULL : schema;
}

static int texts(const struct json_t *map, const char *key, struct err *e)
{
	const struct json_t *list = json_get(map, key);

	if (list && !json_is_list(list))
		return err_set(e, ERR_USAGE, "its %s is no list", key);
	for (size_t i = 0; i < json_count(list); i++)
		if (!json_text(json_nth(list, i)))
			return err_set(e, ERR_USAGE, "its %s holds something else than texts", key);
	return 0;
}

static int check_usual(const struct json_t *said, struct err *e)
{
	static const char *const words[] = {"completed", "partial", "blocked", "error", "failed"};
	const char *status = json_get_text(said, "status");
	bool known = false;

	for (size_t i = 0; i < MEM_COUNT(words); i++)
		known |= str_eq(status, words[i]);
	if (!known)
		return err_set(e, ERR_USAGE, "its status must be completed, partial, blocked or error, not %.40s",
		               status ? status : "missing");
	return texts(said, "files_modified", e) != 0 || texts(said, "blockers", e) != 0 ? -1 : 0;
}

int said_check(struct attempt *r, const struct str *said, struct err *e)
{
	AUTO_STR struct str file = {0};
	size_t n = 0;
	const char *text = said_find(r, said, &file, &n);

	if (r->result_too_large)
		return err_set(e, ERR_USAGE, "its result file is larger than %d KiB", RESULT_MAX >> 10);
	if (!text)
		return err_set(e, ERR_USAGE, "there is no JSON object in the file named by BOSK_RESULT_FILE nor at the end of what it says");
	if (r->t->story) {
		struct story_result result;
		int rc = story_result_parse(&result, text, n, r->t->id, e);
		story_result_fini(&result);
		return rc;
	}
	struct json_t *j = json_parse(text, n, e);
	if (!j)
		return err_wrap(e, "its JSON cannot be read");
	int rc = !json_is_map(j)         ? err_set(e, ERR_USAGE, "it is no JSON object")
	         : !solution_is(r->t)    ? check_usual(j, e)
	         : !solution_is_result(j) ? err_set(e, ERR_USAGE, "it has none of the keys of a result")
	                                 : 0;
	json_free(j);
	return rc;
}

/* ---- what it says ---- */

enum step said_read(struct attempt *r, const struct str *said)
{
	AUTO_STR struct str file = {0}, kept = {0};
	struct err ignored = {0};
	size_t n = 0;
	const char *text = said_find(r, said, &file, &n);
	struct json_t *j = text ? json_parse(text, n, &ignored) : NULL;
	enum step step = GO_ON;

	if (!j)
		return GO_ON;
	const char *status = json_get_text(j, "status"), *why = json_get_text(j, "reason");
	const struct json_t *blockers = json_get(j, "blockers");
	why = why ? why : json_count(blockers) ? json_text(json_nth(blockers, 0)) : json_get_text(j, "summary");
	json_write(j, false, &kept);
	secret_hide(&kept);
	if (status && kept.len <= TOLD_MAX)
		mem_set(&r->told, kept.p);
	if (str_eq(status, "blocked") || str_eq(status, "failed") || str_eq(status, "error"))
		step = attempt_over(r, "blocked", "the agent says: %.300s", why ? why : status);
	else if (str_eq(status, "partial"))
		step = attempt_over(r, "blocked", "the agent says that it did a part only: %.300s", why ? why : "it does not say why");
	json_free(j);
	return step;
}

/* ---- ... and git does not ---- */

static const char *inside(const struct attempt *r, const char *path)
{
	size_t n = strlen(r->s->init.worktree);

	if (str_starts(path, r->s->init.worktree) && path[n] == '/')
		path += n + 1;
	while (str_starts(path, "./"))
		path += 2;
	return path;
}

static void note_some(struct attempt *r, const char *what, const struct strv *names)
{
	AUTO_STR struct str text = {0};

	for (size_t i = 0; i < names->n && i < DIFFERENCES; i++)
		str_addf(&text, "%s%.200s", i ? ", " : "", names->v[i]);
	if (names->n > DIFFERENCES)
		str_addf(&text, " and %zu more", names->n - DIFFERENCES);
	secret_hide(&text);
	if (names->n)
		strv_addf(&r->s->notes, "%s: %s", what, text.p);
}

static void compare_files(struct attempt *r, const struct json_t *list, const struct strv *changed)
{
	AUTO_STRV struct strv said = {0}, real = {0}, missing = {0}, more = {0};

	for (size_t i = 0; i < json_count(list); i++)
		if (json_text(json_nth(list, i)))
			strv_add(&said, inside(r, json_text(json_nth(list, i))));
	strv_copy(&real, changed);
	strv_sort(&said);
	strv_sort(&real);
	for (size_t i = 0, k = 0; said.n && (i < said.n || k < real.n);) {
		int order = i == said.n ? 1 : k == real.n ? -1 : strcmp(said.v[i], real.v[k]);
		if (order < 0 && !(i && str_eq(said.v[i], said.v[i - 1])))
			strv_add(&missing, said.v[i]);
		if (order > 0 && r->step == SIZE_MAX) /* one that does a step of many may speak of that alone */
			strv_add(&more, real.v[k]);
		i += order <= 0;
		k += order >= 0;
	}
	note_some(r, "it says that it changed files that are as they were", &missing);
	note_some(r, "it changed files that its result does not name", &more);
}

static void compare_commit(struct attempt *r, const char *hash)
{
	size_t n = hash ? strspn(hash, "0123456789abcdefABCDEF") : 0;
	struct err ignored = {0};
	int status = 1;

	if (!hash)
		return;
	bool may = n >= 4 && n <= 64 && !hash[n];
	if (!may || git_try(&r->s->git, &status, NULL, NULL, GIT_ARGS("merge-base", "--is-ancestor", hash, "HEAD"),
	                    &ignored) != 0 || status != 0)
		strv_addf(&r->s->notes, "it says that it made the commit %.64s, which its worktree has not", hash);
}

void said_compare(struct attempt *r, const struct strv *changed)
{
	struct err ignored = {0};
	struct json_t *said = r->told ? json_parse(r->told, strlen(r->told), &ignored) : NULL;

	if (!said)
		return;
	compare_files(r, json_get(said, "files_modified"), changed);
	compare_commit(r, json_get_text(json_get(said, "commit"), "hash"));
	json_free(said);
}
