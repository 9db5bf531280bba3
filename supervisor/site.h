/* site: one repository as a command of bosk sees it: git, the state folder, the store. */
#ifndef BOSK_SITE_H
#define BOSK_SITE_H

#include <stdbool.h>

#include "store/db.h"
#include "worker/gitx.h"

struct site {
	struct gitx *git;
	char *state_dir; /* $GIT_COMMON_DIR/bosk */
	struct db *db;   /* NULL when opened for reading and there is no store yet */
	char *aside;     /* SITE_REPAIR: where a damaged store was moved; NULL = it was sound */
};

enum site_mode {
	SITE_READ, /* changes nothing; no store is not an error */
	SITE_CHECK, /* the same, and reads every page first: for commands that will write */
	SITE_WRITE, /* makes the state folder and the store */
	SITE_VERIFY, /* as SITE_CHECK, also when the store was lost */
	SITE_REPAIR /* as SITE_WRITE; a store that is lost or damaged is made anew */
};

/* `dir`: any folder of the repository. ERR_DAMAGED: the store is damaged, or gone while there are refs or
 * lock files of its sessions: it must not become a new and empty one without a word. ERR_HELD: SITE_REPAIR of a damaged one while
 * a session runs. The caller closes, also after an error. */
int site_open(struct site *out, const char *dir, enum site_mode mode, struct err *e);
void site_close(struct site *s);

/* Exit code of the hidden command `probe STORE`, which site_open runs: 0 = every page is sound; what is wrong is
 * written to standard output. */
enum { SITE_PROBE_DAMAGED = 3, SITE_PROBE_OTHER = 4 };
int site_probe(const char *store);

/* state_dir/FMT; the caller owns it. */
char *site_path(const struct site *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
