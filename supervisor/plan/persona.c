/* persona: finds and reads persona files, each once for a plan. */
#include "persona.h"

#include <string.h>

#include "folders.h"
#include "front.h"
#include "skills.h"
#include "store/base/mem.h"

struct personas {
	struct strv folders;
	struct persona **v;
	size_t n;
};

static const char usual_folder[] = "global_workflows/personas";

static struct personas *all(struct plan_loader *l)
{
	const struct plan_context *ctx = l->ctx;

	if (l->personas)
		return l->personas;
	l->personas = mem_alloc(sizeof *l->personas);
	bool configured = ctx->personas && ctx->personas->n;
	for (size_t i = 0; configured && i < ctx->personas->n; i++) {
		char *path = folders_path(ctx->top, ctx->personas->v[i]);
		if (path)
			strv_give(&l->personas->folders, path);
	}
	if (!configured && ctx->top)
		strv_addf(&l->personas->folders, "%s/%s", ctx->top, usual_folder);
	return l->personas;
}

/* ---- front matter ---- */

/* A fault in the persona's own file. */
static void fault(struct plan_loader *l, struct persona *p, const struct yaml_node *at, const char *key,
                  const char *text)
{
	plan_fault(l, p->path, at, NULL, key, "%s", text);
	p->bad = true;
}

/* A pattern means the skills that fit it, maybe none; a name must be there. */
static void add_skill(struct plan_loader *l, struct persona *p, const struct yaml_node *v)
{
	AUTO_STRV struct strv names = {0};
	struct plan_reader r = {.l = l, .file = p->path};

	if (!skills_is_pattern(v->text)) {
		if (skills_find(&r, v, v->text))
			strv_add(&names, v->text);
	} else {
		skills_match(l, v->text, &names);
		if (!names.n)
			strv_addf(&l->warnings, "%s:%u:%u: skills: no skill fits \"%s\"", p->path, v->line, v->column,
			          v->text);
	}
	for (size_t i = 0; i < names.n; i++)
		if (!strv_has(&p->skills, names.v[i]))
			strv_add(&p->skills, names.v[i]);
}

static void read_skills(struct plan_loader *l, struct persona *p, const struct yaml_node *v)
{
	if (v->kind != YAML_LIST || v->n > PLAN_MAX_LIST) {
		fault(l, p, v, "skills", "must be a list of names or patterns, such as [api-patterns, nodejs-*]");
		return;
	}
	for (const struct yaml_node *i = v->first; i; i = i->next) {
		if (i->kind != YAML_SCALAR || !i->len || i->len > PLAN_ID_MAX)
			fault(l, p, i, "skills", "must be a name or pattern of at most 64 bytes");
		else
			add_skill(l, p, i);
	}
}

static void read_front(struct plan_loader *l, struct persona *p, const struct yaml_node *root)
{
	const struct yaml_node *model = yaml_get(root, "model"), *skills = yaml_get(root, "skills");

	if (model && !yaml_is_null(model)) {
		if (model->kind == YAML_SCALAR && model->len && model->len <= 128)
			p->model = mem_strdup(model->text);
		else
			fault(l, p, model, "model", "must be a text of at most 128 bytes");
	}
	if (skills && !yaml_is_null(skills))
		read_skills(l, p, skills);
}

static void read_text(struct plan_loader *l, struct persona *p, const char *text, size_t n)
{
	struct front front;
	struct plan_faults found = {0};

	if (front_read(&front, p->path, text, n, &found) != 0) {
		for (size_t i = 0; i < found.n; i++)
			plan_faults_add(l->faults, p->path, found.v[i].line, found.v[i].column, NULL, found.v[i].key,
			                "%s", found.v[i].message);
		l->bad = p->bad = true;
	}
	plan_faults_fini(&found);
	if (front.doc)
		read_front(l, p, yaml_root(front.doc));
	p->body = mem_strdup(text + front.body);
	if (!p->bad && plan_read_blank(p->body))
		fault(l, p, NULL, NULL, "says nothing: a persona's text is what its segments' prompts begin with");
	front_fini(&front);
}

/* ---- finding ---- */

const struct persona *persona_find(struct plan_reader *r, const struct yaml_node *at, const char *name)
{
	struct plan_loader *l = r->l;
	const char *wrong = plan_id_fault(name);

	if (wrong || !l->ctx) {
		PLAN_FAULT(r, at, "persona", "\"%.80s\": %s", name,
		           wrong ? "a persona's name is that of its file, without .md: letters, digits, . _ and -"
		                 : "there is no folder of personas here");
		return NULL;
	}
	struct personas *known = all(l);
	for (size_t i = 0; i < known->n; i++)
		if (strcmp(known->v[i]->name, name) == 0)
			return known->v[i];
	AUTO_STR struct str where = {0};
	for (size_t i = 0; i < known->folders.n; i++) {
		AUTO_STR struct str text = {0};
		AUTO_FREE char *path = mem_printf("%s/%s.md", known->folders.v[i], name), *why = NULL;
		int rc = folders_read(l->ctx, path, &text, &why);
		if (rc < 0) {
			PLAN_FAULT(r, at, "persona", "\"%s\": %s", name, why);
			return NULL;
		}
		if (rc == 0)
			continue;
		struct persona *p = mem_alloc(sizeof *p);
		p->name = mem_strdup(name);
		p->path = mem_steal(&path);
		known->v = mem_grow(known->v, known->n + 1, sizeof *known->v);
		known->v[known->n++] = p;
		read_text(l, p, str_text(&text), text.len);
		return p;
	}
	folders_list(&known->folders, &where);
	PLAN_FAULT(r, at, "persona", "there is no persona \"%s\": no file %s.md in %s; folders of personas are the "
	           "setting `personas`", name, name, where.len ? where.p : "any folder");
	return NULL;
}

void persona_free(struct personas *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->n; i++) {
		free(p->v[i]->name);
		free(p->v[i]->path);
		free(p->v[i]->body);
		free(p->v[i]->model);
		strv_fini(&p->v[i]->skills);
		free(p->v[i]);
	}
	free(p->v);
	strv_fini(&p->folders);
	free(p);
}
