/* create_stories: a story is worked on as the base has it, so that is how it must have been read. */
#include "create.h"

#include <string.h>

#include "worker/boxes.h"

void create_check_stories(const struct site *site, const struct plan *plan, const struct create_base *look,
                          struct plan_faults *faults)
{
	for (size_t i = 0; i < plan->n; i++) {
		const struct task_def *d = &plan->tasks[i];
		AUTO_STR struct str text = {0};
		struct err e = {0};
		char hash[SEAL_HEX];

		if (!d->story || !d->story_hash)
			continue;
		if (gitx_read_file(site->git, &look->base, d->story, &text, &e) != 0) {
			if (e.kind == ERR_MISSING)
				plan_faults_add(faults, d->story, 0, 0, d->id, NULL,
				                "is not in the base %.12s: commit it, or leave it out", look->base.hex);
			else
				plan_faults_add(faults, d->story, 0, 0, d->id, NULL, "%s", e.text);
			continue;
		}
		boxes_hash(hash, str_text(&text), text.len);
		if (strcmp(hash, d->story_hash) != 0)
			plan_faults_add(faults, d->story, 0, 0, d->id, NULL,
			                "differs from the one in the base %.12s: commit it, or bring it back with "
			                "git restore --source=%.12s -- FILE", look->base.hex, look->base.hex);
	}
}
