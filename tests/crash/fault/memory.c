/* memory: malloc and its kin. */
#include "fault.h"

#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* libc's own, under names that are not replaced here. */
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);

/* The library that asks; NULL when it does not count. dladdr reads all the symbols of a library, so each
 * place of a call is looked up once. */
static const char *library_of(const void *asks)
{
	static struct { const void *at; const char *name; } known[4096];
	size_t i = ((uintptr_t)asks * UINT64_C(0x9e3779b97f4a7c15)) >> 52;
	Dl_info info;

	if (known[i].at != asks) {
		const char *path = dladdr(asks, &info) && info.dli_fname ? info.dli_fname : "?";
		const char *slash = strrchr(path, '/');
		known[i].at = asks;
		known[i].name = slash ? slash + 1 : path;
	}
	bool tls = strncmp(known[i].name, "libcrypto", 9) == 0 || strncmp(known[i].name, "libmbed", 7) == 0;
	return tls ? NULL : known[i].name;
}

/* Counted by themselves: a line each in the log would be too many. */
static bool due_memory(const void *asks)
{
	bool counts = fault.on && (fault.log || strcmp(fault.kind, "memory") == 0);
	const char *name = counts ? library_of(asks) : NULL;

	if (!name)
		return false;
	fault.allocated++;
	const char *log = fault.log;
	fault.log = NULL;
	bool is = fault_due("memory", "malloc", name);
	fault.log = log;
	return is;
}
#define ASKS __builtin_return_address(0)
void *malloc(size_t n) { return due_memory(ASKS) ? NULL : __libc_malloc(n); }
void *calloc(size_t n, size_t size) { return due_memory(ASKS) ? NULL : __libc_calloc(n, size); }
void *realloc(void *p, size_t n) { return due_memory(ASKS) ? NULL : __libc_realloc(p, n); }
