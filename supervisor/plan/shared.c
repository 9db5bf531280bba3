/* shared: every path that is declared is a node. Tasks enter one after the other and are put at the end of the lists
 * that those after them look at: of the path itself, of the folders above it that are declared too, of the globs that
 * may mean it. Paths find each other by a hash table and by their folders; only what begins as a glob does is compared
 * with it, and all such work has an end. */
#include "shared.h"

#include <string.h>

#include "overlap.h"
#include "store/base/mem.h"
#include "store/base/str.h"
#include "store/seal.h"

enum {
	MAX_COMPARED = 500000,  /* pairs of a glob and another path */
	MAX_MADE = 8000000,     /* entries of lists beyond those of the path itself */
	MAX_LOOKED = 20000000   /* the same, looked at */
};
#define NONE UINT32_MAX

struct node {
	uint32_t text;  /* where it begins in `texts` */
	uint32_t up;    /* nearest declared folder above; NONE */
	uint32_t same;  /* last entry: tasks that declare this */
	uint32_t met;   /* last entry: tasks that declare what is below it, or, of a glob, what it may mean */
	uint32_t count; /* how many declare it */
	uint32_t globs; /* last link to a glob that meets it; of globs both ways */
};

struct entry {
	uint32_t task, before;
};

struct link {
	uint32_t glob, before;
};

struct shared {
	const struct task_def *tasks;
	struct str texts; /* of all nodes, folded, each with its NUL */
	struct node *nodes;
	size_t n_nodes, nodes_room;
	uint32_t *table; /* node numbers + 1 by hash */
	size_t mask;
	uint32_t *node_of; /* each file of each task */
	size_t *node_at;   /* per task: where its files begin */
	struct entry *entries;
	size_t n_entries, entries_room;
	struct link *links;
	size_t n_links, links_room;
	uint32_t *found; /* what one question has collected */
	size_t n_found, found_room;
	size_t compared, made, looked;
	size_t own; /* entries of the path itself, looked at */
	bool partial;
};

static const char *text_of(const struct shared *s, uint32_t node)
{
	return s->texts.p + s->nodes[node].text;
}

/* ---- nodes ---- */

/* Where text[0..n) stands in the table, or where it would go. */
static uint32_t *slot_of(const struct shared *s, const char *text, size_t n)
{
	for (size_t at = seal_slot(text, n) & s->mask;; at = (at + 1) & s->mask) {
		uint32_t *slot = &s->table[at];
		if (!*slot)
			return slot;
		const char *other = text_of(s, *slot - 1);
		if (strncmp(other, text, n) == 0 && !other[n])
			return slot;
	}
}

static uint32_t node_for(struct shared *s, const char *path)
{
	size_t n = strlen(path), from = s->texts.len;

	str_addn(&s->texts, path, n + 1);
	char *text = s->texts.p + from;
	overlap_fold(text, path);
	uint32_t *slot = slot_of(s, text, n);
	if (*slot) {
		s->texts.len = from;
		return *slot - 1;
	}
	if (s->n_nodes == s->nodes_room) {
		s->nodes_room = s->nodes_room ? 2 * s->nodes_room : 256;
		s->nodes = mem_grow(s->nodes, s->nodes_room, sizeof *s->nodes);
	}
	s->nodes[s->n_nodes] = (struct node){(uint32_t)from, NONE, NONE, NONE, 0, NONE};
	*slot = (uint32_t)++s->n_nodes;
	return *slot - 1;
}

/* The deepest declared folder that text[0..n) lies in. */
static uint32_t folder_above(const struct shared *s, const char *text, size_t n)
{
	for (; n > 0; n--) {
		uint32_t *slot = text[n - 1] == '/' ? slot_of(s, text, n - 1) : NULL;
		if (slot && *slot)
			return *slot - 1;
	}
	uint32_t *top = slot_of(s, ".", 1);
	return *top ? *top - 1 : NONE;
}

/* ---- globs ---- */

static void add_link(struct shared *s, uint32_t node, uint32_t glob)
{
	if (s->n_links == s->links_room) {
		s->links_room = s->links_room ? 2 * s->links_room : 256;
		s->links = mem_grow(s->links, s->links_room, sizeof *s->links);
	}
	s->links[s->n_links] = (struct link){glob, s->nodes[node].globs};
	s->nodes[node].globs = (uint32_t)s->n_links++;
}

struct key { /* what all that a path meets begins with, or is a folder above of */
	const char *text;
	size_t n;
	uint32_t node;
	bool glob;
};

static int compare(const struct key *a, const char *text, size_t n)
{
	size_t least = a->n < n ? a->n : n;
	int order = memcmp(a->text, text, least);

	return order ? order : (a->n > n) - (a->n < n);
}

static int by_key(const void *a, const void *b)
{
	const struct key *x = a, *y = b;
	int order = compare(x, y->text, y->n);

	return order ? order : (x->node > y->node) - (x->node < y->node);
}

/* The glob of keys[i] and all that begins as it does; a pair of globs is met once. False: that took too long. */
static bool link_right_of(struct shared *s, const struct key *keys, size_t i, size_t run)
{
	const struct key *glob = &keys[i];

	for (size_t k = run; k < s->n_nodes && keys[k].n >= glob->n && memcmp(keys[k].text, glob->text, glob->n) == 0;
	     k++) {
		if (++s->compared > MAX_COMPARED)
			return false;
		if (k == i || (k < i && keys[k].glob) || !overlap_paths(text_of(s, glob->node), text_of(s, keys[k].node)))
			continue;
		add_link(s, keys[k].node, glob->node);
		if (keys[k].glob)
			add_link(s, glob->node, keys[k].node);
	}
	return true;
}

static void link_globs(struct shared *s)
{
	AUTO_FREE struct key *keys = mem_array(s->n_nodes, sizeof *keys);
	size_t globs = 0;

	for (uint32_t v = 0; v < s->n_nodes; v++) {
		const char *text = text_of(s, v);
		size_t n = overlap_literal(text);
		keys[v] = (struct key){text, n, v, text[n] != '\0'};
		globs += keys[v].glob;
	}
	if (!globs)
		return;
	qsort(keys, s->n_nodes, sizeof *keys, by_key);
	for (size_t i = 0, run = 0; i < s->n_nodes; i++) {
		if (i > 0 && compare(&keys[i - 1], keys[i].text, keys[i].n) != 0)
			run = i; /* the first of those that begin with the same, and with nothing else */
		if (!keys[i].glob)
			continue;
		/* Folders on the way to it: all that it means is below them. */
		for (uint32_t up = folder_above(s, keys[i].text, keys[i].n); up != NONE; up = s->nodes[up].up)
			add_link(s, up, keys[i].node);
		if (!link_right_of(s, keys, i, run)) {
			s->partial = true;
			return;
		}
	}
}

/* ---- making and asking ---- */

struct shared *shared_new(const struct task_def *tasks, size_t n)
{
	struct shared *s = mem_alloc(sizeof *s);
	size_t total = 0, slots = 64;

	s->tasks = tasks;
	s->node_at = mem_array(n + 1, sizeof *s->node_at);
	for (size_t i = 0; i < n; i++)
		s->node_at[i + 1] = total += tasks[i].files.n;
	while (slots < 2 * total)
		slots *= 2;
	s->table = mem_array(slots, sizeof *s->table);
	s->mask = slots - 1;
	s->node_of = mem_array(total, sizeof *s->node_of);
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < tasks[i].files.n; k++) {
			uint32_t v = node_for(s, tasks[i].files.v[k]);
			s->node_of[s->node_at[i] + k] = v;
			s->nodes[v].count++;
		}
	}
	for (uint32_t v = 0; v < s->n_nodes; v++) {
		const char *text = text_of(s, v);
		if (!text[overlap_literal(text)] && strcmp(text, ".") != 0)
			s->nodes[v].up = folder_above(s, text, strlen(text));
	}
	link_globs(s);
	return s;
}

void shared_free(struct shared *s)
{
	if (!s)
		return;
	str_fini(&s->texts);
	free(s->nodes);
	free(s->table);
	free(s->node_of);
	free(s->node_at);
	free(s->entries);
	free(s->links);
	free(s->found);
	free(s);
}

static void put(struct shared *s, uint32_t *list, uint32_t task)
{
	if (*list != NONE && s->entries[*list].task == task)
		return;
	if (s->n_entries == s->entries_room) {
		s->entries_room = s->entries_room ? 2 * s->entries_room : 1024;
		s->entries = mem_grow(s->entries, s->entries_room, sizeof *s->entries);
	}
	s->entries[s->n_entries] = (struct entry){task, *list};
	*list = (uint32_t)s->n_entries++;
}

/* Is there still time for what is not the path itself? */
static bool afford(struct shared *s, size_t *spent, size_t max)
{
	if (++*spent <= max)
		return true;
	s->partial = true;
	return false;
}

void shared_enter(struct shared *s, uint32_t i)
{
	for (size_t at = s->node_at[i]; at < s->node_at[i + 1]; at++) {
		uint32_t v = s->node_of[at];
		put(s, &s->nodes[v].same, i);
		for (uint32_t up = s->nodes[v].up; up != NONE && afford(s, &s->made, MAX_MADE); up = s->nodes[up].up)
			put(s, &s->nodes[up].met, i);
		for (uint32_t g = s->nodes[v].globs; g != NONE && afford(s, &s->made, MAX_MADE); g = s->links[g].before)
			put(s, &s->nodes[s->links[g].glob].met, i);
	}
}

static void take(struct shared *s, uint32_t list, size_t near, bool own)
{
	for (size_t n = 0; list != NONE && n < near && (own || afford(s, &s->looked, MAX_LOOKED)); n++, list = s->entries[list].before) {
		if (s->n_found == s->found_room) {
			s->found_room = s->found_room ? 2 * s->found_room : 256;
			s->found = mem_grow(s->found, s->found_room, sizeof *s->found);
		}
		s->found[s->n_found++] = s->entries[list].task;
		s->own += own;
	}
}

static int falling(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x < y) - (x > y);
}

/* Adds what was found, in falling order and once each. */
static size_t nearest(struct shared *s, uint32_t *out, size_t n, size_t most, uint32_t i)
{
	size_t from = n;

	if (s->n_found > 1)
		qsort(s->found, s->n_found, sizeof *s->found, falling);
	for (size_t f = 0; f < s->n_found && n - from < most; f++)
		if (s->found[f] != i && (n == from || out[n - 1] != s->found[f]))
			out[n++] = s->found[f];
	s->n_found = 0;
	return n;
}

size_t shared_before(struct shared *s, uint32_t *out, size_t same, size_t others, uint32_t i, size_t k)
{
	const struct node *v = &s->nodes[s->node_of[s->node_at[i] + k]];
	const char *text = s->texts.p + v->text;
	bool glob = text[overlap_literal(text)];

	s->n_found = 0;
	take(s, v->same, same, true);
	size_t n = nearest(s, out, 0, same, i);
	take(s, v->met, others, false);
	for (uint32_t up = v->up; up != NONE && afford(s, &s->looked, MAX_LOOKED); up = s->nodes[up].up)
		take(s, s->nodes[up].same, others, false);
	for (uint32_t g = glob ? NONE : v->globs; g != NONE && afford(s, &s->looked, MAX_LOOKED); g = s->links[g].before)
		take(s, s->nodes[s->links[g].glob].same, others, false);
	return nearest(s, out, n, others, i);
}

uint64_t shared_pairs(const struct shared *s, size_t near)
{
	uint64_t pairs = 0;

	for (size_t v = 0; v < s->n_nodes; v++) {
		uint64_t count = s->nodes[v].count, before = count - 1;
		pairs += count * (before < near ? before : near);
	}
	return pairs;
}

bool shared_partial(const struct shared *s)
{
	return s->partial;
}

size_t shared_work(const struct shared *s)
{
	return s->compared + s->made + s->looked + s->own;
}
