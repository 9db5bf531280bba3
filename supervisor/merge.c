/* merge: in process when the two sides' changes do not meet (gitx_merge), else through
 * `git merge-tree`, one process per merge (never --stdin: it aborts on some inputs and would take the
 * others with it, architecture 9). */
#include "merge.h"

#include <string.h>
#include <sys/wait.h>

#include "store/base/mem.h"
#include "worker/git.h"

enum { TIMEOUT_MS = 10 * 60 * 1000 };

struct merge {
	merge_fn *fn;
	void *ctx;
	struct loop *loop;
	struct mergebox *box;
	struct site *site;
	struct oid tip, commit;
	int tries;
};

void merge_parse(struct merge_result *out, int wait_status, const char *bytes, size_t n)
{
	*out = (struct merge_result){.kind = MERGE_FAILED, .reason = "git merge-tree died"};
	if (!WIFEXITED(wait_status))
		return;
	int status = WEXITSTATUS(wait_status);
	out->reason = "git merge-tree failed";
	if (status != 0 && status != 1)
		return;
	/* Exit 1 also means an unknown revision: only a full id first tells a conflict from that. */
	size_t first = strnlen(bytes, n);
	out->reason = "git merge-tree named no tree";
	if (first == n || !oid_parse(&out->tree, bytes))
		return;
	if (status == 0) {
		out->kind = MERGE_CLEAN;
		return;
	}
	out->kind = MERGE_CONFLICT;
	/* The conflicting paths follow, each ended by NUL, until an empty one. */
	for (size_t i = first + 1; i < n && bytes[i];) {
		if (!strv_has(&out->paths, bytes + i))
			strv_add(&out->paths, bytes + i);
		i += strnlen(bytes + i, n - i) + 1;
	}
}

bool merge_damaged(struct site *site, const struct oid *tip, const struct merge_result *r, const char *said)
{
	AUTO_STRV struct strv paths = {0};
	struct err ignored = {0};
	struct oid from;
	size_t cleared = 0;

	if (r->kind == MERGE_FAILED)
		return gitx_clear_named(site->git, said);
	if (gitx_tree_of(site->git, tip, &from, &ignored) == 0)
		gitx_check_tree(site->git, &from, &r->tree, &paths, &cleared, &ignored);
	return cleared > 0;
}

static int by_command(struct merge *m, struct err *e);

static void merged(void *ctx, const struct child_result *child)
{
	struct merge *m = ctx;
	struct merge_result result;
	struct oid known;
	struct err ignored = {0};
	AUTO_STR struct str reason = {0};

	merge_parse(&result, child->wait_status, child->out, child->out_n);
	if (m->tries++ < MERGE_TRIES && merge_damaged(m->site, &m->tip, &result, child->err)) {
		struct err e = {0};
		strv_fini(&result.paths);
		if (by_command(m, &e) == 0)
			return;
		result = (struct merge_result){.kind = MERGE_FAILED, .reason = "git merge-tree cannot be run again"};
	}
	if (result.kind == MERGE_FAILED && *child->err) {
		str_addf(&reason, "%s: %.300s", result.reason, child->err);
		result.reason = reason.p;
		result.no_room = git_said_kind(child->err) != ERR_ENV;
	}
	if (result.kind != MERGE_FAILED && gitx_tree_of(m->site->git, &m->tip, &known, &ignored) == 0)
		gitx_claim_tree(m->site->git, &result.tree, &known);
	m->fn(m->ctx, &result);
	strv_fini(&result.paths);
	free(m);
}

/* Whatever stands in the way of doing it here, git may still manage, or say better what is wrong. */
static bool merge_here(struct site *site, const struct oid *base, const struct oid *tip,
                       const struct oid *commit, struct merge_result *out)
{
	struct err ignored = {0};
	bool merged = false;

	*out = (struct merge_result){.kind = MERGE_CLEAN};
	return gitx_merge(site->git, &merged, &out->tree, base, tip, commit, &ignored) == 0 && merged;
}

static int by_command(struct merge *m, struct err *e)
{
	AUTO_STRV struct strv argv = {0}, env = {0};
	pid_t pid;

	if (mergebox_attributes(m->box, m->site, &m->tip, e) != 0 ||
	    mergebox_command(m->box, m->site, &m->tip, &m->commit, &argv, &env, e) != 0)
		return -1;
	struct child_spec spec = {
		.argv = (const char *const *)argv.v, .env = env.v, .timeout_ms = TIMEOUT_MS};
	return child_start(m->loop, &spec, &pid, merged, m, e);
}

void merge_start(struct loop *l, struct mergebox *box, struct site *site, const struct oid *base,
                 const struct oid *tip, const struct oid *commit, merge_fn *fn, void *ctx)
{
	struct merge_result result;
	struct err e = {0};

	if (merge_here(site, base, tip, commit, &result)) {
		fn(ctx, &result);
		return;
	}
	struct merge *m = mem_alloc(sizeof *m);
	*m = (struct merge){.fn = fn, .ctx = ctx, .loop = l, .box = box, .site = site, .tip = *tip, .commit = *commit};
	if (by_command(m, &e) == 0)
		return;
	free(m);
	result = (struct merge_result){.kind = MERGE_FAILED,
	                               .reason = e.text,
	                               .no_room = err_no_room(e.kind)};
	fn(ctx, &result);
}
