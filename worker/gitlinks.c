/* gitlinks: reading the paths of submodules out of index files (gitformat-index). */
#include "gitlinks.h"

#include <dirent.h>
#include <string.h>

#include "store/base/fs.h"
#include "store/base/mem.h"

enum { DEPTH_MAX = 8, INDEX_MAX = 1 << 30, HEADER = 12, MODE_AT = 24, FLAGS_AT = 60, NAME_AT = 62 };
enum { GITLINK = 0160000, TYPE = 0170000, EXTENDED = 0x4000, ASSUMED = 0x8000, SKIPPED = 0x4000 /* of the flags behind */ };

/* What a file of one line names after `prefix`, relative to `dir`. */
static char *named(const char *dir, const char *file, const char *prefix)
{
	AUTO_FREE char *path = mem_printf("%s/%s", dir, file);
	AUTO_STR struct str text = {0};
	struct err ignored = {0};

	if (fs_read(path, 65536, &text, &ignored) != 0 || !str_starts(str_text(&text), prefix))
		return NULL;
	char *name = text.p + strlen(prefix);
	name[strcspn(name, "\n")] = '\0';
	return name[0] == '/' ? mem_strdup(name) : mem_printf("%s/%s", dir, name);
}

char *gitlinks_git_dir(const char *top)
{
	AUTO_FREE char *path = mem_printf("%s/.git", top);

	if (fs_is_dir(path))
		return mem_steal(&path);
	return named(top, ".git", "gitdir: ");
}

void gitlinks_index_files(const char *git_dir, struct strv *out)
{
	DIR *d = opendir(git_dir);
	struct dirent *entry;

	strv_addf(out, "%s/index", git_dir);
	while (d && (entry = readdir(d)))
		if (str_starts(entry->d_name, "sharedindex."))
			strv_addf(out, "%s/%s", git_dir, entry->d_name);
	if (d)
		closedir(d);
}

static uint32_t number(const unsigned char *p, int bytes)
{
	uint32_t n = 0;
	while (bytes--)
		n = n << 8 | *p++;
	return n;
}

/* Names in version 4: how many bytes of the last name to drop, in 7-bit groups, then the rest. */
static size_t take_prefix(const unsigned char **p, const unsigned char *end)
{
	size_t n = *p < end ? **p & 0x7f : 0;
	while (*p < end && *(*p)++ & 0x80)
		n = ((n + 1) << 7) | (*p < end ? **p & 0x7f : 0);
	return n;
}

/* Paths of submodules in one index file, and whether it marks files that git is not to look at. What is no index ends the
 * reading: git refuses it too. */
static void read_index(const char *path, struct strv *out, bool *marked)
{
	AUTO_STR struct str bytes = {0}, name = {0};
	struct err ignored = {0};

	if (fs_read(path, INDEX_MAX, &bytes, &ignored) != 0 || bytes.len < HEADER ||
	    memcmp(bytes.p, "DIRC", 4) != 0)
		return;
	const unsigned char *p = (const unsigned char *)bytes.p, *end = p + bytes.len;
	uint32_t version = number(p + 4, 4), n = number(p + 8, 4);
	for (p += HEADER; n-- && end - p > NAME_AT;) {
		const unsigned char *entry = p;
		bool link = (number(p + MODE_AT, 4) & TYPE) == GITLINK;
		uint32_t flags = number(p + FLAGS_AT, 2), more = version >= 3 && flags & EXTENDED ? 2 : 0;
		p += NAME_AT + more;
		if (flags & ASSUMED || (more && end - entry > NAME_AT + 1 && number(entry + NAME_AT, 2) & SKIPPED))
			*marked = true;
		size_t drop = version == 4 ? take_prefix(&p, end) : name.len;
		const unsigned char *nul = p < end ? memchr(p, 0, (size_t)(end - p)) : NULL;
		if (!nul || drop > name.len)
			return;
		if (version == 4 || link) {
			name.len -= drop;
			str_addn(&name, p, (size_t)(nul - p));
		}
		if (link)
			strv_add(out, str_text(&name));
		p = version == 4 ? nul + 1 : entry + (((nul - entry) + 8) & ~7);
	}
}

bool gitlinks_index_marks(const char *index)
{
	AUTO_STRV struct strv ignored = {0};
	bool marked = false;

	read_index(index, &ignored, &marked);
	return marked;
}

static bool add_below(const char *top, int depth, struct strv *out)
{
	AUTO_FREE char *git_dir = gitlinks_git_dir(top);
	AUTO_STRV struct strv indexes = {0}, paths = {0};
	bool marked = false;

	if (!git_dir || depth == DEPTH_MAX)
		return false;
	gitlinks_index_files(git_dir, &indexes);
	for (size_t i = 0; i < indexes.n; i++)
		read_index(indexes.v[i], &paths, &marked);
	for (size_t i = 0; i < paths.n; i++) {
		AUTO_FREE char *sub = mem_printf("%s/%s", top, paths.v[i]);
		AUTO_FREE char *sub_dir = gitlinks_git_dir(sub);
		if (!sub_dir)
			continue;
		AUTO_FREE char *common = named(sub_dir, "commondir", "");
		strv_addf(out, "%s/config", common ? common : sub_dir);
		strv_addf(out, "%s/config.worktree", sub_dir);
		add_below(sub, depth + 1, out);
	}
	return paths.n > 0;
}

bool gitlinks_configs(const char *top, struct strv *out)
{
	return add_below(top, 0, out);
}
