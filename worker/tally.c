/* tally: pytest, unittest, cargo, nextest, go, jest, vitest, mocha, playwright, node, deno, ctest, gtest, bats, prove and
 * other TAP, rspec, minitest, phpunit, maven, dotnet.
 *
 * Several runners may run in one gate, and one runner several times (a cargo workspace prints a result for each crate, most
 * of them of no tests): that no test was run is said only when some runner says so and none says the contrary. */
#include "tally.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "store/base/mem.h"
#include "store/base/str.h"

enum { LATE = 40 };

/* ---- words ---- */

/* All of these begin a line. */
static const char *const said_none[] = {
	"no tests ran in ",                       /* pytest -q; else between rows of = */
	"NO TESTS RAN",                           /* unittest */
	"error: no tests to run",                 /* nextest */
	"testing: warning: no tests to run",      /* go */
	"No tests found",                         /* jest */
	"Error: No tests found",                  /* playwright */
	"No test files found",                    /* vitest */
	"No tests were found!!!",                 /* ctest; and where it is called in the wrong folder, with exit 0: */
	"No test configuration file found!",
	"No tests ran",                           /* Catch2, dart */
	"There are no tests to run",              /* ExUnit */
	"No tests executed!",                     /* phpunit */
	"Result: NOTESTS",                        /* prove */
	"[INFO] No tests to run.",                /* maven */
	"No test is available in ",               /* dotnet */
};
static const char *const said_some[] = {"--- PASS", "--- FAIL", "FAIL\t", "not ok "};

/* ---- numbers ---- */

enum { ANYWHERE = 1, ONLY_SOME = 2 /* 0 does not say that there were none */ };

static const struct form {
	const char *before, *after;
	unsigned how;
} forms[] = {
	{"Ran ", " test", 0},                     /* unittest */
	{"", " test, ", 0},                       /* bats */
	{"", " tests, ", 0},
	{"", " examples, ", 0},                   /* rspec */
	{"", " example, ", 0},
	{"", " runs, ", 0},                       /* minitest */
	{"", " passing", 0},                      /* mocha */
	{"", " failing", ONLY_SOME},
	{"# tests ", "", 0},                      /* node */
	{"\xe2\x84\xb9 tests ", "", 0},
	{"[==========] Running ", " test", 0},    /* gtest */
	{"OK (", " test", 0},                     /* phpunit */
	{"Executed ", " test", 0},                /* XCTest */
	{"Tests: ", ",", 0},
	{"Tests run: ", "", ANYWHERE},            /* maven, junit */
	{"Tests=", "", ANYWHERE},                 /* prove */
	{"tests failed out of ", "", ANYWHERE},   /* ctest */
	{"Passed: ", "", ANYWHERE | ONLY_SOME},   /* dotnet */
	{"", " passed", ANYWHERE | ONLY_SOME},    /* pytest, cargo, jest, vitest, deno, playwright */
	{"", " failed", ANYWHERE | ONLY_SOME},
	{"", " error", ANYWHERE | ONLY_SOME},     /* pytest: of what could not be collected */
	{"", " xfailed", ANYWHERE | ONLY_SOME},
	{"", " xpassed", ANYWHERE | ONLY_SOME},
};

/* A number with `after` behind it; -1 = there is none. */
static long long number(const char *p, const char *after)
{
	size_t n = strspn(p, "0123456789");
	long long value = 0;

	for (size_t i = 0; i < n && i < 18; i++)
		value = 10 * value + (p[i] - '0');
	return n && str_starts(p + n, after) ? value : -1;
}

/* -1: this form is not in the line. */
static long long anywhere(const char *line, const struct form *f)
{
	const char *sought = *f->before ? f->before : f->after;
	long long sum = -1;

	for (const char *p = line; (p = strstr(p, sought)); p += strlen(sought)) {
		const char *at = p + strlen(sought);
		if (!*f->before)
			for (at = p; at > line && isdigit((unsigned char)at[-1]);)
				at--;
		long long n = number(at, f->after);
		sum = n < 0 ? sum : sum < 0 ? n : sum + n;
	}
	return sum;
}

static void count(struct tally *t, bool some)
{
	t->some += some;
	t->none += !some;
	if (!some)
		t->none_at = t->lines;
}

static bool begins_with_any(const char *line, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (str_starts(line, words[i]))
			return true;
	return false;
}

static bool in_pytest(const char *line, struct tally *t)
{
	const char *text = line + strspn(line, "=");

	if (text > line && str_starts(text, " no tests ran in "))
		count(t, false);
	else if (str_starts(line, "collected 0 items") || (str_starts(line, "collected ") && strstr(line, " / 0 selected")))
		count(t, false);
	else if (number(line, " deselected in ") > 0)
		count(t, false);
	else
		return false;
	return true;
}

/* "ok \tpackage\t0.1s", "ok \tpackage\t(cached) [no tests to run]", "?   \tpackage\t[no test files]" */
static bool in_go(const char *line, struct tally *t)
{
	if (str_starts(line, "ok  \t"))
		count(t, !strstr(line, "[no tests to run]"));
	else if (str_starts(line, "?   \t") && strstr(line, "[no test files]"))
		count(t, false);
	else
		return false;
	return true;
}

static bool in_tap(const char *line, struct tally *t)
{
	long long plan = str_starts(line, "1..") ? number(line + 3, "") : -1;
	const char *rest = line + 3 + (plan < 0 ? 0 : strspn(line + 3, "0123456789"));

	rest += plan < 0 ? 0 : strspn(rest, " ");
	if (plan >= 0 && (!*rest || *rest == '#'))
		count(t, plan > 0);
	else if (str_starts(line, "ok ") && isdigit((unsigned char)line[3]))
		count(t, true);
	else
		return false;
	return true;
}

static void tests(struct tally *t, const char *line)
{
	if (in_pytest(line, t) || in_go(line, t) || in_tap(line, t))
		return;
	if (begins_with_any(line, said_none, MEM_COUNT(said_none)) ||
	    (str_starts(line, "Tests:") && strstr(line, " 0 total"))) {
		count(t, false);
		return;
	}
	if (begins_with_any(line, said_some, MEM_COUNT(said_some))) {
		count(t, true);
		return;
	}
	bool none = false;
	for (size_t i = 0; i < MEM_COUNT(forms); i++) {
		const struct form *f = &forms[i];
		long long n = f->how & ANYWHERE           ? anywhere(line, f)
		              : str_starts(line, f->before) ? number(line + strlen(f->before), f->after)
		                                            : -1;
		if (n > 0) {
			count(t, true);
			return;
		}
		none = none || (n == 0 && !(f->how & ONLY_SOME));
	}
	none = none || str_starts(line, "test result: ok. 0 passed; ") || str_starts(line, "ok | 0 passed | 0 failed");
	if (none)
		count(t, false);
}

/* ---- the environment ---- */

/* python -m NAME; cargo NAME; a command in a recipe of make; npx. */
static void tools(struct tally *t, const char *line, size_t n)
{
	static const char no_module[] = ": No module named ", no_cargo[] = "error: no such command: `";
	const char *python = strstr(line, "python"), *at = python ? strstr(python, no_module) : NULL, *name = NULL;

	if (at && strspn(python + 6, "0123456789.") == (size_t)(at - python) - 6 && (python == line || python[-1] == '/'))
		name = at + strlen(no_module);
	else if (str_starts(line, no_cargo))
		name = line + strlen(no_cargo);
	else if (str_starts(line, "make") && strstr(line, "*** [") && (str_ends(line, "] Error 127") || str_ends(line, "] Error 126")))
		name = "a command of the makefile";
	else if (n > 4 && str_starts(line, "npm ") && strstr(line, " could not determine executable to run"))
		name = "the command that npx was to run";
	if (!name)
		return;
	t->missing_at = t->lines;
	snprintf(t->missing, sizeof t->missing, "%.*s", (int)strcspn(name, "`'\n"), name);
}

static void disk(struct tally *t, const char *line)
{
	static const char *const words[] = {"No space left on device", "no space left on device", "ENOSPC",
	                                    "Disk quota exceeded", "EDQUOT", "not enough space on the disk"};

	for (size_t i = 0; i < MEM_COUNT(words); i++)
		if (strstr(line, words[i]))
			t->full_at = t->lines;
}

/* By a signal that nobody sends to what he tests, of something whose end the gate's own exit code does not show. */
static void killed(struct tally *t, const char *line)
{
	bool make = str_starts(line, "make") && strstr(line, "*** [") &&
	            (str_ends(line, "] Killed") || str_ends(line, "] Error 137"));
	bool gcc = strstr(line, "fatal error: Killed signal terminated program ") != NULL;
	bool cargo = str_ends(line, "(signal: 9, SIGKILL: kill)");

	if (make || gcc || cargo)
		t->killed_at = t->lines;
}

void tally_line(struct tally *t, const char *line, size_t n)
{
	size_t blanks = strspn(line, " \t");

	t->lines++;
	tests(t, line + blanks);
	tools(t, line + blanks, n - blanks);
	disk(t, line);
	killed(t, line + blanks);
}

bool tally_late(const struct tally *t, uint64_t at)
{
	return at && t->lines - at < LATE;
}
