/* answers: written and read (formats.md S3.19). */
#include "answers.h"

#include <string.h>

#include "batch_results.h"
#include "retry.h"
#include "store/base/mem.h"
#include "worker/secret.h"
#include "yaml.h"
#include "yaml_write.h"

enum { ANSWERS_MAX = 64 << 10 }; /* bytes of a story's answers: they go into its prompt */

/* ---- writing ---- */

static void add_question(struct str *out, const char *task, const char *question)
{
	str_add(out, "      - task: ");
	yaml_write_text(out, task);
	str_add(out, "\n        question: ");
	yaml_write_text(out, question);
	str_add(out, "\n        answer: \"\"\n");
}

static bool asked(const struct strv *questions, const char *task)
{
	for (size_t i = 0; i + 1 < questions->n; i += 2)
		if (str_eq(questions->v[i], task))
			return true;
	return false;
}

static void add_story(const struct session *s, size_t i, struct str *out)
{
	const struct task_row *row = &s->tasks[i];

	str_add(out, "  - story: ");
	yaml_write_text(out, s->plan.tasks[i].id);
	str_add(out, row->questions.n || row->blocked.n ? "\n    questions:\n" : "\n    questions: []\n");
	for (size_t k = 0; k + 1 < row->questions.n; k += 2)
		add_question(out, row->questions.v[k], row->questions.v[k + 1]);
	for (size_t k = 0; k < row->blocked.n; k++)
		if (!asked(&row->questions, row->blocked.v[k]))
			add_question(out, row->blocked.v[k], "It is still open. What should be known to do it?");
}

/* What stories ask that are not done again with answers. */
static void add_others(const struct session *s, struct str *out)
{
	bool first = true;

	for (size_t i = 0; i < s->plan.n; i++) {
		const struct strv *q = &s->tasks[i].questions;
		for (size_t k = 0; k + 1 < q->n && !retry_answerable(s, i); k += 2, first = false) {
			str_addf(out, "%s#   %s, %s: ", first ? "# Asked by stories that are neither blocked nor partial, so answers would not "
			                                        "be read:\n" : "", s->plan.tasks[i].id, session_task_shown(s, i));
			yaml_write_text(out, q->v[k]);
			str_add(out, ": ");
			yaml_write_text(out, q->v[k + 1]);
			str_addc(out, '\n');
		}
	}
}

void answers_write(const struct session *s, struct str *out)
{
	bool any = false, first = true;

	str_addf(out, "# Questions of session %s. Write an answer behind each `answer:` that you have one for, then\n"
	         "#   bosk retry --answers THIS-FILE\n", s->sid);
	str_add(out, "session: ");
	yaml_write_text(out, s->sid);
	for (size_t i = 0; i < s->plan.n; i++)
		any |= retry_answerable(s, i);
	str_add(out, any ? "\nstories:\n" : "\nstories: []\n");
	for (size_t i = 0; i < s->plan.n; i++)
		if (retry_answerable(s, i))
			add_story(s, i, out);
	add_others(s, out);
	for (size_t i = 0; i < s->plan.n; i++) {
		AUTO_STRV struct strv human = {0};
		batch_human(s, i, &human);
		for (size_t k = 0; k < human.n; k++, first = false) {
			str_addf(out, "%s#   %s: ", first ? "# Only a human can do these:\n" : "", s->plan.tasks[i].id);
			yaml_write_text(out, human.v[k]);
			str_addc(out, '\n');
		}
	}
}

/* ---- reading ---- */

struct reading {
	const struct session *s;
	const char *file;
	struct plan_faults *faults;
	char **out;
};

#define FAULT(r, node, key, ...)                                                                  \
	plan_faults_add((r)->faults, (r)->file, (node)->line, (node)->column, NULL, key, __VA_ARGS__)

/* A mapping with these keys only. */
static bool check_map(struct reading *r, const struct yaml_node *map, const char *what, const char *const *keys)
{
	if (map->kind != YAML_MAP) {
		FAULT(r, map, NULL, "%s must be a mapping, not %s", what, yaml_what(map));
		return false;
	}
	for (const struct yaml_node *v = map->first; v; v = v->next) {
		bool known = false;
		for (size_t i = 0; keys[i]; i++)
			known |= strcmp(keys[i], v->key->text) == 0;
		if (!known)
			FAULT(r, v->key, v->key->text, "is no key of %s", what);
	}
	return true;
}

static const char *text_of(struct reading *r, const struct yaml_node *map, const char *key, bool needed)
{
	const struct yaml_node *v = yaml_get(map, key);
	const char *secret;
	size_t at;

	if (!v || (v->kind == YAML_SCALAR && yaml_is_null(v))) {
		if (needed)
			FAULT(r, map, key, "is missing");
		return NULL;
	}
	if (v->kind != YAML_SCALAR) {
		FAULT(r, v, key, "must be a text, not %s", yaml_what(v));
		return NULL;
	}
	if ((secret = secret_in(v->text, v->len, &at)))
		FAULT(r, v, key, SECRET_FAULT, secret);
	return v->text;
}

static void read_question(struct reading *r, const struct yaml_node *q, struct str *out)
{
	static const char *const keys[] = {"task", "question", "answer", NULL};

	if (!check_map(r, q, "a question", keys))
		return;
	const char *task = text_of(r, q, "task", true), *question = text_of(r, q, "question", false);
	const char *answer = text_of(r, q, "answer", false);
	if (!task || !answer || !answer[strspn(answer, " \t\r\n")])
		return;
	str_addf(out, "- Task: %s\n", task);
	if (question)
		str_addf(out, "  Question: %s\n", question);
	str_addf(out, "  Answer: %s\n", answer);
}

static void read_story(struct reading *r, const struct yaml_node *item)
{
	static const char *const keys[] = {"story", "questions", NULL};
	AUTO_STR struct str text = {0};

	if (!check_map(r, item, "a story", keys))
		return;
	const char *id = text_of(r, item, "story", true);
	const struct yaml_node *questions = yaml_get(item, "questions");
	size_t task = id ? session_task(r->s, id) : SIZE_MAX;
	if (!id)
		return;
	if (task == SIZE_MAX) {
		FAULT(r, yaml_get(item, "story"), "story", "session %s has no story %s", r->s->sid, id);
		return;
	}
	if (r->out[task]) {
		FAULT(r, yaml_get(item, "story"), "story", "%s is there twice", id);
		return;
	}
	if (questions && questions->kind != YAML_LIST) {
		FAULT(r, questions, "questions", "must be a list, not %s", yaml_what(questions));
		return;
	}
	for (const struct yaml_node *q = questions ? questions->first : NULL; q; q = q->next)
		read_question(r, q, &text);
	if (!text.len)
		return;
	if (!retry_answerable(r->s, task))
		FAULT(r, yaml_get(item, "story"), "story", "%s is %s: only blocked and partial stories are done again with answers", id,
		      session_task_shown(r->s, task));
	if (text.len > ANSWERS_MAX)
		FAULT(r, item, NULL, "the answers for %s have more than %d KiB", id, ANSWERS_MAX >> 10);
	r->out[task] = mem_printf("The user has answered questions about this story:\n\n%s", text.p);
}

static void read_all(struct reading *r, const struct yaml_node *root)
{
	static const char *const keys[] = {"session", "stories", NULL};

	if (!check_map(r, root, "an answers file", keys))
		return;
	const char *sid = text_of(r, root, "session", true);
	const struct yaml_node *stories = yaml_get(root, "stories");
	if (sid && strcmp(sid, r->s->sid) != 0)
		FAULT(r, yaml_get(root, "session"), "session", "it is of session %s, not of %s", sid, r->s->sid);
	if (!stories || stories->kind != YAML_LIST) {
		FAULT(r, stories ? stories : root, "stories", "must be a list of stories");
		return;
	}
	for (const struct yaml_node *i = stories->first; i; i = i->next)
		read_story(r, i);
}

int answers_read(char **out, const struct session *s, const char *file, const char *text, size_t n,
                 struct plan_faults *faults)
{
	struct reading r = {s, file, faults, out};
	struct yaml *doc = yaml_parse(file, text, n, faults);
	bool any = false;

	if (doc)
		read_all(&r, yaml_root(doc));
	yaml_free(doc);
	for (size_t i = 0; i < s->plan.n; i++)
		any |= out[i] != NULL;
	if (!any && !faults->n)
		plan_faults_add(faults, file, 0, 0, NULL, NULL, "there is no answer in it");
	plan_faults_sort(faults);
	return faults->n ? -1 : 0;
}

char *answers_session(const char *text, size_t n)
{
	struct plan_faults faults = {0};
	struct yaml *doc = yaml_parse("answers", text, n, &faults);
	const struct yaml_node *root = doc ? yaml_root(doc) : NULL;
	const struct yaml_node *sid = root && root->kind == YAML_MAP ? yaml_get(root, "session") : NULL;
	char *out = sid && sid->kind == YAML_SCALAR && sid->len ? mem_strdup(sid->text) : NULL;

	yaml_free(doc);
	plan_faults_fini(&faults);
	return out;
}
