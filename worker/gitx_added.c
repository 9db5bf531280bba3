/* gitx_added: what a tree has and another one has not, file by file and line by line, for whoever looks at what a task
 * adds. What .gitattributes, textconv or a diff driver say does not count: they are the task's to write. Renames are
 * files removed and added. */
#include "gitx_private.h"

#include <string.h>

#include "store/base/mem.h"
#include "utf16.h"

enum { BINARY_LOOK = 8000 }; /* as git: a NUL among these is no text */

struct adding {
	struct gitx *g;
	size_t max;
	gitx_added_fn *visit;
	void *ctx;
	bool stopped, failed;
	struct err *e;
};

struct ranges {
	struct gitx_lines *v;
	size_t n;
};

/* A link has a text, too: where it leads to. */
static bool is_text(uint16_t mode)
{
	return mode == GIT_FILEMODE_BLOB || mode == GIT_FILEMODE_BLOB_EXECUTABLE || mode == GIT_FILEMODE_LINK;
}

struct content {
	git_odb_object *blob; /* NULL = larger than is looked at */
	struct str wide;      /* what was UTF-16 */
	size_t size;          /* in the repository */
	const char *text;
	size_t n;
};

static void content_fini(struct content *c)
{
	git_odb_object_free(c->blob);
	str_fini(&c->wide);
}

static int read_content(struct adding *a, const git_oid *id, struct content *c, struct err *e)
{
	git_object_t type;

	int rc = git_odb_read_header(&c->size, &type, a->g->odb, id);
	if (rc < 0)
		return gitx_err(e, rc, "cannot read object %s", git_oid_tostr_s(id));
	if (c->size > a->max)
		return 0;
	c->blob = gitx_object(a->g, id, e);
	if (!c->blob)
		return -1;
	c->text = git_odb_object_data(c->blob);
	c->n = c->size;
	if (utf16_read(c->text, c->n, &c->wide)) {
		c->text = str_text(&c->wide);
		c->n = c->wide.len;
	}
	return 0;
}

/* Without context the lines of a hunk are those that are new. */
static int add_hunk(const git_diff_delta *delta, const git_diff_hunk *hunk, void *ctx)
{
	struct ranges *r = ctx;

	(void)delta;
	if (hunk->new_lines <= 0)
		return 0;
	r->v = mem_grow(r->v, r->n + 1, sizeof *r->v);
	r->v[r->n++] = (struct gitx_lines){(size_t)hunk->new_start, (size_t)hunk->new_lines};
	return 0;
}

/* The old text is not there, too large, or bytes: then all of the new one is new. */
static int compare(const struct content *old, struct gitx_added *f, struct ranges *r, struct err *e)
{
	git_diff_options opts;

	if (!old->text || f->binary) {
		r->v = mem_array(1, sizeof *r->v);
		r->v[r->n++] = (struct gitx_lines){1, SIZE_MAX};
		return 0;
	}
	git_diff_options_init(&opts, GIT_DIFF_OPTIONS_VERSION);
	opts.flags = GIT_DIFF_FORCE_TEXT;
	opts.context_lines = 0;
	opts.interhunk_lines = 0;
	int rc = git_diff_buffers(old->text, old->n, NULL, f->text, f->n, NULL, &opts, NULL, NULL, add_hunk, NULL, r);
	return rc < 0 ? gitx_err(e, rc, "cannot compare %s with what it was", f->path) : 0;
}

static int look_at(struct adding *a, const git_diff_delta *d, struct content *new, struct content *old, struct err *e)
{
	struct ranges r = {0};
	bool was = d->status != GIT_DELTA_ADDED && is_text(d->old_file.mode);

	if (read_content(a, &d->new_file.id, new, e) != 0 || (was && read_content(a, &d->old_file.id, old, e) != 0))
		return -1;
	struct gitx_added f = {.path = d->new_file.path, .fresh = !was, .size = new->size, .text = new->text, .n = new->n,
	                       .executable = d->new_file.mode == GIT_FILEMODE_BLOB_EXECUTABLE,
	                       .link = d->new_file.mode == GIT_FILEMODE_LINK,
	                       .binary = new->text && memchr(new->text, 0, new->n < BINARY_LOOK ? new->n : BINARY_LOOK)};
	int rc = f.text ? compare(old, &f, &r, e) : 0;
	f.lines = r.v;
	f.n_lines = r.n;
	if (rc == 0 && !a->visit(a->ctx, &f))
		a->stopped = true;
	free(r.v);
	return rc;
}

static int look(struct adding *a, const git_diff_delta *d, struct err *e)
{
	struct content new = {0}, old = {0};
	int rc = look_at(a, d, &new, &old, e);

	content_fini(&new);
	content_fini(&old);
	return rc;
}

/* Called for every difference. Returning 1 keeps it out of the git_diff, which is thrown away. */
static int visit_delta(const git_diff *diff, const git_diff_delta *delta, const char *spec, void *ctx)
{
	struct adding *a = ctx;

	(void)diff;
	(void)spec;
	if (delta->status == GIT_DELTA_DELETED || !is_text(delta->new_file.mode))
		return 1;
	a->failed = look(a, delta, a->e) != 0;
	return a->failed || a->stopped ? -1 : 1;
}

int gitx_added(struct gitx *g, const struct oid *base, const struct oid *tree, size_t max, gitx_added_fn *visit,
               void *ctx, struct err *e)
{
	GITX_AUTO(git_tree) a = NULL;
	GITX_AUTO(git_tree) b = NULL;
	GITX_AUTO(git_diff) diff = NULL;
	git_diff_options opts;
	struct adding adding = {.g = g, .max = max, .visit = visit, .ctx = ctx, .e = e};

	if (gitx_tree_at(g, base, &a, e) != 0 || gitx_tree_at(g, tree, &b, e) != 0)
		return -1;
	if (!b)
		return 0;
	git_diff_options_init(&opts, GIT_DIFF_OPTIONS_VERSION);
	/* A link that became a file comes once. */
	opts.flags = GIT_DIFF_INCLUDE_TYPECHANGE | GIT_DIFF_INCLUDE_TYPECHANGE_TREES;
	opts.notify_cb = visit_delta;
	opts.payload = &adding;
	int rc = git_diff_tree_to_tree(&diff, g->repo, a, b, &opts);
	if (adding.failed)
		return err_wrap(e, "cannot look at what was added");
	if (rc < 0 && !adding.stopped)
		return gitx_err(e, rc, "cannot compare the trees %s and %s", base->hex, tree->hex);
	git_error_clear();
	return 0;
}
