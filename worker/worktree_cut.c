/* worktree_cut: worktrees and power cuts. git flushes nothing of a worktree that it makes: neither the files
 * that link it with the repository, nor its index, nor, in an agent's hands, its HEAD. The first are flushed
 * here, the others may be there and hold nothing, and then no git command works in it. What is in its files
 * is saved all the same: with an empty index all of them count as new. Which boot of the machine has seen it
 * whole stands in bosk-boot beside them. */
#include "worktree.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "gitlinks.h"
#include "job.h"
#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/owner.h"

/* Its text names a commit that is there. */
static bool names_commit(const struct slot *s, char *head)
{
	struct oid oid;
	struct err absent = {0};

	head[strcspn(head, "\n")] = '\0';
	if (str_starts(head, "ref: "))
		return gitx_ref_read(s->gitx, head + strlen("ref: "), &oid, &absent) == 0;
	return oid_parse(&oid, head) && gitx_has_object(s->gitx, &oid);
}

/* A commit of the session that is certainly there: what was given to the task, or what is integrated. */
static int write_head(const struct slot *s, const char *path, struct err *e)
{
	AUTO_FREE char *ref = mem_printf("refs/bosk/int/%s", s->init.sid);
	struct oid at;

	if (!oid_parse(&at, s->init.was_base ? s->init.was_base : "") && gitx_ref_read(s->gitx, ref, &at, e) != 0)
		return -1;
	AUTO_FREE char *line = mem_printf("%s\n", at.hex);
	return fs_write(path, line, strlen(line), false, e);
}

static bool same_boot(const char *file, const char *now)
{
	AUTO_STR struct str text = {0};
	struct err absent = {0};
	return fs_read(file, 4096, &text, &absent) == 0 && str_eq(str_text(&text), now);
}

/* An index ends in the SHA-1 of what comes before; git itself looks at that in fsck only. */
static bool index_whole(const struct slot *s, const char *path)
{
	enum { TRAILER = 20, LEAST = 32, MOST = 1 << 30 };
	AUTO_STR struct str bytes = {0}, sum = {0}, wanted = {0};
	struct err ignored = {0};
	struct job_result result;
	struct job job = {
		.argv = GIT_ARGS("sh", "-c", "head -c -20 -- \"$1\" | sha1sum", "sh", path),
		.out = &sum,
		.capture_max = 4096,
		.watch_fd = s->git.watch ? s->git.watch_fd : -1,
		.watch = s->git.watch,
		.ctx = s->git.ctx,
	};

	if (fs_read(path, MOST, &bytes, &ignored) != 0 || bytes.len < LEAST || job_run(&job, &result, &ignored) != 0)
		return false;
	for (size_t i = bytes.len - TRAILER; i < bytes.len; i++)
		str_addf(&wanted, "%02x", (unsigned char)bytes.p[i]);
	/* Zeros: index.skipHash is set, and nobody can tell. */
	return str_starts(str_text(&sum), wanted.p) || strspn(wanted.p, "0") == wanted.len;
}

int worktree_revive(struct slot *s, struct err *e)
{
	AUTO_FREE char *head = mem_printf("%s/HEAD", s->admin_dir), *index = mem_printf("%s/index", s->admin_dir);
	AUTO_FREE char *boot = mem_printf("%s/bosk-boot", s->admin_dir);
	AUTO_STR struct str text = {0};
	struct err absent = {0};
	struct owner self;
	bool whole = false;
	int status;

	owner_self(&self);
	if (s->init.borrowed || same_boot(boot, self.boot_id))
		return 0;
	if (worktree_mend(s, e) != 0)
		return -1;
	if ((fs_read(head, 4096, &text, &absent) != 0 || !names_commit(s, text.p)) && write_head(s, head, e) != 0)
		return -1;
	/* The index may have survived what it names. */
	if (index_whole(s, index)) {
		if (git_try(&s->git, &status, NULL, NULL, GIT_ARGS("write-tree"), e) != 0)
			return -1;
		whole = status == 0;
	}
	if (!whole && unlink(index) != 0 && errno != ENOENT)
		return err_sys(e, "cannot remove %s", index);
	return worktree_mark_boot(s, e);
}

static int flush(const char *path, struct err *e)
{
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return 0;
	return fd < 0 || fsync(fd) != 0 ? err_sys(e, "cannot flush %s", path) : 0;
}

int worktree_mark_boot(const struct slot *s, struct err *e)
{
	AUTO_FREE char *boot = mem_printf("%s/bosk-boot", s->admin_dir);
	struct owner self;

	owner_self(&self);
	return fs_write(boot, self.boot_id, strlen(self.boot_id), false, e);
}

int worktree_flush_links(const struct slot *s, struct err *e)
{
	static const char *const files[] = {"gitdir", "commondir", "locked", "HEAD", "."};
	const char *top = s->init.worktree, *common = s->init.common_dir;
	AUTO_FREE char *admin = gitlinks_git_dir(top); /* git adds a number to a name that is taken */
	AUTO_STRV struct strv paths = {0};

	if (!admin)
		return err_set(e, ERR_ENV, "git made no worktree at %s", top);
	for (size_t i = 0; i < MEM_COUNT(files); i++)
		strv_addf(&paths, "%s/%s", admin, files[i]);
	strv_addf(&paths, "%s/worktrees", common);
	strv_add(&paths, common);
	strv_addf(&paths, "%s/.git", top);
	strv_add(&paths, top);
	strv_addf(&paths, "%.*s", (int)(strrchr(top, '/') - top), top);
	for (size_t i = 0; i < paths.n; i++)
		if (flush(paths.v[i], e) != 0)
			return -1;
	return 0;
}
