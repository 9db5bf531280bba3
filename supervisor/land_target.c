/* land_target: is the target still what the work is based on? (declared in land_private.h) A branch that was amended,
 * rebased or reset while tasks ran has lost commits on purpose: merging would bring them back. */
#include "land_private.h"

#include "store/base/mem.h"

/* It became a name for another branch. */
static int stands_for(struct landing *l, bool *out)
{
	AUTO_FREE char *real = gitx_ref_stands_for(l->s->site->git, l->ref), *again = land_command(l);

	*out = real != NULL;
	return real ? land_refuse(l,
	                          "not landed: %s is a symbolic ref by now: it only stands for %s. To make it a branch again: git "
	                          "symbolic-ref -d %s && git branch %s %.12s\n  then: %s",
	                          l->ref, real, l->ref, l->s->row.target, l->target.hex, again)
	            : 0;
}

int land_rewritten(struct landing *l, bool *out, struct err *e)
{
	struct session *s = l->s;
	struct oid at;
	bool has = false;

	if (stands_for(l, out) != 0 || *out)
		return 0;
	if (!oid_parse(&at, s->row.target_at))
		return 0;
	if (gitx_reaches(s->site->git, &l->target, &at, &has, e) != 0) {
		if (e->kind != ERR_MISSING)
			return -1;
		err_clear(e); /* nobody holds it any more */
	}
	*out = !has;
	if (has)
		return 0;
	return land_refuse(l,
	                   "not landed: %s was rewritten since the session began: it no longer has %.12s, and a merge would "
	                   "bring that back. To carry the work over: git rebase --onto %s %.12s %s; to have both: git switch "
	                   "%s && git merge %s",
	                   s->row.target, at.hex, s->row.target, at.hex, s->manifest.integration_branch, s->row.target,
	                   s->manifest.integration_branch);
}
