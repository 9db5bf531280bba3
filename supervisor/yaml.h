/* yaml: YAML text (and so JSON) as a tree of nodes that know where they were written.
 *
 * The text is foreign. What is refused, each with its place: more than 16 MiB, bytes that are not
 * UTF-8, NUL, nesting deeper than 64, several documents, tags, keys that are not scalars, keys
 * written twice, aliases that repeat more than 1,000,000 nodes. Says nothing about what the nodes
 * mean: that is the business of plan and config. yaml.c is the only includer of libfyaml.h. */
#ifndef BOSK_YAML_H
#define BOSK_YAML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plan/plan.h"

enum {
	YAML_MAX_BYTES = 16 << 20,
	YAML_MAX_DEPTH = 64,
	YAML_MAX_NODES = 4000000,  /* keys included */
	YAML_MAX_ALIASED = 1000000, /* of them by aliases */
	YAML_MAX_ANCHORS = 256
};

enum yaml_kind { YAML_SCALAR, YAML_LIST, YAML_MAP };

struct yaml_node {
	enum yaml_kind kind;
	bool plain;            /* a scalar without quotes: null, true and 1 mean something */
	uint32_t line, column; /* from 1; a block scalar and a left-out value: those of their key */
	uint32_t n;            /* values in a list or map */
	uint32_t from, to;     /* of a scalar: its bytes, without quotes; both 0: none of its own (left out, an alias) */
	size_t len;
	const char *text;                    /* of a scalar, NUL-ended and without NUL; else "" */
	const struct yaml_node *first, *next; /* the first value inside; the value after this one */
	const struct yaml_node *key;         /* of a value in a map, a scalar; else NULL */
};

struct yaml;

/* NULL with at least one fault in `faults` (all of them carry `file`) when the text is not
 * acceptable. An empty text gives a plain scalar "". The caller frees with yaml_free; nodes live
 * as long. */
struct yaml *yaml_parse(const char *file, const char *text, size_t n, struct plan_faults *faults);
void yaml_free(struct yaml *y); /* NULL allowed */
const struct yaml_node *yaml_root(const struct yaml *y);

const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key); /* NULL: absent */

/* What a plain scalar stands for (YAML 1.2 core schema); quoted text is only ever text. */
bool yaml_is_null(const struct yaml_node *n);
bool yaml_flag(const struct yaml_node *n, bool *out);    /* true, false */
bool yaml_u64(const struct yaml_node *n, uint64_t *out); /* decimal digits */
const char *yaml_what(const struct yaml_node *n); /* "a list", "a mapping", "a text", "nothing" */

#endif
