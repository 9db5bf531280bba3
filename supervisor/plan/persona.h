/* persona: the files that say who does a segment: PERSONA.md in one of the folders `personas` of the configuration, or in
 * global_workflows/personas of the repository. */
#ifndef BOSK_PERSONA_H
#define BOSK_PERSONA_H

#include "plan_read.h"

struct persona {
	char *name, *path;
	char *body;         /* what a prompt begins with; never blank */
	char *model;        /* NULL = none */
	struct strv skills; /* names of those there are */
	bool bad;           /* it was found, but is faulty: that is said already */
};

struct personas;

/* The persona of that name, read once; NULL after a fault at `at`. Faults in its file are said with its own name. */
const struct persona *persona_find(struct plan_reader *r, const struct yaml_node *at, const char *name);
void persona_free(struct personas *p); /* NULL allowed */

#endif
