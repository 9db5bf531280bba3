/* sprint_text: the rule, and the edit and the merge of one file. The file is foreign text: it is read by the YAML reader, which tells
 * where each value lies; what was written is read again, and must be the same but for these values. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "plan/stories.h"
#include "sprint.h"
#include "store/base/mem.h"
#include "yaml.h"

/* formats.md [3-4]; 95 % never hides what a human has to do. */
const char *sprint_state(uint64_t total, uint64_t checked, uint64_t blocked, uint64_t human)
{
	if (100 * checked >= 95 * total && !blocked && !human)
		return "done";
	return 100 * checked >= 80 * total ? "review" : "in-progress";
}

struct edit {
	const struct yaml_node *value;
	struct sprint_line *line;
};

/* ---- which value ---- */

static const char *without_story(const char *name)
{
	return name + (strncasecmp(name, "story-", 6) == 0 ? 6 : 0);
}

/* "3-2" or "3.2" and nothing after it: 3-2. The caller owns it; NULL: more than a number, or none. */
static char *number_of(const char *name, bool alone)
{
	AUTO_FREE char *epic = NULL;
	uint64_t number;
	size_t n = stories_number(name, &epic, &number);

	if (!n || (name[n] && (alone || name[n] != '-')))
		return NULL;
	return mem_printf("%s-%llu", epic, (unsigned long long)number);
}

/* By its name, with or without "story-"; else, when that is only a number, the one line of that number. `numbers`: of
 * the lines, once they were asked for. */
static const struct yaml_node *line_of(const struct yaml_node *map, const char *story, struct strv *numbers)
{
	const char *name = without_story(story);
	const struct yaml_node *found = yaml_get(map, story);
	size_t i = 0;

	if (!found)
		found = yaml_get(map, name);
	AUTO_FREE char *number = found ? NULL : number_of(name, true);
	for (const struct yaml_node *v = number && !numbers->n ? map->first : NULL; v; v = v->next) {
		char *other = number_of(without_story(v->key->text), false);
		strv_give(numbers, other ? other : mem_strdup(""));
	}
	for (const struct yaml_node *v = number ? map->first : NULL; v; v = v->next) {
		if (strcmp(numbers->v[i++], number) != 0)
			continue;
		if (found)
			return NULL;
		found = v;
	}
	return found;
}

/* Of a line: a text, or `status` in a mapping. NULL: it has none. */
static const struct yaml_node *state_of(const struct yaml_node *line)
{
	return line && line->kind == YAML_MAP ? yaml_get(line, "status") : line;
}

static bool written_plainly(const struct yaml_node *v, const char *text, size_t n)
{
	return v->kind == YAML_SCALAR && v->len && v->from < v->to && v->to <= n && v->to - v->from == v->len &&
	       memcmp(text + v->from, v->text, v->len) == 0;
}

static int by_place(const void *a, const void *b)
{
	const struct edit *x = a, *y = b;
	return (x->value->from > y->value->from) - (x->value->from < y->value->from);
}

/* What is to be changed, in the order of the text. */
static size_t choose(struct edit *edits, const struct yaml_node *map, const char *text, size_t n,
                     struct sprint_line *lines, size_t n_lines)
{
	AUTO_STRV struct strv numbers = {0};
	size_t n_edits = 0, kept = 0;

	for (size_t i = 0; i < n_lines; i++) { /* as many as there are stories */
		const struct yaml_node *v = state_of(line_of(map, lines[i].story, &numbers));
		if (!v)
			lines[i].why = "has no line";
		else if (!written_plainly(v, text, n))
			lines[i].why = "has no state that is plain text in one line";
		else
			edits[n_edits++] = (struct edit){v, &lines[i]};
	}
	if (n_edits)
		qsort(edits, n_edits, sizeof *edits, by_place);
	for (size_t i = 0; i < n_edits; i++) {
		if (kept && edits[kept - 1].value == edits[i].value)
			edits[i].line->why = "has the same line as another story";
		else
			edits[kept++] = edits[i];
	}
	n_edits = kept;
	for (size_t i = kept = 0; i < n_edits; i++)
		if (strcmp(edits[i].value->text, edits[i].line->state) != 0)
			edits[kept++] = edits[i];
	return kept;
}

/* ---- was that all? ---- */

/* An alias elsewhere may stand for a value that was changed. */
static bool same_but(const struct yaml_node *a, const struct yaml_node *b, const struct edit **at, const struct edit *end)
{
	if (a->kind != b->kind || a->plain != b->plain || a->n != b->n || !a->key != !b->key ||
	    (a->key && strcmp(a->key->text, b->key->text) != 0))
		return false;
	if (*at < end && (*at)->value == a)
		return strcmp((*at)++->line->state, b->text) == 0;
	if (a->len != b->len || memcmp(a->text, b->text, a->len) != 0)
		return false;
	for (a = a->first, b = b->first; a && b; a = a->next, b = b->next)
		if (!same_but(a, b, at, end))
			return false;
	return true;
}

static bool as_wanted(const struct yaml *before, const struct str *text, const struct edit *edits, size_t n)
{
	struct plan_faults faults = {0};
	const struct edit *at = edits;
	struct yaml *after = yaml_parse("", str_text(text), text->len, &faults);
	bool good = after && same_but(yaml_root(before), yaml_root(after), &at, edits + n) && at == edits + n;

	yaml_free(after);
	plan_faults_fini(&faults);
	return good;
}

/* ---- the edit ---- */

/* The text with these values, which are in the order of the text, replaced. */
static void apply(struct str *out, const char *text, size_t n, const struct edit *edits, size_t n_edits)
{
	size_t at = 0;

	for (size_t i = 0; i < n_edits; i++) {
		str_addn(out, text + at, edits[i].value->from - at);
		str_add(out, edits[i].line->state);
		at = edits[i].value->to;
	}
	str_addn(out, text + at, n - at);
}

static const struct yaml_node *states_in(const struct yaml *y)
{
	const struct yaml_node *map = y ? yaml_get(yaml_root(y), "development_status") : NULL;
	return map && map->kind == YAML_MAP ? map : NULL;
}

static int edit(struct str *out, const struct yaml *y, const char *text, size_t n, struct sprint_line *lines,
                size_t n_lines, struct err *e)
{
	const struct yaml_node *map = states_in(y);
	AUTO_FREE struct edit *edits = mem_array(n_lines + 1, sizeof *edits);

	if (!map)
		return err_set(e, ERR_USAGE, "has no mapping development_status");
	size_t n_edits = choose(edits, map, text, n, lines, n_lines);
	apply(out, text, n, edits, n_edits);
	if (n_edits && !as_wanted(y, out, edits, n_edits))
		return err_set(e, ERR_USAGE, "has values that cannot be changed alone (anchors?)");
	for (size_t i = 0; i < n_edits; i++)
		edits[i].line->was = mem_strdup(edits[i].value->text);
	return 0;
}

int sprint_edit(struct str *out, const char *text, size_t n, struct sprint_line *lines, size_t n_lines, struct err *e)
{
	struct plan_faults faults = {0};
	int rc = -1;

	if (n > SPRINT_MAX_BYTES)
		return err_set(e, ERR_USAGE, "is larger than %d bytes", SPRINT_MAX_BYTES);
	struct yaml *y = yaml_parse("", text, n, &faults);
	if (y)
		rc = edit(out, y, text, n, lines, n_lines, e);
	else
		err_set(e, ERR_USAGE, "cannot be read: line %zu: %s", faults.v[0].line, faults.v[0].message);
	for (size_t i = 0; rc != 0 && i < n_lines; i++)
		lines[i].why = NULL;
	if (rc != 0)
		str_clear(out);
	yaml_free(y);
	plan_faults_fini(&faults);
	return rc;
}

/* ---- the merge ---- */

/* The states that differ, of two texts with the same lines. */
static size_t differing(struct edit *edits, struct sprint_line *lines, const struct yaml_node *base,
                        const struct yaml_node *ours, const struct str *text)
{
	size_t n = 0;

	for (base = base->first, ours = ours->first; base && ours; base = base->next, ours = ours->next) {
		const struct yaml_node *was = state_of(base), *is = state_of(ours);
		if (!was || !is || strcmp(was->text, is->text) == 0 || !written_plainly(was, str_text(text), text->len))
			continue;
		lines[n] = (struct sprint_line){.story = base->key->text, .state = is->text};
		edits[n] = (struct edit){was, &lines[n]};
		n++;
	}
	return n;
}

/* `edits` of the base become those of `theirs`. False: it has changed one of these states, too. */
static bool carry_over(struct edit *edits, size_t *n, const struct yaml_node *theirs, const struct str *text)
{
	size_t kept = 0;

	for (size_t i = 0; i < *n; i++) {
		const struct yaml_node *v = state_of(yaml_get(theirs, edits[i].line->story));
		if (!v || !written_plainly(v, str_text(text), text->len))
			return false;
		if (strcmp(v->text, edits[i].line->state) == 0)
			continue;
		if (strcmp(v->text, edits[i].value->text) != 0)
			return false;
		edits[kept++] = (struct edit){v, edits[i].line};
	}
	*n = kept;
	if (kept)
		qsort(edits, kept, sizeof *edits, by_place);
	return true;
}

static bool merge(struct str *out, const struct yaml *trees[3], const struct str *const texts[3])
{
	const struct yaml_node *base = states_in(trees[0]), *ours = states_in(trees[1]), *theirs = states_in(trees[2]);

	if (!base || !ours || !theirs)
		return false;
	AUTO_FREE struct edit *edits = mem_array(base->n + 1, sizeof *edits);
	AUTO_FREE struct sprint_line *lines = mem_array(base->n + 1, sizeof *lines);
	size_t n = differing(edits, lines, base, ours, texts[0]);
	AUTO_STR struct str again = {0};
	if (n > STORIES_MAX)
		return false;
	apply(&again, str_text(texts[0]), texts[0]->len, edits, n);
	if (again.len != texts[1]->len || memcmp(str_text(&again), str_text(texts[1]), again.len) != 0 ||
	    !carry_over(edits, &n, theirs, texts[2]))
		return false;
	apply(out, str_text(texts[2]), texts[2]->len, edits, n);
	return as_wanted(trees[2], out, edits, n);
}

bool sprint_merge(struct str *out, const struct str *base, const struct str *ours, const struct str *theirs)
{
	const struct str *const texts[3] = {base, ours, theirs};
	struct plan_faults faults = {0};
	struct yaml *trees[3] = {0};

	for (int i = 0; i < 3; i++)
		if (texts[i]->len <= SPRINT_MAX_BYTES)
			trees[i] = yaml_parse("", str_text(texts[i]), texts[i]->len, &faults);
	bool merged = merge(out, (const struct yaml **)trees, texts);
	if (!merged)
		str_clear(out);
	for (int i = 0; i < 3; i++)
		yaml_free(trees[i]);
	plan_faults_fini(&faults);
	return merged;
}
