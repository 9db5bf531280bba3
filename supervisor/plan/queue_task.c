/* queue_task: a solution becomes a task: its steps in order, what shows that each is done, the prompt, the subject of
 * its commit. */
#include "queue_private.h"

#include <string.h>

#include "plan_read.h"
#include "queue_checks.h"
#include "queue_files.h"
#include "queue_prompt.h"
#include "queue_steps.h"
#include "store/base/mem.h"
#include "worker/secret.h"

enum { TITLE_MAX = 200, SUBJECT_CHARS = 100, SCOPE_MAX = 40, MINUTES = 30 };

/* ---- title and subject ---- */

static char *title_of_step(const struct queue_step *step)
{
	char *title = queue_steps_line(json_get(step->json, "title"), TITLE_MAX);

	return title ? title : queue_steps_line(json_get(step->json, "description"), TITLE_MAX);
}

static char *title_of(const struct queue_solution *s, bool one)
{
	char *title = one && s->n ? title_of_step(&s->v[0]) : NULL;

	if (!title)
		title = queue_steps_line(json_get(s->json, "description"), TITLE_MAX);
	if (!title)
		title = queue_steps_line(json_get(s->json, "title"), TITLE_MAX);
	return title ? title : queue_steps_line(json_get(s->issue, "title"), TITLE_MAX);
}

static const struct json_t *first_commit(const struct queue_solution *s)
{
	for (size_t i = 0; i < s->n; i++)
		if (json_kind(json_get(s->v[i].json, "commit")) == JSON_IS_MAP)
			return json_get(s->v[i].json, "commit");
	return NULL;
}

/* "type(scope)!: " in front of a text: how long it is; 0 = it has none. */
static size_t head_of(const char *text)
{
	size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyz");
	const char *p = text + n;

	if (n && *p == '(')
		p = strchr(p, ')') ? strchr(p, ')') + 1 : p;
	p += *p == '!';
	return n && p[0] == ':' && p[1] == ' ' && p[2] ? (size_t)(p + 2 - text) : 0;
}

/* "fix(core)!: ", of a commit as a task has it. */
static void add_head(struct str *out, const struct json_t *commit)
{
	AUTO_FREE char *type = queue_steps_line(json_get(commit, "type"), TITLE_MAX);
	AUTO_FREE char *scope = queue_steps_line(json_get(commit, "scope"), SCOPE_MAX);
	bool plain = type && *type && type[strspn(type, "abcdefghijklmnopqrstuvwxyz")] == '\0';

	str_add(out, plain && strlen(type) <= 20 ? type : "feat");
	if (scope && !strpbrk(scope, "()"))
		str_addf(out, "(%s)", scope);
	str_add(out, json_yes(json_get(commit, "breaking")) ? "!" : "");
	str_add(out, ": ");
}

/* At most so many characters; what is cut ends in "...". */
static void clip_chars(struct str *text, size_t max)
{
	size_t chars = 0, keep = text->len;

	for (size_t i = 0; i < text->len; i++) {
		if (((unsigned char)text->p[i] & 0xc0) == 0x80)
			continue;
		if (chars++ == max - 3)
			keep = i;
	}
	if (chars <= max)
		return;
	text->p[keep] = '\0';
	text->len = keep;
	str_add(text, "...");
}

/* The original's form: type(scope) of the first task that has one, and what the solution is about. Where it has one task
 * only, that task's own message is about that. */
static char *subject_of(const struct queue_solution *s)
{
	const struct json_t *commit = first_commit(s);
	const char *template = json_get_text(commit, "message_template");
	AUTO_FREE char *about = queue_steps_line(json_get(s->json, "description"), 4 * SUBJECT_CHARS);
	AUTO_FREE char *own = template && !strpbrk(template, "\r\n{") ? queue_steps_line(json_get(commit, "message_template"),
	                                                                               4 * SUBJECT_CHARS) : NULL;
	AUTO_STR struct str out = {0};
	const char *text = own && (s->n == 1 || !about) ? own : about ? about : s->d->title;

	if (!text)
		return NULL;
	if (text != own || !head_of(text))
		add_head(&out, commit);
	str_add(&out, text != own && head_of(text) ? text + head_of(text) : text);
	clip_chars(&out, SUBJECT_CHARS);
	return str_take(&out);
}

/* ---- the rest ---- */

/* The name as it is configured, or as the seed has it; as it is written before another case of it. NULL = there is none. */
static const char *agent_named(const struct plan_context *ctx, const char *given)
{
	static const char *const seeds[] = {"codex", "gemini", "agent"};
	const char *const *names = ctx && ctx->n_agents ? ctx->agents : seeds, *like = NULL;
	size_t n = ctx && ctx->n_agents ? ctx->n_agents : MEM_COUNT(seeds);

	for (size_t k = 0; k < n; k++) {
		if (str_eq(names[k], "shell")) /* it runs a command, of which a hint tells nothing */
			continue;
		if (str_eq(given, names[k]))
			return names[k];
		if (!like && plan_index_same_but_case(given, names[k]))
			like = names[k];
	}
	return like;
}

static void take_agent(struct queue_solution *s, const struct item_def *i)
{
	const struct json_t *hints = json_get(s->json, "execution_hints");
	const char *given = i->executor ? i->executor : json_get_text(hints, "executor");

	given = given ? given : json_get_text(s->json, "executor");
	if (!given || plan_read_blank(given))
		return;
	const char *name = agent_named(s->l->ctx, given);
	mem_set(&s->d->agent, name);
	if (!name)
		queue_steps_warn(s, "its executor \"%.40s\" is no agent here, and is left out", given);
}

static uint64_t minutes_of(const struct queue_solution *s)
{
	uint64_t total = 0;

	for (size_t i = 0; i < s->n; i++) {
		const struct json_t *v = json_get(s->v[i].json, "estimated_minutes");
		AUTO_FREE char *text = queue_steps_line(v, TITLE_MAX);
		uint64_t n = 0;
		total += (json_u64(v, &n) || (text && str_u64(text, &n))) && n <= 100000 ? n : MINUTES;
	}
	return s->n ? total : MINUTES;
}

static void take_steps(struct queue_solution *s)
{
	struct task_def *d = s->d;

	for (size_t i = 0; i < s->n; i++) {
		const struct queue_step *step = &s->v[i];
		AUTO_FREE char *title = title_of_step(step), *action = queue_steps_line(json_get(step->json, "action"), TITLE_MAX);
		strv_add(&d->step_ids, step->id);
		if (title && action)
			strv_addf(&d->step_titles, "%s: %s", title, action);
		else
			strv_add(&d->step_titles, title ? title : action ? action : step->id);
		strv_give(&d->step_texts, queue_prompt_step(step));
		queue_checks_add(s, step);
	}
}

/* May all that is stored of it be stored? Steps stand in the prompt as they are. */
static void check_texts(struct queue_solution *s)
{
	struct task_def *d = s->d;
	const char *const texts[] = {d->prompt, d->title, d->subject};
	struct plan_reader r = {.l = s->l, .file = s->file, .d = d, .label = d->id};
	const char *name = NULL;
	size_t where;

	if (strlen(d->prompt) > PLAN_MAX_TEXT)
		queue_steps_fault(s, NULL, "what its agent is told is longer than %d KiB: put what is long into a file of the "
		                  "repository", PLAN_MAX_TEXT >> 10);
	for (size_t i = 0; i < MEM_COUNT(texts) && !name; i++)
		name = texts[i] ? secret_in(texts[i], strlen(texts[i]), &where) : NULL;
	for (size_t i = 0; i < d->step_gates.n && !name; i++) /* lines of these are indented in the prompt */
		name = strchr(d->step_gates.v[i], '\n') ? secret_in(d->step_gates.v[i], strlen(d->step_gates.v[i]), &where) : NULL;
	for (size_t i = 0; i < d->claims.n && !name; i++)
		name = strchr(d->claims.v[i], '\n') ? secret_in(d->claims.v[i], strlen(d->claims.v[i]), &where) : NULL;
	if (name)
		queue_steps_fault(s, NULL, SECRET_FAULT, name);
	plan_read_afford(&r, NULL, NULL, 2 * strlen(d->prompt));
}

void queue_task_fill(struct plan_loader *l, const char *file, size_t line, struct task_def *d, struct item_def *i,
                     const struct json_t *item, const struct json_t *solution, const struct json_t *issue)
{
	struct queue_solution s = {.l = l, .file = file, .line = line, .d = d, .json = solution, .issue = issue};
	AUTO_FREE char *only = queue_steps_line(json_get(item, "task_id"), QUEUE_MAX_NAME);
	AUTO_STR struct str prompt = {0};

	if (!solution && !d->missing)
		d->missing = mem_strdup("its solution is not there");
	if (solution)
		queue_steps_read(&s, only);
	d->title = title_of(&s, only);
	take_steps(&s);
	if (!d->files.n)
		queue_files_add(&s);
	queue_prompt(&s, &d->step_texts, &prompt);
	d->prompt = prompt.len ? str_take(&prompt) : mem_strdup("Nothing is said of what is to be done.\n");
	if (solution)
		d->subject = subject_of(&s);
	take_agent(&s, i);
	i->minutes = minutes_of(&s);
	check_texts(&s);
	queue_steps_free(&s);
}
