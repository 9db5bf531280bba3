/* escape_refs: the user's refs and HEADs, from one look to the next, and whose a change is (declared in
 * escape.h). */
#include "escape.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "store/base/fs.h"
#include "store/base/mem.h"
#include "worker/secret.h"

struct escape_refs {
	struct core *c;
	struct strv own;            /* sorted: refs of the session's tasks */
	struct str seen;            /* what stat says of all refs that are not ours */
	struct strv names, values;  /* these refs, sorted by name; a HEAD is a name too */
	unsigned kept;
};

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* A branch of a session, ours or another one's: integration-<sid>, bosk/<sid>/... */
static bool of_session(const struct escape_refs *r, const char *ref)
{
	return str_starts(ref, "refs/bosk/") || str_starts(ref, "refs/heads/integration-") ||
	       str_starts(ref, "refs/heads/bosk/") ||
	       (r->own.n && bsearch(&ref, r->own.v, r->own.n, sizeof *r->own.v, by_text));
}

/* ---- looking ---- */

static void look_one(struct str *out, const char *name, const char *path)
{
	struct stat st;
	if (lstat(path, &st) == 0)
		str_addf(out, "%s %llu %lld %lld.%ld\n", name, (unsigned long long)st.st_ino,
		         (long long)st.st_size, (long long)st.st_ctim.tv_sec, st.st_ctim.tv_nsec);
}

static void look_below(const struct escape_refs *r, struct str *out, const char *common,
                       const char *name)
{
	AUTO_FREE char *dir = mem_printf("%s/%s", common, name);
	DIR *d = opendir(dir);
	struct dirent *entry;

	while (d && (entry = readdir(d))) {
		if (entry->d_name[0] == '.')
			continue;
		AUTO_FREE char *ref = mem_printf("%s/%s", name, entry->d_name);
		AUTO_FREE char *path = mem_printf("%s/%s", common, ref);
		AUTO_FREE char *below = mem_printf("%s/", ref);
		bool folder = entry->d_type == DT_DIR || (entry->d_type == DT_UNKNOWN && fs_is_dir(path));
		if (of_session(r, folder ? below : ref))
			continue;
		if (folder)
			look_below(r, out, common, ref);
		else if (!str_ends(ref, ".lock"))
			look_one(out, ref, path);
	}
	if (d)
		closedir(d);
}

/* One of any session, at a path that its plan names. */
static bool is_sessions(const char *dir, const char *name)
{
	AUTO_FREE char *locked = mem_printf("%s/%s/locked", dir, name);
	AUTO_STR struct str text = {0};
	struct err ignored = {0};

	return fs_read(locked, 4096, &text, &ignored) == 0 && str_starts(str_text(&text), "bosk session ");
}

/* HEADs of the user's worktrees: name and path of each. Ours have the names of our worktrees. */
static void find_heads(const struct core *c, struct strv *out)
{
	const char *common = gitx_common_dir(c->s->site->git);
	AUTO_FREE char *dir = mem_printf("%s/worktrees", common);
	DIR *d = opendir(dir);
	struct dirent *entry;

	const char *borrowed = c->s->manifest.borrowed; /* is a task's own */
	if (!str_eq(borrowed, gitx_main_top(c->s->site->git))) {
		strv_addf(out, "HEAD of %s", gitx_main_top(c->s->site->git));
		strv_addf(out, "%s/HEAD", common);
	}
	while (d && (entry = readdir(d))) {
		AUTO_FREE char *gitdir = mem_printf("%s/%s/gitdir", dir, entry->d_name);
		AUTO_STR struct str text = {0};
		struct err ignored = {0};
		/* Of all sessions: their worktrees lie in one folder, or are named like one. */
		if (entry->d_name[0] == '.' || fs_read(gitdir, 65536, &text, &ignored) != 0 ||
		    str_starts(str_text(&text), c->s->row.worktrees_dir) || is_sessions(dir, entry->d_name) ||
		    (borrowed && str_starts(str_text(&text), borrowed) &&
		     str_starts(text.p + strlen(borrowed), "/.git")))
			continue;
		strv_addf(out, "HEAD of %.*s", (int)strcspn(str_text(&text), "\n"), str_text(&text));
		strv_addf(out, "%s/%s/HEAD", dir, entry->d_name);
	}
	if (d)
		closedir(d);
}

static void look(const struct escape_refs *r, struct str *out)
{
	const char *common = gitx_common_dir(r->c->s->site->git);
	AUTO_FREE char *packed = mem_printf("%s/packed-refs", common);
	AUTO_STRV struct strv heads = {0};

	look_below(r, out, common, "refs");
	look_one(out, "packed-refs", packed);
	find_heads(r->c, &heads);
	for (size_t i = 0; i < heads.n; i += 2)
		look_one(out, heads.v[i], heads.v[i + 1]);
}

static int read_values(const struct escape_refs *r, struct strv *names, struct strv *values,
                       struct err *e)
{
	struct gitx *git = r->c->s->site->git;
	AUTO_STRV struct strv all = {0}, heads = {0};
	struct oid oid;

	find_heads(r->c, &heads);
	for (size_t i = 0; i < heads.n; i += 2) {
		AUTO_STR struct str text = {0};
		if (fs_read(heads.v[i + 1], 4096, &text, e) != 0)
			continue; /* a worktree that was just removed */
		if (text.len)
			text.p[strcspn(text.p, "\n")] = '\0';
		strv_add(names, heads.v[i]);
		strv_add(values, text.len ? text.p : "(empty)");
	}
	if (gitx_ref_list(git, "refs/", &all, e) != 0)
		return -1;
	for (size_t i = 0; i < all.n; i++) {
		if (of_session(r, all.v[i]) || gitx_ref_read(git, all.v[i], &oid, e) != 0)
			continue;
		strv_add(names, all.v[i]);
		strv_add(values, oid.hex);
	}
	return 0;
}

static const char *value_of(const struct strv *names, const struct strv *values, const char *name)
{
	for (size_t i = 0; i < names->n; i++)
		if (strcmp(names->v[i], name) == 0)
			return values->v[i];
	return "";
}

/* ---- judging ---- */

/* Another session that landed there, as the store has it. */
static bool landed_by_other(const struct core *c, const char *ref, const char *value)
{
	AUTO_STRV struct strv ids = {0};
	struct err ignored = {0};
	bool found = false;

	if (!str_starts(ref, "refs/heads/") || session_list(c->s->site, &ids, &ignored) != 0)
		return false;
	for (size_t i = 0; i < ids.n && !found; i++) {
		struct manifest_row m;
		if (str_eq(ids.v[i], c->s->sid) || session_manifest(c->s->site, ids.v[i], &m, &ignored) != 0)
			continue;
		found = str_eq(m.landed, value);
		rec_fini(&manifest_row_rec, &m);
	}
	return found;
}

/* Does it hold a commit that the attempt made? Which, in *commit. */
static bool holds_own(const struct core *c, const char *value, const struct strv *made,
                      const char **commit)
{
	struct oid at, own;
	struct err ignored = {0};
	bool reaches = false;

	for (size_t i = 0; i < made->n; i++)
		if (oid_parse(&at, value) && oid_parse(&own, made->v[i]) &&
		    gitx_reaches(c->s->site->git, &at, &own, &reaches, &ignored) == 0 && reaches) {
			*commit = made->v[i];
			return true;
		}
	return false;
}

/* So that nothing is lost whatever becomes of the ref. Its name in `out`. */
static void keep(const struct escape_refs *r, const char *value, const char *what, struct str *out)
{
	AUTO_FREE char *ref =
		mem_printf("refs/bosk/keep/%s/outside/%u-%s", r->c->s->sid, r->kept, what);
	struct oid oid;
	struct err ignored = {0};

	if (oid_parse(&oid, value) &&
	    gitx_ref_move(r->c->s->site->git, ref, NULL, &oid, "bosk: seen", &ignored) == 0)
		str_addf(out, "%s%s", out->len ? " and " : "", ref);
}

static void tell_change(struct escape_refs *r, const char *name, const char *old, const char *now)
{
	AUTO_STR struct str text = {0}, kept = {0}, tasks = {0};

	r->kept++;
	escape_running(r->c, &tasks);
	str_addf(&text, "while %s ran, %s ", str_text(&tasks), name);
	if (!*old)
		str_addf(&text, "came, at %.60s", now);
	else if (!*now)
		str_addf(&text, "was removed; it was at %.60s", old);
	else
		str_addf(&text, "went from %.60s to %.60s", old, now);
	keep(r, old, "old", &kept);
	keep(r, now, "new", &kept);
	if (kept.len)
		str_addf(&text, "; kept as %s", kept.p);
	str_add(&text, ". If that was not you, look at it");
	secret_hide(&text); /* names are made up by agents */
	strv_add(&r->c->s->manifest.notes, text.p);
}

/* One ref or HEAD that is no longer as it was. True: it is the attempt's doing. */
static bool judge(struct escape_refs *r, const struct msg_result *m, const char *name,
                  const char *old, const char *now, char **reason)
{
	const char *commit = NULL;
	bool own = m && *now && holds_own(r->c, now, &m->made, &commit);

	if (!own && (str_starts(name, "refs/remotes/") || landed_by_other(r->c, name, now)))
		return false; /* fetched; explained */
	tell_change(r, name, old, now);
	if (own && !*reason)
		*reason = mem_printf("it went outside of its branch: %s %s commit %.12s, which it made", name,
		                     *old ? "now holds" : "was made and holds", commit);
	return own;
}

bool escape_refs_look(struct escape_refs *r, const struct msg_result *m, char **reason)
{
	AUTO_STR struct str now = {0};
	AUTO_STRV struct strv names = {0}, values = {0};
	struct err e = {0};
	bool own = false;

	look(r, &now);
	if (str_eq(str_text(&now), str_text(&r->seen)) || read_values(r, &names, &values, &e) != 0)
		return false;
	for (size_t i = 0; i < names.n; i++) {
		const char *old = value_of(&r->names, &r->values, names.v[i]);
		if (strcmp(old, values.v[i]) != 0)
			own |= judge(r, m, names.v[i], old, values.v[i], reason);
	}
	for (size_t i = 0; i < r->names.n; i++)
		if (!*value_of(&names, &values, r->names.v[i]))
			judge(r, m, r->names.v[i], r->values.v[i], "", reason);
	str_fini(&r->seen);
	r->seen = now;
	now = (struct str){0};
	strv_fini(&r->names);
	strv_fini(&r->values);
	r->names = names;
	r->values = values;
	names = values = (struct strv){0};
	return own;
}

/* ---- life ---- */

int escape_refs_new(struct escape_refs **out, struct core *c, struct err *e)
{
	struct escape_refs *r = *out = mem_alloc(sizeof *r);

	r->c = c;
	for (size_t i = 0; i < c->s->plan.n; i++) {
		AUTO_FREE char *branch =
			session_task_branch(c->cfg->branch, c->s->sid, &c->s->plan.tasks[i]);
		strv_addf(&r->own, "refs/heads/%s", branch);
	}
	if (r->own.n)
		qsort(r->own.v, r->own.n, sizeof *r->own.v, by_text);
	look(r, &r->seen);
	if (read_values(r, &r->names, &r->values, e) != 0)
		return err_wrap(e, "cannot look at the refs");
	return 0;
}

void escape_refs_free(struct escape_refs *r)
{
	if (!r)
		return;
	strv_fini(&r->own);
	str_fini(&r->seen);
	strv_fini(&r->names);
	strv_fini(&r->values);
	free(r);
}
