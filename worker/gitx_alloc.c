/* gitx_alloc: memory for libgit2. Where there is none it goes wrong in many ways - it dies of a signal, or takes what
 * it could not read for missing - so the process ends instead, as in mem.c. What is asked for in one large piece
 * comes from files, which may be damaged and claim any size: refused, libgit2 says so. */
#include "gitx_private.h"

#include <git2/sys/alloc.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/mem.h"

enum { LARGE = 16 << 20 };

static void *checked(void *p, size_t n)
{
	if (!p && n < LARGE)
		mem_none();
	return p;
}

static void *get(size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	return checked(malloc(n ? n : 1), n);
}

static void *get_more(void *p, size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	return checked(realloc(p, n ? n : 1), n);
}

/* Before libgit2 1.6 the others must be given too. */
#if LIBGIT2_VER_MAJOR == 1 && LIBGIT2_VER_MINOR < 6
static void *get_more_array(void *p, size_t n, size_t size, const char *file, int line)
{
	size_t all;
	return __builtin_mul_overflow(n, size, &all) ? NULL : get_more(p, all, file, line);
}

static void *get_array(size_t n, size_t size, const char *file, int line)
{
	return get_more_array(NULL, n, size, file, line);
}

static void *get_zeroed(size_t n, size_t size, const char *file, int line)
{
	size_t all;
	(void)file;
	(void)line;
	return __builtin_mul_overflow(n, size, &all) ? NULL : checked(calloc(1, all ? all : 1), all);
}

static char *copy(const char *text, size_t n, const char *file, int line)
{
	char *p = n < SIZE_MAX ? get(n + 1, file, line) : NULL;
	if (!p)
		return NULL;
	memcpy(p, text, n);
	p[n] = '\0';
	return p;
}

static char *copy_text(const char *text, const char *file, int line)
{
	return copy(text, strlen(text), file, line);
}

static char *copy_part(const char *text, size_t n, const char *file, int line)
{
	return copy(text, strnlen(text, n), file, line);
}
#endif

void gitx_own_memory(void)
{
	static git_allocator own = {
		.gmalloc = get,
		.grealloc = get_more,
		.gfree = free,
#if LIBGIT2_VER_MAJOR == 1 && LIBGIT2_VER_MINOR < 6
		.gcalloc = get_zeroed,
		.gstrdup = copy_text,
		.gstrndup = copy_part,
		.gsubstrdup = copy,
		.greallocarray = get_more_array,
		.gmallocarray = get_array,
#endif
	};
	git_libgit2_opts(GIT_OPT_SET_ALLOCATOR, &own);
}
