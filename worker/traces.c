/* traces: reading a worktree's reflog, and looking for files by the time of their last change. */
#include "traces.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/base/fs.h"
#include "store/base/mem.h"

enum { COMMITS_MAX = 100, FOUND_MAX = 20, COPY_MAX = 1 << 20, LOG_MAX = 64 << 20, DEPTH_MAX = 200 };

static char *reflog(const struct slot *s)
{
	return mem_printf("%s/logs/HEAD", s->admin_dir);
}

void traces_begin(struct slot *s)
{
	if (!s->admin_dir)
		return;
	AUTO_FREE char *log = reflog(s), *stamp = mem_printf("%s/bosk-began", s->admin_dir);
	struct stat st;
	struct err ignored = {0};

	s->log_size = stat(log, &st) == 0 ? (uint64_t)st.st_size : 0;
	/* The time as the file system tells it; another clock may be ahead of it. */
	s->began_ns = fs_write(stamp, "", 0, false, &ignored) == 0 && stat(stamp, &st) == 0
	                      ? (uint64_t)st.st_ctim.tv_sec * 1000000000 + (uint64_t)st.st_ctim.tv_nsec
	                      : UINT64_MAX;
}

/* "OLD NEW Name <mail> time zone\twhat: subject" */
static bool made_here(const char *line)
{
	static const char *const made[] = {"commit", "cherry-pick:", "revert:", "am:"};
	const char *what = strchr(line, '\t');

	if (!what++ || strstr(what, "ast-forward"))
		return false;
	if (str_starts(what, "merge "))
		return strstr(what, "Merge made") != NULL;
	for (size_t i = 0; i < MEM_COUNT(made); i++)
		if (str_starts(what, made[i]))
			return true;
	return false;
}

void traces_commits(struct slot *s, struct strv *out)
{
	AUTO_STR struct str text = {0};
	struct err ignored = {0};

	if (!s->admin_dir)
		return;
	AUTO_FREE char *log = reflog(s);
	if (fs_read(log, LOG_MAX, &text, &ignored) != 0 || text.len <= s->log_size)
		return;
	for (char *line = text.p + s->log_size, *end; *line && out->n < COMMITS_MAX; line = end) {
		end = line + strcspn(line, "\n");
		if (*end)
			*end++ = '\0';
		AUTO_FREE char *hex = strlen(line) > 82 ? mem_strndup(line + 41, 40) : NULL;
		struct oid oid;
		if (hex && oid_parse(&oid, hex) && made_here(line))
			strv_add(out, hex);
	}
}

struct search {
	uint64_t since_ns;
	const char *copies;
	size_t root_n; /* length of the top's path */
	struct strv *found;
};

static void copy(const struct search *q, const char *path)
{
	AUTO_FREE char *to = mem_printf("%s%s", q->copies, path + q->root_n);
	AUTO_FREE char *parent = mem_strndup(to, (size_t)(strrchr(to, '/') - to));
	AUTO_STR struct str content = {0};
	struct err ignored = {0};

	if (fs_read(path, COPY_MAX, &content, &ignored) == 0 && fs_mkdirs(parent, &ignored) == 0)
		fs_write(to, str_text(&content), content.len, false, &ignored);
}

static void search(const struct search *q, const char *dir, int depth)
{
	DIR *d = opendir(dir);
	struct dirent *entry;

	while (d && (entry = readdir(d)) && q->found->n < FOUND_MAX) {
		struct stat st;
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
		    fstatat(dirfd(d), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
			continue;
		bool changed =
			(uint64_t)st.st_ctim.tv_sec * 1000000000 + (uint64_t)st.st_ctim.tv_nsec > q->since_ns;
		if (!changed && !S_ISDIR(st.st_mode))
			continue;
		AUTO_FREE char *path = mem_printf("%s/%s", dir, entry->d_name);
		if (changed)
			strv_add(q->found, path);
		if (changed && S_ISREG(st.st_mode))
			copy(q, path);
		if (S_ISDIR(st.st_mode) && depth < DEPTH_MAX)
			search(q, path, depth + 1);
	}
	if (d)
		closedir(d);
}

void traces_files(struct slot *s, const struct strv *tops, const char *dir, struct strv *out)
{
	for (size_t i = 0; i < tops->n; i++) {
		AUTO_FREE char *copies = mem_printf("%s/outside%s", dir, strrchr(tops->v[i], '/'));
		struct search q = {s->began_ns, copies, strlen(tops->v[i]), out};
		search(&q, tops->v[i], 0);
	}
}
