/* queue_beside: the issues and solutions that lie beside a queue:
 *
 *   issues.jsonl, issue-history.jsonl, solutions/ISSUE.jsonl, queues/QUEUE.json
 *
 * Nothing is searched: they are in the folder of the queue's file, or in the one above when that is called "queues". */
#include "queue_private.h"

#include <limits.h>
#include <search.h>
#include <string.h>

#include "store/base/fs.h"
#include "store/base/mem.h"

/* Bytes of files with solutions that are kept at once, and of those whose lines are kept as they were parsed: that takes
 * about ten times as much. */
enum { KEEP_TEXTS = 16 << 20, KEEP_PARSED = 2 << 20 };

/* An issue that an item names. */
struct issue {
	char *id;
	uint64_t row;
	struct queue_line *line; /* NULL = no file has it */
	/* Its solutions, while they are kept. */
	struct queue_lines lines;
	bool read, there, told; /* its bad lines were told of */
	struct issue *next;
};

struct queue_beside {
	char *folder; /* NULL = none */
	struct queue_lines open, closed;
	void *index;  /* of issues by id */
	struct issue *issues;
	const struct issue *lent; /* `json` is of this one: all of them would take much memory */
	struct json_t *json;
	size_t room, texts, parsed;
};

/* ---- where they are ---- */

static bool has_store(const char *folder)
{
	AUTO_FREE char *issues = mem_printf("%s/issues.jsonl", folder), *solutions = mem_printf("%s/solutions", folder);

	return fs_exists(issues) || fs_is_dir(solutions);
}

/* The folder with issues.jsonl and solutions/ for a queue that lies in `folder`. */
static char *find_store(const char *folder)
{
	AUTO_FREE char *real = realpath(folder, NULL);
	size_t n = strlen(folder);

	if (has_store(folder) || !real || !str_ends(real, "/queues"))
		return mem_strdup(folder);
	if (n > 7 && str_ends(folder, "/queues"))
		return mem_strndup(folder, n - 7);
	return str_eq(folder, "queues") ? mem_strdup(".") : mem_printf("%s/..", folder);
}

static char *file_in(const char *folder, const char *name)
{
	return str_eq(folder, ".") ? mem_strdup(name) : mem_printf("%s/%s", folder, name);
}

struct queue_beside *queue_beside_new(struct queue_reader *r, const char *folder)
{
	struct queue_beside *b = mem_alloc(sizeof *b);

	if (!folder)
		return b;
	b->folder = find_store(folder);
	AUTO_FREE char *open = file_in(b->folder, "issues.jsonl"), *closed = file_in(b->folder, "issue-history.jsonl");
	queue_lines_read(&b->open, r, open);
	queue_lines_read(&b->closed, r, closed);
	return b;
}

static void nothing(void *node)
{
	(void)node; /* issues are freed by their list */
}

void queue_beside_free(struct queue_beside *b)
{
	if (!b)
		return;
	tdestroy(b->index, nothing);
	for (struct issue *i = b->issues, *next; i; i = next) {
		next = i->next;
		queue_lines_fini(&i->lines);
		free(i->id);
		free(i);
	}
	queue_lines_fini(&b->open);
	queue_lines_fini(&b->closed);
	json_free(b->json);
	free(b->folder);
	free(b);
}

/* ---- issues ---- */

static int by_id(const void *a, const void *b)
{
	return strcmp(((const struct issue *)a)->id, ((const struct issue *)b)->id);
}

/* Its row, from the file that has it. */
static void add_row(struct queue_reader *r, struct issue *issue)
{
	struct queue_beside *b = r->beside;
	struct plan_queue *q = r->q;
	struct queue_line *line = queue_lines_find(&b->open, issue->id);

	if (!line)
		line = queue_lines_find(&b->closed, issue->id);
	if (q->n_issues == b->room) {
		b->room = b->room ? b->room * 2 : 16;
		q->issues = mem_grow(q->issues, b->room, sizeof *q->issues);
	}
	q->issues[q->n_issues++] = (struct issue_row){
		.id = mem_strdup(issue->id), .raw = line ? mem_strndup(line->span.p, line->span.n) : NULL};
	issue->row = q->n_issues;
	issue->line = line;
	if (line)
		queue_item_keepable(r, line == queue_lines_find(&b->open, issue->id) ? b->open.path : b->closed.path,
		                    line->span.line, issue->id, q->issues[q->n_issues - 1].raw);
}

static struct issue *get(struct queue_reader *r, const char *id)
{
	struct queue_beside *b = r->beside;
	struct issue key = {.id = (char *)(uintptr_t)id};
	void *slot = tfind(&key, &b->index, by_id);

	if (slot)
		return *(struct issue **)slot;
	struct issue *issue = mem_alloc(sizeof *issue);
	issue->id = mem_strdup(id);
	issue->next = b->issues;
	b->issues = issue;
	if (!tsearch(issue, &b->index, by_id))
		mem_none();
	add_row(r, issue);
	return issue;
}

static const struct json_t *lend(struct queue_beside *b, const struct issue *issue)
{
	if (b->lent != issue) {
		json_free(b->json);
		b->json = issue->line ? queue_lines_take(issue->line) : NULL;
		b->lent = issue;
	}
	return b->json;
}

const struct json_t *queue_beside_issue(struct queue_reader *r, const char *id, uint64_t *row)
{
	struct issue *issue = get(r, id);

	*row = issue->row;
	return lend(r->beside, issue);
}

/* ---- solutions ---- */

static void make_room(struct queue_beside *b)
{
	bool texts = b->texts > KEEP_TEXTS;

	if (!texts && b->parsed <= KEEP_PARSED)
		return;
	for (struct issue *i = b->issues; i; i = i->next) {
		if (texts)
			queue_lines_fini(&i->lines);
		else
			queue_lines_trim(&i->lines);
		i->read = i->read && !texts;
	}
	b->parsed = 0;
	b->texts = texts ? 0 : b->texts;
}

static void read_solutions(struct queue_reader *r, struct issue *issue)
{
	struct queue_beside *b = r->beside;
	struct strv said = r->l->warnings, none = {0};
	AUTO_FREE char *name = mem_printf("solutions/%s.jsonl", issue->id), *path = file_in(b->folder, name);

	make_room(b);
	if (issue->told)
		r->l->warnings = none;
	issue->there = queue_lines_read(&issue->lines, r, path);
	if (issue->told) {
		strv_fini(&r->l->warnings);
		r->l->warnings = said;
	}
	issue->read = issue->told = true;
	b->texts += issue->lines.text.len;
	b->parsed += issue->lines.text.len;
}

static bool is_file_name(const char *id)
{
	return !strchr(id, '/') && !strstr(id, "..") && *id != '.' && strlen(id) < NAME_MAX - 8;
}

static struct queue_line *find_bound(const struct queue_lines *lines)
{
	for (size_t i = 0; i < lines->n; i++)
		if (lines->v[i].bound)
			return &lines->v[i];
	return NULL;
}

/* As a sentence on one line; the files as they are called in the folder: a plan says the same wherever it lies. */
static char *say(const char *format, const char *issue, const char *id)
{
	AUTO_STR struct str text = {0};
	const char *p = format;

	for (; *p; p++) {
		const char *name = *p == '@' ? issue : *p == '#' ? id : NULL;
		if (name)
			str_add_printable(&text, name, strnlen(name, QUEUE_MAX_NAME), false);
		else
			str_addc(&text, *p);
	}
	return str_take(&text);
}

static const char *bound_to(struct queue_reader *r, const struct issue *issue)
{
	const char *bound = json_get_text(lend(r->beside, issue), "bound_solution_id");

	return bound && *bound ? bound : NULL;
}

struct json_t *queue_beside_solution(struct queue_reader *r, const char *issue_id, const char *id, char **raw,
                                     struct plan_origin *at, char **why)
{
	struct queue_line *line;

	if (!issue_id)
		*why = say("it names no issue whose solution could be done", NULL, NULL);
	else if (!is_file_name(issue_id))
		*why = say("its issue \"@\" cannot be the name of a file with solutions", issue_id, NULL);
	else if (!r->beside->folder)
		*why = say("its solution is not in the item, and there is no folder to look for it", NULL, NULL);
	if (*why)
		return NULL;
	struct issue *issue = get(r, issue_id);
	if (!issue->read)
		read_solutions(r, issue);
	if (!id)
		id = bound_to(r, issue);
	line = id ? queue_lines_find(&issue->lines, id) : find_bound(&issue->lines);
	if (line && !queue_item_name_fault(line->id)) {
		*raw = mem_strndup(line->span.p, line->span.n);
		*at = (struct plan_origin){.file = issue->lines.path, .line = line->span.line};
		return queue_lines_take(line);
	}
	*why = say(!issue->there ? "there is no file solutions/@.jsonl"
	           : id          ? "solutions/@.jsonl has no solution #"
	                         : "solutions/@.jsonl has no solution that is bound", issue_id, id);
	return NULL;
}
