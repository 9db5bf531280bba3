/* leak_allow: the allow file of a repository, written by its people. */
#include "leak.h"

#include <fnmatch.h>
#include <string.h>

#include "pathglob.h"
#include "store/base/mem.h"

static const char print_mark[] = "finding:";

void leak_allow_fini(struct leak_allow *a)
{
	strv_fini(&a->globs);
	strv_fini(&a->rules);
	strv_fini(&a->prints);
}

static bool is_print(const char *text)
{
	return strlen(text) == LEAK_PRINT - 1 && strspn(text, "0123456789abcdef") == LEAK_PRINT - 1;
}

/* Why a line says nothing; NULL = it was taken. */
static const char *take(struct leak_allow *a, char *line)
{
	static const char blanks[] = " \t\r";
	char *rest = NULL;
	char *word = strtok_r(line, blanks, &rest), *rule = word ? strtok_r(NULL, blanks, &rest) : NULL;

	if (!word || *word == '#')
		return NULL;
	if (rule && *rule == '#')
		rule = NULL;
	else if (rule) {
		const char *more = strtok_r(NULL, blanks, &rest);
		if (more && *more != '#')
			return "is more than a path and a rule";
	}
	if (str_starts(word, print_mark)) {
		if (!is_print(word + strlen(print_mark)))
			return "names no finding: they end in 8 digits of 0-9 and a-f";
		if (rule)
			return "gives a finding a rule";
		strv_add(&a->prints, word + strlen(print_mark));
		return NULL;
	}
	if (rule && !leak_rule_known(rule, strlen(rule)))
		return "names no rule";
	strv_add(&a->globs, word);
	strv_add(&a->rules, rule ? rule : "");
	return NULL;
}

void leak_allow_read(struct leak_allow *out, const char *text, size_t n, struct strv *wrong)
{
	size_t number = 1;

	*out = (struct leak_allow){0};
	for (size_t at = 0; at < n; number++) {
		const char *end = memchr(text + at, '\n', n - at);
		size_t len = end ? (size_t)(end - text) - at : n - at;
		AUTO_FREE char *line = mem_strndup(text + at, len);
		const char *why = take(out, line);
		if (why)
			strv_addf(wrong, "line %zu %s", number, why);
		at += len + 1;
	}
}

/* As `paths` of a gate: a star crosses folders, and "dir/" is all that is below. */
static bool covers(const char *glob, const char *path)
{
	return pathglob_match(glob, path, 0) || (str_ends(glob, "/") && str_starts(path, glob));
}

bool leak_allow_has(const struct leak_allow *a, const char *path, const struct leak_finding *f)
{
	if (*f->print && strv_has(&a->prints, f->print))
		return true;
	for (size_t i = 0; i < a->globs.n; i++)
		if ((!*a->rules.v[i] || str_eq(a->rules.v[i], f->rule)) && covers(a->globs.v[i], path))
			return true;
	return false;
}
