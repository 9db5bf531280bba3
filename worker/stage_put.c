/* stage_put: paths as they were, and one of them with a content of bosk's. */
#include "stage_put.h"

#include <string.h>

#include "store/base/fs.h"
#include "store/base/mem.h"
#include "worktree.h"

static int restore(struct slot *s, const struct oid *base, const struct strv *paths, struct err *e)
{
	AUTO_STRV struct strv argv = {0};
	AUTO_FREE char *source = mem_printf("--source=%s", base->hex);
	const char *const words[] = {"--literal-pathspecs", "restore", source, "--staged", "--worktree", "--"};

	for (size_t i = 0; i < MEM_COUNT(words); i++)
		strv_add(&argv, words[i]);
	for (size_t i = 0; i < paths->n; i++)
		strv_add(&argv, paths->v[i]);
	return git_run(&s->git, NULL, (const char *const *)argv.v, e);
}

/* As a blob, without filters: the bytes are those that are committed. */
static int write_blob(struct slot *s, const struct str *content, struct oid *blob, struct err *e)
{
	AUTO_FREE char *path = mem_printf("%s/bosk-content", s->admin_dir);
	AUTO_STR struct str out = {0};
	struct git g = s->git;

	g.stdin_path = path;
	if (fs_write(path, str_text(content), content->len, false, e) != 0 ||
	    git_run(&g, &out, GIT_ARGS("hash-object", "-w", "--stdin"), e) != 0)
		return -1;
	if (out.len)
		out.p[strcspn(out.p, "\n")] = '\0';
	if (!oid_parse(blob, str_text(&out)))
		return err_set(e, ERR_ENV, "git hash-object said: %.80s", str_text(&out));
	return 0;
}

static int put_file(struct slot *s, const struct stage_file *put, struct err *e)
{
	AUTO_STR struct str entry = {0};
	struct oid blob;

	if (git_run(&s->git, &entry, GIT_ARGS("--literal-pathspecs", "ls-files", "--stage", "--", put->path), e) != 0 ||
	    write_blob(s, put->content, &blob, e) != 0)
		return -1;
	if (!str_starts(str_text(&entry), "100"))
		return err_set(e, ERR_USAGE, "is no file");
	AUTO_FREE char *info = mem_printf("%.6s,%s,%s", entry.p, blob.hex, put->path);
	if (git_run(&s->git, NULL, GIT_ARGS("update-index", "--cacheinfo", info), e) != 0)
		return -1;
	return git_run(&s->git, NULL, GIT_ARGS("checkout-index", "--force", "--quiet", "--", put->path), e);
}

int stage_back(struct slot *s, const struct oid *base, const struct strv *paths, const struct stage_file *put,
               struct oid *tree, struct err *e)
{
	AUTO_STRV struct strv damaged = {0};
	AUTO_STR struct str out = {0};
	struct oid before = *tree;
	size_t cleared = 0;

	if (worktree_mend(s, e) != 0 || restore(s, base, paths, e) != 0 || (put && put_file(s, put, e) != 0) ||
	    git_run(&s->git, &out, GIT_ARGS("write-tree"), e) != 0)
		return -1;
	if (out.len)
		out.p[strcspn(out.p, "\n")] = '\0';
	if (!oid_parse(tree, str_text(&out)))
		return err_set(e, ERR_ENV, "git write-tree said: %.80s", str_text(&out));
	if (gitx_check_tree(s->gitx, &before, tree, &damaged, &cleared, e) != 0)
		return -1;
	return cleared ? err_set(e, ERR_DAMAGED, "objects that git wrote cannot be read back; see git fsck --full") : 0;
}
