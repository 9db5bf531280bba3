/* floor: is there room to start another task? Disk and memory below their configured floors: wait. */
#ifndef BOSK_FLOOR_H
#define BOSK_FLOOR_H

#include <stdbool.h>

#include "config.h"

/* False when free disk at `path` (or its nearest existing parent) or available memory is below
 * limits.free_disk / limits.free_memory; `why` then says which. What cannot be measured is enough. */
bool floor_ok(const struct config *cfg, const char *path, struct str *why);
/* Bytes of memory that may be used above its floor; 0 = there is none to keep to, or that is not known. */
uint64_t floor_room(const struct config *cfg);

/* Bytes that are free on the disk of `path` (or of its nearest existing parent); available memory. UINT64_MAX = cannot be measured. */
uint64_t floor_disk(const char *path);
uint64_t floor_memory(void);

#endif
