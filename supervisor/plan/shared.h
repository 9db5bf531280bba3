/* shared: which tasks before a task declare a file that it declares too, the nearest ones of them. As overlap_paths
 * does it for two paths, without regard to case, but for a hundred thousand tasks at once. */
#ifndef BOSK_SHARED_H
#define BOSK_SHARED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/rows.h"

struct shared;

/* Of the tasks' files, which are normal (plan_path_fault) and borrowed. */
struct shared *shared_new(const struct task_def *tasks, size_t n);
void shared_free(struct shared *s); /* NULL allowed */

/* The nearest tasks before task i that have a file in common with its file k, the nearest first, none twice: at most
 * `same` that declare just this, and `others` that declare folders and globs of it, or it is one of theirs. Tasks are
 * asked about in order, each file of task i, and then task i is let in. */
size_t shared_before(struct shared *s, uint32_t *out, size_t same, size_t others, uint32_t i, size_t k);
void shared_enter(struct shared *s, uint32_t i);

/* How many pairs there are at least when each file of a task is paired with the same path of so many before it. */
uint64_t shared_pairs(const struct shared *s, size_t near);

/* Folders in folders, or globs, were so many that some of what they have in common was not looked for. */
bool shared_partial(const struct shared *s);
/* How many paths and entries were looked at so far, for tests. */
size_t shared_work(const struct shared *s);

#endif
