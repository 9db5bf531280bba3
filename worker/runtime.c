/* runtime: a user's folder for locks of the machine. */
#include "runtime.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/base/fs.h"
#include "store/base/mem.h"

static bool ours(const char *dir)
{
	struct stat st;

	return lstat(dir, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == getuid() && (st.st_mode & 022) == 0;
}

/* A service or a timer of the user is started without the variable, a login with it: they are to meet. */
static char *place(void)
{
	const char *given = getenv("XDG_RUNTIME_DIR");
	AUTO_FREE char *usual = mem_printf("/run/user/%u", (unsigned)getuid());

	if (given && *given == '/')
		return mem_printf("%s/bosk", given);
	return ours(usual) ? mem_printf("%s/bosk", usual) : mem_printf("/tmp/bosk-%u", (unsigned)getuid());
}

char *runtime_dir(struct err *e)
{
	char *dir = place();

	if (fs_mkdirs(dir, e) == 0) {
		if (ours(dir)) /* /tmp is everybody's */
			return dir;
		err_set(e, ERR_ENV, "%s is not a folder that only this user can write", dir);
	}
	free(dir);
	return NULL;
}
