/* queue_files: the files that a solution's tasks name, for an item that names none. */
#ifndef BOSK_QUEUE_FILES_H
#define BOSK_QUEUE_FILES_H

#include "queue_steps.h"

/* Into d->files, normal and none twice. What is no path of the repository is left out, with a warning. */
void queue_files_add(struct queue_solution *s);

#endif
