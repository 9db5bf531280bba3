/* order: the rules, over a recorded run (promises A2, A5, D1; architecture 5.8 and 5.11).
 *
 *   value    a ref's file is flushed before it is renamed into place
 *   objects  everything that a ref reaches is on the disk, bytes and names, before the ref names it
 *   store    a commit of the store names no object that is not on the disk, nor a commit whose refs
 *            are not: of the refs that have it now, one at least, and the landing's target
 *   intent   a ref of the session, or the landing's target, moves to what the store has named
 *   landing  the store names no landing before the checkout's files and index are on the disk
 *   removal  a branch or a worktree goes when its commit is reached from a ref that is on the disk
 *
 * Branches of tasks (refs/heads/bosk/) are moved by the agent's own git too, which flushes nothing: for
 * them the first two count when the store names their commit. */
#include "order.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "prefixes.h"
#include "store/base/mem.h"

enum rule { VALUE, OBJECTS, STORE, INTENT, LANDING, REMOVAL, RULES };
static const char *const rule_names[RULES] = {"value", "objects", "store", "intent", "landing", "removal"};

struct ref {
	char *name;     /* repo/.git/refs/... */
	char value[41]; /* "" = gone */
	char first[41]; /* before the run; "" = not there */
	bool moved;
};

struct reach {
	char commit[41];
	struct strv objects; /* all it reaches, but what was there before the run */
};

struct order {
	const struct image *im;
	const char *repo;
	struct ref *refs;
	size_t n_refs;
	struct reach *reaches;
	size_t n_reaches;
	struct strv named, fresh; /* in the store: since the run began; since the last commit */
	struct strv removed;      /* worktrees that were looked at */
	size_t wrong, asked[RULES];
};

static void ask(struct order *o, enum rule rule)
{
	o->asked[rule]++;
}

static void violation(struct order *o, enum rule rule, const struct op *op, size_t index, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));
static void violation(struct order *o, enum rule rule, const struct op *op, size_t index, const char *fmt, ...)
{
	va_list ap;

	o->wrong++;
	printf("%s: operation %zu (line %zu, %s %s): ", rule_names[rule], index, op->line, trace_name(op->kind),
	       op->to ? op->to : op->path);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
}

static bool hex40(const char *p)
{
	for (int i = 0; i < 40; i++)
		if (!isxdigit((unsigned char)p[i]) || isupper((unsigned char)p[i]))
			return false;
	return true;
}

/* ---- objects ---- */

/* `git rev-list`, in the repository as the run left it: all its objects are there. */
static const struct strv *reached(struct order *o, const char *commit)
{
	for (size_t i = 0; i < o->n_reaches; i++)
		if (strcmp(o->reaches[i].commit, commit) == 0)
			return &o->reaches[i].objects;
	AUTO_STR struct str command = {0};
	char line[256];

	str_addf(&command, "git -C '%s' rev-list --objects --no-object-names %s", o->repo, commit);
	for (size_t i = 0; i < o->n_refs; i++)
		if (o->refs[i].first[0])
			str_addf(&command, " ^%s", o->refs[i].first);
	o->reaches = mem_grow(o->reaches, o->n_reaches + 1, sizeof *o->reaches);
	struct reach *r = &o->reaches[o->n_reaches++];
	*r = (struct reach){0};
	memcpy(r->commit, commit, 41);
	FILE *f = popen(command.p, "r");
	while (f && fgets(line, sizeof line, f)) {
		line[strcspn(line, "\n")] = '\0';
		strv_add(&r->objects, line);
	}
	if (!f || pclose(f) != 0)
		prefixes_die("%s failed", command.p);
	return &r->objects;
}

static char *object_path(const char *id)
{
	return mem_printf("repo/.git/objects/%.2s/%s", id, id + 2);
}

/* The first that `commit` reaches and that is not on the disk. */
static const char *unflushed(struct order *o, const char *commit)
{
	const struct strv *all = reached(o, commit);
	for (size_t i = 0; i < all->n; i++) {
		AUTO_FREE char *path = object_path(all->v[i]);
		if (!image_durable(o->im, path))
			return all->v[i];
	}
	return NULL;
}

static bool made_in_run(struct order *o, const char *id)
{
	AUTO_FREE char *path = object_path(id);
	const struct node *n = image_find(o->im, path);
	return n && n->made;
}

/* ---- refs ---- */

static struct ref *ref_at(struct order *o, const char *path)
{
	for (size_t i = 0; i < o->n_refs; i++)
		if (strcmp(o->refs[i].name, path) == 0)
			return &o->refs[i];
	o->refs = mem_grow(o->refs, o->n_refs + 1, sizeof *o->refs);
	o->refs[o->n_refs] = (struct ref){.name = mem_strdup(path)};
	return &o->refs[o->n_refs++];
}

static void load_one(void *ctx, const char *path, const struct node *n, const char *bytes, size_t len)
{
	struct order *o = ctx;
	if (n->kind == NODE_FILE && str_starts(path, "repo/.git/refs/") && len >= 40 && hex40(bytes)) {
		struct ref *r = ref_at(o, path);
		memcpy(r->value, bytes, 40);
		memcpy(r->first, bytes, 40);
	}
}

struct order *order_new(const struct image *im, const char *repo_now)
{
	struct order *o = mem_alloc(sizeof *o);
	o->im = im;
	o->repo = repo_now;
	image_each(im, CUT_ALL, 0, load_one, o);
	return o;
}

void order_free(struct order *o)
{
	for (size_t i = 0; i < o->n_refs; i++)
		free(o->refs[i].name);
	for (size_t i = 0; i < o->n_reaches; i++)
		strv_fini(&o->reaches[i].objects);
	free(o->refs);
	free(o->reaches);
	strv_fini(&o->named);
	strv_fini(&o->fresh);
	strv_fini(&o->removed);
	free(o);
}

static bool is_ref(const char *path)
{
	return str_starts(path, "repo/.git/refs/") && !str_ends(path, ".lock");
}

static bool of_task(const char *path)
{
	return str_starts(path, "repo/.git/refs/heads/bosk/");
}

static bool reaches(struct order *o, const char *from, const char *commit)
{
	return strv_has(reached(o, from), commit);
}

/* Some ref, not `but`, that is on the disk and reaches it. */
static bool held(struct order *o, const char *commit, const struct ref *but)
{
	if (!made_in_run(o, commit))
		return true;
	for (size_t i = 0; i < o->n_refs; i++) {
		const struct ref *r = &o->refs[i];
		if (r != but && r->value[0] && image_durable(o->im, r->name) && reaches(o, r->value, commit))
			return true;
	}
	return false;
}

static void ref_written(struct order *o, const struct op *op, size_t index)
{
	const struct node *n = image_find(o->im, op->to);
	struct ref *r = ref_at(o, op->to);
	bool changed = n->bytes.len >= 40 && strncmp(r->value, n->bytes.p, 40) != 0;

	if (!changed || !hex40(n->bytes.p))
		return;
	bool there = r->value[0] != '\0';
	memcpy(r->value, n->bytes.p, 40);
	r->moved = true;
	if (!made_in_run(o, r->value))
		return;
	if (of_task(r->name))
		return;
	ask(o, VALUE);
	if (!image_data_flushed(n))
		violation(o, VALUE, op, index, "its value is not flushed");
	ask(o, OBJECTS);
	const char *missing = unflushed(o, r->value);
	if (missing)
		violation(o, OBJECTS, op, index, "reaches %s, which is not on the disk", missing);
	if (there && !str_starts(r->name, "repo/.git/refs/bosk/keep/")) {
		ask(o, INTENT);
		if (!strv_has(&o->named, r->value))
			violation(o, INTENT, op, index, "the store has not named %s", r->value);
	}
}

/* ---- the store ---- */

static void collect(struct order *o, const struct op *op)
{
	for (size_t i = 0; i + 40 <= op->data.len; i++) {
		const char *p = op->data.p + i;
		if (!hex40(p))
			continue;
		AUTO_FREE char *id = mem_strndup(p, 40);
		if (!strv_has(&o->fresh, id) && made_in_run(o, id))
			strv_add(&o->fresh, id);
		i += 39;
	}
}

static bool on_disk(struct order *o, const char *id)
{
	bool any = false, disk = false;
	for (size_t i = 0; i < o->n_refs; i++) {
		const struct ref *r = &o->refs[i];
		if (strcmp(r->value, id) != 0)
			continue;
		any = true;
		disk = disk || image_durable(o->im, r->name);
		if (r->first[0] && !image_durable(o->im, r->name))
			return false;
	}
	return !any || disk;
}

struct files {
	struct order *o;
	const char *first;
};

static void checkout_file(void *ctx, const char *path, const struct node *n, const char *bytes, size_t len)
{
	struct files *f = ctx;
	(void)bytes;
	(void)len;
	bool index = str_eq(path, "repo/.git/index");
	if (f->first || !n->changed || (!index && (!str_starts(path, "repo/") || str_starts(path, "repo/.git/"))))
		return;
	ask(f->o, LANDING);
	if (!image_durable(f->o->im, path))
		f->first = mem_strdup(path);
}

static void store_committed(struct order *o, const struct op *op, size_t index)
{
	for (size_t i = 0; i < o->fresh.n; i++) {
		const char *id = o->fresh.v[i];
		ask(o, STORE);
		const char *missing = unflushed(o, id);
		if (missing)
			violation(o, STORE, op, index, "names %s, which reaches %s, not on the disk", id, missing);
		if (!on_disk(o, id))
			violation(o, STORE, op, index, "names %s, of which no ref is on the disk", id);
		for (size_t k = 0; k < o->n_refs; k++) {
			struct files f = {.o = o};
			if (!o->refs[k].first[0] || !o->refs[k].moved || strcmp(o->refs[k].value, id) != 0)
				continue;
			image_each(o->im, CUT_ALL, 0, checkout_file, &f);
			if (f.first)
				violation(o, LANDING, op, index, "names %s, and %s is not on the disk", id, f.first);
		}
		if (!strv_has(&o->named, id))
			strv_add(&o->named, id);
	}
	strv_fini(&o->fresh);
	o->fresh = (struct strv){0};
}

/* ---- removals ---- */

static void ref_removed(struct order *o, const struct op *op, size_t index)
{
	struct ref *r = ref_at(o, op->path);
	ask(o, REMOVAL);
	if (r->value[0] && !held(o, r->value, r))
		violation(o, REMOVAL, op, index, "%s is not reached from a ref on the disk", r->value);
	r->value[0] = '\0';
}

/* The first thing that goes from a worktree that has a commit. */
static void worktree_removed(struct order *o, const struct op *op, size_t index)
{
	const char *name = op->path + strlen("repo.worktrees/");
	AUTO_FREE char *slot = mem_strndup(name, strcspn(name, "/"));
	AUTO_FREE char *head_path = mem_printf("repo/.git/worktrees/%s/HEAD", slot);
	const struct node *head = image_find(o->im, head_path);
	const char *value = head ? str_text(&head->bytes) : "";

	if (!head || strv_has(&o->removed, slot))
		return;
	strv_add(&o->removed, slot);
	AUTO_FREE char *text = mem_strndup(value, strcspn(value, "\n"));
	if (str_starts(text, "ref: ")) {
		AUTO_FREE char *path = mem_printf("repo/.git/%s", text + 5);
		memcpy(text, ref_at(o, path)->value, 41 < strlen(text) ? 41 : strlen(text));
	}
	ask(o, REMOVAL);
	if (strlen(text) == 40 && hex40(text) && !held(o, text, NULL))
		violation(o, REMOVAL, op, index, "HEAD of the worktree, %s, is not reached from a ref on the disk", text);
}

/* ---- one operation ---- */

void order_before(struct order *o, const struct op *op, size_t index)
{
	bool data = str_eq(op->path, "repo/.git/bosk/store/data.mdb");

	if (op->kind == OP_WRITE && data && op->flag)
		store_committed(o, op, index);
	else if (op->kind == OP_WRITE && data)
		collect(o, op);
	else if (op->kind == OP_UNLINK && is_ref(op->path))
		ref_removed(o, op, index);
	else if (op->kind == OP_UNLINK && str_starts(op->path, "repo.worktrees/") && str_ends(op->path, "/.git"))
		worktree_removed(o, op, index);
}

void order_after(struct order *o, const struct op *op, size_t index)
{
	if ((op->kind == OP_RENAME || op->kind == OP_LINK) && is_ref(op->to))
		ref_written(o, op, index);
}

size_t order_wrong(const struct order *o)
{
	return o->wrong;
}

bool order_asked(const struct order *o, char *const *rules)
{
	bool all = true;

	printf("rules asked:");
	for (int i = 0; i < RULES; i++)
		printf(" %s %zu", rule_names[i], o->asked[i]);
	printf("\n");
	for (; *rules; rules++) {
		size_t n = 0;
		for (int i = 0; i < RULES; i++)
			if (str_eq(*rules, rule_names[i]))
				n = o->asked[i];
		if (!n)
			printf("the rule %s was never asked\n", *rules);
		all = all && n;
	}
	return all;
}
