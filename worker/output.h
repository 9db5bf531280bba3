/* output: what a job prints. A log file of bounded size (head kept, tail rotating), the last line
 * for progress, and the tail for prompts and frames. Does not look into what is printed: bytes are
 * written as they come, secrets must be gone before (secret.h). */
#ifndef BOSK_OUTPUT_H
#define BOSK_OUTPUT_H

#include <stddef.h>
#include <stdint.h>

#include "store/base/err.h"
#include "store/base/str.h"

struct output;

enum { OUTPUT_TAIL_MAX = 64 * 1024, OUTPUT_LINE_MAX = 200, OUTPUT_LIMIT_MIN = 4096 };

/* A new log at `path` (0600, replaced when there), at most `limit` bytes on disk at any time (at
 * least 4 KiB, else ERR_USAGE): the first quarter is kept, the rest is a tail whose oldest half is
 * dropped when it is full, with one line saying how many bytes are missing. Memory is bounded
 * whatever is printed. The caller closes.
 *
 * Until then the file at `path` holds the head only: it grows as bytes come, up to a quarter of the
 * limit, and what follows goes to path.1 and path.2 by turns. output_close appends them and removes
 * them. So a reader may follow `path` alone: it sees the beginning at once, never a byte that is
 * later taken back, and past the first quarter nothing until the end. After a crash the two stay as
 * they are; the next output_open of the same path removes them. */
int output_open(struct output **out, const char *path, uint64_t limit, struct err *e);
/* Errors (disk full) are kept and reported by output_close; later bytes are counted and dropped. */
void output_write(struct output *o, const void *bytes, size_t n);
uint64_t output_bytes(const struct output *o); /* seen so far, dropped ones included */
/* The last non-empty line so far, without its newline, its first 200 bytes at most, raw. "" when
 * none. A line not ended yet counts; a carriage return ends a line too, as programs that draw
 * progress use it. Valid until the next write. */
const char *output_last_line(const struct output *o);
/* Add the last n bytes (n <= 64 KiB) to `out`, cut at the beginning of a line where possible. */
void output_tail(const struct output *o, size_t n, struct str *out);
/* NULL allowed; frees. -1 with the first error of writing or joining: the log then ends early, and
 * what could not be joined stays in path.1 and path.2. */
int output_close(struct output *o, struct err *e);

#endif
