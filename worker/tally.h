/* tally: what a gate's output says of the gate itself: that its runner found no tests, that a tool is missing, that a disk
 * is full, that something below it was killed. Only forms that are known for certain; whether it counts is gate.c's to say. Takes clean lines (plain.h). */
#ifndef BOSK_TALLY_H
#define BOSK_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zero-initialise. */
struct tally {
	uint64_t lines;
	uint64_t none, some; /* how often some runner said that it ran no tests, and that it ran some */
	/* Numbers of the last lines that say so, 0 = none. */
	uint64_t none_at, missing_at, full_at, killed_at;
	char missing[80];    /* the tool */
};

void tally_line(struct tally *t, const char *line, size_t n);

/* Was it said among the last lines? What a command failed of stands at its end. */
bool tally_late(const struct tally *t, uint64_t at);

#endif
