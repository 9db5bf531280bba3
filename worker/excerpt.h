/* excerpt: what of a gate's output is worth a model's time, and a person's: the lines that say what failed with what is
 * around them, from wherever in the output, then its end. An output that is small enough is given whole. One text, used
 * as it is in prompts, reports and JSON. Takes clean lines (plain.h); memory is bounded. */
#ifndef BOSK_EXCERPT_H
#define BOSK_EXCERPT_H

#include "store/base/str.h"

enum { EXCERPT_MAX = 16 * 1024 };

struct excerpt;
struct excerpt *excerpt_new(void);
void excerpt_line(struct excerpt *x, const char *line, size_t n);
/* At most EXCERPT_MAX bytes of whole lines are added to `out`; x is freed. */
void excerpt_end(struct excerpt *x, struct str *out);

/* How much a line says of what failed: that something did, or only where something is. */
enum excerpt_says { EXCERPT_NOTHING, EXCERPT_PLACE, EXCERPT_FAILURE };
enum excerpt_says excerpt_says(const char *line, size_t n);

#endif
