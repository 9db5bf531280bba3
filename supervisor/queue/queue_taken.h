/* queue_taken: which items have which files, for a hundred thousand of them at once. Paths are compared as
 * plan_items_overlap does it. */
#ifndef BOSK_QUEUE_TAKEN_H
#define BOSK_QUEUE_TAKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/base/str.h"

struct queue_taken;

/* `lists`: queue_taken_by is asked, too. */
struct queue_taken *queue_taken_new(bool lists);
void queue_taken_free(struct queue_taken *t);

/* Item `item` has these files, in this batch (from 1). */
void queue_taken_add(struct queue_taken *t, const struct strv *files, uint32_t item, uint32_t batch);
/* The last batch that has an item with a file of these; 0 = none has. Where that would take too long, the last of all. */
uint32_t queue_taken_last(struct queue_taken *t, const struct strv *files);
/* Items that have a file of these, each once, at most so many. */
size_t queue_taken_by(struct queue_taken *t, const struct strv *files, uint32_t *out, size_t most);

#endif
