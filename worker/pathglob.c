/* pathglob: fnmatch, and the double star. */
#include "pathglob.h"

#include <fnmatch.h>
#include <string.h>

#include "store/base/mem.h"

enum { DOUBLE_MAX = 8 };

/* Each of the double stars from `from` on as any folders, and as none. */
static bool match(const char *glob, size_t from, int left, const char *path, int flags)
{
	const char *at = glob + from;

	if (fnmatch(glob, path, flags) == 0)
		return true;
	while ((at = strstr(at, "**/")) && at != glob && at[-1] != '/')
		at++;
	if (!at || !left)
		return false;
	size_t n = (size_t)(at - glob);
	AUTO_FREE char *without = mem_printf("%.*s%s", (int)n, glob, at + 3);
	return match(without, n, left - 1, path, flags) || match(glob, n + 3, left - 1, path, flags);
}

bool pathglob_match(const char *glob, const char *path, int flags)
{
	return match(glob, 0, DOUBLE_MAX, path, flags);
}
