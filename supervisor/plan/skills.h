/* skills: texts that are given along with a segment: SKILL.md in FOLDER/NAME. Folders, the first that has a skill wins:
 * those of the setting `skills` (else skills/ of the repository and ~/skills), then those that the file manifest.yaml in
 * one of them names, then what it calls the baseline. Nothing is fetched. */
#ifndef BOSK_SKILLS_H
#define BOSK_SKILLS_H

#include "plan_read.h"

struct skill {
	char *name;
	char *body; /* without its front matter; may be blank */
};

struct skills;

/* The skill of exactly that name; NULL after a fault at `at`. */
const struct skill *skills_find(struct plan_reader *r, const struct yaml_node *at, const char *name);

/* Names of all skills that a pattern (* ? []) fits, sorted, each once. */
void skills_match(struct plan_loader *l, const char *pattern, struct strv *out);
bool skills_is_pattern(const char *text);

void skills_free(struct skills *s); /* NULL allowed */

#endif
