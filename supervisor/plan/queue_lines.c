/* queue_lines: issues.jsonl and the like. One object per line is the rule; some tools write one list over many lines.
 * A line that cannot be read is told of with its place, and the others count. */
#include "queue_private.h"

#include <errno.h>
#include <search.h>
#include <string.h>
#include <sys/stat.h>

#include "store/base/fs.h"
#include "store/base/mem.h"

enum { KEEP_PARSED = 1 << 20 }; /* bytes of a file whose lines are kept as they were parsed */

struct reading {
	struct queue_reader *r;
	struct queue_lines *out;
	size_t room, bad;
};

static void bad_line(struct reading *g, size_t line, size_t column, const char *what)
{
	if (g->bad++ >= QUEUE_MAX_WARNINGS)
		return;
	AUTO_FREE char *place = mem_printf("%s:%zu", g->out->path, line);
	queue_say(g->r->l, place, column, "%s: this line is left out", what);
}

static void add(struct reading *g, struct json_t *j, const struct json_span *span)
{
	struct queue_lines *out = g->out;
	const char *id = json_get_text(j, "id");

	if (!json_is_map(j) || !id || !*id) {
		bad_line(g, span->line, span->column, json_is_map(j) ? "it has no \"id\"" : "it is no mapping, { ... }");
		json_free(j);
		return;
	}
	if (out->n == g->room) {
		g->room = g->room ? g->room * 2 : 16;
		out->v = mem_grow(out->v, g->room, sizeof *out->v);
	}
	bool kept = out->text.len <= KEEP_PARSED;
	out->v[out->n++] = (struct queue_line){.id = mem_strdup(id), .span = *span, .json = kept ? j : NULL,
	                                       .bound = json_yes(json_get(j, "is_bound"))};
	if (!kept)
		json_free(j);
}

/* False: it only begins like a list. */
static bool read_list(struct reading *g, struct json_cut *c)
{
	struct json_fault f = {0};
	struct json_span span;
	int rc = json_cut_open(c, '[', &f);

	while (rc == 0 && (rc = json_cut_element(c, &f)) == 1) {
		struct json_cut from = *c;
		struct json_t *j = NULL;
		rc = json_cut_skip(c, &span, &f);
		if (rc == 0 && json_cut_value(&from, &j, NULL, &f) == 0)
			add(g, j, &span);
		else if (rc == 0)
			bad_line(g, f.line, f.column, f.text);
	}
	if (rc == 0)
		rc = json_cut_end(c, &f);
	if (rc != 0 && !g->out->n && !g->bad)
		return false;
	if (rc != 0)
		bad_line(g, f.line, f.column, f.text);
	return true;
}

static void read_lines(struct reading *g, const char *text, size_t n)
{
	const char *end = text + n;
	size_t line = 1;

	for (const char *p = text; p < end; line++) {
		const char *to = memchr(p, '\n', (size_t)(end - p));
		struct json_fault f = {0};
		struct json_cut c;
		struct json_span span;
		struct json_t *j = NULL;

		json_cut_start(&c, p, (size_t)((to ? to : end) - p));
		p = to ? to + 1 : end;
		if (!json_cut_peek(&c) && c.p == c.end)
			continue;
		if (json_cut_value(&c, &j, &span, &f) == 0 && json_cut_end(&c, &f) == 0) {
			span.line = line;
			add(g, j, &span);
		} else {
			bad_line(g, line + f.line - 1, f.column, f.text);
			json_free(j);
		}
	}
}

static int by_id(const void *a, const void *b)
{
	return strcmp(((const struct queue_line *)a)->id, ((const struct queue_line *)b)->id);
}

/* NULL: it can be read, or there is none. */
static const char *unreadable(const char *path, bool *there)
{
	struct stat st;

	*there = stat(path, &st) == 0 || errno != ENOENT;
	if (*there && !S_ISREG(st.st_mode))
		return "is no file";
	return *there && st.st_size > QUEUE_MAX_FILE ? "is larger than 256 MiB" : NULL;
}

bool queue_lines_read(struct queue_lines *out, struct queue_reader *r, const char *path)
{
	struct reading g = {.r = r, .out = out};
	struct json_cut c;
	struct err e = {0};
	bool there;
	const char *wrong = unreadable(path, &there);

	*out = (struct queue_lines){.path = mem_strdup(path)};
	if (!there)
		return false;
	if (wrong || fs_read(path, QUEUE_MAX_FILE, &out->text, &e) != 0) {
		queue_say(r->l, path, 0, "%s: it is left out", wrong ? wrong : e.text);
		return true;
	}
	json_cut_start(&c, out->text.p, out->text.len);
	if (json_cut_peek(&c) != '[' || !read_list(&g, &c))
		read_lines(&g, out->text.p, out->text.len);
	for (size_t i = 0; i < out->n; i++) {
		void *slot = tsearch(&out->v[i], &out->index, by_id);
		if (!slot)
			mem_none();
		if (*(struct queue_line **)slot != &out->v[i] && g.bad++ < QUEUE_MAX_WARNINGS)
			queue_say(r->l, path, out->v[i].span.line, "a second %.80s: the first one counts", out->v[i].id);
	}
	if (g.bad > QUEUE_MAX_WARNINGS)
		queue_say(r->l, path, 0, "%zu more of such lines", g.bad - QUEUE_MAX_WARNINGS);
	return true;
}

static void keep(void *node)
{
	(void)node; /* it is one of v */
}

void queue_lines_trim(struct queue_lines *l)
{
	for (size_t i = 0; i < l->n; i++) {
		json_free(l->v[i].json);
		l->v[i].json = NULL;
	}
}

void queue_lines_fini(struct queue_lines *l)
{
	tdestroy(l->index, keep);
	queue_lines_trim(l);
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i].id);
	free(l->v);
	free(l->path);
	str_fini(&l->text);
	*l = (struct queue_lines){0};
}

struct queue_line *queue_lines_find(const struct queue_lines *l, const char *id)
{
	const struct queue_line key = {.id = (char *)(uintptr_t)id};
	void *slot = tfind(&key, &l->index, by_id);

	return slot ? *(struct queue_line **)slot : NULL;
}

struct json_t *queue_lines_take(struct queue_line *line)
{
	struct json_t *j = line->json;
	struct json_fault f;

	line->json = NULL;
	return j ? j : json_cut_text(line->span.p, line->span.n, &f);
}
