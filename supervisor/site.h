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
};

enum site_mode {
	SITE_READ, /* changes nothing; no store is not an error */
	SITE_WRITE /* makes the state folder and the store */
};

/* `dir`: any folder of the repository. The caller closes, also after an error. */
int site_open(struct site *out, const char *dir, enum site_mode mode, struct err *e);
void site_close(struct site *s);

/* state_dir/FMT; the caller owns it. */
char *site_path(const struct site *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
