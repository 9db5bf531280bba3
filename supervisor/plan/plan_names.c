/* plan_names: which ids and paths are allowed. By allow-list, because ids become branch and folder
 * names and both reach command lines (promise E1). Looks at text only, never at a disk. */
#include "plan_private.h"

#include <string.h>
#include <strings.h>

#include "overlap.h"

static bool is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

const char *plan_id_fault(const char *id)
{
	if (!*id)
		return "an id must not be empty";
	if (strchr(id, '/'))
		return "an id must not hold a \"/\": it becomes part of a branch name";
	if (strlen(id) > PLAN_ID_MAX)
		return "an id must not be longer than 64 bytes";
	if (!is_alnum(id[0]))
		return "an id must begin with a letter or digit";
	for (const char *p = id; *p; p++)
		if (!is_alnum(*p) && !strchr("._-", *p))
			return "an id may only hold A-Z a-z 0-9 . _ -";
	if (strstr(id, ".."))
		return "an id must not hold \"..\"";
	if (str_ends(id, "."))
		return "an id must not end in \".\"";
	if (str_ends(id, ".lock"))
		return "an id must not end in \".lock\"";
	return NULL;
}

static const char *part_fault(const char *p, size_t n)
{
	if (n == 2 && memcmp(p, "..", 2) == 0)
		return "must not hold \"..\"";
	if (n == 4 && strncasecmp(p, ".git", 4) == 0)
		return "must not lead into .git";
	return NULL;
}

const char *plan_path_fault(const char *path, struct str *normal)
{
	AUTO_STR struct str out = {0};

	if (!*path)
		return "must not be empty";
	if (strlen(path) > PLAN_PATH_MAX)
		return "must not be longer than 1024 bytes";
	if (*path == '/')
		return "must be relative to the top of the repository";
	if (*path == '~' && (path[1] == '/' || !path[1]))
		return "must be relative to the top of the repository, not to a home folder";
	for (const char *p = path; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return "must not hold control characters";
	if (strchr(path, '\\'))
		return "must not hold a \"\\\": separate folders by \"/\"";
	for (const char *p = path; *p;) {
		size_t n = strcspn(p, "/");
		const char *fault = part_fault(p, n);
		if (fault)
			return fault;
		if (n && !(n == 1 && *p == '.')) {
			str_add(&out, out.len ? "/" : "");
			str_addn(&out, p, n);
		}
		p += n + (p[n] == '/');
	}
	if (normal)
		str_add(normal, out.len ? out.p : ".");
	return NULL;
}

bool plan_paths_overlap(const char *a, const char *b)
{
	return overlap_paths(a, b);
}

static bool any_overlap(const struct strv *a, const struct strv *b, bool (*meet)(const char *, const char *))
{
	for (size_t i = 0; i < a->n; i++)
		for (size_t j = 0; j < b->n; j++)
			if (meet(a->v[i], b->v[j]))
				return true;
	return false;
}

bool plan_items_overlap(const struct strv *a, const struct strv *b)
{
	return any_overlap(a, b, overlap_paths_any_case);
}

bool plan_overlaps(void *plan, uint32_t a, uint32_t b)
{
	const struct plan *p = plan;

	return any_overlap(&p->tasks[a].files, &p->tasks[b].files,
	                   str_eq(p->kind, "queue") ? overlap_paths_any_case : overlap_paths);
}
