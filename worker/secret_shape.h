/* secret_shape: what well-known tokens look like. For secret.c only. */
#ifndef BOSK_SECRET_SHAPE_H
#define BOSK_SECRET_SHAPE_H

#include <stdbool.h>
#include <stddef.h>

/* Characters that go on after what was matched: all of them belong to the token. */
enum secret_run {
	SECRET_RUN_NONE,
	SECRET_RUN_ALNUM,
	SECRET_RUN_WORD,   /* and _ - */
	SECRET_RUN_DOTTED, /* and _ - . */
	SECRET_RUN_BASE64, /* and + / = */
	SECRET_RUN_PEM,    /* lines of a key, up to its end line */
	SECRET_RUN_PEM_END
};

enum secret_found { SECRET_NO, SECRET_YES, SECRET_WAIT };

struct secret_match {
	size_t n;           /* bytes that are the token for certain */
	enum secret_run run; /* what may follow */
	const char *mark;   /* put in its place */
	const char *name;   /* what it is, for people */
	bool url;           /* user:password@ */
};

/* Is there a token at p, of which n bytes are known? `prev`: the two bytes before it, 0 = none.
 * WAIT: only more bytes can tell; never with `all`, when there are no more. */
enum secret_found secret_shape_at(const unsigned char *p, size_t n, bool all,
                                  const unsigned char prev[2], struct secret_match *m);
/* What a token may begin with, at least two bytes; NULL behind the last one. */
const char *secret_shape_start(size_t i);
bool secret_shape_runs(enum secret_run run, unsigned char c);

#endif
