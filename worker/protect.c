/* protect: matching changed paths with what is protected. */
#include "protect.h"

#include <fnmatch.h>
#include <string.h>
#include <strings.h>

#include "pathglob.h"
#include "store/base/mem.h"

/* ci/deploy.yml and ci/x: a link or submodule named ci has other files at these paths. Only as far as the glob names its
 * folders: what could stand for a star is unknown. */
static bool takes_place(const char *glob, const char *path)
{
	size_t plain = strcspn(glob, "*?[\\");

	for (size_t i = 0; i < plain; i++) {
		AUTO_FREE char *folder = glob[i] == '/' ? mem_strndup(glob, i) : NULL;
		if (folder && strcasecmp(folder, path) == 0)
			return true;
	}
	return false;
}

static bool covers(const char *glob, const char *path)
{
	return pathglob_match(glob, path, FNM_CASEFOLD | FNM_LEADING_DIR) || takes_place(glob, path);
}

const char *protect_find(const struct strv *globs, const struct strv *changed)
{
	for (size_t i = 0; i < changed->n; i++)
		for (size_t k = 0; k < globs->n; k++)
			if (covers(globs->v[k], changed->v[i]))
				return changed->v[i];
	return NULL;
}
