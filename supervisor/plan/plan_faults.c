/* plan_faults: the list of everything that is wrong with plans and configuration. Collects and
 * prints; decides nothing. */
#include "plan_private.h"

#include <string.h>

#include "store/base/mem.h"
#include "worker/secret.h"

/* A file of nothing but mistakes must not cost gigabytes of messages. */
enum { MAX_FAULTS = 100000, MAX_MESSAGE = 1000 };

void plan_faults_add(struct plan_faults *f, const char *file, size_t line, size_t column,
                     const char *task, const char *key, const char *fmt, ...)
{
	AUTO_STR struct str message = {0};
	va_list ap;

	if (f->n > MAX_FAULTS)
		return;
	va_start(ap, fmt);
	str_addv(&message, fmt, ap);
	va_end(ap);
	if (f->n == MAX_FAULTS) {
		str_clear(&message);
		str_addf(&message, "more than %d faults: the rest is not listed", MAX_FAULTS);
	}
	secret_hide(&message);
	AUTO_FREE char *clean = secret_hidden(task);
	if ((f->n & (f->n + 1)) == 0)
		f->v = mem_grow(f->v, 2 * (f->n + 1), sizeof *f->v);
	f->v[f->n++] = (struct plan_fault){
		.file = mem_strdup(file),
		.line = line,
		.column = column,
		.task = task ? mem_strndup(clean, PLAN_ID_MAX) : NULL,
		.key = key ? mem_strndup(key, PLAN_ID_MAX) : NULL,
		.message = mem_strndup(message.p, MAX_MESSAGE),
	};
}

void plan_faults_fini(struct plan_faults *f)
{
	for (size_t i = 0; i < f->n; i++) {
		free(f->v[i].file);
		free(f->v[i].task);
		free(f->v[i].key);
		free(f->v[i].message);
	}
	free(f->v);
	*f = (struct plan_faults){0};
}

static int by_place(const void *a, const void *b, void *base)
{
	const struct plan_fault *v = base;
	const struct plan_fault *x = &v[*(const size_t *)a], *y = &v[*(const size_t *)b];
	int files = strcmp(x->file ? x->file : "", y->file ? y->file : "");
	if (files)
		return files;
	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	if (x->column != y->column)
		return x->column < y->column ? -1 : 1;
	return x < y ? -1 : 1; /* as found */
}

void plan_faults_sort(struct plan_faults *f)
{
	if (f->n < 2)
		return;
	AUTO_FREE size_t *order = mem_array(f->n, sizeof *order);
	/* With the room that plan_faults_add takes for granted. */
	struct plan_fault *sorted = mem_array(2 * f->n + 1, sizeof *sorted);

	for (size_t i = 0; i < f->n; i++)
		order[i] = i;
	qsort_r(order, f->n, sizeof *order, by_place, f->v);
	for (size_t i = 0; i < f->n; i++)
		sorted[i] = f->v[order[i]];
	free(f->v);
	f->v = sorted;
}

static void add_printable(struct str *out, const char *before, const char *text)
{
	if (!text)
		return;
	str_add(out, before);
	str_add_printable(out, text, strlen(text), false);
}

void plan_faults_print(const struct plan_faults *f, struct str *out)
{
	for (size_t i = 0; i < f->n; i++) {
		const struct plan_fault *v = &f->v[i];
		add_printable(out, "", v->file ? v->file : "plan");
		if (v->line)
			str_addf(out, ":%zu", v->line);
		if (v->line && v->column)
			str_addf(out, ":%zu", v->column);
		add_printable(out, ": task ", v->task);
		add_printable(out, ": ", v->key);
		add_printable(out, ": ", v->message);
		str_addc(out, '\n');
	}
}
