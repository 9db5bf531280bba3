/* remote: a branch in another repository - what it is there, and pushing to it. Never by force, without hooks, within a
 * time limit. Records nothing. */
#ifndef BOSK_REMOTE_H
#define BOSK_REMOTE_H

#include "session.h"
#include "worker/git.h"

/* What each push begins with: nothing goes along that was not asked for. Then options, "--", remote, refspec. */
#define REMOTE_PUSH "push", "--no-verify", "--no-follow-tags", "--no-signed", "--recurse-submodules=no"

/* git takes along pointers only: the objects of Git LFS go first, by git-lfs, where there are such files. No step is taken
 * when the one before failed. */
enum remote_step {
	REMOTE_LOOK, /* exit 1: there are none */
	REMOTE_LFS,  /* their objects */
	REMOTE_GIT   /* the push */
};
/* Why it failed, in one line, without what must not be kept. The caller owns it. */
char *remote_said(const char *stderr_text, bool late, int wait_status);
/* What to type to push `commit` as `branch` there; `why` is what git said: what others put there is to be looked at
 * first. The caller owns it. */
char *remote_by_hand(const char *remote, const char *commit, const char *branch, const char *why);

struct remote_branch {
	const char *remote, *branch, *commit; /* borrowed; the commit that is to be there, whole */
	uint64_t timeout_ms;                  /* of each call; 0 = none */
};

enum remote_state {
	REMOTE_NONE,   /* there is no such branch */
	REMOTE_SAME,   /* it is there with this commit */
	REMOTE_BEHIND, /* with one that the commit comes from */
	REMOTE_OTHER,  /* with anything else */
	REMOTE_MUTE    /* it cannot be asked */
};
struct remote_look {
	enum remote_state state;
	char *at;  /* the commit that is there; NULL = none */
	char *why; /* REMOTE_MUTE: one line. The caller frees both. */
};

enum remote_step remote_first(struct session *s);
enum remote_step remote_next(enum remote_step step, int exit_code);
/* The command of a step before the push, appended to argv. */
void remote_lfs_argv(struct strv *argv, const struct git *g, struct session *s, const struct remote_branch *b,
                     enum remote_step step);
/* `why`, of the step that failed; the caller owns it. */
char *remote_step_said(enum remote_step step, const char *why);

/* Asks where it is pushed to, which need not be where it is fetched from. */
void remote_ask(struct remote_look *out, struct session *s, const struct remote_branch *b);
/* Onto what was there when it was asked (`at`, NULL = nothing): if that moved meanwhile, it fails. NULL = it is there; else
 * why not, in one line. The caller owns it. */
char *remote_push(struct session *s, const struct remote_branch *b, const char *at);

#endif
