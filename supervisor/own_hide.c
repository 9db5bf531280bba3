/* own_hide: writing info/exclude. */
#include "own_hide.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/base/fail.h"
#include "store/base/fs.h"
#include "store/base/log.h"
#include "store/base/mem.h"
#include "worker/git.h"
#include "worker/gitconf.h"
#include "worker/lockfile.h"

enum { EXCLUDE_MAX = 16 << 20, LOCK_LIMIT_MS = 10000 };

/* Before each line of ours: nothing else is ever taken out. */
static const char mark[] = GITCONF_EXCLUDE_MARK;

void own_hide_lines(const char *text, const struct strv *patterns, struct str *out)
{
	for (size_t i = 0; i < patterns->n; i++)
		str_addf(out, "%s%s\n", mark, patterns->v[i]);
	while (*text) {
		size_t n = strcspn(text, "\n");
		n += text[n] == '\n';
		if (str_starts(text, mark) && text[n]) {
			text += n;
			n = strcspn(text, "\n");
			text += n + (text[n] == '\n');
			continue;
		}
		str_addn(out, text, n);
		text += n;
	}
}

/* The file as it is now, and its mode; absent is empty. */
static int read_file(const char *path, struct str *text, mode_t *mode, struct err *e)
{
	struct stat st;

	*mode = 0644;
	if (stat(path, &st) != 0)
		return 0;
	*mode = st.st_mode & 07777;
	return fs_read(path, EXCLUDE_MAX, text, e);
}

static int write_file(const char *path, const struct str *text, mode_t mode, struct err *e)
{
	AUTO_FREE char *real = realpath(path, NULL); /* it may be a link to a file that several repositories share */
	const char *to = real ? real : path;

	FAILPOINT("own.hide.before");
	if (!text->len)
		return unlink(to) == 0 ? 0 : err_sys(e, "cannot remove %s", to);
	if (fs_write(to, text->p, text->len, true, e) != 0)
		return -1;
	FAILPOINT("own.hide.after");
	return chmod(to, mode) == 0 ? 0 : err_sys(e, "cannot set the mode of %s", to);
}

static int sync_lines(const struct session *s, bool over, own_hide_fn *wanted, struct err *e)
{
	const char *common = gitx_common_dir(s->site->git);
	AUTO_FREE char *lock_path = site_path(s->site, "exclude.lock");
	AUTO_FREE char *info = mem_printf("%s/info", common), *path = mem_printf("%s/exclude", info);
	AUTO_FREE char *others = mem_printf("%s.lock", path);
	AUTO_STRV struct strv patterns = {0};
	AUTO_STR struct str old = {0}, new = {0};
	AUTO_CLOSE int lock = -1;
	struct git g = {.cwd = common, .timeout_ms = LOCK_LIMIT_MS};
	mode_t mode;

	if (git_lock(&g, lock_path, &lock, e) != 0 || wanted(s, over, &patterns, e) != 0)
		return -1;
	/* git does not lock this file, but others may do as git does with its own. */
	if (!lockfile_wait(others, LOCKFILE_PATIENCE_MS))
		return err_set(e, ERR_HELD, "%s is there", others);
	if (fs_mkdirs(info, e) != 0 || read_file(path, &old, &mode, e) != 0)
		return -1;
	own_hide_lines(str_text(&old), &patterns, &new);
	return strcmp(str_text(&new), str_text(&old)) == 0 ? 0 : write_file(path, &new, mode, e);
}

void own_hide_sync(const struct session *s, bool over, own_hide_fn *wanted)
{
	struct err e = {0};

	if (sync_lines(s, over, wanted, &e) != 0)
		log_warn("%s/info/exclude could not be written: %s; git status may show worktrees of session %s",
		         gitx_common_dir(s->site->git), e.text, s->sid);
}
