/* queue_checks: `test`, `regression`, `convergence` and `acceptance` of a step, in every shape these come in. What stands
 * among commands is one; of what stands among criteria only what is plainly a command (queue_command). */
#include "queue_checks.h"

#include <string.h>

#include "plan_read.h"
#include "queue_command.h"
#include "store/base/mem.h"

enum { MAX_DEPTH = 4 };

struct checks {
	struct queue_solution *s;
	const struct queue_step *step;
	const char *kind; /* of its gates: test | verify | regression */
	size_t n;         /* gates of this kind so far */
};

static void claim(struct checks *c, const char *text)
{
	struct strv *claims = &c->s->d->claims;

	if (plan_read_blank(text))
		return;
	if (claims->n + 2 > PLAN_MAX_NEEDS) {
		if (!c->s->full)
			queue_steps_fault(c->s, "tasks", "its tasks have more than %d criteria", PLAN_MAX_NEEDS / 2);
		c->s->full = true;
		return;
	}
	strv_add(claims, c->step->id);
	strv_add(claims, text);
}

static void gate(struct checks *c, char *command)
{
	struct strv *gates = &c->s->d->step_gates;

	if (strlen(command) > PLAN_MAX_COMMAND) {
		queue_steps_fault(c->s, "tasks", "a command of its task %s is longer than %d bytes: put it into a file", c->step->id,
		                  PLAN_MAX_COMMAND);
	} else if (gates->n + 3 > PLAN_MAX_LIST * 3) {
		if (!c->s->full)
			queue_steps_fault(c->s, "tasks", "its tasks have more than %d commands", PLAN_MAX_LIST);
		c->s->full = true;
	} else {
		strv_add(gates, c->step->id);
		if (++c->n == 1)
			strv_addf(gates, "%s.%s", c->step->id, c->kind);
		else
			strv_addf(gates, "%s.%s-%zu", c->step->id, c->kind, c->n);
		strv_give(gates, mem_steal(&command));
	}
	free(command);
}

/* {"command": "npm test", ...}; NULL = it has none. */
static const char *command_of(const struct json_t *map)
{
	static const char *const keys[] = {"command", "run", "cmd"};

	for (size_t i = 0; i < MEM_COUNT(keys); i++)
		if (json_get_text(map, keys[i]) && !plan_read_blank(json_get_text(map, keys[i])))
			return json_get_text(map, keys[i]);
	return NULL;
}

/* Any value: a text, a list of such, a map of a command, or of more of them. `commands`: they stand where commands do. */
static void add(struct checks *c, const struct json_t *v, bool commands, size_t depth)
{
	void *at = NULL;
	const char *key, *text = json_text(v), *of = json_kind(v) == JSON_IS_MAP ? command_of(v) : NULL;
	const struct json_t *inner;
	char *command = of || text ? queue_command(of ? of : text, of || commands) : NULL;

	if (command) {
		gate(c, command);
		return;
	}
	if (text) {
		claim(c, text);
		return;
	}
	if (json_kind(v) == JSON_IS_NUMBER || json_kind(v) == JSON_IS_FLAG || depth > MAX_DEPTH) {
		AUTO_STR struct str plain = {0};
		json_write(v, false, &plain);
		claim(c, str_text(&plain));
		return;
	}
	for (size_t i = 0; i < json_count(v); i++)
		add(c, json_nth(v, i), commands, depth + 1);
	while (json_kind(v) == JSON_IS_MAP && json_member(v, &at, &key, &inner))
		add(c, inner, commands || strcmp(key, "commands") == 0, depth + 1);
}

/* Of criteria none is run, whatever it looks like. */
static void add_claims(struct checks *c, const struct json_t *v, const char *key)
{
	const struct json_t *list = json_get(v, key);

	if (json_text(list))
		claim(c, json_text(list));
	for (size_t i = 0; i < json_count(list); i++) {
		AUTO_STR struct str plain = {0};
		const struct json_t *one = json_nth(list, i);
		if (!json_text(one) && json_kind(one) != JSON_IS_NULL)
			json_write(one, false, &plain);
		claim(c, json_text(one) ? json_text(one) : str_text(&plain));
	}
}

void queue_checks_add(struct queue_solution *s, const struct queue_step *step)
{
	static const char *const ends[] = {"convergence", "acceptance"};
	const struct json_t *test = json_get(step->json, "test");
	struct checks c = {.s = s, .step = step, .kind = "test"};

	add(&c, json_get(test, "commands"), true, 0);
	if (json_kind(test) == JSON_IS_LIST || json_kind(test) == JSON_IS_TEXT)
		add(&c, test, false, 0);
	add_claims(&c, test, "manual_checks");
	add_claims(&c, test, "success_metrics");
	c.kind = "verify", c.n = 0;
	for (size_t i = 0; i < MEM_COUNT(ends); i++) {
		const struct json_t *end = json_get(step->json, ends[i]);
		if (json_kind(end) == JSON_IS_LIST || json_kind(end) == JSON_IS_TEXT)
			add_claims(&c, step->json, ends[i]); /* criteria, without more ado */
		add_claims(&c, end, "criteria");
		add(&c, json_get(end, "verification"), false, 0);
		add_claims(&c, end, "definition_of_done");
		add_claims(&c, end, "manual_checks");
	}
	c.kind = "regression", c.n = 0;
	add(&c, json_get(step->json, "regression"), false, 0);
}
