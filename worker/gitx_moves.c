/* gitx_moves: creating, moving and deleting refs by compare-and-swap (promise A6). Does not look at
 * worktrees: whether a branch may be moved at all is the caller's question (gitx_checked_out).
 *
 * A libgit2 transaction is only a set of locks. Its commit writes one ref after the other in hash
 * order and stops at the first failure; what is written stays, and only then is a lock let go. It
 * checks neither that the new object exists nor that a packed ref is in the way of the name, keeps
 * the reflog of what it deletes, and deletes packed refs unsafely (gitx_packed.c). So here: one
 * transaction per ref, all locked and compared before any is written, written in the order given
 * with deletions last, and put back when one of them fails. */
#include "gitx_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lockfile.h"
#include "store/base/clock.h"
#include "store/base/fail.h"
#include "store/base/mem.h"

#define LOCK_WAIT_MS 2000

struct attempt {
	struct gitx *g;
	const struct gitx_move *moves;
	size_t n;
	const char *message;
	git_transaction **tx; /* one per move; NULL once written */
	struct gitx_packed packed;
	char *busy;   /* lock file that another process holds */
	bool writing; /* something may have changed */
};

static bool same(const struct oid *a, const struct oid *b)
{
	return strcmp(a->hex, b->hex) == 0;
}

static bool deletes(const struct gitx_move *m)
{
	return oid_none(&m->to) && !oid_none(&m->from);
}

static int refuse_taken(struct err *e, const char *ref, const struct str *by)
{
	return err_set(e, ERR_EXISTS,
	               "cannot make %s: there is a ref %s, and git cannot have one ref inside "
	               "another",
	               ref, str_text(by));
}

/* ---- one attempt: lock all, compare all, write all ---- */

static int busy(struct attempt *a, char *lock)
{
	free(a->busy);
	a->busy = lock;
	return 1;
}

/* Another process removed an empty folder between libgit2's making it and using it. */
static bool folder_vanished(int rc)
{
	const git_error *last = git_error_last();
	return rc == GIT_ENOTFOUND || (last && last->klass == GIT_ERROR_OS && last->message &&
	                               strstr(last->message, strerror(ENOENT)));
}

static int lock_one(struct attempt *a, size_t i, struct err *e)
{
	const char *ref = a->moves[i].ref;
	AUTO_STR struct str by = {0};

	int rc = git_transaction_new(&a->tx[i], a->g->repo);
	if (rc == 0)
		rc = git_transaction_lock_ref(a->tx[i], ref);
	if (rc == 0)
		return 0;
	if (rc == GIT_ELOCKED || folder_vanished(rc))
		return busy(a, mem_printf("%s/%s.lock", a->g->common_dir, ref));
	/* libgit2's words for a taken name are odd ("could not remove directory"). */
	struct err first = {0};
	gitx_err(&first, rc, "cannot lock %s", ref);
	if (gitx_name_taken(a->g, ref, &by))
		return refuse_taken(e, ref, &by);
	return err_code(e, first.kind, first.code, "%s", first.text);
}

/* Under the lock. The value, "" when there is none. */
static int read_value(struct gitx *g, const char *ref, struct oid *out, struct err *e)
{
	GITX_AUTO(git_reference) r = NULL;
	AUTO_FREE char *file = mem_printf("%s/%s", g->common_dir, ref);
	struct stat st;

	*out = (struct oid){0};
	int rc = git_reference_lookup(&r, g->repo, ref);
	if (rc == GIT_ENOTFOUND)
		return 0;
	if (rc < 0)
		return gitx_err(e, rc, "cannot read %s", ref);
	/* The second is how git once wrote the first; libgit2 reads through it. */
	if (git_reference_type(r) == GIT_REFERENCE_SYMBOLIC ||
	    (lstat(file, &st) == 0 && S_ISLNK(st.st_mode)))
		return err_set(e, ERR_USAGE,
		               "%s is a symbolic ref: it stands for another, which is to be moved",
		               ref);
	gitx_oid_out(out, git_reference_target(r));
	return 0;
}

static int compare_one(struct attempt *a, size_t i, struct err *e)
{
	const struct gitx_move *m = &a->moves[i];
	AUTO_STR struct str by = {0};
	struct oid now;

	if (read_value(a->g, m->ref, &now, e) != 0)
		return -1;
	if (!same(&now, &m->from)) {
		if (oid_none(&m->from))
			return err_code(e, ERR_MOVED, GIT_EMODIFIED, "%s exists already, at %s",
			                m->ref, now.hex);
		return err_code(e, ERR_MOVED, GIT_EMODIFIED, "%s is %s%s, not at %s", m->ref,
		                oid_none(&now) ? "gone" : "at ", now.hex, m->from.hex);
	}
	/* A packed ref does not stand in the way of the lock file, so look here too. */
	if (oid_none(&now) && !oid_none(&m->to) && gitx_name_taken(a->g, m->ref, &by))
		return refuse_taken(e, m->ref, &by);
	return 0;
}

/* Left-over folders would slow every listing down; libgit2 removes them below refs/heads, tags and
 * remotes only. Those of reflogs stay: another process may be about to write one there. */
static void remove_empty_dirs(struct gitx *g, const char *ref)
{
	AUTO_FREE char *path = mem_printf("%s/%s", g->common_dir, ref);
	const char *kept = path + strlen(g->common_dir) + 1 + strlen("refs/");

	for (char *slash = strrchr(path, '/'); slash > kept; slash = strrchr(path, '/')) {
		*slash = '\0';
		if (!strchr(kept, '/') || rmdir(path) != 0)
			return; /* refs/heads and its like stay */
	}
}

/* A log left behind would stand in the way of a later ref below this name. */
static int remove_log(struct gitx *g, const char *ref, struct err *e)
{
	AUTO_FREE char *path = mem_printf("%s/logs/%s", g->common_dir, ref);
	if (unlink(path) != 0 && errno != ENOENT && errno != ENOTDIR && errno != EISDIR)
		return err_sys(e, "cannot remove %s", path);
	return 0;
}

static int write_one(struct attempt *a, size_t i, const git_signature *who, struct err *e)
{
	const struct gitx_move *m = &a->moves[i];
	git_oid id;
	int rc;

	if (same(&m->from, &m->to))
		return 0; /* only compared */
	if (deletes(m)) {
		if (remove_log(a->g, m->ref, e) != 0)
			return -1;
		rc = git_transaction_remove(a->tx[i], m->ref);
	} else {
		if (gitx_oid_in(&id, &m->to, m->ref, e) != 0)
			return -1;
		rc = git_transaction_set_target(a->tx[i], m->ref, &id, who, a->message);
	}
	if (rc == 0)
		rc = git_transaction_commit(a->tx[i]);
	if (rc < 0)
		return gitx_err(e, rc, "cannot %s %s", deletes(m) ? "delete" : "write", m->ref);
	git_transaction_free(a->tx[i]);
	a->tx[i] = NULL;
	if (deletes(m))
		remove_empty_dirs(a->g, m->ref);
	else if (gitx_flush_ref_folders(a->g, m->ref, e) != 0)
		return -1;
	FAILPOINT("git.refs.one");
	return 0;
}

/* Deletions last: what a deleted ref kept alive may be reachable only from one just moved (A5). */
static int write_all(struct attempt *a, struct err *e)
{
	GITX_AUTO(git_signature) who = NULL;
	AUTO_FREE const char **gone = mem_array(a->n, sizeof *gone);
	size_t n_gone = 0;

	if (git_signature_default(&who, a->g->repo) != 0 &&
	    git_signature_now(&who, "bosk", "bosk@localhost") != 0)
		return gitx_err(e, -1, "cannot name the writer of the reflog");
	a->writing = true;
	for (size_t i = 0; i < a->n; i++) {
		if (deletes(&a->moves[i]))
			gone[n_gone++] = a->moves[i].ref;
		else if (write_one(a, i, who, e) != 0)
			return -1;
	}
	/* Packed before loose, as git: whoever looks in between sees the value before. */
	if (n_gone && gitx_packed_drop(a->g, &a->packed, gone, n_gone, e) != 0)
		return -1;
	for (size_t i = 0; i < a->n; i++)
		if (deletes(&a->moves[i]) && write_one(a, i, who, e) != 0)
			return -1;
	return 0;
}

static int by_ref(const void *x, const void *y, void *moves)
{
	const struct gitx_move *m = moves;
	return strcmp(m[*(const size_t *)x].ref, m[*(const size_t *)y].ref);
}

static int lock_and_write(struct attempt *a, struct err *e)
{
	AUTO_FREE size_t *order = mem_array(a->n, sizeof *order);
	bool any = false;
	int rc;

	/* Always in the same order, so that two processes cannot each hold what the other wants. */
	for (size_t i = 0; i < a->n; i++)
		order[i] = i;
	qsort_r(order, a->n, sizeof *order, by_ref, (void *)a->moves);
	for (size_t i = 0; i < a->n; i++)
		if ((rc = lock_one(a, order[i], e)) != 0)
			return rc;
	for (size_t i = 0; i < a->n; i++) {
		if (compare_one(a, i, e) != 0)
			return -1;
		any = any || deletes(&a->moves[i]);
	}
	bool held = false;
	if (any && gitx_packed_hold(a->g, &a->packed, &held, e) != 0)
		return held ? busy(a, gitx_packed_lock_path(a->g)) : -1;
	FAILPOINT("git.refs.locked");
	return write_all(a, e);
}

/* 0, -1, or 1: a lock is held by another process (a->busy), nothing was changed. */
static int try_once(struct attempt *a, struct err *e)
{
	a->tx = mem_array(a->n, sizeof *a->tx);
	int rc = lock_and_write(a, e);
	for (size_t i = 0; i < a->n; i++)
		git_transaction_free(a->tx[i]);
	free(a->tx);
	a->tx = NULL;
	gitx_packed_release(&a->packed);
	return rc;
}

/* ---- waiting, and putting back ---- */

/* A plain sleep is right here: what we wait for is the removal of another process's lock file, of
 * which nothing tells us. The jitter keeps several waiters from meeting again and again. */
static void pause_a_little(unsigned tries)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	uint64_t noise = ((uint64_t)t.tv_nsec ^ (uint64_t)getpid() << 20) * 0x9e3779b97f4a7c15u;
	uint64_t most_us = tries < 5 ? 2000u << tries : 50000;
	t = (struct timespec){.tv_nsec = (long)(500 + (noise >> 32) % most_us) * 1000};
	clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL);
}

static int try_for_a_while(struct attempt *a, struct err *e)
{
	uint64_t give_up = clock_mono_ms() + LOCK_WAIT_MS;
	unsigned tries = 0;
	int rc;

	/* All locks are let go before each wait: git itself waits a tenth of a second only, and the
	 * user's own commands must not fail because we wait. */
	while ((rc = try_once(a, e)) == 1 && clock_mono_ms() < give_up)
		pause_a_little(tries++);
	if (rc == 1) {
		AUTO_STR struct str lock = {0};
		lockfile_tell(&lock, a->busy, NULL);
		rc = err_code(e, ERR_HELD, GIT_ELOCKED, "cannot move %s: %s", a->moves[0].ref, lock.p);
	}
	free(a->busy);
	a->busy = NULL;
	return rc;
}

/* After a failure in the middle of writing (a full disk, a reflog that cannot be written). A ref
 * that is no longer where we left it is another's by now, and stays. */
static void put_back(const struct attempt *failed, struct err *e)
{
	for (size_t i = failed->n; i-- > 0;) {
		const struct gitx_move *m = &failed->moves[i];
		struct gitx_move back = {.ref = m->ref, .from = m->to, .to = m->from};
		struct attempt again = {
			.g = failed->g, .moves = &back, .n = 1, .message = "bosk: put back"};
		struct oid now;
		struct err own = {0};

		if (read_value(failed->g, m->ref, &now, &own) == 0 && !same(&now, &m->to))
			continue; /* never written */
		if (same(&m->from, &m->to) || try_for_a_while(&again, &own) == 0 ||
		    own.kind == ERR_MOVED || !e)
			continue;
		err_set_at(e, e->kind, e->code, e->where, "%s; and %s could not be put back (%s)",
		           e->text, m->ref, own.text);
	}
}

int gitx_ref_moves(struct gitx *g, const struct gitx_move *moves, size_t n, const char *message,
                   struct err *e)
{
	struct attempt a = {.g = g, .moves = moves, .n = n, .message = message};

	if (!n)
		return 0;
	/* Nothing names an object that a power cut could take away again (promise D1). */
	if (gitx_check_moves(g, moves, n, e) != 0 || gitx_flush(g, e) != 0)
		return -1;
	FAILPOINT("git.refs.before");
	if (try_for_a_while(&a, e) != 0) {
		if (a.writing)
			put_back(&a, e);
		return -1;
	}
	FAILPOINT("git.refs.after");
	return 0;
}

int gitx_ref_move(struct gitx *g, const char *ref, const struct oid *from, const struct oid *to,
                  const char *message, struct err *e)
{
	struct gitx_move m = {.ref = ref};
	if (from)
		m.from = *from;
	if (to)
		m.to = *to;
	return gitx_ref_moves(g, &m, 1, message, e);
}
