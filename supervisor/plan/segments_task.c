/* segments_task: one segment of a plan becomes a task: its names are checked, its persona, skills and model found. Knows
 * nothing of the other segments. */
#include "segments.h"

#include <string.h>

#include "persona.h"
#include "skills.h"
#include "store/base/mem.h"

struct segment {
	struct plan_reader r;
	const struct persona *persona;
	const struct yaml_node *persona_at, *model_at;
	bool parallel;
};

/* ---- keys ---- */

static void read_id(struct segment *s, const struct yaml_node *v)
{
	struct plan_reader *r = &s->r;
	const char *wrong = v->kind == YAML_SCALAR && !yaml_is_null(v) ? plan_id_fault(v->text) : NULL;

	if (v->kind != YAML_SCALAR || yaml_is_null(v)) {
		PLAN_FAULT(r, v, v->key->text, "must be a text, not %s", yaml_what(v));
		return;
	}
	if (wrong)
		PLAN_FAULT(r, v, v->key->text, "%s", wrong);
	if (r->d->id) {
		PLAN_FAULT(r, v, v->key->text, "a segment has one id");
		return;
	}
	/* Kept although wrong, so that what names it is not faulted again. */
	if (*v->text && v->len <= PLAN_ID_MAX && plan_read_keepable(r, v, v->key->text, v->text, v->len)) {
		r->d->id = mem_strdup(v->text);
		r->o->id = v;
	}
}

static void read_name(struct segment *s, const struct yaml_node *v)
{
	mem_set(&s->r.d->title, plan_read_text(&s->r, v, v->key->text, PLAN_PATH_MAX, true));
}

static void read_domain(struct segment *s, const struct yaml_node *v)
{
	mem_set(&s->r.d->domain, plan_read_text(&s->r, v, "domain", PLAN_ID_MAX, true));
}

static void read_persona(struct segment *s, const struct yaml_node *v)
{
	const char *name = plan_read_text(&s->r, v, "persona", PLAN_PATH_MAX, true);

	s->persona_at = v;
	s->persona = name ? persona_find(&s->r, v, name) : NULL;
	if (s->persona)
		mem_set(&s->r.d->persona, name);
}

static void read_model(struct segment *s, const struct yaml_node *v)
{
	s->model_at = v;
	mem_set(&s->r.d->model, plan_read_text(&s->r, v, v->key->text, 128, true));
}

static char *any(struct plan_reader *r, const char *text, struct str *normal)
{
	(void)r, (void)text, (void)normal;
	return NULL; /* plan_check knows the ids, skills_find the skills */
}

static void read_needs(struct segment *s, const struct yaml_node *v)
{
	if (s->r.o->needs) {
		PLAN_FAULT(&s->r, v->key, v->key->text, "dependencies are given twice; see line %u", s->r.o->needs->line);
		return;
	}
	s->r.o->needs = v->kind == YAML_LIST ? v : NULL;
	plan_read_list(&s->r, v, v->key->text, &s->r.d->needs, PLAN_MAX_NEEDS, false, any);
}

static void read_skills(struct segment *s, const struct yaml_node *v)
{
	AUTO_STRV struct strv names = {0};

	plan_read_list(&s->r, v, "skills", &names, PLAN_MAX_LIST, true, any);
	for (const struct yaml_node *i = v->kind == YAML_LIST ? v->first : NULL; i; i = i->next)
		if (i->kind == YAML_SCALAR && strv_has(&names, i->text) && !strv_has(&s->r.d->skills, i->text) &&
		    skills_find(&s->r, i, i->text))
			strv_add(&s->r.d->skills, i->text);
}

static void read_worktree(struct segment *s, const struct yaml_node *v)
{
	const char *text = plan_read_text(&s->r, v, "worktree", PLAN_PATH_MAX, true);

	s->r.o->worktree = v;
	if (text)
		s->r.d->worktree = segments_place(&s->r, v, text, s->parallel);
}

static void read_branch(struct segment *s, const struct yaml_node *v)
{
	const char *text = plan_read_text(&s->r, v, "branch", PLAN_PATH_MAX, true);
	const char *wrong = text ? segments_branch_fault(text) : NULL;

	s->r.o->branch = v;
	if (wrong)
		PLAN_FAULT(&s->r, v, "branch", "\"%.80s\": %s", text, wrong);
	else
		mem_set(&s->r.d->branch, text);
}

static const struct field {
	const char *name;
	void (*read)(struct segment *, const struct yaml_node *);
} fields[] = {
	{"id", read_id},             {"segment_id", read_id},     {"name", read_name},
	{"persona", read_persona},   {"model", read_model},       {"dependencies", read_needs},
	{"depends_on", read_needs},  {"skills", read_skills},     {"worktree", read_worktree},
	{"branch", read_branch},
};

static bool has_place(const char *key)
{
	for (size_t i = 0; i < MEM_COUNT(fields); i++)
		if (strcmp(fields[i].name, key) == 0)
			return true;
	return false;
}

/* In the form of parallel-agents `agent` is the model's name. */
static bool has_place_parallel(const char *key)
{
	return strcmp(key, "agent") == 0 || has_place(key);
}

static void read_key(struct segment *s, const struct yaml_node *v)
{
	if (v->kind == YAML_SCALAR && yaml_is_null(v) && strcmp(v->key->text, "id") != 0)
		return; /* planners leave what they do not know empty */
	if (strcmp(v->key->text, "domain") == 0) /* told to the agent too */
		read_domain(s, v);
	if (s->parallel && strcmp(v->key->text, "agent") == 0)
		read_model(s, v);
	for (size_t i = 0; i < MEM_COUNT(fields); i++)
		if (strcmp(fields[i].name, v->key->text) == 0)
			fields[i].read(s, v);
}

/* ---- what follows from them ---- */

/* The model of the segment wins over that of its persona. */
static void find_model(struct segment *s)
{
	struct plan_reader *r = &s->r;
	const struct plan_context *ctx = r->l->ctx;
	bool own = r->d->model != NULL;

	if (!own && s->persona)
		r->d->model = mem_strdup(s->persona->model);
	if (!r->d->model || !ctx)
		return;
	if (plan_read_model(r))
		return;
	PLAN_FAULT(r, own ? s->model_at : s->persona_at, own ? s->model_at->key->text : "persona",
	           "the configuration does not say what the model \"%s\"%s%s is: add to bosk.yaml  "
	           "models: {\"%s\": {agent: AGENT, model: MODEL}}", r->d->model,
	           own ? "" : " of ", own ? "" : s->persona->path, r->d->model);
}

static void add_part(struct str *out, const char *what, const char *name, const char *body)
{
	str_addf(out, "%s# %s: %s\n\n", out->len ? "\n" : "", what, name);
	str_add(out, body + strspn(body, "\r\n"));
	while (out->len && strchr(" \t\r\n", out->p[out->len - 1]))
		out->p[--out->len] = '\0';
	str_addc(out, '\n');
}

/* Persona, then skills: those of the segment before those of the persona. */
static void make_preamble(struct segment *s, const struct yaml_node *node)
{
	struct plan_reader *r = &s->r;
	struct task_def *d = r->d;
	AUTO_STR struct str out = {0};

	for (size_t i = 0; s->persona && i < s->persona->skills.n; i++)
		if (!strv_has(&d->skills, s->persona->skills.v[i]) && skills_find(r, s->persona_at, s->persona->skills.v[i]))
			strv_add(&d->skills, s->persona->skills.v[i]);
	if (d->skills.n > PLAN_MAX_LIST)
		PLAN_FAULT(r, node, "skills", "has more than %d entries with those of its persona", PLAN_MAX_LIST);
	if (s->persona && s->persona->body)
		add_part(&out, "Persona", s->persona->name, s->persona->body);
	for (size_t i = 0; i < d->skills.n && out.len <= PLAN_MAX_PREAMBLE; i++) {
		const struct skill *skill = skills_find(r, node, d->skills.v[i]);
		if (skill && !plan_read_blank(skill->body))
			add_part(&out, "Skill", skill->name, skill->body);
	}
	if (!out.len)
		return;
	if (out.len > PLAN_MAX_PREAMBLE)
		PLAN_FAULT(r, node, "skills", "persona and skills together are longer than %d bytes", PLAN_MAX_PREAMBLE);
	else if (plan_read_afford(r, node, "skills", out.len) &&
	         plan_read_keepable(r, node, s->persona_at ? "persona" : "skills", out.p, out.len))
		d->preamble = str_take(&out);
}

static void make_prompt(struct segment *s, const struct yaml_node *node)
{
	struct plan_reader *r = &s->r;
	AUTO_STR struct str out = {0};

	segments_prompt(node, s->parallel ? has_place_parallel : has_place, &out);
	if (out.len > PLAN_MAX_TEXT)
		PLAN_FAULT(r, node, NULL, "what is said of this segment is longer than %d bytes", PLAN_MAX_TEXT);
	else if (plan_read_afford(r, node, NULL, out.len) && plan_read_keepable(r, node, NULL, out.p, out.len))
		r->d->prompt = str_take(&out);
}

void segments_task_read(struct plan_loader *l, const char *file, const struct yaml_node *node, bool parallel)
{
	if (node->kind != YAML_MAP) {
		plan_fault(l, file, node, NULL, "segments", "a segment must be a mapping, not %s", yaml_what(node));
		return;
	}
	struct segment s = {.r = {.l = l, .file = file, .d = &l->tasks[l->n], .o = &l->origins[l->n]},
	                    .parallel = parallel};
	const struct yaml_node *id = yaml_get(node, "id") ? yaml_get(node, "id") : yaml_get(node, "segment_id");
	*s.r.d = (struct task_def){0};
	*s.r.o = (struct plan_origin){.file = file, .task = node};
	l->n++;
	if (id && id->kind == YAML_SCALAR && *id->text)
		s.r.label = id->text;
	for (const struct yaml_node *v = node->first; v; v = v->next)
		read_key(&s, v);
	if (!id)
		PLAN_FAULT(&s.r, node, parallel ? "segment_id" : "id", "a segment must have an id");
	find_model(&s);
	make_preamble(&s, node);
	make_prompt(&s, node);
	if (!yaml_get(node, "name") && !yaml_get(node, "description") && !yaml_get(node, "prompt"))
		strv_addf(&l->warnings, "%s:%u:%u: segment %.64s has neither name nor description", file, node->line,
		          node->column, s.r.d->id ? s.r.d->id : "");
}
