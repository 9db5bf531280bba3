/* green: which gates are known to pass on which tree, for as long as the session runs: gates are not run
 * twice on the same files. The configuration does not change within a session, so a gate's name stands
 * for its definition. */
#ifndef BOSK_GREEN_H
#define BOSK_GREEN_H

#include <stdbool.h>

#include "store/base/str.h"

struct green;

struct green *green_new(void);
void green_free(struct green *g); /* NULL allowed */

/* The gates accepted a tree: `verdicts` are name=verdict. One that is not "pass" was skipped, because
 * what it looks at did not change, or is excused: accepted, but not passed. */
void green_add(struct green *g, const char *tree, const struct strv *verdicts);
bool green_accepted(const struct green *g, const char *tree, const char *gate);
bool green_passed(const struct green *g, const char *tree, const char *gate);

#endif
