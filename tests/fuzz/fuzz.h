/* The one function of every fuzz target: called by libFuzzer or by replay.c with one input. It
 * must stand any bytes, leave nothing behind, and abort (assert) when a promise is broken. */
#ifndef BOSK_FUZZ_H
#define BOSK_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#endif
