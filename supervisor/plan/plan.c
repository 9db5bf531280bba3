/* plan: loading plans, from files, text or stored definitions, and releasing them. What a task may
 * say is plan_task's business, what tasks may say of each other plan_check's. */
#include "plan_private.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "persona.h"
#include "queue_private.h"
#include "skills.h"
#include "stories.h"
#include "store/base/fs.h"
#include "store/base/mem.h"

/* ---- a finished plan ---- */

static int finish(struct plan *p, const char *barrier, struct err *e)
{
	if (plan_needs(p, barrier, e) != 0)
		return -1;

	char hash[SEAL_HEX];
	plan_write_hash(hash, p);
	p->content = mem_strdup(hash);
	return 0;
}

static void free_tasks(struct task_def *tasks, size_t n)
{
	for (size_t i = 0; i < n; i++)
		rec_fini(&task_def_rec, &tasks[i]);
	free(tasks);
}

void plan_fini(struct plan *p)
{
	free_tasks(p->tasks, p->n);
	free(p->kind);
	free(p->source);
	free(p->land);
	free(p->needs);
	free(p->needs_at);
	free(p->after);
	free(p->after_at);
	free(p->wave);
	free(p->content);
	strv_fini(&p->warnings);
	queue_free(p->queue, p->n);
	*p = (struct plan){0};
}

int plan_from_defs(struct plan *out, const char *kind, const char *barrier, struct task_def *defs, size_t n,
                   struct err *e)
{
	*out = (struct plan){
		.kind = mem_strdup(kind), .source = mem_strdup(""), .tasks = defs, .n = n};
	if (finish(out, barrier, e) == 0)
		return 0;
	plan_fini(out);
	return err_wrap(e, "stored plan");
}

/* ---- loading ---- */

static void read_tasks(struct plan_loader *l, const char *file, const char *folder,
                       const struct yaml_node *tasks)
{
	if (tasks->kind != YAML_LIST) {
		plan_fault(l, file, tasks, NULL, "tasks", "must be a list of tasks, not %s",
		           yaml_what(tasks));
		return;
	}
	if (!tasks->n)
		plan_fault(l, file, tasks, NULL, "tasks", "has no tasks");
	if (!plan_room(l, file, tasks, tasks->n))
		return;
	for (const struct yaml_node *v = tasks->first; v; v = v->next)
		plan_task_read(l, file, folder, v);
}

static const char no_file[] = "stories are changed with the code: name their files or the folder they lie in";

static const char status_key[] = "development_status"; /* of sprint-status.yaml */

static bool is_file(const char *file, const char *folder)
{
	return folder && strcmp(file, "-") != 0;
}

/* How all of it is landed; several files must not differ. */
static void read_land(struct plan_loader *l, const char *file, const struct yaml_node *v)
{
	static const char *const known[] = {"keep", "merge", "pr"};
	const char *word = v->kind == YAML_SCALAR ? v->text : "";
	bool right = false;

	for (size_t i = 0; i < MEM_COUNT(known); i++)
		right |= strcmp(word, known[i]) == 0;
	if (!right)
		plan_fault(l, file, v, NULL, "land", "must be keep, merge or pr");
	else if (l->land && strcmp(l->land, word) != 0)
		plan_fault(l, file, v, NULL, "land", "is %s, and %s in another file of this run: give --land", word, l->land);
	else
		l->land = word;
}

static void read_root(struct plan_loader *l, const char *file, const char *folder,
                      const struct yaml_node *root)
{
	static const char *const known[] = {"tasks", "land"};
	const char *kind = plan_foreign_kind(root);

	if (root->kind != YAML_MAP) {
		plan_fault(l, file, root, NULL, NULL,
		           "a plan must be a mapping with a list \"tasks\", not %s",
		           yaml_what(root));
		return;
	}
	if (!kind && segments_is(root)) {
		if (plan_takes(l, file, root, "segments"))
			segments_read(l, file, root);
		return;
	}
	if (!kind && yaml_get(root, status_key)) {
		if (!is_file(file, folder))
			plan_fault(l, file, root, NULL, NULL, no_file);
		else if (plan_takes(l, file, root, "stories"))
			stories_status(l, file, root);
		return;
	}
	if (!kind && !plan_kind_own(l, file, root))
		return;
	if (!plan_takes(l, file, root, kind ? kind : "plan"))
		return;
	const struct yaml_node *tasks = NULL;
	for (const struct yaml_node *v = root->first; v; v = v->next) {
		const char *key = v->key->text;
		if (strcmp(key, "tasks") == 0)
			tasks = v;
		else if (strcmp(key, "land") == 0 && !kind)
			read_land(l, file, v);
		else if (kind && strcmp(key, "kind") == 0)
			continue;
		else if (str_nearest(key, known, MEM_COUNT(known)))
			plan_fault(l, file, v->key, NULL, key, "a plan has no such key; did you mean \"%s\"?",
			           str_nearest(key, known, MEM_COUNT(known)));
		else
			plan_fault(l, file, v->key, NULL, key, "a plan has no such key, only \"tasks\" and \"land\"");
	}
	if (tasks)
		read_tasks(l, file, folder, tasks);
	else
		plan_fault(l, file, root, NULL, "tasks", "a plan must have a list \"tasks\"");
}

static void read_text(struct plan_loader *l, const char *name, const char *folder, const char *text,
                      size_t n)
{
	strv_add(&l->names, name);
	const char *file = l->names.v[l->names.n - 1];
	if (queue_looks(text, n)) {
		queue_read(l, file, is_file(file, folder) ? folder : NULL, text, n);
		return;
	}
	if (n > YAML_MAX_BYTES) {
		plan_fault(l, file, NULL, NULL, NULL, "is larger than 16 MiB: split it");
		return;
	}
	struct plan_faults found = {0}; /* aside: they may not be what is worth saying */
	struct yaml *doc = yaml_parse(file, text, n, &found);

	if (doc)
		l->docs[l->n_docs++] = doc;
	bool own = doc && (yaml_get(yaml_root(doc), "tasks") || yaml_get(yaml_root(doc), status_key) ||
	                   segments_is(yaml_root(doc)));
	if (!own && (plan_kind_markdown_name(file) ||
	             (str_utf8(text, n) && plan_kind_markdown(text)))) {
		if (!is_file(file, folder))
			plan_fault(l, file, NULL, NULL, NULL, no_file);
		else if (plan_takes(l, file, NULL, "stories"))
			stories_file(l, file, false);
	} else if (doc) {
		read_root(l, file, folder, yaml_root(doc));
	} else {
		for (size_t i = 0; i < found.n; i++)
			plan_faults_add(l->faults, file, found.v[i].line, found.v[i].column, NULL,
			                found.v[i].key, "%s", found.v[i].message);
		l->bad = true;
	}
	plan_faults_fini(&found);
}

/* How long a text that begins so may be: only queues, which are JSON, are read piece by piece. */
static size_t limit(const struct str *text)
{
	struct json_cut c;

	json_cut_start(&c, str_text(text), text->len < 4096 ? text->len : 4096);
	return json_cut_peek(&c) == '{' ? QUEUE_MAX_FILE : YAML_MAX_BYTES;
}

/* To the end, or to where it is too long for a plan. */
static int read_all(struct str *out, int fd, struct err *e)
{
	static char chunk[65536];
	ssize_t n = 0;

	while (out->len <= limit(out) && (n = read(fd, chunk, sizeof chunk)) != 0) {
		if (n > 0)
			str_addn(out, chunk, (size_t)n);
		else if (errno != EINTR)
			return err_sys(e, "cannot be read");
	}
	if (out->len > limit(out))
		return err_set(e, ERR_USAGE, "is larger than %zu MiB: split it", limit(out) >> 20);
	str_addn(out, "", 0);
	return 0;
}

static void read_file(struct plan_loader *l, const char *path)
{
	AUTO_STR struct str text = {0};
	AUTO_FREE char *folder = mem_strdup(path);
	AUTO_CLOSE int fd = -1;
	struct err e = {0};
	char *slash = strrchr(folder, '/');

	if (strcmp(path, "-") == 0) {
		if (read_all(&text, 0, &e) != 0)
			plan_fault(l, path, NULL, NULL, NULL, "%s", e.text);
		else
			read_text(l, path, ".", text.p, text.len);
	} else if (fs_is_dir(path) && plan_queues_folder(path)) {
		AUTO_FREE char *queue = plan_queues_choose(l, path);
		if (queue)
			read_file(l, queue);
	} else if (fs_is_dir(path)) {
		strv_add(&l->names, path);
		if (plan_takes(l, path, NULL, "stories"))
			stories_folder(l, l->names.v[l->names.n - 1]);
	} else if (!fs_exists(path) && stories_key(l, path)) {
		strv_add(&l->names, path);
		plan_takes(l, path, NULL, "stories");
	} else if (fs_is_pipe(path)) {
		plan_fault(l, path, NULL, NULL, NULL, "is a named pipe: give a file, or \"-\" and the text on standard input");
	} else if ((fd = open(path, O_RDONLY | O_CLOEXEC)) < 0) {
		plan_fault(l, path, NULL, NULL, NULL, "cannot be read: %s", strerror(errno));
	} else if (read_all(&text, fd, &e) != 0) {
		plan_fault(l, path, NULL, NULL, NULL, "%s", e.text);
	} else {
		if (slash)
			slash[slash == folder] = '\0';
		read_text(l, path, slash ? folder : ".", text.p, text.len);
	}
}

static void release(struct plan_loader *l)
{
	for (size_t i = 0; i < l->n_docs; i++)
		yaml_free(l->docs[i]);
	free(l->docs);
	free(l->origins);
	free_tasks(l->tasks, l->n);
	strv_fini(&l->names);
	strv_fini(&l->warnings);
	persona_free(l->personas);
	skills_free(l->skills);
	stories_free(l->stories);
	queue_free(l->queue, l->n);
}

/* After reading: what is left to check, then the plan or the faults. */
static int conclude(struct plan_loader *l, struct plan *out)
{
	struct err e = {0};

	if (l->n && !l->queue)
		plan_check(l);
	if (l->n && str_eq(l->kind, "segments"))
		segments_check(l);
	if (l->stories && l->n)
		plan_fault(l, NULL, NULL, NULL, NULL, "stories, or a plan that was made of them, not both");
	else if (l->stories)
		stories_finish(l);
	plan_check_sizes(l);
	*out = (struct plan){0};
	if (!l->bad) {
		AUTO_STR struct str source = {0};
		for (size_t i = 0; i < l->names.n; i++)
			str_addf(&source, "%s%s", i ? " " : "", l->names.v[i]);
		*out = (struct plan){.kind = mem_strdup(l->kind), .source = str_take(&source),
		                     .land = mem_strdup(l->land), .tasks = l->tasks, .n = l->n, .queue = l->queue, .warnings = l->warnings};
		l->tasks = NULL;
		l->queue = NULL;
		l->n = 0;
		l->warnings = (struct strv){0};
		if (finish(out, l->ctx ? l->ctx->barrier : PLAN_BARRIER_BARE, &e) != 0) { /* the barrier: plan_check found nothing */
			plan_fault(l, out->source, NULL, NULL, NULL, "%s", e.text);
			plan_fini(out);
		}
	}
	plan_faults_sort(l->faults);
	release(l);
	return l->bad ? -1 : 0;
}

int plan_load(struct plan *out, const char *const *files, size_t n, const struct plan_context *ctx,
              struct plan_faults *faults)
{
	struct plan_loader l = {.ctx = ctx, .faults = faults, .docs = mem_array(n, sizeof *l.docs)};

	for (size_t i = 0; i < n; i++)
		read_file(&l, files[i]);
	if (!n)
		plan_fault(&l, NULL, NULL, NULL, NULL, "no plan was given");
	return conclude(&l, out);
}

int plan_load_text(struct plan *out, const char *name, const char *text, size_t n,
                   const struct plan_context *ctx, struct plan_faults *faults)
{
	struct plan_loader l = {.ctx = ctx, .faults = faults, .docs = mem_array(1, sizeof *l.docs)};

	read_text(&l, name, NULL, text, n);
	return conclude(&l, out);
}
