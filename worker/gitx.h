/* gitx: objects and refs through libgit2 (the only user of git2.h; gitx*.c). Never the working
 * tree, the index, status, checkout or worktrees: those go to the git command (libraries.md 2). */
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
 * window limit 256 MiB, fsync of objects and refs on (`durable` false only for tests). */
int gitx_init(bool durable, struct err *e);

/* Discover the repository from `path` (any folder in it, a linked worktree too). GIT_* variables of
 * the environment are not looked at. ERR_ENV with a plain reason for: not a repository, bare, foreign
 * owner (safe.directory), sha256, unknown extension. The caller closes. */
int gitx_open(struct gitx **out, const char *path, struct err *e);
void gitx_close(struct gitx *g);
const char *gitx_common_dir(const struct gitx *g); /* absolute, real path, no slash at the end */
const char *gitx_git_dir(const struct gitx *g);    /* of the worktree it was opened in */
const char *gitx_top(const struct gitx *g);        /* of the worktree it was opened in */
const char *gitx_main_top(const struct gitx *g);   /* of the main worktree; = top when bare-ish */

/* Why merges here must be left to the git command, or NULL: shallow, replace refs, grafts, promisor
 * remote (architecture 9). Static text. */
const char *gitx_merge_caveat(struct gitx *g);

int gitx_head_branch(struct gitx *g, char **out, struct err *e); /* "main"; ERR_MISSING: detached */
/* REV (branch, tag, oid, HEAD~1) peeled to a commit. ERR_MISSING names it. */
int gitx_commit_of(struct gitx *g, const char *rev, struct oid *out, struct err *e);
int gitx_tree_of(struct gitx *g, const struct oid *commit, struct oid *out, struct err *e);
int gitx_parents(struct gitx *g, const struct oid *commit, struct oid *out, size_t max, size_t *n,
                 struct err *e);
int gitx_message(struct gitx *g, const struct oid *commit, struct str *out, struct err *e);
bool gitx_has_object(struct gitx *g, const struct oid *oid);
/* Is `ancestor` reachable from `commit` (equal counts)? */
int gitx_reaches(struct gitx *g, const struct oid *commit, const struct oid *ancestor, bool *out,
                 struct err *e);
int gitx_ahead_behind(struct gitx *g, const struct oid *local, const struct oid *upstream,
                      size_t *ahead, size_t *behind, struct err *e);
/* Upstream ref of a local branch ("refs/remotes/origin/main"); ERR_MISSING when it has none. */
int gitx_upstream(struct gitx *g, const char *branch, char **out, struct err *e);

/* Paths that differ between two trees (no renames); an empty oid = the empty tree. At most `max`
 * paths, then it stops (0 = all). */
int gitx_diff_paths(struct gitx *g, const struct oid *tree_a, const struct oid *tree_b, size_t max,
                    struct strv *out, struct err *e);

/* A commit object; no ref moves. author and committer "Name <mail>", time = now in the local zone.
 * `message` as it is. */
int gitx_commit_write(struct gitx *g, struct oid *out, const struct oid *tree,
                      const struct oid *parents, size_t n_parents, const char *author,
                      const char *message, struct err *e);
/* A parentless-or-not commit whose tree is the one file `name` with `content` (plan refs). */
int gitx_commit_file(struct gitx *g, struct oid *out, const char *name, const void *content,
                     size_t n, const struct oid *parent, const char *author, const char *message,
                     struct err *e);
int gitx_read_file(struct gitx *g, const struct oid *commit, const char *path, struct str *out,
                   struct err *e); /* blob at a path of a commit; ERR_MISSING */

/* Refs by full name. All moves are compare-and-swap (promise A6): ERR_MOVED when the ref is not at
 * the value given. A ref locked by another process is retried with jitter for up to 2 s, then
 * ERR_HELD naming the lock file (pitfalls 4.2). */
int gitx_ref_read(struct gitx *g, const char *ref, struct oid *out, struct err *e); /* ERR_MISSING */
struct gitx_move {
	const char *ref;
	struct oid from; /* "" = must not exist */
	struct oid to;   /* "" = delete */
};
/* All or none, in one transaction: every ref is locked, its value re-read under the lock and
 * compared, then all are written. `message` goes to reflogs. */
int gitx_ref_moves(struct gitx *g, const struct gitx_move *moves, size_t n, const char *message,
                   struct err *e);
int gitx_ref_move(struct gitx *g, const char *ref, const struct oid *from, const struct oid *to,
                  const char *message, struct err *e); /* one; from/to NULL as "" above */
/* Full names of the refs below a prefix such as "refs/bosk/keep/a1b2c3/". */
int gitx_ref_list(struct gitx *g, const char *prefix, struct strv *out, struct err *e);
/* Is it a name git accepts for a branch? (without refs/heads/) */
bool gitx_branch_name_ok(const char *branch);

/* The worktree (main or linked) that has this branch ref checked out, its top in *path (owned by the
 * caller); ERR_MISSING when none has. A worktree in a rebase or bisect of that branch counts. */
int gitx_checked_out(struct gitx *g, const char *ref, char **path, struct err *e);

#endif
