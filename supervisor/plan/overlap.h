/* overlap: could two declared paths mean a common file? Works on text alone, never on a disk. */
#ifndef BOSK_OVERLAP_H
#define BOSK_OVERLAP_H

#include <stdbool.h>
#include <stddef.h>

/* Both normalised (plan_path_fault). A path covers itself and what is below it; "." everything.
 * Globs: * and ? within a component, [...] one character of it, ** as a whole component any number
 * of components. Exact but for [...], which is taken as any character (and equals its own text). */
bool overlap_paths(const char *a, const char *b);
/* The same where A and a may be one file, as on some disks. Letters of ASCII; others are as they are written. */
bool overlap_paths_any_case(const char *a, const char *b);
void overlap_fold(char *out, const char *path); /* the case that is compared in; as long as `path` */

/* Bytes before the first character of a glob; all of them = it is none. Every path that it meets begins so, or is a
 * folder on the way there. */
size_t overlap_literal(const char *path);

#endif
