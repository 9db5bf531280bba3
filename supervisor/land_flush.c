/* land_flush: a checkout that git has moved, onto the disk (declared in land_private.h). git flushes no
 * file of a working tree; after a power cut they would be there, and empty. */
#include "land_private.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/base/mem.h"

static int flush(const char *path, struct err *e)
{
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
		return 0; /* removed, or a link: its folder is flushed */
	return fd < 0 || fsync(fd) != 0 ? err_sys(e, "cannot flush %s", path) : 0;
}

/* Only begun, for all of them: then each fsync has little left to wait for. */
static void write_out(const char *path)
{
	struct stat st;
	AUTO_CLOSE int fd = lstat(path, &st) == 0 && S_ISREG(st.st_mode) ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	if (fd >= 0)
		sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
}

/* The folders of a path up to the top, each once. */
static int flush_folders(const char *top, char *path, struct strv *done, struct err *e)
{
	for (char *slash; (slash = strrchr(path, '/')) >= path + strlen(top);) {
		*slash = '\0';
		if (strv_has(done, path))
			return 0; /* and those above it */
		if (flush(path, e) != 0)
			return -1;
		strv_add(done, path);
	}
	return 0;
}

int land_flush(struct session *s, const struct git *g, const char *ref, const char *from, const char *to,
               struct err *e)
{
	AUTO_STR struct str names = {0}, dir = {0};
	AUTO_STRV struct strv paths = {0}, folders = {0};

	if (git_run(g, &names, GIT_ARGS("diff-tree", "-r", "-z", "--no-renames", "--name-only", from, to), e) != 0 ||
	    git_run(g, &dir, GIT_ARGS("rev-parse", "--absolute-git-dir"), e) != 0)
		return -1;
	for (size_t i = 0; i < names.len; i += strlen(names.p + i) + 1)
		strv_addf(&paths, "%s/%s", g->cwd, names.p + i);
	dir.p[strcspn(dir.p, "\n")] = '\0';
	strv_addf(&paths, "%s/index", dir.p);
	for (size_t i = 0; i < paths.n; i++)
		write_out(paths.v[i]);
	for (size_t i = 0; i < paths.n; i++)
		if (flush(paths.v[i], e) != 0)
			return -1;
	for (size_t i = 0; i + 1 < paths.n; i++)
		if (flush_folders(g->cwd, paths.v[i], &folders, e) != 0)
			return -1;
	return flush(dir.p, e) != 0 ? -1 : gitx_ref_flush(s->site->git, ref, e);
}
