/* story_text: from the boxes of two texts to a third one (formats.md S3.13, S3.14). */
#include "story_text.h"

#include <stdlib.h>
#include <string.h>

#include "boxes.h"
#include "story_lines.h"
#include "store/base/mem.h"

/* A story and its boxes. */
struct side {
	const struct str *text;
	struct boxes boxes;
	bool *inside; /* of each box: in a Tasks section, or anywhere when there is none */
};

static int open_side(struct side *s, const struct str *text, struct err *e)
{
	*s = (struct side){.text = text};
	if (boxes_read(&s->boxes, str_text(text), text->len, e) != 0)
		return -1;
	s->inside = mem_array(s->boxes.n, sizeof *s->inside);
	for (size_t i = 0, k = 0; i < s->boxes.n; i++) {
		while (k < s->boxes.n_tasks && s->boxes.tasks[k].to <= s->boxes.v[i].mark)
			k++;
		s->inside[i] = !s->boxes.n_tasks ||
		               (k < s->boxes.n_tasks && s->boxes.tasks[k].from <= s->boxes.v[i].mark);
	}
	return 0;
}

static void close_side(struct side *s)
{
	boxes_fini(&s->boxes);
	free(s->inside);
}

/* ---- which box is which ---- */

struct place {
	const struct box *box;
	size_t len; /* of what of its text is compared */
	bool inside;
	size_t at;
};

static int by_identity(const struct place *a, const struct place *b)
{
	int order = memcmp(a->box->text, b->box->text, a->len < b->len ? a->len : b->len);

	if (order != 0)
		return order;
	if (a->len != b->len)
		return a->len < b->len ? -1 : 1;
	if (a->inside != b->inside)
		return a->inside ? -1 : 1;
	return a->box->level < b->box->level ? -1 : a->box->level > b->box->level;
}

static int by_place(const void *pa, const void *pb)
{
	const struct place *a = pa, *b = pb;
	int order = by_identity(a, b);

	return order != 0 ? order : a->at < b->at ? -1 : a->at > b->at;
}

/* Of those boxes that are not `paired` yet. */
static struct place *places(const struct side *s, const bool *paired, bool whole, size_t *n)
{
	struct place *v = mem_array(s->boxes.n, sizeof *v);

	*n = 0;
	for (size_t i = 0; i < s->boxes.n; i++) {
		const struct box *box = &s->boxes.v[i];
		if (!paired[i])
			v[(*n)++] = (struct place){box, whole ? box->len : box->first, s->inside[i], i};
	}
	if (*n)
		qsort(v, *n, sizeof *v, by_place);
	return v;
}

/* Of each box of `a` the same one in `b`, NULL = none. The same is the first, second, ... of its text and level; then,
 * as an agent may write below a box, of its first line. */
static void same_in(const struct box **out, const struct side *a, const struct side *b)
{
	AUTO_FREE bool *had = mem_array(a->boxes.n, sizeof *had), *taken = mem_array(b->boxes.n, sizeof *taken);

	for (int whole = 1; whole >= 0; whole--) {
		size_t n, m;
		AUTO_FREE struct place *x = places(a, had, whole, &n), *y = places(b, taken, whole, &m);
		for (size_t i = 0, k = 0; i < n && k < m;) {
			int order = by_identity(&x[i], &y[k]);
			if (order == 0) {
				out[x[i].at] = y[k].box;
				had[x[i].at] = taken[y[k].at] = true;
			}
			i += order <= 0;
			k += order >= 0;
		}
	}
}

static void ticked_in(bool *out, const struct side *a, const struct side *b)
{
	AUTO_FREE const struct box **same = mem_array(a->boxes.n, sizeof *same);

	same_in(same, a, b);
	for (size_t i = 0; i < a->boxes.n; i++)
		out[i] = same[i] && same[i]->ticked;
}

static bool in_list(const struct strv *texts, const struct box *box)
{
	for (size_t i = 0; texts && i < texts->n; i++)
		if (boxes_called(box, texts->v[i], strlen(texts->v[i])))
			return true;
	return false;
}

/* ---- which ticks are taken ---- */

struct ticks {
	bool *now, *before, *taken; /* of each box of the base */
};

/* A step is taken with the box it is below, or when it is named itself. */
static void take_named(const struct side *base, const struct story_given *g, struct ticks *t)
{
	bool above = false;

	for (size_t i = 0; i < base->boxes.n; i++) {
		const struct box *box = &base->boxes.v[i];
		t->taken[i] = t->taken[i] && (t->before[i] || in_list(g->named, box) || (box->level > 1 && above));
		if (box->level == 1)
			above = t->taken[i] || box->ticked;
	}
}

static void take_counted(const struct side *base, const struct story_given *g, struct ticks *t, struct story_taken *out)
{
	uint64_t earlier = 0;

	for (size_t i = 0; i < base->boxes.n; i++)
		earlier += base->boxes.v[i].counts && t->taken[i] && t->before[i];
	/* After a red gate some count all they did, others what they did since. */
	out->refused = g->number != out->found - earlier && g->number != out->found;
	for (size_t i = 0; out->refused && i < base->boxes.n; i++)
		t->taken[i] = t->taken[i] && t->before[i];
}

static void judge(const struct side *base, const struct story_given *g, struct ticks *t, struct story_taken *out)
{
	for (size_t i = 0; i < base->boxes.n; i++) {
		const struct box *box = &base->boxes.v[i];
		t->taken[i] = base->inside[i] && !box->ticked && t->now[i] && !in_list(g->human, box);
		out->found += box->counts && t->taken[i];
	}
	if (g->named)
		take_named(base, g, t);
	else
		take_counted(base, g, t, out);
	out->total = base->boxes.total;
	out->already = base->boxes.checked;
	for (size_t i = 0; i < base->boxes.n; i++) {
		const struct box *box = &base->boxes.v[i];
		out->closed += box->counts && t->taken[i];
		if (box->counts && !box->ticked && !t->taken[i] && !in_list(g->human, box))
			strv_give(&out->blocked, mem_strndup(box->text, box->len));
	}
}

/* ---- the text ---- */

/* The base with its new ticks. */
static void tick(struct str *out, const struct side *base, const struct ticks *t)
{
	str_addn(out, str_text(base->text), base->text->len);
	for (size_t i = 0; i < base->boxes.n; i++)
		if (t->taken[i])
			out->p[base->boxes.v[i].mark] = 'x';
}

/* What the agent wrote, with the Tasks sections of `ticked`, which is the base with its new ticks. */
static void weave(struct str *out, const struct str *ticked, const struct side *base, const struct str *wrote,
                  const struct side *now)
{
	size_t from = 0, now_from = 0;

	for (size_t k = 0; k < base->boxes.n_tasks; k++) {
		const struct boxes_span *a = &base->boxes.tasks[k], *b = &now->boxes.tasks[k];
		story_lines(out, ticked->p + from, a->from - from, wrote->p + now_from, b->from - now_from);
		str_addn(out, ticked->p + a->from, a->to - a->from);
		from = a->to;
		now_from = b->to;
	}
	story_lines(out, str_text(ticked) + from, ticked->len - from, str_text(wrote) + now_from, wrote->len - now_from);
}

/* Does it read as it should? What was written before a section may have made a code block of it. */
static bool reads_well(const struct side *made, const struct side *base, const struct story_taken *t)
{
	return made->boxes.total == t->total && made->boxes.checked == t->already + t->closed &&
	       made->boxes.n_tasks == base->boxes.n_tasks;
}

/* Boxes of a human are not ticked anywhere: those that the base has, and those that the agent has written. */
static void set_back(struct str *text, const struct side *made, const struct side *base, const struct story_given *g)
{
	AUTO_FREE const struct box **same = mem_array(made->boxes.n, sizeof *same);

	same_in(same, made, base);
	for (size_t i = 0; i < made->boxes.n; i++) {
		const struct box *box = &made->boxes.v[i];
		if (!made->inside[i] && box->ticked && !(same[i] && same[i]->ticked) &&
		    (in_list(g->human, box) || (g->patterns && boxes_human(box, g->patterns))))
			text->p[box->mark] = same[i] ? base->text->p[same[i]->mark] : ' ';
	}
}

/* False: what the agent wrote cannot be taken. */
static bool take_wrote(struct str *out, const struct str *ticked, const struct side *base, const struct side *now,
                       const struct story_given *g, const struct story_taken *t)
{
	AUTO_STR struct str woven = {0};
	struct side made;
	struct err ignored = {0};

	if (!base->boxes.n_tasks || base->boxes.n_tasks != now->boxes.n_tasks)
		return false;
	weave(&woven, ticked, base, now->text, now);
	bool well = open_side(&made, &woven, &ignored) == 0 && reads_well(&made, base, t);
	if (well) {
		str_addn(out, str_text(&woven), woven.len);
		set_back(out, &made, base, g);
	}
	close_side(&made);
	return well;
}

static void compose(const struct side *base, const struct side *now, const struct story_given *g,
                    const struct ticks *t, struct story_taken *out)
{
	AUTO_STR struct str ticked = {0}, wrote = {0};

	tick(&ticked, base, t);
	if (take_wrote(&out->text, &ticked, base, now, g, out))
		return;
	str_addn(&out->text, str_text(&ticked), ticked.len);
	/* Was there more than ticks? */
	str_addn(&wrote, str_text(now->text), now->text->len);
	for (size_t i = 0; i < base->boxes.n; i++)
		if (ticked.p[base->boxes.v[i].mark] != ' ')
			ticked.p[base->boxes.v[i].mark] = ' ';
	for (size_t i = 0; i < now->boxes.n; i++)
		wrote.p[now->boxes.v[i].mark] = ' ';
	out->narrowed = ticked.len != wrote.len || (wrote.len && memcmp(ticked.p, wrote.p, wrote.len) != 0);
}

int story_take(struct story_taken *out, const struct story_given *g, struct err *e)
{
	struct side base = {0}, before = {0}, now = {0};

	*out = (struct story_taken){0};
	int rc = open_side(&base, g->base, e);
	if (rc == 0)
		rc = open_side(&before, g->before, e);
	if (rc == 0)
		rc = open_side(&now, g->now, e);
	if (rc == 0) {
		AUTO_FREE bool *is = mem_array(base.boxes.n, sizeof *is), *was = mem_array(base.boxes.n, sizeof *was);
		AUTO_FREE bool *taken = mem_array(base.boxes.n, sizeof *taken);
		struct ticks t = {is, was, taken};
		ticked_in(is, &base, &now);
		ticked_in(was, &base, &before);
		judge(&base, g, &t, out);
		compose(&base, &now, g, &t, out);
	}
	close_side(&base);
	close_side(&before);
	close_side(&now);
	return rc;
}

void story_taken_fini(struct story_taken *t)
{
	str_fini(&t->text);
	strv_fini(&t->blocked);
	*t = (struct story_taken){0};
}
