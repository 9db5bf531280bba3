/* pattern: regular expressions (PCRE2's), on bytes of any kind (the only user of pcre2.h). Neither a pattern nor a text can
 * make a search run for ever or take all memory: patterns are the user's, texts are anybody's.
 *
 * A text is bytes, with NULs as any other: "." is one byte, a letter beyond ASCII is several of them, and cases are
 * those of ASCII. "^" and "$" are the text's begin and end; the caller cuts lines. */
#ifndef BOSK_PATTERN_H
#define BOSK_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/base/err.h"

struct pattern; /* used by one thread at a time */

/* Where a match, or a group of it, is. at = PATTERN_UNSET: the group took no part in it. */
struct pattern_span {
	size_t at, len;
};
#define PATTERN_UNSET SIZE_MAX

/* ERR_USAGE says at which byte of `regex` it is wrong, and why. The caller frees. */
int pattern_new(struct pattern **out, const char *regex, bool icase, struct err *e);
void pattern_free(struct pattern *p); /* NULL allowed */

size_t pattern_groups(const struct pattern *p); /* without the whole match */

/* The first match that begins at `from` or later; what is before is seen by look-behinds and "^" only. spans[0] is
 * the match, spans[i] its group i; `n_spans` may be 0. False also when it was given up: after a second of the
 * processor's time, or a million ways that were tried from one place. */
bool pattern_find(const struct pattern *p, const char *text, size_t n, size_t from, struct pattern_span spans[], size_t n_spans);

#endif
