/* program: a walk along the PATH. */
#include "program.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/base/fs.h"
#include "store/base/mem.h"

static bool runs(const char *path)
{
	return access(path, X_OK) == 0 && !fs_is_dir(path);
}

char *program_find(const char *name)
{
	const char *path = getenv("PATH");

	if (strchr(name, '/'))
		return runs(name) ? mem_strdup(name) : NULL;
	for (const char *p = path ? path : "/usr/bin:/bin"; *p;) {
		size_t n = strcspn(p, ":");
		AUTO_FREE char *file = mem_printf("%.*s/%s", (int)n, p, name);
		if (*p == '/' && runs(file))
			return mem_steal(&file);
		p += n + (p[n] == ':');
	}
	return NULL;
}
