/* land_fetch: the target's upstream, brought up to date before a landing (declared in land_private.h). The target itself
 * is moved only by the landing: what is merged is merged onto the upstream where that is ahead. */
#include "land_private.h"

#include <string.h>

#include "store/base/log.h"
#include "store/base/mem.h"
#include "worker/secret.h"

/* A setting of the branch; NULL = it has none. The caller owns it. */
static char *setting(const struct landing *l, const char *key)
{
	struct git g = {.cwd = gitx_main_top(l->s->site->git), .guard = session_guard(l->s)};
	AUTO_FREE char *name = mem_printf("branch.%s.%s", l->s->row.target, key);
	AUTO_STR struct str value = {0};
	struct err ignored = {0};
	int status;

	if (git_try(&g, &status, &value, NULL, GIT_ARGS("config", "--get", name), &ignored) != 0 || status != 0)
		return NULL;
	value.p[strcspn(value.p, "\n")] = '\0';
	return mem_strdup(value.p);
}

int land_fetch(struct landing *l, bool *fine, struct err *e)
{
	struct git g = {.cwd = gitx_main_top(l->s->site->git),
	                .guard = session_guard(l->s),
	                .remote = true,
	                .timeout_ms = l->cfg->push_timeout_ms};
	AUTO_FREE char *again = land_command(l);
	AUTO_STR struct str said = {0};
	struct err failed = {0};
	int status = 0;

	*fine = true;
	if (!l->ask->fetch)
		return 0;
	AUTO_FREE char *remote = setting(l, "remote"), *branch = setting(l, "merge");
	*fine = remote && branch && strcmp(remote, ".") != 0;
	if (!*fine)
		return land_refuse(l, "not landed: %s has no upstream that could be fetched (git branch --set-upstream-to names one); "
		                   "without --fetch it can land", l->s->row.target);
	log_info("fetching %s from %s", branch, remote);
	if (git_try(&g, &status, NULL, &said,
	            GIT_ARGS("fetch", "--quiet", "--no-tags", "--no-auto-maintenance", "--no-recurse-submodules",
	                     "--no-write-fetch-head", "--", remote, branch),
	            &failed) == 0 && status == 0)
		return 0;
	if (err_no_room(failed.kind))
		return *e = failed, -1;
	AUTO_FREE char *hidden = secret_hidden(failed.kind != ERR_NONE ? failed.text : str_text(&said));
	*fine = false;
	l->falls = true;
	return land_refuse(l, "not landed: git fetch %s %s: %.400s\n  then: %s", remote, branch, hidden, again);
}

int land_fetch_onto(struct landing *l, bool *fine, struct err *e)
{
	struct gitx *g = l->s->site->git;
	struct err absent = {0};
	bool ahead = false, behind = false;

	*fine = true;
	l->onto = l->target;
	if (!l->ask->fetch)
		return 0;
	AUTO_FREE char *ref = NULL;
	struct oid upstream;
	if (gitx_upstream(g, l->s->row.target, &ref, &absent) != 0 || gitx_ref_read(g, ref, &upstream, &absent) != 0) {
		*fine = false;
		return land_refuse(l, "not landed: the upstream of %s is not there after it was fetched: %s", l->s->row.target,
		                   absent.text);
	}
	if (gitx_reaches(g, &upstream, &l->target, &ahead, e) != 0 || gitx_reaches(g, &l->target, &upstream, &behind, e) != 0)
		return -1;
	if (ahead)
		l->onto = upstream;
	*fine = ahead || behind;
	l->falls |= !*fine;
	return *fine ? 0
	             : land_refuse(l, "not landed: %s and %s have gone apart: bring them together (git pull), or land without --fetch",
	                           l->s->row.target, ref);
}
