/* batch_results: what became of a plan's tasks, in the words of the story seed (formats.md [3-3]): as JSON, as the
 * debrief for people, and in numbers. A task that is no story counts as one of one step. Reads only. */
#ifndef BOSK_BATCH_RESULTS_H
#define BOSK_BATCH_RESULTS_H

#include "session.h"

struct batch_counts {
	uint64_t total, completed; /* boxes that count; of these ticked */
	uint64_t blocked;          /* open, and no human has to tick them */
};
struct batch_counts batch_counts(const struct session *s, size_t task);

/* Is a story integrated of which boxes are still open? */
bool batch_partial(const struct session *s);

/* "7/8 tasks done, 1 blocked" of a story, owned by the caller; NULL for other tasks. */
char *batch_line(const struct session *s, size_t task);

/* What only a human can do of a story: its boxes, then what its agent says besides. Added to *out; nothing
 * of one that is never run. */
void batch_human(const struct session *s, size_t task, struct strv *out);

/* How far a story is, as a trailer of its merge: "Bosk-Boxes: 5/8, partial"; nothing for other tasks. And back, into the
 * row of a store that is made again. */
void batch_trailer(const struct task_row *row, struct str *out);
bool batch_trailer_read(struct task_row *row, const struct task_def *d, const char *text);

/* How a task is listed; pending is what is still to be run, or runs. */
enum batch_class { BATCH_COMPLETED, BATCH_BLOCKED, BATCH_ROUTED, BATCH_ERROR, BATCH_PENDING, BATCH_CLASSES };
enum batch_class batch_class(const struct session *s, size_t task);

/* The final box of a batch of stories, a line each; nothing for other plans. */
void batch_box(const struct session *s, struct strv *lines);

/* ---- debrief.c ---- */
void debrief_text(const struct session *s, struct str *out);

#endif
