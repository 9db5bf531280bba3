/* read: the lines of a history, by their first word. */
#include "history.h"

#include <stdint.h>
#include <string.h>

#include "store/base/mem.h"

#define GROW(array, n) ((array) = mem_grow((array), (n) + 1, sizeof *(array)), &(array)[(n)++])

static struct history_call *find_call(struct history *h, const char *number)
{
	for (size_t i = h->n_calls; i-- > 0;)
		if (strcmp(h->calls[i].number, number) == 0)
			return &h->calls[i];
	return NULL;
}

static void rest(struct strv *out, char *const *w, size_t n, size_t from)
{
	*out = (struct strv){0};
	for (size_t i = from; i < n; i++)
		strv_add(out, w[i]);
}

static void end_call(struct history_call *c, char *const *w, size_t n, size_t line)
{
	c->end = line;
	c->exit = (int)strtol(w[2], NULL, 10);
	for (size_t i = 3; i < n; i++) {
		if (str_starts(w[i], "began="))
			strv_add(&c->began, w[i] + 6);
		else if (str_starts(w[i], "ended="))
			strv_add(&c->over, w[i] + 6);
		else if (str_starts(w[i], "why="))
			strv_add(&c->why, w[i] + 4);
		else if (str_starts(w[i], "asked="))
			c->asked = w[i] + 6;
		else if (str_starts(w[i], "back="))
			c->back = w[i] + 5;
		else if (str_starts(w[i], "landed="))
			strv_add(&c->landings, w[i] + 7);
		else if (str_starts(w[i], "out="))
			strv_add(&c->out, w[i] + 4);
		else if (strcmp(w[i], "again") == 0)
			c->again = true;
	}
	c->landed = c->landings.n > 0;
}

/* False: not such a line as there should be. */
static bool take(struct history *h, char *const *w, size_t n, size_t line, struct strv *faults)
{
	const char *kind = w[0];
	struct history_call *c;

	if (strcmp(kind, "task") == 0 && n >= 4) {
		struct history_task *t = GROW(h->tasks, h->n_tasks);
		*t = (struct history_task){.plan = w[1], .id = w[2], .kind = w[3]};
		rest(&t->needs, w, n, 4);
		if (!strv_has(&h->plans, w[1]))
			strv_add(&h->plans, w[1]);
	} else if (strcmp(kind, "start") == 0 && n >= 3 && !find_call(h, w[1])) {
		c = GROW(h->calls, h->n_calls);
		*c = (struct history_call){
			.number = w[1], .op = w[2], .start = line, .end = SIZE_MAX, .killed = SIZE_MAX};
		rest(&c->words, w, n, 3);
	} else if (strcmp(kind, "end") == 0 && n >= 3 && (c = find_call(h, w[1])) && c->end == SIZE_MAX) {
		end_call(c, w, n, line);
	} else if (strcmp(kind, "kill") == 0 && n == 2 && (c = find_call(h, w[1]))) {
		/* It may have ended by itself, while this was written. */
		if (c->end == SIZE_MAX && c->killed == SIZE_MAX)
			c->killed = line;
	} else if (strcmp(kind, "see") == 0 && n >= 5 && (c = find_call(h, w[1]))) {
		struct history_see *s = GROW(h->sees, h->n_sees);
		*s = (struct history_see){.line = line,
		                          .call = (size_t)(c - h->calls),
		                          .sid = w[2],
		                          .state = w[3],
		                          .landed = strcmp(w[4], "landed") == 0};
		rest(&s->tasks, w, n, 5);
	} else if (strcmp(kind, "exec") == 0 && n >= 4) {
		*GROW(h->execs, h->n_execs) = (struct history_exec){line, w[1], w[2], w[3], n > 4 ? w[4] : ""};
	} else if (strcmp(kind, "now") == 0 && n == 6) {
		*GROW(h->nows, h->n_nows) =
			(struct history_now){w[1], w[2], w[3], w[4], strcmp(w[5], "landed") == 0};
	} else if (strcmp(kind, "is") == 0 && n == 4) {
		*GROW(h->are, h->n_are) = (struct history_is){w[1], w[2], w[3]};
	} else if (strcmp(kind, "on") == 0 && n >= 4) {
		*GROW(h->ons, h->n_ons) = (struct history_on){w[1], w[2], w[3], n > 4 ? w[4] : ""};
	} else if (strcmp(kind, "problem") == 0) {
		strv_add(faults, h->lines.v[line]);
	} else {
		return strcmp(kind, "heal") == 0 || strcmp(kind, "freeze") == 0 || strcmp(kind, "thaw") == 0 ||
		       strcmp(kind, "the") == 0;
	}
	return true;
}

void history_read(struct history *out, const char *text, struct strv *faults)
{
	*out = (struct history){0};
	for (const char *p = text; *p;) {
		size_t n = strcspn(p, "\n");
		strv_give(&out->lines, mem_strndup(p, n));
		p += n + (p[n] == '\n');
	}
	for (size_t line = 0; line < out->lines.n; line++) {
		AUTO_FREE char *copy = mem_strdup(out->lines.v[line]);
		size_t first = out->words.n;
		char *save = NULL;
		for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save))
			strv_add(&out->words, w);
		if (out->words.n == first)
			continue;
		if (!take(out, out->words.v + first, out->words.n - first, line, faults))
			strv_addf(faults, "history: line %zu is not understood: %s", line + 1, out->lines.v[line]);
	}
	for (size_t i = 0; i < out->n_calls; i++)
		if (out->calls[i].end == SIZE_MAX)
			strv_addf(faults, "history: call %s never ended", out->calls[i].number);
}

void history_fini(struct history *h)
{
	for (size_t i = 0; i < h->n_tasks; i++)
		strv_fini(&h->tasks[i].needs);
	for (size_t i = 0; i < h->n_calls; i++) {
		strv_fini(&h->calls[i].words);
		strv_fini(&h->calls[i].began);
		strv_fini(&h->calls[i].over);
		strv_fini(&h->calls[i].why);
		strv_fini(&h->calls[i].landings);
		strv_fini(&h->calls[i].out);
	}
	for (size_t i = 0; i < h->n_sees; i++)
		strv_fini(&h->sees[i].tasks);
	strv_fini(&h->lines);
	strv_fini(&h->words);
	strv_fini(&h->plans);
	free(h->tasks);
	free(h->calls);
	free(h->sees);
	free(h->execs);
	free(h->nows);
	free(h->are);
	free(h->ons);
	*h = (struct history){0};
}

const struct history_now *history_session(const struct history *h, const char *sid)
{
	for (size_t i = 0; i < h->n_nows; i++)
		if (strcmp(h->nows[i].sid, sid) == 0)
			return &h->nows[i];
	return NULL;
}

const struct history_task *history_task(const struct history *h, const char *id)
{
	for (size_t i = 0; i < h->n_tasks; i++)
		if (strcmp(h->tasks[i].id, id) == 0)
			return &h->tasks[i];
	return NULL;
}

const char *history_task_state(const struct history *h, const char *queue, const char *task)
{
	for (size_t i = 0; i < h->n_are; i++)
		if (strcmp(h->are[i].queue, queue) == 0 && strcmp(h->are[i].task, task) == 0)
			return h->are[i].state;
	return "nowhere";
}

bool history_reverted(const struct history *h, const char *queue, const char *task, size_t line)
{
	const struct history_task *t = history_task(h, task);

	for (size_t i = 0; t && i < h->n_calls; i++) {
		const struct history_call *c = &h->calls[i];
		if (strcmp(c->op, "revert") != 0 || c->words.n < 2 || c->start >= line)
			continue;
		const struct history_now *now = history_session(h, c->words.v[0]);
		const struct history_task *named = history_task(h, c->words.v[1]);
		/* A call that was killed did not say what it took along; the next one may have found it done. */
		bool may = strv_has(&c->out, task) || (!c->out.n && named && strcmp(named->plan, t->plan) == 0);
		if (may && now && strcmp(now->queue, queue) == 0)
			return true;
	}
	return false;
}

bool history_overlap(const struct history_call *a, const struct history_call *b)
{
	return a->start < b->end && b->start < a->end;
}

void history_describe(const struct history_call *c, struct str *out)
{
	str_addf(out, "call %s (%s", c->number, c->op);
	for (size_t i = 0; i < c->words.n; i++)
		str_addf(out, " %s", c->words.v[i]);
	str_addf(out, "), lines %zu to %zu, exit %d", c->start + 1, c->end + 1, c->exit);
	for (size_t i = 0; i < c->why.n; i++)
		str_addf(out, " %s", c->why.v[i]);
}
