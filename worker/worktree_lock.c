/* worktree_lock: the repository's one lock for worktree metadata (promise B4): taking it, saying who has it. */
#include "worktree.h"

#include <string.h>
#include <unistd.h>

#include "store/base/fs.h"
#include "store/base/mem.h"

enum { NOTICE_MS = 1000, LOCK_PATIENCE_MS = 60 * 1000 };

/* In its file stands the session that has it, for those who wait for it. */
static void sign_lock(const struct slot *s, int lock)
{
	AUTO_FREE char *line = mem_printf("%s\n", s->init.sid);
	ssize_t ignored = pwrite(lock, line, strlen(line), 0); /* one length: no truncate */
	(void)ignored;
}

/* Who waits noticeably long says whom for. */
static int lock_git(struct slot *s, const char *path, int *lock, struct err *e)
{
	struct git soon = s->git, wait = s->git;
	AUTO_STR struct str text = {0};
	struct err ignored = {0};

	soon.timeout_ms = NOTICE_MS;
	wait.timeout_ms = LOCK_PATIENCE_MS;
	/* Of a command nobody else would end the wait for a supervisor that is frozen. */
	int rc = git_lock(s->chan ? &soon : &wait, path, lock, e);
	if (rc != 0 && e->kind == ERR_HELD && s->chan) {
		const char *was = s->phase;
		err_clear(e);
		fs_read(path, 64, &text, &ignored);
		AUTO_FREE char *holder = mem_strndup(str_text(&text), strcspn(str_text(&text), "\n"));
		slot_progress(s, SLOT_WAITS, *holder ? holder : "?", "");
		rc = git_lock(&s->git, path, lock, e);
		slot_progress(s, was ? was : "prepare", NULL, "");
	}
	if (rc == 0)
		sign_lock(s, *lock);
	return rc;
}

int worktree_lock(struct slot *s, struct git *g, int *lock, struct err *e)
{
	AUTO_FREE char *path = mem_printf("%s/git.lock", s->init.state_dir);

	if (lock_git(s, path, lock, e) != 0)
		return -1;
	*g = s->git_main;
	g->keep_fd = *lock;
	return 0;
}
