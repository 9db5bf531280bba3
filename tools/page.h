/* page: what git shows - diffs, commits - on standard output; nothing of it may drive a terminal (promise E7). */
#ifndef BOSK_PAGE_H
#define BOSK_PAGE_H

#include "worker/git.h"

/* Runs git with these arguments, its index at `index` (NULL = its own). Returns the exit code for bosk; what was
 * wrong is printed. A reader that has enough is no failure. */
int page_git(const struct git *g, const char *const *args, const char *index);

#endif
