/* export_folder: files of a folder of issues, each read, changed as text and replaced as a whole. */
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
#include "store/seal.h"

enum { FILE_MAX = 256 << 20 };

/* ---- files ---- */

void export_file_fini(struct export_file *f)
{
	free(f->path);
	str_fini(&f->text);
	*f = (struct export_file){0};
}

/* False: there is none. */
static bool stamp_of(const char *path, uint64_t stamp[4], uint32_t *mode)
{
	struct stat st;

	memset(stamp, 0, 4 * sizeof *stamp);
	if (lstat(path, &st) != 0)
		return false;
	stamp[0] = (uint64_t)st.st_dev;
	stamp[1] = (uint64_t)st.st_ino;
	stamp[2] = (uint64_t)st.st_size;
	stamp[3] = (uint64_t)st.st_mtim.tv_sec * 1000000000u + (uint64_t)st.st_mtim.tv_nsec;
	*mode = st.st_mode;
	return true;
}

int export_read(struct export_file *out, const char *folder, const char *name, struct err *e)
{
	*out = (struct export_file){.path = mem_printf("%s/%s", folder, name), .mode = 0666};
	out->there = stamp_of(out->path, out->stamp, &out->mode);
	if (!out->there)
		return errno == ENOENT ? 0 : err_sys(e, "cannot look at %s", out->path);
	if (!S_ISREG(out->mode)) /* what a link leads to is not the folder's */
		return err_set(e, ERR_USAGE, "%s is no plain file: nothing was written to it", out->path);
	if (fs_read(out->path, FILE_MAX, &out->text, e) != 0)
		return err_wrap(e, "%s", out->path);
	if (out->text.len && memchr(out->text.p, 0, out->text.len))
		return err_set(e, ERR_USAGE, "%s has NUL bytes: nothing was written to it", out->path);
	return 0;
}

static int flush_folder(const char *path, struct err *e)
{
	AUTO_FREE char *dir = mem_strndup(path, (size_t)(strrchr(path, '/') - path));
	AUTO_CLOSE int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd >= 0 && fsync(fd) == 0 ? 0 : err_sys(e, "cannot flush the folder %s", dir);
}

/* One name, so that what a killed export has left is the next one's; locked, so that it is only one's. */
static int open_temporary(const char *tmp, struct err *e)
{
	struct stat mine, there;
	AUTO_CLOSE int fd = open(tmp, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);

	if (fd < 0)
		return err_sys(e, "cannot make %s", tmp);
	if (lock_wait(fd, 0) != 0 || fstat(fd, &mine) != 0 || lstat(tmp, &there) != 0 || mine.st_ino != there.st_ino ||
	    mine.st_dev != there.st_dev || mine.st_nlink != 1)
		return err_set(e, ERR_HELD, "%s: somebody else exports into this folder", tmp);
	return ftruncate(fd, 0) == 0 ? mem_steal_fd(&fd) : err_sys(e, "cannot write %s", tmp);
}

static int replace(const struct export_file *f, const struct str *text, const char *tmp, int fd, struct err *e)
{
	uint64_t now[4];
	uint32_t mode;

	if (f->there && fchmod(fd, f->mode & 07777) != 0)
		return err_sys(e, "cannot make %s", tmp);
	if (fs_write_all(fd, str_text(text), text->len, e) != 0)
		return err_wrap(e, "%s", tmp);
	if (fsync(fd) != 0)
		return err_sys(e, "cannot flush %s", tmp);
	FAILPOINT("queue.export.before");
	bool there = stamp_of(f->path, now, &mode);
	if (there != f->there || memcmp(now, f->stamp, sizeof now) != 0)
		return err_set(e, ERR_MOVED, "%s was changed by somebody else meanwhile: it stays as it is; export again", f->path);
	if (rename(tmp, f->path) != 0)
		return err_sys(e, "cannot rename %s to %s", tmp, f->path);
	FAILPOINT("queue.export.after");
	return flush_folder(f->path, e);
}

int export_write(const struct export_file *f, const struct str *text, struct strv *said, struct err *e)
{
	AUTO_FREE char *tmp = mem_printf("%s.bosk", f->path);

	if (f->there && text->len == f->text.len && memcmp(str_text(text), str_text(&f->text), text->len) == 0)
		return 0;
	AUTO_CLOSE int fd = open_temporary(tmp, e);
	if (fd < 0)
		return -1;
	int rc = replace(f, text, tmp, fd, e);
	if (rc != 0)
		unlink(tmp);
	else
		strv_addf(said, "%s %s", f->there ? "changed" : "made", f->path);
	return rc;
}

/* ---- the queue's own file ---- */

struct noting {
	const char *queue, *hash;
};

static int note(struct db_txn *t, void *ctx, struct err *e)
{
	struct noting *n = ctx;
	struct queue_row row;

	int rc = queue_row_load_in(&row, t, n->queue, e);
	if (rc == 0) {
		mem_set(&row.exported, n->hash);
		rc = queue_row_put_in(t, n->queue, &row, e);
		rec_fini(&queue_row_rec, &row);
	}
	return rc;
}

/* Is what is there what was added, or what was exported last? */
static int is_known(bool *known, const struct site *site, const struct queue *q, const struct export_file *f,
                    struct err *e)
{
	struct export_as as = {.added = true};
	AUTO_STR struct str added = {0};
	char now[SEAL_HEX];

	seal_hash(now, str_text(&f->text), f->text.len);
	*known = str_eq(now, q->row.exported);
	if (*known)
		return 0;
	int rc = export_queue(&added, site, q->id, &as, e);
	*known = rc == 0 && added.len == f->text.len && memcmp(added.p, str_text(&f->text), added.len) == 0;
	return rc;
}

static int export_file(struct site *site, const struct queue *q, const struct export_as *as, const char *folder,
                       struct strv *said, struct err *e)
{
	AUTO_FREE char *name = mem_printf("queues/%s.json", q->id);
	AUTO_STR struct str text = {0};
	struct export_file f;
	char hash[SEAL_HEX];
	bool known = true;

	int rc = export_read(&f, folder, name, e);
	if (rc == 0)
		rc = export_queue(&text, site, q->id, as, e);
	if (rc == 0 && f.there && (f.text.len != text.len || memcmp(str_text(&f.text), text.p, text.len) != 0))
		rc = is_known(&known, site, q, &f, e);
	if (rc == 0 && !known)
		rc = err_set(e, ERR_MOVED, "%s was changed since queue %s was added: nothing was written; see bosk queue export "
		             "%s --out FILE", f.path, q->id, q->id);
	if (rc == 0)
		rc = export_write(&f, &text, said, e);
	if (rc == 0) {
		seal_hash(hash, text.p, text.len);
		struct noting n = {q->id, hash};
		if (!str_eq(hash, q->row.exported))
			rc = db_write(site->db, note, &n, e);
	}
	export_file_fini(&f);
	return rc;
}

int export_folder(struct site *site, const char *queue, const struct export_as *as, const char *folder,
                  struct strv *said, struct strv *warnings, struct err *e)
{
	AUTO_FREE char *queues = mem_printf("%s/queues", folder);
	struct export_sum sum = {0};
	struct queue q;

	int rc = queue_load(&q, site, queue, e);
	if (rc == 0 && mkdir(folder, 0777) != 0 && errno != EEXIST)
		rc = err_sys(e, "cannot make the folder %s", folder);
	if (rc == 0 && mkdir(queues, 0777) != 0 && errno != EEXIST)
		rc = err_sys(e, "cannot make the folder %s", queues);
	/* First what is only added to, and the queue last but the index: who reads it finds the rest. */
	if (rc == 0)
		rc = export_solutions(&sum, site, &q, folder, said, warnings, e);
	if (rc == 0)
		rc = export_file(site, &q, as, folder, said, e);
	if (rc == 0)
		rc = export_issues(site, &q, folder, said, warnings, e);
	if (rc == 0)
		rc = export_index(&q, &sum, folder, said, e);
	queue_fini(&q);
	return rc;
}
