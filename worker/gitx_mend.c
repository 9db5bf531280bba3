/* gitx_mend: after a power cut. What was not flushed may be there by name and hold nothing. */
#include "gitx_private.h"

#include <errno.h>
#include <unistd.h>

#include "store/base/mem.h"

static bool read_whole(struct gitx *g, const git_oid *id, bool *whole)
{
	struct err ignored = {0};
	GITX_AUTO(git_odb_object) object = gitx_object(g, id, &ignored);
	*whole = *whole && object;
	return object && gitx_loose(g, id);
}

bool gitx_whole(struct gitx *g, const struct oid *commit, const struct oid *known)
{
	return gitx_visit_new(g, commit, known, read_whole);
}


int gitx_ref_drop_damaged(struct gitx *g, const char *ref, struct err *e)
{
	AUTO_FREE char *path = mem_printf("%s/%s", g->common_dir, ref);
	AUTO_FREE char *log = mem_printf("%s/logs/%s", g->common_dir, ref);
	struct oid now;
	struct err damage = {0};

	if (gitx_ref_read(g, ref, &now, &damage) == 0 || damage.kind != ERR_DAMAGED)
		return 0;
	if (unlink(path) != 0 && errno != ENOENT)
		return err_sys(e, "cannot remove %s, which holds no id", path);
	unlink(log);
	return 0;
}
