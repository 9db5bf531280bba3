/* output: what a job prints. A log file of bounded size (head kept, tail rotating), the last line
 * for progress, and the tail for prompts and frames. */
#ifndef BOSK_OUTPUT_H
#define BOSK_OUTPUT_H

#include <stddef.h>
#include <stdint.h>

#include "store/base/err.h"
#include "store/base/str.h"

struct output;

/* A new log at `path` (0600, replaced when there), at most `limit` bytes on disk at any time: the
 * first quarter is kept, the rest is a tail whose oldest half is dropped when it is full, with one
 * line saying how many bytes are missing. Memory is bounded whatever is printed. The caller closes. */
int output_open(struct output **out, const char *path, uint64_t limit, struct err *e);
/* Errors (disk full) are kept and reported by output_close; later bytes are counted and dropped. */
void output_write(struct output *o, const void *bytes, size_t n);
uint64_t output_bytes(const struct output *o); /* seen so far, dropped ones included */
/* The last non-empty line so far, without its newline, at most 200 bytes, raw. "" when none. */
const char *output_last_line(const struct output *o);
/* The last n bytes (n <= 64 KiB), cut at a line where possible. */
void output_tail(const struct output *o, size_t n, struct str *out);
int output_close(struct output *o, struct err *e); /* NULL allowed; frees */

#endif
