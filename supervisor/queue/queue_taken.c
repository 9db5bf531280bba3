/* queue_taken: each path is found by a hash of it, and so is each folder above it. Globs are compared with all paths,
 * as long as there is time for that. */
#include "queue_taken.h"

#include <string.h>

#include "store/base/mem.h"
#include "store/seal.h"
#include "supervisor/plan/overlap.h"

enum {
	MAX_NODES = 4000000,    /* paths and folders above them */
	MAX_COMPARED = 20000000 /* pairs of a glob and another path */
};
#define NONE UINT32_MAX

/* Of those that declare a path, or something below it. */
struct users {
	uint32_t last; /* batch; 0 = there are none */
	uint32_t list; /* last entry; NONE */
};

struct node {
	size_t text; /* where it begins in `texts`, without a NUL behind it */
	uint32_t n;
	bool declared; /* not only a folder above */
	struct users same, below;
};

struct queue_taken {
	struct str texts; /* folded */
	struct node *nodes;
	size_t n_nodes, nodes_room;
	uint32_t *table; /* node numbers + 1 by hash */
	size_t slots;
	uint32_t *globs; /* nodes; "." is one */
	size_t n_globs;
	struct {
		uint32_t item, before;
	} *entries;
	size_t n_entries;
	bool lists;
	size_t compared;
	bool doubt;    /* there was no time or room for all: what is not known is a yes */
	uint32_t last; /* batch of all */
	/* What one question has found. */
	uint32_t found_last, *out;
	size_t n_out, most;
};

struct queue_taken *queue_taken_new(bool lists)
{
	struct queue_taken *t = mem_alloc(sizeof *t);

	t->lists = lists;
	t->slots = 64;
	t->table = mem_array(t->slots, sizeof *t->table);
	return t;
}

void queue_taken_free(struct queue_taken *t)
{
	str_fini(&t->texts);
	free(t->nodes);
	free(t->table);
	free(t->globs);
	free(t->entries);
	free(t);
}

/* ---- nodes ---- */

static uint32_t *slot_of(const struct queue_taken *t, const char *text, size_t n)
{
	for (size_t at = seal_slot(text, n) & (t->slots - 1);; at = (at + 1) & (t->slots - 1)) {
		uint32_t *slot = &t->table[at];
		const struct node *v = *slot ? &t->nodes[*slot - 1] : NULL;
		if (!v || (v->n == n && memcmp(t->texts.p + v->text, text, n) == 0))
			return slot;
	}
}

static void grow(struct queue_taken *t)
{
	free(t->table);
	t->slots *= 2;
	t->table = mem_array(t->slots, sizeof *t->table);
	for (uint32_t v = 0; v < t->n_nodes; v++)
		*slot_of(t, t->texts.p + t->nodes[v].text, t->nodes[v].n) = v + 1;
}

/* texts[from..from + n) as a node; NONE = there is no room. */
static uint32_t node_for(struct queue_taken *t, size_t from, size_t n)
{
	uint32_t *slot = slot_of(t, t->texts.p + from, n);

	if (*slot)
		return *slot - 1;
	if (t->n_nodes == MAX_NODES) {
		t->doubt = true;
		return NONE;
	}
	if (2 * (t->n_nodes + 1) > t->slots) {
		grow(t);
		slot = slot_of(t, t->texts.p + from, n);
	}
	if (t->n_nodes == t->nodes_room) {
		t->nodes_room = t->nodes_room ? 2 * t->nodes_room : 64;
		t->nodes = mem_grow(t->nodes, t->nodes_room, sizeof *t->nodes);
	}
	t->nodes[t->n_nodes] = (struct node){from, (uint32_t)n, false, {0, NONE}, {0, NONE}};
	*slot = (uint32_t)++t->n_nodes;
	return *slot - 1;
}

static void use(struct queue_taken *t, struct users *u, uint32_t item, uint32_t batch)
{
	u->last = batch > u->last ? batch : u->last;
	if (!t->lists || (u->list != NONE && t->entries[u->list].item == item))
		return;
	if ((t->n_entries & (t->n_entries + 1)) == 0) /* doubled at powers of two */
		t->entries = mem_grow(t->entries, 2 * (t->n_entries + 1), sizeof *t->entries);
	t->entries[t->n_entries].item = item;
	t->entries[t->n_entries].before = u->list;
	u->list = (uint32_t)t->n_entries++;
}

static bool is_wide(const char *path) /* it may mean what does not lie below it */
{
	return path[overlap_literal(path)] || strcmp(path, ".") == 0;
}

static void add_path(struct queue_taken *t, const char *path, uint32_t item, uint32_t batch)
{
	size_t n = strlen(path), from = t->texts.len, before = t->n_nodes;

	str_addn(&t->texts, path, n + 1);
	overlap_fold(t->texts.p + from, path);
	uint32_t v = node_for(t, from, n);
	if (v == NONE)
		return;
	use(t, &t->nodes[v].same, item, batch);
	if (is_wide(path)) {
		if (!t->nodes[v].declared) {
			t->globs = mem_grow(t->globs, t->n_globs + 1, sizeof *t->globs);
			t->globs[t->n_globs++] = v;
		}
	} else {
		for (size_t k = n; k-- > 0;) {
			uint32_t up = t->texts.p[from + k] == '/' ? node_for(t, from, k) : NONE;
			if (up != NONE)
				use(t, &t->nodes[up].below, item, batch);
		}
	}
	t->nodes[v].declared = true;
	if (t->n_nodes == before) /* all of it was there */
		t->texts.len = from;
}

void queue_taken_add(struct queue_taken *t, const struct strv *files, uint32_t item, uint32_t batch)
{
	for (size_t f = 0; f < files->n; f++)
		add_path(t, files->v[f], item, batch);
	t->last = batch > t->last ? batch : t->last;
}

/* ---- questions ---- */

static void take(struct queue_taken *t, const struct users *u)
{
	t->found_last = u->last > t->found_last ? u->last : t->found_last;
	for (uint32_t at = t->out ? u->list : NONE; at != NONE && t->n_out < t->most; at = t->entries[at].before) {
		bool there = false;
		for (size_t k = 0; k < t->n_out && !there; k++)
			there = t->out[k] == t->entries[at].item;
		if (!there)
			t->out[t->n_out++] = t->entries[at].item;
	}
}

static void compare(struct queue_taken *t, const char *path, uint32_t node)
{
	const struct node *v = &t->nodes[node];

	if (!v->declared || (!t->out && v->same.last <= t->found_last)) /* nothing new would come of it */
		return;
	if (++t->compared > MAX_COMPARED) {
		t->doubt = true;
		return;
	}
	AUTO_FREE char *text = mem_strndup(t->texts.p + v->text, v->n);
	if (overlap_paths(path, text))
		take(t, &v->same);
}

static void ask_path(struct queue_taken *t, const char *path)
{
	size_t n = strlen(path);
	AUTO_FREE char *folded = mem_array(n + 1, 1);

	overlap_fold(folded, path);
	if (is_wide(path)) {
		for (uint32_t v = 0; v < t->n_nodes; v++)
			compare(t, folded, v);
		return;
	}
	for (size_t k = n + 1; k-- > 0;) {
		if (k < n && folded[k] != '/')
			continue;
		uint32_t slot = *slot_of(t, folded, k);
		if (slot)
			take(t, &t->nodes[slot - 1].same);
		if (slot && k == n)
			take(t, &t->nodes[slot - 1].below);
	}
	for (size_t g = 0; g < t->n_globs; g++)
		compare(t, folded, t->globs[g]);
}

static void ask(struct queue_taken *t, const struct strv *files, uint32_t *out, size_t most)
{
	t->found_last = 0;
	t->out = out;
	t->n_out = 0;
	t->most = most;
	for (size_t f = 0; f < files->n; f++)
		ask_path(t, files->v[f]);
}

uint32_t queue_taken_last(struct queue_taken *t, const struct strv *files)
{
	ask(t, files, NULL, 0);
	return t->doubt && files->n ? t->last : t->found_last;
}

size_t queue_taken_by(struct queue_taken *t, const struct strv *files, uint32_t *out, size_t most)
{
	ask(t, files, out, most);
	return t->n_out;
}
