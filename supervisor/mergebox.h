/* mergebox: the place where `git merge-tree` runs. A git folder of our own that borrows only the
 * repository's objects, and a work tree that holds nothing but the .gitattributes files of one commit:
 * what a merge does depends on the commits merged, never on the user's checkout (pitfalls 3.5), nor on
 * drivers, attributes or settings that somebody planted in the common git folder (architecture 9, 10).
 * Named merge drivers are off: a path that asks for one becomes a conflict; with `merge_drivers: run`
 * those run that were configured when the session began, in the work tree here. */
#ifndef BOSK_MERGEBOX_H
#define BOSK_MERGEBOX_H

#include "site.h"

struct mergebox {
	char *dir;            /* state_dir/tmp/merge-<name>: git/ and tree/ */
	struct oid commit;    /* whose attributes are in tree/ */
	struct strv drivers;  /* merge.<name>.driver=COMMAND or =false for each named driver in them */
	bool known;           /* `commit` is set */
	/* Both set by the caller before the first merge; may stay NULL. Borrowed. `runs`: settings as
	 * planted_list gives them, whose merge drivers may run. */
	const struct strv *runs;
	struct planted *guard;
};

/* `name`: of the session. Made afresh; removed by mergebox_fini. */
int mergebox_init(struct mergebox *b, struct site *site, const char *name, struct err *e);
void mergebox_fini(struct mergebox *b); /* zeroed = nothing */

/* Bring the attributes to those of `commit`. Cheap when no .gitattributes changed since the last call:
 * only what differs between the two trees is looked at. */
int mergebox_attributes(struct mergebox *b, struct site *site, const struct oid *commit,
                        struct err *e);

/* Command line and environment of the merge of `commit` onto `tip`, to be run in b->dir/tree. */
int mergebox_command(const struct mergebox *b, const struct site *site, const struct oid *tip,
                     const struct oid *commit, struct strv *argv, struct strv *env, struct err *e);

#endif
