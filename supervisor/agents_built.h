/* agents_built: the agents that bosk brings, as YAML (supervisor/agents). agents_built.c is made of them when bosk is
 * built: nothing is looked for when it runs. */
#ifndef BOSK_AGENTS_BUILT_H
#define BOSK_AGENTS_BUILT_H

#include <stddef.h>

struct agents_built {
	const char *name, *text;
};

extern const struct agents_built agents_built_list[]; /* sorted by name */
extern const size_t agents_built_count;

#endif
