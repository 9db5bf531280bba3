/* log: diagnostics on stderr. */
#include "log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "hide.h"
#include "str.h"

static enum log_level level = LOG_NORMAL;
static void (*divert)(const char *line);

void log_set(enum log_level l)
{
	level = l;
}

enum log_level log_get(void)
{
	return level;
}

void log_divert(void (*write_line)(const char *line))
{
	divert = write_line;
}

static void put(const char *tag, const char *fmt, va_list ap)
{
	AUTO_STR struct str raw = {0}, line = {0};

	str_addv(&raw, fmt, ap);
	hide_in(&raw);
	str_addf(&line, "bosk: %s", tag);
	/* Messages quote foreign names: never let them drive the terminal (promise E7). */
	str_add_printable(&line, str_text(&raw), raw.len, true);
	if (divert) {
		divert(line.p);
		return;
	}
	str_addc(&line, '\n');
	fwrite(line.p, 1, line.len, stderr);
}

#define LOG_FUNCTION(name, tag, from)                                                             \
	void name(const char *fmt, ...)                                                           \
	{                                                                                         \
		va_list ap;                                                                       \
		if (level < (from))                                                               \
			return;                                                                   \
		va_start(ap, fmt);                                                                \
		put(tag, fmt, ap);                                                                \
		va_end(ap);                                                                       \
	}

LOG_FUNCTION(log_error, "error: ", LOG_QUIET)
LOG_FUNCTION(log_warn, "warning: ", LOG_QUIET)
LOG_FUNCTION(log_info, "", LOG_NORMAL)
LOG_FUNCTION(log_debug, "", LOG_VERBOSE)
