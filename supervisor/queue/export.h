/* export: a queue as the tool that made it reads it: its own text, with what has changed since it was added changed in
 * its place (`bosk queue export`). */
#ifndef BOSK_EXPORT_H
#define BOSK_EXPORT_H

#include "queue.h"

struct export_as {
	bool seed;  /* results of bosk's own runs as the seed has them: tasks_completed is a number */
	bool added; /* as it was added, in its own dialect, whatever has changed since */
};

/* The queue's file. A queue that nobody has worked on is byte for byte what was added, if it was in the newest dialect;
 * any other dialect becomes that one. */
int export_queue(struct str *out, const struct site *site, const char *queue, const struct export_as *as,
                 struct err *e);

/* Into a folder such as .workflow/issues: its file, its entry in the index, its issues and solutions. Each file is
 * replaced as a whole; one that changed meanwhile is refused. A line for each that was written goes to `said`, what
 * was left alone to `warnings`. */
int export_folder(struct site *site, const char *queue, const struct export_as *as, const char *folder,
                  struct strv *said, struct strv *warnings, struct err *e);

/* ---- shared by export*.c ---- */

/* The item's text; `needs`: what it depends on, as ids of items. */
void export_item(struct str *out, const struct site *site, const struct queue_item *item, const struct strv *needs,
                 const struct export_as *as);
bool export_touched(const struct queue_item *item); /* has anything of it changed since it was added? */
char *export_time(uint64_t ms); /* as JSON; the caller owns it */

/* What has become of items since they were added. */
struct export_sum {
	bool touched;       /* anything */
	uint64_t latest_ms; /* 0 = not known */
};
void export_sum_add(struct export_sum *sum, const struct queue_item *item);
/* When the queue changed last; 0 = not known. */
uint64_t export_updated(const struct queue *q, const struct export_sum *sum);

/* A file of the folder as it was read. */
struct export_file {
	char *path;
	struct str text;
	bool there;
	uint64_t stamp[4]; /* device, file, size, time of its last change */
	uint32_t mode;
};
int export_read(struct export_file *out, const char *folder, const char *name, struct err *e);
/* ERR_MOVED: somebody else has changed it since. The same text: nothing is written. */
int export_write(const struct export_file *f, const struct str *text, struct strv *said, struct err *e);
void export_file_fini(struct export_file *f);

/* The parts of a folder beside the queue's file. */
int export_index(const struct queue *q, const struct export_sum *sum, const char *folder, struct strv *said,
                 struct err *e);
int export_issues(const struct site *site, const struct queue *q, const char *folder, struct strv *said,
                  struct strv *warnings, struct err *e);
int export_solutions(struct export_sum *sum, const struct site *site, const struct queue *q, const char *folder,
                     struct strv *said, struct strv *warnings, struct err *e);

#endif
