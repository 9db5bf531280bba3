/* json_number: numbers that are larger than jansson counts; JSON itself knows no limit. */
#ifndef BOSK_JSON_NUMBER_H
#define BOSK_JSON_NUMBER_H

#include <stdbool.h>

#include "base/str.h"

/* The text again, with each whole number beyond 64 bits made a real (12.0): all others stay whole numbers. `quote`: made a
 * text instead that begins so ("12"), and reals that are too large as well; NULL = no. */
void json_number_loosen(struct str *out, const char *text, size_t n, const char *quote);

/* In JSON that has been read and written again since: the texts that begin with this mark are numbers again. */
#define JSON_NUMBER_MARK "\\u0001="
void json_number_restore(struct str *text);

#endif
