/* overlap: could two declared paths mean a common file? Works on text alone, never on a disk. */
#ifndef BOSK_OVERLAP_H
#define BOSK_OVERLAP_H

#include <stdbool.h>

/* Both normalised (plan_path_fault). A path covers itself and what is below it; "." everything.
 * Globs: * and ? within a component, [...] one character of it, ** as a whole component any number
 * of components. Exact but for [...], which is taken as any character (and equals its own text). */
bool overlap_paths(const char *a, const char *b);

#endif
