/* plan_foreign: what only tasks of other tools' plans have (waves, personas, stories, solutions), in the normal
 * form of a plan: written to refs/bosk/plan, hashed, and read back when a store is made again. Their own
 * formats are read elsewhere (segments, stories, queue). */
#include "plan_read.h"

#include <string.h>

#include "store/base/mem.h"

enum type { LINE, LONG_TEXT, LIST, IDS, LONG_LIST, NUMBER };

static const struct field {
	const char *name;
	enum type type;
	size_t offset;
} fields[] = {
	{"branch", LINE, offsetof(struct task_def, branch)},
	{"wave", NUMBER, offsetof(struct task_def, wave)},
	{"persona", LINE, offsetof(struct task_def, persona)},
	{"skills", LIST, offsetof(struct task_def, skills)},
	{"domain", LINE, offsetof(struct task_def, domain)},
	{"preamble", LONG_TEXT, offsetof(struct task_def, preamble)},
	{"model_agent", LINE, offsetof(struct task_def, model_agent)},
	{"model_name", LINE, offsetof(struct task_def, model_name)},
	{"worktree", LINE, offsetof(struct task_def, worktree)},
	{"story", LINE, offsetof(struct task_def, story)},
	{"story_hash", LINE, offsetof(struct task_def, story_hash)},
	{"category", LINE, offsetof(struct task_def, category)},
	{"total", NUMBER, offsetof(struct task_def, total)},
	{"checked", NUMBER, offsetof(struct task_def, checked)},
	{"seed_total", NUMBER, offsetof(struct task_def, seed_total)},
	{"seed_checked", NUMBER, offsetof(struct task_def, seed_checked)},
	{"steps", NUMBER, offsetof(struct task_def, steps)},
	{"steps_checked", NUMBER, offsetof(struct task_def, steps_checked)},
	{"human", LONG_LIST, offsetof(struct task_def, human)},
	{"routed", LINE, offsetof(struct task_def, routed)},
	{"sprint", LINE, offsetof(struct task_def, sprint)},
	{"human_other", NUMBER, offsetof(struct task_def, human_other)},
	{"issue", LINE, offsetof(struct task_def, issue)},
	{"solution", LINE, offsetof(struct task_def, solution)},
	{"after", IDS, offsetof(struct task_def, after)},
	{"in_turn", IDS, offsetof(struct task_def, in_turn)},
	{"subject", LINE, offsetof(struct task_def, subject)},
	{"step_ids", LONG_LIST, offsetof(struct task_def, step_ids)},
	{"step_titles", LONG_LIST, offsetof(struct task_def, step_titles)},
	{"step_texts", LONG_LIST, offsetof(struct task_def, step_texts)},
	{"step_gates", LONG_LIST, offsetof(struct task_def, step_gates)},
	{"claims", LONG_LIST, offsetof(struct task_def, claims)},
	{"missing", LINE, offsetof(struct task_def, missing)},
};

static const char *const kinds[] = {"segments", "stories", "queue"};

const char *plan_foreign_kind(const struct yaml_node *root)
{
	const struct yaml_node *kind = yaml_get(root, "kind");

	for (size_t i = 0; kind && i < MEM_COUNT(kinds); i++)
		if (kind->kind == YAML_SCALAR && strcmp(kind->text, kinds[i]) == 0)
			return kinds[i];
	return NULL;
}

/* Texts of checkboxes: any two may be the same, and as long as a line of Markdown. */
static void read_long_list(struct plan_reader *r, const struct yaml_node *v, const char *key, struct strv *out)
{
	if (v->kind != YAML_LIST || v->n > PLAN_MAX_NEEDS) {
		PLAN_FAULT(r, v, key, "must be a list of at most %d texts", PLAN_MAX_NEEDS);
		return;
	}
	for (const struct yaml_node *i = v->first; i; i = i->next) {
		const char *text = plan_read_text(r, i, key, PLAN_MAX_TEXT, false);
		if (text)
			strv_add(out, text);
	}
}

static char *any(struct plan_reader *r, const char *text, struct str *normal)
{
	(void)r, (void)text, (void)normal;
	return NULL;
}

bool plan_foreign_read(struct plan_reader *r, const struct yaml_node *v)
{
	const char *key = v->key->text;
	size_t i = 0;

	while (i < MEM_COUNT(fields) && strcmp(fields[i].name, key) != 0)
		i++;
	if (i == MEM_COUNT(fields))
		return false;
	void *at = (char *)r->d + fields[i].offset;
	switch (fields[i].type) {
	case LINE:
		mem_set(at, plan_read_text(r, v, key, PLAN_PATH_MAX, true));
		break;
	case LONG_TEXT:
		mem_set(at, plan_read_text(r, v, key, PLAN_MAX_TEXT, false));
		break;
	case LIST:
		plan_read_list(r, v, key, at, PLAN_MAX_LIST, false, any);
		break;
	case IDS:
		plan_read_list(r, v, key, at, PLAN_MAX_NEEDS, false, any);
		break;
	case LONG_LIST:
		read_long_list(r, v, key, at);
		break;
	case NUMBER:
		if (!yaml_u64(v, at))
			PLAN_FAULT(r, v, key, "must be a whole number");
		break;
	}
	return true;
}

void plan_foreign_write(const struct task_def *d, struct str *out)
{
	for (size_t i = 0; i < MEM_COUNT(fields); i++) {
		const void *at = (const char *)d + fields[i].offset;
		switch (fields[i].type) {
		case LINE:
		case LONG_TEXT:
			plan_write_text(out, fields[i].name, *(char *const *)at);
			break;
		case LIST:
		case IDS:
		case LONG_LIST:
			plan_write_list(out, fields[i].name, at, false);
			break;
		case NUMBER:
			plan_write_number(out, fields[i].name, *(const uint64_t *)at);
			break;
		}
	}
	/* Not read back: what such a task is told is made of its solution (plan_texts), which is not here. */
	plan_write_text(out, "texts", d->texts);
}
