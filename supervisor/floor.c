/* floor: free disk and memory. */
#include "floor.h"

#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

#include "store/base/fs.h"
#include "store/base/mem.h"

uint64_t floor_disk(const char *path)
{
	AUTO_FREE char *at = mem_strdup(path);
	struct statvfs st;

	for (char *slash; !fs_exists(at) && (slash = strrchr(at, '/')) && slash != at;)
		*slash = '\0';
	return statvfs(at, &st) == 0 ? (uint64_t)st.f_bavail * st.f_frsize : UINT64_MAX;
}

uint64_t floor_memory(void)
{
	unsigned long long kib = 0;
	char line[256];
	FILE *f = fopen("/proc/meminfo", "re");

	if (!f)
		return UINT64_MAX;
	while (fgets(line, sizeof line, f) && sscanf(line, "MemAvailable: %llu kB", &kib) != 1)
		;
	fclose(f);
	return kib ? (uint64_t)kib << 10 : UINT64_MAX;
}

uint64_t floor_room(const struct config *cfg)
{
	uint64_t bytes = cfg->limit_free_memory ? floor_memory() : UINT64_MAX;

	return bytes == UINT64_MAX ? 0 : bytes > cfg->limit_free_memory ? bytes - cfg->limit_free_memory : 1;
}

bool floor_ok(const struct config *cfg, const char *path, struct str *why)
{
	uint64_t disk = cfg->limit_free_disk ? floor_disk(path) : UINT64_MAX;
	uint64_t memory = cfg->limit_free_memory ? floor_memory() : UINT64_MAX;

	if (disk < cfg->limit_free_disk)
		str_addf(why, "%llu MiB are free on the disk of %s, less than limits.free_disk (%llu MiB)",
		         (unsigned long long)(disk >> 20), path, (unsigned long long)(cfg->limit_free_disk >> 20));
	else if (memory < cfg->limit_free_memory)
		str_addf(why, "%llu MiB of memory are available, less than limits.free_memory (%llu MiB)",
		         (unsigned long long)(memory >> 20), (unsigned long long)(cfg->limit_free_memory >> 20));
	else
		return true;
	return false;
}
