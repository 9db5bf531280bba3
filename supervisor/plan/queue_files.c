/* queue_files: `files` and `modification_points` of tasks: maps with a path, or texts such as "src/a.ts:12 - why". */
#include "queue_files.h"

#include <string.h>

#include "store/base/mem.h"

/* Where the path in "path:12-30 - text", "path (new)" or "path: text" ends. */
static size_t path_end(const char *text)
{
	static const char *const marks[] = {" - ", " \xe2\x80\x93 ", " \xe2\x80\x94 ", " (", ": ", " -> ", " # "};
	size_t n = strlen(text);

	for (size_t i = 0; i < MEM_COUNT(marks); i++) {
		const char *at = strstr(text, marks[i]);
		if (at && (size_t)(at - text) < n)
			n = (size_t)(at - text);
	}
	/* a line, lines, or line and column behind it */
	const char *colon = memchr(text, ':', n);
	if (colon && colon[1] >= '0' && colon[1] <= '9' && strspn(colon + 1, "0123456789-,:") == n - (size_t)(colon - text) - 1)
		n = (size_t)(colon - text);
	while (n && (text[n - 1] == ' ' || text[n - 1] == ':'))
		n--;
	return n;
}

static void add(struct queue_solution *s, const struct json_t *v)
{
	AUTO_FREE char *text = queue_steps_line(v, PLAN_PATH_MAX * 4);
	AUTO_STR struct str normal = {0};
	const char *from = text;

	if (!text)
		return;
	size_t n = path_end(text);
	if (n > 2 && *from == '`' && from[n - 1] == '`')
		from++, n -= 2;
	AUTO_FREE char *path = mem_strndup(from, n);
	if (strchr(path, ' ') && !strpbrk(path, "/."))
		return; /* a sentence */
	for (char *p = path; *p; p++)
		*p = *p == '\\' ? '/' : *p;
	const char *wrong = plan_path_fault(path, &normal);
	if (wrong) {
		queue_steps_warn(s, "\"%.80s\" is left out of its files: a path %s", path, wrong);
		return;
	}
	if (strv_has(&s->d->files, str_text(&normal)))
		return;
	if (s->d->files.n == PLAN_MAX_LIST) {
		if (!s->full)
			queue_steps_fault(s, "tasks", "its tasks name more than %d files: name folders in files_touched", PLAN_MAX_LIST);
		s->full = true;
		return;
	}
	strv_add(&s->d->files, str_text(&normal));
}

static void add_all(struct queue_solution *s, const struct json_t *list)
{
	static const char *const keys[] = {"path", "file", "file_path"};

	if (json_text(list))
		add(s, list);
	for (size_t i = 0; i < json_count(list); i++) {
		const struct json_t *v = json_nth(list, i);
		if (json_text(v))
			add(s, v);
		for (size_t k = 0; k < MEM_COUNT(keys); k++)
			if (json_get_text(v, keys[k]))
				add(s, json_get(v, keys[k]));
	}
}

void queue_files_add(struct queue_solution *s)
{
	for (size_t i = 0; i < s->n; i++) {
		add_all(s, json_get(s->v[i].json, "files"));
		add_all(s, json_get(s->v[i].json, "modification_points"));
	}
}
