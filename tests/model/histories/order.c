/* order: is there an order of what the calls did, one after the other, that fits when they began and ended
 * and what they said? Plan by plan: the model of a plan is its sessions, each with what is stored of it,
 * who holds its lock and whether it has landed. A call is a few steps on that; its answer says which.
 *
 * All orders are followed at once: a set of situations, each with how far every open call has come. When a
 * call ends, those remain in which its steps are done. None left: no order explains the history. */
#include "order.h"

#include <string.h>

#include "store/base/mem.h"

static uint64_t hash(const struct conf *c)
{
	const uint8_t *p = (const uint8_t *)c;
	uint64_t h = 14695981039346656037u;
	for (size_t i = 0; i < sizeof *c; i++)
		h = (h ^ p[i]) * 1099511628211u;
	return h;
}

static void rehash(struct set *s)
{
	s->size = s->size ? s->size * 2 : 1024;
	free(s->table);
	s->table = mem_array(s->size, sizeof *s->table);
	for (size_t i = 0; i < s->n; i++) {
		size_t at = hash(&s->v[i]) % s->size;
		while (s->table[at])
			at = (at + 1) % s->size;
		s->table[at] = (uint32_t)i + 1;
	}
}

static void set_add(struct set *s, const struct conf *c)
{
	if (s->n * 2 >= s->size)
		rehash(s);
	size_t at = hash(c) % s->size;
	for (; s->table[at]; at = (at + 1) % s->size)
		if (memcmp(&s->v[s->table[at] - 1], c, sizeof *c) == 0)
			return;
	if (s->n == s->cap) {
		s->cap = s->cap ? s->cap * 2 : 256;
		s->v = mem_grow(s->v, s->cap, sizeof *s->v);
	}
	s->v[s->n++] = *c;
	s->table[at] = (uint32_t)s->n;
}

static void set_fini(struct set *s)
{
	free(s->v);
	free(s->table);
	*s = (struct set){0};
}

void order_emit(struct search *x, struct conf c, size_t slot, int pc)
{
	c.pc[slot] = (uint8_t)pc;
	if (x->set.n < MOST)
		set_add(&x->set, &c);
	else
		x->overflow = true;
}

/* ---- the search ---- */

static void close_set(struct search *x)
{
	for (size_t i = 0; i < x->set.n; i++) {
		struct conf c = x->set.v[i];
		for (size_t slot = 0; slot < OPEN; slot++)
			if (x->open[slot])
				order_step(x, &c, slot);
	}
}

static void show(const struct search *x, const struct set *set, struct str *out)
{
	AUTO_STRV struct strv seen = {0};

	for (size_t i = 0; i < set->n && seen.n < 12; i++) {
		AUTO_STR struct str one = {0};
		const struct conf *c = &set->v[i];
		for (size_t k = 0; k < c->n; k++) {
			const struct session *s = &c->s[k];
			str_addf(&one, "%s%s %s%s%s", k ? ", " : "", x->sids[s->sid], order_names[s->stored],
			         s->landed ? " landed" : "", s->lock ? " held by call " : "");
			if (s->lock)
				str_add(&one, x->open[s->lock - 1] ? x->open[s->lock - 1]->call->number : "?");
		}
		if (!strv_has(&seen, one.len ? one.p : "no session"))
			strv_add(&seen, one.len ? one.p : "no session");
	}
	for (size_t i = 0; i < seen.n; i++)
		str_addf(out, "%s%s", i ? "; or " : "", seen.v[i]);
}

static bool finish_op(struct search *x, size_t slot, struct strv *faults)
{
	const struct op *op = x->open[slot];
	struct set kept = {0};

	close_set(x);
	for (size_t i = 0; i < x->set.n; i++) {
		struct conf c = x->set.v[i];
		if (c.pc[slot] != DONE_PC)
			continue;
		c.pc[slot] = 0;
		set_add(&kept, &c);
	}
	if (!kept.n) {
		AUTO_STR struct str what = {0}, before = {0};
		history_describe(op->call, &what);
		show(x, &x->set, &before);
		if (op->kind == SEE)
			str_addf(&what, " that showed %s %s%s", x->sids[op->sid], op->state, op->landed ? " landed" : "");
		strv_addf(faults, "order: no order of the calls explains %s; by then plan %s could be: %s", what.p,
		          x->plan, str_text(&before));
		return false;
	}
	set_fini(&x->set);
	x->set = kept;
	x->open[slot] = NULL;
	return true;
}

static void run_search(struct search *x, struct strv *faults)
{
	struct conf first = {0};

	set_add(&x->set, &first);
	for (x->line = 0; x->line <= x->h->lines.n; x->line++) {
		for (size_t i = 0; i < x->n_ops; i++) {
			const struct op *op = &x->ops[i];
			if (op->start != x->line)
				continue;
			size_t slot = 0;
			while (slot < OPEN && x->open[slot])
				slot++;
			if (slot == OPEN) {
				strv_addf(faults, "order: more than %d calls at once", OPEN);
				return;
			}
			x->open[slot] = op;
		}
		for (size_t slot = 0; slot < OPEN; slot++)
			if (x->open[slot] && x->open[slot]->end == x->line && !finish_op(x, slot, faults))
				return;
	}
	if (x->overflow)
		strv_addf(faults, "order: plan %s: too many situations to follow", x->plan);
}

/* What is there at the end is what some order comes to, and nothing else. */
static void judge_last(struct search *x, struct strv *faults)
{
	const struct history *h = x->h;

	for (size_t i = 0; i < x->set.n; i++) {
		struct conf *c = &x->set.v[i];
		size_t found = 0, wanted = 0;
		for (size_t k = 0; k < h->n_nows; k++) {
			if (strcmp(h->nows[k].plan, x->plan) != 0)
				continue;
			wanted++;
			struct session *s = order_find(c, order_sid(x, h->nows[k].sid));
			found += s && order_shown_as(s, h->nows[k].state) && s->landed == h->nows[k].landed;
		}
		if (found == wanted && c->n == wanted)
			return;
	}
	AUTO_STR struct str could = {0};
	show(x, &x->set, &could);
	strv_addf(faults, "order: the sessions of plan %s at the end are not what the calls come to: %s", x->plan,
	          str_text(&could));
}

void history_judge_order(const struct history *h, struct strv *faults)
{
	for (size_t i = 0; i < h->plans.n; i++) {
		struct search x = {.h = h, .plan = h->plans.v[i]};
		size_t before = faults->n;
		order_ops(&x);
		run_search(&x, faults);
		if (faults->n == before)
			judge_last(&x, faults);
		set_fini(&x.set);
		free(x.ops);
	}
}
