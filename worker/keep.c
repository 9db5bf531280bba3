/* keep: naming and making the refs below refs/bosk/keep. */
#include "keep.h"

#include <string.h>

#include "store/base/fail.h"
#include "store/base/mem.h"

int keep_commit(struct gitx *g, const char *sid, const char *task, uint64_t attempt,
                const char *suffix, const struct oid *what, char **ref, struct err *e)
{
	struct oid now;
	struct err absent = {0};

	*ref = mem_printf("refs/bosk/keep/%s/%s/%llu%s", sid, task, (unsigned long long)attempt, suffix);
	for (int i = 2; gitx_ref_read(g, *ref, &now, &absent) == 0; i++) {
		if (strcmp(now.hex, what->hex) == 0)
			return 0; /* kept before a crash */
		free(*ref);
		*ref = mem_printf("refs/bosk/keep/%s/%s/%llu%s-%d", sid, task,
		                  (unsigned long long)attempt, suffix, i);
	}
	gitx_claim(g, what, NULL);
	FAILPOINT("keep.ref.before");
	int rc = gitx_ref_move(g, *ref, NULL, what, "bosk: keep", e);
	FAILPOINT("keep.ref.after");
	return rc;
}

int keep_branch(struct gitx *g, const char *sid, const char *task, uint64_t attempt,
                const char *branch, const struct oid *base, struct err *e)
{
	AUTO_FREE char *name = mem_printf("refs/heads/%s", branch), *ref = NULL;
	struct oid tip;
	struct err absent = {0};

	if (gitx_ref_read(g, name, &tip, &absent) != 0 || strcmp(tip.hex, base->hex) == 0)
		return 0;
	gitx_claim(g, &tip, base);
	return keep_commit(g, sid, task, attempt, "-branch", &tip, &ref, e);
}
