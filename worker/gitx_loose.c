/* gitx_loose: loose objects are read here, and libgit2 gets them from here: 1.5 by itself never comes back from one
 * that is cut off in the middle, as a power cut leaves them. Those of alternates are libgit2's: nobody writes there
 * while bosk runs. */
#include "gitx_private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <git2/sys/odb_backend.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "store/base/mem.h"

enum verdict { WHOLE, DAMAGED, UNREADABLE };
enum { RATIO_MAX = 1040 }; /* bytes that zlib makes of one, at most */

struct object {
	git_odb_backend *to; /* whose memory `bytes` is to be in; NULL = they are not wanted */
	char *bytes;         /* and a NUL */
	const char *same;    /* what it must be, of n_same bytes; NULL = whatever it is */
	size_t n_same;
	git_object_t type;
	size_t size;
};

/* "blob 123" NUL: its length, this included; 0 = it is no such header, or says more than a file of `room` can hold. */
static size_t read_header(struct object *o, const char *bytes, size_t n, uint64_t room)
{
	char type[16];
	unsigned long long size;
	size_t header = strnlen(bytes, n) + 1;

	if (header > n || sscanf(bytes, "%15[a-z] %llu", type, &size) != 2 || size > room * RATIO_MAX)
		return 0;
	o->type = git_object_string2type(type);
	o->size = size;
	return git_object_typeisloose(o->type) ? header : 0;
}

/* The next bytes of the object, `at` that are before them. */
static bool take(struct object *o, uint64_t at, const void *bytes, size_t n)
{
	if (at > o->size || n > o->size - at)
		return false;
	if (o->same && (o->size != o->n_same || memcmp(o->same + at, bytes, n) != 0))
		return false;
	if (o->to && !o->bytes && (o->bytes = git_odb_backend_data_alloc(o->to, o->size + 1)))
		o->bytes[o->size] = '\0';
	if (o->bytes)
		memcpy(o->bytes + at, bytes, n);
	return true;
}

static enum verdict read_file(struct object *o, int fd, uint64_t room)
{
	unsigned char in[16384], out[65536];
	z_stream z = {0};
	size_t header = 0;
	ssize_t n = 0;
	int rc = inflateInit(&z);

	while (rc == Z_OK && (n = read(fd, in, sizeof in)) > 0) {
		z.next_in = in;
		z.avail_in = (unsigned)n;
		do {
			z.next_out = out;
			z.avail_out = sizeof out;
			rc = inflate(&z, Z_NO_FLUSH);
			size_t got = sizeof out - z.avail_out, skip = header ? 0 : got;
			if (got && !header) /* all of it is in the first bytes */
				skip = header = read_header(o, (char *)out, got, room);
			if (got && (!header || !take(o, z.total_out - got + skip - header, out + skip, got - skip)))
				rc = Z_DATA_ERROR;
		} while (rc == Z_OK && z.avail_out == 0);
		rc = rc == Z_BUF_ERROR ? Z_OK : rc; /* it wants more */
	}
	bool whole = rc == Z_STREAM_END && header && z.total_out == header + o->size;
	inflateEnd(&z);
	if (whole && (!o->to || o->bytes))
		return WHOLE;
	return whole || n < 0 || rc == Z_MEM_ERROR ? UNREADABLE : DAMAGED;
}

static enum verdict read_at(struct object *o, const char *path, int flags)
{
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | flags);
	struct stat st;

	return fd < 0 || fstat(fd, &st) != 0 ? UNREADABLE : read_file(o, fd, (uint64_t)st.st_size);
}

char *gitx_loose_path(const struct gitx *g, const git_oid *id)
{
	const char *hex = git_oid_tostr_s(id);
	return mem_printf("%s/objects/%.2s/%s", g->common_dir, hex, hex + 2);
}

bool gitx_loose_damaged(const struct gitx *g, const git_oid *id)
{
	AUTO_FREE char *path = gitx_loose_path(g, id);
	struct object o = {0};

	return read_at(&o, path, O_NOFOLLOW) == DAMAGED;
}

bool gitx_loose_holds(const struct gitx *g, const git_oid *id, git_object_t type, const void *bytes, size_t n)
{
	AUTO_FREE char *path = gitx_loose_path(g, id);
	struct object o = {.same = bytes, .n_same = n};

	return read_at(&o, path, 0) == WHOLE && o.type == type && o.size == n;
}

/* ---- for libgit2 ---- */

struct backend {
	git_odb_backend head; /* first: libgit2 knows no more of it */
	const struct gitx *g;
};

static const struct gitx *gitx_of(git_odb_backend *b)
{
	return ((struct backend *)b)->g;
}

static int read_for(struct object *o, git_odb_backend *b, const git_oid *id)
{
	AUTO_FREE char *path = gitx_loose_path(gitx_of(b), id);

	errno = 0;
	enum verdict v = read_at(o, path, 0);
	if (v == WHOLE)
		return 0;
	if (o->bytes)
		git_odb_backend_data_free(b, o->bytes);
	if (v == UNREADABLE && (errno == ENOENT || errno == ENOTDIR))
		return GIT_ENOTFOUND;
	AUTO_FREE char *why = mem_printf("%s %s", path, v == DAMAGED ? "is damaged" : strerror(errno ? errno : ENOMEM));
	git_error_set_str(v == DAMAGED ? GIT_ERROR_ODB : GIT_ERROR_OS, why);
	return GIT_ERROR;
}

static int backend_read(void **bytes, size_t *n, git_object_t *type, git_odb_backend *b, const git_oid *id)
{
	struct object o = {.to = b};
	int rc = read_for(&o, b, id);

	*bytes = o.bytes;
	*n = o.size;
	*type = o.type;
	return rc;
}

/* All of it is looked at: who asks for the header wants to know whether it can be read. */
static int backend_read_header(size_t *n, git_object_t *type, git_odb_backend *b, const git_oid *id)
{
	struct object o = {0};
	int rc = read_for(&o, b, id);

	*n = o.size;
	*type = o.type;
	return rc;
}

/* Says no to those that are damaged; the next one reads what is whole. */
static int backend_read_prefix(git_oid *full, void **bytes, size_t *n, git_object_t *type, git_odb_backend *b,
                               const git_oid *prefix, size_t length)
{
	AUTO_FREE char *path = gitx_loose_path(gitx_of(b), prefix);
	char *name = strrchr(path, '/') + 1, hex[GIT_OID_HEXSZ + 1];
	int rc = GIT_PASSTHROUGH;
	(void)bytes;
	(void)n;
	(void)type;

	name[-1] = '\0';
	DIR *dir = opendir(path);
	for (struct dirent *entry; dir && rc == GIT_PASSTHROUGH && (entry = readdir(dir));) {
		struct object o = {0};
		snprintf(hex, sizeof hex, "%s%.38s", name - 3, entry->d_name);
		if (git_oid_fromstr(full, hex) == 0 && git_oid_ncmp(full, prefix, length) == 0 &&
		    read_for(&o, b, full) == GIT_ERROR)
			rc = GIT_ERROR;
	}
	if (dir)
		closedir(dir);
	return rc;
}

static void backend_free(git_odb_backend *b)
{
	free(b);
}

int gitx_loose_begin(struct gitx *g, struct err *e)
{
	/* As those of packs, and after them: what is damaged here may be whole there. */
	enum { PRIORITY = 2 };
	struct backend *b = mem_alloc(sizeof *b);
	int rc = git_odb_init_backend(&b->head, GIT_ODB_BACKEND_VERSION);

	b->g = g;
	b->head.read = backend_read;
	b->head.read_header = backend_read_header;
	b->head.read_prefix = backend_read_prefix;
	b->head.free = backend_free;
	if (rc == 0)
		rc = git_odb_add_backend(g->odb, &b->head, PRIORITY);
	if (rc == 0)
		return 0;
	free(b);
	return gitx_err(e, rc, "cannot read the objects of %s", g->common_dir);
}
