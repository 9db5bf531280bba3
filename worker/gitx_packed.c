/* gitx_packed: taking refs out of packed-refs, as git does it. Never adds or changes a ref there.
 *
 * libgit2 1.5 does this wrongly in three ways, each seen with git pack-refs as the other process:
 * it reads the file before it locks it, and so drops refs packed in between; it does not lock it
 * for a ref that is loose only, which pack-refs can then pack again just before the loose file
 * goes; and after a failed try its cache has lost the ref, so that the next try reports success
 * and leaves the packed value standing. So the lock is held here from before the file is read
 * until the loose file is gone, and libgit2 finds nothing left to do. */
#include "gitx_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lockfile.h"
#include "store/base/fail.h"
#include "store/base/fs.h"
#include "store/base/log.h"
#include "store/base/mem.h"
#include "store/owner.h"

/* The file itself: packed-refs may be a symbolic link, and git locks what it points to. */
static char *packed_path(const struct gitx *g)
{
	AUTO_FREE char *path = mem_printf("%s/packed-refs", g->common_dir);
	char *real = realpath(path, NULL);
	return real ? real : mem_steal(&path);
}

char *gitx_packed_lock_path(const struct gitx *g)
{
	AUTO_FREE char *path = packed_path(g);
	return mem_printf("%s.lock", path);
}

int gitx_packed_hold(struct gitx *g, struct gitx_packed *p, bool *busy, struct err *e)
{
	AUTO_FREE char *lock = gitx_packed_lock_path(g);
	AUTO_CLOSE int fd = open(lock, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);

	*busy = fd < 0 && errno == EEXIST;
	if (*busy)
		return -1;
	if (fd < 0)
		return err_sys(e, "cannot make %s", lock);
	/* Who left it, for the one who finds it after a crash. */
	struct owner self;
	owner_self(&self);
	dprintf(fd, "bosk %llu %llu %s\n", (unsigned long long)self.pid, (unsigned long long)self.start_ticks,
	        self.boot_id);
	p->lock = mem_steal(&lock);
	return 0;
}

bool gitx_packed_clear(const struct gitx *g)
{
	AUTO_FREE char *path = gitx_packed_lock_path(g);
	AUTO_STR struct str text = {0};
	struct err ignored = {0};
	struct owner o = {0};
	unsigned long long pid, ticks;

	/* Without its newline it is being written, or was cut off: nobody's name is in it then. */
	if (fs_read(path, 4096, &text, &ignored) != 0 || !str_ends(str_text(&text), "\n") ||
	    sscanf(text.p, "bosk %llu %llu %39s", &pid, &ticks, o.boot_id) != 3)
		return false;
	o.pid = pid;
	o.start_ticks = ticks;
	return !owner_alive(&o) && lockfile_clear(path, NULL, 0);
}

void gitx_packed_release(struct gitx_packed *p)
{
	if (p->lock && unlink(p->lock) != 0)
		log_warn("cannot remove %s: %s; as long as it is there, git deletes no branch", p->lock, strerror(errno));
	free(p->lock);
	*p = (struct gitx_packed){0};
}

/* ---- the file's content ---- */

static bool listed(const char *name, size_t n, const char *const *refs, size_t n_refs)
{
	for (size_t i = 0; i < n_refs; i++)
		if (strlen(refs[i]) == n && memcmp(refs[i], name, n) == 0)
			return true;
	return false;
}

/* Copies the lines that stay. A ref's line is "<id> <name>"; "^<id>" below it is what its tag
 * peels to, and goes with it. True when a line was left out. */
static bool filter(const struct str *in, struct str *out, const char *const *refs, size_t n)
{
	bool dropped = false, dropping = false;

	for (size_t at = 0; at < in->len;) {
		const char *line = in->p + at;
		const char *end = memchr(line, '\n', in->len - at);
		size_t len = end ? (size_t)(end - line) : in->len - at;
		const char *space = memchr(line, ' ', len);

		if (*line == '#' || !space)
			dropping = dropping && *line == '^';
		else
			dropping = listed(space + 1, len - (size_t)(space + 1 - line), refs, n);
		if (!dropping) {
			str_addn(out, line, len);
			str_addc(out, '\n');
		}
		dropped = dropped || dropping;
		at += len + 1;
	}
	return dropped;
}

static int flush_dir_of(const char *path, struct err *e)
{
	AUTO_FREE char *dir = mem_strndup(path, (size_t)(strrchr(path, '/') - path));
	AUTO_CLOSE int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) != 0)
		return err_sys(e, "cannot flush the folder %s", dir);
	return 0;
}

/* Not fs_write: the file keeps its mode, which a shared repository relies on. Not git's name
 * packed-refs.new either: left by a crash, it would stop git for good; this one is written over. */
static int replace(const char *path, const struct str *text, struct err *e)
{
	AUTO_FREE char *tmp = mem_printf("%s.bosk", path);
	AUTO_CLOSE int fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	struct stat st;

	if (fd < 0)
		return err_sys(e, "cannot make %s", tmp);
	if (stat(path, &st) != 0 || fchmod(fd, st.st_mode & 07777) != 0) {
		err_sys(e, "cannot set the mode of %s", tmp);
		goto undo;
	}
	if (fs_write_all(fd, text->p, text->len, e) != 0) {
		err_wrap(e, "%s", tmp);
		goto undo;
	}
	if (gitx_durable() && fsync(fd) != 0) {
		err_sys(e, "cannot flush %s", tmp);
		goto undo;
	}
	FAILPOINT("git.packed.before");
	if (rename(tmp, path) != 0) {
		err_sys(e, "cannot rename %s to %s", tmp, path);
		goto undo;
	}
	FAILPOINT("git.packed.after");
	return gitx_durable() ? flush_dir_of(path, e) : 0;
undo:
	unlink(tmp);
	return -1;
}

int gitx_packed_drop(struct gitx *g, const struct gitx_packed *p, const char *const *refs,
                     size_t n, struct err *e)
{
	AUTO_FREE char *path = packed_path(g);
	AUTO_STR struct str before = {0}, after = {0};

	if (!p->lock)
		return err_set(e, ERR_BUG, "packed-refs is changed without its lock");
	if (!fs_exists(path))
		return 0;
	if (fs_read(path, SIZE_MAX, &before, e) != 0)
		return -1;
	if (!filter(&before, &after, refs, n))
		return 0;
	return replace(path, &after, e);
}
