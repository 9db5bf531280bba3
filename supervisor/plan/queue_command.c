/* queue_command: a text is a command when it is marked as one, or when it begins as one and goes on as one. */
#include "queue_command.h"

#include <stdbool.h>
#include <string.h>

#include "store/base/mem.h"
#include "store/base/str.h"

static bool among(const char *const *words, size_t n, const char *word, size_t len)
{
	for (size_t i = 0; i < n; i++)
		if (strlen(words[i]) == len && memcmp(words[i], word, len) == 0)
			return true;
	return false;
}

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

/* ---- words ---- */

/* Programs that tests are run with, and whose names are no words of a sentence. */
static const char *const runners[] = {
	"npm", "npx", "pnpm", "yarn", "bun", "deno", "pytest", "cargo", "cmake", "ctest", "grep",
	"egrep", "rg", "dotnet", "mvn", "gradle", "tsc", "tsx", "eslint", "jest", "vitest", "mocha",
	"prettier", "ruff", "mypy", "black", "flake8", "pylint", "uv", "poetry", "tox", "composer",
	"phpunit", "bundle", "rake", "rspec", "ninja", "bats", "shellcheck", "gofmt", "rustc", "gcc",
	"clang", "git", "ls",
};

/* These want a file or an option next. */
static const char *const interpreters[] = {"node", "python", "python3", "ruby", "php", "bash", "sh", "diff"};

/* What comes after `go`. */
static const char *const go_verbs[] = {"test", "build", "vet", "run", "fmt", "generate", "mod", "list", "tool"};

/* Words that belong to a sentence. */
static const char *const prose[] = {
	"a", "an", "the", "that", "this", "these", "it", "its", "is", "are", "was", "were", "be",
	"been", "has", "have", "should", "must", "shall", "will", "can", "cannot", "may", "and", "or",
	"but", "of", "to", "for", "from", "in", "on", "at", "by", "with", "without", "when", "where",
	"while", "after", "before", "until", "because", "not", "no", "sure", "still", "now", "only",
	"each", "every", "any", "both", "via", "return", "returns", "returned", "pass", "passes",
	"passed", "passing", "succeed", "succeeds", "success", "successful", "successfully", "fail",
	"fails", "failed", "failing", "show", "shows", "display", "displays", "output", "outputs",
	"print", "prints", "exits", "report", "reports", "expect", "expects", "expected", "contain",
	"contains", "exist", "exists", "work", "works", "run", "runs", "complete", "completes",
	"compiles", "builds", "finds", "find", "match", "matches", "yields", "gives", "produces",
	"result", "results", "error", "errors", "warning", "warnings", "green", "clean", "ok", "okay",
	"empty", "nothing", "none", "then", "verify", "check", "ensure", "confirm", "zero", "exactly",
	"correctly", "against", "manually",
};

/* Some of these are what a program is told first: `npm run`, `make check`, `ruff check`. */
static const char *const verbs[] = {"run", "check", "clean", "test", "build", "verify", "report"};

/* The next word of a command line, as it is written, quoted parts and all; false: the line is no such. */
struct word {
	const char *p;
	size_t n;
	bool quoted; /* some of it */
};

static bool next_word(struct word *w, const char **at)
{
	const char *p = *at + strspn(*at, blanks);

	*w = (struct word){.p = p};
	while (*p && !strchr(blanks, *p)) {
		char quote = *p;
		if (quote == '`' || (unsigned char)quote >= 0x80)
			return false;
		if (quote == '\\' && p[1])
			p++;
		else if (quote == '\'' || quote == '"') {
			w->quoted = true;
			for (p++; *p && *p != quote; p++)
				if (*p == '\\' && quote == '"' && p[1])
					p++;
			if (!*p)
				return false; /* an apostrophe, or cut off */
		}
		p++;
	}
	w->n = (size_t)(p - w->p);
	*at = p;
	return true;
}

static bool is(const struct word *w, const char *text)
{
	return w->n == strlen(text) && memcmp(w->p, text, w->n) == 0;
}

static bool is_letters(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!((p[i] >= 'a' && p[i] <= 'z') || (p[i] >= 'A' && p[i] <= 'Z')))
			return false;
	return n > 0;
}

/* Of a sentence, and not of a command. */
static bool is_prose(const struct word *w, bool first)
{
	/* `grep -c x f > 0` compares: to run it would write to a file named 0. */
	static const char *const signs[] = {"-", "->", "=>", "==", "<=", ">=", "<", ">"};
	char lower[32];

	if (w->quoted)
		return false;
	if (among(signs, MEM_COUNT(signs), w->p, w->n) || *w->p == '(' || w->p[w->n - 1] == ')')
		return true;
	size_t n = w->n;
	if (strchr(",.:;!?", w->p[n - 1]) && is_letters(w->p, n - 1)) {
		if (w->p[n - 1] != ';')
			return true;
		n--; /* a list of commands */
	}
	if (n >= sizeof lower)
		return false;
	for (size_t i = 0; i < n; i++)
		lower[i] = w->p[i] >= 'A' && w->p[i] <= 'Z' ? (char)(w->p[i] - 'A' + 'a') : w->p[i];
	if (first && among(verbs, MEM_COUNT(verbs), lower, n))
		return false;
	return among(prose, MEM_COUNT(prose), lower, n);
}

/* Can this be what an interpreter is given? */
static bool is_file_or_option(const struct word *w)
{
	return w->n && (*w->p == '-' || w->quoted || memchr(w->p, '/', w->n) || memchr(w->p, '.', w->n));
}

static bool is_setting(const struct word *w)
{
	const char *equals = memchr(w->p, '=', w->n);

	if (!equals || equals == w->p)
		return false;
	for (const char *p = w->p; p < equals; p++)
		if (!(*p == '_' || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9' && p > w->p)))
			return false;
	return true;
}

/* Can a command begin with these two words? */
static bool begins(const struct word *first, const struct word *second)
{
	if (!first->n || first->quoted)
		return false;
	if ((str_starts(first->p, "./") || str_starts(first->p, "../")) && first->n > 3)
		return true;
	if (is(first, "make"))
		return !second->n || (!second->quoted && !is_prose(second, true) && *second->p != '(');
	if (is(first, "go"))
		return among(go_verbs, MEM_COUNT(go_verbs), second->p, second->n);
	if (is(first, "test") || is(first, "["))
		return second->n && (*second->p == '-' || *second->p == '!' || second->quoted || *second->p == '$');
	if (is(first, "cd"))
		return second->n;
	if (among(interpreters, MEM_COUNT(interpreters), first->p, first->n))
		return is_file_or_option(second);
	if (is(first, "swift") || is(first, "mix") || is(first, "terraform"))
		return is(second, "test") || is(second, "build") || is(second, "validate");
	return among(runners, MEM_COUNT(runners), first->p, first->n);
}

static bool is_command(const char *text)
{
	struct word first, second, w;
	const char *at = text;

	if (strchr(text, '\n'))
		return false;
	do
		if (!next_word(&first, &at))
			return false;
	while (is_setting(&first));
	const char *rest = at;
	if (!next_word(&second, &at) || !begins(&first, &second))
		return false;
	bool program = !is(&first, "cd"), verb = true; /* a word of `verbs` may follow */
	at = rest;
	while (next_word(&w, &at)) {
		if (!w.n)
			return program;
		if (is_prose(&w, verb))
			return false;
		program = program || is(&w, "&&");
		verb = is(&w, "run") || is(&w, "&&");
	}
	return false;
}

/* ---- what others ask ---- */

char *queue_command(const char *text)
{
	AUTO_FREE char *line = trimmed(text, strlen(text));
	char *inner = marked(line);

	if (inner && *inner)
		return inner;
	free(inner);
	return *line && is_command(line) ? mem_steal(&line) : NULL;
}

char *queue_command_bare(const char *text)
{
	AUTO_FREE char *line = trimmed(text, strlen(text));
	char *inner = marked(line);

	if (inner && *inner)
		return inner;
	free(inner);
	return *line ? mem_steal(&line) : NULL;
}
