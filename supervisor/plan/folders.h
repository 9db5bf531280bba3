/* folders: files of the folders that a configuration or a manifest names: personas and skills. */
#ifndef BOSK_FOLDERS_H
#define BOSK_FOLDERS_H

#include "plan.h"

/* A folder as it is written: "~/x" is below $HOME, what is not absolute below `base`. The caller owns it; NULL: it cannot
 * be found so. */
char *folders_path(const char *base, const char *text);

/* Read a text of at most PLAN_MAX_TEXT bytes: 1 = read, 0 = there is no such file, -1 = it cannot be used: *why says why,
 * the caller owns it. A file of the repository must lie in it, whatever links lead there (promise E5). */
int folders_read(const struct plan_context *ctx, const char *path, struct str *out, char **why);

/* "a, b and c" of paths. */
void folders_list(const struct strv *paths, struct str *out);

#endif
