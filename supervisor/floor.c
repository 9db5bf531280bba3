/* floor: free disk and memory. */
#include "floor.h"

#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

#include "store/base/fs.h"
#include "store/base/mem.h"

static bool disk_ok(uint64_t floor, const char *path, struct str *why)
{
	AUTO_FREE char *at = mem_strdup(path);
	struct statvfs st;

	for (char *slash; !fs_exists(at) && (slash = strrchr(at, '/')) && slash != at;)
		*slash = '\0';
	if (statvfs(at, &st) != 0)
		return true;
	uint64_t free_bytes = (uint64_t)st.f_bavail * st.f_frsize;
	if (free_bytes >= floor)
		return true;
	str_addf(why, "%llu MiB are free on the disk of %s, less than limits.free_disk (%llu MiB)",
	         (unsigned long long)(free_bytes >> 20), path, (unsigned long long)(floor >> 20));
	return false;
}

/* KiB; 0 = not known. */
static uint64_t memory_available(void)
{
	unsigned long long kib = 0;
	char line[256];
	FILE *f = fopen("/proc/meminfo", "re");

	if (!f)
		return 0;
	while (fgets(line, sizeof line, f) && sscanf(line, "MemAvailable: %llu kB", &kib) != 1)
		;
	fclose(f);
	return kib;
}

static bool memory_ok(uint64_t floor, struct str *why)
{
	uint64_t kib = memory_available();

	if (!kib || kib >= floor >> 10)
		return true;
	str_addf(why, "%llu MiB of memory are available, less than limits.free_memory (%llu MiB)",
	         (unsigned long long)(kib >> 10), (unsigned long long)(floor >> 20));
	return false;
}

uint64_t floor_room(const struct config *cfg)
{
	uint64_t bytes = cfg->limit_free_memory ? memory_available() << 10 : 0;

	return !bytes ? 0 : bytes > cfg->limit_free_memory ? bytes - cfg->limit_free_memory : 1;
}

bool floor_ok(const struct config *cfg, const char *path, struct str *why)
{
	return (!cfg->limit_free_disk || disk_ok(cfg->limit_free_disk, path, why)) &&
	       (!cfg->limit_free_memory || memory_ok(cfg->limit_free_memory, why));
}
