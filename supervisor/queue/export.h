/* export: a queue as the tool that made it reads it: its own text, with what has changed since it was added changed in
 * its place (`bosk queue export`). */
#ifndef BOSK_EXPORT_H
#define BOSK_EXPORT_H

#include "queue.h"

struct export_as {
	bool seed;  /* results of bosk's own runs as the seed has them: tasks_completed is a number */
	bool added; /* as it was added, in its own dialect, whatever has changed since */
};

/* A queue at one moment. */
struct export_view {
	const struct site *site;
	struct queue queue;
	struct issue_row *issues;
	size_t n_issues;
	bool touched;        /* has anything of it changed since it was added? */
	uint64_t updated_ms; /* when it changed last; 0 = not known */
	struct str *tasks, *items; /* their rows, encoded */
};
/* ERR_MISSING: there is no such queue. The caller frees with export_view_fini, also after an error. */
int export_view_load(struct export_view *out, const struct site *site, const char *queue, struct err *e);
void export_view_fini(struct export_view *v);
/* The item at ordinal i + 1 as it was then; the caller releases it with queue_item_fini, also after an error. */
int export_view_item(struct queue_item *out, const struct export_view *v, size_t i, struct err *e);

/* The queue's file. A queue that nobody has worked on is byte for byte what was added, if it was in the newest dialect;
 * any other dialect becomes that one. */
int export_queue(struct str *out, const struct export_view *v, const struct export_as *as, struct err *e);

/* Into a folder such as .workflow/issues: its file, its entry in the index, its issues and solutions. Each file is
 * replaced as a whole; one that changed meanwhile is refused. A line for each that was written goes to `said`, what
 * was left alone to `warnings`. */
int export_folder(struct export_view *v, const struct export_as *as, const char *folder, struct strv *said,
                  struct strv *warnings, struct err *e);

/* A file of the folder as it was read: NAME, or NAME of a folder in it. */
struct export_file {
	char *path;
	int folder; /* that it lies in; open while there is a path */
	struct str text;
	bool there;
	uint64_t stamp[4]; /* device, file, size, time of its last change */
	uint32_t mode;
};
int export_read(struct export_file *out, const char *folder, const char *name, struct err *e);
/* ERR_MOVED: somebody else has changed it since. The same text: nothing is written. `said` NULL, here and in what calls
 * it: nothing is; only whether it could be. */
int export_write(const struct export_file *f, const struct str *text, struct strv *said, struct err *e);
void export_file_fini(struct export_file *f);
int export_make_folder(const char *folder, const char *name, struct err *e); /* it may be there */

/* ---- shared by export*.c ---- */

/* The item's text; `needs`: what it depends on, as ids of items. */
void export_item(struct str *out, const struct site *site, const struct queue_item *item, const struct strv *needs,
                 const struct export_as *as);
bool export_touched(const struct queue_item *item); /* has anything of it changed since it was added? */
char *export_time(uint64_t ms); /* as JSON; the caller owns it */

/* Is this text of the queue's file the one that was added, or one that was exported? Then no other tool has changed
 * it. */
int export_known(bool *known, const struct export_view *v, const struct str *text, struct err *e);
/* From now on it is known. */
int export_known_add(const struct export_view *v, const struct str *text, struct err *e);

/* Lines of a file; one of a single pretty-printed list has each of its elements on a line from now on. A line with a NUL
 * byte is another text here, and itself again in the file. */
void export_lines(const struct str *text, struct strv *out);
char *export_line_id(const char *line); /* the caller owns it; NULL: it has none, or cannot be read */
/* The file again; `before`: what its lines were read from. */
void export_lines_join(const struct strv *lines, const struct str *before, struct str *out);

/* The parts of a folder beside the queue's file. */
int export_index(const struct export_view *v, const char *folder, struct strv *said, struct err *e);
/* Adds to the rows of issues what a session made of their items; once. */
int export_sessions(struct export_view *v, struct err *e);
int export_issues(const struct export_view *v, const char *folder, struct strv *said, struct strv *warnings,
                  struct err *e);
int export_solutions(const struct export_view *v, const char *folder, struct strv *said, struct strv *warnings,
                     struct err *e);

#endif
