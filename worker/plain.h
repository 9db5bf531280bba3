/* plain: what a job prints as lines that can be shown and searched: without the sequences that colour a terminal, without
 * what a carriage return or a backspace took back, as UTF-8. Bytes come in any pieces; memory is bounded. Does not know
 * what the lines mean. */
#ifndef BOSK_PLAIN_H
#define BOSK_PLAIN_H

#include <stddef.h>

enum { PLAIN_LINE_MAX = 1000 }; /* of a longer line the beginning is given, and how long it was */

struct plain;
/* `line` is NUL-ended, without its newline, and valid for the call only. */
typedef void plain_sink(void *ctx, const char *line, size_t n);

struct plain *plain_new(plain_sink *sink, void *ctx);
void plain_put(struct plain *p, const char *bytes, size_t n);
void plain_end(struct plain *p); /* a last line without its newline is given too; frees; NULL allowed */

#endif
