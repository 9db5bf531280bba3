/* prefixes: what the parts of this program share. */
#ifndef BOSK_PREFIXES_H
#define BOSK_PREFIXES_H

#include <stdbool.h>

/* Says what is wrong with the input, and ends with 2. */
void prefixes_die(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

#endif
