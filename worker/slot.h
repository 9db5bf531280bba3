/* slot: what one worker knows about its worktree. One thread, one owner; lives as long as the
 * worker process. Shared by worktree, stage, gate and task. */
#ifndef BOSK_SLOT_H
#define BOSK_SLOT_H

#include <stdbool.h>

#include "chan.h"
#include "git.h"
#include "gitx.h"
#include "msg.h"
#include "planted.h"

struct slot {
	struct chan *chan;
	struct msg_init init;   /* from the supervisor, never changed after */
	struct msg_gate *gates; /* in the order they run */
	size_t n_gates;
	struct msg_agent *agents;
	size_t n_agents;
	struct gitx *gitx;
	struct planted planted; /* guards both of these */
	struct git git;         /* for commands in the worktree: cwd, watcher */
	struct git git_main;    /* for `git worktree ...`: cwd is the user's main worktree */
	char *admin_dir;        /* $GIT_COMMON_DIR/worktrees/<name>; NULL until the worktree is there */
	char *dot_git;          /* what the worktree's .git says; NULL as admin_dir */
	uint64_t log_size, began_ns; /* of the task: see traces_begin */
	struct strv notes;      /* what the report must say of this task */
	char *work_task;        /* whose work is in the worktree: names what is kept of it */
	uint64_t work_attempt;
	struct strv nested;     /* repositories in it whose files were staged last, and that are kept */
	struct strv copied;     /* paths copied in by `copy`: never committed, never cleaned */
	struct strv theirs;     /* in a borrowed checkout: what the user has there and git ignores */
	bool theirs_known;
	struct oid start;       /* commit a new worktree begins at */
	bool made;              /* the worktree exists */
	bool ready;             /* copies and setup were done in this process */
	char *tmp_dir;          /* TMPDIR of everything that runs here */
	/* Trees: gates of bosk itself look at what the second has and the first has not (leak_gate_between). */
	struct oid added_from, added_to;
	struct oid allow_tree;  /* whose allow file counts */
	char *sign_skips;       /* why commits are not signed any more: the signer did not answer in time; NULL */
	char *not_signed;       /* why the last one is not; NULL = it is, or was not to be */
	bool sign_late;         /* ... it was then that it did not answer */

	/* Set while a job is watched (worker.c). */
	bool stop;              /* the supervisor asked to stop the task */
	bool saving;            /* what the task left is being saved: only a shutdown ends that */
	uint64_t go;            /* attempt that may begin (msg.def) */
	bool no_room;           /* ended because what there is could not be saved for want of room */
	bool shutdown;          /* the supervisor is gone, or we were told to end: save nothing */

	/* What is being shown. */
	const char *task;
	const char *phase;
	char *step;
};

/* The phase of one who waits for git.lock; its step is the session that has it. */
#define SLOT_WAITS "waits for"

/* Tell the supervisor what goes on; `line` is the last output line, may be "". */
void slot_progress(struct slot *s, const char *phase, const char *step, const char *line);

/* The environment of setup, agent and gates (interface.md, "Environment"): the caller's without
 * GIT_*, and BOSK_SESSION, BOSK_SLOT, BOSK_PORT, BOSK_WORKTREE, TMPDIR. The task adds its own. */
void slot_env(const struct slot *s, struct strv *env);

/* The shell command `command` in the worktree, contained and watched; output to the log file at
 * `log_path`. What remains of it when it ends is ended too. `tail` (may be NULL) gets the last part
 * of its output. */
struct job_result;
struct plain;

/* TMPDIR, and a folder of logs with nothing but a file at `log_path`: an agent may have removed them, or put a link there.
 * Every command finds them. */
int slot_folders(const struct slot *s, const char *log_path, struct err *e);

struct slot_run {
	const char *command;     /* for the shell ... */
	char *const *argv;       /* ... or, not NULL, the words of a program's command line; argv[0] is looked up in PATH */
	/* What a program says on stdout (1) and stderr (2) as it comes, before secrets are hidden; true = end it. */
	bool (*heard)(void *ctx, int which, const char *bytes, size_t n);
	const char *(*line)(void *ctx); /* what to show of it, with `heard`; NULL = its last line */
	void *ctx;
	char *const *env;
	const char *stdin_path; /* NULL = /dev/null */
	const char *log_path;
	uint64_t timeout_ms, silence_ms; /* 0 = none */
	uint64_t grace_ms; /* between TERM and KILL; 0 = as usual */
	struct str *tail;
	size_t tail_max;
	struct plain *plain; /* gets all of it, too; the caller ends it; NULL */
	bool strict; /* sh -e: of several commands the first that fails decides, not the last */
	bool wrapped; /* behind the words of init.wrap */
};
int slot_shell(struct slot *s, const struct slot_run *run, struct job_result *result,
               struct err *e);

/* Wait until the supervisor says that this attempt may begin: what is known of it is on disk then. A stop or the end of
 * the supervisor ends it at once; false then. */
bool slot_wait_go(struct slot *s, uint64_t attempt);

/* Sleep; a stop or the end of the supervisor ends it at once. */
void slot_wait(struct slot *s, uint64_t ms);

/* Wait until the descriptor can be read or hangs up. False: a stop or the end of the supervisor ended it. */
bool slot_wait_fd(struct slot *s, int fd);

void slot_fini(struct slot *s);

#endif
