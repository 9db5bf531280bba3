/* story_result: what a story's agent says of its work, in the words of the original (formats.md [3-3]). Pure. */
#ifndef BOSK_STORY_RESULT_H
#define BOSK_STORY_RESULT_H

#include <stdbool.h>
#include <stdint.h>

#include "store/base/err.h"
#include "store/base/str.h"

enum story_status { STORY_COMPLETED, STORY_PARTIAL, STORY_ERROR };

struct story_result {
	enum story_status status;
	bool named;             /* `done` was given */
	struct strv done;       /* texts of the boxes that it closed */
	uint64_t closed;        /* how many it says, 0 when it does not */
	struct strv questions;  /* task, question, task, question ... */
	struct strv human;      /* what a human is to look at, a line each, each once */
	struct strv errors;
};

/* `key`: the story it must be of, where it names one. -1 (ERR_USAGE): it is no result, and why. */
int story_result_parse(struct story_result *out, const char *text, size_t n, const char *key, struct err *e);
void story_result_fini(struct story_result *r);

/* The JSON object that the text ends with, blanks and the end of a code block behind it; NULL = there is none. */
const char *story_result_at_end(const char *text, size_t n, size_t *len);

#endif
