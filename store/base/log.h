/* log: diagnostics on stderr, one line each, "bosk: " in front. Data never goes here. */
#ifndef BOSK_LOG_H
#define BOSK_LOG_H

enum log_level { LOG_QUIET, LOG_NORMAL, LOG_VERBOSE };

void log_set(enum log_level level);
enum log_level log_get(void);
/* Called instead of writing to stderr (the live view prints above its lines); NULL restores. */
void log_divert(void (*write_line)(const char *line));

void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));  /* always */
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));   /* always */
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));   /* not with --quiet */
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));  /* with --verbose */

#endif
