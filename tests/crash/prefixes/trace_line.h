/* trace_line: one line of strace, taken apart. */
#ifndef BOSK_TRACE_LINE_H
#define BOSK_TRACE_LINE_H

#include <stdbool.h>
#include <stddef.h>

#include "store/base/str.h"

struct line {
	int pid;
	const char *name; /* of the call */
	struct strv args;
	long long result;
	char *opened; /* path of the descriptor that was returned */
	size_t number;
};

/* `text` is what follows the pid; it is cut up. False: the call failed, or the line is no call. */
bool line_parse(struct line *l, char *text);
const char *line_arg(const struct line *l, size_t i);
bool line_text(const char *arg, struct str *out); /* "..." -> its bytes */
char *line_fd_path(const char *arg);              /* 7</path> -> /path; NULL: none, or it has no name any more */
void line_unhex(struct str *out, const char *p, const char *end);
void line_die(const struct line *l, const char *what) __attribute__((noreturn));

#endif
