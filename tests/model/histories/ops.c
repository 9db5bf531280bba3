/* ops: from calls to what they did on one plan, as far as their answers tell. */
#include "order.h"

#include <string.h>

#include "store/base/mem.h"

uint8_t order_sid(struct search *x, const char *sid)
{
	for (size_t i = 0; i < x->n_sids; i++)
		if (strcmp(x->sids[i], sid) == 0)
			return (uint8_t)i;
	if (x->n_sids == SIDS)
		return ANY;
	x->sids[x->n_sids] = sid;
	return (uint8_t)x->n_sids++;
}

static bool known(const struct search *x, const char *sid)
{
	for (size_t i = 0; i < x->n_sids; i++)
		if (strcmp(x->sids[i], sid) == 0)
			return true;
	return false;
}

static struct op *add(struct search *x, enum kind kind, const struct history_call *c, uint8_t sid)
{
	x->ops = mem_grow(x->ops, x->n_ops + 1, sizeof *x->ops);
	struct op *op = &x->ops[x->n_ops++];
	*op = (struct op){.kind = kind,
	                  .call = c,
	                  .sid = sid,
	                  .outcome = -1,
	                  .sure = c->killed == SIZE_MAX,
	                  .start = c->start,
	                  .end = c->end,
	                  .killed = c->killed};
	return op;
}

/* How it left the session. */
static void tell_outcome(struct search *x, struct op *op)
{
	const char *sid = x->sids[op->sid];

	for (size_t i = 0; i < op->call->over.n; i++) {
		const char *over = op->call->over.v[i];
		if (!str_starts(over, sid))
			continue;
		for (int k = 0; k <= FAILED; k++)
			if (strcmp(strchr(over, ':') + 1, order_names[k]) == 0)
				op->outcome = k;
		op->landed = strv_has(&op->call->landings, sid);
		op->sure = true;
		return;
	}
	if (op->sure && !history_session(x->h, sid))
		op->outcome = -2;
}

static void add_run(struct search *x, const struct history_call *c)
{
	if (!c->words.n || strcmp(c->words.v[0], x->plan) != 0)
		return;
	if (c->began.n)
		tell_outcome(x, add(x, NEW, c, order_sid(x, c->began.v[0])));
	else if (strv_has(&c->why, "unfinished") || (strv_has(&c->why, "live") && c->exit == 2))
		add(x, KNOWN, c, ANY);
	else if (strv_has(&c->why, "nothing"))
		add(x, NOTHING, c, ANY);
	else if (c->killed != SIZE_MAX)
		add(x, NEW, c, ANY);
	/* exit 5: another run was at it at the same moment; that is judged by itself */
}

static void add_resume(struct search *x, const struct history_call *c)
{
	const char *word = c->words.n ? c->words.v[0] : "-";
	bool any = strcmp(word, "-") == 0 || strcmp(word, "--all") == 0;
	bool here = false;

	for (size_t i = 0; i < c->began.n; i++) {
		if (!known(x, c->began.v[i]))
			continue;
		tell_outcome(x, add(x, RESUME, c, order_sid(x, c->began.v[i])));
		here = true;
	}
	if (here || (!any && !known(x, word)))
		return;
	uint8_t sid = any ? ANY : order_sid(x, word);
	if (c->killed != SIZE_MAX)
		add(x, RESUME, c, sid);
	else if (!any && strv_has(&c->why, "over"))
		add(x, OVER, c, sid);
	else if (!any && strv_has(&c->why, "live"))
		add(x, HELD, c, sid);
}

static void add_retry(struct search *x, const struct history_call *c)
{
	const char *sid = c->back ? c->back : c->began.n ? c->began.v[0] : c->words.n ? c->words.v[0] : "-";
	bool any = strcmp(sid, "-") == 0;

	if (!any && !known(x, sid))
		return;
	uint8_t at = any ? ANY : order_sid(x, sid);
	if (c->again && !any)
		add(x, RETRY, c, at)->sure = true;
	else if (c->killed != SIZE_MAX)
		add(x, RETRY, c, at);
	else if (any || (c->exit != 5 && strcmp(c->op, "revert") == 0))
		add(x, RETRY, c, at)->sure = false; /* it may have ended one that was cut off */
	else if (c->exit == 2)
		add(x, TOUCH, c, at)->sure = false;
	else if (strv_has(&c->why, "live"))
		add(x, HELD, c, at);
	if (c->began.n)
		add_resume(x, c);
}

static void add_land(struct search *x, const struct history_call *c)
{
	if (!c->words.n || !known(x, c->words.v[0]))
		return;
	uint8_t sid = order_sid(x, c->words.v[0]);
	bool killed = c->killed != SIZE_MAX;
	if (c->landed || killed)
		add(x, LAND, c, sid)->sure = c->landed;
	else if (strv_has(&c->why, "live"))
		add(x, HELD, c, sid);
	else if (!strv_has(&c->why, "unknown") && !strv_has(&c->why, "unfit"))
		add(x, strv_has(&c->why, "interrupted") ? CUT : LOOK, c, sid);
}

static void add_stop(struct search *x, const struct history_call *c)
{
	const char *sid = c->asked ? c->asked : c->words.n ? c->words.v[0] : "-";

	if (!known(x, sid) || c->killed != SIZE_MAX)
		return;
	if (c->exit == 0)
		add(x, STOP, c, order_sid(x, sid));
	else if (strv_has(&c->why, "unowned"))
		add(x, UNOWNED, c, order_sid(x, sid));
}

/* What dead sessions left is looked for first: not any more once the session that it made is at work. */
static void add_touch(struct search *x, const struct history_call *c)
{
	const struct history *h = x->h;
	struct op *op = add(x, TOUCH, c, ANY);

	op->sure = false;
	for (size_t i = h->n_execs; i-- > 0 && strcmp(c->op, "run") == 0;)
		if (h->execs[i].line > c->start && h->execs[i].line < op->end && strv_has(&c->began, h->execs[i].sid) &&
		    strcmp(h->execs[i].what, "begin") == 0)
			op->end = h->execs[i].line;
	if (op->killed > op->end)
		op->killed = SIZE_MAX;
}

void order_ops(struct search *x)
{
	const struct history *h = x->h;

	for (size_t i = 0; i < h->n_nows; i++)
		if (strcmp(h->nows[i].plan, x->plan) == 0)
			order_sid(x, h->nows[i].sid);
	for (size_t i = 0; i < h->n_calls; i++) {
		const struct history_call *c = &h->calls[i];
		if (strcmp(c->op, "run") == 0 && c->words.n && strcmp(c->words.v[0], x->plan) == 0 && c->began.n)
			x->begun[order_sid(x, c->began.v[0])] = true;
	}
	for (size_t i = 0; i < h->n_calls; i++) {
		const struct history_call *c = &h->calls[i];
		if (strcmp(c->op, "run") == 0)
			add_run(x, c);
		else if (strcmp(c->op, "resume") == 0)
			add_resume(x, c);
		else if (strcmp(c->op, "retry") == 0 || strcmp(c->op, "revert") == 0)
			add_retry(x, c); /* both leave a session to go on with */
		else if (strcmp(c->op, "land") == 0)
			add_land(x, c);
		else if (strcmp(c->op, "stop") == 0)
			add_stop(x, c);
		if (strcmp(c->op, "gc") == 0 || strcmp(c->op, "run") == 0 || strcmp(c->op, "resume") == 0)
			add_touch(x, c);
	}
	for (size_t i = 0; i < h->n_sees; i++) {
		const struct history_see *s = &h->sees[i];
		if (!known(x, s->sid))
			continue;
		struct op *op = add(x, SEE, &h->calls[s->call], order_sid(x, s->sid));
		op->state = s->state;
		op->landed = s->landed;
	}
}
