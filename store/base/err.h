/* err: what went wrong, said once, with the object's name in it.
 *
 * Expected outcomes (a conflict, a failed gate) are values, never a struct err.
 * Callers branch on `kind`; `text` is for people. */
#ifndef BOSK_ERR_H
#define BOSK_ERR_H

#include <stdbool.h>

enum err_kind {
	ERR_NONE = 0,
	ERR_USAGE,   /* command line, configuration or plan: nothing was started (exit 2) */
	ERR_ENV,     /* git, disk, missing tool, no identity (exit 4) */
	ERR_NOSPACE, /* ENOSPC, EIO, EDQUOT: hold on and retry when there is room (exit 4) */
	ERR_STARVED, /* no descriptors, processes or memory: may be there later (exit 4) */
	ERR_DAMAGED, /* store or repository content contradicts itself (exit 4) */
	ERR_HELD,    /* a living owner holds it (exit 5) */
	ERR_MISSING, /* the object asked for does not exist */
	ERR_EXISTS,  /* it exists already */
	ERR_MOVED,   /* compare-and-swap lost: the value is no longer the one read */
	ERR_PROTO,   /* a peer's bytes are not the protocol */
	ERR_GONE,    /* the peer or process has ended */
	ERR_BUG      /* ours (exit 70) */
};

struct err {
	enum err_kind kind;
	int code;          /* errno, or the library's own code */
	const char *where; /* "file.c:line", static */
	char text[1000];
};

#define ERR_STR2(x) #x
#define ERR_STR(x) ERR_STR2(x)
#define ERR_HERE __FILE__ ":" ERR_STR(__LINE__)

/* All return -1, so that `return err_set(...)` ends a function. `e` may be NULL. */
#define err_set(e, kind, ...) err_set_at((e), (kind), 0, ERR_HERE, __VA_ARGS__)
#define err_code(e, kind, code, ...) err_set_at((e), (kind), (code), ERR_HERE, __VA_ARGS__)
/* As err_set, with errno's text appended; the kind follows from errno. */
#define err_sys(e, ...) err_sys_at((e), ERR_HERE, __VA_ARGS__)

int err_set_at(struct err *e, enum err_kind kind, int code, const char *where,
               const char *fmt, ...) __attribute__((format(printf, 5, 6)));
int err_sys_at(struct err *e, const char *where, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Put "CONTEXT: " before the text; keeps the kind. Returns -1. */
int err_wrap(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

void err_clear(struct err *e);

/* The exit code of interface.md that this kind stands for. */
int err_exit_code(const struct err *e);

/* The machine lacks something, which may be over later: nobody's fault. */
bool err_no_room(enum err_kind kind);

const char *err_kind_name(enum err_kind kind);

#endif
