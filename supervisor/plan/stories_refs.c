/* stories_refs: what a story says of others: that it depends on them, which files it makes and uses, phrases that name
 * them. Texts only; which stories are meant is stories_needs' business. */
#include "stories.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "front.h"
#include "store/base/mem.h"

static const char *const keys[] = {"depends_on", "depends on", "dependencies", "requires"};

static void add_ref(struct strv *list, const char *text, size_t n)
{
	while (n && strchr(" \t\"'`*_", *text))
		text++, n--;
	while (n && strchr(" \t\"'`*_.", text[n - 1]))
		n--;
	if (n && n <= PLAN_PATH_MAX && list->n < STORIES_MAX_REFS)
		strv_give(list, mem_strndup(text, n));
}

/* ---- lines ---- */

struct lines {
	const char *at, *end;
	char fence;      /* ` or ~ while in code */
	size_t marks;    /* of the fence */
	bool comment;
};

static size_t run_of(const char *p, const char *end, char c)
{
	size_t n = 0;
	while (p + n < end && p[n] == c)
		n++;
	return n;
}

static bool holds(const char *from, const char *to, const char *what)
{
	return memmem(from, (size_t)(to - from), what, strlen(what)) != NULL;
}

/* The next line that is neither code nor comment, without its end. */
static bool next_line(struct lines *l, const char **from, const char **to)
{
	while (l->at < l->end) {
		const char *line = l->at, *end = memchr(line, '\n', (size_t)(l->end - line));
		end = end ? end : l->end;
		l->at = end < l->end ? end + 1 : end;
		if (end > line && end[-1] == '\r')
			end--;
		while (line < end && strchr(" \t", *line))
			line++;
		size_t ticks = run_of(line, end, '`'), waves = run_of(line, end, '~'), n = ticks ? ticks : waves;
		if (l->comment) {
			l->comment = !holds(line, end, "-->");
		} else if (l->fence) {
			if (n >= l->marks && *line == l->fence)
				l->fence = '\0';
		} else if (n >= 3) {
			l->fence = *line;
			l->marks = n;
		} else if (end - line >= 4 && memcmp(line, "<!--", 4) == 0) {
			l->comment = !holds(line, end, "-->");
		} else {
			*from = line;
			*to = end;
			return true;
		}
	}
	return false;
}

/* ---- told: depends_on and its like ---- */

static bool listed(char c)
{
	return isalnum((unsigned char)c) || (c && strchr("._/-", c));
}

/* "[5-1, 5-2]": each entry is a story. "5-1 (why), Story 5.2": what looks like a number is; "none" is an answer. */
static void add_value(struct story *s, const char *from, const char *to)
{
	while (from < to && strchr(" \t*_|", *from))
		from++;
	while (to > from && strchr(" \t|", to[-1]))
		to--;
	if (from == to)
		return;
	s->told = true;
	if (*from == '[' && to[-1] == ']') {
		for (const char *p = from + 1; p < to;) {
			const char *q = p;
			while (q < to - 1 && *q != ',')
				q++;
			add_ref(&s->asked, p, (size_t)(q - p));
			p = q + 1;
		}
		return;
	}
	for (const char *p = from; p < to;) {
		size_t n = 0;
		while (p + n < to && listed(p[n]))
			n++;
		AUTO_FREE char *word = mem_strndup(p, n);
		const char *plain = word + (strncasecmp(word, "story-", 6) == 0 ? 6 : 0);
		AUTO_FREE char *epic = NULL;
		uint64_t number;
		if (stories_number(plain, &epic, &number))
			add_ref(&s->asked, p, n);
		p += n ? n : 1;
	}
}

/* Where the value begins, if the line is one of the keys with a colon, or a cell of a table; NULL = it is not. */
static const char *value_of(const char *from, const char *to)
{
	while (from < to && strchr(" \t-*_|", *from))
		from++;
	for (size_t i = 0; i < MEM_COUNT(keys); i++) {
		size_t n = strlen(keys[i]);
		if ((size_t)(to - from) <= n || strncasecmp(from, keys[i], n) != 0)
			continue;
		const char *p = from + n;
		while (p < to && strchr(" \t*_", *p))
			p++;
		if (p < to && (*p == ':' || *p == '|'))
			return p + 1;
	}
	return NULL;
}

static bool is_none(const char *from, const char *to)
{
	while (from < to && strchr(" \t-*_", *from))
		from++;
	return to - from >= 4 && strncasecmp(from, "none", 4) == 0 && (to - from == 4 || !isalnum((unsigned char)from[4]));
}

/* "- **5-1**: why", "- Story 5.1": the number that an entry begins with. */
static void add_bullet(struct story *s, const char *from, const char *to)
{
	while (from < to && strchr(" \t-*+_`[", *from))
		from++;
	if (to - from > 6 && strncasecmp(from, "story", 5) == 0)
		from += 6;
	AUTO_FREE char *rest = mem_strndup(from, (size_t)(to - from));
	AUTO_FREE char *epic = NULL;
	uint64_t number;
	if (!stories_number(rest, &epic, &number))
		return;
	size_t n = 0;
	while (listed(rest[n]))
		n++;
	s->told = true;
	add_ref(&s->asked, rest, n);
}

/* What stands before the first section below the title, and what stands in a section Dependencies. */
static void read_told(struct story *s, size_t body)
{
	struct lines l = {.at = s->text + body, .end = s->text + s->len};
	const char *from, *to;
	bool head = true, section = false, open = false; /* open: a key without a value, its list may follow */

	while (next_line(&l, &from, &to)) {
		size_t level = run_of(from, to, '#');
		if (level && level <= 6) {
			AUTO_FREE char *name = mem_strndup(from + level, (size_t)(to - from) - level);
			char *word = name + strspn(name, " \t*");
			word[strcspn(word, "*#\t:")] = '\0';
			for (size_t n = strlen(word); n && word[n - 1] == ' '; n--)
				word[n - 1] = '\0';
			section = strcasecmp(word, "dependencies") == 0 || strcasecmp(word, "story dependencies") == 0;
			head = head && level == 1;
			open = false;
			continue;
		}
		const char *value = head || section ? value_of(from, to) : NULL;
		bool bullet = from < to && strchr("-*+", *from);
		if (value) {
			bool before = s->told;
			add_value(s, value, to);
			open = s->told == before && !before;
		} else if ((section || open) && bullet) {
			add_bullet(s, from, to);
		} else if (from < to) {
			open = false;
		}
		if (section && is_none(from, to))
			s->told = true;
	}
}

/* Front matter that cannot be read says nothing but that; without a second fence it is none, but a line across. */
static void read_front(struct plan_loader *l, struct story *s)
{
	struct plan_faults faults = {0};
	struct front front;

	if (front_read(&front, s->file, s->text, s->len, &faults) != 0 && front.body)
		strv_addf(&l->warnings, "%s:%zu:%zu: its front matter says nothing, it cannot be read: %s", s->file,
		          faults.v[0].line, faults.v[0].column, faults.v[0].message);
	for (size_t i = 0; front.doc && i < MEM_COUNT(keys); i++) {
		const struct yaml_node *v = yaml_get(yaml_root(front.doc), keys[i]);
		if (!v || yaml_is_null(v) || v->kind == YAML_MAP)
			continue;
		s->told = true;
		if (v->kind == YAML_SCALAR)
			add_value(s, v->text, v->text + v->len);
		for (const struct yaml_node *item = v->first; item; item = item->next)
			if (item->kind == YAML_SCALAR)
				add_ref(&s->asked, item->text, item->len);
	}
	front_fini(&front);
	plan_faults_fini(&faults);
}

/* ---- phrases ---- */

static void read_phrases(struct story *s, size_t body)
{
	static const char *const words[] = {"story ", "from ", "uses ", "extends ", "builds on "};
	struct lines l = {.at = s->text + body, .end = s->text + s->len};
	const char *from, *to;

	while (next_line(&l, &from, &to)) {
		if (from < to && *from == '#')
			continue; /* a title names the story itself */
		AUTO_FREE char *line = mem_strndup(from, (size_t)(to - from));
		for (const char *p = line; *p; p++)
			for (size_t i = 0; i < MEM_COUNT(words); i++) {
				size_t n = strlen(words[i]);
				AUTO_FREE char *epic = NULL;
				uint64_t number;
				if ((p != line && isalnum((unsigned char)p[-1])) || strncasecmp(p, words[i], n) != 0)
					continue;
				size_t len = stories_number(p + n, &epic, &number);
				/* "from 3.2" is more often a version than a story. */
				if (len && (i == 0 || !memchr(p + n, '.', len)))
					add_ref(&s->mentioned, p + n, len);
			}
	}
}

/* ---- files ---- */

static bool is_path(const char *p, size_t n)
{
	static const char *const roots[] = {"src/", "components/", "lib/", "api/", "services/"};
	size_t slashes = 0;

	for (size_t i = 0; i < n; i++)
		slashes += p[i] == '/';
	if (!slashes || *p == '/' || p[n - 1] == '/')
		return false;
	const char *last = memrchr(p, '/', n);
	bool dotted = memchr(last + 1, '.', (size_t)(p + n - last - 1)) != NULL;
	for (size_t i = 0; i < MEM_COUNT(roots); i++)
		if (strncmp(p, roots[i], strlen(roots[i])) == 0)
			return true;
	return dotted || slashes > 1;
}

static bool makes(const char *p, size_t n)
{
	static const char *const verbs[] = {"create", "creates", "add", "adds", "new", "implement", "implements", "write",
	                                    "introduce", "introduces", "generate", "generates", "scaffold"};
	for (size_t i = 0; i < MEM_COUNT(verbs); i++)
		if (strlen(verbs[i]) == n && strncasecmp(p, verbs[i], n) == 0)
			return true;
	return false;
}

static void read_paths(struct story *s)
{
	for (size_t i = 0; i < s->boxes.n; i++) {
		const struct box *b = &s->boxes.v[i];
		bool made = false;
		for (const char *p = b->text, *end = p + b->len; p < end;) {
			size_t n = 0;
			while (p + n < end && (isalnum((unsigned char)p[n]) || strchr("_./@+-", p[n])))
				n++;
			const char *word = p;
			p += n ? n : 1;
			made = made || makes(word, n);
			while (n > 2 && memcmp(word, "./", 2) == 0)
				word += 2, n -= 2;
			while (n && strchr(".-", word[n - 1]))
				n--;
			if (!n || n > PLAN_PATH_MAX || !is_path(word, n) || s->n_paths == STORIES_MAX_REFS)
				continue;
			if ((s->n_paths & (s->n_paths + 1)) == 0)
				s->paths = mem_grow(s->paths, 2 * (s->n_paths + 1), sizeof *s->paths);
			s->paths[s->n_paths++] = (struct story_path){mem_strndup(word, n), made};
		}
	}
}

void stories_refs(struct plan_loader *l, struct story *s)
{
	size_t body = boxes_front(s->text, s->len);

	read_front(l, s);
	read_told(s, body);
	read_phrases(s, body);
	read_paths(s);
}
