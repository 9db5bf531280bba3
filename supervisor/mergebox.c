/* mergebox: a git folder and a work tree for merges alone. */
#include "mergebox.h"

#include <libgen.h>
#include <string.h>
#include <unistd.h>

#include "store/base/fs.h"
#include "store/base/mem.h"
#include "worker/exec.h"
#include "worker/git.h"

enum { ATTRIBUTES_MAX = 1 << 20 };

int mergebox_init(struct mergebox *b, struct site *site, const char *name, struct err *e)
{
	static const char config[] = "[core]\n\trepositoryformatversion = 0\n\tbare = false\n";
	static const char head[] = "ref: refs/heads/none\n";

	*b = (struct mergebox){.dir = site_path(site, "tmp/merge-%s", name)};
	AUTO_FREE char *objects = mem_printf("%s/git/objects", b->dir);
	AUTO_FREE char *refs = mem_printf("%s/git/refs", b->dir), *tree = mem_printf("%s/tree", b->dir);
	AUTO_FREE char *config_path = mem_printf("%s/git/config", b->dir);
	AUTO_FREE char *head_path = mem_printf("%s/git/HEAD", b->dir);
	if (fs_remove_tree(b->dir, e) != 0 || fs_mkdirs(objects, e) != 0 || fs_mkdirs(refs, e) != 0 ||
	    fs_mkdirs(tree, e) != 0 || fs_write(config_path, config, strlen(config), false, e) != 0 ||
	    fs_write(head_path, head, strlen(head), false, e) != 0)
		return err_wrap(e, "cannot make the folder for merges");
	return 0;
}

void mergebox_fini(struct mergebox *b)
{
	struct err ignored = {0};
	if (b->dir)
		fs_remove_tree(b->dir, &ignored);
	free(b->dir);
	strv_fini(&b->drivers);
	*b = (struct mergebox){0};
}

static bool is_attributes(const char *path)
{
	const char *slash = strrchr(path, '/');
	return strcmp(slash ? slash + 1 : path, ".gitattributes") == 0;
}

/* The setting of a driver that may run, NULL when it must not. `key` ends in "driver=". */
static const char *may_run(const struct mergebox *b, const char *key)
{
	for (size_t i = 0; b->runs && i < b->runs->n; i++)
		if (str_starts(b->runs->v[i], key))
			return b->runs->v[i];
	return NULL;
}

/* Every `merge=NAME` of an attributes file that is not built into git. A pattern may hold the same
 * text: one driver too many switched off does nothing. */
static void find_drivers(struct mergebox *b, const char *text)
{
	for (const char *p = text; (p = strstr(p, "merge=")); p += strlen("merge=")) {
		AUTO_FREE char *name = mem_strndup(p + strlen("merge="), strcspn(p + strlen("merge="), " \t\r\n"));
		AUTO_FREE char *key = mem_printf("merge.%s.driver=", name);
		AUTO_FREE char *off = mem_printf("%sfalse", key);
		const char *setting = may_run(b, key) ? may_run(b, key) : off;
		if (*name && strcmp(name, "text") != 0 && strcmp(name, "binary") != 0 &&
		    strcmp(name, "union") != 0 && !strv_has(&b->drivers, setting))
			strv_add(&b->drivers, setting);
	}
}

static int write_attributes(struct mergebox *b, struct site *site, const struct oid *commit,
                            const char *path, struct err *e)
{
	AUTO_FREE char *to = mem_printf("%s/tree/%s", b->dir, path);
	AUTO_FREE char *parent = mem_strdup(to);
	AUTO_STR struct str text = {0};

	if (gitx_read_file(site->git, commit, path, &text, e) != 0) {
		if (e->kind != ERR_MISSING)
			return -1;
		err_clear(e);
		unlink(to); /* gone in this commit */
		return 0;
	}
	if (text.len > ATTRIBUTES_MAX)
		return err_set(e, ERR_ENV, "%s is larger than %d bytes", path, ATTRIBUTES_MAX);
	find_drivers(b, str_text(&text));
	if (fs_mkdirs(dirname(parent), e) != 0)
		return -1;
	return fs_write(to, str_text(&text), text.len, false, e);
}

int mergebox_attributes(struct mergebox *b, struct site *site, const struct oid *commit,
                        struct err *e)
{
	struct oid from = {""}, to;
	AUTO_STRV struct strv changed = {0};

	if (b->known && strcmp(b->commit.hex, commit->hex) == 0)
		return 0;
	if ((b->known && gitx_tree_of(site->git, &b->commit, &from, e) != 0) ||
	    gitx_tree_of(site->git, commit, &to, e) != 0 ||
	    gitx_diff_paths(site->git, &from, &to, 0, &changed, e) != 0)
		return -1;
	for (size_t i = 0; i < changed.n; i++)
		if (is_attributes(changed.v[i]) &&
		    write_attributes(b, site, commit, changed.v[i], e) != 0)
			return err_wrap(e, "attributes for the merge");
	b->commit = *commit;
	b->known = true;
	return 0;
}

int mergebox_command(const struct mergebox *b, const struct site *site, const struct oid *tip,
                     const struct oid *commit, struct strv *argv, struct strv *env, struct err *e)
{
	AUTO_FREE char *tree = mem_printf("%s/tree", b->dir), *git_dir = mem_printf("%s/git", b->dir);
	AUTO_FREE char *objects = mem_printf("%s/objects", gitx_common_dir(site->git));
	/* A shallow, grafted or partial repository needs its own git folder to be understood at all. */
	bool whole = !gitx_merge_caveat(site->git);
	/* ... and with it comes the repository's configuration. */
	struct git g = {.cwd = tree, .extra = &b->drivers, .guard = whole ? NULL : b->guard};

	git_argv(argv, &g,
	         GIT_ARGS("merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", tip->hex,
	                  commit->hex));
	if (git_env(env, &g, e) != 0)
		return -1;
	exec_env_set(env, "GIT_DIR", whole ? git_dir : gitx_common_dir(site->git));
	exec_env_set(env, "GIT_WORK_TREE", tree);
	exec_env_set(env, "GIT_CONFIG_NOSYSTEM", "1");
	exec_env_set(env, "GIT_CONFIG_GLOBAL", "/dev/null");
	if (whole)
		exec_env_set(env, "GIT_OBJECT_DIRECTORY", objects);
	return 0;
}
