/* manifest: where a manifest of skills says that more skills lie. It is Markdown with YAML in fenced blocks, or YAML as
 * a whole. Reads text only; goes nowhere. */
#ifndef BOSK_MANIFEST_H
#define BOSK_MANIFEST_H

#include "plan.h"

/* Folders as they are written, those with the lowest `priority` first. */
struct manifest {
	struct strv local;    /* local.path */
	struct strv sources;  /* sources with `local: true`, but ... */
	struct strv baseline; /* ... the one of that name, which is asked last */
	struct strv remote;   /* "name (url)" of those that bosk does not fetch */
};

/* -1 with a fault in `faults`. The caller frees with manifest_fini. */
int manifest_parse(struct manifest *out, const char *file, const char *text, size_t n, struct plan_faults *faults);
void manifest_fini(struct manifest *m);

#endif
