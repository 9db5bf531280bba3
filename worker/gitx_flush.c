/* gitx_flush: objects onto the disk, many at the price of one. They are written without a flush and
 * remembered; whoever makes a ref name them flushes first (gitx_ref_moves does so by itself).
 *
 * On file systems with one ordered journal it goes as in git's own core.fsyncMethod=batch: the data of
 * each file is written out, then one fsync of a new file carries the journal, and the names with it, to
 * the disk. Elsewhere each file and its folders are flushed. */
#include "gitx_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "store/base/fail.h"
#include "store/base/fs.h"
#include "store/base/mem.h"

/* ext4 may be made without a journal, and ext2 has none: then the kernel names no task that writes it. */
static bool ext_journal(const char *folder)
{
	AUTO_FREE char *link = NULL, *path = NULL;
	AUTO_STR struct str task = {0};
	char device[256];
	struct stat st;
	struct err ignored = {0};

	if (stat(folder, &st) != 0)
		return false;
	link = mem_printf("/sys/dev/block/%u:%u", major(st.st_dev), minor(st.st_dev));
	ssize_t n = readlink(link, device, sizeof device - 1);
	if (n <= 0)
		return false;
	device[n] = '\0';
	const char *name = strrchr(device, '/');
	path = mem_printf("/sys/fs/ext4/%s/journal_task", name ? name + 1 : device);
	return fs_read(path, 256, &task, &ignored) == 0 && task.len && task.p[0] != '<'; /* "<none>" */
}

static bool one_journal(const char *folder)
{
	struct statfs fs;

	if (statfs(folder, &fs) != 0)
		return false;
	return (long)fs.f_type == 0xef53 ? ext_journal(folder)
	                                 : (long)fs.f_type == 0x58465342 /* XFS */ ||
	                                           (long)fs.f_type == 0x01021994 /* tmpfs */;
}

bool gitx_ordered_disk(struct gitx *g)
{
	if (!g->disk_known) {
		AUTO_FREE char *folder = mem_printf("%s/objects", g->common_dir);
		g->disk_ordered = one_journal(folder);
		g->disk_known = true;
	}
	return g->disk_ordered;
}

static int flush_folder(const char *path, struct err *e)
{
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 || fsync(fd) != 0 ? err_sys(e, "cannot flush %s", path) : 0;
}

/* Its bytes. *found false: it has no file of its own. */
static int write_out(struct gitx *g, const struct gitx_unflushed *u, bool ordered, bool *found, struct err *e)
{
	const char *hex = git_oid_tostr_s(&u->id);
	AUTO_FREE char *path = mem_printf("%s/objects/%.2s/%s", g->common_dir, hex, hex + 2);
	struct err absent = {0};
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);

	*found = fd >= 0;
	if (fd < 0 && errno == ENOENT) { /* in a pack, which git has flushed; or a gc took it */
		if (u->claimed)
			return 0;
		GITX_AUTO(git_odb_object) object = gitx_object(g, &u->id, &absent);
		return object ? 0 : err_set(e, ERR_MISSING, "object %s is gone", git_oid_tostr_s(&u->id));
	}
	if (fd < 0)
		return err_sys(e, "cannot open %s", path);
	int flags = SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;
	if ((!ordered || sync_file_range(fd, 0, 0, flags) != 0) && fsync(fd) != 0)
		return err_sys(e, "cannot flush %s", path);
	return 0;
}

/* The name is one that git's gc removes, should we end before the unlink. */
static int flush_journal(const char *folder, struct err *e)
{
	AUTO_FREE char *path = mem_printf("%s/tmp_obj_bosk_XXXXXX", folder);
	AUTO_CLOSE int fd = mkostemp(path, O_CLOEXEC);

	if (fd < 0)
		return err_sys(e, "cannot make a file in %s", folder);
	int rc = fsync(fd) != 0 ? err_sys(e, "cannot flush %s", folder) : 0;
	unlink(path);
	return rc;
}

/* Of the objects, and of their folders, which may be new as well. */
static int flush_names(struct gitx *g, const bool *used, struct err *e)
{
	AUTO_FREE char *objects = mem_printf("%s/objects", g->common_dir);
	for (unsigned i = 0; i < 256; i++) {
		AUTO_FREE char *folder = mem_printf("%s/%02x", objects, i);
		if (used[i] && flush_folder(folder, e) != 0)
			return -1;
	}
	return flush_folder(objects, e);
}

static int flush_all(struct gitx *g, struct err *e)
{
	AUTO_FREE char *objects = mem_printf("%s/objects", g->common_dir);
	bool ordered = gitx_ordered_disk(g), used[256] = {false}, found;

	for (size_t i = 0; i < g->n_unflushed; i++) {
		if (write_out(g, &g->unflushed[i], ordered, &found, e) != 0)
			return -1;
		used[g->unflushed[i].id.id[0]] |= found;
	}
	return ordered ? flush_journal(objects, e) : flush_names(g, used, e);
}

int gitx_flush(struct gitx *g, struct err *e)
{
	if (g->n_unflushed && gitx_durable()) {
		FAILPOINT("git.flush.before");
		if (flush_all(g, e) != 0)
			return -1;
		FAILPOINT("git.flush.after");
	}
	g->n_unflushed = 0;
	return 0;
}

int gitx_flush_ref_folders(struct gitx *g, const char *ref, struct err *e)
{
	AUTO_FREE char *path = mem_printf("%s/%s", g->common_dir, ref);
	const char *below = path + strlen(g->common_dir) + 1;

	if (!gitx_durable() || gitx_ordered_disk(g))
		return 0;
	for (char *slash = strrchr(path, '/'); slash > below; slash = strrchr(path, '/')) {
		*slash = '\0';
		if (flush_folder(path, e) != 0)
			return -1;
	}
	return 0;
}

void gitx_flush_gone(struct gitx *g, const char *path)
{
	AUTO_FREE char *folder = mem_strdup(path);
	struct err ignored = {0};

	if (!gitx_durable() || gitx_ordered_disk(g))
		return;
	for (char *slash; (slash = strrchr(folder, '/')) > folder;) {
		*slash = '\0';
		if (fs_exists(folder))
			break;
	}
	flush_folder(folder, &ignored);
}

int gitx_ref_flush(struct gitx *g, const char *ref, struct err *e)
{
	AUTO_FREE char *objects = mem_printf("%s/objects", g->common_dir);

	if (!gitx_durable())
		return 0;
	return gitx_ordered_disk(g) ? flush_journal(objects, e) : gitx_flush_ref_folders(g, ref, e);
}

void gitx_unflushed_add(struct gitx *g, const git_oid *id, bool claimed)
{
	g->unflushed = mem_grow(g->unflushed, g->n_unflushed + 1, sizeof *g->unflushed);
	g->unflushed[g->n_unflushed++] = (struct gitx_unflushed){*id, claimed};
}

/* libgit2 would flush each object by itself. */
int gitx_write_unflushed(struct gitx *g, git_oid *out, const void *bytes, size_t n, git_object_t type)
{
	FAILPOINT("git.object.before");
	git_libgit2_opts(GIT_OPT_ENABLE_FSYNC_GITDIR, 0);
	int rc = git_odb_write(out, g->odb, bytes, n, type);
	git_libgit2_opts(GIT_OPT_ENABLE_FSYNC_GITDIR, (int)gitx_durable());
	if (rc >= 0)
		gitx_unflushed_add(g, out, false);
	FAILPOINT("git.object.after");
	return rc;
}
