/* plan_read: texts and lists of a task's keys, checked. Knows nothing of what a key means. */
#include "plan_read.h"

#include <string.h>

#include "store/base/mem.h"
#include "worker/secret.h"

/* ---- texts ---- */

bool plan_read_blank(const char *text)
{
	return text[strspn(text, " \t\r\n")] == '\0';
}

static bool has_control(const char *text) /* C0, DEL, C1 */
{
	for (const unsigned char *p = (const unsigned char *)text; *p; p++)
		if (*p < 0x20 || *p == 0x7f || (*p == 0xc2 && p[1] < 0xa0))
			return true;
	return false;
}

bool plan_read_afford(struct plan_reader *r, const struct yaml_node *at, const char *key, size_t n)
{
	size_t before = r->l->text;
	r->l->text += n;
	if (r->l->text <= PLAN_MAX_TOTAL)
		return true;
	if (before <= PLAN_MAX_TOTAL)
		PLAN_FAULT(r, at, key, "all prompts and commands together are larger than 256 MiB");
	return false;
}

const char *plan_read_text(struct plan_reader *r, const struct yaml_node *v, const char *key,
                           size_t max, bool one_line)
{
	if (v->kind != YAML_SCALAR)
		PLAN_FAULT(r, v, key, "must be a text, not %s", yaml_what(v));
	else if (yaml_is_null(v))
		PLAN_FAULT(r, v, key, "has no value: give a text or leave the key out");
	else if (plan_read_blank(v->text))
		PLAN_FAULT(r, v, key, "must not be empty");
	else if (v->len > max)
		PLAN_FAULT(r, v, key, "is longer than %zu bytes", max);
	else if (one_line && has_control(v->text))
		PLAN_FAULT(r, v, key, "must be one line without control characters");
	else if (plan_read_afford(r, v, key, v->len) && plan_read_keepable(r, v, key, v->text, v->len))
		return v->text;
	return NULL;
}

bool plan_read_keepable(struct plan_reader *r, const struct yaml_node *at, const char *key,
                        const char *text, size_t n)
{
	size_t where;
	const char *name = secret_in(text, n, &where);
	if (name)
		PLAN_FAULT(r, at, key, SECRET_FAULT, name);
	return !name;
}

/* ---- lists ---- */

struct item {
	const struct yaml_node *node;
	char *text;
	bool twice;
};

static int by_text(const void *a, const void *b, void *items)
{
	size_t x = *(const size_t *)a, y = *(const size_t *)b;
	const struct item *v = items;
	int order = strcmp(v[x].text, v[y].text);
	return order ? order : (x > y) - (x < y);
}

void plan_read_list(struct plan_reader *r, const struct yaml_node *v, const char *key,
                    struct strv *out, size_t max, bool lenient, plan_read_check check)
{
	if (v->kind != YAML_LIST) {
		PLAN_FAULT(r, v, key, "must be a list, such as [a, b], not %s", yaml_what(v));
		return;
	}
	if (v->n > max) {
		PLAN_FAULT(r, v, key, "has more than %zu entries", max);
		return;
	}
	AUTO_FREE struct item *items = mem_array(v->n, sizeof *items);
	AUTO_FREE size_t *order = mem_array(v->n, sizeof *order);
	size_t n = 0;
	for (const struct yaml_node *i = v->first; i; i = i->next) {
		const char *text = plan_read_text(r, i, key, PLAN_PATH_MAX, true);
		AUTO_STR struct str normal = {0};
		AUTO_FREE char *wrong = text ? check(r, text, &normal) : NULL;
		if (wrong)
			PLAN_FAULT(r, i, key, "\"%.80s\": %s", text, wrong);
		else if (text)
			items[n++] = (struct item){.node = i,
			                           .text = mem_strdup(normal.p ? normal.p : text)};
	}
	for (size_t i = 0; i < n; i++)
		order[i] = i;
	qsort_r(order, n, sizeof *order, by_text, items);
	for (size_t i = 1; i < n; i++)
		items[order[i]].twice = strcmp(items[order[i]].text, items[order[i - 1]].text) == 0;
	for (size_t i = 0; i < n; i++) {
		if (!items[i].twice) {
			strv_give(out, items[i].text);
			continue;
		}
		if (lenient)
			strv_addf(&r->l->warnings, "%s:%u:%u: %s: \"%.80s\" is listed twice",
			          r->file, items[i].node->line, items[i].node->column, key,
			          items[i].text);
		else
			PLAN_FAULT(r, items[i].node, key, "\"%.80s\" is listed twice",
			           items[i].text);
		free(items[i].text);
	}
}

bool plan_read_model(struct plan_reader *r)
{
	const struct plan_context *ctx = r->l->ctx;

	for (size_t i = 0; ctx && i < ctx->n_models; i++)
		if (str_eq(ctx->models[i].name, r->d->model)) {
			mem_set(&r->d->model_agent, ctx->models[i].agent);
			mem_set(&r->d->model_name, ctx->models[i].model);
			return true;
		}
	return false;
}

char *plan_read_unknown(const char *what, const char *name, const char *const *known, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(known[i], name) == 0)
			return NULL;
	const char *nearest = str_nearest(name, known, n);
	return nearest ? mem_printf("there is no %s of this name; did you mean \"%s\"?", what,
	                            nearest)
	               : mem_printf("there is no %s of this name in the configuration", what);
}
