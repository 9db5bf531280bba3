/* leak: finding secrets in one file, line by line. */
#include "leak.h"

#include <ctype.h>
#include <string.h>

#include "leak_rules.h"
#include "store/base/mem.h"
#include "store/seal.h"

enum {
	LINE_WRITTEN = 1000, /* longer ones are made by programs */
	LINE_MAX = 256 * 1024, /* what is behind it is looked at as another line of the same number, ... */
	LINE_AGAIN = 4 * 1024, /* with so much of what was before: a token may lie across */
	ASK_AFTER = 64 * 1024,
	SPANS = 64,
	KEY_LOOK = 8,  /* lines of a private key before the key itself begins */
	KEY_SURE = 32, /* characters of a key in a row */
};

static const char marker[] = "bosk:allow-secret";

struct scan {
	const struct leak_rules *rules;
	const struct gitx_added *f;
	leak_sink *sink;
	leak_over *over;
	void *ctx;
	bool *active; /* of each rule: can it find something in this file? */
	size_t range; /* in f->lines */
	const char *before; /* the line before this one */
	size_t n_before;
	bool before_added;
	size_t limit; /* in this line: what begins behind it is found in its next piece */
	size_t key_lines; /* of a private key that has begun; 0 = none, or it was found */
	bool key_allowed;
	/* Of this line: what was found already. */
	struct pattern_span spans[SPANS];
	size_t n_spans;
};

void leak_print(char *print, const char *rule, const char *path, const char *value, size_t n)
{
	AUTO_FREE char *copy = mem_strndup(value, n);
	const char *const pieces[] = {"bosk-leak", rule, path, copy};
	char hex[SEAL_HEX];

	seal_hash_pieces(hex, pieces, MEM_COUNT(pieces));
	memcpy(print, hex, LEAK_PRINT - 1);
	print[LEAK_PRINT - 1] = '\0';
}

/* ---- comments that allow ---- */

/* Names of rules behind the mark: only these are allowed. None: all. */
static bool mark_allows(const char *line, size_t n, const char *rule)
{
	const char *at = memmem(line, n, marker, strlen(marker));
	bool named = false;

	if (!at)
		return false;
	for (const char *p = at + strlen(marker), *end = line + n; p < end;) {
		size_t len = 0;
		while (p + len < end && (islower((unsigned char)p[len]) || p[len] == '-'))
			len++;
		if (len && leak_rule_known(p, len)) {
			if (strlen(rule) == len && memcmp(p, rule, len) == 0)
				return true;
			named = true;
		}
		p += len + 1;
	}
	return !named;
}

/* A line that is nothing else: what stands at the end of code speaks of that. */
static bool comment_only(const char *line, size_t n)
{
	static const char *const begin[] = {"#", "//", "/*", "*", "--", ";", "<!--", "%", "{/*", "{{!", "\"\"\"", "'''", "rem ", "REM "};

	while (n && isspace((unsigned char)*line))
		line++, n--;
	for (size_t i = 0; i < MEM_COUNT(begin); i++)
		if (n >= strlen(begin[i]) && memcmp(line, begin[i], strlen(begin[i])) == 0)
			return true;
	return false;
}

/* What is a secret by its shape, who adds it cannot allow himself: only a comment that was there before counts. */
static bool is_allowed(const struct scan *s, const char *line, size_t n, const struct leak_rule *rule)
{
	bool sure = rule->kind == LEAK_SHAPE || rule == &leak_rules_all[LEAK_PRIVATE_KEY];
	bool here = !sure && mark_allows(line, n, rule->name);

	return here || (s->before && !(sure && s->before_added) && comment_only(s->before, s->n_before) &&
	                mark_allows(s->before, s->n_before, rule->name));
}

/* ---- one line ---- */

static void tell(struct scan *s, const struct leak_rule *rule, size_t number, bool allowed, const char *value, size_t n)
{
	struct leak_finding f = {.rule = rule->name, .what = rule->what, .line = s->f->binary ? 0 : number, .allowed = allowed};

	leak_print(f.print, rule->name, s->f->path, value, n);
	if (n && (rule->kind != LEAK_ALWAYS || rule == &leak_rules_all[LEAK_PRIVATE_KEY])) {
		AUTO_FREE char *copy = mem_strndup(value, n);
		const char *const pieces[] = {"bosk-leak-value", rule->name, copy};
		seal_hash_pieces(f.value, pieces, MEM_COUNT(pieces));
	}
	s->sink(s->ctx, &f);
}

/* A part of what a more certain rule has found is no second secret. */
static bool taken(struct scan *s, struct pattern_span at)
{
	for (size_t i = 0; i < s->n_spans; i++)
		if (at.at < s->spans[i].at + s->spans[i].len && s->spans[i].at < at.at + at.len)
			return true;
	if (s->n_spans < SPANS)
		s->spans[s->n_spans++] = at;
	return false;
}

static void try_rule(struct scan *s, size_t i, const char *line, size_t n, size_t number)
{
	const struct leak_rule *rule = &leak_rules_all[i];
	struct pattern_span at[2];

	for (size_t from = 0; from < n && pattern_find(s->rules->patterns[i], line, n, from, at, 2);) {
		if (at[1].at >= s->limit)
			return;
		if (leak_value_real(rule->kind, line + at[1].at, at[1].len) && !taken(s, at[1])) {
			tell(s, rule, number, is_allowed(s, line, n, rule), line + at[1].at, at[1].len);
			return; /* one of a rule on each line is enough */
		}
		/* What looks like an example may hide what is behind it. */
		from = at[0].at + 1 > at[1].at ? at[0].at + 1 : at[1].at;
	}
}

static void look_at(struct scan *s, const char *line, size_t n, size_t number)
{
	bool hinted = leak_rules_hinted(line, n), comment = n && comment_only(line, n) && *line != '*';

	s->n_spans = 0;
	for (size_t i = LEAK_SPECIALS; i < leak_rules_n; i++) {
		const struct leak_rule *rule = &leak_rules_all[i];
		if (!s->active[i] || (rule->where & LEAK_WRITTEN && n > LINE_WRITTEN) || (rule->where & LEAK_SCRIPT && comment))
			continue;
		if (rule->hint ? leak_rules_has(rule, line, n) : hinted)
			try_rule(s, i, line, n, number);
	}
}

/* ---- private keys ---- */

static bool key_char(char c)
{
	return isalnum((unsigned char)c) || c == '+' || c == '/' || c == '=';
}

/* Where a piece of a key begins, or n. */
static size_t key_at(const char *line, size_t n, size_t from)
{
	size_t row = 0;

	for (size_t i = from; i < n; i++) {
		row = key_char(line[i]) ? row + 1 : 0;
		if (row == KEY_SURE)
			return i + 1 - KEY_SURE;
	}
	return n;
}

/* Its first line alone stands in many a source: it counts with a beginning of the key. */
static void look_for_key(struct scan *s, const char *line, size_t n, size_t number, bool added)
{
	static const char begin[] = "-----BEGIN ", end[] = "-----END ", words[] = "PRIVATE KEY", putty[] = "Private-Lines:";
	const struct leak_rule *rule = &leak_rules_all[LEAK_PRIVATE_KEY];
	const char *at = memmem(line, n, begin, strlen(begin));
	size_t from = 0;

	if (at) {
		size_t left = n - (size_t)(at - line);
		const char *name = memmem(at, left < 64 ? left : 64, words, strlen(words));
		s->key_lines = name ? 1 : 0;
		s->key_allowed = name && is_allowed(s, line, n, rule);
		from = name ? (size_t)(name - line) + strlen(words) : 0;
	} else if (n < 64 && memmem(line, n, putty, strlen(putty))) {
		s->key_lines = 1;
		s->key_allowed = is_allowed(s, line, n, rule);
	}
	if (!s->key_lines)
		return;
	size_t piece = key_at(line, n, from);
	if (piece < n) {
		/* A part of one that was there: lines before this one are no news. */
		if (added && leak_value_real(LEAK_SHAPE, line + piece, n - piece < 64 ? n - piece : 64)) {
			tell(s, rule, number, s->key_allowed || is_allowed(s, line, n, rule), line + piece, n - piece);
			s->key_lines = 0;
		}
	} else if (memmem(line + from, n - from, end, strlen(end)) || ++s->key_lines > KEY_LOOK) {
		s->key_lines = 0;
	}
}

/* ---- the file ---- */

static bool is_added(struct scan *s, size_t number)
{
	const struct gitx_added *f = s->f;

	while (s->range < f->n_lines && number - f->lines[s->range].from >= f->lines[s->range].n && number >= f->lines[s->range].from)
		s->range++;
	return s->range < f->n_lines && number >= f->lines[s->range].from;
}

/* Most rules have nothing to say of most files. */
static void choose(struct scan *s)
{
	const struct gitx_added *f = s->f;
	bool hinted = leak_rules_hinted(f->text, f->n), script = leak_path_script(f->path, f->text, f->n) || f->executable;
	bool code = leak_path_code(f->path), made = leak_path_made(f->path);

	for (size_t i = LEAK_PRIVATE_KEY; i < leak_rules_n; i++) {
		const struct leak_rule *rule = &leak_rules_all[i];
		s->active[i] = !(rule->where & LEAK_TEXT && f->binary) && !(rule->where & LEAK_WRITTEN && made) &&
		               !(rule->where & LEAK_NO_CODE && code) && !(rule->where & LEAK_SCRIPT && !script) &&
		               (rule->hint ? leak_rules_has(rule, f->text, f->n) : hinted);
	}
}

static void scan_lines(struct scan *s)
{
	const struct gitx_added *f = s->f;
	size_t number = 1, asked = 0;

	for (size_t at = 0; at < f->n;) {
		if (s->over && at - asked >= ASK_AFTER) {
			asked = at;
			if (s->over(s->ctx))
				return;
		}
		const char *line = f->text + at, *newline = memchr(line, '\n', f->n - at);
		size_t len = newline ? (size_t)(newline - line) : f->n - at;
		bool cut = len > LINE_MAX, added = is_added(s, number);
		if (cut)
			len = LINE_MAX;
		size_t shown = len && line[len - 1] == '\r' ? len - 1 : len;
		s->limit = cut ? len - LINE_AGAIN : SIZE_MAX;
		if (added)
			look_at(s, line, shown, number);
		if (s->active[LEAK_PRIVATE_KEY])
			look_for_key(s, line, shown, number, added);
		s->before = line;
		s->n_before = shown;
		s->before_added = added;
		at += cut ? len - LINE_AGAIN : len + 1;
		number += !cut;
	}
}

void leak_scan_mode(const char *path, leak_sink *sink, void *ctx)
{
	struct gitx_added f = {.path = path};
	struct scan s = {.f = &f, .sink = sink, .ctx = ctx};

	tell(&s, &leak_rules_all[LEAK_WORLD_WRITABLE], 0, false, "", 0);
}

bool leak_hide(const struct leak_rules *r, const char *path, struct str *out, const char **rule, const char **what)
{
	size_t n = strlen(path), kept = 0;
	struct pattern_span at[2];
	bool found = false;

	for (size_t from = 0; from < n; from = kept) {
		size_t best = n, len = 0;
		for (size_t i = LEAK_SPECIALS; i < leak_rules_n; i++) {
			const struct leak_rule *k = &leak_rules_all[i];
			if (k->kind != LEAK_SHAPE || !leak_rules_has(k, path, n) || !pattern_find(r->patterns[i], path, n, from, at, 2) ||
			    at[1].at >= best || !leak_value_real(k->kind, path + at[1].at, at[1].len))
				continue;
			best = at[1].at;
			len = at[1].len;
			*rule = k->name;
			*what = k->what;
			found = true;
		}
		str_addn(out, path + from, best - from);
		if (len)
			str_add(out, "[...]");
		kept = best + len;
	}
	return found;
}

void leak_scan(const struct leak_rules *r, const struct gitx_added *f, leak_sink *sink, leak_over *over, void *ctx)
{
	AUTO_FREE bool *active = mem_array(leak_rules_n, sizeof *active);
	struct scan s = {.rules = r, .f = f, .sink = sink, .over = over, .ctx = ctx, .active = active};

	if (str_eq(f->path, LEAK_ALLOW_FILE))
		tell(&s, &leak_rules_all[LEAK_ALLOW], 0, false, "", 0);
	if (f->fresh && !f->link && leak_path_secret(f->path, f->text, f->n))
		tell(&s, &leak_rules_all[LEAK_FILE_NAME], 0, false, "", 0);
	if (!f->text || !f->n_lines)
		return;
	choose(&s);
	scan_lines(&s);
}
