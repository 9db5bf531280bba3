/* story_text: what of a story that an agent has edited is taken: ticks of boxes that it may tick and can account for,
 * and what it wrote outside of the Tasks sections. Everything else is as it was, byte for byte. Pure. */
#ifndef BOSK_STORY_TEXT_H
#define BOSK_STORY_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/base/err.h"
#include "store/base/str.h"

/* All borrowed. */
struct story_given {
	const struct str *base;    /* as the task began */
	const struct str *before;  /* as it was last taken: its ticks are accounted for; may be `base` */
	const struct str *now;     /* as the agent left it */
	const struct strv *human;  /* texts of boxes that only a human ticks; these, ... */
	const struct strv *patterns; /* ... and what holds one of these where the agent may write what it likes */
	const struct strv *named;  /* boxes_flat of boxes that the agent says it closed; NULL = it names none, ... */
	uint64_t number;           /* ... but says how many */
};

struct story_taken {
	struct str text;
	uint64_t total, already;   /* boxes that count; ticked in the base */
	uint64_t closed;           /* new ticks that were taken, of these */
	uint64_t found;            /* new ticks that count, human ones left out, before they were judged */
	bool refused;              /* the number does not fit: no new tick was taken */
	bool narrowed;             /* the agent changed more of it than could be taken: only ticks were */
	struct strv blocked;       /* texts of boxes that count, are not ticked, and that no human has to tick */
};

/* -1 (ERR_USAGE): a text is too large for a story. */
int story_take(struct story_taken *out, const struct story_given *given, struct err *e);
void story_taken_fini(struct story_taken *t);

#endif
