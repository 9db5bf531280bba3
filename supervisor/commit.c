/* commit: one commit of the session's own. */
#include "commit.h"

#include <string.h>
#include <sys/wait.h>

#include "store/base/mem.h"
#include "worker/proc.h"

enum { CHILDREN_MAX = 4096, STRAYS_MS = 2000 };

struct commit {
	struct core *c;
	commit_fn *fn;
	void *ctx;
	struct sign sign;
	char *name, *message;
	struct oid tree, *parents;
	size_t n_parents;
};

/* ---- what both ways share ---- */

static struct sign_how how_of(const struct session *s, const char *name)
{
	return (struct sign_how){.settings = &s->row.sign,
	                         .common_dir = gitx_common_dir(s->site->git),
	                         .state_dir = s->site->state_dir,
	                         .top = gitx_main_top(s->site->git),
	                         .name = name,
	                         .timeout_ms = s->row.sign_timeout_ms,
	                         .sid = s->sid,
	                         .worktree = s->site->state_dir}; /* strays.h */
}

const char *commit_skips(const struct session *s)
{
	return s->row.sign.n && !s->row.sign_refuse ? s->sign_late : NULL;
}

void commit_late(struct session *s, const char *why)
{
	if (!s->sign_late)
		s->sign_late = mem_strdup(why);
}

/* Without a signature: because none was asked for (why NULL), or it could not be had. */
static int unsigned_one(struct session *s, const struct commit_want *want, const char *why, struct commit_made *made,
                        struct err *e)
{
	*made = (struct commit_made){.why = mem_strdup(why)};
	if (why && s->row.sign_refuse)
		return 0;
	return gitx_commit_write(s->site->git, &made->id, want->tree, want->parents, want->n_parents, s->row.author,
	                         want->message, e);
}

/* ---- at once ---- */

int commit_now(struct session *s, const struct commit_want *want, struct commit_made *made, struct err *e)
{
	AUTO_FREE char *name = mem_printf("%s-land", s->sid);
	const struct sign_how how = how_of(s, name);
	const struct sign_text text = {want->tree, want->parents, want->n_parents, s->row.author, want->message};
	struct sign_result r;

	*made = (struct commit_made){0};
	if (!s->row.sign.n || commit_skips(s))
		return unsigned_one(s, want, commit_skips(s), made, e);
	int rc = sign_commit(s->site->git, &how, NULL, &text, &made->id, &r, e);
	if (rc == 0 && r.late)
		commit_late(s, str_text(&r.why));
	if (rc == 0 && !r.made)
		rc = unsigned_one(s, want, str_text(&r.why), made, e);
	str_fini(&r.why);
	return rc;
}

/* ---- beside the loop ---- */

static void release(struct commit *m)
{
	if (!m)
		return;
	sign_fini(&m->sign);
	free(m->name);
	free(m->message);
	free(m->parents);
	free(m);
}

void commit_close(struct core *c)
{
	release(c->commit);
	c->commit = NULL;
}

/* The callback may begin the next one. */
static void over(struct commit *m, struct commit_made *made, const struct err *e)
{
	struct core *c = m->c;
	commit_fn *fn = m->fn;
	void *ctx = m->ctx;

	commit_close(c);
	fn(ctx, made, e);
	free(made->why);
}

static void run(struct commit *m);

/* What had left the signer's group; what the loop knows are others. */
static void end_strays(struct core *c)
{
	AUTO_FREE pid_t *known = mem_array(CHILDREN_MAX, sizeof *known);
	size_t n = loop_children(c->loop, known, CHILDREN_MAX);

	proc_end_children(known, n, STRAYS_MS);
}

static void ended(void *ctx, const struct child_result *child)
{
	struct commit *m = ctx;
	struct session *s = m->c->s;
	const struct sign_how how = how_of(s, m->name);
	const struct commit_want want = {&m->tree, m->parents, m->n_parents, m->message};
	struct commit_made made = {0};
	struct sign_result r;
	struct err e = {0};

	if (child->late)
		end_strays(m->c);
	int rc = sign_end(&m->sign, s->site->git, &how, &m->tree,
	                  WIFEXITED(child->wait_status) ? WEXITSTATUS(child->wait_status) : -1, child->late, child->out,
	                  child->err, &made.id, &r, &e);
	if (rc == 0 && !r.made && !r.late && m->sign.tries < SIGN_TRIES) {
		str_fini(&r.why);
		run(m);
		return;
	}
	if (rc == 0 && r.late)
		commit_late(s, str_text(&r.why));
	if (rc == 0 && !r.made)
		rc = unsigned_one(s, &want, str_text(&r.why), &made, &e);
	str_fini(&r.why);
	over(m, &made, rc == 0 ? NULL : &e);
}

static void run(struct commit *m)
{
	struct commit_made none = {0};
	struct err e = {0};
	pid_t pid;
	struct child_spec spec = {.argv = (const char *const *)m->sign.argv.v,
	                          .env = m->sign.env.v,
	                          .timeout_ms = m->c->s->row.sign_timeout_ms};

	if (child_start(m->c->loop, &spec, &pid, ended, m, &e) != 0)
		over(m, &none, &e);
}

void commit_start(struct core *c, const struct commit_want *want, commit_fn *fn, void *ctx)
{
	struct session *s = c->s;
	struct commit_made made = {0};
	struct err e = {0};

	if (!s->row.sign.n || commit_skips(s)) {
		int rc = unsigned_one(s, want, commit_skips(s), &made, &e);
		fn(ctx, &made, rc == 0 ? NULL : &e);
		free(made.why);
		return;
	}
	struct commit *m = mem_alloc(sizeof *m);
	*m = (struct commit){.c = c,
	                     .fn = fn,
	                     .ctx = ctx,
	                     .name = mem_strdup(s->sid),
	                     .message = mem_strdup(want->message),
	                     .tree = *want->tree,
	                     .parents = mem_array(want->n_parents + 1, sizeof(struct oid)),
	                     .n_parents = want->n_parents};
	memcpy(m->parents, want->parents, want->n_parents * sizeof(struct oid));
	c->commit = m;
	const struct sign_how how = how_of(s, m->name);
	const struct sign_text text = {&m->tree, m->parents, m->n_parents, s->row.author, m->message};
	if (sign_begin(&m->sign, &how, &text, &e) != 0)
		over(m, &made, &e);
	else
		run(m);
}

/* ---- for merges ---- */

int commit_stand_in(struct session *s, struct oid *out, const struct oid *of, const struct oid *parent, struct err *e)
{
	AUTO_FREE char *message = mem_printf("Stands in for %s\n\nBosk-Session: %s\nBosk-Queue: %s\n", of->hex, s->sid, s->row.queue);
	struct oid tree;

	if (gitx_tree_of(s->site->git, of, &tree, e) != 0)
		return -1;
	return gitx_commit_write(s->site->git, out, &tree, parent, parent ? 1 : 0, s->row.author, message, e);
}

/* ---- what is said ---- */

static char *note(const struct manifest_row *m)
{
	return mem_printf("%llu commit%s not signed: %s", (unsigned long long)m->not_signed,
	                  m->not_signed == 1 ? " is" : "s are", m->not_signed_why);
}

void commit_told(struct session *s, uint64_t n, const char *why)
{
	struct manifest_row *m = &s->manifest;
	AUTO_FREE char *before = m->not_signed ? note(m) : NULL;

	if (!n || !why)
		return;
	if (!m->not_signed)
		mem_set(&m->not_signed_why, why);
	m->not_signed += n;
	AUTO_FREE char *now = note(m);
	for (size_t i = 0; before && i < m->notes.n; i++)
		if (strcmp(m->notes.v[i], before) == 0) {
			mem_set(&m->notes.v[i], now);
			return;
		}
	strv_add(&m->notes, now);
}

void commit_say(struct core *c, uint64_t n, const char *why)
{
	if (!n || !why)
		return;
	if (!c->s->manifest.not_signed)
		view_say(c->view, "commits are not signed: %s%s", why,
		         commit_skips(c->s) ? "; it is not asked again by this run" : "");
	commit_told(c->s, n, why);
	turn_manifest(&c->turn);
}
