/* queue_index: queues/index.json, which says which queues are active, and in which order. It is only a help: what is wrong
 * with it is a warning. */
#include "queue_private.h"

#include <string.h>

#include "store/base/fs.h"
#include "store/base/mem.h"

struct reading {
	struct queue_index *out;
	struct json_fault f;
};

static int read_entry(struct reading *g, struct json_cut *c)
{
	struct queue_index *out = g->out;
	struct json_span span;
	struct json_t *j;
	uint64_t rank;

	if (json_cut_value(c, &j, &span, &g->f) != 0)
		return -1;
	const char *id = json_get_text(j, "id");
	if (id && out->n < QUEUE_MAX_FILES) {
		out->v = mem_grow(out->v, out->n + 1, sizeof *out->v);
		out->v[out->n++] = (struct queue_entry){
			.id = mem_strdup(id), .raw = mem_strndup(span.p, span.n), .line = span.line,
			.rank = json_u64(json_get(j, "priority"), &rank) && rank < UINT64_MAX ? rank + 1 : 0};
	}
	json_free(j);
	return 0;
}

static void add_active(struct queue_index *out, const char *id)
{
	if (id && out->active.n < QUEUE_MAX_FILES && !strv_has(&out->active, id))
		strv_add(&out->active, id);
}

static int read_member(struct reading *g, struct json_cut *c, const char *key)
{
	struct json_t *j;
	int rc;

	if (strcmp(key, "queues") == 0 && json_cut_peek(c) == '[') {
		rc = json_cut_open(c, '[', &g->f);
		while (rc == 0 && (rc = json_cut_element(c, &g->f)) == 1)
			rc = read_entry(g, c);
		return rc;
	}
	if (json_cut_value(c, &j, NULL, &g->f) != 0)
		return -1;
	if (strcmp(key, "active_queue_ids") == 0 || strcmp(key, "active_queue_id") == 0) {
		add_active(g->out, json_text(j));
		for (size_t i = 0; i < json_count(j) && i < QUEUE_MAX_FILES; i++)
			add_active(g->out, json_text(json_nth(j, i)));
	}
	json_free(j);
	return 0;
}

void queue_index_read(struct queue_index *out, struct strv *warnings, const char *path)
{
	AUTO_STR struct str text = {0};
	struct reading g = {.out = out};
	struct err e = {0};
	struct json_cut c;
	int rc;

	*out = (struct queue_index){0};
	if (!fs_exists(path))
		return;
	bool pipe = fs_is_pipe(path);
	if (pipe || fs_read(path, QUEUE_MAX_INDEX, &text, &e) != 0) {
		strv_addf(warnings, "%s%s: it is left out", pipe ? path : e.text, pipe ? ": a named pipe" : "");
		return;
	}
	json_cut_start(&c, text.p, text.len);
	rc = json_cut_open(&c, '{', &g.f);
	while (rc == 0) {
		AUTO_FREE char *key = NULL;
		rc = json_cut_member(&c, &key, &g.f);
		if (rc != 1)
			break;
		rc = read_member(&g, &c, key);
	}
	if (rc != 0)
		strv_addf(warnings, "%s:%zu:%zu: %s: what follows is left out", path, g.f.line, g.f.column, g.f.text);
}

const struct queue_entry *queue_index_find(const struct queue_index *x, const char *id)
{
	for (size_t i = 0; id && i < x->n; i++)
		if (strcmp(x->v[i].id, id) == 0)
			return &x->v[i];
	return NULL;
}

void queue_index_fini(struct queue_index *x)
{
	for (size_t i = 0; i < x->n; i++) {
		free(x->v[i].id);
		free(x->v[i].raw);
	}
	free(x->v);
	strv_fini(&x->active);
	*x = (struct queue_index){0};
}
