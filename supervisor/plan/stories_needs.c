/* stories_needs: which story needs which. Of four sources, each story goes by the first that says anything: what it says
 * it depends on, files that one makes and another uses, phrases that name a story, the order of numbers in an epic. */
#include "stories.h"

#include <string.h>
#include <strings.h>

#include "store/base/mem.h"

/* ---- which story is meant ---- */

static int by_key(const void *a, const void *b, void *stories)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	const struct story *v = stories;
	int order = strcasecmp(v[x].key, v[y].key);
	return order ? order : (x > y) - (x < y);
}

static int by_number(const void *a, const void *b, void *stories)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	const struct story *v = stories;
	int order = strcmp(v[x].epic ? v[x].epic : "", v[y].epic ? v[y].epic : "");
	if (order)
		return order;
	if (v[x].number != v[y].number)
		return v[x].number < v[y].number ? -1 : 1;
	return (x > y) - (x < y);
}

struct index {
	const struct story *v;
	size_t n;
	uint32_t *keys, *numbers; /* sorted */
};

static uint32_t find_key(const struct index *x, const char *key)
{
	size_t low = 0, high = x->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (strcasecmp(x->v[x->keys[middle]].key, key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < x->n && strcasecmp(x->v[x->keys[low]].key, key) == 0 ? x->keys[low] : UINT32_MAX;
}

static uint32_t find_number(const struct index *x, const char *epic, uint64_t number)
{
	size_t low = 0, high = x->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct story *s = &x->v[x->numbers[middle]];
		int order = strcmp(s->epic ? s->epic : "", epic);
		if (order < 0 || (order == 0 && s->number < number))
			low = middle + 1;
		else
			high = middle;
	}
	const struct story *s = low < x->n ? &x->v[x->numbers[low]] : NULL;
	return s && str_eq(s->epic, epic) && s->number == number ? x->numbers[low] : UINT32_MAX;
}

/* By its key, by its number, or by its key with another slug. */
static uint32_t find(const struct index *x, const char *ref)
{
	const char *name = strrchr(ref, '/') ? strrchr(ref, '/') + 1 : ref;
	AUTO_FREE char *key = mem_strdup(name);
	size_t n = strlen(key);
	AUTO_FREE char *epic = NULL;
	uint64_t number;

	if (n > 3 && strcasecmp(key + n - 3, ".md") == 0)
		key[n - 3] = '\0';
	uint32_t at = find_key(x, key);
	if (at != UINT32_MAX)
		return at;
	const char *plain = key;
	if (strncasecmp(plain, "story", 5) == 0 && plain[5] && strchr("- ", plain[5]))
		plain += 6;
	if ((at = find_key(x, plain)) != UINT32_MAX || !(n = stories_number(plain, &epic, &number)))
		return at;
	return !plain[n] || plain[n] == '-' ? find_number(x, epic, number) : UINT32_MAX;
}

static void add_need(struct story *s, uint32_t to, enum stories_source source)
{
	for (size_t i = 0; i < s->n_needs; i++)
		if (s->needs[i] == to)
			return;
	s->needs = mem_grow(s->needs, s->n_needs + 1, sizeof *s->needs);
	s->needs[s->n_needs++] = to;
	s->source = source;
}

/* ---- the four sources ---- */

static void told(struct plan_loader *l, const struct index *x, uint32_t i)
{
	struct story *s = &l->stories->v[i];

	for (size_t k = 0; k < s->asked.n; k++) {
		uint32_t to = find(x, s->asked.v[k]);
		if (to == i) {
			strv_addf(&l->warnings, "%s: it cannot depend on itself: ignored", s->id);
		} else if (to == UINT32_MAX) {
			AUTO_STR struct str name = {0};
			str_add_printable(&name, s->asked.v[k], strnlen(s->asked.v[k], 100), false);
			strv_addf(&l->warnings, "%s depends on %s, which is not among these stories: ignored", s->id, name.p);
		} else {
			add_need(s, to, STORIES_TOLD);
		}
	}
}

static void phrases(struct plan_loader *l, const struct index *x, uint32_t i)
{
	struct story *s = &l->stories->v[i];

	for (size_t k = 0; k < s->mentioned.n; k++) {
		uint32_t to = find(x, s->mentioned.v[k]);
		if (to != UINT32_MAX && to != i)
			add_need(s, to, STORIES_PHRASES);
	}
}

struct use {
	const char *path;
	uint32_t story;
	bool makes;
};

static int by_path(const void *a, const void *b)
{
	const struct use *x = a, *y = b;
	int order = strcmp(x->path, y->path);
	if (order)
		return order;
	if (x->makes != y->makes)
		return x->makes ? -1 : 1; /* makers first */
	return (x->story > y->story) - (x->story < y->story);
}

/* Who uses a file comes after the first that makes it. */
static void files(struct plan_loader *l)
{
	struct stories *all = l->stories;
	size_t n = 0, total = 0;

	for (size_t i = 0; i < all->n; i++)
		total += all->v[i].n_paths;
	AUTO_FREE struct use *uses = mem_array(total, sizeof *uses);
	for (uint32_t i = 0; i < all->n; i++)
		for (size_t k = 0; k < all->v[i].n_paths; k++)
			uses[n++] = (struct use){all->v[i].paths[k].path, i, all->v[i].paths[k].makes};
	if (!n)
		return;
	qsort(uses, n, sizeof *uses, by_path);
	const struct use *maker = NULL;
	for (size_t i = 0; i < n; i++) {
		const struct use *u = &uses[i];
		if (!maker || strcmp(maker->path, u->path) != 0)
			maker = u; /* none of this path, unless it is one */
		struct story *s = &all->v[u->story];
		if (maker->makes && !u->makes && maker->story != u->story && !s->told)
			add_need(s, maker->story, STORIES_FILES);
	}
}

/* Of an epic, the lower number first: but only among stories that run, as this is no more than an order. */
static void epics(struct plan_loader *l, const struct index *x)
{
	struct stories *all = l->stories;
	uint32_t before = UINT32_MAX;

	for (size_t i = 0; i < x->n; i++) {
		uint32_t at = x->numbers[i];
		struct story *s = &all->v[at];
		if (!s->epic || strcmp(s->category, "CLOSEABLE") != 0)
			continue;
		bool same = before != UINT32_MAX && strcmp(all->v[before].epic, s->epic) == 0;
		if (same && !s->told && !s->n_needs && all->v[before].number < s->number)
			add_need(s, before, STORIES_EPIC);
		before = at;
	}
}

/* ---- an order ---- */

enum { NEW, OPEN, DONE };

struct walk {
	struct plan_loader *l;
	struct story *v;
	uint32_t *order, *path; /* path: from the first story to the open one */
	size_t *next;           /* of each story on the path: its need to be looked at */
	char *state;
	size_t n, depth;
};

static void drop(struct story *s, size_t need)
{
	memmove(s->needs + need, s->needs + need + 1, (s->n_needs - need - 1) * sizeof *s->needs);
	s->n_needs--;
}

/* The open story needs `to`, which is on the path: the weakest of these dependencies goes, of equals the one that closed
 * the circle. Is it another one, the walk must begin again. */
static bool cut(struct walk *w, uint32_t to)
{
	size_t first = w->depth - 1, weakest = w->depth - 1;

	while (w->path[first] != to)
		first--;
	for (size_t i = first; i < w->depth - 1; i++)
		if (w->v[w->path[i]].source > w->v[w->path[weakest]].source)
			weakest = i;
	struct story *s = &w->v[w->path[weakest]];
	uint32_t gone = s->needs[w->next[weakest] - 1];
	if (s->source != STORIES_EPIC) { /* an order of numbers gives way to what is said, without a word */
		AUTO_STR struct str text = {0};
		for (size_t i = first; i < w->depth && i < first + 10; i++)
			str_addf(&text, "%s -> ", w->v[w->path[i]].id);
		strv_addf(&w->l->warnings, "stories that wait for each other: %s%s%s; that %s depends on %s is ignored",
		          text.p, w->depth > first + 10 ? "... -> " : "", w->v[to].id, s->id, w->v[gone].id);
	}
	drop(s, w->next[weakest] - 1);
	w->next[weakest]--;
	return weakest != w->depth - 1;
}

static bool visit(struct walk *w, uint32_t root)
{
	w->depth = 0;
	w->path[w->depth] = root;
	w->next[w->depth++] = 0;
	w->state[root] = OPEN;
	while (w->depth) {
		uint32_t at = w->path[w->depth - 1];
		struct story *s = &w->v[at];
		if (w->next[w->depth - 1] == s->n_needs) {
			w->state[at] = DONE;
			w->order[w->n++] = at;
			w->depth--;
			continue;
		}
		uint32_t to = s->needs[w->next[w->depth - 1]++];
		if (w->state[to] == OPEN) {
			if (cut(w, to))
				return false;
		} else if (w->state[to] == NEW) {
			w->state[to] = OPEN;
			w->path[w->depth] = to;
			w->next[w->depth++] = 0;
		}
	}
	return true;
}

static void sort(struct plan_loader *l, uint32_t *order)
{
	size_t n = l->stories->n;
	AUTO_FREE uint32_t *path = mem_array(n, sizeof *path);
	AUTO_FREE size_t *next = mem_array(n, sizeof *next);
	AUTO_FREE char *state = mem_array(n, 1);
	struct walk w = {.l = l, .v = l->stories->v, .order = order, .path = path, .next = next, .state = state};

	for (uint32_t i = 0; i < n; i++) {
		if (state[i] != NEW || visit(&w, i))
			continue;
		memset(state, NEW, n);
		w.n = 0;
		i = UINT32_MAX; /* from the first */
	}
}

void stories_needs(struct plan_loader *l, uint32_t *order)
{
	struct stories *all = l->stories;
	AUTO_FREE uint32_t *keys = mem_array(all->n, sizeof *keys), *numbers = mem_array(all->n, sizeof *numbers);
	struct index x = {all->v, all->n, keys, numbers};

	for (uint32_t i = 0; i < all->n; i++)
		keys[i] = numbers[i] = i;
	qsort_r(keys, all->n, sizeof *keys, by_key, all->v);
	qsort_r(numbers, all->n, sizeof *numbers, by_number, all->v);
	for (uint32_t i = 0; i < all->n; i++)
		told(l, &x, i);
	files(l);
	for (uint32_t i = 0; i < all->n; i++)
		if (!all->v[i].told && !all->v[i].n_needs)
			phrases(l, &x, i);
	epics(l, &x);
	sort(l, order);
}
