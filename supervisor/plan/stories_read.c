/* stories_read: one story: its key, number, title and boxes; or why a file is none. */
#include "stories.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "store/base/fs.h"
#include "store/base/mem.h"
#include "worker/msg.h"

enum { MAX_PARTS = 3, MAX_DIGITS = 9, MAX_TITLE = 200 };

/* ---- numbers ---- */

/* Digits, and in the first part one letter (18b), with something behind them that is no part of a word. */
static size_t part(const char *text, bool first)
{
	size_t n = strspn(text, "0123456789");

	if (!n || n > MAX_DIGITS)
		return 0;
	if (first && isalpha((unsigned char)text[n]) && (text[n + 1] == '-' || text[n + 1] == '.'))
		n++;
	return isalnum((unsigned char)text[n]) || text[n] == '_' ? 0 : n;
}

size_t stories_number(const char *text, char **epic, uint64_t *number)
{
	size_t at = part(text, true), last = 0, parts = at ? 1 : 0, n;

	while (at && parts < MAX_PARTS && (text[at] == '-' || text[at] == '.') && (n = part(text + at + 1, false))) {
		last = at + 1;
		at += 1 + n;
		parts++;
	}
	if (parts < 2)
		return 0;
	*number = strtoull(text + last, NULL, 10);
	*epic = mem_strndup(text, last - 1);
	for (char *p = *epic; *p; p++)
		*p = *p == '.' ? '-' : (char)tolower((unsigned char)*p);
	return at;
}

/* By the title, which knows where the number ends, when the key begins with the same; else by the key. */
static void find_number(struct story *s)
{
	const char *key = s->key, *title = s->title;
	char *epic = NULL;
	uint64_t number;

	key += strncasecmp(key, "story-", 6) == 0 ? 6 : 0;
	bool story = title && strncasecmp(title, "story ", 6) == 0;
	if (story && stories_number(title + 6 + strspn(title + 6, " "), &epic, &number)) {
		AUTO_FREE char *begin = mem_printf("%s-%llu", epic, (unsigned long long)number);
		size_t n = strlen(begin);
		bool numbered = isdigit((unsigned char)*key);
		if (!numbered || (strncasecmp(key, begin, n) == 0 && !isalnum((unsigned char)key[n]))) {
			s->epic = epic;
			s->number = number;
			return;
		}
		free(epic);
	}
	if (stories_number(key, &epic, &number)) {
		s->epic = epic;
		s->number = number;
	}
}

/* ---- title ---- */

/* The first heading of level 1, as one line that may be shown. */
static char *find_title(const char *text, size_t n)
{
	size_t at = boxes_front(text, n);

	if (!at && n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		at = 3;
	while (at < n) {
		const char *end = memchr(text + at, '\n', n - at);
		size_t len = end ? (size_t)(end - text) - at : n - at;
		if (len > 2 && text[at] == '#' && text[at + 1] == ' ') {
			AUTO_STR struct str line = {0};
			const char *from = text + at + 2, *to = text + at + len;
			while (from < to && strchr(" \t", *from))
				from++;
			while (to > from && strchr(" \t\r#", to[-1]))
				to--;
			str_add_printable(&line, from, (size_t)(to - from), false);
			if (!line.len)
				return NULL;
			char *title = str_take(&line);
			msg_clip_text(title, MAX_TITLE);
			return title;
		}
		at += len + 1;
	}
	return NULL;
}

/* ---- ids ---- */

/* The key, as far as it can be an id: what a branch cannot hold becomes "-", and what is too long ends with a hash. */
static char *make_id(const char *key)
{
	AUTO_STR struct str id = {0};
	char hash[SEAL_HEX];

	for (const char *p = key; *p; p++) {
		bool fits = isalnum((unsigned char)*p) || strchr("_-", *p) || (*p == '.' && id.len && id.p[id.len - 1] != '.');
		bool first = !id.len && !isalnum((unsigned char)*p);
		if (fits && !first)
			str_addc(&id, *p);
		else if (id.len && id.p[id.len - 1] != '-')
			str_addc(&id, '-');
	}
	if (!plan_id_fault(str_text(&id)))
		return str_take(&id);
	seal_hash(hash, key, strlen(key));
	enum { HASH = 8 };
	AUTO_FREE char *head = mem_strndup(str_text(&id), PLAN_ID_MAX - HASH - 1);
	for (size_t n = strlen(head); n && strchr("-.", head[n - 1]); n--)
		head[n - 1] = '\0';
	return *head ? mem_printf("%s-%.*s", head, HASH, hash) : mem_printf("story-%.*s", HASH, hash);
}

/* ---- one file ---- */

static void no_story(struct plan_loader *l, const char *file, bool found, const char *why)
{
	AUTO_STR struct str name = {0};

	if (found) {
		str_add_printable(&name, file, strlen(file), false);
		strv_addf(&l->warnings, "%s is skipped: %s", name.p, why);
	} else {
		plan_fault(l, file, NULL, NULL, NULL, "%s", why);
	}
}

/* Of what lies in a folder of stories, much has boxes and is no story: it must look like one. */
static const char *other_file(const struct story *s)
{
	static const char *const marks[] = {"retrospective", "tech-spec", "validation"};

	if (s->epic)
		return NULL;
	for (size_t i = 0; i < MEM_COUNT(marks); i++)
		if (strcasestr(s->key, marks[i]))
			return "its name is that of a retrospective, specification or validation";
	if (s->boxes.n_tasks || (s->title && strncasecmp(s->title, "story", 5) == 0))
		return NULL;
	return "it does not look like a story: no EPIC-NUMBER in its name, no title \"Story ...\", no Tasks section";
}

static void fini(struct story *s)
{
	free(s->key);
	free(s->id);
	free(s->file);
	free(s->path);
	free(s->sprint);
	free(s->title);
	free(s->epic);
	free(s->text);
	boxes_fini(&s->boxes);
	strv_fini(&s->asked);
	strv_fini(&s->mentioned);
	for (size_t i = 0; i < s->n_paths; i++)
		free(s->paths[i].path);
	free(s->paths);
	free(s->needs);
	*s = (struct story){0};
}

static const char *read_story(struct story *s, struct err *e)
{
	const char *wrong = plan_path_fault(s->path, NULL);

	if (wrong)
		return wrong;
	if (!str_utf8(s->text, s->len))
		return "it is not valid UTF-8 text";
	if (boxes_read(&s->boxes, s->text, s->len, e) != 0)
		return e->text;
	s->title = find_title(s->text, s->len);
	find_number(s);
	s->id = make_id(s->key);
	return NULL;
}

void stories_text(struct plan_loader *l, const char *file, const char *path, const char *text, size_t n, bool found)
{
	const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	size_t stem = strlen(name);
	struct err e = {0};

	if (!l->stories)
		l->stories = mem_alloc(sizeof *l->stories);
	struct stories *all = l->stories;
	for (size_t i = 0; i < all->n; i++)
		if (str_eq(all->v[i].path, path)) { /* given twice */
			if (all->sprint)
				mem_set(&all->v[i].sprint, all->sprint);
			return;
		}
	if (stem > 3 && strcasecmp(name + stem - 3, ".md") == 0)
		stem -= 3;
	struct story s = {.key = mem_strndup(name, stem), .file = mem_strdup(file), .path = mem_strdup(path),
	                  .text = mem_alloc(n + 1), .len = n};
	if (n)
		memcpy(s.text, text, n);
	const char *why = read_story(&s, &e);
	if (!why && !s.boxes.total)
		why = s.boxes.n ? "none of its checkboxes counts: there is a Tasks section, and none at its top level"
		                : "it has no checkboxes";
	if (!why && found)
		why = other_file(&s);
	if (why) {
		/* Whoever names a file without boxes means no harm either. */
		no_story(l, file, found || (s.id && !s.boxes.total), why);
		fini(&s);
		return;
	}
	if (all->n == STORIES_MAX) {
		if (!all->full)
			plan_fault(l, file, NULL, NULL, NULL, "one run takes at most %d stories", STORIES_MAX);
		all->full = true;
		fini(&s);
		return;
	}
	stories_refs(l, &s);
	mem_set(&s.sprint, all->sprint);
	if ((all->n & (all->n + 1)) == 0)
		all->v = mem_grow(all->v, 2 * (all->n + 1), sizeof *all->v);
	all->v[all->n++] = s;
}

const char *stories_path(const char *real, const char *top)
{
	size_t n = strlen(top);
	return strncmp(real, top, n) == 0 && real[n] == '/' ? real + n + 1 : NULL;
}

void stories_file(struct plan_loader *l, const char *file, bool found)
{
	AUTO_FREE char *top = l->ctx && l->ctx->top ? realpath(l->ctx->top, NULL) : NULL;
	AUTO_FREE char *real = realpath(file, NULL);
	AUTO_STR struct str text = {0};
	struct err e = {0};

	if (!top || !real) {
		no_story(l, file, found, top ? "it cannot be read" : "a story is read in its repository only");
		return;
	}
	const char *path = stories_path(real, top);
	if (!path)
		no_story(l, file, found, "it is not in this checkout: the story's file is changed with the code, in a worktree");
	else if (fs_read(real, BOXES_MAX_BYTES, &text, &e) != 0)
		no_story(l, file, found, e.text);
	else
		stories_text(l, file, path, str_text(&text), text.len, found);
}

void stories_free(struct stories *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->n; i++)
		fini(&s->v[i]);
	free(s->v);
	free(s->sprint);
	free(s);
}
