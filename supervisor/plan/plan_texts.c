/* plan_texts: the long texts of a task of a queue. A queue may have 100,000 of them, and they follow from its solution,
 * which is stored as it was read: so they are made while it is checked, dropped, and made again when it is its turn. */
#include <string.h>

#include "queue_private.h"
#include "store/base/mem.h"
#include "store/seal.h"

void plan_texts_drop(struct task_def *d)
{
	AUTO_STR struct str all = {0};
	char hash[SEAL_HEX];

	if (!d->prompt)
		return;
	str_addn(&all, d->prompt, strlen(d->prompt) + 1);
	for (size_t i = 0; i < d->step_texts.n; i++)
		str_addn(&all, d->step_texts.v[i], strlen(d->step_texts.v[i]) + 1);
	seal_hash(hash, all.p, all.len);
	mem_set(&d->texts, hash);
	d->text_bytes = all.len;
	mem_set(&d->prompt, NULL);
	strv_fini(&d->step_texts);
}

static struct json_t *parse(const char *text)
{
	struct json_fault ignored;

	return text ? json_cut_text(text, strlen(text), &ignored) : NULL;
}

int plan_texts_make(struct task_def *d, const char *item, const char *solution, const char *issue, struct err *e)
{
	struct plan_faults faults = {0};
	struct plan_loader l = {.faults = &faults};
	struct task_def made = {.id = d->id, .issue = d->issue, .solution = d->solution,
	                        .missing = d->missing ? d->missing : (char *)""};
	struct item_def unused = {0};
	struct json_t *of_item = parse(item), *of_solution = parse(solution), *of_issue = parse(issue);
	AUTO_STR struct str said = {0};

	queue_task_fill(&l, "its solution", 0, &made, &unused, of_item, of_solution, of_issue);
	made.id = made.issue = made.solution = made.missing = NULL; /* borrowed */
	int rc = !l.bad && (of_solution || !solution) ? 0 : -1;
	if (rc == 0) {
		mem_set(&d->prompt, NULL);
		strv_fini(&d->step_texts);
		d->prompt = mem_steal(&made.prompt);
		d->step_texts = made.step_texts;
		made.step_texts = (struct strv){0};
	} else {
		plan_faults_print(&faults, &said);
		err_set(e, ERR_DAMAGED, "the solution of %s is not as it was when it was added%s%s", d->id, said.len ? ": " : "",
		        str_text(&said));
	}
	rec_fini(&task_def_rec, &made);
	strv_fini(&l.warnings);
	plan_faults_fini(&faults);
	json_free(of_item);
	json_free(of_solution);
	json_free(of_issue);
	return rc;
}
