/* gitx_private: what the gitx*.c files share. Only they may include this or git2.h. */
#ifndef BOSK_GITX_PRIVATE_H
#define BOSK_GITX_PRIVATE_H

#include <git2.h>
#include <git2/sys/repository.h>

#include "gitx.h"

struct gitx {
	git_repository *repo;
	git_config *cfg; /* of the repository, the user, the system, and this worktree's own */
	git_odb *odb;
	char *common_dir, *git_dir, *top, *main_top;
	bool linked;    /* opened in a linked worktree */
	bool main_bare; /* the main repository is bare: its HEAD is no checkout */
	bool main_unknown; /* git keeps no path to the main worktree (--separate-git-dir) */
	struct gitx_unflushed {
		git_oid id;
		bool claimed; /* written by another process: it may be gone again */
	} *unflushed; /* since the last gitx_flush */
	size_t n_unflushed;
	bool disk_known, disk_ordered; /* gitx_ordered_disk */
};

bool gitx_durable(void); /* as given to gitx_init */

/* A failed libgit2 call as struct err: its message is taken at once, because the next call into the
 * library, a release included, may replace it. Returns -1. */
#define gitx_err(e, rc, ...) gitx_err_at((e), (rc), ERR_HERE, __VA_ARGS__)
int gitx_err_at(struct err *e, int rc, const char *where, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* To what the next gitx_flush puts on the disk. */
void gitx_unflushed_add(struct gitx *g, const git_oid *id, bool claimed);
/* Does one flush of a new file carry all names that were made before it? */
bool gitx_ordered_disk(struct gitx *g);
/* The folders from that of `ref` up to refs/, where nothing else carries their names. */
int gitx_flush_ref_folders(struct gitx *g, const char *ref, struct err *e);

/* What `commit` reaches and `known` does not (NULL: what the commit itself changed): calls `visit` for each,
 * which says whether to go on into what it names, and may set *whole to false. Returns that: false also when
 * something could not be read. */
typedef bool gitx_visit_fn(struct gitx *g, const git_oid *id, bool *whole);
bool gitx_visit_new(struct gitx *g, const struct oid *commit, const struct oid *known, gitx_visit_fn *visit);
bool gitx_loose(const struct gitx *g, const git_oid *id); /* it has a file of its own */

/* git_odb_write without a flush; gitx_flush does that for all at once. */
int gitx_write_unflushed(struct gitx *g, git_oid *out, const void *bytes, size_t n, git_object_t type);

/* The history is cut off, and libgit2's own walks must not be used. 1 or 0, or an error of libgit2's. */
bool gitx_shallow(const struct gitx *g);
int gitx_shallow_reaches(struct gitx *g, const git_oid *commit, const git_oid *ancestor);
/* What `commit` reaches and `known` does not; the caller frees *out, whatever is returned. Some may not be there. */
int gitx_shallow_new(struct gitx *g, const git_oid *commit, const git_oid *known, git_oid **out, size_t *n);

#define GITX_EMPTY_TREE "4b825dc642cb6eb9a060e54bf8d69288fbee4904"

void gitx_oid_out(struct oid *out, const git_oid *id);
/* ERR_USAGE when `in` is not 40 hex digits; `what` is said in the message. */
int gitx_oid_in(git_oid *out, const struct oid *in, const char *what, struct err *e);

/* NULL in *out for "" and for the empty tree, which git knows without having it stored. */
int gitx_tree_at(struct gitx *g, const struct oid *oid, git_tree **out, struct err *e);
/* Object of any type by id, read whole; NULL with `e` filled. The caller frees. */
git_odb_object *gitx_object(struct gitx *g, const git_oid *id, struct err *e);
/* Writes an object and reads it back, as gitx_commit_write says of all that is written here. */
int gitx_object_write(struct gitx *g, git_oid *out, git_object_t type, const void *bytes, size_t n,
                      struct err *e);

/* From now on libgit2 reads loose objects by gitx_loose.c. */
int gitx_loose_begin(struct gitx *g, struct err *e);
char *gitx_loose_path(const struct gitx *g, const git_oid *id); /* owned by the caller */
/* It has a file of its own, which can be read but is not a whole object. */
bool gitx_loose_damaged(const struct gitx *g, const git_oid *id);
/* Its own file can be read, and holds just these bytes: of what was hashed a moment ago this says as much as another hash. */
bool gitx_loose_holds(const struct gitx *g, const git_oid *id, git_object_t type, const void *bytes, size_t n);
/* Moves the file of a loose object away that a power cut left empty or damaged, so that it can be written again: git
 * and libgit2 take its name for the object. True when there was one. */
bool gitx_clear_damaged(struct gitx *g, const git_oid *id);

/* What is wrong with these moves whatever the refs' values: names, targets, names inside names. */
int gitx_check_moves(struct gitx *g, const struct gitx_move *moves, size_t n, struct err *e);
/* Is there a ref above or below this name? refs/heads/a and refs/heads/a/b cannot both exist. Its
 * name in `by`. */
bool gitx_name_taken(struct gitx *g, const char *ref, struct str *by);

/* packed-refs, held against every other process that packs or deletes (gitx_packed.c).
 * Zero-initialise; release in any state. */
struct gitx_packed {
	char *lock; /* path of the lock file while held */
};
/* Takes packed-refs.lock. *busy instead of an error when another process holds it. */
int gitx_packed_hold(struct gitx *g, struct gitx_packed *p, bool *busy, struct err *e);
/* Rewrites the file without these refs. Only while held. */
int gitx_packed_drop(struct gitx *g, const struct gitx_packed *p, const char *const *refs,
                     size_t n, struct err *e);
void gitx_packed_release(struct gitx_packed *p);
char *gitx_packed_lock_path(const struct gitx *g); /* owned by the caller */

#define GITX_AUTO_(type)                                                                           \
	static inline void type##_drop(type **p)                                                  \
	{                                                                                         \
		type##_free(*p);                                                                  \
	}
GITX_AUTO_(git_commit)
GITX_AUTO_(git_config)
GITX_AUTO_(git_config_entry)
GITX_AUTO_(git_diff)
GITX_AUTO_(git_object)
GITX_AUTO_(git_odb_object)
GITX_AUTO_(git_reference)
GITX_AUTO_(git_reference_iterator)
GITX_AUTO_(git_signature)
GITX_AUTO_(git_tree)
GITX_AUTO_(git_tree_entry)
#undef GITX_AUTO_
/* GITX_AUTO(git_tree) tree = NULL; is freed at the end of its scope. */
#define GITX_AUTO(type) __attribute__((cleanup(type##_drop))) type *
#define GITX_AUTO_BUF __attribute__((cleanup(git_buf_dispose))) git_buf

/* gitx_alloc.c; before libgit2 is started. */
void gitx_own_memory(void);
void gitx_stay_offline(void); /* gitx_offline.c */

#endif
