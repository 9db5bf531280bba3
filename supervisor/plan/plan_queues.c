/* plan_queues: the queues of a folder of issues (.workflow/issues), and which of them is meant. */
#include "queue_private.h"

#include <dirent.h>
#include <string.h>

#include "store/base/fs.h"
#include "store/base/mem.h"

/* A queue's file, without its items. */
struct file {
	char *path, *id;
	bool active; /* by its status */
	bool named;  /* the index says that it is active */
	uint64_t rank;
};

struct files {
	struct file *v;
	size_t n;
	struct queue_index index;
};

bool plan_queues_folder(const char *path)
{
	AUTO_FREE char *issues = mem_printf("%s/issues.jsonl", path), *queues = mem_printf("%s/queues", path);

	return fs_exists(issues) || fs_is_dir(queues);
}

/* What a file says of itself, as far as it can be read. */
static void glance(struct file *f, const char *text, size_t n)
{
	AUTO_FREE char *status = NULL;
	struct json_cut c;
	struct json_fault fault;
	struct json_span span;
	bool ok;

	json_cut_start(&c, text, n);
	ok = json_cut_open(&c, '{', &fault) == 0;
	while (ok) {
		AUTO_FREE char *key = NULL;
		struct json_cut at;
		struct json_t *j = NULL;
		if (json_cut_member(&c, &key, &fault) != 1)
			break;
		at = c;
		ok = json_cut_skip(&c, &span, &fault) == 0;
		bool id = strcmp(key, "id") == 0 || (!f->id && strcmp(key, "queue_id") == 0);
		if (!ok || (!id && strcmp(key, "status") != 0) || json_cut_value(&at, &j, NULL, &fault) != 0)
			continue;
		if (json_text(j))
			mem_set(id ? &f->id : &status, json_text(j));
		json_free(j);
	}
	f->active = ok && (!status || str_eq(status, "active") || str_eq(status, "pending"));
}

static void add(struct files *all, struct strv *warnings, const char *folder, const char *name)
{
	AUTO_STR struct str text = {0};
	struct file f = {.path = mem_printf("%s/%s", folder, name)};
	struct err e = {0};

	bool pipe = fs_is_pipe(f.path);
	if (pipe || fs_read(f.path, QUEUE_MAX_FILE, &text, &e) != 0) {
		strv_addf(warnings, "%s%s: it is left out", pipe ? f.path : e.text, pipe ? ": a named pipe" : "");
		free(f.path);
		return;
	}
	glance(&f, text.p, text.len);
	if (!f.id)
		f.id = mem_strndup(name, strlen(name) - 5);
	const struct queue_entry *entry = queue_index_find(&all->index, f.id);
	f.rank = entry ? entry->rank : 0;
	f.named = strv_has(&all->index.active, f.id);
	all->v = mem_grow(all->v, all->n + 1, sizeof *all->v);
	all->v[all->n++] = f;
}

static bool called_so(const struct file *f)
{
	size_t n = strlen(f->id);
	const char *name = strrchr(f->path, '/') + 1;

	return strncmp(name, f->id, n) == 0 && strcmp(name + n, ".json") == 0;
}

/* By rank, those without one last; then by id; of two with one id the file that is called so first. */
static int by_rank(const void *a, const void *b)
{
	const struct file *x = a, *y = b;

	if (x->rank != y->rank)
		return x->rank - 1 < y->rank - 1 ? -1 : 1;
	int order = strcmp(x->id, y->id);
	if (!order)
		order = (int)called_so(y) - (int)called_so(x);
	return order ? order : strcmp(x->path, y->path);
}

static int list(struct files *all, struct strv *warnings, const char *path, struct err *e)
{
	AUTO_FREE char *queues = mem_printf("%s/queues", path), *index = mem_printf("%s/index.json", queues);
	AUTO_FREE char *old = mem_printf("%s/queue.json", path);
	AUTO_STRV struct strv names = {0};
	DIR *dir = opendir(queues);

	*all = (struct files){0};
	if (!dir && fs_exists(queues))
		return err_sys(e, "cannot read the folder %s", queues);
	queue_index_read(&all->index, warnings, index);
	for (struct dirent *d; dir && names.n <= QUEUE_MAX_FILES && (d = readdir(dir));)
		if (*d->d_name != '.' && str_ends(d->d_name, ".json") && strcmp(d->d_name, "index.json") != 0)
			strv_add(&names, d->d_name);
	if (dir)
		closedir(dir);
	if (names.n > QUEUE_MAX_FILES)
		return err_set(e, ERR_USAGE, "%s has more than %d queues", queues, QUEUE_MAX_FILES);
	strv_sort(&names);
	for (size_t i = 0; i < names.n; i++)
		add(all, warnings, queues, names.v[i]);
	if (fs_exists(old))
		add(all, warnings, path, "queue.json");
	if (all->n)
		qsort(all->v, all->n, sizeof *all->v, by_rank);
	return 0;
}

static void files_fini(struct files *all)
{
	for (size_t i = 0; i < all->n; i++) {
		free(all->v[i].path);
		free(all->v[i].id);
	}
	free(all->v);
	queue_index_fini(&all->index);
}

int plan_queue_files(struct strv *out, const char *folder, struct err *e)
{
	AUTO_STRV struct strv warnings = {0}; /* said again when the queues are read */
	struct files all;
	int rc = list(&all, &warnings, folder, e);

	for (size_t i = 0; rc == 0 && i < all.n; i++)
		strv_add(out, all.v[i].path);
	files_fini(&all);
	if (rc == 0 && !out->n)
		return err_set(e, ERR_USAGE, "%s has no queues", folder);
	return rc;
}

/* ---- the one that is meant ---- */

static bool is_active(const struct file *f, int strict)
{
	return strict == 0 ? f->active && f->named : strict == 1 ? f->active : f->named;
}

static void name_all(const struct files *all, struct str *out)
{
	enum { SHOWN = 10 };
	for (size_t i = 0; i < all->n && i < SHOWN; i++)
		str_addf(out, "%s%.64s", i ? ", " : "", all->v[i].id);
	if (all->n > SHOWN)
		str_addf(out, " and %zu more", all->n - SHOWN);
}

static const struct file *find(const struct files *all, const char *id)
{
	AUTO_FREE char *end = mem_printf("/%s.json", id);
	const struct file *found = NULL;

	for (size_t i = 0; i < all->n; i++) {
		const struct file *f = &all->v[i];
		if (str_eq(f->id, id) && (!found || str_ends(f->path, end)))
			found = f;
		else if (!found && str_ends(f->path, end))
			found = f;
	}
	return found;
}

/* The first active one; the others are told of. */
static const struct file *first(struct plan_loader *l, const struct files *all, const char *path)
{
	const struct file *found = NULL;
	AUTO_STR struct str others = {0};

	for (int strict = 0; strict < 3 && !found; strict++)
		for (size_t i = 0; i < all->n; i++) {
			const struct file *f = &all->v[i];
			if (!is_active(f, strict))
				continue;
			if (!found)
				found = f;
			else if (!str_eq(f->id, found->id))
				str_addf(&others, "%s%.64s", others.len ? ", " : "", f->id);
		}
	if (!found && all->n == 1)
		found = all->v;
	if (others.len)
		strv_addf(&l->warnings, "%s: %s is taken; also active: %s", path, found->id, others.p);
	return found;
}

char *plan_queues_choose(struct plan_loader *l, const char *path)
{
	const char *wanted = l->ctx ? l->ctx->queue : NULL;
	AUTO_STR struct str names = {0};
	struct err e = {0};
	struct files all;
	char *out = NULL;

	if (list(&all, &l->warnings, path, &e) != 0) {
		plan_fault(l, path, NULL, NULL, NULL, "%s", e.text);
	} else if (!all.n) {
		plan_fault(l, path, NULL, NULL, NULL, "there is no queue in this folder of issues: make one first");
	} else {
		const struct file *f = wanted ? find(&all, wanted) : first(l, &all, path);
		name_all(&all, &names);
		if (f)
			out = mem_strdup(f->path);
		else if (wanted)
			plan_fault(l, path, NULL, NULL, NULL, "it has no queue %.64s; there are: %s", wanted, names.p);
		else
			plan_fault(l, path, NULL, NULL, NULL, "none of its queues is active; name the file of one of: %s",
			           names.p);
	}
	files_fini(&all);
	return out;
}
