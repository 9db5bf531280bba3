/* front: finds the two fences, and gives what is between them to the YAML reader. */
#include "front.h"

#include <string.h>

static const char bom[] = "\xef\xbb\xbf";

static bool is_fence(const char *line, size_t n)
{
	if (n < 3 || memcmp(line, "---", 3) != 0)
		return false;
	for (size_t i = 3; i < n; i++)
		if (!line[i] || !strchr(" \t\r", line[i]))
			return false;
	return true;
}

static size_t line_length(const char *text, size_t n)
{
	const char *end = n ? memchr(text, '\n', n) : NULL;
	return end ? (size_t)(end - text) : n;
}

struct place {
	bool open;        /* the first fence is there */
	size_t from, end; /* the YAML, with the first fence, which is YAML too */
	size_t body;      /* 0 = no second fence */
};

static struct place find(const char *text, size_t n)
{
	size_t skip = n >= 3 && memcmp(text, bom, 3) == 0 ? 3 : 0;
	size_t at = skip + line_length(text + skip, n - skip);
	struct place p = {.open = is_fence(text + skip, at - skip), .from = skip};

	while (p.open && at < n) {
		size_t line = at + 1, len = line_length(text + line, n - line);
		at = line + len;
		if (is_fence(text + line, len)) {
			p.end = line;
			p.body = at < n ? at + 1 : n;
			break;
		}
	}
	return p;
}

size_t front_body(const char *text, size_t n)
{
	return find(text, n).body;
}

int front_read(struct front *out, const char *file, const char *text, size_t n, struct plan_faults *faults)
{
	struct place p = find(text, n);

	*out = (struct front){.body = p.body};
	if (!p.open)
		return 0;
	if (!p.body) {
		plan_faults_add(faults, file, 1, 1, NULL, NULL,
		                "front matter begins here and has no end: a second line --- is missing");
		return -1;
	}
	struct yaml *doc = yaml_parse(file, text + p.from, p.end - p.from, faults);
	if (!doc)
		return -1;
	const struct yaml_node *root = yaml_root(doc);
	if (root->kind == YAML_MAP) {
		out->doc = doc;
		return 0;
	}
	bool empty = yaml_is_null(root);
	if (!empty)
		plan_faults_add(faults, file, root->line, root->column, NULL, NULL,
		                "front matter must be a mapping, not %s", yaml_what(root));
	yaml_free(doc);
	return empty ? 0 : -1;
}

void front_fini(struct front *f)
{
	yaml_free(f->doc);
	*f = (struct front){0};
}
