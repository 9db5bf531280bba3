/* fuzz_solution: a line of JSON as an issue, the rest as its solution. Either there is a fault, or the task has all that
 * a stored one must have, its prompt holds each step between fences, and its normal form loads again and says the same. */
#include <assert.h>
#include <string.h>

#include "fuzz.h"
#include "store/base/mem.h"
#include "supervisor/plan/queue_private.h"

static void check_lists(const struct task_def *d)
{
	assert(d->step_titles.n == d->step_ids.n && d->step_texts.n == d->step_ids.n);
	assert(d->step_gates.n % 3 == 0 && d->claims.n % 2 == 0);
	for (size_t i = 0; i < d->step_ids.n; i++) {
		assert(!plan_id_fault(d->step_ids.v[i]));
		for (size_t k = 0; k < i; k++)
			assert(strcmp(d->step_ids.v[i], d->step_ids.v[k]) != 0);
	}
	for (size_t i = 0; i < d->step_gates.n; i += 3)
		assert(strv_has(&d->step_ids, d->step_gates.v[i]) && *d->step_gates.v[i + 2]);
	for (size_t i = 0; i < d->claims.n; i += 2)
		assert(strv_has(&d->step_ids, d->claims.v[i]) && *d->claims.v[i + 1]);
	for (size_t i = 0; i < d->files.n; i++)
		assert(!plan_path_fault(d->files.v[i], NULL));
}

/* Between its two fences no line is a fence as long as they are. */
static void check_fences(const char *step)
{
	const char *open = strstr(step, "\n\n```");
	assert(open);
	open += 2;
	size_t n = strspn(open, "`");
	AUTO_FREE char *fence = mem_printf("\n%.*s\n", (int)n, open);
	const char *end = strstr(open + n, fence);
	assert(end && !end[strlen(fence)]);
}

static void check_prompt(const struct task_def *d)
{
	const char *p = d->prompt;

	for (size_t i = 0; i < d->step_texts.n; i++) {
		p = strstr(p, d->step_texts.v[i]);
		assert(p);
		check_fences(d->step_texts.v[i]);
	}
	assert(!d->subject || (*d->subject && !strpbrk(d->subject, "\r\n")));
	assert(!d->title || !strpbrk(d->title, "\r\n"));
}

/* Takes the definition over. */
static void check_normal(struct task_def *d)
{
	struct task_def *defs = mem_alloc(sizeof *defs);
	struct plan_faults faults = {0};
	struct plan p, q;
	struct err e = {0};
	AUTO_STR struct str text = {0};

	*defs = *d;
	*d = (struct task_def){0};
	assert(plan_from_defs(&p, "queue", NULL, defs, 1, &e) == 0);
	plan_write(&p, &text);
	if (plan_load_text(&q, "again", text.p, text.len, NULL, &faults) != 0)
		assert(!"its normal form is a plan");
	assert(strcmp(p.content, q.content) == 0);
	plan_fini(&p);
	plan_fini(&q);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	const char *text = (const char *)bytes, *end = n ? memchr(text, '\n', n) : NULL;
	struct json_fault f;
	struct plan_faults faults = {0};
	struct plan_loader l = {.faults = &faults};
	struct task_def d = {.id = mem_strdup("S-1"), .issue = mem_strdup("ISS-1"), .solution = mem_strdup("SOL-1")};
	struct item_def i = {0};
	size_t first = end ? (size_t)(end - text) : 0;
	struct json_t *issue = first ? json_cut_text(text, first, &f) : NULL;
	struct json_t *solution = end ? json_cut_text(end + 1, n - first - 1, &f) : NULL;

	queue_task_fill(&l, "file", 1, &d, &i, NULL, solution, issue);
	assert(l.bad == (faults.n > 0));
	assert(d.prompt && *d.prompt && (solution || d.missing));
	if (!l.bad) {
		check_lists(&d);
		check_prompt(&d);
		check_normal(&d);
	}
	json_free(issue);
	json_free(solution);
	rec_fini(&task_def_rec, &d);
	rec_fini(&item_def_rec, &i);
	strv_fini(&l.warnings);
	plan_faults_fini(&faults);
	return 0;
}
