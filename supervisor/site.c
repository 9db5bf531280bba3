/* site: opening the repository and the store. */
#include "site.h"

#include <stdarg.h>
#include <stdlib.h>

#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/seal.h"

int site_open(struct site *out, const char *dir, enum site_mode mode, struct err *e)
{
	AUTO_FREE char *path = realpath(dir, NULL); /* what is said of "." helps nobody */

	*out = (struct site){0};
	seal_init();
	if (gitx_init(true, e) != 0 || gitx_open(&out->git, path ? path : dir, e) != 0)
		return -1;
	out->state_dir = mem_printf("%s/bosk", gitx_common_dir(out->git));
	AUTO_FREE char *store = site_path(out, "store");
	if (mode == SITE_WRITE) {
		AUTO_FREE char *sessions = site_path(out, "sessions");
		if (fs_mkdirs(sessions, e) != 0 || fs_mkdirs(store, e) != 0)
			return err_wrap(e, "cannot make bosk's state folder");
		return db_open(&out->db, store, DB_WRITE, e);
	}
	if (db_open(&out->db, store, DB_READ, e) == 0)
		return 0;
	if (e->kind != ERR_MISSING)
		return -1;
	err_clear(e);
	return 0;
}

void site_close(struct site *s)
{
	db_close(s->db);
	gitx_close(s->git);
	free(s->state_dir);
	*s = (struct site){0};
}

char *site_path(const struct site *s, const char *fmt, ...)
{
	struct str path = {0};
	va_list ap;

	str_addf(&path, "%s/", s->state_dir);
	va_start(ap, fmt);
	str_addv(&path, fmt, ap);
	va_end(ap);
	return str_take(&path);
}
