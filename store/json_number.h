/* json_number: numbers that are larger than jansson counts; JSON itself knows no limit. */
#ifndef BOSK_JSON_NUMBER_H
#define BOSK_JSON_NUMBER_H

#include <stdbool.h>

#include "base/str.h"

/* The text again, with each whole number beyond 64 bits made a real (12.0): all others stay whole numbers. `quote`: made a
 * text ("12") instead, and reals that are too large as well. */
void json_number_loosen(struct str *out, const char *text, size_t n, bool quote);

#endif
