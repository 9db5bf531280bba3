/* secret_shape: the shapes of tokens. Each is decided within 1 KiB; what is longer is followed by its
 * run. In doubt a text is taken for a token, but words and paths of daily use must stay readable. */
#include "secret_shape.h"

#include <string.h>

#include "store/base/mem.h"

enum { LOOK_MAX = 1024, LABEL_MAX = 48, FILLER_MAX = 64, PEM_SURE = 8, AWS_SECRET = 40 };

static const char mark[] = "[redacted]";

/* A prefix and at least `min` characters of the run after it. */
static const struct shape {
	const char *prefix;
	enum secret_run run;
	size_t min;
	bool word; /* not within a word: "sk-" ends task-, risk-, disk- */
} shapes[] = {
	{"ghp_", SECRET_RUN_ALNUM, 30, false},
	{"gho_", SECRET_RUN_ALNUM, 30, false},
	{"ghs_", SECRET_RUN_ALNUM, 30, false},
	{"ghu_", SECRET_RUN_ALNUM, 30, false},
	{"ghr_", SECRET_RUN_ALNUM, 30, false},
	{"github_pat_", SECRET_RUN_WORD, 40, false},
	{"glpat-", SECRET_RUN_WORD, 20, false},
	{"sk-ant-", SECRET_RUN_WORD, 20, false},
	{"sk-proj-", SECRET_RUN_WORD, 20, false},
	{"sk-svcacct-", SECRET_RUN_WORD, 20, false},
	{"sk-admin-", SECRET_RUN_WORD, 20, false},
	{"sk-or-v1-", SECRET_RUN_WORD, 20, false},
	{"sk-", SECRET_RUN_ALNUM, 32, true},
	{"AKIA", SECRET_RUN_ALNUM, 16, true},
	{"ASIA", SECRET_RUN_ALNUM, 16, true},
	{"AIza", SECRET_RUN_WORD, 35, true},
	{"xoxb-", SECRET_RUN_WORD, 10, false},
	{"xoxa-", SECRET_RUN_WORD, 10, false},
	{"xoxp-", SECRET_RUN_WORD, 10, false},
	{"xoxr-", SECRET_RUN_WORD, 10, false},
	{"xoxs-", SECRET_RUN_WORD, 10, false},
	{"npm_", SECRET_RUN_ALNUM, 36, false},
};

/* An AWS secret key is 40 characters like any others: known by what stands before it. */
static const char *const aws_names[] = {"secret_access_key", "SECRET_ACCESS_KEY", "SecretAccessKey"};

static const char pem[] = "-----BEGIN ", jwt[] = "eyJ";

static bool letter(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool one_of(unsigned char c, const char *set)
{
	return c && strchr(set, c);
}

bool secret_shape_runs(enum secret_run run, unsigned char c)
{
	bool alnum = letter(c) || (c >= '0' && c <= '9');

	switch (run) {
	case SECRET_RUN_NONE:
		return false;
	case SECRET_RUN_ALNUM:
		return alnum;
	case SECRET_RUN_WORD:
		return alnum || one_of(c, "_-");
	case SECRET_RUN_DOTTED:
		return alnum || one_of(c, "_-.");
	case SECRET_RUN_BASE64:
		return alnum || one_of(c, "+/=");
	case SECRET_RUN_PEM: /* indented, with headers, or as a text with \n in it */
		return alnum || one_of(c, "+/=-:,\\ \t\r\n");
	case SECRET_RUN_PEM_END:
		return (c >= 'A' && c <= 'Z') || one_of(c, " -");
	}
	return false;
}

/* At *at: the text `word`, and *at moved behind it. */
static enum secret_found word_at(const unsigned char *p, size_t n, bool all, size_t *at,
                                 const char *word)
{
	size_t len = strlen(word), left = n - *at;

	if (memcmp(p + *at, word, left < len ? left : len) != 0)
		return SECRET_NO;
	if (left < len)
		return all ? SECRET_NO : SECRET_WAIT;
	*at += len;
	return SECRET_YES;
}

/* At *at: at least `min` characters of the run, and *at moved behind these. */
static enum secret_found run_at(const unsigned char *p, size_t n, bool all, size_t *at,
                                enum secret_run run, size_t min)
{
	for (size_t i = 0; i < min; i++, ++*at) {
		if (*at == n)
			return all ? SECRET_NO : SECRET_WAIT;
		if (!secret_shape_runs(run, p[*at]))
			return SECRET_NO;
	}
	return SECRET_YES;
}

/* All of the run, at most `max`; WAIT when its end is not in sight. */
static enum secret_found skip(const unsigned char *p, size_t n, bool all, size_t *at,
                              bool (*is)(unsigned char), size_t max)
{
	size_t from = *at;
	while (*at < n && *at - from < max && is(p[*at]))
		++*at;
	return *at == n && *at - from < max && !all ? SECRET_WAIT : SECRET_YES;
}

/* One of the steps above did not say YES: neither does the shape. */
#define MUST(step)                                                                                \
	do {                                                                                      \
		enum secret_found found_ = (step);                                                \
		if (found_ != SECRET_YES)                                                         \
			return found_;                                                            \
	} while (0)

static enum secret_found prefixed(const unsigned char *p, size_t n, bool all,
                                  const struct shape *s, struct secret_match *m)
{
	size_t at = 0;
	MUST(word_at(p, n, all, &at, s->prefix));
	MUST(run_at(p, n, all, &at, s->run, s->min));
	*m = (struct secret_match){.n = at, .run = s->run, .mark = mark};
	return SECRET_YES;
}

static bool label(unsigned char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == ' ';
}

static bool filler(unsigned char c)
{
	return one_of(c, " \t\r\n\\");
}

/* The line that begins a private key, and a beginning of the key itself: the line alone stands in many
 * a source. */
static enum secret_found pem_at(const unsigned char *p, size_t n, bool all, struct secret_match *m)
{
	size_t at = 0;
	MUST(word_at(p, n, all, &at, pem));
	size_t from = at;
	MUST(skip(p, n, all, &at, label, LABEL_MAX));
	if (!memmem(p + from, at - from, "PRIVATE KEY", strlen("PRIVATE KEY")))
		return SECRET_NO;
	MUST(word_at(p, n, all, &at, "-----"));
	/* "\n" may be written out. */
	for (int line = 0; line < 4; line++) {
		MUST(skip(p, n, all, &at, filler, FILLER_MAX));
		if (at < n && p[at - 1] == '\\' && one_of(p[at], "nr"))
			at++;
	}
	for (size_t i = 0; i < PEM_SURE; i++, at++) {
		if (at == n)
			return all ? SECRET_NO : SECRET_WAIT;
		if (!secret_shape_runs(SECRET_RUN_BASE64, p[at]) && !one_of(p[at], ":-"))
			return SECRET_NO;
	}
	*m = (struct secret_match){.n = at, .run = SECRET_RUN_PEM, .mark = mark};
	return SECRET_YES;
}

static bool word_char(unsigned char c)
{
	return secret_shape_runs(SECRET_RUN_WORD, c);
}

static enum secret_found jwt_at(const unsigned char *p, size_t n, bool all, struct secret_match *m)
{
	size_t at = 0;
	MUST(word_at(p, n, all, &at, jwt));
	MUST(run_at(p, n, all, &at, SECRET_RUN_WORD, 8));
	MUST(skip(p, n, all, &at, word_char, LOOK_MAX - 32));
	MUST(word_at(p, n, all, &at, ".eyJ"));
	*m = (struct secret_match){.n = at, .run = SECRET_RUN_DOTTED, .mark = mark};
	return SECRET_YES;
}

static bool assigns(unsigned char c)
{
	return one_of(c, " \t\"'=:\\");
}

static enum secret_found aws_at(const unsigned char *p, size_t n, bool all, const char *name,
                                struct secret_match *m)
{
	size_t at = 0;
	MUST(word_at(p, n, all, &at, name));
	size_t from = at;
	MUST(skip(p, n, all, &at, assigns, 8));
	if (at == from)
		return SECRET_NO;
	MUST(run_at(p, n, all, &at, SECRET_RUN_BASE64, AWS_SECRET));
	*m = (struct secret_match){.n = at, .run = SECRET_RUN_BASE64, .mark = mark};
	return SECRET_YES;
}

static bool user_info(unsigned char c)
{
	return c > ' ' && c != 0x7f && !one_of(c, "/?#@\"'<>`\\[]");
}

/* "//user:password@" after a colon; the two slashes are given back with the mark. */
static enum secret_found url_at(const unsigned char *p, size_t n, bool all, struct secret_match *m)
{
	size_t at = 0;
	MUST(word_at(p, n, all, &at, "//"));
	MUST(skip(p, n, all, &at, user_info, LOOK_MAX / 2));
	const unsigned char *colon = memchr(p + 2, ':', at - 2);
	if (at == n || p[at] != '@' || !colon || colon + 1 == p + at || one_of(colon[1], "${*"))
		return SECRET_NO;
	*m = (struct secret_match){.n = at, .mark = "//[redacted]", .url = true};
	return SECRET_YES;
}

const char *secret_shape_start(size_t i)
{
	static const char *const others[] = {pem, jwt, "//"};

	if (i < MEM_COUNT(shapes))
		return shapes[i].prefix;
	i -= MEM_COUNT(shapes);
	if (i < MEM_COUNT(aws_names))
		return aws_names[i];
	i -= MEM_COUNT(aws_names);
	return i < MEM_COUNT(others) ? others[i] : NULL;
}

/* The first that matches; a shape that must wait comes before the ones behind it, so that the answer
 * does not depend on where the bytes were cut. */
enum secret_found secret_shape_at(const unsigned char *p, size_t n, bool all,
                                  const unsigned char prev[2], struct secret_match *m)
{
	bool in_word = letter(prev[0]) && letter(prev[1]);
	enum secret_found found = SECRET_NO;

	for (size_t i = 0; i < MEM_COUNT(shapes) && found == SECRET_NO; i++)
		if (p[0] == shapes[i].prefix[0] && !(shapes[i].word && in_word))
			found = prefixed(p, n, all, &shapes[i], m);
	for (size_t i = 0; i < MEM_COUNT(aws_names) && found == SECRET_NO; i++)
		if (p[0] == aws_names[i][0])
			found = aws_at(p, n, all, aws_names[i], m);
	if (found == SECRET_NO && p[0] == pem[0])
		found = pem_at(p, n, all, m);
	if (found == SECRET_NO && p[0] == jwt[0])
		found = jwt_at(p, n, all, m);
	if (found == SECRET_NO && p[0] == '/' && prev[1] == ':')
		found = url_at(p, n, all, m);
	m->name = m->url ? "a password in a URL" : "a token";
	return found;
}
