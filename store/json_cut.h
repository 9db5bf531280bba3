/* json_cut: foreign JSON of any length, cut into members and elements that are parsed one at a time: each with its
 * place and its own text. Never a tree of all of it. */
#ifndef BOSK_JSON_CUT_H
#define BOSK_JSON_CUT_H

#include <stdbool.h>
#include <stddef.h>

enum {
	JSON_CUT_MAX_VALUE = 16 << 20, /* bytes of one value that is parsed */
	JSON_CUT_MAX_NODES = 1 << 20,  /* values in it: each takes a hundred times its bytes */
	JSON_CUT_MAX_DEPTH = 100       /* brackets in it */
};

struct json_t;

/* Where something is wrong. */
struct json_fault {
	size_t line, column; /* from 1 */
	char text[240];
};

/* A value's own text. */
struct json_span {
	const char *p;
	size_t n;
	size_t line, column;
	size_t nodes; /* values in it, about */
};

/* A place in a text; it may be copied, to come back to it. */
struct json_cut {
	const char *p, *end;
	const char *line_start;
	size_t line;
	bool fresh; /* a bracket was opened, and nothing of what is inside was read */
};

void json_cut_start(struct json_cut *c, const char *text, size_t n); /* the text is borrowed */
/* What comes next, white space aside: its first byte, 0 at the end of the text. */
char json_cut_peek(struct json_cut *c);
/* Go into a map ('{') or a list ('['). */
int json_cut_open(struct json_cut *c, char bracket, struct json_fault *f);
/* The next member of a map, its key to the caller, or element of a list: 1 = it has to be read now; 0 = there is none,
 * and the bracket is closed. */
int json_cut_member(struct json_cut *c, char **key, struct json_fault *f);
int json_cut_element(struct json_cut *c, struct json_fault *f);
/* Over a value, which is only found to end. */
int json_cut_skip(struct json_cut *c, struct json_span *out, struct json_fault *f);
/* Over a value, parsed; `span` may be NULL. Nothing but white space left. */
int json_cut_value(struct json_cut *c, struct json_t **out, struct json_span *span, struct json_fault *f);
int json_cut_end(struct json_cut *c, struct json_fault *f);

/* A whole text. NULL: it is none. Numbers that fit no integer become real ones. */
struct json_t *json_cut_text(const char *text, size_t n, struct json_fault *f);

#endif
