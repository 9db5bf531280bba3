/* splice: JSON as text: what it is made of, and changes of single members that leave every other byte as it is.
 * Numbers of any size, escapes, the order of keys and keys that are there twice stay as somebody wrote them.
 *
 * The text has been read as JSON before; of any other text the parts may be nonsense, but are inside of it. */
#ifndef BOSK_SPLICE_H
#define BOSK_SPLICE_H

#include <stdbool.h>
#include <stddef.h>

#include "store/base/str.h"

/* A member of an object, or an element of a list (its key is empty): from..to in the text. */
struct splice_part {
	size_t key, key_end; /* with its quotes */
	size_t value, value_end;
};
struct splice_parts {
	struct splice_part *v;
	size_t n;
	size_t open, close; /* of the brackets */
	bool list;
};
/* False: it is no object and no list. The caller frees with splice_fini, also then. */
bool splice_cut(struct splice_parts *out, const char *text, size_t n);
void splice_fini(struct splice_parts *p);
/* The last one of this key, as readers take it; NULL = there is none. */
const struct splice_part *splice_find(const struct splice_parts *p, const char *text, const char *key);

/* The value of a member as text, a copy of the caller's; NULL: there is none, or no object. */
char *splice_get(const char *text, const char *key);
/* The same when it is a string, decoded. */
char *splice_get_text(const char *text, const char *key);

struct splice_change {
	const char *key;
	const char *value; /* JSON; NULL = the member goes, if there is one */
	const char *name;  /* it is called so from now on; NULL = as it was */
	bool first;        /* a new member: in front of the others */
	bool laid_out;     /* the value is what was there, edited: as it is */
};
/* `text`, an object, with these changes: what is there is changed in its place, what is new comes last, laid out as
 * its neighbours are. No change is made by a value that is the same. */
void splice_edit(const char *text, const struct splice_change *changes, size_t n, struct str *out);

/* A value as a list: one that is none is its only element, NULL and null have none. The caller owns it. */
char *splice_list(const char *value);
/* `text`, a list, with one element changed (`at`; its value NULL = it goes), or with one more (`at` SIZE_MAX). */
void splice_element(const char *text, size_t at, const char *value, struct str *out);
/* The same for many at once: NULL = that one stays; those behind the last one are new. */
void splice_elements(const char *text, char *const *values, size_t n, struct str *out);

/* The text with an indent of two spaces per level, on lines of its own unless it is short and flat; `margin` begins
 * every line but the first. What drives a terminal is escaped. */
void splice_pretty(const char *text, const char *margin, struct str *out);
/* On one line, without blanks. */
void splice_compact(const char *text, struct str *out);

/* ---- shared by splice*.c: places in the n bytes at t ---- */

size_t splice_blank(const char *t, size_t at, size_t n);      /* behind the blanks at `at` */
size_t splice_string_end(const char *t, size_t at, size_t n); /* behind the string that begins there */

#endif
