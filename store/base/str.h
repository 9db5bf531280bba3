/* str: growing byte strings, lists of strings, and the checks on foreign text. */
#ifndef BOSK_STR_H
#define BOSK_STR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Always NUL-ended once something was added; `p` is NULL while empty. Zero-initialise. */
struct str {
	char *p;
	size_t len, cap;
};

void str_fini(struct str *s); /* frees and zeroes */
void str_clear(struct str *s); /* keeps the memory */
void str_add(struct str *s, const char *text);
void str_addn(struct str *s, const void *bytes, size_t n);
void str_addc(struct str *s, char c);
void str_addf(struct str *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void str_addv(struct str *s, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
/* Keep only the last n bytes. */
void str_keep_tail(struct str *s, size_t n);
char *str_take(struct str *s); /* the caller owns the result, never NULL; s is empty again */
const char *str_text(const struct str *s); /* "" when empty */
#define AUTO_STR __attribute__((cleanup(str_fini)))

/* Does a character begin at p (n > 0 bytes) that drives a terminal or misleads its reader: C0, DEL, C1,
 * marks that turn the writing direction, line and paragraph separators, blanks of no width? Its length and code; 0 = no. */
size_t str_control_at(const char *p, size_t n, unsigned *code);

/* Text of unknown origin for a terminal, the one way it may get there (promise E7): of the above, and
 * of bytes that are not UTF-8, each becomes \xNN or \uNNNN; a newline and a tab stay with `lines`. At
 * most n bytes of `text` are read. Text that went through it once stays as it is. */
void str_add_printable(struct str *s, const char *text, size_t n, bool lines);

/* Text between two lines of backticks, more than any row of them in it has, so that it cannot end before its end. Both
 * ends of it are ends of lines. */
void str_add_fenced(struct str *s, const char *text, size_t n);

/* NULL-ended list of owned strings. Zero-initialise. `v` is NULL while empty. */
struct strv {
	char **v;
	size_t n;
};

void strv_fini(struct strv *l);
void strv_add(struct strv *l, const char *text);
void strv_addf(struct strv *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void strv_give(struct strv *l, char *owned);
char *strv_pop(struct strv *l); /* the last one, the caller owns it; not of an empty list */
bool strv_has(const struct strv *l, const char *text);
bool strv_within(const struct strv *l, const struct strv *all); /* does `all` have each of `l`? */
void strv_sort(struct strv *l); /* by bytes */
void strv_copy(struct strv *out, const struct strv *in); /* `out` is overwritten, not freed */
#define AUTO_STRV __attribute__((cleanup(strv_fini)))

bool str_starts(const char *s, const char *prefix);
bool str_ends(const char *s, const char *suffix);
bool str_eq(const char *a, const char *b); /* NULL equals only NULL */
bool str_utf8(const char *s, size_t n);    /* valid UTF-8 without NUL */

/* Whole text as a decimal number; false when it is anything else or does not fit. */
bool str_u64(const char *s, uint64_t *out);

/* Edit distance, for "did you mean"; at most 64 bytes of each are looked at. */
size_t str_distance(const char *a, const char *b);
/* The candidate nearest to `word`, NULL when none is near (more than 3 edits, 2 for
 * words under 6 bytes, 1 under 3). */
const char *str_nearest(const char *word, const char *const *candidates, size_t n);

/* "90s" "5m" "4h" "2d" or a bare number of seconds -> milliseconds. */
bool str_duration_ms(const char *s, uint64_t *out);
/* "32MiB" "2GiB" "10KiB" or a bare number of bytes. */
bool str_bytes(const char *s, uint64_t *out);

#endif
