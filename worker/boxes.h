/* boxes: the checkboxes of a story in Markdown, found by a real parser (the only user of md4c.h): none in code, in
 * HTML comments or quoted. [x] and [X] are ticked, [ ] and [~] are not; bullets may be - * + or numbers, lines end as
 * they like. Changes nothing; says where each mark is, so that others can. */
#ifndef BOSK_BOXES_H
#define BOSK_BOXES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/base/err.h"
#include "store/base/str.h"
#include "store/seal.h"

enum { BOXES_MAX_BYTES = 1 << 20 }; /* of a story */

struct box {
	size_t mark;      /* offset of the byte between [ and ] */
	const char *text; /* its paragraph without blanks around it, an end of a line with what is around read as one blank */
	size_t len;
	size_t first;     /* bytes of its first line */
	char *wrapped;    /* there are more: `text`, for boxes_fini; NULL: that lies in the text that was given */
	unsigned level;   /* 1 = in no other box; steps are 2 and more */
	bool ticked;
	bool counts;      /* it decides how far the story is: level 1 of a Tasks section; of the whole when there is none */
};

struct boxes_span {
	size_t from, to; /* offsets; `to` is behind the last byte */
};

struct boxes {
	struct box *v; /* in the order of the text */
	size_t n;
	/* The sections named Tasks or Tasks / Subtasks, in any case, of any level: from the line of the heading to
	 * the next heading of that level or above. */
	struct boxes_span *tasks;
	size_t n_tasks;
	uint64_t total, checked;           /* of those that count */
	uint64_t seed_total, seed_checked; /* as `grep '^- \[x\]'` and `grep '^- \[ \]'` count */
};

/* Any bytes. The caller keeps `text` as long as *out and frees that with boxes_fini. -1 (ERR_USAGE): it is larger
 * than BOXES_MAX_BYTES. */
int boxes_read(struct boxes *out, const char *text, size_t n, struct err *e);
void boxes_fini(struct boxes *b);

/* seal_hash of a story, the same whether its lines end as in git or as a checkout has them (CRLF or LF): was it changed
 * since it was planned? */
void boxes_hash(char out[SEAL_HEX], const char *text, size_t n);

/* What somebody calls a box, read as the text of one is. The caller owns it. */
char *boxes_flat(const char *text);
/* Is that its text, or the first line of it? `n` bytes. */
bool boxes_called(const struct box *b, const char *flat, size_t n);

/* Does the text of the box hold one of the patterns, in any case (ASCII)? Then only a human ticks it. */
bool boxes_human(const struct box *b, const struct strv *patterns);

/* Bytes of the YAML between two lines --- that the text begins with, both lines and a byte order mark included; 0 = there
 * is none. */
size_t boxes_front(const char *text, size_t n);

#endif
