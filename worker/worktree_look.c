/* worktree_look: telling a session's own worktree from everything that may lie at its path. */
#include "worktree_look.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/base/fail.h"
#include "store/base/fs.h"
#include "store/base/mem.h"

static const char *const marks[] = {[WORKTREE_MADE] = "bosk-session", [WORKTREE_LEAVING] = "bosk-leaving"};

int worktree_mark(const struct slot *s, const char *admin, enum worktree_mark mark, struct err *e)
{
	AUTO_FREE char *old = mem_printf("%s/%s", admin, marks[!mark]);
	AUTO_FREE char *path = mem_printf("%s/%s", admin, marks[mark]);

	unlink(old);
	return fs_write(path, s->init.sid, strlen(s->init.sid), true, e);
}

bool worktree_marked(const struct slot *s, const char *admin, enum worktree_mark mark)
{
	AUTO_FREE char *path = mem_printf("%s/%s", admin, marks[mark]);
	AUTO_STR struct str text = {0};
	struct err ignored = {0};

	return fs_read(path, 4096, &text, &ignored) == 0 && str_eq(str_text(&text), s->init.sid);
}

/* First line of a file of an admin folder; "" = it is empty, false = it cannot be read. */
static bool first_line(const char *admin, const char *name, struct str *out)
{
	AUTO_FREE char *path = mem_printf("%s/%s", admin, name);
	struct err ignored = {0};

	if (fs_read(path, 65536, out, &ignored) != 0)
		return false;
	if (out->len)
		out->p[strcspn(out->p, "\n")] = '\0';
	return true;
}

/* The admin folder that the .git file at the path names; NULL = none of this repository. */
static char *named_admin(const struct slot *s)
{
	AUTO_FREE char *below = mem_printf("%s/worktrees/", s->init.common_dir);
	AUTO_STR struct str text = {0};

	if (!first_line(s->init.worktree, ".git", &text) || !str_starts(str_text(&text), "gitdir: "))
		return NULL;
	const char *admin = text.p + strlen("gitdir: ");
	if (!str_starts(admin, below) || strchr(admin + strlen(below), '/') || !fs_is_dir(admin))
		return NULL;
	return mem_strdup(admin);
}

char *worktree_reason(const struct slot *s)
{
	return mem_printf("bosk session %s", s->init.sid);
}

bool worktree_made_by(const struct slot *s, const char *admin)
{
	AUTO_FREE char *ours = worktree_reason(s), *named = mem_printf("%s-", s->init.sid);
	AUTO_STR struct str lock = {0};

	return str_starts(strrchr(admin, '/') + 1, named) || worktree_marked(s, admin, WORKTREE_MADE) ||
	       worktree_marked(s, admin, WORKTREE_LEAVING) ||
	       (first_line(admin, "locked", &lock) && str_eq(str_text(&lock), ours));
}

/* git adds a number to a name that is taken: the folder that names our path; NULL = none. */
static char *search_admin(const struct slot *s)
{
	AUTO_FREE char *dir = mem_printf("%s/worktrees", s->init.common_dir);
	AUTO_FREE char *ours = mem_printf("%s/.git", s->init.worktree);
	DIR *d = opendir(dir);
	char *found = NULL;

	for (struct dirent *entry; d && !found && (entry = readdir(d));) {
		AUTO_FREE char *admin = mem_printf("%s/%s", dir, entry->d_name);
		AUTO_STR struct str text = {0};
		if (entry->d_name[0] != '.' && first_line(admin, "gitdir", &text) && str_eq(str_text(&text), ours))
			found = mem_steal(&admin);
	}
	if (d)
		closedir(d);
	return found;
}

/* Does the admin folder say that its worktree is at our path? *half: it was killed before it had said so. */
static bool names_path(const struct slot *s, const char *admin, bool *half)
{
	AUTO_FREE char *ours = mem_printf("%s/.git", s->init.worktree);
	AUTO_FREE char *gitdir = mem_printf("%s/gitdir", admin);
	AUTO_STR struct str text = {0};

	if (!first_line(admin, "gitdir", &text)) {
		*half = !fs_exists(gitdir) && worktree_made_by(s, admin);
		return *half;
	}
	*half = strlen(str_text(&text)) < strlen(ours) && strncmp(ours, str_text(&text), strlen(str_text(&text))) == 0 &&
	        worktree_made_by(s, admin);
	return *half || strcmp(str_text(&text), ours) == 0;
}

/* A mount point at the path or below it: removing would go on in there. The caller owns the text. */
static char *mounted(const char *path)
{
	FILE *in = fopen("/proc/self/mountinfo", "re");
	size_t n = strlen(path), room = 0;
	char *line = NULL, *found = NULL;

	while (in && !found && getline(&line, &room, in) > 0) {
		AUTO_STR struct str at = {0};
		char where[4096];
		if (sscanf(line, "%*s %*s %*s %*s %4095s", where) != 1)
			continue;
		for (const char *p = where; *p; p++) { /* a blank is \040 */
			unsigned code;
			if (*p == '\\' && sscanf(p + 1, "%3o", &code) == 1) {
				str_addc(&at, (char)code);
				p += 3;
			} else {
				str_addc(&at, *p);
			}
		}
		if (strncmp(str_text(&at), path, n) == 0 && (!at.p[n] || at.p[n] == '/'))
			found = mem_printf("something is mounted at %s", at.p);
	}
	free(line);
	if (in)
		fclose(in);
	return found;
}

/* A .git file as git makes it first, or the beginning of one that a power cut left. */
static bool is_link(const struct slot *s)
{
	AUTO_FREE char *path = mem_printf("%s/.git", s->init.worktree);
	AUTO_FREE char *ours = mem_printf("gitdir: %s/worktrees%s", s->init.common_dir, strrchr(s->init.worktree, '/'));
	AUTO_STR struct str text = {0};
	struct stat st;

	if (lstat(path, &st) != 0 || !S_ISREG(st.st_mode) || !first_line(s->init.worktree, ".git", &text))
		return false;
	if (str_starts(ours, str_text(&text)))
		return true;
	/* git adds a number to a name that is taken. */
	return str_starts(text.p, ours) && !text.p[strlen(ours) + strspn(text.p + strlen(ours), "0123456789")];
}

/* Nothing in the folder at our path but, at most, the file that links it. */
static bool is_empty(const struct slot *s)
{
	DIR *dir = opendir(s->init.worktree);
	bool empty = dir != NULL;

	for (struct dirent *entry; dir && empty && (entry = readdir(dir));)
		empty = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
		        (strcmp(entry->d_name, ".git") == 0 && is_link(s));
	if (dir)
		closedir(dir);
	return empty;
}

/* Its commondir says nothing yet: no git command ever ran in there, whoever made it. */
static bool unlinked(const char *admin)
{
	AUTO_STR struct str text = {0};
	return first_line(admin, "commondir", &text) && str_starts("../..", str_text(&text)) && !str_eq(text.p, "../..");
}

/* A power cut in the middle of `git worktree add` may leave the names of its files and not what stands in them:
 * then the lock says nothing, or only the beginning. What the session's manifest has at this path is half made as
 * long as nothing can have been done there: no index, no file, on no branch (bosk adds detached), and either its name
 * is the session's, or, where a plan names the path, git never worked in it. */
static bool cut_off(const struct slot *s, const char *admin, const char *lock, bool folder)
{
	AUTO_FREE char *ours = worktree_reason(s), *index = mem_printf("%s/index", admin);
	AUTO_STR struct str head = {0};

	return str_starts(ours, lock) && (worktree_made_by(s, admin) || unlinked(admin)) && !fs_exists(index) &&
	       (!folder || is_empty(s)) &&
	       (!first_line(admin, "HEAD", &head) || !str_starts(str_text(&head), "ref: "));
}

/* git knows of a worktree at our path: whose is it, and is it whole? */
static enum worktree_kind judge(const struct slot *s, const char *admin, bool folder, char **why)
{
	AUTO_FREE char *head = mem_printf("%s/HEAD", admin), *index = mem_printf("%s/index", admin);
	AUTO_FREE char *ours = worktree_reason(s);
	AUTO_STR struct str lock = {0};
	bool locked = first_line(admin, "locked", &lock);

	if (locked && str_starts(str_text(&lock), "initializing"))
		return WORKTREE_HALF;
	if (worktree_marked(s, admin, WORKTREE_LEAVING) && (!locked || str_eq(lock.p, ours)))
		return WORKTREE_HALF;
	bool made = worktree_marked(s, admin, WORKTREE_MADE);
	if (!made && cut_off(s, admin, str_text(&lock), folder))
		return WORKTREE_HALF;
	if (locked && !str_eq(str_text(&lock), ours)) {
		*why = mem_printf("git has it locked: %s", *str_text(&lock) ? lock.p : "no reason given");
		return WORKTREE_OTHER;
	}
	/* `git worktree remove` takes the folder first, then what we know it by in the order of its folder on this disk:
	 * what was cut off in between has our name, and may hold all that git needs, or little of it. */
	bool leaving = !folder && worktree_made_by(s, admin);
	if (!locked && !made && !leaving) {
		*why = mem_printf("it is a worktree that session %s did not make", s->init.sid);
		return WORKTREE_OTHER;
	}
	if (!made && (!fs_exists(head) || !fs_exists(index)))
		return WORKTREE_HALF;
	return folder ? WORKTREE_OURS : WORKTREE_GONE;
}

enum worktree_kind worktree_look(const struct slot *s, char **admin, char **why)
{
	const char *path = s->init.worktree;
	struct stat st = {0};
	bool there = lstat(path, &st) == 0, half = false;

	*admin = *why = NULL;
	if (there && !S_ISDIR(st.st_mode)) {
		*why = mem_strdup(S_ISLNK(st.st_mode) ? "it is a symbolic link" : "it is no folder");
		return WORKTREE_OTHER;
	}
	if (there && (*why = mounted(path)))
		return WORKTREE_OTHER;
	AUTO_FREE char *at = there ? named_admin(s) : NULL;
	if (!at) { /* by the name that git gives it: an agent may have removed .git */
		at = mem_printf("%s/worktrees%s", s->init.common_dir, strrchr(path, '/'));
		if (!fs_is_dir(at) || !names_path(s, at, &half)) {
			free(at);
			at = search_admin(s);
		}
		if (!at) {
			if (there && !is_empty(s))
				*why = mem_strdup("it is no worktree of this repository");
			return !there ? WORKTREE_NONE : *why ? WORKTREE_OTHER : WORKTREE_HALF;
		}
	} else if (!names_path(s, at, &half)) {
		*why = mem_strdup("its .git is that of another worktree");
		return WORKTREE_OTHER;
	}
	if (half && there && !is_empty(s)) {
		*why = mem_strdup("it is no worktree of this repository");
		return WORKTREE_OTHER;
	}
	enum worktree_kind kind = half ? WORKTREE_HALF : judge(s, at, there, why);
	*admin = mem_steal(&at);
	return kind;
}

int worktree_link(const struct slot *s, const char *admin, struct err *e)
{
	static const char link[] = "../..\n";
	AUTO_FREE char *path = mem_printf("%s/commondir", admin), *lock = mem_printf("%s/locked", admin);
	AUTO_FREE char *reason = worktree_reason(s), *ours = mem_printf("%s\n", reason);
	AUTO_STR struct str text = {0};
	struct err absent = {0};

	if (fs_read(path, 4096, &text, &absent) != 0 || str_eq(str_text(&text), link))
		return 0;
	/* The lock is first: with its commondir mended it may look like somebody else's. */
	if (fs_write(lock, ours, strlen(ours), true, e) != 0)
		return err_wrap(e, "cannot mend the half-made worktree %s", s->init.worktree);
	FAILPOINT("worktree.link.between");
	if (fs_write(path, link, strlen(link), false, e) != 0)
		return err_wrap(e, "cannot mend the half-made worktree %s", s->init.worktree);
	return 0;
}
