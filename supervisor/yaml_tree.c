/* yaml_tree: builds the tree of yaml.h from what a parser sees, and enforces the limits on it. */
#include "yaml_tree.h"

#include <string.h>

#include "store/base/mem.h"

/* ---- memory: freed as a whole ---- */

enum { CHUNK_BYTES = 64 << 10 };

struct yaml_chunk {
	struct yaml_chunk *next;
	size_t used, size;
	max_align_t bytes[];
};

static void *allot(struct yaml *y, size_t size)
{
	size = (size + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
	struct yaml_chunk *c = y->chunks;
	if (!c || c->size - c->used < size) {
		size_t room = size > CHUNK_BYTES ? size : CHUNK_BYTES;
		c = mem_alloc(sizeof *c + room);
		c->size = room;
		c->next = y->chunks;
		y->chunks = c;
	}
	void *p = (char *)c->bytes + c->used;
	c->used += size;
	return p;
}

void yaml_free(struct yaml *y)
{
	if (!y)
		return;
	for (struct yaml_chunk *c = y->chunks, *next; c; c = next) {
		next = c->next;
		free(c);
	}
	free(y);
}

const char *yaml_tree_text(struct yaml *y, const char *text, size_t n)
{
	char *copy = allot(y, n + 1);
	if (n)
		memcpy(copy, text, n);
	copy[n] = '\0';
	return copy;
}

int yaml_tree_fault(struct yaml *y, const char *fmt, ...)
{
	AUTO_STR struct str message = {0};
	va_list ap;
	va_start(ap, fmt);
	str_addv(&message, fmt, ap);
	va_end(ap);
	plan_faults_add(y->faults, y->file, y->line, y->column, NULL, NULL, "%s", message.p);
	y->bad = true;
	return -1;
}

/* ---- nodes ---- */

static struct yaml_node *node_new(struct yaml *y, enum yaml_kind kind)
{
	if (y->nodes == YAML_MAX_NODES) {
		yaml_tree_fault(y, "more than 4,000,000 values: split the text");
		return NULL;
	}
	y->nodes++;
	struct yaml_node *node = allot(y, sizeof *node);
	*node = (struct yaml_node){.kind = kind, .line = y->line, .column = y->column, .text = ""};
	return node;
}

/* Where a finished or opened node belongs: the root, a list's end, or a map's key or value. */
static int attach(struct yaml *y, struct yaml_node *node)
{
	if (!y->depth) {
		y->root = node;
		return 0;
	}
	struct yaml_open *o = &y->open[y->depth - 1];
	if (o->node->kind == YAML_MAP && !o->key) {
		if (node->kind != YAML_SCALAR)
			return yaml_tree_fault(y, "a key must be a text, not a list or mapping");
		o->key = node;
		return 0;
	}
	node->key = o->key;
	o->key = NULL;
	if (o->last)
		o->last->next = node;
	else
		o->node->first = node;
	o->last = node;
	o->node->n++;
	return 0;
}

static int remember(struct yaml *y, const char *anchor, const struct yaml_node *node)
{
	if (!anchor)
		return 0;
	if (y->n_anchors == YAML_MAX_ANCHORS)
		return yaml_tree_fault(y, "more than 256 anchors (&)");
	y->anchors[y->n_anchors++] = (struct yaml_anchor){anchor, node};
	return 0;
}

int yaml_tree_scalar(struct yaml *y, const char *text, size_t n, bool plain, bool block,
                     const char *anchor)
{
	if (!str_utf8(text, n))
		return yaml_tree_fault(y, "the text holds a NUL or is not UTF-8");
	struct yaml_node *node = node_new(y, YAML_SCALAR);
	if (!node)
		return -1;
	node->plain = plain;
	node->len = n;
	node->from = y->from;
	node->to = y->to;
	node->text = yaml_tree_text(y, text, n);
	if (attach(y, node) != 0)
		return -1;
	if (block && node->key) { /* its own mark is the line after the | or > */
		node->line = node->key->line;
		node->column = node->key->column;
	}
	return remember(y, anchor, node);
}

int yaml_tree_open(struct yaml *y, enum yaml_kind kind, const char *anchor)
{
	if (y->depth == YAML_MAX_DEPTH)
		return yaml_tree_fault(y, "nested deeper than 64");
	struct yaml_node *node = node_new(y, kind);
	if (!node || attach(y, node) != 0)
		return -1;
	y->open[y->depth++] = (struct yaml_open){.node = node};
	return remember(y, anchor, node);
}

/* ---- keys written twice ---- */

static int by_key(const void *a, const void *b)
{
	const struct yaml_node *x = *(const struct yaml_node *const *)a;
	const struct yaml_node *z = *(const struct yaml_node *const *)b;
	int order = strcmp(x->key->text, z->key->text);
	if (order)
		return order;
	/* The order in the text, so that the second one is reported. */
	if (x->key->line != z->key->line)
		return x->key->line < z->key->line ? -1 : 1;
	return (x->key->column > z->key->column) - (x->key->column < z->key->column);
}

int yaml_tree_close(struct yaml *y)
{
	const struct yaml_node *map = y->open[--y->depth].node;
	if (map->kind != YAML_MAP || map->n < 2)
		return 0;
	/* Sorted: a map of a million keys must not cost their square. */
	AUTO_FREE const struct yaml_node **sorted = mem_array(map->n, sizeof *sorted);
	size_t n = 0, first = 0;
	for (const struct yaml_node *v = map->first; v; v = v->next)
		sorted[n++] = v;
	qsort(sorted, n, sizeof *sorted, by_key);
	for (size_t i = 1; i < n; i++) {
		const struct yaml_node *key = sorted[i]->key, *earlier = sorted[first]->key;
		if (strcmp(key->text, earlier->text) != 0) {
			first = i;
			continue;
		}
		plan_faults_add(y->faults, y->file, key->line, key->column, NULL, key->text,
		                "this key was given already in line %u", earlier->line);
		y->bad = true;
	}
	return 0; /* a fault, but the rest of the text can still be read */
}

/* ---- aliases ---- */

/* A copy of `from` and what is inside. Depth and node count bound it. */
static struct yaml_node *copy(struct yaml *y, const struct yaml_node *from, size_t depth)
{
	if (depth > YAML_MAX_DEPTH) {
		yaml_tree_fault(y, "nested deeper than 64");
		return NULL;
	}
	if (y->aliased == YAML_MAX_ALIASED) {
		yaml_tree_fault(y, "aliases (*) repeat more than 1,000,000 values");
		return NULL;
	}
	y->aliased++;
	struct yaml_node *node = node_new(y, from->kind), *last = NULL;
	if (!node)
		return NULL;
	*node = *from;
	node->from = node->to = 0;
	node->first = node->next = NULL;
	for (const struct yaml_node *v = from->first; v; v = v->next) {
		struct yaml_node *inner = copy(y, v, depth + 1);
		if (!inner)
			return NULL;
		if (last)
			last->next = inner;
		else
			node->first = inner;
		last = inner;
	}
	return node;
}

int yaml_tree_alias(struct yaml *y, const char *name)
{
	const struct yaml_node *target = NULL;
	for (size_t i = y->n_anchors; i > 0 && !target; i--) /* the newest of that name counts */
		if (strcmp(y->anchors[i - 1].name, name) == 0)
			target = y->anchors[i - 1].node;
	if (!target)
		return yaml_tree_fault(y, "an alias (*) without its anchor (&) before it");
	for (size_t i = 0; i < y->depth; i++)
		if (y->open[i].node == target)
			return yaml_tree_fault(y, "an alias (*) of what it stands in");
	struct yaml_node *node = copy(y, target, y->depth + (target->kind != YAML_SCALAR));
	if (!node)
		return -1;
	node->key = NULL;
	node->line = y->line;
	node->column = y->column;
	return attach(y, node);
}

/* ---- reading the tree ---- */

const struct yaml_node *yaml_root(const struct yaml *y)
{
	return y->root;
}

const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key)
{
	for (const struct yaml_node *v = map->kind == YAML_MAP ? map->first : NULL; v; v = v->next)
		if (strcmp(v->key->text, key) == 0)
			return v;
	return NULL;
}

static bool is_one_of(const struct yaml_node *n, const char *const *words)
{
	for (; n->kind == YAML_SCALAR && n->plain && *words; words++)
		if (strcmp(n->text, *words) == 0)
			return true;
	return false;
}

bool yaml_is_null(const struct yaml_node *n)
{
	static const char *const words[] = {"", "~", "null", "Null", "NULL", NULL};
	return is_one_of(n, words);
}

bool yaml_flag(const struct yaml_node *n, bool *out)
{
	static const char *const yes[] = {"true", "True", "TRUE", NULL};
	static const char *const no[] = {"false", "False", "FALSE", NULL};
	*out = is_one_of(n, yes);
	return *out || is_one_of(n, no);
}

bool yaml_u64(const struct yaml_node *n, uint64_t *out)
{
	return n->kind == YAML_SCALAR && n->plain && str_u64(n->text, out);
}

const char *yaml_what(const struct yaml_node *n)
{
	if (n->kind == YAML_SCALAR)
		return yaml_is_null(n) ? "nothing" : "a text";
	return n->kind == YAML_LIST ? "a list" : "a mapping";
}
