/* holder: who has a file open, and where git works. */
#include "holder.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/base/mem.h"
#include "store/base/str.h"
#include "store/owner.h"

typedef bool looks(pid_t pid, const void *what);

/* The first process but ourselves that looks so; a zombie holds nothing. */
static pid_t find(looks *fits, const void *what)
{
	DIR *proc = opendir("/proc");
	pid_t found = 0;

	for (struct dirent *entry; proc && !found && (entry = readdir(proc));) {
		uint64_t pid;
		if (str_u64(entry->d_name, &pid) && pid > 0 && pid <= INT32_MAX && (pid_t)pid != getpid() &&
		    fits((pid_t)pid, what) && owner_state((pid_t)pid) != 'Z')
			found = (pid_t)pid;
	}
	if (proc)
		closedir(proc);
	return found;
}

static bool has_open(pid_t pid, const void *what)
{
	const struct stat *wanted = what;
	AUTO_FREE char *path = mem_printf("/proc/%d/fd", (int)pid);
	DIR *dir = opendir(path);
	bool found = false;

	for (struct dirent *entry; dir && !found && (entry = readdir(dir));) {
		struct stat st;
		found = fstatat(dirfd(dir), entry->d_name, &st, 0) == 0 && st.st_ino == wanted->st_ino &&
		        st.st_dev == wanted->st_dev;
	}
	if (dir)
		closedir(dir);
	return found;
}

pid_t holder_of(const char *path)
{
	struct stat st;
	return lstat(path, &st) == 0 ? find(has_open, &st) : 0;
}

static bool is_git_in(pid_t pid, const void *what)
{
	const char *folder = what;
	size_t n = strlen(folder);
	char path[64], exe[PATH_MAX], cwd[PATH_MAX];

	snprintf(path, sizeof path, "/proc/%d/exe", (int)pid);
	ssize_t len = readlink(path, exe, sizeof exe - 1);
	if (len <= 0)
		return false;
	exe[len] = '\0';
	const char *name = strrchr(exe, '/');
	if (!name || (!str_eq(name, "/git") && !str_starts(name, "/git-") && !str_starts(name, "/git (")))
		return false; /* "(deleted)" after an upgrade */
	snprintf(path, sizeof path, "/proc/%d/cwd", (int)pid);
	len = readlink(path, cwd, sizeof cwd - 1);
	if (len <= 0)
		return false;
	cwd[len] = '\0';
	return strncmp(cwd, folder, n) == 0 && (cwd[n] == '/' || cwd[n] == '\0');
}

pid_t holder_git(const char *folder)
{
	return find(is_git_in, folder);
}
