/* queue_programs: tables of programs, of their verbs, and of words of sentences. */
#include "queue_programs.h"

#include <string.h>

#include "store/base/mem.h"
#include "store/base/str.h"

enum form {
	ARGS,    /* files, options, quoted texts; plain words as many as `plain` says */
	GIVEN,   /* the same, and one of these comes first */
	VERBS,   /* one of its verbs, then the same */
	TARGETS, /* names of what to build or check, and options */
	AROUND,  /* one of its verbs if it has any, then another command */
	ASKS,    /* an expression of test(1) */
};

struct program {
	const char *names, *verbs; /* words in one text */
	const char *named;         /* verbs behind which the name of a script comes, whatever it is */
	enum form form;
	size_t plain;
	bool scripts; /* a target stands for a verb */
};

static const struct program programs[] = {
	{"npm", "test t ci install audit ls", "run run-script", VERBS, 0, false},
	{"yarn pnpm bun", "install audit", "run", VERBS, 0, true},
	{"npx bunx", "", "", AROUND, 0, false},
	{"deno", "test check lint fmt run bench", "task", VERBS, 0, false},
	{"pytest rspec phpunit tox bats", "", "", ARGS, 0, false},
	{"jest vitest mocha", "", "", ARGS, 1, false},
	{"vitest playwright cypress", "test run", "", VERBS, 1, false},
	{"tsc eslint prettier mypy flake8 pylint shellcheck ls cmake ctest", "", "", ARGS, 0, false},
	{"node python python3 ruby php bash sh tsx", "", "", GIVEN, 1, false},
	{"black gofmt rustc gcc clang diff", "", "", GIVEN, 0, false},
	{"ruff", "check format", "", VERBS, 0, false},
	{"cargo", "test check build clippy fmt doc bench nextest run deny audit", "", VERBS, 1, false},
	{"go", "test build vet run fmt generate list", "", VERBS, 0, false},
	{"go", "mod tool", "", VERBS, 1, false},
	{"dotnet", "test build run format restore", "", VERBS, 0, false},
	{"swift mix terraform", "test build validate", "", VERBS, 0, false},
	{"composer", "test validate install", "run run-script", VERBS, 0, false},
	{"uv poetry", "run", "", AROUND, 0, false},
	{"uv poetry", "sync install check", "", VERBS, 0, false},
	{"bundle", "exec", "", AROUND, 0, false},
	{"bundle", "install check", "", VERBS, 0, false},
	{"make ninja rake gradle mvn", "", "", TARGETS, 0, false},
	{"git", "diff status log show ls-files rev-parse merge-base check-ignore cat-file", "", VERBS, 0, false},
	{"git", "grep", "", VERBS, 2, false},
	{"grep egrep rg", "", "", ARGS, 2, false},
	{"test [", "", "", ASKS, 0, false},
};

/* These only read what is written to them. */
static const char filters[] = "head tail wc sort uniq cat cut tr jq";

/* What is built or checked: `make NAME`, `npm run NAME`; a name of several words has one of them. */
static const char targets[] = "all test tests check checks build verify lint typecheck types tsc format fmt ci clean bench e2e "
                              "unit integration smoke coverage docs doc compile assemble package dist validate vet spec";
/* ... and where it is. */
static const char folders[] = "src lib libs test tests spec app apps web api server client packages pkg cmd internal scripts "
                              "bin build dist docs include core";
/* Names that do more than that. */
static const char sends[] = "publish push deploy release upload ship";

/* Words that belong to a sentence. */
static const char prose[] =
	"a an the that this these it its is are was were be been has have should must shall will can cannot may and or but of "
	"to for from in on at by with without when where while after before until because not no sure still now only each "
	"every any both via than under above below over less more most least return returns returned pass passes passed "
	"passing succeed succeeds success successful successfully fail fails failed failing show shows display displays "
	"output outputs print prints exits report reports expect expects expected contain contains exist exists work works "
	"run runs complete completes compiles builds finds find match matches yields gives produces handles stays stay "
	"remains unchanged updated kept result results error errors warning warnings green clean ok okay empty nothing none "
	"everything then verify check ensure confirm zero exactly correctly against manually once twice again too locally "
	"coverage time times size speed count suite";

/* ---- words ---- */

/* Is it one of the words of a list? Case does not matter. */
static bool among(const char *list, const char *word, size_t n)
{
	for (const char *p = list; *p && n; p += strspn(p, " ")) {
		size_t len = strcspn(p, " "), same = 0;
		while (len == n && same < n && (word[same] | ((unsigned char)(word[same] - 'A') < 26 ? 32 : 0)) == p[same])
			same++;
		if (same == n)
			return true;
		p += len;
	}
	return false;
}

static bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool is_letter(char c)
{
	return is_upper(c) || (c >= 'a' && c <= 'z');
}

static size_t letters(const char *p, size_t n)
{
	size_t k = 0;

	while (k < n && is_letter(p[k]))
		k++;
	return k;
}

/* Of a name such as test:unit, test-unit, testUnit or .test_unit: is one of its words in the list? */
static bool part_among(const char *list, const struct queue_word *w)
{
	for (size_t i = 0, end; i < w->n; i = end) {
		end = i + 1;
		if (!is_letter(w->p[i]))
			continue;
		while (end < w->n && ((is_letter(w->p[end]) && !is_upper(w->p[end])) || (w->p[end] >= '0' && w->p[end] <= '9')))
			end++;
		if (among(list, w->p + i, end - i))
			return true;
	}
	return false;
}

bool queue_programs_is(const struct queue_word *w, const char *text)
{
	return w->n == strlen(text) && memcmp(w->p, text, w->n) == 0;
}

static bool is_option(const struct queue_word *w)
{
	return w->n > 1 && *w->p == '-';
}

/* A word as sentences have them; HEAD and LoginTest are names. */
static bool is_plain(const struct queue_word *w)
{
	for (size_t i = 1; i < w->n; i++)
		if (is_upper(w->p[i]))
			return false;
	return !w->quoted && letters(w->p, w->n) == w->n;
}

/* Of a sentence, and not of a command. */
static bool is_prose(const struct queue_word *w)
{
	/* `grep -c x f > 0` compares: to run it would write to a file named 0. */
	static const char signs[] = "- -> => == = <= >= != < > & + | ~";
	char last = w->p[w->n - 1];

	if (w->quoted)
		return false;
	if (among(signs, w->p, w->n) || last == '%' || (strchr(",.:!?", last) && letters(w->p, w->n - 1) == w->n - 1 && w->n > 1))
		return true;
	return among(prose, w->p, w->n);
}

static bool is_target(const struct queue_word *w)
{
	return !w->quoted && part_among(targets, w) && !part_among(sends, w);
}

/* ---- what follows a program ---- */

/* Files, options with what is given to them, quoted texts, and so many plain words. */
static bool args_fit(const struct queue_word *w, size_t n, size_t plain)
{
	bool free = false; /* after an option, or after -- */

	for (size_t i = 0; i < n; i++) {
		if (queue_programs_is(&w[i], "--")) {
			plain = n;
			continue;
		}
		bool level = free && w[i - 1].n == 2 && is_upper(w[i - 1].p[1]); /* -D warnings */
		if (!level && is_prose(&w[i]))
			return false;
		if (is_plain(&w[i]) && !free && !among(folders, w[i].p, w[i].n) && !plain--)
			return false;
		free = is_option(&w[i]) && !memchr(w[i].p, '=', w[i].n);
	}
	return true;
}

static bool targets_fit(const struct queue_word *w, size_t n)
{
	bool free = false;

	for (size_t i = 0; i < n; i++) {
		bool setting = !w[i].quoted && w[i].n > 1 && *w[i].p != '=' && memchr(w[i].p, '=', w[i].n);
		if (!is_target(&w[i]) && !is_option(&w[i]) && !setting && !(free && !is_prose(&w[i]) && !part_among(sends, &w[i])))
			return false;
		free = is_option(&w[i]);
	}
	return true;
}

/* An expression of test(1): it begins with what it asks, or with a value that it compares. */
static bool test_fits(const struct queue_word *w, size_t n)
{
	static const char signs[] = "= == != -eq -ne -lt -le -gt -ge";

	if (n && queue_programs_is(w, "!"))
		w++, n--;
	if (n < 2 || (!is_option(w) && !among(signs, w[1].p, w[1].n)) || (!is_option(w) && !w->quoted && *w->p != '$'))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!among(signs, w[i].p, w[i].n) && is_prose(&w[i]))
			return false;
	return true;
}

/* Where its verb is: behind options, and what is given to these; n = nowhere. */
static size_t find_verb(const struct program *p, const struct queue_word *w, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!w[i].quoted && (among(p->verbs, w[i].p, w[i].n) || among(p->named, w[i].p, w[i].n) ||
		                     (p->scripts && is_target(&w[i]))))
			return i;
		bool given = i && (is_option(&w[i - 1]) || queue_programs_is(&w[i - 1], "workspace"));
		if (!is_option(&w[i]) && !given && !queue_programs_is(&w[i], "workspace"))
			break;
	}
	return n;
}

static bool verb_fits(const struct program *p, const struct queue_word *w, size_t n)
{
	size_t at = find_verb(p, w, n);

	if (at == n)
		return false;
	if (among(p->named, w[at].p, w[at].n)) {
		while (++at < n && is_option(&w[at]))
			;
		if (at == n || (is_prose(&w[at]) && !is_target(&w[at])))
			return false;
	}
	for (size_t i = at; i < n && !queue_programs_is(&w[i], "--"); i++)
		if (i == at ? part_among(sends, &w[i]) : among(sends, w[i].p, w[i].n))
			return false;
	return args_fit(w + at + 1, n - at - 1, p->plain);
}

/* A script of the repository: ./gradlew test. A source file is none. */
static bool script_fits(const struct queue_word *w, size_t n)
{
	static const char runnable[] = "sh bash py js mjs cjs pl rb php bats test run";
	const char *slash = memrchr(w->p, '/', w->n), *name = slash + 1, *end = w->p + w->n;
	const char *dot = memrchr(name, '.', (size_t)(end - name));
	struct queue_word base = {.p = name, .n = (size_t)(end - name)};

	if (w->quoted || !base.n || part_among(sends, &base))
		return false;
	if (dot && dot > name && !among(runnable, dot + 1, (size_t)(end - dot - 1)))
		return false;
	for (size_t i = 1; i < n; i++)
		if (is_plain(&w[i]) ? !is_target(&w[i]) && !is_option(&w[i - 1]) : is_prose(&w[i]) || part_among(sends, &w[i]))
			return false;
	return true;
}

static bool program_fits(const struct program *p, const struct queue_word *w, size_t n)
{
	const struct queue_word *rest = w + 1;
	size_t left = n - 1, at = 0;

	switch (p->form) {
	case ARGS:
		return args_fit(rest, left, p->plain);
	case GIVEN:
		/* -c "..." of a shell is another line of commands */
		if (!left || is_plain(rest) || (among("bash sh", w->p, w->n) && is_option(rest) && memchr(rest->p, 'c', rest->n)))
			return false;
		return args_fit(rest, left, p->plain);
	case VERBS:
		return verb_fits(p, rest, left);
	case TARGETS:
		return targets_fit(rest, left);
	case AROUND:
		while (at < left && is_option(&rest[at]))
			at++;
		if (*p->verbs && (at == left || !among(p->verbs, rest[at].p, rest[at].n)))
			return false;
		at += *p->verbs != '\0';
		return queue_programs_fit(rest + at, left - at, false);
	case ASKS:
		return test_fits(rest, left);
	}
	return false;
}

bool queue_programs_fit(const struct queue_word *w, size_t n, bool filter)
{
	if (!n || w->quoted || is_upper(*w->p))
		return false;
	if (str_starts(w->p, "./") || str_starts(w->p, "../"))
		return script_fits(w, n);
	if (filter && among(filters, w->p, w->n))
		return args_fit(w + 1, n - 1, 1);
	for (size_t i = 0; i < MEM_COUNT(programs); i++)
		if (among(programs[i].names, w->p, w->n) && program_fits(&programs[i], w, n))
			return true;
	return false;
}
