/* err: filling and wrapping struct err. Prints nothing. */
#include "err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "hide.h"

static enum err_kind kind_of_errno(int code)
{
	switch (code) {
	case ENOSPC:
	case EDQUOT:
	case EIO:
		return ERR_NOSPACE;
	case EMFILE:
	case ENFILE:
	case ENOMEM:
		return ERR_STARVED;
	case ENOENT:
		return ERR_MISSING;
	case EEXIST:
		return ERR_EXISTS;
	case EPIPE:
	case ESRCH:
		return ERR_GONE;
	default:
		return ERR_ENV;
	}
}

int err_set_at(struct err *e, enum err_kind kind, int code, const char *where,
               const char *fmt, ...)
{
	va_list ap;

	if (!e)
		return -1;
	/* The arguments may point into e->text itself: build the new text aside. Cut only when secrets are
	 * out of it: half a one would not be found. */
	AUTO_STR struct str text = {0};
	va_start(ap, fmt);
	str_addv(&text, fmt, ap);
	va_end(ap);
	hide_in(&text);
	e->kind = kind;
	e->code = code;
	e->where = where;
	snprintf(e->text, sizeof e->text, "%s", str_text(&text));
	return -1;
}

int err_sys_at(struct err *e, const char *where, const char *fmt, ...)
{
	int code = errno;
	AUTO_STR struct str text = {0};
	va_list ap;

	va_start(ap, fmt);
	str_addv(&text, fmt, ap);
	va_end(ap);
	return err_set_at(e, kind_of_errno(code), code, where, "%s: %s", str_text(&text), strerror(code));
}

int err_wrap(struct err *e, const char *fmt, ...)
{
	char context[sizeof e->text];
	va_list ap;

	if (!e)
		return -1;
	va_start(ap, fmt);
	vsnprintf(context, sizeof context, fmt, ap);
	va_end(ap);
	return err_set_at(e, e->kind, e->code, e->where, "%s: %s", context, e->text);
}

void err_clear(struct err *e)
{
	if (e)
		*e = (struct err){0};
}

int err_exit_code(const struct err *e)
{
	switch (e->kind) {
	case ERR_NONE:
		return 0;
	case ERR_USAGE:
	case ERR_MISSING:
	case ERR_EXISTS:
		return 2;
	case ERR_HELD:
		return 5;
	case ERR_MOVED:
		return 1;
	case ERR_BUG:
		return 70;
	case ERR_ENV:
	case ERR_NOSPACE:
	case ERR_STARVED:
	case ERR_DAMAGED:
	case ERR_PROTO:
	case ERR_GONE:
		return 4;
	}
	return 70;
}

bool err_no_room(enum err_kind kind)
{
	return kind == ERR_NOSPACE || kind == ERR_STARVED;
}

const char *err_kind_name(enum err_kind kind)
{
	static const char *const names[] = {
		[ERR_NONE] = "none",       [ERR_USAGE] = "usage",     [ERR_ENV] = "environment",
		[ERR_NOSPACE] = "no space", [ERR_STARVED] = "starved", [ERR_DAMAGED] = "damaged", [ERR_HELD] = "held",
		[ERR_MISSING] = "missing", [ERR_EXISTS] = "exists",   [ERR_MOVED] = "moved",
		[ERR_PROTO] = "protocol",  [ERR_GONE] = "gone",       [ERR_BUG] = "bug",
	};
	return names[kind];
}
