/* yaml_tree: the memory and the building of the tree of yaml.h, for yaml.c only. Knows nothing of
 * the parser. */
#ifndef BOSK_YAML_TREE_H
#define BOSK_YAML_TREE_H

#include "yaml.h"

struct yaml_chunk;

struct yaml_open { /* a list or map whose end has not been seen */
	struct yaml_node *node, *last;
	struct yaml_node *key; /* a map's key that waits for its value */
};

struct yaml_anchor {
	const char *name;
	const struct yaml_node *node;
};

struct yaml {
	const char *file; /* borrowed, while building */
	struct plan_faults *faults;
	struct yaml_chunk *chunks;
	struct yaml_node *root;
	struct yaml_open open[YAML_MAX_DEPTH];
	size_t depth, nodes, aliased;
	struct yaml_anchor anchors[YAML_MAX_ANCHORS];
	size_t n_anchors;
	uint32_t line, column; /* of what was added last */
	uint32_t from, to;     /* its bytes, when it is a scalar */
	bool bad;              /* a fault was found */
};

/* All return 0, or -1 with a fault: then building must stop. */
int yaml_tree_scalar(struct yaml *y, const char *text, size_t n, bool plain, bool block,
                     const char *anchor);
int yaml_tree_open(struct yaml *y, enum yaml_kind kind, const char *anchor);
int yaml_tree_close(struct yaml *y);
int yaml_tree_alias(struct yaml *y, const char *name);

const char *yaml_tree_text(struct yaml *y, const char *text, size_t n); /* a copy that y owns */
/* At y->line, y->column; returns -1. */
int yaml_tree_fault(struct yaml *y, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
