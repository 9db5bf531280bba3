/* story_lines: lines that differ in their end only are as they were. Pure. */
#ifndef BOSK_STORY_LINES_H
#define BOSK_STORY_LINES_H

#include <stddef.h>

#include "store/base/str.h"

/* Adds the text `now` to `out`; where a line of it is one of `base` but for its end or blanks before that, the line of
 * `base`. (A very large change is taken as it is.) */
void story_lines(struct str *out, const char *base, size_t n_base, const char *now, size_t n_now);

#endif
