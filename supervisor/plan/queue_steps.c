/* queue_steps: ids as people and programs write them, what each waits for, and the order of their numbers as far as
 * that allows (S2.2). */
#include "queue_steps.h"

#include <stdarg.h>
#include <string.h>

#include "store/base/mem.h"

enum { SHOWN = 80 };

static const char *solution_of(const struct queue_solution *s)
{
	return s->d->solution ? s->d->solution : s->d->id;
}

void queue_steps_fault(struct queue_solution *s, const char *key, const char *fmt, ...)
{
	AUTO_STR struct str text = {0};
	va_list ap;

	va_start(ap, fmt);
	str_addv(&text, fmt, ap);
	va_end(ap);
	queue_say_fault(s->l, s->file, s->line, s->d->id, key, "solution %s: %s", solution_of(s), str_text(&text));
}

void queue_steps_warn(struct queue_solution *s, const char *fmt, ...)
{
	AUTO_STR struct str text = {0};
	va_list ap;

	va_start(ap, fmt);
	str_addv(&text, fmt, ap);
	va_end(ap);
	queue_say(s->l, s->file, s->line, "%s: solution %s: %s", s->d->id, solution_of(s), text.p);
}

/* Cut before a character that does not fit whole. */
static void clip(struct str *text, size_t max)
{
	if (text->len <= max)
		return;
	while (max > 0 && ((unsigned char)text->p[max] & 0xc0) == 0x80)
		max--;
	text->len = max;
	text->p[max] = '\0';
}

char *queue_steps_line(const struct json_t *v, size_t max)
{
	AUTO_STR struct str raw = {0}, line = {0};
	const char *text = json_text(v);

	if (json_kind(v) == JSON_IS_NUMBER || json_kind(v) == JSON_IS_FLAG) {
		json_write(v, false, &raw);
		text = str_text(&raw);
	}
	for (bool gap = false; text && *text; text++) {
		unsigned code;
		size_t plain = 0;
		while (plain <= max && text[plain] > ' ' && text[plain] <= '~')
			plain++;
		size_t len = plain ? 0 : str_control_at(text, strnlen(text, 4), &code);
		if (len || *text == ' ') {
			gap = true;
			text += len ? len - 1 : 0;
			continue;
		}
		if (gap && line.len)
			str_addc(&line, ' ');
		gap = false;
		str_addn(&line, text, plain ? plain : 1);
		text += plain ? plain - 1 : 0;
		if (line.len > max)
			break;
	}
	if (!line.len)
		return NULL;
	clip(&line, max);
	return str_take(&line);
}

/* ---- ids ---- */

/* By number where both have one at the same place: T2 before T10. */
static int natural(const char *a, const char *b)
{
	while (*a && *b) {
		size_t x = strspn(a, "0123456789"), y = strspn(b, "0123456789");
		if (x && y) {
			for (; x > 1 && *a == '0'; x--)
				a++;
			for (; y > 1 && *b == '0'; y--)
				b++;
			int order = x != y ? (x > y) - (x < y) : memcmp(a, b, x);
			if (order)
				return order;
			a += x, b += y;
			continue;
		}
		if (*a != *b)
			break;
		a++, b++;
	}
	return (unsigned char)*a - (unsigned char)*b;
}

struct named {
	char *name; /* as it is written; "" = it has none */
	size_t at;  /* in s->v */
};

static int by_name(const void *a, const void *b)
{
	const struct named *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order ? order : (x->at > y->at) - (x->at < y->at);
}

static const struct named *find(const struct named *names, size_t n, const char *name)
{
	size_t from = 0, to = n;

	while (from < to) {
		size_t middle = from + (to - from) / 2;
		if (strcmp(names[middle].name, name) < 0)
			from = middle + 1;
		else
			to = middle;
	}
	return from < n && strcmp(names[from].name, name) == 0 ? &names[from] : NULL;
}

/* T and its number, or what is free near that. */
static char *own_id(const struct queue_solution *s, const struct named *names, size_t at)
{
	char *id = mem_printf("T%zu", at + 1);

	for (size_t i = 2; find(names, s->n, id); i++) {
		free(id);
		id = mem_printf("T%zu-%zu", at + 1, i);
	}
	return id;
}

/* What a step calls itself, and the id it gets; `names` sorted by the former. False after a fault. */
static bool name_steps(struct queue_solution *s, struct named *names)
{
	bool good = true;

	for (size_t i = 0; i < s->n; i++) {
		char *name = queue_steps_line(json_get(s->v[i].json, "id"), QUEUE_MAX_NAME);
		names[i] = (struct named){name ? name : mem_strdup(""), i};
	}
	qsort(names, s->n, sizeof *names, by_name);
	for (size_t i = 0; i < s->n; i++) {
		struct queue_step *step = &s->v[names[i].at];
		const char *name = names[i].name, *wrong = plan_id_fault(name);
		if (i > 0 && *name && strcmp(name, names[i - 1].name) == 0) {
			queue_steps_fault(s, "tasks", "two of its tasks have the id \"%.*s\"", SHOWN, name);
			good = false;
		}
		step->id = wrong ? own_id(s, names, step->at) : mem_strdup(name);
		if (wrong && *name)
			queue_steps_warn(s, "its task \"%.*s\" is called %s here: %s", SHOWN, name, step->id, wrong);
	}
	return good;
}

/* ---- order ---- */

struct wait {
	size_t step, on; /* in s->v */
};

struct waits {
	struct wait *v;
	size_t n, room;
};

static bool add_wait(struct queue_solution *s, struct waits *w, const struct named *names, size_t i,
                     const struct json_t *v)
{
	AUTO_FREE char *name = queue_steps_line(v, QUEUE_MAX_NAME);
	const struct named *on = name ? find(names, s->n, name) : NULL;

	if (!name)
		return true;
	if (!on) {
		queue_steps_fault(s, "tasks", "its task %s depends on \"%.*s\", which is none of its tasks", s->v[i].id, SHOWN,
		                  name);
		return false;
	}
	if (w->n == w->room) {
		w->room = w->room ? 2 * w->room : 16;
		w->v = mem_grow(w->v, w->room, sizeof *w->v);
	}
	w->v[w->n++] = (struct wait){i, on->at};
	return true;
}

static bool read_waits(struct queue_solution *s, struct waits *w, const struct named *names)
{
	bool good = true;

	for (size_t i = 0; i < s->n; i++) {
		const struct json_t *list = json_get(s->v[i].json, "depends_on");
		if (!list)
			list = json_get(s->v[i].json, "dependencies");
		if (list && !json_is_list(list))
			good = add_wait(s, w, names, i, list) && good;
		for (size_t k = 0; k < json_count(list) && good; k++)
			good = add_wait(s, w, names, i, json_nth(list, k));
	}
	return good;
}

static void circle(struct queue_solution *s, const bool *placed)
{
	AUTO_STR struct str text = {0};
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++)
		if (!placed[i] && n++ < 10)
			str_addf(&text, "%s%s", text.len ? ", " : "", s->v[i].id);
	queue_steps_fault(s, "tasks", "these of its tasks wait for each other, or for such: %s%s", text.p, n > 10 ? ", ..." : "");
}

static int by_on(const void *a, const void *b)
{
	const struct wait *x = a, *y = b;

	return (x->on > y->on) - (x->on < y->on);
}

static void sort(struct queue_solution *s, struct waits *w)
{
	AUTO_FREE bool *placed = mem_array(s->n, sizeof *placed);
	AUTO_FREE size_t *missing = mem_array(s->n, sizeof *missing);
	AUTO_FREE size_t *from = mem_array(s->n + 1, sizeof *from); /* where those that wait for each begin */
	struct queue_step *v = mem_array(s->n, sizeof *v);
	size_t n = 0;

	if (w->n)
		qsort(w->v, w->n, sizeof *w->v, by_on);
	for (size_t k = 0; k < w->n; k++) {
		missing[w->v[k].step]++;
		from[w->v[k].on + 1]++;
	}
	for (size_t i = 0; i < s->n; i++)
		from[i + 1] += from[i];
	for (size_t best; n < s->n; v[n++] = s->v[best]) {
		best = SIZE_MAX;
		for (size_t i = 0; i < s->n; i++)
			if (!placed[i] && !missing[i] && (best == SIZE_MAX || natural(s->v[i].id, s->v[best].id) < 0))
				best = i;
		if (best == SIZE_MAX)
			break;
		placed[best] = true;
		for (size_t k = from[best]; k < from[best + 1]; k++)
			missing[w->v[k].step]--;
	}
	if (n < s->n) {
		circle(s, placed);
		free(v);
		return;
	}
	free(s->v);
	s->v = v;
}

/* ---- all ---- */

static void keep_only(struct queue_solution *s, const struct named *names, const char *only)
{
	const struct named *meant = find(names, s->n, only);

	if (!meant) {
		queue_steps_fault(s, "task_id", "there is no task \"%.*s\" in it", SHOWN, only);
		return;
	}
	for (size_t i = 0; i < s->n; i++)
		if (i != meant->at)
			free(s->v[i].id);
	s->v[0] = s->v[meant->at];
	s->n = 1;
}

void queue_steps_read(struct queue_solution *s, const char *only)
{
	const struct json_t *tasks = json_get(s->json, "tasks");
	size_t n = json_count(tasks);

	if (tasks && !json_is_list(tasks))
		queue_steps_fault(s, "tasks", "its tasks must be a list");
	if (n > PLAN_MAX_LIST) {
		queue_steps_fault(s, "tasks", "it has %zu tasks, at most %d are taken", n, PLAN_MAX_LIST);
		return;
	}
	s->v = mem_array(n, sizeof *s->v);
	for (size_t i = 0; i < n; i++) {
		if (json_kind(json_nth(tasks, i)) == JSON_IS_MAP)
			s->v[s->n++] = (struct queue_step){.json = json_nth(tasks, i), .at = i};
		else
			queue_steps_fault(s, "tasks", "entry %zu of its tasks must be a mapping, { ... }", i + 1);
	}
	AUTO_FREE struct named *names = mem_array(s->n, sizeof *names);
	struct waits w = {0};
	size_t n_names = s->n;
	bool good = name_steps(s, names);
	if (good && only)
		keep_only(s, names, only);
	else if (good && read_waits(s, &w, names))
		sort(s, &w);
	for (size_t i = 0; i < n_names; i++)
		free(names[i].name);
	free(w.v);
}

void queue_steps_free(struct queue_solution *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->v[i].id);
	free(s->v);
	s->v = NULL;
	s->n = 0;
}
