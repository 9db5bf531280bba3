/* calls: each call by itself - is its exit status one it may have, and does it fit what it said? */
#include "history.h"

#include <stdint.h>
#include <string.h>

#include "store/base/mem.h"

/* What a call may say that did not do what it was asked to, by its exit status. */
static const struct {
	const char *op;
	int exit;
	const char *why;
} allowed[] = {
	{"run", 0, "nothing"},
	{"run", 1, "nothing halted red conflict dirty stuck moved cut"},
	{"run", 2, "unfinished live"},
	{"run", 5, "live"},
	{"resume", 0, "over"},
	{"resume", 1, "over halted red conflict dirty stuck moved cut"},
	{"resume", 2, "unfit which"},
	{"resume", 5, "live unfit"},
	{"stop", 2, "unowned ended unfit which"},
	{"stop", 5, "unfit"},
	{"retry", 0, "over"},
	{"retry", 1, "over halted red conflict dirty stuck moved cut"},
	{"retry", 2, "idle kept landed passed halfway interrupted unfit which"},
	{"retry", 5, "live unfit"},
	{"revert", 0, "idle"}, /* it was out already */
	{"revert", 1, "needed clash gone"},
	{"revert", 2, "whole passed halfway interrupted half unfit which idle"},
	{"revert", 5, "live unfit"},
	{"land", 1, "empty ungated halted red conflict dirty stuck moved cut elsewhere"},
	{"land", 2, "interrupted"},
	{"land", 5, "live"},
	{"gc", 1, ""}, /* something stayed */
};

static bool word_in(const char *list, const char *word)
{
	size_t n = strlen(word);
	for (const char *p = list; (p = strstr(p, word)); p += n)
		if ((p == list || p[-1] == ' ') && (!p[n] || p[n] == ' '))
			return true;
	return false;
}

static bool may_say(const struct history *h, const struct history_call *c)
{
	/* A session in which nothing was started is forgotten, and not known any more; or nor is any other. */
	if (c->exit == 2 && (strv_has(&c->why, "unknown") || (strcmp(c->op, "land") == 0 && strv_has(&c->why, "unfit"))))
		return c->words.n && !history_session(h, c->words.v[0]);
	for (size_t i = 0; i < MEM_COUNT(allowed); i++) {
		if (strcmp(allowed[i].op, c->op) != 0 || allowed[i].exit != c->exit)
			continue;
		bool all = true;
		for (size_t k = 0; k < c->why.n; k++)
			all &= word_in(allowed[i].why, c->why.v[k]);
		return all && (c->why.n || c->exit < 2);
	}
	return c->exit == 0 && !c->why.n;
}

static bool is(const struct history_call *c, const char *op)
{
	return strcmp(c->op, op) == 0;
}

static bool owns(const struct history_call *c)
{
	return is(c, "run") || is(c, "resume") || is(c, "retry") || is(c, "land") || is(c, "revert") || is(c, "gc");
}

/* Some other call of that kind went on at the same time. */
static bool beside(const struct history *h, const struct history_call *c, bool (*kind)(const struct history_call *))
{
	for (size_t i = 0; i < h->n_calls; i++)
		if (&h->calls[i] != c && kind(&h->calls[i]) && history_overlap(c, &h->calls[i]))
			return true;
	return false;
}

static bool killed_before(const struct history *h, const struct history_call *c)
{
	for (size_t i = 0; i < h->n_calls; i++)
		if (h->calls[i].killed < c->end)
			return true;
	return false;
}

static bool stops(const struct history_call *c)
{
	return is(c, "stop") && c->exit == 0;
}

static bool moves_main(const struct history_call *c)
{
	return owns(c) || is(c, "user");
}

/* All sessions it worked on were left as such. */
static bool all_over(const struct history_call *c, const char *state)
{
	for (size_t i = 0; i < c->over.n; i++)
		if (strcmp(strchr(c->over.v[i], ':') + 1, state) != 0)
			return false;
	return true;
}

/* The user's commit was to be on a branch that had landed, and went with that. */
static bool branch_gone(const struct history *h, const struct history_call *c)
{
	const char *branch = c->words.n ? c->words.v[0] : "";

	if (!str_starts(branch, "integration-"))
		return false;
	for (size_t i = 0; i < h->n_calls; i++) {
		const struct history_call *l = &h->calls[i];
		const char *sid = branch + strlen("integration-");
		if (l->landed && l->start < c->end && (strv_has(&l->words, sid) || strv_has(&l->began, sid)))
			return true;
	}
	return false;
}

static const char *judge(const struct history *h, const struct history_call *c)
{
	bool worked = is(c, "run") || is(c, "resume") || is(c, "retry");

	if (c->killed != SIZE_MAX && c->exit == 137)
		return NULL;
	if (c->exit >= 70)
		return "it did not end as a program should";
	if (is(c, "user"))
		return c->exit == 0 || beside(h, c, moves_main) || killed_before(h, c) || branch_gone(h, c)
		               ? NULL
		               : "nobody was in the way of this commit";
	if (!may_say(h, c))
		return "this is no answer to that call";
	if (c->exit == 5 && !beside(h, c, owns))
		return "nobody else was at it";
	if (worked && c->exit == 0 && !c->why.n && !all_over(c, "done"))
		return "exit status 0, but not everything is integrated";
	if (worked && c->exit == 1 && !c->why.n && c->over.n && all_over(c, "done"))
		return "everything is integrated, but the exit status is 1";
	if (worked && c->exit >= 2 && c->began.n && !strv_has(&c->words, "--all"))
		return "it began, and says that nothing was started";
	if (worked && c->over.n < c->began.n && c->began.n && history_session(h, c->began.v[c->began.n - 1]))
		return "it worked on a session and does not say how that ended";
	if (is(c, "land") && c->exit == 0 && !c->landed && !strv_has(&c->words, "--keep"))
		return "exit status 0, but it does not say that it landed";
	if (is(c, "land") && c->exit != 0 && c->landed)
		return "it landed, but the exit status is not 0";
	if ((strv_has(&c->why, "dirty") || strv_has(&c->why, "stuck") || strv_has(&c->why, "moved") ||
	     strv_has(&c->why, "cut")) &&
	    !beside(h, c, moves_main) && !killed_before(h, c))
		return "nobody had changed the checkout or the target";
	if (strv_has(&c->why, "halted") && !beside(h, c, stops))
		return "nobody had asked it to stop";
	return NULL;
}

void history_judge_calls(const struct history *h, struct strv *faults)
{
	for (size_t i = 0; i < h->n_calls; i++) {
		const char *fault = judge(h, &h->calls[i]);
		AUTO_STR struct str what = {0};
		if (!fault)
			continue;
		history_describe(&h->calls[i], &what);
		strv_addf(faults, "calls: %s: %s", what.p, fault);
	}
}
