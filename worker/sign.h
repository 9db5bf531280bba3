/* sign: commits with a signature, where git's own commit.gpgsign asked for it when the session began. git itself makes
 * them (git commit-tree -S), in a git folder of our own that borrows only the repository's objects: what is set as the
 * signer's program or key after the session began changes nothing (architecture 10). It may ask nobody: no terminal,
 * and a limit of time (pitfalls 1.10). Moves no ref, and does not decide what is done without a signature. */
#ifndef BOSK_SIGN_H
#define BOSK_SIGN_H

#include <stdbool.h>
#include <stdint.h>

#include "git.h"
#include "gitx.h"

/* What the session's commits are signed by, as git's configuration says it in the worktree at `top`: KEY=VALUE, in
 * git's order. None: they are not signed. `known`: planted_list; without commit.gpgsign in it no git is run. */
int sign_read(struct strv *out, const struct strv *known, const char *top, struct err *e);
/* "openpgp" | "ssh" | "x509"; the program; the key, NULL = the one that fits the author. Borrowed, or static. */
const char *sign_format(const struct strv *settings);
const char *sign_program(const struct strv *settings);
const char *sign_key(const struct strv *settings);

/* All borrowed. */
struct sign_how {
	const struct strv *settings;
	const char *common_dir, *state_dir; /* of the repository */
	const char *top;     /* of the main worktree: git runs there */
	const char *name;    /* of a folder below state_dir/tmp; nobody else uses it meanwhile */
	uint64_t timeout_ms; /* not 0 */
	/* Marks what is started as the session's (proc.h), for when all of us are killed with it; NULL = it is nobody's. */
	const char *sid, *worktree;
};

/* As gitx_commit_write has it. */
struct sign_text {
	const struct oid *tree, *parents;
	size_t n_parents;
	const char *author, *message;
};

struct sign_result {
	bool made;      /* it is there, and signed */
	bool late;      /* the signer did not answer in time */
	struct str why; /* not made: one line */
};

/* ---- in one step, for a process that has nothing else to do meanwhile ---- */

/* `watch`: its watcher may end it (ERR_GONE); NULL. A signer that fails is asked once more: its agent may just have
 * ended. Not signed is a value; -1: for want of room, descriptors or processes, or ended. The caller frees r->why. */
int sign_commit(struct gitx *g, const struct sign_how *how, const struct git *watch, const struct sign_text *text,
                struct oid *out, struct sign_result *r, struct err *e);

/* ---- in two, for a child beside a loop ---- */

struct sign {
	char *dir;
	struct strv argv, env; /* of the command */
	unsigned tries;        /* it has failed so often */
};
enum { SIGN_TRIES = 2 };

int sign_begin(struct sign *s, const struct sign_how *how, const struct sign_text *text, struct err *e);
/* The command has ended: exit code (or -1: otherwise), stdout, the end of stderr. As sign_commit. */
int sign_end(struct sign *s, struct gitx *g, const struct sign_how *how, const struct oid *tree, int status, bool late,
             const char *said, const char *trouble, struct oid *out, struct sign_result *r, struct err *e);
void sign_fini(struct sign *s);

#endif
