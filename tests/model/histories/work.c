/* work: what tasks did while the calls went on, and what was seen of them: each at most once at a time, after
 * what it needs, and what was integrated stays so and is not done again. */
#include "history.h"

#include <stdint.h>
#include <string.h>

#include "store/base/mem.h"

static const char *queue_of(const struct history *h, const char *sid)
{
	const struct history_now *n = history_session(h, sid);
	return n ? n->queue : NULL;
}

static bool taken_in(const char *state)
{
	return strcmp(state, "integrated") == 0 || strcmp(state, "landed") == 0;
}

/* "TASK:STATE" of a sighting; NULL when the task is not in it. */
static const char *seen_state(const struct history_see *s, const char *task)
{
	size_t n = strlen(task);
	for (size_t i = 0; i < s->tasks.n; i++)
		if (strncmp(s->tasks.v[i], task, n) == 0 && s->tasks.v[i][n] == ':')
			return s->tasks.v[i] + n + 1;
	return NULL;
}

static bool same_queue(const struct history *h, const char *a, const char *b)
{
	const char *q = queue_of(h, a), *r = queue_of(h, b);
	return q && r && strcmp(q, r) == 0;
}

static void judge_exec(const struct history *h, size_t at, struct strv *faults)
{
	const struct history_exec *x = &h->execs[at];
	const struct history_task *t = history_task(h, x->task);

	if (strcmp(x->what, "twice") == 0)
		strv_addf(faults, "work: line %zu: task %s began in session %s while it was still being done", x->line + 1,
		          x->task, x->sid);
	if (strcmp(x->what, "missing") == 0)
		strv_addf(faults, "work: line %zu: task %s of session %s does not find the work of %s, which it needs",
		          x->line + 1, x->task, x->sid, x->attempt);
	if (strcmp(x->what, "begin") != 0 || !t || !queue_of(h, x->sid))
		return;
	for (size_t n = 0; n < t->needs.n; n++) {
		bool done = false;
		for (size_t i = 0; i < at && !done; i++)
			done = strcmp(h->execs[i].what, "end") == 0 && strcmp(h->execs[i].task, t->needs.v[n]) == 0 &&
			       same_queue(h, h->execs[i].sid, x->sid);
		if (!done)
			strv_addf(faults, "work: line %zu: task %s of session %s began before %s, which it needs, was done",
			          x->line + 1, x->task, x->sid, t->needs.v[n]);
	}
	for (size_t i = 0; i < h->n_sees; i++) {
		const struct history_see *s = &h->sees[i];
		const char *state = seen_state(s, x->task);
		if (h->calls[s->call].end < x->line && state && taken_in(state) && same_queue(h, s->sid, x->sid) &&
		    !history_reverted(h, queue_of(h, x->sid), x->task, x->line)) {
			strv_addf(faults, "work: line %zu: task %s of session %s is done again, but line %zu showed it %s",
			          x->line + 1, x->task, x->sid, s->line + 1, state);
			return;
		}
	}
}

static void judge_see(const struct history *h, const struct history_see *s, struct strv *faults)
{
	for (size_t i = 0; i < h->n_sees; i++) {
		const struct history_see *later = &h->sees[i];
		if (h->calls[s->call].end >= h->calls[later->call].start || !same_queue(h, s->sid, later->sid))
			continue;
		for (size_t k = 0; k < s->tasks.n; k++) {
			AUTO_FREE char *task = mem_strndup(s->tasks.v[k], strcspn(s->tasks.v[k], ":"));
			const char *was = seen_state(s, task), *is = seen_state(later, task);
			if (is && taken_in(was) && strcmp(was, "landed") != 0 &&
			    history_reverted(h, queue_of(h, s->sid), task, h->calls[later->call].end))
				continue;
			if (is && ((taken_in(was) && !taken_in(is)) ||
			           (strcmp(was, "landed") == 0 && strcmp(is, "landed") != 0)))
				strv_addf(faults, "work: task %s was shown %s in line %zu and %s in line %zu", task, was,
				          s->line + 1, is, later->line + 1);
		}
	}
}

void history_judge_work(const struct history *h, struct strv *faults)
{
	for (size_t i = 0; i < h->n_execs; i++)
		judge_exec(h, i, faults);
	for (size_t i = 0; i < h->n_sees; i++)
		judge_see(h, &h->sees[i], faults);
}
