/* export_file: a file of a folder of issues: read, changed as text and replaced as a whole. The folder is whatever the
 * user named; from there on nothing is followed: what a link leads to is not the folder's. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "export.h"
#include "store/base/fail.h"
#include "store/base/fs.h"
#include "store/base/lock.h"
#include "store/base/mem.h"

enum { FILE_MAX = 256 << 20 };
enum { OURS = S_ISVTX }; /* the mode of a file that is not finished: no other file has it */

/* ---- folders ---- */

static int open_folder(const char *path, struct err *e)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd >= 0 ? fd : err_sys(e, "cannot open the folder %s", path);
}

static int open_inner(int folder, const char *path, const char *name, struct err *e)
{
	int fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 && (errno == ELOOP || errno == ENOTDIR))
		return err_set(e, ERR_USAGE, "%s/%s is no folder, or a link to one: nothing was written to it", path, name);
	return fd >= 0 ? fd : err_sys(e, "cannot open the folder %s/%s", path, name);
}

int export_make_folder(const char *folder, const char *name, struct err *e)
{
	AUTO_CLOSE int outer = open_folder(folder, e);

	if (outer < 0)
		return -1;
	if (mkdirat(outer, name, 0777) != 0 && errno != EEXIST)
		return err_sys(e, "cannot make the folder %s/%s", folder, name);
	AUTO_CLOSE int inner = open_inner(outer, folder, name, e);
	return inner < 0 ? -1 : 0;
}

/* ---- reading ---- */

void export_file_fini(struct export_file *f)
{
	if (f->path)
		mem_closep(&f->folder);
	free(f->path);
	str_fini(&f->text);
	*f = (struct export_file){0};
}

static const char *name_of(const struct export_file *f)
{
	return strrchr(f->path, '/') + 1;
}

static void take_stamp(const struct stat *st, uint64_t stamp[4])
{
	stamp[0] = (uint64_t)st->st_dev;
	stamp[1] = (uint64_t)st->st_ino;
	stamp[2] = (uint64_t)st->st_size;
	stamp[3] = (uint64_t)st->st_mtim.tv_sec * 1000000000u + (uint64_t)st->st_mtim.tv_nsec;
}

static int no_plain(const struct export_file *f, struct err *e)
{
	return err_set(e, ERR_USAGE, "%s is no plain file: nothing was written to it", f->path);
}

int export_read(struct export_file *out, const char *folder, const char *name, struct err *e)
{
	const char *slash = strchr(name, '/');
	AUTO_FREE char *inner = slash ? mem_strndup(name, (size_t)(slash - name)) : NULL;
	struct stat st;

	*out = (struct export_file){.path = mem_printf("%s/%s", folder, name), .folder = open_folder(folder, e)};
	if (out->folder >= 0 && inner) {
		int outer = out->folder;
		out->folder = open_inner(outer, folder, inner, e);
		close(outer);
	}
	if (out->folder < 0)
		return -1;
	/* Looked at first: to open a device may do something. */
	if (fstatat(out->folder, name_of(out), &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? 0 : err_sys(e, "cannot look at %s", out->path);
	if (!S_ISREG(st.st_mode))
		return no_plain(out, e);
	AUTO_CLOSE int fd = openat(out->folder, name_of(out), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) != 0)
		return err_sys(e, "cannot open %s", out->path);
	if (!S_ISREG(st.st_mode))
		return no_plain(out, e);
	out->there = true;
	out->mode = st.st_mode & 07777;
	take_stamp(&st, out->stamp);
	return fs_read_open(fd, out->path, FILE_MAX, &out->text, e);
}

/* ---- replacing ---- */

static int in_the_way(const struct export_file *f, struct err *e)
{
	return err_set(e, ERR_USAGE, "%s.bosk is in the way, and is not bosk's: move it somewhere else, then export again",
	               f->path);
}

/* One name, so that what a killed export has left is the next one's; locked, so that it is only one's. */
static int open_temporary(const struct export_file *f, const char *name, struct err *e)
{
	struct stat mine, there;
	AUTO_CLOSE int fd = openat(f->folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666 | OURS);
	bool found = fd < 0 && errno == EEXIST;

	if (found)
		fd = openat(f->folder, name, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return found ? in_the_way(f, e) : err_sys(e, "cannot make %s.bosk", f->path);
	if (lock_wait(fd, 0) != 0 || fstat(fd, &mine) != 0 || fstatat(f->folder, name, &there, AT_SYMLINK_NOFOLLOW) != 0 ||
	    mine.st_ino != there.st_ino || mine.st_dev != there.st_dev)
		return err_set(e, ERR_HELD, "%s.bosk: somebody else exports into this folder", f->path);
	if (found && (!S_ISREG(mine.st_mode) || !(mine.st_mode & OURS) || mine.st_nlink != 1))
		return in_the_way(f, e);
	return ftruncate(fd, 0) == 0 ? mem_steal_fd(&fd) : err_sys(e, "cannot write %s.bosk", f->path);
}

static int replace(const struct export_file *f, const struct str *text, const char *tmp, int fd, struct err *e)
{
	uint64_t now[4] = {0};
	struct stat st;

	if (fs_write_all(fd, str_text(text), text->len, e) != 0)
		return err_wrap(e, "%s.bosk", f->path);
	if (fsync(fd) != 0)
		return err_sys(e, "cannot flush %s.bosk", f->path);
	FAILPOINT("queue.export.before");
	bool there = fstatat(f->folder, name_of(f), &st, AT_SYMLINK_NOFOLLOW) == 0;
	if (there)
		take_stamp(&st, now);
	if (there != f->there || memcmp(now, f->stamp, sizeof now) != 0)
		return err_set(e, ERR_MOVED, "%s was changed by somebody else meanwhile: it stays as it is; export again", f->path);
	if (fstat(fd, &st) != 0 || fchmod(fd, f->there ? f->mode : st.st_mode & 0777) != 0)
		return err_sys(e, "cannot set the rights of %s.bosk", f->path);
	if (renameat(f->folder, tmp, f->folder, name_of(f)) != 0)
		return err_sys(e, "cannot rename %s.bosk to %s", f->path, f->path);
	FAILPOINT("queue.export.after");
	return fsync(f->folder) == 0 ? 0 : err_sys(e, "cannot flush the folder of %s", f->path);
}

int export_write(const struct export_file *f, const struct str *text, struct strv *said, struct err *e)
{
	AUTO_FREE char *tmp = mem_printf("%s.bosk", name_of(f));

	if (f->there && text->len == f->text.len && memcmp(str_text(text), str_text(&f->text), text->len) == 0)
		return 0;
	AUTO_CLOSE int fd = open_temporary(f, tmp, e);
	if (fd < 0)
		return -1;
	int rc = said ? replace(f, text, tmp, fd, e) : 0;
	if (rc != 0 || !said)
		unlinkat(f->folder, tmp, 0);
	else
		strv_addf(said, "%s %s", f->there ? "changed" : "made", f->path);
	return rc;
}
