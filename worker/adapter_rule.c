/* adapter_rule: reads the rules of a definition (adapter.h has their language). Judges nothing: adapter_look.c does. */
#include <stdlib.h>
#include <string.h>

#include "adapter_private.h"
#include "store/base/mem.h"

enum { MAX_SAID = 64 << 10, MAX_FINAL = 4 << 20, MAX_TAIL = 256 << 10 };

/* ---- words ---- */

static void blanks(const char **p)
{
	*p += strspn(*p, " \t");
}

/* The next word; "" at the end. A value in quotes may hold blanks and commas. */
static char *word(const char **p)
{
	const char *from;
	bool quoted = false;

	blanks(p);
	from = *p;
	while (**p && (quoted || (**p != ' ' && **p != '\t'))) {
		quoted ^= **p == '"';
		(*p)++;
	}
	return mem_strndup(from, (size_t)(*p - from));
}

/* Is this the next word? Then it is behind us. */
static bool take(const char **p, const char *what)
{
	size_t n = strlen(what);

	blanks(p);
	if (strncmp(*p, what, n) != 0 || ((*p)[n] && (*p)[n] != ' ' && (*p)[n] != '\t'))
		return false;
	*p += n;
	return true;
}

static bool at_end(const char **p)
{
	blanks(p);
	return !**p;
}

/* ---- parts of a source ---- */

static void where_fini(struct adapter_where *w)
{
	strv_fini(&w->keys);
	strv_fini(&w->values);
}

static int read_pair(struct adapter_where *w, const char *text, size_t n, struct err *e)
{
	const char *equal = memchr(text, '=', n);

	if (!equal || equal == text)
		return err_set(e, ERR_USAGE, "\"%.*s\" is not KEY=VALUE", (int)n, text);
	const char *value = equal + 1;
	size_t len = n - (size_t)(value - text);
	if (len >= 2 && value[0] == '"' && value[len - 1] == '"') {
		value++;
		len -= 2;
	}
	strv_give(&w->keys, mem_strndup(text, (size_t)(equal - text)));
	strv_give(&w->values, mem_strndup(value, len));
	return 0;
}

/* KEY=VALUE,KEY=VALUE */
static int read_where(struct adapter_where *w, const char **p, struct err *e)
{
	AUTO_FREE char *text = word(p);
	bool quoted = false;

	for (const char *from = text, *c = text;; c++) {
		quoted ^= *c == '"';
		if (*c && (*c != ',' || quoted))
			continue;
		if (read_pair(w, from, (size_t)(c - from), e))
			return -1;
		if (!*c)
			return 0;
		from = c + 1;
	}
}

static int read_path(char **out, const char **p, struct err *e)
{
	AUTO_FREE char *text = word(p);

	if (text[0] != '.' || !text[1])
		return err_set(e, ERR_USAGE, "\"%s\" is not a path, such as .error.message", text);
	*out = mem_strdup(text + 1);
	return 0;
}

/* "~ REGEX": all that is left. `bounded`: without a "> N" at its end. */
static int read_like(struct adapter_source *s, const char **p, bool bounded, bool grouped, struct err *e)
{
	blanks(p);
	size_t n = strlen(*p);
	while (n && ((*p)[n - 1] == ' ' || (*p)[n - 1] == '\t'))
		n--;
	if (bounded) {
		size_t digits = 0;
		while (digits < n && (*p)[n - 1 - digits] >= '0' && (*p)[n - 1 - digits] <= '9')
			digits++;
		if (digits && n - digits > 3 && strncmp(*p + n - digits - 3, " > ", 3) == 0) {
			AUTO_FREE char *number = mem_strndup(*p + n - digits, digits);
			s->limited = true;
			if (!str_u64(number, &s->limit))
				return err_set(e, ERR_USAGE, "the number %s is too large", number);
			n -= digits + 3;
		}
	}
	AUTO_FREE char *regex = mem_strndup(*p, n);
	*p += strlen(*p);
	if (!n)
		return err_set(e, ERR_USAGE, "a regular expression is missing after \"~\"");
	if (pattern_new(&s->like, regex, false, e))
		return -1;
	if ((grouped || s->limited) && pattern_groups(s->like) != 1)
		return err_set(e, ERR_USAGE, "the regular expression needs one group in (...), for the %s: %s",
		               s->limited ? "number" : "time", regex);
	return 0;
}

static int read_numbers(struct adapter_source *s, const char **p, struct err *e)
{
	AUTO_FREE char *text = word(p);
	char *at = text, *save = NULL;

	if (*at == '!') {
		s->negated = !s->negated;
		at++;
	}
	for (char *one = strtok_r(at, ",", &save); one; one = strtok_r(NULL, ",", &save)) {
		uint64_t n;
		if (!str_u64(one, &n) || n > 255)
			return err_set(e, ERR_USAGE, "\"%s\" is not a number from 0 to 255", one);
		strv_add(&s->numbers, one);
	}
	return s->numbers.n ? 0 : err_set(e, ERR_USAGE, "a number is missing");
}

static int read_keep(struct adapter_source *s, const char **p, enum adapter_kind kind, struct err *e)
{
	if (kind == ADAPTER_KIND_FINAL || kind == ADAPTER_KIND_RESET) {
		if (take(p, "first"))
			s->keep = ADAPTER_KEEP_FIRST;
		else if (kind == ADAPTER_KIND_FINAL && take(p, "concat"))
			s->keep = ADAPTER_KEEP_ALL;
		else
			take(p, "last");
		if (s->keep == ADAPTER_KEEP_ALL && take(p, "since"))
			return read_where(&s->since, p, e);
	} else if (kind == ADAPTER_KIND_USAGE) {
		if (take(p, "sum"))
			s->keep = ADAPTER_KEEP_SUM;
		else
			take(p, "last");
		s->whole = take(p, "whole");
	}
	return 0;
}

/* Behind "json" or "file GLOB". */
static int read_json(struct adapter_source *s, const char **p, enum adapter_kind kind, struct err *e)
{
	blanks(p);
	if (**p && **p != '.' && **p != '=' && **p != '~' && read_where(&s->where, p, e))
		return -1;
	blanks(p);
	if (**p == '.' && read_path(&s->path, p, e))
		return -1;
	bool value = kind != ADAPTER_KIND_OK && kind != ADAPTER_KIND_FAIL && kind != ADAPTER_KIND_KILL;
	if (value && !s->path)
		return err_set(e, ERR_USAGE, "the .path of the value is missing");
	if (read_keep(s, p, kind, e))
		return -1;
	if (!value && take(p, "=")) {
		s->is = word(p);
		return *s->is ? 0 : err_set(e, ERR_USAGE, "a value is missing after \"=\"");
	}
	if (take(p, "~")) {
		if (!s->path)
			return err_set(e, ERR_USAGE, "\"~\" needs the .path of a value");
		return read_like(s, p, kind == ADAPTER_KIND_KILL, kind == ADAPTER_KIND_RESET, e);
	}
	if (kind == ADAPTER_KIND_KILL && take(p, ">")) {
		AUTO_FREE char *n = word(p);
		s->limited = true;
		if (!s->path || !str_u64(n, &s->limit))
			return err_set(e, ERR_USAGE, "\">\" needs a .path before it and a number after it");
	}
	return 0;
}

static int read_count(struct adapter_source *s, const char **p, struct err *e)
{
	s->from = ADAPTER_JSON;
	s->counted = s->limited = true;
	if (!take(p, "json") || read_where(&s->where, p, e) || !take(p, ">"))
		return err_set(e, ERR_USAGE, "it must be \"count json KEY=VALUE > N [without KEY=VALUE]\"");
	AUTO_FREE char *n = word(p);
	if (!str_u64(n, &s->limit))
		return err_set(e, ERR_USAGE, "\"%s\" is not a number", n);
	return take(p, "without") ? read_where(&s->since, p, e) : 0;
}

/* "stdout ~ REGEX", "stderr ~ REGEX", "text ~ REGEX" */
static int read_line(struct adapter_source *s, enum adapter_from from, const char **p, enum adapter_kind kind, struct err *e)
{
	s->from = from;
	if (!take(p, "~"))
		return err_set(e, ERR_USAGE, "a \"~\" and a regular expression are missing");
	return read_like(s, p, kind == ADAPTER_KIND_KILL, kind == ADAPTER_KIND_RESET, e);
}

static int read_file(struct adapter_source *s, const char **p, enum adapter_kind kind, struct err *e)
{
	s->from = ADAPTER_FILE;
	s->file = word(p);
	if (!*s->file)
		return err_set(e, ERR_USAGE, "a path is missing after \"file\"");
	return kind == ADAPTER_KIND_FINAL ? 0 : read_json(s, p, kind, e);
}

#define KINDS(k) (1u << (ADAPTER_KIND_##k))
#define RULES (KINDS(OK) | KINDS(FAIL) | KINDS(KILL))

static int read_source(struct adapter_source *s, const char *text, enum adapter_kind kind, struct err *e)
{
	const char *p = text;
	unsigned bit = 1u << kind;
	int rc = 0;

	blanks(&p);
	if ((bit & RULES) && *p == '!') {
		s->negated = true;
		p++;
	}
	if ((bit & (KINDS(OK) | KINDS(FAIL))) && (take(&p, "exit") || take(&p, "signal"))) {
		s->from = p[-1] == 't' ? ADAPTER_EXIT : ADAPTER_SIGNAL;
		rc = read_numbers(s, &p, e);
	} else if (take(&p, "json")) {
		s->from = ADAPTER_JSON;
		rc = read_json(s, &p, kind, e);
	} else if ((bit & KINDS(KILL)) && take(&p, "count")) {
		rc = read_count(s, &p, e);
	} else if ((bit & KINDS(FINAL)) && take(&p, "stdout")) {
		s->from = take(&p, "tail") ? ADAPTER_TAIL : ADAPTER_LAST;
		if (s->from == ADAPTER_TAIL)
			s->most = MAX_TAIL;
		else if (!take(&p, "last"))
			rc = err_set(e, ERR_USAGE, "it must be \"stdout last\" or \"stdout tail\"");
	} else if ((bit & RULES) && (take(&p, "stdout") || take(&p, "stderr"))) {
		rc = read_line(s, p[-1] == 't' ? ADAPTER_OUT : ADAPTER_ERR, &p, kind, e);
	} else if ((bit & (KINDS(FAIL) | KINDS(RESET))) && take(&p, "text")) {
		rc = read_line(s, ADAPTER_TEXT, &p, kind, e);
	} else if ((bit & (KINDS(FINAL) | KINDS(RESET))) && take(&p, "file")) {
		rc = read_file(s, &p, kind, e);
	} else {
		AUTO_FREE char *first = word(&p);
		rc = err_set(e, ERR_USAGE, "\"%s\" is not known here (exit, signal, json, stdout, stderr, text, file, count)", first);
	}
	if (!rc && !at_end(&p))
		rc = err_set(e, ERR_USAGE, "\"%s\" is too much", p);
	return rc;
}

/* ---- a rule ---- */

static bool looks(const struct adapter_source *s)
{
	return s->from == ADAPTER_JSON || s->from == ADAPTER_OUT || s->from == ADAPTER_ERR || s->from == ADAPTER_LAST ||
	       s->from == ADAPTER_TAIL;
}

static int add_source(struct adapter_rule *r, char *text, enum adapter_kind kind, size_t *n_seats, struct err *e)
{
	r->sources = mem_grow(r->sources, r->n + 1, sizeof *r->sources);
	struct adapter_source *s = &r->sources[r->n++];
	*s = (struct adapter_source){.most = kind == ADAPTER_KIND_FINAL ? MAX_FINAL : MAX_SAID};
	if (read_source(s, text, kind, e))
		return -1;
	if (looks(s))
		s->seat = (*n_seats)++;
	if (s->from == ADAPTER_TEXT && kind != ADAPTER_KIND_RESET) {
		const struct adapter_source *before = r->n > 1 ? &r->sources[r->n - 2] : NULL;
		if (!before || before->negated || (!looks(before) && before->from != ADAPTER_TEXT))
			return err_set(e, ERR_USAGE, "\"text\" needs a json, stdout or stderr before it");
		s->seat = before->seat;
	}
	return 0;
}

/* " & " between the tests. */
static int add_sources(struct adapter_rule *r, const char *text, enum adapter_kind kind, size_t *n_seats, struct err *e)
{
	bool joined = kind == ADAPTER_KIND_OK || kind == ADAPTER_KIND_FAIL || kind == ADAPTER_KIND_KILL;
	const char *end;

	while (joined && (end = strstr(text, " & "))) {
		AUTO_FREE char *one = mem_strndup(text, (size_t)(end - text));
		if (add_source(r, one, kind, n_seats, e))
			return -1;
		text = end + 3;
	}
	AUTO_FREE char *one = mem_strdup(text);
	return add_source(r, one, kind, n_seats, e);
}

/* What is before the colon, as its place in `tags`. */
static int read_tag(int *out, const char **text, const char *const tags[], size_t n, struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		size_t len = tags[i] ? strlen(tags[i]) : 0;
		if (len && strncmp(*text, tags[i], len) == 0 && (*text)[len] == ':') {
			*text += len + 1;
			*out = (int)i;
			return 0;
		}
	}
	AUTO_STR struct str known = {0};
	for (size_t i = 0; i < n; i++)
		if (tags[i])
			str_addf(&known, "%s%s:", known.len ? ", " : "", tags[i]);
	return err_set(e, ERR_USAGE, "it must begin with one of %s", known.p);
}

int adapter_rule_read(struct adapter_rules *out, enum adapter_kind kind, const char *text, size_t *n_seats, struct err *e)
{
	static const char *const usage[] = {ADAPTER_USAGE}, *const times[] = {"epoch", "clock", "duration"};
	static const char *const classes[ADAPTER_CLASSES] = {
		[ADAPTER_OK] = "invalid", [ADAPTER_LIMIT] = "limit", [ADAPTER_AUTH] = "auth", [ADAPTER_TRANSIENT] = "transient",
		[ADAPTER_CONFIG] = "config", [ADAPTER_UNKNOWN_SESSION] = "session", [ADAPTER_FAILED] = "failed"};
	int rc = 0;

	out->v = mem_grow(out->v, out->n + 1, sizeof *out->v);
	struct adapter_rule *r = &out->v[out->n++];
	*r = (struct adapter_rule){0};
	text += strspn(text, " \t");
	if (kind == ADAPTER_KIND_USAGE)
		rc = read_tag(&r->tag, &text, usage, MEM_COUNT(usage), e);
	else if (kind == ADAPTER_KIND_RESET)
		rc = read_tag(&r->tag, &text, times, MEM_COUNT(times), e);
	else if (kind == ADAPTER_KIND_FAIL || kind == ADAPTER_KIND_KILL)
		rc = read_tag(&r->tag, &text, classes, MEM_COUNT(classes), e);
	return rc ? rc : add_sources(r, text, kind, n_seats, e);
}

void adapter_rules_fini(struct adapter_rules *r)
{
	for (size_t i = 0; i < r->n; i++) {
		for (size_t k = 0; k < r->v[i].n; k++) {
			struct adapter_source *s = &r->v[i].sources[k];
			where_fini(&s->where);
			where_fini(&s->since);
			strv_fini(&s->numbers);
			free(s->file);
			free(s->path);
			free(s->is);
			pattern_free(s->like);
		}
		free(r->v[i].sources);
	}
	free(r->v);
	*r = (struct adapter_rules){0};
}
