/* queue_paths: texts are cut where lists, notes and marks of lines begin. What can be a path in more than one way is all
 * of them. */
#include "queue_paths.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "store/base/mem.h"
#include "store/seal.h"

struct span {
	const char *p;
	size_t n;
};

struct reading {
	struct queue_paths *out;
	const struct plan_context *ctx;
};

enum {
	MAX_WRONG = PLAN_MAX_LIST,
	MAX_PIECE = 4 * PLAN_PATH_MAX,
	FEW = 32,     /* are compared one by one */
	SLOTS = 4096, /* of a table of at most PLAN_MAX_LIST + 1 */
};

/* ---- at the ends ---- */

#define NO_BREAK "\xc2\xa0", "\xe2\x80\xaf", "\xe2\x80\x87", "\xe3\x80\x80", "\xe2\x80\x8b", "\xe2\x81\xa0", "\xef\xbb\xbf"
#define QUOTES "`", "'", "\"", "\xe2\x80\x9c", "\xe2\x80\x9d", "\xe2\x80\x98", "\xe2\x80\x99", "\xc2\xab", "\xc2\xbb"
static const char *const no_break[] = {NO_BREAK, NULL};
static const char *const blanks[] = {" ", "\t", NO_BREAK, NULL};
static const char *const before[] = {" ", "\t", "<", "- ", "\xe2\x80\xa2", QUOTES, NO_BREAK, NULL};
static const char *const behind[] = {" ", "\t", ">", ":", ";", "\xe2\x80\xa6", QUOTES, NO_BREAK, NULL};

static size_t starts_with(struct span s, const char *const *marks)
{
	for (; *marks; marks++) {
		size_t n = s.n && *s.p == **marks ? strlen(*marks) : 0;
		if (n && s.n >= n && memcmp(s.p, *marks, n) == 0)
			return n;
	}
	return 0;
}

static size_t ends_with(struct span s, const char *const *marks)
{
	for (; *marks; marks++) {
		size_t n = strlen(*marks);
		if (s.n >= n && memcmp(s.p + s.n - n, *marks, n) == 0)
			return n;
	}
	return 0;
}

static struct span strip(struct span s, const char *const *front, const char *const *back)
{
	size_t n;

	while ((n = starts_with(s, front)))
		s = (struct span){s.p + n, s.n - n};
	while ((n = ends_with(s, back)))
		s.n -= n;
	return s;
}

/* Bytes at the end that say where in the file: ":12", ":12-20", ":12:3", "#L10", "#L10-L20", "(12)". */
static size_t place_len(struct span s)
{
	size_t i = s.n;
	bool digit = false;

	while (i && strchr("0123456789-:L#,)(", s.p[i - 1])) {
		i--;
		digit = digit || (s.p[i] >= '0' && s.p[i] <= '9');
	}
	for (; digit && i < s.n; i++) { /* the first that begins one */
		bool next = i + 1 < s.n && s.p[i + 1] >= '0' && s.p[i + 1] <= '9';
		bool line = s.p[i] == '#' && i + 2 < s.n && s.p[i + 1] == 'L' && s.p[i + 2] >= '0' && s.p[i + 2] <= '9';
		if (line || (next && (s.p[i] == ':' || s.p[i] == '(')))
			return i ? s.n - i : 0;
	}
	return 0;
}

/* Without what is around it. */
static struct span bare(struct span s)
{
	for (size_t n = 0; n != s.n;) {
		n = s.n;
		s = strip(s, before, behind);
		s.n -= place_len(s);
	}
	return s;
}

/* ---- one path ---- */

static bool below(const char **path, const char *top)
{
	size_t n = top && *top == '/' ? strlen(top) : 0;

	while (n && top[n - 1] == '/')
		n--;
	if (!n || strncmp(*path, top, n) != 0 || ((*path)[n] && (*path)[n] != '/'))
		return false;
	*path += n;
	return true;
}

/* Without ".." where it leads to another folder of the repository. */
static char *resolved(const char *path)
{
	AUTO_STR struct str out = {0};

	for (const char *p = path; *p;) {
		size_t n = strcspn(p, "/");
		const char *last = out.len ? strrchr(out.p, '/') : NULL;
		const char *parent = last ? last + 1 : str_text(&out);
		if (n == 2 && memcmp(p, "..", 2) == 0 && out.len && strcmp(parent, "..") != 0) {
			if (strcmp(parent, "**") != 0) /* any folder above is one below, too */
				out.len = last ? (size_t)(last - out.p) : 0;
			if (out.p)
				out.p[out.len] = '\0';
		} else if (n && !(n == 1 && *p == '.')) {
			str_add(&out, out.len ? "/" : "");
			str_addn(&out, p, n);
		}
		p += n + (p[n] == '/');
	}
	return mem_strdup(out.len ? out.p : *path ? "." : "");
}

/* Its place in the table of a list; 0 = it is not in the list, and is entered with `number`, from 1. */
static size_t slot_of(const struct queue_path_list *l, const char *text, size_t number)
{
	for (size_t at = seal_slot(text, strlen(text)) % SLOTS;; at = (at + 1) % SLOTS) {
		if (!l->slots[at])
			l->slots[at] = (uint16_t)number;
		else if (strcmp(l->list.v[l->slots[at] - 1], text) == 0)
			return l->slots[at];
		else
			continue;
		return 0;
	}
}

/* Many are written in one text, and some again and again. */
static void add_once(struct queue_path_list *l, const char *text)
{
	if (!l->slots && l->list.n < FEW) {
		if (!strv_has(&l->list, text))
			strv_add(&l->list, text);
		return;
	}
	if (!l->slots) {
		l->slots = mem_array(SLOTS, sizeof *l->slots);
		for (size_t i = 0; i < l->list.n; i++)
			slot_of(l, l->list.v[i], i + 1);
	}
	if (!slot_of(l, text, l->list.n + 1))
		strv_add(&l->list, text);
}

static void add(struct reading *g, struct span s, bool sure)
{
	struct queue_paths *out = g->out;
	struct queue_path_list *to = sure ? &out->sure : &out->doubt;
	AUTO_STR struct str normal = {0};

	s = strip(s, blanks, blanks);
	if (!s.n || to->list.n > PLAN_MAX_LIST)
		return;
	AUTO_FREE char *given = mem_strndup(s.p, s.n);
	const char *from = given;
	while (from[0] == '/' && from[1] == '/')
		from++;
	if (*from == '/' && !(g->ctx && (below(&from, g->ctx->top) || below(&from, g->ctx->root))) && sure && from[1] &&
	    out->wrong.n < MAX_WRONG)
		strv_addf(&out->wrong, "\"%.80s\" is taken as one of the repository, \"%.80s\"", given, from + 1);
	while (*from == '/')
		from++;
	bool longer = strlen(from) > PLAN_PATH_MAX;
	AUTO_FREE char *path = longer ? NULL : resolved(*from ? from : ".");
	const char *wrong = longer ? "must not be longer than 1024 bytes" : plan_path_fault(path, &normal);
	if (!wrong)
		add_once(to, str_text(&normal));
	else if ( sure && out->wrong.n < MAX_WRONG)
		strv_addf(&out->wrong, "\"%.80s\" is left out: a path %s", given, wrong);
}

/* ---- sentences ---- */

/* The first of the marks behind the first byte; n = its length, 0 = there is none. */
static const char *find_mark(struct span s, const char *const *marks, size_t *n)
{
	for (size_t i = 1; i < s.n; i++)
		if ((*n = starts_with((struct span){s.p + i, s.n - i}, marks)))
			return s.p + i;
	*n = 0;
	return NULL;
}

static bool has(struct span s, char c)
{
	return memchr(s.p, c, s.n) != NULL;
}

/* A dot that is not at an end of it: of "x.ts", not of "it." */
static bool has_dot(struct span s)
{
	return s.n > 2 && memchr(s.p + 1, '.', s.n - 2);
}

/* Words of a text that are paths for themselves. `note`: what is said of a path, so that "e.g." and "and/or" are none. */
static void add_words(struct reading *g, struct span s, bool note)
{
	for (size_t i = 0; i < s.n;) {
		size_t from = i;
		while (i < s.n && s.p[i] != ' ')
			i++;
		struct span word = bare((struct span){s.p + from, i - from});
		if (word.n && *word.p == '(' && word.p[word.n - 1] == ')')
			word = bare((struct span){word.p + 1, word.n - 2});
		while (word.n && (word.p[word.n - 1] == '.' || word.p[word.n - 1] == ')') && !memmem(word.p, word.n, "..", 2))
			word.n--;
		bool path = note ? has(word, '/') && has_dot(word) : has(word, '/') || has_dot(word);
		if (path && !memmem(word.p, word.n, "://", 3) && !memmem(word.p, word.n, "..", 2))
			add(g, word, true);
		i += i < s.n;
	}
}

/* Words, and no path with folders or an extension. */
static bool is_label(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ() ", s.p[i]))
			return false;
	return true;
}

/* "new", "Created", "(new)": what is done to the path that follows. */
static bool is_verb(struct span s)
{
	static const char *const stems[] = {"new", "(new", "[new", "add", "creat", "modif", "updat", "edit", "chang", "delet",
	                                    "remov", "renam", "mov", "extend", "fix", "file", "path"};

	for (size_t i = 0; i < MEM_COUNT(stems); i++) {
		size_t n = strlen(stems[i]);
		if (s.n >= n && s.n <= n + 3 && strncasecmp(s.p, stems[i], n) == 0)
			return true;
	}
	return false;
}

/* Without "create " and the like in front, where no colon follows. */
static struct span past_verb(struct span s)
{
	const char *blank = memchr(s.p, ' ', s.n);
	size_t n = blank ? (size_t)(blank - s.p) : 0;

	return n && is_verb((struct span){s.p, n}) ? (struct span){blank + 1, s.n - n - 1} : s;
}

static void add_quoted(struct reading *g, struct span s)
{
	const char *from = memchr(s.p, '`', s.n), *end = s.p + s.n;

	while (from) {
		const char *to = memchr(from + 1, '`', (size_t)(end - from - 1));
		if (!to)
			break;
		add(g, bare((struct span){from + 1, (size_t)(to - from - 1)}), true);
		from = memchr(to + 1, '`', (size_t)(end - to - 1));
	}
}

/* One path with what may be in front of it. True: it may be meant in another way. */
static bool add_one(struct reading *g, struct span s)
{
	struct span path = bare(s), rest;
	const char *colon = path.n ? memchr(path.p, ':', path.n) : NULL;
	bool doubt = false;

	if (colon) {
		struct span left = bare((struct span){path.p, (size_t)(colon - path.p)});
		rest = bare((struct span){colon + 1, (size_t)(path.p + path.n - colon - 1)});
		doubt = colon[1] != ' ' || !(is_verb(left) || has_dot(left));
		if (is_label(left)) {
			path = rest;
			if (!is_verb(left)) /* "Makefile: a new target" */
				add(g, left, true);
		} else { /* "a.c:main", or what is said of it */
			path = left;
			add_words(g, rest, true);
		}
	}
	add_quoted(g, s);
	rest = bare(past_verb(path));
	if (rest.n && rest.p != path.p) {
		add(g, rest, true);
		doubt = true;
	} else {
		add(g, path, true);
	}
	if (has(path, ' ') && path.n)
		add_words(g, path, false);
	const char *part = path.n > 1 ? memchr(path.p + 1, '#', path.n - 1) : NULL;
	if (part && !memchr(part, '/', (size_t)(path.p + path.n - part))) /* README.md#usage */
		add(g, (struct span){path.p, (size_t)(part - path.p)}, true);
	size_t n = path.n;
	while (n && path.p[n - 1] == '.')
		n--;
	if (n && (path.n - n > 2 || (path.n - n == 1 && path.p[n - 1] != '/'))) /* the end of a sentence, "src/..." */
		add(g, (struct span){path.p, n}, true);
	return doubt;
}

/* What follows can be no part of the path: that has an extension already, and no second one comes. */
static bool sure_note(struct span path, struct span whole)
{
	const char *blank = memrchr(whole.p, ' ', whole.n);
	struct span word = {blank, (size_t)(whole.p + whole.n - blank)};

	return has_dot(bare(path)) && !has_dot(word) && whole.p[whole.n - 1] != ')';
}

/* What stands between commas. */
static void add_piece(struct reading *g, struct span s)
{
	static const char *const notes[] = {" - ", " -- ", " \xe2\x80\x93 ", " \xe2\x80\x94 ", " (", " | ", " # ", " // ", NULL};
	static const char *const ands[] = {";", " and ", " & ", " + ", " or ", " -> ", " => ", " \xe2\x86\x92 ", "\n", "\r", NULL};
	struct span whole = strip(s, blanks, blanks);
	size_t n = 0;
	const char *note = whole.n <= MAX_PIECE ? find_mark(whole, notes, &n) : NULL;

	if (whole.n > MAX_PIECE) {
		add(g, whole, true); /* which is too long */
		return;
	}
	if (!whole.n)
		return;
	struct span rest = {whole.p, note ? (size_t)(note - whole.p) : whole.n};
	bool doubt = note && !sure_note(rest, whole);
	for (;;) {
		const char *mark = find_mark(rest, ands, &n);
		doubt = add_one(g, (struct span){rest.p, mark ? (size_t)(mark - rest.p) : rest.n}) || doubt || mark;
		if (!mark)
			break;
		rest = (struct span){mark + n, (size_t)(rest.p + rest.n - mark) - n};
	}
	if (note)
		add_words(g, (struct span){note, (size_t)(whole.p + whole.n - note)}, true);
	if (doubt)
		add(g, whole, false);
}

void queue_paths_read(struct queue_paths *p, const struct plan_context *ctx, const char *text)
{
	struct reading g = {.out = p, .ctx = ctx};
	AUTO_STR struct str plain = {0};
	const char *last = strrchr(text, '}');
	size_t end = strlen(text);
	bool odd = false;

	for (const char *c = text; *c; c++) {
		const char *close = *c == '{' && last && c < last ? strchr(c, '}') : NULL;
		size_t n = starts_with((struct span){c, (size_t)(text + end - c)}, no_break);
		str_addc(&plain, n ? ' ' : close ? '*' : *c == '\\' ? '/' : *c);
		odd = odd || n;
		c = n ? c + n - 1 : close ? close : c;
	}
	for (const char *c = str_text(&plain); *c && p->sure.list.n <= PLAN_MAX_LIST;) {
		size_t n = strcspn(c, ",");
		add_piece(&g, (struct span){c, n});
		c += n + (c[n] == ',');
	}
	if (odd && p->sure.list.n) /* blanks that may be part of a name */
		add(&g, (struct span){text, end}, false);
}

void queue_paths_take(struct queue_paths *p, struct strv *files)
{
	for (size_t i = 0; i < p->doubt.list.n && p->sure.list.n < PLAN_MAX_LIST; i++)
		add_once(&p->sure, p->doubt.list.v[i]);
	*files = p->sure.list;
	p->sure.list = (struct strv){0};
}

void queue_paths_fini(struct queue_paths *p)
{
	strv_fini(&p->sure.list);
	strv_fini(&p->doubt.list);
	strv_fini(&p->wrong);
	free(p->sure.slots);
	free(p->doubt.slots);
	*p = (struct queue_paths){0};
}
