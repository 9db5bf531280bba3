/* gitx_shallow: history that is cut off. libgit2 1.5 knows nothing of the file `shallow` (pitfalls 1.7): asked what a
 * commit reaches, it fails as soon as it comes to a parent that is not there, which may be before the answer when clocks
 * went wrong. So it is gone through here; a parent that is not there is the end of it. Slower than libgit2, which stops
 * by the dates: not for whole histories. */
#include "gitx_private.h"

#include <string.h>

#include "store/base/fs.h"
#include "store/base/mem.h"

struct seen {
	git_oid *table; /* by the id's own bytes, then the next free place; zero = free */
	git_oid *list;  /* in the order they were met */
	size_t n, room; /* a power of two, at least twice n */
};

static bool put(struct seen *s, const git_oid *id)
{
	size_t at;

	memcpy(&at, id->id, sizeof at);
	for (at &= s->room - 1; !git_oid_is_zero(&s->table[at]); at = (at + 1) & (s->room - 1))
		if (git_oid_equal(&s->table[at], id))
			return false;
	s->table[at] = *id;
	return true;
}

static void add(struct seen *s, const git_oid *id)
{
	if (2 * (s->n + 1) > s->room) {
		s->room = s->room ? 2 * s->room : 256;
		free(s->table);
		s->table = mem_array(s->room, sizeof *s->table);
		s->list = mem_grow(s->list, s->room, sizeof *s->list);
		for (size_t i = 0; i < s->n; i++)
			put(s, &s->list[i]);
	}
	if (put(s, id))
		s->list[s->n++] = *id;
}

bool gitx_shallow(const struct gitx *g)
{
	AUTO_FREE char *path = mem_printf("%s/shallow", g->common_dir);
	return fs_exists(path);
}

/* Those from the `at`-th on, and all that they reach. It ends when `end` (may be NULL) is met: 1. */
static int follow(struct gitx *g, struct seen *s, size_t at, const git_oid *end)
{
	int rc = 0;

	for (; rc == 0 && at < s->n; at++) {
		GITX_AUTO(git_commit) commit = NULL;
		if (end && git_oid_equal(&s->list[at], end))
			return 1;
		if (!git_odb_exists(g->odb, &s->list[at]))
			continue;
		rc = git_commit_lookup(&commit, g->repo, &s->list[at]);
		for (unsigned i = 0; rc == 0 && i < git_commit_parentcount(commit); i++)
			add(s, git_commit_parent_id(commit, i));
	}
	return rc;
}

int gitx_shallow_reaches(struct gitx *g, const git_oid *commit, const git_oid *ancestor)
{
	struct seen seen = {0};

	add(&seen, commit);
	int rc = follow(g, &seen, 0, ancestor);
	free(seen.table);
	free(seen.list);
	return rc;
}

int gitx_shallow_new(struct gitx *g, const git_oid *commit, const git_oid *known, git_oid **out, size_t *n)
{
	struct seen seen = {0};

	add(&seen, known);
	int rc = follow(g, &seen, 0, NULL);
	size_t old = seen.n;
	add(&seen, commit);
	if (rc == 0)
		rc = follow(g, &seen, old, NULL);
	free(seen.table);
	*n = seen.n - old;
	memmove(seen.list, seen.list + old, *n * sizeof *seen.list);
	*out = seen.list;
	return rc;
}
