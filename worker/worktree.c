/* worktree: making, moving and removing the checkout of one slot. */
#include "worktree.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gitlinks.h"
#include "guest.h"
#include "hidden.h"
#include "index.h"
#include "lockfile.h"
#include "nested_keep.h"
#include "store/base/fail.h"
#include "store/base/fs.h"
#include "store/base/mem.h"
#include "worktree_look.h"

/* The main worktree is not made by anybody: it is there. */
static bool adopt_main(struct slot *s)
{
	mem_set(&s->admin_dir, s->init.common_dir);
	s->made = true;
	worktree_clear_locks(s);
	return true;
}

/* Of a user's checkout only where git finds it is asked: what it is was looked at when it was borrowed. */
static char *borrowed_admin(const struct slot *s)
{
	AUTO_FREE char *below = mem_printf("%s/worktrees/", s->init.common_dir);
	AUTO_FREE char *dir = gitlinks_git_dir(s->init.worktree);

	return dir && str_starts(dir, below) && fs_is_dir(dir) ? mem_steal(&dir) : NULL;
}

/* It was to be removed when its remover died, with nothing in it but what HEAD has: has somebody worked in it since?
 * What a killed `git worktree remove` took away is no work. The index may be an older one: git does not flush it. */
static bool worked_in_since(const struct slot *s, const char *admin)
{
	AUTO_FREE char *git_dir = mem_printf("--git-dir=%s", admin);
	AUTO_FREE char *work_tree = mem_printf("--work-tree=%s", s->init.worktree);
	AUTO_FREE char *index = mem_printf("%s/bosk-left", admin);
	AUTO_STR struct str text = {0};
	struct git git = s->git;
	struct err ignored = {0};
	bool found = false;
	int status;

	if (!worktree_marked(s, admin, WORKTREE_LEAVING) || !fs_is_dir(s->init.worktree))
		return false;
	git.index_file = index;
	if (git_run(&git, NULL, GIT_ARGS(git_dir, work_tree, "read-tree", "HEAD"), &ignored) == 0 &&
	    git_try(&git, &status, &text, NULL,
	            GIT_ARGS(git_dir, work_tree, "status", "--porcelain", "-z", "--no-renames",
	                     "--untracked-files=all"), &ignored) == 0 && status == 0)
		for (size_t at = 0; at < text.len && !found; at += strlen(text.p + at) + 1)
			found = !str_starts(text.p + at, " D ");
	unlink(index);
	return found;
}

/* Locks of git commands that died with the worker are ours to remove: this process is the only living one
 * that works there. */
bool worktree_adopt(struct slot *s)
{
	AUTO_FREE char *admin = NULL, *why = NULL;

	if (s->init.borrowed && str_eq(s->init.worktree, s->init.main_top))
		return adopt_main(s);
	if (s->init.borrowed) {
		admin = borrowed_admin(s);
	} else {
		enum worktree_kind kind = worktree_look(s, &admin, &why);
		struct err ignored = {0};
		bool again = kind == WORKTREE_HALF && admin && worked_in_since(s, admin);
		if (kind != WORKTREE_OURS && (!again || worktree_mark(s, admin, WORKTREE_MADE, &ignored) != 0))
			return false;
	}
	if (!admin)
		return false;
	free(s->admin_dir); /* it was there, and was removed by somebody */
	s->admin_dir = mem_steal(&admin);
	free(s->dot_git);
	s->dot_git = mem_printf("gitdir: %s\n", s->admin_dir);
	s->made = true;
	worktree_clear_locks(s);
	worktree_read_copied(s);
	return true;
}

/* An agent may have begun a repository of its own there: what it committed is in no other place. */
static int keep_replaced(struct slot *s, const char *dot_git, struct err *e)
{
	AUTO_FREE char *ref = NULL;
	struct stat st;

	if (lstat(dot_git, &st) != 0 || !S_ISDIR(st.st_mode))
		return 0;
	if (nested_keep_folder(s, dot_git, "the worktree", &ref, e) != 0)
		return -1;
	if (ref)
		strv_addf(&s->notes, "the repository that was in place of %s is %s (bosk rescue show says how to read it)",
		          dot_git, ref);
	return 0;
}

/* One of the files that link worktree and repository. */
static int mend_file(struct slot *s, const char *path, const char *wanted, struct err *e)
{
	AUTO_STR struct str text = {0};
	struct err ignored = {0};
	struct stat st;

	if (lstat(path, &st) == 0 && S_ISREG(st.st_mode) && fs_read(path, 65536, &text, &ignored) == 0 &&
	    strcmp(str_text(&text), wanted) == 0)
		return 0;
	strv_addf(&s->notes, "%s was replaced while the task ran; bosk put it back", path);
	if (fs_remove_tree(path, e) != 0 || fs_write(path, wanted, strlen(wanted), false, e) != 0)
		return err_wrap(e, "cannot put %s back", path);
	return 0;
}

int worktree_mend(struct slot *s, struct err *e)
{
	if (!s->made || !s->dot_git)
		return 0;
	AUTO_FREE char *dot_git = mem_printf("%s/.git", s->init.worktree);
	AUTO_FREE char *gitdir = mem_printf("%s/gitdir", s->admin_dir);
	AUTO_FREE char *commondir = mem_printf("%s/commondir", s->admin_dir);
	AUTO_FREE char *back = mem_printf("%s\n", dot_git);

	if (!fs_is_dir(s->init.worktree) || !fs_is_dir(s->admin_dir))
		return 0; /* git says what is missing */
	if (mend_file(s, gitdir, back, e) != 0 || mend_file(s, commondir, "../..\n", e) != 0 ||
	    keep_replaced(s, dot_git, e) != 0)
		return -1;
	return mend_file(s, dot_git, s->dot_git, e);
}

void worktree_clear_locks(const struct slot *s)
{
	static const char *const locks[] = {"index.lock", "HEAD.lock", "ORIG_HEAD.lock", "config.lock",
	                                   "bosk-index.lock", "bosk-nested.lock"};
	for (size_t i = 0; i < MEM_COUNT(locks); i++) {
		AUTO_FREE char *path = mem_printf("%s/%s", s->admin_dir, locks[i]);
		/* In a checkout of the user's it may be held by somebody who lives. */
		lockfile_clear(path, s->init.worktree, s->init.borrowed ? LOCKFILE_PATIENCE_MS : 0);
	}
}

/* git writes `gitdir` after it has made and locked the admin folder. Killed between the two it leaves a
 * folder that no command of git's names or prunes, so that the next worktree at our path gets another
 * name. */
static int remove_nameless_admin(const struct slot *s, struct err *e)
{
	const char *name = strrchr(s->init.worktree, '/') + 1;
	AUTO_FREE char *admin = mem_printf("%s/worktrees/%s", s->init.common_dir, name);
	AUTO_FREE char *gitdir = mem_printf("%s/gitdir", admin);
	AUTO_FREE char *ours = mem_printf("%s/.git", s->init.worktree);
	AUTO_STR struct str text = {0};
	struct err ignored = {0};

	if (!worktree_made_by(s, admin))
		return 0;
	if (fs_read(gitdir, 65536, &text, &ignored) == 0) {
		const char *written = str_text(&text);
		if (strncmp(ours, written, strcspn(written, "\n")) != 0)
			return 0; /* of somebody else's worktree that has the same last part */
	} else if (fs_exists(gitdir)) {
		return 0;
	}
	return fs_remove_tree(admin, e);
}

/* What a killed `git worktree add` or `remove` left at our path: folder, admin folder, both. */
static int remove_half_made(struct slot *s, const struct git *g, struct err *e)
{
	int status;
	/* Fails when git does not know the path, or knows it and finds no .git there. */
	for (int pass = 0; pass < 2; pass++)
		if (git_try(g, &status, NULL, NULL,
		            GIT_ARGS("worktree", "remove", "--force", "--force", "--", s->init.worktree),
		            e) != 0 ||
		    fs_remove_tree(s->init.worktree, e) != 0)
			return -1;
	return remove_nameless_admin(s, e);
}

static int locked(struct slot *s, int (*fn)(struct slot *, const struct git *, struct err *),
                  struct err *e)
{
	AUTO_CLOSE int lock = -1;
	struct git g;

	return worktree_lock(s, &g, &lock, e) != 0 ? -1 : fn(s, &g, e);
}

static int add(struct slot *s, const struct git *g, struct err *e)
{
	AUTO_FREE char *reason = worktree_reason(s);

	FAILPOINT("worktree.add.before");
	if (remove_half_made(s, g, e) != 0)
		return err_wrap(e, "cannot clear %s", s->init.worktree);
	if (git_run(g, NULL,
	            GIT_ARGS("worktree", "add", "--quiet", "--no-checkout", "--detach", "--lock", "--reason",
	                     reason, "--", s->init.worktree, s->start.hex),
	            e) != 0)
		return err_wrap(e, "cannot make the worktree %s", s->init.worktree);
	FAILPOINT("worktree.add.empty");
	return worktree_flush_links(s, e);
}

static int not_ours(const struct slot *s, const char *why, struct err *e)
{
	return err_set(e, ERR_ENV, "%s is in the way: %s. bosk does not touch it; move it elsewhere",
	               s->init.worktree, why);
}

/* As `git worktree add` itself does it, but without the lock: nearly all of the time goes here, and it
 * touches nothing that is shared. Killed on the way it leaves no index, so that nobody adopts it. */
static int fill(struct slot *s, struct err *e)
{
	if (git_run(&s->git, NULL, GIT_ARGS("reset", "--hard", "--no-recurse-submodules", "--quiet"), e) != 0)
		return err_wrap(e, "cannot fill the worktree %s", s->init.worktree);
	FAILPOINT("worktree.add.after");
	return 0;
}

int worktree_ensure(struct slot *s, const struct oid *commit, struct err *e)
{
	AUTO_FREE char *admin = NULL, *why = NULL;

	if (s->made && !fs_is_dir(s->init.worktree))
		s->made = s->ready = false; /* removed or moved by somebody while tasks ran */
	if (s->made)
		return 0;
	if (worktree_adopt(s))
		return worktree_revive(s, e);
	if (s->init.borrowed)
		return err_set(e, ERR_ENV, "%s is no worktree of this repository any more", s->init.worktree);
	if (worktree_look(s, &admin, &why) == WORKTREE_OTHER)
		return not_ours(s, why, e);
	AUTO_FREE char *parent = mem_strdup(s->init.worktree);
	parent[strrchr(parent, '/') - parent] = '\0';
	s->start = *commit;
	if (fs_mkdirs(parent, e) != 0 || locked(s, add, e) != 0 || fill(s, e) != 0)
		return -1;
	if (!worktree_adopt(s))
		return err_set(e, ERR_ENV, "git made no worktree at %s", s->init.worktree);
	return worktree_mark_boot(s, e) != 0 ? -1 : worktree_mark(s, s->admin_dir, WORKTREE_MADE, e);
}

int worktree_bring(struct slot *s, const char *branch, const struct oid *commit, struct err *e)
{
	AUTO_STRV struct strv before = {0}, leave = {0};

	worktree_clear_locks(s); /* of a git that was ended by a stop */
	if (worktree_mend(s, e) != 0 || hidden_show(s, e) != 0 || guest_withhold(s, &before, e) != 0 ||
	    guest_check(s, commit, e) != 0)
		return -1;
	FAILPOINT("worktree.bring.before");
	/* A slot whose worker died may still stand on the branch; nobody works there. */
	const char *const *args = branch ? GIT_ARGS("checkout", "--quiet", "--force", "--no-track",
	                                            "--ignore-other-worktrees", "-B", branch, commit->hex, "--")
	                                 : GIT_ARGS("checkout", "--quiet", "--force", "--detach", commit->hex, "--");
	int rc = git_run(&s->git, NULL, args, e);
	if (rc != 0 && index_unreadable(s, e)) {
		err_clear(e);
		rc = git_run(&s->git, NULL, args, e);
	}
	if (rc != 0)
		return err_wrap(e, "cannot bring the worktree to %.12s", commit->hex);
	FAILPOINT("worktree.bring.after");
	/* The commit's own rules count now. */
	if (guest_withhold(s, &leave, e) != 0 || guest_clean(s, &leave, e) != 0)
		return err_wrap(e, "cannot clean the worktree");
	return 0;
}

int worktree_start_with(struct slot *s, const struct oid *base, const char *tree, struct err *e)
{
	FAILPOINT("worktree.start.before");
	if (git_run(&s->git, NULL, GIT_ARGS("read-tree", "-m", "-u", base->hex, tree), e) != 0)
		return err_wrap(e, "cannot put the merge into the worktree");
	FAILPOINT("worktree.start.after");
	return 0;
}

/* What `copy` brought in would stop git from removing the worktree without force. */
static void remove_copies(struct slot *s)
{
	struct err ignored = {0};
	for (size_t i = 0; i < s->copied.n; i++) {
		AUTO_FREE char *path = mem_printf("%s/%s", s->init.worktree, s->copied.v[i]);
		fs_remove_tree(path, &ignored);
	}
}

/* Where a submodule was filled git removes nothing without force. What is in it was looked at when it was staged;
 * the rest is looked at here, as git does. */
static bool clean_with_submodules(const struct slot *s)
{
	AUTO_FREE char *modules = mem_printf("%s/modules", s->admin_dir);
	AUTO_STR struct str text = {0};
	struct err ignored = {0};
	int status;

	return fs_is_dir(modules) &&
	       git_try(&s->git, &status, &text, NULL,
	               GIT_ARGS("status", "--porcelain", "--ignore-submodules=all"), &ignored) == 0 &&
	       status == 0 && !text.len;
}

static int remove_whole(struct slot *s, const struct git *g, struct err *e)
{
	struct err ignored = {0};

	FAILPOINT("worktree.remove.before");
	int status; /* not locked is fine: a kill between unlock and remove left it so */
	if (worktree_mark(s, s->admin_dir, WORKTREE_LEAVING, e) != 0 ||
	    git_try(g, &status, NULL, NULL, GIT_ARGS("worktree", "unlock", "--", s->init.worktree), e) != 0)
		return -1;
	FAILPOINT("worktree.remove.unlocked");
	if (git_run(g, NULL,
	            clean_with_submodules(s) ? GIT_ARGS("worktree", "remove", "--force", "--", s->init.worktree)
	                                     : GIT_ARGS("worktree", "remove", "--", s->init.worktree),
	            e) != 0) {
		worktree_mark(s, s->admin_dir, WORKTREE_MADE, &ignored);
		return err_wrap(e, "the worktree stays");
	}
	FAILPOINT("worktree.remove.after");
	return 0;
}

/* The user's checkout is again what it was: its branch, clean, with the ignored files it had. */
static int give_back(struct slot *s, struct err *e)
{
	static const char *const files[] = {"bosk-copied", "bosk-setup", "bosk-began"};
	const char *head = s->init.borrowed;
	bool branch = str_starts(head, "refs/heads/");
	AUTO_STRV struct strv before = {0}, leave = {0};
	struct oid at;

	if (!s->made && !worktree_adopt(s))
		return err_set(e, ERR_ENV, "%s is no worktree of this repository any more", s->init.worktree);
	FAILPOINT("worktree.return.before");
	if (worktree_mend(s, e) != 0 || guest_withhold(s, &before, e) != 0 ||
	    gitx_commit_of(s->gitx, head, &at, e) != 0 || guest_check(s, &at, e) != 0)
		return err_wrap(e, "cannot bring %s back to %s", s->init.worktree, head);
	if (git_run(&s->git, NULL,
	            branch ? GIT_ARGS("checkout", "--quiet", "--force", "--ignore-other-worktrees",
	                              head + strlen("refs/heads/"), "--")
	                   : GIT_ARGS("checkout", "--quiet", "--force", "--detach", head, "--"),
	            e) != 0 ||
	    guest_withhold(s, &leave, e) != 0 || guest_clean(s, &leave, e) != 0)
		return err_wrap(e, "cannot bring %s back to %s", s->init.worktree, head);
	FAILPOINT("worktree.return.after");
	for (size_t i = 0; i < MEM_COUNT(files); i++) {
		AUTO_FREE char *path = mem_printf("%s/%s", s->admin_dir, files[i]);
		unlink(path);
	}
	guest_end(s);
	s->made = false;
	return 0;
}

int worktree_remove_inner(struct slot *s, const char *path, struct err *e)
{
	AUTO_CLOSE int lock = -1;
	struct git g;

	return worktree_lock(s, &g, &lock, e) != 0
	               ? -1
	               : git_run(&g, NULL, GIT_ARGS("worktree", "remove", "--force", "--force", "--", path), e);
}

int worktree_remove_saved(struct slot *s, const struct oid *saved, struct err *e)
{
	/* With HEAD there it is clean, unless it was changed since: then git does not remove it. */
	if (git_run(&s->git, NULL, GIT_ARGS("update-ref", "--no-deref", "-m", "bosk: rescue", "HEAD", saved->hex),
	            e) != 0)
		return -1;
	remove_copies(s);
	/* git leaves half of it behind when there is a folder that it may not write to. */
	if (fs_open_up(s->init.worktree, e) != 0 || locked(s, remove_whole, e) != 0)
		return -1;
	s->made = false;
	return 0;
}

static int remove_it(struct slot *s, struct err *e)
{
	AUTO_FREE char *admin = NULL, *why = NULL;
	AUTO_STR struct str rev = {0};
	struct err ignored = {0};
	struct oid head;

	if (s->tmp_dir)
		fs_remove_tree(s->tmp_dir, &ignored);
	if (s->init.borrowed)
		return give_back(s, e);
	s->made = s->made && fs_is_dir(s->init.worktree);
	if (!s->made && !worktree_adopt(s))
		return worktree_look(s, &admin, &why) == WORKTREE_OTHER ? not_ours(s, why, e)
		                                                        : locked(s, remove_half_made, e);
	if (worktree_mend(s, e) != 0)
		return -1;
	/* Everything is committed or kept by now; what gates left behind is not work. */
	if (git_run(&s->git, &rev, GIT_ARGS("rev-parse", "--verify", "HEAD"), e) != 0)
		return -1;
	rev.p[strcspn(rev.p, "\n")] = '\0';
	if (!oid_parse(&head, rev.p))
		return err_set(e, ERR_ENV, "cannot read HEAD of %s", s->init.worktree);
	return worktree_bring(s, NULL, &head, e) != 0 ? -1 : worktree_remove_saved(s, &head, e);
}

int worktree_remove(struct slot *s, struct err *e)
{
	AUTO_FREE char *admins = mem_printf("%s/worktrees/", s->init.common_dir);

	if (remove_it(s, e) != 0)
		return -1;
	if (!s->init.borrowed) { /* the session is recorded as over next */
		gitx_flush_gone(s->gitx, s->init.worktree);
		gitx_flush_gone(s->gitx, admins);
	}
	return 0;
}
