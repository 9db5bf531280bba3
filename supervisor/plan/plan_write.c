/* plan_write: a plan in its normal form, which is what is hashed and kept in the repository. What
 * it writes is again a plan of bosk's own format. */
#include "plan_private.h"

#include "store/base/mem.h"
#include "store/json.h"

static void put_key(struct str *out, const char *key)
{
	str_add(out, ",\"");
	str_add(out, key);
	str_add(out, "\":");
}

void plan_write_text(struct str *out, const char *key, const char *text)
{
	if (!text)
		return;
	put_key(out, key);
	json_quote(out, text);
}

void plan_write_list(struct str *out, const char *key, const struct strv *list, bool empty_too)
{
	if (!list->n && !empty_too)
		return;
	put_key(out, key);
	json_write_list(list, out);
}

void plan_write_number(struct str *out, const char *key, uint64_t n)
{
	if (!n)
		return;
	put_key(out, key);
	str_addf(out, "%llu", (unsigned long long)n);
}

static void put_env(struct str *out, const struct strv *env)
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
	put_key(out, "env");
	json_write(inner, false, out);
	json_free(inner);
}

static void put_flag(struct str *out, const char *key, bool yes)
{
	if (!yes)
		return;
	put_key(out, key);
	str_add(out, "true");
}

/* By hand: with a value for each text this is most of the time that a plan of 100,000 tasks takes. */
static void write_task(const struct task_def *d, struct str *out)
{
	str_add(out, "{\"id\":");
	json_quote(out, d->id);
	plan_write_text(out, "title", d->title);
	plan_write_list(out, "needs", &d->needs, false);
	plan_write_list(out, "files", &d->files, false);
	plan_write_text(out, "prompt", d->prompt);
	plan_write_text(out, "run", d->run);
	plan_write_text(out, "agent", d->agent);
	plan_write_text(out, "model", d->model);
	plan_write_list(out, "gates", &d->gates, d->gates_given); /* an empty list is not the same as none */
	if (d->timeout_ms) {
		AUTO_FREE char *text = mem_printf("%llums", (unsigned long long)d->timeout_ms);
		plan_write_text(out, "timeout", text);
	}
	plan_write_number(out, "priority", d->priority);
	put_env(out, &d->env);
	put_flag(out, "exclusive", d->exclusive);
	put_flag(out, "allow_empty", d->allow_empty);
	plan_foreign_write(d, out);
	str_add(out, "}");
}

static void write_head(const struct plan *p, struct str *out)
{
	if (str_eq(p->kind, "plan"))
		str_add(out, "{\"tasks\": [\n");
	else
		str_addf(out, "{\"kind\": \"%s\", \"tasks\": [\n", p->kind);
}

static void write_line(const struct plan *p, size_t i, struct str *out)
{
	write_task(&p->tasks[i], out);
	str_add(out, i + 1 < p->n ? ",\n" : "\n");
}

void plan_write(const struct plan *p, struct str *out)
{
	write_head(p, out);
	for (size_t i = 0; i < p->n; i++)
		write_line(p, i, out);
	str_add(out, "]}\n");
}

void plan_write_hash(char out[SEAL_HEX], const struct plan *p)
{
	AUTO_STR struct str line = {0};
	struct seal_parts *sum = seal_parts_new();

	write_head(p, &line);
	for (size_t i = 0; i < p->n; i++) {
		seal_parts_add(sum, line.p, line.len);
		str_clear(&line);
		write_line(p, i, &line);
	}
	str_add(&line, "]}\n");
	seal_parts_add(sum, line.p, line.len);
	seal_parts_end(out, sum);
}
