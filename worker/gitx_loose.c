/* gitx_loose: is the file of a loose object whole? libgit2 1.5 is not asked: it never comes back from one that is cut
 * off in the middle. */
#include "gitx_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "store/base/mem.h"

/* "blob 123" NUL: the length of the whole, this included; 0 = it is no such header. */
static uint64_t length_by_header(const char *bytes, size_t n)
{
	char type[16];
	unsigned long long size;
	size_t header = strnlen(bytes, n) + 1;

	if (header > n || sscanf(bytes, "%15[a-z] %llu", type, &size) != 2)
		return 0;
	return header + size;
}

/* Whether it could be read at all says *readable. */
static bool is_whole(int fd, bool *readable)
{
	unsigned char in[16384], out[65536];
	z_stream z = {0};
	uint64_t length = 0;
	ssize_t n = 0;
	int rc = inflateInit(&z);

	*readable = rc == Z_OK;
	while (rc == Z_OK && (n = read(fd, in, sizeof in)) > 0) {
		z.next_in = in;
		z.avail_in = (unsigned)n;
		do {
			uint64_t before = z.total_out;
			z.next_out = out;
			z.avail_out = sizeof out;
			rc = inflate(&z, Z_NO_FLUSH);
			if (!before && z.total_out && !(length = length_by_header((char *)out, z.total_out)))
				rc = Z_DATA_ERROR;
		} while (rc == Z_OK && z.avail_out == 0);
		rc = rc == Z_BUF_ERROR ? Z_OK : rc; /* it wants more */
	}
	bool whole = rc == Z_STREAM_END && z.total_out == length;
	*readable = *readable && n >= 0 && rc != Z_MEM_ERROR;
	inflateEnd(&z);
	return whole;
}

char *gitx_loose_path(const struct gitx *g, const git_oid *id)
{
	const char *hex = git_oid_tostr_s(id);
	return mem_printf("%s/objects/%.2s/%s", g->common_dir, hex, hex + 2);
}

bool gitx_loose_damaged(const struct gitx *g, const git_oid *id)
{
	AUTO_FREE char *path = gitx_loose_path(g, id);
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	bool readable;

	return fd >= 0 && !is_whole(fd, &readable) && readable;
}
