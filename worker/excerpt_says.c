/* excerpt_says: does a line say that something failed? Words of compilers, test runners, linkers, shells and languages,
 * as they are printed by those that are used most. Wrong in both directions at times: it only decides what is shown first. */
#include "excerpt.h"

#include <ctype.h>
#include <string.h>

#include "store/base/mem.h"

enum { START = 1, /* with nothing but blanks before it */
       WORD = 2,  /* no letter, digit or _ on either side */
       CASE = 4,  /* as it is written here */
       HEAD = 8   /* no letter, digit or _ before it */ };

struct mark {
	const char *text; /* lower case unless CASE */
	unsigned how;
};

static const struct mark marks[] = {
	{"*** ", CASE | START},                /* make: *** [all] Error 2 comes with "make" before it: "error" */
	{"--- FAIL", CASE | START},            /* go */
	{"E   ", CASE | START},                /* pytest */
	{"E\t", CASE | START},
	{"Exception", CASE},
	{"FAIL", CASE | WORD},
	{"Sanitizer:", CASE},
	{"Received:", CASE | START},           /* jest */
	{"assert", HEAD},
	{"cannot find", HEAD},
	{"can't find", HEAD},
	{"command not found", HEAD},
	{"core dumped", HEAD},
	{"could not find", HEAD},
	{"could not resolve", HEAD},
	{"data race", WORD},
	{"expected:", HEAD},
	{"fatal:", HEAD},
	{"killed", WORD | START},
	{"multiple definition", HEAD},
	{"no such file or directory", HEAD},
	{"not declared", HEAD},
	{"not ok", START},                     /* TAP */
	{"panic:", HEAD},
	{"panicked at", HEAD},
	{"permission denied", HEAD},
	{"segmentation fault", HEAD},
	{"stack backtrace", HEAD},
	{"timed out", HEAD},
	{"traceback (most recent", HEAD},
	{"undeclared", WORD},
	{"undefined reference", HEAD},
	{"undefined symbol", HEAD},
	{"undefined:", HEAD},                  /* go */
	{"unexpected token", HEAD},
	{"unresolved", HEAD},
	{"\xe2\x97\x8f", CASE | START},        /* jest's round mark */
	{"\xe2\x9c\x95", CASE | START},        /* crosses */
	{"\xe2\x9c\x96", CASE | START},
	{"\xe2\x9c\x97", CASE | START},
	{"\xe2\x9c\x98", CASE | START},
	{"\xe2\x9d\x8c", CASE | START},
	{"\xc3\x97", CASE | START},
};

/* What a line is looked through for byte by byte: does something begin with this one? */
enum { BEGINS = 1, IN_WORD = 2 };
static unsigned char kinds[256], lengths[MEM_COUNT(marks)];

static void learn_kinds(void)
{
	for (int c = 0; c < 256; c++)
		kinds[c] = isalnum(c) || c == '_' ? IN_WORD : 0;
	for (size_t m = 0; m < MEM_COUNT(marks); m++) {
		unsigned char c = (unsigned char)marks[m].text[0];
		lengths[m] = (unsigned char)strlen(marks[m].text);
		kinds[c] |= BEGINS;
		kinds[marks[m].how & CASE ? c : (unsigned char)toupper(c)] |= BEGINS;
	}
	for (const char *c = "eEfF"; *c; c++)
		kinds[(unsigned char)*c] |= BEGINS;
}

static bool in_word(char c)
{
	return kinds[(unsigned char)c] & IN_WORD;
}

static bool same(const char *a, const char *b, size_t n, bool cased)
{
	return cased ? memcmp(a, b, n) == 0 : strncasecmp(a, b, n) == 0;
}

static bool mark_at(const char *line, size_t n, size_t i, size_t blanks)
{
	char first = (char)tolower((unsigned char)line[i]);

	for (size_t m = 0; m < MEM_COUNT(marks); m++) {
		const struct mark *k = &marks[m];
		size_t len = lengths[m];
		if ((k->text[0] != line[i] && k->text[0] != first) || len > n - i ||
		    !same(line + i, k->text, len, k->how & CASE) || ((k->how & START) && i != blanks) ||
		    ((k->how & (WORD | HEAD)) && i && in_word(line[i - 1])) ||
		    ((k->how & WORD) && i + len < n && in_word(line[i + len])))
			continue;
		return true;
	}
	return false;
}

/* "0 errors", "no failures", "errors: 0": a count of what there is none of. */
static bool none(const char *line, size_t n, size_t from, size_t to)
{
	size_t i = from;

	while (i && line[i - 1] == ' ')
		i--;
	if (i >= 1 && i < from && line[i - 1] == '0' && (i < 2 || !isdigit((unsigned char)line[i - 2])))
		return true;
	if (i >= 2 && i < from && strncasecmp(line + i - 2, "no", 2) == 0 && (i < 3 || !in_word(line[i - 3])))
		return true;
	if (i >= 7 && i < from && strncasecmp(line + i - 7, "without", 7) == 0)
		return true;
	for (i = to; i < n && strchr(" :=", line[i]);)
		i++;
	return i > to && i < n && line[i] == '0' && (i + 1 == n || !isdigit((unsigned char)line[i + 1]));
}

/* error, failed, failure: as words of a sentence, not as part of a name (error.rs, error_test, -Wno-error) unless that is
 * the name of what was thrown (TypeError). */
static bool word_at(const char *line, size_t n, size_t i)
{
	static const char *const words[] = {"error", "failed", "failure", "failing"};

	for (size_t w = 0; w < MEM_COUNT(words); w++) {
		size_t len = strlen(words[w]), end = i + len;
		if (len > n - i || strncasecmp(line + i, words[w], len) != 0)
			continue;
		if (end < n && line[end] == 's')
			end++;
		bool thrown = line[i] == 'E' && line[i + 1] == 'r' && i && islower((unsigned char)line[i - 1]);
		bool begins = !i || thrown || !(in_word(line[i - 1]) || strchr("-/.", line[i - 1]));
		bool ends = end == n || !(in_word(line[end]) || strchr("-/", line[end]) ||
		                          (line[end] == '.' && end + 1 < n && in_word(line[end + 1])));
		if (begins && ends && !none(line, n, i, end))
			return true;
	}
	return false;
}

/* What says that something went well, in whose name there may be anything. */
static bool is_good(const char *line, size_t n, size_t blanks)
{
	static const char *const starts[] = {"ok ", "PASS", "--- PASS", "\xe2\x9c\x93", "\xe2\x9c\x94", "\xe2\x88\x9a"};
	static const char *const holds[] = {" PASSED", " Passed ", "warning:", "warning["};

	for (size_t i = 0; i < MEM_COUNT(starts); i++)
		if (str_starts(line + blanks, starts[i]))
			return true;
	for (size_t i = 0; i < MEM_COUNT(holds); i++)
		if (strstr(line, holds[i]))
			return true;
	return n > 4 && strcmp(line + n - 4, "  ok") == 0 ? true : n > 7 && strcmp(line + n - 7, " ... ok") == 0;
}

/* name.ext:12, name.ext(12, File "name", line 12: where something is. */
static bool place_at(const char *line, size_t n, size_t i)
{
	if ((line[i] != ':' && line[i] != '(') || i + 1 >= n || !isdigit((unsigned char)line[i + 1]) || !i)
		return false;
	size_t from = i;
	while (from && isalnum((unsigned char)line[from - 1]))
		from--;
	bool extension = i - from >= 1 && i - from <= 5 && isalpha((unsigned char)line[from]);
	return extension && from >= 2 && line[from - 1] == '.' && in_word(line[from - 2]);
}

enum excerpt_says excerpt_says(const char *line, size_t n)
{
	static const char *const others[] = {"node_modules/", "site-packages/", "/usr/lib", "/rustc/", "note:"};
	if (!kinds['e'])
		learn_kinds();
	size_t blanks = strspn(line, " \t");
	bool place = strstr(line, "File \"") && strstr(line, "\", line ");

	if (is_good(line, n, blanks))
		return EXCERPT_NOTHING;
	for (size_t i = blanks; i < n; i++) {
		char c = line[i];
		place = place || ((c == ':' || c == '(') && place_at(line, n, i));
		if (!(kinds[(unsigned char)c] & BEGINS) || (i && in_word(line[i - 1]) && c != 'E' && c != 'S'))
			continue; /* what may begin within a word begins with one of these */
		if (((c == 'e' || c == 'E' || c == 'f' || c == 'F') && word_at(line, n, i)) || mark_at(line, n, i, blanks))
			return EXCERPT_FAILURE;
	}
	for (size_t i = 0; place && i < MEM_COUNT(others); i++)
		place = !strstr(line, others[i]);
	return place ? EXCERPT_PLACE : EXCERPT_NOTHING;
}
