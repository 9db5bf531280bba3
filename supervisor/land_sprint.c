/* land_sprint: a landing that would conflict in nothing but the states of stories, which have a line each in one file that
 * all sessions change: git sees lines side by side, and they are merged by their keys instead (formats.md [3-6]). The rest
 * is merged by git as ever, with the session's side of these files as it was in what both come from. */
#include <string.h>

#include "land_private.h"
#include "sprint.h"
#include "store/base/mem.h"
#include "worker/story.h"

/* *there false: it is not a file on that side, or too large. */
static int read_side(struct gitx *g, const struct oid *commit, const char *path, struct str *out, bool *there, struct err *e)
{
	struct oid tree;

	if (gitx_tree_of(g, commit, &tree, e) != 0)
		return -1;
	int rc = gitx_file_in(g, &tree, path, SPRINT_MAX_BYTES, out, e);
	*there = rc == 0;
	if (rc == 0 || (e->kind != ERR_MISSING && e->kind != ERR_USAGE))
		return rc;
	err_clear(e);
	return 0;
}

/* One file: its merged text to `texts`, that of the base into *tree. */
static int take(struct landing *l, const struct oid *from, const char *path, struct oid *tree, struct strv *texts,
                bool *can, struct err *e)
{
	struct gitx *g = l->s->site->git;
	AUTO_STR struct str base = {0}, ours = {0}, theirs = {0}, merged = {0};
	bool there[3] = {false};

	*can = story_is_status(path);
	if (!*can)
		return 0;
	if (read_side(g, from, path, &base, &there[0], e) != 0 || read_side(g, &l->tip, path, &ours, &there[1], e) != 0 ||
	    read_side(g, &l->onto, path, &theirs, &there[2], e) != 0)
		return -1;
	*can = there[0] && there[1] && there[2] && sprint_merge(&merged, &base, &ours, &theirs);
	if (!*can)
		return 0;
	strv_give(texts, str_take(&merged));
	return gitx_file_put(g, tree, tree, path, str_text(&base), base.len, e);
}

int land_sprint_without(struct landing *l, const struct strv *paths, struct oid *commit, struct strv *texts, bool *can,
                        struct err *e)
{
	struct session *s = l->s;
	AUTO_FREE char *message = mem_printf("States of stories as they were\n\nBosk-Session: %s\n", s->sid);
	struct oid tree, base = {0};

	*can = str_eq(s->queue.kind, "stories") && paths->n > 0;
	if (*can && gitx_merge_base(s->site->git, &base, &l->onto, &l->tip, e) != 0)
		return -1;
	*can = !oid_none(&base);
	if (!*can)
		return 0;
	if (gitx_tree_of(s->site->git, &l->tip, &tree, e) != 0)
		return -1;
	for (size_t i = 0; i < paths->n && *can; i++)
		if (take(l, &base, paths->v[i], &tree, texts, can, e) != 0)
			return -1;
	return *can ? gitx_commit_write(s->site->git, commit, &tree, &l->tip, 1, s->row.author, message, e) : 0;
}

int land_sprint_put(struct landing *l, const struct strv *paths, const struct strv *texts, struct oid *tree, struct err *e)
{
	for (size_t i = 0; i < paths->n; i++)
		if (gitx_file_put(l->s->site->git, tree, tree, paths->v[i], texts->v[i], strlen(texts->v[i]), e) != 0)
			return -1;
	return 0;
}
