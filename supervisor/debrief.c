/* debrief: what became of a batch of stories, for people (formats.md [3-3]): tables, then all questions and all that
 * only a human can do at once (declared in batch_results.h). */
#include <string.h>

#include "batch_results.h"
#include "render.h"
#include "sprint.h"
#include "store/base/mem.h"

/* One line of foreign text. */
static void add_text(struct str *out, const char *text)
{
	str_add_printable(out, text, strcspn(text, "\n"), false);
}

/* All lines of it, each behind `indent`. */
static void add_lines(struct str *out, const char *indent, const char *text)
{
	for (const char *p = text; *p || p == text;) {
		size_t n = strcspn(p, "\n"), shown = n && p[n - 1] == '\r' ? n - 1 : n;
		str_add(out, indent);
		str_add_printable(out, p, shown, false);
		str_addc(out, '\n');
		p += n + (p[n] == '\n');
	}
}

static void add_table(struct str *out, const char *heading, const struct table *t)
{
	AUTO_STR struct str rows = {0};

	if (t->n < 2)
		return;
	table_print(t, 0, &rows);
	str_addf(out, "\n%s\n%s", heading, rows.p);
}

static void add_class(const struct session *s, enum batch_class class, struct str *out)
{
	static const char *const headings[] = {"completed stories", "partially blocked stories",
	                                       "routed to the full pipeline", "errors", "pending stories"};
	AUTO_TABLE struct table t = {0};

	if (class == BATCH_ROUTED)
		TABLE_ROW(&t, "  story", "total", "unchecked", "%");
	else
		TABLE_ROW(&t, "  story", "tasks done", class == BATCH_COMPLETED ? "commit" : class == BATCH_BLOCKED ? "blocked" : "",
		          class == BATCH_COMPLETED ? "" : class == BATCH_BLOCKED ? "reason" : class == BATCH_ERROR ? "error" : "state");
	for (size_t i = 0; i < s->plan.n; i++) {
		const struct task_def *d = &s->plan.tasks[i];
		const struct task_row *row = &s->tasks[i];
		struct batch_counts n = batch_counts(s, i);
		uint64_t open = d->total > d->checked ? d->total - d->checked : 0;
		AUTO_FREE char *id = mem_printf("  %s", d->id), *far = NULL, *third = NULL, *last = NULL;
		if (batch_class(s, i) != class)
			continue;
		far = mem_printf("%llu/%llu", (unsigned long long)n.completed, (unsigned long long)n.total);
		if (class == BATCH_COMPLETED) {
			third = row->commit ? mem_strndup(row->commit, 12) : mem_strdup("(done before)");
		} else if (class == BATCH_BLOCKED) {
			third = mem_printf("%llu", (unsigned long long)n.blocked);
			last = mem_strdup(row->reason ? row->reason : row->questions.n ? "see the questions" : "boxes are open");
		} else if (class == BATCH_ROUTED) {
			mem_set(&far, NULL);
			far = mem_printf("%llu", (unsigned long long)d->total);
			third = mem_printf("%llu", (unsigned long long)open);
			last = mem_printf("%llu %%", (unsigned long long)(d->total ? (100 * open + d->total / 2) / d->total : 0));
		} else if (class == BATCH_PENDING) {
			last = mem_strdup(session_task_shown(s, i));
		} else {
			last = mem_strdup(row->reason ? row->reason : session_task_shown(s, i));
		}
		if (last)
			last[strcspn(last, "\n")] = '\0';
		TABLE_ROW(&t, id, far, third ? third : "", last ? last : "");
	}
	add_table(out, headings[class], &t);
}

static void add_questions(const struct session *s, struct str *out)
{
	size_t n = 0, number = 0;

	for (size_t i = 0; i < s->plan.n; i++)
		n += s->tasks[i].questions.n / 2;
	if (!n)
		return;
	str_addf(out, "\nblocker questions (%zu)\n", n);
	for (size_t i = 0; i < s->plan.n; i++) {
		const struct strv *q = &s->tasks[i].questions;
		if (q->n)
			str_addf(out, "  story %s\n", s->plan.tasks[i].id);
		for (size_t k = 0; k + 1 < q->n; k += 2) {
			str_addf(out, "    Q%zu: ", ++number);
			add_text(out, q->v[k]);
			str_addc(out, '\n');
			add_lines(out, "        ", q->v[k + 1]);
		}
	}
}

static void add_human(const struct session *s, struct str *out)
{
	AUTO_STR struct str text = {0};
	size_t n = 0;

	for (size_t i = 0; i < s->plan.n; i++) {
		AUTO_STRV struct strv human = {0};
		batch_human(s, i, &human);
		if (human.n)
			str_addf(&text, "  story %s\n", s->plan.tasks[i].id);
		for (size_t k = 0; k < human.n; k++) {
			str_add(&text, "    - [ ] ");
			add_text(&text, human.v[k]);
			str_addc(&text, '\n');
		}
		n += human.n;
	}
	if (n)
		str_addf(out, "\nhuman validation tasks (%zu)\n%s", n, text.p);
}

static void add_sprint(const struct session *s, struct str *out)
{
	AUTO_TABLE struct table t = {0};
	AUTO_STRV struct strv told = {0};

	sprint_told(s, &told);
	TABLE_ROW(&t, "  story", "before", "now", "commit");
	for (size_t i = 0; i + 3 < told.n; i += 4) {
		AUTO_FREE char *id = mem_printf("  %s", told.v[i + 1]), *commit = mem_strndup(told.v[i], 12);
		TABLE_ROW(&t, id, told.v[i + 2], told.v[i + 3], commit);
	}
	add_table(out, "sprint status", &t);
}

void debrief_text(const struct session *s, struct str *out)
{
	AUTO_STRV struct strv box = {0};

	add_class(s, BATCH_COMPLETED, out);
	add_class(s, BATCH_BLOCKED, out);
	add_class(s, BATCH_ROUTED, out);
	add_questions(s, out);
	add_human(s, out);
	add_class(s, BATCH_ERROR, out);
	add_class(s, BATCH_PENDING, out);
	add_sprint(s, out);
	batch_box(s, &box);
	str_addf(out, "\nsummary\n  Selected:            %zu\n", s->plan.n);
	for (size_t i = 2; i + 1 < box.n; i++)
		str_addf(out, "%.*s\n", (int)strcspn(box.v[i], "("), box.v[i]);
}
