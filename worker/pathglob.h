/* pathglob: the globs of configuration files on paths as git has them: `paths` of a gate, `protect`, allow files. */
#ifndef BOSK_PATHGLOB_H
#define BOSK_PATHGLOB_H

#include <stdbool.h>

/* A star crosses folders, as in git's own pathspecs; a whole part that is two stars, as in .gitignore, stands for no
 * folder too: of what is to be looked at, or is protected, nothing is left out because it lies at the top. `flags` as for
 * fnmatch, without FNM_PATHNAME. */
bool pathglob_match(const char *glob, const char *path, int flags);

#endif
