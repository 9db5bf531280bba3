/* Real repositories for the tests, by the git command. */
#include "repo.h"

#include <sys/wait.h>
#include <unistd.h>

#include "store/base/fs.h"
#include "worker/gitx.h"

void repo_env(const char *home)
{
	static const char *const cleared[] = {
		"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY",
		"GIT_COMMON_DIR", "GIT_CEILING_DIRECTORIES", "GIT_CONFIG", "GIT_CONFIG_COUNT",
		"GIT_CONFIG_PARAMETERS", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_NAMESPACE",
		"GIT_PREFIX", "XDG_CONFIG_HOME",
	};
	static const char *const set[][2] = {
		{"GIT_CONFIG_GLOBAL", "/dev/null"},   {"GIT_CONFIG_NOSYSTEM", "1"},
		{"GIT_AUTHOR_NAME", "A U Thor"},      {"GIT_AUTHOR_EMAIL", "author@example.com"},
		{"GIT_COMMITTER_NAME", "C O Mitter"}, {"GIT_COMMITTER_EMAIL", "c@example.com"},
		{"GIT_AUTHOR_DATE", "1700000000 +0100"}, {"GIT_COMMITTER_DATE", "1700000000 +0100"},
		{"GIT_EDITOR", "true"},               {"LC_ALL", "C"},
	};
	for (size_t i = 0; i < MEM_COUNT(cleared); i++)
		unsetenv(cleared[i]);
	for (size_t i = 0; i < MEM_COUNT(set); i++)
		setenv(set[i][0], set[i][1], 1);
	setenv("HOME", home, 1);
}

/* Exit status of the command; its output, errors included only with `errors`, in *out. */
static int run(const char *path, bool errors, struct str *out, const char *fmt, va_list ap)
{
	AUTO_STR struct str command = {0};
	char chunk[4096];
	size_t n;

	assert_null(strchr(path, '\''));
	str_addf(&command, "git -C '%s' ", path);
	str_addv(&command, fmt, ap);
	if (errors)
		str_add(&command, " 2>&1");
	fflush(stdout);
	FILE *f = popen(command.p, "r");
	assert_non_null(f);
	while ((n = fread(chunk, 1, sizeof chunk, f)) > 0)
		str_addn(out, chunk, n);
	int status = pclose(f);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

void repo_git(const char *path, const char *fmt, ...)
{
	AUTO_STR struct str out = {0};
	va_list ap;
	va_start(ap, fmt);
	int rc = run(path, true, &out, fmt, ap);
	va_end(ap);
	if (rc != 0)
		fail_msg("git %s: exit %d: %s", fmt, rc, str_text(&out));
}

char *repo_out(const char *path, const char *fmt, ...)
{
	AUTO_STR struct str out = {0};
	va_list ap;
	va_start(ap, fmt);
	int rc = run(path, false, &out, fmt, ap);
	va_end(ap);
	if (rc != 0)
		fail_msg("git %s: exit %d", fmt, rc);
	if (out.len && out.p[out.len - 1] == '\n')
		out.p[--out.len] = '\0';
	return str_take(&out);
}

bool repo_try(const char *path, const char *fmt, ...)
{
	AUTO_STR struct str out = {0};
	va_list ap;
	va_start(ap, fmt);
	int rc = run(path, true, &out, fmt, ap);
	va_end(ap);
	return rc == 0;
}

void repo_new(const char *path)
{
	struct err e = {0};
	assert_ok(fs_mkdirs(path, &e), &e);
	repo_git(path, "init -q -b main .");
}

void repo_write(const char *path, const char *file, const char *content)
{
	AUTO_FREE char *full = mem_printf("%s/%s", path, file);
	AUTO_FREE char *dir = mem_strndup(full, (size_t)(strrchr(full, '/') - full));
	struct err e = {0};
	assert_ok(fs_mkdirs(dir, &e), &e);
	assert_ok(fs_write(full, content, strlen(content), false, &e), &e);
}

void repo_commit(const char *path, const char *file, const char *content, char *hex)
{
	repo_write(path, file, content);
	repo_git(path, "add -A");
	repo_git(path, "commit -q -m 'change a file'");
	if (hex) {
		AUTO_FREE char *id = repo_out(path, "rev-parse HEAD");
		assert_int_equal(strlen(id), 40);
		memcpy(hex, id, 41);
	}
}

void repo_fsck(const char *path)
{
	AUTO_FREE char *out = repo_out(path, "fsck --full --no-dangling --no-progress 2>&1");
	assert_string_equal(out, "");
}

char *repo_scratch;

int repo_setup(void **state)
{
	struct err e = {0};
	(void)state;
	repo_scratch = test_scratch();
	repo_env(repo_scratch);
	return gitx_init(false, &e);
}

int repo_teardown(void **state)
{
	(void)state;
	test_scratch_remove(mem_steal(&repo_scratch));
	return 0;
}

char *repo_make(const char *name)
{
	char *path = mem_printf("%s/%s", repo_scratch, name);
	if (access(path, F_OK) == 0) /* git init would go on in it, and the tests depend on one another */
		fail_msg("%s is there already: another test of this group has made it", path);
	repo_new(path);
	repo_commit(path, "file", "one\n", NULL);
	return path;
}

struct gitx *repo_open(const char *path)
{
	struct gitx *g = NULL;
	struct err e = {0};
	assert_ok(gitx_open(&g, path, &e), &e);
	return g;
}

int repo_forked(int (*group)(void))
{
	int status;
	fflush(stdout);
	pid_t child = fork();
	if (child == 0) {
		int failed = group();
		fflush(stdout);
		fflush(stderr);
		_exit(failed > 100 ? 100 : failed);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		return 1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
