/* index: a new one for a damaged one. */
#include "index.h"

#include <string.h>
#include <unistd.h>

#include "store/base/fs.h"
#include "store/base/mem.h"

int index_ensure(struct slot *s, const struct oid *tree, struct err *e)
{
	AUTO_FREE char *path = mem_printf("%s/index", s->admin_dir);

	if (s->git.index_file || fs_exists(path))
		return 0;
	return git_run(&s->git, NULL, GIT_ARGS("read-tree", tree->hex), e);
}

bool index_unreadable(struct slot *s, const struct err *why)
{
	static const char *const said[] = {"index file smaller than expected", "index file corrupt", "bad index file sha1 signature",
	                                   "bad signature 0x", "bad index version", "index uses ", "unordered stage entries",
	                                   "unknown index entry format", "malformed name field in the index"};
	AUTO_FREE char *path = mem_printf("%s/index", s->admin_dir);

	if (s->git.index_file)
		return false;
	for (size_t i = 0; i < MEM_COUNT(said); i++)
		if (strstr(why->text, said[i]) && unlink(path) == 0) {
			strv_addf(&s->notes, "git could not read the index of %s: bosk made another one", s->init.worktree);
			return true;
		}
	return false;
}
