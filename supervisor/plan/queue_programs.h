/* queue_programs: the programs that checks are run with, and what each is told. Which words can follow a program decides
 * whether a line is a command of it or a sentence about it; what publishes or pushes is never among them. Looks at words
 * only. */
#ifndef BOSK_QUEUE_PROGRAMS_H
#define BOSK_QUEUE_PROGRAMS_H

#include <stdbool.h>
#include <stddef.h>

/* One of a line, as it is written. */
struct queue_word {
	const char *p;
	size_t n;
	bool quoted; /* some of it, or it holds what a shell puts in */
};

bool queue_programs_is(const struct queue_word *w, const char *text);

/* Can a shell run these as one command? `filter`: what another one writes is its input. */
bool queue_programs_fit(const struct queue_word *w, size_t n, bool filter);

#endif
