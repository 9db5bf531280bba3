/* plan_task: one entry of `tasks` becomes a task definition. Reports every fault in it; knows
 * nothing of other tasks (plan_check). */
#include "plan_read.h"

#include <string.h>
#include <sys/stat.h>

#include "store/base/fs.h"
#include "store/base/mem.h"
#include "worker/secret.h"

static void read_id(struct plan_reader *r, const struct yaml_node *v)
{
	if (v->kind != YAML_SCALAR || yaml_is_null(v)) {
		PLAN_FAULT(r, v, "id", "must be a text, not %s", yaml_what(v));
		return;
	}
	const char *wrong = plan_id_fault(v->text);
	if (wrong)
		PLAN_FAULT(r, v, "id", "%s", wrong);
	/* Kept although wrong, so that needs naming it are not faulted again; but not a text of any
	 * size, which an alias could repeat a hundred thousand times. */
	if (*v->text && v->len <= PLAN_ID_MAX && plan_read_keepable(r, v, "id", v->text, v->len)) {
		r->d->id = mem_strdup(v->text);
		r->o->id = v;
	}
}

static void read_title(struct plan_reader *r, const struct yaml_node *v)
{
	r->d->title = mem_strdup(plan_read_text(r, v, "title", PLAN_PATH_MAX, true));
}

static char *check_need(struct plan_reader *r, const char *text, struct str *normal)
{
	(void)r, (void)text, (void)normal;
	return NULL; /* plan_check knows the ids */
}

static void read_needs(struct plan_reader *r, const struct yaml_node *v)
{
	r->o->needs = v->kind == YAML_LIST ? v : NULL;
	plan_read_list(r, v, "needs", &r->d->needs, PLAN_MAX_NEEDS, false, check_need);
}

static char *check_file(struct plan_reader *r, const char *text, struct str *normal)
{
	(void)r;
	return mem_strdup(plan_path_fault(text, normal));
}

static void read_files(struct plan_reader *r, const struct yaml_node *v)
{
	plan_read_list(r, v, "files", &r->d->files, PLAN_MAX_LIST, true, check_file);
}

/* Is this the first of prompt, prompt_file and run? */
static bool first_work(struct plan_reader *r, const struct yaml_node *v)
{
	if (r->work)
		PLAN_FAULT(r, v->key, v->key->text,
		           "a task has only one of prompt, prompt_file and run; %s is in line %u",
		           r->work->key->text, r->work->key->line);
	else
		r->work = v;
	return r->work == v;
}

static void read_prompt(struct plan_reader *r, const struct yaml_node *v)
{
	if (first_work(r, v))
		r->d->prompt = mem_strdup(plan_read_text(r, v, "prompt", PLAN_MAX_TEXT, false));
}

static void read_prompt_file(struct plan_reader *r, const struct yaml_node *v)
{
	const char *name =
		first_work(r, v) ? plan_read_text(r, v, "prompt_file", PLAN_PATH_MAX, true) : NULL;
	if (!name)
		return;
	if (!r->folder) {
		PLAN_FAULT(r, v, "prompt_file",
		           "cannot be used here: this plan is not a file in a folder");
		return;
	}
	if (*name == '/') {
		PLAN_FAULT(r, v, "prompt_file", "must be relative to the folder of the plan");
		return;
	}
	AUTO_FREE char *path = mem_printf("%s/%s", r->folder, name);
	AUTO_STR struct str text = {0};
	struct stat st;
	struct err e = {0};
	/* Only a file: opening a named pipe would wait for ever. */
	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
		PLAN_FAULT(r, v, "prompt_file", "%s is not a file", path);
	else if (fs_read(path, PLAN_MAX_TEXT, &text, &e) != 0)
		PLAN_FAULT(r, v, "prompt_file", "%s", e.text);
	else if (!str_utf8(text.p, text.len))
		PLAN_FAULT(r, v, "prompt_file", "%s is not valid UTF-8 text", path);
	else if (plan_read_blank(text.p))
		PLAN_FAULT(r, v, "prompt_file", "%s is empty", path);
	else if (plan_read_afford(r, v, "prompt_file", text.len) &&
	         plan_read_keepable(r, v, "prompt_file", text.p, text.len))
		r->d->prompt = str_take(&text);
}

static void read_run(struct plan_reader *r, const struct yaml_node *v)
{
	if (first_work(r, v))
		r->d->run = mem_strdup(plan_read_text(r, v, "run", PLAN_MAX_COMMAND, false));
}

static void read_agent(struct plan_reader *r, const struct yaml_node *v)
{
	const struct plan_context *ctx = r->l->ctx;
	const char *name = plan_read_text(r, v, "agent", PLAN_PATH_MAX, true);
	AUTO_FREE char *wrong =
		name && ctx ? plan_read_unknown("agent", name, ctx->agents, ctx->n_agents) : NULL;
	if (wrong)
		PLAN_FAULT(r, v, "agent", "\"%.80s\": %s", name, wrong);
	r->d->agent = mem_strdup(name);
	r->agent_key = v->key;
}

static void read_model(struct plan_reader *r, const struct yaml_node *v)
{
	const char *name = plan_read_text(r, v, "model", 128, true);
	if (name && *name == '-') /* it becomes an argument (promise E1) */
		PLAN_FAULT(r, v, "model", "must not begin with \"-\"");
	r->d->model = mem_strdup(name);
	r->agent_key = v->key;
	plan_read_model(r);
}

static char *check_gate(struct plan_reader *r, const char *text, struct str *normal)
{
	const struct plan_context *ctx = r->l->ctx;
	(void)normal;
	return ctx ? plan_read_unknown("gate", text, ctx->gates, ctx->n_gates) : NULL;
}

static void read_gates(struct plan_reader *r, const struct yaml_node *v)
{
	r->d->gates_given = true;
	plan_read_list(r, v, "gates", &r->d->gates, PLAN_MAX_LIST, false, check_gate);
}

static void read_timeout(struct plan_reader *r, const struct yaml_node *v)
{
	const char *text = plan_read_text(r, v, "timeout", PLAN_PATH_MAX, true);
	if (!text)
		return;
	if (!str_duration_ms(text, &r->d->timeout_ms))
		PLAN_FAULT(r, v, "timeout", "must be a duration such as 90s, 5m, 4h or 2d");
	else if (!r->d->timeout_ms)
		PLAN_FAULT(r, v, "timeout", "must be more than 0");
	else if (r->d->timeout_ms > PLAN_MAX_MS)
		PLAN_FAULT(r, v, "timeout", "must not be longer than a year");
}

static void read_priority(struct plan_reader *r, const struct yaml_node *v)
{
	if (!yaml_u64(v, &r->d->priority) || r->d->priority > 1000000)
		PLAN_FAULT(r, v, "priority", "must be a whole number from 0 to 1000000");
}

static const char *env_name_fault(const char *name)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_";
	if (!*name || !strchr(letters, *name) ||
	    strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789") !=
	            strlen(name))
		return "must be a name of letters, digits and _";
	if (str_starts(name, "BOSK_") || str_starts(name, "GIT_"))
		return "names beginning with BOSK_ or GIT_ are set by bosk alone";
	return NULL;
}

static void read_env(struct plan_reader *r, const struct yaml_node *v)
{
	if (v->kind != YAML_MAP) {
		PLAN_FAULT(r, v, "env", "must be a mapping, NAME: value, not %s", yaml_what(v));
		return;
	}
	if (v->n > PLAN_MAX_LIST) {
		PLAN_FAULT(r, v, "env", "has more than %d entries", PLAN_MAX_LIST);
		return;
	}
	for (const struct yaml_node *i = v->first; i; i = i->next) {
		const char *wrong = env_name_fault(i->key->text);
		if (wrong)
			PLAN_FAULT(r, i->key, "env", "\"%.80s\": %s", i->key->text, wrong);
		else if (i->kind != YAML_SCALAR || yaml_is_null(i))
			PLAN_FAULT(r, i, "env", "%.80s must be a text, not %s", i->key->text,
			           yaml_what(i));
		else if (i->key->len + i->len > PLAN_MAX_COMMAND)
			PLAN_FAULT(r, i, "env", "%.80s is longer than %d bytes", i->key->text,
			           PLAN_MAX_COMMAND);
		else if (secret_name(i->key->text) && i->len >= SECRET_MIN)
			PLAN_FAULT(r, i, "env", SECRET_FAULT, i->key->text);
		else if (plan_read_afford(r, i, "env", i->key->len + i->len) &&
		         plan_read_keepable(r, i, "env", i->text, i->len))
			strv_addf(&r->d->env, "%s=%s", i->key->text, i->text);
	}
	/* The order in a mapping means nothing, so it must not change the plan's hash. */
	strv_sort(&r->d->env);
}

static void read_flag(struct plan_reader *r, const struct yaml_node *v, bool *out)
{
	if (!yaml_flag(v, out))
		PLAN_FAULT(r, v, v->key->text, "must be true or false, without quotes");
}

static void read_exclusive(struct plan_reader *r, const struct yaml_node *v)
{
	read_flag(r, v, &r->d->exclusive);
}

static void read_allow_empty(struct plan_reader *r, const struct yaml_node *v)
{
	read_flag(r, v, &r->d->allow_empty);
}

static const struct field {
	const char *name;
	void (*read)(struct plan_reader *, const struct yaml_node *);
} fields[] = {
	{"id", read_id},           {"title", read_title},
	{"needs", read_needs},     {"files", read_files},
	{"prompt", read_prompt},   {"prompt_file", read_prompt_file},
	{"run", read_run},         {"agent", read_agent},
	{"model", read_model},     {"gates", read_gates},
	{"timeout", read_timeout}, {"priority", read_priority},
	{"env", read_env},         {"exclusive", read_exclusive},
	{"allow_empty", read_allow_empty},
};

/* Words of other tools, too far from ours in letters to be found by them. */
static const char *const synonyms[][2] = {
	{"name", "id"},          {"depends_on", "needs"},  {"dependencies", "needs"},
	{"requires", "needs"},   {"command", "run"},       {"cmd", "run"},
	{"script", "run"},       {"instructions", "prompt"}, {"description", "prompt"},
	{"paths", "files"},      {"environment", "env"},
};

static void unknown_key(struct plan_reader *r, const struct yaml_node *key)
{
	const char *names[MEM_COUNT(fields)], *near = NULL;
	for (size_t i = 0; i < MEM_COUNT(synonyms) && !near; i++)
		if (strcmp(synonyms[i][0], key->text) == 0)
			near = synonyms[i][1];
	for (size_t i = 0; i < MEM_COUNT(fields); i++)
		names[i] = fields[i].name;
	if (!near)
		near = str_nearest(key->text, names, MEM_COUNT(names));
	if (near)
		PLAN_FAULT(r, key, key->text, "a task has no such key; did you mean \"%s\"?", near);
	else
		PLAN_FAULT(r, key, key->text, "a task has no such key");
}

void plan_task_read(struct plan_loader *l, const char *file, const char *folder,
                    const struct yaml_node *node)
{
	if (node->kind != YAML_MAP) {
		plan_fault(l, file, node, NULL, "tasks", "a task must be a mapping, not %s",
		           yaml_what(node));
		return;
	}
	struct plan_reader r = {.l = l, .file = file, .folder = folder, .d = &l->tasks[l->n],
	                   .o = &l->origins[l->n]};
	*r.d = (struct task_def){0};
	*r.o = (struct plan_origin){.file = file, .task = node};
	l->n++;

	const struct yaml_node *id = yaml_get(node, "id");
	if (id && id->kind == YAML_SCALAR && *id->text)
		r.label = id->text;
	for (const struct yaml_node *v = node->first; v; v = v->next) {
		size_t i = 0;
		while (i < MEM_COUNT(fields) && strcmp(fields[i].name, v->key->text) != 0)
			i++;
		if (i < MEM_COUNT(fields))
			fields[i].read(&r, v);
		else if ((!str_eq(l->kind, "plan") || (!l->ctx && str_starts(v->key->text, "model_"))) && plan_foreign_read(&r, v))
			continue; /* without a context it is the normal form of a plan: `models` was looked at before */
		else
			unknown_key(&r, v->key);
	}
	if (!id)
		PLAN_FAULT(&r, node, "id", "a task must have an id");
	if (!r.work)
		PLAN_FAULT(&r, node, "prompt",
		           "a task must have one of prompt, prompt_file and run");
	else if (r.d->run && r.agent_key)
		PLAN_FAULT(&r, r.agent_key, r.agent_key->text,
		           "means nothing for a task with run: it is a "
		           "shell command, no agent");
}
