/* mem: allocation that ends the process when there is no memory. */
#include "mem.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

_Noreturn void mem_none(void)
{
	/* As after a kill: what was decided is on disk. The exit code of the environment. */
	static const char text[] = "bosk: error: out of memory; what was begun can go on: bosk resume\n";
	ssize_t ignored = write(2, text, sizeof text - 1);
	(void)ignored;
	_exit(4);
}

static void *checked(void *p)
{
	if (!p)
		mem_none();
	return p;
}

/* glibc's calloc passes by the lists of free pieces that malloc takes small ones from. */
enum { SMALL = 1024 };

void *mem_alloc(size_t size)
{
	size = size ? size : 1;
	return size <= SMALL ? memset(checked(malloc(size)), 0, size) : checked(calloc(1, size));
}

void *mem_array(size_t n, size_t size)
{
	if (n && n <= SMALL && size && size <= SMALL && n * size <= SMALL)
		return mem_alloc(n * size);
	return checked(calloc(n ? n : 1, size ? size : 1));
}

void *mem_grow(void *p, size_t n, size_t size)
{
	return checked(reallocarray(p, n ? n : 1, size ? size : 1));
}

char *mem_strdup(const char *s)
{
	return s ? checked(strdup(s)) : NULL;
}

char *mem_strndup(const char *s, size_t n)
{
	return checked(strndup(s, n));
}

char *mem_printf(const char *fmt, ...)
{
	char room[256], *out = NULL; /* keys and paths fit: then nothing grows while it is written */
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(room, sizeof room, fmt, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n < sizeof room)
		return memcpy(mem_grow(NULL, (size_t)n + 1, 1), room, (size_t)n + 1);
	va_start(ap, fmt);
	n = vasprintf(&out, fmt, ap);
	va_end(ap);
	return checked(n < 0 ? NULL : out);
}

void mem_set(char **slot, const char *s)
{
	char *copy = mem_strdup(s);
	free(*slot);
	*slot = copy;
}

void mem_freep(void *pp)
{
	free(*(void **)pp);
}

void mem_closep(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

int mem_steal_fd(int *fd)
{
	int taken = *fd;
	*fd = -1;
	return taken;
}
