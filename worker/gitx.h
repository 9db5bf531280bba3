/* gitx: objects and refs through libgit2 (the only user of git2.h; gitx*.c). Never the working
 * tree, the index, status, checkout or worktrees: those go to the git command (libraries.md 2).
 * A handle belongs to one thread and one process: a forked child opens its own. No hook runs and
 * nothing is signed here (pitfalls 1.10). */
#ifndef BOSK_GITX_H
#define BOSK_GITX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/base/err.h"
#include "store/base/str.h"

struct oid {
	char hex[41]; /* lower case; "" = none */
};
static inline bool oid_none(const struct oid *o)
{
	return o->hex[0] == '\0';
}
bool oid_parse(struct oid *out, const char *hex); /* exactly 40 hex digits */

struct gitx;

/* Once per process, before anything else: extensions, caches (32 MiB, trees up to 4 MiB), mapped
 * window limit 256 MiB, fsync of objects and refs on (`durable` false only for tests; counts for
 * handles opened later). Releases libgit2 at exit. */
int gitx_init(bool durable, struct err *e);

/* Discover the repository from `path` (any folder in it, a linked worktree too). GIT_* variables of
 * the environment are not looked at. ERR_ENV with a plain reason for: not a repository, bare, foreign
 * owner (safe.directory), sha256, unknown extension. The caller closes.
 * Open once and keep: in a repository of format version 1 each opening leaks 20 KiB for every entry
 * of the configuration (libgit2 1.5, check_extensions). Packing and gc below an open handle are
 * fine. */
int gitx_open(struct gitx **out, const char *path, struct err *e);
void gitx_close(struct gitx *g);
const char *gitx_common_dir(const struct gitx *g); /* absolute, real path, no slash at the end */
const char *gitx_git_dir(const struct gitx *g);    /* of the worktree it was opened in */
const char *gitx_top(const struct gitx *g);        /* of the worktree it was opened in */
/* Of the main worktree. The same as gitx_top when there is none (worktrees of a bare repository), or
 * when git keeps no path to it (a separate git folder, asked from a linked worktree). */
const char *gitx_main_top(const struct gitx *g);
bool gitx_folds_case(const struct gitx *g); /* core.ignorecase: git takes README and readme for one file */

/* Why merges here must be left to the git command, or NULL: shallow, replace refs, grafts, promisor
 * remote (architecture 9). A static clause for "..., so git merges here". Looked up at each call. */
const char *gitx_merge_caveat(struct gitx *g);

bool gitx_lfs(struct gitx *g); /* Git LFS is set up, here or for the user */
/* "main", also when it has no commit yet; ERR_MISSING: detached. Owned by the caller. */
int gitx_head_branch(struct gitx *g, char **out, struct err *e);
/* REV (branch, tag, oid, HEAD~1) peeled to a commit. ERR_MISSING names it; ERR_USAGE: ambiguous or
 * not written as a revision. */
int gitx_commit_of(struct gitx *g, const char *rev, struct oid *out, struct err *e);
int gitx_tree_of(struct gitx *g, const struct oid *commit, struct oid *out, struct err *e);
/* Fills at most `max`; *n is how many there are. */
int gitx_parents(struct gitx *g, const struct oid *commit, struct oid *out, size_t max, size_t *n,
                 struct err *e);
/* Added to `out`, byte for byte as it is stored. */
int gitx_message(struct gitx *g, const struct oid *commit, struct str *out, struct err *e);
/* The value of a trailer in the last paragraph of its message; NULL = it has none. Owned by the caller. */
char *gitx_trailer(struct gitx *g, const struct oid *commit, const char *key);
bool gitx_has_object(struct gitx *g, const struct oid *oid); /* and can be read */
/* Is `ancestor` reachable from `commit` (equal counts)? Both must exist: ERR_MISSING. */
int gitx_reaches(struct gitx *g, const struct oid *commit, const struct oid *ancestor, bool *out,
                 struct err *e);
int gitx_ahead_behind(struct gitx *g, const struct oid *local, const struct oid *upstream,
                      size_t *ahead, size_t *behind, struct err *e);
/* Upstream ref of a local branch ("refs/remotes/origin/main"), as configured: the ref itself may be
 * gone. ERR_MISSING when it has none. Owned by the caller. */
int gitx_upstream(struct gitx *g, const char *branch, char **out, struct err *e);

/* Paths that differ between two trees (no renames; submodules whatever the configuration says of
 * them), each once; an empty oid = the empty tree. At most `max` paths, then it stops (0 = all). */
int gitx_diff_paths(struct gitx *g, const struct oid *tree_a, const struct oid *tree_b, size_t max,
                    struct strv *out, struct err *e);

/* A file that `tree` has and `base` has not so, and its lines that are new. */
struct gitx_lines {
	size_t from, n; /* from 1; n may go beyond the end */
};
struct gitx_added {
	const char *path;
	bool fresh;      /* there was no file, nor link, at that path */
	bool executable;
	bool link;       /* its text is where it leads to */
	bool binary;     /* bytes, not text: `lines` is all of it */
	size_t size;     /* as it is stored */
	const char *text; /* n bytes, not NUL-ended; NULL = larger than `max`. UTF-16 comes as UTF-8 */
	size_t n;
	const struct gitx_lines *lines; /* ascending */
	size_t n_lines;
};
typedef bool gitx_added_fn(void *ctx, const struct gitx_added *f); /* false = no more. What `f` has is gone after it */
/* Each file and link, not submodules; an empty oid = the empty tree. What the trees' .gitattributes say does not count. */
int gitx_added(struct gitx *g, const struct oid *base, const struct oid *tree, size_t max, gitx_added_fn *visit,
               void *ctx, struct err *e);

/* Paths of all folders of a tree, and of its submodules. */
int gitx_folders(struct gitx *g, const struct oid *tree, struct strv *folders, struct strv *links, struct err *e);

/* Of a submodule with its files in `top` (a real path): has it commits that no remote-tracking ref of it holds, has it work that is
 * not committed? Both true in doubt. Runs nothing that its settings name. */
void gitx_sub_look(const char *git_dir, const char *top, bool *ahead, bool *dirty);

/* The objects written through `g` so far are on the disk after it, at about the price of one flush
 * however many they are. gitx_ref_moves begins with it; call it yourself before something else than a ref
 * says that they exist. ERR_MISSING when one is gone (a gc): make it again. */
int gitx_flush(struct gitx *g, struct err *e);

/* What `commit` reaches and `known` does not was written by others - the agent, a git command - and is to be
 * on the disk after the next gitx_flush too. `known` NULL: only what the commit itself changed. What lies in
 * a pack is on the disk already; what is missing is somebody else's finding. */
void gitx_claim(struct gitx *g, const struct oid *commit, const struct oid *known);
/* The same for a tree, compared with another one. */
void gitx_claim_tree(struct gitx *g, const struct oid *tree, const struct oid *known);
/* After a power cut. Is everything that `commit` reaches and `known` does not there, and readable? */
bool gitx_whole(struct gitx *g, const struct oid *commit, const struct oid *known);
/* A ref whose file holds no id: the file is removed. */
int gitx_ref_drop_damaged(struct gitx *g, const char *ref, struct err *e);
/* A ref that the git command has moved is on the disk after it: its name, too. */
int gitx_ref_flush(struct gitx *g, const char *ref, struct err *e);
/* What was removed at `path` is not there again after a power cut: its folder's names are on the disk, where the next
 * flush of something else does not bring them. Nothing depends on it but that. */
void gitx_flush_gone(struct gitx *g, const char *path);

/* The tree of `theirs` merged onto `ours`, both made from `base`, when their changes do not meet: the
 * same as git would make, with the objects of its folders written. *merged false and 0: left to the
 * git command (a change on both sides, another merge base, gitx_merge_caveat); nothing was written. */
int gitx_merge(struct gitx *g, bool *merged, struct oid *tree, const struct oid *base,
               const struct oid *ours, const struct oid *theirs, struct err *e);

/* The commit that git would merge the two by; "" = there is none, or several. */
int gitx_merge_base(struct gitx *g, struct oid *out, const struct oid *ours, const struct oid *theirs, struct err *e);

/* Reads all that `tree` has and the tree `base` (or none) has not. The files of damaged objects are moved away and counted in
 * *cleared, with their places in `paths` ("." = the tree itself): to be written again. Other trouble is an error. */
int gitx_check_tree(struct gitx *g, const struct oid *base, const struct oid *tree, struct strv *paths,
                    size_t *cleared, struct err *e);

/* The same for the object that a git command has named and died of ("loose object ID (stored in ..."). True: one was
 * moved away, and the command may be tried again. */
bool gitx_clear_named(struct gitx *g, const char *said);

/* A commit object; no ref moves. author and committer "Name <mail>" (else ERR_USAGE; nothing is
 * guessed or completed), time = now in the local zone. `message` as it is, taken for UTF-8. Every
 * object written here is read back before its id is returned; a damaged file that a power cut left
 * in its place is moved away and written anew (pitfalls 6.2). */
int gitx_commit_write(struct gitx *g, struct oid *out, const struct oid *tree,
                      const struct oid *parents, size_t n_parents, const char *author,
                      const char *message, struct err *e);
/* A commit that a git command has made for us (sign.h): it can be read, has this tree, and is on the disk after the next
 * gitx_flush. */
int gitx_commit_adopt(struct gitx *g, const struct oid *commit, const struct oid *tree, struct err *e);
/* A parentless-or-not commit whose tree is the one file `name` with `content` (plan refs). */
int gitx_commit_file(struct gitx *g, struct oid *out, const char *name, const void *content,
                     size_t n, const struct oid *parent, const char *author, const char *message,
                     struct err *e);
/* `commit` may be a tree too. */
/* The same for several, of which the contents were written before: one after the other, so that not all of them are in
 * memory. `names` are sorted by bytes. */
int gitx_blob_write(struct gitx *g, struct oid *out, const void *content, size_t n, struct err *e);
int gitx_commit_blobs(struct gitx *g, struct oid *out, const char *const *names, const struct oid *blobs, size_t n,
                      const char *author, const char *message, struct err *e);
int gitx_read_file(struct gitx *g, const struct oid *commit, const char *path, struct str *out,
                   struct err *e); /* blob at a path of a commit; ERR_MISSING */

/* The file at a path of a tree. ERR_MISSING: there is none; ERR_USAGE, as a clause about it: it is no file (a link is
 * none), or larger than `max`. */
int gitx_file_in(struct gitx *g, const struct oid *tree, const char *path, size_t max, struct str *out, struct err *e);
/* `tree` with these bytes as the file at `path`, which it has; its mode stays. */
int gitx_file_put(struct gitx *g, struct oid *out, const struct oid *tree, const char *path, const void *bytes, size_t n,
                  struct err *e);

/* Refs by full name. All moves are compare-and-swap (promise A6): ERR_MOVED when the ref is not at
 * the value given. A ref locked by another process is retried with jitter for up to 2 s, then
 * ERR_HELD naming the lock file (pitfalls 4.2); it may have been left by a crash. */
/* ERR_MISSING; ERR_DAMAGED: a file that holds no id (a power cut). Symbolic refs are followed. */
int gitx_ref_read(struct gitx *g, const char *ref, struct oid *out, struct err *e);
/* The full name of the ref that `ref` only stands for (a symbolic one); NULL = it is one itself, or there is none. The
 * caller owns it. */
char *gitx_ref_stands_for(struct gitx *g, const char *ref);
struct gitx_move {
	const char *ref;
	struct oid from; /* "" = must not exist */
	struct oid to;   /* "" = delete; the same as `from` = only compare */
};
/* All or none against other processes: every ref is locked, its value re-read under the lock and
 * compared, then all are written, in the order given, deletions last. git has no commit point for
 * several refs: a crash in between leaves the first ones moved and the lock files of the others,
 * so name the ref that recovery trusts first. A failure in between (full disk) puts back what was
 * written, and names in its text any ref where that failed too.
 * ERR_MOVED, ERR_HELD, ERR_USAGE (symbolic or per-worktree ref, bad name, a branch on something
 * that is no commit), ERR_MISSING (no such object), ERR_EXISTS (a ref above or below that name):
 * nothing was written. `message` goes to reflogs; may be NULL. Does not ask whether a worktree has
 * the branch checked out: gitx_checked_out first. */
int gitx_ref_moves(struct gitx *g, const struct gitx_move *moves, size_t n, const char *message,
                   struct err *e);
int gitx_ref_move(struct gitx *g, const char *ref, const struct oid *from, const struct oid *to,
                  const char *message, struct err *e); /* one; from/to NULL as "" above */
/* packed-refs.lock, when a bosk that is dead left it: its text says whose it is. True: it was removed. */
bool gitx_packed_clear(const struct gitx *g);
/* Full names of the refs that begin with a prefix such as "refs/bosk/keep/a1b2c3/", sorted. */
int gitx_ref_list(struct gitx *g, const char *prefix, struct strv *out, struct err *e);
/* Is it a name git accepts for a branch, and short enough for a file? (without refs/heads/) */
bool gitx_branch_name_ok(const char *branch);

/* The worktree (main or linked) that has this branch ref checked out, its top in *path (owned by the
 * caller); ERR_MISSING when none has. A worktree in a rebase or bisect of that branch counts, one whose HEAD
 * leads to it over a symbolic ref, and a removed one until git worktree prune. Another error: could not look;
 * take it as a yes. */
int gitx_checked_out(struct gitx *g, const char *ref, char **path, struct err *e);
/* All of them (git worktree add --force), the main one first, appended; none is no error. */
int gitx_checked_out_all(struct gitx *g, const char *ref, struct strv *paths, struct err *e);

#endif
