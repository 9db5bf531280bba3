/* worktree: making, moving, setting up and removing the checkout of one slot. Only with git's own
 * commands (pitfalls 2), and only at the path the supervisor has recorded as ours. */
#ifndef BOSK_WORKTREE_H
#define BOSK_WORKTREE_H

#include "slot.h"

/* Put the files back that make git find the repository from the worktree: what an agent or gate put in
 * their place would bring its own configuration. To be called before git is run in the worktree. */
int worktree_mend(struct slot *s, struct err *e);

/* Make the worktree at init.worktree with `commit` checked out, or adopt the one a killed session
 * left there. Half-made leftovers at that path are removed first (pitfalls 2.4); what is not the session's
 * own (worktree_look.h) is ERR_ENV. One at a time per repository: under git.lock (promise B4). */
int worktree_ensure(struct slot *s, const struct oid *commit, struct err *e);

/* Is there a whole worktree of this session at init.worktree? Then it is taken over. */
bool worktree_adopt(struct slot *s);

/* Of one that git has just made and that has no files yet: what proves it to be ours is on the disk before
 * there is any work in it. */
int worktree_flush_links(const struct slot *s, struct err *e);

/* This boot of the machine has seen it whole. */
int worktree_mark_boot(const struct slot *s, struct err *e);
/* One that was taken over, and comes from another boot: HEAD and index may hold nothing, or half. */
int worktree_revive(struct slot *s, struct err *e);

/* Remove git's lock files of this worktree: whoever held one was a process of a task that has ended, and
 * this worker is the only one that works there. */
void worktree_clear_locks(const struct slot *s);

/* What was copied in, by this worker or one before it, into s->copied. */
void worktree_read_copied(struct slot *s);
/* What was changed since is work as all else, unless it is ignored: s->copied is without it after this. */
int worktree_drop_changed(struct slot *s, struct err *e);

/* Bring it to `commit` on a new (or reset) `branch`, NULL = detached. Tracked files are restored,
 * untracked ones removed, ignored ones kept. */
int worktree_bring(struct slot *s, const char *branch, const struct oid *commit, struct err *e);

/* The worktree, just brought to `base`, holds the files of `tree` on top of it, staged. */
int worktree_start_with(struct slot *s, const struct oid *base, const char *tree, struct err *e);

/* Once per process: `copy` and .worktreeinclude from the user's main worktree. Then `setup`, unless
 * its key (command and contents of setup_inputs) equals the one of the last success here. A failed
 * setup is ERR_USAGE with the end of its output. Its log is `log_path`. */
int worktree_setup(struct slot *s, char *const *env, const char *log_path, struct err *e);

/* Remove it: without force where git agrees; what only bosk's own steps left (copies, TMPDIR) goes
 * first. A worktree with work in it stays, with an error that says so. What a killed `git worktree add`
 * or `remove` left at the path goes too. Absent = success. A borrowed one is not removed, but brought back to
 * where its HEAD was. */
int worktree_remove(struct slot *s, struct err *e);

/* The same when `saved` holds all that is staged and nothing else is in it but copies and ignored files: what
 * was changed since makes git refuse, and it stays. */
int worktree_remove_saved(struct slot *s, const struct oid *saved, struct err *e);

/* The repository's lock for worktree metadata, and a git whose child inherits it: it lasts as long as that runs.
 * The caller closes *lock. */
int worktree_lock(struct slot *s, struct git *g, int *lock, struct err *e);

/* A worktree of this repository that an agent made at `path` inside of ours, and that is saved: git forgets it. */
int worktree_remove_inner(struct slot *s, const char *path, struct err *e);

#endif
