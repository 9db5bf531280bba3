/* front: the front matter of a Markdown file: YAML between two lines "---", the first of them its first line.
 * Finds and reads it; knows nothing of what its keys mean. */
#ifndef BOSK_FRONT_H
#define BOSK_FRONT_H

#include "supervisor/yaml.h"

struct front {
	struct yaml *doc; /* a mapping; NULL = there is none, or nothing in it */
	size_t body;      /* where the text behind it begins (boxes_front) */
};

/* -1 with a fault in `faults` (they carry `file` and the lines of the whole text): it has no end, is no valid YAML, or
 * no mapping. The caller frees with front_fini. */
int front_read(struct front *out, const char *file, const char *text, size_t n, struct plan_faults *faults);
void front_fini(struct front *f);

#endif
