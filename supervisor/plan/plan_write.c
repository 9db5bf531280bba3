/* plan_write: a plan in its normal form, which is what is hashed and kept in the repository. What
 * it writes is again a plan of bosk's own format. */
#include "plan_private.h"

#include "store/base/mem.h"
#include "store/json.h"

static void put_text(struct json_t *map, const char *key, const char *text)
{
	if (text)
		json_put_text(map, key, text);
}

static void put_env(struct json_t *map, const struct strv *env)
{
	if (!env->n)
		return;
	struct json_t *inner = json_map();
	for (size_t i = 0; i < env->n; i++) {
		AUTO_FREE char *name = mem_strdup(env->v[i]);
		char *value = name;
		while (*value && *value != '=')
			value++;
		if (*value)
			*value++ = '\0';
		json_put_text(inner, name, value);
	}
	json_put(map, "env", inner);
}

static void write_task(const struct task_def *d, struct str *out)
{
	struct json_t *map = json_map();

	json_put_text(map, "id", d->id);
	put_text(map, "title", d->title);
	if (d->needs.n)
		json_put_list(map, "needs", &d->needs);
	if (d->files.n)
		json_put_list(map, "files", &d->files);
	put_text(map, "prompt", d->prompt);
	put_text(map, "run", d->run);
	put_text(map, "agent", d->agent);
	put_text(map, "model", d->model);
	if (d->gates_given) /* an empty list is not the same as none */
		json_put_list(map, "gates", &d->gates);
	if (d->timeout_ms) {
		AUTO_FREE char *text = mem_printf("%llums", (unsigned long long)d->timeout_ms);
		json_put_text(map, "timeout", text);
	}
	if (d->priority)
		json_put_u64(map, "priority", d->priority);
	put_env(map, &d->env);
	if (d->exclusive)
		json_put_flag(map, "exclusive", true);
	if (d->allow_empty)
		json_put_flag(map, "allow_empty", true);
	plan_foreign_write(d, map);
	json_write(map, false, out);
	json_free(map);
}

void plan_write(const struct plan *p, struct str *out)
{
	/* Task by task: one tree of 100,000 would take a gigabyte. */
	if (str_eq(p->kind, "plan"))
		str_add(out, "{\"tasks\": [\n");
	else
		str_addf(out, "{\"kind\": \"%s\", \"tasks\": [\n", p->kind);
	for (size_t i = 0; i < p->n; i++) {
		write_task(&p->tasks[i], out);
		str_add(out, i + 1 < p->n ? ",\n" : "\n");
	}
	str_add(out, "]}\n");
}
