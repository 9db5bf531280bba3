/* gitconf: finding and reading the files of git's configuration. git itself parses them: another parser
 * would see something else in a file that was written to deceive. */
#include "gitconf.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "git.h"
#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/seal.h"

enum { DEPTH_MAX = 10, FILES_MAX = 500, HASHED_MAX = 16 << 20 };

/* ---- which keys run something ---- */

/* `sub` tells filter.NAME.clean from core.editor; name NULL = every key of the section. The values are
 * what makes git do as if the key were not there, or else fail. */
static const struct rule {
	const char *section, *name, *neutral;
} rules[] = {
	{"alias", NULL, ""},
	{"browser", "cmd", "false"},
	{"commit", "gpgsign", "false"},
	{"core", "alternaterefscommand", "true"},
	{"core", "askpass", ""},
	{"core", "attributesfile", NULL}, /* names filters: git's default file instead */
	{"core", "checkstat", "default"},
	{"core", "editor", "true"},
	{"core", "excludesfile", NULL},
	{"core", "filemode", "true"},
	{"core", "fsmonitor", "false"},
	{"core", "gitproxy", "none"},
	{"core", "hookspath", "/dev/null"},
	{"core", "ignorecase", "false"},
	{"core", "ignorestat", "false"},
	{"core", "pager", "cat"},
	{"core", "sparsecheckout", "false"},
	{"core", "sshcommand", "false"},
	{"core", "symlinks", "true"},
	{"core", "trustctime", "true"},
	{"core", "untrackedcache", "false"},
	{"credential", "helper", ""},
	{"diff", "command", "false"},
	{"diff", "external", "false"},
	{"diff", "textconv", "false"},
	{"difftool", "cmd", "false"},
	{"filter", "clean", ""},
	{"filter", "process", ""},
	{"filter", "required", "false"},
	{"filter", "smudge", ""},
	{"gc", "recentobjectshook", "false"},
	{"gpg", "defaultkeycommand", "false"},
	{"gpg", "program", "false"},
	{"interactive", "difffilter", "cat"},
	{"lfs", "clean", "false"},
	{"lfs", "path", "false"},
	{"lfs", "smudge", "false"},
	{"lfs", "standalonetransferagent", ""},
	{"log", "showsignature", "false"},
	{"merge", "driver", "false"},
	{"merge", "verifysignatures", "false"},
	{"mergetool", "cmd", "false"},
	{"pager", NULL, "false"},
	{"protocol", "allow", "user"},
	{"remote", "promisor", "false"},
	{"remote", "receivepack", "git-receive-pack"},
	{"remote", "uploadpack", "git-upload-pack"},
	{"remote", "vcs", ""},
	{"sequence", "editor", "true"},
	{"submodule", "update", "none"},
	{"tar", "command", "false"},
	{"trailer", "cmd", "false"},
	{"trailer", "command", "false"},
	{"uploadpack", "packobjectshook", "false"},
};

/* These run nothing, but keep git from seeing what is in a worktree. */
static const char *const blinding[] = {"core.checkstat",  "core.excludesfile",   "core.filemode", "core.ignorecase",
                                       "core.ignorestat", "core.sparsecheckout", "core.symlinks", "core.trustctime",
                                       "core.untrackedcache"};

/* git's own value of core.attributesFile and core.excludesFile. */
static const char *default_file(const char *name, struct str *out)
{
	const char *xdg = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");

	str_clear(out);
	if (xdg && *xdg)
		str_addf(out, "%s/git/%s", xdg, name);
	else
		str_addf(out, "%s/.config/git/%s", home ? home : "", name);
	return str_text(out);
}

static const struct rule *rule_of(const char *key)
{
	size_t section = strcspn(key, ".");
	const char *name = strrchr(key, '.');

	for (size_t i = 0; name && i < MEM_COUNT(rules); i++)
		if (strlen(rules[i].section) == section && strncmp(rules[i].section, key, section) == 0 &&
		    (!rules[i].name || strcmp(rules[i].name, name + 1) == 0))
			return &rules[i];
	return NULL;
}

const char *gitconf_neutral(const char *key, struct str *scratch)
{
	const struct rule *r = rule_of(key);

	if (!r || r->neutral)
		return r ? r->neutral : NULL;
	return default_file(strcmp(r->name, "excludesfile") == 0 ? "ignore" : "attributes", scratch);
}

bool gitconf_blinds(const char *key)
{
	for (size_t i = 0; i < MEM_COUNT(blinding); i++)
		if (strcmp(blinding[i], key) == 0)
			return true;
	return false;
}

/* ---- which files ---- */

static bool is_true(const char *text)
{
	return text && *text && strcmp(text, "0") != 0 && strcmp(text, "false") != 0 &&
	       strcmp(text, "no") != 0 && strcmp(text, "off") != 0;
}

/* Names in a folder, sorted by nothing: what matters is that it is the same text while nothing changes. */
static void list_dir(const char *dir, struct strv *out)
{
	DIR *d = opendir(dir);
	struct dirent *entry;

	while (d && (entry = readdir(d)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			strv_add(out, entry->d_name);
	if (d)
		closedir(d);
}

/* Git folders of submodules lie in modules/NAME, where NAME may have slashes. */
static void add_modules(const char *dir, int depth, struct strv *files)
{
	AUTO_STRV struct strv names = {0};

	if (depth == DEPTH_MAX || !fs_is_dir(dir))
		return;
	list_dir(dir, &names);
	for (size_t i = 0; i < names.n; i++) {
		AUTO_FREE char *at = mem_printf("%s/%s", dir, names.v[i]);
		AUTO_FREE char *head = mem_printf("%s/HEAD", at), *below = mem_printf("%s/modules", at);
		if (!fs_exists(head)) {
			add_modules(at, depth + 1, files);
			continue;
		}
		strv_addf(files, "%s/config", at);
		strv_addf(files, "%s/config.worktree", at);
		add_modules(below, depth + 1, files);
	}
}

static void add_user(struct strv *files)
{
	const char *global = getenv("GIT_CONFIG_GLOBAL"), *home = getenv("HOME");
	const char *xdg = getenv("XDG_CONFIG_HOME"), *system = getenv("GIT_CONFIG_SYSTEM");

	if (!is_true(getenv("GIT_CONFIG_NOSYSTEM")))
		strv_add(files, system ? system : "/etc/gitconfig");
	if (global) {
		strv_add(files, global);
		return;
	}
	if (xdg && *xdg)
		strv_addf(files, "%s/git/config", xdg);
	else if (home)
		strv_addf(files, "%s/.config/git/config", home);
	if (home)
		strv_addf(files, "%s/.gitconfig", home);
}

/* The files that count by themselves, there or not; those that count least first. */
static void find_roots(const char *common_dir, struct strv *files)
{
	AUTO_FREE char *modules = mem_printf("%s/modules", common_dir);
	AUTO_FREE char *worktrees = mem_printf("%s/worktrees", common_dir);
	AUTO_STRV struct strv names = {0};

	add_modules(modules, 0, files);
	add_user(files);
	strv_addf(files, "%s/config", common_dir);
	strv_addf(files, "%s/config.worktree", common_dir);
	list_dir(worktrees, &names);
	for (size_t i = 0; i < names.n; i++)
		strv_addf(files, "%s/%s/config.worktree", worktrees, names.v[i]);
}

static void find_hooks(const char *common_dir, struct strv *paths)
{
	AUTO_FREE char *hooks = mem_printf("%s/hooks", common_dir);
	AUTO_STRV struct strv names = {0};

	list_dir(hooks, &names);
	for (size_t i = 0; i < names.n; i++)
		if (!str_ends(names.v[i], ".sample"))
			strv_addf(paths, "%s/%s", hooks, names.v[i]);
}

/* ctime cannot be set back by anybody. */
void gitconf_look_one(struct str *out, const char *path)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return;
	str_addf(out, "%s %llu %llu %lld %lld.%ld %lld.%ld %o\n", path, (unsigned long long)st.st_dev,
	         (unsigned long long)st.st_ino, (long long)st.st_size, (long long)st.st_mtim.tv_sec,
	         st.st_mtim.tv_nsec, (long long)st.st_ctim.tv_sec, st.st_ctim.tv_nsec,
	         (unsigned)st.st_mode);
}

static void look_roots(struct str *out, const char *common_dir, const struct strv *nested)
{
	AUTO_FREE char *attributes = mem_printf("%s/info/attributes", common_dir), *exclude = mem_printf("%s/info/exclude", common_dir);
	AUTO_STRV struct strv paths = {0};

	find_roots(common_dir, &paths);
	find_hooks(common_dir, &paths);
	for (size_t i = 0; i < paths.n; i++)
		gitconf_look_one(out, paths.v[i]);
	gitconf_look_one(out, attributes);
	gitconf_look_one(out, exclude);
	for (size_t i = 0; nested && i < nested->n; i++)
		gitconf_look_one(out, nested->v[i]);
}

void gitconf_look(struct str *out, const char *common_dir, const struct strv *nested,
                  const struct strv *included)
{
	look_roots(out, common_dir, nested);
	for (size_t i = 0; i < included->n; i++)
		gitconf_look_one(out, included->v[i]);
}

/* ---- reading ---- */

static void add_entry(struct gitconf *c, const char *key, const char *value, const char *file,
                      bool setting)
{
	c->v = mem_grow(c->v, c->n + 1, sizeof *c->v);
	c->v[c->n++] = (struct gitconf_entry){mem_strdup(key), mem_strdup(value), mem_strdup(file), setting};
}

static int read_file(struct gitconf *c, const char *path, int depth, struct err *e);

/* The files that this one includes, the conditional ones too. git expands ~ in their names. */
static int read_includes(struct gitconf *c, const char *path, int depth, struct err *e)
{
	AUTO_STR struct str out = {0};
	struct git g = {.cwd = "/"};
	int dir = (int)(strrchr(path, '/') - path), status;

	if (git_try(&g, &status, &out, NULL,
	            GIT_ARGS("config", "--file", path, "--no-includes", "-z", "--type=path",
	                     "--get-regexp", "^include(if\\..*)?\\.path$"),
	            e) != 0)
		return -1;
	for (size_t i = 0; i < out.len;) {
		const char *value = strchr(out.p + i, '\n');
		i += strlen(out.p + i) + 1;
		if (!value || !value[1])
			continue;
		AUTO_FREE char *file = value[1] == '/' ? mem_strdup(value + 1)
		                                       : mem_printf("%.*s/%s", dir, path, value + 1);
		if (strv_has(&c->included, file))
			continue;
		if (depth == DEPTH_MAX || c->included.n == FILES_MAX)
			return err_set(e, ERR_ENV, "too many files are included by git's configuration %s", path);
		strv_add(&c->included, file);
		gitconf_look_one(&c->seen, file);
		if (read_file(c, file, depth + 1, e) != 0)
			return -1;
	}
	return 0;
}

static int read_file(struct gitconf *c, const char *path, int depth, struct err *e)
{
	AUTO_STR struct str out = {0}, scratch = {0};
	struct git g = {.cwd = "/"};
	struct stat st;
	bool includes = false;

	if (stat(path, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size == 0)
		return 0;
	if (git_run(&g, &out, GIT_ARGS("config", "--file", path, "--no-includes", "-z", "--list"), e) != 0) {
		if (fs_exists(path))
			return -1;
		err_clear(e); /* of a worktree that was removed meanwhile */
		return 0;
	}
	for (size_t i = 0; i < out.len;) {
		char *key = out.p + i, *value = strchr(key, '\n');
		i += strlen(key) + 1;
		if (value)
			*value++ = '\0';
		if (str_starts(key, "include.") || str_starts(key, "includeif."))
			includes = true;
		else if (gitconf_neutral(key, &scratch))
			add_entry(c, key, value ? value : "true", path, true);
	}
	return includes ? read_includes(c, path, depth, e) : 0;
}

/* Without the lines of bosk. */
static void strip_exclude(struct str *text)
{
	static const char mark[] = GITCONF_EXCLUDE_MARK;
	AUTO_STR struct str kept = {0};

	for (const char *p = str_text(text); *p;) {
		size_t n = strcspn(p, "\n");
		n += p[n] == '\n';
		if (str_starts(p, mark) && p[n]) {
			p += n;
			n = strcspn(p, "\n");
			p += n + (p[n] == '\n');
			continue;
		}
		str_addn(&kept, p, n);
		p += n;
	}
	str_clear(text);
	str_addn(text, str_text(&kept), kept.len);
}

static void add_hash(struct gitconf *c, const char *key, const char *path, void (*strip)(struct str *text))
{
	AUTO_STR struct str content = {0};
	struct err ignored = {0};
	char hash[SEAL_HEX] = "unreadable";

	if (fs_read(path, HASHED_MAX, &content, &ignored) == 0) {
		if (strip)
			strip(&content);
		seal_hash(hash, str_text(&content), content.len);
	}
	add_entry(c, key, hash, path, false);
}

int gitconf_read(struct gitconf *out, const char *common_dir, const struct strv *nested,
                 struct err *e)
{
	AUTO_FREE char *attributes = mem_printf("%s/info/attributes", common_dir), *exclude = mem_printf("%s/info/exclude", common_dir);
	AUTO_STRV struct strv files = {0}, hooks = {0};

	*out = (struct gitconf){0};
	look_roots(&out->seen, common_dir, nested);
	for (size_t i = 0; nested && i < nested->n; i++)
		strv_add(&files, nested->v[i]);
	find_roots(common_dir, &files);
	for (size_t i = 0; i < files.n; i++)
		if (read_file(out, files.v[i], 0, e) != 0)
			return err_wrap(e, "cannot look for programs in git's configuration");
	find_hooks(common_dir, &hooks);
	for (size_t i = 0; i < hooks.n; i++) {
		AUTO_FREE char *key = mem_printf("hook %s", strrchr(hooks.v[i], '/') + 1);
		add_hash(out, key, hooks.v[i], NULL);
	}
	if (fs_exists(attributes))
		add_hash(out, "info/attributes", attributes, NULL);
	if (fs_exists(exclude))
		add_hash(out, "info/exclude", exclude, strip_exclude);
	return 0;
}

void gitconf_fini(struct gitconf *c)
{
	for (size_t i = 0; i < c->n; i++) {
		free(c->v[i].key);
		free(c->v[i].value);
		free(c->v[i].file);
	}
	free(c->v);
	strv_fini(&c->included);
	str_fini(&c->seen);
	*c = (struct gitconf){0};
}
