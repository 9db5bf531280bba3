/* site: opening the repository and the store. */
#include "site.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/dbfile.h"
#include "store/owner.h"
#include "store/seal.h"
#include "worker/job.h"

enum { PROBE_LIMIT_MS = 120000, PROBES = 3 };

int site_probe(const char *store)
{
	struct err e = {0};

	if (db_probe(store, &e) == 0)
		return 0;
	fputs(e.text, stdout);
	return e.kind == ERR_DAMAGED ? SITE_PROBE_DAMAGED : SITE_PROBE_OTHER;
}

static bool is_empty(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 ? st.st_size == 0 : errno == ENOENT;
}

/* What sessions make only after the store: refs of git, and their lock files. */
static int find_left(const struct site *s, struct strv *out, struct err *e)
{
	AUTO_FREE char *path = site_path(s, "sessions");
	static const char *const prefixes[] = {"refs/bosk/int/", "refs/bosk/plan/"};

	for (size_t i = 0; i < MEM_COUNT(prefixes); i++)
		if (gitx_ref_list(s->git, prefixes[i], out, e) != 0)
			return -1;
	DIR *dir = opendir(path);
	for (struct dirent *entry; dir && (entry = readdir(dir));)
		if (str_ends(entry->d_name, ".lock"))
			strv_addf(out, "%s/%s", path, entry->d_name);
	if (dir)
		closedir(dir);
	return 0;
}

/* There is nothing in the store's file, but sessions left something: it was not always so. */
static int check_lost(const struct site *s, const char *store, struct err *e)
{
	AUTO_FREE char *path = mem_printf("%s/data.mdb", store);
	AUTO_STRV struct strv left = {0};

	if (!is_empty(path))
		return 0;
	if (find_left(s, &left, e) != 0)
		return -1;
	if (!left.n || !is_empty(path)) /* made meanwhile, by the first session of all */
		return 0;
	return err_set(e, ERR_DAMAGED,
	               "%s is %s, but there is %s%s: the store of earlier sessions was lost; bosk verify --repair makes it "
	               "again from git (tasks, states and merges, not logs or history)",
	               path, fs_exists(path) ? "empty" : "gone", left.v[0], left.n > 1 ? " and more" : "");
}

/* Somebody may have it open: whoever runs a session. */
static int check_nobody(const struct site *s, struct err *e)
{
	AUTO_FREE char *dir = site_path(s, "sessions");
	DIR *d = opendir(dir);
	struct dirent *entry;
	int rc = 0;

	while (d && rc == 0 && (entry = readdir(d))) {
		AUTO_FREE char *path = mem_printf("%s/%s", dir, entry->d_name);
		if (str_ends(entry->d_name, ".lock") && owner_locked(path))
			rc = err_set(e, ERR_HELD, "session %.6s is running: end it first", entry->d_name);
	}
	if (d)
		closedir(d);
	return rc;
}

/* Of its own doing; any other signal came from somebody, and says nothing of what it read. */
static bool crashed(int signal)
{
	static const int own[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGTRAP, SIGSYS};

	for (size_t i = 0; i < MEM_COUNT(own); i++)
		if (signal == own[i])
			return true;
	return false;
}

/* Every page of the store, read by a process of its own: there a signal is only a verdict. A store that cannot
 * be opened is db_open's to report. */
static int probe(const char *store, struct err *e)
{
	AUTO_FREE char *path = mem_printf("%s/data.mdb", store);
	AUTO_STR struct str said = {0};
	const char *argv[] = {"/proc/self/exe", "probe", store, NULL};
	struct job job = {.argv = argv, .out = &said, .watch_fd = -1, .timeout_ms = PROBE_LIMIT_MS};
	struct job_result result;
	struct stat st;

	if (stat(path, &st) != 0 || st.st_size == 0)
		return 0;
	for (int i = 0; i < PROBES; i++) {
		str_clear(&said);
		if (job_run(&job, &result, e) != 0)
			return err_wrap(e, "cannot look at %s", path);
		if (result.end != JOB_SIGNALED || crashed(result.status))
			break;
	}
	if (result.end == JOB_SIGNALED && !crashed(result.status))
		return err_set(e, ERR_ENV, "cannot look at %s: the process that reads it was killed %d times (signal %d)", path,
		               PROBES, result.status);
	if (result.end == JOB_EXITED && (result.status == 0 || result.status == SITE_PROBE_OTHER))
		return 0;
	if (result.end == JOB_EXITED && result.status == SITE_PROBE_DAMAGED)
		return err_set(e, ERR_DAMAGED, "%s", str_text(&said));
	return dbfile_damaged(path, e, DBFILE_GARBLED);
}

static int open_store(struct site *s, const char *store, enum site_mode mode, struct err *e)
{
	enum db_mode how = mode == SITE_WRITE || mode == SITE_REPAIR ? DB_WRITE : DB_READ;

	if (mode != SITE_VERIFY && mode != SITE_REPAIR && check_lost(s, store, e) != 0)
		return -1;
	/* Mere readers do not pay for a look at every page, and who writes has looked before. */
	if (mode != SITE_READ && mode != SITE_WRITE && probe(store, e) != 0)
		return -1;
	return db_open(&s->db, store, how, e);
}

int site_open(struct site *out, const char *dir, enum site_mode mode, struct err *e)
{
	AUTO_FREE char *path = realpath(dir, NULL); /* what is said of "." helps nobody */

	*out = (struct site){0};
	seal_init();
	if (gitx_init(true, e) != 0 || gitx_open(&out->git, path ? path : dir, e) != 0)
		return -1;
	out->state_dir = mem_printf("%s/bosk", gitx_common_dir(out->git));
	AUTO_FREE char *store = site_path(out, "store"), *sessions = site_path(out, "sessions");
	bool writes = mode == SITE_WRITE || mode == SITE_REPAIR;
	if (writes && (fs_mkdirs(sessions, e) != 0 || fs_mkdirs(store, e) != 0))
		return err_wrap(e, "cannot make bosk's state folder");
	if (open_store(out, store, mode, e) == 0)
		return 0;
	if (mode == SITE_REPAIR && e->kind == ERR_DAMAGED) {
		err_clear(e);
		return check_nobody(out, e) != 0 || db_set_aside(store, &out->aside, e) != 0
		               ? -1
		               : db_open(&out->db, store, DB_WRITE, e);
	}
	if (writes || e->kind != ERR_MISSING)
		return -1;
	err_clear(e);
	return 0;
}

void site_close(struct site *s)
{
	db_close(s->db);
	gitx_close(s->git);
	free(s->state_dir);
	free(s->aside);
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
