/* gitx_lfs: is Git LFS set up here? Looks at settings only: whether a commit has such files is not asked. */
#include "gitx_private.h"

#include "store/base/mem.h"

bool gitx_lfs(struct gitx *g)
{
	static const char *const keys[] = {"filter.lfs.clean", "filter.lfs.process"};
	bool set = false;

	for (size_t i = 0; i < MEM_COUNT(keys) && !set; i++) {
		GITX_AUTO(git_config_entry) entry = NULL;
		set = git_config_get_entry(&entry, g->cfg, keys[i]) == 0 && entry->value && *entry->value;
	}
	git_error_clear();
	return set;
}
