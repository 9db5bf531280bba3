/* Texts that look as real ones do, made anew each time: none of them stands in this repository, so that no scanner
 * of others is alarmed by it. */
#ifndef BOSK_LEAK_SAMPLES_H
#define BOSK_LEAK_SAMPLES_H

#include <stddef.h>

#include "store/base/str.h"

struct sample {
	const char *group; /* a row of the table */
	const char *path;
	struct str text;
};

/* The i-th of a kind, for some i from 0 on; the same for the same seed. False behind the last one. */
bool sample_secret(struct sample *out, size_t i, unsigned seed);
bool sample_harmless(struct sample *out, size_t i, unsigned seed);

#endif
