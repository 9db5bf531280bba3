/* queue_command: a text is a command when it is marked as one, or when each command of its line is a known one
 * (queue_programs) that nothing of a sentence follows. */
#include "queue_command.h"

#include <string.h>

#include "queue_programs.h"
#include "store/base/mem.h"
#include "store/base/str.h"

static const char blanks[] = " \t\r\n";

/* A copy of text[0..n) without blanks around it. */
static char *trimmed(const char *text, size_t n)
{
	while (n && strchr(blanks, *text))
		text++, n--;
	while (n && strchr(blanks, text[n - 1]))
		n--;
	return mem_strndup(text, n);
}

/* What is between one or more backticks that enclose the whole; NULL = they do not. */
static char *between_ticks(const char *text, size_t n)
{
	size_t ticks = strspn(text, "`");

	if (!ticks || n <= 2 * ticks)
		return NULL;
	const char *inner = text + ticks;
	size_t len = n - 2 * ticks;
	if (strspn(inner + len, "`") != ticks || memchr(inner, '`', len))
		return NULL;
	/* A block may name its language in its first line. */
	if (ticks >= 3 && (str_starts(inner, "bash\n") || str_starts(inner, "sh\n") || str_starts(inner, "shell\n"))) {
		size_t word = strcspn(inner, "\n");
		inner += word, len -= word;
	}
	return trimmed(inner, len);
}

/* The same after `$ `. */
static char *after_dollar(const char *text)
{
	return str_starts(text, "$ ") && !strchr(text, '\n') ? trimmed(text + 2, strlen(text + 2)) : NULL;
}

static char *marked(const char *text)
{
	char *inner = between_ticks(text, strlen(text));

	if (!inner)
		return after_dollar(text);
	char *bare = after_dollar(inner); /* both */
	if (!bare)
		return inner;
	free(inner);
	return bare;
}

/* ---- a line of commands ---- */

enum { MAX_WORDS = 64 };

static bool is_command(const char *text);

/* The end of $(...) at p; NULL = what is in it is no command, or has another in it. */
static const char *end_of_substitution(const char *p)
{
	const char *end = strchr(p, ')');
	AUTO_FREE char *inner = end ? mem_strndup(p + 2, (size_t)(end - p - 2)) : NULL;

	return inner && !strstr(inner, "$(") && is_command(inner) ? end : NULL;
}

/* The next word, as it is written, quoted parts and all, and the first sign of a shell in it; false: the line is none of
 * a shell, or puts in what is no command. */
static bool next_word(struct queue_word *w, const char **sign, const char **at)
{
	const char *p = *at + strspn(*at, blanks);
	char quote = 0;

	*w = (struct queue_word){.p = p};
	*sign = NULL;
	for (; *p && (quote || !strchr(blanks, *p)); p++) {
		bool substitution = quote != '\'' && p[0] == '$' && p[1] == '(';
		if ((*p == '`' && quote != '\'') || (!quote && (unsigned char)*p >= 0x80))
			return false;
		if (!quote && !*sign && strchr("<>|&;()", *p))
			*sign = p;
		w->quoted = w->quoted || quote || substitution;
		if (substitution && !(p = end_of_substitution(p)))
			return false;
		if (substitution)
			continue;
		if (*p == quote)
			quote = 0;
		else if (!quote && (*p == '\'' || *p == '"'))
			quote = *p;
		else if (*p == '\\' && quote != '\'' && p[1])
			p++;
	}
	w->n = (size_t)(p - w->p);
	*at = p;
	return !quote; /* else an apostrophe, or cut off */
}

static bool is_one_of(const struct queue_word *w, const char *const *texts, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (queue_programs_is(w, texts[i]))
			return true;
	return false;
}

static bool is_setting(const struct queue_word *w)
{
	const char *equals = memchr(w->p, '=', w->n);

	if (!equals || equals == w->p)
		return false;
	for (const char *p = w->p; p < equals; p++)
		if (!(*p == '_' || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9' && p > w->p)))
			return false;
	return true;
}

/* One command; `last`: of its line, `filter`: what the one before it writes is its input. */
static bool fits(struct queue_word *w, size_t n, bool last, bool filter)
{
	while (n && is_setting(w))
		w++, n--;
	if (n && queue_programs_is(w, "cd"))
		return n == 2 && !last;
	return queue_programs_fit(w, n, filter);
}

/* `test -f f && echo ok`: says so where it is looked at. In any other place it would make green what is not, or hide it. */
static bool says(const struct queue_word *w, size_t n)
{
	return n == 2 && queue_programs_is(w, "echo") && *w[1].p != '-';
}

static bool is_command(const char *text)
{
	static const char *const joins[] = {"&&", "||", "|", ";"};
	static const char *const quiet[] = {"2>&1", ">/dev/null", "2>/dev/null", "&>/dev/null"};
	struct queue_word words[MAX_WORDS], w;
	const char *at = text, *sign;
	size_t n = 0;
	bool filter = false, asked = false;

	if (strchr(text, '\n'))
		return false;
	while (n < MAX_WORDS && next_word(&w, &sign, &at)) {
		bool end = !w.n, join = is_one_of(&w, joins, MEM_COUNT(joins));
		bool ends = !join && sign && *sign == ';' && sign + 1 == at; /* the word is the last of its command */
		if (sign && !join && !ends && !is_one_of(&w, quiet, MEM_COUNT(quiet)))
			return false; /* any other sign leads somewhere */
		w.n -= ends;
		if (!end && (!sign || ends))
			words[n++] = w;
		if (!end && !join && !ends)
			continue;
		if (end || !fits(words, n, false, filter))
			return end && (fits(words, n, true, filter) || (asked && says(words, n)));
		filter = queue_programs_is(&w, "|");
		asked = queue_programs_is(&w, "&&") && (queue_programs_is(words, "test") || queue_programs_is(words, "["));
		n = 0;
	}
	return false;
}

/* ---- what others ask ---- */

char *queue_command(const char *text, bool certain)
{
	AUTO_FREE char *line = trimmed(text, strlen(text));
	char *inner = marked(line);

	if (inner && *inner)
		return inner;
	free(inner);
	return *line && (certain || is_command(line)) ? mem_steal(&line) : NULL;
}
